"""A developer with an account, and the steps to one."""

import re
import time
from functools import cache

import pyotp
from argon2 import PasswordHasher
from sqlalchemy import select

from bb2.clock import now
from bb2.models import AuditEvent, Developer, DeveloperSession
from bb2.oauth.secrets import hashed, new_secret

CSRF_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
ADA = "ada@example.com"
PASSWORD = "glacier tuba 49 mitten"
SIGN_UP = {"name": "Ada Byron", "organization": "Engine Works", "email": ADA, "password": PASSWORD}


@cache
def _password_hash():
    """Argon2id too, but quick to verify: nothing here needs guarding."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def add_developer(server, email=ADA, **facts):
    """A Developer whose address is verified, with PASSWORD.  Returns the row."""
    with server.db() as db:
        about = {"name": "Ada Byron", "organization": "Engine Works", "created_at": now(db)}
        about |= {"password_hash": _password_hash(), "email_verified_at": now(db)}
        developer = Developer(email=email, **about | facts)
        db.add(developer)
    return developer


def developer_of(server, email=ADA, **facts):
    """The same, signed in in the server's browser; a beneficiary who is signed in there stays so.  Returns the row.

    How that is done on a page is what `signs_in` shows; here it takes none.
    """
    developer, cookie = add_developer(server, email, **facts), new_secret()
    with server.db() as db:
        times = dict.fromkeys(("created_at", "seen_at", "authenticated_at"), now(db))
        db.add(DeveloperSession(id_hash=hashed(cookie), developer_id=developer.id, **times))
    server.set_cookie("developer", cookie)
    _noted(server)
    return developer


def signs_in(server, email=ADA, password=PASSWORD, next="", **how):
    """The answer to e-mail address and password."""
    typed = {"email": email, "password": password} | ({"next": next} if next else {})
    answer = send(server, "/developer/sign-in", **how, **typed)
    _noted(server)
    return answer


def _noted(server):
    """The beneficiary who is signed in is so still, with another cookie beside."""
    if server.signed_in:
        server.signed_in = server.signed_in[0], dict(server.cookies)


def send(server, path, status="*", button=None, **typed):
    """The answer to the form of a page, with what is typed into it; `button`: (name, value)."""
    page = server.get(path)
    (token, *_others) = CSRF_TOKEN.findall(page.text)
    typed |= {"csrf_token": token} | (dict([button]) if button else {})
    return server.post(path, typed, status=status)


def mailed_link(server, which=-1):
    """The path of the link in a mail to a developer that is sent now; None where there is none."""
    mails = server.mails()
    found = re.search(r"http://localhost(/developer/\S+\.\S+)", words(mails[which])) if mails else None
    return found and found[1]


def words(mail):
    return mail.get_body(("plain",)).get_content()


def is_signed_in(server):
    return server.get("/developer/account", status="*").status_int == 200


def events(server, *names):
    """[(event, details)] of the trail about developers, or of these names only."""
    with server.db() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.event.like("developer.%")).order_by(AuditEvent.id))
        return [(row.event, row.details) for row in rows if not names or row.event in names]


def row(server, email=ADA):
    with server.db() as db:
        return db.scalars(select(Developer).where(Developer.email == email)).one_or_none()


def printed_link(running_server, purpose, to=ADA):
    """The last link of this purpose in the mails to somebody that a RunningServer prints, which takes seconds."""
    link = re.compile(rf"{re.escape(to)}: [^/]*?\S+(/developer/{purpose}/\S+\.\S+)")
    for _ in range(100):
        if found := link.findall(running_server.log.read_text("utf-8")):
            return found[-1]
        time.sleep(0.1)
    raise AssertionError(f"no mail with a link to {purpose} was printed")


def key_on(page):
    return page.html.find("code", class_="copy").text.replace(" ", "")


def code(server, key, steps=0):
    """The code that an app shows, by the database's clock, so many steps later."""
    with server.db() as db:
        return pyotp.TOTP(key).at(int(now(db).timestamp()) + 30 * steps)


def with_authenticator(server, **facts):
    """A developer with an app, signed in.  Returns its key and their recovery codes."""
    developer_of(server, **facts)
    key = key_on(server.get("/developer/account/authenticator"))
    done = send(server, "/developer/account/authenticator", code=code(server, key), current=PASSWORD)
    return key, done.html.find("pre", class_="codes").text.split()


def subjects(server):
    return [mail["Subject"] for mail in server.mails()]


def count(server, model):
    with server.db() as db:
        return db.query(model).count()
