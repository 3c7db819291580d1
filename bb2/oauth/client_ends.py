"""Is an app switched on, and what goes when it is deleted?"""

from bb2.clock import now
from bb2.oauth import consents
from bb2.oauth.clients import set_public
from bb2.oauth.errors import ClientError
from bb2.oauth.logos import set_logo

DEVELOPER, OPERATOR = "developer", "operator"


def switch_off(db, client, by):
    """From now on the app is refused everywhere.  `by`: DEVELOPER or OPERATOR."""
    client.disabled_at = client.disabled_at or now(db)
    if by == OPERATOR or client.disabled_by is None:
        client.disabled_by = by


def switch_on(client, by):
    """What an operator has switched off, a developer does not switch on."""
    if not may_switch_on(client, by):
        raise ClientError("this service has switched the app off, and only this service switches it on again")
    client.disabled_at = client.disabled_by = None


def may_switch_on(client, by):
    return client.disabled_at is None or by == OPERATOR or client.disabled_by == DEVELOPER


def delete_client(db, client):
    """The app is gone: its consents end as if it had ended each, and what proves who it is goes, with its picture and
    whom to reach.

    Its row stays, off for good, as people's history names it; with the pages that say what becomes of the copies that
    it made.  Its name is free.
    """
    consents.end_all_of_app(db, client.client_id, "client")
    client.disabled_at = client.disabled_at or now(db)
    client.deleted_at = now(db)
    client.name_key = f"\t{client.client_id}"  # no name has a tab
    set_public(client)
    set_logo(db, client, None)
    client.redirect_uris = client.post_logout_redirect_uris = []
    client.support_email = client.support_phone = client.description = None
    db.flush()
