"""Which links go to developers by mail, and what becomes of them?  Each is used once, and soon over.

That a link was made is what has it mailed: bb2.notices listens for its row.
"""

from datetime import timedelta
from secrets import token_hex

from sqlalchemy import update

from bb2.clock import now
from bb2.models import DeveloperLink
from bb2.notices import links

VERIFY, RECOVER, EMAIL = "verify", "recover", "email"
#: Seconds that each lives: NIST SP 800-63B asks for a day at most where a link confirms an address.
LIFETIMES = {VERIFY: 86_400, RECOVER: 1_800, EMAIL: 86_400}


def send(db, developer, purpose, email=None):
    """Mail a link to a developer; of its kind it is the only one then.  `email`: to another address than theirs."""
    end(db, developer, purpose)
    moment = now(db)
    ends = moment + timedelta(seconds=LIFETIMES[purpose])
    link = DeveloperLink(id=token_hex(16), purpose=purpose, email=email or developer.email)
    link.developer, link.created_at, link.expires_at = developer, moment, ends
    db.add(link)


def end(db, developer, *purposes):
    """Links of theirs, of these purposes or of all, open nothing any more."""
    theirs = update(DeveloperLink).where(DeveloperLink.developer_id == developer.id, DeveloperLink.used_at.is_(None))
    theirs = theirs.where(DeveloperLink.purpose.in_(purposes)) if purposes else theirs
    db.execute(theirs.values(used_at=now(db)))


def find(db, settings, purpose, text):
    """The DeveloperLink whose address ends with this text, while it can be used; else None."""
    id = links.id_of(settings, purpose, text)
    link = db.get(DeveloperLink, id) if id else None
    if link is None or link.purpose != purpose or link.developer.closed_at:
        return None
    return link if link.used_at is None and now(db) < link.expires_at else None


def use(db, link):
    """Write down that it was used.  False where another was quicker."""
    unused = update(DeveloperLink).where(DeveloperLink.id == link.id, DeveloperLink.used_at.is_(None))
    return db.execute(unused.values(used_at=now(db))).rowcount == 1
