"""Numbers over a long ledger: hour rows against the plain aggregate over the facts, and what keeping them costs.

For each size a database of its own is filled with so many attempts of a month, a tenth as many stretches of shifts and
a disposition for every conversation: five campaigns in two zones, a hundred operators, the month in which clocks
change. Hour rows are made from them; then the questions of supervisors are asked in turns, of the hour rows (``table``
without what does not add up) and of the facts (the same code, told that no hour row is right). A day is made anew and
compared. At last ends of calls are written as the engine does, with the upkeep of the hour rows and without.

    scripts/bench kpi                             1 M and 10 M attempts: a quarter of an hour, most to fill
    scripts/bench kpi --sizes 100000 1000000      smaller
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import HourRows
from dialer.store.migrate import migrate
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SIZES = (1_000_000, 10_000_000)
OPERATORS, CAMPAIGNS, DAYS, TURNS, ENDS = 100, 5, 30, 7, 400
WRITERS, WRITES = 8, 50
#: The goals, and times too short to compare: what they differ by is chance.
DAY_MS, MONTH_MS, REMAKE_S, GROWTH, QUICK_MS = 100.0, 300.0, 5.0, 1.3, 10.0
BEGIN = datetime(2026, 10, 5, tzinfo=UTC)
DAY = datetime(2026, 10, 14, 22, tzinfo=UTC), datetime(2026, 10, 15, 22, tzinfo=UTC)
MONTH = BEGIN, BEGIN + timedelta(days=DAYS)

#: Calls from 7 to 19 h UTC of every day; a tenth is connected; an operator serves two of the campaigns.
ATTEMPTS = """
INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,
    profile_version, sent_at, rang_at, answered_at, connected_at, ended_at, outcome, ended_by, counts, legal_answered,
    legal_abandoned, operator_id, caller_number, region, script)
SELECT gen_random_uuid(), 1 + (n * 7919::bigint) % $3, 1 + f.c, f.c * 10 + k % 3, 1 + (n * 7919::bigint) % $3, 'main',
    1, 1 + k % 4, 'world', 1, f.at, CASE WHEN k % 9 > 0 THEN f.at + interval '3 s' END,
    CASE WHEN f.talk OR f.lost THEN f.at + interval '9 s' END,
    CASE WHEN f.talk THEN f.at + interval '9 s' + k / 10 % 400 * interval '1 ms' END, f.at + interval '60 s',
    CASE WHEN f.talk THEN 'connected' WHEN f.lost THEN 'abandoned' WHEN k % 9 = 0 THEN 'busy' ELSE 'no_answer' END,
    'callee', true, f.talk OR f.lost, f.lost,
    CASE WHEN f.talk THEN 1 + (5 * (k / 10 % 20) + f.c - k / 200 % 2 + $4) % $4 END, '+120155501' || f.c,
    '+1' || (201 + k % 40), 1
FROM generate_series($1::integer, $2::integer) n
CROSS JOIN LATERAL (SELECT n / 150 AS k) i
CROSS JOIN LATERAL (
    SELECT n % 5 AS c, k % 10 = 3 AS talk, k % 500 = 1 AS lost, $5::timestamptz + n / 5 % 30 * interval '1 day'
        + interval '7 h' + k * 43200.0 / $6::integer * interval '1 s' + n % 900 * interval '1 ms' AS at
) f
"""
SAID = """
INSERT INTO disposition (attempt_id, key, body_hash, campaign_id, contact_id, operator_id, code, result, closes,
    decision_maker, verdict, reason, saved_at, base_id, number, caller_number, region, script)
SELECT attempt_id, attempt_id, '', campaign_id, contact_id, operator_id,
    CASE contact_id % 5 WHEN 0 THEN 'lead' ELSE 'refused' END, contact_id % 5 = 0, true, contact_id % 3 = 0, 'fresh',
    CASE contact_id % 5 WHEN 1 THEN 'price' END, ended_at, base_id, number, caller_number, region, script
FROM attempt WHERE outcome = 'connected'
"""
TIME = """
INSERT INTO operator_interval (operator_id, session_id, state, started_at, ended_at, campaign_id)
SELECT 1 + n % $2, md5((n % $2) || '-' || n / $2 % 30)::uuid,
    (ARRAY['ready', 'talking', 'wrap_up', 'paused'])[1 + f.turn % 4], f.at, f.at + f.long,
    CASE WHEN f.turn % 4 IN (1, 2) THEN 1 + (n % $2 + f.turn / 4 % 2) % 5 END
