"""What is a person told by mail, and of what not?"""

import re

import pytest
from sqlalchemy import func, select, true, update
from sqlalchemy.orm import Session

from bb2 import audit
from bb2.clock import DatabaseTime
from bb2.models import Beneficiary, Client, Consent, Notice
from bb2.notices import KINDS, MOST_ADDRESSES, TOLD
from bb2.notices.ends import write_ends
from bb2.oauth import consents
from bb2.testing import ALICE, ConsentServer, answer_of, consent_form
from built_in import BUILT_IN
from notices.mails import ADDRESS, at_once, happens, signs_in, subjects, text, waiting, with_address
from test_sign_in import sign_in


def test_an_app_that_is_connected_and_one_that_is_disconnected_are_told_of(server):
    token = server.grant()
    (connected,) = server.mails()
    assert connected["Subject"] == "The App can now get your Medicare information"
    assert connected["To"] == ADDRESS
    assert re.search(r"Its access ends on \w+ \d+, 20\d\d\.", text(connected))
    end(server, "beneficiary")
    (ended,) = server.mails()
    assert ended["Subject"] == "The App no longer has access"
    assert "You stopped sharing with The App" in text(ended)
    server.api("connect/userinfo", token, status=401)
    assert server.mails() == []


def end(server, by):
    with server.db() as db:
        consent = db.scalars(select(Consent).order_by(Consent.id.desc())).first()
        consents.lock(db, consent.beneficiary_id)
        consents.end(db, consent, by=by)


def test_an_app_that_ends_its_access_itself_is_told_of_as_such(one_server):
    token = one_server.grant()
    one_server.mails()
    credentials = {"client_id": one_server.client_id, "client_secret": one_server.client_secret}
    one_server.post("/v2/o/revoke/", {"token": token["access_token"]} | credentials)
    (ended,) = one_server.mails()
    assert "The App ended its own access" in text(ended)
    one_server.grant()
    one_server.mails()
    end(one_server, "server")
    assert "We ended the access of The App" in text(one_server.mails()[0])


def test_an_app_that_is_connected_again_is_told_of_once(one_server):
    one_server.grant()
    one_server.grant()
    assert len(one_server.mails()) == 2


def test_one_time_access_is_told_of_as_such(one_server):
    with one_server.db() as db:
        db.execute(update(Client).values(access="one-time"))
    one_server.grant()
    assert "Its access ends after one hour." in text(one_server.mails()[0])


def test_access_without_an_end_is_told_of_as_such(one_server):
    with one_server.db() as db:
        db.execute(update(Client).values(access="research"))
    one_server.grant()
    assert "Its access goes on until you stop it." in text(one_server.mails()[0])


def test_a_no_tells_nothing_and_a_no_after_a_yes_neither(one_server):
    consent_form(one_server.consent_page()).submit("answer", value="no")
    page = one_server.consent_page()
    assert "code" in answer_of(one_server.approve(page))
    consent_form(page).submit("answer", value="no", status=409)
    assert one_server.mails() == []


@pytest.mark.parametrize("column", ["replaced_at", "expires_at"])
def test_the_end_of_what_was_over_already_is_not_told(one_server, column):
    one_server.grant()
    with one_server.db() as db:
        db.execute(update(Consent).values({column: DatabaseTime(-60)}))
    one_server.mails()
    end(one_server, "client")
    assert one_server.mails() == []


def test_whoever_gave_no_address_is_told_nothing(one_server):
    one_server.grant(username="bob")
    assert (waiting(one_server), one_server.mails()) == (0, [])


def test_what_was_rolled_back_is_not_told(server):
    with Session(server.engine) as db:
        audit.record(db, "account.signed_in", beneficiary_id=1, new_browser=True)
        db.flush()
        assert db.scalar(select(func.count()).select_from(Notice)) == 1
        db.rollback()
    assert waiting(server) == 0


def test_a_sign_in_is_told_of_only_in_a_new_browser(one_server):
    signs_in(one_server, new_browser=None)
    signs_in(one_server, new_browser=False)
    assert one_server.mails() == []
    signs_in(one_server)
    (mail,) = one_server.mails()
    assert mail["Subject"] == "New sign-in to your Blue Button account"
    assert "http://localhost/account\n" in text(mail)


def test_who_signs_in_is_told_of_the_first_time_in_a_browser():
    server = ConsentServer(*BUILT_IN)
    with_address(server, language="es")
    assert sign_in(server).status_int == 303
    (mail,) = server.mails()
    assert mail["Content-Language"] == "en"  # that of the sign-in
    assert sign_in(server).status_int == 303
    assert server.mails() == []


