"""Money equals a slow count by another hand, days that are closed stay, and the database refuses what cannot be."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import asyncpg
import pytest

from dialer.core import kpi_money
from dialer.core.kpi_facts import MONEY
from dialer.core.money import DIGITS, FACT, Kind, Said, rounded
from dialer.errors import NotFound, Refused
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import HourRows
from dialer.store.leads import Rule
from dialer.store.money import Money
from dialer.store.pools import prepare_connection
from dialer.store.users import Actor
from tests.store.money_world import CAMPAIGN, DAY, Facts, Slow, invent, price
from tests.store.test_kpi import insert

pytestmark = pytest.mark.postgres

SYSTEM = Actor()
#: Zone, first of three days of which the second has 25, 23, 24 and a half, or 24 hours; digits of the currency.
WORLDS = [
    ("Europe/Berlin", date(2026, 10, 24), "RUB"),
    ("Europe/Berlin", date(2026, 3, 28), "JPY"),
    ("Australia/Lord_Howe", date(2026, 4, 4), "KWD"),
    ("Asia/Kathmandu", date(2026, 2, 27), "USD"),
    ("America/Santiago", date(2026, 9, 5), "EUR"),  # midnight does not exist on the 6th
]


@pytest.fixture
async def raw(url):
    """The superuser's, because facts are stored alone, without the rows they refer to."""
    connection = await asyncpg.connect(url.replace("//dialer@", "//postgres@"), server_settings={"timezone": "UTC"})
    await prepare_connection(connection)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
def money(pools) -> Money:
    return Money(pools.web)


async def found(connection, facts: Facts, currency: str) -> None:
    """A campaign of the facts, without them."""
    row = {"id": CAMPAIGN, "name": "sales", "customer_id": 1, "team_id": 1, "trunk_id": 1, "zone": facts.zone}
    await insert(connection, "campaign", row | {"mode": "progressive", "state": "running"})
    await insert(connection, "lead_rule", {"campaign_id": CAMPAIGN, "currency": currency})
    for operator in (11, 12):
        rest = {"login": f"ann{operator}", "name": "ann", "role": "operator", "password_hash": "-", "language": "en"}
        await insert(connection, "app_user", {"id": operator, **rest})


async def write(connection, pools, facts: Facts, currency: str) -> None:
    """Store facts, and make the hour rows that stand for them."""
    common = {"campaign_id": CAMPAIGN, "phone_id": 1, "switch": "main", "epoch": 1, "profile": "world"}
    common |= {"profile_version": 1, "ended_by": "callee", "counts": True, "legal_answered": False}
    for row in facts.attempts:
        await insert(connection, "attempt", row | common | {"legal_abandoned": False})
    for row in facts.intervals:
        await insert(connection, "operator_interval", row)
    said = {one["of"]["attempt_id"]: one["of"] for one in (*facts.leads, *facts.letters)}
    for row in said.values():
        own = ("attempt_id", "contact_id", "operator_id", "base_id", "number", "script", "caller_number", "region")
        rest = {"campaign_id": CAMPAIGN, "key": str(row["attempt_id"]), "body_hash": b"", "code": "lead"}
        flags = {"result": True, "closes": False, "decision_maker": True, "saved_at": row["ended_at"]}
        await insert(connection, "disposition", {name: row[name] for name in own} | rest | flags)
    for number, one in enumerate(facts.leads, 1 + await connection.fetchval("SELECT count(*) FROM lead")):
        await _lead(connection, number, one, currency)
    for number, one in enumerate(facts.letters, 1 + await connection.fetchval("SELECT count(*) FROM letter")):
        row = {"id": number, "attempt_id": one["of"]["attempt_id"], "contact_id": 1, "campaign_id": CAMPAIGN}
        rest = {
            "customer_id": 1,
            "word": "lead",
            "language": "en",
            "address": "a@b.c",
            "made_at": one["of"]["ended_at"],
        }
        sent = {
            "state": "sent" if one["sent_at"] else "waiting",
            "sent_at": one["sent_at"],
            "closed_at": one["sent_at"],
        }
        await insert(connection, "letter", row | rest | sent)
    for one in facts.bases:
        rows = {"rows_in": one["rows_loaded"], "rows_loaded": one["rows_loaded"], "rows_rejected": 0}
        row = {
            "id": one["id"],
            "campaign_id": CAMPAIGN,
            "name": f"base {one['id']}",
            "file_hash": str(one["id"]).encode(),
        }
        gone = {"undone_at": one["loaded_at"], "rows_withdrawn": one["rows_loaded"]} if one["undone"] else {}
        await insert(connection, "base", row | rows | gone | {"loaded_at": one["loaded_at"], "by_hand": one["by_hand"]})
    await HourRows(pools.intake).remake(facts.since - DAY, facts.until + DAY, [CAMPAIGN, 0])
    await connection.execute("DELETE FROM kpi_stale")


