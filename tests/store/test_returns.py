"""Who calls back is put on the line of the campaign that called there last; who is missed is owed a call before all others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from dialer.core.model import AttemptState, CampaignState, Outcome
from dialer.engine.ports import Journal, ReturnAsk
from dialer.errors import LeaseLost, Refused
from dialer.store.facts import Sought
from dialer.store.kpi_hours import HourRows
from dialer.store.pools import Pools
from dialer.store.return_calls import Of
from dialer.store.returns import readings
from dialer.store.stores import Stores
from tests.store.places import SYSTEM

PHONE, SHOWN = "+79161234567", "+74951230000"


def test_a_number_is_read_as_its_trunks_countries_write_it():
    """What the far side says may be anything; what is no number is nobody's."""
    assert readings("+79161234567", ["RU"]) == ["+79161234567"]
    assert readings("89161234567", ["RU"]) == ["+89161234567", "+79161234567"]
    assert readings("9161234567", ["RU"]) == ["+9161234567", "+79161234567"]
    assert readings("2025550101", ["US", "RU"]) == ["+2025550101", "+12025550101", "+72025550101"]
    assert readings("", ["RU"]) == readings("+", []) == readings("0000", []) == readings("12", ["RU"]) == []
    assert readings("7916'; DROP TABLE phone; --1234567", []) == ["+79161234567"]
    assert readings("9" * 5000, ["RU"]) == []


pytestmark = pytest.mark.postgres


@pytest.fixture
async def shown(place):
    """A campaign that shows a number and has called a contact, who did not answer."""
    await place.stores.campaigns.change(place.campaign.id, {"caller_number": SHOWN}, actor=SYSTEM)
    place.campaign = await place.read()
    [place.contact_id] = await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.NO_ANSWER)
    place.now += timedelta(minutes=5)
    return place


def ask(place, number=PHONE, dialled=SHOWN, **more):
    return ReturnAsk(
        lease=more.pop("lease", place.lease), id=more.pop("id", uuid4()), trunk=more.pop("trunk", "world"),
        number=number, dialled=dialled, now=place.now, campaign_ids=more.pop("campaigns", range(100)),
        last=more.pop("last", False),
    )  # fmt: skip


async def come(place, *args, **more):
    return await place.store.take_return(ask(place, *args, **more))


async def dial_only(place, contact_id):
    """The call to this contact, whoever else is due."""
    await place.pools.web.execute("UPDATE contact SET next_at = 'infinity' WHERE id <> $1", contact_id)
    [attempt] = await place.dial()
    return attempt


async def talk_and_end(place, attempt, operator, seconds=60):
    talking = replace(
        attempt, state=AttemptState.CONNECTED, connected_at=place.now + timedelta(seconds=3), operator_id=operator
    )
    await place.store.write(Journal(progress=[talking]))
    await place.end(talking, Outcome.CONNECTED, after_s=seconds)
    return talking


async def rows(place, table="return_call"):
    text = "SELECT * FROM {}"
    return await place.pools.web.fetch(text.format(table))


@pytest.mark.parametrize("number", [PHONE, "79161234567", "89161234567", "9161234567"])
@pytest.mark.parametrize("dialled", [SHOWN, "74951230000", "84951230000", "", "sip-line-7"])
async def test_the_campaign_that_called_last_takes_the_call_however_the_carrier_writes_the_numbers(
    shown, number, dialled
):
    found = await come(shown, number, dialled)
    attempt = found.attempt
    assert (attempt.campaign_id, attempt.contact_id, attempt.e164) == (shown.campaign.id, shown.contact_id, PHONE)
    assert (attempt.state, attempt.came_in, attempt.number, found.calls_back) == ("waiting", True, 0, True)
    assert [live.id for live in (await shown.store.recover("main")).attempts] == [attempt.id]
    assert (await shown.store.recover("main")).attempts[0] == attempt


