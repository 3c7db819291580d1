"""Which developer's browser is this?"""

from datetime import timedelta

from sqlalchemy import delete, or_

from bb2.clock import now
from bb2.identity.sessions import CookieSession
from bb2.models import DeveloperSession

HALF = timedelta(minutes=10)  #: that somebody has for the second factor


class DeveloperBrowser(CookieSession):
    """A developer's session; whoever gave the password and not yet the second factor is not signed in."""

    kind, model = "developer", DeveloperSession

    @property
    def developer(self):
        """The Developer who is signed in, or None."""
        return self.person

    @property
    def half_developer(self):
        """Who gave the right password in this browser a moment ago, and has still to give the second factor."""
        session = self._session
        if session is None or session.half_developer is None or session.half_developer.closed_at:
            return None
        return session.half_developer if now(self.db) - session.created_at < HALF else None

    def half_sign_in(self, developer):
        """The password was right; nobody is signed in yet.  Under a new session id."""
        self._renew()
        self._session.half_developer = developer
        self.db.flush()

    def sign_in(self, developer):
        """Sign a developer in, under a new session id."""
        self._renew()
        self._session.developer, self._session.authenticated_at = developer, now(self.db)
        self.db.flush()

    def _renew(self):
        earlier = self._session
        self._new()
        if earlier:
            self.db.delete(earlier)


def end_sessions(db, developer_id, but=None):
    """Sign a developer out everywhere, `but` for the session of this hash; who is half signed in, too."""
    of_them = or_(DeveloperSession.developer_id == developer_id, DeveloperSession.half_developer_id == developer_id)
    theirs = delete(DeveloperSession).where(of_them)
    db.execute(theirs if but is None else theirs.where(DeveloperSession.id_hash != but))


def includeme(config):
    config.add_request_method(DeveloperBrowser, "developer_browser", reify=True)
