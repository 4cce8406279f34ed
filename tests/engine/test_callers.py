"""Callers on the switch: looked up beside everything else, named by their channel, bounded in number, found after a crash."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from ami import actions
from ami import events as heard
from ami.events import ChannelState
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.model import AttemptState, LiveAttempt, Outcome
from dialer.core.recording import Ways
from dialer.engine.engine import Engine
from dialer.engine.ports import Lease, Recovered, ReturnResult
from dialer.engine.returns import AT_ONCE, CUTS_MOST, LOOKED_UP_MOST, WAITING_MOST
from dialer.errors import StoreDown
from tests.core.floors import CAMPAIGN, NOON, budget
from tests.engine.test_resync import LEG, OPERATOR, Clock, Link, shown

CHANNEL, NAME = "1772452800.7", "PJSIP/carrier-00000007"
LEASE = Lease(switch="main", epoch=3, expires_in_s=10.0)


class Line(Link):
    """Keeps what is written to the switch."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def send(self, action):
        self.sent.append(action)
        return super().send(action)


class Store:
    """Answers look-ups one by one, when the test lets it."""

    def __init__(self):
        self.asked = []
        self.answers = []
        self.free = asyncio.Event()
        self.free.set()

    async def take_return(self, ask):
        self.asked.append(ask)
        await self.free.wait()
        answer = self.answers.pop(0) if self.answers else "found"
        if isinstance(answer, Exception):
            raise answer
        return found(ask) if answer == "found" else answer

    async def recover(self, switch):
        return Recovered()


def found(ask, n=0):
    attempt = LiveAttempt(
        id=ask.id, campaign_id=CAMPAIGN.id, contact_id=n, phone_id=n, e164="+12025550001", number=0, counted=0,
        state=AttemptState.WAITING, sent_at=NOON, waiting_at=NOON, asked=True, came_in=True,
    )  # fmt: skip
    return ReturnResult(attempt=attempt, calls_back=True)


class Office:
    def __init__(self):
        self.link, self.store = Line(), Store()
        self.engine = Engine(
            switch="main", link=self.link, store=self.store, clock=Clock(), rng=Random(1), new_id=lambda: UUID(int=9)
        )
        self.engine.floor.cover.budgets[CAMPAIGN.id] = budget()
        self.engine._do(ev.CampaignsRead([CAMPAIGN]))
        self.engine._lease = LEASE

    def hears(self, *events):
        for event in events:
            self.engine._switch.take(event, NOON)

    def comes(self, channel=CHANNEL, name=NAME, **said):
        fields = {"Caller": "12025550001", "Dialled": "+12025550100", "Name": name, **said}
        self.hears(
            heard.Said(at=NOON.timestamp(), channel_id=channel, name="CameIn", fields=fields),
            heard.BridgeEntered(at=NOON.timestamp(), channel_id=channel, bridge_id="w", holding=True),
        )

    def operator(self):
        self.engine._do(ev.Recovered([], [OPERATOR]))
        self.engine._do(ev.LegWaiting(OPERATOR.session_id, NOON))

    def written(self, kind):
        return [one for one in self.link.sent if isinstance(one, kind)]


@pytest.fixture
async def office():
    return Office()


def caller_channel():
    return ChannelState(
        channel_id=CHANNEL,
        name=NAME,
        state="Up",
        context="inbound",
        application="BridgeWait",
        bridge_id="",
        duration_s=1,
    )


async def settled():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_caller_is_looked_up_and_bridged_by_the_channels_name(office):
    office.operator()
    office.comes()
    await settled()
    [ask] = office.store.asked
    assert (ask.number, ask.dialled, ask.trunk, ask.lease) == ("12025550001", "+12025550100", "carrier", LEASE)
    assert ask.campaign_ids == [CAMPAIGN.id]
    assert office.written(actions.Bridge) == [actions.Bridge(channel_id_1=LEG, channel_id_2=NAME)]
    for channel in (CHANNEL, LEG):
        office.hears(heard.BridgeEntered(at=NOON.timestamp(), channel_id=channel, bridge_id="talk", holding=False))
    assert office.engine.floor.attempts[ask.id].state is AttemptState.CONNECTED
    office.engine._carry_out(fx.EndCall(ask.id))
    assert office.written(actions.Hangup) == [actions.Hangup(channel_id=NAME)]
    office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))
    assert office.engine.floor.attempts == {}


async def test_nobody_in_time_is_sent_to_the_promise_of_a_call_and_only_if_there_is_one(office):
    for calls_back, context in ((True, "missed"), (False, "unknown")):
        office.store.free.clear()
        office.comes()
        await settled()
        ask = office.store.asked[-1]
        office.store.answers = [replace(found(ask), calls_back=calls_back)]
        office.store.free.set()
        await settled()
        office.engine._learn_from(fx.TurnAway(ask.id))
        assert office.written(actions.Redirect)[-1] == actions.Redirect(channel_id=NAME, context=context)
        office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))


