"""The pages around a sign-in at an OpenID Connect provider: whole in both languages, plain, and never a dead end."""

from datetime import timedelta

import pytest

from bb2.clock import utcnow
from bb2.models import ProviderSignIn
from bb2.oauth.secrets import hashed
from bb2.testing import ConsentServer
from bb2.views.provider_problems import PROBLEMS
from built_in import BUILT_IN
from running import free_port
from test_pages import FOREIGN, words


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    secret = tmp_path_factory.mktemp("provider") / "secret"
    secret.write_text("the secret of the tests")
    settings = {"identity": "oidc", "oidc_issuer": f"http://localhost:{free_port()}", "oidc_name": "MyHealth"}
    settings |= {"oidc_client_id": "us", "oidc_client_secret": str(secret), "oidc_claim": "patient"}
    settings = {f"bb2.{name}": value for name, value in settings.items()}
    return ConsentServer(*BUILT_IN, client={"name": "Carely"}, settings=settings)


@pytest.fixture(scope="module", params=["en", "es"])
def language(request):
    return request.param


@pytest.fixture(scope="module")
def pages(server, language):
    """{name: page}; nobody listens where the provider should be."""
    asked = server.authorization_request("openid", lang=language)
    sign_in = server.get("/v2/o/authorize", asked).follow().follow()
    return {
        "sign in": sign_in,
        "sign in without an app": server.get("/sign-in"),
        "not there": sign_in.forms[0].submit("answer", value="sign-in", status=503),
        "lost": server.get("/sign-in/callback?state=unknown", status=400),
    } | {problem: page_of(server, problem, sign_in.forms[0]["request"].value) for problem in PROBLEMS}


def page_of(server, problem, request_id):
    """The page of a sign-in of which this came."""
    moment = utcnow()
    begun = {"session_hash": hashed(server.cookies["beneficiary"]), "request_id": request_id, "problem": problem}
    state = f"{problem} {request_id}"
    with server.db() as db:
        times = {"expires_at": moment + timedelta(hours=1), "used_at": moment}
        db.add(ProviderSignIn(state_hash=hashed(state), **begun, **times))
    return server.get("/sign-in/callback", {"state": state}, status=PROBLEMS[problem].status)


def test_every_page_is_whole_in_its_language(pages, language):
    for name, page in pages.items():
        assert page.html.html["lang"] == language, name
        assert len(page.html.find_all("h1")) == 1, name
        assert words(page) & FOREIGN[language] == set(), name
        assert "${" not in page.text, name


def test_every_problem_has_another_try_and_a_way_back_to_the_app(pages, language):
    for problem in (*PROBLEMS, "not there"):
        main = pages[problem].html.main
        assert main.find("a", class_="button")["href"].startswith("/sign-in?request="), problem
        assert "Carely" in main.find("button").get_text(), problem
        assert pages[problem].html.title.get_text().startswith({"en": "Problem:", "es": "Problema:"}[language])


def test_no_form_of_these_pages_is_held_back_on_its_way_to_the_app(pages):
    for name in (*PROBLEMS, "sign in"):
        assert "form-action" not in pages[name].headers["Content-Security-Policy"], name
