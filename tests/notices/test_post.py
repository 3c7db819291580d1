"""Does each mail leave, once, by a server that is known, whatever that server does?"""

import logging
import time

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from bb2 import cli
from bb2.clock import DatabaseTime
from bb2.models import Notice
from bb2.notices import outbox
from bb2.notices.letters import letter
from bb2.notices.post import Refused, SmtpPost, TryLater, Unreachable, post_of
from bb2.notices.postman import Postman, deliver
from bb2.settings import SettingError, Settings
from bb2.sweep import sweep
from bb2.testing import KeptPost
from notices.mail_server import SECRET, USER, MailServer
from notices.mails import ADDRESS, at_once, due, made, signs_in, subjects, told, waiting
from papers import certificate, write


def settings_of(mail_server, **settings):
    named = {f"bb2.{name}": str(value) for name, value in settings.items()}
    return Settings.read({"bb2.mail_url": mail_server.url} | named, {})


def send(mail_server, address=ADDRESS, **settings):
    """Send one mail to that server."""
    settings = settings_of(mail_server, **settings)
    with post_of(settings) as post:
        post.send(made("connected"), address)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """{name: PEM file}: two authorities, and what the first has signed."""
    folder = tmp_path_factory.mktemp("papers")
    ours, theirs = certificate("ours.example", authority=True), certificate("theirs.example", authority=True)
    here, there = certificate("127.0.0.1", ours), certificate("elsewhere.example", ours)
    pairs = {"ca": ours, "another_ca": theirs, "here": here, "there": there}
    (folder / "credentials").write_text(f"{USER}\n{SECRET}\n")
    (folder / "wrong").write_text(f"{USER}\nanother\n")
    files = {name: write(folder, f"{name}.pem", pair) for name, pair in pairs.items()}
    return files | {name: folder / name for name in ("credentials", "wrong")}


def test_a_mail_server_on_this_machine_gets_many_mails_over_one_connection(one_server):
    for _ in range(3):
        signs_in(one_server)
    with MailServer() as mail_server:
        settings = settings_of(mail_server)
        assert deliver(one_server.engine, settings, post_of(settings)) == {("signed_in", "sent"): 3}
        assert subjects(mail_server.taken) == ["New sign-in to your Blue Button account"] * 3
        assert mail_server.recipients == [[ADDRESS]] * 3
        assert len({mail["Message-ID"] for mail in mail_server.taken}) == 3
    assert waiting(one_server) == 0
    assert told(one_server) == [("notice.sent", "signed_in")] * 3


@pytest.mark.parametrize("smtps", [False, True], ids=["starttls", "smtps"])
def test_a_server_that_is_known_and_knows_us_gets_mail_over_tls(papers, smtps):
    with MailServer(papers=papers["here"], smtps=smtps) as mail_server:
        send(mail_server, mail_credentials=papers["credentials"], mail_ca=papers["ca"])
        assert len(mail_server.taken) == 1
        for wrong, named in (
            ({"mail_credentials": papers["wrong"]}, "SMTPAuthenticationError 535"),
            ({"mail_ca": papers["another_ca"]}, "SSLCertVerificationError"),
        ):
            with pytest.raises(Unreachable, match=named):
                send(mail_server, **{"mail_credentials": papers["credentials"], "mail_ca": papers["ca"]} | wrong)
    with MailServer(papers=papers["there"], smtps=smtps) as mail_server:
        with pytest.raises(Unreachable, match="SSLCertVerificationError"):
            send(mail_server, mail_credentials=papers["credentials"], mail_ca=papers["ca"])
        assert mail_server.taken == []


