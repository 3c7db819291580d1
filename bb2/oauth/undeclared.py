"""Which scopes have people granted that no plugin declares any more?"""

import json
import logging
from collections import Counter

from sqlalchemy import String, cast, func, select

from bb2.models import Consent
from bb2.oauth.consents import LIVE

log = logging.getLogger(__name__)


def undeclared(connection, registry):
    """Counter({scope: live consents}) of what was granted and is not installed.  One statement."""
    granted = cast(Consent.scopes, String)
    counted, found = select(granted, func.count()).where(*LIVE).group_by(granted), Counter()
    for scopes, consents in connection.execute(counted):
        for name in json.loads(scopes):
            if name not in registry:
                found[name] += consents
    return found


def tell_undeclared(connection, registry):
    """Tell the operator: nothing else would say that a plugin was forgotten, and not taken out on purpose."""
    if found := undeclared(connection, registry):
        told = ", ".join(f"{name} ({found[name]})" for name in sorted(found))
        log.warning(
            "no plugin declares these scopes, which people have granted (live consents): %s. Their tokens open nothing "
            "of it until the plugin is back",
            told,
        )
