"""A browser, and what it has begun on the way to a sign-in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bb2.models.base import Base
from bb2.models.people import Account, Beneficiary


class BrowserSession(Base):
    """One beneficiary's browser, signed in or not yet.  Another kind of person has another table."""

    __tablename__ = "browser_session"

    id_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of the cookie
    beneficiary_id: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"), index=True)  #: None: not signed in
    authenticated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    beneficiary: Mapped[Beneficiary | None] = relationship()


class EnrollmentDraft(Base):
    """How far a person has come in making an account, and what they typed so far: never a password or an answer.

    It belongs to one browser, and is gone when the account is made or the browser's session ends.
    """

    __tablename__ = "enrollment_draft"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_hash: Mapped[str] = mapped_column(ForeignKey("browser_session.id_hash", ondelete="CASCADE"), index=True)
    patient: Mapped[str]  #: Patient.id of the record that was found by what was typed
    typed: Mapped[dict]  #: {field: text}
    reached: Mapped[int]  #: the last page that may be opened, as bb2.views.create_account counts them
    expires_at: Mapped[datetime]


class Recovery(Base):
    """How far a browser has come on the way back to a forgotten sign-in.  It ends with the session."""

    __tablename__ = "recovery"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_hash: Mapped[str] = mapped_column(ForeignKey("browser_session.id_hash", ondelete="CASCADE"), unique=True)
    #: whose sign-in it is; None: nobody's, which is not told
    username: Mapped[str | None] = mapped_column(ForeignKey("account.username", ondelete="CASCADE"), index=True)
    question: Mapped[str]  #: the key of the secret question that is asked
    fingerprint: Mapped[str] = mapped_column(String(64))  #: what stands for all that was typed about the person
    answered_at: Mapped[datetime | None]  #: when the question was answered rightly
    expires_at: Mapped[datetime]

    account: Mapped[Account | None] = relationship()


class ServerSecret(Base):
    """A random value that all workers share: with it, what people typed is told apart and not kept."""

    __tablename__ = "server_secret"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class PasskeyChallenge(Base):
    """What a passkey has to sign: once, soon, and in the browser that asked for it."""

    __tablename__ = "passkey_challenge"

    challenge_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of its base64url
    session_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str]  #: `add` or `sign_in`
    expires_at: Mapped[datetime]


class ProviderSignIn(Base):
    """A sign-in that one browser has begun at the OpenID Connect provider."""

    __tablename__ = "provider_sign_in"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of `state`
    session_hash: Mapped[str] = mapped_column(String(64), index=True)
    #: the app's request that the person signs in for; None: no app waits
    request_id: Mapped[str | None] = mapped_column(
        ForeignKey("authorization_request.id", ondelete="CASCADE"), index=True
    )
    #: the sign-in there may be no older than this; None: any will do
    earliest_authenticated_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  #: when the person came back, or signed in in another tab
    problem: Mapped[str | None]  #: what came of it, if not a sign-in: its key in bb2.views.provider
