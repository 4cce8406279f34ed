"""A changed retry rule holds for whoever waits by it already; looser ones need a second admin."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from dialer.core.model import Outcome
from dialer.errors import NotFound, Refused
from tests.store.places import SYSTEM
from tests.store.test_rules import admin

pytestmark = pytest.mark.postgres

PHONE, OTHER, THIRD = "+12025550101", "+12025550102", "+12025550103"
DAY, DAY_S = timedelta(days=1), 86_400


@pytest.fixture
async def ann(place):
    return await place.add_operator("ann")


async def talked(place, ann, code, number=PHONE, **values):
    """A contact of whom this was said just now; a claim knows a new base after a second."""
    [contact] = await place.add_contacts(number)
    place.now += timedelta(seconds=2)
    await said(place, ann, code, **values)
    return contact


async def said(place, ann, code, **values):
    await place.store.renew_lease(place.lease)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.end(attempt, Outcome.CONNECTED, after_s=0)
    await place.save(attempt.id, ann, code, key=str(attempt.id), **values)


async def change(place, code="email_cold", **figures):
    rules = place.stores.retry_rules
    return await rules.change(place.campaign.id, code, figures, now=place.now, actor=SYSTEM)


async def test_whoever_waits_by_a_rule_waits_by_its_new_figures_and_the_reason_says_after_what(place, ann):
    contact = await talked(place, ann, "email_cold", address="a@b.example")
    before = place.now
    other = await talked(place, ann, "machine", OTHER)
    assert await change(place, delay_s=10 * DAY_S) == 1
    assert (await place.contact(contact))["next_at"] == before + 10 * DAY
    assert (await place.contact(other))["next_at"] == place.now + DAY
    [reason] = [one for one in await place.stores.contacts.why(contact, now=place.now) if one.reason == "not_due"]
    assert (reason.until, reason.detail) == (before + 10 * DAY, "email_cold")
    [noted] = await place.pools.web.fetch("SELECT before, after FROM audit WHERE action = 'campaign.retry_rule'")
    assert (noted["before"]["retry"]["delay_s"], noted["after"]["retry"]["delay_s"]) == (7 * DAY_S, 10 * DAY_S)
    assert noted["after"]["contacts"] == 1
    [shown] = [one for one in await place.stores.retry_rules.of_campaign(place.campaign.id) if one.code == "email_cold"]
    assert (shown.rule.delay_s, shown.own) == (10 * DAY_S, True)


async def test_how_often_it_was_said_counts_and_a_rule_that_is_spent_closes(place, ann):
    once = await talked(place, ann, "email_cold", address="a@b.example")
    before = place.now
    twice = await talked(place, ann, "email_cold", OTHER, address="a@b.example")
    await place.pools.web.execute("UPDATE contact SET next_at = $1 WHERE id = $2", place.now, twice)
    place.now += timedelta(minutes=1)
    await said(place, ann, "email_cold", address="a@b.example")
    assert await change(place, growth=2) == 2
    assert (await place.contact(twice))["next_at"] == place.now + 14 * DAY
    assert (await place.contact(once))["next_at"] == before + 7 * DAY
    assert await change(place, times=1) == 2
    assert (await place.contact(once))["state"] == "open"
    closed = await place.contact(twice)
    assert (closed["state"], closed["closed_by"], closed["closed_at"]) == ("closed", "disposition", place.now)
    assert await change(place, closes=True) == 1
    assert (await place.contact(once))["state"] == "closed"


async def test_whoever_waits_for_something_else_is_let_be(place, ann):
    """A promise, or a later call."""
    promised = await talked(place, ann, "callback", due_at=place.now + DAY)
    called = await talked(place, ann, "email_cold", OTHER, address="a@b.example")
    await place.pools.web.execute("UPDATE contact SET next_at = $1 WHERE id = $2", place.now, called)
    place.now += timedelta(minutes=1)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.BUSY)
    before = [await place.contact(one) for one in (promised, called)]
    assert await change(place, delay_s=20 * DAY_S) == 0
    assert await change(place, "callback", delay_s=20 * DAY_S) == 0
    assert [await place.contact(one) for one in (promised, called)] == before
    [reason] = await place.stores.contacts.why(called, now=place.now + timedelta(minutes=10))
    assert (reason.reason, reason.detail) == ("not_due", "busy")


@pytest.mark.parametrize(
    ("code", "figures", "why"),
    [
        ("email_cold", {"delay_s": DAY_S}, "campaign.loosens"),
        ("refused_gatekeeper", {"times": None}, "campaign.loosens"),
        ("refused_gatekeeper", {"times": 2}, "campaign.loosens"),
        ("machine", {"delay_s": 60}, "campaign.loosens"),
        ("lead", {"delay_s": 30 * DAY_S}, "disposition.closes"),
        ("sold", {"delay_s": 30 * DAY_S}, "disposition.unknown"),
        ("email_cold", {"delay_s": -1}, "retry_rule.figure"),
        ("email_cold", {"growth": float("nan")}, "retry_rule.figure"),
        ("email_cold", {"next_phone": True}, "retry_rule.figure"),
    ],
)
async def test_what_would_call_sooner_or_is_no_rule_is_refused(place, code, figures, why):
    with pytest.raises(Refused) as refused:
        await change(place, code, **figures)
    assert refused.value.code == why
    assert await place.count("audit WHERE action = 'campaign.retry_rule'") == 0


async def test_no_campaign_has_no_rules(place):
    with pytest.raises(NotFound):
        await place.stores.retry_rules.of_campaign(999)
    with pytest.raises(NotFound):
        await place.stores.retry_rules.change(999, "machine", {}, now=place.now, actor=SYSTEM)


async def test_a_looser_rule_needs_a_second_admin_and_then_holds_for_those_who_wait(place, ann):
    contact = await talked(place, ann, "email_cold", address="a@b.example")
    first, second, loosen = await admin(place, "eve"), await admin(place, "bob"), place.stores.loosenings
    about = {"reason": "They asked to hear sooner", "now": place.now}
    for wrong in ({"lead": {"delay_s": 1}}, {"email_cold": {"delay_s": -1}}, {"email_cold": 5}, 7):
        with pytest.raises(Refused):
            await loosen.ask(place.campaign.id, {"dispositions": wrong}, actor=first, **about)
    changes = {"dispositions": {"email_cold": {"delay_s": DAY_S}}, "min_gap_s": 3}
    asked = await loosen.ask(place.campaign.id, changes, actor=first, **about)
    assert (await place.contact(contact))["next_at"] == place.now + 7 * DAY
    with pytest.raises(Refused, match="second admin"):
        await loosen.approve(asked, now=place.now, actor=first)
    await loosen.approve(asked, now=place.now, actor=second)
    assert (await place.contact(contact))["next_at"] == place.now + DAY
    campaign = await place.read()
    assert (campaign.dispositions["email_cold"].retry.delay_s, campaign.profile.min_gap_s) == (DAY_S, 3)
    assert (await place.stores.campaigns.get(campaign.id)).loosened == {"min_gap_s": 3}


async def test_a_disposition_saved_while_the_rule_changes_goes_by_one_of_the_two_rules_as_a_whole(place, ann):
    numbers = [f"+120255502{n:02}" for n in range(12)]
    contacts = await place.add_contacts(*numbers)
    attempts = []
    for attempt in await place.dial(12):
        talking = await place.talk(attempt, ann)
        await place.end(talking, Outcome.CONNECTED, after_s=0)
        attempts.append(talking)
    await asyncio.gather(
        *(place.save(one.id, ann, "email_cold", key=str(one.id), address="a@b.example") for one in attempts),
        change(place, delay_s=10 * DAY_S),
    )
    assert {(await place.contact(contact))["next_at"] for contact in contacts} == {place.now + 10 * DAY}