async def test_two_campaigns_called_and_the_shown_number_says_which(shown):
    other = await shown.add_campaign("other", caller_number="+74959990000")
    await shown.add_contacts(PHONE, campaign=other)
    [attempt] = await shown.dial(campaign=other)
    await shown.end(attempt, Outcome.NO_ANSWER, campaign=other)
    shown.now += timedelta(minutes=1)
    found = await come(shown, dialled=SHOWN)
    assert found.attempt.campaign_id == shown.campaign.id
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    assert (await come(shown, dialled="+74959990000")).attempt.campaign_id == other.id


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"number": "+79160000000"}, "unknown"),
        ({"number": ""}, "unknown"),
        ({"trunk": "elsewhere"}, "unknown"),
        ({"late": timedelta(days=31)}, "unknown"),
        ({"state": CampaignState.STOPPED}, "closed"),
        ({"campaigns": []}, "closed"),  # the engine does not run it
    ],
)
async def test_whom_nobody_called_lately_or_for_whom_nobody_is_there_is_refused_and_counted(shown, change, why):
    shown.now += change.pop("late", timedelta(0))
    if state := change.pop("state", None):
        await shown.stores.campaigns.set_state(shown.campaign.id, state, actor=SYSTEM)
    found = await come(shown, **change)
    assert (found.attempt, found.why) == (None, why)
    [row] = await rows(shown)
    assert (row["outcome"], row["why"], row["phone_id"] is None) == ("refused", why, why == "unknown")
    assert await shown.count("attempt_live") == 0


async def test_a_caller_whom_we_ring_at_this_moment_waits_until_that_has_ended(shown):
    shown.now += timedelta(days=2)
    [ringing] = await shown.dial()
    first = await come(shown)
    assert (first.attempt, first.ringing_phone_id) == (None, ringing.phone_id)
    await shown.end(ringing, Outcome.CANCELLED)
    assert (await come(shown)).attempt is not None
    assert await rows(shown) == []


async def test_a_claim_of_the_same_moment_is_seen_and_waited_for(shown):
    """Who waited for the claim's lock sees what the claim has done, and not what was before it."""
    async with shown.pools.web.acquire() as other, other.transaction():
        await other.execute("SELECT FROM contact c, phone p WHERE c.phone_id = p.id FOR NO KEY UPDATE OF c, p")
        coming = asyncio.create_task(come(shown))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        for _ in range(1000):
            if await shown.pools.intake.fetchval(waits):
                break
            await asyncio.sleep(0.01)
        await other.execute(
            "INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted,"
            " profile, profile_version, sent_at) SELECT phone_id, gen_random_uuid(), id, campaign_id, base_id, 'main', 1, 2, 1,"
            " 'strict', 1, now() FROM contact"
        )
    found = await coming
    assert (found.attempt, found.ringing_phone_id is not None) == (None, True)


async def test_our_line_to_another_number_of_the_person_is_the_one_to_be_cut(shown):
    [contact_id] = await shown.add_contacts(("+79161110001", "+79161110002"))
    first = await dial_only(shown, contact_id)
    await shown.end(first, Outcome.NO_ANSWER)
    await shown.pools.web.execute(
        "UPDATE contact SET next_at = $2, phone_id = (SELECT id FROM phone WHERE e164 = '+79161110002') WHERE id = $1",
        contact_id, shown.now,
    )  # fmt: skip
    shown.now += timedelta(days=2)
    ringing = await dial_only(shown, contact_id)
    assert (ringing.e164, first.e164) == ("+79161110002", "+79161110001")
    found = await come(shown, "+79161110001")
    assert found.ringing_phone_id == ringing.phone_id


async def test_nobody_is_called_while_the_person_is_on_the_line_with_us(shown):
    await come(shown)
    shown.now += timedelta(days=2)
    assert not await shown.dial()


async def test_a_conversation_is_an_attempt_that_counts_in_no_limit_and_takes_a_disposition(shown):
    operator = await shown.add_operator("ann")
    before = await shown.contact(shown.contact_id)
    budget = await shown.pools.web.fetchrow("SELECT * FROM abandon_budget")
    found = await come(shown)
    talked = await talk_and_end(shown, found.attempt, operator)
    [row] = await rows(shown)
    assert (row["outcome"], row["id"], row["operator_id"]) == ("connected", talked.id, operator)
    kept = await shown.pools.web.fetchrow("SELECT * FROM attempt WHERE came_in")
    assert (kept["attempt_id"], kept["outcome"], kept["counts"], kept["answered_at"]) == (
        talked.id, "connected", False, None,
    )  # fmt: skip
    after = await shown.contact(shown.contact_id)
    assert (after["counted"], after["attempts"]) == (before["counted"], before["attempts"])
    assert await shown.pools.web.fetchrow("SELECT * FROM abandon_budget") == budget
    await shown.save(talked.id, operator, "agreed")
    assert (await shown.contact(shown.contact_id))["closed_by"] == "disposition"
    tried = await shown.pools.web.fetchrow("SELECT * FROM kpi_tried WHERE attempt_id = $1", talked.id)
    wanted = ("attempts", "rang", "answered", "abandoned", "dialled", "reached", "connected", "voice_ms")
    assert [tried[name] for name in wanted] == [0, 0, 0, 0, 0, 0, 1, None]
    for more, count in ({}, 1), ({"outcome": "connected"}, 1), ({"contact_id": shown.contact_id}, 2):
        found = await shown.stores.facts.find(Sought(campaign_id=shown.campaign.id, **more))
        assert len(found.rows) == count, more


