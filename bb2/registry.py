"""Which scopes are installed, and what does each open?"""

from collections import defaultdict
from itertools import chain
from re import sub

from bb2.plugins import declared
from bb2.scopes import Endpoint, Scope, ScopeError


class ScopeRegistry:
    """Every registered scope by name, in the order in which it is shown."""

    def __init__(self, found):
        """`found`: (plugin's name, Scope) of each."""
        self._scopes = {}
        self._plugins = {}
        self._openers = defaultdict(set)
        for plugin, scope in sorted(found, key=_order_on_the_page):
            self._add(plugin, scope)
        #: scope name -> the names of the scopes that open all that it opens: asked at every request
        self._covering = {s.name: frozenset(o.name for o in self if o.covers(s)) for s in self}
        #: {resource type: FhirResource} for every type that a scope opens
        self.resources = {endpoint.resource.type: endpoint.resource for endpoint in self._openers if endpoint.resource}
        self._refuse_rival_endpoints()
        self._refuse_side_doors()

    @classmethod
    def from_plugins(cls, manager):
        """Ask every plugin of the manager for its scopes; an error names the plugin."""
        return cls(declared(manager.hook.register_scopes, Scope))

    def _add(self, plugin, scope):
        if scope.name in self._scopes:
            rivals = f"{self._plugins[scope.name]} and {plugin}"
            raise ScopeError(f"{scope.name} is declared twice, by {rivals}: switch one of them off in bb2.scopes")
        self._scopes[scope.name] = scope
        self._plugins[scope.name] = plugin
        for endpoint in scope.endpoints:
            self._openers[endpoint].add(scope.name)

    def __iter__(self):
        return iter(self._scopes.values())

    def __contains__(self, name):
        return name in self._scopes

    def __getitem__(self, name):
        return self._scopes[name]

    @property
    def offered(self):
        """The scopes that can be granted from now on."""
        return [scope for scope in self if not scope.deprecated]

    def plugin_of(self, name):
        """The plugin that declares this scope, as `distribution:entry point`."""
        return self._plugins[name]

    def named(self, names):
        """The installed scopes among these names, in the order in which they are shown."""
        names = set(names)
        return [scope for scope in self if scope.name in names]

    @property
    def endpoints(self):
        """Every endpoint that a scope opens."""
        return list(self._openers)

    def scopes_opening(self, endpoint):
        """The names of the scopes that open this endpoint; none opens an undeclared one."""
        return self._openers.get(endpoint, frozenset())

    @property
    def claims(self):
        """The OpenID Connect claims that some scope releases."""
        return self.claims_of(self._scopes)

    def claims_of(self, names):
        """The OpenID Connect claims that these scopes release."""
        return set(chain.from_iterable(scope.claims for scope in self.named(names)))

    def covered(self, name, names):
        """True when one of `names` is this scope, or opens all that it opens."""
        return not self._covering.get(name, frozenset()).isdisjoint(names)

    def may_have(self, name, registered, asks_demographic):
        """May an app that is registered for these scopes have this one?"""
        return self.covered(name, registered) and (asks_demographic or not self[name].demographic)

    def one_of_each_family(self):
        """What an app that names no scopes is registered for: the widest scope of each family, by its first name."""
        chosen = {}
        for scope in self.offered:
            kept = chosen.get(scope.family)
            if kept is None or (scope.covers(kept) and not kept.covers(scope)):
                chosen[scope.family] = scope
        return [scope.name for scope in chosen.values()]

    def demographic(self, names):
        """Those of these names that are demographic."""
        return {scope.name for scope in self.named(names) if scope.demographic}

    def allowed(self, granted, registered, asks_demographic):
        """What of the granted scopes still holds: installed, and within what the app is registered for now."""
        return [name for name in granted if self.may_have(name, registered, asks_demographic)]

    def _refuse_rival_endpoints(self):
        """One method and path has one description, whichever plugin gives it; one type has one description."""
        described = defaultdict(lambda: defaultdict(set))
        for endpoint, names in self._openers.items():
            for key, description in _descriptions(endpoint):
                described[key][description] |= {self._plugins[name] for name in names}
        for key, descriptions in described.items():
            if len(descriptions) > 1:
                plugins = sorted(set().union(*descriptions.values()))
                raise ScopeError(
                    f"{key} is described in two ways, by {plugins}: import the Endpoint or FhirResource of one of them"
                )

    def _refuse_side_doors(self):
        """What one demographic scope protects, a scope that is not demographic does not open.

        `sub` alone is not demographic: it says nothing of the person, and userinfo always answers it
        (OpenID Connect Core 5.3.2).
        """
        protected, open_to_all = defaultdict(set), defaultdict(set)
        for scope in self:
            side = protected if scope.demographic else open_to_all
            for opened in [*map(str, scope.endpoints), *(c for c in scope.claims if c != "sub")]:
                side[opened].add(scope.name)
        for opened in sorted(protected.keys() & open_to_all.keys()):
            names = sorted(open_to_all[opened])
            raise ScopeError(
                f"{opened} is protected by the demographic {sorted(protected[opened])}, and opened by {names} "
                f"({', '.join(sorted({self._plugins[n] for n in names}))}), which is not demographic: "
                "declare demographic=True, or leave it out"
            )


def _descriptions(endpoint):
    """(what is described, the description), for whatever a request could reach by this endpoint."""
    path = sub(r"\{[^}]*\}", "{}", endpoint.path.strip("/"))  # a placeholder is one by any name
    for method in endpoint.methods:
        yield f"{method} {path}", endpoint
    if endpoint.resource:
        yield f"resource type {endpoint.resource.type}", endpoint.resource


def _order_on_the_page(found):
    """Who the person is comes last, records first; `.read` before the other spellings of its family."""
    _plugin, scope = found
    return (scope.demographic, not scope.opens_records, scope.order, scope.family, -len(scope.name), scope.name)


UNDECLARED = Endpoint(path="undeclared")  #: the permission of whatever has none; no scope opens it
