"""Alice's mails: what brings them, and what is looked for in them."""

import threading
from email import message_from_bytes
from email.policy import SMTP
from types import SimpleNamespace

from sqlalchemy import func, select, update

from bb2 import audit
from bb2.clock import DatabaseTime, utcnow
from bb2.models import AuditEvent, Beneficiary, Notice
from bb2.notices.letters import letter
from bb2.settings import Settings
from bb2.testing import ALICE

ADDRESS = "alice@mail.example"
PUBLIC = Settings.read({"bb2.base_url": "https://bb2.example", "bb2.scopes": "bb2:openid"}, {})


def with_address(server, address=ADDRESS, language=None):
    """Alice has an address; of that nothing waits."""
    with server.db() as db:
        alice = db.scalars(select(Beneficiary).where(Beneficiary.patient == ALICE)).one()
        alice.email, alice.language = address, language
    server.mails()
    return alice.id


def happens(server, event, **details):
    """An event of Alice's is in the trail."""
    with server.db() as db:
        alice = db.scalar(select(Beneficiary.id).where(Beneficiary.patient == ALICE))
        audit.record(db, event, beneficiary_id=alice, **details)


def signs_in(server, **details):
    """Alice's sign-in is in the trail; of a new browser, she is told."""
    happens(server, "account.signed_in", **{"new_browser": True} | details)


def waiting(server):
    with server.db() as db:
        return db.scalar(select(func.count()).select_from(Notice))


def due(server):
    """Let the time go by until the mails that were put off are tried again."""
    with server.db() as db:
        db.execute(update(Notice).values(due_at=DatabaseTime(-1)))


def told(server):
    """{(event, kind)}: what the trail has of mails."""
    with server.db() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.event.like("notice.%")).order_by(AuditEvent.id))
        return [(row.event, row.details["kind"]) for row in rows][1:]  # but for the address


def subjects(mails):
    return [mail["Subject"] for mail in mails]


def text(mail, kind="plain"):
    """The mail's words, as they are read."""
    return mail.get_body((kind,)).get_content()


def made(kind, language="en", address=ADDRESS, settings=PUBLIC, **facts):
    """A mail that tells something made up, as a program reads it that has got it."""
    moment = utcnow()
    told = {"id": 1, "kind": kind, "language": language, "created_at": moment, "granted_at": moment}
    told |= {"consent_id": 7, "app": "The App", "client_id": "app", "access": "ongoing", "expires_at": moment}
    mail = SimpleNamespace(**told | {"revoked_by": "beneficiary"} | facts)
    return message_from_bytes(letter(mail, address, settings).as_bytes(), policy=SMTP)


def at_once(act, workers):
    """What each of some threads got that did the same at the same time."""
    got, barrier = [], threading.Barrier(workers)

    def run():
        barrier.wait()
        got.append(act())

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got
