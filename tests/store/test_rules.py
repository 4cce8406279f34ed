"""Consent, registers of states, erasure, passes and loosening: each takes effect in the gate when it is answered."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from dialer import profiles
from dialer.core.model import CampaignState, Outcome
from dialer.errors import NotFound, Refused
from dialer.store.consents import Given
from dialer.store.pools import Pools
from dialer.store.server import find_binaries
from dialer.store.stores import Stores
from dialer.store.users import Actor
from tests.store.places import NOON, SYSTEM, Place

pytestmark = pytest.mark.postgres

PHONE, OTHER = "+12025550101", "+12025550102"
KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"


async def why(place, contact):
    found = await place.stores.contacts.why(contact, now=place.now)
    return found[0].reason if found else None


def given(place, phone=PHONE, **values) -> Given:
    same = {"customer_id": place.campaign.customer_id, "purpose": "marketing", "wording": "v1", "channel": "web"}
    return Given(**{"phone": phone, "given_at": NOON - timedelta(days=1), "evidence_hash": bytes(32), **same, **values})


async def strict(place, **values):
    place.campaign = await place.add_campaign("strict", profile="strict", **values)
    return place.campaign


async def test_marketing_under_strict_waits_for_consent_and_stops_when_it_is_withdrawn(place):
    await strict(place, attempts_max=20)
    [contact] = await place.add_contacts(PHONE)
    assert not await place.dial()
    assert await why(place, contact) == "no_consent"
    await place.stores.consents.add(given(place), actor=SYSTEM)
    place.now = datetime.now(UTC).replace(hour=9, minute=0) + timedelta(days=7)
    while place.now.weekday() != 1:
        place.now += timedelta(days=1)
    await place.store.renew_lease(place.lease)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.NO_ANSWER)
    await place.stores.consents.withdraw(PHONE, customer_id=place.campaign.customer_id, now=place.now, actor=SYSTEM)
    place.now += timedelta(days=1)
    assert not await place.dial()
    assert await why(place, contact) == "no_consent"
    with pytest.raises(NotFound, match="no consent"):
        await place.stores.consents.withdraw(OTHER, customer_id=1, now=place.now, actor=SYSTEM)


async def test_consent_that_has_expired_counts_as_do_not_call_even_where_none_is_needed(place):
    [contact] = await place.add_contacts(PHONE)
    await place.stores.consents.add(given(place, expires_at=NOON), actor=SYSTEM)
    assert await why(place, contact) == "no_consent"
    assert not await place.dial()


async def test_a_register_must_be_there_and_young_or_the_campaign_pauses(place):
    override = {"national_lists": ["us-dnc"], "list_max_age_days": 10}
    place.campaign = await place.add_campaign("us", override=override)
    [contact] = await place.add_contacts(PHONE)
    assert await why(place, contact) == "lists_too_old"
    assert not await place.dial()
    assert (await place.stores.campaigns.get(place.campaign.id)).state == "paused"
    count, live = await place.stores.national.replace("us-dnc", [OTHER, "+12025550103"], now=place.now, actor=SYSTEM)
    assert (count, live) == (2, [])
    await place.stores.campaigns.set_state(place.campaign.id, CampaignState.RUNNING, actor=SYSTEM)
    assert await place.dial()
    _, live = await place.stores.national.replace("us-dnc", [PHONE], now=place.now, actor=SYSTEM)
    assert live == [(await place.contact(contact))["phone_id"]]
    place.now += timedelta(days=11)
    assert await why(place, contact) == "do_not_call"
    assert [one.name for one in await place.stores.national.list()] == ["us-dnc"]
    with pytest.raises(Refused, match="Line 2"):
        await place.stores.national.replace("us-dnc", [PHONE, "911"], now=place.now, actor=SYSTEM)


async def test_a_register_somebody_should_import_again_is_told_of_for_each_campaign_that_needs_it(place):
    for name, state in (("us", CampaignState.RUNNING), ("later", CampaignState.STOPPED)):
        await place.add_campaign(name, override={"national_lists": ["us-dnc"], "list_max_age_days": 10}, state=state)
    national = place.stores.national

    async def alerts(days):
        return [one.alert for one in await national.warnings(place.now + timedelta(days=days))]

    assert await alerts(0) == ["register_missing us-dnc · us"]
    await national.replace("us-dnc", [PHONE], now=place.now, actor=SYSTEM)
    assert await alerts(2) == []
    assert await alerts(4) == ["register_soon us-dnc · us · 2026-03-20 09:00 UTC"]
    assert await alerts(11) == ["register_too_old us-dnc · us · 2026-03-20 09:00 UTC"]


async def test_a_forbidden_number_gives_way_to_the_contact_s_next_one(place):
    [contact] = await place.add_contacts((PHONE, OTHER))
    await place.stores.do_not_call.add(phone=PHONE, scope="global", actor=SYSTEM)
    assert await why(place, contact) is None
    [attempt] = await place.dial()
    assert attempt.e164 == OTHER


async def test_after_a_refusal_nobody_of_the_customer_calls_any_number_of_the_contact_for_sixty_days(place):
    """France; another customer may."""
    french = await place.add_campaign("french", profile="strict", purpose="service")
    ann = await place.add_operator("ann")
    [contact] = await place.add_contacts((PHONE, OTHER), campaign=french)
    [attempt] = await place.dial(campaign=french)
    attempt = await place.talk(attempt, ann)
    await place.save(attempt.id, ann, "refused_with_reason", reason="price")
    await place.end(attempt, Outcome.CONNECTED)
    assert (await place.contact(contact))["state"] == "closed"
    assert [row["class"] for row in (await place.stores.phones.dossier(OTHER, actor=SYSTEM)).rests] == ["refusal"]
    stranger = await place.add_campaign("stranger", customer="umbrella")
    lax = await place.add_contacts(OTHER)
    [same], [strangers] = lax, await place.add_contacts(OTHER, campaign=stranger)
    for days, reason in ((1, "after_disposition"), (60, "after_disposition"), (61, None)):
        place.now = NOON + timedelta(days=days)
        [first, *_] = [*(await place.stores.contacts.why(same, now=place.now)), None]
        assert (first.reason if first else None) == reason
        assert await why(place, strangers) is None
    assert first is None
    place.now = NOON + timedelta(days=60)
    await place.store.renew_lease(place.lease)
    assert not await place.dial()
    held = await place.contact(same)
    assert (held["refused_by"], held["next_at"]) == ("after_disposition", NOON + timedelta(days=61))
    place.now = NOON + timedelta(days=61)
    assert await place.dial()


async def test_an_override_may_make_people_rest_longer_and_not_shorter(place):
    campaign = await strict(place, purpose="service", override={"after_disposition_days": {"refusal": 90, "result": 7}})
    assert campaign.profile.after_disposition_days == {"refusal": 90, "result": 7}
    shorter = {"override": {"after_disposition_days": {"refusal": 30}}}
    with pytest.raises(Refused) as refused:
        await place.stores.campaigns.change(campaign.id, shorter, actor=SYSTEM)
    assert refused.value.code == "campaign.loosens"


async def test_where_callee_and_customer_are_elsewhere_the_strictest_rules_hold_and_the_reason_says_whose(place):
    """France allows two calls a day, the strictest profile three; each attempt keeps under which rules it was made."""
    campaign = await strict(place, purpose="service", attempts_max=20, override={"min_gap_s": 7200})
    await place.pools.web.execute("UPDATE customer SET country = 'DE' WHERE id = $1", campaign.customer_id)
    campaign = place.campaign = await place.read(campaign.id)
    assert campaign.profile.id == f"strict+de.{profiles.packaged('de').version}"
    french = await place.add_contacts("+33612345678", campaign=campaign, zones=("Europe/Paris",), countries=("FR",))
    own = await place.add_contacts("+34612345678", campaign=campaign, zones=("Europe/Paris",), countries=("ES",))
    place.now = NOON + timedelta(minutes=5)
    attempts = await place.dial(5)
    assert len(attempts) == 2
    for attempt in attempts:
        await rang(place, attempt, hours_ago=3)
        await place.end(attempt, Outcome.BUSY)
    place.now += timedelta(hours=5)
    found = {contact: await place.stores.contacts.why(contact, now=place.now) for contact in (*french, *own)}
    [per_day] = found[french[0]]
    assert (per_day.reason, per_day.profile) == ("per_day", "fr")
    assert found[own[0]] == []
    held = await place.stores.contacts.why_counts(campaign.id, now=place.now)
    assert {reason: one.contacts for reason, one in held.items()} == {"per_day": 1, "next": 1}
    await place.store.renew_lease(place.lease)
    assert [attempt.contact_id for attempt in await place.dial(5)] == own
    assert (await place.contact(french[0]))["refused_by"] == "per_day"
    kept = await place.pools.web.fetch(
        "SELECT DISTINCT profile, profile_version FROM attempt WHERE outcome = 'busy' AND number = 1"
    )
    assert {row["profile"].count("+") for row in kept} == {1, 2}


async def rang(place, attempt, *, hours_ago):
    """The number rang once more today, for somebody else."""
    await place.pools.web.execute(
        "INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,"
        " profile_version, sent_at, rang_at, ended_at, outcome, ended_by, counts, legal_answered, legal_abandoned)"
        " VALUES (gen_random_uuid(), 0, 0, 1, $1, 'main', 1, 1, 'strict', 1, $2, $2, $2, 'no_answer', 'callee', true, false, false)",
        attempt.phone_id,
        place.now - timedelta(hours=hours_ago),
    )


async def test_rules_of_a_country_that_forbid_such_calls_hold_its_people_back_and_nobody_else(place):
    """Russia forbids such advertising; a register France does not have is missing in the United States."""
    campaign = await strict(place, override={"min_gap_s": 7200})
    by_country = {}
    for country, number in (("RU", "+79161234567"), ("US", "+12025550177"), ("ES", "+34612345678")):
        by_country[country] = await place.add_contacts(number, campaign=campaign, countries=(country,))
        await place.stores.consents.add(given(place, number), actor=SYSTEM)
    assert [attempt.contact_id for attempt in await place.dial(5)] == by_country["ES"]
    reasons = {}
    for country, [contact] in by_country.items():
        [first, *_] = await place.stores.contacts.why(contact, now=place.now)
        reasons[country] = (first.reason, first.profile)
    assert (reasons["RU"], reasons["US"]) == (("call_type_forbidden", "ru"), ("lists_too_old", "us"))
    held = await place.stores.contacts.why_counts(campaign.id, now=place.now)
    assert {reason: one.contacts for reason, one in held.items()} == {
        "call_type_forbidden": 1,
        "lists_too_old": 1,
        "live_attempt": 1,
    }
    assert (await place.stores.campaigns.get(campaign.id)).state == "running"


async def test_a_promise_is_refused_where_only_the_callee_s_country_forbids_its_hour(place):
    german = await place.add_campaign("german", profile="strict", purpose="service", override={})
    [contact] = await place.add_contacts("+33612345678", campaign=german, zones=("Europe/Paris",), countries=("FR",))
    ann = await place.add_operator("ann")
    place.now = NOON + timedelta(minutes=5)
    [attempt] = await place.dial(campaign=german)
    attempt = await place.talk(attempt, ann)
    holiday = datetime(2026, 7, 14, 9, 0, tzinfo=UTC)
    with pytest.raises(Refused) as refused:
        await place.save(attempt.id, ann, "callback", due_at=holiday)
    assert refused.value.code == "callback.outside_window"
    assert contact


async def test_premium_numbers_are_refused_in_the_claim(place):
    [contact] = await place.add_contacts("+19005550101")
    assert not await place.dial()
    assert await why(place, contact) == "number_not_allowed"


async def test_after_an_abandoned_call_only_a_held_operator_may_call_the_number(place):
    first, second = await place.add_contacts(PHONE, OTHER)
    ann = await place.add_operator("ann")
    await place.pools.web.execute("UPDATE phone SET held_until = $1", place.now + timedelta(hours=72))
    for contact in (first, second):
        await place.pools.web.execute(
            "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at, operator_id)"
            " SELECT id, campaign_id, phone_id, $2, $2, $3 FROM contact WHERE id = $1",
            contact, place.now, ann if contact == first else None,
        )  # fmt: skip
        await place.pools.web.execute("UPDATE contact SET promised = true WHERE id = $1", contact)
    claims = (await place.claim(5, ready=[ann])).claims
    assert [(claim.contact_id, claim.for_operator) for claim in claims] == [(first, ann)]
    assert (await place.contact(second))["refused_by"] == "after_abandon"


@pytest.fixture
async def keyed(url):
    async with Pools.open(url, suppression_key=KEY) as pools:
        yield Stores.of(pools)


async def test_an_erased_person_leaves_no_trace_and_is_not_called_when_a_file_brings_the_number_back(place, keyed, url):
    contact, same = [*await place.add_contacts((PHONE, OTHER)), *await place.add_contacts(PHONE)]
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.NO_ANSWER)
    await place.stores.do_not_call.add(
        phone=PHONE, scope="campaign", campaign_id=place.campaign.id, reason=PHONE, actor=SYSTEM
    )
    found = await keyed.phones.dossier(PHONE, actor=SYSTEM)
    assert [row["outcome"] for row in found.attempts] == ["no_answer"]
    assert [row["phones"] for row in found.contacts] == [[PHONE, OTHER], [PHONE]]
    await keyed.phones.erase(PHONE, now=place.now, actor=SYSTEM)
    dump = subprocess.run(  # noqa: ASYNC221  # nothing else runs
        [find_binaries()[0].folder / "pg_dump", "--data-only", url], capture_output=True, text=True, check=True
    ).stdout
    assert PHONE not in dump
    assert "contact 2" not in dump
    assert KEY not in dump
    assert [await why(place, one) for one in (contact, same)] == ["closed", "closed"]
    assert await place.count("attempt") == 1
    place.pools, place.stores = keyed.pool, keyed
    place.now += timedelta(days=3)
    row = await keyed.bases._pool.fetchrow("INSERT INTO phone (e164) VALUES ($1) RETURNING id", PHONE)
    forbidden = await keyed.bases._pool.fetchval("SELECT reason FROM do_not_call WHERE phone_id = $1", row["id"])
    assert forbidden == "erased"
    with pytest.raises(NotFound):
        await keyed.phones.erase(OTHER + "9", now=place.now, actor=SYSTEM)


async def test_without_the_key_nothing_is_erased(place):
    await place.add_contacts(PHONE)
    with pytest.raises(Refused, match="suppression key"):
        await place.stores.phones.erase(PHONE, now=place.now, actor=SYSTEM)
    assert (await place.stores.phones.dossier(PHONE, actor=SYSTEM)).contacts


async def test_a_base_is_called_again_by_outcome_as_a_new_pass_with_its_own_yield(place):
    place.campaign = await place.add_campaign("again", attempts_max=1)
    contacts = await place.add_contacts(PHONE, OTHER, "+12025550103")
    for attempt, outcome in zip(await place.dial(3), (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED), strict=True):
        await place.end(attempt, outcome)
    [base] = await place.stores.bases.of_campaign(place.campaign.id)
    place.now += timedelta(days=1)
    assert not await place.dial(3)
    begun = await place.stores.passes.begin(base.id, outcomes=["no_answer", "busy"], now=place.now, actor=SYSTEM)
    assert begun == (2, 2)
    again = await place.dial(3)
    assert {attempt.contact_id for attempt in again} == set(contacts[:2])
    for attempt in again:
        await place.end(attempt, Outcome.BUSY)
    first, second = await place.stores.passes.of_base(base.id)
    assert (first.number, first.contacts, first.attempts) == (1, 3, 3)
    assert (second.number, second.contacts, second.attempts, second.outcomes) == (2, 2, 2, ["no_answer", "busy"])
    with pytest.raises(Refused, match="Nothing would go again"):
        await place.stores.passes.begin(base.id, outcomes=[], now=place.now, actor=SYSTEM)


async def test_bases_come_in_their_order(place):
    [low], [high] = await place.add_contacts(PHONE), await place.add_contacts(OTHER)
    base = (await place.contact(high))["base_id"]
    await place.stores.passes.set_priority(base, 5, actor=SYSTEM)
    assert [claim.contact_id for claim in (await place.claim(1)).claims] == [high]
    assert low
    with pytest.raises(Refused, match="0 to 9"):
        await place.stores.passes.set_priority(base, 10, actor=SYSTEM)


async def test_an_override_can_only_tighten(place):
    campaign = await strict(place, purpose="service", override={"per_day": 1, "windows": {"mon-fri": ["11:00-12:00"]}})
    assert (campaign.profile.per_day, campaign.profile.per_30_days) == (1, 4)
    for looser in ({"per_day": 9}, {"windows": {"sun": ["10:00-12:00"]}}, {"min_gap_s": 5}, {"consent": False}):
        with pytest.raises(Refused) as refused:
            await place.stores.campaigns.change(campaign.id, {"override": looser}, actor=SYSTEM)
        assert refused.value.code == "campaign.loosens"
    with pytest.raises(Refused, match="cannot be set by a campaign"):
        await place.stores.campaigns.change(campaign.id, {"override": {"cap_permille": 50}}, actor=SYSTEM)


async def admin(place: Place, login: str) -> Actor:
    user = await place.stores.users.add(
        login=login, name=login, role="admin", password_hash="-", team=None, language="en", actor=SYSTEM
    )
    return Actor(user_id=user.id)


async def test_loosening_needs_a_reason_and_a_second_admin_and_both_are_in_the_audit_log(place):
    campaign = await strict(place, purpose="service")
    ann, loosen = await admin(place, "ann"), place.stores.loosenings
    with pytest.raises(Refused, match="reason"):
        await loosen.ask(campaign.id, {"per_day": 5}, reason="no", now=place.now, actor=ann)
    with pytest.raises(Refused, match="cannot be loosened"):
        await loosen.ask(
            campaign.id, {"numbers": {"allow": ["+"], "deny": []}}, reason="x" * 20, now=place.now, actor=ann
        )
    asked = await loosen.ask(campaign.id, {"per_day": 5}, reason="The customer's own clients", now=place.now, actor=ann)
    with pytest.raises(Refused, match="second admin"):
        await loosen.approve(asked, now=place.now + timedelta(hours=23), actor=ann)
    bob = await admin(place, "bob")
    with pytest.raises(Refused, match="second admin"):
        await loosen.approve(asked, now=place.now + timedelta(days=2), actor=ann)
    assert (await place.read(campaign.id)).profile.per_day == 3
    await loosen.approve(asked, now=place.now, actor=bob)
    assert (await place.read(campaign.id)).profile.per_day == 5
    entries = await place.pools.web.fetch(
        "SELECT user_id, action, after FROM audit WHERE action LIKE 'campaign.loosen%' ORDER BY id"
    )
    assert [(row["user_id"], row["action"]) for row in entries] == [
        (ann.user_id, "campaign.loosening_asked"),
        (bob.user_id, "campaign.loosened"),
    ]
    assert entries[1]["after"]["reason"] == "The customer's own clients"
    [kept] = await loosen.of_campaign(campaign.id)
    assert (kept.asked_by, kept.approved_by) == (ann.user_id, bob.user_id)


async def test_the_only_admin_waits_a_day(place):
    campaign = await strict(place, purpose="service")
    ann = await admin(place, "ann")
    reason = {"reason": "The customer's own clients", "now": place.now, "actor": ann}
    asked = await place.stores.loosenings.ask(campaign.id, {"min_gap_s": 600}, **reason)
    await place.stores.loosenings.approve(asked, now=place.now + timedelta(hours=24), actor=ann)
    assert (await place.read(campaign.id)).profile.min_gap_s == 600
