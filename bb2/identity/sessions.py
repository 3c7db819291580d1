"""Whose browser is this?  Sessions live on the server; the cookie holds a random value only.

Each kind of person has a table, a cookie and a class of their own: nobody's session is ever taken for another's.
"""

from datetime import timedelta

from pyramid.exceptions import BadCSRFToken
from pyramid.interfaces import ICSRFStoragePolicy
from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import ObjectDeletedError
from zope.interface import implementer

from bb2.clock import DatabaseTime, now, remember
from bb2.models import AuthorizationRequest, BrowserSession, EnrollmentDraft, Recovery
from bb2.oauth.secrets import hashed, new_secret, same_secret

SEEN_PARTS = 30  # a click is written down when this part of the idle time has passed, and not at every page


def cookie_name(name, secure):
    """A `__Host-` cookie is bound to this host, but browsers keep it over https only (RFC 6265bis, 4.1.3)."""
    return f"__Host-{name}" if secure else name


class CookieSession:
    """The session of one kind of person in the request's browser: begun when a page needs it.

    A subclass names the `kind`, which is its cookie's name, and the `model`, whose rows have `id_hash`,
    `created_at`, `seen_at`, and, where somebody signs in, `authenticated_at` and the person under the name of `kind`.
    """

    kind: str
    model: type

    def __init__(self, request):
        self.request, self.db, self.settings = request, request.db, request.registry["settings"]
        self.secure = self.settings.secure
        self.cookie = cookie_name(self.kind, self.secure)
        self._brought = self._value = request.cookies.get(self.cookie)
        self._found = self._find()
        request.add_response_callback(self._set_cookie)

    @property
    def _session(self):
        """The session's row, or None.

        A button that was pressed twice makes two requests, and one may end the session while the other still reckons:
        to that one, its page is no longer open.
        """
        try:
            return self._found and self._found.id_hash and self._found
        except ObjectDeletedError:
            self._found = None
            raise BadCSRFToken("the session was ended meanwhile") from None

    @property
    def person(self):
        """Who is signed in, or None; nobody is signed in as a person whose account was closed."""
        person = self._session and getattr(self._session, self.kind)
        return person if person and person.closed_at is None else None

    @property
    def authenticated_at(self):
        return self._session and self._session.authenticated_at

    def signed_in_since(self, earliest):
        """True when somebody is signed in, and not longer ago than `earliest`; None: whenever that was."""
        return self.person is not None and (earliest is None or self.authenticated_at >= earliest)

    @property
    def session_hash(self):
        """What a record that belongs to this session carries; None where there is no session yet."""
        return self._session and self._session.id_hash

    def begin(self):
        """The hash of the session, which is made if there is none."""
        if self._session is None:
            self._new()
        return self._session.id_hash

    def sign_out(self):
        """End the session, and forget its cookie."""
        if self._session is not None:
            self.db.delete(self._session)
            self._found = None
        self._value = None

    @property
    def csrf_token(self):
        """What a form of this session carries; it follows from the cookie, and is not kept."""
        self.begin()
        return hashed(f"csrf {self._value}")

    def secret_for(self, purpose):
        """A secret of this session for one purpose; it follows from the cookie, and is not kept."""
        self.begin()
        return hashed(f"{purpose} {self._value}")

    def _new(self):
        self._value, self._found = new_session(self.db, self.model)

    def _set_cookie(self, request, response):
        """Tell the browser of a session that began or ended; it heeds both only with the same attributes."""
        if self._value != self._brought:
            value, max_age = (self._value, None) if self._value else ("", 0)
            response.set_cookie(self.cookie, value, max_age, secure=self.secure, httponly=True, samesite="Lax")

    def _find(self):
        if not self._value:
            return None
        ours = select(self.model, DatabaseTime()).where(self.model.id_hash == hashed(self._value))
        if person := getattr(self.model, self.kind, None):
            ours = ours.options(joinedload(person))
        session, moment = self.db.execute(ours).one_or_none() or (None, None)
        if session is None:
            return None
        remember(self.db, moment)
        idle = session.seen_at + timedelta(seconds=self.settings.session_idle)
        end = session.created_at + timedelta(seconds=self.settings.session_lifetime)
        if moment >= min(idle, end):
            self.db.delete(session)
            return None
        if moment - session.seen_at > timedelta(seconds=self.settings.session_idle) / SEEN_PARTS:
            # No row is no error: another request may just have ended the session.
            seen = update(self.model).where(self.model.id_hash == session.id_hash).values(seen_at=moment)
            self.db.execute(seen)
            self.db.commit()  # who waits for the lock of a person holds no session that its holder may want to end
        return session


def new_session(db, model):
    """(What its cookie holds, its row): a session that begins now."""
    value, moment = new_secret(), now(db)
    session = model(id_hash=hashed(value), created_at=moment, seen_at=moment)
    db.add(session)
    return value, session


class Browser(CookieSession):
    """A beneficiary's session: renewed when somebody signs in or out, with what they may go on with."""

    kind, model = "beneficiary", BrowserSession

    @property
    def beneficiary(self):
        """The Beneficiary who is signed in, or None."""
        return self.person

    def sign_in(self, beneficiary):
        """Sign a person in, under a new session id; what the browser had begun goes along."""
        earlier = self._renew(beneficiary)
        self._session.beneficiary, self._session.authenticated_at = beneficiary, now(self.db)
        if earlier:
            self.db.delete(earlier)  # and with it, a recovery that was begun
        self.db.flush()

    def renew(self, beneficiary):
        """A new session id for a person who has just shown who they are; nobody is signed in."""
        earlier = self._renew(beneficiary)
        if earlier:
            self._move(Recovery, Recovery.session_hash == earlier.id_hash)
            self.db.delete(earlier)
        self.db.flush()

    def _renew(self, beneficiary):
        """A new session for the person, to which goes what they may go on with.  Returns the earlier one, or None."""
        earlier = self._session
        self._new()
        self.db.flush()
        if earlier:
            ours = AuthorizationRequest.session_hash == earlier.id_hash
            # Only what nobody was shown yet: another person's page is not this person's to answer.
            unseen = AuthorizationRequest.shown_to.is_(None) | (AuthorizationRequest.shown_to == beneficiary.id)
            self._move(AuthorizationRequest, ours, unseen)
            self._move(EnrollmentDraft, EnrollmentDraft.session_hash == earlier.id_hash)
        return earlier

    def _move(self, model, *which):
        self.db.execute(update(model).where(*which).values(session_hash=self._session.id_hash))

    def signed_in_at(self, moment):
        """The person who has just signed in had done so elsewhere, at that moment."""
        self._session.authenticated_at = moment


def end_sessions(db, beneficiary_id, but=None):
    """Sign a person out everywhere, `but` for the session of this hash."""
    theirs = delete(BrowserSession).where(BrowserSession.beneficiary_id == beneficiary_id)
    db.execute(theirs if but is None else theirs.where(BrowserSession.id_hash != but))


@implementer(ICSRFStoragePolicy)
class SessionCsrf:
    """The CSRF token of a form is the one of the session to which its page belongs."""

    def new_csrf_token(self, request):
        return request.session_of_page.csrf_token

    def get_csrf_token(self, request):
        return request.session_of_page.csrf_token

    def check_csrf_token(self, request, supplied_token):
        session = request.session_of_page
        if session.session_hash is None or not isinstance(supplied_token, str):
            return False
        return same_secret(supplied_token, hashed(session.csrf_token))


def includeme(config):
    config.set_csrf_storage_policy(SessionCsrf())
    config.set_default_csrf_options(require_csrf=True)
    config.add_request_method(Browser, "browser", reify=True)
