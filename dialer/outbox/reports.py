"""Sends reports on schedule: each day of a schedule at least once under one Message-ID for each address.

What a report says is made when its first letter leaves, with the rights its user has then; every letter and every try
of that day says the same. Whoever may no longer read it gets nothing, and the report stops and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.core.letters import POLICY
from dialer.core.mail_reports import REPORT, message_id
from dialer.core.subscriptions import LAST_LINE
from dialer.errors import StoreDown
from dialer.outbox import smtp
from dialer.outbox.letters import STOP_REPORT, token
from dialer.store import subscriptions
from dialer.store.letters import Told
from dialer.store.subscriptions import Composed, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosmtplib

    from dialer.core.deliveries import Policy
    from dialer.store.letters import Sender
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 2.0
#: Letters taken at once.
EACH = 10
#: What a process that dies was sending is due again after this; it sends for half as long.
HELD_S = 600.0
#: What a report says, or why its user may not have it: ``disabled`` or ``rights``.
Write = Callable[[Waiting], Awaitable[Composed | Told]]
_STOPS = frozenset({"disabled", "rights"})


class ReportPostman:
    """One task that begins reports when they are due, and sends their letters.

    Args:
        pool: Any of the service's.
        key: Outside the database; links that stop a report follow from it.
        origin: How people reach the service.
        sender: In whose name they go.
        server: The mail server; None: they wait.
        write: Makes a report with the rights its user has now.
        policy: How long a letter that nobody takes is tried.
        held_s: What this process was sending when it died is due again after so long.
        clock: Time of day, aware.
    """

    def __init__(
        self,
        pool: Pool,
        key: bytes,
        *,
        origin: str,
        sender: Sender,
        server: smtp.Server | None,
        write: Write,
        policy: Policy = POLICY,
        held_s: float = HELD_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._key, self._origin = pool, key, origin
        self._sender, self._server, self._write = sender, server, write
        self._courier = smtp.Courier(policy)
        self._held_s, self._clock = held_s, clock

    async def run(self) -> None:
        """Until cancelled."""
        await smtp.rounds(self.step, each=EACH, look_s=LOOK_S, trouble="reports.not_looked")

    async def step(self) -> tuple[int, bool]:
        """Begin what is due and send what waits; how many letters went, and whether the server is away."""
        while await subscriptions.fall_due(self._pool, now=self._clock()):
            pass
        if self._server is None:
            return 0, False
        now = self._clock()
        until = now + timedelta(seconds=self._held_s)
        taken = await subscriptions.take(self._pool, now=now, until=until, limit=EACH)
        return await self._send(self._server, taken) if taken else (0, False)

    def link(self, subscriber_id: int) -> str:
        """Where whoever has this address says that a report was the last one."""
        return f"{self._origin}/reports/stop/{token(self._key, subscriber_id, STOP_REPORT)}"

    async def _send(self, server: smtp.Server, taken: Sequence[int]) -> tuple[int, bool]:
        """Hand letters over, one after another, in one session; one that breaks does not take the rest with it."""
        loop = asyncio.get_running_loop()
        ends_at, sent, away = loop.time() + self._held_s / 2, 0, ""
        client: aiosmtplib.SMTP | None = None
        try:
            for letter_id in taken:
                one = await subscriptions.waiting(self._pool, letter_id)
                if one is None:
                    continue
                if loop.time() >= ends_at:  # taken, and not tried for want of time: at once again
                    await self._keep(one, Told(state="waiting", next_at=self._clock()))
                    continue
                if away:
                    await self._keep(one, self._courier.later(one.tries, "server_away", away))
                    continue
                said = await self._written(one)
                if isinstance(said, Told):
                    await self._keep(one, said)
                    continue
                try:
                    client = client or await smtp.connect(server)
                except smtp.TROUBLES as error:
                    away = smtp.said_by(error)
                    log.warning("reports.server_away", error=away)
                    await self._keep(one, self._courier.later(one.tries, "server_away", away))
                    continue
                told = await self._try(client, one, said)
                await self._keep(one, told)
                sent += told.state == "sent"
                client = client if client.is_connected else None
        finally:
            if client is not None:
                await smtp.leave(client)
        return sent, bool(away)

    async def _written(self, one: Waiting) -> Composed | Told:
        """What a letter says, kept before it leaves, or why it does not: rights are asked at every try."""
        if one.stopped or not one.allowed:
            return Told(state="refused", reason=one.stopped or "address")
        try:
            said = await self._write(one)
        except StoreDown:
            raise
        except Exception as error:  # one report that breaks holds up no other, and says so
            log.exception("report.not_made", subscription=one.subscription_id)
            return self._courier.later(one.tries, "report", smtp.said_by(error))
        if isinstance(said, Told):
            if said.reason in _STOPS:
                await subscriptions.stop(self._pool, one.subscription_id, said.reason, now=self._clock())
            return said
        if one.subject is None or one.body is None:
            await subscriptions.composed(self._pool, one.run_id, said)
            kept = await subscriptions.waiting(self._pool, one.id)
            one = kept or one
        if one.subject is None or one.body is None:
            return Told(state="waiting", next_at=self._clock())
        return Composed(subject=one.subject, body=one.body, files=one.files)

    async def _try(self, client: aiosmtplib.SMTP, one: Waiting, said: Composed) -> Told:
        uid = message_id(one.message_id, self._sender.address.rpartition("@")[2], REPORT)
        link = self.link(one.subscriber_id) if one.subscriber_id is not None else ""
        if link:
            said = replace(said, body=f"{said.body}\n{LAST_LINE[one.language]} {link}\n")
        files = [smtp.File(name=file.name, media=file.media, body=file.content) for file in said.files]
        try:
            mail = smtp.mail_of(self._sender, one.address, said, uid=uid, at=one.made_at, link=link, files=files)
        except ValueError as error:  # a header would not have been one line
            return Told(state="refused", reason="report", detail=smtp.said_by(error))
        return await self._courier.carry(client, mail, one.tries)

    async def _keep(self, one: Waiting, said: Told) -> None:
        if said.reason:
            log.info("report.not_sent", letter=one.id, state=said.state, reason=said.reason)
        try:
            await subscriptions.told(self._pool, one, said, now=self._clock())
        except StoreDown as down:  # it is sent again when it is due again, under the same Message-ID
            log.warning("report.not_kept", letter=one.id, error=down.message)
