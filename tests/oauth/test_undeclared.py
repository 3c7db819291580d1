"""The operator is told of scopes that people granted and no plugin declares, and nothing of those that have ended."""

from sqlalchemy import event

from bb2.oauth.undeclared import tell_undeclared, undeclared
from bb2.plugins import plugin_manager
from bb2.registry import ScopeRegistry
from bb2.scopes import openid, profile
from oauth.steps import newest_connection, stop_form

SCOPES = "openid profile patient/Coverage.read"


def only(*plugins):
    return ScopeRegistry.from_plugins(plugin_manager({plugin.__name__: plugin for plugin in plugins}))


def told(server, caplog, *plugins):
    """What the log says where only these plugins are installed."""
    caplog.clear()
    with server.engine.connect() as connection:
        tell_undeclared(connection, only(*plugins))
    return [line.getMessage() for line in caplog.records]


def test_a_plugin_that_is_missing_is_told_with_the_live_consents_for_each_of_its_scopes(make_server, caplog):
    server = make_server()
    server.grant(SCOPES)
    server.grant("openid patient/Coverage.read", username="bob")
    (line,) = told(server, caplog, openid)
    assert "no plugin declares these scopes" in line
    assert "patient/Coverage.read (2), profile (1)." in line
    (line,) = told(server, caplog, openid, profile)
    assert "profile" not in line


def test_nothing_is_told_where_every_scope_is_there_or_the_consent_has_ended(make_server, caplog):
    server = make_server()
    server.grant(SCOPES)
    with server.engine.connect() as connection:
        assert not undeclared(connection, server.scopes)
    server.grant("openid")  # takes the place of the other
    assert told(server, caplog, openid) == []
    server.grant(SCOPES)
    assert told(server, caplog, openid)
    stop_form(server.get(newest_connection(server) + "/stop")).submit(status=303)
    assert told(server, caplog, openid) == []


def test_it_is_one_statement(make_server):
    server, statements = make_server(), []
    with server.app.registry["reader"].connect() as connection:
        event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
        undeclared(connection, server.scopes)
    assert len(statements) == 1