async def _lead(connection, number: int, one: dict, currency: str) -> None:
    row = {"id": number, "attempt_id": one["of"]["attempt_id"], "contact_id": 1, "campaign_id": CAMPAIGN}
    rest = {"customer_id": 1, "phone_id": 1, "operator_id": one["of"]["operator_id"], "made_at": one["of"]["ended_at"]}
    rest |= {"state": one["state"], "due_at": one["of"]["ended_at"], "currency": currency, "revenue": one["revenue"]}
    rest |= {"contacted_at": one["decided_at"], "decided_at": one["decided_at"]}
    rest |= {"reason": "x" if one["state"] == "rejected" else None}
    await insert(connection, "lead", row | rest | {"client_at": one["client_at"] if one["state"] == "client" else None})


async def say(money: Money, chance: Random, facts: Facts, now: datetime, kinds=tuple(Kind)) -> list[Said]:
    """Random prices, said one after another; each kind up to three times."""
    said = []
    for kind in kinds:
        for _ in range(chance.randint(0, 3)):
            one = price(chance, facts, kind, tuple(base["id"] for base in facts.bases))
            if kind is Kind.COST_BASE:
                one = Said(kind=kind, since=max(one.since, facts.first + DAY), amount=one.amount, base_id=one.base_id)
            await money.set(CAMPAIGN, one, now=now, actor=SYSTEM)
            said.append(one)
    return said


def by_fact(sums, dim: str, bucket) -> dict:
    """The slow count in the shape of a table: key -> fact -> amount."""
    table: dict = defaultdict(lambda: defaultdict(Fraction))
    for (kind, of, hour, key), amount in sums.items():
        if of == dim:
            table[bucket(hour, key)][FACT[kind]] += amount
    return table