@pytest.mark.parametrize("answer", [ReturnResult(why="unknown"), StoreDown("store.down", "gone")])
async def test_whom_nobody_knows_or_can_look_up_hears_that_nobody_is_there(office, answer):
    office.store.answers = [answer]
    office.comes()
    await settled()
    assert office.written(actions.Redirect) == [actions.Redirect(channel_id=NAME, context="unknown")]
    assert office.engine.floor.attempts == {}


async def test_who_hung_up_while_being_looked_up_is_missed_at_once(office):
    office.store.free.clear()
    office.comes()
    await settled()
    office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))
    office.store.free.set()
    await settled()
    assert office.engine.floor.attempts == {}
    [ended] = office.engine.writer._page.ended
    assert (ended.attempt.came_in, ended.attempt.connected_at) == (True, None)


async def test_nobody_is_bridged_with_who_hung_up_while_being_looked_up(office):
    office.operator()
    office.store.free.clear()
    office.comes()
    await settled()
    office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))
    office.store.free.set()
    await settled()
    assert office.written(actions.Bridge) == []
    assert office.engine.floor.operators[OPERATOR.operator_id].free
    assert office.engine.writer._page.ended[0].attempt.operator_id is None


async def test_a_look_up_whose_answer_was_lost_holds_no_number_once_the_caller_is_gone(office, monkeypatch):
    """It was committed, nobody knows; while the caller is on the line it may be looked up still."""
    office.store.answers = [StoreDown("store.down", "connection lost")]
    office.comes()
    await settled()
    [ask] = office.store.asked
    left = replace(found(ask).attempt, sent_at=office.engine._clock.now() - timedelta(minutes=1))

    async def recover(switch):
        return Recovered(attempts=[left])

    monkeypatch.setattr(office.store, "recover", recover)
    await office.engine._end_orphans()
    assert (office.engine.writer._page.ended, office.engine.floor.attempts) == ([], {})
    office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))
    await office.engine._end_orphans()
    [ended] = office.engine.writer._page.ended
    assert (ended.attempt.id, ended.outcome, office.engine.floor.attempts) == (ask.id, Outcome.EARLY_HANGUP, {})


async def test_our_own_line_to_the_caller_is_cut_and_the_caller_looked_up_again(office, monkeypatch):
    monkeypatch.setattr("dialer.engine.returns.CUT_S", 0.0)
    ringing = replace(
        found(type("Ask", (), {"id": UUID(int=5)}), 4).attempt, came_in=False, asked=False, state=AttemptState.RINGING,
        waiting_at=None, rang_at=NOON,
    )  # fmt: skip
    office.engine._do(ev.Recovered([ringing], []))
    office.store.answers = [ReturnResult(ringing_phone_id=4), "found"]
    office.comes()
    await settled()
    assert office.written(actions.Hangup) == [actions.Hangup(channel_id=f"att-{UUID(int=5).hex}")]
    assert len(office.store.asked) == 2


@pytest.mark.parametrize(("calls_back", "context"), [(True, "missed"), (False, "unknown")])
async def test_whom_our_own_call_keeps_from_an_operator_hears_what_is_true(office, monkeypatch, calls_back, context):
    monkeypatch.setattr("dialer.engine.returns.CUT_S", 0.0)
    office.store.answers = [ReturnResult(ringing_phone_id=4)] * (CUTS_MOST - 1)
    office.store.answers += [ReturnResult(ringing_phone_id=4, calls_back=calls_back)]
    office.comes()
    for _ in range(CUTS_MOST):
        await settled()
    assert [ask.last for ask in office.store.asked] == [False] * (CUTS_MOST - 1) + [True]
    assert office.written(actions.Redirect) == [actions.Redirect(channel_id=NAME, context=context)]


async def test_a_flood_is_turned_away_and_waits_in_no_queue_of_ours(office):
    office.store.free.clear()
    for n in range(200):
        office.comes(f"1772452800.{n}", f"PJSIP/carrier-{n:08x}")
    await settled()
    assert len(office.engine._looking_up) == LOOKED_UP_MOST
    assert len(office.written(actions.Redirect)) == 200 - LOOKED_UP_MOST
    office.store.free.set()
    for n in range(200, 300):
        office.comes(f"1772452800.{n}", f"PJSIP/carrier-{n:08x}")
        await settled()
    waiting = [a for a in office.engine.floor.attempts.values() if a.state is AttemptState.WAITING]
    assert len(waiting) == WAITING_MOST


async def test_without_a_lease_nobody_is_looked_up(office):
    office.engine._lease = None
    office.comes()
    await settled()
    assert office.store.asked == []


async def test_a_caller_of_before_a_crash_is_found_again_and_nobody_elses_channel_is_ours(office):
    office.comes()
    await settled()
    [ask] = office.store.asked
    again = Office()
    again.engine._do(ev.Recovered([found(ask).attempt], []))
    stranger = ChannelState(
        channel_id="1772452800.8", name="PJSIP/carrier-00000008", state="Up", context="inbound",
        application="BridgeWait", bridge_id="", duration_s=1,
    )  # fmt: skip
    again.link.channels = (replace(stranger, channel_id=CHANNEL, name=NAME), stranger, shown(LEG))
    again.operator()
    seen = await again.engine._switch.look(lambda: NOON, again.engine.floor.attempts)
    assert list(seen.calls) == [ask.id]
    again.engine._do(seen)
    assert again.written(actions.Bridge) == [actions.Bridge(channel_id_1=LEG, channel_id_2=NAME)]
    again.hears(heard.HungUp(at=NOON.timestamp(), channel_id="1772452800.8", cause=16))
    assert list(again.engine.floor.attempts) == [ask.id]


