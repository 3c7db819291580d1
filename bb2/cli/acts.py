"""Who gave this command?  What an administrator changes is in the audit trail, in the transaction that changes it."""

import os

from bb2 import audit


def record_act(db, event, **details):
    """Add an administrative event to the trail, as `audit.record`; `by` is the number of the system's user."""
    audit.record(db, event, **details, by=f"uid {os.environ.get('SUDO_UID') or os.getuid()}")
