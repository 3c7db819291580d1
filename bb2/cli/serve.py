"""bb2 init, bb2 serve: make everything ready, and start the development server."""

import fcntl
import logging
import socket
import time

import click
import waitress
from sqlalchemy import func, select

from bb2 import make_app, migrations, start
from bb2.bounds import MOST_BODY
from bb2.cli.acts import record_act
from bb2.cli.records import index_anew, judge_anew
from bb2.models import Client, SandboxPerson
from bb2.oauth.keys import SigningKeys, ensure_keys
from bb2.oauth.own_key import ensure_own_key
from bb2.sandbox.demo import ensure_demo_client, ensure_viewer
from bb2.sandbox.fill import DEFAULTS, ensure_recipe, missing, write
from bb2.sandbox.workers import made
from bb2.settings import is_loopback


def add_to(command):
    command.add_command(init)
    command.add_command(serve)


@click.command()
@click.option(
    "--beneficiaries", type=click.IntRange(1, 100_000), help="How many synthetic people.  Default: the setting."
)
@click.option("--seed", type=click.IntRange(0, 9_999), help="The number that they are made from.")
@click.option("--years", type=click.IntRange(1, 10), help="Years of claims of each of them.")
@click.option("--claims-per-year", type=click.IntRange(1, 250), help="About how many claims each has a year.")
@click.pass_obj
def init(state, beneficiaries, **asked):
    """Make everything ready; can be repeated, and keeps what is there."""
    make_ready(state, beneficiaries, **asked)
    click.echo(f"Ready.  The state is in {state.settings.var.absolute()}")


@click.command()
@click.option("--init", "init_first", is_flag=True, help="Run `bb2 init` first.")
@click.pass_obj
def serve(state, init_first):
    """Start the development server on 127.0.0.1."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-5.5s [%(name)s] %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if init_first:
        make_ready(state)
    settings = state.settings
    app = make_app(settings, state.engine, state.plugins, SigningKeys.load(settings.keys_folder))
    server = _listen(app, settings.port)
    try:
        start(app)
        welcome(state)
        server.run()
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        server.close()


def _listen(app, port):
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        hint = f"make run PORT={port + 1}"
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}; try `{hint}`") from error
    return waitress.create_server(app, sockets=[listening], threads=8, ident=None, max_request_body_size=16 * MOST_BODY)


def make_ready(state, beneficiaries=None, **asked):
    """Upgrade the database, make the signing keys, and fill a sandbox.

    `asked`: of bb2.sandbox.fill.DEFAULTS, what people are made from; None: as the settings have it.
    """
    settings = state.settings
    settings.var.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (settings.var / "init.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # a second `bb2 init` waits for the first
        _make_ready(state, beneficiaries, asked)


def _make_ready(state, beneficiaries, asked):
    settings = state.settings
    if migrations.upgrade(state.engine):
        click.echo("The database is up to date.")
    if new_keys := ensure_keys(settings.keys_folder):
        with state.transaction() as db:
            for key in new_keys:
                record_act(db, "key.made", kid=key.kid, alg=key.alg)
        click.echo(f"Signing keys were made: {', '.join(key.alg for key in new_keys)}.")
    ensure_own_key(settings.keys_folder)
    index_anew(state)
    judge_anew(state)
    if settings.sandbox:
        _fill_sandbox(state, beneficiaries or settings.beneficiaries, asked)
        with state.transaction() as db:
            ensure_demo_client(db, state.registry, settings.var, settings.base_url)
            ensure_viewer(db, state.registry, settings.base_url)


def _fill_sandbox(state, wanted, asked):
    """Add the synthetic people that are missing: each with records and account, or not at all."""
    settings = state.settings
    asked = {name: _first(asked.get(name), getattr(settings, f"sandbox_{name}")) for name in DEFAULTS}
    with state.transaction() as db:
        recipe = ensure_recipe(db, asked)
        numbers = missing(db, recipe, wanted)
    if not numbers:
        return
    started = time.monotonic()
    with click.progressbar(length=len(numbers), label="Making synthetic people") as bar:
        for people in made(recipe, numbers, settings):
            with state.transaction() as db:
                write(db, people)
            bar.update(len(people))
    click.echo(f"{len(numbers)} synthetic people in {time.monotonic() - started:.1f} s.")


def _first(*given):
    """The first value that was given; None where none was."""
    return next((value for value in given if value is not None), None)


def _as_whom(settings, people_there):
    """As whom one can sign in in a sandbox, for `welcome`."""
    if settings.identity == "oidc":
        return f" at {settings.oidc_issuer}, as a person whose {settings.oidc_claim} names one of {people_there} here."
    return f""": user name BBUser00000, password PW00000! ({people_there} people; the next is BBUser00001, PW00001!).
     Who shows what, one with 1,000 claims too: {settings.base_url}/sandbox/people, or `.venv/bin/bb2 personas`."""


def _where_to_register(settings):
    """Where a developer makes an app of their own, for `welcome`."""
    if settings.developers:
        return f"{settings.base_url}/developer"
    command = 'bb2 client add --name "My app" --redirect-uri http://localhost:3000/callback'
    return f"VAR={settings.var.absolute()} .venv/bin/{command}"


def welcome(state):
    """Say what to open, and with which login."""
    settings = state.settings
    click.echo(f"\n{settings.site_name} listens on {settings.base_url}")
    if not settings.sandbox:
        return
    if not settings.mail_url and is_loopback(settings.base_url):
        click.echo("Mail to people is printed here, as bb2.mail_url is not set.")
    with state.transaction() as db:
        people_there = db.scalar(select(func.count()).select_from(SandboxPerson))
        demo = ensure_demo_client(db, state.registry, settings.var, settings.base_url)
        demo_app = db.get(Client, demo["client_id"])
        redirect_uris = ", ".join(demo_app.redirect_uris)
    click.echo(
        f"""
  1. Open {settings.base_url}/testclient and choose "Connect with Medicare".
  2. Sign in{_as_whom(settings, people_there)}
  3. Share your personal information: every request is answered 200.
  4. Connect again and leave it out: Patient and userinfo are answered 403.

  Your own app: {_where_to_register(settings)}
  Documentation: {settings.base_url}/docs

  Demo client: {demo["name"]}
    client_id      {demo["client_id"]}
    client_secret  {demo["client_secret"]}
    redirect_uri   {redirect_uris}

  Stop with Ctrl+C.
"""
    )
