"""The journal: what happened is stored once, whatever is repeated, late or at the same time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import uuid4

import asyncpg
import pytest

from dialer.core.model import AttemptState, CallbackState, EndedBy, OperatorInterval, OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import FactRefused, LeaseLost, OperatorConflict

pytestmark = pytest.mark.postgres

PHONE = "+12025550101"


async def test_an_ended_attempt_leaves_the_live_table_and_becomes_a_fact(place):
    [contact] = await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.BUSY)
    assert await place.count("attempt_live") == 0
    row = await place.pools.web.fetchrow("SELECT * FROM attempt")
    assert (row["attempt_id"], row["outcome"], row["contact_id"]) == (attempt.id, "busy", contact)
    assert (await place.contact(contact))["counted"] == 1


async def test_a_journal_that_is_written_twice_changes_nothing(place):
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    shift = await place.start_shift(operator, "seat-1")
    first, second = await place.dial(2)
    talking = replace(
        first, state=AttemptState.CONNECTED, answered_at=place.now, connected_at=place.now, operator_id=operator
    )
    journal = Journal(
        progress=[talking],
        ended=[place.ended(second, Outcome.NO_ANSWER)],
        operators=[replace(shift, state=OperatorState.TALKING, attempt_id=first.id)],
        intervals=[
            OperatorInterval(
                operator_id=operator,
                session_id=shift.session_id,
                state=OperatorState.READY,
                started_at=place.now,
                ended_at=place.now + timedelta(seconds=5),
            )
        ],
        opt_outs=[(second.id, place.now)],
        key_dispositions=[(second.id, "refused_unheard", place.now)],
    )
    await place.store.write(journal)
    once = await place.snapshot()
    await place.store.write(journal)
    assert await place.snapshot() == once
    assert len(once["attempt"]) == len(once["do_not_call"]) == len(once["disposition"]) == 1


async def test_a_state_never_goes_back_but_after_a_refused_bridge(place):
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    for state, becomes in [
        (AttemptState.ANSWERED, "answered"),
        (AttemptState.RINGING, "answered"),
        (AttemptState.BRIDGING, "bridging"),
        (AttemptState.SENT, "bridging"),
        (AttemptState.ANSWERED, "answered"),
        (AttemptState.CONNECTED, "connected"),
        (AttemptState.WAITING, "connected"),
    ]:
        await place.progress(attempt, state)
        assert await place.pools.web.fetchval("SELECT state FROM attempt_live") == becomes


async def test_an_operator_is_never_with_two_callees(place):
    """The index refuses, with an error of its own, and nothing of that journal is stored."""
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    first, second = await place.dial(2)
    await place.talk(first, operator)
    with pytest.raises(OperatorConflict) as refused:
        await place.talk(second, operator)
    assert refused.value.code == "operator.conflict"
    assert await place.pools.web.fetchval("SELECT count(*) FROM attempt_live WHERE state = 'connected'") == 1


async def test_an_operator_may_take_the_next_callee_in_the_moment_the_last_one_left(place):
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    first, second = await place.dial(2)
    first = await place.talk(first, operator)
    second = replace(
        second, state=AttemptState.CONNECTED, operator_id=operator, answered_at=place.now, connected_at=place.now
    )
    await place.store.write(Journal(progress=[second], ended=[place.ended(first, Outcome.CONNECTED)]))
    assert await place.pools.web.fetchval("SELECT attempt_id FROM attempt_live") == second.id


async def test_an_operator_may_be_back_before_the_callee_of_the_lost_phone_hung_up(place):
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    first, second = await place.dial(2)
    talking = replace(
        first, state=AttemptState.CONNECTED, answered_at=place.now, connected_at=place.now, operator_id=operator
    )
    await place.store.write(Journal(progress=[talking]))
    await place.store.write(Journal(progress=[replace(talking, ended_by=EndedBy.PHONE_LOST)]))
    await place.store.write(
        Journal(progress=[replace(second, state=AttemptState.BRIDGING, answered_at=place.now, operator_id=operator)])
    )
    assert await place.count("attempt_live") == 2


async def test_whoever_lets_an_operator_go_is_written_before_whoever_takes_him(place):
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    for first, second in permutations(await place.dial(2)):
        bridging = replace(first, state=AttemptState.BRIDGING, answered_at=place.now, operator_id=operator)
        await place.store.write(Journal(progress=[bridging]))
        back = replace(first, state=AttemptState.ANSWERED, answered_at=place.now)
        taking = replace(second, state=AttemptState.BRIDGING, answered_at=place.now, operator_id=operator)
        await place.store.write(Journal(progress=[taking, back]))
        rows = await place.pools.web.fetch("SELECT attempt_id FROM attempt_live WHERE operator_id = $1", operator)
        assert [row["attempt_id"] for row in rows] == [second.id]
        await place.store.write(Journal(progress=[replace(second, state=AttemptState.ANSWERED, answered_at=place.now)]))


async def test_a_number_that_is_none_gives_way_to_the_next_one_and_the_last_closes_the_contact(place):
    [contact] = await place.add_contacts((PHONE, "+12025550102"))
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.INVALID_NUMBER)
    row = await place.contact(contact)
    assert (row["state"], row["counted"]) == ("open", 0)
    place.now += timedelta(minutes=1)
    [attempt] = await place.dial()
    assert attempt.e164 == "+12025550102"
    await place.end(attempt, Outcome.INVALID_NUMBER)
    row = await place.contact(contact)
    assert (row["state"], row["closed_by"]) == ("closed", "dead")


async def test_the_number_rests_for_every_campaign_after_an_abandoned_call(place):
    other = await place.add_campaign("survey")
    await place.add_contacts(PHONE)
    await place.add_contacts(PHONE, campaign=other)
    [attempt] = await place.dial()
    attempt = await place.progress(attempt, AttemptState.ANSWERED, answered_at=place.now)
    await place.end(attempt, Outcome.ABANDONED)
    place.now += timedelta(hours=71)
    assert not await place.dial(campaign=other)
    place.now += timedelta(hours=1, minutes=1)
    assert await place.dial(campaign=other)


async def test_the_legal_count_grows_with_the_end_and_lines_in_flight_become_fewer(place):
    await place.add_contacts(PHONE, "+12025550102")
    first, second = await place.dial(2)
    first = await place.progress(first, AttemptState.ANSWERED, answered_at=place.now)
    await place.end(first, Outcome.ABANDONED)
    await place.end(second, Outcome.NO_ANSWER)
    budget = (await place.store.budgets([place.campaign.id]))[place.campaign.id]
    assert (budget.answered, budget.abandoned, budget.uncovered) == (1, 1, 0)


async def test_an_attempt_belongs_to_the_legal_window_it_was_sent_in(place):
    """A call that is answered over the end of the window does not charge the new, empty count."""
    await place.add_contacts(PHONE, "+12025550102")
    [attempt] = await place.dial()
    attempt = await place.progress(attempt, AttemptState.ANSWERED, answered_at=place.now)
    place.now += timedelta(days=31)
    await place.claim(free=5)
    await place.end(attempt, Outcome.ABANDONED)
    budget = (await place.store.budgets([place.campaign.id]))[place.campaign.id]
    assert (budget.answered, budget.abandoned) == (0, 0)


async def test_facts_are_written_once(place):
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.BUSY)
    for statement in ("UPDATE attempt SET outcome = 'connected'", "DELETE FROM attempt", "DELETE FROM attempt_end"):
        with pytest.raises(asyncpg.RaiseError, match="written once"):
            await place.pools.web.execute(statement)


async def test_an_attempt_id_is_never_used_again(place):
    await place.add_contacts(PHONE, "+12025550102")
    [first] = await place.dial()
    await place.end(first, Outcome.BUSY)
    [second] = await place.dial()
    await place.pools.web.execute("UPDATE attempt_live SET attempt_id = $1", first.id)
    with pytest.raises(FactRefused) as refused:
        await place.end(replace(second, id=first.id), Outcome.BUSY)
    assert refused.value.data["constraint"] == "attempt_end_pkey"


async def test_an_engine_that_was_followed_by_another_tells_nothing_any_more(place):
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    await place.pools.web.execute("UPDATE engine_lease SET epoch = epoch + 1")
    with pytest.raises(LeaseLost):
        await place.end(attempt, Outcome.BUSY)
    assert await place.count("attempt_live") == 1


async def test_the_next_engine_finds_what_was_going_on(place):
    await place.add_contacts(PHONE)
    operator = await place.add_operator("ann")
    shift = await place.start_shift(operator, "seat-1")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, operator)
    attempt = await place.progress(attempt, AttemptState.CONNECTED, ended_by=EndedBy.OPERATOR)
    await place.pools.web.execute("UPDATE engine_lease SET epoch = epoch + 1")
    found = await place.store.recover("main")
    assert list(found.attempts) == [attempt]
    assert list(found.operators) == [shift]
    assert await place.pools.web.fetchval("SELECT epoch FROM attempt_live") == place.lease.epoch + 1
    assert not (await place.store.recover("other")).attempts


async def test_the_next_engine_knows_who_wanted_to_pause_or_to_leave(place):
    [ann, bob] = [await place.add_operator(name) for name in ("ann", "bob")]
    pausing = replace(await place.start_shift(ann, "seat-1"), pause_after="lunch")
    leaving = replace(await place.start_shift(bob, "seat-2"), leaving=True)
    await place.store.write(Journal(operators=[pausing, leaving]))
    assert list((await place.store.recover("main")).operators) == [pausing, leaving]
    await place.store.write(Journal(operators=[replace(pausing, pause_after=None)]))
    assert (await place.store.recover("main")).operators[0].pause_after is None


async def test_a_shift_that_is_over_leaves_no_row_but_another_shift_stays(place):
    operator = await place.add_operator("ann")
    shift = await place.start_shift(operator, "seat-1")
    await place.store.write(Journal(operators=[replace(shift, state=OperatorState.OFFLINE, session_id=uuid4())]))
    assert await place.count("operator_live") == 1
    await place.store.write(Journal(operators=[replace(shift, state=OperatorState.OFFLINE)]))
    assert await place.count("operator_live") == 0


async def test_pacing_begins_with_what_the_last_attempts_were_like(place):
    await place.add_contacts(PHONE, "+12025550102")
    operator = await place.add_operator("ann")
    first, second = await place.dial(2)
    first = await place.talk(first, operator)
    await place.end(first, Outcome.CONNECTED, after_s=30)
    await place.end(second, Outcome.NO_ANSWER)
    learned = await place.store.learned(place.campaign.id)
    assert learned["answer_rate"] == 0.5
    assert (learned["n_answer_rate"], learned["n_talk_s"], learned["talk_s"]) == (2, 1, 30)
    assert learned["n_wrap_up_s"] == learned["wrap_up_s"] == 0


@pytest.mark.parametrize(
    ("outcome", "becomes"),
    [(Outcome.NO_ANSWER, "pending"), (Outcome.CONNECTED, "kept"), (Outcome.NOT_SENT, "pending")],
)
async def test_a_promise_is_kept_by_a_conversation_and_tried_again_otherwise(place, outcome, becomes):
    [contact] = await place.add_contacts(PHONE)
    operator = await place.add_operator("ann")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, operator)
    await place.save(attempt.id, operator, "callback", due_at=place.now + timedelta(hours=2))
    await place.end(attempt, Outcome.CONNECTED)
    place.now += timedelta(hours=2)
    [attempt] = await place.dial()
    if outcome is Outcome.CONNECTED:
        attempt = await place.talk(attempt, operator)
    ended = place.ended(attempt, outcome)
    await place.store.write(Journal(ended=[ended]))
    row = await place.pools.web.fetchrow("SELECT * FROM callback")
    assert row["state"] == becomes
    assert (await place.contact(contact))["promised"] == (becomes == "pending")
    if becomes == "pending":
        assert ended.callback is CallbackState.PENDING
        assert row["next_at"] == ended.next_at
        assert row["due_at"] == place.now
