"""Bad weather from a seed: what breaks in a day, when, and for how long.

Each fault is a method of ``Weather`` and tells the checker for how long people may be lost because of it. The last
part of a day is calm, so that everything can come back and be counted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from ami.actions import Bridge, Originate
from tests.sim.database import Weather as Storm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.sim.checker import Checker
    from tests.sim.site import Service, Site

#: Everything that can break, by name; a day draws from these.
KINDS = (
    "kill",
    "kill_at_a_step",
    "kill_before_commit",
    "kill_after_commit",
    "kill_before_originate",
    "kill_after_originate",
    "kill_before_bridge",
    "kill_after_bridge",
    "switch_restart",
    "link_cut",
    "link_cut_at_originate",
    "link_cut_at_bridge",
    "link_mute",
    "events_lost",
    "events_doubled_and_late",
    "slow_acks",
    "database_down",
    "database_slow",
    "commit_answers_lost",
    "frozen",
    "frozen_after_claim",
    "two_engines",
    "clock_step",
)


class Weather:
    """Breaks things on one site."""

    def __init__(self, site: Site, checker: Checker, random: Random, kinds: Sequence[str] = KINDS) -> None:
        self.site = site
        self.checker = checker
        self.happened: Counter[str] = Counter()
        self._random = random
        self._kinds = kinds

    async def blow(self, until_s: float, every_s: float) -> None:
        """Break something now and then until ``until_s``, then let the sun shine."""
        loop = self.site.loop
        while True:
            wait_s = self._random.expovariate(1 / every_s)
            if loop.time() + wait_s >= until_s:
                return
            await asyncio.sleep(wait_s)
            kind = self._random.choice(self._kinds)
            self.happened[kind] += 1
            await getattr(self, kind)()

    @property
    def _service(self) -> Service | None:
        return self.site.active

    def _away(self, why: str, for_s: float = 0.0) -> None:
        self.checker.in_trouble(why, for_s)

    # The process ------------------------------------------------------------------

    async def kill(self) -> None:
        if self._service is not None:
            back_s = self._random.choice((0.5, 2.0, 20.0))
            self._away("engine was killed", back_s + 5)
            self.site.kill(self._service, back_after_s=back_s)

    async def kill_at_a_step(self) -> None:
        service = self._service
        if service is not None:
            self._away("engine was killed", 60)
            self.site.loop.doom(service.process, self._random.randrange(1, 500), lambda: self._now_dead(service))
            await asyncio.sleep(60)

    async def kill_before_commit(self) -> None:
        await self._trap_commit("before")

    async def kill_after_commit(self) -> None:
        await self._trap_commit("after")

    async def _trap_commit(self, when: str) -> None:
        if self._service is not None:
            self._away("engine was killed", 60)
            self.site.trap_commit(self._service, when)
            await asyncio.sleep(60)
            self.site.database.trap = None

    async def kill_before_originate(self) -> None:
        await self._trap_write("before", Originate)

    async def kill_after_originate(self) -> None:
        await self._trap_write("after", Originate)

    async def kill_before_bridge(self) -> None:
        await self._trap_write("before", Bridge)

    async def kill_after_bridge(self) -> None:
        await self._trap_write("after", Bridge)

    async def _trap_write(self, when: str, kind: type[Originate | Bridge]) -> None:
        service = self._service
        if service is not None:
            self._away("engine was killed", 120)
            self.site.trap_write(service, when, kind)
            await asyncio.sleep(120)
            service.link.trap = None

    def _now_dead(self, service: Service) -> None:
        self._away("engine was killed", 5)
        self.site.kill(service)

    async def frozen(self) -> None:
        """SIGSTOP for a minute; another engine waits beside it and takes over."""
        service = self._service
        if service is None:
            return
        self._away("engine was frozen", 90)
        self.site.loop.freeze(service.process)
        self.site.start_service()
        await asyncio.sleep(60)
        self.site.loop.thaw(service.process)
        await asyncio.sleep(20)

    async def frozen_after_claim(self) -> None:
        """SIGSTOP between the commit of a claim and the calls that were to follow."""
        service, database = self._service, self.site.database
        if service is None:
            return

        def trap(moment: str, kind: str) -> None:
            if (moment, kind) == ("after", "claim"):
                database.trap = None
                self.site.loop.freeze(service.process)

        self._away("engine was frozen", 120)
        database.trap = trap
        self.site.start_service()
        await asyncio.sleep(self._random.choice((3.0, 60.0)))
        database.trap = None
        self.site.loop.thaw(service.process)
        await asyncio.sleep(20)

    async def two_engines(self) -> None:
        """Another engine is started by mistake, and waits; the first one dies later."""
        service = self._service
        if service is None:
            return
        second = self.site.start_service()
        await asyncio.sleep(self._random.uniform(5, 60))
        if self._random.random() < 0.5:
            self._away("engine was killed", 20)
            self.site.kill(service)
        else:
            self.site.kill(second)

    async def clock_step(self) -> None:
        """The time of day of the engine's machine jumps, and is set right later."""
        self.site.step_clock(self._random.choice((-3600.0, -30.0, -3.0, 3.0, 30.0, 3600.0)))
        self._away("clock stepped", 120)
        if self._random.random() < 0.3 and self._service is not None:
            self.site.kill(self._service)
        await asyncio.sleep(60)
        self.site.step_clock(0.0)
        await asyncio.sleep(30)

    # Switch and wire -----------------------------------------------------------------

    async def switch_restart(self) -> None:
        down_s = self._random.uniform(1, 20)
        self._away("switch was restarted", down_s + 10)
        self.site.host.crash(down_s=down_s, announced=self._random.random() < 0.3)
        await asyncio.sleep(down_s)

    async def link_cut(self) -> None:
        self._away("link was cut", 10)
        if self._service is not None:
            self._service.link.cut()

    async def link_cut_at_originate(self) -> None:
        await self._cut_at("originate")

    async def link_cut_at_bridge(self) -> None:
        await self._cut_at("bridge")

    async def _cut_at(self, kind: str) -> None:
        service = self._service
        if service is not None:
            self._away("link was cut", 130)
            service.link.cut_at_next(kind, reached=self._random.random() < 0.5)
            await asyncio.sleep(120)
            service.link._cut_at_next = None

    async def link_mute(self) -> None:
        """Half-open: no FIN, nothing passes."""
        service, mute_s = self._service, self._random.uniform(2, 60)
        if service is not None:
            self._away("link was cut", mute_s + 20)
            service.link.mute()
            await asyncio.sleep(mute_s)
            service.link.unmute()

    async def events_lost(self) -> None:
        self._away("events lost on the wire", 400)
        self.site.weather.lose = 0.05
        await asyncio.sleep(300)
        self.site.weather.lose = 0.0

    async def events_doubled_and_late(self) -> None:
        weather = self.site.weather
        self._away("events late on the wire", 400)
        weather.duplicate, weather.reorder, weather.reorder_s = 0.1, 0.1, self._random.choice((0.05, 0.5, 3.0))
        await asyncio.sleep(300)
        weather.duplicate = weather.reorder = 0.0

    async def slow_acks(self) -> None:
        weather = self.site.weather
        self._away("link was slow", 200)
        weather.event_delay_s, weather.action_delay_s, weather.answer_delay_s = (0.1, 1.0), (0.1, 1.0), (0.5, 2.0)
        await asyncio.sleep(120)
        weather.event_delay_s = weather.action_delay_s = weather.answer_delay_s = (0.0, 0.0)

    # Database ------------------------------------------------------------------------

    async def database_down(self) -> None:
        await self._database(Storm(down=True), self._random.choice((1.0, 5.0, 30.0)))

    async def database_slow(self) -> None:
        await self._database(Storm(delay_s=(0.1, 0.6)), self._random.uniform(10, 120))

    async def commit_answers_lost(self) -> None:
        await self._database(Storm(lose_ask=0.15, lose_answer=0.15), self._random.uniform(10, 120))

    async def _database(self, storm: Storm, for_s: float) -> None:
        database = self.site.database
        database.weather = storm
        await asyncio.sleep(for_s)
        database.weather = database.calm
