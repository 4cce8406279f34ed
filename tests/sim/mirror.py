"""The simulated database and a real PostgreSQL side by side: every statement runs on both and must say the same.

The day is lived on the memory's answers; PostgreSQL does each statement at the same simulated instant, through the
store's own code. So a difference is found at the statement that made it, and at the end the tables are compared.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.engine.ports import Lease
from dialer.errors import DialerError
from dialer.store import do_not_call
from dialer.store.campaigns import rule_to_json
from dialer.store.dispositions import Dispositions
from dialer.store.pools import prepare_connection, transaction
from dialer.store.store import PgStore
from tests.sim.loop import START
from tests.sim.memory import Tables
from tests.sim.rows import LONG_AGO, NEVER
from tests.sim.site import SWITCH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from uuid import UUID

    from dialer.core.model import Campaign
    from dialer.engine.ports import ClaimAsk, ClaimResult, Due, Journal, Recovered, ReturnAsk, ReturnResult
    from tests.sim.loop import SimLoop
    from tests.sim.rows import Form, Saved


class Differs(AssertionError):
    """Memory and PostgreSQL said different things."""


class MirroredTables(Tables):
    """``Tables`` with PostgreSQL beside them."""

    def __init__(self, loop: SimLoop, url: str) -> None:
        super().__init__()
        self._loop = loop
        self._url = url
        self._pool: asyncpg.Pool[asyncpg.Record] = loop.run_real(self._open())
        self._store = PgStore(self._pool, url, clock=self._now, boot_s=loop.time)
        self._dispositions = Dispositions(self._pool)

    async def _open(self) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=1,
            max_queries=10**9,  # the pool makes the next connection in the background, where time stands still
            max_inactive_connection_lifetime=0,
            init=prepare_connection,
            server_settings={
                "timezone": "UTC",
                "jit": "off",
                "synchronous_commit": "off",
            },  # answers are compared, not kept
        )

    def close(self) -> None:
        """Let PostgreSQL go."""
        self._loop.run_real(self._pool.close())

    def _now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())

    # Side by side ----------------------------------------------------------------

    def _both(self, name: str, mine: Callable[[], Any], theirs: Callable[[], Awaitable[Any]]) -> Any:
        """What memory says, if PostgreSQL says the same.

        Raises:
            Differs: it does not.
        """
        error: DialerError | None = None
        result = said = None
        try:
            result = mine()
        except DialerError as refused:
            error = refused

        async def ask() -> Any:
            return await theirs()

        try:
            said = self._loop.run_real(ask())
        except DialerError as refused:
            if error is None or error.code != refused.code:
                self._differ(name, error or result, f"{refused.code}: {refused}")
        else:
            if error is not None or not _same(result, said):
                self._differ(name, error or result, said)
        if error is not None:
            raise error
        return result

    def _differ(self, name: str, mine: object, theirs: object) -> None:
        self._loop.fail(Differs(f"{name}\n  memory:     {mine!r}\n  PostgreSQL: {theirs!r}"))

    def _run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        return self._loop.run_real(transaction(self._pool, work))

    # Statements ----------------------------------------------------------------------

    def claim(self, ask: ClaimAsk, boot_s: float = 0.0) -> ClaimResult:
        result: ClaimResult = self._both(
            "claim", lambda: super(MirroredTables, self).claim(ask, boot_s), lambda: self._store.claim(ask)
        )
        return result

    def take_return(self, ask: ReturnAsk) -> ReturnResult:
        result: ReturnResult = self._both(
            "take_return", lambda: super(MirroredTables, self).take_return(ask), lambda: self._store.take_return(ask)
        )
        return result

    def write(self, journal: Journal, switch: str, epoch: int) -> None:
        self._store._keeper.held = Lease(switch=switch, epoch=epoch, expires_in_s=10.0)
        self._both(
            "write",
            lambda: super(MirroredTables, self).write(journal, switch, epoch),
            lambda: self._store.write(journal),
        )

    def recover(self, switch: str) -> Recovered:
        result: Recovered = self._both(
            "recover", lambda: super(MirroredTables, self).recover(switch), lambda: self._store.recover(switch)
        )
        return result

    def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, Sequence[Due]]:
        result: Mapping[int, Sequence[Due]] = self._both(
            "callbacks_due",
            lambda: super(MirroredTables, self).callbacks_due(campaign_ids, until),
            lambda: self._store.callbacks_due(campaign_ids, until),
        )
        return result

    def learned(self, campaign_id: int) -> Mapping[str, float]:
        result: Mapping[str, float] = self._both(
            "learned",
            lambda: super(MirroredTables, self).learned(campaign_id),
            lambda: self._store.learned(campaign_id),
        )
        return result

    def save_disposition(self, attempt_id: UUID, key: str, form: Form, operator_id: int | None, now: datetime) -> Saved:
        def mine() -> Saved:
            return super(MirroredTables, self).save_disposition(attempt_id, key, form, operator_id, now)

        if operator_id is None:
            return mine()  # by a key of the offer: a part of the journal
        results: list[Saved] = []

        async def theirs() -> Any:
            saved = await self._dispositions.save(
                attempt_id=attempt_id,
                operator_id=operator_id,
                key=key,
                body_hash=hashlib.sha256(repr(form).encode()).digest(),
                code=form.code,
                now=now,
                due_at=form.callback_at,
                callback_operator_id=operator_id if form.callback_to_me else None,
            )
            return saved.attempt_id, saved.code, saved.saved_at

        def told() -> tuple[Any, ...]:
            results.append(mine())
            return results[0].attempt_id, results[0].form.code, results[0].saved_at

        self._both("save_disposition", told, theirs)
        return results[0]

    def forbid(self, phone_id: int, scope: str, campaign: Campaign, now: datetime) -> None:
        super().forbid(phone_id, scope, campaign, now)
        about = do_not_call.Scope(word=scope, customer_id=campaign.customer_id, campaign_id=campaign.id)
        self._run(lambda c: do_not_call.forbid(c, phone_id, about, reason="", added_by=None, at=now))

    def lease_changed(self, switch: str) -> None:
        row = self.leases[switch]
        sql = """INSERT INTO engine_lease (switch, epoch, holder, expires_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (switch) DO UPDATE SET epoch = $2, holder = $3, expires_at = $4"""
        holder = {"name": row.holder.name} if row.holder else None
        expires_at = START + timedelta(seconds=row.expires_at)
        self._run(lambda c: c.execute(sql, switch, row.epoch, holder, expires_at))

    # The morning and the evening --------------------------------------------------------

    def copy(self, operators: int) -> None:
        """Load into PostgreSQL what was loaded here."""
        self._run(lambda c: self._copy(c, operators))

    async def _copy(self, connection: Any, operators: int) -> None:
        fill = "OVERRIDING SYSTEM VALUE VALUES"
        await connection.execute(f"INSERT INTO customer (id, name) {fill} (1, 'acme'), (2, 'umbrella')")
        await connection.execute(f"INSERT INTO team (id, name, switch) {fill} (1, 'one', '{SWITCH}')")
        people = [(i, f"operator{i}") for i in range(1, operators + 1)]
        await connection.executemany(
            f"INSERT INTO app_user (id, login, name, role, password_hash, team_id) {fill} ($1, $2, $2, 'operator', '', 1)",
            people,
        )
        for campaign in self.campaigns.values():
            await self._copy_campaign(connection, campaign, fill)
        await connection.executemany(
            f"INSERT INTO phone (id, e164) {fill} ($1, $2)", [(p.id, p.e164) for p in self.phones.values()]
        )
        await self._copy_contacts(connection, fill)

    async def _copy_campaign(self, connection: Any, campaign: Campaign, fill: str) -> None:
        trunk = campaign.trunk
        await connection.execute(
            f"INSERT INTO trunk (id, name, kind, max_channels, calls_per_s) {fill} ($1, $2, $3, $4, $5) "
            "ON CONFLICT DO NOTHING",
            *(trunk.id, trunk.name, trunk.kind, trunk.max_channels, trunk.calls_per_s),
        )
        values = {
            "id": campaign.id,
            "name": campaign.name,
            "customer_id": campaign.customer_id,
            "team_id": campaign.team_id,
            "trunk_id": trunk.id,
            "mode": campaign.mode,
            "state": campaign.state,
            "zone": campaign.zone,
            "profile": campaign.profile.id,
            "wrap_up_s": campaign.wrap_up_s,
            "cap_permille": campaign.cap_permille,
            "caller_number": campaign.caller_number,
            "attempts_max": campaign.attempts_max,
            "preview_s": campaign.preview_s,
            "preview_calls": campaign.preview_calls,
            "listening_shown": campaign.listening_shown,
            "offer": campaign.offer,
            "keys": dict(campaign.keys),
        }
        places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await connection.execute(f"INSERT INTO campaign ({', '.join(values)}) {fill} ({places})", *values.values())
        kinds = [
            (
                *(campaign.id, kind.code, place, kind.name_ru, kind.name_en, kind.result, kind.closes),
                *(sorted(kind.needs), kind.dnc_scope, rule_to_json(kind.retry) if kind.retry else None),
            )
            for place, kind in enumerate(campaign.dispositions.values())
        ]
        await connection.executemany(
            "INSERT INTO disposition_kind (campaign_id, code, place, name_ru, name_en, result, closes, needs, dnc_scope, "
            "retry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            kinds,
        )
        budget = self.budgets[campaign.id]
        await connection.execute(
            "INSERT INTO abandon_budget (campaign_id, starts_at, ends_at, cap_permille) VALUES ($1, $2, $3, $4)",
            *(campaign.id, budget.starts_at, budget.ends_at, budget.cap_permille),
        )
        await connection.execute(
            f"INSERT INTO base (id, campaign_id, name, file_hash, rows_in, rows_loaded, rows_rejected) {fill} "
            "($1, $1, 'base', '', 0, 0, 0)",
            campaign.id,
        )

    async def _copy_contacts(self, connection: Any, fill: str) -> None:
        lanes = [
            (lane.id, campaign_id, list(lane.zones), lane.priority)
            for campaign_id, of_campaign in self._lanes_of.items()
            for lane in of_campaign
        ]
        await connection.executemany(
            f"INSERT INTO lane (id, base_id, campaign_id, zones, priority) {fill} ($1, $2, $2, $3, $4)", lanes
        )
        contacts = self.contacts.values()
        await connection.executemany(
            f"INSERT INTO contact (id, base_id, campaign_id, row_number, lane_id, phone_id) {fill} ($1, $2, $2, $5, $3, $4)",
            [(c.id, c.campaign_id, c.lane.id, c.phone_id, c.id) for c in contacts],
        )
        await connection.executemany(
            "INSERT INTO contact_phone (contact_id, place, phone_id) VALUES ($1, $2, $3)",
            [(c.id, place, phone) for c in contacts for place, phone in enumerate(c.phones, 1)],
        )

    def differences(self) -> list[str]:
        """What the tables of both hold differently, a line a row."""
        found = []
        for table, mine in self._mine().items():
            columns, where = COLUMNS[table]
            query = f"SELECT {columns} FROM {where}"  # noqa: S608 -- fixed words, see COLUMNS
            theirs = {tuple(map(_finite, row)) for row in self._run(partial(_fetch, query))}
            found += [f"{table}: only in memory: {row}" for row in sorted(map(str, mine - theirs))]
            found += [f"{table}: only in PostgreSQL: {row}" for row in sorted(map(str, theirs - mine))]
        return found

    def _mine(self) -> dict[str, set[tuple[Any, ...]]]:
        ended = [f.ended for f in self.attempts.values()]
        rows: dict[str, list[tuple[object, ...]]] = {
            "contact": [(c,) for c in self.contacts.values()],
            "phone": [(p,) for p in self.phones.values()],
            "attempt": [(e, e.attempt) for e in ended],
            "attempt_live": [(row.attempt,) for row in self.live.values()],
            "disposition": [(s, s.form) for s in self.dispositions.values()],
            "callback": [(c,) for c in self.callbacks.values()],
            "operator_interval": [(i,) for i in self.intervals.values()],
            "operator_live": [(o,) for o in self.operators.values()],
            "abandon_budget": [(b,) for b in self.budgets.values()],
            "preview": [(s.preview,) for s in self.previews.values()],
            "preview_end": [(e, e.preview) for e in self.preview_ends.values()],
            "return_call": [(r,) for r in self.returns.values()],
        }
        picked = {table: {_pick(COLUMNS[table][0], row) for row in found} for table, found in rows.items()}
        dead = {(c.id, phone) for c in self.contacts.values() for phone in c.dead}
        return picked | {"contact_phone": dead, "do_not_call": set(self.do_not_call)}


ENDED = "ended_at, outcome, ended_by, cause, sip_code, key, callback_id, counts, legal_answered, legal_abandoned"
#: Which columns are compared, and of which rows; names as in memory.
COLUMNS = {
    "contact": (
        "id, state, closed_by, closed_at, phone_id, attempts, counted, next_at, promised, decided_by, refused_by",
        "contact",
    ),
    "contact_phone": ("contact_id, phone_id", "contact_phone WHERE dead"),
    "phone": ("id, not_before, held_until", "phone"),
    "attempt": (
        f"attempt_id AS id, contact_id, number, sent_at, rang_at, answered_at, waiting_at, operator_id, connected_at, asked, came_in, {ENDED}",
        "attempt",
    ),
    "attempt_live": ("attempt_id AS id, state, operator_id, asked, came_in", "attempt_live"),
    "disposition": ("attempt_id, key, code, operator_id, saved_at", "disposition"),
    "callback": (
        "id, contact_id, made_by_attempt, due_at, next_at, operator_id, state, closed_at, kept_by_attempt, urgent",
        "callback",
    ),
    "do_not_call": ("phone_id, scope, coalesce(customer_id, campaign_id)", "do_not_call"),
    "preview": ("preview_id AS id, operator_id, contact_id, phone_id, offered_at", "preview"),
    "preview_end": ("preview_id AS id, operator_id, contact_id, offered_at, ended_at, how, reason", "preview_end"),
    "return_call": ("id, contact_id, came_at, ended_at, outcome, why", "return_call"),
    "operator_interval": (
        "operator_id, session_id, state, started_at, ended_at, reason, campaign_id, attempt_id",
        "operator_interval",
    ),
    "operator_live": ("operator_id, session_id, state, since, until, pause_after, leaving", "operator_live"),
    "abandon_budget": ("campaign_id, starts_at, answered, abandoned, uncovered", "abandon_budget"),
}


async def _fetch(query: str, connection: Any) -> Any:
    return await connection.fetch(query)


def _pick(columns: str, sources: tuple[object, ...]) -> tuple[Any, ...]:
    """A row of memory as PostgreSQL would give it."""
    names = [column.split()[-1] for column in columns.split(", ")]
    return tuple(next(getattr(source, name) for source in sources if hasattr(source, name)) for name in names)


def _finite(value: Any) -> Any:
    """Infinity as the memory writes it."""
    if isinstance(value, datetime) and value.year in {1, 9999}:
        return NEVER if value.year == 9999 else LONG_AGO
    return value


def _same(mine: Any, theirs: Any) -> Any:
    """Equal, means within rounding, and sequences of any kind by their items."""
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(_same(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, float):
        return abs(mine - theirs) < 1e-5
    if hasattr(mine, "__dataclass_fields__"):
        names = [name for name in mine.__dataclass_fields__ if name != "boot_s"]
        return all(_same(getattr(mine, name), getattr(theirs, name)) for name in names)
    if isinstance(mine, list | tuple):
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    return mine == theirs
