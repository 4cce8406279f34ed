"""The premises: a switch, a database, and the service as processes that are started, killed, frozen and replaced.

A ``Service`` is one operating system process: engine, its link, its connection to the database and the web in front of
it. Whoever asks it something over the web has a connection that breaks when the process dies.
"""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from asyncpg.pgproto import pgproto

from ami.actions import Bridge, Originate
from ami.simulator.inprocess import Faults, SimLink
from dialer.engine.callers import conversation_of
from dialer.engine.engine import Engine
from dialer.errors import DialerError
from tests.sim.database import SimStore
from tests.sim.loop import Process, SimClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from ami.actions import Action
    from ami.simulator.inprocess import SimHost
    from tests.sim.database import Database
    from tests.sim.loop import SimLoop

T = TypeVar("T")

SWITCH = "main"
#: The bits of version and variant in a UUID, and what they are in a random one.
VERSION, VERSION_4 = 0xF000 << 64 | 0xC000 << 48, 0x4000 << 64 | 0x8000 << 48
#: A browser gives up a request after this.
REQUEST_S = 10.0
#: Half of the way between a browser and the service.
WEB_S = 0.005


class NoAnswer(Exception):
    """The connection broke or nobody listens: the one who asked does not know whether it was done."""


class TrappedLink(SimLink):
    """A link whose next write of a kind may be its owner's last act."""

    trap: Callable[[str, Action], None] | None = None
    witness: Callable[[Action], None] | None = None

    def send(self, action: Action) -> asyncio.Future[None]:
        if self.witness is not None and self._up:
            self.witness(action)
        if self.trap is not None:
            self.trap("before", action)
        future = super().send(action)
        if self.trap is not None:
            self.trap("after", action)
        return future


class Killed(BaseException):
    """Raised inside a process that was just killed, so that not even the present callback goes on."""


class Service:
    """One process of the service."""

    def __init__(self, site: Site, number: int) -> None:
        self.site = site
        self.number = number
        self.process = Process(f"service-{number}")
        self.clock = SimClock(site.loop)
        self.clock.step_s = site.clock_step_s
        self.store = SimStore(site.database, SWITCH, self.clock)
        self.random = Random((site.seed << 16) ^ number)
        self.link = TrappedLink(site.host, seed=self.random.getrandbits(32), faults=site.weather)
        self.link.witness = site.on_write
        self.ended_with: str | None = None
        self.engine: Engine
        self._asked: set[asyncio.Future[Any]] = set()

    def start(self) -> None:
        self.process.run(self._start)

    def _start(self) -> None:
        self.engine = Engine(
            switch=SWITCH,
            link=self.link,
            store=self.store,
            clock=self.clock,
            rng=self.random,
            new_id=self._new_id,
        )
        self._task = self.site.loop.create_task(self._run(), name="service")
        self._chores = [self.site.loop.create_task(chore(self)) for chore in self.site.chores]

    def _new_id(self) -> UUID:
        """A random id of version 4, made without one of ``uuid.UUID`` before it."""
        return pgproto.UUID((self.random.getrandbits(128) & ~VERSION | VERSION_4).to_bytes(16, "big"))

    async def _run(self) -> None:
        try:
            await self.engine.run()
        except DialerError as error:
            self.ended_with = error.code
        except Exception as error:  # noqa: BLE001 -- a crash of the engine is a failure of the day
            self.site.loop.fail(error)
        else:
            self.ended_with = "returned"
        self.site.loop.call_soon(self.site.ended, self, context=self.site.context)

    async def ask(self, work: Callable[[Service], Awaitable[T]]) -> T:
        """Send a request over the web and wait for its answer.

        Raises:
            NoAnswer: the connection broke, or nothing came in ``REQUEST_S``.
            DialerError: the service refused.
        """
        loop = self.site.loop
        future: asyncio.Future[T] = loop.create_future()
        if self.process.dead:
            raise NoAnswer(self.process.name)
        self._asked.add(future)
        limit = loop.call_later(REQUEST_S, _break, future)
        self.process.run(loop.call_later, WEB_S, partial(self._serve, work, future))
        try:
            return await future
        finally:
            limit.cancel()
            self._asked.discard(future)

    def _serve(self, work: Callable[[Service], Awaitable[T]], future: asyncio.Future[T]) -> None:
        async def handler() -> None:
            try:
                result = await work(self)
            except Exception as error:  # noqa: BLE001 -- travels back to whoever asked
                _later(future, self.site, error=error)
            else:
                _later(future, self.site, result=result)

        self.site.loop.create_task(handler())

    def killed(self) -> None:
        """The kernel closes what the process had open."""
        self.site.loop.kill(self.process)
        self.link.cut("process gone", reached=True)
        for future in list(self._asked):
            _break(future)


