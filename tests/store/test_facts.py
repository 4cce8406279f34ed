"""Every number opens the attempts it counts: the lists are the ledger, and quick however long it is."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.model import AttemptState, Outcome
from dialer.errors import NotFound, Refused
from dialer.store.facts import Sought
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

#: A page of a long list may cost so many times what a page of a short one costs.
TIMES_MAX = 5


@pytest.fixture
async def day(place):
    """Nine attempts: three talks (a lead, a refusal, nothing said), three not answered, three busy."""
    place.operator_id = await place.add_operator("ann")
    await place.add_contacts(*(f"+7903555010{digit}" for digit in range(9)))
    for number, attempt in enumerate(await place.dial(9)):
        place.now += timedelta(seconds=10)
        if number < 3:
            talk = await place.talk(attempt, place.operator_id)
            await place.end(talk, Outcome.CONNECTED)
            if number < 2:
                code = "lead" if number == 0 else "refused_decision_maker"
                await place.save(attempt.id, place.operator_id, code, key=str(number))
        else:
            rang = await place.progress(attempt, AttemptState.RINGING, rang_at=place.now)
            await place.end(rang, Outcome.NO_ANSWER if number < 6 else Outcome.BUSY)
    return place


async def every(facts, **sought):
    """All rows of a list, page by page of two."""
    rows, cursor = [], None
    while True:
        page = await facts.find(Sought(**sought, cursor=cursor), rows=2)
        rows += page.rows
        if page.next is None:
            return rows
        cursor = page.next


@pytest.mark.parametrize(
    ("sought", "count"),
    [
        ({}, 9),
        ({"outcome": "busy"}, 3),
        ({"fact": "rang"}, 9),
        ({"fact": "answered"}, 3),
        ({"fact": "abandoned"}, 0),
        ({"fact": "dialled"}, 9),
        ({"fact": "reached"}, 3),
        ({"fact": "said"}, 2),
        ({"fact": "results"}, 1),
        ({"fact": "decision_makers"}, 2),
        ({"code": "lead"}, 1),
        ({"q": "contact 4"}, 1),
        ({"q": "CONTACT"}, 9),
        ({"q": "0104"}, 1),
        ({"q": "8 (903) 555-01-04"}, 1),
        ({"q": "+79035550104"}, 1),
        ({"q": "+79035559999"}, 0),
        ({"q": "nobody"}, 0),
        ({"oldest": True}, 9),
        ({"oldest": True, "outcome": "no_answer"}, 3),
    ],
)
async def test_a_list_has_exactly_what_is_asked_page_by_page(day, sought, count):
    rows = await every(day.stores.facts, **sought)
    assert len({row["attempt_id"] for row in rows}) == len(rows) == count
    at = "saved_at" if sought.get("fact") in {"said", "results", "decision_makers"} else "sent_at"
    times = [row[at] for row in rows]
    assert times == sorted(times, reverse=not sought.get("oldest"))


async def test_the_facts_of_the_numbers_are_as_many_as_the_numbers_say(day):
    """The same hour of the same campaign: counted by the dictionary of numbers, and listed."""
    since, until = day.now - timedelta(hours=1), day.now + timedelta(hours=1)
    period = {"campaign_id": day.campaign.id, "since": since, "until": until}
    [row] = await day.stores.kpi.table(by="total", now=until, **period)
    for fact in ("rang", "answered", "abandoned", "results", "decision_makers"):
        assert len(await every(day.stores.facts, fact=fact, **period)) == row.facts[fact], fact
    assert len(await every(day.stores.facts, outcome="connected", **period)) == row.facts["connected"]
    assert len(await every(day.stores.facts, **period)) == row.facts["attempts"]
    assert await every(day.stores.facts, **{**period, "since": until, "until": until + timedelta(hours=1)}) == []


async def test_a_list_of_another_campaign_or_operator_shows_nothing_of_this_one(day):
    other = await day.add_campaign("other", customer="c", team="two")
    assert await every(day.stores.facts, campaign_id=other.id) == []
    assert await every(day.stores.facts, operator_id=day.operator_id + 1000) == []
    assert len(await every(day.stores.facts, operator_id=day.operator_id)) == 3


async def test_one_attempt_has_its_steps_and_who_said_what(day):
    [row] = await every(day.stores.facts, code="lead")
    one, minute = await day.stores.facts.attempt(row["attempt_id"])
    assert (one["operator"], one["code"], one["outcome"], minute) == ("ann", "lead", "connected", None)
    assert one["sent_at"] <= one["answered_at"] <= one["connected_at"] < one["ended_at"]
    with pytest.raises(NotFound):
        await day.stores.facts.attempt(uuid4())


async def test_an_attempt_that_goes_on_is_listed_and_opened(place):
    await place.add_contacts("+79035550100")
    [attempt] = await place.dial(1)
    [row] = await place.stores.facts.now(campaign_id=place.campaign.id, operator_id=None)
    assert (row["attempt_id"], row["state"]) == (attempt.id, "sent")
    one, _ = await place.stores.facts.attempt(attempt.id)
    assert one["outcome"] is None
    assert (await place.stores.facts.owner(attempt.id)).team_id == place.campaign.team_id


async def test_a_contact_has_its_numbers_and_what_forbids_them(day):
    [row] = await every(day.stores.facts, code="lead")
    await day.stores.do_not_call.add(phone=row["phone"], scope="global", reason="", actor=SYSTEM)
    contact = await day.stores.facts.contact(row["contact_id"], team_id=None)
    [phone] = contact["phones"]
    assert (phone["phone"], phone["attempts"], phone["forbidden"]) == (row["phone"], 1, ["global"])
    assert (await day.stores.facts.contact(row["contact_id"], team_id=999))["phones"][0]["attempts"] == 0
    with pytest.raises(NotFound):
        await day.stores.facts.contact(999_999, team_id=None)


@pytest.mark.parametrize("cursor", ["x", "2026-01-01_", "2026-01-01T00:00:00_x", "9999-12-31T23:59:59+14:00_"])
async def test_a_made_up_cursor_is_refused(place, cursor):
    with pytest.raises(Refused, match="not one of ours"):
        await place.stores.facts.find(Sought(cursor=cursor))


LEDGER = """
INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile, profile_version,
    sent_at, rang_at, ended_at, outcome, ended_by, counts, legal_answered, legal_abandoned)
