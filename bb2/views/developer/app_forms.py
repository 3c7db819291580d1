"""What does a developer say of an app, and what is wrong with it?  One form, to register it and to change it."""

import json
from dataclasses import dataclass

from wtforms import EmailField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from bb2.oauth import client_checks as checks
from bb2.oauth import keys
from bb2.oauth.client_keys import checked_jwks
from bb2.oauth.clients import CHECKS
from bb2.oauth.errors import ClientError
from bb2.scopes import Scope
from bb2.views.forms import Form, OneOf, SeveralOf

SECRET, KEY, PUBLIC = "secret", "key", "public"
KINDS = [
    (SECRET, "On a server of yours. It gets a secret, which it must keep."),
    (PUBLIC, "In a browser, or on somebody’s phone or computer. It can keep no secret, and gets none."),
    (KEY, "On a server of yours, and it signs with a key of its own (private_key_jwt). It gets no secret."),
]
DEMOGRAPHIC = [
    ("yes", "Yes. People are asked whether they share it. They may say no, and your app must work all the same."),
    ("no", "No. People are not asked, and your app never gets it: no name, no address, no Medicare number."),
]
#: of an operator is "research", which a developer leaves as it is
ACCESS = {
    "ongoing": "Ongoing: it comes back for new information, until the date that the page tells people",
    "one-time": "One time: for one hour, then it must ask again",
    "research": "Research: until the person ends it. Only this service can say so",
}
#: Of what a form is like a Client of the same name, and needs no words of its own.
PLAIN = ("access", "description", "website", "privacy_policy", "terms", "support_email", "support_phone")
#: What a preview shows, in its URL: not how to reach somebody.  (static/developer.js has these too.)
SHOWN = ("name", "asks_demographic", "access", "description", "website", "privacy_policy", "terms")
LISTS = ("redirect_uris", "post_logout_redirect_uris")
LINK = {"inputmode": "url", "spellcheck": "false", "autocomplete": "off", "maxlength": checks.LONGEST_URI}
CODE = {"spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}


class Passes:
    """The check of a registration passes; if not, what it says is said."""

    def __init__(self, check, read=str):
        self.check, self.read = check, read

    def __call__(self, form, field):
        try:
            self.check(self.read(field.data or ""))
        except ClientError as error:
            raise StopValidation(sentence(error)) from None


def sentence(error):
    """What a check says, as a sentence of a page."""
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."


def lines(text):
    """What stands in a field, one a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _lines_field(label, check, description):
    rows = {**CODE, "rows": 3}
    return TextAreaField(label, [Passes(check, lines)], description=description, render_kw=rows)


def _link_field(label, column, description=""):
    return StringField(label, [Passes(CHECKS[column])], description=description, render_kw=LINK)


class AppForm(Form):
    """The fields in the order of the page.  `of_app` fills it with what an app is registered as."""

    name = StringField(
        "Name",
        description="People see it when your app asks them. No other app may have it.",
        render_kw={"maxlength": checks.LONGEST_NAME, "autocomplete": "off"},
    )
    redirect_uris = _lines_field(
        "Redirect URIs",
        checks.checked_redirect_uris,
        "Where people come back to, one a line, to the letter: https, http://localhost for your own machine, or a "
        "scheme of your own such as org.example.app:/callback.",
    )
    kind = OneOf("Where does your app run?", missing="Choose where your app runs.", choices=KINDS)
    jwks_uri = StringField("The URL of its public keys", description="A JWK Set that you publish.", render_kw=LINK)
    jwks = TextAreaField(
        "Or the public keys themselves",
        description='A JWK Set: {"keys": […]}. Never a private key.',
        render_kw={**CODE, "rows": 4},
    )
    asks_demographic = OneOf(
        "Does your app need to know who the person is?",
        missing="Choose whether your app needs to know who the person is.",
        choices=DEMOGRAPHIC,
    )
    scopes = SeveralOf("What your app asks for", choices=[])
    access = OneOf("How long does access last?", missing="Choose how long access lasts.", choices=[])
    description = TextAreaField(
        "Description",
        [Passes(CHECKS["description"])],
        description="What your app does, in a sentence or two. People read it beside its name.",
        render_kw={"rows": 2, "maxlength": checks.LONGEST_DESCRIPTION},
    )
    website = _link_field("Website", "website")
    privacy_policy = _link_field("Privacy policy", "privacy_policy", "What becomes of what people share with you.")
    terms = _link_field("Terms of use", "terms")
    support_email = EmailField(
        "Support e-mail",
        [Passes(CHECKS["support_email"])],
        description="Where people reach you. They see it.",
        render_kw={"maxlength": 254, "autocomplete": "off", "spellcheck": "false"},
    )
    support_phone = TelField(
        "Support phone", [Passes(CHECKS["support_phone"])], render_kw={"maxlength": 40, "autocomplete": "off"}
    )
    post_logout_redirect_uris = _lines_field(
        "Post-logout redirect URIs",
        checks.checked_post_logout_redirect_uris,
        "Where your app may send people after it has signed them out here (OpenID Connect), one a line.",
    )
    id_token_alg = OneOf(
        "How are id_tokens signed?",
        missing="Choose how id_tokens are signed.",
        choices=[(alg, alg) for alg in keys.ALGORITHMS],
    )

    def __init__(self, *given, db, registry, client=None, **options):
        self.db, self.registry, self.client = db, registry, client
        super().__init__(*given, **options)
        access = client.access if client is not None else None
        there = [category for category in ACCESS if category != "research" or category == access]
        self.access.choices = [SelectChoice(category, ACCESS[category]) for category in there]
        self.scopes.choices = [SelectChoice(scope.name, scope.name) for scope in self.offered()]
        names = [scope.name for scope in self.offered()]
        self.scopes.data = [name for name in names if name in (self.scopes.data or ())]

    @classmethod
    def of_app(cls, client, **options):
        return cls(data=values_of(client), client=client, **options)

    def offered(self):
        """The Scopes that may be picked: those that can be granted, and what the app has besides."""
        has = self.client.scopes if self.client is not None else ()
        return [scope for scope in self.registry if not scope.deprecated or scope.name in has]

    @property
    def families(self):
        """[Family] of what may be picked, in the order of the authorization page."""
        offered, widest = self.offered(), set(self.registry.one_of_each_family())
        names = dict.fromkeys(scope.family for scope in offered)
        found = [[scope for scope in offered if scope.family == family] for family in names]
        return [
            Family(
                next((scope for scope in family if scope.name in widest), family[0]),
                [scope for scope in family if scope.name not in widest],
            )
            for family in found
        ]

    @property
    def has_experts_choice(self):
        """A scope is picked that none of the first boxes stands for."""
        return any(scope.name in self.scopes.data for family in self.families for scope in family.others)

    def validate_name(self, field):
        own = self.client.client_id if self.client is not None else None
        Passes(lambda name: checks.checked_name(self.db, name, own))(self, field)

    def validate_jwks_uri(self, field):
        if self.kind.data != KEY:
            return
        if bool((field.data or "").strip()) == bool((self.jwks.data or "").strip()):
            raise StopValidation("Give the URL of the keys, or the keys themselves: one of the two.")
        if (field.data or "").strip():
            Passes(lambda uri: checks.checked_jwks_uri(uri.strip()))(self, field)

    def validate_jwks(self, field):
        if self.kind.data == KEY and (field.data or "").strip():
            Passes(lambda text: checked_jwks(_json(text)))(self, field)

    def validate_scopes(self, field):
        picked = self.registry.named(field.data)
        if not self.picked():
            raise StopValidation("Pick at least one thing that your app asks for.")
        if self.asks_demographic.data == "yes" and not any(scope.demographic for scope in picked):
            raise StopValidation("Pick what your app needs to know of who the person is, or choose No above.")

    def picked(self):
        """The names of the scopes that were picked, without what says who the person is where that is not needed.

        What the app has of a plugin that is not installed stays: its box is not there to be ticked.
        """
        asks = self.asks_demographic.data == "yes"
        picked = [scope.name for scope in self.registry.named(self.scopes.data) if asks or not scope.demographic]
        has = self.client.scopes if self.client is not None else ()
        kept = [name for name in has if name in picked or name not in self.registry]
        return [*kept, *(name for name in picked if name not in kept)]

    @property
    def registration(self):
        """As `add_client` and `change_client` take it, of a form that is valid."""
        return {
            "name": self.name.data,
            "scopes": self.picked(),
            "asks_demographic": self.asks_demographic.data == "yes",
            "id_token_alg": self.id_token_alg.data,
            **{field: lines(self[field].data or "") for field in LISTS},
            **{field: self[field].data for field in PLAIN},
        }

    @property
    def keys(self):
        """{"jwks" or "jwks_uri": its value} of an app that signs; empty for any other."""
        if self.kind.data != KEY:
            return {}
        uri = (self.jwks_uri.data or "").strip()
        return {"jwks_uri": uri} if uri else {"jwks": _json(self.jwks.data)}

    @property
    def preview(self):
        """The query of the page that people will see, [(name, value)]."""
        shown = [("scope", name) for name in self.picked()] or [("scope", "")]
        return shown + [(field, self[field].data) for field in SHOWN if self[field].data]


@dataclass(frozen=True)
class Family:
    """The spellings of one permission: the widest, and the others."""

    widest: Scope
    others: list[Scope]

    @property
    def kind(self):
        """Under which heading it stands: `demographic`, `records`, or `technical`, which shares nothing."""
        if self.widest.demographic:
            return "demographic"
        return "records" if self.widest.endpoints else "technical"


def kind_of(client):
    if client.public:
        return PUBLIC
    return KEY if client.has_keys else SECRET


def values_of(client):
    """What an app is registered as, {field: value}."""
    return {
        "name": client.name,
        "kind": kind_of(client),
        "scopes": client.scopes,
        "asks_demographic": "yes" if client.asks_demographic else "no",
        "id_token_alg": client.id_token_alg,
        "jwks": json.dumps(client.jwks, indent=1) if client.jwks else "",
        "jwks_uri": client.jwks_uri,
        **{field: "\n".join(getattr(client, field)) for field in LISTS},
        **{field: getattr(client, field) for field in PLAIN},
    }


def _json(text):
    """What is written there, if the database and the page can write it again: no NaN, and not endlessly nested."""
    try:
        found = json.loads(text)
        json.dumps(found, indent=1, allow_nan=False)
    except (ValueError, RecursionError):
        raise ClientError("the keys are not JSON") from None
    return found
