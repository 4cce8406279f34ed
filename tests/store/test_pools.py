"""When PostgreSQL is away, slow or full of others, everybody hears the same word: StoreDown; and it comes back."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import pytest

from dialer.errors import Refused, StoreDown
from dialer.store.migrate import migrate
from dialer.store.pools import Pools, store_errors, transaction
from dialer.store.server import OwnServer
from dialer.store.store import PgStore

pytestmark = pytest.mark.postgres


async def test_a_restart_of_postgresql_is_said_and_survived(open_tmp_path):
    own = OwnServer(open_tmp_path / "restarted")
    url = await own.__aenter__()
    migrate(url)
    async with Pools.open(url) as pools:
        store = PgStore(pools.engine, url)
        lease = await store.take_lease("main", wait=False)
        await own.__aexit__(None, None, None)
        for ask in (store.campaigns("main"), store.recover("main"), store.clock_skew_s(), store.renew_lease(lease)):
            with pytest.raises(StoreDown) as down:
                await ask
            assert down.value.remedy
        async with own:
            assert await store.renew_lease(lease)
            assert await store.campaigns("main") == []
            await store.close()


async def test_no_server_at_all_is_said_at_once(tmp_path):
    with pytest.raises(StoreDown):
        async with Pools.open(f"postgresql://dialer@/dialer?host={tmp_path}"):
            pass


async def test_a_statement_that_takes_too_long_is_given_up(pools):
    began = time.monotonic()
    with pytest.raises(StoreDown):
        await transaction(pools.engine, lambda connection: connection.execute("SELECT pg_sleep(30)"))
    assert time.monotonic() - began < 8


async def test_too_many_asking_at_once_wait_and_then_are_told(pools, monkeypatch):
    monkeypatch.setattr("dialer.store.pools.CONNECT_TIMEOUT_S", 0.2)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(transaction(pools.engine, lambda connection: connection.execute("SELECT pg_sleep(1)")))
        await asyncio.sleep(0.1)
        with pytest.raises(StoreDown):
            await transaction(pools.engine, lambda connection: connection.fetchval("SELECT 1"))
        assert await transaction(pools.web, lambda connection: connection.fetchval("SELECT 1")) == 1


async def test_a_deadlock_is_tried_again_and_both_get_through(pools):
    await pools.web.execute("INSERT INTO phone (e164) VALUES ('+12025550101'), ('+12025550102')")
    met = asyncio.Barrier(2)
    tries = []

    def both(first, second):
        async def work(connection):
            tries.append(first)
            lock = "SELECT 1 FROM phone WHERE e164 = $1 FOR UPDATE"
            await connection.execute(lock, first)
            if len(tries) <= 2:
                await met.wait()
            await connection.execute(lock, second)

        return transaction(pools.web, work)

    await asyncio.gather(both("+12025550101", "+12025550102"), both("+12025550102", "+12025550101"))
    assert len(tries) == 3


async def test_whoever_gives_way_every_time_is_told_so_and_nothing_ends(pools):
    """An engine that lost against a crowd goes on as when PostgreSQL is away for a moment."""

    async def unlucky(_):
        raise asyncpg.DeadlockDetectedError("deadlock detected")

    with pytest.raises(StoreDown) as refused:
        await transaction(pools.engine, unlucky)
    assert refused.value.code == "store.busy"


async def test_what_is_refused_by_rule_is_not_taken_for_an_outage():
    with pytest.raises(Refused), store_errors():
        raise Refused("x", "y")
    with pytest.raises(asyncpg.UniqueViolationError), store_errors():
        raise asyncpg.UniqueViolationError("twice")
