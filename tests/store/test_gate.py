"""The SQL gate lets through exactly whom ``core.gate`` lets through, and gives the same reasons."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from dialer.core.model import CampaignState
from tests.store.places import NOON, SYSTEM, Place

pytestmark = pytest.mark.postgres

SCOPES = ("global", "customer", "campaign")
ZONES = (["Europe/Moscow"], ["Asia/Vladivostok"], ["Europe/Moscow", "America/New_York"], ["Nowhere/Land"])
CONTACTS = 60
#: Probability, and a statement over a contact ($1) and a moment just before, at or after now ($2).
CONDITIONS = (
    (0.1, "UPDATE contact SET state = 'closed', closed_by = 'disposition', closed_at = $2 WHERE id = $1"),
    (0.15, "UPDATE contact SET next_at = $2 WHERE id = $1"),
    (0.1, "UPDATE contact SET counted = 4 WHERE id = $1 AND $2::timestamptz IS NOT NULL"),
    (0.1, "UPDATE phone SET not_before = $2 FROM contact c WHERE c.id = $1 AND phone.id = c.phone_id"),
    (
        0.05,
        "UPDATE base SET paused = true FROM contact c WHERE c.id = $1 AND base.id = c.base_id AND $2::timestamptz IS NOT NULL",
    ),
    (
        0.15,
        (
            "WITH promise AS (INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
            " SELECT id, campaign_id, phone_id, $2, $2 FROM contact WHERE id = $1)"
            " UPDATE contact SET promised = true WHERE id = $1"
        ),
    ),
)


async def scatter(place: Place, chance: random.Random) -> list[int]:
    """Contacts in every condition the gate knows, several conditions at once; their ids."""
    contacts = []
    for number in range(CONTACTS):
        phone = f"+1202555{chance.choice([number, number // 2]):04}"
        contacts += await place.add_contacts(phone, zones=chance.choice(ZONES[: chance.choice([1, 4])]))
    for contact in contacts:
        for probability, statement in CONDITIONS:
            if chance.random() < probability:
                soon = place.now + timedelta(seconds=chance.choice([-5, 0, 5]))
                await place.pools.web.execute(statement, contact, soon)
        phone_id = (await place.contact(contact))["phone_id"]
        if chance.random() < 0.15:
            await forbid(place, phone_id, chance.choice(SCOPES), mine=chance.random() < 0.7)
        days = chance.choice([1, 33])
        for hours_ago in chance.sample(range(1, 24 * days, days), chance.choice([0, 0, 0, 2, 3, 5])):
            await rang(place, contact, phone_id, place.now - timedelta(hours=hours_ago), chance)
        if chance.random() < 0.1:
            await live(place, contact, phone_id)
    return contacts


async def forbid(place, phone_id, scope, *, mine):
    owners = {"customer": place.campaign.customer_id, "campaign": place.campaign.id}
    others = {"customer": place.other.customer_id, "campaign": place.other.id}
    about = {scope: (owners if mine else others).get(scope)}
    await place.pools.web.execute(
        "INSERT INTO do_not_call (phone_id, scope, customer_id, campaign_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        phone_id,
        scope,
        about.get("customer"),
        about.get("campaign"),
    )


async def rang(place, contact, phone_id, at, chance):
    counts, rang_at = chance.choice([(True, None), (False, at), (False, None)])
    await place.pools.web.execute(
        "INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,"
        " profile_version, sent_at, rang_at, ended_at, outcome, ended_by, counts, legal_answered, legal_abandoned)"
        " VALUES ($1, $2, $3, 1, $4, 'main', 1, 1, 'strict', 1, $5, $6, $5, 'busy', 'callee', $7, false, false)",
        uuid4(),
        contact,
        place.other.id,
        phone_id,
        at,
        rang_at,
        counts,
    )


async def live(place, contact, phone_id):
    await place.pools.web.execute(
        "INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted,"
        " profile, profile_version, sent_at) VALUES ($1, $2, $3, $4, 1, 'other', 1, 1, 0, 'strict', 1, now())"
        " ON CONFLICT DO NOTHING",
        phone_id,
        uuid4(),
        contact,
        place.campaign.id,
    )


@pytest.mark.parametrize("seed", range(4))
async def test_the_statement_takes_exactly_whom_the_rules_allow(place, seed):
    """One contact of each number that may be called is taken; each other one has its reason, and the counts add up."""
    place.other = await place.add_campaign("other", customer="umbrella")
    place.campaign = await place.add_campaign("strict", profile="strict", attempts_max=4, operator_free=True)
    contacts = await scatter(place, random.Random(seed))
    why = {contact: await place.stores.contacts.why(contact, now=place.now) for contact in contacts}
    counts = await place.stores.contacts.why_counts(place.campaign.id, now=place.now)
    first = [reasons[0].reason if reasons else "next" for reasons in why.values()]
    assert counts == {reason: first.count(reason) for reason in set(first)}
    phones = {contact: (await place.contact(contact))["phone_id"] for contact in contacts}
    allowed = {phones[contact] for contact, reasons in why.items() if not reasons}
    assert allowed
    taken = [claim for _ in range(8) for claim in (await place.claim(CONTACTS)).claims]
    assert {claim.phone_id for claim in taken} == allowed
    assert all(not why[claim.contact_id] for claim in taken)
    assert len(taken) == len(allowed)


async def test_the_scattered_contacts_meet_every_reason_a_contact_can_have(place):
    """Else the comparison above would prove little."""
    place.other = await place.add_campaign("other", customer="umbrella")
    place.campaign = await place.add_campaign("strict", profile="strict", attempts_max=4, operator_free=True)
    met: set[str] = set()
    for seed in range(4):
        for contact in await scatter(place, random.Random(seed)):
            met |= {refusal.reason for refusal in await place.stores.contacts.why(contact, now=place.now)}
    of_a_contact = {
        "closed",
        "do_not_call",
        "base_paused",
        "live_attempt",
        "attempts_used_up",
        "per_30_days",
        "per_day",
    }
    assert met >= of_a_contact | {"phone_resting", "not_due", "outside_window", "no_window"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"state": CampaignState.PAUSED}, "campaign_state"), ({}, None), ({"kind": "carrier"}, "profile_not_for_trunk")],
)
async def test_what_holds_for_the_whole_campaign_holds_for_each_contact(place, values, reason):
    [contact] = await place.add_contacts("+12025550101")
    await place.stores.campaigns.set_state(place.campaign.id, values.get("state", CampaignState.RUNNING), actor=SYSTEM)
    await place.stores.campaigns.set_trunk("world", kind=values.get("kind", "world"), actor=SYSTEM)
    found = await place.stores.contacts.why(contact, now=NOON)
    assert [refusal.reason for refusal in found] == ([reason] if reason else [])
    assert await place.stores.contacts.why_counts(place.campaign.id, now=NOON) == {reason or "next": 1}
    assert bool((await place.claim()).claims) == (reason is None)
