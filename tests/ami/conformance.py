"""What any switch of ours does, told as stories and written only against ``SwitchLink``.

The same stories run on the simulated switch in simulated time, on the simulated switch behind TCP, and on a real
Asterisk: so the simulator cannot lie. A rig brings the link, the numbers that behave as asked, and the operators'
phones; see ``Rig``. Stories do not disturb one another, so ``tell_all`` lets them all happen at the same time: one
takes as long as the longest. A rig's own test then looks at each ending by its name.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from ami.actions import Bridge, Hangup, Mute, Originate, Redirect
from ami.events import (
    BridgeEntered,
    ChannelCreated,
    ChannelRinging,
    ChannelUp,
    HungUp,
    LinkUp,
    Originated,
    Said,
)
from tests.ami.stage import LONG_S, Rig, Stage, Tale

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# --- nobody answers


async def _refusal_has_its_cause(stage: Stage, behaviour: str, cause: int, sip_code: int) -> None:
    tale = await stage.call(behaviour)
    end = await tale.until(HungUp)
    assert (end.cause, end.sip_code) == (cause, sip_code)
    assert not (await tale.until(Originated)).success
    assert tale.all(ChannelCreated)
    assert not tale.all(ChannelUp)
    assert not tale.said()


async def a_phone_that_rings_is_given_up_at_our_timeout(stage: Stage) -> None:
    tale = await stage.call("no_answer", ring_timeout_s=2.0)
    assert await tale.until(ChannelRinging)
    assert (await tale.until(Originated)).reason == 3
    end = await tale.until(HungUp)
    assert (end.cause, end.sip_code) == (19, 480)
    stage.about(2.0, tale.all(ChannelCreated)[0], end)


async def early_media_alone_never_counts_as_ringing(stage: Stage) -> None:
    tale = await stage.call("early_media", ring_timeout_s=2.0)
    end = await tale.until(HungUp)
    assert (end.cause, end.sip_code) == (19, 480)
    assert not tale.all(ChannelRinging)
    assert not tale.all(ChannelUp)


async def a_ringing_line_that_we_cut_ends_with_16_and_was_never_up(stage: Stage) -> None:
    tale = await stage.call("no_answer")
    await tale.until(ChannelRinging)
    assert (await stage.hang_up(tale)).cause == 16
    assert not (await tale.until(Originated)).success
    assert not tale.all(ChannelUp)


# --- someone answers


async def a_callee_who_answers_and_meets_nobody_hears_the_message_after_two_seconds(stage: Stage) -> None:
    tale = await stage.call("answers")
    answered = await tale.until(Said, name="Answered")
    assert (await tale.until(BridgeEntered)).holding
    message = await tale.until(Said, name="Message")
    stage.about(2.0, answered, message)
    assert (await tale.until(Originated)).success
    assert (await tale.until(HungUp)).cause == 16
    assert tale.said() == ["Answered", "Message"]
    order = [type(e) for e in tale.events if not isinstance(e, Originated)]
    assert order.index(ChannelRinging) < order.index(ChannelUp) < order.index(Said) < order.index(BridgeEntered)


async def nine_in_the_message_is_kept_in_astdb_until_it_is_forgotten(stage: Stage) -> None:
    tale = await stage.call("presses_9_in_message")
    refusal = await tale.until(Said, name="OptOut")
    assert tale.said() == ["Answered", "Message", "OptOut"]
    key = tale.channel_id.removeprefix("att-")
    stored = await stage.link.stored_keys("optout")
    assert float(stored[key]) == pytest.approx(refusal.at, abs=2.0)
    await tale.until(HungUp)
    await stage.link.forget_key("optout", key)
    assert key not in await stage.link.stored_keys("optout")
    await stage.link.forget_key("optout", key)


# --- conversations


async def a_bridged_callee_talks_and_never_hears_the_message(stage: Stage) -> None:
    _, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    bridge_id = await stage.bridge(operator, callee)
    await asyncio.sleep(2.5)
    held = {c.channel_id: c for c in (await stage.link.snapshot()).channels}
    assert held[callee.channel_id].bridge_id == held[operator.channel_id].bridge_id == bridge_id
    end = await stage.hang_up(callee)
    back = await operator.until(BridgeEntered, nth=2, holding=True)
    stage.about(0.0, back, end)
    assert end.cause == 16
    assert callee.said() == ["Answered"]
    assert not operator.all(HungUp)
    await stage.hang_up(operator)


async def an_operator_is_back_at_once_when_the_callee_hangs_up_and_takes_the_next(stage: Stage) -> None:
    _, operator = await stage.operator()
    first = await stage.call("hangs_up")
    await first.until(BridgeEntered)
    await stage.bridge(operator, first)
    end = await first.until(HungUp)
    stage.about(0.0, await operator.until(BridgeEntered, nth=2, holding=True), end)
    second = await stage.call("answers")
    await second.until(BridgeEntered)
    await stage.bridge(operator, second)
    assert len(operator.all(BridgeEntered, holding=False)) == 2
    await stage.hang_up(second)
    await operator.until(BridgeEntered, nth=3, holding=True)
    await stage.hang_up(operator)


async def a_callee_whose_operators_phone_is_lost_hears_the_message(stage: Stage) -> None:
    seat, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    await stage.bridge(operator, callee)
    await stage.rig.lose_phone(seat)
    lost = await operator.until(HungUp)
    stage.about(0.0, lost, await callee.until(Said, name="Message"))
    assert (await callee.until(HungUp)).cause == 16


async def a_callee_whose_operators_phone_is_lost_waits_for_it_and_talks_on(stage: Stage) -> None:
    """Also when it is lost twice."""
    seat, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    await stage.bridge(operator, callee)
    for nth in (2, 3):
        await stage.rig.lose_phone(seat)
        await operator.until(HungUp)
        await stage.link.send(Redirect(channel_id=callee.channel_id, context="held"))
        await callee.until(BridgeEntered, nth=nth, holding=True)
        held = {c.channel_id: c for c in (await stage.link.snapshot()).channels}
        assert (held[callee.channel_id].context, held[callee.channel_id].application) == ("held", "BridgeWait")
        await stage.rig.find_phone(seat)
        operator = await stage.phone(seat)
        await operator.until(BridgeEntered, holding=True)
        await stage.link.send(Bridge(channel_id_1=operator.channel_id, channel_id_2=callee.channel_id))
        mine = await operator.until(BridgeEntered, holding=False)
        theirs = await callee.until(BridgeEntered, nth=nth, holding=False)
        assert mine.bridge_id == theirs.bridge_id
    assert (await stage.hang_up(callee)).cause == 16
    await stage.hang_up(operator)


async def who_waits_in_vain_for_a_lost_phone_hears_the_message_after_20_s(stage: Stage) -> None:
    seat, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    await stage.bridge(operator, callee)
    await stage.rig.lose_phone(seat)
    await operator.until(HungUp)
    await stage.link.send(Redirect(channel_id=callee.channel_id, context="held"))
    waits = await callee.until(BridgeEntered, nth=2, holding=True)
    before = len(callee.all(Said, name="Message"))
    stage.about(20.0, waits, await callee.until(Said, nth=before + 1, name="Message"))
    assert (await callee.until(HungUp)).cause == 16


async def a_callee_waiting_in_a_holding_bridge_leaves_it_for_the_conversation(stage: Stage) -> None:
    _, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered, holding=True)
    await stage.bridge(operator, callee)
    for tale in (operator, callee):
        assert [e.holding for e in tale.all(BridgeEntered)] == [True, False]
    await stage.hang_up(operator)
    await callee.until(HungUp)


# --- a supervisor who listens


async def a_supervisors_phone_hears_a_conversation_in_each_mode_without_a_new_call(stage: Stage) -> None:
    """The conversation goes on as if nobody was there, and the phone is still up when it is over."""
    _, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    bridge_id = await stage.bridge(operator, callee)
    spy = await stage.spy(operator, "listen")
    assert (await spy.until(Said, name="Spying")).fields["Mode"] == "listen"
    for nth, mode in enumerate(("whisper", "join", "listen"), 2):
        await stage.link.send(Redirect(channel_id=spy.channel_id, context=mode))
        assert (await spy.until(Said, name="Spying", nth=nth)).fields["Mode"] == mode
        await asyncio.sleep(0.2)
        held = {c.channel_id: c for c in (await stage.link.snapshot()).channels}
        assert (held[spy.channel_id].context, held[spy.channel_id].application) == (mode, "ChanSpy")
    assert held[callee.channel_id].bridge_id == held[operator.channel_id].bridge_id == bridge_id
    assert not spy.all(BridgeEntered)
    await stage.hang_up(callee)
    await operator.until(BridgeEntered, nth=2, holding=True)
    await asyncio.sleep(0.3)
    assert not spy.all(HungUp)
    assert (await stage.hang_up(spy)).cause == 16
    assert not operator.all(HungUp)
    await stage.hang_up(operator)


async def who_listens_is_hung_up_with_the_leg_and_hears_nobody_else(stage: Stage) -> None:
    _, operator = await stage.operator()
    _, another = await stage.operator()
    spy = await stage.spy(operator, "whisper")
    await spy.until(Said, name="Spying")
    await asyncio.sleep(0.2)
    gone = await stage.hang_up(operator)
    stage.about(0.0, gone, await spy.until(HungUp))
    await stage.hang_up(another)


async def what_is_no_operators_leg_is_not_heard(stage: Stage) -> None:
    """Not a callee's channel, not one that is gone, not any channel at all."""
    _, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    gone = stage.tale(f"opr-{uuid4().hex}")
    for nobody in (callee, gone, None):
        spy = await stage.spy(nobody, "listen")
        said = await spy.until(Said, name="Spying")
        stage.about(0.0, said, await spy.until(HungUp))
    await stage.hang_up(callee)
    await stage.hang_up(operator)


