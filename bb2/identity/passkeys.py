"""Whose passkey is this?  WebAuthn Level 3 without HTTP: what a browser is asked for, and whether its answer is right.

A passkey is discoverable, so that nobody types a user name, and verifies its person, so that it stands for both a thing
that they have and one that they know or are.  Who made the authenticator is not asked (attestation `none`).
Beneficiaries and developers have tables of their own.
"""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bb2.clock import now
from bb2.models import Beneficiary, Developer, DeveloperPasskey, Passkey, PasskeyChallenge
from bb2.oauth.secrets import hashed, new_secret

ADD, SIGN_IN = "add", "sign_in"  # what a challenge is for
LIFETIME = 600  #: seconds that a challenge lives: the most that WebAuthn, 15.1, recommends for a person to answer
MOST = 10  #: passkeys of a person
MOST_NAME = 50  #: characters
MOST_ID = 1023  # bytes of a credential id (WebAuthn, 7.1, step 25)
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]


#: {whose: their passkeys}
TABLES = {Beneficiary: Passkey, Developer: DeveloperPasskey}


class NotAccepted(Exception):
    """The answer of a browser does not do; `reason` is a word for the trail, `passkey` the one whose it was."""

    def __init__(self, reason, passkey=None):
        super().__init__(reason)
        self.reason, self.passkey = reason, passkey


@dataclass(frozen=True)
class RelyingParty:
    """This server, as authenticators know it (WebAuthn, 5.4.2 and 13.4.9)."""

    id: str
    origin: str
    name: str

    @classmethod
    def of(cls, settings):
        """None where passkeys cannot be: an address in numbers is no relying party."""
        url = urlsplit(settings.base_url)
        usual = {"http": 80, "https": 443}[url.scheme]
        host = url.hostname if url.port in (None, usual) else f"{url.hostname}:{url.port}"
        return None if _is_address(url.hostname) else cls(url.hostname, f"{url.scheme}://{host}", settings.site_name)


def _is_address(host):
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def of_person(db, person):
    """The person's passkeys, the oldest first."""
    passkey = TABLES[type(person)]
    return db.scalars(select(passkey).where(passkey.person_id == person.id).order_by(passkey.id)).all()


def creation_options(db, party, person, username, session_hash):
    """What a browser needs to make a passkey, as JSON (WebAuthn, 5.4).  Needs the person's lock.

    `username`: by which the person tells it from others on their device.
    """
    person.passkey_handle = person.passkey_handle or new_secret()
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=base64url_to_bytes(person.passkey_handle),
        user_name=username,
        user_display_name=username,
        challenge=_new_challenge(db, session_hash, ADD),
        timeout=LIFETIME * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_descriptor(passkey) for passkey in of_person(db, person)],
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json(options)


def _descriptor(passkey):
    transports = [AuthenticatorTransport(transport) for transport in passkey.transports]
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id), transports=transports)


def request_options(db, party, session_hash):
    """What a browser needs to find a passkey of this server, as JSON (WebAuthn, 5.5); nobody is named."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=_new_challenge(db, session_hash, SIGN_IN),
        timeout=LIFETIME * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def add(db, party, person, session_hash, answer, name):
    """The passkey that a browser has made (WebAuthn, 7.1).  Needs the person's lock."""
    credential = _read(parse_registration_credential_json, answer)
    verified = _read(
        verify_registration_response,
        credential=credential,
        expected_challenge=_taken_challenge(db, session_hash, ADD, credential),
        expected_rp_id=party.id,
        expected_origin=party.origin,
        require_user_verification=True,
        supported_pub_key_algs=ALGORITHMS,
    )
    _read(_loaded, verified.credential_public_key)
    if len(verified.credential_id) > MOST_ID:
        raise NotAccepted("malformed")
    if is_full(db, person):
        raise NotAccepted("full")
    transports = [transport.value for transport in credential.response.transports or ()]
    return _kept(db, TABLES[type(person)], verified, person=person, transports=transports, name=name)


def _kept(db, model, verified, **facts):
    """The credential record (WebAuthn, 4) of what was verified."""
    passkey = model(
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        backup_eligible=_can_be_backed_up(verified),
        backed_up=verified.credential_backed_up,
        created_at=now(db),
        **facts,
    )
    try:
        with db.begin_nested():
            db.add(passkey)
    except IntegrityError as error:  # a credential id is one person's only (7.1, step 26)
        raise NotAccepted("known") from error
    return passkey


