"""One beneficiary, two apps and two browsers, in any order: the server answers as the model says, at every step."""

import re
import secrets
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, update

from bb2 import models
from bb2.clock import utcnow
from bb2.oauth.secrets import hashed, new_secret
from bb2.testing import PASSWORD, REDIRECT_URI, answer_of, challenge, record
from journey import Forms
from oauth import model
from oauth.model import DEMOGRAPHIC, OPENED_BY, OPTIONAL
from oauth.steps import another_app, change_app
from oauth.wire import Window, forms, post, read

VERSIONS = st.sampled_from(["v1", "v2"])
APPS = BROWSERS = st.sampled_from([0, 1])
EVERYTHING = "openid profile patient/Patient.read patient/Coverage.read"
ASKED = st.sampled_from(
    [
        EVERYTHING,
        "profile patient/Patient.read",
        "openid patient/Coverage.read profile",
        "patient/Coverage.read",
    ]
)
SAID = st.sampled_from(["share", "withhold", "leave out", "no"])
YES = st.sampled_from(["share", "withhold", "leave out"])
WHOSE = st.sampled_from(["its own", "its own", "its own", "the other"])  #: app
WHICH = st.sampled_from([0, 0, 1, 1, 2, 3])  #: of several, counted from the newest
MOSTLY = st.sampled_from([True, True, False])
REGISTRATIONS = st.builds(
    model.App, access=st.sampled_from(["ongoing", "ongoing", "research", "one-time"]), public=st.booleans()
)


STEPS = {}  #: {name: (needs, weight, what is drawn, method)}


def step(needs=None, weight=1, **drawn):
    """A step that a story may take: `weight` times as often as others, when the list `needs` has something in it."""

    def known(method):
        STEPS[method.__name__] = needs, weight, st.fixed_dictionaries(drawn), method
        return method

    return known


def newest(found, which):
    """The last of a list, or one that many before it, or the first."""
    return found[max(-len(found), -1 - which)]


class Page:
    """The authorization page as a browser got it, and the session that its form belongs to."""

    def __init__(self, request, browser, fields):
        self.request, self.browser, self.session, self.fields = request, browser, browser.session, fields

    def form(self, said):
        """The form with an answer.  Whoever leaves out a line clears its box, which then sends nothing."""
        chosen = {"demographic": "withhold" if said == "withhold" else "share"}
        cleared = {f"line-{OPTIONAL.partition('.')[0]}": None} if said == "leave out" else {}
        return self.fields | chosen | cleared | {"answer": "no" if said == "no" else "yes"}


