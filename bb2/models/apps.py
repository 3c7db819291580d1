"""The apps that are registered here."""

import re
import unicodedata
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from bb2.models.base import Base

#: Printable, and yet nothing that anybody sees: what joins letters, and what chooses among their forms (UAX 44,
#: Default_Ignorable_Code_Point; of the others, names have none).
UNSEEN = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


class Client(Base):
    """An application registered to ask beneficiaries for their data (RFC 6749, 2)."""

    __tablename__ = "client"
    __table_args__ = (UniqueConstraint("name_key", name="uq_client_name"),)

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]  #: as people read it, also of an app that was deleted
    #: the name as names are compared, which two apps never share; it follows `name`, until a deletion frees it
    name_key: Mapped[str]
    secret_hash: Mapped[str | None]  #: SHA-256 of a random secret; None for a client without one
    jwks: Mapped[dict | None]  #: the public keys with which it proves who it is (RFC 7523), as it registered them
    jwks_uri: Mapped[str | None]  #: or where it publishes them; with neither and no secret, it is a public client
    id_token_alg: Mapped[str] = mapped_column(server_default="RS256")  #: how its id_tokens are signed
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(server_default="[]")
    scopes: Mapped[list[str]]  #: what the app may ask for; another spelling of the same SMART permission counts too
    asks_demographic: Mapped[bool]  #: False: it never gets demographic data, whatever `scopes` says
    #: {name of a scope that was added later: since when, ISO 8601}: a consent of before does not bring it
    scopes_since: Mapped[dict | None]
    asks_demographic_since: Mapped[datetime | None]  #: the same of `asks_demographic`; None: from the beginning
    access: Mapped[str]  #: `one-time`, `ongoing` or `research`
    website: Mapped[str | None]
    privacy_policy: Mapped[str | None]
    terms: Mapped[str | None]
    logo: Mapped[str | None] = mapped_column(String(64))  #: SHA-256 of its ClientLogo; None: it has none
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]  #: None for an app that is switched on
    disabled_by: Mapped[str | None]  #: `developer` or `operator`, who alone switches it on again
    deleted_at: Mapped[datetime | None]  #: None for an app that is there; the row stays, for people's history
    developer_id: Mapped[int | None] = mapped_column(ForeignKey("developer.id"), index=True)  #: None: an operator's
    description: Mapped[str | None]
    support_email: Mapped[str | None]
    support_phone: Mapped[str | None]
    previous_secret_hash: Mapped[str | None]  #: of the secret before, which does for a while after a rotation
    previous_secret_ends_at: Mapped[datetime | None]

    @validates("name")
    def _follow(self, _column, name):
        self.name_key = name_key(name)
        return name

    @property
    def has_keys(self):
        """It proves who it is with a key of its own, and in no other way (RFC 7523)."""
        return bool(self.jwks or self.jwks_uri)

    @property
    def public(self):
        """It can keep no secret: it names itself, and PKCE protects its codes (RFC 6749, 2.1)."""
        return self.secret_hash is None and not self.has_keys

    @property
    def waits_for_approval(self):
        """An operator has never switched it on."""
        return self.disabled_by == "operator" and self.disabled_at == self.created_at


class ClientLogo(Base):
    """The picture that stands for an app: a table of its own, as what looks at an app seldom needs it."""

    __tablename__ = "client_logo"

    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True)
    png: Mapped[bytes]


def name_key(name):
    """A name as names are compared: in any case, in any width or font that Unicode has for a letter (UAX 15), and
    without what nobody sees."""
    return unicodedata.normalize("NFKC", UNSEEN.sub("", name)).casefold()
