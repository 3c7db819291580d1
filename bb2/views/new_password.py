"""Which new password does a person choose, and may they have it?"""

from wtforms.validators import ValidationError

from bb2.identity.passwords import OWN, why_refused
from bb2.views.fields import new_password_field, once_more_field
from bb2.views.forms import Form, Required
from bb2.views.pages import _


class TypedTwice(Form):
    """A form with a `password`, and the same `again`: without a script, nobody can look at what they typed."""

    own_refused = OWN

    def __init__(self, *arguments, own_words=(), **options):
        super().__init__(*arguments, **options)
        self.own_words = own_words  #: what the password may not be made of

    def validate_password(self, field):
        if refused := why_refused(field.data or "", *self.own_words, own_refused=self.own_refused):
            raise ValidationError(refused)

    def validate_again(self, field):
        if field.data != self.password.data:
            raise ValidationError(_("Type the same password twice"))


class PasswordForm(TypedTwice):
    """A new password in the place of another one."""

    password = new_password_field(_("New password"), Required(_("Type a new password")))
    again = once_more_field(_("New password, once more"), Required(_("Type the new password once more")))


def own_words(account):
    """What nobody's password may be made of: what somebody who knows the person tries first."""
    person = account.beneficiary
    return account.username, person.given_name, person.family_name
