"""What does the receipt of a decision say?  In words for a page, and as JSON for machines.  No HTTP and no SQL here.

A receipt is made from what was stored at the decision, the page in its words and the choices, and not from the plugins
of today: it says the same for ever.
"""

import re
import uuid
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

from bb2.consent import ConsentScreen
from bb2.sharing import Sharing, sharing, words

#: {event of the trail: (what the person decided, the status of a FHIR Consent)}
DECISIONS = {
    "consent.given": ("given", "active"),
    "consent.declined": ("declined", "rejected"),
    "consent.narrowed": ("narrowed", "active"),
    "consent.revoked": ("ended", "inactive"),
}
SMART_FAMILY = re.compile(r"patient/(?P<type>[A-Z][A-Za-z]*)")
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True)
class Site:
    """Who gives the receipt."""

    name: str
    url: str
    phone: str


@dataclass(frozen=True)
class App:
    """With whom was shared, or was not."""

    id: str
    name: str  #: as the person saw it
    website: str | None
    privacy_policy: str | None


@dataclass(frozen=True)
class Receipt:
    """One decision of a person about an app."""

    number: int  #: of its event in the trail
    event: str
    at: datetime
    app: App
    sub: str  #: of the person
    patient: str
    screen: ConsentScreen  #: the page as it was shown
    sharing: Sharing  #: from then on; of an ending: until then
    granted_at: datetime | None  #: None: nothing was
    expires_at: datetime | None  #: None: without end
    opened: bool = True  #: False: of an ending, its code was never redeemed, and the app has seen nothing

    @property
    def decision(self):
        return DECISIONS[self.event][0]

    @property
    def ends_at(self):
        return self.at if self.decision == "ended" else self.expires_at

    def id(self, site):
        """The same for ever, and another for each decision."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{site.url}/connections/receipts/{self.number}"))


def receipt(made, consent, client, person):
    """The Receipt of an AuditEvent, its Consent (None for a No), its Client and its Beneficiary.

    What was shared stands in the event; an ending has the Consent as it was at the end, since it never changes again.
    """
    screen = ConsentScreen.from_json(consent.shown if consent else made.details["shown"])
    scopes, sensitive = made.details.get("scopes", ()), made.details.get("share_sensitive")
    if made.event == "consent.revoked":
        scopes, sensitive = consent.scopes, consent.share_sensitive
    return Receipt(
        number=made.id,
        event=made.event,
        at=made.at,
        app=App(client.client_id, screen.client_name, client.website, client.privacy_policy),
        sub=person.sub,
        patient=person.patient,
        screen=screen,
        sharing=sharing(screen, scopes, sensitive),
        granted_at=consent and consent.granted_at,
        expires_at=consent and consent.expires_at,
        opened=made.event != "consent.revoked" or consent.activated_at is not None,
    )


def said(found):
    """The page in plain text, and below each question the answer that was given; a No has answered none."""
    lines = [found.screen.client_name]
    lines += [f"{line.consent}. {line.detail}".removesuffix(". ") for line in found.screen.lines]
    for question in found.screen.questions:
        chosen = question.share if question in found.sharing.shared else question.withhold
        lines += [question.question, question.detail]
        lines += [f"- {chosen}"] if found.decision != "declined" else []
    return "\n".join(lines)


def as_consent_receipt(found, site):
    """In the terms of the Kantara Initiative's Consent Receipt Specification 1.1, with a few members beside it.

    The controller is this service, which holds the records; the app is the third party to which they are disclosed.
    The person is named by a number that says nothing of them.
    """
    shared = [words(item) for item in found.sharing.shared]
    purpose = {
        "purpose": f"Share Medicare information with {found.app.name}, as the person asked",
        "purposeCategory": ["Core Function"],
        "consentType": "EXPLICIT",
        "piiCategory": shared,
        "primaryPurpose": True,
        "termination": _instant(found.ends_at) or f"When the person ends it at {site.url}/connections",
        "thirdPartyDisclosure": True,
        "thirdPartyName": found.app.name,
    }
    controller = {"piiController": site.name, "onBehalf": False, "contact": site.name, "phone": site.phone}
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": "US",
        "consentTimestamp": int(found.at.timestamp()),
        "collectionMethod": "Web form",
        "consentReceiptID": found.id(site),
        "language": found.screen.language,
        "piiPrincipalId": found.sub,
        "piiControllers": [controller | {"piiControllerUrl": site.url}],
        "policyUrl": found.app.privacy_policy or site.url,
        "services": [{"service": site.name, "purposes": [purpose] if found.decision != "declined" else []}],
        "sensitive": True,
        "spiCat": ["Health"],
        # Beside the specification:
        "decision": found.decision,
        "app": {"client_id": found.app.id, "name": found.app.name, "website": found.app.website},
        "piiWithheld": [words(item) for item in found.sharing.left_out],
        "consentGiven": _instant(found.granted_at),
        "notice": said(found),
    }


def as_fhir(found, site):
    """FHIR R4, Consent: the app may access these kinds of record and not those.

    A root provision has no type, and its nested ones each have one (FHIR R4, Consent.provision.type).  `policyRule`
    says what holds for all that no provision names: nothing goes out without a Yes.
    """
    status = DECISIONS[found.event][1]
    rule = "OPTIN" if found.sharing.shared else "OPTOUT"
    return {
        "resourceType": "Consent",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{found.id(site)}"}],
        "status": status,
        "scope": _concept(f"{TERMINOLOGY}/consentscope", "patient-privacy", "Privacy Consent"),
        "category": [_concept("http://loinc.org", "59284-0", "Consent Document")],
        "patient": {"reference": f"Patient/{found.patient}"},
        "dateTime": _instant(found.at),
        "performer": [{"reference": f"Patient/{found.patient}"}],
        "organization": [{"display": site.name}],
        "sourceAttachment": {
            "contentType": "text/plain; charset=utf-8",
            "language": found.screen.language,
            "data": b64encode(said(found).encode()).decode(),
            "title": site.name,
        },
        "policyRule": _concept(f"{TERMINOLOGY}/v3-ActCode", rule),
        "provision": _root_provision(found, site),
    }


def _root_provision(found, site):
    """Who may do what, and when; below it, of what."""
    period = {"start": _instant(found.granted_at or found.at), "end": _instant(found.ends_at)}
    app = {"identifier": {"system": f"{site.url}/.well-known/applications", "value": found.app.id}}
    nested = [_provision("permit", item) for item in found.sharing.shared]
    nested += [_provision("deny", item) for item in found.sharing.left_out]
    return {
        "period": {name: moment for name, moment in period.items() if moment},
        "actor": [
            {
                "role": _concept(f"{TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient"),
                "reference": app | {"display": found.app.name},
            }
        ],
        "action": [_concept(f"{TERMINOLOGY}/consentaction", "access", "Access")],
        **({"provision": nested} if nested else {}),
    }


def _provision(kind, item):
    """What is permitted or denied: a resource type, records with a security label, or else what its words say."""
    families = getattr(item, "families", None) or (getattr(item, "family", ""),)
    types = [named["type"] for family in families if (named := SMART_FAMILY.fullmatch(family))]
    provision = {"type": kind}
    if label := getattr(item, "label", ""):
        system = f"{TERMINOLOGY}/v3-ActCode"
        provision["securityLabel"] = [{"system": system, "code": label, "display": item.label_display}]
    if types:
        provision["class"] = [{"system": "http://hl7.org/fhir/resource-types", "code": each} for each in types]
    if not types or (hasattr(item, "label") and not label):
        provision["code"] = [{"text": words(item)}]
    return provision


def _concept(system, code, display=None):
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]}


def _instant(moment):
    return moment and moment.strftime("%Y-%m-%dT%H:%M:%SZ")
