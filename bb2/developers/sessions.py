"""Which developer's browser is this?"""

from sqlalchemy import delete

from bb2.clock import now
from bb2.identity.sessions import CookieSession
from bb2.models import DeveloperSession


class DeveloperBrowser(CookieSession):
    """A developer's session; whoever gave the password and not yet the second factor is not signed in."""

    kind, model = "developer", DeveloperSession

    @property
    def developer(self):
        """The Developer who is signed in, or None."""
        return self.person

    def sign_in(self, developer):
        """Sign a developer in, under a new session id."""
        earlier = self._session
        self._new()
        self._session.developer, self._session.authenticated_at = developer, now(self.db)
        if earlier:
            self.db.delete(earlier)
        self.db.flush()


def end_sessions(db, developer_id, but=None):
    """Sign a developer out everywhere, `but` for the session of this hash."""
    theirs = delete(DeveloperSession).where(DeveloperSession.developer_id == developer_id)
    db.execute(theirs if but is None else theirs.where(DeveloperSession.id_hash != but))


def includeme(config):
    config.add_request_method(DeveloperBrowser, "developer_browser", reify=True)
