"""Are the numbers right? A month made up without the engine, stored late, twice and out of order, and counted again.

A generator writes a log of what happened: attempts of three campaigns in three zones, two of which change their clocks,
shifts, dispositions, letters, leads and what they bought, bases, contacts closed. PostgreSQL hears of it in batches,
some days late, some told twice; meanwhile prices are said, changed and taken back, and days are closed. Then every
number in every breakdown must equal, to the unit, what plain Python counts in the log, money exactly and to the cent;
hour rows must equal the facts; closed days must stay, and parts must add up to their total.

    scripts/bench kpi_month                       2,000,000 attempts, 100 operators: two hours
    scripts/bench kpi_month --attempts 20000      minutes
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.core import kpi
from dialer.core.money import rounded
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import FOLD, HourRows
from dialer.store.migrate import migrate
from dialer.store.pools import Pools, prepare_connection
from dialer.store.server import OwnServer
from scripts.benches.kpi_prices import FIRST, LATER, Till
from scripts.benches.kpi_slow import Slow
from scripts.benches.kpi_slow_money import COST, CURRENCIES, HOUR_US, REVENUE, Due, cents, shown
from scripts.benches.kpi_tell import tell
from scripts.benches.kpi_world import BEGIN, CAMPAIGNS, DAYS, Log, invent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

    from dialer.store.kpi import Row
    from scripts.benches.kpi_slow_money import Era, Reads

ATTEMPTS, OPERATORS = 2_000_000, 100
#: When days are closed: early on the next day, which has begun everywhere by then.
MORNING = time(6, tzinfo=UTC)


def differences(by: str, slow: Slow, rows: Iterable[Row]) -> list[str]:
    """What is not equal, one sentence each."""
    found, wrong = {row.key: row for row in rows}, []
    names = kpi.known(by) - {"live", "open_s", "clock_s"}
    for key in sorted({*found, *slow.sums[by]}):
        counted = slow.sums[by].get(key, {})
        held = found[key].facts if key in found else {}
        for name in sorted(names):
            right = counted.get(name, 0) / (1e6 if name in kpi.TIME else 1)
            if not math.isclose(held.get(name, 0), right, abs_tol=1e-6 if name.startswith("voice") else 0, rel_tol=0):
                wrong.append(f"{by} {key} {name}: {held.get(name, 0)}, by the log {right}")
    return wrong


def owed(by: str, due: Due, slow: Slow | None, rows: Iterable[Row], reads: Reads) -> tuple[int, list[str]]:
    """How many numbers of money were compared, exactly and as they are shown, and what is not equal."""
    found, wrong, compared = {row.key: row for row in rows}, [], 0
    for key in sorted({*found, *due.sums.get(by, {})}):
        currency, numbers = shown(by, due, slow, key, reads)
        held, of = (found[key].money, found[key].currency) if key in found else ({}, "")
        if currency != of:
            wrong.append(f"{by} {key}: money in {of!r}, by the log in {currency!r}")
        digits = dict(CURRENCIES.values()).get(currency, 0)
        for name, right in numbers.items():
            amount, compared = held.get(name), compared + 1
            same = amount == right and (
                amount is None or right is None or rounded(amount, digits) == cents(right, digits)
            )
            if not same:
                wrong.append(f"{by} {key} {name}: {amount}, by the log {right}")
    return compared, wrong


@dataclass(slots=True)
class Found:
    """What comparisons came to."""

    rows: int = 0
    amounts: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, compared: tuple[int, list[str]]) -> None:
        """Count numbers of money."""
        self.amounts += compared[0]
        self.wrong += compared[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Whose numbers: of all, of a customer (who reads no costs), of a campaign, of an operator.

    Attributes:
        asked: The same for the store.
    """

    campaigns: frozenset[int] | None = None
    operator: int | None = None
    reads: Reads = "all"
    asked: Mapping[str, int] = field(default_factory=dict)


ALL, CUSTOMER = Ask(), Ask(campaigns=frozenset({1, 2}), asked={"customer_id": 1})
CAMPAIGN = Ask(campaigns=frozenset({3}), asked={"campaign_id": 3})
PARTS = (
    CUSTOMER,
    CAMPAIGN,
    Ask(campaigns=frozenset({1, 2}), reads="tariff", asked={"customer_id": 1}),
    Ask(operator=1, asked={"operator_id": 1}),
    Ask(campaigns=frozenset({3}), operator=1, asked={"campaign_id": 3, "operator_id": 1}),
)


async def compare(
    table: Callable[..., Any], log: Log, since: datetime, until: datetime, eras: Sequence[Era], ask: Ask, found: Found
) -> None:
    """Every breakdown against the log, and parts against their total."""
    slow = Slow(log, since, until, ask.campaigns, ask.operator)
    due = Due(log, since, until, eras, ask.campaigns, ask.operator)
    total: dict[str, float] = {}
    for by in kpi.BREAKDOWNS:
        rows = await table(since=since, until=until, by=by, now=until, money=ask.reads, **ask.asked)
        found.rows += len(rows)
        found.wrong += differences(by, slow, rows)
        found.add(owed(by, due, slow, rows, ask.reads))
        total = total or dict(rows[0].facts)
        for name in kpi.known(by) - kpi.APART - {"clock_s"}:
            parts = sum(round(row.facts[name] * 1e6) for row in rows)
            said_of_closing = by == "code" and name == "stale"  # contacts without a number that exists are stale too
            if by != "reason" and not said_of_closing and parts != round(total[name] * 1e6):
                found.wrong.append(f"{by}: parts of {name} are {parts / 1e6}, the total is {total[name]}")


