"""What an operator sees of the own day, and what a promise would be answered before it is made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.model import LiveOperator, OperatorInterval, OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import NotFound, Refused
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

PHONES = ("+12025550101", "+12025550102")


@pytest.fixture
async def ann(place) -> int:
    return await place.add_operator("ann")


@pytest.fixture
async def talk(place, ann):
    await place.add_contacts(*PHONES)
    attempt, other = await place.dial(2)
    await place.end(other, Outcome.BUSY)
    return await place.talk(attempt, ann)


async def day(place, operator_id, *, after_s=0, since_s=-3600):
    return await place.stores.shifts.day(
        operator_id, since=place.now + timedelta(seconds=since_s), now=place.now + timedelta(seconds=after_s)
    )


def stretch(operator: LiveOperator, state, begin_s, end_s, reason=None) -> OperatorInterval:
    return OperatorInterval(
        operator_id=operator.operator_id,
        session_id=operator.session_id,
        state=state,
        started_at=operator.since + timedelta(seconds=begin_s),
        ended_at=operator.since + timedelta(seconds=end_s),
        reason=reason,
        campaign_id=None,
        attempt_id=None,
    )


async def test_pauses_are_counted_by_reason_with_the_one_that_goes_on(place, ann):
    """What was before the day began does not count, and nobody else's pause does."""
    operator = await place.start_shift(ann, "seat-001")
    bob = await place.start_shift(await place.add_operator("bob"), "seat-002")
    past = [
        stretch(operator, OperatorState.PAUSED, -4000, -3500, "break"),
        stretch(operator, OperatorState.PAUSED, -300, -180, "break"),
        stretch(operator, OperatorState.READY, -180, 0),
        stretch(bob, OperatorState.PAUSED, -300, 0, "break"),
    ]
    paused = replace(operator, state=OperatorState.PAUSED, reason="lunch")
    await place.store.write(Journal(intervals=past, operators=[paused]))
    found = await day(place, ann, after_s=60)
    assert {pause.code: pause.used_s for pause in found.pauses} == {"break": 220, "lunch": 60, "meeting": 0, "other": 0}
    assert [pause.code for pause in found.pauses] == ["break", "lunch", "meeting", "other"]
    assert found.state_s == {"paused": 280, "ready": 180}


async def test_conversations_results_and_promises_of_the_day_are_the_operators_own(place, talk, ann):
    due_at = place.now + timedelta(hours=2)
    await place.save(talk.id, ann, "callback", due_at=due_at, callback_operator_id=ann, note="after lunch")
    await place.end(talk, Outcome.CONNECTED)
    await place.stores.shifts.note_extension(ann, talk.id)
    found = await day(place, ann, since_s=-60)
    assert (found.talks, found.saved, found.results, found.extensions) == (1, 1, 0, 1)
    [promise] = found.callbacks
    assert (promise.phone, promise.note, promise.state) == (talk.e164, "after lunch", "pending")
    assert [one.state for one in (await day(place, ann, after_s=7230)).callbacks] == ["due"]
    assert [one.state for one in (await day(place, ann, after_s=7300)).callbacks] == ["late"]
    bob = await day(place, await place.add_operator("bob"))
    assert (bob.talks, bob.saved, bob.callbacks) == (0, 0, [])


async def test_a_promise_is_judged_before_it_is_made_as_it_will_be_when_it_is_saved(place, talk, ann):
    async def asked(**ahead):
        due_at = place.now + timedelta(**ahead)
        return await place.stores.shifts.promise(ann, talk.id, due_at=due_at, now=place.now)

    good = await asked(hours=2)
    assert (good.refused, good.same_hour, good.next_at) == (None, 0, place.now + timedelta(hours=2))
    past = await asked(hours=-1)
    assert past.refused is not None
    assert past.refused[0] == "callback.past"
    assert past.refused[1] != past.refused[2]
    assert past.next_at is not None


async def test_a_promise_of_another_operators_conversation_is_none_of_mine(place, talk):
    bob = await place.add_operator("bob")
    with pytest.raises(NotFound):
        await place.stores.shifts.promise(bob, talk.id, due_at=place.now, now=place.now)
    with pytest.raises(NotFound):
        await place.stores.shifts.promise(bob, uuid4(), due_at=place.now, now=place.now)


async def test_a_conversation_keeps_the_script_it_began_with(place, talk, ann):
    """What is saved meanwhile is for the next one."""
    scripts = place.stores.scripts
    assert (await scripts.read(place.campaign.id)).body == {}
    body = {"steps": [{"id": "hello", "text": "Hello {name}", "answers": []}]}
    for brief, later in (("old", timedelta(minutes=-1)), ("new", timedelta(minutes=1))):
        await scripts.write(place.campaign.id, brief=brief, body=body, actor=SYSTEM, now=place.now + later)
    card = await place.stores.contacts.card(talk.id, operator_id=ann)
    assert (card.brief, card.script, card.script_version, card.promised) == ("old", body, 1, False)
    await place.end(talk, Outcome.CONNECTED)
    assert await scripts.shown(talk.id) == 1
    assert (await scripts.read(place.campaign.id)).brief == "new"


async def test_each_save_is_a_version_and_the_same_again_is_none(place):
    scripts, id_ = place.stores.scripts, place.campaign.id
    for brief in ("one", "two", "two"):
        await scripts.write(id_, brief=brief, body={}, actor=SYSTEM)
    assert [one.version for one in await scripts.versions(id_)] == [2, 1]
    assert (await scripts.read(id_, 1)).brief == "one"
    with pytest.raises(NotFound):
        await scripts.read(id_, 3)
    with pytest.raises(NotFound):
        await scripts.write(0, brief="", body={}, actor=SYSTEM)


async def test_of_two_who_edit_at_once_the_second_is_told(place):
    """Nothing is overwritten in silence."""
    scripts, id_ = place.stores.scripts, place.campaign.id
    both = [scripts.write(id_, brief=who, body={}, actor=SYSTEM, based_on=0) for who in ("ann", "bob")]
    done = await asyncio.gather(*both, return_exceptions=True)
    [refusal] = [one for one in done if isinstance(one, Refused)]
    assert refusal.code == "script.changed"
    assert len(await scripts.versions(id_)) == 1