async def compare(pools, facts: Facts, sums, now: datetime) -> None:
    """Every number of money in every breakdown equals the slow count, to the last part of a cent."""
    slow = Slow(facts, [], 2, [])
    tables = {
        "total": ("total", lambda hour, key: "total"),
        "hour": ("total", lambda hour, key: hour.isoformat()),
        "day": ("total", lambda hour, key: slow.day(hour).isoformat()),
        "campaign": ("total", lambda hour, key: str(CAMPAIGN)),
        "customer": ("total", lambda hour, key: "1"),
        **{dim: (dim, lambda hour, key: key) for dim in ("operator", "base", "script", "caller", "number", "region")},
        "code": ("code", lambda hour, key: key),
    }
    for by, (dim, bucket) in tables.items():
        right = by_fact(sums, dim, bucket)
        rows = await Numbers(pools.web).table(
            since=facts.since, until=facts.until, by=by, campaign_id=CAMPAIGN, now=now, apart=False, money="all"
        )
        for row in rows:
            for name in kpi_money.known(by) - {"orders"}:
                held = row.money[name]
                assert (held or 0) == right[row.key][name], (by, row.key, name)
                right[row.key].pop(name)
        left = {(key, name): amount for key, row in right.items() for name, amount in row.items() if amount}
        assert not {place for place in left if place[1] in kpi_money.known(by)}, by


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("zone", "first", "currency"), WORLDS)
async def test_money_equals_the_slow_count_before_and_after_days_are_closed(
    raw, pools, money, seed, zone, first, currency
):
    chance, facts = Random(seed), invent(seed, zone, first)
    digits, now = DIGITS[currency], facts.until + timedelta(hours=12)
    days = [first + n * DAY for n in range(3)]
    await found(raw, facts, currency)
    await write(raw, pools, facts, currency)
    before = await say(money, chance, facts, now)
    await compare(pools, facts, Slow(facts, before, digits, days).count(), now)

    # the first day is closed: prices said now, from whatever day, hold for the others
    earliest = min((one.since for one in before), default=None)
    closed = await money.close(CAMPAIGN, max(first, earliest), now=now, actor=SYSTEM) if before else []
    kept = [day for day in days if day in closed]
    held = Slow(facts, before, digits, kept).count()
    after = await say(money, chance, facts, now, [kind for kind in Kind if kind is not Kind.COST_BASE])
    open_days = [day for day in days if not closed or day > closed[-1]]
    now_said = Slow(facts, before + after, digits, open_days).count()
    await compare(pools, facts, {**held, **now_said}, now)

    # what comes late to a closed day is counted by its old prices, once it was looked for
    late = invent(seed + 1, zone, first, size=15)
    late.intervals = []
    await write(raw, pools, late, currency)
    both = facts + late
    now_said = Slow(both, before + after, digits, open_days).count()
    await compare(pools, both, {**held, **now_said}, now)
    for day in closed:
        await money.settle(CAMPAIGN, day, now=now)
        assert not await money.settle(CAMPAIGN, day, now=now)
    held = Slow(both, before, digits, kept).count()
    await compare(pools, both, {**held, **now_said}, now)

    # and the closed days tell the same in total
    rows = [row for row in await money.days(CAMPAIGN) if row.day in kept]
    total = sum(amount for (kind, dim, *_), amount in held.items() if dim == "total" and not kind.tariff)
    assert sum(row.cost for row in rows) == total
    total = sum(amount for (kind, dim, *_), amount in held.items() if dim == "total" and kind.tariff)
    assert sum(row.revenue for row in rows) == total


@pytest.fixture
async def world(raw, pools, money):
    """Three days of a campaign in Berlin, the second with 25 hours, and the hour after them."""
    facts = invent(4, "Europe/Berlin", date(2026, 10, 24))
    await found(raw, facts, "EUR")
    await write(raw, pools, facts, "EUR")
    return facts, facts.until + timedelta(hours=1)


def said(kind: Kind, amount, since=date(2026, 10, 1), **values) -> Said:
    return Said(kind=kind, since=since, amount=Decimal(amount), **values)


async def total(pools, facts: Facts, now: datetime, **values):
    [row] = await Numbers(pools.web).table(
        since=facts.since, until=facts.until, by="total", now=now, apart=False, **{"money": "all"} | values
    )
    return row.money


async def test_a_month_is_spread_to_the_cent_over_its_days_and_hours(raw, pools, money, world):
    _, now = world
    await money.set(CAMPAIGN, said(Kind.COST_MONTH, "1000.01"), now=now, actor=SYSTEM)
    begin, end = datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
    for by, rows_of in (("day", 31), ("hour", 31 * 24 + 1)):
        rows = await Numbers(pools.web).table(
            since=begin, until=end, by=by, campaign_id=CAMPAIGN, now=end, apart=False, money="all"
        )
        amounts = [row.money["cost"] for row in rows]
        assert len(amounts) == rows_of
        assert sum(amounts) == Fraction("1000.01")
        assert all(amount == Fraction(rounded(amount, 2)) for amount in amounts)
        assert max(amounts) - min(amounts) <= Fraction("0.07")


async def test_parts_add_up_to_the_total_exactly(raw, pools, money, world):
    facts, now = world
    await say(money, Random(8), facts, now)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    whole = await total(pools, facts, now)
    for by in ("hour", "day", "week", "month", "campaign", "customer", "operator", "base", "number"):
        rows = await Numbers(pools.web).table(
            since=facts.since, until=facts.until, by=by, now=now, apart=False, money="all"
        )
        for name in kpi_money.known(by):
            assert sum(row.money[name] or 0 for row in rows) == (whole[name] or 0), (by, name)
        if by in {"operator", "base"}:
            assert all(row.money["cost"] is None for row in rows)
    made_of = await money.made_of(CAMPAIGN, facts.since, facts.until, now=now)
    assert sum(part.amount for part in made_of if not Kind(part.kind).tariff) == whole["cost"]
    for part in made_of:
        if part.kind != Kind.COST_MONTH:
            assert part.amount == part.quantity * Fraction(part.price)


