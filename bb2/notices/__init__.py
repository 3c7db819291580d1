"""What is a person told by mail?  Whatever the audit trail gets that KINDS names, in the transaction that writes it.

So nothing is told that did not happen, and nobody who does a thing need think of the mail.  What waits are rows of
`notice`, without words and, but for an address that was replaced, without anything of the person.
"""

from sqlalchemy import exists, func, insert, inspect, literal, or_, select
from sqlalchemy.event import listens_for

from bb2.clock import DatabaseTime
from bb2.models import AuditEvent, Beneficiary, Consent, Notice
from bb2.notices import developers

#: {event of the trail: the kind of notice, which is the name of its words}
KINDS = {
    "consent.activated": "connected",
    "consent.revoked": "disconnected",
    "consent.narrowed": "narrowed",
    "account.signed_in": "signed_in",
    "account.password_changed": "password_changed",
    "account.recovered": "recovered",
    "account.question_changed": "question_changed",
    "passkey.added": "passkey_added",
}
#: {event: is it told, with these details?}; of the other events, each is
TOLD = {
    "account.signed_in": lambda details: bool(details.get("new_browser")),
    "account.password_changed": lambda details: details.get("by") != "answer",  # `recovered` has told it
}
ENDING = "ending"  #: access ends soon: no event, but the calendar brings it (bb2.notices.ends)
NEW_ADDRESS, OLD_ADDRESS = "new_address", "old_address"  #: Beneficiary.email was changed, whoever did it
TEST = "test"  #: an operator looks whether mail arrives
#: Changes of an address in a day that are told: else somebody could have anybody written to, again and again.
MOST_ADDRESSES = 10


@listens_for(AuditEvent, "after_insert")
def _of_event(_mapper, connection, event):
    """Tell the person, if they have an address; in one statement."""
    developers.of_event(connection, event)
    kind = KINDS.get(event.event)
    if kind is None or event.beneficiary_id is None:
        return
    if event.event in TOLD and not TOLD[event.event](event.details):
        return
    told = Beneficiary.id == event.beneficiary_id, Beneficiary.email.is_not(None)
    if event.event == "consent.revoked":
        told += (_was_open(event.consent_id),)
    connection.execute(_written(kind, *told, consent_id=event.consent_id))


def _was_open(consent_id):
    """SQL: this consent opened records.  Not one whose code was never redeemed, as a No after a Yes ends it; nor one
    that a newer one has replaced, or that was over."""
    lasts = or_(Consent.expires_at.is_(None), Consent.expires_at > DatabaseTime())
    of_app = Consent.id == consent_id, Consent.activated_at.is_not(None), Consent.replaced_at.is_(None)
    return exists().where(*of_app, lasts)


@listens_for(Beneficiary, "before_update")
def _of_address(_mapper, connection, person):
    """Tell the new address and the old one, which the table has until the statement that follows."""
    if not inspect(person).attrs.email.history.has_changes():
        return
    changes = select(func.count()).where(
        AuditEvent.beneficiary_id == person.id,
        AuditEvent.event == "account.email_changed",
        AuditEvent.at > DatabaseTime(-86_400),
    )
    told = Beneficiary.id == person.id, changes.scalar_subquery() <= MOST_ADDRESSES
    connection.execute(_written(OLD_ADDRESS, *told, Beneficiary.email.is_not(None), address=Beneficiary.email))
    if person.email is not None:
        connection.execute(_written(NEW_ADDRESS, *told))


def _written(kind, *whom, **facts):
    """The INSERT of a notice for the Beneficiary whom the conditions name, if there is one."""
    columns = {"kind": literal(kind), "beneficiary_id": Beneficiary.id}
    columns |= {"created_at": DatabaseTime(), "due_at": DatabaseTime(), "tries": literal(0)}
    columns |= {name: value for name, value in facts.items() if value is not None}
    return insert(Notice).from_select(list(columns), select(*map(_in_sql, columns.values())).where(*whom))


def _in_sql(value):
    return literal(value) if isinstance(value, int) else value