SELECT gen_random_uuid(), c.id, c.campaign_id, c.base_id, c.phone_id, 'main', 1, 1, 'world', 1,
    $1::timestamptz - n * interval '1 second', $1::timestamptz, $1::timestamptz, 'no_answer', 'service', true, false, false
FROM generate_series(1, $2::integer) n JOIN contact c ON c.id = $3 + n % $4
"""


async def best_s(facts, rows=50, **sought):
    times_s = []
    for _ in range(3):
        began = time.perf_counter()
        await facts.find(Sought(**sought), rows=rows)
        times_s.append(time.perf_counter() - began)
    return min(times_s)


async def test_a_page_costs_about_the_same_in_a_ledger_of_two_hundred_thousand(place):
    """Also where nothing is found, because a list that filters stops looking and says where."""
    ids = await place.add_contacts(*(f"+7903555{number:04}" for number in range(500)))
    await place.pools.web.execute(LEDGER, place.now, 2_000, ids[0], len(ids))
    await place.pools.web.execute("ANALYZE")
    facts, of = place.stores.facts, {"campaign_id": place.campaign.id}
    lists = ({}, of, {**of, "oldest": True}, {**of, "since": place.now - timedelta(hours=1)}, {**of, "q": "contact 77"})
    short = [await best_s(facts, **sought) for sought in lists]
    await place.pools.web.execute(LEDGER, place.now - timedelta(seconds=2_000), 198_000, ids[0], len(ids))
    await place.pools.web.execute("ANALYZE")
    long = [await best_s(facts, **sought) for sought in lists]
    for sought, before, after in zip(lists, short, long, strict=True):
        assert after < TIMES_MAX * max(before, 0.01), (sought, before, after)
    found = await facts.find(Sought(**of, outcome="abandoned"), look=1_000)
    assert (found.rows, found.looked_to is not None) == ([], True)
    further = await facts.find(Sought(**of, outcome="abandoned", cursor=found.next), look=1_000)
    assert further.looked_to < found.looked_to
