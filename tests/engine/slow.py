"""An engine without a switch, on a store that takes its time."""

from __future__ import annotations

import asyncio
from random import Random
from uuid import UUID

from ami.errors import NotConnected
from dialer.core import events as ev
from dialer.core.model import LiveAttempt
from dialer.engine.engine import Engine
from dialer.engine.ports import Journal, Recovered
from tests.core.floors import CAMPAIGN, NOON, budget


class StandingClock:
    def now(self):
        return NOON

    def boot_s(self):
        return 1000.0


class SlowStore:
    """Live attempts by id; a page takes its time to be written, and ``meanwhile`` happens in the middle of it."""

    def __init__(self, *live: LiveAttempt):
        self.live = {attempt.id: attempt for attempt in live}
        self.meanwhile = []

    async def write(self, journal: Journal) -> None:
        await asyncio.sleep(0.01)
        for happens in self.meanwhile:
            happens()
        self.meanwhile = []
        await asyncio.sleep(0.01)
        for ended in journal.ended:
            self.live.pop(ended.attempt.id, None)

    async def recover(self, switch: str) -> Recovered:
        return Recovered(attempts=list(self.live.values()), operators=[])


class NoLink:
    events = asyncio.Queue()

    def ack_s_p95(self):
        return 0.0

    def send(self, action):
        raise NotConnected


def slow_engine() -> Engine:
    """One campaign, nobody at work; the caller runs its writer."""
    engine = Engine(
        switch="main",
        link=NoLink(),
        store=SlowStore(),
        clock=StandingClock(),
        rng=Random(1),
        new_id=lambda: UUID(int=1),
    )
    engine.floor.cover.budgets[CAMPAIGN.id] = budget()
    engine._do(ev.CampaignsRead([CAMPAIGN]))
    return engine
