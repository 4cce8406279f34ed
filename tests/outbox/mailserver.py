"""A real mail server on loopback, which a test lets refuse, wait and break as it likes."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

from dialer.outbox.smtp import Server


@dataclass
class MailServer:
    """Keeps what came. ``to`` answers an address instead of 250, in turn for each; ``after`` the text the same.

    Attributes:
        cut: So many connections are cut in the middle of the text, or after it with no answer (``cut_late``).
        delay_s: Before the text is taken.
        secret: Whoever logs in must say it.
    """

    to: dict[str, list[str]] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    cut: int = 0
    cut_late: int = 0
    delay_s: float = 0.0
    secret: str = ""
    got: list[tuple[list[str], bytes]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    async def handle_RCPT(self, server, session, envelope, address, _options):  # noqa: N802 - the library's name
        if answers := self.to.get(address):
            return answers.pop(0) if len(answers) > 1 else answers[0]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - the library's name
        await asyncio.sleep(self.delay_s)
        if self.cut:
            self.cut -= 1
            server.transport.abort()
            return "451 never said"
        if self.after:
            return self.after.pop(0)
        self.got.append((list(envelope.rcpt_tos), envelope.content))
        if self.cut_late:
            self.cut_late -= 1
            server.transport.abort()
        return "250 OK"

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == self.secret, handled=False)  # it says 535 itself

    @property
    def mails(self):
        return [message_from_bytes(raw, policy=policy.default) for _, raw in self.got]

    def server(self, **values) -> Server:
        """As the service is told of it."""
        return Server(**{"host": "127.0.0.1", "port": self.port, "tls": "none", "name": "dialer.example"} | values)


@asynccontextmanager
async def mail_server(*, context: ssl.SSLContext | None = None, from_the_first_byte: bool = False, **values):
    """Until the end of the block; with a certificate it demands TLS and a login."""
    kept = MailServer(**values)

    def protocol() -> SMTP:
        kept.sessions += 1
        secured = context is not None
        return SMTP(
            kept,
            hostname="mx.example.net",
            enable_SMTPUTF8=False,
            tls_context=None if from_the_first_byte else context,
            require_starttls=secured and not from_the_first_byte,
            authenticator=kept.authenticate if kept.secret else None,
            auth_required=bool(kept.secret),
            auth_require_tls=secured and not from_the_first_byte,
        )

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if from_the_first_byte else None)
    kept.port = listening.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        listening.close()


def certificate(folder):
    """A certificate of our own for 127.0.0.1: the file to trust, and the server's context."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mx.example.net", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
