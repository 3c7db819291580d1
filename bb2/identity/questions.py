"""Which secret question did a person choose, and is this its answer?  An answer counts however it is written.

A question is a second key beside what stands on the Medicare card, never the only one.
"""

from unicodedata import category, normalize

from pyramid.i18n import TranslationStringFactory

from bb2.identity.builtin import MOST_PASSWORD, hashed_password, is_password, published_hash

_ = TranslationStringFactory("bb2")

LEAST_ANSWER = 3  # letters and digits

#: {key, as Account.secret_question has it: the question}.  A key stays for good: accounts have it.  None of the answers
#: stands in a Medicare record, and few change in the course of a life.
QUESTIONS = {
    "first-pet": _("What was the name of your first pet?"),
    "first-street": _("On which street did you live as a child?"),
    "first-school": _("What was the name of your first school?"),
    "best-friend": _("What was the first name of your best friend as a child?"),
    "first-job": _("In which town was your first job?"),
    "met-spouse": _("In which town did you meet your husband, wife or partner?"),
    "wedding-place": _("In which town was your wedding?"),
    "oldest-cousin": _("What is the first name of your oldest cousin?"),
    "favorite-teacher": _("What was the last name of your favorite teacher?"),
    "first-car": _("What was your first car?"),
}


def normalized(answer):
    """What counts of an answer: its letters and digits, without case and accents; `St. José` is `stjose`."""
    plain = normalize("NFKD", normalize("NFKD", answer).casefold())
    return "".join(character for character in plain if category(character)[0] in "LN")[:MOST_PASSWORD]


def is_long_enough(answer):
    """True for an answer that can be kept."""
    return len(normalized(answer)) >= LEAST_ANSWER


def answer_hash(answer):
    """What is kept of an answer: argon2id."""
    return hashed_password(normalized(answer))


def is_answer(kept, answer):
    """True for the answer of this hash; None stands for nobody's, which takes as long to refuse."""
    return is_password(kept, normalized(answer))


def published_answer_hash(answer):
    """The hash of an answer that everybody may know, of a sandbox's people; for no other."""
    return published_hash(normalized(answer))
