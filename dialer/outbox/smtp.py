"""Hands mail to a mail server over SMTP, and reads what its answers mean.

    refused to the address for good   bounced
    refused otherwise for good        given up, with what the server said
    not now, or no answer             tried again later, less and less often; given up in the end

A connection that breaks after the text was sent may have delivered it: it is sent again, and receivers know the
repetition by its Message-ID.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal, Protocol

import aiosmtplib
import structlog

from dialer.core.deliveries import Policy, next_try_s
from dialer.core.letters import POLICY, bounces
from dialer.errors import StoreDown
from dialer.store.letters import Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from dialer.settings import Settings
    from dialer.store.letters import Sender

log = structlog.get_logger(__name__)

ANSWER_S = 20.0
#: A server that is away is not asked again for so long.
PAUSE_S = 30.0
_DETAIL = 200
#: What a mail server that is away, breaks off or says no raises.
TROUBLES = (aiosmtplib.SMTPException, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server: ``tls`` is ``starttls``, ``tls`` (from the first byte) or ``none``."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    secret: str = ""
    ca_file: Path | None = None
    #: How we greet it; nobody's name is looked up for that.
    name: str = "localhost"


def server_of(settings: Settings) -> Server | None:
    """The mail server the service was started with; None: letters wait."""
    if not settings.smtp_host:
        return None
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        secret=settings.smtp_secret.get_secret_value(),
        ca_file=settings.smtp_ca,
        name=settings.public_name,
    )


class Text(Protocol):
    """What a mail says."""

    @property
    def subject(self) -> str:
        """One line."""

    @property
    def body(self) -> str:
        """Plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is attached: an ASCII name, a media type like ``text/csv``, the bytes."""

    name: str
    media: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A letter as it leaves: from whom, to whom, and its bytes."""

    sender: str
    to: str
    raw: bytes


def mail_of(
    sender: Sender, to: str, said: Text, *, uid: str, at: datetime, link: str = "", files: Sequence[File] = ()
) -> Mail:
    """A letter as it leaves; ``link`` is where the mail program's own button says that it was the last one.

    Raises:
        ValueError: A header would not be one line: such a letter is never sent.
    """
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = Address(display_name=" ".join(sender.name.split()), addr_spec=sender.address)
    mail["To"] = Address(addr_spec=to)
    if sender.reply_to:
        mail["Reply-To"] = Address(addr_spec=sender.reply_to)
    mail["Date"] = format_datetime(at)
    mail.set_content(said.body, charset="utf-8", cte="quoted-printable")
    for file in files:
        kind, _, part = file.media.partition("/")
        params = {"charset": "utf-8"} if kind == "text" else None
        mail.add_attachment(file.body, maintype=kind, subtype=part, filename=file.name, params=params)
    # Not by EmailMessage: it takes long words apart, which no reader puts together again.
    plain = {"Message-ID": uid}
    if link:  # RFC 2369 and RFC 8058
        plain |= {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    for value in (said.subject, *plain.values()):
        if not value.isprintable():
            raise ValueError("a header is one line")
    subject = Header(said.subject, None if said.subject.isascii() else "utf-8", header_name="Subject")
    head = "Subject: " + subject.encode(linesep="\r\n") + "\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in plain.items())
    return Mail(sender=sender.address, to=to, raw=head.encode("ascii") + mail.as_bytes())


async def connect(server: Server) -> aiosmtplib.SMTP:
    """A session with a mail server, logged in. Without TLS no password is said.

    Raises:
        aiosmtplib.SMTPException, OSError: It is away, is not who it says, or does not want us.
    """
    context = ssl.create_default_context(cafile=server.ca_file) if server.tls != "none" else None
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=context,
        timeout=ANSWER_S,
        local_hostname=server.name,
    )
    await client.connect()
    if server.user and server.tls != "none":
        try:
            await client.login(server.user, server.secret)
        except BaseException:
            client.close()
            raise
    return client


async def reach(server: Server) -> str | None:
    """Log in at a mail server and leave; what is wrong with it, None if it is well."""
    try:
        await leave(await connect(server))
    except TROUBLES as error:
        return said_by(error)
    return None


async def send_one(server: Server, mail: Mail) -> str | None:
    """Send a letter now; what the server said against it, None if it took it."""
    try:
        client = await connect(server)
        try:
            await hand_over(client, mail)
        finally:
            await leave(client)
    except TROUBLES as error:
        return said_by(error)
    return None


async def hand_over(client: aiosmtplib.SMTP, mail: Mail) -> None:
    """Give it to the server.

    Raises:
        aiosmtplib.SMTPException, OSError: It was not taken, or nobody knows.
    """
    await client.sendmail(mail.sender, [mail.to], mail.raw)


async def leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye to a server that may be gone."""
    with suppress(*TROUBLES):
        await client.quit()
    client.close()


class Courier:
    """Tries mails, and says what came of each.

    Args:
        policy: How long a mail that nobody takes is tried.
    """

    def __init__(self, policy: Policy = POLICY) -> None:
        self._policy = policy
        self._chance = random.Random()

    async def carry(self, client: aiosmtplib.SMTP, mail: Mail, tries: int) -> Told:
        """One try, the ``tries``-th: what came of it. A client that broke is closed."""
        try:
            await hand_over(client, mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            [refused] = error.recipients
            return self._refused(tries, refused.code, refused.message, to_address=True)
        except aiosmtplib.SMTPDataError as error:
            return self._refused(tries, error.code, error.message, to_address=False)
        except TROUBLES as error:
            client.close()
            return self.later(tries, "server", said_by(error))
        return Told(state="sent")

    def later(self, tries: int, reason: str, detail: str) -> Told:
        """It is tried again, unless it was tried often enough."""
        wait_s = next_try_s(tries, self._chance.random(), self._policy)
        if wait_s is None:
            return Told(state="given_up", reason=reason, detail=detail)
        next_at = datetime.now(UTC) + timedelta(seconds=wait_s)
        return Told(state="waiting", reason=reason, detail=detail, next_at=next_at)

    def _refused(self, tries: int, code: int, said: str, *, to_address: bool) -> Told:
        """What a server's refusal means. After the text, only a status of the address tells of the address."""
        text = line(f"{code} {said}")
        if bounces(code, said) and (to_address or said.strip().startswith("5.1.")):
            return Told(state="bounced", reason="bounced", detail=text)
        if code >= 500:
            return Told(state="given_up", reason="refused_by_server", detail=text)
        return self.later(tries, "deferred", text)


def said_by(error: Exception) -> str:
    """What a server said against it, or what else went wrong."""
    code, text = getattr(error, "code", None), getattr(error, "message", None) or str(error)
    return line(f"{code} {text}" if code else f"{type(error).__name__}: {text}")


def line(text: str) -> str:
    """What a server said, as PostgreSQL can keep it and a page show it: one line, no NUL, no halves of characters."""
    return " ".join(text.encode(errors="replace").decode().replace("\0", "?").split())[:_DETAIL]


async def rounds(step: Callable[[], Awaitable[tuple[int, bool]]], *, each: int, look_s: float, trouble: str) -> None:
    """Send what waits, round after round, until cancelled.

    Args:
        step: One round: how many letters went, and whether the server is away.
        each: The most letters of a round; after a full one the next begins at once.
        look_s: Between two looks where little waits.
        trouble: What the log says when PostgreSQL could not be asked.
    """
    while True:
        wait_s = look_s
        try:
            sent, away = await step()
            wait_s = PAUSE_S if away else 0.0 if sent >= each else look_s
        except StoreDown as error:
            log.warning(trouble, error=error.message)
        await asyncio.sleep(wait_s)
