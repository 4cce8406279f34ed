"""Numbers that operators type, on a real PostgreSQL: the same gate, one call, and nothing left of what was refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from dialer.core.manual import Dial
from dialer.core.model import AttemptState, CampaignState, Outcome
from tests.store.places import SYSTEM, Place

pytestmark = pytest.mark.postgres

PHONE, OTHER = "+12025550101", "+12025550102"
MOSCOW = ("Europe/Moscow",)


@pytest.fixture
async def place(pools, url, stores, store):
    """A campaign that dials by itself, and lets its operators dial by hand beside."""
    return await Place.make(pools, url, stores, store, manual=True)


@pytest.fixture
async def ann(place):
    return await place.add_operator("ann")


def typed(place, operator_id, number=PHONE, *, campaign=None, contact_id=None, zones=MOSCOW, countries=()):
    return Dial(
        id=uuid4(), operator_id=operator_id, campaign_id=(campaign or place.campaign).id, e164=number, zones=zones,
        countries=countries, contact_id=contact_id,
    )  # fmt: skip


async def dial(place, operator_id, number=PHONE, *, campaign=None, **values):
    wish = typed(place, operator_id, number, campaign=campaign, **values)
    result = await place.claim(1, free=0, ready=[operator_id], campaign=campaign, operator_id=operator_id, dial=wish)
    assert not (result.claims and result.refusal)
    return result


async def reason(place, operator_id, *args, **values):
    """Why it is not called; and looking at it says the same."""
    campaign = values.get("campaign") or place.campaign
    looked = await place.stores.by_hand.look(campaign, typed(place, operator_id, *args, **values), now=place.now)
    refusal = (await dial(place, operator_id, *args, **values)).refusal
    first = looked.refusals[0]
    assert (first.reason, first.until) == (refusal.reason, refusal.until)
    return refusal


async def rows(place):
    return {name: await place.count(name) for name in ("phone", "contact", "base", "lane", "attempt_live", "audit")}


async def test_an_unknown_number_becomes_a_contact_of_a_base_of_its_own_with_who_and_when(place, ann):
    [claim] = (await dial(place, ann)).claims
    assert (claim.asked, claim.manual, claim.for_operator, claim.number) == (True, True, ann, 1)
    [base] = await place.stores.bases.of_campaign(place.campaign.id)
    assert (base.by_hand, base.rows_in, base.rows_loaded) == (True, 1, 1)
    attempt = await place.pools.web.fetchrow("SELECT * FROM attempt_live")
    assert (attempt["manual"], attempt["operator_id"], attempt["sent_at"]) == (True, ann, place.now)
    audit = await place.pools.web.fetchrow("SELECT user_id, object FROM audit WHERE action = 'contact.by_hand'")
    assert tuple(audit) == (ann, f"contact:{claim.contact_id}")
    card = await place.stores.contacts.card(claim.attempt_id, operator_id=ann)
    assert (card.phone, card.zones, card.name) == (PHONE, list(MOSCOW), "")


async def test_the_base_is_made_once_and_its_lanes_are_shared(place, ann):
    for number, zones in ((PHONE, MOSCOW), (OTHER, MOSCOW), ("+12025550103", ("Asia/Omsk",))):
        [claim] = (await dial(place, ann, number, zones=zones)).claims
        [live] = (await place.store.recover("main")).attempts
        assert (live.id, live.manual) == (claim.attempt_id, True)
        await place.end(live, Outcome.BUSY)
    assert [(await rows(place))[name] for name in ("base", "lane", "contact")] == [1, 2, 3]
    assert await place.pools.web.fetchval("SELECT bool_and(manual AND asked) FROM attempt") is True


async def test_two_operators_dial_the_same_number_at_once_and_one_is_told_why(place, ann):
    bob = await place.add_operator("bob")
    results = await asyncio.gather(*(dial(place, who) for who in (ann, bob)))
    assert sorted(len(result.claims) for result in results) == [0, 1]
    [refused] = [result.refusal for result in results if result.refusal]
    assert refused.reason == "live_attempt"
    assert [(await rows(place))[name] for name in ("contact", "attempt_live")] == [1, 1]


async def test_two_campaigns_dial_the_same_new_number_at_once_and_one_is_told_why(place, ann):
    other = await place.add_campaign("survey", manual=True)
    results = await asyncio.gather(dial(place, ann), dial(place, ann, campaign=other))
    assert sorted(len(result.claims) for result in results) == [0, 1]
    assert [(await rows(place))[name] for name in ("phone", "contact", "attempt_live")] == [1, 1, 1]


async def test_a_known_number_opens_its_contact_with_its_counts(place, ann):
    [known] = await place.add_contacts(PHONE)
    [live] = await place.dial()
    await place.end(live, Outcome.BUSY)
    place.now += timedelta(days=2)
    looked = await place.stores.by_hand.look(place.campaign, typed(place, ann), now=place.now)
    assert (looked.chosen.id, looked.chosen.name, looked.chosen.counted, looked.chosen.last_outcome) == (
        known, "contact 2", 1, "busy",
    )  # fmt: skip
    [claim] = (await dial(place, ann)).claims
    assert (claim.contact_id, claim.number, claim.counted) == (known, 2, 1)
    assert [(await rows(place))[name] for name in ("base", "contact")] == [1, 1]


async def test_of_several_contacts_one_is_chosen(place, ann):
    one, two = await place.add_contacts(PHONE, (OTHER, PHONE))
    assert (await reason(place, ann)).reason == "several_contacts"
    [claim] = (await dial(place, ann, contact_id=two)).claims
    assert (claim.contact_id, claim.e164) == (two, PHONE)  # the number that was typed, not the contact's first
    elsewhere = await place.add_contacts(OTHER)
    assert (await dial(place, ann, contact_id=elsewhere[0])).refusal.reason == "several_contacts"
    assert one != two


async def test_whatever_the_gate_refuses_leaves_nothing_behind(place, ann):
    [known] = await place.add_contacts((OTHER, PHONE))
    await place.stores.do_not_call.add(phone=PHONE, scope="global", reason="asked", actor=SYSTEM)
    await place.stores.do_not_call.add(phone="+12025550109", scope="customer", customer_id=place.campaign.customer_id,
                                       reason="asked", actor=SYSTEM)  # fmt: skip
    before, contact = await rows(place), await place.contact(known)
    assert (await reason(place, ann)).reason == "do_not_call"
    assert (await reason(place, ann, "+12025550109")).reason == "do_not_call"
    assert (await reason(place, ann, "+12025550110", zones=())).reason == "no_window"
    assert (await rows(place), await place.contact(known)) == (before, contact)


async def test_the_window_of_the_callee_holds_and_says_when_it_opens(place, ann):
    strict = await place.add_campaign("by day", manual=True, override={"windows": {"mon-fri": ["11:00-13:00"]}})
    place.now += timedelta(hours=12)
    refused = await reason(place, ann, campaign=strict)
    assert refused.reason == "outside_window"
    assert refused.until > place.now


async def test_attempts_gaps_and_the_plan_of_the_contact_hold(place, ann):
    careful = await place.add_campaign("careful", manual=True, override={"min_gap_s": 3600, "per_day": 2})
    for _ in range(2):
        assert (await dial(place, ann, campaign=careful)).claims
        [live] = (await place.store.recover("main")).attempts
        await place.end(live, Outcome.NO_ANSWER, campaign=careful)
        assert (await reason(place, ann, campaign=careful)).reason in {"phone_resting", "per_day"}
        place.now += timedelta(hours=8)
    assert (await reason(place, ann, campaign=careful)).reason == "per_day"


async def test_a_closed_contact_stays_closed(place, ann):
    [known] = await place.add_contacts(PHONE)
    [live] = await place.dial()
    live = await place.talk(live, ann)
    await place.save(live.id, ann, "refused_decision_maker")
    await place.end(live, Outcome.CONNECTED)
    place.now += timedelta(days=400)
    assert (await reason(place, ann)).reason == "closed"
    assert (await place.contact(known))["state"] == "closed"


async def test_no_machine_calls_a_number_that_was_dialled_by_hand_but_to_keep_a_promise(place, ann):
    [claim] = (await dial(place, ann)).claims
    [live] = (await place.store.recover("main")).attempts
    await place.end(live, Outcome.NO_ANSWER)
    place.now += timedelta(days=3)
    for who in ({}, {"operator_id": ann, "ready": [ann]}):
        found = await place.claim(5, free=0 if who else 5, **who)
        assert (list(found.claims), found.next_due_at) == ([], None)
    why = await place.stores.contacts.why(claim.contact_id, now=place.now)
    assert [one.reason for one in why] == ["by_hand"]
    counts = await place.stores.contacts.why_counts(place.campaign.id, now=place.now)
    assert {name: held.contacts for name, held in counts.items()} == {"by_hand": 1}
    await place.pools.web.execute(
        "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
        " SELECT id, campaign_id, phone_id, $2, $2 FROM contact WHERE id = $1",
        *(claim.contact_id, place.now),
    )
    await place.pools.web.execute("UPDATE contact SET promised = true WHERE id = $1", claim.contact_id)
    [kept] = (await place.claim(5)).claims
    assert (kept.contact_id, kept.asked, kept.manual) == (claim.contact_id, False, False)


async def test_it_can_be_dialled_again_by_hand(place, ann):
    [first] = (await dial(place, ann)).claims
    [live] = (await place.store.recover("main")).attempts
    await place.end(live, Outcome.BUSY)
    place.now += timedelta(days=1)
    [second] = (await dial(place, ann)).claims
    assert (second.contact_id, second.number) == (first.contact_id, 2)


async def test_it_takes_nothing_of_the_budget_and_a_lost_callee_counts(place, ann):
    await dial(place, ann)
    [live] = (await place.store.recover("main")).attempts
    assert tuple(await place.pools.web.fetchrow("SELECT answered, uncovered FROM abandon_budget")) == (0, 0)
    await place.end(await place.progress(live, AttemptState.ANSWERED, answered_at=place.now), Outcome.ABANDONED)
    assert tuple(await place.pools.web.fetchrow("SELECT abandoned, uncovered FROM abandon_budget")) == (1, 0)


@pytest.mark.parametrize("profile", ["strict", "us"])
async def test_the_law_of_human_selected_calls_holds_and_not_that_of_the_mode(place, ann, profile):
    campaign = await place.add_campaign("law", manual=True, profile=profile, state=CampaignState.PAUSED)
    assert {one.reason for one in (await _look(place, ann, campaign)).refusals} >= {"campaign_state"}
    assert "call_type_forbidden" not in {one.reason for one in (await _look(place, ann, campaign)).refusals}


async def _look(place, operator_id, campaign):
    return await place.stores.by_hand.look(campaign, typed(place, operator_id, campaign=campaign), now=place.now)


async def test_a_campaign_that_does_not_allow_it_any_more_calls_nobody(place, ann):
    allowed = place.campaign
    await place.stores.campaigns.change(place.campaign.id, {"manual": False}, actor=SYSTEM)
    assert (await dial(place, ann, campaign=allowed)).refusal.reason == "campaign_state"
    assert await place.stores.by_hand.campaigns(ann) == []
    await place.stores.campaigns.change(place.campaign.id, {"manual": True}, actor=SYSTEM)
    assert [one.id for one in await place.stores.by_hand.campaigns(ann)] == [place.campaign.id]


async def test_a_campaign_without_operators_has_nobody_who_could(place):
    with pytest.raises(Exception, match="manual_needs_operators"):
        await place.add_campaign("machine", manual=True, operator_free=True)


async def test_the_database_refuses_a_second_base_by_hand_and_a_typed_call_nobody_asked_for(place, ann):
    await dial(place, ann)
    with pytest.raises(asyncpg.UniqueViolationError):
        await place.pools.web.execute(
            "INSERT INTO base (campaign_id, name, file_hash, by_hand, rows_in, rows_loaded, rows_rejected)"
            " VALUES ($1, 'again', 'x', true, 0, 0, 0)", place.campaign.id,
        )  # fmt: skip
    with pytest.raises(asyncpg.CheckViolationError):
        await place.pools.web.execute("UPDATE attempt_live SET asked = false")


async def test_looking_at_a_number_writes_nothing(place, ann):
    before = await rows(place)
    looked = await place.stores.by_hand.look(place.campaign, typed(place, ann), now=place.now)
    assert (looked.contacts, looked.chosen, list(looked.refusals)) == ([], None, [])
    assert await rows(place) == before


async def test_the_rules_of_the_callees_country_hold(place, ann):
    """The French may not be called at lunch, wherever the campaign is."""
    campaign = await place.add_campaign("abroad", manual=True, profile="uk", state=CampaignState.PAUSED)
    place.now += timedelta(hours=3, minutes=30)
    paris = typed(place, ann, "+33612345678", campaign=campaign, zones=("Europe/Paris",), countries=("FR",))
    looked = await place.stores.by_hand.look(campaign, paris, now=place.now)
    assert [one.profile for one in looked.refusals if one.reason == "outside_window"] == ["fr"]
