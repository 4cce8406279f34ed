"""People who call the shown number back: rung in vain, abandoned, spoken to, in the middle of our own call; and strangers."""

from __future__ import annotations

import asyncio
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from ami.simulator.people import Person

if TYPE_CHECKING:
    from random import Random

    from ami.simulator.record import WorldCall
    from tests.sim.site import Site

TRUNK = "world"
SHOWN = "442079460000"
LOOK_S = 1.0
#: So soon after the call has ended, in seconds.
AFTER_S = (1.0, 300.0)
#: Of those who may call back, such a part of the share of the day does: who was spoken to, whose phone rings this moment.
TALKED, RINGS = 0.3, 0.2
#: For each one who calls back so many do whom nobody called.
STRANGERS = 0.15
#: So many call a second time beside the first, and so many hang up in the queue.
TWICE, IMPATIENT = 0.05, 0.25


class Returning:
    """Whoever calls in.

    Args:
        site: The premises.
        random: Chance.
        share: Of those who were rung in vain, or abandoned, so many call back.
    """

    def __init__(self, site: Site, random: Random, share: float) -> None:
        self._site = site
        self._random = random
        self._share = share
        self._due: list[tuple[float, int, str]] = []
        self._order = 0

    async def work(self, until_s: float) -> None:
        """Call in until then."""
        loop, calls = self._site.loop, self._site.host.switch.calls
        looked = 0
        goes_on: list[WorldCall] = []
        while loop.time() < until_s:
            goes_on += calls[looked:]
            looked = len(calls)
            for call in goes_on:
                if call.ended_at is not None:
                    self._after(call)
            goes_on = [call for call in goes_on if call.ended_at is None]
            for call in goes_on:
                if call.rang_at is not None and self._random.random() < RINGS * self._share * LOOK_S / 10:
                    self._plan(call.number, 0.0)
            while self._due and self._due[0][0] <= loop.time():
                self._dials(heappop(self._due)[2])
            await asyncio.sleep(LOOK_S)

    def _after(self, call: WorldCall) -> None:
        """A call of ours is over: its callee may call back, now and then somebody else does."""
        random = self._random
        if call.rang_at is None or random.random() >= self._share * (TALKED if call.talks else 1.0):
            return
        after_s = random.uniform(*AFTER_S)
        self._plan(call.number, after_s)
        if random.random() < TWICE:
            self._plan(call.number, after_s + random.uniform(0.0, 5.0))
        if random.random() < STRANGERS:
            self._plan(random.choice(("", "4420", f"4450{random.randrange(10**8):08d}")), random.uniform(*AFTER_S))

    def _plan(self, number: str, after_s: float) -> None:
        self._order += 1
        heappush(self._due, (self._site.loop.time() + after_s, self._order, number))

    def _dials(self, number: str) -> None:
        random, host = self._random, self._site.host
        if not host.switch.running:
            return
        told = f"0{number[2:]}" if number.startswith("44") and random.random() < 0.3 else number
        patience_s = random.uniform(0.0, 20.0) if random.random() < IMPATIENT else None
        person = Person(talk_s=random.lognormvariate(4.0, 0.7), patience_s=patience_s)
        host.happens(partial(host.switch.person_calls, trunk=TRUNK), told, SHOWN, person)