# --- recordings


async def a_recorded_conversation_leaves_a_file_and_can_be_muted(stage: Stage) -> None:
    """16 bits at 8 kHz of both sides. Where neither phone sends anything nothing is written: it may be shorter."""
    _, operator = await stage.operator()
    callee = await stage.call("answers", variables={"DIALER_RECORD": "1"})
    await callee.until(BridgeEntered)
    await stage.bridge(operator, callee)
    for silent in (True, False):
        await stage.link.send(Mute(channel_id=callee.channel_id, silent=silent))
        await asyncio.sleep(1.0)
    end = await stage.hang_up(callee)
    assert await stage.refused(Mute(channel_id=operator.channel_id, silent=True))
    await asyncio.sleep(0.5)
    answered = await callee.until(Said, name="Answered")
    assert 0 < _recorded_s(stage, callee) < end.at - answered.at + 0.5
    await stage.hang_up(operator)


async def who_is_not_to_be_recorded_is_not(stage: Stage) -> None:
    _, operator = await stage.operator()
    callee = await stage.call("answers")
    await callee.until(BridgeEntered)
    await stage.bridge(operator, callee)
    await stage.hang_up(callee)
    await asyncio.sleep(0.5)
    assert stage.rig.recorded(callee.channel_id.removeprefix("att-")) is None
    await stage.hang_up(operator)


