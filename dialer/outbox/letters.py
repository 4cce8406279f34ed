"""Sends letters: at least once, under one Message-ID, to whom the rules allow, as fast as the campaign's limits do.

    refused by a rule of ours         never leaves the house; the letter says why
    refused to the address for good   bounced: the address gets no more letters, of anybody
    refused otherwise for good        given up, with what the server said
    not now, or no answer             tried again later, less and less often; given up in the end

A connection that breaks after the text was sent may have delivered it: it is sent again, and receivers know the
repetition by its Message-ID.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
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
from typing import TYPE_CHECKING, Literal

import aiosmtplib
import structlog

from dialer.core.deliveries import Policy, next_try_s
from dialer.core.letters import POLICY, bounces, refusal
from dialer.core.mail_reports import message_id
from dialer.errors import StoreDown
from dialer.outbox.templates import Flaw, compose
from dialer.store import letters
from dialer.store.letters import Composed, Told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dialer.settings import Settings
    from dialer.store.letters import Due, Sender
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 1.0
#: A server that is away is not asked again for so long.
PAUSE_S = 30.0
ANSWER_S = 20.0
#: Of one campaign at a time.
EACH = 10
#: What a process that dies was sending is due again after this; it sends for half as long.
HELD_S = 600.0
_MAC_BYTES = 16
_ID_BYTES = 8
_DETAIL = 200


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


def token(key: bytes, letter_id: int) -> str:
    """What proves that a link to get no more letters is of this letter; good for ever."""
    number = letter_id.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(number + _mac(key, number)).decode()


def letter_of(key: bytes, said: str) -> int | None:
    """The letter of a token; None if nobody of ours made it."""
    try:
        raw = base64.urlsafe_b64decode(said.encode())
    except ValueError:
        return None
    number, mac = raw[:_ID_BYTES], raw[_ID_BYTES:]
    return int.from_bytes(number, "big") if hmac.compare_digest(mac, _mac(key, number)) else None


def _mac(key: bytes, number: bytes) -> bytes:
    return hmac.digest(key, b"unsubscribe " + number, "sha256")[:_MAC_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A letter as it leaves: from whom, to whom, and its bytes."""

    sender: str
    to: str
    raw: bytes


def mail_of(sender: Sender, to: str, said: Composed, *, uid: str, at: datetime, link: str = "") -> Mail:
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


async def send_one(server: Server, mail: Mail) -> str | None:
    """Send a letter now; what the server said against it, None if it took it."""
    try:
        client = await connect(server)
        try:
            await _hand_over(client, mail)
        finally:
            await _leave(client)
    except (aiosmtplib.SMTPException, OSError) as error:
        return _said(error)
    return None


async def _hand_over(client: aiosmtplib.SMTP, mail: Mail) -> None:
    await client.sendmail(mail.sender, [mail.to], mail.raw)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Say goodbye to a server that may be gone."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await client.quit()
    client.close()


