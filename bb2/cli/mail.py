"""bb2 mail: do notices arrive?"""

from types import SimpleNamespace

import click

from bb2.clock import utcnow
from bb2.language import LANGUAGES
from bb2.notices import TEST
from bb2.notices.letters import NoAddress, letter
from bb2.notices.post import Refused, TryLater, Unreachable, post_of


def add_to(command):
    command.add_command(mail)


@click.group()
def mail():
    """Mail to beneficiaries."""


@mail.command()
@click.option("--to", "address", required=True, help="Where the test goes.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.pass_obj
def test(state, address, language):
    """Send one mail, to see that the settings work."""
    post = post_of(state.settings)
    if post is None:
        raise click.ClickException("no mail is sent: bb2.mail_url is not set")
    try:
        with post:
            post.send(letter(_test(language), address, state.settings), address)
    except NoAddress:
        raise click.ClickException(f"{address} is not one address") from None
    except (Refused, TryLater, Unreachable) as error:
        raise click.ClickException(f"the mail server did not take it: {error}") from None
    click.echo("The mail server took it." if state.settings.mail_url else "bb2.mail_url is not set: it was printed.")


def _test(language):
    """What `letter` asks of a mail, where nothing happened."""
    nothing = dict.fromkeys(("app", "client_id", "revoked_by", "access", "granted_at", "expires_at", "consent_id"))
    return SimpleNamespace(id=0, kind=TEST, language=language, created_at=utcnow(), **nothing)
