"""Contacts that operators look at, on a real PostgreSQL: one operator each, out of everybody's reach, and given back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import asyncpg
import pytest

from dialer.core.model import AttemptState, CampaignState, Outcome
from dialer.core.preview import SKIP_REST_S, How, Preview, PreviewEnd
from dialer.engine.ports import ClaimAsk, Journal
from dialer.errors import NotFound
from tests.store.places import SYSTEM, Place

pytestmark = pytest.mark.postgres

PHONE = "+12025550101"
PHONES = [f"+1202555{n:04}" for n in range(100, 140)]


@pytest.fixture
async def place(pools, url, stores, store):
    """A campaign whose operators look first."""
    return await Place.make(pools, url, stores, store, mode="preview")


async def offer(place, operator_id, **values):
    """The contact that is reserved for this operator now, or None."""
    result = await place.claim(1, free=0, ready=[operator_id], operator_id=operator_id, **values)
    return next(iter(result.claims), None)


async def call(place, shown, operator_id, *, campaign=None):
    """The call of the contact that was looked at; its id stays."""
    ask = ClaimAsk(
        switch="main",
        epoch=place.lease.epoch,
        campaign=campaign or place.campaign,
        ids=[shown.attempt_id],
        free_operators=0,
        ready_operator_ids=[operator_id],
        now=place.now,
        operator_id=operator_id,
        contact_id=shown.contact_id,
    )
    return await place.store.claim(ask)


def over(place, shown, operator_id, how, reason=""):
    preview = Preview(
        id=shown.attempt_id, operator_id=operator_id, campaign_id=shown.campaign_id, contact_id=shown.contact_id,
        phone_id=shown.phone_id, offered_at=shown.sent_at,
    )  # fmt: skip
    return Journal(previews=[PreviewEnd(preview=preview, ended_at=place.now, how=how, reason=reason)])


@pytest.fixture
async def two(place):
    return await place.add_operator("ann"), await place.add_operator("bob")


async def test_two_operators_at_once_never_see_the_same_contact(place, two):
    await place.add_contacts(*PHONES[:20])
    more = [await place.add_operator(f"op{n}") for n in range(8)]
    shown = await asyncio.gather(*(offer(place, operator_id) for operator_id in [*two, *more]))
    assert len({claim.contact_id for claim in shown}) == 10
    assert await place.count("attempt_live") == 0
    assert await place.count("preview") == 10


async def test_nobody_else_takes_the_contact_or_its_number(place, two):
    other = await place.add_campaign("survey")
    await place.add_contacts(PHONE)
    [elsewhere] = await place.add_contacts(PHONE, campaign=other)
    assert await offer(place, two[0])
    assert await offer(place, two[1]) is None
    assert not (await place.claim(5, campaign=other)).claims
    found = await place.stores.contacts.why(elsewhere, now=place.now)
    looked = (found[0].reason, found[0].detail, found[0].by, found[0].since)
    assert looked == ("live_attempt", "looked_at", "ann", place.now)
    counts = await place.stores.contacts.why_counts(other.id, now=place.now)
    assert counts["live_attempt"].contacts == 1


async def test_the_database_refuses_a_second_look_at_a_number_and_a_second_contact_for_an_operator(place, two):
    first, second = await place.add_contacts(*PHONES[:2])
    shown = await offer(place, two[0])
    row = "INSERT INTO preview SELECT phone_id, $1, id, campaign_id, $2, 'main', now() FROM contact WHERE id = $3"
    for operator_id, contact_id, constraint in (
        (two[1], first, "preview_pkey"),
        (two[0], second, "preview_operator_id_key"),
    ):
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await place.pools.web.execute(row, uuid4(), operator_id, contact_id)
        assert refused.value.constraint_name == constraint
    assert shown.contact_id == first


async def test_the_call_is_the_attempt_of_the_same_id_and_asks_nothing_of_the_budget(place, two):
    await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    [claim] = (await call(place, shown, two[0])).claims
    assert (claim.attempt_id, claim.asked, claim.for_operator, claim.number) == (shown.attempt_id, True, two[0], 1)
    row = await place.pools.web.fetchrow("SELECT state, asked, operator_id FROM attempt_live")
    assert tuple(row) == ("sent", True, two[0])
    budget = await place.pools.web.fetchrow("SELECT answered, uncovered FROM abandon_budget")
    assert tuple(budget) == (0, 0)
    assert await place.pools.web.fetchval("SELECT how FROM preview_end") == "called"
    assert await place.count("preview") == 0


async def test_an_answered_call_makes_no_room_for_abandons_and_a_lost_person_counts(place, two):
    await place.add_contacts(*PHONES[:2])
    for operator_id, outcome in zip(two, (Outcome.CONNECTED, Outcome.ABANDONED), strict=True):
        shown = await offer(place, operator_id)
        await call(place, shown, operator_id)
        [live] = (await place.store.recover("main")).attempts
        live = await place.progress(live, AttemptState.ANSWERED, answered_at=place.now)
        if outcome is Outcome.CONNECTED:
            live = await place.talk(live, operator_id)
        await place.end(live, outcome)
    budget = await place.pools.web.fetchrow("SELECT answered, abandoned, uncovered FROM abandon_budget")
    assert tuple(budget) == (1, 1, 0)
    assert await place.pools.web.fetchval("SELECT count(*) FROM attempt WHERE asked AND legal_answered") == 2


async def test_the_gate_is_asked_again_at_the_moment_of_the_call(place, two):
    await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    await place.stores.do_not_call.add(phone=PHONE, scope="global", reason="asked", actor=SYSTEM)
    refused = await call(place, shown, two[0])
    assert (refused.claims, refused.refusal.reason) == ([], "do_not_call")
    assert await place.count("attempt_live") == 0


async def test_a_window_that_closed_meanwhile_says_when_it_opens_again(place, two):
    strict = await place.add_campaign("by day", mode="preview", override={"windows": {"mon-fri": ["11:00-13:00"]}})
    await place.add_contacts(PHONE, campaign=strict)
    shown = await offer(place, two[0], campaign=strict)
    place.now += timedelta(hours=12)
    refused = await call(place, shown, two[0], campaign=strict)
    assert refused.refusal.reason == "outside_window"
    assert refused.refusal.until > place.now


async def test_a_campaign_that_was_paused_calls_nobody(place, two):
    await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    await place.stores.campaigns.set_state(place.campaign.id, CampaignState.PAUSED, actor=SYSTEM)
    assert (await call(place, shown, two[0])).refusal.reason == "campaign_state"
    assert await offer(place, two[1]) is None


async def test_what_is_given_back_is_there_for_others_at_once_and_a_skip_for_its_operator_later(place, two):
    [contact] = await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    journal = over(place, shown, two[0], How.SKIPPED, "bad_data")
    await place.store.write(journal)
    await place.store.write(journal)  # a repeat changes nothing
    assert await place.count("preview_end") == 1
    assert await offer(place, two[0]) is None
    assert (await offer(place, two[1])).contact_id == contact
    await place.store.write(over(place, await _shown(place), two[1], How.RETURNED))
    place.now += timedelta(seconds=SKIP_REST_S + 1)
    assert (await offer(place, two[0])).contact_id == contact


async def _shown(place):
    row = await place.pools.web.fetchrow("SELECT * FROM preview")
    return SimpleNamespace(**row, attempt_id=row["preview_id"], sent_at=row["offered_at"])


async def test_whom_the_engine_knows_to_be_skipped_is_not_shown_before_the_database_knows(place, two):
    first, second = await place.add_contacts(*PHONES[:2])
    assert (await offer(place, two[0], rested=[first])).contact_id == second


async def test_a_row_that_a_lost_answer_left_behind_gives_way_to_the_next_offer_and_is_read_back(place, two):
    first, second = await place.add_contacts(*PHONES[:2])
    await offer(place, two[0])
    [left] = (await place.store.recover("main")).previews
    assert (left.contact_id, left.operator_id) == (first, two[0])
    assert (await offer(place, two[0], rested=[first])).contact_id == second
    assert await place.count("preview") == 1


async def test_promises_of_this_operator_come_first_and_those_of_others_do_not_come(place, two):
    later, mine, theirs = await place.add_contacts(*PHONES[:3])
    for contact_id, operator_id in ((mine, two[0]), (theirs, two[1])):
        await place.pools.web.execute(
            "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at, operator_id)"
            " SELECT id, campaign_id, phone_id, $2, $2, $3 FROM contact WHERE id = $1",
            *(contact_id, place.now - timedelta(minutes=1), operator_id),
        )
        await place.pools.web.execute("UPDATE contact SET promised = true WHERE id = $1", contact_id)
    await place.start_shift(two[1], "seat-002")
    assert (await offer(place, two[0])).contact_id == mine
    await place.store.write(over(place, await _shown(place), two[0], How.SKIPPED, "not_now"))
    assert (await offer(place, two[0])).contact_id == later


async def test_the_card_is_there_for_whoever_looks_and_for_nobody_else(place, two):
    await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    card = await place.stores.contacts.card(shown.attempt_id, operator_id=two[0])
    assert (card.phone, card.number, card.calls_at_deadline) == (PHONE, 1, False)
    with pytest.raises(NotFound):
        await place.stores.contacts.card(shown.attempt_id, operator_id=two[1])
    await call(place, shown, two[0])
    assert (await place.stores.contacts.card(shown.attempt_id, operator_id=two[0])).contact_id == card.contact_id


async def test_a_load_is_taken_back_while_somebody_looks_at_a_contact_of_it(place, two):
    [contact_id] = await place.add_contacts(PHONE)
    shown = await offer(place, two[0])
    base_id = (await place.contact(contact_id))["base_id"]
    await place.stores.bases.undo(base_id, actor=SYSTEM)
    refused = await call(place, shown, two[0])
    assert (refused.claims, refused.refusal.reason) == ([], "base_paused")
    assert await place.count("preview") == 0