class OneBeneficiary(RuleBasedStateMachine):
    """Every step is a request, or a change that the operator or the clock makes; `taken` counts them."""

    def __init__(self, server, taken):
        super().__init__()
        self.server, self.app, self.taken = server, server.app, taken
        self.number = 0  # of steps in this story
        # Whatever there ever was, oldest first.
        self.requests, self.pages, self.codes, self.consents = [], [], [], []
        self.issued, self.refreshable = [], []  # access and refresh tokens
        self.username = f"person-{secrets.token_hex(8)}"
        self._add_person()

    @initialize(first=REGISTRATIONS, second=REGISTRATIONS, said=YES, redeemed=st.tuples(MOSTLY, st.booleans()))
    def register(self, first, second, said, redeemed):
        """Every story begins with a Yes for each app."""
        for app in first, second:
            app.client = another_app(self.server, access=app.access, public=app.public)
        self.apps = first, second
        self.browsers = model.Browser(), model.Browser()
        for browser in self.browsers:
            browser.window = Window(self.app)
        for app, at_once in zip(self.apps, redeemed, strict=True):
            self._connect(app, self.browsers[0], EVERYTHING, said, at_once, "v2")

    @rule(data=st.data())
    def take_a_step(self, data):
        """One of those that are possible, by weight: hypothesis by itself leaves most kinds out of most stories."""
        possible = [name for name, (needs, *_) in STEPS.items() if not needs or getattr(self, needs)]
        weighted = [name for name in possible for _ in range(STEPS[name][1])]
        first = self.number % len(weighted)  # else hypothesis begins with a story of one step, again and again
        weighted = weighted[first:] + weighted[:first]
        name = data.draw(st.sampled_from(weighted), label="step")
        _needs, _weight, drawn, method = STEPS[name]
        self.taken[name] += 1
        method(self, **data.draw(drawn, label=name))

    # The beneficiary

    @step(app=APPS, browser=BROWSERS, scope=ASKED, version=VERSIONS)
    def authorize(self, app, browser, scope, version):
        """As far as the authorization page."""
        self._authorize(self.apps[app], self.browsers[browser], scope, version)

    @step(needs="pages", weight=2, which=WHICH, said=SAID)
    def answer(self, which, said):
        """The form of a page: for the first time or, after Back, again, and another answer."""
        self._answer(newest(self.pages, which), said)

    @step(weight=3, app=APPS, browser=BROWSERS, scope=ASKED, said=YES, redeemed=st.booleans(), version=VERSIONS)
    def connect(self, app, browser, scope, said, redeemed, version):
        """The whole way from the app to a Yes, or to the tokens."""
        self._connect(self.apps[app], self.browsers[browser], scope, said, redeemed, version)

    @step(needs="pages", which=WHICH, how=st.sampled_from(["look", "look from the other browser", "cancel"]))
    def go_back(self, which, how):
        """To the address of a page, or to its sign-in and away from there."""
        page = newest(self.pages, which)
        if how == "look":
            self._look(page.request, page.browser)
        elif how == "cancel":
            self._cancel(page.request, page.browser)
        else:
            other = self.browsers[1 - self.browsers.index(page.browser)]
            assert other.window.get(f"/consent/{page.request.id}").status_int == 400

    @step(browser=BROWSERS, how=st.sampled_from(["sign in", "sign out", "leave it for a day"]))
    def change_session(self, browser, how):
        browser = self.browsers[browser]
        {"sign in": self._sign_in, "sign out": self._sign_out}.get(how, self._leave_for_a_day)(browser)

    @step(needs="issued", browser=BROWSERS, which=WHICH)
    def end_a_connection(self, browser, which):
        """The connections page shows what is in force, and one of them is ended."""
        browser = self.browsers[browser]
        if not browser.signed_in:
            self._sign_in(browser)
        listed = self._connections(browser)
        if listed:
            path, consent = newest(listed, which)
            ((action, form),) = forms(browser.window.get(f"{path}/stop"), "csrf_token")
            assert browser.window.post(action, form).status_int == 303
            consent.app.stop()

    @step(needs="issued", weight=2, browser=BROWSERS, which=WHICH, families=st.sets(st.sampled_from(model.FAMILIES)))
    def share_less(self, browser, which, families):
        """Of what one connection shares, some is left out, whatever of it was shared."""
        browser = self.browsers[browser]
        if not browser.signed_in:
            self._sign_in(browser)
        listed = self._connections(browser)
        if listed:
            path, consent = newest(listed, which)
            ((_action, form),) = forms(browser.window.get(f"{path}/stop"), "csrf_token")
            kept = [f"line-{family}" for family in model.FAMILIES if family not in families]
            response = browser.window.post(f"{path}/less", form | {"kept": kept})
            assert response.status_int == 303
            assert response.location.endswith("/stop?all=") == (not consent.share_less(families))

    # The apps

    @step(
        needs="codes", weight=3, which=WHICH, whose=WHOSE | st.just("a thief's"), version=VERSIONS, unused=st.booleans()
    )
    def redeem(self, which, whose, version, unused):
        """For the first time, or again; a stolen code opens nothing (RFC 7636), and its own app can still use it."""
        code = newest([code for code in self.codes if not code.redeemed and unused] or self.codes, which)
        if whose != "a thief's":
            self._redeem(code, self._app(code, whose), version)
        elif not code.redeemed:
            response = self._exchange(code, code.consent.app, version, code_verifier=new_secret())
            assert response.status_int in (400, 401)

    @step(needs="refreshable", weight=3, which=WHICH, whose=WHOSE, narrowed=st.none() | ASKED, version=VERSIONS)
    def refresh(self, which, whose, narrowed, version):
        """With the newest refresh token or an older one, for as much or for less."""
        token = newest(self.refreshable, which)
        self._refresh(token, self._app(token, whose), narrowed and set(narrowed.split()), version)

    @step(needs="issued", which=WHICH, whose=WHOSE, kind=st.sampled_from(["issued", "refreshable"]), ends=st.booleans())
    def revoke(self, which, whose, kind, ends):
        """The token with its siblings, or its consent."""
        token = newest(getattr(self, kind) or self.issued, which)
        app = self._app(token, whose)
        endpoint, revoke = ("revoke", model.revoke_consent) if ends else ("revoke_token", model.revoke_token)
        response, error = self._post(app, endpoint, {"token": token.value}), revoke(token, app)
        assert response.status_int == (401 if error else 200), response.text

    # The operator and the clock

    @step(weight=2, app=APPS, on=MOSTLY, asks_demographic=st.booleans())
    def change_registration(self, app, on, asks_demographic):
        """Switch the app off or on, narrow it to no demographic data or widen it again."""
        app = self.apps[app]
        app.on, app.asks_demographic = on, asks_demographic
        change_app(app.client, disabled_at=None if on else utcnow(), asks_demographic=asks_demographic)

    @step(needs="codes", what=st.sampled_from(["requests", "codes", "consents", "issued"]), which=WHICH)
    def expire(self, what, which):
        """Move the end of one of them into the past."""
        for found in getattr(self, what) and [newest(getattr(self, what), which)]:
            found.expired = True
            with self.server.db() as db:
                past = utcnow() - timedelta(seconds=1)
                db.execute(update(found.row.left.table).where(found.row).values(expires_at=past))

    # What holds

    @invariant()
    def every_token_opens_what_the_model_says(self):
        """At one of the paths each time, and at all of them at the end."""
        self.number += 1
        path = list(OPENED_BY)[self.number % len(OPENED_BY)]
        for token in self.issued:
            self._check(token, path)
        for token in self.refreshable[-2:]:
            app = token.consent.app
            told = self._post(app, "introspect", {"token": token.value})
            # Whoever only says who it is learns nothing (RFC 7662, 2.1).
            knows = app.on and not app.public
            assert told.json.get("active", told.status_int) == (token.is_live if knows else 401)

    def teardown(self):
        """Every token at every path, every refresh token's fate, and what these last steps closed or opened."""
        for path in OPENED_BY:
            for token in self.issued:
                self._check(token, path)
        for token in list(self.refreshable):
            self._refresh(token, token.consent.app)
        for token in self.issued:
            self._check(token, "fhir/Coverage")

    def _check(self, token, path):
        response = read(self.app, f"/v2/{path}", token.value)
        assert response.status_int == token.opens(path), (path, response.text, vars(token), vars(token.consent))
        if path == "fhir/Coverage" and response.status_int == 200:
            # The Medicare number leaves with a token that opens the person's own record, and no other.
            assert (self.secret in response.text) == ("patient/Patient.read" in token.holds), path

    # How it is done

    def _add_person(self):
        patient = f"-{secrets.randbelow(10**12)}"
        self.secret = f"subscriber of {patient}"
        resource = self.server.scopes.resources["Coverage"]
        coverage = record(resource, f"part-a{patient}", patient) | {"subscriberId": self.secret}
        with self.server.db() as db:
            known = db.scalars(select(models.Account).where(models.Account.username == "alice")).one()
            person = models.Beneficiary(sub=new_secret(), patient=patient, given_name="Ann", family_name="Doe")
            account = {"username": self.username, "password_hash": known.password_hash}
            db.add(models.Account(**account, beneficiary=person))
            self.server.load(db, [coverage])

    def _app(self, of, whose):
        app = of.consent.app
        return app if whose == "its own" else self.apps[1 - self.apps.index(app)]

    def _connections(self, browser):
        """[(path, Consent)] of the connections that the person's page lists: those that the model has."""
        paths = re.findall(r'class="button" href="(/connections/\d+)"', browser.window.get("/connections").text)[::-1]
        in_force = [consent for consent in self.consents if consent.in_force]
        assert len(paths) == len(in_force)
        return list(zip(paths, in_force, strict=True))

    def _sign_in(self, browser):
        self._fill_in(browser, browser.window.get("/sign-in"))

    def _sign_out(self, browser):
        found = [form for form in forms(browser.window.get("/"), "csrf_token") if form[0] == "/sign-out"]
        assert bool(found) == browser.signed_in
        if found:
            assert browser.window.post(*found[0]).status_int == 303
            browser.sign_out()

    def _leave_for_a_day(self, browser):
        with self.server.db() as db:
            mine = models.BrowserSession.id_hash == hashed(browser.window.cookies.get("beneficiary", ""))
            db.execute(update(models.BrowserSession).where(mine).values(seen_at=utcnow() - timedelta(days=1)))
        browser.sign_out()

    def _cancel(self, request, browser):
        path, form = Forms(browser.window.get("/sign-in", request=request.id).text).answer
        assert ("request" in form) == request.is_open
        if request.is_open:
            assert answer_of(browser.window.post(path, form | {"answer": "cancel"}))["error"] == "access_denied"
            request.say("cancel")

    def _fill_in(self, browser, shown):
        """Sign in on this page.  The answer leads on."""
        path, form = Forms(shown.text).answer
        form |= {"username": self.username, "password": PASSWORD, "answer": "sign-in"}
        response = browser.window.post(path, form)
        assert response.status_int == 303, response.text
        browser.sign_in()
        return response

    def _connect(self, app, browser, scope, said, redeemed, version):
        page = self._authorize(app, browser, scope, version)
        code = page and self._answer(page, said)
        if code and redeemed:
            self._redeem(code, app, version)

    def _authorize(self, app, browser, scope, version):
        """The Page that the request led to, or None."""
        verifier = new_secret()
        asked = {
            "response_type": "code",
            "client_id": app.client.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": scope,
            "state": verifier,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        response = browser.window.get(f"/{version}/o/authorize", **asked)
        scopes = app.may_have(scope.split())
        if not app.on:
            assert response.status_int == 400
            return None
        if not scopes:
            assert answer_of(response)["error"] == "invalid_scope"
            return None
        request = model.Request(app, browser, scopes)
        request.id, request.verifier = response.location.rpartition("/")[2], verifier
        request.row = models.AuthorizationRequest.id == request.id
        browser.requests.append(request)
        self.requests.append(request)
        return self._look(request, browser)

    def _look(self, request, browser):
        """The Page of a request, signing in on the way where that is asked; None where it is no longer open."""
        response = browser.window.get(f"/consent/{request.id}")
        if not request.is_open:
            assert response.status_int == (409 if request.answer and not request.lost else 400)
            return None
        if not browser.signed_in:
            assert response.status_int == 303
            response = browser.window.follow(self._fill_in(browser, browser.window.follow(response)))
        ((_path, fields),) = forms(response, "screen")
        assert ('name="demographic"' in response.text) == bool(request.scopes & DEMOGRAPHIC)
        self.pages.append(Page(request, browser, fields))
        return self.pages[-1]

    def _answer(self, page, said):
        """The new Code of a Yes, or None."""
        request = page.request
        response = page.browser.window.post(f"/consent/{request.id}", page.form(said))
        if page.session != page.browser.session or request.lost:
            assert response.status_int == 400
            return None
        if request.answer:
            assert response.status_int == 409
            ended = request.say_again(said)
            assert ended == ("no longer has access" in response.text)
            return None
        if not request.is_open:
            assert response.status_int == 400
            return None
        consent = request.say(said)
        answer = answer_of(response)
        assert response.location.startswith(f"{REDIRECT_URI}?")
        assert answer["state"] == request.verifier
        if consent is None:
            assert answer["error"] == "access_denied"
            return None
        self.consents.append(consent)
        code = model.Code(consent)
        consent.row = models.Consent.request_id == request.id
        code.value, code.verifier = answer["code"], request.verifier
        code.row = models.AuthorizationCode.code_hash == hashed(code.value)
        self.codes.append(code)
        return code

    def _exchange(self, code, app, version, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code.value,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": code.verifier,
        }
        return self._post(app, "token", form | changes, version)

    def _post(self, app, endpoint, form, version="v2"):
        credentials = {"client_id": app.client.client_id, "client_secret": app.client.client_secret}
        return post(self.app, f"/{version}/o/{endpoint}/", form | credentials)

    def _redeem(self, code, app, version):
        response, error = self._exchange(code, app, version), code.redeem(app)
        self._issued(response, error, code.consent)

    def _refresh(self, token, app, scopes=None, version="v2"):
        form = {"grant_type": "refresh_token", "refresh_token": token.value, "scope": scopes and " ".join(scopes)}
        response, error = self._post(app, "token", form, version), token.refresh(app, scopes)
        self._issued(response, error, token.consent, scopes)

    def _issued(self, response, error, consent, scopes=None):
        """The tokens of a good answer, or the refusal, are those that the model says."""
        told = response.json
        assert told.get("error") == error, (told, error, vars(consent))
        if error:
            assert response.status_int == (401 if error == "invalid_client" else 400)
            return
        access, refresh = model.issue(consent, scopes)
        assert set(told["scope"].split()) == access.scopes
        assert ("refresh_token" in told) == (refresh is not None)
        access.value = told["access_token"]
        access.row = models.AccessToken.token_hash == hashed(access.value)
        self.issued.append(access)
        if refresh:
            refresh.value = told["refresh_token"]
            self.refreshable.append(refresh)