def _later(future: asyncio.Future[T], site: Site, *, result: T | None = None, error: Exception | None = None) -> None:
    def arrives() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # None where T is None

    site.loop.call_later(WEB_S, arrives, context=site.context)


def _break(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(NoAnswer("connection lost"))


class Site:
    """Everything that is not a person: switch, database, and the processes of the service."""

    def __init__(self, loop: SimLoop, seed: int, host: SimHost, database: Database) -> None:
        self.loop = loop
        self.seed = seed
        self.host = host
        self.database = database
        self.context = host.context
        self.weather = Faults()
        self.services: list[Service] = []
        self.closing = False
        self.deaths = 0
        self.clock = SimClock(loop)
        self.epoch_s = self.clock.now().timestamp() - loop.time()
        self.clock_step_s = 0.0
        self.on_write: Callable[[Action], None] | None = None
        self.on_end: Callable[[], None] | None = None
        """Called when the service people talk to leaves by itself, since it cannot renew its lease."""
        self.lost_phones: list[float] = []
        self.chores: list[Callable[[Service], Coroutine[Any, Any, None]]] = []
        """What each process of the service does beside its engine."""

    def start_service(self) -> Service:
        service = Service(self, len(self.services) + 1)
        self.services.append(service)
        service.start()
        return service

    @property
    def living(self) -> list[Service]:
        return [s for s in self.services if not s.process.dead]

    @property
    def active(self) -> Service | None:
        """The service people talk to: whoever holds the lease, else the newest."""
        newest = self.services[-1] if self.services else None
        holder = self.database.tables.leases[SWITCH].holder
        if newest is not None and newest.process is holder and not newest.process.dead:
            return newest
        living = self.living
        return next((s for s in living if s.process is holder), living[-1] if living else None)

    def kill(self, service: Service, *, back_after_s: float | None = 1.0) -> None:
        """Kill -9, and the supervisor starts another one."""
        if service.process.dead:
            return
        self.deaths += 1
        service.killed()
        if back_after_s is not None:
            self.loop.call_later(back_after_s, self._restart, context=self.context)

    def _restart(self) -> None:
        if not self.living and not self.closing:
            self.start_service()

    def ended(self, service: Service) -> None:
        """A service left by itself: its process is over, and with it what it could not store."""
        if service is self.active and self.on_end is not None:
            self.on_end()
        self.kill(service)

    def conversation_of(self, channel_id: str) -> UUID:
        """The attempt of a callee's channel, or the conversation of somebody who called us."""
        return UUID(hex=channel_id[4:]) if channel_id.startswith("att-") else conversation_of(SWITCH, channel_id)

    async def ask(self, work: Callable[[Service], Awaitable[T]]) -> T:
        service = self.active
        if service is None:
            await asyncio.sleep(WEB_S)
            raise NoAnswer("nobody listens")
        return await service.ask(work)

    def step_clock(self, to_s: float) -> None:
        """The time of day of the machine the services run on is wrong by so much from now on."""
        self.clock_step_s = to_s
        for service in self.living:
            service.clock.step_s = to_s

    def lose_phone(self, seat: str) -> None:
        """An operator's phone disappears with its calls."""
        self.lost_phones.append(self.loop.time())
        self.host.switch.lose_phone(seat, self.host.now())
        self.host.wind()

    def return_phone(self, seat: str) -> None:
        """It registers again."""
        self.host.switch.return_phone(seat, self.host.now())
        self.host.wind()

    def trap_commit(self, service: Service, when: str) -> None:
        """Kill the service right before or after the next COMMIT of an engine takes effect."""

        def trap(moment: str, kind: str) -> None:
            if moment == when and kind:
                self.database.trap = None
                self.kill(service)

        self.database.trap = trap

    def trap_write(self, service: Service, when: str, kind: type[Originate | Bridge]) -> None:
        """Kill the service right before or after its next write of this kind."""

        def trap(moment: str, action: Action) -> None:
            if moment == when and isinstance(action, kind):
                service.link.trap = None
                self.kill(service)
                raise Killed

        service.link.trap = trap