async def test_the_card_says_who_called_and_its_history_keeps_what_nobody_took(shown):
    operator = await shown.add_operator("ann")
    missed = await come(shown)
    await shown.end(missed.attempt, Outcome.EARLY_HANGUP)
    shown.now += timedelta(minutes=1)
    found = await come(shown)
    talked = await talk_and_end(shown, found.attempt, operator)
    card = await shown.stores.contacts.card(talked.id, operator_id=operator)
    assert (card.came_in, card.promised, card.phone) == (True, True, PHONE)
    assert [(one.outcome, one.came_in) for one in card.history] == [("missed", True), ("no_answer", False)]
    callbacks = await shown.pools.web.fetch("SELECT state, kept_by_attempt FROM callback")
    assert [tuple(row) for row in callbacks] == [("kept", talked.id)]


async def test_the_list_behind_the_numbers_says_who_called_who_served_them_and_who_was_missed(shown):
    operator = await shown.add_operator("ann")
    ids = []
    for served in (False, True, False):
        found = await come(shown)
        ids.append(found.attempt.id)
        await (
            talk_and_end(shown, found.attempt, operator) if served else shown.end(found.attempt, Outcome.EARLY_HANGUP)
        )
        shown.now += timedelta(minutes=5)
    await come(shown, number="+79160000000")  # a stranger is nobody's
    calls, period = shown.stores.return_calls, {"since": shown.now - timedelta(minutes=15), "until": shown.now}
    listed = await calls.find(Of(**period))
    assert [row["id"] for row in listed.rows] == ids[::-1]
    assert [(row["outcome"], row["operator"], row["promise"]) for row in listed.rows] == [
        ("missed", "", "pending"), ("connected", "ann", None), ("missed", "", "kept"),
    ]  # fmt: skip
    first = await calls.find(Of(**period), rows=2)
    rest = await calls.find(Of(**period), rows=2, cursor=first.next)
    assert ([row["id"] for row in [*first.rows, *rest.rows]], rest.next) == (ids[::-1], None)
    for narrower, count in (
        ({"outcome": "missed"}, 2), ({"operator_id": operator}, 1), ({"campaign_ids": []}, 0),
        ({"campaign_ids": [shown.campaign.id]}, 3), ({"since": shown.now}, 0), ({"until": period["since"]}, 0),
    ):  # fmt: skip
        assert len((await calls.find(Of(**{**period, **narrower}))).rows) == count, narrower


@pytest.mark.parametrize("cursor", ["", "yesterday_1", "2026-01-01T00:00:00_x", "0001-01-01T00:00:00+00:00_"])
async def test_a_list_goes_on_from_its_own_cursors_alone(shown, cursor):
    with pytest.raises(Refused) as refused:
        await shown.stores.return_calls.find(Of(), cursor=cursor or "_")
    assert refused.value.code == "returns.cursor"


async def test_the_board_counts_whom_we_owe_a_call(shown):
    missed = await come(shown)
    await shown.end(missed.attempt, Outcome.EARLY_HANGUP)
    promises = await shown.stores.boards.promises(shown.now + timedelta(seconds=20))
    assert promises[shown.campaign.id].urgent == 1


