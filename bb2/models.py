"""The tables."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from bb2.clock import UtcDateTime

#: The system of a Medicare number in an Identifier (HL7 Terminology, "Medicare Beneficiary Identifier").
MEDICARE_NUMBER = "http://hl7.org/fhir/sid/us-mbi"

# Ids and codes compare and sort byte by byte on every database, so that pages keep their order.
Code = String().with_variant(String(collation="C"), "postgresql")


class Base(DeclarativeBase):
    # Names that Alembic can drop again (Alembic documentation, "The Importance of Naming Constraints").
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {list[str]: JSON, dict: JSON, datetime: UtcDateTime}


class Client(Base):
    """An application registered to ask beneficiaries for their data (RFC 6749, 2)."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[str | None]  #: SHA-256 of a random secret; None for a client without one
    jwks: Mapped[dict | None]  #: the public keys with which it proves who it is (RFC 7523), as it registered them
    jwks_uri: Mapped[str | None]  #: or where it publishes them; with neither and no secret, it is a public client
    id_token_alg: Mapped[str] = mapped_column(server_default="RS256")  #: how its id_tokens are signed
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(server_default="[]")
    scopes: Mapped[list[str]]  #: what the app may ask for; another spelling of the same SMART permission counts too
    asks_demographic: Mapped[bool]  #: False: it never gets demographic data, whatever `scopes` says
    access: Mapped[str]  #: `one-time`, `ongoing` or `research`
    website: Mapped[str | None]
    privacy_policy: Mapped[str | None]
    terms: Mapped[str | None]
    logo: Mapped[str | None] = mapped_column(String(64))  #: SHA-256 of its ClientLogo; None: it has none
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]  #: None for an app that is switched on

    @property
    def has_keys(self):
        """It proves who it is with a key of its own, and in no other way (RFC 7523)."""
        return bool(self.jwks or self.jwks_uri)

    @property
    def public(self):
        """It can keep no secret: it names itself, and PKCE protects its codes (RFC 6749, 2.1)."""
        return self.secret_hash is None and not self.has_keys


class ClientLogo(Base):
    """The picture that stands for an app: a table of its own, as what looks at an app seldom needs it."""

    __tablename__ = "client_logo"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True)
    png: Mapped[bytes]


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


class PasskeyChallenge(Base):
    """What a passkey has to sign: once, soon, and in the browser that asked for it."""

    __tablename__ = "passkey_challenge"

    challenge_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  #: SHA-256 of its base64url
    session_hash: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str]  #: `add` or `sign_in`
    expires_at: Mapped[datetime]


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


class RateLimit(Base):
    """How often something was tried in the present window of time."""

    __tablename__ = "rate_limit"

    key: Mapped[str] = mapped_column(primary_key=True)  #: without a name, an address or a secret in it: a hash
    hits: Mapped[int]
    expires_at: Mapped[datetime]


class AuditEvent(Base):
    """One thing that happened; only ever added to."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_event_at", "event", "at"),  # what a report of one period walks
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


class Notice(Base):
    """A mail that waits to be sent: of what it tells, not the words; it goes when it was sent, or given up."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]  #: what it tells: bb2.notices
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), index=True)
    consent_id: Mapped[int | None] = mapped_column(ForeignKey("consent.id"), index=True)
    #: where it goes, if that is no longer the person's address; None: wherever their mail goes when it is sent
    address: Mapped[str | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  #: when it is tried next
    tries: Mapped[int] = mapped_column(server_default="0")


class Record(Base):
    """A FHIR record as it was loaded: one row for each API version, resource type and id."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("version", "resource_type", "id", name="uq_record_version_resource_type_id"),
        # What a search walks: one person's records of one type, in the order of the pages, and what may be seen.  What
        # is counted, and not on the page, is in it whole, so that no other record is touched.
        Index(
            "ix_record_compartment",
            *("version", "resource_type", "patient", "id", "last_updated", "judgements"),
            postgresql_include=["number"],
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(Code)
    resource_type: Mapped[str] = mapped_column(Code)
    id: Mapped[str] = mapped_column(Code)
    patient: Mapped[str] = mapped_column(Code)
    last_updated: Mapped[int] = mapped_column(
        BigInteger
    )  #: meta.lastUpdated, or the time of loading: microseconds since 1970
    #: Which sensitivities it carries, as bb2.sensitivities has it; empty: nobody has judged.
    judgements: Mapped[str] = mapped_column(Code, server_default="")
    body: Mapped[str] = mapped_column(Text)  #: the JSON, without white space between its tokens


class RecordIndex(Base):
    """A value by which a record is found: what its plugin's search parameters point at."""

    __tablename__ = "record_index"
    __table_args__ = (
        Index("ix_record_index_value", "record_number", "param"),
        # Whose Medicare number is this?  Only people's own records have entries of that system.
        Index(
            "ix_record_index_medicare_number",
            "value",
            sqlite_where=text(f"system = '{MEDICARE_NUMBER}'"),
            postgresql_where=text(f"system = '{MEDICARE_NUMBER}'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    record_number: Mapped[int] = mapped_column(ForeignKey("record.number", ondelete="CASCADE"))
    param: Mapped[str] = mapped_column(Code)
    system: Mapped[str | None]  #: of a token
    value: Mapped[str | None]  #: of a token, in lower case
    low: Mapped[int | None] = mapped_column(BigInteger)  #: first microsecond of a date
    high: Mapped[int | None] = mapped_column(BigInteger)  #: the microsecond after its last


class Sandbox(Base):
    """What the synthetic people are made from: one row, where there are any."""

    __tablename__ = "sandbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    seed: Mapped[int]
    years: Mapped[int]  #: of claims
    claims_per_year: Mapped[int]  #: of one person, about
    as_of: Mapped[date]  #: the day as of which a person is made at first


class SandboxPerson(Base):
    """A beneficiary who is made up, and can be made anew from the seed and this number."""

    __tablename__ = "sandbox_person"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("beneficiary.id"), unique=True)
    day: Mapped[date]  #: up to which the person's claims are here

    beneficiary: Mapped[Beneficiary] = relationship()


class RecordIndexing(Base):
    """By which declaration the records of a resource type are stored: bb2.fhir.reindex."""

    __tablename__ = "record_indexing"

    resource_type: Mapped[str] = mapped_column(Code, primary_key=True)
    declaration: Mapped[str] = mapped_column(String(64))
