"""The SQL gate lets through exactly whom ``core.gate`` lets through, and gives the same reasons."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from dialer import profiles
from dialer.core.model import CampaignState
from tests.store.places import NOON, SYSTEM, Place

pytestmark = pytest.mark.postgres

SCOPES = ("global", "customer", "campaign")
ZONES = (["Europe/Moscow"], ["Asia/Vladivostok"], ["Europe/Moscow", "America/New_York"], ["Nowhere/Land"])
CONTACTS = 60
#: Of their numbers: rules that allow fewer calls a day, and such that forbid them all.
COUNTRIES = ([], [], ["FR"], ["DE", "FR"], ["ES"], ["RU"])
#: Ordinary numbers, and one of a hundred kinds nobody may dial.
PREFIXES = ("+1202555",) * 14 + ("+1900555",)
#: Probability, and a statement over a contact ($1) and a moment just before, at or after now ($2).
CONDITIONS = (
    (0.1, "UPDATE contact SET state = 'closed', closed_by = 'disposition', closed_at = $2 WHERE id = $1"),
    (0.15, "UPDATE contact SET next_at = $2 WHERE id = $1"),
    (0.1, "UPDATE contact SET counted = 4 WHERE id = $1 AND $2::timestamptz IS NOT NULL"),
    (0.1, "UPDATE phone SET not_before = $2 FROM contact c WHERE c.id = $1 AND phone.id = c.phone_id"),
    (0.1, "UPDATE phone SET held_until = $2 FROM contact c WHERE c.id = $1 AND phone.id = c.phone_id"),
    (
        0.05,
        "UPDATE base SET paused = true FROM contact c WHERE c.id = $1 AND base.id = c.base_id AND base.id % 2 = 1 AND $2::timestamptz IS NOT NULL",
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
    rows: dict[int, list[tuple[str, ...]]] = {}
    for number in range(CONTACTS):
        phones = [f"{chance.choice(PREFIXES)}{chance.choice([number, number // 2]):04}"]
        phones += [f"+1202{place}{number:06}" for place in range(chance.choice([0, 0, 1, 2]))]
        rows.setdefault(chance.choice(range(chance.choice([1, 4]))), []).append(tuple(phones))
    contacts = []
    for zones, numbers in sorted(rows.items()):
        contacts += await place.add_contacts(*numbers[::4], zones=ZONES[zones], countries=chance.choice(COUNTRIES))
        rest = [n for i, n in enumerate(numbers) if i % 4]
        contacts += await place.add_contacts(*rest[::2], zones=ZONES[zones], countries=chance.choice(COUNTRIES))
        contacts += await place.add_contacts(*rest[1::2], zones=ZONES[zones])
    for contact in contacts:
        await place.store.renew_lease(place.lease)
        for row in await place.pools.web.fetch("SELECT phone_id FROM contact_phone WHERE contact_id = $1", contact):
            await of_the_number(place, row["phone_id"], chance)
        for probability, statement in CONDITIONS:
            if chance.random() < probability:
                soon = place.now + timedelta(seconds=chance.choice([-5, 0, 5]))
                await place.pools.web.execute(statement, contact, soon)
        phone_id = (await place.contact(contact))["phone_id"]
        days = chance.choice([1, 8, 33])
        for hours_ago in chance.sample(range(1, 24 * days, days), chance.choice([0, 0, 0, 2, 3, 4, 5])):
            await rang(place, contact, phone_id, place.now - timedelta(hours=hours_ago), chance)
        if chance.random() < 0.1:
            await live(place, contact, phone_id)
    return contacts


async def of_the_number(place, phone_id, chance):
    """What may be wrong with a number itself: forbidden, listed by a state, its consent withdrawn, expired or missing."""
    if chance.random() < 0.15:
        await forbid(place, phone_id, chance.choice(SCOPES), mine=chance.random() < 0.7)
    if chance.random() < 0.1:
        said_at = place.now - timedelta(days=chance.choice([1, 40]))
        await place.pools.web.execute(
            "INSERT INTO disposition_rest (phone_id, customer_id, class, said_at, rests_until) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            phone_id,
            chance.choice([place.campaign.customer_id] * 3 + [place.other.customer_id]),
            chance.choice(["refusal", "result"]),
            said_at,
            said_at + timedelta(days=chance.choice([0, 60])),
        )
    if chance.random() < 0.05:
        insert = (
            "INSERT INTO national_number (e164, list) SELECT e164, $2 FROM phone WHERE id = $1 ON CONFLICT DO NOTHING"
        )
        await place.pools.web.execute(insert, phone_id, chance.choice(["us-dnc", "uk-tps"]))
    soon = place.now + timedelta(seconds=chance.choice([-5, 0, 5]))
    if chance.random() < 0.7:
        await place.pools.web.execute(
            "INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence_hash, expires_at,"
            " withdrawn_at) VALUES ($1, $2, $3, 'v1', 'web', '2026-01-01', sha256('x'), $4, $5) ON CONFLICT DO NOTHING",
            phone_id,
            chance.choice([place.campaign.customer_id] * 5 + [place.other.customer_id]),
            chance.choice(["marketing", "marketing", "service"]),
            chance.choice([datetime.max.replace(tzinfo=UTC)] * 5 + [soon]),
            chance.choice([None] * 7 + [place.now]),
        )


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


async def stage(place, purpose):
    """A campaign under the rules of the United States, with a day's limit that is met before the month's."""
    place.other = await place.add_campaign("other", customer="umbrella")
    values = {"profile": "strict", "purpose": purpose, "attempts_max": 4, "operator_free": True}
    place.campaign = await place.add_campaign("strict", **values)
    await place.pools.web.execute(
        "INSERT INTO national_list (name, imported_at, numbers) VALUES ('us-dnc', $1, 1), ('uk-tps', $1, 1)", place.now
    )
    rules = replace(
        place.campaign.profile,
        national_lists=("us-dnc",),
        after_disposition_days={"refusal": 20},
        per_7_days=4,
        per_30_days=5,
    )
    place.campaign = replace(place.campaign, profile=rules)
    return rules


@pytest.mark.parametrize("purpose", ["service", "marketing"])
@pytest.mark.parametrize("seed", range(4))
async def test_the_statement_takes_exactly_whom_the_rules_allow(place, seed, purpose, monkeypatch):
    """One contact of each number that may be called is taken; each other one has its reason, and the counts add up."""
    rules = await stage(place, purpose)
    monkeypatch.setattr(profiles, "load", lambda *_: rules)
    contacts = await scatter(place, random.Random(seed))
    why = {contact: await place.stores.contacts.why(contact, now=place.now) for contact in contacts}
    held = await place.stores.contacts.why_counts(place.campaign.id, now=place.now)
    first = [reasons[0].reason if reasons else "next" for reasons in why.values()]
    assert {reason: one.contacts for reason, one in held.items()} == {
        reason: first.count(reason) for reason in set(first)
    }
    for reason, one in held.items():
        untils = [some[0].until for some in why.values() if some and some[0].reason == reason and some[0].until]
        assert one.until == min(untils, default=None), reason
    for base in await bases(place):
        of_base = await place.stores.contacts.why_counts(base_id=base, now=place.now)
        size = await place.pools.web.fetchval("SELECT count(*) FROM contact WHERE base_id = $1", base)
        assert sum(one.contacts for one in of_base.values()) == size
    allowed = {contact for contact, reasons in why.items() if not reasons}
    assert allowed
    taken = [claim for _ in range(12) for claim in (await place.claim(CONTACTS)).claims]
    assert len({claim.phone_id for claim in taken}) == len(taken)
    assert {claim.contact_id for claim in taken} <= allowed
    busy = {claim.phone_id for claim in taken}
    for contact in allowed - {claim.contact_id for claim in taken}:  # another contact's call is at its number now
        row = await place.contact(contact)
        assert (row["phone_id"], row["refused_by"]) == (Any(busy), "live_attempt")


class Any:
    """Equal to each of these."""

    def __init__(self, some):
        self.some = some

    def __eq__(self, other):
        return other in self.some

    __hash__ = None


async def bases(place):
    return [base.id for base in await place.stores.bases.of_campaign(place.campaign.id)]


async def test_the_scattered_contacts_meet_every_reason_a_contact_can_have(place, monkeypatch):
    """Else the comparison above would prove little."""
    rules = await stage(place, "service")
    monkeypatch.setattr(profiles, "load", lambda *_: rules)
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
        "after_disposition",
        "per_30_days",
        "per_7_days",
        "per_day",
        "after_abandon",
        "number_not_allowed",
        "no_consent",
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
    held = await place.stores.contacts.why_counts(place.campaign.id, now=NOON)
    assert {word: one.contacts for word, one in held.items()} == {reason or "next": 1}
    assert bool((await place.claim()).claims) == (reason is None)