async def test_a_missed_one_is_owed_a_call_before_all_other_promises_and_once(shown):
    first, second = await shown.add_contacts("+79161110001", "+79161110002")
    await shown.pools.web.execute(
        "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
        " SELECT id, campaign_id, phone_id, $2, $2 FROM contact WHERE id = ANY($1)",
        [first, second], shown.now - timedelta(hours=1),
    )  # fmt: skip
    for _ in range(2):
        found = await come(shown)
        await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    assert [row["outcome"] for row in await rows(shown)] == ["missed", "missed"]
    assert not await shown.pools.web.fetch("SELECT FROM attempt WHERE came_in")
    owed = await shown.pools.web.fetch("SELECT * FROM callback WHERE contact_id = $1", shown.contact_id)
    assert [(row["urgent"], row["state"], row["operator_id"]) for row in owed] == [(True, "pending", None)]
    shown.now += timedelta(minutes=1)
    [call] = await shown.dial(1, callbacks_only=True)
    assert (call.contact_id, call.callback_id) == (shown.contact_id, owed[0]["id"])


async def test_a_closed_contact_is_open_again_for_it_unless_it_said_never(shown):
    await shown.pools.web.execute(
        "UPDATE contact SET state = 'closed', closed_by = 'used_up', closed_at = now() WHERE id = $1", shown.contact_id
    )
    found = await come(shown)
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    contact = await shown.contact(shown.contact_id)
    assert (contact["state"], contact["promised"]) == ("open", True)


async def test_who_was_erased_while_waiting_is_nobody_and_stays_so(shown, url):
    found = await come(shown)
    async with Pools.open(url, suppression_key="ab" * 32) as pools:
        await Stores.of(pools).phones.erase(PHONE, now=shown.now, actor=SYSTEM)
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    contact = await shown.contact(shown.contact_id)
    assert (contact["state"], contact["closed_by"], contact["promised"]) == ("closed", "erased", False)
    assert await shown.count("callback") == 0


async def test_a_promise_at_another_number_is_kept_at_the_one_that_called(shown):
    [contact_id] = await shown.add_contacts(("+79161110001", "+79161110002"))
    first = await dial_only(shown, contact_id)
    await shown.end(first, Outcome.NO_ANSWER)
    await shown.pools.web.execute(
        "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
        " SELECT $1, campaign_id, (SELECT id FROM phone WHERE e164 = '+79161110002'), $2, $2 FROM contact WHERE id = $1",
        contact_id, shown.now + timedelta(days=1),
    )  # fmt: skip
    found = await come(shown, "+79161110001")
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    [promise] = await rows(shown, "callback_shown")
    assert (promise["urgent"], promise["phone"]) == (True, "+79161110001")


async def test_what_is_kept_of_a_number_names_its_calls_to_us(shown):
    found = await come(shown)
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    await shown.stores.campaigns.set_state(shown.campaign.id, CampaignState.STOPPED, actor=SYSTEM)
    shown.now += timedelta(minutes=1)
    await come(shown)
    dossier = await shown.stores.phones.dossier(PHONE, actor=SYSTEM)
    assert [(one["outcome"], one["campaign"]) for one in dossier.return_calls] == [
        ("refused", shown.campaign.name), ("missed", shown.campaign.name),
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "missed"), [("answered", True), ("connected", False)])
async def test_whom_our_own_call_kept_from_an_operator_is_missed_unless_it_is_talked_to(shown, state, missed):
    """A machine took our call while its owner called us: that ends too late for somebody who waits."""
    operator = await shown.add_operator("ann")
    shown.now += timedelta(days=2)
    [ours] = await shown.dial()
    ours = await (shown.talk(ours, operator) if state == "connected" else shown.progress(ours, AttemptState(state)))
    assert (await come(shown)).calls_back is False
    assert await rows(shown) == []
    found = await come(shown, last=True)
    assert (found.attempt, found.calls_back) == (None, missed)
    assert [(row["outcome"], row["phone_id"]) for row in await rows(shown)] == [("missed", ours.phone_id)] * missed
    owed = await rows(shown, "callback")
    assert [(row["urgent"], row["state"]) for row in owed] == [(True, "pending")] * missed


