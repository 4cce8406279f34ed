"""How PostgreSQL hears of a made-up month: in batches, late, twice; leads, letters and promises step by step."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from scripts.benches.kpi_slow_money import CURRENCIES
from scripts.benches.kpi_world import BEGIN, CAMPAIGNS, Log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    import asyncpg

    #: When, and what is done then.
    Moment = tuple[datetime, Callable[[datetime, int], Awaitable[None]]]


async def tell(
    connection: asyncpg.Connection[asyncpg.Record], log: Log, seed: int, moments: Sequence[Moment] = ()
) -> None:
    """In batches as things happen, one in ten up to three days late; stretches of shifts sometimes twice.

    What was told keeps under ``heard`` in which batch, leads under ``told_`` and the step. A moment's work is done when
    its time has come, with the time and the number of the batch before.
    """
    chance, left = Random(seed), list(moments)
    await _places(connection, log)
    contacts = [{"row_number": n["id"], "lane_id": 1, "phone_id": n["id"]} | {
        name: n[name] for name in ("id", "campaign_id", "base_id")} for n in log.contacts.values()]  # fmt: skip
    await _copy(connection, "contact", contacts)
    events = [("attempt", row["ended_at"], row) for row in log.attempts]
    events += [("disposition", row["saved_at"], row) for row in log.dispositions]
    events += [("operator_interval", row["ended_at"], row) for row in log.intervals]
    events += [("operator_interval", row["ended_at"], row) for row in log.intervals if chance.random() < 0.02]
    heard = sorted(
        (at + timedelta(seconds=chance.randrange(1, 260_000)) if chance.random() < 0.1 else at, place)
        for place, (_, at, _) in enumerate(events)
    )
    step, leads = max(25, len(heard) // 2000), Leads(log)
    for turn, first in enumerate(range(0, len(heard), step), 1):
        batch: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for _, place in heard[first : first + step]:
            table, _, row = events[place]
            batch[table].append(row)
        for table, rows in batch.items():
            await _store(connection, table, rows)
            for row in rows:
                row.setdefault("heard", turn)
        now = heard[min(len(heard) - 1, first + step)][0]
        ready = left and now >= left[0][0]
        if ready or chance.random() < 0.1:
            await _close(connection, log, now)
            await leads.tell(connection, now, turn)
        if ready:
            await left.pop(0)[1](now, turn)
    await _close(connection, log, BEGIN + timedelta(days=400))
    await leads.tell(connection, BEGIN + timedelta(days=400), len(heard))
    if leads.waiting:
        raise SystemExit(f"{len(leads.waiting)} events of leads could not be told")


async def _places(connection: asyncpg.Connection[asyncpg.Record], log: Log) -> None:
    for table in ("attempt", "disposition", "closing", "contact", "operator_interval", "lead", "callback"):
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
    await _copy(connection, "lead_rule", [{"campaign_id": n, "currency": its[0]} for n, its in CURRENCIES.items()])
    await _copy(connection, "base", [
        base | {"name": f"b{base['id']}", "file_hash": bytes([base["id"]]), "rows_in": base["rows_loaded"],
            "rows_rejected": 0, "rows_withdrawn": base["rows_loaded"] if base["undone_at"] else 0}
        for base in log.bases
    ])  # fmt: skip
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
    """Tells of leads, letters and promises, each step at its time and after what it needs.

    Attributes:
        waiting: Time, step and lead, letter or promise of what PostgreSQL has not heard, the first first.
    """

    def __init__(self, log: Log) -> None:
        steps = ("made_at", "decided_at", "client_at")
        waiting = [(lead[step], step, lead) for lead in log.leads for step in steps if step in lead]
        waiting += [(letter["sent_at"], "sent_at", letter) for letter in log.letters if "sent_at" in letter]
        steps = ("promised_at", "moved_at", "closed_at")
        waiting += [(promise[step], step, promise) for promise in log.promises for step in steps if step in promise]
        self.waiting = sorted(waiting, key=lambda one: (one[0], one[1], one[2]["id"]))

    async def tell(self, connection: asyncpg.Connection[asyncpg.Record], now: datetime, turn: int) -> None:
        """Tell what has happened by now; what needs something unheard waits."""
        due = [one for one in self.waiting if one[0] < now]
        left = self.waiting[len(due) :]
        told: list[tuple[str, dict[str, Any]]] = []
        for at, step, lead in due:
            if not self._may(step, lead):
                left.append((at, step, lead))
                continue
            lead["heard" if step == "sent_at" else f"told_{step}"] = turn
            told.append((step, lead))
        self.waiting = sorted(left, key=lambda one: (one[0], one[1], one[2]["id"]))
        for step, lead in told:
            await self._step(connection, step, lead)

    @staticmethod
    def _may(step: str, lead: dict[str, Any]) -> bool:
        if step in {"sent_at", "promised_at"}:
            return "heard" in lead["said"]
        if step == "moved_at":
            return "told_promised_at" in lead
        if step == "closed_at":
            before = "told_moved_at" if "moved_at" in lead else "told_promised_at"
            return before in lead and "heard" in lead.get("kept", {"heard": 0})
        if step == "made_at":
            return "heard" in lead["said"] and ("replaces" not in lead or "told_decided_at" in lead["replaces"])
        return ("told_made_at" if step == "decided_at" else "told_decided_at") in lead

    @staticmethod
    async def _step(connection: asyncpg.Connection[asyncpg.Record], step: str, lead: dict[str, Any]) -> None:
        if step in {"promised_at", "moved_at", "closed_at"}:
            await _promise(connection, step, lead)
            return
        said = lead["said"]
        row = {name: said[name] for name in ("attempt_id", "contact_id", "campaign_id")}
        row |= {"id": lead["id"], "customer_id": CAMPAIGNS[said["campaign_id"]][1], "made_at": lead["made_at"]}
        if step == "sent_at":
            at = {"sent_at": lead["sent_at"], "closed_at": lead["sent_at"], "state": "sent"}
            await _copy(connection, "letter", [row | at | {"word": "w", "language": "en", "address": "a@b.example"}])
        elif step == "made_at":
            row |= {"phone_id": said["contact_id"], "operator_id": said["operator_id"]}
            row |= {"due_at": lead["made_at"] + timedelta(days=1), "currency": CURRENCIES[said["campaign_id"]][0]}
            row |= {"replaces": lead["replaces"]["id"] if "replaces" in lead else None}
            await _copy(connection, "lead", [row])
        elif step == "client_at":
            await connection.execute(
                "UPDATE lead SET state = 'client', client_at = $2, revenue = $3 WHERE id = $1",
                *(lead["id"], lead["client_at"], lead["revenue"]),
            )
        else:
            state, reason = ("accepted", None) if lead["accepted"] else ("rejected", "no budget")
            await connection.execute(
                "UPDATE lead SET state = $2, reason = $3, contacted_at = $4, decided_at = $4 WHERE id = $1",
                *(lead["id"], state, reason, lead["decided_at"]),
            )


async def _promise(connection: asyncpg.Connection[asyncpg.Record], step: str, promise: dict[str, Any]) -> None:
    """A promise made by whoever said so; moved, it is handed over as well."""
    due = promise["due_at"]
    if step == "promised_at":
        said, moved = promise["said"], "moved_at" in promise
        row = {name: said[name] for name in ("contact_id", "campaign_id")} | {"phone_id": said["contact_id"]}
        row |= {"id": promise["id"], "made_by_attempt": said["attempt_id"], "promised_at": promise["promised_at"]}
        row |= dict.fromkeys(("due_at", "next_at"), promise["due_before"] if moved else due)
        row |= {"operator_id": said["operator_id"] if moved else promise["operator_id"]}
        await _copy(connection, "callback", [row])
    elif step == "moved_at":
        await connection.execute(
            "UPDATE callback SET due_at = $2, next_at = $2, operator_id = $3, moves = moves + 1 WHERE id = $1",
            *(promise["id"], due, promise["operator_id"]),
        )
    else:
        await connection.execute(
            "UPDATE callback SET state = $2, closed_at = $3, kept_by_attempt = $4 WHERE id = $1",
            *(promise["id"], promise["state"], promise["closed_at"], promise.get("kept", {}).get("attempt_id")),
        )


async def _copy(connection: asyncpg.Connection[asyncpg.Record], table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.copy_records_to_table(
            table, records=[tuple(row.values()) for row in rows], columns=list(rows[0])
        )