FROM generate_series(0, $1::integer - 1) n
CROSS JOIN LATERAL (
    SELECT n / ($2 * 30) AS turn, 43200.0 * $2 * 30 / $1 * interval '1 s' AS long
) g
CROSS JOIN LATERAL (
    SELECT g.turn, g.long, $3::timestamptz + n / $2 % 30 * interval '1 day' + interval '7 h' + g.turn * g.long AS at
) f
"""
INDEXES = """
SELECT indexrelid::regclass::text AS name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS made
FROM pg_index WHERE indrelid IN ('attempt'::regclass, 'operator_interval'::regclass) AND NOT indisunique
"""
TABLES = ("attempt", "disposition", "operator_interval")


@dataclass
class Filled:
    """A database with facts and hour rows.

    Attributes:
        times: Milliseconds of each question, by its name.
    """

    size: int
    url: str
    pools: Pools
    campaigns: list[int]
    times: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rows(self) -> HourRows:
        """The keeper of its hour rows."""
        return HourRows(self.pools.intake)

    async def timed(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do it and note how long it took."""
        began = time.perf_counter()
        await work()
        self.times.setdefault(name, []).append((time.perf_counter() - began) * 1000)

    def median(self, name: str) -> float:
        """Milliseconds."""
        return statistics.median(self.times[name])


@asynccontextmanager
async def filled(folder: Path, size: int) -> AsyncIterator[Filled]:
    """A server of its own with so many attempts; its hour rows are right."""
    async with OwnServer(folder) as url:
        migrate(url)
        async with Pools.open(url) as pools:
            campaigns = await _campaigns(Stores.of(pools))
            await _facts(url, size)
            one = Filled(size, url, pools, campaigns)
            began = time.perf_counter()
            await one.rows.mend()
            print(f"{size:,} attempts: hour rows of the month made in {time.perf_counter() - began:.0f} s", flush=True)
            await pools.intake.execute("VACUUM ANALYZE kpi_hour")
            yield one


async def _campaigns(stores: Stores) -> list[int]:
    nobody = Actor()
    await stores.campaigns.set_trunk("world", kind="world", actor=nobody)
    values = {"mode": "progressive", "customer": "Bench", "team": "bench", "trunk": "world", "profile": "world"}
    zones = ("Europe/Berlin", "Asia/Kolkata")
    rows = [
        await stores.campaigns.create({**values, "name": f"c{n}", "zone": zones[n % 2]}, actor=nobody)
        for n in range(CAMPAIGNS)
    ]
    return [row.id for row in rows]


