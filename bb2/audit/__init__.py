"""Who agreed to what, in which words, in which language; what became of it, and who read what.

The trail is a table that only grows, and a line of JSON in the log of `bb2.audit` for each event.
"""

import json
import logging

from sqlalchemy.event import listens_for
from sqlalchemy.orm import Session

from bb2.clock import now
from bb2.models import AuditEvent

log = logging.getLogger(__name__)

#: Every event, and when it is written.
EVENTS = {
    "account.signed_in": "a beneficiary signed in; `new_browser`: in one in which they never had, as far as is known",
    "account.refused": "a user name, password or passkey was wrong; or the person's record is closed",
    "account.paused": "wrong passwords reached a limit",
    "account.signed_out": "a beneficiary signed out",
    "account.signed_out_everywhere": "a beneficiary ended all their sessions",
    "account.recovery_refused": "somebody with trouble signing in was not recognized by the secret answer",
    "account.recovery_paused": "such tries reached a limit",
    "account.recovered": "a beneficiary was recognized by the secret answer",
    "account.username_told": "and was told their user name",
    "account.password_changed": "a beneficiary chose a new password, `by` the secret answer or the earlier password",
    "account.question_changed": "a beneficiary chose a secret question, or another answer",
    "account.email_changed": "a beneficiary gave another e-mail address for notices, or took theirs away",
    "account.created": "a person with Medicare made an account",
    "account.not_created": "information for a new account fits nobody's record, or somebody's who can make none",
    "account.creation_paused": "such tries reached a limit",
    "passkey.added": "a beneficiary added a passkey",
    "passkey.removed": "a beneficiary removed a passkey; or all went, with a password that was forgotten, as `by` says",
    "passkey.declined": "a beneficiary does not want to be offered a passkey",
    "provider.failed": "the OpenID Connect provider sent a person back whom we did not sign in, as `reason` says",
    "consent.shown": "a beneficiary saw the authorization page, in these words; once more when it changed",
    "consent.given": "Yes",
    "consent.declined": "No, or Cancel (counted, if nobody saw the page); or another person than the app named came",
    "consent.activated": "the code was redeemed: the consent opens records from now on",
    "consent.replaced": "a newer consent for the same app took its place",
    "consent.narrowed": "the beneficiary shares less from now on, as `scopes`, `left_out` and the choices say",
    "consent.revoked": "the beneficiary, the app or the server ended it, as `by` says",
    "code.issued": "an authorization code went to the app",
    "code.replayed": "a code was used twice; what it had opened was closed",
    "token.issued": "a code was exchanged for tokens",
    "token.refreshed": "a refresh token was used",
    "token.replayed": "a refresh token was used twice; its family was closed",
    "token.revoked": "the app ended a token and its siblings",
    "token.refused": "an app's request to a token endpoint was refused; counted",
    "records.read": "an app asked for records with a token, and was answered with status `outcome`; counted",
    "notice.sent": "the mail server took a notice to a beneficiary or a developer, of the kind that `kind` says",
    "notice.failed": "a notice was given up: the mail server refused it, or was away for days",
    "client.registered": "an app was registered, `by` a developer or an administrator",
    "client.changed": "what an app is registered for was changed, as `changed` names it",
    "client.disabled": "an app was switched off",
    "client.enabled": "an app was switched on",
    "client.secret_rotated": "an app got a new secret; `overlap_hours`: so long the one before does too",
    "client.secret_stopped": "the secret before was stopped ahead of its time",
    "client.deleted": "an app was deleted; its consents ended",
    "beneficiary.added": "an administrator gave a person a sign-in",
    "beneficiary.closed": "an administrator closed a person's record",
    "beneficiary.merged": "an administrator closed a person's record in favour of another",
    "beneficiary.reopened": "an administrator opened a person's record again",
    "beneficiary.reset": "an administrator made a synthetic person anew",
    "developer.signed_up": "somebody signed up as a developer, and was sent a link",
    "developer.signed_up_again": "somebody signed up with the e-mail address of a developer, who was told by mail",
    "developer.verified": "a developer followed the link, and has an account from now on",
    "developer.signed_in": "a developer signed in, by `method`; `new_browser` as above",
    "developer.refused": "an e-mail address, password, code or passkey of a developer was wrong",
    "developer.paused": "such tries, or mails that were asked for, reached a limit",
    "developer.signed_out": "a developer signed out",
    "developer.signed_out_everywhere": "a developer ended all their sessions",
    "developer.recovery_asked": "somebody asked for a link to set a new password, for a developer or for nobody",
    "developer.password_changed": "a developer chose a new password, `by` the link or the earlier password",
    "developer.changed": "a developer changed their name or organization",
    "developer.email_asked": "a developer asked for another e-mail address, which was sent a link",
    "developer.email_changed": "and followed it: the address is another one from now on",
    "developer.factor_added": "a developer added a passkey or an authenticator app, as `factor` says",
    "developer.factor_removed": "a developer removed a passkey or the authenticator app; `by`: an operator, all",
    "developer.codes_made": "a developer was shown new recovery codes",
    "developer.closed": "a developer closed their account; who they are was removed, and their apps were deleted",
    "key.made": "an administrator made a signing key",
    "key.retired": "an administrator retired a signing key",
}
IDS = ("correlation_id", "client_id", "beneficiary_id", "consent_id")
UNTOLD = {"shown"}  #: details that are long, and stand in the table only


class NoSuchEvent(ValueError):
    """EVENTS does not have it."""


def record(db, event, *, correlation_id=None, client_id=None, beneficiary_id=None, consent_id=None, **details):
    """Add an event to the trail, in the caller's transaction; the log has it when that is committed.

    `details` may hold anything JSON can, but no code, token, secret, name or Medicare number.
    """
    ids = dict(zip(IDS, (correlation_id, client_id, beneficiary_id, consent_id), strict=True))
    db.info.setdefault("audit", []).append(line(event, ids, details))
    db.add(AuditEvent(at=now(db), event=event, **ids, details=details))


def line(event, ids, details):
    """The event as a line of the log: JSON, without what is empty."""
    if event not in EVENTS:
        raise NoSuchEvent(event)
    told = {"event": event} | ids | {name: value for name, value in details.items() if name not in UNTOLD}
    return json.dumps({name: value for name, value in told.items() if value is not None})


@listens_for(Session, "after_commit")
def _tell(db):
    for told in db.info.pop("audit", ()):
        log.info("%s", told)


@listens_for(Session, "after_transaction_end")
def _forget(db, transaction):
    """What was rolled back did not happen."""
    if transaction.parent is None:
        db.info.pop("audit", None)
