"""The gate: decisions a second, and whether their cost stays as contacts grow; windows, numbers and order by oracles.

For each size a database of its own is filled with so many contacts, 90 % of them not due. One engine claims ten at a
time, as it does when it dials; the due ones are put back between blocks. A decision is a contact that was taken.

    scripts/bench gate                                     10 k, 1 M and 10 M contacts; the last fills for minutes
    scripts/bench gate --sizes 10000 1000000               without the largest
    scripts/bench gate --sizes --windows                   every zone, every change of clocks 2020-2035, by the minute
    scripts/bench gate --sizes --hostile 1000000           strings that must not be dialled
    scripts/bench gate --sizes --interleavings 100000      forbidding and claiming at once
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg

from dialer import profiles
from dialer.core.model import CampaignState
from dialer.engine.ports import ClaimAsk
from dialer.store.migrate import migrate
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.store.users import Actor
from scripts.benches import gate_order, gate_windows

SIZES = (10_000, 1_000_000, 10_000_000)
BLOCKS, CLAIMS, WANTED = 5, 40, 10
#: The goals.
PER_S, GROWTH = 1000, 1.5
NOBODY = Actor()

FILL = (
    "INSERT INTO phone (e164) SELECT '+1' || (2000000000 + n) FROM generate_series(1, $1::bigint) AS n",
    """INSERT INTO contact (base_id, campaign_id, row_number, lane_id, phone_id, name, attributes, next_at)
       SELECT $2, $3, n, lane.ids[1 + n % 4], n, 'Contact ' || n, '{"city": "Springfield"}',
           $4::timestamptz + CASE n % 10 WHEN 0 THEN interval '-1 day' ELSE interval '1 day' END + n * interval '1 ms'
       FROM generate_series(1, $1::bigint) AS n, (SELECT array_agg(id) AS ids FROM lane) AS lane""",
    "INSERT INTO contact_phone (contact_id, place, phone_id) SELECT id, 1, phone_id FROM contact",
    "INSERT INTO do_not_call (phone_id, scope) SELECT id, 'global' FROM phone WHERE id % 200 = 0",
)
BACK = (
    "DELETE FROM attempt_live",
    "UPDATE contact SET next_at = $1::timestamptz - interval '1 day' + id * interval '1 ms' WHERE next_at = 'infinity'",
)


async def fill(url: str, size: int, now: datetime) -> int:
    """A running campaign with so many contacts; its id."""
    migrate(url)
    async with Pools.open(url) as pools:
        campaigns = Stores.of(pools).campaigns
        await campaigns.set_trunk("world", kind="world", actor=NOBODY)
        values = {"name": "gate", "mode": "ivr", "offer": "news", "customer": "a", "team": "b", "trunk": "world"}
        row = await campaigns.create({**values, "profile": "world", "operator_free": True}, actor=NOBODY)
        await campaigns.set_state(row.id, CampaignState.RUNNING, actor=NOBODY)
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    base = await connection.fetchval(
        "INSERT INTO base (campaign_id, name, file_hash, rows_in, rows_loaded, rows_rejected)"
        " VALUES ($1, 'gate', '', $2, $2, 0) RETURNING id", row.id, size,
    )  # fmt: skip
    for zone in ("UTC", "Europe/Moscow", "America/New_York", "Asia/Vladivostok"):
        await connection.execute(
            "INSERT INTO lane (base_id, campaign_id, zones) VALUES ($1, $2, $3)", base, row.id, [zone]
        )
    for statement, arguments in zip(FILL, ((size,), (size, base, row.id, now), (), ()), strict=True):
        await connection.execute(statement, *arguments, timeout=3600)
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()
    return row.id


async def measure(url: str, campaign_id: int, now: datetime) -> list[float]:
    """Seconds per decision of each block."""
    async with Pools.open(url) as pools:
        store = PgStore(pools.engine, url)
        lease = await store.take_lease("main", wait=False)
        if lease is None:
            raise SystemExit("gate: somebody else holds the lease")
        [campaign] = [one for one in await store.campaigns("main") if one.id == campaign_id]
        costs = []
        for _ in range(BLOCKS + 1):
            await store.renew_lease(lease)
            took, decisions = 0.0, 0
            for _ in range(CLAIMS):
                ask = ClaimAsk(
                    switch="main", epoch=lease.epoch, campaign=campaign, ids=[uuid4() for _ in range(WANTED)],
                    free_operators=WANTED, ready_operator_ids=(), now=now,
                )  # fmt: skip
                start = time.perf_counter()
                result = await store.claim(ask)
                took += time.perf_counter() - start
                decisions += len(result.claims)
            costs.append(took / decisions)
            await pools.web.execute(BACK[0])
            await pools.web.execute(BACK[1], now)
            await pools.web.execute("VACUUM contact, attempt_live")
        await store.release_lease(lease)
        await store.close()
    return costs[1:]  # the first one warms plans and caches


async def speed(sizes: list[int]) -> tuple[list[str], bool]:
    """Fill and measure each size; figures, and whether they meet the goals."""
    words, costs, now = [], {}, datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        for size in sizes:
            async with OwnServer(Path(folder) / f"postgres-{size}") as url:
                began = time.perf_counter()
                campaign_id = await fill(url, size, now)
                filled_s = time.perf_counter() - began
                costs[size] = statistics.median(await measure(url, campaign_id, now + timedelta(seconds=1)))
            print(
                json.dumps({"contacts": size, "ms_per_decision": costs[size] * 1000, "filled_s": round(filled_s)}),
                flush=True,
            )
            words.append(f"{size:,} contacts {1 / costs[size]:,.0f} decisions/s")
    growth = costs[max(sizes)] / costs[min(sizes)]
    good = all(1 / cost >= PER_S for cost in costs.values()) and growth <= GROWTH
    return [*words, f"cost at the largest {growth:.2f} of the smallest"], good


async def order(total: int) -> tuple[list[str], bool]:
    """Forbidding and claiming at once."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        async with OwnServer(Path(folder) / "postgres") as url:
            migrate(url)
            forbidden, claimed, after = await gate_order.interleave(url, total, seed=1)
    words = [f"{forbidden:,} interleavings: {after} calls after the answer ({claimed:,} claimed before it)"]
    return words, not after and claimed > 0


