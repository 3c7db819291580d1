"""What do all pages share?  Their language, their words for problems, and what they tell the browser to allow."""

import re
from urllib.parse import urlencode, urlsplit

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response

from bb2.language import LANGUAGES, long_date, time_of_day
from bb2.settings import is_loopback

_ = TranslationStringFactory("bb2")

LANGUAGE_COOKIE = "lang"
LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")  # of a Host header, and nothing more
ONE_YEAR = 31_536_000  # seconds
#: Parameters that no link repeats, wherever they came.
SECRET = {
    *("password", "token", "access_token", "refresh_token"),
    *("client_secret", "client_assertion", "code", "code_verifier"),
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'"
)
#: Pages whose style sheet, which is not ours, has pictures in it: routes.
PICTURES_IN_STYLE = ("docs_api",)
#: The pages for app developers, which are in English, as what they explain is.
FOR_DEVELOPERS = re.compile(r"/(developer|docs|testclient)(/|$)")
#: The authorization page as the form for apps shows it, in a frame and in every language.
PREVIEW = "/developer/preview"
FORMS_THAT_LEAD_AWAY = ("consent", "sign_in", "sign_in_callback", "end_session", "testclient")  # routes
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class PageError(Exception):
    """Something that a person must be told: what happened, and what they can do."""

    def __init__(self, status, title, *paragraphs, way_on=None, also=None, developer=None):
        super().__init__(title)
        self.status, self.title, self.paragraphs = status, title, paragraphs
        self.way_on = way_on  #: (URL, label) of the next step; None: the home page
        self.also = also  #: (URL, label) of another, where there is one
        self.developer = developer  #: what the app's developer should mend, in English; shown in a sandbox


def render(request, name, status=200, **values):
    """The page of templates/NAME.jinja2, as a response."""
    response = render_to_response(f"bb2:templates/{name}.jinja2", values, request=request)
    response.status_int = status
    return response


def is_preview(request):
    return place(request) == PREVIEW


def for_developers(request):
    """Is the page of this request one for app developers?"""
    return FOR_DEVELOPERS.match(place(request)) is not None


def place(request):
    """The path as it came (PEP 3333): it begins as its place does even where the rest is not UTF-8."""
    return request.environ.get("PATH_INFO", "")


def session_of_page(request):
    """The session to which the forms of this page belong: a developer's, a beneficiary's, or that of a trial."""
    if place(request).startswith("/testclient"):
        return request.trial
    return request.developer_browser if place(request).startswith("/developer") else request.browser


def named_language(request):
    """The language that the request names, in its URL or in the form that an app sends; else None."""
    try:
        return language_of(*(request.GET.get(name) or request.POST.get(name) for name in ("lang", "ui_locales")))
    except ValueError:  # it is not UTF-8, or no form: a page that says so has a language too
        return None


def language_of(lang, ui_locales):
    """The language that an app names, or None: `lang`, or one of `ui_locales` (OpenID Connect Core 3.1.2.1).

    Of these, `es-MX` is Spanish.
    """
    locales = ui_locales.split() if isinstance(ui_locales, str) else []
    wanted = [lang, *(tag.partition("-")[0].lower() for tag in locales)]
    return next((language for language in wanted if language in LANGUAGES), None)


def negotiate_language(request):
    """What this request names, else of the cookie, else what the browser prefers, else English.

    Pages for developers are in English; a preview is in the language that it is asked for.
    """
    if for_developers(request):
        return (is_preview(request) and named_language(request)) or "en"
    chosen = named_language(request) or request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else request.accept_language.lookup(LANGUAGES, default="en")


def keep_language(request, chosen=None):
    """Remember a language, or the one that the request names: the next pages speak it too."""
    chosen = chosen or named_language(request)
    if chosen and request.cookies.get(LANGUAGE_COOKIE) != chosen:
        secure = request.registry["settings"].secure
        request.add_response_callback(
            lambda _, response: response.set_cookie(
                LANGUAGE_COOKIE, chosen, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=secure
            )
        )


def other_language(request):
    """The language that the page is not in, and the link to the page in it; with a word on what the link forgets."""
    code, name, forgets = {
        "en": ("es", "Español", "Empieza de nuevo"),
        "es": ("en", "English", "Starts over"),
    }[request.locale_name]
    return {"code": code, "name": name, "forgets": forgets, "link": _same_page(request, code)}


