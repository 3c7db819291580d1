"""Which numbers name a pretend person, claim or provider, and why can none of them be a real one?"""

import hashlib
import re

#: Letters of an MBI: all but S, L, O, I, B and Z, which look like digits (CMS, "Understanding the MBI").
MBI_LETTERS = "ACDEFGHJKMNPQRTUVWXY"

#: CMS has issued no NPI that begins with 2 so far (45 CFR 162.406 allows a first digit of 1 or 2),
#: so every NPI of the sandbox does.
PRETEND_NPI_PREFIX = "29"

_DIGITS = "0123456789"
#: The eleven positions (CMS, "Understanding the MBI"): C A AN N A AN N A A N N. The second is a letter
#: that CMS never issues, S, so no MBI made here can be anyone's.
MBI_POSITIONS = (
    "123456789",
    "S",
    _DIGITS + MBI_LETTERS,
    _DIGITS,
    MBI_LETTERS,
    _DIGITS + MBI_LETTERS,
    _DIGITS,
    MBI_LETTERS,
    MBI_LETTERS,
    _DIGITS,
    _DIGITS,
)
_MBI_COUNT = 9 * 30 * 10 * 20 * 30 * 10 * 20 * 20 * 10 * 10
#: Shares no factor with _MBI_COUNT (2, 3 and 5 only), so different people get different MBIs;
#: large, so that neighbours do not look alike.
_MBI_STRIDE = 400_486_248_701

_NUMBERS_PER_SEED = 100_000
_CLAIMS_PER_PERSON = 10_000


_USERNAME = re.compile(r"bbuser([0-9]{5,6})", re.ASCII)


def username_of(number: int) -> str:
    return f"BBUser{number:05d}"


def password_of(number: int) -> str:
    return f"PW{number:05d}!"


def number_of(username: str) -> int | None:
    """The number of the person with this user name, in capitals or not; None: it is nobody's of a sandbox."""
    match = _USERNAME.fullmatch(username.strip().lower())
    return int(match[1]) if match else None


def secret_answer_of(number: int) -> str:
    return f"Answer{number:05d}"


def patient_id(seed: int, number: int) -> str:
    """Patient.id: negative, as all of CMS's synthetic beneficiaries are."""
    return str(-(10**13 + seed % 10**6 * _NUMBERS_PER_SEED + number))


def claim_number(seed: int, number: int, index: int) -> int:
    """The index-th claim of a person; no two people share one."""
    return -(10**10 + (seed % 10**4 * _NUMBERS_PER_SEED + number) * _CLAIMS_PER_PERSON + index)


def mbi(seed: int, number: int) -> str:
    """A Medicare Beneficiary Identifier in CMS's format, with an S where CMS issues none."""
    rest = (seed % 10**6 * _NUMBERS_PER_SEED + number + 1) * _MBI_STRIDE % _MBI_COUNT
    letters = []
    for position in MBI_POSITIONS:
        rest, at = divmod(rest, len(position))
        letters.append(position[at])
    return "".join(letters)


def as_on_card(mbi: str) -> str:
    """With dashes, as CMS prints it."""
    return f"{mbi[:4]}-{mbi[4:7]}-{mbi[7:]}"


def mbi_hash(mbi: str) -> str:
    """64 hex digits, as version 1 shows instead of the MBI; CMS's own are salted with a secret."""
    return hashlib.sha256(f"bb2 sandbox {mbi}".encode()).hexdigest()


def npi(serial: int) -> str:
    """A ten-digit National Provider Identifier; the check digit counts the prefix 80840 (45 CFR 162.406)."""
    digits = f"{PRETEND_NPI_PREFIX}{serial:07d}"
    return digits + str(-luhn_sum("80840" + digits + "0") % 10)


def luhn_sum(digits: str) -> int:
    """A number with its check digit is right when this is a multiple of ten (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total