def test_a_server_that_offers_no_tls_never_hears_the_password(papers):
    with MailServer() as mail_server, pytest.raises(Unreachable, match="SMTPNotSupportedError"):
        send(mail_server, mail_credentials=papers["credentials"], mail_ca=papers["ca"])
    assert SmtpPost("smtp://mail.example", "a@b.example").tls is not None


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ({"RCPT": "550 5.1.1 alice@mail.example is unknown"}, Refused),
        ({"RCPT": "450 4.2.1 alice@mail.example later"}, TryLater),
        ({"DATA": "554 5.6.0 spam"}, Refused),
        ({"DATA": "452 4.3.1 full"}, TryLater),
        ({"RCPT": None}, Unreachable),
        ({"DATA": None}, Unreachable),
    ],
)
def test_what_the_server_says_decides_and_is_not_repeated(says, error):
    with MailServer(says) as mail_server:
        with pytest.raises(error) as refused:
            send(mail_server)
        assert "alice" not in str(refused.value)
        mail_server.says.clear()
        send(mail_server)
        assert len(mail_server.taken) == 1


def test_an_address_that_the_server_cannot_write_is_refused():
    with MailServer() as mail_server, pytest.raises(Refused):
        send(mail_server, address="josé@mail.example")


def test_a_mail_that_is_refused_for_good_is_not_repeated_and_keeps_no_other_back(one_server, caplog):
    with MailServer({"RCPT": f"550 {ADDRESS} is unknown"}) as mail_server:
        signs_in(one_server)
        signs_in(one_server)
        settings = settings_of(mail_server)
        done = deliver(one_server.engine, settings, post_of(settings))
        assert done == {("signed_in", "refused"): 2}
    assert waiting(one_server) == 0
    assert told(one_server) == [("notice.failed", "signed_in")] * 2
    assert ADDRESS not in caplog.text


def test_a_mail_that_must_wait_is_tried_again_with_growing_pauses_for_four_days(server):
    signs_in(server)
    pauses = []
    with MailServer({"DATA": "451 later"}) as mail_server:
        settings = settings_of(mail_server)
        for _ in range(7):
            assert deliver(server.engine, settings, post_of(settings)) == {("signed_in", "put off"): 1}
            assert deliver(server.engine, settings, post_of(settings)) == {}
            with server.db() as db:
                due_at, moment = db.execute(select(Notice.due_at, DatabaseTime())).one()
                pauses.append(round((due_at - moment).total_seconds(), -1))
            due(server)
        assert pauses == [60, 300, 900, 3600, 14400, 14400, 14400]
        with server.db() as db:
            db.execute(update(Notice).values(created_at=DatabaseTime(-outbox.GIVEN_UP - 1)))
        assert deliver(server.engine, settings, post_of(settings)) == {("signed_in", "given up"): 1}
    assert waiting(server) == 0
    assert told(server) == [("notice.failed", "signed_in")]


def test_while_the_server_is_away_or_does_not_know_us_every_mail_waits(one_server, papers):
    for _ in range(2):
        signs_in(one_server)
    with MailServer() as gone:
        settings = settings_of(gone)
    with pytest.raises(Unreachable, match="ConnectionRefusedError"):
        deliver(one_server.engine, settings, post_of(settings))
    assert waiting(one_server) == 2
    due(one_server)
    assert len(one_server.mails()) == 2


def test_a_worker_that_dies_leaves_its_mail_to_another_which_may_send_it_twice(server):
    signs_in(server)
    mail = outbox.facts(server.engine, outbox.take(server.engine))
    first = letter(mail, ADDRESS, server.settings)
    assert server.mails() == []
    due(server)
    (again,) = server.mails()
    assert again["Message-ID"] == first["Message-ID"]


def test_workers_that_send_at_once_send_each_mail_once(server):
    for _ in range(8):
        signs_in(server)
    posts = [KeptPost() for _ in range(4)]
    free = iter(posts)
    at_once(lambda: deliver(server.engine, server.settings, next(free)), len(posts))
    sent = [mail["Message-ID"] for post in posts for mail in post.sent]
    assert len(sent) == len(set(sent)) == 8
    assert waiting(server) == 0


