"""People with Medicare, and how each of them can sign in."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from bb2.models.base import Base


class Beneficiary(Base):
    """A person with Medicare who can sign in here."""

    __tablename__ = "beneficiary"

    id: Mapped[int] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(unique=True)  #: random; says nothing about the person
    patient: Mapped[str] = mapped_column(unique=True)  #: FHIR Patient.id, SMART's launch context
    given_name: Mapped[str]
    family_name: Mapped[str]
    email: Mapped[str | None]  #: where notices go; None: the person wants none
    language: Mapped[str | None]  #: in which they are written: that of the person's last sign-in
    closed_at: Mapped[datetime | None]  #: since when the person's record is no longer served here, nor their sign-in
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"), index=True)  #: why it was closed
    passkey_handle: Mapped[str | None]  #: by which authenticators know the person (WebAuthn, 14.6.1): random
    passkey_declined_at: Mapped[datetime | None]  #: since when no passkey is offered; None: it may be


class Account(Base):
    """A user name and password of the built-in directory."""

    __tablename__ = "account"

    username: Mapped[str] = mapped_column(primary_key=True)  #: in lower case: case does not count when signing in
    password_hash: Mapped[str]  #: argon2id
    secret_question: Mapped[str | None]  #: its key among those that can be chosen; None: the account has none
    secret_answer_hash: Mapped[str | None]  #: argon2id
    created_at: Mapped[datetime | None]  #: None: before this was written down
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), index=True)

    beneficiary: Mapped[Beneficiary] = relationship()


class Passkey(Base):
    """A key with which a person signs in without a password: a WebAuthn credential record (Level 3, 4)."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    credential_id: Mapped[str] = mapped_column(unique=True)  #: base64url; one person's, and no other's
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    public_key: Mapped[bytes]  #: COSE_Key
    sign_count: Mapped[int] = mapped_column(BigInteger)  #: how often it has signed, by its own count; 0: it counts not
    backup_eligible: Mapped[bool]  #: it can be on several devices, and stays what it is
    backed_up: Mapped[bool]  #: it is, as of its last use
    transports: Mapped[list[str]]  #: how it is reached, a hint for browsers
    name: Mapped[str]  #: as the person calls it; may be empty
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    beneficiary: Mapped[Beneficiary] = relationship()
    person_id, person = synonym("beneficiary_id"), synonym("beneficiary")  #: whosever it is
