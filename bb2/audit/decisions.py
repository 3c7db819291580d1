"""What did a person decide about their apps?  The events of the trail that are answers of theirs."""

from sqlalchemy import and_, or_, select

from bb2.models import AuditEvent

#: {event: what must be in its details}: a Cancel is no answer, and what an app or this service ended, it ended
ANSWERS = {
    "consent.given": {},
    "consent.declined": {"answer": "no"},
    "consent.narrowed": {},
    "consent.revoked": {"by": "beneficiary"},
}


def decisions(db, beneficiary_id, *, consent_id=None, before=None, most=None):
    """The AuditEvents of a person's decisions, newest first: all, or those about one consent."""
    found = _of(beneficiary_id).order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(most)
    if consent_id is not None:
        found = found.where(AuditEvent.consent_id == consent_id)
    if before is not None:
        found = found.where(AuditEvent.id < before)
    return db.scalars(found).all()


def decision(db, beneficiary_id, number):
    """The person's own decision with this number; None for any other."""
    return db.scalars(_of(beneficiary_id).where(AuditEvent.id == number)).one_or_none()


def _of(beneficiary_id):
    answers = [and_(AuditEvent.event == event, *_says(details)) for event, details in ANSWERS.items()]
    mine = AuditEvent.beneficiary_id == beneficiary_id, AuditEvent.event.in_(ANSWERS)
    return select(AuditEvent).where(*mine, or_(*answers))


def _says(details):
    return [AuditEvent.details[name].as_string() == value for name, value in details.items()]