def clocks() -> tuple[list[str], bool]:
    """Every zone, every change of clocks."""
    names = gate_windows.zones()
    asked, wrong = gate_windows.windows(names)
    return [f"{asked:,} minutes of {len(names)} zones: {wrong} errors"], not wrong


def dialled(total: int) -> tuple[list[str], bool]:
    """Hostile strings at a profile's allowed prefixes."""
    rules = profiles.load("de")
    passed, wrong = gate_windows.outside(gate_windows.hostile(total), rules.allow, rules.deny)
    return [f"{total:,} hostile strings: {wrong} outside the allowed prefixes ({passed:,} were numbers)"], not wrong


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench gate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES), help="contacts; none: no speed")
    parser.add_argument("--windows", action="store_true", help="every zone around every change of clocks")
    parser.add_argument("--hostile", type=int, default=0, help="how many strings")
    parser.add_argument("--interleavings", type=int, default=0, help="how many")
    given = parser.parse_args(argv)
    parts = []
    if given.windows:
        parts.append(clocks())
    if given.hostile:
        parts.append(dialled(given.hostile))
    if given.interleavings:
        parts.append(asyncio.run(order(given.interleavings)))
    if given.sizes:
        parts.append(asyncio.run(speed(given.sizes)))
    good = all(well for _, well in parts)
    print(f"gate: {'' if good else 'falls short; '}{'; '.join(word for words, _ in parts for word in words)}")
    return 0 if good else 1