async def test_one_operators_money_is_that_of_the_row(raw, pools, money, world):
    facts, now = world
    await say(money, Random(9), facts, now)
    rows = await Numbers(pools.web).table(
        since=facts.since, until=facts.until, by="operator", now=now, apart=False, money="all"
    )
    [ann] = [row for row in rows if row.key == "11"]
    own = await total(pools, facts, now, operator_id=11)
    assert {name: own[name] for name in MONEY} == {name: ann.money[name] for name in MONEY}
    [row, *_] = await Numbers(pools.web).table(
        since=facts.since, until=facts.until, by="base", now=now, apart=False, money="all", operator_id=11
    )
    assert set(row.money.values()) == {None}


async def test_who_reads_the_tariff_alone_gets_no_cost(raw, pools, money, world):
    facts, now = world
    for kind in (Kind.TARIFF_CONVERSATION, Kind.COST_LETTER, Kind.COST_MONTH):
        await money.set(CAMPAIGN, said(kind, 10), now=now, actor=SYSTEM)
    every, tariff = await total(pools, facts, now), await total(pools, facts, now, money="tariff")
    assert tariff["revenue"] == every["revenue"] > 0
    assert every["cost"] > 0
    assert {tariff[name] for name in tariff if "cost" in name or "margin" in name} == {None}
    assert {p.kind for p in await money.prices(CAMPAIGN, tariff_only=True)} == {Kind.TARIFF_CONVERSATION}
    parts = await money.made_of(CAMPAIGN, facts.since, facts.until, now=now, tariff_only=True)
    assert {part.kind for part in parts} == {Kind.TARIFF_CONVERSATION}


async def test_without_a_price_of_costs_nothing_is_said_to_cost_nothing(raw, pools, money, world):
    facts, now = world
    await raw.execute("UPDATE lead SET revenue = NULL, state = 'accepted', client_at = NULL WHERE state = 'client'")
    assert await total(pools, facts, now) == {}
    await money.set(CAMPAIGN, said(Kind.TARIFF_CONVERSATION, 1), now=now, actor=SYSTEM)
    found = await total(pools, facts, now)
    assert (found["cost"], found["margin"]) == (None, None)
    assert found["revenue"] > 0


async def test_money_of_two_currencies_is_never_added_up(raw, pools, money, world):
    facts, now = world
    row = {"id": 2, "name": "other", "customer_id": 1, "team_id": 1, "trunk_id": 1, "zone": "UTC"}
    await insert(raw, "campaign", row | {"mode": "progressive", "state": "running"})
    for campaign, kind in ((CAMPAIGN, Kind.COST_MONTH), (2, Kind.COST_MONTH)):
        await money.set(campaign, said(kind, 31), now=now, actor=SYSTEM)
    assert set((await total(pools, facts, now)).values()) == {None}
    rows = await Numbers(pools.web).table(
        since=facts.since, until=facts.until, by="campaign", now=now, apart=False, money="all"
    )
    assert {row.key: row.currency for row in rows if row.key} == {"1": "EUR", "2": "RUB"}


async def test_days_are_closed_in_order_when_they_are_over_and_by_night_six_hours_later(raw, pools, money, world):
    facts, now = world
    assert await money.night(now) == (0, 0)
    with pytest.raises(Refused) as error:
        await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    assert error.value.code == "money.no_price"
    await money.set(CAMPAIGN, said(Kind.TARIFF_LEAD, 5, facts.first), now=now, actor=SYSTEM)
    assert await money.night(now) == (2, 0)  # the third day ended an hour ago
    with pytest.raises(Refused) as error:
        await money.close(CAMPAIGN, facts.first + 3 * DAY, now=now, actor=SYSTEM)
    assert error.value.code == "money.not_over"
    assert await money.close(CAMPAIGN, now=now, actor=SYSTEM) == [facts.first + 2 * DAY]
    assert await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM) == []
    rows = await money.days(CAMPAIGN)
    assert [row.until - row.since for row in rows] == [timedelta(hours=hours) for hours in (24, 25, 24)]
    noted = await pools.web.fetch("SELECT after FROM audit WHERE action = 'money.close' ORDER BY id")
    assert [row["after"]["day"] for row in noted] == ["2026-10-24", "2026-10-25", "2026-10-26"]


