"""A real mail server for tests, on a socket of this machine: it keeps what it takes, and answers as it is told."""

import logging
import ssl
from email import message_from_bytes
from email.policy import SMTP

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from running import free_port

logging.getLogger("mail.log").setLevel(logging.ERROR)  # it tells each line of each mail
USER, SECRET = "bb2", "the mail server's password"


class MailServer(Controller):
    """`with` a server that keeps mails in `taken`.

    `says`: {"RCPT" or "DATA": a reply, such as `550 no`; None: the connection breaks}.  `papers`: the PEM file of its
    certificate; then it wants STARTTLS and, of everybody, USER and SECRET; `smtps`: it speaks TLS from the beginning.
    """

    def __init__(self, says=None, papers=None, smtps=False):
        self.taken, self.recipients, self.says, self.port_wanted = [], [], dict(says or {}), free_port()
        tls = _tls(papers) if papers else None
        options = {"authenticator": self._knows} if tls else {}
        if smtps:
            options |= {"ssl_context": tls, "auth_require_tls": False}  # of this TLS, aiosmtpd does not know
        elif tls:
            options |= {"tls_context": tls, "require_starttls": True, "auth_required": True}
        super().__init__(self, hostname="127.0.0.1", port=self.port_wanted, enable_SMTPUTF8=False, **options)
        self.url = f"{'smtps' if smtps else 'smtp'}://127.0.0.1:{self.port_wanted}"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.stop()

    def _knows(self, _server, _session, _envelope, _mechanism, asked):
        return AuthResult(success=(asked.login, asked.password) == (USER.encode(), SECRET.encode()), handled=False)

    async def recipient(self, server, _session, envelope, address, _options):
        if "RCPT" in self.says:
            return self._say("RCPT", server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def content(self, server, _session, envelope):
        if "DATA" in self.says:
            return self._say("DATA", server)
        self.taken.append(message_from_bytes(envelope.content, policy=SMTP))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def _say(self, step, server):
        if self.says[step] is None:
            server.transport.abort()
        return self.says[step] or "250 OK"


# As aiosmtpd calls them.
MailServer.handle_RCPT, MailServer.handle_DATA = MailServer.recipient, MailServer.content


def _tls(papers):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers)
    return context
