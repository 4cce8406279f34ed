"""The simulated loop: time is a number, processes are frozen and killed, one seed is one order."""

from __future__ import annotations

import asyncio

import pytest

from tests.sim.loop import Process, SimClock, SimLoop, StandStill


@pytest.fixture
def loop():
    made = SimLoop(1)
    yield made
    made.close()


def ran(loop, work):
    return loop.run_until_complete(work)


def test_a_day_of_sleep_takes_no_time(loop):
    """Nothing waits: the loop jumps to the next timer."""
    ran(loop, asyncio.sleep(86_400))
    assert loop.time() == 86_400


def test_timers_of_one_instant_run_in_the_order_they_were_set(loop):
    """asyncio promises it, and transports need it."""
    order = []
    for i in range(20):
        loop.call_at(5.0, order.append, i)
    ran(loop, asyncio.sleep(6))
    assert order == list(range(20))


def test_a_cancelled_timer_never_runs(loop):
    """A deadline that was met is forgotten."""
    order = []
    loop.call_later(1, order.append, "late").cancel()
    ran(loop, asyncio.sleep(2))
    assert order == []


def test_who_waits_for_ever_is_told(loop):
    """A day in which nothing can happen any more ends with a sentence, not with a hang."""
    with pytest.raises(StandStill):
        ran(loop, loop.create_future())


def test_the_order_of_ready_tasks_comes_from_the_seed():
    """One seed is one order; other seeds try other orders."""

    def order_of(seed):
        loop, order = SimLoop(seed, shuffle=1.0), []

        async def note(i):
            order.append(i)

        async def all_at_once():
            await asyncio.gather(*(note(i) for i in range(8)))

        ran(loop, all_at_once())
        loop.close()
        return order

    assert order_of(3) == order_of(3)
    assert len({tuple(order_of(seed)) for seed in range(10)}) > 5


def counting(loop, seconds):
    """A process that counts seconds, and the list it counts into."""
    counted, process = [], Process("counter")

    async def count():
        try:
            while True:
                await asyncio.sleep(1)
                counted.append(loop.time())
        finally:
            counted.append("cleaned up")

    process.run(loop.create_task, count())
    ran(loop, asyncio.sleep(seconds))
    return counted, process


def test_a_killed_process_does_not_even_clean_up(loop):
    """Kill -9: no line of it runs any more, no finally either."""
    counted, process = counting(loop, 3.5)
    loop.kill(process)
    ran(loop, asyncio.sleep(10))
    assert counted == [1, 2, 3]


def test_a_doomed_process_dies_at_an_await_of_its_own(loop):
    """It may be any await, not only those at which the test happens to look."""
    counted, process = counting(loop, 0.5)
    loop.doom(process, 4, lambda: loop.kill(process))
    ran(loop, asyncio.sleep(100))
    assert 0 < len(counted) < 5
    assert process.dead


def test_a_frozen_process_misses_its_time_and_goes_on(loop):
    """SIGSTOP and SIGCONT: what came due meanwhile runs at the thaw, late."""
    counted, process = counting(loop, 2.5)
    loop.freeze(process)
    ran(loop, asyncio.sleep(60))
    assert counted == [1, 2]
    loop.thaw(process)
    ran(loop, asyncio.sleep(2))
    assert counted == [1, 2, 62.5, 63.5, 64.5]


def test_what_a_process_starts_belongs_to_it(loop):
    """Children of a killed process die with it."""
    process, order, started = Process("parent"), [], []

    async def parent():
        loop.call_later(5, order.append, "timer")
        started.append(asyncio.ensure_future(child()))

    async def child():
        await asyncio.sleep(5)
        order.append("task")

    process.run(loop.create_task, parent())
    ran(loop, asyncio.sleep(1))
    loop.kill(process)
    ran(loop, asyncio.sleep(10))
    assert order == []


def test_time_of_day_may_be_wrong_while_elapsed_time_is_not(loop):
    """Two clocks are two things."""
    clock = SimClock(loop)
    before, boot_s = clock.now(), clock.boot_s()
    clock.step_s = -3600
    assert (clock.now() - before).total_seconds() == -3600
    assert clock.boot_s() == boot_s


def test_real_sockets_take_no_simulated_time(loop):
    """A round trip over a real socket happens within one instant, and nobody else runs meanwhile."""
    order = []

    async def echo():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        server.close()
        order.append("answered")
        return line

    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    lines = []
    loop.call_at(7.0, lambda: lines.append(loop.run_real(echo())))
    loop.call_at(7.0, order.append, "others")
    ran(loop, asyncio.sleep(8))
    assert lines == [b"hello\n"]
    assert order == ["answered", "others"]