@pytest.mark.parametrize(
    "name", ["Local/12025550100@inbound-00000001;2", "PJSIP/Carrier-00000007", "SIP/carrier-00000007", ""]
)
async def test_a_channel_that_no_action_may_name_is_left_to_the_dialplan(office, name):
    """Somebody's own trunk or a forwarded call came to the place of callers: it costs no call of ours, and no engine."""
    office.store.answers = [ReturnResult(why="unknown")]
    office.comes(name=name)
    await settled()
    assert (office.store.asked, office.written(actions.Redirect)) == ([], [])


async def test_events_of_an_arrival_told_twice_in_order_are_one_caller(office):
    office.operator()
    office.comes()
    await settled()
    office.comes()
    await settled()
    assert len(office.store.asked) == 1


async def test_who_is_found_while_a_look_waits_for_last_words_is_not_taken_for_gone(office):
    """The look was before, what it is compared with is after: only who was there all the time can have vanished."""
    ended = replace(found(type("Ask", (), {"id": UUID(int=5)}), 4).attempt, came_in=False, asked=False, rang_at=NOON)
    office.engine._do(ev.Recovered([ended], []))
    office.link.channels = (caller_channel(),)
    office.store.free.clear()
    office.comes()
    await settled()
    look = asyncio.create_task(office.engine._hearing.look(office.engine._switch, office.engine.floor, lambda: NOON))
    await settled()
    office.store.free.set()
    office.engine._do(await look)
    assert list(office.engine.floor.attempts) == [office.store.asked[0].id]


async def test_who_hangs_up_while_a_look_waits_for_last_words_is_gone(office):
    office.link.channels = (caller_channel(),)
    office.comes()
    await settled()
    lost = replace(found(type("Ask", (), {"id": UUID(int=5)}), 4).attempt, came_in=False, asked=False, rang_at=NOON)
    office.engine._do(ev.Recovered([lost], []))
    look = asyncio.create_task(office.engine._hearing.look(office.engine._switch, office.engine.floor, lambda: NOON))
    await settled()
    office.hears(heard.HungUp(at=NOON.timestamp(), channel_id=CHANNEL, cause=16))
    office.engine._do(await look)
    assert office.engine.floor.attempts == {}


async def test_look_ups_leave_most_connections_to_the_calls_of_our_own(office):
    office.store.free.clear()
    for n in range(LOOKED_UP_MOST):
        office.comes(f"1772452800.{n}", f"PJSIP/carrier-{n:08x}")
    await settled()
    assert len(office.store.asked) == AT_ONCE
    office.store.free.set()
    for _ in range(LOOKED_UP_MOST):
        await settled()
    assert len(office.store.asked) == LOOKED_UP_MOST


async def test_a_conversation_that_the_switch_does_not_record_is_never_said_to_be(office):
    """Nobody who calls us is recorded; an engine that comes back takes such a call for what it is."""
    campaign = replace(CAMPAIGN, recording=Ways.TOLD)
    office.engine._do(ev.CampaignsRead([campaign]))
    talking = replace(
        found(type("Ask", (), {"id": UUID(int=5)})).attempt,
        state=AttemptState.CONNECTED,
        connected_at=NOON,
        operator_id=1,
    )
    office.engine._take_over(Recovered(attempts=[talking]))
    assert office.engine.tape_of(talking.id) is None
    assert office.engine.writer._page.recordings == []


async def test_a_refusal_by_key_that_nobody_heard_is_drained_for_callers_as_for_callees(office, monkeypatch):
    """Of a caller the dialplan keeps it under Asterisk's own id of the channel."""
    callee, kept = UUID(int=5), {}
    kept.update({CHANNEL: "1772452830", callee.hex: "1772452831"})

    async def stored_keys(_family):
        return kept

    async def forget_key(_family, key):
        del kept[key]

    async def drained():
        return None

    monkeypatch.setattr(office.link, "stored_keys", stored_keys)
    monkeypatch.setattr(office.link, "forget_key", forget_key, raising=False)
    monkeypatch.setattr(office.engine.writer, "drained", drained)
    await office.engine._drain_opt_outs()
    told = [one.attempt_id for one in office.engine.writer._page.opt_outs]
    assert told == [office.engine._switch.callers.id_for(CHANNEL), callee]
    assert kept == {}


async def test_two_switches_never_make_one_conversation_of_two_callers(office):
    other = Engine(
        switch="other", link=Line(), store=Store(), clock=Clock(), rng=Random(1), new_id=lambda: UUID(int=9)
    )  # fmt: skip
    assert office.engine._switch.callers.id_for(CHANNEL) != other._switch.callers.id_for(CHANNEL)
