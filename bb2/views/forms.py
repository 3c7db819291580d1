"""What did a person type into a form, and what is wrong with it?  Drawn by templates/forms.jinja2."""

from datetime import date, timedelta

from webob.multidict import MultiDict
from wtforms import Form as WTForm
from wtforms import FormField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import StopValidation
from wtforms.widgets import CheckboxInput

from bb2.views.pages import _

DATE_PARTS = ("month", "day", "year")


class Form(WTForm):
    """The fields of one page.  Labels, hints and messages are translation strings; the template translates them.

    `Form.of(request)` has what was posted; `Form(data={…})` shows what is known already.
    """

    @classmethod
    def of(cls, request, **options):
        texts = [(name, value) for name, value in request.POST.items() if isinstance(value, str)]  # and no files
        return cls(MultiDict(texts) if request.method == "POST" else None, **options)

    @property
    def mistakes(self):
        """[(id of what is to be mended, message)], in the order of the page: the error summary."""
        return [(_id(field), messages[0]) for field in self if (messages := _messages(field))]


def _messages(field):
    return field.form_errors if isinstance(field, MemorableDate) else field.errors


def _id(field):
    """Of several inputs that make one field, the first."""
    if isinstance(field, MemorableDate):
        return next(iter(field.form)).id
    return next(iter(field)).id if isinstance(field, RadioField) else field.id


class Required:
    """The field is filled in, with more than white space; if not, nothing else is asked of it."""

    def __init__(self, message):
        self.message = message

    def __call__(self, form, field):
        if not isinstance(field.data, str) or not field.data.strip():
            field.errors[:] = []
            raise StopValidation(self.message)


class Checked:
    """What was typed passes a check; if not, `message` is said."""

    def __init__(self, check, message):
        self.check, self.message = check, message

    def __call__(self, form, field):
        if not self.check((field.data or "").strip()):
            raise StopValidation(self.message)


class Ticked:
    """The box is ticked."""

    def __init__(self, message):
        self.message = message

    def __call__(self, form, field):
        if not field.data:
            raise StopValidation(self.message)


class OneOf(RadioField):
    """One of several choices, [(value, label)]; `missing` is said when none of them was chosen."""

    def __init__(self, label, *, missing, choices, **options):
        choices = [SelectChoice(value, label) for value, label in choices]
        super().__init__(label, choices=choices, validate_choice=False, **options)
        self.missing = missing

    def pre_validate(self, form):
        if self.data not in [choice.value for choice in self.choices]:
            raise StopValidation(self.missing)


class SeveralOf(SelectMultipleField):
    """Any of several boxes, [(value, label)], or none; drawn as radios are.  What is no choice counts for nothing."""

    option_widget = CheckboxInput()

    def __init__(self, label, *, choices, **options):
        choices = [SelectChoice(value, label) for value, label in choices]
        super().__init__(label, choices=choices, validate_choice=False, **options)


class MemorableDate(FormField):
    """A date that a person knows by heart, as three fields: `.data` is a datetime.date when it is right, else None.

    `ahead`: days after today that it may lie.  `autocomplete`: what a browser may fill in, such as `bday`.
    """

    def __init__(self, label, *, missing, wrong, earliest=date(1880, 1, 1), ahead=0, autocomplete=None, **options):
        fills = {part: {"autocomplete": f"{autocomplete}-{part}"} if autocomplete else {} for part in DATE_PARTS}

        class Parts(WTForm):
            month = StringField(_("Month"), render_kw=fills["month"])
            day = StringField(_("Day"), render_kw=fills["day"])
            year = StringField(_("Year"), render_kw=fills["year"])

        super().__init__(Parts, label, **options)
        self.missing, self.wrong, self.form_errors = missing, wrong, []
        self.earliest, self.ahead = earliest, timedelta(days=ahead)

    @property
    def data(self):
        parts = [str(part.data or "").strip() for part in (self.form.year, self.form.month, self.form.day)]
        if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
            return None
        try:
            return date(*map(int, parts))
        except ValueError:
            return None

    @property
    def empty(self):
        return not any(str(part.data or "").strip() for part in self.form)

    def validate(self, form, extra_validators=()):
        self.form_errors = []
        if self.empty:
            self.form_errors = [self.missing] if self.missing else []
        elif self.data is None or not self.earliest <= self.data <= date.today() + self.ahead:
            self.form_errors = [self.wrong]
        return not self.form_errors
