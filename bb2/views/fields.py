"""Which fields do several pages have?  They ask for a thing in the same words, and check it in the same way."""

from email_validator import EmailNotValidError, validate_email
from wtforms import EmailField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice

from bb2.identity.cards import medicare_number
from bb2.identity.questions import QUESTIONS, is_long_enough
from bb2.views.forms import Checked, MemorableDate, Required
from bb2.views.pages import _

MOST = 100  # characters of a line that a person types
NO_QUESTION = {"": _("Choose a question")}


def medicare_number_field():
    return StringField(
        _("Medicare number"),
        [
            Required(_("Type your Medicare number")),
            Checked(medicare_number, _("Check your Medicare number: it has 11 letters and numbers")),
        ],
        description=_("It is on the front of your card, like 1EG4-TE5-MK73."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 20},
    )


def last_name_field():
    return StringField(
        _("Last name"),
        [
            Required(_("Type your last name")),
            Checked(lambda name: len(name) <= MOST, _("Type your last name as it is on your card")),
        ],
        description=_("As it is on your card."),
        render_kw={"autocomplete": "family-name", "maxlength": MOST},
    )


def born_field():
    return MemorableDate(
        _("Date of birth"),
        missing=_("Type your date of birth"),
        wrong=_("Check your date of birth: month, day and year, like 4 28 1950"),
        description=_("For example: 4 28 1950"),
        autocomplete="bday",
    )


def new_password_field(label, *validators):
    return PasswordField(
        label,
        validators,
        description=_("8 or more characters of any kind. Long is good: three or four words are hard to guess."),
        render_kw={"autocomplete": "new-password"},
    )


def once_more_field(label, *validators):
    return PasswordField(label, validators, render_kw={"autocomplete": "new-password"})


def current_password_field(label):
    return PasswordField(label, [Required(_("Type your password"))], render_kw={"autocomplete": "current-password"})


def question_field(**options):
    return SelectField(
        _("Secret question"),
        [Checked(QUESTIONS.get, _("Choose a secret question"))],
        choices=[SelectChoice(key, words) for key, words in (NO_QUESTION | QUESTIONS).items()],
        validate_choice=False,
        **options,
    )


def new_answer_field(description):
    return StringField(
        _("Your answer"),
        [
            Required(_("Type your answer")),
            Checked(is_long_enough, _("Type a longer answer: 3 letters or more")),
        ],
        description=description,
        render_kw={"autocomplete": "off", "maxlength": MOST},
    )


def email_field(label, *validators, description, autocomplete="email"):
    attributes = {"autocomplete": autocomplete, "maxlength": 254, "spellcheck": "false"}
    return EmailField(label, validators, description=description, render_kw=attributes)


def email_address(typed):
    """An e-mail address as it is kept; None: it is none.  No name server is asked."""
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        return None
