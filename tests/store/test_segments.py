"""Segments of refusals: the same people under the same rules in another campaign, and nobody who must not be called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialer.core.model import Outcome
from dialer.errors import NotFound, Refused
from dialer.store.segments import Segment
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

NUMBERS = [f"+1202555010{n}" for n in range(8)]


@pytest.fixture
async def refused(place):
    """Each of these contacts was talked to, and refused; the ids."""
    ann = await place.add_operator("ann")

    async def say(*phones, code="refused_with_reason", reason="price", campaign=None):
        place.now += timedelta(minutes=1)  # lanes are remembered for a while
        where = {"campaign": campaign} if campaign else {}
        made = await place.add_contacts(*phones, **where)
        for attempt in await place.dial(len(phones), **where):
            talk = await place.talk(attempt, ann)
            said = {"reason": reason} if reason else {}
            await place.save(talk.id, ann, code, key=str(talk.id), note="too dear", **said)
            await place.end(talk, Outcome.CONNECTED, **where)
        return made

    return say


@pytest.fixture
async def other(place):
    return await place.add_campaign("autumn")


def of(place, **values) -> Segment:
    return Segment(campaign_id=place.campaign.id, **{"reason": "price", **values})


async def why_refused(doing) -> str:
    with pytest.raises(Refused) as error:
        await doing
    return error.value.code


async def test_a_segment_becomes_a_base_with_the_same_numbers_and_the_history_of_its_people(place, refused, other):
    [first, second] = await refused(NUMBERS[0], (NUMBERS[1], NUMBERS[2]))
    await refused(NUMBERS[3], reason="competitor")
    base, verdicts = await place.stores.segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert (base.campaign_id, base.rows_loaded, base.rows_in, verdicts) == (other.id, 2, 2, {"loaded": 2})
    rows = await place.pools.web.fetch("SELECT * FROM contact WHERE base_id = $1 ORDER BY row_number", base.id)
    assert [row["origin_id"] for row in rows] == [first, second]
    numbers = "SELECT phone_id, place FROM contact_phone WHERE contact_id = $1 ORDER BY place"
    for row in rows:
        assert (row["state"], row["counted"], row["attributes"]) == ("open", 0, {"city": "Vladivostok"})
        assert await place.pools.web.fetch(numbers, row["id"]) == await place.pools.web.fetch(numbers, row["origin_id"])
    place.now += timedelta(days=40)
    [attempt] = await place.dial(campaign=other)
    ben = await place.add_operator("ben")
    await place.talk(attempt, ben)
    card = await place.stores.contacts.card(attempt.id, operator_id=ben)
    assert [(one.code, one.note) for one in card.history] == [("refused_with_reason", "too dear")]


async def test_the_gate_still_decides_who_is_called_and_when(place, refused, other):
    """What the number has behind it holds for the new contact: it rests as long as for the old one."""
    await refused(*NUMBERS[:2])
    await place.pools.web.execute(
        "UPDATE phone SET not_before = $1 WHERE e164 = $2", place.now + timedelta(days=3), NUMBERS[0]
    )
    counted = await place.stores.segments.rehearse(of(place), other.id, now=place.now, actor=SYSTEM)
    assert sum(one.contacts for one in counted.held.values()) == counted.loaded == 2
    assert counted.held["phone_resting"].until is not None
    await place.stores.segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert (await place.stores.contacts.why_counts(other.id, now=place.now)) == counted.held
    place.now += timedelta(days=2)
    assert [one.e164 for one in await place.dial(2, campaign=other)] == [NUMBERS[1]]


async def test_whoever_must_not_be_called_is_left_out_and_counted(place, refused, other):
    await refused(*NUMBERS[:6])
    forbid = place.stores.do_not_call.add
    await forbid(phone=NUMBERS[0], scope="global", reason="asked", actor=SYSTEM)
    await forbid(phone=NUMBERS[1], scope="customer", customer_id=other.customer_id, reason="asked", actor=SYSTEM)
    await forbid(phone=NUMBERS[2], scope="campaign", campaign_id=other.id, reason="asked", actor=SYSTEM)
    await forbid(phone=NUMBERS[3], scope="campaign", campaign_id=place.campaign.id, reason="asked", actor=SYSTEM)
    await place.add_contacts(NUMBERS[4], campaign=other)
    counted = await place.stores.segments.rehearse(of(place), other.id, now=place.now, actor=SYSTEM)
    assert (counted.found, counted.verdicts) == (6, {"do_not_call": 3, "in_campaign": 1, "loaded": 2})
    assert await place.pools.web.fetchval("SELECT count(*) FROM base WHERE source = 'segment'") == 0
    base, verdicts = await place.stores.segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert (verdicts, base.rows_rejected) == (counted.verdicts, 4)
    again = place.stores.segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert await why_refused(again) == "segment.empty"


async def test_only_those_whose_last_word_was_a_refusal_and_whom_nobody_calls_any_more(place, refused, other):
    await refused(NUMBERS[0], code="refused_gatekeeper", reason=None)
    await refused(NUMBERS[1], code="thinking", reason=None)
    [dead] = await refused(NUMBERS[2], code="refused_decision_maker", reason=None)
    await refused(NUMBERS[3], NUMBERS[4], code="refused_decision_maker", reason=None)
    await place.pools.web.execute("UPDATE contact_phone SET dead = true WHERE contact_id = $1", dead)
    segments, everybody = place.stores.segments, of(place, reason=None)
    counts = [(row["code"], row["contacts"]) for row in await segments.counts(place.campaign.id)]
    assert counts == [("refused_decision_maker", 3), ("refused_gatekeeper", 1)]
    counted = await segments.rehearse(everybody, other.id, now=place.now, actor=SYSTEM)
    assert counted.verdicts == {"open": 1, "dead": 1, "loaded": 2}
    soon = of(place, reason=None, since=place.now + timedelta(minutes=1))
    assert (await segments.rehearse(soon, other.id, now=place.now, actor=SYSTEM)).found == 0


async def test_the_base_is_undone_while_nobody_was_called_and_may_be_made_again(place, refused, other):
    await refused(*NUMBERS[:2])
    segments, bases = place.stores.segments, place.stores.bases
    base, _ = await segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert (await bases.undo(base.id, actor=SYSTEM)).undone_at is not None
    assert await place.pools.web.fetchval("SELECT count(*) FROM contact WHERE campaign_id = $1", other.id) == 0
    again, verdicts = await segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert verdicts == {"loaded": 2}
    place.now += timedelta(days=40)
    await place.dial(campaign=other)
    assert await why_refused(bases.undo(again.id, actor=SYSTEM)) == "base.touched"
    audit = await place.pools.web.fetch("SELECT object, after FROM audit WHERE action = 'base.segment' ORDER BY id")
    assert [row["object"] for row in audit] == [f"base:{base.id}", f"base:{again.id}"]
    assert (audit[0]["after"]["reason"], audit[0]["after"]["loaded"]) == ("price", 2)


async def test_two_contacts_with_one_number_are_one_in_the_segment(place, refused, other):
    await refused(NUMBERS[0])
    place.now += timedelta(days=40)
    await refused(NUMBERS[0])
    counted = await place.stores.segments.rehearse(of(place), other.id, now=place.now, actor=SYSTEM)
    assert counted.verdicts == {"repeated": 1, "loaded": 1}


async def test_people_of_one_customer_are_never_called_for_another(place, refused):
    await refused(NUMBERS[0])
    foreign = await place.add_campaign("of a rival", customer="rival")
    segments = place.stores.segments
    for target, code in ((foreign.id, "segment.other_customer"), (place.campaign.id, "segment.same_campaign")):
        assert await why_refused(segments.make(of(place), target, "x", actor=SYSTEM)) == code
        assert await why_refused(segments.rehearse(of(place), target, now=place.now, actor=SYSTEM)) == code
    with pytest.raises(NotFound):
        await segments.make(of(place), 999, "x", actor=SYSTEM)


async def test_no_number_comes_twice_and_nobody_is_left_out_for_one_who_is_not_loaded(place, refused, other):
    """A second number in common is a repetition too; who shares one with somebody who stays away is not."""
    earlier, later = await refused((NUMBERS[0], NUMBERS[1])), await refused((NUMBERS[2], NUMBERS[1]))
    alone = await refused((NUMBERS[3], NUMBERS[4]))
    place.now += timedelta(days=40)
    await refused((NUMBERS[3], NUMBERS[5]))
    await place.add_contacts(NUMBERS[5], campaign=other)
    base, verdicts = await place.stores.segments.make(of(place), other.id, "dear", actor=SYSTEM)
    assert verdicts == {"loaded": 2, "repeated": 1, "in_campaign": 1}
    rows = await place.pools.web.fetch("SELECT origin_id FROM contact WHERE base_id = $1 ORDER BY row_number", base.id)
    assert [row["origin_id"] for row in rows] == [*later, *alone]
    assert earlier
