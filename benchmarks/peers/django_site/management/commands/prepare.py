"""Make tables, eight people with a session each, one application and the record."""

import json
import sys

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import BaseCommand, call_command
from django.db import connection
from oauth2_provider.models import get_application_model

PEOPLE = 8


class Command(BaseCommand):
    """JSON on standard input says which application and record; the people's session keys are printed as JSON."""

    def handle(self, *args, **options):
        given = json.load(sys.stdin)
        call_command("migrate", verbosity=0)
        register(given["client_id"], given["client_secret"], given["redirect_uri"])
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE record (id text, person bigint, body text, PRIMARY KEY (id, person))")
            people = [get_user_model().objects.create_user(f"person{number}") for number in range(PEOPLE)]
            for person in people:
                cursor.execute("INSERT INTO record VALUES ('claim', %s, %s)", [person.pk, given["record"]])
        self.stdout.write(json.dumps([sign_in(person) for person in people]))


def register(client_id, client_secret, redirect_uri):
    get_application_model().objects.create(
        client_id=client_id,
        client_secret=client_secret,
        hash_client_secret=False,  # a slow hash of a random secret would be all that is measured
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect_uri,
        algorithm="RS256",
        name="Benchmark",
    )


def sign_in(person):
    """The key of a session in which this person is signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return session.session_key
