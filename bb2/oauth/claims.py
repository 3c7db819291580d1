"""Which claims about a person does an app get?  Those that the granted scopes release (OpenID Connect Core 5)."""

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """What a plugin's `userinfo_claims` learns of the beneficiary."""

    sub: str
    patient: str
    given_name: str
    family_name: str


def released(plugins, registry, person, granted, fhir_base):
    """{claim: value} about a Person, of those that the granted scopes release.  `plugins` is the plugin manager."""
    names = registry.claims_of(granted)
    answers = plugins.hook.userinfo_claims(beneficiary=person, fhir_base=fhir_base)
    return {claim: value for answer in answers for claim, value in answer.items() if claim in names}


@dataclass(frozen=True)
class WantedClaims:
    """What a `claims` parameter asks of us."""

    kept: dict | None = None  #: the parameter, down to the claims that an id_token can carry here
    subs: frozenset[str] = frozenset()  #: who the person must be
    needs_acr: bool = False  #: one of these kinds of authentication, or none at all (OpenID Connect Core 5.5.1.1)


def wanted_claims(text, known):
    """The WantedClaims of a `claims` parameter (OpenID Connect Core 5.5).  ValueError says what is wrong with it.

    `known`: the claims that the installed scopes release.  Members and claims that nobody knows are ignored; those for
    userinfo need no note, as it answers all that the scopes release.
    """
    try:
        asked = json.loads(text, parse_constant=int)  # NaN is no JSON, and no int
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    members = {name: _member(asked, name) for name in ("userinfo", "id_token")}
    acr = members["id_token"].get("acr") or {}
    names = sorted(known & members["id_token"].keys())
    return WantedClaims(
        kept={"id_token": dict.fromkeys(names)} if names else None,
        subs=frozenset(sub for member in members.values() for sub in _subs(member.get("sub") or {})),
        needs_acr=acr.get("essential") is True and bool({"value", "values"} & acr.keys()),
    )


def _member(asked, name):
    """The `userinfo` or `id_token` of the parameter: {claim: None, or how it is asked for}."""
    member = asked.get(name) if isinstance(asked, dict) else asked
    if member is None and isinstance(asked, dict):
        return {}
    if not isinstance(member, dict) or not all(how is None or isinstance(how, dict) for how in member.values()):
        raise ValueError(
            "it must be an object with id_token or userinfo, each an object of claims, each null or an object"
        )
    return member


def _subs(how):
    """The `sub` that is asked for: one, since one person signs in."""
    values = how.get("values", [how["value"]] if "value" in how else [])
    if not isinstance(values, list) or len(values) > 1 or not all(isinstance(value, str) for value in values):
        raise ValueError("sub must have one value, a text")
    return values