async def test_what_came_late_is_found_by_night_and_is_in_the_audit_log(raw, pools, money, world):
    facts, now = world
    await money.set(CAMPAIGN, said(Kind.COST_LETTER, "0.1", facts.first), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    late = Facts(facts.zone, facts.first, 3)
    late.letters = [{"of": facts.attempts[0], "sent_at": facts.since + timedelta(hours=3)}]
    await raw.execute("DELETE FROM disposition WHERE attempt_id = $1", facts.attempts[0]["attempt_id"])
    await write(raw, pools, late, "EUR")
    assert await money.night(now) == (1, 1)
    revision = next(row for row in await money.days(CAMPAIGN) if row.revision)
    assert (revision.day, revision.cost, revision.revision) == (facts.first, Fraction("0.1"), 1)
    row = await pools.web.fetchrow("SELECT after FROM audit WHERE action = 'money.late'")
    assert row["after"] == {"day": "2026-10-24", "revision": 1, "cost": "0.1", "revenue": "0"}


async def test_a_campaign_that_moves_to_another_zone_loses_and_doubles_no_hour(raw, pools, money, world):
    facts, now = world
    await money.set(CAMPAIGN, said(Kind.TARIFF_CONVERSATION, 1, facts.first), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    for zone in ("Asia/Vladivostok", "America/New_York"):
        await raw.execute("UPDATE campaign SET zone = $1", zone)
        await HourRows(pools.intake).remake(facts.since - 2 * DAY, facts.until + 2 * DAY, [CAMPAIGN])
        await raw.execute("DELETE FROM kpi_stale")
        await money.close(CAMPAIGN, now=now + DAY, actor=SYSTEM)
        talks = sum(row["outcome"] == "connected" for row in facts.attempts)
        wide = {"since": facts.since - 2 * DAY, "until": facts.until + 2 * DAY}
        [row] = await Numbers(pools.web).table(**wide, by="total", now=now + 2 * DAY, apart=False, money="all")
        assert row.money["revenue"] == talks
    rows = (await money.days(CAMPAIGN))[::-1]
    assert all(one.until == other.since for one, other in pairwise(rows))


async def test_a_day_whose_hours_are_in_doubt_is_not_closed(raw, money, world):
    facts, now = world
    await money.set(CAMPAIGN, said(Kind.TARIFF_LEAD, 5, facts.first), now=now, actor=SYSTEM)
    await raw.execute("INSERT INTO kpi_stale (campaign_id) VALUES ($1)", CAMPAIGN)
    assert await money.night(now) == (0, 0)


async def test_a_rehearsal_says_what_a_day_would_cost_and_leaves_nothing(raw, pools, money, world):
    facts, now = world
    await money.set(CAMPAIGN, said(Kind.COST_LETTER, 2, facts.first), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    before, after = await money.rehearse(
        CAMPAIGN, [said(Kind.COST_LETTER, 3, date(2027, 1, 1)), said(Kind.COST_MONTH, 310)], facts.first, now=now
    )
    letters = {part.kind: part for part in before}[Kind.COST_LETTER].quantity
    assert {part.kind: part.amount for part in before} == {Kind.COST_LETTER: 2 * letters}
    assert {part.kind: part.amount for part in after} == {Kind.COST_LETTER: 3 * letters, Kind.COST_MONTH: 10}
    assert [price.amount for price in await money.prices(CAMPAIGN)] == [2]
    assert await pools.web.fetchval("SELECT count(*) FROM audit WHERE action LIKE 'price%'") == 1


async def test_a_price_has_a_history_and_each_change_is_in_the_audit_log(raw, pools, money, world):
    _, now = world
    ann = Actor(user_id=11, ip="::1")
    first = await money.set(CAMPAIGN, said(Kind.COST_TRUNK_MINUTE, "1.50", first_s=60, step_s=60), now=now, actor=ann)
    again = await money.set(CAMPAIGN, said(Kind.COST_TRUNK_MINUTE, "1.2", first_s=1, step_s=1), now=now, actor=ann)
    later = await money.set(
        CAMPAIGN, said(Kind.COST_TRUNK_MINUTE, 2, date(2027, 1, 1), first_s=1, step_s=1), now=now, actor=ann
    )
    rows = {row.id: row for row in await money.prices(CAMPAIGN)}
    assert (rows[first].withdrawn_at, rows[first].withdrawn_by, rows[first].made_by) == (now, "ann", "ann")
    assert (rows[again].withdrawn_at, rows[again].until) == (None, date(2027, 1, 1))
    await money.withdraw(CAMPAIGN, later, now=now, actor=ann)
    with pytest.raises(NotFound):
        await money.withdraw(CAMPAIGN, later, now=now, actor=ann)
    with pytest.raises(NotFound):
        await money.withdraw(99, again, now=now, actor=ann)
    noted = await pools.web.fetch("SELECT action, object, before, after, user_id FROM audit ORDER BY id")
    assert [(row["action"], row["object"], row["user_id"]) for row in noted] == [
        *[("price.set", "campaign:1", 11)] * 3,
        ("price.withdraw", "campaign:1", 11),
    ]
    assert noted[1]["before"] == {"since": "2026-10-01", "amount": "1.5", "step": "60/60"}
    assert noted[1]["after"]["step"] == "1/1"


async def test_a_base_is_not_paid_on_a_day_that_is_closed_or_for_another_campaign(raw, money, world):
    facts, now = world
    base = facts.bases[0]["id"]
    await money.set(CAMPAIGN, said(Kind.COST_MONTH, 1, facts.first), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    with pytest.raises(Refused) as error:
        await money.set(CAMPAIGN, said(Kind.COST_BASE, 1, facts.first, base_id=base), now=now, actor=SYSTEM)
    assert error.value.code == "price.closed"
    with pytest.raises(NotFound):
        await money.set(CAMPAIGN, said(Kind.COST_BASE, 1, date(2027, 1, 1), base_id=999), now=now, actor=SYSTEM)
    with pytest.raises(NotFound):
        await money.set(77, said(Kind.COST_MONTH, 1), now=now, actor=SYSTEM)


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_a_base_that_was_paid_on_a_closed_day_is_not_paid_again(raw, pools, money, world, withdrawn):
    facts, now = world
    base = facts.bases[0]["id"]
    first = await money.set(CAMPAIGN, said(Kind.COST_BASE, 100, facts.first, base_id=base), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    if withdrawn:
        await money.withdraw(CAMPAIGN, first, now=now, actor=SYSTEM)
    with pytest.raises(Refused) as error:
        await money.set(CAMPAIGN, said(Kind.COST_BASE, 120, facts.first + DAY, base_id=base), now=now, actor=SYSTEM)
    assert error.value.code == "price.closed"
    assert (await total(pools, facts, now))["cost"] == 100


@pytest.mark.parametrize(
    "values",
    [
        "'cost_letter', NULL, '2026-01-01', -0.01, 'EUR', NULL, NULL",
        "'cost_letter', NULL, '2026-01-01', 0.0000001, 'EUR', NULL, NULL",
        "'cost_letter', NULL, '2026-01-01', 1, 'USD', NULL, NULL",
        "'cost_letter', NULL, '2026-01-01', 1, 'EUR', 60, 60",
        "'cost_trunk_minute', NULL, '2026-01-01', 1, 'EUR', NULL, NULL",
        "'cost_trunk_minute', NULL, '2026-01-01', 1, 'EUR', 60, 0",
        "'cost_base', NULL, '2026-01-01', 1, 'EUR', NULL, NULL",
        "'cost_base', 999, '2026-01-01', 1, 'EUR', NULL, NULL",
        "'cost_month', NULL, '2026-01-02', 5, 'EUR', NULL, NULL",
        "'gift', NULL, '2026-01-01', 1, 'EUR', NULL, NULL",
    ],
)
async def test_the_database_refuses_a_price_that_cannot_be_and_two_at_once(pools, money, world, values):
    _, now = world
    await money.set(CAMPAIGN, said(Kind.COST_MONTH, 1, date(2026, 1, 2)), now=now, actor=SYSTEM)
    text = "INSERT INTO price (campaign_id, kind, base_id, since, amount, currency, first_s, step_s) VALUES (1, {})"
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await pools.web.execute(text.format(values))


async def test_what_was_said_and_what_was_closed_cannot_be_changed(pools, money, world):
    facts, now = world
    await money.set(CAMPAIGN, said(Kind.COST_MONTH, 31, facts.first), now=now, actor=SYSTEM)
    await money.close(CAMPAIGN, facts.first, now=now, actor=SYSTEM)
    for change in (
        "UPDATE price SET amount = 2",
        "UPDATE price SET since = since - 1",
        "DELETE FROM price",
        "UPDATE money SET amount = 0",
        "DELETE FROM money",
        "UPDATE money_day SET cost = 0",
        "DELETE FROM money_day",
        """INSERT INTO money_day (campaign_id, day, since, until, prices, currency, cost, revenue)
            SELECT campaign_id, day + 2, until + interval '1 day', until + interval '2 days', prices, currency, 0, 0 FROM money_day""",
        """INSERT INTO money_day (campaign_id, day, since, until, prices, currency, cost, revenue)
            SELECT campaign_id, day, until, until + interval '2 days', prices, currency, 0, 0 FROM money_day""",
    ):
        with pytest.raises((asyncpg.RaiseError, asyncpg.IntegrityConstraintViolationError)):
            await pools.web.execute(change)


async def test_once_there_is_money_the_currency_stays(raw, pools, stores, money, world):
    _, now = world
    await raw.execute("UPDATE lead SET revenue = NULL, state = 'accepted', client_at = NULL WHERE state = 'client'")

    async def change(currency: str) -> str:
        try:
            await stores.leads.set_rule(CAMPAIGN, Rule(contact_within_s=60, currency=currency), actor=SYSTEM)
        except Refused as error:
            return error.code
        return ""

    assert [await change(word) for word in ("USD", "ZZZ", "EUR")] == ["", "currency.unknown", ""]
    price_id = await money.set(CAMPAIGN, said(Kind.COST_MONTH, 1), now=now, actor=SYSTEM)
    assert await change("USD") == "currency.stays"
    await money.withdraw(CAMPAIGN, price_id, now=now, actor=SYSTEM)
    assert await change("USD") == ""
    await raw.execute(
        "UPDATE lead SET state = 'client', client_at = decided_at WHERE id = (SELECT min(id) FROM lead WHERE state = 'accepted')"
    )
    await pools.web.execute("UPDATE lead SET revenue = 5 WHERE state = 'client'")
    assert await pools.web.fetchval("SELECT currency FROM lead WHERE revenue = 5") == "USD"
    assert await change("EUR") == "currency.stays"


async def test_the_steps_of_a_carrier_and_the_shares_of_a_month_hold_for_all(raw):
    chance = Random(1)
    for first, step in ((60, 60), (1, 1), (30, 6), (7, 13)):
        for _ in range(100):
            us = chance.choice(
                (0, 1, first * 10**6, first * 10**6 + 1, (first + step) * 10**6, chance.randrange(10**9))
            )
            billed = first
            while billed * 10**6 < us:
                billed += step
            held = await raw.fetchval("SELECT billed_s($1, $2, $3)", timedelta(microseconds=us), first, step)
            assert held == billed
    for _ in range(200):
        amount, digits = Decimal(chance.randrange(10**10)).scaleb(-6), chance.randint(0, 4)
        places = chance.choice((23, 24, 25, 28, 29, 30, 31))
        shares = [
            await raw.fetchval("SELECT money_share($1, $2, $3, $4)", amount, n, places, digits)
            for n in range(1, places + 1)
        ]
        assert sum(shares) == Decimal(rounded(Fraction(amount), digits))
        assert all(share == round(share, digits) for share in shares)
        assert max(shares) - min(shares) <= Decimal(1).scaleb(-digits)


async def test_the_currencies_of_the_database_are_those_of_the_product(raw):
    assert {row["code"]: row["digits"] for row in await raw.fetch("SELECT * FROM currency")} == DIGITS
