"""Promises to call back, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dialer.core import callbacks as promises
from dialer.core import kpi
from dialer.core.model import CallbackState, OperatorState
from dialer.errors import NotFound, Refused
from dialer.store import campaigns
from dialer.store.dispositions import check_promise, counted_until
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.standing import whys
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("callback")

#: Rows of a page.
ROWS = 50
#: Lists of promises that are over, by the states in them.
_CLOSED = {
    "kept": [CallbackState.KEPT],
    "broken": [CallbackState.BROKEN, CallbackState.BLOCKED],
    "moved": [],
    "cancelled": [CallbackState.CANCELLED],
}
_COUNTS = ("promises_kept", "promises_broken", "promises_late")
#: What the service does by rule is nobody's doing.
SERVICE = Actor()


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """A promise.

    Attributes:
        due_at: As promised.
        next_at: When it is tried next; later than ``due_at`` after a busy line.
        late: Pending, and more than a minute behind its promised time.
    """

    id: int
    campaign_id: int
    contact_id: int
    contact: str
    phone: str
    zones: Sequence[str]
    due_at: datetime
    next_at: datetime
    operator_id: int | None
    note: str
    state: str
    moves: int
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which promises.

    Attributes:
        show: ``pending``, ``due``, ``late``, ``kept``, ``broken``, ``moved`` or ``cancelled``.
        anybody: Only those promised with nobody in particular.
        q: Part of a contact's name.
        fact: Instead of a list of the board: those that a number counts, a word of ``core.kpi.PROMISED``.
        since: With ``fact``: from when its facts are.
        to: To when, outside.
        by: A breakdown of ``core.kpi.OWNERS``, with ``fact``: only of its row ``part``.
    """

    show: str = "pending"
    campaign_id: int | None = None
    operator_id: int | None = None
    anybody: bool = False
    q: str = ""
    fact: str | None = None
    since: datetime | None = None
    to: datetime | None = None
    by: str | None = None
    part: str | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of the board; ``next`` is the cursor of the page after, None on the last."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None


