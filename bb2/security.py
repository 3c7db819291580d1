"""Who holds this token, and does it open this endpoint?  Undeclared means denied."""

from dataclasses import dataclass
from functools import partial
from re import escape

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.request import RequestLocalCache
from pyramid.security import Allowed, Denied
from sqlalchemy import bindparam, select

from bb2.audit import IDS
from bb2.clock import DatabaseTime
from bb2.models import AccessToken, Beneficiary, Client, Consent
from bb2.oauth.claims import Person
from bb2.oauth.clients import registered_for
from bb2.oauth.consents import why_closed, why_ended
from bb2.oauth.secrets import hashed
from bb2.registry import UNDECLARED
from bb2.scopes import Endpoint, ScopeError
from bb2.settings import fhir_base

token, consent, client, person = (model.__table__.c for model in (AccessToken, Consent, Client, Beneficiary))
#: Everything that decides, in one statement.
FIND_TOKEN = (
    select(
        token.scopes.label("granted"),
        token.audience,
        token.expires_at.label("token_expires_at"),
        token.revoked_at.label("token_revoked_at"),
        DatabaseTime().label("now"),
        consent.id.label("consent_id"),
        consent.client_id,
        consent.beneficiary_id,
        consent.correlation_id,
        consent.granted_at,
        consent.activated_at,
        consent.expires_at,
        consent.replaced_at,
        consent.revoked_at,
        consent.revoked_by,
        consent.share_demographic,
        consent.share_sensitive,
        consent.left_out,
        client.scopes,
        client.scopes_since,
        client.asks_demographic,
        client.asks_demographic_since,
        client.disabled_at,
        person.sub,
        person.patient,
        person.given_name,
        person.family_name,
        person.closed_at,
        person.merged_into_id,
    )
    .select_from(AccessToken.__table__.join(Consent.__table__).join(Client.__table__).join(Beneficiary.__table__))
    .where(token.token_hash == bindparam("token_hash"))
)


@dataclass(frozen=True)
class Identity:
    """The beneficiary behind a valid access token, and the scopes that it holds."""

    beneficiary: Person
    scopes: frozenset[str]
    asks_demographic: bool  #: the app is registered to ask for demographic data
    given_up: frozenset[str]  #: scopes that the app has again, and did not have at some time since the consent
    share_demographic: bool | None  #: what the beneficiary chose; None: there was no such question
    share_sensitive: dict | None  #: {key of a sensitivity: shared}, as the beneficiary chose; None: nobody asked
    left_out: frozenset[str]  #: the families of scopes that the beneficiary left out one by one
    trail: dict  #: the ids under which the audit trail has what is done with the token

    @property
    def patient(self):
        return self.beneficiary.patient


@dataclass(frozen=True)
class Refusal:
    """Why there is no Identity (RFC 6750, 3.1).  `error` is None where the request brought no token at all."""

    status: int
    error: str | None
    description: str
    scopes: frozenset[str] = frozenset()  #: those that would do


class BearerTokenPolicy:
    """A Pyramid security policy whose permissions are Endpoints."""

    def __init__(self):
        self.bearer = RequestLocalCache(bearer).get_or_create

    def identity(self, request):
        found = self.bearer(request)
        return found if isinstance(found, Identity) else None

    def authenticated_userid(self, request):
        identity = self.identity(request)
        return identity and identity.beneficiary.sub

    def permits(self, request, context, permission):
        found = self.bearer(request)
        if isinstance(found, Refusal):
            return Denied("%s", found)
        openers = request.registry["scopes"].scopes_opening(permission)
        if opened_by := openers & found.scopes:
            return Allowed(f"{permission} is opened by {sorted(opened_by)}")
        return Denied("%s", insufficient_scope(found, openers, request.registry["scopes"]))

    def remember(self, request, userid, **kw):
        return []

    def forget(self, request, **kw):
        return []