async def a_callee_who_asks_for_an_operator_is_recorded_from_the_key(stage: Stage) -> None:
    _, operator = await stage.operator()
    callee = await stage.offer("presses_1", record=True)
    waiting = await callee.until(Said, name="Waiting")
    await stage.bridge(operator, callee)
    await asyncio.sleep(1.0)
    end = await stage.hang_up(callee)
    await asyncio.sleep(0.5)
    assert 0 < _recorded_s(stage, callee) < end.at - waiting.at + 0.5
    await stage.hang_up(operator)


def _recorded_s(stage: Stage, callee: Tale) -> float:
    """How long the recording of a callee is; 0 where there is none."""
    sound = stage.rig.recorded(callee.channel_id.removeprefix("att-")) or b""
    assert len(sound) % 4 == 0
    return len(sound) / 32_000


# --- the offer and its keys


async def one_waits_with_music_for_an_operator(stage: Stage) -> None:
    _, operator = await stage.operator()
    callee = await stage.offer("presses_1")
    assert (await callee.until(BridgeEntered)).holding
    await stage.bridge(operator, callee)
    assert callee.said() == ["Answered", "OfferStarted", "Key", "Waiting"]
    assert callee.keys() == ["1"]
    await stage.hang_up(callee)
    await operator.until(BridgeEntered, nth=2, holding=True)
    await stage.hang_up(operator)