class Postman:
    """One task that takes what is due, and sends it or puts it on a list.

    Args:
        pool: Any of the service's.
        key: Outside the database; links to get no more letters follow from it.
        origin: How people reach the service, e.g. ``https://dialer.example``.
        server: The mail server; None: only lists are cut.
        policy: How long a letter that nobody takes is tried.
        held_s: What this process was sending when it died is due again after so long.
    """

    def __init__(
        self,
        pool: Pool,
        key: bytes,
        *,
        origin: str,
        server: Server | None,
        policy: Policy = POLICY,
        held_s: float = HELD_S,
    ) -> None:
        self._pool = pool
        self._key = key
        self._origin = origin
        self._server = server
        self._policy = policy
        self._held_s = held_s
        self._chance = random.Random()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait_s = LOOK_S
            try:
                sent, away = await self.step()
                wait_s = PAUSE_S if away else 0.0 if sent >= EACH else LOOK_S
            except StoreDown as error:
                log.warning("letters.not_looked", error=error.message)
            await asyncio.sleep(wait_s)

    async def step(self) -> tuple[int, bool]:
        """Send what is due and cut the lists that are; how many letters went, and whether the server is away."""
        now = datetime.now(UTC)
        await letters.cut_lists(self._pool, now=now, judge=self._judge)
        if self._server is None:
            return 0, False
        until = now + timedelta(seconds=self._held_s)
        taken = await letters.take(self._pool, now=now, until=until, each=EACH)
        return await self._send(self._server, taken) if taken else (0, False)

    def link(self, letter_id: int) -> str:
        """Where whoever got a letter says that it was the last one."""
        return f"{self._origin}/unsubscribe/{token(self._key, letter_id)}"

    def _judge(self, one: Due) -> Composed | Told:
        """What a letter says, or why it does not go."""
        if why := refusal(one.standing, one.rule):
            return Told(state="refused", reason=why)
        if one.subject is not None and one.body is not None:
            return Composed(subject=one.subject, body=one.body, version=one.template_version or 0)
        try:
            said = compose(one, self.link(one.id))
        except Flaw as flaw:
            return Told(state="refused", reason=flaw.reason, detail=flaw.detail)
        return Composed(subject=said.subject, body=said.body, version=one.version or 0)

    async def _written(self, letter_id: int) -> tuple[Due, Composed] | None:
        """A letter and what it says, kept before it leaves; None: it does not, and the letter says why.

        It is judged when its turn comes: what has just left counts for the next one to that address, and who wanted no
        more letters meanwhile gets none.
        """
        for one in await letters.due(self._pool, [letter_id]):
            said = self._judge(one)
            if isinstance(said, Composed):
                if one.subject is None:
                    await letters.composed(self._pool, one.id, said)
                return one, said
            await self._keep(one, said)
        return None

    async def _send(self, server: Server, taken: Sequence[int]) -> tuple[int, bool]:
        """Hand letters over, one after another, in one session; one that breaks does not take the rest with it."""
        loop = asyncio.get_running_loop()
        ends_at, sent = loop.time() + self._held_s / 2, 0
        client: aiosmtplib.SMTP | None = None
        rest = list(taken)
        try:
            while rest and loop.time() < ends_at:
                written = await self._written(rest[0])
                if written is None:
                    rest.pop(0)
                    continue
                try:
                    if client is None:
                        client = await connect(server)
                except (aiosmtplib.SMTPException, OSError) as error:
                    log.warning("letters.server_away", error=_said(error))
                    for waiting in await letters.due(self._pool, rest):
                        await self._keep(waiting, self._later(waiting, "server_away", _said(error)))
                    return sent, True
                rest.pop(0)
                told = await self._try(client, *written)
                await self._keep(written[0], told)
                sent += told.state == "sent"
                if not client.is_connected:
                    client = None
        finally:
            if client is not None:
                await _leave(client)
        for waiting in await letters.due(self._pool, rest):  # taken, and not tried for want of time: at once again
            await self._keep(waiting, Told(state="waiting", next_at=datetime.now(UTC)))
        return sent, False

    async def _try(self, client: aiosmtplib.SMTP, one: Due, said: Composed) -> Told:
        """One try: what came of it."""
        if one.sender is None or one.sender_name is None:
            raise AssertionError(one.id)  # taken only where there is one
        sender = letters.Sender(name=one.sender_name, address=one.sender, reply_to=one.reply_to)
        uid = message_id(one.message_id, one.sender.rpartition("@")[2])
        try:
            mail = mail_of(sender, one.address, said, uid=uid, at=one.made_at, link=self.link(one.id))
        except ValueError as error:  # a header would not have been one line
            return Told(state="refused", reason="template", detail=_said(error))
        try:
            await _hand_over(client, mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            [refused] = error.recipients
            return self._refused(one, refused.code, refused.message, to_address=True)
        except aiosmtplib.SMTPDataError as error:
            return self._refused(one, error.code, error.message, to_address=False)
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            return self._later(one, "server", _said(error))
        return Told(state="sent")

    def _refused(self, one: Due, code: int, said: str, *, to_address: bool) -> Told:
        """What a server's refusal means. After the text, only a status of the address tells of the address."""
        text = _line(f"{code} {said}")
        if bounces(code, said) and (to_address or said.strip().startswith("5.1.")):
            return Told(state="bounced", reason="bounced", detail=text)
        if code >= 500:
            return Told(state="given_up", reason="refused_by_server", detail=text)
        return self._later(one, "deferred", text)

    def _later(self, one: Due, reason: str, detail: str) -> Told:
        wait_s = next_try_s(one.tries, self._chance.random(), self._policy)
        if wait_s is None:
            return Told(state="given_up", reason=reason, detail=detail)
        next_at = datetime.now(UTC) + timedelta(seconds=wait_s)
        return Told(state="waiting", reason=reason, detail=detail, next_at=next_at)

    async def _keep(self, one: Due, said: Told) -> None:
        if said.reason:
            log.info("letter.not_sent", letter=one.id, state=said.state, reason=said.reason)
        try:
            await letters.told(self._pool, one, said, now=datetime.now(UTC))
        except StoreDown as down:  # it is sent again when it is due again, under the same Message-ID
            log.warning("letter.not_kept", letter=one.id, error=down.message)


def _said(error: Exception) -> str:
    code, text = getattr(error, "code", None), getattr(error, "message", None) or str(error)
    return _line(f"{code} {text}" if code else f"{type(error).__name__}: {text}")


def _line(text: str) -> str:
    """What a server said, as PostgreSQL can keep it and a page show it: one line, no NUL, no halves of characters."""
    return " ".join(text.encode(errors="replace").decode().replace("\0", "?").split())[:_DETAIL]