async def _facts(url: str, size: int) -> None:
    """Facts as a month leaves them; without the triggers, since all is made at once behind them."""
    admin = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    for table in TABLES:
        await admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await admin.execute("SELECT make_partitions('2026-10-01')")
    indexes = await admin.fetch(INDEXES)
    for index in indexes:
        await admin.execute(f"DROP INDEX {index['name']}")
    contacts, step = max(1000, size // 4), 500_000
    for at in range(1, size + 1, step):
        last = min(size, at + step - 1)
        await admin.execute(
            ATTEMPTS, at, last, contacts, OPERATORS, BEGIN, size // 150, timeout=3600
        )  # fmt: skip
    await admin.execute("ALTER TABLE disposition DROP CONSTRAINT disposition_campaign_id_code_fkey")
    await admin.execute(SAID, timeout=3600)
    await admin.execute(TIME, size // 10, OPERATORS, BEGIN, timeout=3600)
    for index in indexes:  # built at once, much sooner than row by row
        await admin.execute(index["made"], timeout=3600)
    for table in TABLES:
        await admin.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await admin.execute("VACUUM ANALYZE", timeout=3600)
    await admin.close()


async def ask(one: Filled) -> None:
    """The questions, each of the hour rows and of the facts; the last comparison must find nothing."""
    table = Stores.of(one.pools).kpi.table
    day = {"since": DAY[0], "until": DAY[1], "by": "hour", "campaign_id": one.campaigns[0]}
    month = {"since": MONTH[0], "until": MONTH[1], "by": "operator"}
    for turn in range(TURNS + 1):
        if turn == 1:
            one.times.clear()  # the first round reads from disk
        await one.timed("a day by hour", lambda: table(**day, apart=False))
        await one.timed("a day by hour with contacts and percentiles", lambda: table(**day))
        await one.timed("a month by operator", lambda: table(**month, apart=False))
    await one.pools.web.execute("INSERT INTO kpi_stale SELECT id FROM campaign UNION ALL SELECT 0")
    for _ in range(3):
        await one.timed("a day by hour, of the facts", lambda: table(**day, apart=False))
    async with one.pools.intake.acquire() as slow:
        facts = Numbers(slow)
        await one.timed("a month by operator, of the facts", lambda: facts.table(**month, apart=False))
    await one.pools.web.execute("DELETE FROM kpi_stale")
    for _ in range(3):
        await one.timed("a day made anew", lambda: one.rows.remake(*DAY))
    found = await one.rows.check(*DAY)
    if found.different or not found.compared:
        raise SystemExit(f"hour rows and facts differ: {found}")


async def upkeep(one: Filled) -> tuple[float, float]:
    """Milliseconds that storing an end of a call costs with hour rows and without, in turns."""
    costs: dict[bool, list[float]] = {True: [], False: []}
    connection = await asyncpg.connect(one.url, server_settings={"synchronous_commit": "off"})
    for turn in range(ENDS):
        kept = turn % 2 == 0
        await connection.execute(f"ALTER TABLE attempt {'ENABLE' if kept else 'DISABLE'} TRIGGER kpi_attempt")
        began = time.perf_counter()
        await connection.execute(ATTEMPTS, turn, turn, 1000, OPERATORS, BEGIN, one.size // 150)
        costs[kept].append((time.perf_counter() - began) * 1000)
    await connection.close()
    return statistics.median(costs[True]), statistics.median(costs[False])


async def crowd(one: Filled) -> dict[str, float]:
    """Transactions a second of eight writers who add to the same hour: to its one row, and as rows of their own."""
    await one.pools.web.execute("CREATE TABLE hot (hour integer PRIMARY KEY, n integer); INSERT INTO hot VALUES (1, 0)")
    ways = {
        "one row for all": "UPDATE hot SET n = n + 1 WHERE hour = 1",
        "rows of their own": "INSERT INTO kpi_delta (campaign_id, hour, attempts) VALUES (1, now(), 1)",
    }
    found = {}
    for name, statement in ways.items():
        began = time.perf_counter()
        async with asyncio.TaskGroup() as writers:
            for _ in range(WRITERS):
                writers.create_task(_write(one.pools.web, statement))
        found[name] = WRITERS * WRITES / (time.perf_counter() - began)
    return found


async def _write(pool: asyncpg.Pool[asyncpg.Record], statement: str) -> None:
    for _ in range(WRITES):
        await pool.execute(statement)


async def run(sizes: list[int]) -> int:
    """Fill, ask and judge; the smallest first."""
    results = []
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        for size in sorted(sizes):
            async with filled(Path(folder) / f"pg{size}", size) as one:
                await ask(one)
                for name in one.times:
                    print(f"    {name}: {one.median(name):.1f} ms, slowest {max(one.times[name]):.1f} ms", flush=True)
                with_rows, without = await upkeep(one)
                print(f"    an end of a call stored: {with_rows:.2f} ms with hour rows, {without:.2f} ms without")
                for way, per_s in (await crowd(one)).items():
                    print(f"    {WRITERS} writers of one hour, {way}: {per_s:.0f} a second", flush=True)
                results.append((one, with_rows - without))
    return judge(results)


def judge(results: list[tuple[Filled, float]]) -> int:
    """The last line; 0 when the goals are met."""
    (small, _), (large, upkeep_ms) = results[0], results[-1]
    growth = max(
        max(large.median(name), QUICK_MS) / max(small.median(name), QUICK_MS)
        for name in ("a day by hour", "a month by operator")
    )
    day, month, remake = (large.median(n) for n in ("a day by hour", "a month by operator", "a day made anew"))
    good = day <= DAY_MS and month <= MONTH_MS and remake <= REMAKE_S * 1000 and growth <= GROWTH
    day_ratio = large.median("a day by hour, of the facts") / day
    month_ratio = large.median("a month by operator, of the facts") / month
    print(
        f"kpi: {'' if good else 'falls short; '}{large.size:,} attempts: a day by hour {day:.0f} ms (goal {DAY_MS:g}), "
        f"{day_ratio:.0f} times as fast as from the facts; a month by operator {month:.0f} ms (goal {MONTH_MS:g}), "
        f"{month_ratio:.0f} times as fast; a day made anew in {remake / 1000:.1f} s (goal {REMAKE_S:g}); growth from "
        f"{small.size:,} {growth:.2f} (goal {GROWTH:g}); upkeep {upkeep_ms:.2f} ms an end of a call"
    )
    return 0 if good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench kpi", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    return asyncio.run(run(parser.parse_args(argv).sizes))
