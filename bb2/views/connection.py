"""One connected app: what it can see and cannot, what it has read, and how it sees less, or nothing more."""

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.view import view_config, view_defaults

from bb2.audit.decisions import decisions
from bb2.audit.reads import reads
from bb2.clock import now
from bb2.consent import ConsentScreen, Line, NothingShared, consent_screen, question
from bb2.oauth import consents
from bb2.oauth.clients import registered_for
from bb2.sharing import less, sharing, words
from bb2.views.forms import Form, SeveralOf
from bb2.views.own import not_found, number_of, signed_in
from bb2.views.pages import _


@view_defaults(route_name="connection", permission=NO_PERMISSION_REQUIRED)
class Connection:
    """Whatever changes it holds the person's lock from before it looks, so that two requests do not mix."""

    def __init__(self, request):
        self.request, self.person, self.db = request, signed_in(request), request.db
        if request.method == "POST":
            consents.lock(self.db, self.person.id)
        number = number_of(request.matchdict["id"])
        found = consents.connection(self.db, self.person.id, number) if number is not None else None
        if found is None:
            raise not_found(request)
        self.consent, self.last_read = found
        self.is_live = consents.is_live(self.consent, now(self.db))

    @view_config(request_method="GET", renderer="bb2:templates/connection.jinja2")
    def show(self):
        consent = self.consent
        made = decisions(self.db, self.person.id, consent_id=consent.id)
        until = consents.ended_at(consent, now(self.db)) or now(self.db)
        read = reads(self.db, self.person.id, consent.id, until)
        return self.values() | {
            "decisions": [(each, consent.client.name) for each in made],
            "narrowed": self.just_narrowed(made),
            "unchanged": "unchanged" in self.request.GET,
            "last_read": self.last_read,
            "reads": read,
            "read_words": self.read_words(read.kinds),
            "agreed": ConsentScreen.from_json(consent.shown),
            "agreed_sharing": self.agreed_sharing(made),
        }

    def values(self):
        """What every page about a connection needs."""
        screen, scopes = self.screen(), self.scopes_that_count()
        return {
            "person": self.person,
            "consent": self.consent,
            "client": self.consent.client,
            "is_live": self.is_live,
            "sharing": sharing(screen, scopes, self.consent.share_sensitive),
            "asked_demographic": bool(screen.demographic),
            "words": words,
        }

    def scopes_that_count(self):
        """What was granted, and the app may have today: it may have lost the right to ask who the person is.

        Of a connection that has ended counts what was granted at its end.
        """
        client = self.consent.client
        if not self.is_live:
            return self.consent.scopes
        registration = registered_for(client, self.consent.granted_at)
        return self.request.registry["scopes"].allowed(self.consent.scopes, *registration)

    def screen(self):
        """The page that was agreed to, in the language of this one.

        It has also a question that nobody was asked, since its plugin came later: such records are left out.
        """
        request, consent = self.request, self.consent
        shown = in_language(request, consent)
        language, translate = request.locale_name, request.localizer.translate
        asked = {each.key for each in shown.questions}
        installed = request.registry["scopes"].named(consent.scopes)
        later = [each for each in request.registry["sensitivities"].asked_with(installed) if each.key not in asked]
        questions = tuple(question(each, language, translate) for each in later)
        return ConsentScreen(**vars(shown) | {"questions": (*shown.questions, *questions)})

    def just_narrowed(self, made):
        """The decision that has just been made on the page for it; None for any other."""
        number = number_of(self.request.GET.get("narrowed"))
        return next((each for each in made if each.id == number and each.event == "consent.narrowed"), None)

    def read_words(self, kinds):
        """{kind of record, as the trail has it: what it is in words}, in the order of the page that was agreed to."""
        lines, opened = self.screen().lines, {}
        for endpoint in self.request.registry["scopes"].endpoints:
            kind = endpoint.resource.type if endpoint.resource else endpoint.path
            opened[kind] = self.request.registry["scopes"].scopes_opening(endpoint)
        told = {kind: line.consent for line in lines for kind in kinds if opened.get(kind, set()) & set(line.scopes)}
        return told | {kind: kind for kind in kinds if kind not in told}  # its plugin is gone

    def agreed_sharing(self, made):
        """The Sharing that the person agreed to at first, in the words of that page."""
        given = next((each.details for each in made if each.event == "consent.given"), None)
        shown = ConsentScreen.from_json(self.consent.shown)
        if given is None:  # a trail that begins later than the consent
            return sharing(shown, self.consent.scopes, self.consent.share_sensitive)
        return sharing(shown, given["scopes"], given.get("share_sensitive"))

    # Stop sharing

    @view_config(route_name="stop_sharing", request_method="GET", renderer="bb2:templates/stop_sharing.jinja2")
    def ask(self):
        """Once: what stops, and what does not."""
        return self.values() | {"nothing_left": "all" in self.request.GET} if self.is_live else self.back()

    @view_config(route_name="stop_sharing", request_method="POST")
    def stop_sharing(self):
        """At once; what has ended in another way, or in another tab, stays as it is."""
        if not self.is_live:
            return self.back()
        # With a Yes whose code is still out: redeemed later, it would bring the app back.
        consents.end_all(self.db, self.person.id, "beneficiary", self.consent.client_id)
        return HTTPSeeOther(self.request.route_path("connections", _query={"ended": str(self.consent.id)}))

    # Share less

    @view_config(route_name="share_less", request_method="GET", renderer="bb2:templates/share_less.jinja2")
    def choose(self):
        if not self.is_live:
            return self.back()
        form = self.form()
        return self.values() | {"form": form} if len(form.kept.choices) > 1 else self.back()

    @view_config(route_name="share_less", request_method="POST")
    def share_less(self):
        if not self.is_live:
            return self.back()
        shown = ConsentScreen.from_json(self.consent.shown)
        try:
            change = less(shown, self.consent.scopes, self.consent, set(self.request.POST.getall("kept")))
        except NothingShared:
            return HTTPSeeOther(self.request.route_path("stop_sharing", id=self.consent.id, _query={"all": ""}))
        if not change.dropped:
            return self.back(unchanged="")
        self.narrow(change)
        (made,) = decisions(self.db, self.person.id, consent_id=self.consent.id, most=1)
        return self.back(narrowed=str(made.id))

    def form(self):
        """A box for each thing that is shared now, all of them ticked."""
        shared = self.values()["sharing"].shared
        language = self.request.localizer

        class Kept(Form):
            kept = SeveralOf(
                language.translate(_("What ${app} can see", mapping={"app": self.consent.client.name})),
                choices=[(item.field, words(item)) for item in shared],
            )

        return Kept(data={"kept": [item.field for item in shared]})

    def narrow(self, change):
        """Share less; the trail has the words in which the page named it."""
        dropped = {item.field: words(item) for item in change.dropped}
        said = {item.field: words(item) for item in self.values()["sharing"].shared}
        consents.narrow(
            self.db,
            self.consent,
            change.scopes,
            change.choice,
            self.request.registry["scopes"].covered,
            dropped=[item.family if isinstance(item, Line) else item.key for item in change.dropped],
            shown={
                "language": self.request.locale_name,
                "dropped": [said.get(field, stored) for field, stored in dropped.items()],
                "kept": [word for field, word in said.items() if field not in dropped],
            },
        )

    def back(self, **query):
        """To the page that says how things stand."""
        return HTTPSeeOther(self.request.route_path("connection", id=self.consent.id, _query=query))


def in_language(request, consent):
    """The page that was agreed to, in the language of this request where its plugins are still installed."""
    shown = ConsentScreen.from_json(consent.shown)
    scopes = request.registry["scopes"]
    names = [name for line in shown.lines for name in line.scopes]
    if shown.language == request.locale_name or not all(name in scopes for name in names):
        return shown
    return consent_screen(
        scopes,
        request.registry["sensitivities"],
        names,
        client=consent.client,
        language=request.locale_name,
        translate=request.localizer.translate,
        demographic_default=shown.demographic_default,
        expires_at=consent.expires_at,
    )
