"""What does a person type to make an account, and when is it complete?"""

import re

from email_validator import EmailNotValidError, validate_email
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation

from bb2.identity.cards import medicare_number
from bb2.identity.enrollment import Claim, is_username
from bb2.identity.passwords import why_refused
from bb2.identity.questions import QUESTIONS, is_long_enough
from bb2.views.forms import Form, MemorableDate, OneOf, Required, Ticked
from bb2.views.pages import _

ZIP = re.compile(r"([0-9]{5})([- ]?[0-9]{4})?")
MOST_NAME = 100  # characters
NEXT_YEAR = 366  # days: a card comes before what it is for begins
NO_QUESTION = {"": _("Choose a question")}
AS_TYPED = {"autocapitalize": "none", "spellcheck": "false"}


class Checked:
    """What was typed passes a check; if not, `message` is said."""

    def __init__(self, check, message):
        self.check, self.message = check, message

    def __call__(self, form, field):
        if not self.check(field.data.strip()):
            raise StopValidation(self.message)


class Information(Form):
    """Who somebody is, as it stands on their Medicare card."""

    number = StringField(
        _("Medicare number"),
        [
            Required(_("Type your Medicare number")),
            Checked(medicare_number, _("Check your Medicare number: it has 11 letters and numbers")),
        ],
        description=_("It is on the front of your card, like 1EG4-TE5-MK73."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    last_name = StringField(
        _("Last name"),
        [
            Required(_("Type your last name")),
            Checked(lambda name: len(name) <= MOST_NAME, _("Type your last name as it is on your card")),
        ],
        render_kw={"autocomplete": "family-name"},
    )
    born = MemorableDate(
        _("Date of birth"),
        missing=_("Type your date of birth"),
        wrong=_("Check your date of birth: month, day and year, like 4 28 1950"),
        description=_("For example: 4 28 1950"),
        autocomplete="bday",
    )
    sex = OneOf(
        _("Sex, as Medicare has it"),
        missing=_("Choose female or male"),
        choices=[("female", _("Female")), ("male", _("Male"))],
    )
    zip = StringField(
        _("ZIP code"),
        [
            Required(_("Type your ZIP code")),
            Checked(ZIP.fullmatch, _("Check your ZIP code: it has five numbers")),
        ],
        description=_("The five numbers of the place where you live."),
        render_kw={"autocomplete": "postal-code", "inputmode": "numeric", "maxlength": 10},
    )
    started = MemorableDate(
        _("Start date of Part A or Part B"),
        missing=_("Type the start date of Part A or Part B"),
        wrong=_("Check the start date: month, day and year, like 3 1 2016"),
        description=_(
            "Type one of the dates under “Coverage starts” on your card, also if you no longer have that plan."
        ),
        ahead=NEXT_YEAR,
    )
    mine = BooleanField(
        _("I am the person that this information is about."),
        [Ticked(_("Check the box to say that you are this person"))],
    )
    agreed = BooleanField(
        _("I agree that it is compared with my Medicare record, to find out who I am."),
        [Ticked(_("Check the box to say that you agree"))],
    )

    @property
    def claim(self):
        """What is compared with the records."""
        number = medicare_number(self.number.data)
        return Claim(number, self.last_name.data, self.born.data, self.sex.data, self.started.data)

    @property
    def typed(self):
        """What is kept, {field: text}."""
        texts = {name: self[name].data.strip() for name in ("number", "last_name", "sex")}
        days = {name: self[name].data.isoformat() for name in ("born", "started")}
        return texts | days | {"zip": ZIP.fullmatch(self.zip.data.strip())[1]}


def _is_email(typed):
    try:
        return bool(validate_email(typed, check_deliverability=False))
    except EmailNotValidError:
        return False


class Credentials(Form):
    """How somebody will sign in.  `own_words`: what must not be in their password."""

    own_words = ()

    username = StringField(
        _("User name"),
        [
            Required(_("Type a user name")),
            Checked(
                is_username,
                _("Choose another user name: 6 letters or more, without your Medicare or Social Security number"),
            ),
        ],
        description=_(
            "6 or more letters or numbers; it may have dots, dashes and underscores. At least one letter. "
            "Capital letters do not matter."
        ),
        render_kw={"autocomplete": "username", **AS_TYPED},
    )
    password = PasswordField(
        _("Password"),
        description=_("8 or more characters of any kind. Long is good: three or four words are hard to guess."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(_("Password, once more"), render_kw={"autocomplete": "new-password"})
    question = SelectField(
        _("Secret question"),
        choices=[SelectChoice(key, words) for key, words in (NO_QUESTION | QUESTIONS).items()],
        description=_("We ask it if you forget your password."),
        validate_choice=False,
    )
    answer = StringField(
        _("Your answer"),
        [
            Required(_("Type your answer")),
            Checked(is_long_enough, _("Type a longer answer: 3 letters or more")),
        ],
        description=_("Capitals, spaces and accents do not matter."),
        render_kw={"autocomplete": "off"},
    )
    email = EmailField(
        _("E-mail address (optional)"),
        description=_("We write to it when something changes, never with your health information."),
        render_kw={"autocomplete": "email"},
    )

    def validate_password(self, field):
        if reason := why_refused(field.data or "", self.username.data, *self.own_words):
            raise StopValidation(reason)

    def validate_again(self, field):
        if field.data != self.password.data:
            raise StopValidation(_("Type the same password twice"))

    def validate_question(self, field):
        if field.data not in QUESTIONS:
            raise StopValidation(_("Choose a secret question"))

    def validate_email(self, field):
        if (field.data or "").strip() and not _is_email(field.data.strip()):
            raise StopValidation(_("Check your e-mail address, or leave it out"))

    @property
    def address(self):
        """The e-mail address, or None."""
        typed = (self.email.data or "").strip()
        return validate_email(typed, check_deliverability=False).normalized if typed else None

    @property
    def typed(self):
        """What is kept when the person goes back: neither the password nor the answer."""
        return {name: (self[name].data or "")[:MOST_NAME] for name in ("username", "question", "email")}
