"""The migrations make the tables of bb2.models, on both databases, and take them away again."""

from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import MetaData, inspect, select, text
from sqlalchemy.orm import Session

from bb2 import migrations
from bb2.db import make_engine
from bb2.models import AuditEvent, Base, Consent, Record
from databases import new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """An engine on a database without any tables."""
    if request.param == "sqlite":
        engine = make_engine(f"sqlite:///{tmp_path}/bb2.sqlite")
    else:
        engine = make_engine(new_database(request.getfixturevalue("postgresql_url"), "migrations"))
    yield engine
    engine.dispose()


def test_from_empty_to_head_gives_the_tables_of_the_models_and_back_takes_each_away(empty):
    assert migrations.upgrade(empty) is True
    assert set(inspect(empty).get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    with empty.begin() as connection:
        command.check(migrations.config(connection))  # fails where models and tables differ
    assert migrations.upgrade(empty) is False  # there is nothing to do
    with empty.begin() as connection:
        command.downgrade(migrations.config(connection), "base")
    assert set(inspect(empty).get_table_names()) == {"alembic_version"}


def test_an_upgrade_that_fails_leaves_nothing_behind(empty, monkeypatch):
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE record (number INTEGER)"))  # in the way of a later step
    with pytest.raises(Exception, match="record"):
        migrations.upgrade(empty)
    assert set(inspect(empty).get_table_names()) <= {"record", "alembic_version"}


NOW = datetime(2026, 11, 21, tzinfo=UTC)
#: A row of each table that has others hanging on it, as the first revision made them.
FIRST_ROWS = {
    "beneficiary": {"id": 1, "sub": "s", "patient": "-1", "given_name": "A", "family_name": "B"},
    "client": {
        "client_id": "c",
        "name": "The App",
        "redirect_uris": [],
        "scopes": [],
        "asks_demographic": True,
        "access": "ongoing",
        "created_at": NOW,
    },
    "authorization_request": {
        "id": "r",
        "session_hash": "h",
        "client_id": "c",
        "api_version": "v2",
        "redirect_uri": "https://app.example/",
        "scopes": [],
        "state": "s",
        "code_challenge": "x",
        "created_at": NOW,
        "expires_at": NOW,
        "shown_to": 1,
    },
    "consent": {
        "id": 1,
        "request_id": "r",
        "client_id": "c",
        "beneficiary_id": 1,
        "scopes": [],
        "shown": {},
        "language": "en",
        "granted_at": NOW,
    },
    "record": {
        "number": 1,
        "version": "v2",
        "resource_type": "ExplanationOfBenefit",
        "id": "c",
        "patient": "-1",
        "last_updated": 0,
        "body": "{}",
    },
    "audit_event": {"id": 1, "at": NOW, "event": "consent.given", "request_id": "r", "details": {}},
}


def test_mails_that_wait_are_kept_as_developers_get_some_too(empty):
    """Up and down again: the table is made anew, and what waits is brought along."""
    before, after, notices = "20261125_apps", "20261125_developer_mail", MetaData()
    waits = {"id": 7, "kind": "connected", "beneficiary_id": 1, "created_at": NOW, "due_at": NOW, "tries": 2}
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), before)
        notices.reflect(connection, only=["notice"])
        person, notice = notices.tables["beneficiary"], notices.tables["notice"]
        connection.execute(person.insert(), FIRST_ROWS["beneficiary"])
        connection.execute(notice.insert(), waits)
        command.upgrade(migrations.config(connection), after)
        command.downgrade(migrations.config(connection), before)
        kept = connection.execute(select(notice)).mappings().one()
    assert {name: kept[name] for name in ("kind", "beneficiary_id", "tries")} == {
        name: waits[name] for name in ("kind", "beneficiary_id", "tries")
    }


def test_an_upgrade_keeps_what_the_tables_hold(empty):
    """Copying a table, as Alembic does on SQLite by itself, would take along what refers to its rows."""
    first = MetaData()
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "20261121_tables")
        first.reflect(connection)
        for table, row in FIRST_ROWS.items():
            connection.execute(first.tables[table].insert(), row)
    migrations.upgrade(empty)
    with Session(empty) as db:
        kept = db.scalars(select(Consent)).one()
        assert (kept.request_id, kept.client.name, kept.beneficiary.patient) == ("r", "The App", "-1")
        assert (kept.client.id_token_alg, kept.client.post_logout_redirect_uris) == ("RS256", [])
        assert db.scalars(select(AuditEvent.correlation_id)).all() == ["r"]
        assert kept.share_sensitive is None
        assert db.scalars(select(Record.judgements)).all() == [""]  # nobody has judged: withheld
