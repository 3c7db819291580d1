"""What app developers are told by mail: in words of their own, by the one way that every mail goes."""

import re

import pytest

from bb2.clock import DatabaseTime
from bb2.models import DeveloperLink, Notice
from bb2.notices.developers import CLOSED, KINDS, OLD_ADDRESS
from bb2.notices.links import PATHS
from bb2.notices.post import post_of
from bb2.notices.postman import deliver
from bb2.settings import Settings
from bb2.testing import ConsentServer
from built_in import BUILT_IN
from developing import ADA, PASSWORD, SIGN_UP, add_developer, is_signed_in, send
from notices.mail_server import MailServer
from notices.mails import made, text
from reading import grade

pytestmark = pytest.mark.either_database

ALL_KINDS = {*KINDS.values(), CLOSED, OLD_ADDRESS, *(f"developer/{purpose}" for purpose in PATHS)}


def mail_of(kind, tmp_path):
    settings = Settings.read(
        {"bb2.base_url": "https://bb2.example", "bb2.scopes": "bb2:openid", "bb2.var": str(tmp_path)}, {}
    )
    purpose = kind.removeprefix("developer/")
    link = {"developer_link_id": "number", "purpose": purpose} if purpose in PATHS else {}
    return made(kind, None, ADA, settings, **link)


@pytest.mark.parametrize("kind", sorted(ALL_KINDS))
def test_every_mail_is_easy_to_read_says_why_it_comes_and_names_a_way_to_act(kind, tmp_path):
    mail = mail_of(kind, tmp_path)
    words = text(mail)
    assert "We never ask for your password by e-mail" in words
    assert "https://bb2.example/developer" in words or "1-800-633-4227" in words
    assert not re.search(r"%\(|\{\{|None|^@", words, re.MULTILINE)
    assert grade(re.sub(r"https\S+", "", words)) <= 9, words
    assert "Medicare number" not in words


def test_a_link_is_in_its_mail_and_in_no_table():
    server = ConsentServer(*BUILT_IN)
    send(server, "/developer/sign-up", **SIGN_UP)
    with server.db() as db:
        notice, link = db.query(Notice).one(), db.query(DeveloperLink).one()
        kept = [str(value) for each in (notice, link) for value in vars(each).values()]
    (mail,) = server.mails()
    proof = re.search(r"/developer/verify/\w+\.(\S+)", text(mail))[1]
    assert len(proof) >= 43
    assert not any(proof in value for value in kept)


def test_the_same_link_of_another_servers_key_opens_nothing(tmp_path):
    server = ConsentServer(*BUILT_IN)
    send(server, "/developer/sign-up", **SIGN_UP)
    another = Settings.read({"bb2.var": str(tmp_path)}, {})
    with MailServer() as mail_server:
        another.mail_url = mail_server.url
        deliver(server.engine, another, post_of(another))
        forged = re.search(r"(/developer/verify/\S+)", text(mail_server.taken[0]))[1]
    server.get(forged, status=410)


def test_from_a_mail_by_a_real_mail_server_to_signed_in(make_server):
    server = make_server()
    send(server, "/developer/sign-up", **SIGN_UP)
    with MailServer() as mail_server:
        settings = Settings.read({"bb2.mail_url": mail_server.url, "bb2.var": str(server.settings.var)}, {})
        assert deliver(server.engine, settings, post_of(settings)) == {("developer/verify", "sent"): 1}
        assert mail_server.recipients == [[ADA]]
        link = re.search(r"http://localhost:8000(/developer/verify/\S+)", text(mail_server.taken[0]))[1]
    assert send(server, link, current=PASSWORD).status_int == 303
    assert is_signed_in(server)


def test_a_notice_goes_with_its_link_and_one_to_a_refused_address_is_given_up():
    server = ConsentServer(*BUILT_IN)
    add_developer(server, "no address")
    with server.db() as db:
        db.add(Notice(kind="developer/known", developer_id=1, created_at=DatabaseTime(-1), due_at=DatabaseTime(-1)))
    assert server.mails() == []
    send(server, "/developer/sign-up", **SIGN_UP)
    with server.db() as db:
        db.query(DeveloperLink).delete()
    assert server.mails() == []
