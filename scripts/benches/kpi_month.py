"""Are the numbers right? A month made up without the engine, stored late, twice and out of order, and counted again.

A generator writes a log of what happened: attempts of three campaigns in three zones, two of which change their clocks,
shifts, dispositions, leads, contacts closed. PostgreSQL hears of it in batches, some days late, some told twice. Then
every number in every breakdown must equal, to the unit, what plain Python counts in the log; hour rows must equal the
facts; and parts must add up to their total.

    scripts/bench kpi_month                       2,000,000 attempts, 100 operators: an hour
    scripts/bench kpi_month --attempts 20000      a minute
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.core import kpi
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import FOLD, HourRows
from dialer.store.migrate import migrate
from dialer.store.pools import Pools, prepare_connection
from dialer.store.server import OwnServer
from scripts.benches.kpi_slow import Slow
from scripts.benches.kpi_world import BEGIN, CAMPAIGNS, DAYS, Log, invent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from dialer.store.kpi import Row

ATTEMPTS, OPERATORS = 2_000_000, 100


# How PostgreSQL hears of it ----------------------------------------------------------


async def tell(connection: asyncpg.Connection[asyncpg.Record], log: Log, seed: int) -> None:
    """In batches as things happen, one in twenty up to three days late; stretches of shifts sometimes twice."""
    chance = Random(seed)
    await _places(connection, log)
    contacts = [{"row_number": n["id"], "lane_id": 1, "phone_id": n["id"]} | {
        name: n[name] for name in ("id", "campaign_id", "base_id")} for n in log.contacts.values()]  # fmt: skip
    await _copy(connection, "contact", contacts)
    events = [("attempt", row["ended_at"], row) for row in log.attempts]
    events += [("disposition", row["saved_at"], row) for row in log.dispositions]
    events += [("operator_interval", row["ended_at"], row) for row in log.intervals]
    events += [("operator_interval", row["ended_at"], row) for row in log.intervals if chance.random() < 0.02]
    heard = sorted(
        (at + timedelta(seconds=chance.randrange(1, 260_000)) if chance.random() < 0.05 else at, place)
        for place, (_, at, _) in enumerate(events)
    )
    step, leads = max(500, len(heard) // 2000), Leads(log)
    for first in range(0, len(heard), step):
        batch: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for _, place in heard[first : first + step]:
            table, _, row = events[place]
            batch[table].append(row)
        for table, rows in batch.items():
            await _store(connection, table, rows)
            for row in rows:
                row["heard"] = True
        if chance.random() < 0.1:
            now = heard[min(len(heard) - 1, first + step)][0]
            await _close(connection, log, now)
            await leads.tell(connection, now)
    await _close(connection, log, BEGIN + timedelta(days=400))
    await leads.tell(connection, BEGIN + timedelta(days=400))
    if leads.waiting:
        raise SystemExit(f"{len(leads.waiting)} events of leads could not be told")


async def _places(connection: asyncpg.Connection[asyncpg.Record], log: Log) -> None:
    for table in ("attempt", "disposition", "closing", "contact", "operator_interval", "lead"):
        for name in await connection.fetch(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = $1::text::regclass AND tgname LIKE 'kpi%'", table
        ):
            await connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name['tgname']}")
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("DELETE FROM kpi_stale")
    same = {"team_id": 1, "trunk_id": 1, "mode": "progressive", "state": "running"}
    campaigns = [
        {"id": n, "name": f"c{n}", "customer_id": customer, "zone": zone} | same
        for n, (zone, customer) in CAMPAIGNS.items()
    ]
    await _copy(connection, "campaign", campaigns)
    people = {row["operator_id"] for row in log.intervals}
    await _copy(connection, "app_user", [
        {"id": n, "login": f"o{n}", "name": f"Operator {n}", "role": "operator", "password_hash": ""} for n in people
    ])  # fmt: skip


async def _store(connection: asyncpg.Connection[asyncpg.Record], table: str, rows: list[dict[str, Any]]) -> None:
    if table != "operator_interval":
        await _copy(connection, table, [{name: row[name] for name in row if name != "heard"} for row in rows])
        return
    await connection.executemany(
        "INSERT INTO operator_interval (operator_id, session_id, state, started_at, ended_at, campaign_id)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", [list(row.values())[:6] for row in rows],
    )  # fmt: skip


async def _close(connection: asyncpg.Connection[asyncpg.Record], log: Log, until: datetime) -> None:
    due = [
        one
        for one in log.contacts.values()
        if "closed_at" in one and "told" not in one and one["closed_at"] < until and "heard" in one["under"]
    ]
    for one in due:
        one["told"] = True
    await connection.execute(
        "UPDATE contact c SET state = 'closed', closed_by = n.by, closed_at = n.at"
        " FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS n (id, by, at) WHERE c.id = n.id",
        *([one[name] for one in due] for name in ("id", "closed_by", "closed_at")),
    )


class Leads:
    """Tells of leads, each step at its time and after what it needs.

    Attributes:
        waiting: Time, step and lead of what PostgreSQL has not heard, the first first.
    """

    def __init__(self, log: Log) -> None:
        steps = ("made_at", "decided_at", "client_at")
        self.waiting = sorted(
            ((lead[step], step, lead) for lead in log.leads for step in steps if step in lead),
            key=lambda one: (one[0], one[2]["id"]),
        )

    async def tell(self, connection: asyncpg.Connection[asyncpg.Record], now: datetime) -> None:
        """Tell what has happened by now; what needs something unheard waits."""
        due = [one for one in self.waiting if one[0] < now]
        left = self.waiting[len(due) :]
        told: list[tuple[str, dict[str, Any]]] = []
        for at, step, lead in due:
            if not self._may(step, lead):
                left.append((at, step, lead))
                continue
            lead[f"told_{step}"] = True
            told.append((step, lead))
        self.waiting = sorted(left, key=lambda one: (one[0], one[2]["id"]))
        for step, lead in told:
            await self._step(connection, step, lead)

    @staticmethod
    def _may(step: str, lead: dict[str, Any]) -> bool:
        if step == "made_at":
            return "heard" in lead["said"] and ("replaces" not in lead or "told_decided_at" in lead["replaces"])
        return ("told_made_at" if step == "decided_at" else "told_decided_at") in lead

    @staticmethod
    async def _step(connection: asyncpg.Connection[asyncpg.Record], step: str, lead: dict[str, Any]) -> None:
        if step == "made_at":
            said = lead["said"]
            row = {name: said[name] for name in ("attempt_id", "contact_id", "campaign_id", "operator_id")}
            row |= {"id": lead["id"], "customer_id": CAMPAIGNS[said["campaign_id"]][1], "phone_id": said["contact_id"]}
            row |= {"made_at": lead["made_at"], "due_at": lead["made_at"] + timedelta(days=1), "currency": "RUB"}
            row |= {"replaces": lead["replaces"]["id"] if "replaces" in lead else None}
            await _copy(connection, "lead", [row])
        elif step == "client_at":
            await connection.execute(
                "UPDATE lead SET state = 'client', client_at = $2 WHERE id = $1", lead["id"], lead["client_at"]
            )
        else:
            state, reason = ("accepted", None) if lead["accepted"] else ("rejected", "no budget")
            await connection.execute(
                "UPDATE lead SET state = $2, reason = $3, contacted_at = $4, decided_at = $4 WHERE id = $1",
                *(lead["id"], state, reason, lead["decided_at"]),
            )


async def _copy(connection: asyncpg.Connection[asyncpg.Record], table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.copy_records_to_table(
            table, records=[tuple(row.values()) for row in rows], columns=list(rows[0])
        )


# The comparison ----------------------------------------------------------------------


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


async def compare(table: Callable[..., Any], log: Log, since: datetime, until: datetime) -> tuple[int, list[str]]:
    """Every breakdown against the log, and parts against their total; how many rows, and what is wrong."""
    slow, rows, wrong = Slow(log, since, until), 0, []
    total: dict[str, float] = {}
    for by in kpi.BREAKDOWNS:
        found = await table(since=since, until=until, by=by, now=until)
        rows += len(found)
        wrong += differences(by, slow, found)
        total = total or dict(found[0].facts)
        for name in kpi.known(by) - kpi.APART - {"clock_s"}:
            parts = sum(round(row.facts[name] * 1e6) for row in found)
            said_of_closing = by == "code" and name == "stale"  # contacts without a number that exists are stale too
            if by != "reason" and not said_of_closing and parts != round(total[name] * 1e6):
                wrong.append(f"{by}: parts of {name} are {parts / 1e6}, the total is {total[name]}")
    return rows, wrong


@asynccontextmanager
async def told(log: Log, seed: int) -> AsyncIterator[tuple[Pools, str]]:
    """A database that was told the log."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        server = OwnServer(Path(folder) / "postgres")
        async with server as url:
            migrate(url)
            admin = await asyncpg.connect(url.replace("//dialer@", "//postgres@"), server_settings={"timezone": "UTC"})
            await prepare_connection(admin)
            await tell(admin, log, seed)
            await admin.execute("ANALYZE")
            await admin.close()
            async with Pools.open(url) as pools:
                yield pools, url


