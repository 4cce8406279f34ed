"""The lease: one engine dials on a switch, and a dead one is followed at once only if it is proven dead."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from dialer.errors import LeaseLost
from dialer.store.lease import _process, end_frozen, proven_dead
from dialer.store.store import PgStore

pytestmark = pytest.mark.postgres

TAKE = """
import asyncio, sys
from dialer.store.lease import LeaseKeeper
async def main():
    await LeaseKeeper(sys.argv[1]).take("main", wait=False)
    print("taken", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""

#: The same, in the middle of a claim.
CLAIM = TAKE.replace(
    "    print(",
    """    import asyncpg
    connection = await asyncpg.connect(sys.argv[1])
    await connection.execute("BEGIN")
    await connection.execute("SELECT FROM engine_lease WHERE switch = 'main' FOR KEY SHARE")
    print(""",
)


@pytest.fixture
async def rival(pools, url):
    opened = PgStore(pools.engine, url)
    yield opened
    await opened.close()


def start_holder(url, program=TAKE) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE, text=True)
    while holder.stdout.readline() not in {"taken\n", ""}:
        pass
    return holder


async def test_a_second_engine_does_not_get_the_lease(store, rival):
    assert (await store.take_lease("main", wait=False)).epoch == 1
    assert await rival.take_lease("main", wait=False) is None
    assert (await rival.take_lease("other", wait=False)).epoch == 1


async def test_a_lease_that_was_given_back_is_taken_at_once_with_the_next_epoch(store, rival):
    lease = await store.take_lease("main", wait=False)
    waiting = asyncio.create_task(rival.take_lease("main", wait=True))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await store.release_lease(lease)
    assert (await asyncio.wait_for(waiting, 2)).epoch == lease.epoch + 1
    assert not await store.renew_lease(lease)


async def test_a_killed_engine_on_this_machine_is_followed_at_once(store, url):
    """Also while nobody has collected the dead process yet."""
    holder = await asyncio.to_thread(start_holder, url)
    assert await store.take_lease("main", wait=False) is None
    os.kill(holder.pid, signal.SIGKILL)
    lease = await asyncio.wait_for(store.take_lease("main", wait=True), 3)
    assert lease.epoch == 2
    holder.wait()


async def test_a_stopped_engine_is_not_dead(store, url):
    """SIGSTOP keeps process and connection: only the end of the lease ends its right."""
    holder = await asyncio.to_thread(start_holder, url)
    try:
        os.kill(holder.pid, signal.SIGSTOP)
        await asyncio.sleep(0.2)
        assert await store.take_lease("main", wait=False) is None
    finally:
        holder.kill()
        holder.wait()


async def test_a_frozen_engine_on_this_machine_is_ended_when_its_lease_is_over(store, url, pools):
    """It would keep the logins of the switch for as long as it is frozen."""
    holder = await asyncio.to_thread(start_holder, url)
    os.kill(holder.pid, signal.SIGSTOP)
    await pools.web.execute("UPDATE engine_lease SET expires_at = now() - interval '6 seconds'")
    assert (await store.take_lease("main", wait=False)).epoch == 2
    assert await asyncio.to_thread(holder.wait, 5) == -signal.SIGKILL


async def test_a_frozen_engine_that_holds_locks_is_waited_for_and_then_ended(store, url, pools):
    """Frozen in the middle of a claim: the row of the lease is locked until it is ended."""
    holder = await asyncio.to_thread(start_holder, url, CLAIM)
    os.kill(holder.pid, signal.SIGSTOP)
    assert await asyncio.wait_for(store.take_lease("main", wait=False), 1) is None
    expired = {**_process(holder.pid), "token": "its own"}
    await asyncio.to_thread(end_frozen, expired)
    assert await asyncio.to_thread(holder.wait, 5) == -signal.SIGKILL
    assert (await asyncio.wait_for(store.take_lease("main", wait=True), 3)).epoch == 2


def test_nobody_is_ended_who_is_not_the_very_process_that_took_the_lease():
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        taken = {**_process(innocent.pid), "token": ""}
        for other in ({"started": taken["started"] - 1}, {"boot_id": "another boot"}, {"namespace": "pid:[1]"}):
            end_frozen({**taken, **other})
        end_frozen({**taken, "pid": 2**22 - 1})
        end_frozen({**_process(os.getpid()), "token": "a second engine in this process"})
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


async def test_an_engine_that_may_live_is_followed_when_its_lease_and_a_grace_are_over(pools, url):
    now = [datetime(2026, 3, 10, tzinfo=UTC)]
    first, second = (PgStore(pools.engine, url, clock=lambda: now[0]) for _ in range(2))
    lease = await first.take_lease("main", wait=False)
    now[0] += timedelta(seconds=8)
    assert await first.renew_lease(lease)
    now[0] += timedelta(seconds=14.9)
    assert await second.take_lease("main", wait=False) is None
    assert not await first.renew_lease(lease)
    now[0] += timedelta(seconds=0.2)
    assert (await second.take_lease("main", wait=False)).epoch == 2
    await first.close()
    await second.close()


async def test_an_engine_whose_connection_broke_goes_on_renewing(store, pools):
    lease = await store.take_lease("main", wait=False)
    await pools.web.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dialer lease'"
    )
    await asyncio.sleep(0.1)
    assert await store.renew_lease(lease)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    assert await pools.web.fetchval(locks) == 1


async def test_a_stale_epoch_claims_nothing(place, url):
    await place.add_contacts("+12025550101")
    await place.store.release_lease(place.lease)
    rival = PgStore(place.pools.engine, url)
    newer = await rival.take_lease("main", wait=False)
    with pytest.raises(LeaseLost):
        await place.claim()
    assert len((await place.claim(store=rival, lease=newer)).claims) == 1
    await rival.close()


async def test_an_expired_lease_claims_nothing_but_its_facts_are_still_told(place):
    await place.add_contacts("+12025550101", "+12025550102")
    [attempt] = await place.dial()
    await place.pools.web.execute("UPDATE engine_lease SET expires_at = now() - interval '1 second'")
    with pytest.raises(LeaseLost):
        await place.claim()
    await place.end(attempt, "busy")
    assert await place.count("attempt") == 1


def test_only_a_process_that_could_be_seen_here_is_proven_dead():
    me = {**_process(os.getpid()), "token": "never opened"}
    gone = {**me, "pid": 2**22 - 1, "started": 1}
    assert proven_dead(gone)
    assert proven_dead({**_process(1), "started": 1, "token": ""})
    assert not proven_dead({**_process(1), "token": ""})
    assert not proven_dead({**gone, "boot_id": "another boot"})
    assert not proven_dead({**gone, "namespace": "pid:[1]"})
    assert proven_dead(me)


async def test_the_clocks_are_compared(store):
    assert abs(await store.clock_skew_s()) < 1
