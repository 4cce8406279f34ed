"""Bad weather between the service and the simulated switch, in simulated time.

What the service is told is one thing, what happened on the switch another; each test looks at both.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ami.actions import Bridge, Hangup, Originate
from ami.errors import ActionRefused, BadAction, NotConnected, Uncertain
from ami.events import ChannelUp, Event, HungUp, LinkDown, LinkUp, Said, SwitchStopping
from ami.simulator.inprocess import Faults, SimHost, SimLink, Timing
from ami.simulator.people import Person, TableWorld
from tests.sim.loop import Process, SimLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

EPOCH_S = 1_800_000_000.0
CALL = Originate(channel_id="att-1", endpoint="trunk", number="100", context="answered", ring_timeout_ms=25_000)
PHONE = Originate(channel_id="opr-1", endpoint="seat1", number=None, context="operator", ring_timeout_ms=20_000)


def in_simulated_time(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        SimLoop(1).run_until_complete(test())

    return run


def _host() -> SimHost:
    return SimHost(TableWorld(default=Person(setup_s=1.0, ring_s=2.0)), epoch_s=EPOCH_S)


async def _up(host: SimHost, **more: object) -> SimLink:
    link = SimLink(host, **more)  # type: ignore[arg-type]  # keywords of SimLink
    link.running = asyncio.create_task(link.run())  # type: ignore[attr-defined]  # or the loop would lose the task
    assert isinstance(await link.events.get(), LinkUp)
    return link


def _heard(link: SimLink) -> list[Event]:
    heard = []
    while not link.events.empty():
        heard.append(link.events.get_nowait())
    return heard


def _kinds(link: SimLink) -> list[type[Event]]:
    return [type(e) for e in _heard(link)]


@in_simulated_time
async def test_events_carry_the_switchs_time_of_day() -> None:
    host = _host()
    link = await _up(host)
    begun = host.now()
    assert begun > EPOCH_S
    await link.send(CALL)
    await asyncio.sleep(3.5)
    [up] = [e for e in _heard(link) if isinstance(e, ChannelUp)]
    assert up.at == pytest.approx(begun + 3.0, abs=1e-3)


@in_simulated_time
async def test_nothing_is_written_before_login_and_after_a_loss() -> None:
    host = _host()
    link = SimLink(host)
    with pytest.raises(NotConnected):
        link.send(CALL)
    link = await _up(host)
    link.cut()
    with pytest.raises(NotConnected):
        link.send(CALL)
    with pytest.raises(NotConnected):
        await link.snapshot()
    assert host.switch.calls == []


@in_simulated_time
async def test_a_value_that_may_not_reach_ami_is_refused_before_it_is_written() -> None:
    host = _host()
    link = await _up(host)
    with pytest.raises(BadAction):
        link.send(Hangup(channel_id="att-1\r\nAction: Command"))
    assert link.sent == []


@pytest.mark.parametrize("reached", [True, False])
def test_a_cut_at_the_very_write_is_uncertain_whether_or_not_it_was_dialled(reached: bool) -> None:
    @in_simulated_time
    async def story() -> None:
        host = _host()
        link = await _up(host)
        link.cut_at_next("originate", reached=reached)
        with pytest.raises(Uncertain):
            await link.send(CALL)
        assert len(host.switch.calls) == int(reached)
        assert _kinds(link)[-1] is LinkDown
        assert isinstance(await link.events.get(), LinkUp)
        assert [c.channel_id for c in (await link.snapshot()).channels] == ["att-1"] * reached

    story()


@pytest.mark.parametrize("reached", [True, False])
def test_a_cut_catches_actions_on_their_way(reached: bool) -> None:
    @in_simulated_time
    async def story() -> None:
        host = _host()
        link = await _up(host, faults=Faults(action_delay_s=(0.1, 0.1)))
        sent = link.send(CALL)
        await asyncio.sleep(0.05)
        assert host.switch.calls == []
        link.cut(reached=reached)
        with pytest.raises(Uncertain):
            await sent
        await asyncio.sleep(1.0)
        assert len(host.switch.calls) == int(reached)

    story()


@in_simulated_time
async def test_what_happens_while_the_link_is_down_is_never_told() -> None:
    host = _host()
    link = await _up(host, timing=Timing(retry_s=(10.0, 10.0)))
    await link.send(CALL)
    await asyncio.sleep(2.0)
    link.cut()
    assert _kinds(link)[-1] is LinkDown
    await asyncio.sleep(10.5)
    assert _kinds(link) == [LinkUp]
    [call] = host.switch.calls
    assert call.heard == "message"


@in_simulated_time
async def test_the_dead_mans_switch_works_while_the_service_is_dead() -> None:
    """Killed with an answered callee: two seconds after the answer the callee hears the message."""
    host = _host()
    service = Process("service")
    link = SimLink(host)
    service.run(asyncio.create_task, link.run())
    await link.events.get()
    service.run(link.send, CALL)
    await asyncio.sleep(3.5)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop)
    loop.kill(service)
    link.cut(reached=True)
    await asyncio.sleep(20)
    [call] = host.switch.calls
    assert call.answered_at is not None
    assert (call.heard, call.heard_at) == ("message", pytest.approx(call.answered_at + 2.0))
    assert call.ended_by == "plan"


@in_simulated_time
async def test_a_half_open_line_is_given_up_by_the_watchdog() -> None:
    host = _host()
    link = await _up(host)
    await link.send(CALL)
    _heard(link)
    link.mute()
    lost = link.send(Hangup(channel_id="att-1"))
    began = host.now()
    with pytest.raises(Uncertain):
        await lost
    assert host.now() - began == pytest.approx(5.0, abs=0.01)
    await asyncio.sleep(9.9)
    assert _heard(link) == []
    await asyncio.sleep(0.2)
    assert _kinds(link) == [LinkDown]
    assert host.switch.calls[0].ended_by == "plan"
    await asyncio.sleep(60)
    assert _heard(link) == []
    link.unmute()
    await asyncio.sleep(6)
    assert _kinds(link) == [LinkUp]


@in_simulated_time
async def test_a_line_that_comes_back_in_time_brings_everything_late() -> None:
    host = _host()
    link = await _up(host)
    await link.send(CALL)
    _heard(link)
    link.mute()
    late = link.send(Hangup(channel_id="att-1"))
    await asyncio.sleep(4.0)
    assert len(host.switch.channels) == 1
    link.unmute()
    await late
    assert host.switch.calls[0].ended_by == "service"
    assert [e.at for e in _heard(link) if isinstance(e, ChannelUp)] == [host.switch.calls[0].answered_at]


@in_simulated_time
async def test_a_slow_answer_is_measured_and_a_slower_one_uncertain() -> None:
    host = _host()
    link = await _up(host)
    assert link.ack_s_p95() == 0.0
    link.faults.answer_delay_s = (1.5, 1.5)
    await link.send(CALL)
    assert link.ack_s_p95() == pytest.approx(1.5)
    link.faults.answer_delay_s = (6.0, 6.0)
    with pytest.raises(Uncertain):
        await link.send(Hangup(channel_id="att-1"))
    assert host.switch.calls[0].ended_by == "service"
    await asyncio.sleep(31)
    assert link.ack_s_p95() == 0.0


async def _one_call_under(faults: Faults, seed: int = 0) -> list[Event]:
    host = _host()
    link = await _up(host, faults=faults, seed=seed)
    await link.send(CALL)
    await asyncio.sleep(60)
    return _heard(link)


@in_simulated_time
async def test_late_events_keep_their_order_and_their_time() -> None:
    prompt = await _one_call_under(Faults())
    late = await _one_call_under(Faults(event_delay_s=(0.1, 3.0)))
    assert [type(e) for e in late] == [type(e) for e in prompt]
    gaps = [b.at - a.at for a, b in pairwise(prompt)]
    assert [b.at - a.at for a, b in pairwise(late)] == pytest.approx(gaps, abs=1e-3)


@in_simulated_time
async def test_events_are_lost_repeated_and_overtaken_on_demand() -> None:
    prompt = [type(e) for e in await _one_call_under(Faults())]
    assert await _one_call_under(Faults(lose=1.0)) == []
    twice = await _one_call_under(Faults(duplicate=1.0))
    assert [type(e) for e in twice] == [kind for kind in prompt for _ in range(2)]
    mixed = [type(e) for e in await _one_call_under(Faults(reorder=0.5, reorder_s=4.0))]
    assert mixed != prompt
    assert sorted(map(str, mixed)) == sorted(map(str, prompt))


@in_simulated_time
async def test_one_seed_is_one_weather() -> None:
    weather = Faults(lose=0.2, duplicate=0.2, reorder=0.3, event_delay_s=(0.0, 1.0))
    first, again, other = [[type(e) for e in await _one_call_under(weather, seed)] for seed in (5, 5, 6)]
    assert first == again
    assert first != other


@in_simulated_time
async def test_a_restarted_switch_has_a_new_start_time_and_no_channels() -> None:
    host = _host()
    link = await _up(host)
    before = (await link.snapshot()).started_at
    await link.send(PHONE)
    await link.send(CALL)
    await asyncio.sleep(3.5)
    _heard(link)
    sent_at = host.now()
    host.crash(down_s=3.0, announced=True)
    assert _kinds(link) == [SwitchStopping, LinkDown]
    with pytest.raises(NotConnected):
        link.send(CALL)
    up = await link.events.get()
    assert isinstance(up, LinkUp)
    assert up.started_at > sent_at > before
    assert (await link.snapshot()).channels == ()


@in_simulated_time
async def test_a_second_service_gets_in_only_when_the_first_is_gone() -> None:
    host = _host()
    first = await _up(host)
    second = SimLink(host)
    running = asyncio.create_task(second.run())
    await asyncio.sleep(20)
    assert second.events.empty()
    first.running.cancel()  # type: ignore[attr-defined]  # set by _up
    assert isinstance(await second.events.get(), LinkUp)
    running.cancel()


@in_simulated_time
async def test_a_reader_who_does_not_read_loses_the_link_and_no_event_silently() -> None:
    host = _host()
    link = await _up(host, timing=Timing(queue_limit=4))
    await link.send(CALL)
    await asyncio.sleep(3.1)
    heard = _heard(link)
    assert len(heard) == 5
    assert isinstance(heard[-1], LinkDown)


@in_simulated_time
async def test_asterisks_refusal_comes_as_an_error_with_its_words() -> None:
    link = await _up(_host())
    with pytest.raises(ActionRefused, match="Channel1 does not exist: opr-1"):
        await link.send(Bridge(channel_id_1="opr-1", channel_id_2="att-1"))


@in_simulated_time
async def test_the_worlds_record_does_not_need_the_link() -> None:
    host = _host()
    link = await _up(host, faults=Faults(lose=1.0))
    await link.send(CALL)
    await asyncio.sleep(30)
    assert not [e for e in _heard(link) if isinstance(e, ChannelUp | Said | HungUp)]
    [call] = host.switch.calls
    assert None not in {call.rang_at, call.answered_at, call.heard_at, call.ended_at}
