"""People who make apps: their accounts, how they sign in, and their browsers."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from bb2.models.base import Base


class Developer(Base):
    """Somebody who registers apps.  Not a beneficiary, whoever they are besides."""

    __tablename__ = "developer"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: in lower case; with it they sign in.  The old one is told of a change: so it is always known
    email: Mapped[str] = mapped_column(unique=True, active_history=True)
    name: Mapped[str]
    organization: Mapped[str]
    password_hash: Mapped[str]  #: argon2id
    email_verified_at: Mapped[datetime | None]  #: None: nobody has followed the link yet, and nobody signs in
    totp_secret: Mapped[str | None]  #: of their authenticator app, encrypted; None: there is none
    totp_step: Mapped[int | None] = mapped_column(BigInteger)  #: of the last code that was used: none is used twice
    passkey_handle: Mapped[str | None]  #: by which authenticators know them (WebAuthn, 14.6.1): random
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  #: the row stays, without anything of the person, for the trail and their apps

    @property
    def username(self):
        """With what they sign in, as an Account has it."""
        return self.email


class DeveloperSession(Base):
    """One developer's browser.  It is signed in when `authenticated_at` is set."""

    __tablename__ = "developer_session"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of the cookie
    developer_id: Mapped[int | None] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    #: who gave the right password, and has still to give the second factor; soon after `created_at`
    half_developer_id: Mapped[int | None] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    authenticated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    developer: Mapped[Developer | None] = relationship(foreign_keys=[developer_id])
    half_developer: Mapped[Developer | None] = relationship(foreign_keys=[half_developer_id])


class DeveloperPasskey(Base):
    """A key with which a developer signs in: a WebAuthn credential record (Level 3, 4)."""

    __tablename__ = "developer_passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    credential_id: Mapped[str] = mapped_column(unique=True)  #: base64url
    developer_id: Mapped[int] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    public_key: Mapped[bytes]  #: COSE_Key
    sign_count: Mapped[int] = mapped_column(BigInteger)
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    transports: Mapped[list[str]]
    name: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    developer: Mapped[Developer] = relationship()
    person_id, person = synonym("developer_id"), synonym("developer")  #: whosever it is


class DeveloperRecoveryCode(Base):
    """A code that stands once for the second factor, when the device is gone."""

    __tablename__ = "developer_recovery_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256: it is random
    developer_id: Mapped[int] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    used_at: Mapped[datetime | None]


class DeveloperLink(Base):
    """A link that was, or will be, mailed to a developer.  What it carries follows from the row and from a key that is
    no row: nothing here opens anything."""

    __tablename__ = "developer_link"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)  #: random
    developer_id: Mapped[int] = mapped_column(ForeignKey("developer.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str]  #: `verify`, `recover` or `email`: bb2.developers.links
    email: Mapped[str]  #: to which it goes
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  #: when it was used, or a later one took its place

    developer: Mapped[Developer] = relationship()
