"""What does a mail say, in English or Spanish?  The words are templates; text and HTML have the same sentences."""

import re
import unicodedata
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path

from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bb2.clock import utcnow
from bb2.language import LANGUAGES, long_date, time_of_day
from bb2.notices.links import url

PACKAGE = Path(__file__).parent.parent
LONGEST_NAME = 60  #: characters of an app's name
#: Controls, invisible and direction characters, line ends, halves of characters: what could write a header, or make a
#: name look like another (Unicode Technical Report 36, 2.5).
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")


class NoAddress(ValueError):
    """To what the person gave as an address, no mail can be written."""


def letter(mail, address, settings):
    """The EmailMessage of a notice.  `mail` has the columns of `bb2.notices.outbox.facts`; NoAddress."""
    language = mail.language if mail.language in LANGUAGES else "en"
    subject, paragraphs = _said(mail, language, settings)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(settings.site_name, addr_spec=settings.mail_from)
    message["To"] = _only(address)
    # Python would read an encoded word (RFC 2047) in it, with whatever line ends are encoded there.
    message["Subject"] = subject.replace("=?", "= ?")
    message["Date"] = format_datetime(utcnow())
    message["Message-ID"] = message_id(mail, settings.mail_from)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, 5: nothing answers it by itself
    message.set_content("".join(f"{text}\n\n" for text, _ in paragraphs), cte="quoted-printable")
    html = (
        _templates(language)
        .get_template("letter.html.jinja2")
        .render(language=language, subject=subject, paragraphs=paragraphs)
    )
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = language  # (RFC 3282); a new content takes such headers away
    return message


def _said(mail, language, settings):
    """(subject, [(paragraph, is it a link?)]) of a notice."""
    words = (
        _templates(language)
        .get_template(f"{mail.kind}.jinja2")
        .render(
            app=app_name(mail.app or "") or mail.client_id,
            by=mail.revoked_by,
            lasts=mail.access,
            granted_on=mail.granted_at and long_date(mail.granted_at, language),
            ends_on=mail.expires_at and long_date(mail.expires_at, language),
            day=long_date(mail.created_at, language),
            time=time_of_day(mail.created_at, language),
            phone=settings.support_phone,
            site=settings.site_name,
            provider=settings.identity == "oidc" and settings.oidc_name,
        )
    )
    subject, *paragraphs = (" ".join(part.split()) for part in re.split(r"\n\s*\n", words.strip()))
    links = _links(settings, mail)
    return subject, [(links.get(paragraph, paragraph), paragraph in links) for paragraph in paragraphs]


def app_name(name):
    """An app's name as a mail can carry it: on one line, not too long, with nothing unseen in it."""
    seen = "".join(" " if unicodedata.category(one) in UNSEEN else one for one in name)
    seen = " ".join(seen.split())
    return seen if len(seen) <= LONGEST_NAME else f"{seen[: LONGEST_NAME - 1].rstrip()}…"


def message_id(mail, sender):
    """The same whenever the mail is sent, so that who gets it twice may keep one (RFC 5322, 3.6.4)."""
    return f"<{mail.id}.{mail.created_at:%Y%m%d%H%M%S%f}.{mail.kind}@{sender.rpartition('@')[2]}>"


def _only(address):
    """The header's value for one address; NoAddress for none, or for two."""
    try:
        only = Address(addr_spec=address)
    except (HeaderParseError, ValueError, IndexError):
        raise NoAddress from None
    if only.addr_spec != address or not only.domain:  # what is sent to must be what was read
        raise NoAddress
    return only


def _links(settings, mail):
    """{paragraph of a template: the address in its place}.

    But for a developer's `@link`, none has a secret in it: whoever follows it signs in.
    """
    connections, developer = f"{settings.base_url}/connections", f"{settings.base_url}/developer"
    links = {
        "@connection": f"{connections}/{mail.consent_id}",
        "@connections": connections,
        "@account": connections if settings.identity == "oidc" else f"{settings.base_url}/account",
        "@developer": developer,
        "@developer_account": f"{developer}/account",
        "@developer_trouble": f"{developer}/trouble",
    }
    link = getattr(mail, "developer_link_id", None)
    return links | {"@link": url(settings, mail.purpose, link)} if link else links


@cache
def _templates(language):
    """The templates of the mails in a language; what is missing in one is an error."""
    environment = Environment(
        loader=FileSystemLoader(PACKAGE / "templates/mail"),
        extensions=["jinja2.ext.i18n"],
        autoescape=select_autoescape(enabled_extensions=("html.jinja2",), default=False),
        undefined=StrictUndefined,
    )
    environment.install_gettext_translations(Translations.load(PACKAGE / "locale", [language], "bb2"))
    return environment
