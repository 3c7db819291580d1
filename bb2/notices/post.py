"""How does a mail leave?  By a mail server (RFC 5321), or onto the console of a developer's own sandbox."""

import smtplib
import ssl
from urllib.parse import urlsplit

from bb2.settings import SettingError, is_loopback

TIMEOUT = 30  # seconds that the mail server may be silent
PORTS = {"smtp": 587, "smtps": 465}


class Refused(Exception):
    """The mail server will never take this mail (RFC 5321, 4.2.1: 5yz)."""


class TryLater(Exception):
    """The mail server does not take this mail now (4yz)."""


class Unreachable(Exception):
    """No mail can be sent now: the server does not answer, or does not know us.  The mail is not to blame."""


class SmtpPost:
    """A mail server at `smtp://HOST:PORT` or `smtps://HOST:PORT`; `with` it, one connection carries many mails.

    `smtp` goes on with STARTTLS, but for a server on this machine that wants no credentials.  Certificates are always
    verified, by the system's authorities or those of the file `ca`.  `credentials`: a file, see `read_credentials`.
    """

    def __init__(self, url, sender, credentials=None, ca=None, name=None):
        parts = urlsplit(url)
        self.scheme, self.host, self.port = parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]
        self.sender, self.credentials, self.name = sender, credentials, name
        plain = self.scheme == "smtp" and is_loopback(url) and not credentials
        self.tls = None if plain else _tls(ca)
        self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        if self._server:
            try:
                self._server.quit()
            except OSError:
                self._server.close()
            self._server = None

    def send(self, message, address):
        """Hand one mail to the server.  Raises Refused, TryLater or Unreachable, whose text names nobody."""
        try:
            self._server = self._server or self._connected()
        except SettingError as error:
            raise Unreachable(str(error)) from None
        except (OSError, ValueError) as error:
            raise Unreachable(_named(error)) from None
        try:
            self._server.send_message(message, self.sender, [address])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            self._drop()
            raise (Refused if _code(error) >= 500 else TryLater)(_named(error)) from None
        except (smtplib.SMTPNotSupportedError, ValueError) as error:  # an address that cannot be written here
            self._drop()
            raise Refused(_named(error)) from None
        except OSError as error:  # of smtplib too
            self._drop()
            raise Unreachable(_named(error)) from None

    def _connected(self):
        options = {"local_hostname": self.name, "timeout": TIMEOUT}
        if self.scheme == "smtps":
            server = smtplib.SMTP_SSL(self.host, self.port, context=self.tls, **options)
        else:
            server = smtplib.SMTP(self.host, self.port, **options)
        try:
            if self.scheme == "smtp" and self.tls:
                server.starttls(context=self.tls)
            if self.credentials:
                server.login(*read_credentials(self.credentials))
        except BaseException:
            server.close()
            raise
        return server

    def _drop(self):
        """The next mail begins anew: nothing is known of what the server made of this one."""
        server, self._server = self._server, None
        server.close()


class ConsolePost:
    """Prints each mail, for a developer whose sandbox has no mail server."""

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def send(self, message, address):
        text = message.get_body(("plain",)).get_content()
        print(f"\n--- mail to {address}: {message['Subject']}\n\n{text}---", flush=True)


def post_of(settings):
    """The post that the settings describe; None where no mail is sent.  SettingError for files that cannot be used."""
    if settings.mail_url:
        if settings.mail_credentials:
            read_credentials(settings.mail_credentials)
        name = urlsplit(settings.base_url).hostname
        return SmtpPost(settings.mail_url, settings.mail_from, settings.mail_credentials, settings.mail_ca, name)
    return ConsolePost() if settings.sandbox and is_loopback(settings.base_url) else None


def read_credentials(path):
    """(user name, password), the two lines of a file; SettingError where it has others."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        lines = []
    if len(lines) != 2 or not all(lines):
        raise SettingError(f"the file of bb2.mail_credentials does not hold two lines, user name and password: {path}")
    return tuple(lines)


def _tls(ca):
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise SettingError(f"bb2.mail_ca cannot be used: {ca}: {type(error).__name__}") from None


def _code(error):
    """The reply code; of several recipients there is but one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, _text),) = error.recipients.values()
        return code
    return error.smtp_code


def _named(error):
    """What went wrong, without what the server said of it: that may repeat an address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException):
        reason = _code(error)
    else:
        reason = None if isinstance(error, smtplib.SMTPException) else getattr(error, "strerror", None)
    return f"{type(error).__name__} {getattr(error, 'verify_message', None) or reason or ''}".rstrip()
