"""What does a person type to make an account, and when is it complete?"""

import re

from wtforms import BooleanField, StringField
from wtforms.validators import StopValidation

from bb2.identity.cards import medicare_number
from bb2.identity.enrollment import Claim, is_username
from bb2.views.fields import (
    MOST,
    born_field,
    email_address,
    email_field,
    last_name_field,
    medicare_number_field,
    new_answer_field,
    new_password_field,
    once_more_field,
    question_field,
)
from bb2.views.forms import Checked, Form, MemorableDate, OneOf, Required, Ticked
from bb2.views.new_password import TypedTwice
from bb2.views.pages import _

ZIP = re.compile(r"([0-9]{5})([- ]?[0-9]{4})?")
NEXT_YEAR = 366  # days: a card comes before what it is for begins
AS_TYPED = {"autocapitalize": "none", "spellcheck": "false"}


class Information(Form):
    """Who somebody is, as it stands on their Medicare card."""

    number = medicare_number_field()
    last_name = last_name_field()
    born = born_field()
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


class Credentials(TypedTwice):
    """How somebody will sign in."""

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
    password = new_password_field(_("Password"))
    again = once_more_field(_("Password, once more"))
    question = question_field(description=_("We ask it if you forget your password."))
    answer = new_answer_field(_("Capitals, spaces and accents do not matter."))
    email = email_field(
        _("E-mail address (optional)"),
        description=_("We write to it when something changes, never with your health information."),
    )

    def validate_email(self, field):
        if (field.data or "").strip() and email_address(field.data) is None:
            raise StopValidation(_("Check your e-mail address, or leave it out"))

    @property
    def address(self):
        """The e-mail address, or None."""
        return email_address(self.email.data or "")

    @property
    def typed(self):
        """What is kept when the person goes back: neither the password nor the answer."""
        return {name: (self[name].data or "")[:MOST] for name in ("username", "question", "email")}
