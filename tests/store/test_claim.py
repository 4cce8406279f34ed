"""The gate on a real PostgreSQL: who comes through, who does not and why, and what no code path can break."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from dialer.core.model import AttemptState, CampaignState, Outcome
from dialer.store.store import PgStore
from tests.store.places import SYSTEM, live

pytestmark = pytest.mark.postgres

PHONE = "+12025550101"
PHONES = [f"+1202555{n:04}" for n in range(100, 200)]


async def reason(place, contact) -> str | None:
    found = await place.stores.contacts.why(contact, now=place.now)
    return found[0].reason if found else None


async def test_a_contact_is_taken_once_and_numbered(place):
    [contact] = await place.add_contacts(PHONE)
    result = await place.claim(3)
    [claim] = result.claims
    assert (claim.contact_id, claim.e164, claim.number, claim.counted) == (contact, PHONE, 1, 0)
    assert await place.pools.web.fetchval("SELECT state FROM attempt_live") == "sent"
    assert not (await place.claim(3)).claims
    assert await reason(place, contact) == "live_attempt"


async def test_contacts_come_by_priority_and_then_in_the_order_of_the_file(place):
    low = await place.add_contacts(*PHONES[:3])
    high = await place.add_contacts(*PHONES[3:5], priority=9)
    claims = (await place.claim(4)).claims
    assert [claim.contact_id for claim in claims] == [*high, *low[:2]]


async def test_two_contacts_with_one_number_are_not_called_at_the_same_time(place):
    other = await place.add_campaign("survey")
    first, second = [*await place.add_contacts(PHONE), *await place.add_contacts(PHONE)]
    [third] = await place.add_contacts(PHONE, campaign=other)
    claims = (await place.claim(5)).claims
    assert [claim.contact_id for claim in claims] == [first]
    assert not (await place.claim(5, campaign=other)).claims
    assert await reason(place, second) == await reason(place, third) == "live_attempt"


async def test_the_database_refuses_two_live_attempts_of_a_phone(place):
    other = await place.add_campaign("survey")
    await place.add_contacts(PHONE)
    [contact] = await place.add_contacts(PHONE, campaign=other)
    await place.dial()
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await place.pools.web.execute(
            "INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted,"
            " profile, profile_version, sent_at) SELECT phone_id, $1, id, campaign_id, base_id, 'main', 1, 1, 0, 'world', 1, now()"
            " FROM contact WHERE id = $2",
            uuid4(),
            contact,
        )
    assert refused.value.constraint_name == "attempt_live_pkey"


async def test_the_database_refuses_a_budget_over_the_cap(place):
    for answered, abandoned in [(0, 0), (100, 4)]:
        statement = "UPDATE abandon_budget SET answered = $1, abandoned = $2, uncovered = 1"
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await place.pools.web.execute(statement, answered, abandoned)
        assert refused.value.constraint_name == "abandon_cap"


async def test_claims_of_two_engines_at_once_never_overlap(place, url):
    """Both engines of one campaign ask at the same time, again and again, until nobody is left."""
    await place.add_contacts(*PHONES[:40])
    rival = PgStore(place.pools.engine, url)
    newer = await rival.take_lease("second", wait=False)
    taken = []
    for _ in range(10):
        both = await asyncio.gather(place.claim(3, free=99), place.claim(3, free=99, store=rival, lease=newer))
        taken += [claim for result in both for claim in result.claims]
    assert len(taken) == len({claim.phone_id for claim in taken}) == 40
    await rival.close()


async def test_a_cold_count_allows_one_line_per_free_operator(place):
    await place.add_contacts(*PHONES[:10])
    result = await place.claim(5, free=2)
    assert (len(result.claims), result.held_back, result.budget.uncovered) == (2, 3, 0)


async def test_a_warm_count_allows_lines_beyond_the_free_operators_up_to_the_cap(place):
    """2,000 answered and 20 abandoned of at most 2 %: U may grow while (20 + U) · 1000 ≤ 20 · (2000 + U)."""
    warm = await place.add_campaign("warm", carried=(2000, 20))
    await place.add_contacts(*PHONES, campaign=warm)
    result = await place.claim(60, free=2, campaign=warm)
    assert (len(result.claims), result.held_back, result.budget.uncovered) == (22, 38, 20)
    assert not (await place.claim(5, free=2, campaign=warm)).claims


async def test_connected_lines_need_no_cover(place):
    await place.add_contacts(*PHONES[:4])
    operator = await place.add_operator("ann")
    [first] = await place.dial(1)
    assert not await place.dial(1, free=1)
    await place.talk(first, operator)
    assert len(await place.dial(1, free=1)) == 1


async def test_a_campaign_without_operators_has_no_abandon_budget(place):
    news = await place.add_campaign("news", mode="ivr", offer="news", operator_free=True)
    await place.add_contacts(*PHONES[:5], campaign=news)
    assert len(await place.dial(5, free=0, campaign=news)) == 5


async def test_a_new_legal_window_begins_at_nothing(place):
    warm = await place.add_campaign("warm", carried=(2000, 20))
    await place.add_contacts(*PHONES, campaign=warm)
    place.now += timedelta(days=31)
    result = await place.claim(10, free=2, campaign=warm)
    assert (len(result.claims), result.budget.answered, result.budget.carried_answered) == (2, 0, 0)
    assert result.budget.starts_at <= place.now < result.budget.ends_at


async def test_the_cap_is_the_lower_of_campaign_and_profile(place):
    loose = await place.add_campaign("loose", cap_permille=50)
    await place.add_contacts(PHONE, campaign=loose)
    assert (await place.claim(campaign=loose)).budget.cap_permille == 30
    await place.stores.campaigns.change(loose.id, {"cap_permille": 10}, actor=SYSTEM)
    assert (await place.claim(campaign=await place.read(loose.id))).budget.cap_permille == 10


async def test_nobody_is_called_outside_his_own_window_and_the_engine_is_told_when_it_opens(place):
    strict = await place.add_campaign("strict", profile="strict", purpose="service")
    [contact] = await place.add_contacts(PHONE, campaign=strict, zones=["Asia/Vladivostok"])
    result = await place.claim(campaign=strict)  # 19:00 there: open until 20:00
    assert len(result.claims) == 1
    await place.end(live(result.claims[0]), Outcome.NO_ANSWER, campaign=strict)
    place.now += timedelta(days=1, hours=1)
    result = await place.claim(campaign=strict)  # 20:00 there
    assert not result.claims
    assert await reason(place, contact) == "outside_window"
    assert result.next_due_at == datetime(2026, 3, 12, 0, 0, tzinfo=UTC)  # 10:00 there


async def test_several_possible_zones_must_all_be_open(place):
    strict = await place.add_campaign("strict", profile="strict", purpose="service")
    await place.add_contacts(PHONE, campaign=strict, zones=["Europe/Moscow", "Asia/Kamchatka"])
    await place.add_contacts(PHONES[3], campaign=strict, zones=["Europe/Moscow"])
    assert [claim.e164 for claim in (await place.claim(5, campaign=strict)).claims] == [PHONES[3]]


@pytest.mark.parametrize("scope", ["global", "customer", "campaign"])
async def test_a_forbidden_number_is_not_called_until_it_is_taken_off_the_list(place, scope):
    [contact, _] = await place.add_contacts(PHONE, PHONES[2])
    about = {"customer": {"customer_id": place.campaign.customer_id}, "campaign": {"campaign_id": place.campaign.id}}
    entry = await place.stores.do_not_call.add(phone=PHONE, scope=scope, actor=SYSTEM, **about.get(scope, {}))
    assert [claim.e164 for claim in (await place.claim(5)).claims] == [PHONES[2]]
    assert await reason(place, contact) == "do_not_call"
    await place.stores.do_not_call.remove(entry.id, actor=SYSTEM)
    place.now = datetime.now(UTC) + timedelta(minutes=1)
    assert [claim.e164 for claim in (await place.claim(5)).claims] == [PHONE]


async def test_a_number_forbidden_for_one_customer_is_called_for_another(place):
    other = await place.add_campaign("other", customer="umbrella")
    await place.add_contacts(PHONE, campaign=other)
    await place.stores.do_not_call.add(
        phone=PHONE, scope="customer", customer_id=place.campaign.customer_id, actor=SYSTEM
    )
    assert await place.dial(campaign=other)


async def test_a_number_forbidden_while_its_claim_is_on_the_way_is_seen_by_one_of_them(place):
    """Either the claim sees the entry, or the entry is made after the live attempt can be seen."""
    await place.add_contacts(*PHONES[:20])

    async def forbid(phone):
        entry = await place.stores.do_not_call.add(phone=phone, scope="global", actor=SYSTEM)
        query = "SELECT count(*) FROM attempt_live WHERE phone_id = $1"
        return phone, await place.pools.web.fetchval(query, entry.phone_id)

    forbidding = [asyncio.create_task(forbid(phone)) for phone in PHONES[:20]]
    claimed = [claim.e164 for _ in range(10) for claim in (await place.claim(2, free=99)).claims]
    seen_live = {phone for phone, live_rows in await asyncio.gather(*forbidding) if live_rows}
    assert set(claimed) == seen_live


async def test_attempts_are_limited_in_all_per_day_and_per_thirty_days(place):
    """``strict``: 3 a day and 4 in 30 days at a number, 2 h apart; 4 in all at a contact."""
    strict = await place.add_campaign(
        "strict", profile="strict", purpose="service", attempts_max=20, retry={"busy": {"delay_s": 60}}
    )
    [contact] = await place.add_contacts(PHONE, campaign=strict)
    place.now = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)  # 10:00 in Moscow
    called, reasons = [], []
    for _ in range(4 * 24):
        for attempt in await place.dial(campaign=strict):
            await place.end(attempt, Outcome.BUSY, campaign=strict)
            called.append(place.now)
        place.now += timedelta(minutes=30)
        reasons.append(await reason(place, contact))
    assert [(at.day, at.hour + 3) for at in called] == [(10, 10), (10, 12), (10, 15), (11, 10)]
    assert {"phone_resting", "per_day", "per_30_days"} <= set(reasons)
    assert reasons[-1] == "per_30_days"


async def test_a_contact_whose_attempts_are_used_up_is_closed(place):
    [contact] = await place.add_contacts(PHONE)
    for _ in range(4):
        [attempt] = await place.dial()
        await place.end(attempt, Outcome.NO_ANSWER)
        place.now += timedelta(days=1)
    assert not await place.dial()
    assert (await place.contact(contact))["closed_by"] == "used_up"


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.STOPPED])
async def test_a_campaign_that_does_not_run_calls_nobody(place, state):
    [contact] = await place.add_contacts(PHONE)
    await place.stores.campaigns.set_state(place.campaign.id, state, actor=SYSTEM)
    assert not await place.dial()
    assert await reason(place, contact) == "campaign_state"


async def test_a_paused_base_calls_nobody_at_once(place):
    [contact] = await place.add_contacts(PHONE)
    await place.add_contacts(PHONES[2])
    await place.claim(1)
    [base, _] = await place.stores.bases.of_campaign(place.campaign.id)
    await place.pools.web.execute("DELETE FROM attempt_live")
    await place.pools.web.execute("UPDATE contact SET next_at = '-infinity'")
    await place.stores.bases.pause(base.id, paused=True, actor=SYSTEM)
    assert [claim.e164 for claim in (await place.claim(5)).claims] == [PHONES[2]]
    assert await reason(place, contact) == "base_paused"


async def test_a_campaign_that_is_read_again_shows_that_a_base_was_loaded_paused_or_goes_on(place):
    """Whoever does it, the engine finds out: its contacts may be called at once."""
    seen = [await place.read()]
    await place.add_contacts(PHONE)
    seen.append(await place.read())
    [base] = await place.stores.bases.of_campaign(place.campaign.id)
    for paused in (True, False):
        await place.stores.bases.pause(base.id, paused=paused, actor=SYSTEM)
        seen.append(await place.read())
    assert [campaign.base_rows for campaign in seen] == [0, 1, 0, 1]
    assert seen[0] != seen[1] == seen[3]


async def test_a_campaign_moved_to_a_carrier_is_not_dialled_under_the_profile_of_the_world(place):
    """What the engine believes does not matter: the trunk is looked up again in the claim."""
    await place.add_contacts(PHONE)
    await place.stores.campaigns.set_trunk("world", kind="carrier", actor=SYSTEM)
    assert not await place.dial()


async def test_whoever_the_gate_sends_away_does_not_hold_up_the_others(place):
    """A hundred forbidden numbers stand before the only one that may be called."""
    contacts = await place.add_contacts(*PHONES)
    await place.pools.web.execute(
        "INSERT INTO do_not_call (phone_id, scope) SELECT phone_id, 'global' FROM contact WHERE id < $1", contacts[-1]
    )
    claims = [claim for _ in range(4) for claim in (await place.claim(1)).claims]
    assert [claim.e164 for claim in claims] == [PHONES[-1]]


async def test_an_empty_campaign_says_when_the_next_contact_is_due(place):
    assert (await place.claim()).next_due_at is None
    await place.add_contacts(PHONE)
    place.now += timedelta(seconds=2)
    [attempt] = await place.dial()
    assert (await place.claim()).next_due_at is None
    ended = place.ended(attempt, Outcome.BUSY)
    await place.end(attempt, Outcome.BUSY)
    assert (await place.claim()).next_due_at == ended.next_at


async def test_a_claim_that_found_fewer_than_wanted_says_when_the_next_contact_is_due(place):
    """So nobody has to ask once more in vain to learn it."""
    await place.add_contacts(*PHONES[:3])
    [first] = await place.dial()
    ended = place.ended(first, Outcome.BUSY)
    await place.end(first, Outcome.BUSY)
    found = await place.claim(4)
    assert len(found.claims) == 2
    assert found.next_due_at == ended.next_at


async def test_the_reasons_of_a_whole_campaign_add_up_to_its_base(place):
    await place.add_contacts(*PHONES[:10])
    await place.stores.do_not_call.add(phone=PHONES[9], scope="global", actor=SYSTEM)
    first, *rest = await place.dial(4)
    await place.end(first, Outcome.BUSY)
    await place.progress(rest[0], AttemptState.RINGING, rang_at=place.now)
    held = await place.stores.contacts.why_counts(place.campaign.id, now=place.now + timedelta(seconds=20))
    counts = {reason: one.contacts for reason, one in held.items()}
    assert counts == {"live_attempt": 3, "not_due": 1, "do_not_call": 1, "next": 5}
    assert held["not_due"].until == (await place.contact(first.contact_id))["next_at"]
