"""What an operator sees of the own day, and what a promise would be answered before it is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.model import LiveOperator, OperatorInterval, OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import NotFound
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


async def test_a_script_is_replaced_as_a_whole_and_comes_with_the_card(place, talk, ann):
    assert (await place.stores.scripts.read(place.campaign.id)).body == {}
    body = {"steps": [{"id": "hello", "text": "Hello {name}", "answers": []}]}
    for brief in ("old", "new"):
        await place.stores.scripts.write(place.campaign.id, brief=brief, body=body, actor=SYSTEM)
    card = await place.stores.contacts.card(talk.id, operator_id=ann)
    assert (card.brief, card.script, card.promised) == ("new", body, False)
    before = await place.pools.web.fetchval("SELECT before FROM audit WHERE action = 'script.change' ORDER BY id DESC")
    assert before["brief"] == "old"
    with pytest.raises(NotFound):
        await place.stores.scripts.write(0, brief="", body={}, actor=SYSTEM)
