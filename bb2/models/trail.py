"""What happened, what people are to be told of it, and how often something was tried."""

from datetime import date, datetime

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, event
from sqlalchemy.orm import Mapped, mapped_column

from bb2.models.base import Base


class AuditEvent(Base):
    """One thing that happened; only ever added to."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_event_at", "event", "at"),  # what a report of one period walks
        Index("ix_audit_event_app", "client_id", "event", "at"),  # what the numbers of one app walk
        # What "my connected apps" walks: what a person decided, and what was read under one consent, by time.
        Index("ix_audit_event_person", "beneficiary_id", "event", "consent_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    event: Mapped[str]  #: `consent.given`, `consent.declined`, `token.refreshed` …: bb2.audit lists them
    correlation_id: Mapped[str | None] = mapped_column(index=True)  #: from the authorization request to the last token
    client_id: Mapped[str | None] = mapped_column(index=True)
    beneficiary_id: Mapped[int | None]
    consent_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[dict]


#: The database itself refuses to change or delete what the trail has, whoever asks; as the migration has it.
APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_event_no_{change} BEFORE {change} ON audit_event "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is only ever added to'); END"
        for change in ("update", "delete")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_event_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''audit_event is only ever added to''; END'",
        "CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON audit_event "
        "FOR EACH ROW EXECUTE FUNCTION audit_event_only_grows()",
    ],
}
for dialect, statements in APPEND_ONLY.items():
    for statement in statements:
        event.listen(AuditEvent.__table__, "after_create", DDL(statement).execute_if(dialect=dialect))
event.listen(
    AuditEvent.__table__,
    "after_drop",
    DDL("DROP FUNCTION audit_event_only_grows()").execute_if(dialect="postgresql"),
)


class CallsOfDay(Base):
    """How often an app called an endpoint on a day that is over, summed up from the trail."""

    __tablename__ = "calls_of_day"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  #: in US Eastern time
    kind: Mapped[str] = mapped_column(primary_key=True)  #: these three as the trail has them
    interaction: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    calls: Mapped[int] = mapped_column(BigInteger)
    people: Mapped[int]  #: how many different people these calls were about


class Notice(Base):
    """A mail that waits to be sent: of what it tells, not the words; it goes when it was sent, or given up."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  #: what it tells: bb2.notices
    #: whom it tells: a beneficiary, or a developer
    beneficiary_id: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    developer_id: Mapped[int | None] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consent.id"), index=True)
    #: the link that it brings
    developer_link_id: Mapped[str | None] = mapped_column(
        ForeignKey("developer_link.id", ondelete="CASCADE"), index=True
    )
    #: where it goes, if that is no longer the person's address; None: wherever their mail goes when it is sent
    address: Mapped[str | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  #: when it is tried next
    tries: Mapped[int] = mapped_column(server_default="0")


class RateLimit(Base):
    """How often something was tried in the present window of time."""

    __tablename__ = "rate_limit"

    key: Mapped[str] = mapped_column(primary_key=True)  #: without a name, an address or a secret in it: a hash
    hits: Mapped[int]
    expires_at: Mapped[datetime]
