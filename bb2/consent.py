"""What does the authorization page ask, and what does its answer grant?  No HTTP and no SQL here."""

import hashlib
import json
from dataclasses import asdict, dataclass

from bb2.scopes import Words


class NoChoice(Exception):
    """The page asked about personal information, and the answer does not say."""


@dataclass(frozen=True)
class Line:
    """One line of the page: a family of scopes in its plugin's words."""

    scopes: tuple[str, ...]  #: the requested scopes that it stands for
    consent: str
    detail: str
    demographic: bool
    opens_records: bool


@dataclass(frozen=True)
class Question:
    """A question about one kind of sensitive record, in its plugin's words."""

    key: str  #: of the sensitivity
    name: str
    question: str
    detail: str
    share: str
    withhold: str

    @property
    def field(self):
        """The name of its answer in the form."""
        return f"sensitive-{self.key}"


@dataclass(frozen=True)
class ConsentScreen:
    """The page as a person sees it.  It is stored, and the answer is read against what was stored."""

    client_name: str
    language: str
    access: str  #: `one-time`, `ongoing` or `research`
    expires_at: str | None  #: ISO 8601, of an ongoing app
    demographic_default: str  #: `share`, `withhold` or `ask`
    lines: tuple[Line, ...]
    questions: tuple[Question, ...] = ()

    @property
    def records(self):
        """The lines that open records and are shared with every Yes."""
        return [line for line in self.lines if line.opens_records and not line.demographic]

    @property
    def demographic(self):
        """The lines that the person may decline on their own."""
        return [line for line in self.lines if line.demographic]

    @property
    def technical(self):
        """The lines without records: how the connection works."""
        return [line for line in self.lines if not line.opens_records and not line.demographic]

    def share_demographic(self, choice):
        """The person's choice: True or False; None when there was no such question.  `choice` is the form's.

        NoChoice when there was one and the form does not answer it: nothing lost on the way can turn into a Yes.
        """
        if not self.demographic:
            return None
        if choice not in ("share", "withhold"):
            raise NoChoice
        return choice == "share"

    def share_sensitive(self, choices):
        """{key of a sensitivity: shared}; None when there was no such question.  `choices(field)` are the form's.

        Shared is only what the form says is shared, once: whatever is lost or added on the way is a No.
        """
        return {each.key: choices(each.field) == ["share"] for each in self.questions} or None

    def granted(self, share_demographic):
        """The names of the scopes that a Yes grants."""
        lines = [line for line in self.lines if share_demographic or not line.demographic]
        return [name for line in lines for name in line.scopes]

    @property
    def digest(self):
        """A fingerprint: an answer counts only for the page that it was given on."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:32]

    def as_json(self):
        lines = [asdict(line) | {"scopes": list(line.scopes)} for line in self.lines]
        return asdict(self) | {"lines": lines, "questions": [asdict(question) for question in self.questions]}

    @classmethod
    def from_json(cls, stored):
        lines = tuple(Line(**line | {"scopes": tuple(line["scopes"])}) for line in stored["lines"])
        questions = tuple(Question(**question) for question in stored.get("questions", ()))
        return cls(**stored | {"lines": lines, "questions": questions})


def consent_screen(registry, sensitivities, requested, *, client, language, translate, demographic_default, expires_at):
    """Assemble the page for the requested scopes from the plugins' own words.

    It asks about a sensitivity only where one of the scopes opens records that can carry it.
    `translate(words)` finds translation strings; `Words` bring their languages along.
    """
    families, scopes = {}, registry.named(requested)
    for scope in scopes:
        families.setdefault(scope.family, []).append(scope)
    return ConsentScreen(
        client_name=client.name,
        language=language,
        access=client.access,
        expires_at=expires_at and expires_at.isoformat(),
        demographic_default=demographic_default,
        lines=tuple(_line(family, language, translate) for family in families.values()),
        questions=tuple(question(each, language, translate) for each in sensitivities.asked_with(scopes)),
    )


def question(sensitivity, language, translate):
    """The Question about a Sensitivity, in this language."""
    words = ("name", "question", "detail", "share", "withhold")
    said = {name: say(getattr(sensitivity, name), language, translate) for name in words}
    return Question(key=sensitivity.key, **said)


def _line(scopes, language, translate):
    """One line for a family, in the words of its widest scope."""
    widest = max(scopes, key=lambda scope: len(scope.endpoints))
    return Line(
        scopes=tuple(scope.name for scope in scopes),
        consent=say(widest.consent, language, translate),
        detail=say(widest.detail, language, translate),
        demographic=any(scope.demographic for scope in scopes),
        opens_records=any(scope.opens_records for scope in scopes),
    )


def say(words, language, translate=str):
    """A plugin's words in this language."""
    return words.in_language(language) if isinstance(words, Words) else translate(words)
