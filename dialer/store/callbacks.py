"""Promises to call back, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.core import callbacks as promises
from dialer.core.model import CallbackState
from dialer.errors import NotFound, Refused
from dialer.store import campaigns
from dialer.store.dispositions import check_promise
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor
    from dialer.store.users import Actor

SQL = queries("callback")


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


class Callbacks:
    """Lists, cancels and moves promises."""

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

    async def cancel(self, callback_id: int, *, actor: Actor, now: datetime) -> Callback:
        """Cancel a promise; the audit log has the name.

        Raises:
            NotFound: ``callback.not_found``.
            Refused: ``callback.closed``: it is not pending any more.
        """

        async def work(connection: Connection) -> Callback:
            row = await _locked(connection, callback_id)
            await SQL["callback_cancel"].execute(connection, id=callback_id, now=now, user_id=actor.user_id)
            before = {"due_at": row["due_at"].isoformat()}
            await note(connection, actor, "callback.cancel", f"callback:{callback_id}", before=before)
            return await _one(connection, callback_id, now)

        return await transaction(self._pool, work)

    async def move(self, callback_id: int, *, due_at: datetime, actor: Actor, now: datetime) -> Callback:
        """Promise another time.

        Raises:
            NotFound: ``callback.not_found``.
            Refused: ``callback.closed``, ``callback.past``, ``callback.outside_window``, ``callback.too_soon``.
        """

        async def work(connection: Connection) -> Callback:
            row = await _locked(connection, callback_id)
            [campaign] = await campaigns.read(connection, campaign_id=row["campaign_id"])
            campaign = campaigns.for_callee(campaign, row["countries"])
            check_promise(due_at, now, row["zones"], campaign, row["not_before"])
            await SQL["callback_move"].execute(connection, id=callback_id, due_at=due_at)
            before, after = {"due_at": row["due_at"].isoformat()}, {"due_at": due_at.isoformat()}
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
            times = {"due_at": before.isoformat()}, {"due_at": now.isoformat()}
            await note(connection, actor, "callback.move", f"callback:{callback_id}", before=times[0], after=times[1])

        await transaction(self._pool, work)


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
