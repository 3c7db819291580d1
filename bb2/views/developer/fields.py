"""Which fields do the developers' own pages share, and what may stand in them?"""

import re

from wtforms import PasswordField, StringField

from bb2.developers.accounts import MOST_EMAIL, MOST_NAME
from bb2.views.fields import email_address, email_field
from bb2.views.forms import Checked, Form, Required
from bb2.views.new_password import TypedTwice

LOOKS_LIKE = "Check the e-mail address: it looks like name@example.com"


def plain_line(text):
    """A line that can be shown: printable, with single spaces."""
    return " ".join(text.split())


def line_field(label, missing, autocomplete, description=""):
    checks = [
        Required(missing),
        Checked(lambda text: len(text) <= MOST_NAME, f"Type at most {MOST_NAME} characters"),
        Checked(lambda text: plain_line(text).isprintable(), "Type it without control characters"),
    ]
    attributes = {"autocomplete": autocomplete, "maxlength": MOST_NAME}
    return StringField(label, checks, description=description, render_kw=attributes)


def name_field():
    return line_field("Your name", "Type your name", "name")


def organization_field():
    hint = "Your company, university or project. Your own name, if there is none."
    return line_field("Organization", "Type your organization", "organization", hint)


def address_field(label="E-mail address", description="For example: name@example.com", **options):
    checks = [Required("Type your e-mail address"), Checked(_is_address, LOOKS_LIKE)]
    return email_field(label, *checks, description=description, **options)


def _is_address(typed):
    return len(typed) <= MOST_EMAIL and email_address(typed)


def current_password_field(label="Your password"):
    return PasswordField(label, [Required("Type your password")], render_kw={"autocomplete": "current-password"})


def code_field(label, description):
    attributes = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "maxlength": 60}
    return StringField(label, [Required("Type a code")], description=description, render_kw=attributes)


class DeveloperPassword(TypedTwice):
    """A password that is chosen, twice; a form with more fields says in which order they stand."""

    own_refused = "Choose a password without your name, your organization, your e-mail address or our name"


class ConfirmForm(Form):
    """It is still the developer who is here."""

    current = current_password_field()


def own_words(settings, name, organization, email):
    """What a developer's password may not be made of: what somebody who knows of them tries first."""
    user, _, host = email.partition("@")
    long = (word for word in re.split(r"[\W_]+", f"{name} {organization} {host}") if len(word) > 2)
    return name, organization, email, user, "bb2", settings.site_name, *long
