"""What does this token still open?  Asked by the app that holds it (RFC 7662; SMART App Launch 2.2)."""

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from bb2.clock import DatabaseTime
from bb2.models import AccessToken, Consent, RefreshToken
from bb2.oauth import consents
from bb2.oauth.claims import Person
from bb2.oauth.clients import registered_for
from bb2.oauth.secrets import hashed


class Introspection:
    """Describes tokens as `id_tokens` (IdTokens) describes people; `fhir_bases` are the URLs that a token can open.

    Nothing is written.
    """

    def __init__(self, id_tokens, fhir_bases):
        self.id_tokens, self.fhir_bases = id_tokens, fhir_bases

    def claims(self, db, token, client):
        """What RFC 7662, 2.2 has of an open token (dict); None for what is closed, unknown, or another app's."""
        for model, read in (AccessToken, _access), (RefreshToken, _refresh):
            found, moment = self._found(db, model, token, client)
            if found is not None:
                return self._described(found, *read(found)) if _is_open(found, moment) else None
        return None

    def _found(self, db, model, token, client):
        """(the token with all that decides, the database's time); (None, None) for what is not this client's"""
        mine = (model.token_hash == hashed(token)) & (Consent.client_id == client.client_id)
        whole = contains_eager(model.consent).options(joinedload(Consent.client), joinedload(Consent.beneficiary))
        found = select(model, DatabaseTime()).join(model.consent).where(mine).options(whole)
        return db.execute(found).one_or_none() or (None, None)

    def _described(self, token, granted, audience, members):
        consent, client = token.consent, token.consent.client
        scopes = self.id_tokens.scopes.allowed(granted, *registered_for(client, consent.granted_at))
        if not scopes:
            return None
        return {
            **self._about(consent.beneficiary, scopes),
            "scope": " ".join(scopes),
            "client_id": client.client_id,
            "iat": int(token.issued_at.timestamp()),
            "iss": self.id_tokens.issuer,
            "sub": consent.beneficiary.sub,
            "aud": [audience] if audience else list(self.fhir_bases),
            "patient": consent.beneficiary.patient,
            **members,
        }

    def _about(self, person, granted):
        """The claims that a granted scope puts into every id_token, and no other (SMART: `fhirUser`)."""
        names = {name for scope in self.id_tokens.scopes.named(granted) for name in scope.id_token_claims}
        if not names:
            return {}
        person = Person(person.sub, person.patient, person.given_name, person.family_name)
        return {name: value for name, value in self.id_tokens.released(person, granted).items() if name in names}


def _is_open(token, moment):
    consent = token.consent
    ended = consents.why_closed(consent.beneficiary) or consents.why_ended(consent, moment)
    if ended or token.revoked_at:
        return False
    if isinstance(token, RefreshToken):
        return token.used_at is None and consent.client.access != "one-time"
    return token.expires_at > moment


def _access(token):
    """(scopes, audience, further members)"""
    return token.scopes, token.audience, {"token_type": "Bearer", "exp": int(token.expires_at.timestamp())}


def _refresh(token):
    """The same; it is no bearer token, and so has no `token_type` (RFC 6749, 5.1)."""
    until = token.consent.expires_at
    return token.consent.scopes, token.consent.audience, {"exp": int(until.timestamp())} if until else {}
