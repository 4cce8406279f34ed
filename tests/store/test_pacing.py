"""Why campaigns dialled as they did, kept in PostgreSQL for a day and decided again from there; what pacing learned."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from dialer.core import pacing, replay
from dialer.core.model import EndedBy, OperatorInterval, OperatorState, Outcome
from dialer.engine.explain import Explanations
from dialer.engine.ports import Journal
from scripts.benches.pace.day import Day
from scripts.benches.pace.ours import Ours, Window
from scripts.benches.pace.world import HOUR_S, scenario

pytestmark = pytest.mark.postgres

MINUTE = timedelta(minutes=1)
ONE, OTHER = "+12025550101", "+12025550102"


class Told(Ours):
    """Our dialer, whose every decision is told as the engine tells it."""

    def __init__(self, campaign_id, began):
        super().__init__(Window(answered=2000, abandoned=40))
        self.why = Explanations(campaign_id)
        self._began = began

    def calls(self, day):
        decision = pacing.decide(*self.asked(day))
        self.why.note(decision, self._began + timedelta(seconds=day.now_s))
        return decision.calls


def minutes_of_an_hour(campaign_id, began, name="3:0.5", hours=1.0):
    """An hour of a simulated campaign, by minutes."""
    dialer = Told(campaign_id, began)
    Day(scenario(name), dialer, 1, until_s=hours * HOUR_S).run()
    return [plain(minute) for minute in dialer.why.take(began + timedelta(hours=hours))]


def plain(minute):
    """As JSON says it: tuples are lists."""
    return replace(minute, inputs=json.loads(json.dumps(minute.inputs)))


async def read(place, hours=24):
    return await place.stores.pacing.minutes(place.campaign.id, place.now - timedelta(hours=hours), place.now + MINUTE)


async def test_a_stored_hour_is_decided_again_and_gives_the_same_decisions(place):
    """Of each minute the last decision, through JSON and the database, whatever limited it."""
    told = minutes_of_an_hour(place.campaign.id, place.now - timedelta(hours=1))
    await place.store.keep_pacing(told, {}, place.now)
    stored = await read(place)
    assert list(stored) == told
    assert len(stored) == 60
    assert len({minute.reason for minute in stored}) > 1
    for minute in stored:
        decision = replay.again(minute.inputs)
        assert (decision.calls, decision.reason, decision.target) == (minute.calls, minute.reason, minute.target)
        assert decision.sentence == minute.sentence
        assert minute.decisions == sum(minute.reasons.values())


async def test_a_decision_of_campaigns_that_share_a_team_is_made_again_from_the_database(place):
    [minute] = minutes_of_an_hour(place.campaign.id, place.now, hours=1 / 60)
    snapshot, learned, policy = replay.again(minute.inputs).of
    rival = pacing.Rival(
        snapshot=replace(snapshot, ready=1, ringing_s=[3.0] * 4), learned=learned, policy=replace(policy, weight=2.0)
    )
    shared = pacing.decide(replace(snapshot, rivals=[rival]), learned, policy)
    told = replace(minute, inputs=replay.inputs(shared), calls=shared.calls, reason=shared.reason, target=shared.target)
    await place.store.keep_pacing([told], {}, place.now)
    [stored] = await read(place)
    assert replay.same(stored.inputs, shared.calls, shared.reason, shared.target)
    assert replay.again(stored.inputs).risk == shared.risk


async def test_a_minute_told_again_keeps_what_came_last(place):
    [minute] = minutes_of_an_hour(place.campaign.id, place.now, hours=1 / 60)
    later = replace(minute, placed=minute.placed + 5, reasons={"forecast": 3}, decisions=3)
    for told in (minute, later):
        await place.store.keep_pacing([told], {}, place.now)
    assert await read(place) == [later]


async def test_minutes_are_kept_for_a_day_and_those_of_other_campaigns_are_not_touched(place):
    other = await place.add_campaign("other")
    [minute] = minutes_of_an_hour(place.campaign.id, place.now, hours=1 / 60)
    old = replace(minute, minute=minute.minute - timedelta(days=1) - MINUTE)
    await place.store.keep_pacing([old, replace(old, campaign_id=other.id)], {}, old.minute)
    await place.store.keep_pacing([minute], {}, place.now)
    assert await read(place, hours=48) == [minute]
    assert await place.count("pacing_minute") == 2


async def test_a_minute_of_a_campaign_that_is_gone_is_dropped(place):
    [minute] = minutes_of_an_hour(place.campaign.id, place.now, hours=1 / 60)
    await place.store.keep_pacing([minute, replace(minute, campaign_id=10**9)], {}, place.now)
    assert await place.count("pacing_minute") == 1


async def test_what_was_learned_comes_back_to_the_last_bit_and_the_newest_counts(place):
    dialer = Told(place.campaign.id, place.now)
    Day(scenario("3:0.5"), dialer, 1, until_s=HOUR_S / 2).run()
    state, key = dialer.learner.state(), ("campaign", place.campaign.id)
    await place.store.keep_pacing([], {key: pacing.Learner().state(), ("team", 1): {"version": 0}}, place.now)
    await place.store.keep_pacing([], {key: state}, place.now)
    kept = await place.store.pacing_learned(*key)
    assert kept == state
    assert pacing.Learner.of(kept).state() == state
    assert await place.store.pacing_learned("team", 1) == {"version": 0}
    assert await place.store.pacing_learned("team", place.campaign.id + 1) is None


# Exceptions -----------------------------------------------------------------------


async def lose(place, attempt, ended_by, *, outcome=Outcome.ABANDONED, after_s=10):
    """A callee who answered is lost."""
    answered = replace(attempt, rang_at=place.now, answered_at=place.now)
    ended = place.ended(answered, outcome, after_s=after_s)
    await place.store.write(
        Journal(ended=[replace(ended, ended_by=ended_by, legal_answered=True, legal_abandoned=True)])
    )


async def exceptions(place):
    """Those that are not zero."""
    found = await place.stores.pacing.exceptions(place.campaign.id)
    return {name: value for name, value in asdict(found).items() if value}


async def test_without_misfortune_nothing_is_an_exception(place):
    await place.add_contacts(ONE, OTHER)
    busy, patient = await place.dial(2)
    await place.end(busy, Outcome.BUSY)
    await lose(place, patient, EndedBy.SERVICE)
    assert await exceptions(place) == {"owed": 49}
    assert await place.stores.pacing.exceptions(10**9) is None


@pytest.mark.parametrize(("ended_by", "name"), [(EndedBy.SWITCH_RESTART, "switch_died"), (EndedBy.LOST, "engine_died")])
async def test_whoever_is_lost_with_the_switch_or_the_engine_is_counted_and_owed(place, ended_by, name):
    await place.add_contacts(ONE)
    [attempt] = await place.dial()
    await lose(place, attempt, ended_by)
    assert await exceptions(place) == {name: 1, "owed": 49}


async def test_whoever_is_lost_while_an_operator_lost_the_phone_is_counted_apart(place):
    await place.add_contacts(ONE)
    operator = await place.add_operator("ann")
    shift = await place.start_shift(operator, "seat-1")
    [attempt] = await place.dial()

    def interval(state, since_s, until_s):
        return OperatorInterval(
            operator_id=operator,
            session_id=shift.session_id,
            state=state,
            started_at=place.now + timedelta(seconds=since_s),
            ended_at=place.now + timedelta(seconds=until_s),
        )

    vanished = [interval(OperatorState.READY, -60, 5), interval(OperatorState.RINGING, 5, 9)]
    await place.store.write(Journal(intervals=vanished))
    await lose(place, attempt, EndedBy.SERVICE)
    assert (await exceptions(place))["phone_lost"] == 1


async def test_lines_we_hung_up_are_counted_and_those_that_rang_short_apart(place):
    await place.add_contacts(ONE, OTHER)
    short, long = await place.dial(2)
    for attempt, after_s in ((short, 14), (long, 16)):
        await place.end(replace(attempt, rang_at=place.now), Outcome.CANCELLED, after_s=after_s)
    assert await exceptions(place) == {"cut": 2, "cut_short": 1}


async def test_a_call_whose_end_nobody_saw_is_counted_and_one_of_the_window_before_is_not(place):
    await place.add_contacts(ONE, OTHER)
    for days in (-40, 40):
        place.now += timedelta(days=days)
        [attempt] = await place.dial()
        await place.end(attempt, Outcome.UNKNOWN)
    assert await exceptions(place) == {"unseen": 1}