def bearer(request):
    """The Identity behind the request's access token (RFC 6750, 2.1), or a Refusal."""
    if "access_token" in request.GET:
        return Refusal(400, "invalid_request", "The access token belongs in the Authorization header, not in the URL")
    header = request.headers.get("Authorization")
    if header is None:
        return Refusal(401, None, "An access token is needed")
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() != "bearer":
        return Refusal(401, None, "An access token is needed: Authorization: Bearer …")
    if not value or not value.isascii() or " " in value or "," in value:
        return Refusal(401, "invalid_token", "The access token is malformed")
    with request.registry["reader"].connect() as connection:
        row = connection.execute(FIND_TOKEN, {"token_hash": hashed(value)}).one_or_none()
    if row is not None:  # a token that has ended counts too: its app is told how often it was refused
        request.add_response_callback(partial(_count_read, trail=_trail(row)))
    found = _identity(row, request.registry["scopes"])
    if isinstance(found, Identity) and not _is_for(row.audience, request):
        return _invalid(f"The access token is for {row.audience}, not for this FHIR base")
    return found


def _trail(row):
    return {name: getattr(row, name) for name in IDS}


def _is_for(audience, request):
    """True unless this is another FHIR base than the one that the token was asked for (RFC 8707, 2).

    userinfo belongs to the issuer, not to a FHIR base.
    """
    version = (request.matchdict or {}).get("version")
    elsewhere = fhir_base(request.registry["settings"].base_url, version) != audience
    return audience is None or not (request.path.startswith(f"/{version}/fhir/") and elsewhere)


def _count_read(request, response, trail):
    """For the audit trail: which kind of record (or path), by which interaction, and how it ended."""
    if route := request.registry["protected_routes"].get(request.matched_route.name):
        resource, interaction = route.endpoint.resource, route.endpoint.interaction
        kinds = [(resource.type if resource else route.endpoint.path, interaction or "read")]
        kinds += [(beside, "include") for beside in getattr(request, "included_types", ())]
        for kind, interaction in kinds:
            request.registry["tally"].count(
                "records.read",
                **trail,
                version=request.matchdict["version"],
                kind=kind,
                interaction=interaction,
                outcome=response.status_int,
            )


def _identity(found, registry):
    if found is None:
        return _invalid("The access token is unknown")
    if found.disabled_at:
        return _invalid("The app is switched off; its developer can ask this service why")
    if closed := why_closed(found):
        return _invalid(f"The access token is closed: {closed}. It cannot be opened again")
    if ended := why_ended(found, found.now):
        return _invalid(f"The access token is closed: {ended}. Ask the beneficiary to connect again")
    if found.token_revoked_at:
        return _invalid("The access token was revoked")
    if found.token_expires_at <= found.now:
        return _invalid("The access token has expired; get a new one with the refresh token")
    scopes = frozenset(registry.allowed(found.granted, *registered_for(found, found.granted_at)))
    return Identity(
        beneficiary=Person(found.sub, found.patient, found.given_name, found.family_name),
        scopes=scopes,
        asks_demographic=found.asks_demographic,
        given_up=frozenset(registry.allowed(found.granted, found.scopes, found.asks_demographic)) - scopes,
        share_demographic=found.share_demographic,
        share_sensitive=found.share_sensitive,
        left_out=frozenset(found.left_out or ()),
        trail=_trail(found),
    )


def _invalid(description):
    return Refusal(401, "invalid_token", description)


