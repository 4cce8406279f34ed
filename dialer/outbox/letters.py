"""Sends letters: at least once, under one Message-ID, to whom the rules allow, as fast as the campaign's limits do.

What a rule of ours refuses never leaves the house, and the letter says why; the rest is ``smtp``'s.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import aiosmtplib
import structlog

from dialer.core.letters import POLICY, refusal
from dialer.core.mail_reports import message_id
from dialer.errors import StoreDown
from dialer.outbox import smtp
from dialer.outbox.smtp import Courier, Server
from dialer.outbox.templates import Flaw, compose
from dialer.store import letters
from dialer.store.letters import Composed, Told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.core.deliveries import Policy
    from dialer.store.letters import Due
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 1.0
#: Of one campaign at a time.
EACH = 10
#: What a process that dies was sending is due again after this; it sends for half as long.
HELD_S = 600.0
#: What a link is good for: to get no more letters, or no more of a report.
UNSUBSCRIBE, STOP_REPORT = b"unsubscribe", b"stop report"
_MAC_BYTES = 16
_ID_BYTES = 8


def token(key: bytes, number: int, purpose: bytes = UNSUBSCRIBE) -> str:
    """What proves that a link of this purpose is of this letter; good for ever."""
    raw = number.to_bytes(_ID_BYTES, "big")
    return base64.urlsafe_b64encode(raw + _mac(key, raw, purpose)).decode()


def letter_of(key: bytes, said: str, purpose: bytes = UNSUBSCRIBE) -> int | None:
    """The letter of a token; None if nobody of ours made it for this purpose."""
    try:
        raw = base64.urlsafe_b64decode(said.encode())
    except ValueError:
        return None
    number, mac = raw[:_ID_BYTES], raw[_ID_BYTES:]
    return int.from_bytes(number, "big") if hmac.compare_digest(mac, _mac(key, number, purpose)) else None


def _mac(key: bytes, number: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose + b" " + number, "sha256")[:_MAC_BYTES]


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
        self._courier = Courier(policy)
        self._held_s = held_s

    async def run(self) -> None:
        """Until cancelled."""
        await smtp.rounds(self.step, each=EACH, look_s=LOOK_S, trouble="letters.not_looked")

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
                        client = await smtp.connect(server)
                except smtp.TROUBLES as error:
                    log.warning("letters.server_away", error=smtp.said_by(error))
                    for waiting in await letters.due(self._pool, rest):
                        await self._keep(
                            waiting, self._courier.later(waiting.tries, "server_away", smtp.said_by(error))
                        )
                    return sent, True
                rest.pop(0)
                told = await self._try(client, *written)
                await self._keep(written[0], told)
                sent += told.state == "sent"
                if not client.is_connected:
                    client = None
        finally:
            if client is not None:
                await smtp.leave(client)
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
            mail = smtp.mail_of(sender, one.address, said, uid=uid, at=one.made_at, link=self.link(one.id))
        except ValueError as error:  # a header would not have been one line
            return Told(state="refused", reason="template", detail=smtp.said_by(error))
        return await self._courier.carry(client, mail, one.tries)

    async def _keep(self, one: Due, said: Told) -> None:
        if said.reason:
            log.info("letter.not_sent", letter=one.id, state=said.state, reason=said.reason)
        try:
            await letters.told(self._pool, one, said, now=datetime.now(UTC))
        except StoreDown as down:  # it is sent again when it is due again, under the same Message-ID
            log.warning("letter.not_kept", letter=one.id, error=down.message)
