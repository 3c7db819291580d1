"""A developer registers an app in a browser: the preview follows the form, and the focus what is wrong."""

import pytest
from sqlalchemy.orm import Session

from bb2.clock import now
from bb2.db import make_engine
from bb2.models import Developer, DeveloperSession
from bb2.oauth.secrets import hashed, new_secret
from pictures import picture

pytestmark = pytest.mark.long


@pytest.fixture
def developer(person, server):
    """Who is signed in as a developer."""
    value, engine = new_secret(), make_engine(f"sqlite:///{server.environ['VAR']}/bb2.sqlite")
    with Session(engine) as db, db.begin():
        moment = now(db)
        known = {"name": "Ada", "organization": "", "password_hash": "", "email_verified_at": moment}
        whose = Developer(email=f"{value}@example.com", created_at=moment, **known)
        seen = {"authenticated_at": moment, "created_at": moment, "seen_at": moment}
        db.add(DeveloperSession(id_hash=hashed(value), developer=whose, **seen))
    engine.dispose()
    person.context.add_cookies([{"name": "developer", "value": value, "url": server.url}])
    return person


def test_the_preview_follows_the_form_and_the_app_is_registered_changed_and_deleted(developer):
    page = developer.page
    developer.visit("/developer/apps")
    developer.press("text=Register an app")
    preview = page.frame_locator("#preview")
    page.locator("#name").fill("Pill <b>counter</b>")
    preview.get_by_role("heading", name="Share your Medicare information with Pill <b>counter</b>?").wait_for()
    page.get_by_label("No. People are not asked").check()
    preview.get_by_text("Share your personal information too?").wait_for(state="detached")
    page.locator("#preview_language").select_option("es")
    preview.get_by_text("Sus registros de salud").first.wait_for()
    assert page.get_by_role("button", name="Show the page").is_hidden()
    developer.press("button[name=save]")
    developer.press("text=Go to the page of")
    path = page.url
    page.goto(f"{path}/edit")
    page.locator("#redirect_uris").fill("foo\nhttp://elsewhere.example")
    developer.press("button[name=save]")
    assert developer.of_focused("id") == "problem"
    developer.look("app-edit-wrong")
    page.goto(f"{path}/logo")
    chosen = page.locator("#logo")
    chosen.set_input_files({"name": "large.png", "mimeType": "image/png", "buffer": b"x" * 100_001})
    assert chosen.evaluate("field => field.validationMessage").startswith("The picture has more than 100 KB")
    assert chosen.input_value() == ""
    chosen.set_input_files({"name": "face.png", "mimeType": "image/png", "buffer": picture()})
    developer.press("button[name=save]")
    page.goto(f"{path}/delete")
    page.locator("#name").fill("pill <b>counter</b>")
    developer.press("button[name=delete]")
    page.get_by_text("Your app is deleted").wait_for()
