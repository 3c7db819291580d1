"""A person with a Medicare card and no account, and the steps to one."""

from bb2.testing import ALICE

CAROL, DAVE = "-2001", "-2002"
NUMBER = "1SG4TE5MK73"
SECRET = "marigold tea 7"
#: Settings of a server whose records are in another one, which nobody reaches.
ELSEWHERE = {"bb2.fhir_source": "upstream", "bb2.upstream_v2": "http://127.0.0.1:9/fhir"}


def person(id=CAROL, number=NUMBER, **changes):
    """A Patient of version 2, as CMS writes it."""
    kind = {"coding": [{"code": "MC", "display": "Patient's Medicare number"}]}
    return {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"type": kind, "system": "http://hl7.org/fhir/sid/us-mbi", "value": number}],
        "name": [{"family": "Núñez-O'Hara Jr.", "given": ["Carol"]}],
        "birthDate": "1950-04-28",
        "gender": "female",
        "address": [{"postalCode": "770091234", "state": "TX"}],
    } | changes


def coverage(part, start, id=CAROL, **changes):
    return {
        "resourceType": "Coverage",
        "id": f"part-{part.lower()}-{id}",
        "status": "active",
        "beneficiary": {"reference": f"Patient/{id}"},
        "class": [{"value": "Medicare"}, {"value": f"Part {part}"}],
        "period": {"start": start, "end": "2020-01-31"},
    } | changes


RECORDS = {
    "v2": [
        person(),
        coverage("A", "2015-04-01"),
        coverage("B", "2016-07-01"),
        coverage("D", "2017-01-01"),
        person(ALICE, "2SG4TE5MK73"),
        coverage("A", "2015-04-01", ALICE),
    ]
}
TYPED = {
    "number": NUMBER,
    "last_name": "Nunez O’Hara",
    "born-month": "4",
    "born-day": "28",
    "born-year": "1950",
    "sex": "female",
    "zip": "77009",
    "started-month": "04",
    "started-day": "01",
    "started-year": "2015",
    "mine": True,
    "agreed": True,
}
CHOSEN = {
    "username": "Carol.Blue",
    "password": SECRET,
    "again": SECRET,
    "question": "first-pet",
    "answer": "Rex the 2nd",
    "email": "carol@Example.com",
}


def fill(page, **values):
    form = page.forms[0]
    for name, value in values.items():
        form[name] = value
    return form


def inform(server, status=303, path="/account/create", **changes):
    """What follows when somebody types who they are."""
    answer = fill(server.get(path), **TYPED | changes).submit(status=status)
    return answer.follow() if status == 303 else answer


def credentials(server, **changes):
    """The page on which a user name is chosen."""
    return inform(server, **changes).forms[0].submit().follow().forms[0].submit().follow()


def create(server, status=303, **changes):
    return fill(credentials(server), **CHOSEN | changes).submit("go", value="on", status=status)


def forgot(server, **changes):
    """The answer to the page on which somebody with trouble signing in says who they are."""
    form = next(form for form in server.get("/sign-in/trouble").forms.values() if "suffix" in form.fields)
    for name, value in (TYPED | changes).items():
        if name in form.fields:
            form[name] = value
    return form.submit(status="*")


def answer(page, text):
    """The answer to a secret answer."""
    form = next(form for form in page.forms.values() if "answer" in form.fields)
    form["answer"] = text
    return form.submit(status="*")