def _loaded(public_key):
    return decoded_public_key_to_cryptography(decode_credential_public_key(public_key))


def is_full(db, person):
    """True when a person has as many passkeys as they may."""
    passkey = TABLES[type(person)]
    ours = select(func.count()).select_from(passkey).where(passkey.person_id == person.id)
    return db.scalar(ours) >= MOST


def used(db, party, session_hash, answer, model=Passkey):
    """The passkey, of one kind of people, with which a person signs in here (WebAuthn, 7.2)."""
    credential = _read(parse_authentication_credential_json, answer)
    challenge = _taken_challenge(db, session_hash, SIGN_IN, credential)
    known = select(model).where(model.credential_id == bytes_to_base64url(credential.raw_id))
    passkey = db.scalars(known).one_or_none()
    if passkey is None or not _is_handle(passkey.person, credential.response.user_handle):
        raise NotAccepted("unknown")
    verified = _read(
        verify_authentication_response,
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=party.origin,
        credential_public_key=passkey.public_key,
        credential_current_sign_count=0,  # judged below, once the signature is known to be right
        require_user_verification=True,
    )
    if _can_be_backed_up(verified) != passkey.backup_eligible:  # it never changes (6.1.3)
        raise NotAccepted("backup", passkey)
    if not _counted(db, passkey, verified):
        raise NotAccepted("counter", passkey)
    return passkey


def _is_handle(person, handle):
    return handle is not None and bytes_to_base64url(handle) == person.passkey_handle


def _can_be_backed_up(verified):
    return verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE


def _counted(db, passkey, verified):
    """Write a use down.  False where the count did not go up: there may be two of this key (WebAuthn, 6.1.1).

    One statement decides, so that of two uses at once the later one is judged by the earlier.
    """
    count, model = verified.new_sign_count, type(passkey)
    goes_up = model.sign_count < count if count else model.sign_count == 0
    written = update(model).where(model.id == passkey.id, goes_up)
    written = written.values(sign_count=count, backed_up=verified.credential_backed_up, used_at=now(db))
    return db.execute(written).rowcount == 1


def remove(db, person, id):
    """Take out the person's passkey with this number.  False where they have none such."""
    passkey = TABLES[type(person)]
    ours = delete(passkey).where(passkey.id == id, passkey.person_id == person.id)
    return db.execute(ours).rowcount == 1


def remove_all(db, person):
    """Take out every passkey of a person.  Returns how many there were."""
    passkey = TABLES[type(person)]
    return db.execute(delete(passkey).where(passkey.person_id == person.id)).rowcount


def _new_challenge(db, session_hash, purpose):
    challenge = new_secret()
    ends = now(db) + timedelta(seconds=LIFETIME)
    kept = PasskeyChallenge(
        challenge_hash=hashed(challenge), session_hash=session_hash, purpose=purpose, expires_at=ends
    )
    db.add(kept)
    return base64url_to_bytes(challenge)


def _taken_challenge(db, session_hash, purpose, credential):
    """The challenge that a credential answers, which nobody can answer any more (WebAuthn, 13.4.3).

    It was made here, for this purpose and this session.
    """
    said = _read(parse_client_data_json, credential.response.client_data_json)
    if said.cross_origin:  # no other site may have these pages in a frame
        raise NotAccepted("origin")
    ours = delete(PasskeyChallenge).where(
        PasskeyChallenge.challenge_hash == hashed(bytes_to_base64url(said.challenge)),
        PasskeyChallenge.session_hash == session_hash,
        PasskeyChallenge.purpose == purpose,
        PasskeyChallenge.expires_at > now(db),
    )
    if db.execute(ours).rowcount != 1:
        raise NotAccepted("challenge")
    return said.challenge


def _read(reader, *arguments, **options):
    """What the library makes of what somebody has sent; it stumbles over some of it in ways of its own."""
    try:
        return reader(*arguments, **options)
    except Exception as error:
        raise NotAccepted("malformed" if reader.__name__.startswith("parse") else "wrong") from error
