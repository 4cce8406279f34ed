"""Leads: made with their disposition or not at all, once, and moved only as the rules have it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import product

import asyncpg
import pytest

from dialer.core import kpi
from dialer.core.leads import MOVES, LeadState
from dialer.core.model import Outcome
from dialer.errors import NotFound, Refused
from dialer.store.leads import Rule, Sought, tell_late
from dialer.store.users import Actor
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres


@pytest.fixture
async def ann(place) -> int:
    return await place.add_operator("ann")


@pytest.fixture
def lead_of(place, ann):
    """A lead of a new conversation; its number."""

    async def make(phone="+12025550101", *, campaign=None, **values) -> int:
        place.now += timedelta(minutes=1)  # lanes are remembered for a while
        await place.add_contacts(phone, campaign=campaign)
        [attempt] = await place.dial(**({"campaign": campaign} if campaign else {}))
        attempt = await place.talk(attempt, ann)
        saved = await place.save(attempt.id, ann, "lead", key=str(attempt.id), **values)
        await place.end(attempt, Outcome.CONNECTED, **({"campaign": campaign} if campaign else {}))
        return saved.lead_id

    return make


async def refused(doing) -> str:
    with pytest.raises(Refused) as error:
        await doing
    return error.value.code


async def go(place, lead_id, to, **values):
    await place.stores.leads.move(lead_id, LeadState(to), now=place.now, actor=SYSTEM, **values)


async def test_the_card_is_made_in_the_transaction_of_the_disposition(place, ann, lead_of):
    lead_id = await lead_of(note="wants two, call Monday", company="Acme Ltd")
    row = await place.stores.leads.show(lead_id)
    assert (row["person"], row["company"], row["agreed"]) == ("contact 2", "Acme Ltd", "wants two, call Monday")
    assert (row["phones"], row["operator_id"], row["state"]) == (["+12025550101"], ann, "new")
    assert row["due_at"] == place.now + timedelta(days=1)
    assert [(one["what"], one["after"], one["by"]) for one in row["history"]] == [("made", "new", "ann")]


async def test_a_disposition_that_is_refused_makes_no_lead_and_a_repetition_makes_no_second_one(place, ann):
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    saved = await asyncio.gather(*(place.save(attempt.id, ann, "lead") for _ in range(5)))
    assert len({one.lead_id for one in saved}) == 1
    assert await refused(place.save(attempt.id, ann, "lead", key="other")) == "disposition.exists"
    assert (await place.count("lead"), await place.count("lead_change")) == (1, 1)


async def test_a_failure_after_the_card_takes_the_disposition_back_with_it(place, ann):
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.pools.web.execute("ALTER TABLE lead_change ADD CONSTRAINT never CHECK (false) NOT VALID")
    with pytest.raises(asyncpg.CheckViolationError):
        await place.save(attempt.id, ann, "lead")
    assert (await place.count("disposition"), await place.count("lead")) == (0, 0)
    assert (await place.contact(attempt.contact_id))["state"] == "open"


async def test_a_disposition_makes_a_lead_only_while_its_flag_says_so(place, ann, lead_of):
    kinds = place.stores.disposition_kinds
    await kinds.change(place.campaign.id, "lead", {"makes_lead": False}, now=place.now, actor=SYSTEM)
    assert await lead_of() is None
    changing = kinds.change(place.campaign.id, "stale", {"makes_lead": True}, now=place.now, actor=SYSTEM)
    assert await refused(changing) == "disposition_kind.lead"
    code = await kinds.add(
        place.campaign.id, {"name_en": "Warm", "name_ru": "Тёплый", "makes_lead": True}, actor=SYSTEM
    )
    place.now += timedelta(minutes=1)
    await place.add_contacts("+12025550155")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    assert (await place.save(attempt.id, ann, code)).lead_id is not None


async def test_the_database_allows_the_ways_of_the_rules_and_no_other(place, lead_of):
    """Whoever writes past the code is refused by the table itself: all 25 pairs."""
    lead_id = await lead_of()
    values = {
        "new": "contacted_at = NULL, decided_at = NULL, reason = NULL, client_at = NULL",
        "in_work": "contacted_at = now(), decided_at = NULL, reason = NULL, client_at = NULL",
        "accepted": "contacted_at = now(), decided_at = now(), reason = NULL, client_at = NULL",
        "rejected": "contacted_at = now(), decided_at = now(), reason = 'x', client_at = NULL",
        "client": "contacted_at = now(), decided_at = now(), reason = NULL, client_at = now()",
    }

    async def put(connection, state):
        text = "UPDATE lead SET state = '{}', {} WHERE id = {}"
        await connection.execute(text.format(state, values[state], lead_id))

    for before, after in product(LeadState, LeadState):
        async with place.pools.web.acquire() as connection:
            turn = connection.transaction()
            await turn.start()
            await connection.execute("ALTER TABLE lead DISABLE TRIGGER lead_moves")
            await put(connection, before)
            await connection.execute("ALTER TABLE lead ENABLE TRIGGER lead_moves")
            if before is after or after in MOVES[before]:
                await put(connection, after)
            else:
                with pytest.raises(asyncpg.CheckViolationError, match="cannot become"):
                    await put(connection, after)
            await turn.rollback()
    for wrong in (
        "UPDATE lead SET state = 'rejected', contacted_at = now(), decided_at = now()",
        "UPDATE lead SET attempt_id = gen_random_uuid()",
        "UPDATE lead SET revenue = 1",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await place.pools.web.execute(wrong)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await place.pools.web.execute("DELETE FROM lead")


async def test_a_lead_becomes_a_client_and_stays_linked_with_its_revenue(place, lead_of):
    lead_id, leads = await lead_of(), place.stores.leads
    await go(place, lead_id, "in_work")
    assert await refused(go(place, lead_id, "client")) == "lead.no_way"
    await go(place, lead_id, "accepted")
    place.now += timedelta(days=30)
    await go(place, lead_id, "client", revenue=Decimal("1234567.89"))
    await leads.earn(lead_id, Decimal("2000000.10"), now=place.now, actor=SYSTEM)
    row = await leads.show(lead_id)
    assert (row["state"], row["client_at"], row["revenue"]) == ("client", place.now, Decimal("2000000.10"))
    assert [(one["what"], one["before"], one["after"]) for one in row["history"]][-1] == (
        "revenue",
        "1234567.89",
        "2000000.10",
    )
    [counts] = await leads.counts(Sought(), now=place.now)
    assert (counts["client"], counts["revenue"], counts["currency"]) == (1, Decimal("2000000.10"), "RUB")


async def test_a_rejected_lead_owes_a_replacement_which_the_next_one_is(place, lead_of):
    leads, first = place.stores.leads, await lead_of("+12025550101")
    await go(place, first, "rejected", reason="left the company")
    [counts] = await leads.counts(Sought(), now=place.now)
    assert (counts["rejected"], counts["owed"]) == (1, 1)
    assert [row["id"] for row in (await leads.find(Sought(show="owed"), now=place.now)).rows] == [first]
    second, third = await lead_of("+12025550102"), await lead_of("+12025550103")
    assert (await leads.show(second))["replaces"] == first
    assert (await leads.show(third))["replaces"] is None
    assert (await leads.show(first))["replaced_by"] == second
    [counts] = await leads.counts(Sought(), now=place.now)
    assert (counts["rejected"], counts["owed"]) == (1, 0)


async def test_two_leads_at_once_do_not_both_replace_the_same_one(place, ann, lead_of):
    first = await lead_of("+12025550101")
    await go(place, first, "rejected", reason="wrong")
    place.now += timedelta(minutes=1)
    await place.add_contacts("+12025550102", "+12025550103", "+12025550104")
    attempts = [await place.talk(attempt, await place.add_operator(f"o{n}"))
                for n, attempt in enumerate(await place.dial(3))]  # fmt: skip
    made = await asyncio.gather(
        *(place.save(one.id, one.operator_id, "lead", key=str(one.id), company="Acme") for one in attempts)
    )
    shown = [await place.stores.leads.show(one.lead_id) for one in made]
    assert sorted(row["replaces"] is not None for row in shown) == [False, False, True]
    original = min(one.lead_id for one in made)
    assert {row["duplicate_of"] for row in shown} == {None, original}


async def test_a_lead_with_a_known_number_or_company_of_the_customer_is_shown_as_a_duplicate(place, lead_of):
    leads = place.stores.leads
    first = await lead_of("+12025550101", company="ООО «Ромашка»")
    other = await place.add_campaign("other of the same customer")
    foreign = await place.add_campaign("of another customer", customer="rival")
    same_number = await lead_of("+12025550101", campaign=other)
    same_company = await lead_of("+12025550102", company="Ромашка")
    of_rival = await lead_of("+12025550103", campaign=foreign, company="Ромашка")
    assert [(await leads.show(one))["duplicate_of"] for one in (same_number, same_company, of_rival)] == [
        first,
        first,
        None,
    ]
    assert (await leads.show(first))["duplicates"] == [same_number, same_company]


async def test_a_duplicate_is_no_replacement(place, lead_of):
    first = await lead_of("+12025550101", company="Acme")
    await go(place, first, "rejected", reason="no budget")
    again = await lead_of("+12025550102", company="ACME")
    row = await place.stores.leads.show(again)
    assert (row["duplicate_of"], row["replaces"]) == (first, None)


async def test_a_first_contact_that_is_late_is_told_once_and_only_while_nobody_took_it_up(place, lead_of):
    leads = place.stores.leads
    await leads.set_rule(place.campaign.id, Rule(contact_within_s=3600, currency="EUR"), actor=SYSTEM)
    taken, lead_id = await lead_of("+12025550101"), await lead_of("+12025550102")
    await go(place, taken, "in_work")
    assert await tell_late(place.pools.web, place.now + timedelta(minutes=60)) == 0
    place.now += timedelta(minutes=61)
    assert await tell_late(place.pools.web, place.now) == 1
    assert await tell_late(place.pools.web, place.now) == 0
    [late] = await leads.late(place.now)
    assert late.alert == "leads_late 1 · sales · 2026-03-10 10:02 UTC"
    assert [row["id"] for row in (await leads.find(Sought(show="late"), now=place.now)).rows] == [lead_id]
    assert await place.pools.web.fetchval("SELECT object FROM audit WHERE action = 'lead.late'") == f"lead:{lead_id}"
    assert (await leads.show(lead_id))["currency"] == "EUR"


async def test_a_lead_is_given_only_to_somebody_of_its_campaign(place, ann, lead_of):
    leads, lead_id = place.stores.leads, await lead_of()
    await place.add_campaign("of another customer", customer="rival")
    given = {"password_hash": "-", "language": "en", "actor": SYSTEM, "team": None}
    of_acme = await place.stores.users.add(login="c1", name="c1", role="customer", customer="acme", **given)
    of_rival = await place.stores.users.add(login="c2", name="c2", role="customer", customer="rival", **given)
    for owner, allowed in ((ann, True), (of_acme.id, True), (of_rival.id, False), (999, False), (None, True)):
        giving = leads.give(lead_id, owner, now=place.now, actor=SYSTEM)
        if allowed:
            await giving
            assert (await leads.show(lead_id))["owner_id"] == owner
        else:
            assert await refused(giving) == "lead.owner"
    assert {one["name"] for one in await leads.owners(place.campaign.id)} == {"ann", "c1"}


async def test_the_card_is_corrected_and_the_history_does_not_repeat_its_words(place, lead_of):
    lead_id, leads = await lead_of(), place.stores.leads
    changes = {"person": "Eve Secret", "company": "Beta", "agreed": "an offer"}
    await leads.change(lead_id, changes, now=place.now, actor=SYSTEM)
    row = await leads.show(lead_id)
    assert (row["person"], row["company_key"], row["history"][-1]["after"]) == (
        "Eve Secret",
        "beta",
        "person, company, agreed",
    )
    audit = await place.pools.web.fetchval("SELECT string_agg(a::text, ' ') FROM audit a WHERE action LIKE 'lead.%'")
    assert "Secret" not in audit
    with pytest.raises(NotFound):
        await leads.change(999, changes, now=place.now, actor=SYSTEM)


async def test_leads_come_page_by_page_and_are_found_by_name_company_and_number(place, lead_of):
    leads = place.stores.leads
    made = [await lead_of(f"+1202555010{n}", person=f"Person {n}", company=f"Firm {n}") for n in range(5)]
    seen, cursor = [], None
    while True:
        page = await leads.find(Sought(cursor=cursor), now=place.now, rows=2)
        seen += [row["id"] for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    assert seen == made[::-1]
    for q, expected in (("person 3", made[3]), ("FIRM 2", made[2]), ("555 0101", made[1]), (str(made[4]), made[4])):
        found = (await leads.find(Sought(q=q), now=place.now)).rows
        assert expected in [row["id"] for row in found], q
    assert not (await leads.find(Sought(q="nobody"), now=place.now)).rows
    assert not (await leads.find(Sought(customer_id=999), now=place.now)).rows
    assert not (await leads.find(Sought(team_id=999), now=place.now)).rows


@pytest.mark.parametrize("by", [by for by in kpi.OWNERS if by not in {"code", "reason"}])
async def test_each_cell_of_a_number_of_leads_opens_as_many(place, lead_of, by):
    made = [await lead_of(f"+1202555010{number}") for number in range(4)]
    await go(place, made[0], "accepted")
    await go(place, made[1], "rejected", reason="no budget")
    await go(place, made[2], "accepted")
    await go(place, made[2], "client")
    period = {"since": place.now - timedelta(hours=1), "until": place.now + timedelta(hours=1)}
    rows = await place.stores.kpi.table(**period, by=by, now=period["until"], apart=False)
    opened = []
    for row, fact in product(rows, kpi.LED):
        found = await place.stores.leads.find(Sought(fact=fact, by=by, part=row.key, **period), now=place.now)
        assert len(found.rows) == row.facts[fact], (fact, row.key)
        opened += found.rows
    assert {one["id"] for one in opened} >= set(made[:3])
    nothing = await place.stores.leads.find(Sought(fact="leads", by=by, part="no such", **period), now=place.now)
    assert nothing.rows == []


async def test_whoever_sees_the_numbers_of_a_lead_is_in_the_audit_log(place, ann, lead_of):
    lead_id = await lead_of()
    await place.stores.leads.show(lead_id)
    await place.stores.leads.show(lead_id, reader=Actor(user_id=ann, ip="127.0.0.1"))
    rows = await place.pools.web.fetch("SELECT user_id, object FROM audit WHERE action = 'lead.read'")
    assert [tuple(row) for row in rows] == [(ann, f"lead:{lead_id}")]


async def test_an_erased_person_is_in_no_lead(place, lead_of):
    lead_id = await lead_of("+12025550101", note="Ada Byron, two units", company="Acme", person="Ada Byron")
    await go(place, lead_id, "rejected", reason="Ada Byron left")
    pool = place.pools.web
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL dialer.suppression_key = '" + "ab" * 32 + "'")
        phone_id = await connection.fetchval("SELECT id FROM phone WHERE e164 = '+12025550101'")
        from dialer.store.phones import SQL

        await SQL["phone_erase_contacts"].fetchval(connection, phone_id=phone_id, at=place.now)
    text = await pool.fetchval("SELECT string_agg(l::text, ' ') FROM lead l") + await pool.fetchval(
        "SELECT string_agg(l::text, ' ') FROM lead_change l"
    )
    assert "Ada" not in text
    assert "acme" not in text.lower()
    assert (await place.stores.leads.show(lead_id))["state"] == "rejected"
