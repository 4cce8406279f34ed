"""Recordings of conversations: what became of each. The sound itself lies sealed on a volume of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.recording import Pause, Recording
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRow:
    """What is known of a recording.

    Attributes:
        state: ``recording`` (it goes on, or lies with the switch), ``stored``, ``failed`` or ``deleted``.
        seed: By which it is opened; None unless it is stored.
        bytes: As it is played.
        why: Of ``failed``: ``no_file``, ``empty``, ``unreadable``; of ``deleted``: ``retention``, ``erasure``,
            ``asked``.
        hold: Why it must not be deleted.
        removed_at: When the file of a deleted one was gone.
        pauses: ``paused_at`` and ``resumed_at`` of each stretch without sound, ISO 8601.
    """

    attempt_id: UUID
    campaign_id: int
    operator_id: int | None
    state: str
    began_at: datetime
    stored_at: datetime | None
    seed: bytes | None
    bytes: int | None
    duration_ms: int | None
    why: str | None
    hold: str | None
    deleted_at: datetime | None
    removed_at: datetime | None
    recording_operator: bool
    recording_customer: bool
    pauses: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOf:
    """What a file in the switch's folder belongs to.

    Attributes:
        live: The call goes on.
        unseen: Nobody saw it end: ``ended_at`` is when it was missed.
        way: How the campaign records now.
        state: Of the recording; None where there is no row.
        began_at: From when on it is kept.
    """

    live: bool
    campaign_id: int
    phone_id: int
    operator_id: int | None
    switch: str
    connected_at: datetime | None
    ended_at: datetime | None
    unseen: bool
    way: str
    state: str | None
    began_at: datetime | None


class Recordings:
    """Reads and writes what became of recordings."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, attempt_id: UUID) -> RecordingRow | None:
        """The recording of an attempt; None for one that was not recorded."""
        with store_errors():
            row = await SQL["recording_of"].fetchrow(self._pool, attempt_id=attempt_id)
        return RecordingRow(**row) if row else None

    async def shown(self, attempts: Sequence[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
        """By attempt, what a list shows of those that were recorded."""
        with store_errors():
            rows = await SQL["recording_shown"].fetch(self._pool, attempts=list(attempts)) if attempts else []
        return {row["attempt_id"]: dict(row) for row in rows}

    async def file(self, attempt_id: UUID) -> FileOf | None:
        """What a file of this name is; None where no such attempt is known."""
        with store_errors():
            row = await SQL["recording_file"].fetchrow(self._pool, attempt_id=attempt_id)
        return FileOf(**row) if row else None

    async def stored(
        self,
        attempt_id: UUID,
        *,
        seed: bytes,
        size: int,
        duration_ms: int,
        at: datetime,
        late: Recording | None,
        switch: str,
    ) -> bool:
        """It is sealed on its volume; False: it was deleted meanwhile.

        ``late`` is the row of one that a crash kept from being written.
        """

        async def work(connection: Connection) -> bool:
            if late is not None:
                await begin(connection, [late], switch)
            return bool(
                await SQL["recording_stored"].fetchval(
                    connection, attempt_id=attempt_id, seed=seed, bytes=size, duration_ms=duration_ms, at=at
                )
            )

        return await transaction(self._pool, work)

    async def failed(self, attempts: Sequence[UUID], why: str) -> Sequence[UUID]:
        """There is nothing to keep of these; which of them were still waited for."""
        with store_errors():
            rows = await SQL["recording_failed"].fetch(self._pool, attempts=list(attempts), why=why)
        return [row["attempt_id"] for row in rows]

    async def missing(self, switch: str, before: datetime) -> Sequence[UUID]:
        """Those whose conversation ended before this, and that are still waited for."""
        with store_errors():
            return [
                row["attempt_id"]
                for row in await SQL["recording_missing"].fetch(self._pool, switch=switch, before=before)
            ]

    async def expire(self, now: datetime, limit: int = 500) -> int:
        """Delete what is older than its campaign keeps it; how many, each with its line in the audit log."""
        with store_errors():
            return len(await SQL["recording_expire"].fetch(self._pool, now=now, limit=limit))

    async def to_remove(self, limit: int = 500) -> Sequence[UUID]:
        """Deleted ones whose file may still be there."""
        with store_errors():
            return [row["attempt_id"] for row in await SQL["recording_to_remove"].fetch(self._pool, limit=limit)]

    async def removed(self, attempts: Sequence[UUID], at: datetime) -> None:
        """The files of these are gone."""
        with store_errors():
            await SQL["recording_removed"].execute(self._pool, attempts=list(attempts), at=at)

    async def known(self, attempts: Sequence[UUID]) -> set[UUID]:
        """Which of these have a right to a file."""
        with store_errors():
            return {
                row["attempt_id"] for row in await SQL["recording_known"].fetch(self._pool, attempts=list(attempts))
            }

    async def heard(self, attempt_id: UUID, *, actor: Actor) -> None:
        """Write down that somebody listens."""
        with store_errors():
            await note(self._pool, actor, "recording.listen", f"attempt:{attempt_id}")

    async def hold(self, attempt_id: UUID, reason: str | None, *, actor: Actor) -> None:
        """Keep a recording whatever its age and whoever asks, or no longer.

        Raises:
            NotFound: ``recording.not_found``.
        """

        async def work(connection: Connection) -> None:
            if await SQL["recording_hold"].fetchval(connection, attempt_id=attempt_id, reason=reason) is None:
                raise _not_found()
            await note(connection, actor, "recording.hold", f"attempt:{attempt_id}", after={"reason": reason})

        await transaction(self._pool, work)

    async def delete(self, attempt_id: UUID, *, at: datetime, actor: Actor) -> None:
        """Delete a recording; nothing opens it any more, and its file goes with the next sweep.

        Raises:
            NotFound: ``recording.not_found``.
            Refused: ``recording.held``.
        """

        async def work(connection: Connection) -> None:
            await SQL["recording_lock"].execute(connection, attempt_id=attempt_id)
            row = await SQL["recording_of"].fetchrow(connection, attempt_id=attempt_id)
            if row is None or row["state"] not in {"stored", "failed"}:
                raise _not_found()
            if row["hold"] is not None:
                raise Refused("recording.held", f"A legal hold keeps it: {row['hold']}", remedy="End the hold first.")
            size = await SQL["recording_delete"].fetchval(connection, attempt_id=attempt_id, at=at)
            after = {
                "why": "asked",
                "campaign": row["campaign_id"],
                "began_at": row["began_at"].isoformat(),
                "bytes": size,
            }
            await note(connection, actor, "recording.delete", f"attempt:{attempt_id}", after=after)

        await transaction(self._pool, work)


async def begin(connection: Connection, told: Sequence[Recording], switch: str) -> None:
    """Store that these conversations are recorded."""
    rows = list({one.attempt_id: one for one in told}.values())
    await SQL["recording_begin"].execute(
        connection,
        switch=switch,
        attempts=[row.attempt_id for row in rows],
        campaigns=[row.campaign_id for row in rows],
        phones=[row.phone_id for row in rows],
        operators=[row.operator_id for row in rows],
        began_at=[row.began_at for row in rows],
    )


async def pause(connection: Connection, told: Sequence[Pause]) -> None:
    """Store pauses and their ends; the last told of each holds."""
    rows = list({(one.attempt_id, one.paused_at): one for one in told}.values())
    await SQL["recording_pause"].execute(
        connection,
        attempts=[row.attempt_id for row in rows],
        paused_at=[row.paused_at for row in rows],
        resumed_at=[row.resumed_at for row in rows],
        operators=[row.operator_id for row in rows],
    )


async def live(connection: Connection, switch: str) -> Sequence[tuple[UUID, datetime | None]]:
    """Recordings that go on, and since when each is paused."""
    return [
        (row["attempt_id"], row["paused_at"]) for row in await SQL["recording_live"].fetch(connection, switch=switch)
    ]


async def erase(connection: Connection, phone_id: int, at: datetime) -> tuple[int, int]:
    """Delete what was said at this number; how many recordings, and how many a legal hold keeps."""
    row = await SQL["recording_erase"].fetchrow(connection, phone_id=phone_id, at=at)
    return (row["gone"], row["held"]) if row else (0, 0)


def _not_found() -> NotFound:
    return NotFound("recording.not_found", "There is no such recording.")
