"""The gate: decisions a second, and whether their cost stays as contacts grow; windows, numbers and order by oracles.

For each size a database of its own is filled with so many contacts, 90 % of them not due, 5 % of the others forbidden.
One engine claims ten at a time, as it does when it dials, in turns at each size, so that a busy machine is as busy for
all; the due ones are put back between rounds. A decision is a contact that was taken; those the gate sends away cost
time and are not counted.

    scripts/bench gate                                     10 k, 1 M and 10 M contacts: six quiet minutes, most to fill
    scripts/bench gate --sizes 10000 1000000               without the largest: one minute
    scripts/bench gate --sizes --windows                   every zone, every change of clocks 2020-2035, by the minute
    scripts/bench gate --sizes --hostile 1000000           strings that must not be dialled
    scripts/bench gate --sizes --interleavings 100000      forbidding and claiming at once: ten quiet minutes
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
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

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dialer.core.model import Campaign

SIZES = (10_000, 1_000_000, 10_000_000)
ROUNDS, CLAIMS, WANTED = 9, 40, 10
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
#: Keys are right as they are made, and indexes are made quicker when all is there.
TABLES = ("phone", "contact", "contact_phone")
INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
WHERE indrelid = 'contact'::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
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
    indexes = await connection.fetch(INDEXES)
    await connection.execute("SET maintenance_work_mem = '256MB'")
    for table in TABLES:
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    for statement, arguments in zip(FILL, ((size,), (size, base, row.id, now), (), ()), strict=True):
        await connection.execute(statement, *arguments, timeout=3600)
    for index in indexes:
        await connection.execute(index["definition"], timeout=3600)
    for table in TABLES:
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()
    return row.id


@dataclass
class Filled:
    """A database with an engine that claims.

    Attributes:
        costs_s: Seconds per decision of each round.
        claims_s: Seconds of each claim.
    """

    size: int
    pools: Pools
    store: PgStore
    campaign: Campaign
    now: datetime
    costs_s: list[float] = field(default_factory=list)
    claims_s: list[float] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, size: int, now: datetime) -> AsyncIterator[Filled]:
        """Made from nothing."""
        began = time.perf_counter()
        async with OwnServer(folder / f"postgres-{size}") as url:
            campaign_id = await fill(url, size, now)
            print(f"{size:,} contacts filled in {time.perf_counter() - began:.0f} s", flush=True)
            async with Pools.open(url) as pools:
                store = PgStore(pools.engine, url, clock=lambda: now)  # a lease for ever
                [campaign] = [one for one in await store.campaigns("main") if one.id == campaign_id]
                yield cls(size, pools, store, campaign, now + timedelta(seconds=1))
                await store.close()

    async def round(self) -> None:
        """Claim, and put back what was claimed."""
        lease = await self.store.take_lease("main", wait=True)
        if lease is None:
            raise SystemExit("gate: somebody else holds the lease")
        took_s, decisions = [], 0
        for _ in range(CLAIMS):
            ask = ClaimAsk(
                switch="main", epoch=lease.epoch, campaign=self.campaign, ids=[uuid4() for _ in range(WANTED)],
                free_operators=WANTED, ready_operator_ids=(), now=self.now,
            )  # fmt: skip
            start = time.perf_counter()
            result = await self.store.claim(ask)
            took_s.append(time.perf_counter() - start)
            decisions += len(result.claims)
        await self.store.release_lease(lease)
        self.costs_s.append(sum(took_s) / decisions)
        self.claims_s += took_s
        await self.pools.web.execute(BACK[0])
        await self.pools.web.execute(BACK[1], self.now)
        await self.pools.web.execute("VACUUM contact, attempt_live")

    @property
    def per_s(self) -> float:
        """Decisions a second, in the median round."""
        return 1 / statistics.median(self.costs_s)


async def speed(sizes: list[int]) -> tuple[list[str], bool]:
    """Fill and measure each size; figures, and whether they meet the goals."""
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with AsyncExitStack() as stack:
            filled = [await stack.enter_async_context(Filled.open(folder, size, now)) for size in sorted(sizes)]
            for turn in range(ROUNDS + 1):
                for each in filled:
                    await each.round()
                    if not turn:  # the first one warms plans and caches
                        each.costs_s.clear()
                        each.claims_s.clear()
    growth = statistics.median(
        large / small for small, large in zip(filled[0].costs_s, filled[-1].costs_s, strict=True)
    )
    words = [
        f"{each.size:,} contacts {each.per_s:,.0f} decisions/s (a claim of {WANTED}: p50 "
        f"{statistics.median(each.claims_s) * 1000:.1f} ms)"
        for each in filled
    ]
    good = all(each.per_s >= PER_S for each in filled) and growth <= GROWTH
    return [*words, f"goal {PER_S:,}; cost at the largest {growth:.2f} of the smallest (goal {GROWTH:g})"], good


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
