"""Is there a second thing that a developer shows when they sign in, and is it right?

A code of their authenticator app (TOTP, RFC 6238), or one of ten recovery codes in its place; a passkey is of both
kinds at once, and needs no password (bb2.identity.passkeys).
"""

import re
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256
from secrets import token_bytes

import pyotp
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import delete, func, insert, or_, select, update

from bb2.clock import now
from bb2.identity import passkeys
from bb2.models import Developer, DeveloperRecoveryCode
from bb2.oauth.own_key import derived
from bb2.oauth.secrets import hashed

STEP = 30  # seconds (RFC 6238, 5.2)
WINDOW = (0, -1, 1)  # steps: one that is over, and a clock that runs ahead (5.2, 6)
DIGITS = re.compile(r"\d{6}", re.ASCII)
CODES = 10
CODE_BYTES = 15  # 120 bits: what is random like this is kept as a plain hash (NIST SP 800-63B, 5.1.2.2)


def is_needed(db, developer):
    """Has the developer an authenticator app, or a passkey?"""
    return bool(developer.totp_secret or passkeys.of_person(db, developer))


def totp_key(seed):
    """The key of an authenticator app that follows from a text: 160 bits (RFC 4226, 4), in base32."""
    return b32encode(sha256(seed.encode()).digest()[:20]).decode()


def totp_uri(key, developer, site):
    """What an authenticator app reads from a picture."""
    return pyotp.TOTP(key).provisioning_uri(name=developer.email, issuer_name=site)


def step_of(db, key, typed):
    """The step of time to which a code of this key belongs; None: it is not right, now."""
    typed = re.sub(r"\s", "", typed)
    if not DIGITS.fullmatch(typed):
        return None
    hotp, step = pyotp.HOTP(key), int(now(db).timestamp()) // STEP  # RFC 6238, 4.2: the step is HOTP's counter
    return next((step + late for late in WINDOW if hotp.verify(typed, step + late)), None)


def add_totp(settings, developer, key, step):
    """Keep a key, encrypted; its code of this step was used."""
    developer.totp_secret = _cipher(settings).encrypt(key.encode()).decode()
    developer.totp_step = step


def method_of(db, settings, developer, typed):
    """What it is that was typed, right and for the first time: `totp` or `recovery_code`; None: it is neither."""
    if _is_totp(db, settings, developer, typed):
        return "totp"
    return "recovery_code" if _is_recovery_code(db, developer, typed) else None


def _is_totp(db, settings, developer, typed):
    """One statement decides, so that of two uses at once the later is refused (RFC 6238, 5.2)."""
    key = developer.totp_secret and _decrypted(settings, developer.totp_secret)
    step = step_of(db, key, typed) if key else None
    if step is None:
        return False
    unused = or_(Developer.totp_step.is_(None), Developer.totp_step < step)
    used = update(Developer).where(Developer.id == developer.id, unused).values(totp_step=step)
    return db.execute(used.execution_options(synchronize_session=False)).rowcount == 1


def _decrypted(settings, secret):
    """None where the key of the server is another one now: then recovery codes do."""
    try:
        return _cipher(settings).decrypt(secret.encode()).decode()
    except InvalidToken:
        return None


def _cipher(settings):
    return Fernet(urlsafe_b64encode(derived(settings.keys_folder, "totp")))


def _is_recovery_code(db, developer, typed):
    ours = DeveloperRecoveryCode.developer_id == developer.id, DeveloperRecoveryCode.used_at.is_(None)
    same = DeveloperRecoveryCode.code_hash == hashed(_plain(typed))
    return db.execute(update(DeveloperRecoveryCode).where(*ours, same).values(used_at=now(db))).rowcount == 1


def _plain(typed):
    return re.sub(r"[^a-z2-7]", "", typed.lower())


def new_codes(db, developer):
    """Ten recovery codes, as they are shown once; earlier ones are over."""
    take_codes(db, developer)
    codes = [b32encode(token_bytes(CODE_BYTES)).decode().lower() for _ in range(CODES)]
    rows = [{"code_hash": hashed(code), "developer_id": developer.id} for code in codes]
    db.execute(insert(DeveloperRecoveryCode), rows)
    return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]


def remove_all(db, developer):
    """The password alone is asked for from now on."""
    passkeys.remove_all(db, developer)
    take_codes(db, developer)
    developer.totp_secret = None


def take_codes(db, developer):
    db.execute(delete(DeveloperRecoveryCode).where(DeveloperRecoveryCode.developer_id == developer.id))


def codes_left(db, developer):
    """How many recovery codes can still be used."""
    ours = DeveloperRecoveryCode.developer_id == developer.id, DeveloperRecoveryCode.used_at.is_(None)
    return db.scalar(select(func.count()).select_from(DeveloperRecoveryCode).where(*ours))
