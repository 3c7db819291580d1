"""What does the authorization page ask, and what does its answer grant?  No HTTP and no SQL here."""

import hashlib
import json
from dataclasses import asdict, dataclass

from bb2.scopes import Words, family_of

BOXES = "boxes"  #: the field that says that a form has a box for each line: one that is not ticked sends nothing


class NoChoice(Exception):
    """The page asked about personal information, and the answer does not say."""


class NothingShared(Exception):
    """So much was taken out, line by line, that nothing of what the app asks to see is left: that is a No."""


@dataclass(frozen=True)
class Line:
    """One line of the page: a family of scopes in its plugin's words."""

    scopes: tuple[str, ...]  #: the requested scopes that it stands for
    consent: str
    detail: str
    demographic: bool
    opens_records: bool  #: a token with these scopes reads something
    reach: str = ""

    @property
    def family(self):
        """Under which name it is left out."""
        return family_of(self.scopes[0])

    @property
    def field(self):
        """The name of its box in the form."""
        return f"line-{self.family}"

    @property
    def technical(self):
        """It shares nothing of the person: it is how the connection works."""
        return not self.opens_records and not self.demographic


@dataclass(frozen=True)
class Question:
    """A question about one kind of sensitive record, in its plugin's words."""

    key: str  #: of the sensitivity
    name: str
    question: str
    detail: str
    share: str
    withhold: str
    families: tuple[str, ...] = ()  #: of the lines whose records can carry it; without these it does not matter
    label: str = ""  #: of such a record in `meta.security`; "": the page was stored before this was
    label_display: str = ""

    @property
    def field(self):
        """The name of its answer in the form."""
        return f"sensitive-{self.key}"

    def matters_to(self, lines):
        """True when one of these lines opens records that can carry it."""
        return not self.families or any(line.family in self.families for line in lines)


@dataclass(frozen=True)
class Choice:
    """What a person chose to share, of what a page asked for."""

    share_demographic: bool | None  #: some of it; None: the page had no such question
    left_out: tuple[str, ...] | None  #: families taken out one by one; None: the page let nobody do so
    share_sensitive: dict | None  #: {key of a sensitivity: shared}; None: the page asked about none


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
    item_by_item: bool = False  #: each line that shares something has a box, which is ticked when the page opens

    @property
    def records(self):
        """The lines that open records, and do not say who the person is."""
        return [line for line in self.lines if line.opens_records and not line.demographic]

    @property
    def demographic(self):
        """The lines that the person may decline with one answer."""
        return [line for line in self.lines if line.demographic]

    @property
    def technical(self):
        """The lines without records: how the connection works."""
        return [line for line in self.lines if line.technical]

    @property
    def optional(self):
        """The lines that can be left out one by one."""
        return [line for line in self.lines if self.item_by_item and not line.technical]

    def choice(self, choices):
        """The Choice of a form.  `choices(field)`: the values that it has for a field, a list.

        Shared is only what the form says is shared, once: whatever is lost, added or doubled on the way shares less.
        NoChoice where the question about personal information has no answer; NothingShared where Yes would mean No.
        """
        wanted = not self.demographic or _one_of(choices("demographic"), "share", "withhold") == "share"
        asked = [line for line in self.lines if wanted or not line.demographic]
        unticked = self.unticked(choices)
        kept = [line for line in asked if line.family not in unticked]
        if len(kept) < len(asked) and all(line.technical for line in kept):
            raise NothingShared
        share_demographic = any(line.demographic for line in kept) if self.demographic else None
        left_out = [line.family for line in asked if share_demographic or not line.demographic]
        left_out = tuple(family for family in left_out if family in unticked)
        # A Yes to a question whose records are left out opens nothing, now or later.
        said = {each.key: choices(each.field) == ["share"] and each.matters_to(kept) for each in self.questions}
        return Choice(share_demographic, left_out if self.item_by_item else None, said or None)

    def unticked(self, choices):
        """The families of the boxes that are not ticked."""
        return {line.family for line in self.optional if choices(line.field) != ["share"]}

    def kept(self, choice):
        """The lines that a Yes with this Choice grants."""
        return [
            line
            for line in self.lines
            if (choice.share_demographic or not line.demographic) and line.family not in (choice.left_out or ())
        ]

    def granted(self, choice):
        """The names of the scopes that a Yes with this Choice grants."""
        return [name for line in self.kept(choice) for name in line.scopes]

    def takes_back(self, shared, share_sensitive, choices):
        """Does a form, sent after its page was answered with Yes, share less than these scopes and sensitivities?

        A form without BOXES is of a page that had none, or of no page: it says nothing about single lines.
        """
        declined = [line for line in self.demographic if "withhold" in choices("demographic")]
        unticked = self.unticked(choices) if choices(BOXES) else ()
        declined += [line for line in self.optional if line.family in unticked]
        withheld = [each.key for each in self.questions if "withhold" in choices(each.field)]
        return any(name in shared for line in declined for name in line.scopes) or any(
            (share_sensitive or {}).get(key) for key in withheld
        )

    @property
    def digest(self):
        """A fingerprint: an answer counts only for the page that it was given on."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:32]

    def as_json(self):
        """As it is stored: lists, which JSON has, for tuples, which it has not."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_json(cls, stored):
        lines = tuple(Line(**line | {"scopes": tuple(line["scopes"])}) for line in stored["lines"])
        questions = tuple(
            Question(**each | {"families": tuple(each.get("families", ()))}) for each in stored.get("questions", ())
        )
        return cls(**stored | {"lines": lines, "questions": questions})


