"""What apps ask for, what people grant, and the codes and tokens that come of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bb2.models.apps import Client
from bb2.models.base import Base
from bb2.models.people import Beneficiary


class AuthorizationRequest(Base):
    """What an app asked for (RFC 6749, 4.1.1), kept here for one answer from the browser that brought it."""

    __tablename__ = "authorization_request"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    session_hash: Mapped[str] = mapped_column(String(64), index=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), index=True)
    api_version: Mapped[str]
    redirect_uri: Mapped[str]
    scopes: Mapped[list[str]]
    state: Mapped[str]
    code_challenge: Mapped[str]
    nonce: Mapped[str | None]
    correlation_id: Mapped[str | None]  #: under which the audit trail has everything that comes of this request
    claims: Mapped[dict | None]  #: those that the app asks for one by one (OpenID Connect Core 5.5)
    audience: Mapped[str | None]  #: the FHIR base that the tokens are for (RFC 8707); None: every one of this server
    login_hint: Mapped[str | None]  #: the user name to begin with
    #: who must sign in, by `id_token_hint` or `claims`; None: anybody
    named_beneficiary_id: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    #: the sign-in may be no older than this (`prompt=login`, `max_age`); None: any will do
    earliest_authenticated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    shown: Mapped[dict | None]  #: the page as the person saw it last: words, language, choices
    shown_to: Mapped[int | None] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    answer: Mapped[str | None]  #: `yes`, `no`, `cancel` or `other`: another person signed in than the app named
    answered_at: Mapped[datetime | None]

    client: Mapped[Client] = relationship()


class PushedRequest(Base):
    """Authorization parameters that an app sent ahead, over its own connection (RFC 9126)."""

    __tablename__ = "pushed_request"

    uri_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of the request_uri
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), index=True)
    parameters: Mapped[dict]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """The `jti` of a client's signed assertion, which counts once (RFC 7523, 3)."""

    __tablename__ = "used_assertion"

    jti_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of client id and jti
    expires_at: Mapped[datetime]


class Consent(Base):
    """What one beneficiary lets one application see; every code and token hangs on one."""

    __tablename__ = "consent"

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str | None] = mapped_column(
        ForeignKey("authorization_request.id", ondelete="SET NULL"), unique=True
    )
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), index=True)
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    scopes: Mapped[list[str]]
    correlation_id: Mapped[str | None]  #: of the authorization request
    claims: Mapped[dict | None]  #: of the authorization request
    audience: Mapped[str | None]  #: of the authorization request
    share_demographic: Mapped[bool | None]  #: the person's choice; None: the page had no such question
    share_sensitive: Mapped[dict | None]  #: {key of a sensitivity: shared}; None: the page asked about none
    #: the families of scopes that the person left out one by one; None: the page let nobody choose so
    left_out: Mapped[list[str] | None]
    shown: Mapped[dict]  #: the page in the words and the language in which the person saw it
    language: Mapped[str]
    granted_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]  #: when its code was redeemed; None: it opens nothing yet
    expires_at: Mapped[datetime | None]  #: None: without end
    replaced_at: Mapped[datetime | None]  #: when a newer consent for the same app took its place
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None]  #: `beneficiary`, `client` or `server`
    end_told_at: Mapped[datetime | None]  #: when a mail was written that says when it ends; None: not yet

    client: Mapped[Client] = relationship()
    beneficiary: Mapped[Beneficiary] = relationship()


class AuthorizationCode(Base):
    """A code that an app exchanges once for tokens (RFC 6749, 4.1.2)."""

    __tablename__ = "authorization_code"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), index=True)
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str]
    nonce: Mapped[str | None]
    authenticated_at: Mapped[datetime]  #: when the person signed in: `auth_time`
    expires_at: Mapped[datetime]
    redeemed_at: Mapped[datetime | None]

    consent: Mapped[Consent] = relationship()


class AccessToken(Base):
    """A bearer token (RFC 6750)."""

    __tablename__ = "access_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), index=True)
    scopes: Mapped[list[str]]  #: those of the consent, or fewer where a refresh narrowed them
    audience: Mapped[str | None]  #: the FHIR base that it opens (RFC 8707); None: every one of this server
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    consent: Mapped[Consent] = relationship()


class RefreshToken(Base):
    """A token that gets new access tokens, and its own successor, once (RFC 6749, 6; RFC 9700, 4.14)."""

    __tablename__ = "refresh_token"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"), index=True)
    authenticated_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    successor_hash: Mapped[str | None] = mapped_column(String(64))  #: the refresh token that came of using it
    revoked_at: Mapped[datetime | None]

    consent: Mapped[Consent] = relationship()
