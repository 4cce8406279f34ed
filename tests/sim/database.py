"""The way to the database: round trips that take time, fail, and lose their answers.

``Database`` is the server: it applies each request at one instant, in its own process, whether or not the one who
asked still lives. ``SimStore`` is one engine's connection to it (``dialer.engine.ports.Store``).

    ask ──travels──> COMMIT ──travels──> answer
         ^ lost here:          ^ lost here: it took effect
           nothing happened      and nobody knows
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from dialer.engine.ports import Lease
from dialer.errors import StoreDown
from tests.sim.loop import current

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from dialer.core.model import Budget, Campaign
    from dialer.engine.ports import (
        ClaimAsk,
        ClaimResult,
        Due,
        Journal,
        PacingMinute,
        Recovered,
        ReturnAsk,
        ReturnResult,
    )
    from tests.sim.loop import Process, SimClock, SimLoop
    from tests.sim.memory import Tables

T = TypeVar("T")
#: What ``async def`` gives; the busy methods of the store hand on the one of ``Database.ask``.
Asked: TypeAlias = "Coroutine[Any, Any, T]"

LEASE_S = 10.0
#: A dead holder that cannot be proven dead is waited for this much longer than its lease (R2).
GRACE_S = 5.0
#: Whoever waits for the lease looks this often.
LEASE_POLL_S = 1.0


@dataclass(slots=True)
class Weather:
    """What the way to the database is like now.

    Attributes:
        delay_s: Least and most time of one direction.
        down: Nobody answers.
        lose_ask: Probability that the connection breaks before the COMMIT.
        lose_answer: Probability that it breaks after the COMMIT, before its answer.
    """

    delay_s: tuple[float, float] = (0.0003, 0.002)
    down: bool = False
    lose_ask: float = 0.0
    lose_answer: float = 0.0


class Database:
    """A server with its tables, and a trap for whoever is to die around a COMMIT."""

    def __init__(self, loop: SimLoop, tables: Tables, random: Random, process: Process, clock: SimClock) -> None:
        self.loop = loop
        self.tables = tables
        tables.time = loop.time
        self.learned: dict[tuple[str, int], Mapping[str, Any]] = {}
        self.minutes: list[PacingMinute] = []
        self.calm = Weather()
        self.weather = self.calm
        self._context = process.context
        self.clock = clock
        self.trap: Callable[[str, str], None] | None = None
        """Called with ``before`` or ``after``, and what kind it is, at each commit; may kill whoever asked."""
        self._random = random

    async def ask(self, work: Callable[[], T], *, kind: str = "") -> T:
        """One round trip.

        Args:
            work: The statement.
            kind: ``claim``, ``return``, ``write`` or ``save`` for what is committed; a mere question may be answered where it arrives.

        Raises:
            StoreDown: no answer; whether ``work`` took effect is not known.
        """
        weather = self.weather
        if not kind and weather is self.calm and self._random.random() < self.tables.at_once:
            return work()
        if weather.down:
            await asyncio.sleep(0.01)
            raise StoreDown("store.down", "connection refused")
        future: asyncio.Future[T] = self.loop.create_future()
        if kind or weather.lose_ask or weather.lose_answer:
            arrives = partial(self._arrives, work, future, kind, current())
            self.loop.call_later(self._travel_s(), arrives, context=self._context)
        else:
            delay_s = self._travel_s() + self._travel_s()
            self.loop.call_later(delay_s, self._answers_at_once, work, future, context=self._context)
        return await future

    def _answers_at_once(self, work: Callable[[], T], future: asyncio.Future[T]) -> None:
        if self.weather.down:
            self._break(future)
            return
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 -- a refusal travels back to whoever asked
            _fail(future, error)
        else:
            self._answers(future, result)

    def _travel_s(self) -> float:
        least_s, most_s = self.weather.delay_s
        return least_s + (most_s - least_s) * self._random.random()  # as ``uniform``

    def _arrives(self, work: Callable[[], T], future: asyncio.Future[T], kind: str, asker: Process | None) -> None:
        if self.weather.down or self._random.random() < self.weather.lose_ask:
            self._break(future)
            return
        if asker is not None and asker.dead and self._random.random() < 0.5:
            return  # what the kernel of the dead had not sent yet
        if kind and self.trap is not None:
            self.trap("before", kind)
            if asker is not None and asker.dead:
                return
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 -- a refusal travels back to whoever asked
            self.loop.call_later(self._travel_s(), _fail, future, error, context=self._context)
            return
        if kind and self.trap is not None:
            self.trap("after", kind)
        if self._random.random() < self.weather.lose_answer:
            self._break(future)
        elif self.weather is self.calm and self._random.random() < self.tables.at_once:
            self._answers(future, result)
        else:
            self.loop.call_later(self._travel_s(), self._answers, future, result, context=self._context)

    def _answers(self, future: asyncio.Future[T], result: T) -> None:
        if self.weather.down:
            self._break(future)
        elif not future.done():
            future.set_result(result)

    def _break(self, future: asyncio.Future[Any]) -> None:
        _fail(future, StoreDown("store.down", "connection lost"))


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


class SimStore:
    """``dialer.engine.ports.Store`` of one engine."""

    def __init__(self, database: Database, switch: str, clock: SimClock) -> None:
        self._database = database
        self._tables = database.tables
        self._switch = switch
        self._clock = clock
        self._epoch = -1
        self.waits_for_lease = False
        """Whether another engine holds the lease, and this one says so."""

    async def take_lease(self, switch: str, *, wait: bool) -> Lease | None:
        holder = current()
        while True:
            lease = await self._database.ask(partial(self._take_lease, switch, holder))
            self.waits_for_lease = lease is None
            if lease is not None or not wait:
                return lease
            await asyncio.sleep(LEASE_POLL_S)

    def _take_lease(self, switch: str, holder: Process | None) -> Lease | None:
        row, now = self._tables.leases[switch], self._database.loop.time()
        proven_dead = row.holder is None or row.holder.dead
        if not proven_dead and now < row.expires_at + GRACE_S:
            return None
        row.epoch, row.holder, row.expires_at = row.epoch + 1, holder, now + LEASE_S
        self._epoch = row.epoch
        self._tables.lease_changed(switch)
        return Lease(switch=switch, epoch=row.epoch, expires_in_s=LEASE_S)

    def renew_lease(self, lease: Lease) -> Asked[bool]:
        return self._database.ask(partial(self._renew, lease))

    def _renew(self, lease: Lease) -> bool:
        row, now = self._tables.leases[lease.switch], self._database.loop.time()
        if row.epoch != lease.epoch or now > row.expires_at:
            return False
        row.expires_at = now + LEASE_S
        self._tables.lease_changed(lease.switch)
        return True

    def take_return(self, ask: ReturnAsk) -> Asked[ReturnResult]:
        return self._database.ask(partial(self._tables.take_return, ask), kind="return")

    async def release_lease(self, lease: Lease) -> None:
        def release() -> None:
            row = self._tables.leases[lease.switch]
            if row.epoch == lease.epoch:
                row.holder, row.expires_at = None, 0.0
                self._tables.lease_changed(lease.switch)

        await self._database.ask(release)

    def clock_skew_s(self) -> Asked[float]:
        return self._database.ask(self._skew_s)

    def _skew_s(self) -> float:
        return (self._database.clock.now() - self._clock.now()).total_seconds()

    def campaigns(self, switch: str) -> Asked[Sequence[Campaign]]:
        return self._database.ask(lambda: list(self._tables.campaigns.values()))

    async def budgets(self, campaign_ids: Sequence[int]) -> Mapping[int, Budget]:
        return await self._database.ask(lambda: {c: self._tables.budgets[c] for c in campaign_ids})

    def claim(self, ask: ClaimAsk) -> Asked[ClaimResult]:
        return self._database.ask(partial(self._tables.claim, ask, self._clock.boot_s()), kind="claim")

    def write(self, journal: Journal) -> Asked[None]:
        return self._database.ask(partial(self._tables.write, journal, self._switch, self._epoch), kind="write")

    async def recover(self, switch: str) -> Recovered:
        return await self._database.ask(partial(self._tables.recover, switch))

    async def learned(self, campaign_id: int) -> Mapping[str, float]:
        return await self._database.ask(partial(self._tables.learned, campaign_id))

    async def pacing_learned(self, kind: str, of_id: int) -> Mapping[str, Any] | None:
        return await self._database.ask(lambda: self._database.learned.get((kind, of_id)))

    async def keep_pacing(
        self, minutes: Sequence[PacingMinute], learned: Mapping[tuple[str, int], Mapping[str, Any]], now: datetime
    ) -> None:
        def keep() -> None:
            self._database.minutes += minutes
            self._database.learned.update(learned)

        await self._database.ask(keep)

    def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Asked[Mapping[int, Sequence[Due]]]:
        return self._database.ask(partial(self._tables.callbacks_due, campaign_ids, until))
