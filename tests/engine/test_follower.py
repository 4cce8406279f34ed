"""An engine that has the lease and not yet the switch: another one, frozen on another machine, keeps the logins."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from ami.link import Link, LinkSettings
from ami.session import Patience
from ami.simulator.manager import dialer_users
from ami.simulator.people import TableWorld
from ami.simulator.server import SimServer
from dialer.core.model import LiveOperator, OperatorState
from dialer.engine import engine as engines
from dialer.engine.clock import SystemClock
from dialer.engine.engine import Engine
from dialer.engine.ports import Lease, Recovered


class Store:
    """The lease is ours, and nothing is going on."""

    async def take_lease(self, switch, *, wait):
        return Lease(switch=switch, epoch=2, expires_in_s=10.0)

    async def renew_lease(self, lease):
        return True

    async def clock_skew_s(self):
        return 0.0

    async def recover(self, switch):
        return Recovered()

    async def campaigns(self, switch):
        return []

    async def budgets(self, campaign_ids):
        return {}

    async def callbacks_due(self, campaign_ids, until):
        return {}

    async def write(self, journal):
        pass


@pytest.fixture
async def server():
    server = SimServer(TableWorld({}), dialer_users("events-secret", "commands-secret"))
    await server.start()
    yield server
    await server.stop()


def link(server: SimServer) -> Link:
    return Link(
        LinkSettings(
            port=server.port,
            events_secret="events-secret",
            commands_secret="commands-secret",
            patience=Patience(back_off_s=(0.05, 0.2)),
        )
    )


async def until(so, within_s=10.0):
    for _ in range(round(within_s / 0.02)):
        if so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {within_s:g} s")


async def test_the_follower_of_a_frozen_engine_elsewhere_waits_says_so_and_takes_over(server, monkeypatch):
    monkeypatch.setattr(engines, "CLOCK_S", 0.1)
    frozen = asyncio.create_task(link(server).run())
    await until(lambda: len(server.logged_in) == 2)
    engine = Engine(
        switch="main", link=link(server), store=Store(), clock=SystemClock(), rng=Random(1), new_id=lambda: UUID(int=1)
    )
    running = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.board().alerts)
        assert engine.stopped_because() == "switch_in_use"
        [alert] = engine.board().alerts
        assert "Login Already In Use" in alert
        assert "Stop the other engine" in alert
        assert not running.done()

        frozen.cancel()
        await until(lambda: engine.stopped_because() is None)
        assert engine.board().switch_up
        assert len(engine.board().alerts) == 1
    finally:
        for task in (running, frozen):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_what_a_page_saved_before_the_engine_was_back_ends_the_wrap_up(server):
    now, attempt = datetime.now(UTC), UUID(int=7)
    writing = LiveOperator(
        operator_id=1,
        session_id=UUID(int=5),
        seat="seat-001",
        team_id=1,
        name="Anna",
        state=OperatorState.WRAP_UP,
        since=now,
        until=now + timedelta(minutes=5),
        campaign_id=1,
        attempt_id=attempt,
    )

    class Slow(Store):
        async def recover(self, switch):
            await engine.disposition_saved(1, attempt)
            return Recovered(operators=[writing])

    engine = Engine(
        switch="main", link=link(server), store=Slow(), clock=SystemClock(), rng=Random(1), new_id=lambda: UUID(int=1)
    )
    running = asyncio.create_task(engine.run())
    try:
        await until(lambda: engine.operator(1))
        await until(lambda: engine.operator(1).state == "ringing")
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