def test_a_recovered_account_is_told_of_once_and_each_change_of_the_keys(one_server):
    happens(one_server, "account.recovered")
    happens(one_server, "account.password_changed", by="answer")
    for event in ("account.question_changed", "passkey.added"):
        happens(one_server, event)
    happens(one_server, "account.password_changed", by="password")
    assert subjects(one_server.mails()) == [
        "Someone got back into your Blue Button account",
        "Your Blue Button secret question was changed",
        "A passkey was added to your Blue Button account",
        "Your Blue Button password was changed",
    ]


def test_a_changed_address_is_told_to_the_old_one_and_to_the_new_one(server):
    with server.db() as db:
        db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one().email = "new@mail.example"
    assert [mail["To"] for mail in server.mails()] == [ADDRESS, "new@mail.example"]
    with server.db() as db:
        db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one().email = None
    (last,) = server.mails()
    assert last["To"] == "new@mail.example"
    assert "This is the last e-mail" in text(last)
    assert waiting(server) == 0


def test_whoever_changes_the_address_again_and_again_has_not_many_people_written_to(one_server):
    with one_server.db() as db:
        alice = db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one()
        for number in range(MOST_ADDRESSES + 5):
            alice.email = f"{number}@mail.example"
            audit.record(db, "account.email_changed", beneficiary_id=alice.id)
            db.flush()
    sent = [mail["To"] for mail in one_server.mails()]
    assert sent[0] == ADDRESS
    assert 2 * MOST_ADDRESSES <= len(sent) <= 2 * MOST_ADDRESSES + 2


def test_every_event_that_is_told_of_is_one_of_the_trail():
    assert {*KINDS, *TOLD} <= {*audit.EVENTS}


def test_a_person_whose_record_is_closed_is_told_nothing_more(one_server):
    one_server.grant()
    with one_server.db() as db:
        db.execute(update(Beneficiary).values(closed_at=DatabaseTime()))
    assert (one_server.mails(), waiting(one_server)) == ([], 0)


def test_what_a_mail_says_of_the_person_is_nothing(one_server):
    one_server.grant()
    (mail,) = one_server.mails()
    whole = mail.as_string() + text(mail) + text(mail, "html")
    for what in ("Alice", "Doe", ALICE, "token", "?"):
        assert what not in whole.replace("utf-8?", "").replace("=?", ""), what
    with one_server.db() as db:
        consent = db.scalars(select(Consent)).one()
        assert f"http://localhost/connections/{consent.id}\n" in text(mail)


# Access that ends soon


def aged(server, ends_in, given_ago=300):
    """A live consent of Alice's that was given some days ago, and ends in some days."""
    server.grant()
    with server.db() as db:
        last = select(func.max(Consent.id)).scalar_subquery()
        times = {"granted_at": DatabaseTime(-given_ago * 86_400), "expires_at": DatabaseTime(ends_in * 86_400)}
        db.execute(update(Consent).where(Consent.id == last).values(times))
    server.mails()


def test_access_that_ends_within_30_days_is_told_of_once(server):
    aged(server, 31)
    assert write_ends(server.engine) == 0
    aged(server, 29)
    assert write_ends(server.engine) == 1
    assert write_ends(server.engine) == 0
    (mail,) = server.mails()
    assert mail["Subject"].startswith("The App will lose access on ")


def test_no_other_end_is_told_of(one_server):
    aged(one_server, 29)
    with one_server.db() as db:
        alice = db.scalar(select(Consent.beneficiary_id))
    for column, value in (
        (Consent.activated_at, None),
        (Consent.revoked_at, DatabaseTime()),
        (Consent.replaced_at, DatabaseTime()),
        (Consent.expires_at, None),
        (Consent.expires_at, DatabaseTime(-1)),
        (Consent.granted_at, DatabaseTime(-29 * 86_400)),
        (Client.disabled_at, DatabaseTime()),
        (Beneficiary.closed_at, DatabaseTime()),
        (Beneficiary.email, None),
    ):
        mine = Beneficiary.id == alice if column.class_ is Beneficiary else true()
        with one_server.db() as db:
            before = db.scalar(select(column).where(mine))
            db.execute(update(column.class_).where(mine).values({column: value}))
        assert write_ends(one_server.engine) == 0, column
        with one_server.db() as db:
            db.execute(update(column.class_).where(mine).values({column: before}))
    assert write_ends(one_server.engine) == 1  # which none of these is


def test_an_end_that_came_before_its_mail_is_not_told_any_more(one_server):
    aged(one_server, 29)
    write_ends(one_server.engine)
    with one_server.db() as db:
        db.execute(update(Consent).values(replaced_at=DatabaseTime()))
    assert (one_server.mails(), waiting(one_server)) == ([], 0)


def test_two_workers_that_look_at_once_tell_an_end_once(server):
    aged(server, 29)
    assert sum(at_once(lambda: write_ends(server.engine), 4)) == 1
