"""The `bb2` command."""

import sys
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import click
from plaster import parse_uri
from plaster_pastedeploy import Loader
from pluggy import PluginValidationError
from pyramid.exceptions import ConfigurationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from bb2.cli import audit, clients, developers, keys, mail, new_scope, people, records, report, scopes, sweep
from bb2.db import make_engine
from bb2.fhir import FhirError
from bb2.fhir.reindex import IndexingError
from bb2.identity.builtin import DirectoryError
from bb2.oauth.errors import ClientError
from bb2.oauth.keys import SigningKeyError
from bb2.oauth.own_key import OwnKeyError
from bb2.plugins import installed_plugins, plugin_manager
from bb2.registry import ScopeRegistry
from bb2.scopes import ScopeError
from bb2.sensitivities import Sensitivities
from bb2.settings import SettingError, Settings
from bb2.views.static import NoDesignSystemError

DEFAULT_CONFIG = "development.ini"


class State:
    """What a command works on: the settings, and what they lead to, made when first asked for."""

    def __init__(self, config_file, makes_database):
        self.config_file, self.makes_database = config_file, makes_database

    @cached_property
    def settings(self):
        # As pyramid.paster.get_appsettings, without a look at every installed package for a loader of ini files.
        ini = Loader(parse_uri(self.config_file)).get_wsgi_app_settings("main") if self.config_file else {}
        return Settings.read(ini)

    @cached_property
    def engine(self):
        """The database; only `bb2 init` makes one, so that a slip in VAR does not."""
        url = make_url(self.settings.database_url)
        if url.get_backend_name() == "sqlite" and not self.makes_database and not Path(url.database).exists():
            hint = "is VAR as for `make run`? `bb2 init` makes one"
            raise click.ClickException(f"there is no database at {url.database}: {hint}")
        return make_engine(self.settings.database_url)

    @cached_property
    def plugins(self):
        return installed_plugins(self.settings.scopes)

    @cached_property
    def manager(self):
        return plugin_manager(self.plugins)

    @cached_property
    def registry(self):
        return ScopeRegistry.from_plugins(self.manager)

    @cached_property
    def sensitivities(self):
        return Sensitivities.from_plugins(self.manager, self.settings)

    def close(self):
        """Let go of the database, if it was reached."""
        if "engine" in vars(self):
            self.engine.dispose()

    @contextmanager
    def transaction(self):
        """A session that is committed at the end, or not at all; what a command says of it, it says afterwards."""
        with Session(self.engine, expire_on_commit=False) as db, db.begin():
            yield db


class Commands(click.Group):
    """Commands by name; those of LATE are imported when they are asked for, as few need what they bring along."""

    #: {command: the module that adds it}: the server, what makes synthetic people, and what assembles the pages
    LATE: ClassVar = {
        "init": "serve",
        "serve": "serve",
        "personas": "sandbox",
        "sandbox": "sandbox",
        "preview": "preview",
    }

    def list_commands(self, context):
        return sorted({*self.commands, *self.LATE})

    def get_command(self, context, name):
        if name in self.LATE and name not in self.commands:
            import_module(f"bb2.cli.{self.LATE[name]}").add_to(self)
        return super().get_command(context, name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False),
    envvar="BB2_CONFIG",
    help=f"Ini file.  Default: {DEFAULT_CONFIG} in this folder, if it is there; else the default settings.",
)
@click.pass_context
def command(context, config):
    """A consent server for Medicare data.  Its state is where VAR in the environment, or the ini file, says."""
    config = config or (DEFAULT_CONFIG if Path(DEFAULT_CONFIG).exists() else None)
    context.obj = State(config, makes_database=context.invoked_subcommand in ("init", "serve"))
    context.call_on_close(context.obj.close)


for part in (records, people, developers, clients, keys, scopes, new_scope, audit, report, sweep, mail):
    part.add_to(command)


def main():
    """Run the command; what a person can mend is told in one line, without a stack trace."""
    try:
        command(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit("Stopped.")
    except (
        ClientError,
        ConfigurationError,  # of the views and routes of plugins
        DirectoryError,
        FhirError,  # of the server that holds the records
        IndexingError,
        NoDesignSystemError,
        OwnKeyError,
        PluginValidationError,
        ScopeError,
        SettingError,
        SigningKeyError,
    ) as error:
        sys.exit(f"bb2: {error}")
    except ProgrammingError as error:
        sys.exit(f"bb2: the database is not up to date: {error.orig}; `bb2 init` brings it there")
    except DBAPIError as error:
        sys.exit(f"bb2: the database does not answer: {error.orig}")
    except OSError as error:
        sys.exit(f"bb2: {error}")