def insufficient_scope(identity, openers, registry):
    """403, naming the scopes that would open the endpoint and what the app can do about it."""
    needed = " ".join(sorted(openers))
    demographic = registry.demographic(openers) == openers
    ask_again = "to ask again, send them through authorization once more"
    if not openers:
        reason = "No scope opens this"
    elif demographic and not identity.asks_demographic:
        reason = f"This app is not registered to ask for demographic information ({needed})"
    elif identity.left_out & {scope.family for scope in registry.named(openers)}:
        reason = f"The beneficiary left this out ({needed}); {ask_again}"
    elif openers & identity.given_up:
        reason = f"The app gave this up after the beneficiary had agreed ({needed}); {ask_again}"
    elif not demographic:
        reason = f"One of these scopes is needed: {needed}"
    elif identity.share_demographic is False:
        reason = f"The beneficiary did not share their demographic information ({needed}); {ask_again}"
    else:
        reason = f"The app did not ask for demographic information; one of these scopes is needed: {needed}"
    return Refusal(403, "insufficient_scope", reason, frozenset(openers))


def hides_demographic(identity, registry):
    """True unless the token holds a demographic scope that opens records: then every other record is redacted."""
    return not any(scope.demographic and scope.opens_records for scope in registry.named(identity.scopes))


@dataclass(frozen=True)
class ProtectedRoute:
    """What permits a route, and the methods that it answers."""

    endpoint: Endpoint
    methods: tuple[str, ...]


def add_protected_view(config, view, endpoint, *, path=None, methods=None, **options):
    """Route an Endpoint, under each API version that it serves, to a view that only a token with its scopes can reach.

    The view finds the version in `request.matchdict["version"]`.  `path` and `methods` name another way to the same.
    """
    path, methods = path or endpoint.path, methods or endpoint.methods
    name = f"{methods[0]} {path}"
    config.registry["protected_routes"][name] = ProtectedRoute(endpoint, methods)
    pattern = f"/{{version:{'|'.join(endpoint.versions)}}}/{_only_accepted(path, endpoint)}"
    config.add_route(name, pattern, request_method=_with_head(methods))
    if endpoint.query_parameters:
        options["decorator"] = (_only_declared, *options.get("decorator", ()))  # within what the permission guards
    config.add_view(view, route_name=name, permission=endpoint, require_csrf=False, **{"renderer": "json"} | options)


def refuse_unserved(registry):
    """What a scope opens and no view answers would be documented, advertised, and not there."""
    served = {route.endpoint for route in registry["protected_routes"].values()}
    for scope in registry["scopes"]:
        if missing := [endpoint for endpoint in scope.endpoints if endpoint not in served]:
            raise ScopeError(
                f"plugin {registry['scopes'].plugin_of(scope.name)}: {scope.name} opens {missing[0]}, which no view "
                "answers: give it one by config.add_protected_view(view, endpoint) in `configure`"
            )


def _only_accepted(path, endpoint):
    """The route pattern of a path, in which a `{parameter}` matches no other values than its own."""
    for parameter in endpoint.path_parameters:
        if parameter.values:
            accepted = "|".join(map(escape, parameter.values))
            path = path.replace(f"{{{parameter.name}}}", f"{{{parameter.name}:{accepted}}}")
    return path


def _only_declared(view):
    """The view, after the declared parameters of the query were looked at: 400 for one that is missing or wrong."""

    def checked(context, request):
        for parameter in request.registry["protected_routes"][request.matched_route.name].endpoint.query_parameters:
            given = request.GET.getall(parameter.name)
            if parameter.required and not given:
                raise HTTPBadRequest(f"{parameter.name} is needed: {parameter.summary}")
            wrong = [value for value in given if parameter.values and value not in parameter.values]
            if wrong or len(given) > 1:
                accepted = f"one of {', '.join(parameter.values)}" if parameter.values else "one value"
                raise HTTPBadRequest(f"{parameter.name} has the value {(wrong or given)[-1]!r}; accepted: {accepted}")
        return view(context, request)

    return checked


def _with_head(methods):
    return (*methods, "HEAD") if "GET" in methods else methods


def includeme(config):
    config.registry["protected_routes"] = {}  # by name
    config.set_security_policy(BearerTokenPolicy())
    config.set_default_permission(UNDECLARED)
    config.add_directive("add_protected_view", add_protected_view)
