"""Are the numbers right? A month made up without the engine, stored late, twice and out of order, and counted again.

A generator writes a log of what happened: attempts of three campaigns in three zones, two of which change their clocks,
shifts, dispositions, contacts closed. PostgreSQL hears of it in batches, some days late, some told twice. Then every
number in every breakdown must equal, to the unit, what plain Python counts in the log; hour rows must equal the facts;
and parts must add up to their total.

    scripts/bench kpi_month                       2,000,000 attempts, 100 operators: an hour
    scripts/bench kpi_month --attempts 20000      a minute
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from dialer.core import kpi
from dialer.store.kpi import Numbers
from dialer.store.kpi_hours import FOLD, HourRows
from dialer.store.migrate import migrate
from dialer.store.pools import Pools, prepare_connection
from dialer.store.server import OwnServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from dialer.store.kpi import Row

ATTEMPTS, OPERATORS = 2_000_000, 100
BEGIN, DAYS = datetime(2026, 10, 5, tzinfo=UTC), 30
#: Campaign -> zone and customer. Berlin's clocks go back on 25 October, New York's on 1 November.
CAMPAIGNS = {1: ("Europe/Berlin", 1), 2: ("America/New_York", 1), 3: ("Asia/Kolkata", 2)}
#: Outcome -> weight, whether it rang for sure, whether a person answered.
OUTCOMES = {"connected": 20, "no_answer": 45, "busy": 12, "abandoned": 1, "early_hangup": 2, "machine": 8}
OUTCOMES |= {
    "invalid_number": 3,
    "congestion": 2,
    "rejected": 3,
    "failed": 1,
    "not_sent": 1,
    "unknown": 1,
    "cancelled": 1,
}
KINDS = {
    "lead": (True, True, "fresh", None),
    "refused": (False, False, "fresh", "price"),
    "gone": (False, False, "stale", None),
}
KINDS |= {"other": (False, True, "off_target", None), "no_need": (False, True, "fresh", "no_need")}
#: A contact of this world that was called more often than this is closed.
USED_UP = 3
SECOND, QUARTER = timedelta(seconds=1), timedelta(minutes=15)
STATES = {
    "ready": "ready_s",
    "ringing": "ringing_s",
    "preview": "preview_s",
    "talking": "talk_s",
    "wrap_up": "wrap_up_s",
    "paused": "paused_s",
}


@dataclass
class Log:
    """What happened: rows as the tables have them."""

    attempts: list[dict[str, Any]] = field(default_factory=list)
    dispositions: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    intervals: list[dict[str, Any]] = field(default_factory=list)


def invent(attempts: int, operators: int, seed: int) -> Log:
    """A month of facts."""
    chance, log = Random(seed), Log()
    people = max(20, attempts // 3)
    numbers: defaultdict[int, int] = defaultdict(int)
    for _ in range(attempts):
        contact = chance.randrange(1, people)
        campaign = 1 + contact % 3
        sent = BEGIN + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(6 * 3600, 23 * 3600))
        sent += timedelta(microseconds=chance.randrange(1_000_000))
        numbers[contact] += 1
        log.attempts.append(_attempt(chance, contact, campaign, sent, numbers[contact], operators))
        if log.attempts[-1]["outcome"] == "connected" and chance.random() < 0.95:
            log.dispositions.append(_said(chance, log.attempts[-1]))
    for contact in range(1, people):
        log.contacts[contact] = {"id": contact, "campaign_id": 1 + contact % 3, "base_id": 1 + contact % 6}
    for said in sorted(log.dispositions, key=lambda row: row["saved_at"]):
        if said["closes"] and "closed_by" not in log.contacts[said["contact_id"]]:
            close = {"closed_by": "disposition", "closed_at": said["saved_at"], "under": said}
            log.contacts[said["contact_id"]] |= close
    for attempt in sorted(log.attempts, key=lambda row: row["sent_at"], reverse=True):
        contact = attempt["contact_id"]
        if numbers[contact] > USED_UP and "closed_by" not in log.contacts[contact]:
            close = {
                "closed_by": chance.choice(("used_up", "dead")),
                "closed_at": attempt["ended_at"],
                "under": attempt,
            }
            log.contacts[contact] |= close
    for operator in range(1, operators + 1):
        for day in range(DAYS):
            _shift(log, chance, operator, BEGIN + timedelta(days=day, seconds=chance.randrange(6 * 3600, 12 * 3600)))
    return log


def _attempt(
    chance: Random, contact: int, campaign: int, sent: datetime, number: int, operators: int
) -> dict[str, Any]:
    outcome = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    talks, person = outcome == "connected", outcome in {"connected", "abandoned", "unknown"}
    answered = sent + chance.randint(3, 20) * SECOND if person or outcome in {"early_hangup", "machine"} else None
    heard = answered + timedelta(milliseconds=chance.randint(20, 1900)) if talks and answered else None
    late = sent > BEGIN + timedelta(days=15)
    return {
        "attempt_id": UUID(int=chance.getrandbits(128)),
        "contact_id": contact,
        "campaign_id": campaign,
        "base_id": 1 + contact % 6,
        "phone_id": contact,
        "switch": "main",
        "epoch": 1,
        "number": number,
        "profile": "world",
        "profile_version": 1,
        "sent_at": sent,
        "rang_at": sent + 2 * SECOND if outcome not in {"not_sent", "busy"} and chance.random() < 0.8 else None,
        "answered_at": answered,
        "operator_id": chance.randint(1, operators) if talks else None,
        "connected_at": heard,
        "ended_at": (heard or answered or sent) + chance.choice((0.2, 30, 200)) * SECOND,
        "outcome": outcome,
        "ended_by": "callee",
        "counts": True,
        "legal_answered": person,
        "legal_abandoned": outcome in {"abandoned", "unknown"},
        "caller_number": f"+1201555010{campaign}" if late else "+12015550100",
        "region": f"+1{201 + contact % 17}",
        "script": 2 if late else 1,
    }


def _said(chance: Random, attempt: dict[str, Any]) -> dict[str, Any]:
    code = chance.choice(list(KINDS))
    result, decides, verdict, reason = KINDS[code]
    kept = (
        "attempt_id",
        "campaign_id",
        "contact_id",
        "operator_id",
        "base_id",
        "number",
        "caller_number",
        "region",
        "script",
    )
    return {name: attempt[name] for name in kept} | {
        "key": str(attempt["attempt_id"]),
        "body_hash": b"",
        "code": code,
        "result": result,
        "closes": chance.random() < 0.5,
        "decision_maker": decides,
        "verdict": verdict,
        "reason": reason,
        "saved_at": attempt["ended_at"]
        + chance.randint(1, 900) * SECOND
        + timedelta(microseconds=chance.randrange(10**6)),
    }


def _shift(log: Log, chance: Random, operator: int, at: datetime) -> None:
    session, end = UUID(int=chance.getrandbits(128)), at + timedelta(hours=chance.randint(2, 8))
    state, campaign = "ready", None
    while at < end:
        until = at + timedelta(microseconds=chance.randrange(5_000_000, 1_500_000_000))
        log.intervals.append({
            "operator_id": operator, "session_id": session, "state": state, "started_at": at, "ended_at": until,
            "campaign_id": campaign if state in {"talking", "wrap_up"} else None,
        })  # fmt: skip
        at = until
        state = (
            "wrap_up"
            if state == "talking"
            else chance.choice(("ready", "ready", "ringing", "preview", "talking", "paused"))
        )
        campaign = campaign if state == "wrap_up" else chance.choice(list(CAMPAIGNS))


# The slow count: fact by fact, in plain Python ---------------------------------------


class Slow:
    """Every sum of every breakdown, from the log."""

    def __init__(self, log: Log, since: datetime, until: datetime) -> None:
        self.log, self.since, self.until = log, since, until
        self.sums: dict[str, dict[str, defaultdict[str, int]]] = {
            by: defaultdict(lambda: defaultdict(int)) for by in kpi.BREAKDOWNS
        }
        self.seen: defaultdict[tuple[str, str, str], set[int]] = defaultdict(set)
        for row in log.attempts:
            if since <= row["sent_at"] < until:
                self._tried(row)
        for row in log.dispositions:
            if since <= row["saved_at"] < until:
                facts = {
                    "said": 1,
                    "results": row["result"],
                    "decision_makers": row["decision_maker"],
                    row["verdict"]: 1,
                }
                self._add(row, row["saved_at"], facts, said=True)
        self._closed()
        self._time()
        for (by, key, name), contacts in self.seen.items():
            self.sums[by][key][name] = len(contacts)

    def keys(self, row: dict[str, Any], at: datetime) -> dict[str, str]:
        """The row's place in every breakdown it belongs to."""
        campaign = row["campaign_id"]
        zone, customer = CAMPAIGNS[campaign] if campaign else ("UTC", "")
        local = at.astimezone(ZoneInfo(zone))
        hour = at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        week = local.date() - timedelta(days=local.weekday())
        found = {
            "total": "total",
            "hour": hour.astimezone(UTC).isoformat(),
            "day": str(local.date()),
            "week": str(week),
        }
        found |= {"month": str(local.date().replace(day=1)), "campaign": str(campaign or ""), "customer": str(customer)}
        found["operator"] = str(row.get("operator_id") or "")
        if "region" in row:
            found |= {"base": str(row["base_id"]), "number": str(row["number"]), "region": row["region"]}
            found |= {"caller": row["caller_number"], "script": f"{campaign}.{row['script']}"}
        return found

    def _add(self, row: dict[str, Any], at: datetime, facts: dict[str, int], *, said: bool = False) -> None:
        places = self.keys(row, at)
        if said:
            places |= {"code": row["code"]} | ({"reason": row["reason"]} if row["reason"] else {})
        for by, key in places.items():
            sums = self.sums[by][key]
            for name, count in facts.items():
                if name in kpi.known(by):
                    sums[name] += count

    def _tried(self, row: dict[str, Any]) -> None:
        outcome = row["outcome"]
        reached = outcome == "connected" and row["ended_at"] - row["connected_at"] >= SECOND
        named = {"abandoned": "outcome_abandoned", "early_hangup": "early_hangups"}.get(outcome, outcome)
        facts = {
            "attempts": 1,
            "rang": rang(row),
            "answered": row["legal_answered"],
            "abandoned": row["legal_abandoned"],
        }
        self._add(row, row["sent_at"], facts | {"dialled": outcome != "not_sent", "reached": reached, named: 1})
        for by, key in self.keys(row, row["sent_at"]).items():
            if outcome != "not_sent":
                self.seen[by, key, "contacts_dialled"].add(row["contact_id"])
            if reached:
                self.seen[by, key, "contacts_reached"].add(row["contact_id"])

    def _closed(self) -> None:
        rings: defaultdict[int, int] = defaultdict(int)
        for row in self.log.attempts:
            rings[row["contact_id"]] += rang(row)
        for contact in self.log.contacts.values():
            by, at = contact.get("closed_by"), contact.get("closed_at")
            if at is None or not self.since <= at < self.until:
                continue
            under = contact["under"] if by == "disposition" else contact["under"] | {"operator_id": None}
            facts = {"closed": 1, "closed_by_disposition": by == "disposition", "closed_used_up": by == "used_up"}
            facts |= {"closed_dead": by == "dead", "stale": by == "dead", "calls_of_closed": rings[contact["id"]]}
            self._add(under, at, facts)

    def _time(self) -> None:
        shifts: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
        for row in self.log.intervals:
            shifts[row["session_id"]].append(row)
        for rows in shifts.values():
            rows.sort(key=lambda row: row["started_at"])
            owners = [row["campaign_id"] for row in rows]
            for place in range(len(owners) - 2, -1, -1):
                owners[place] = owners[place] or owners[place + 1]
            for place in range(1, len(owners)):
                owners[place] = owners[place] or owners[place - 1]
            for row, owner in zip(rows, owners, strict=True):
                self._worked(row, owner)

    def _worked(self, row: dict[str, Any], owner: int | None) -> None:
        at, end = max(row["started_at"], self.since), min(row["ended_at"], self.until)
        while at < end:
            until = min(end, at + QUARTER - (at - BEGIN) % QUARTER)
            self._add({"operator_id": row["operator_id"], "campaign_id": owner}, at, {
                STATES[row["state"]]: (until - at) // timedelta(microseconds=1)})  # fmt: skip
            at = until


def rang(row: dict[str, Any]) -> bool:
    """Whether an attempt rang."""
    return row["rang_at"] is not None or row["answered_at"] is not None or row["outcome"] == "no_answer"


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
    for first in range(0, len(heard), 500):
        batch: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for _, place in heard[first : first + 500]:
            table, _, row = events[place]
            batch[table].append(row)
        for table, rows in batch.items():
            await _store(connection, table, rows)
            for row in rows:
                row["heard"] = True
        if chance.random() < 0.1:
            await _close(connection, log, heard[min(len(heard) - 1, first + 500)][0])
    await _close(connection, log, BEGIN + timedelta(days=400))


async def _places(connection: asyncpg.Connection[asyncpg.Record], log: Log) -> None:
    for table in ("attempt", "disposition", "closing", "contact", "operator_interval"):
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
    for row in rows:
        await connection.execute(
            "INSERT INTO operator_interval (operator_id, session_id, state, started_at, ended_at, campaign_id)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING", *list(row.values())[:6],
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


async def _copy(connection: asyncpg.Connection[asyncpg.Record], table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.copy_records_to_table(
            table, records=[tuple(row.values()) for row in rows], columns=list(rows[0])
        )


# The comparison ----------------------------------------------------------------------


def differences(by: str, slow: Slow, rows: Iterable[Row]) -> list[str]:
    """What is not equal, one sentence each."""
    found, wrong = {row.key: row for row in rows}, []
    names = kpi.known(by) - {
        "live",
        "open_s",
        "clock_s",
        "voice_p50_ms",
        "voice_p95_ms",
        "voice_p99_ms",
        "offers_heard",
    }
    for key in sorted({*found, *slow.sums[by]}):
        counted = slow.sums[by].get(key, {})
        held = found[key].facts if key in found else {}
        for name in sorted(names):
            right = counted.get(name, 0) / (1e6 if name in kpi.TIME else 1)
            if held.get(name, 0) != right:
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