def _same_page(request, language):
    """This page's address in another language; the query and a form's authorization request go along."""
    try:
        path, asked, kept = request.path, [*request.GET.items()], request.POST.get("request")
    except ValueError:
        path, asked, kept = "/", [], None
    if request.method == "POST":
        asked = [("request", kept)] if isinstance(kept, str) else []
    if request.matched_route and request.matched_route.name == "sign_out":
        path, asked = request.route_path("home"), []
    query = [(name, value) for name, value in asked if name not in SECRET | {"lang"}]
    # One slash: a path that begins with two would be the address of another host (RFC 3986, 4.2).
    return f"/{path.lstrip('/')}?{urlencode([*query, ('lang', language)])}"


def as_link(request):
    """The form of another site, sent on as a link: the form brings no cookie (SameSite), a link does."""
    asked = [(name, value) for name, value in request.params.items() if isinstance(value, str) and name not in SECRET]
    return HTTPSeeOther(f"{request.path}?{urlencode(asked)}")


def initial(name):
    """The letter that stands for an app without a picture; "" where its name has none."""
    return next((character.upper()[0] for character in name if character.isalnum()), "")


def long_moment(moment, request):
    """A day with the time of day, and of which zone it is."""
    language = request.locale_name
    said = {"day": long_date(moment, language), "time": time_of_day(moment, language)}
    return request.localizer.translate(_("${day}, ${time} Eastern Time", mapping=said))


def add_globals(event):
    """What every template may use."""
    request = event.get("request")
    if request is not None:
        event["settings"] = request.registry["settings"]
        event["language"] = request.locale_name
        event["long_date"] = lambda moment: long_date(moment, request.locale_name)
        event["short_date"] = lambda moment: long_date(moment, request.locale_name, "medium")
        event["long_moment"] = lambda moment: long_moment(moment, request)
        event["other_language"] = other_language(request)
        event["initial"] = initial


def _content_security_policy(request):
    """What our page may load, where its forms may lead, and who may frame it."""
    if is_preview(request):
        return f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'self'; form-action 'none'"
    policy = f"{CONTENT_SECURITY_POLICY}; frame-ancestors 'none'"
    if for_developers(request):
        policy += "; frame-src 'self'"
    route = request.matched_route and request.matched_route.name
    if route in PICTURES_IN_STYLE:
        policy = policy.replace("img-src 'self'", "img-src 'self' data:")
    # The answers of these forms lead to the app, and browsers hold form-action against
    # redirects too: it cannot name where every app's own redirects go on to.
    return policy if route in FORMS_THAT_LEAD_AWAY else f"{policy}; form-action 'self'"


def headers_tween_factory(handler, registry):
    """What browsers may do with our answers (OWASP Secure Headers)."""
    secure = registry["settings"].secure

    def headers_tween(request):
        response = handler(request)
        response.headers.update(HEADERS)
        if secure:
            response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
        if is_preview(request):
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
        if response.content_type == "text/html":
            if not is_preview(request):  # its language is not that of whoever looks at it
                keep_language(request)
            response.headers["Content-Security-Policy"] = _content_security_policy(request)
        if "Cache-Control" not in response.headers:  # Pyramid's static view sets it
            response.headers["Cache-Control"] = "no-store"
        return response

    return headers_tween


def address_tween_factory(handler, registry):
    """Every path answers with and without its trailing slash, at the public address and under no other name.

    A forged Host header, or a proxy that does not pass it on, changes no link and no redirect.
    """
    public = urlsplit(registry["settings"].base_url)

    def address_tween(request):
        environ = request.environ
        path = environ.get("PATH_INFO", "")
        if len(path) > 1 and path.endswith("/") and not path.endswith("//"):
            environ["PATH_INFO"] = path[:-1]
        # A developer may call this machine localhost or 127.0.0.1: cookies belong to the name that was used.
        if not (is_loopback(public.geturl()) and LOOPBACK_HOST.fullmatch(environ.get("HTTP_HOST", ""))):
            environ["HTTP_HOST"], environ["wsgi.url_scheme"] = public.netloc, public.scheme
        return handler(request)

    return address_tween


def includeme(config):
    config.add_settings({"jinja2.i18n.domain": "bb2"})
    config.include("pyramid_jinja2")
    config.add_translation_dirs("bb2:locale")
    config.set_locale_negotiator(negotiate_language)
    config.add_request_method(session_of_page, property=True)
    config.add_subscriber(add_globals, "pyramid.events.BeforeRender")
    config.include("bb2.views.static")
    config.add_tween("bb2.views.pages.headers_tween_factory")
    config.add_tween("bb2.views.pages.address_tween_factory")
