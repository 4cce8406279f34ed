"""What people do with campaigns, bases, promises and lists; each change leaves a line in the audit log."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer import intake
from dialer.core.model import CampaignState, Outcome
from dialer.errors import NotFound, Refused
from dialer.store.users import Actor
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

PHONE = "+12025550101"
VALUES = {"name": "new", "mode": "predictive", "customer": "acme", "team": "one", "trunk": "world", "profile": "world"}


@pytest.fixture
async def boss(place) -> Actor:
    user = await place.stores.users.add(
        login="boss", name="Boss", role="admin", password_hash="-", team=None, language="en", actor=SYSTEM
    )
    return Actor(user_id=user.id, ip="192.0.2.1")


async def audit(place) -> list[tuple]:
    rows = await place.pools.web.fetch("SELECT action, user_id, before, after FROM audit ORDER BY id")
    return [tuple(row) for row in rows]


async def refused(doing) -> str:
    with pytest.raises(Refused) as error:
        await doing
    return error.value.code


async def test_a_new_campaign_is_a_draft_with_the_default_dispositions_and_a_budget(place, boss):
    row = await place.stores.campaigns.create(VALUES, actor=boss, carried=(2000, 20), now=place.now)
    assert (row.state, row.team, row.customer, row.trunk) == ("draft", "one", "acme", "world")
    assert [kind.code for kind in row.dispositions][-1] == "machine"
    assert row.dispositions[8].retry.times == 1
    budget = (await place.store.budgets([row.id]))[row.id]
    assert (budget.answered, budget.abandoned, budget.carried_answered, budget.cap_permille) == (2000, 20, 2000, 20)
    assert row.id not in {campaign.id for campaign in await place.store.campaigns("main")}
    assert (await audit(place))[-1][:2] == ("campaign.create", boss.user_id)


async def test_the_engine_reads_what_people_wrote(place, boss):
    changes = {"retry": {"busy": {"delay_s": 60, "growth": 2.0}}, "keys": {"1": "operator"}, "wrap_up_s": 5}
    await place.stores.campaigns.change(place.campaign.id, changes, actor=boss)
    campaign = await place.read()
    assert campaign.retry[Outcome.BUSY].delay_s == 60
    assert (campaign.keys, campaign.wrap_up_s) == ({"1": "operator"}, 5)
    assert campaign.dispositions["callback"].needs == {"time"}
    action, _, before, after = (await audit(place))[-1]
    assert (action, before["wrap_up_s"], after["wrap_up_s"]) == ("campaign.change", 30, 5)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"name": "sales"}, "campaign.exists"),
        ({"trunk": "nowhere"}, "campaign.trunk"),
        ({"profile": "lax"}, "campaign.profile"),
        ({"zone": "Europe/Atlantis"}, "campaign.zone"),
        ({"ring_timeout_s": 1}, "campaign.value"),
        ({"wrap_up_s": "soon"}, "campaign.value"),
        ({"mode": "ivr"}, "campaign.value"),
        ({"keys": {"1": "sing"}}, "campaign.key"),
    ],
)
async def test_a_campaign_that_could_not_be_dialled_is_refused_in_a_sentence(place, boss, values, code):
    assert await refused(place.stores.campaigns.create({**VALUES, **values}, actor=boss)) == code
    assert len(await place.stores.campaigns.list()) == 1


async def test_the_profile_of_the_telephone_world_is_refused_on_any_other_trunk(place, boss):
    await place.stores.campaigns.set_trunk("carrier", actor=boss)
    row = await place.stores.campaigns.create({**VALUES, "trunk": "carrier"}, actor=boss)
    starting = place.stores.campaigns.set_state(row.id, CampaignState.RUNNING, actor=boss)
    assert await refused(starting) == "campaign.profile_not_for_trunk"


async def test_recorded_offers_are_refused_under_a_profile_for_live_calls(place, boss):
    row = await place.stores.campaigns.create(
        {**VALUES, "mode": "ivr", "offer": "news", "profile": "strict"}, actor=boss
    )
    starting = place.stores.campaigns.set_state(row.id, CampaignState.RUNNING, actor=boss)
    assert await refused(starting) == "campaign.call_type_forbidden"
    changing = place.stores.campaigns.change(
        place.campaign.id, {"mode": "ivr", "offer": "news", "profile": "strict"}, actor=boss
    )
    assert await refused(changing) == "campaign.call_type_forbidden"
    assert (await place.stores.campaigns.get(place.campaign.id)).mode == "progressive"


async def test_there_is_no_campaign_that_nobody_made(place, boss):
    with pytest.raises(NotFound):
        await place.stores.campaigns.get(99)
    with pytest.raises(NotFound):
        await place.stores.contacts.why_counts(99, now=place.now)
    with pytest.raises(NotFound):
        await place.stores.contacts.why(99, now=place.now)


async def test_a_base_is_loaded_whole_and_the_same_file_only_once(place, boss):
    data = b"name,phone,phone2,zone,city\nAnn,+12025550101,+12025550102,America/New_York,Salem\nBob,nonsense,,,\n"
    loading = {"campaign_id": place.campaign.id, "name": "b", "source": "test", "data": data, "actor": boss}
    both = await asyncio.gather(intake.load(place.stores, **loading), intake.load(place.stores, **loading))
    assert sorted(loaded.repeated for loaded in both) == [False, True]
    loaded = both[0]
    assert [(row.line, row.reason) for row in loaded.rejected] == [(3, "bad_phone")]
    assert (loaded.base.rows_in, loaded.base.rows_loaded, loaded.base.rows_rejected) == (2, 1, 1)
    assert await place.stores.bases.of_campaign(place.campaign.id) == [loaded.base]
    assert (await place.count("contact"), await place.count("contact_phone")) == (1, 2)
    row = await place.pools.web.fetchrow("SELECT name, attributes FROM contact")
    assert (row["name"], row["attributes"]) == ("Ann", {"city": "Salem"})
    [claim] = (await place.claim()).claims
    assert claim.e164 == "+12025550101"


async def test_a_base_for_no_campaign_is_refused(place, boss):
    with pytest.raises(NotFound):
        await intake.load(
            place.stores, campaign_id=99, name="b", source="", data=b"name,phone\nA,+12025550101\n", actor=boss
        )


async def test_a_promise_is_moved_and_cancelled_by_somebody_with_a_name(place, boss):
    ann = await place.add_operator("ann")
    [contact] = await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.save(attempt.id, ann, "callback", due_at=place.now + timedelta(hours=1), note="ask for Eve")
    await place.end(attempt, Outcome.CONNECTED)
    callbacks = place.stores.callbacks
    [promise] = await callbacks.list(now=place.now + timedelta(hours=2))
    assert (promise.state, promise.late, promise.note, promise.phone) == ("pending", True, "ask for Eve", PHONE)
    past = callbacks.move(promise.id, due_at=place.now, reason="asked", actor=boss, now=place.now)
    assert await refused(past) == "callback.past"
    later = place.now + timedelta(hours=5)
    moved = await callbacks.move(promise.id, due_at=later, reason="asked", actor=boss, now=place.now)
    assert (moved.due_at, moved.next_at, moved.moves, moved.late) == (later, later, 1, False)
    gone = await callbacks.cancel(promise.id, reason="gone", actor=boss, now=place.now)
    assert gone.state == "cancelled"
    assert not (await place.contact(contact))["promised"]
    assert await refused(callbacks.cancel(promise.id, reason="gone", actor=boss, now=place.now)) == "callback.closed"
    assert [row[:2] for row in (await audit(place))[-2:]] == [
        ("callback.move", boss.user_id),
        ("callback.cancel", boss.user_id),
    ]


async def test_a_promise_is_kept_sooner_by_its_own_operator_alone(place):
    ann, eve = await place.add_operator("ann"), await place.add_operator("eve")
    [contact] = await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    promised = place.now + timedelta(hours=20)
    await place.save(attempt.id, ann, "callback", due_at=promised, callback_operator_id=ann)
    await place.end(attempt, Outcome.CONNECTED)
    callbacks, herself = place.stores.callbacks, Actor(user_id=ann)
    [promise] = await callbacks.list(now=place.now)
    assert await refused(callbacks.own_contact(promise.id, operator_id=eve)) == "callback.not_found"
    sooner = place.now + timedelta(hours=1)
    stolen = callbacks.call_now(promise.id, operator_id=eve, actor=Actor(user_id=eve), now=sooner)
    assert await refused(stolen) == "callback.not_found"
    assert await callbacks.own_contact(promise.id, operator_id=ann) == contact
    await callbacks.call_now(promise.id, operator_id=ann, actor=herself, now=sooner)
    [moved] = await callbacks.list(now=sooner)
    assert (moved.due_at, moved.next_at, moved.moves) == (sooner, sooner, 1)
    [*_, (action, by, *_)] = await audit(place)
    assert (action, by) == ("callback.move", ann)


async def test_a_number_is_forbidden_once_and_by_name(place, boss):
    lists = place.stores.do_not_call
    entry = await lists.add(phone="+1 (202) 555-0101", scope="global", reason="asked", actor=boss)
    again = await lists.add(phone=PHONE, scope="global", actor=boss)
    assert again == entry
    assert (entry.phone, entry.added_by, entry.reason) == (PHONE, boss.user_id, "asked")
    assert await lists.list() == [entry]
    await lists.remove(entry.id, actor=boss)
    assert await lists.list() == []
    with pytest.raises(NotFound):
        await lists.remove(entry.id, actor=boss)
    assert await refused(lists.add(phone="202555", scope="global", actor=boss)) == "do_not_call.phone"
    assert await refused(lists.add(phone=PHONE, scope="customer", actor=boss)) == "do_not_call.scope"
    assert await refused(lists.add(phone=PHONE, scope="campaign", campaign_id=99, actor=boss)) == "do_not_call.scope"


async def test_the_ledger_is_read_page_by_page_without_gap_or_repetition(place):
    await place.add_contacts(*(f"+1202555{n:04}" for n in range(100, 107)))
    attempts = await place.dial(7)
    for number, attempt in enumerate(attempts):
        await place.end(attempt, Outcome.BUSY if number % 2 else Outcome.NO_ANSWER)
    ledger, seen, cursor = place.stores.attempts, [], None
    for _ in range(4):
        page = await ledger.list(campaign_id=place.campaign.id, cursor=cursor, limit=2)
        seen += [row.attempt_id for row in page.rows]
        cursor = page.next
    assert cursor is None
    assert sorted(seen) == sorted(attempt.id for attempt in attempts)
    busy = await ledger.list(outcome=Outcome.BUSY, since=place.now, until=place.now + timedelta(seconds=1))
    assert len(busy.rows) == 3
    assert not (await ledger.list(until=place.now)).rows
    for cursor in ("yesterday", "2026-01-01T00:00:00_x", f"2026-01-01T00:00:00_{attempts[0].id}"):
        assert await refused(ledger.list(cursor=cursor)) == "attempts.cursor"


async def test_health_shows_who_dials(place):
    lease = await place.stores.lease("main")
    assert (lease["epoch"], lease["holder"]["pid"] > 0) == (1, True)
    assert await place.stores.lease("elsewhere") is None