async def one_without_an_operator_ends_in_the_message_after_the_campaigns_wait(stage: Stage) -> None:
    callee = await stage.offer("presses_1", key_wait_s=3)
    waiting = await callee.until(Said, name="Waiting")
    stage.about(3.0, waiting, await callee.until(Said, name="Message"))
    assert (await callee.until(HungUp)).cause == 16


async def two_asks_for_a_callback_and_ends_the_call(stage: Stage) -> None:
    callee = await stage.offer("presses_2")
    await callee.until(HungUp)
    assert callee.said() == ["Answered", "OfferStarted", "Key"]
    assert callee.keys() == ["2"]


async def a_key_that_says_something_is_told_and_ends_the_call(stage: Stage) -> None:
    """As an answer to a question, also the key that else asks for an operator."""
    callee = await stage.offer("presses_1", said="134")
    await callee.until(HungUp)
    assert callee.said() == ["Answered", "OfferStarted", "Key"]
    assert callee.keys() == ["1"]


async def a_key_that_says_nothing_repeats_the_offer_and_is_not_told(stage: Stage) -> None:
    callee = await stage.offer("presses_2", said="", promised="")
    await callee.until(HungUp)
    assert callee.said() == ["Answered", "OfferStarted", "OfferEnded"]


async def nine_in_the_offer_is_never_again(stage: Stage) -> None:
    callee = await stage.offer("presses_9")
    await callee.until(Said, name="OptOut")
    assert callee.channel_id.removeprefix("att-") in await stage.link.stored_keys("optout")
    await callee.until(HungUp)
    assert callee.said() == ["Answered", "OfferStarted", "Key", "OptOut"]
    assert callee.keys() == ["9"]


async def star_repeats_the_offer(stage: Stage) -> None:
    callee = await stage.offer("presses_star")
    await callee.until(HungUp)
    assert callee.said() == ["Answered", "OfferStarted", "Key", "OfferEnded"]
    assert callee.keys() == ["*"]


async def an_offer_without_a_key_ends_by_itself(stage: Stage) -> None:
    callee = await stage.offer("answers")
    assert (await callee.until(HungUp)).cause == 16
    assert callee.said() == ["Answered", "OfferStarted", "OfferEnded"]
    assert not callee.all(BridgeEntered)


# --- people who call us


async def who_calls_in_waits_and_is_bridged_by_the_channels_name(stage: Stage) -> None:
    _, operator = await stage.operator()
    caller, said = await stage.caller("12025550171")
    assert said.fields["Dialled"] == "+74951234567"
    assert said.fields["Name"].startswith(f"PJSIP/{stage.rig.trunk}-")
    held = {c.channel_id: c for c in (await stage.link.snapshot()).channels}[caller.channel_id]
    assert (held.name, held.context, held.application) == (said.fields["Name"], "inbound", "BridgeWait")
    await stage.link.send(Bridge(channel_id_1=operator.channel_id, channel_id_2=said.fields["Name"]))
    met = await caller.until(BridgeEntered, holding=False)
    assert (await operator.until(BridgeEntered, holding=False)).bridge_id == met.bridge_id
    await stage.link.send(Redirect(channel_id=said.fields["Name"], context="held"))
    await caller.until(BridgeEntered, nth=2, holding=True)
    await stage.link.send(Hangup(channel_id=said.fields["Name"]))
    assert (await caller.until(HungUp)).cause == 16
    assert caller.said() == ["CameIn"]
    await stage.hang_up(operator)


