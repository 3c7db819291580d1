"""What is an app developer told by mail?  The links that are made for them, and what changes how their account opens.

As for beneficiaries (bb2.notices), a mail follows from the row that it tells of, in the transaction that writes it.
"""

from sqlalchemy import insert, inspect
from sqlalchemy.event import listens_for

from bb2.clock import DatabaseTime
from bb2.models import Developer, DeveloperLink, Notice

#: {event of the trail: the kind of notice, which is the name of its words}
KINDS = {
    "developer.signed_up_again": "developer/known",
    "developer.password_changed": "developer/password_changed",
    "developer.factor_added": "developer/factor_added",
    "developer.factor_removed": "developer/factor_removed",
    "developer.codes_made": "developer/codes_made",
}
OLD_ADDRESS, CLOSED = "developer/old_address", "developer/closed"  #: Developer.email was changed, or its account closed


def of_event(connection, event):
    """Tell the developer of an event that was just written, if it is one of theirs that is told."""
    if event.event in KINDS:
        _write(connection, KINDS[event.event], event.details["developer_id"])


@listens_for(DeveloperLink, "after_insert")
def _of_link(_mapper, connection, link):
    _write(connection, f"developer/{link.purpose}", link.developer_id, developer_link_id=link.id)


@listens_for(Developer, "before_update")
def _of_address(_mapper, connection, developer):
    """The old address is told; it is kept until its mail has gone."""
    history = inspect(developer).attrs.email.history
    if history.has_changes() and developer.email_verified_at:
        (old,) = history.deleted
        _write(connection, CLOSED if developer.closed_at else OLD_ADDRESS, developer.id, address=old)


def _write(connection, kind, developer_id, **facts):
    times = {"created_at": DatabaseTime(), "due_at": DatabaseTime()}
    connection.execute(insert(Notice).values(kind=kind, developer_id=developer_id, **times, **facts))
