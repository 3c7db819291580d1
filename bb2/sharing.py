"""What does an app get of what its page asked for, what not, and how is it given less?  No HTTP and no SQL here."""

from dataclasses import dataclass

from bb2.consent import Choice, Line, NothingShared, Question


@dataclass(frozen=True)
class Sharing:
    """The lines and questions of a page that share something of the person, apart by what became of them.

    Of a page about which nobody asked for personal information, both sides are silent about it.
    """

    shared: tuple[Line | Question, ...]
    left_out: tuple[Line | Question, ...]

    @property
    def shares_demographic(self):
        return any(isinstance(item, Line) and item.demographic for item in self.shared)


def sharing(screen, scopes, share_sensitive):
    """The Sharing of a ConsentScreen where these scopes are granted, and sensitivities as in {key: shared}, or None."""
    kept = _kept(screen, scopes)
    told = [(line, line in kept) for line in screen.lines if not line.technical]
    answers = share_sensitive or {}
    told += [(each, answers.get(each.key) is True) for each in screen.questions if each.matters_to(kept)]
    return Sharing(
        shared=tuple(item for item, shared in told if shared),
        left_out=tuple(item for item, shared in told if not shared),
    )


def words(item):
    """What a line or a question is about, as a line of a list."""
    return item.name if isinstance(item, Question) else item.consent


@dataclass(frozen=True)
class Less:
    """A Choice that shares less than before."""

    choice: Choice
    scopes: tuple[str, ...]  #: those that stay
    dropped: tuple[Line | Question, ...]


def less(screen, scopes, before, kept_fields):
    """The Less by which of what is shared only these fields stay.  `before`: the Choice, or the Consent, so far.

    A field that was left out already stays so: whatever a form says, nothing is added.  NothingShared where nothing
    that shares something of the person would stay.
    """
    so_far = sharing(screen, scopes, before.share_sensitive)
    lines = [line for line in _kept(screen, scopes) if line.technical or line.field in kept_fields]
    if all(line.technical for line in lines):
        raise NothingShared
    stays = {name for line in lines for name in line.scopes}
    share_demographic = before.share_demographic and any(line.demographic for line in lines)
    asked = [line for line in screen.lines if not line.technical and (share_demographic or not line.demographic)]
    choice = Choice(
        share_demographic=share_demographic,
        left_out=tuple(line.family for line in asked if line not in lines),
        share_sensitive=before.share_sensitive and _sensitive(screen, lines, before.share_sensitive, kept_fields),
    )
    after = sharing(screen, stays, choice.share_sensitive)
    dropped = tuple(item for item in so_far.shared if item not in after.shared)
    return Less(choice, tuple(name for name in scopes if name in stays), dropped)


def _kept(screen, scopes):
    return [line for line in screen.lines if not set(line.scopes).isdisjoint(scopes)]


def _sensitive(screen, lines, shared, kept_fields):
    """{key: still shared}: what was shared, is kept, and has a line left whose records can carry it."""
    asked = {each.key: each for each in screen.questions}
    return {
        key: shares is True and key in asked and asked[key].field in kept_fields and asked[key].matters_to(lines)
        for key, shares in shared.items()
    }