async def only_digits_are_left_of_what_a_caller_says(stage: Stage) -> None:
    caller, said = await stage.caller("12025xe${x}", "74951234567abc", told="12025")
    assert (said.fields["Caller"], said.fields["Dialled"]) == ("12025", "74951234567")
    await stage.hang_up(caller)


async def a_caller_whom_nobody_serves_is_told_after_30_s_without_a_service(stage: Stage) -> None:
    caller, said = await stage.caller("12025550173")
    stage.about(30.0, said, await caller.until(Said, name="Message"))
    assert (await caller.until(HungUp)).cause == 16


async def a_caller_is_sent_to_what_is_said_to_missed_and_unknown_ones(stage: Stage) -> None:
    missed, said = await stage.caller("12025550174")
    await stage.link.send(Redirect(channel_id=said.fields["Name"], context="missed"))
    assert (await missed.until(HungUp)).cause == 16
    assert missed.said() == ["CameIn", "Message"]
    unknown, said = await stage.caller("12025550175")
    await stage.link.send(Redirect(channel_id=said.fields["Name"], context="unknown"))
    assert (await unknown.until(HungUp)).cause == 16
    assert unknown.said() == ["CameIn"]


async def a_caller_whose_operators_phone_is_lost_is_told_that_nobody_is_there(stage: Stage) -> None:
    seat, operator = await stage.operator()
    caller, said = await stage.caller("12025550176")
    await stage.link.send(Bridge(channel_id_1=operator.channel_id, channel_id_2=said.fields["Name"]))
    await caller.until(BridgeEntered, holding=False)
    await stage.rig.lose_phone(seat)
    await caller.until(Said, name="Message")
    assert (await caller.until(HungUp)).cause == 16


# --- what is refused, and how


async def a_channel_id_in_use_calls_nobody_twice(stage: Stage) -> None:
    tale = await stage.call("no_answer")
    await tale.until(ChannelRinging)
    await stage.call("no_answer", channel_id=tale.channel_id)
    assert not (await tale.until(Originated)).success
    assert len(tale.all(ChannelCreated)) == 1
    assert not tale.all(HungUp)
    await stage.hang_up(tale)


async def a_seat_without_a_phone_never_has_a_channel(stage: Stage) -> None:
    tale = await stage.phone(stage.rig.seat_without_phone())
    assert not (await tale.until(Originated)).success
    await asyncio.sleep(0.5)
    assert [type(e) for e in tale.events] == [Originated]


async def what_is_not_there_is_refused(stage: Stage) -> None:
    ghost, other = f"att-{uuid4().hex}", f"opr-{uuid4().hex}"
    assert "does not exist" in await stage.refused(Bridge(channel_id_1=other, channel_id_2=ghost))
    assert "No such channel" in await stage.refused(Hangup(channel_id=ghost))
    assert await stage.refused(Redirect(channel_id=ghost, context="held"))
    nowhere = Originate(
        channel_id=ghost, endpoint=stage.rig.trunk, number="1", context="no-such-context", ring_timeout_ms=1000
    )
    assert "does not exist" in await stage.refused(nowhere)


async def the_snapshot_shows_where_everyone_is(stage: Stage) -> None:
    _, operator = await stage.operator()
    ringing = await stage.call("no_answer")
    await ringing.until(ChannelRinging)
    held = {c.channel_id: c for c in (await stage.link.snapshot()).channels}
    assert held[ringing.channel_id].state == "Ringing"
    assert not held[ringing.channel_id].bridge_id
    assert (held[operator.channel_id].state, held[operator.channel_id].application) == ("Up", "BridgeWait")
    assert held[operator.channel_id].bridge_id == operator.all(BridgeEntered)[-1].bridge_id
    assert held[operator.channel_id].context == "operator"
    await stage.hang_up(ringing)
    await stage.hang_up(operator)
    gone = {c.channel_id for c in (await stage.link.snapshot()).channels}
    assert not gone & {ringing.channel_id, operator.channel_id}