def _one_of(values, *accepted):
    """The one value of a field, which is one of these; NoChoice where it is lost, doubled or unknown."""
    if len(values) != 1 or values[0] not in accepted:
        raise NoChoice
    return values[0]


def consent_screen(registry, sensitivities, requested, *, client, language, translate, demographic_default, expires_at):
    """Assemble the page for the requested scopes from the plugins' own words.

    It asks about a sensitivity only where one of the scopes opens records that can carry it, and lets people leave
    out lines one by one where there are several: the only one is shared with Yes, or not with No.
    `translate(words)` finds translation strings; `Words` bring their languages along.
    """
    families, scopes = {}, registry.named(requested)
    for scope in scopes:
        families.setdefault(scope.family, []).append(scope)
    lines = tuple(_line(family, language, translate) for family in families.values())
    asked = [
        question(
            each,
            language,
            translate,
            tuple(name for name, family in families.items() if each in sensitivities.asked_with(family)),
        )
        for each in sensitivities.asked_with(scopes)
    ]
    return ConsentScreen(
        client_name=client.name,
        language=language,
        access=client.access,
        expires_at=expires_at and expires_at.isoformat(),
        demographic_default=demographic_default,
        lines=lines,
        questions=tuple(asked),
        item_by_item=sum(not line.technical for line in lines) > 1,
    )


def question(sensitivity, language, translate, families=()):
    """The Question about a Sensitivity that records of these families can carry, in this language."""
    words = ("name", "question", "detail", "share", "withhold")
    said = {name: say(getattr(sensitivity, name), language, translate) for name in words}
    labels = {name: getattr(sensitivity, name) for name in ("label", "label_display")}
    return Question(key=sensitivity.key, families=families, **said, **labels)


def _line(scopes, language, translate):
    """One line for a family, in the words of its widest scope."""
    widest = max(scopes, key=lambda scope: len(scope.endpoints))
    return Line(
        scopes=tuple(scope.name for scope in scopes),
        consent=say(widest.consent, language, translate),
        detail=say(widest.detail, language, translate),
        demographic=any(scope.demographic for scope in scopes),
        opens_records=any(scope.endpoints for scope in scopes),
        reach=say(widest.reach, language, translate),
    )


def say(words, language, translate=str):
    """A plugin's words in this language."""
    return words.in_language(language) if isinstance(words, Words) else translate(words)
