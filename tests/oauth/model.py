"""Which token opens what?  The rules in plain Python, against which the server is held, step by step.

It knows one beneficiary.  Each method that stands for a request changes the model as the server must change, and
returns the error that the server must answer with; None where it must grant.
"""

from dataclasses import dataclass, field

DEMOGRAPHIC = frozenset({"profile", "patient/Patient.read"})
TECHNICAL = frozenset({"openid"})  #: shares nothing of the person
FAMILIES = ("patient/Coverage", "patient/Patient", "profile")  #: that a person can leave out of a connection
OPTIONAL = "patient/Coverage.read"  #: what is left out when a person leaves out a line
#: What each path needs, of the scopes that the model knows.
OPENED_BY = {
    "fhir/Patient": "patient/Patient.read",
    "fhir/Coverage": "patient/Coverage.read",
    "connect/userinfo": "profile",
}


@dataclass(eq=False)
class App:
    """A registered app."""

    access: str
    public: bool
    on: bool = True
    asks_demographic: bool = True
    consents: list = field(default_factory=list)  #: of the beneficiary, oldest first

    def may_have(self, scopes):
        """Of these scopes, those that the registration allows now."""
        return {scope for scope in scopes if self.asks_demographic or scope not in DEMOGRAPHIC}

    def stop(self):
        """Nothing is shared any more, by a Yes whose code is still out neither."""
        for consent in self.consents:
            consent.ended = True


@dataclass(eq=False)
class Browser:
    """A browser of the beneficiary; the number of its session changes whenever it signs in or out."""

    session: int = 0
    signed_in: bool = False
    requests: list = field(default_factory=list)

    def sign_in(self):
        """Under a new session, to which what was begun comes along."""
        self.session, self.signed_in = self.session + 1, True

    def sign_out(self):
        """And what was begun is lost."""
        self.session, self.signed_in = self.session + 1, False
        for request in self.requests:
            request.lost = True


@dataclass(eq=False)
class Request:
    """An authorization request that a browser brought; it has one answer."""

    app: App
    browser: Browser
    scopes: set
    lost: bool = False
    expired: bool = False
    answer: str | None = None
    consent: "Consent | None" = None

    @property
    def is_open(self):
        return not (self.lost or self.expired or self.answer) and self.app.on

    def say(self, said):
        """Share, withhold, leave out, no or cancel.  The new Consent, or None for a No: nothing to share is one too."""
        scopes = self.scopes - self.declined(said)
        if said in ("no", "cancel") or not scopes:
            self.answer = "no"
            return None
        self.answer, self.consent = "yes", Consent(self.app, scopes)
        self.app.consents.append(self.consent)
        return self.consent

    def declined(self, said):
        """What an answer leaves out.  A line has a box of its own where there is another that opens something."""
        if said == "withhold":
            return DEMOGRAPHIC
        return {OPTIONAL} if said == "leave out" and len(self.scopes & set(OPENED_BY.values())) > 1 else set()

    def say_again(self, said):
        """Back, or a second tab: never more is shared; less ends all that the app has.  True where it did."""
        if self.answer == "yes" and (said == "no" or self.consent.scopes & self.declined(said)):
            self.app.stop()
            return True
        return False


@dataclass(eq=False)
class Consent:
    """What the beneficiary lets an app see."""

    app: App
    scopes: set
    activated: bool = False
    replaced: bool = False
    ended: bool = False
    expired: bool = False
    tokens: list = field(default_factory=list)

    @property
    def in_force(self):
        return self.activated and not (self.replaced or self.ended or self.expired)

    def close_tokens(self):
        for token in self.tokens:
            token.closed = True

    def share_less(self, families):
        """Without these families, for tokens that are out too.  False: nothing would be left, so nothing changes."""
        left = {scope for scope in self.scopes if scope.removesuffix(".read") not in families}
        if not left - TECHNICAL:
            return False
        for pending in self.app.consents if left != self.scopes else ():
            pending.replaced = pending.replaced or not pending.activated
        self.scopes = left
        for token in self.tokens:
            if isinstance(token, AccessToken):
                token.scopes = token.scopes & left
        return True


@dataclass(eq=False)
class Code:
    """An authorization code."""

    consent: Consent
    redeemed: bool = False
    expired: bool = False

    def redeem(self, app):
        """Once, in time, by its own app, and not after a newer one; a second time closes what the first opened."""
        consent = self.consent
        if not app.on:
            return "invalid_client"
        if app is not consent.app:
            return "invalid_grant"
        if self.redeemed:
            consent.close_tokens()
            return "invalid_grant"
        position = app.consents.index(consent)
        answered_anew = any(later.activated for later in app.consents[position + 1 :])
        answered_anew = answered_anew or consent.replaced
        if self.expired or consent.ended or consent.expired or answered_anew or not app.may_have(consent.scopes):
            return "invalid_grant"
        self.redeemed = consent.activated = True
        for earlier in app.consents[:position]:
            earlier.replaced = True
        return None


@dataclass(eq=False)
class AccessToken:
    """What an app reads with."""

    consent: Consent
    scopes: set
    closed: bool = False
    expired: bool = False

    @property
    def holds(self):
        """The scopes that count now; None when the token is no good."""
        if self.closed or self.expired or not self.consent.app.on or not self.consent.in_force:
            return None
        return self.consent.app.may_have(self.scopes)

    def opens(self, path):
        """The status at a path: 200, 403 or 401."""
        if self.holds is None:
            return 401
        return 200 if OPENED_BY[path] in self.holds else 403


@dataclass(eq=False)
class RefreshToken:
    """What an app gets its next tokens with."""

    consent: Consent
    closed: bool = False
    used: bool = False

    @property
    def is_live(self):
        worth_something = self.consent.app.may_have(self.consent.scopes)
        return bool(self.consent.in_force and worth_something and not (self.closed or self.used))

    def refresh(self, app, scopes=None):
        """Once, by its own app, for no more than was granted; a second time closes the whole family."""
        consent = self.consent
        if not app.on:
            return "invalid_client"
        if app.access == "one-time":
            return "unauthorized_client"
        if app is not consent.app or not consent.in_force or self.closed:
            return "invalid_grant"
        if self.used:
            consent.close_tokens()
            return "invalid_grant"
        if not app.may_have(consent.scopes):
            return "invalid_grant"
        if scopes and not scopes <= app.may_have(consent.scopes):
            return "invalid_scope"
        self.used = True
        return None


def issue(consent, scopes=None):
    """(AccessToken, RefreshToken) for a consent; a one-time app gets no refresh token."""
    allowed = consent.app.may_have(consent.scopes)
    issued = AccessToken(consent, scopes or allowed), RefreshToken(consent)
    consent.tokens += issued
    return issued if consent.app.access != "one-time" else (issued[0], None)


def revoke_token(token, app):
    """RFC 7009: the token and its siblings; of another app, nothing."""
    if not app.on:
        return "invalid_client"
    if app is token.consent.app:
        token.consent.close_tokens()
    return None


def revoke_consent(token, app):
    """The consent, with every code and token under it; of another app, nothing."""
    if not app.on:
        return "invalid_client"
    if app is token.consent.app:
        token.consent.ended = True
    return None
