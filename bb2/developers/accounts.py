"""Who is a developer here?  How an account is made, found, changed and closed; no HTTP.

An address is somebody's once they have shown that they read its mail.  Until then whoever signs up with it anew takes
the place of who did before: and as the mailed link opens only together with the password that was chosen, nobody
confirms what a stranger has typed in their name.
"""

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from bb2.clock import now
from bb2.developers import links, second_factor
from bb2.developers.sessions import end_sessions
from bb2.models import Client, Developer, DeveloperLink, Notice
from bb2.oauth.client_ends import delete_client

MOST_NAME = 100  #: characters of a name, and of an organization's
MOST_EMAIL = 254  #: characters (RFC 5321, 4.5.3.1.3, without the brackets)


def plain(email):
    """An address as it is kept: case and white space around it do not count."""
    return email.strip().lower()


def find(db, email):
    """The Developer with this address, verified or not; None: there is none."""
    email = plain(email)
    return db.scalars(select(Developer).where(Developer.email == email)).one_or_none() if "\x00" not in email else None


def lock(db, developer_id):
    """The Developer as they are now, whom nobody else changes in this transaction; None where the account is closed."""
    found = db.get(Developer, developer_id, with_for_update=True, populate_existing=True)
    return found if found and found.closed_at is None else None


def sign_up(db, *, email, name, organization, password_hash):
    """The Developer who signs up, not yet verified; None where the address belongs to somebody."""
    about = {"name": name, "organization": organization, "password_hash": password_hash}
    found = find(db, email)
    if found is None:
        found = Developer(email=plain(email), created_at=now(db), **about)
        try:
            with db.begin_nested():
                db.add(found)
        except IntegrityError:  # the same form, sent twice at once
            found = find(db, email)
    found = found and lock(db, found.id)
    if found is None or found.email_verified_at:
        return None
    for column, value in about.items():
        setattr(found, column, value)
    return found


def change_password(db, developer, password_hash, but=None):
    """Sessions of the developer end, `but` the one of this hash, and so does every link that was mailed before."""
    developer.password_hash = password_hash
    links.end(db, developer)
    end_sessions(db, developer.id, but)


def change_email(db, developer, email):
    """Give them another address, which they have shown to be theirs; links to the earlier one open nothing any more.

    False where it is somebody else's by now.
    """
    known = find(db, email)
    if known is not None and known.email_verified_at is None:
        known = lock(db, known.id)  # they may be confirming it just now
    if known is not None and known.id != developer.id:
        if known.email_verified_at:
            return False
        db.delete(known)  # who signed up with it never read its mail
        db.flush()
    try:
        with db.begin_nested():
            developer.email = email
    except IntegrityError:  # somebody else took it at this moment
        return False
    links.end(db, developer)
    return True


def apps_of(db, developer):
    """The apps of a developer that are there, by name."""
    theirs = select(Client).where(Client.developer_id == developer.id, Client.deleted_at.is_(None))
    return db.scalars(theirs.order_by(Client.name)).all()


def close(db, developer):
    """Their apps are deleted, and nothing says any more who they were: the row stays, so that a number in the trail
    means one person, and the address may sign up again."""
    for app in apps_of(db, developer):
        db.refresh(app, with_for_update={"key_share": True})  # another page of theirs may be changing it
        delete_client(db, app)
    end_sessions(db, developer.id)
    second_factor.remove_all(db, developer)
    for model in Notice, DeveloperLink:  # what waits to be mailed, and what it would bring
        db.execute(delete(model).where(model.developer_id == developer.id))
    developer.closed_at, developer.email = now(db), f"closed {developer.id}"
    developer.name = developer.organization = developer.password_hash = ""
    developer.totp_step = developer.passkey_handle = None
    db.flush()