class Callbacks:
    """Lists, cancels, moves and hands over promises."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        now: datetime,
        campaign_id: int | None = None,
        state: CallbackState | None = None,
        limit: int = 200,
    ) -> Sequence[Callback]:
        """Promises, the pending ones first and of them the next one."""
        with store_errors():
            rows = await SQL["callback_list"].fetch(
                self._pool, campaign_id=campaign_id, state=state, id=None, limit=limit
            )
        return [_callback(row, now) for row in rows]

    async def cancel(self, callback_id: int, *, reason: str, actor: Actor, now: datetime) -> Callback:
        """Cancel a promise; who did and why stays with it.

        Raises:
            NotFound: ``callback.not_found``.
            Refused: ``callback.closed``: it is not pending any more.
        """

        async def work(connection: Connection) -> Callback:
            row = await _locked(connection, callback_id)
            await SQL["callback_cancel"].execute(connection, id=callback_id, now=now, user_id=actor.user_id)
            await changed(connection, row, "cancelled", reason, actor, now)
            before, after = {"due_at": row["due_at"].isoformat()}, {"reason": reason}
            await note(connection, actor, "callback.cancel", f"callback:{callback_id}", before=before, after=after)
            return await _one(connection, callback_id, now)

        return await transaction(self._pool, work)

    async def move(self, callback_id: int, *, due_at: datetime, reason: str, actor: Actor, now: datetime) -> Callback:
        """Promise another time.

        Raises:
            NotFound: ``callback.not_found``.
            Refused: ``callback.closed``, ``callback.past``, ``callback.outside_window``, ``callback.too_soon``.
        """

        async def work(connection: Connection) -> Callback:
            row = await _locked(connection, callback_id)
            [campaign] = await campaigns.read(connection, campaign_id=row["campaign_id"])
            campaign = campaigns.for_callee(campaign, row["countries"])
            soonest = max(row["not_before"], await counted_until(connection, row["phone_id"], campaign, now))
            check_promise(due_at, now, row["zones"], campaign, soonest)
            known = {"id": callback_id, "due_before": row["due_at"]}
            await SQL["callback_move"].execute(connection, **known, due_at=due_at)
            await changed(connection, row, "moved", reason, actor, now)
            before, after = {"due_at": row["due_at"].isoformat()}, {"due_at": due_at.isoformat(), "reason": reason}
            await note(connection, actor, "callback.move", f"callback:{callback_id}", before=before, after=after)
            return await _one(connection, callback_id, now)

        return await transaction(self._pool, work)

    async def own_contact(self, callback_id: int, *, operator_id: int) -> int:
        """Whom this operator promised to call back; the contact's id.

        Raises:
            NotFound: ``callback.not_found``: it is another's, or not pending.
        """
        with store_errors():
            found = await SQL["callback_own"].fetchval(self._pool, id=callback_id, operator_id=operator_id)
        if found is None:
            raise _no_callback()
        return int(found)

    async def call_now(self, callback_id: int, *, operator_id: int, actor: Actor, now: datetime) -> None:
        """The operator of a promise keeps it now; the gate is asked when the contact is taken.

        Raises:
            NotFound: ``callback.not_found``: it is another's, or not pending any more.
        """

        async def work(connection: Connection) -> None:
            before = await SQL["callback_now"].fetchval(connection, id=callback_id, operator_id=operator_id, now=now)
            if before is None:
                raise _no_callback()
            kept = {"id": callback_id, "due_at": before, "operator_id": operator_id}
            await changed(connection, kept, "moved", "sooner", actor, now)
            times = {"due_at": before.isoformat()}, {"due_at": now.isoformat()}
            await note(connection, actor, "callback.move", f"callback:{callback_id}", before=times[0], after=times[1])

        await transaction(self._pool, work)

    async def hand_over(
        self, callback_id: int, *, operator_id: int | None, reason: str, actor: Actor, now: datetime
    ) -> Callback:
        """Give a promise to another operator of the campaign's team, or (None) to anybody of it.

        Raises:
            NotFound: ``callback.not_found``.
            Refused: ``callback.closed``, ``callback.not_of_team``.
        """

        async def work(connection: Connection) -> Callback:
            row = await _locked(connection, callback_id)
            asked = {"operator_id": operator_id, "campaign_id": row["campaign_id"]}
            if operator_id is not None and not await SQL["callback_team"].fetchval(connection, **asked):
                raise Refused(
                    "callback.not_of_team",
                    "This operator does not work in the campaign's team.",
                    remedy="Choose an operator of the team, or anybody.",
                )
            await SQL["callback_hand_over"].execute(connection, **_known(row), operator_id=operator_id)
            await changed(connection, row, "handed_over", reason, actor, now)
            before, after = {"operator": row["operator_id"]}, {"operator": operator_id, "reason": reason}
            await note(connection, actor, "callback.hand_over", f"callback:{callback_id}", before=before, after=after)
            return await _one(connection, callback_id, now)

        return await transaction(self._pool, work)

    async def board(self, sought: Sought, *, now: datetime, stopped: str | None = None, rows: int = ROWS) -> Page:
        """A page of the board of promises.

        Args:
            sought: Which ones.
            now: Present time, aware.
            stopped: Why nothing is dialled at all, the engine's word; None while it dials.
            rows: At most so many.

        Raises:
            Refused: ``callback.cursor``: not one of ours.
        """
        at, after = _cursor(sought.cursor) if sought.cursor else (None, None)
        late = now - timedelta(seconds=promises.LATE_AFTER_S)
        given = {
            "campaign_id": sought.campaign_id,
            "operator_id": sought.operator_id,
            "anybody": sought.anybody,
            "q": sought.q,
            "fact": sought.fact,
            "since": sought.since,
            "by": sought.by or "",
            "part": sought.part,
            "now": now,
            "until": sought.to if sought.fact else {"due": now, "late": late}.get(sought.show),
            "moved": sought.show == "moved",
            "states": _CLOSED.get(sought.show, []),
            "at": at,
            "id": after,
            "limit": rows + 1,
        }
        query = SQL[
            "callback_board_counted"
            if sought.fact
            else "callback_board_closed"
            if sought.show in _CLOSED
            else "callback_board_open"
        ]
        with store_errors():
            found = await query.fetch(self._pool, **{name: given[name] for name in query.parameters})
            due = [row for row in found[:rows] if _word(row, now) in {"due", "late"}]
            held_back = await whys(self._pool, due, stopped, now)
        shown = [_promise(row, now, held_back.get(row["id"])) for row in found[:rows]]
        more = len(found) > rows
        return Page(rows=shown, next=f"{shown[-1]['due_at'].isoformat()}_{shown[-1]['id']}" if more else None)

    async def counts(self, *, campaign_id: int | None, since: datetime, now: datetime) -> Mapping[str, int]:
        """How many promises each list of the board has; of the closed ones those due since then."""
        late = now - timedelta(seconds=promises.LATE_AFTER_S)
        with store_errors():
            row = await SQL["callback_counts"].fetchrow(
                self._pool, campaign_id=campaign_id, since=since, now=now, late=late
            )
        return dict(row) if row else {}

    async def shares(
        self, by: str, *, campaign_id: int | None, since: datetime, now: datetime
    ) -> Sequence[Mapping[str, Any]]:
        """How well promises due since then were kept, by ``operator`` or ``campaign``.

        Returns:
            ``id`` and ``name`` (none: promised with nobody in particular), base sums of ``core.kpi.PROMISED``, and
            the number ``kept_share`` in percent, as the reports have it.
        """
        with store_errors():
            rows = await SQL["callback_shares"].fetch(
                self._pool, by=by, campaign_id=campaign_id, since=since, until=now
            )
        return [{**row, "kept_share": kpi.values({name: row[name] for name in _COUNTS})["kept_share"]} for row in rows]


async def pass_on(pool: Pool, now: datetime) -> int:
    """Hand promises of absent owners to the team, as the rule says; how many."""

    async def work(connection: Connection) -> int:
        passed = 0
        for row in await SQL["callback_waiting"].fetch(connection, now=now):
            owner = OperatorState(row["owner_state"]) if row["owner_state"] else None
            reason = promises.hand_over(owner, row["next_at"], now)
            if reason is None:
                continue
            if await SQL["callback_hand_over"].execute(connection, **_known(row), operator_id=None):
                await changed(connection, row, "handed_over", reason, SERVICE, now)
                passed += 1
        return passed

    return await transaction(pool, work)


async def changed(
    connection: Connection, row: asyncpg.Record | Mapping[str, Any], what: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Note that a promise was changed, by whom, why, and what it was before."""
    await SQL["callback_note"].execute(
        connection,
        id=row["id"],
        now=now,
        what=what,
        reason=reason,
        user_id=actor.user_id,
        due_before=row["due_at"],
        operator_before=row["operator_id"],
    )


