"""What a page's form makes of what was typed."""

from datetime import date

from webob.multidict import MultiDict
from wtforms import StringField

from bb2.views.forms import Form, MemorableDate, OneOf, Required


class Card(Form):
    name = StringField("Last name", [Required("Type your last name")])
    born = MemorableDate("Date of birth", missing="Type your date of birth", wrong="This is not a date")
    sex = OneOf("Sex", missing="Choose one", choices=[("male", "Male"), ("female", "Female")])


def typed(name="Doe", month="2", day="3", year="1950", **others):
    return Card(MultiDict({"name": name, "born-month": month, "born-day": day, "born-year": year} | others))


def test_what_is_right_has_no_mistakes():
    form = typed(sex="male")
    assert form.validate()
    assert form.data == {"name": "Doe", "born": date(1950, 2, 3), "sex": "male"}
    assert form.mistakes == []


def test_each_mistake_is_told_once_and_leads_to_its_field():
    form = typed(" ", "2", "30")
    assert not form.validate()
    assert form.mistakes == [
        ("name", "Type your last name"),
        ("born-month", "This is not a date"),
        ("sex-0", "Choose one"),
    ]


def test_a_date_is_of_this_life():
    for parts in (("2", "3", "0050"), ("2", "3", "2999"), ("2", "3", "50x"), ("13", "1", "1950"), ("²", "3", "1950")):
        form = typed("Doe", *parts, sex="male")
        assert not form.validate()
        assert form.mistakes == [("born-month", "This is not a date")]
    assert not typed("Doe", "", " ", "", sex="male").validate()


def test_a_choice_that_the_form_does_not_offer_is_none():
    assert not typed(sex="other").validate()


def test_what_is_known_already_is_shown_again():
    form = Card(data={"name": "Doe", "born": date(1950, 2, 3)})
    assert (form.born.data, form.born.form.year.data) == (date(1950, 2, 3), 1950)