async def run(attempts: int, operators: int, seed: int) -> int:
    """Make it up, tell it, count it."""
    log = invent(attempts, operators, seed)
    month, odd = (BEGIN, BEGIN + timedelta(days=DAYS)), (BEGIN + timedelta(days=19.013), BEGIN + timedelta(days=28.507))
    async with told(log, seed) as (pools, _):
        hours = HourRows(pools.intake)
        rows, wrong = await compare(Numbers(pools.intake).table, log, *odd)  # nothing is folded yet
        while await hours.fold() == FOLD:
            pass
        for period in (month, odd):
            more, found = await compare(Numbers(pools.intake).table, log, *period)
            rows, wrong = rows + more, wrong + found
        checked = await hours.check(BEGIN - timedelta(days=1), BEGIN + timedelta(days=DAYS + 2))
    for sentence in wrong[:20]:
        print(sentence)
    good = not wrong and not checked.different and checked.compared > 0
    print(
        f"kpi_month: {'' if good else 'falls short; '}{attempts:,} attempts, {operators} operators, "
        f"{len(log.intervals):,} "
        f"stretches of shifts: {rows:,} rows in {len(kpi.BREAKDOWNS)} breakdowns, {len(wrong)} numbers differ from the "
        f"log or from their parts; {checked.compared:,} hour rows, {checked.different} differences from the facts"
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