def test_a_running_server_sends_within_seconds_and_outlives_what_fails(one_server, caplog):
    caplog.set_level(logging.INFO, "bb2.notices")
    with MailServer() as mail_server:
        settings = settings_of(mail_server)
        postman = Postman(one_server.engine, settings, post_of(settings), every=0.02, ends_first=0)
        with one_server.db() as db:
            db.add(Notice(kind="unheard of", beneficiary_id=1, created_at=DatabaseTime(), due_at=DatabaseTime()))
        thread = postman.start()
        signs_in(one_server)
        for _ in range(6000):  # a minute, where a machine is slow
            if mail_server.taken:
                break
            time.sleep(0.01)
        postman.stop()
        thread.join(60)
    assert not thread.is_alive()
    assert subjects(mail_server.taken) == ["New sign-in to your Blue Button account"]
    assert "a mail (unheard of) could not be written: TemplateNotFound" in caplog.text
    assert ADDRESS not in caplog.text


def test_mails_that_nobody_sends_are_swept_after_a_week(one_server):
    for _ in range(2):
        signs_in(one_server)
    with one_server.db() as db:
        first = select(func.min(Notice.id)).scalar_subquery()
        db.execute(update(Notice).where(Notice.id == first).values(created_at=DatabaseTime(-8 * 86_400)))
    assert sweep(one_server.engine, one_server.settings)["notice"] == 1


# Settings


def test_without_a_mail_server_only_a_developers_own_sandbox_has_a_post(capsys):
    public = {"bb2.base_url": "https://bb2.example", "bb2.scopes": "bb2:openid"}
    assert post_of(Settings.read(public, {})) is None
    assert post_of(Settings.read(public | {"bb2.sandbox": "true"}, {})) is None
    with post_of(Settings.read({}, {})) as post:
        post.send(made("connected"), ADDRESS)
    assert "The App can now get your Medicare information" in capsys.readouterr().out


def test_the_server_can_be_tried_by_a_command(tmp_path):
    with MailServer({"RCPT": "550 no"}) as mail_server:
        environ = {"VAR": str(tmp_path), "BB2_MAIL_URL": mail_server.url}
        command = ["mail", "test", "--to", ADDRESS, "--language", "es"]
        refused = CliRunner(env=environ).invoke(cli.command, command)
        assert "Error: the mail server did not take it: SMTPRecipientsRefused 550" in refused.output
        mail_server.says.clear()
        sent = CliRunner(env=environ).invoke(cli.command, command)
        assert (sent.exit_code, sent.output) == (0, "The mail server took it.\n")
        assert subjects(mail_server.taken) == ["El correo electrónico de Blue Button funciona"]
    wrong = CliRunner(env=environ).invoke(cli.command, [*command[:3], "a@b, c@d"])
    assert "Error: a@b, c@d is not one address" in wrong.output
    public = {"VAR": str(tmp_path), "BB2_BASE_URL": "https://bb2.example", "BB2_SCOPES": "bb2:openid"}
    unset = CliRunner(env=public).invoke(cli.command, command)
    assert "Error: no mail is sent: bb2.mail_url is not set" in unset.output


def test_files_that_cannot_be_used_stop_the_start(tmp_path):
    (tmp_path / "one").write_text("only a name\n")
    for setting, file in (("mail_credentials", "one"), ("mail_credentials", "none"), ("mail_ca", "none")):
        settings = {"bb2.mail_url": "smtps://mail.example", f"bb2.{setting}": str(tmp_path / file)}
        with pytest.raises(SettingError, match=f"bb2.{setting}"):
            post_of(Settings.read(settings, {}))


@pytest.mark.parametrize(
    "url", ["http://mail.example", "smtp://", "smtp://me:hunter2@mail.example", "smtp://h:0", "smtp://h:x"]
)
def test_a_mail_server_is_named_without_a_password(url):
    with pytest.raises(SettingError, match=r"bb2\.mail_url") as refused:
        Settings.read({"bb2.mail_url": url}, {})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("address", ["bb2", "a@b, c@d", "BB <a@b.example>", "a@b.example\nBcc: x@y"])
def test_what_is_no_address_cannot_be_the_sender(address):
    with pytest.raises(SettingError, match=r"bb2\.mail_from"):
        Settings.read({"bb2.mail_from": address}, {})
