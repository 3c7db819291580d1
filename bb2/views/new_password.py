"""Which new password does a person choose, and may they have it?"""

from wtforms import PasswordField
from wtforms.validators import ValidationError

from bb2.identity.passwords import why_refused
from bb2.views.forms import Form, Required
from bb2.views.pages import _


class PasswordForm(Form):
    """A new password, typed twice: without a script, nobody can look at what they typed."""

    password = PasswordField(
        _("New password"),
        [Required(_("Type a new password"))],
        description=_("8 or more characters of any kind. Long is good: three or four words are hard to guess."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _("New password, once more"),
        [Required(_("Type the new password once more"))],
        render_kw={"autocomplete": "new-password"},
    )

    def __init__(self, *arguments, own_words=(), **options):
        super().__init__(*arguments, **options)
        self.own_words = own_words

    def validate_password(self, field):
        if refused := why_refused(field.data, *self.own_words):
            raise ValidationError(refused)

    def validate_again(self, field):
        if field.data != self.password.data:
            raise ValidationError(_("Type the same password twice"))


def own_words(account):
    """What nobody's password may be made of: what somebody who knows the person tries first."""
    person = account.beneficiary
    return account.username, person.given_name, person.family_name
