"""Is this password hard enough to guess?  By how easily it is guessed, not by which characters are in it.

NIST SP 800-63B, 5.1.1.2: at least eight characters, long ones welcome, no rules of composition, and none that is known
from breaches, a common word, or the person's own.  The lists are the library's: nothing is asked of the network.
"""

import re
from unicodedata import normalize

from pyramid.i18n import TranslationStringFactory
from zxcvbn.matching import RANKED_DICTIONARIES, build_ranked_dict, omnimatch
from zxcvbn.scoring import most_guessable_match_sequence

from bb2.identity.builtin import LEAST_PASSWORD, MOST_PASSWORD

_ = TranslationStringFactory("bb2")

#: Guesses that it must outlast: a year of them, at the 100 an hour of `bb2.limit_sign_in_anywhere`.
LEAST_GUESSES = 1_000_000
OWN = _("Choose a password without your user name, your own name or your Medicare number")
LOOKED_AT = 72  # characters: the time that the library takes grows faster than a password


def why_refused(password, *own_words, own_refused=OWN):
    """Why nobody may have this password, as a translation string; None: it is a good one.

    `own_words`: the user name, the Medicare number, a name: what somebody who knows the person tries first.
    `own_refused`: what is said of a password that is made of them.
    """
    password = normalize("NFKC", password)
    if len(password) < LEAST_PASSWORD:
        return _("Type a password of at least ${least} characters", mapping={"least": LEAST_PASSWORD})
    if len(password) > MOST_PASSWORD:
        return _("Type a password of at most ${most} characters", mapping={"most": MOST_PASSWORD})
    if _guesses(password) < LEAST_GUESSES:
        return _("This password is easy to guess. Try three or four words that do not belong together")
    own = [word for word in map(_plain, own_words) if word]
    if _guesses(_joined(password, own), *own) < LEAST_GUESSES:
        return own_refused
    return None


def _plain(word):
    return "".join(c for c in (word or "").lower() if c.isalnum())[:LOOKED_AT]


def _joined(password, words):
    """The password with these words in one piece: a Medicare number is the same with its dashes."""
    for word in words:
        password = re.sub(r"[\W_]*".join(word), word, password[:LOOKED_AT], flags=re.IGNORECASE)
    return password


def _guesses(password, *own_words):
    """How many guesses it outlasts.  The library's `zxcvbn` would keep `own_words` where other threads find them."""
    dictionaries = RANKED_DICTIONARIES | {"user_inputs": build_ranked_dict(own_words)}
    matches = omnimatch(password[:LOOKED_AT], dictionaries)
    return most_guessable_match_sequence(password[:LOOKED_AT], matches)["guesses"]