@pytest.mark.parametrize("promised", [False, True])
async def test_what_is_owed_to_a_missed_one_outlasts_the_last_attempt_that_goes_on_beside_it(shown, promised):
    """Our own call, perhaps of a promise, uses up the contact's attempts after its owner called us in vain."""
    shown.now += timedelta(days=2)
    await shown.pools.web.execute(
        "UPDATE contact SET counted = 3, promised = $2 WHERE id = $1", shown.contact_id, promised
    )
    if promised:
        await shown.pools.web.execute(
            "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
            " SELECT id, campaign_id, phone_id, $2, $2 FROM contact WHERE id = $1",
            shown.contact_id, shown.now,
        )  # fmt: skip
    ours = await dial_only(shown, shown.contact_id)
    ours = await shown.progress(ours, AttemptState.ANSWERED, rang_at=shown.now, answered_at=shown.now)
    assert (await come(shown, last=True)).calls_back
    ended = shown.ended(ours, Outcome.MACHINE)
    assert ended.closes == "used_up"
    await shown.store.write(Journal(ended=[ended]))
    [owed] = await rows(shown, "callback")
    contact = await shown.contact(shown.contact_id)
    assert (owed["urgent"], owed["state"], contact["state"], contact["promised"]) == (True, "pending", "open", True)


async def test_who_said_never_is_put_through_and_never_called_back(shown):
    await shown.stores.do_not_call.add(phone=PHONE, scope="global", reason="asked", actor=SYSTEM)
    found = await come(shown)
    assert (found.attempt is not None, found.calls_back) == (True, False)
    await shown.end(found.attempt, Outcome.EARLY_HANGUP)
    assert [row["outcome"] for row in await rows(shown)] == ["missed"]
    assert await shown.count("callback") == 0


async def test_the_end_told_twice_is_one_fact_and_one_callback(shown):
    found = await come(shown)
    end = Journal(ended=[shown.ended(found.attempt, Outcome.EARLY_HANGUP)])
    await shown.store.write(end)
    await shown.store.write(end)
    assert (await shown.count("return_call"), await shown.count("callback")) == (1, 1)


async def test_an_engine_that_lost_its_lease_takes_nobody(shown):
    with pytest.raises(LeaseLost):
        await come(shown, lease=replace(shown.lease, epoch=shown.lease.epoch - 1))


async def test_the_numbers_tell_how_many_called_back_and_were_missed_by_hour_folded_or_not(shown):
    operator = await shown.add_operator("ann")
    began = shown.now
    for missed in (True, True, False, None):
        found = await come(shown, number="+79160000000" if missed is None else PHONE)
        if missed:
            await shown.end(found.attempt, Outcome.EARLY_HANGUP)
        elif found.attempt is not None:
            await talk_and_end(shown, found.attempt, operator)
        shown.now += timedelta(hours=1)
    period = {"since": began - timedelta(hours=1), "until": shown.now + timedelta(hours=1), "now": shown.now}
    rows = HourRows(shown.pools.intake)
    for _ in range(2):
        [total] = await shown.stores.kpi.table(**period, by="total", apart=False)
        assert (total.facts["return_calls"], total.facts["return_missed"]) == (3, 2)
        assert total.values["missed_return_calls"] == pytest.approx(200 / 3)
        assert (total.facts["attempts"], total.facts["rang"], total.facts["connected"]) == (1, 1, 1)
        hours = await shown.stores.kpi.table(**period, by="hour", apart=False)
        told = [(row.facts["return_calls"], row.facts["return_missed"]) for row in hours if row.facts["return_calls"]]
        assert told == [(1, 1), (1, 1), (1, 0)]
        found = await rows.check(began - timedelta(days=2), shown.now + timedelta(days=2))
        assert (found.compared > 0, found.different) == (True, 0)
        await rows.fold()
    await rows.remake(began - timedelta(days=2), shown.now + timedelta(days=2))
    [again] = await shown.stores.kpi.table(**period, by="total", apart=False)
    assert again.facts == total.facts


async def test_facts_stay_as_they_are_and_nothing_of_a_return_call_looks_like_our_own(shown):
    await come(shown, number="+79160000000")
    found = await come(shown)
    for text in ("UPDATE return_call SET outcome = 'missed'", "DELETE FROM return_call"):
        with pytest.raises(asyncpg.PostgresError):
            await shown.pools.web.execute(text)
    for column in ("rang_at", "answered_at"):
        text = "UPDATE attempt_live SET {} = now() WHERE attempt_id = $1"
        with pytest.raises(asyncpg.CheckViolationError):
            await shown.pools.web.execute(text.format(column), found.attempt.id)