async def amounts(table: Callable[..., Any], log: Log, until: datetime, eras: Sequence[Era], found: Found) -> None:
    """Amounts alone from the month's begin, in its midst."""
    for ask in (ALL, CUSTOMER, CAMPAIGN):
        due = Due(log, BEGIN, until, eras, ask.campaigns)
        for by in kpi.BREAKDOWNS:
            rows = await table(since=BEGIN, until=until, by=by, now=until, money="all", apart=False, **ask.asked)
            found.rows += len(rows)
            found.add(owed(by, due, None, rows, "all"))


async def closed_days(till: Till, log: Log, found: Found) -> None:
    """What closed days say they came to, what was added later with them."""
    for campaign in CAMPAIGNS:
        held: defaultdict[date, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        for row in await till.money.days(campaign, 1000):
            held[row.day][0] += row.cost
            held[row.day][1] += row.revenue
        first = BEGIN - timedelta(days=5)
        due = Due(log, first, BEGIN + timedelta(days=DAYS), till.eras(), frozenset({campaign}))
        for day, sides in held.items():
            sums = due.sums["day"][str(day)][CURRENCIES[campaign][0]]
            for name, side, amount in zip(("cost", "revenue"), (COST, REVENUE), sides, strict=True):
                right = sum(Fraction(sums.get(one, 0)) for one in side) / HOUR_US
                found.amounts += 1
                if right != amount:
                    found.wrong.append(f"closed day {day} of {campaign} {name}: {amount}, by the log {right}")


class Month:
    """A database that is told the log while prices are said and days are closed."""

    def __init__(self, pools: Pools, log: Log, seed: int) -> None:
        self.log, self.till, self.found = log, Till(pools, seed), Found()
        self.table = Numbers(pools.intake).table

    async def tell(self, admin: asyncpg.Connection[asyncpg.Record], seed: int) -> None:
        """The log, batch by batch."""
        moments = [
            (datetime.combine(day + timedelta(days=1), MORNING), work)
            for day, work in ((FIRST, self._first), (LATER, self._later))
        ]
        await tell(admin, self.log, seed, [(BEGIN - timedelta(days=9), self._open), *moments])

    async def _open(self, now: datetime, _heard: int) -> None:
        await self.till.open(self.log, now)

    async def _first(self, now: datetime, heard: int) -> None:
        """Days are closed, and nothing changes by that; then prices are said that hold for them too."""
        await amounts(self.table, self.log, now, self.till.eras(heard), self.found)
        await self.till.close(FIRST, now, heard)
        await amounts(self.table, self.log, now, self.till.eras(heard), self.found)
        await self.till.change(FIRST - timedelta(days=4), now)

    async def _later(self, now: datetime, heard: int) -> None:
        """Closed days are what they were; what came late is added by their prices; more days are closed."""
        await amounts(self.table, self.log, now, self.till.eras(heard), self.found)
        await self.till.settle(now, heard)
        await self.till.close(LATER, now, heard)
        await amounts(self.table, self.log, now, self.till.eras(heard), self.found)
        await self.till.change(LATER - timedelta(days=1), now)

    async def compare(self, since: datetime, until: datetime, ask: Ask = ALL) -> None:
        """All numbers of a period, when everything was told."""
        await compare(self.table, self.log, since, until, self.till.eras(), ask, self.found)


@asynccontextmanager
async def told(log: Log, seed: int) -> AsyncIterator[tuple[Pools, Month]]:
    """A database that was told the log."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        server = OwnServer(Path(folder) / "postgres")
        async with server as url:
            migrate(url)
            async with Pools.open(url) as pools:
                month = Month(pools, log, seed)
                admin = await asyncpg.connect(
                    url.replace("//dialer@", "//postgres@"), server_settings={"timezone": "UTC"}
                )
                await prepare_connection(admin)
                await month.tell(admin, seed)
                await admin.execute("ANALYZE")
                await admin.close()
                yield pools, month


async def run(attempts: int, operators: int, seed: int) -> int:
    """Make it up, tell it, count it."""
    log, end = invent(attempts, operators, seed), BEGIN + timedelta(days=DAYS)
    odd = (BEGIN + timedelta(days=19.013), BEGIN + timedelta(days=28.507))
    async with told(log, seed) as (pools, month):
        hours = HourRows(pools.intake)
        await month.compare(*odd)  # nothing is folded yet
        while await hours.fold() == FOLD:
            pass
        await month.till.settle(end + timedelta(days=3))
        await month.compare(*odd)
        for ask in (ALL, *PARTS):
            await month.compare(BEGIN, end, ask)
        await closed_days(month.till, log, month.found)
        checked = await hours.check(BEGIN - timedelta(days=1), BEGIN + timedelta(days=DAYS + 2))
    found = month.found
    for sentence in found.wrong[:20]:
        print(sentence)
    good = not found.wrong and not checked.different and checked.compared > 0 and month.till.late > 0
    print(
        f"kpi_month: {'' if good else 'falls short; '}{attempts:,} attempts, {operators} operators, "
        f"{len(log.intervals):,} stretches of shifts, {month.till.said} prices: {found.rows:,} rows in "
        f"{len(kpi.BREAKDOWNS)} breakdowns and {found.amounts:,} numbers of money, {len(found.wrong)} numbers differ "
        f"from the log or from their parts; {month.till.late} closed days had something added; {checked.compared:,} "
        f"hour rows, {checked.different} differences from the facts"
    )
    return 0 if good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench kpi_month", description=__doc__)
    parser.add_argument("--attempts", type=int, default=ATTEMPTS)
    parser.add_argument("--operators", type=int, default=OPERATORS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    return asyncio.run(run(options.attempts, options.operators, options.seed))