def _known(row: asyncpg.Record) -> Mapping[str, Any]:
    """A promise as it was read: whoever changed it meanwhile is not overruled."""
    return {"id": row["id"], "operator_before": row["operator_id"], "due_before": row["due_at"]}


def _word(row: asyncpg.Record, now: datetime) -> str:
    return promises.shown(CallbackState(row["state"]), row["due_at"], now)


def _promise(row: asyncpg.Record, now: datetime, held_back_by: str | None) -> Mapping[str, Any]:
    """A row of the board with ``shown`` (its word now) and ``why`` (what holds it back, or what closed it)."""
    state, word, why = CallbackState(row["state"]), _word(row, now), None
    if held_back_by is not None:
        why = held_back_by
    elif state is CallbackState.BLOCKED:
        why = f"refused.{row['refused_by']}" if row["refused_by"] else "blocked"
    elif state is CallbackState.BROKEN:
        why = f"closed.{row['contact_closed_by']}" if row["contact_closed_by"] else "broken"
    elif state is CallbackState.KEPT:
        grace = timedelta(seconds=promises.LATE_AFTER_S)
        why = "kept_late" if row["kept_at"] and row["kept_at"] > row["due_at"] + grace else "in_time"
    return {**row, "shown": word, "why": why}


def _cursor(cursor: str) -> tuple[datetime, int]:
    at, _, callback_id = cursor.partition("_")
    try:
        due_at, after = datetime.fromisoformat(at), int(callback_id)
    except ValueError as error:
        raise _bad_cursor() from error
    if due_at.utcoffset() != timedelta(0) or not 0 < after < 2**63:
        raise _bad_cursor()
    return due_at, after


def _bad_cursor() -> Refused:
    return Refused("callback.cursor", "This cursor is not one of ours.", remedy="Begin with the first page.")


def _no_callback() -> NotFound:
    return NotFound("callback.not_found", "There is no such callback.")


async def _locked(connection: Connection, callback_id: int) -> asyncpg.Record:
    row = await SQL["callback_contact"].fetchrow(connection, id=callback_id)
    if row is None:
        raise _no_callback()
    if row["state"] != CallbackState.PENDING:
        raise Refused("callback.closed", f"This callback is {row['state']}.", remedy="Read the list again.")
    return row


async def _one(connection: Executor, callback_id: int, now: datetime) -> Callback:
    [row] = await SQL["callback_list"].fetch(connection, campaign_id=None, state=None, id=callback_id, limit=1)
    return _callback(row, now)


def _callback(row: asyncpg.Record, now: datetime) -> Callback:
    late = promises.shown(CallbackState(row["state"]), row["due_at"], now) == "late"
    return Callback(**row, late=late)
