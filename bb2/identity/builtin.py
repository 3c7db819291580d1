"""The built-in account directory: user names and passwords of beneficiaries."""

from base64 import b64encode
from secrets import token_bytes
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from bb2.models import Account, Beneficiary
from bb2.oauth.secrets import new_secret

LEAST_PASSWORD = 8  # characters (NIST SP 800-63B, 5.1.1.2)
MOST_PASSWORD = 1000  # hashing more would only serve an attacker
# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two passes, one lane
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Argon2id at its least (RFC 9106, 3.1), for the passwords of a sandbox's people: they are published and guard nothing,
#: and 10,000 people need not wait for 10,000 hashes.
PUBLISHED_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def nobodys_hash(hasher):
    """One as dear as the hasher's.  Drawn, not computed: no password has it, and nobody waits for it at the start."""
    drawn = (b64encode(token_bytes(size)).decode().rstrip("=") for size in (hasher.salt_len, hasher.hash_len))
    return "$argon2id$v=19$m={0.memory_cost},t={0.time_cost},p={0.parallelism}${1}${2}".format(hasher, *drawn)


NOBODY = nobodys_hash(HASHER)  #: verified when there is no such account, so that the answer takes as long


class DirectoryError(Exception):
    """An account that cannot be made; the message says what to mend."""


def find_account(db, username):
    """The Account with this user name, or None."""
    return db.get(Account, plain(username)) if "\x00" not in username else None


def accounts_of(db, person):
    """The Accounts of a Beneficiary, by their user names."""
    theirs = select(Account).where(Account.beneficiary_id == person.id)
    return db.scalars(theirs.order_by(Account.username)).all()


def has_account(db, patient):
    """True when the person with this Patient.id has a sign-in."""
    theirs = select(Account.username).join(Account.beneficiary).where(Beneficiary.patient == patient)
    return db.scalars(theirs.limit(1)).first() is not None


def plain(username):
    """The user name as it is kept: case, white space around it and how a keyboard spells a letter do not count."""
    return normalize("NFKC", username).strip().lower()


def _typed(password):
    """The password, however a keyboard spells its letters (NIST SP 800-63B, 5.1.1.2): `é` is one character or two."""
    return normalize("NFKC", password)


def is_password(password_hash, password):
    """True for the password of this hash; None stands for nobody's, which takes as long to refuse."""
    try:
        return HASHER.verify(password_hash or NOBODY, _typed(password)[:MOST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False


def hashed_password(password):
    """What is kept of a password: argon2id."""
    return HASHER.hash(_typed(password))


def published_hash(password):
    """The hash of a password that everybody may know; for no other."""
    return PUBLISHED_HASHER.hash(_typed(password))


def add_account(db, *, username, password, patient, given_name, family_name):
    """Give the person with this Patient.id a user name and password.  Returns the Account."""
    username, password = plain(username), _typed(password)
    if not username or not username.isprintable() or len(username) > 100:
        raise DirectoryError("the user name must be 1 to 100 printable characters")
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise DirectoryError(f"the password must have at least {LEAST_PASSWORD} characters")
    if db.get(Account, username):
        raise DirectoryError(f"the user name {username} is taken")
    account = Account(
        username=username,
        password_hash=hashed_password(password),
        beneficiary=ensure_beneficiary(db, patient, given_name, family_name),
    )
    db.add(account)
    db.flush()
    return account


def ensure_beneficiary(db, patient, given_name, family_name):
    """The Beneficiary with this Patient.id, made if need be."""
    found = db.scalars(select(Beneficiary).where(Beneficiary.patient == patient)).one_or_none()
    if found is None:
        found = Beneficiary(sub=new_secret(), patient=patient, given_name=given_name, family_name=family_name)
        db.add(found)
        db.flush()
    return found
