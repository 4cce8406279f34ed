"""Receivers of events, and the outbox: what each is still to be told, taken by whoever delivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("webhook")
#: Everything that can be told, in the words of the database.
KINDS = (
    *("attempt.connected", "attempt.ended", "disposition.saved", "lead.made", "lead.moved", "lead.late"),
    *("callback.promised", "callback.changed", "callback.soon", "callback.late", "campaign.state"),
)
ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An event to be told to a receiver now.

    Attributes:
        event_id: The same in every try.
        seed: What the secret that signs it follows from; ``seed_before`` for a while after a change.
        tries: How often it was tried, with this one.
    """

    id: int
    webhook_id: int
    url: str
    seed: bytes
    seed_before: bytes | None
    event_id: UUID
    kind: str
    campaign_id: int | None
    at: datetime
    body: Mapping[str, Any]
    tries: int


class Webhooks:
    """Lists and changes receivers; every change is in the audit log, a secret never."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self, webhook_id: int | None = None) -> Sequence[Mapping[str, Any]]:
        """All receivers, or one, with how many events wait or were given up."""
        with store_errors():
            return [dict(row) for row in await SQL["webhook_list"].fetch(self._pool, id=webhook_id)]

    async def add(
        self,
        *,
        name: str,
        url: str,
        kinds: Sequence[str],
        seed: bytes,
        customer_id: int | None,
        campaign_id: int | None,
        actor: Actor,
    ) -> int:
        """A receiver of the events of a customer, of a campaign, or (neither) of everything; its number.

        Raises:
            Refused: ``webhook.value``: no such customer or campaign, both, or unknown kinds.
        """
        whose = {"customer_id": customer_id, "campaign_id": campaign_id}

        async def work(connection: Connection) -> int:
            webhook_id: int = await SQL["webhook_add"].fetchval(
                connection, name=name, url=url, kinds=list(kinds), seed=seed, user_id=actor.user_id, **whose
            )
            after = {"name": name, "url": url, "kinds": list(kinds), **whose}
            await note(connection, actor, "webhook.add", f"webhook:{webhook_id}", after=after)
            return webhook_id

        try:
            return await transaction(self._pool, work)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise Refused(
                "webhook.value",
                "There is no such customer or campaign, or both were named.",
                remedy="Name one of them, or none for everything.",
            ) from error

    async def change(self, webhook_id: int, changes: Mapping[str, Any], *, now: datetime, actor: Actor) -> None:
        """Change ``name``, ``url``, ``kinds`` or ``paused``; what is absent stays.

        Raises:
            NotFound: ``webhook.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, webhook_id)
            old = {name: row[name] for name in ("name", "url", "kinds")} | {"paused": row["paused_at"] is not None}
            new = {**old, **changes}
            await SQL["webhook_change"].execute(connection, id=webhook_id, now=now, **new)
            changed = [name for name in old if old[name] != new[name]]
            await note(
                connection,
                actor,
                "webhook.change",
                f"webhook:{webhook_id}",
                before={name: old[name] for name in changed},
                after={name: new[name] for name in changed},
            )

        await transaction(self._pool, work)

    async def rotate(self, webhook_id: int, seed: bytes, *, until: datetime, actor: Actor) -> None:
        """A new secret; the present one signs beside it until then.

        Raises:
            NotFound: ``webhook.not_found``.
        """

        async def work(connection: Connection) -> None:
            await _locked(connection, webhook_id)
            await SQL["webhook_rotate"].execute(connection, id=webhook_id, seed=seed, until=until)
            await note(connection, actor, "webhook.secret", f"webhook:{webhook_id}")

        await transaction(self._pool, work)

    async def remove(self, webhook_id: int, *, actor: Actor) -> None:
        """Forget a receiver and what it was still to be told.

        Raises:
            NotFound: ``webhook.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, webhook_id)
            await SQL["webhook_remove"].execute(connection, id=webhook_id)
            before = {"name": row["name"], "url": row["url"]}
            await note(connection, actor, "webhook.remove", f"webhook:{webhook_id}", before=before)

        await transaction(self._pool, work)

    async def test(self, webhook_id: int, *, now: datetime) -> int:
        """Put an event of nothing into the outbox; its number.

        Raises:
            NotFound: ``webhook.not_found``.
        """
        with store_errors():
            delivery_id = await SQL["webhook_test"].fetchval(self._pool, id=webhook_id, now=now)
        if delivery_id is None:
            raise _not_found()
        return int(delivery_id)

    async def deliveries(
        self, webhook_id: int, *, state: str | None = None, before: int | None = None, rows: int = ROWS
    ) -> Sequence[Mapping[str, Any]]:
        """The last events of a receiver, the newest first."""
        with store_errors():
            found = await SQL["webhook_deliveries"].fetch(
                self._pool, id=webhook_id, state=state, before=before, limit=rows
            )
        return [dict(row) for row in found]

    async def replay(self, webhook_id: int, delivery_id: int | None, *, actor: Actor) -> int:
        """Tell an event again, or (None) all that were given up; how many.

        Raises:
            NotFound: ``webhook.not_found``.
        """

        async def work(connection: Connection) -> int:
            await _locked(connection, webhook_id)
            again = await SQL["webhook_replay"].execute(connection, id=webhook_id, delivery_id=delivery_id)
            after = {"delivery": delivery_id, "events": again}
            await note(connection, actor, "webhook.replay", f"webhook:{webhook_id}", after=after)
            return again

        return await transaction(self._pool, work)


async def take(pool: Pool, *, now: datetime, until: datetime, each: int, busy: Collection[int]) -> Sequence[Taken]:
    """Take what is due, at most ``each`` of a receiver, until then: if it is not told by then, it is due again.

    Args:
        pool: Any.
        now: Present time, aware.
        until: When what this process holds and never tells of is due again.
        each: At most so many of one receiver.
        busy: Receivers that are being told something.
    """
    with store_errors():
        rows = await SQL["webhook_take"].fetch(pool, now=now, until=until, each=each, busy=list(busy))
    return sorted((Taken(**row) for row in rows), key=lambda one: one.id)


async def told(
    pool: Pool,
    one: Taken,
    *,
    state: str,
    now: datetime,
    status: int | None,
    error: str | None,
    next_at: datetime | None = None,
) -> None:
    """Keep what came of a try; nothing if somebody else has taken it since."""
    with store_errors():
        await SQL["webhook_told"].execute(
            pool, id=one.id, tries=one.tries, state=state, now=now, status=status, error=error, next_at=next_at
        )


async def expire(pool: Pool, before: datetime, *, now: datetime) -> int:
    """Give up what waits since before then; how many."""
    expired = 0
    with store_errors():
        while more := await SQL["webhook_expire"].execute(pool, before=before, now=now):
            expired += more
    return expired


async def forget(pool: Pool, before: datetime) -> int:
    """Delete what was told, or given up, before then; how many."""
    forgotten = 0
    with store_errors():
        while more := await SQL["webhook_forget"].execute(pool, before=before):
            forgotten += more
    return forgotten


async def _locked(connection: Connection, webhook_id: int) -> asyncpg.Record:
    row = await SQL["webhook_lock"].fetchrow(connection, id=webhook_id)
    if row is None:
        raise _not_found()
    return row


def _not_found() -> NotFound:
    return NotFound("webhook.not_found", "There is no such webhook.")