STORIES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    **{
        f"a_{behaviour}_line_ends_with_{cause}_{sip_code}": partial(
            _refusal_has_its_cause, behaviour=behaviour, cause=cause, sip_code=sip_code
        )
        for behaviour, cause, sip_code in (
            ("busy", 17, 486),
            ("invalid", 1, 404),
            ("rejected", 21, 403),
            ("congestion", 34, 503),
            ("out_of_order", 27, 502),
        )
    },
    **{
        story.__name__: story
        for story in (
            a_phone_that_rings_is_given_up_at_our_timeout,
            early_media_alone_never_counts_as_ringing,
            a_ringing_line_that_we_cut_ends_with_16_and_was_never_up,
            a_callee_who_answers_and_meets_nobody_hears_the_message_after_two_seconds,
            nine_in_the_message_is_kept_in_astdb_until_it_is_forgotten,
            a_bridged_callee_talks_and_never_hears_the_message,
            an_operator_is_back_at_once_when_the_callee_hangs_up_and_takes_the_next,
            a_callee_whose_operators_phone_is_lost_hears_the_message,
            a_callee_whose_operators_phone_is_lost_waits_for_it_and_talks_on,
            who_waits_in_vain_for_a_lost_phone_hears_the_message_after_20_s,
            a_callee_waiting_in_a_holding_bridge_leaves_it_for_the_conversation,
            a_supervisors_phone_hears_a_conversation_in_each_mode_without_a_new_call,
            who_listens_is_hung_up_with_the_leg_and_hears_nobody_else,
            what_is_no_operators_leg_is_not_heard,
            a_recorded_conversation_leaves_a_file_and_can_be_muted,
            who_is_not_to_be_recorded_is_not,
            a_callee_who_asks_for_an_operator_is_recorded_from_the_key,
            one_waits_with_music_for_an_operator,
            one_without_an_operator_ends_in_the_message_after_the_campaigns_wait,
            two_asks_for_a_callback_and_ends_the_call,
            a_key_that_says_something_is_told_and_ends_the_call,
            a_key_that_says_nothing_repeats_the_offer_and_is_not_told,
            nine_in_the_offer_is_never_again,
            star_repeats_the_offer,
            an_offer_without_a_key_ends_by_itself,
            who_calls_in_waits_and_is_bridged_by_the_channels_name,
            only_digits_are_left_of_what_a_caller_says,
            a_caller_whom_nobody_serves_is_told_after_30_s_without_a_service,
            a_caller_is_sent_to_what_is_said_to_missed_and_unknown_ones,
            a_caller_whose_operators_phone_is_lost_is_told_that_nobody_is_there,
            a_channel_id_in_use_calls_nobody_twice,
            a_seat_without_a_phone_never_has_a_channel,
            what_is_not_there_is_refused,
            the_snapshot_shows_where_everyone_is,
        )
    },
}

Endings = dict[str, BaseException | None]


async def tell_all(rig: Rig, *, at_once: int = 8) -> Endings:
    """Let every story happen on this rig, so many at the same time; how each ended, None for well."""
    up = await asyncio.wait_for(rig.link.events.get(), LONG_S)
    assert isinstance(up, LinkUp)
    stage, room = Stage(rig), asyncio.Semaphore(at_once)

    async def tell(story: Callable[[Stage], Awaitable[None]]) -> BaseException | None:
        async with room:
            try:
                await story(stage)
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # each test raises its own again
                return error
            return None

    listener = asyncio.create_task(stage.listen(), name="listener")
    try:
        endings = dict(zip(STORIES, await asyncio.gather(*map(tell, STORIES.values())), strict=True))
        assert not stage.surprises
        return endings
    finally:
        listener.cancel()


def judge(endings: Endings, name: str) -> None:
    """Fail as this story failed."""
    error = endings[name]
    if error is not None:
        raise error
