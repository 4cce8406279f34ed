"""A forecast begins with what the database knows: every open contact once, and nothing that is not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from dialer.core import ahead
from dialer.core.model import CampaignState, OperatorInterval, OperatorState, Outcome
from dialer.engine.ports import Journal
from dialer.errors import NotFound
from tests.store.places import SYSTEM


async def outset(place, campaign_id=None):
    return await place.stores.ahead.outset(campaign_id or place.campaign.id, place.now)


async def test_every_open_contact_is_counted_once(place):
    """Free ones in crowds, one whose phone rings as a line, one that is talked to with its operator."""
    operator_id = await place.add_operator("anna")
    await place.add_contacts(*(f"+7495000000{i}" for i in range(8)))
    [_, talking, busy] = await place.dial(3)
    operator = await place.start_shift(operator_id, "seat1")
    await place.talk(talking, operator_id)
    talks = replace(operator, state=OperatorState.TALKING, campaign_id=1, attempt_id=talking.id)
    await place.store.write(Journal(operators=[talks]))
    await place.end(busy, Outcome.BUSY)
    found = (await outset(place)).known
    assert sum(crowd.count for crowd in found.crowds) == 6
    assert len(found.lines) == 1
    assert [worker.state for worker in found.crew] == [OperatorState.TALKING]
    assert found.crew[0].contact is not None
    assert (found.attempts, found.connects, found.results) == (3, 1, 0)
    assert found.seen.ends == {(0, Outcome.BUSY): 1, (0, Outcome.CONNECTED): 1}
    [waits] = [crowd for crowd in found.crowds if crowd.number == 1]
    assert (waits.count, waits.counted, len(waits.sent_s)) == (1, 1, 1)
    assert waits.due_s > place.now.timestamp()


async def test_whoever_may_not_be_called_is_no_part_of_what_lies_ahead(place):
    """Do-not-call numbers and paused bases are left out."""
    await place.add_contacts("+74950000001", "+74950000002")
    await place.stores.do_not_call.add(phone="+74950000001", scope="global", actor=SYSTEM)
    assert sum(crowd.count for crowd in (await outset(place)).known.crowds) == 1


async def test_talks_pauses_and_working_hours_are_learned_from_the_shifts(place):
    """Durations by state, the first pause of a shift left out; hours and operators of the days before."""
    operator_id = await place.add_operator("anna")
    operator = await place.start_shift(operator_id, "seat1")
    yesterday = place.now - timedelta(days=1)

    def stretch(state, at_s, lasts_s, campaign_id=None):
        begin = yesterday + timedelta(seconds=at_s)
        return OperatorInterval(
            operator_id=operator_id,
            session_id=operator.session_id,
            state=state,
            started_at=begin,
            ended_at=begin + timedelta(seconds=lasts_s),
            campaign_id=campaign_id,
        )

    await place.store.write(
        Journal(
            intervals=[
                stretch(OperatorState.PAUSED, 0, 60),
                stretch(OperatorState.READY, 60, 40),
                stretch(OperatorState.TALKING, 100, 80, place.campaign.id),
                stretch(OperatorState.WRAP_UP, 180, 20, place.campaign.id),
                stretch(OperatorState.PAUSED, 200, 300),
            ]
        )
    )
    found = await outset(place)
    assert (found.known.seen.talk_s, found.known.seen.write_s, found.known.seen.away_s) == ([80], [20], [300])
    assert found.known.seen.worked_s == 140
    assert found.work_seen
    begins = yesterday.astimezone(ZoneInfo(place.campaign.zone)).hour * 60
    assert (found.work.begins, found.work.ends) == (begins, begins + 8)
    assert found.operators == 1


async def test_what_earlier_campaigns_showed_is_believed_before_the_first_call(place):
    """A draft of the same customer knows how the last one went; without any it says that it does not."""
    assert (await outset(place)).known.source == "usual"
    await place.add_contacts("+74950000001")
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.NO_ANSWER)
    later = await place.add_campaign("second", state=CampaignState.RUNNING)
    found = (await outset(place, later.id)).known
    assert found.source == "customer"
    assert found.before.ends == {(0, Outcome.NO_ANSWER): 1}
    assert not found.seen.ends


async def test_a_forecast_can_be_made_of_it(place):
    """From the rows to the quantiles; the base is small enough to end within days."""
    await place.add_contacts(*(f"+7495000000{i}" for i in range(9)), countries=("RU",))
    found = await outset(place)
    plan = ahead.plan(found.known.campaign, found.work, found.known.at_s, 31, operators=2)
    told = ahead.of_shift(found.known, plan, list(ahead.shift(found.known, plan, Random, futures=20)))
    assert told.attempts.high >= 9
    base = ahead.of_base(list(ahead.base(found.known, plan, Random, futures=20)))
    assert base.tried.share == 1


async def test_there_is_nothing_ahead_of_no_campaign(place):
    with pytest.raises(NotFound):
        await outset(place, 999)
