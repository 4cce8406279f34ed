"""Bases: all accepted rows of a file in one transaction, the same file only once, and back while nobody was called.

A load stages its rows in temporary tables, makes the numbers nobody had yet in small commits of their own, and then
writes base, lanes and contacts in one transaction: until its commit nobody sees anything, after it everybody all. Loads
of one customer take turns, so that each sees what the one before has written.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg

from dialer.errors import NotFound, Refused
from dialer.store import phones
from dialer.store.pools import CONNECT_TIMEOUT_S, store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Mapping
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

    #: Told what is done now, how many rows of it, of how many.
    Progress = Callable[[str, int, int], None]

SQL = queries("base")

#: Rows between two looks at the progress.
CHUNK_ROWS = 20_000
_COLUMNS = ("row_number", "name", "attributes", "lane", "phones", "consent")
_STAGES = ("base_block_stage", "base_stage", "base_known_stage", "base_lane_stage")

#: Zones, priority, and the countries of the numbers.
Lane = tuple[Sequence[str], int, Sequence[str]]


class Row(NamedTuple):
    """An accepted row of a file.

    Attributes:
        line: Of the file, from 1; the header is line 1.
        phones: In E.164, without repetition, the one to be dialled first at the head.
        zones: Names of the zones the contact may be in, sorted.
        priority: 0 to 9, 9 first.
        countries: Of the numbers, two letters each, sorted.
        consent: To be called: JSON with ``given_at``, ``evidence``, ``hash`` (SHA-256), ``purpose`` (null: that of the
            campaign) and ``expires_at`` (null: never); None if the row says nothing of it.
    """

    line: int
    name: str
    phones: Sequence[str]
    zones: Sequence[str]
    priority: int
    attributes: Mapping[str, str]
    countries: Sequence[str] = ()
    consent: str | None = None

    @property
    def lane(self) -> Lane:
        """What it shares with others that may be called at the same hours under the same rules."""
        return tuple(self.zones), self.priority, tuple(self.countries)


Record = tuple[int, str, str, int, list[str], str | None]


@dataclass(slots=True, kw_only=True)
class Batch:
    """The accepted rows of a file on their way.

    Attributes:
        rows: Line, name, attributes as JSON, place of the lane, numbers, consent; either such records, or blocks of
            whole lines in COPY's text format, as they become ready.
        lanes: Zones, priority and countries of each lane, in order; complete when ``rows`` is at its end.
        agreed: Whether some row says something of consent; known when ``rows`` is at its end.
        rejected: How many other rows the file has; known when ``rows`` is at its end.
        in_campaign, elsewhere: What becomes of a row whose first number a contact of the campaign, or of the customer's
            other campaigns, has: ``skip`` rejects it, ``keep`` loads it, ``update`` changes that contact instead.
        again: Load the same file once more.
    """

    rows: AsyncIterable[bytes] | Sequence[Record]
    lanes: Sequence[Lane] = ()
    agreed: bool = False
    rejected: int = 0
    in_campaign: str = "skip"
    elsewhere: str = "keep"
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A loaded file.

    Attributes:
        rows_in: Loaded, updated and rejected together.
        rows_updated: Rows that changed a contact that was there already.
        rows_withdrawn: Of those loaded: taken back before anybody called them.
        undone_at: When all of it was taken back; None otherwise.
        by_hand: No file: numbers that operators typed.
        priority: Among the bases of its campaign, 9 first.
    """

    id: int
    campaign_id: int
    name: str
    loaded_at: datetime
    rows_in: int
    rows_loaded: int
    rows_updated: int
    rows_rejected: int
    rows_withdrawn: int
    paused: bool
    undone_at: datetime | None
    by_hand: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the database says of staged rows.

    Attributes:
        reasons: How many rows by reason of rejection; ``update``: how many change a contact instead.
        shown: The first rejected rows: line, reason, text.
    """

    reasons: Mapping[str, int]
    shown: Sequence[Mapping[str, Any]]

    @property
    def rejected(self) -> int:
        """Rows that are not loaded."""
        return sum(rows for reason, rows in self.reasons.items() if reason != "update")

    @property
    def updated(self) -> int:
        """Rows that change a contact."""
        return self.reasons.get("update", 0)


def _untold(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


class Bases:
    """Loads, lists and takes back bases.

    Args:
        pool: For reading.
        intake: For loading, which takes longer; by default the same.
    """

    def __init__(self, pool: Pool, intake: Pool | None = None) -> None:
        self._pool = pool
        self._intake = intake or pool

    async def of_campaign(self, campaign_id: int) -> Sequence[Base]:
        """The bases of a campaign, the oldest first."""
        with store_errors():
            rows = await SQL["base_list"].fetch(self._pool, campaign_id=campaign_id, base_id=None)
        return [Base(**row) for row in rows]

    async def of_loader(self, user_id: int) -> frozenset[int]:
        """Ids of the bases that somebody loaded, also of those taken back."""
        with store_errors():
            return frozenset(row["id"] for row in await SQL["base_of_loader"].fetch(self._pool, user_id=user_id))

    async def of(self, bases: Collection[int]) -> Sequence[Base]:
        """Those of these ids, by id."""
        with store_errors():
            rows = await SQL["base_many"].fetch(self._pool, bases=sorted(bases))
        return [Base(**row) for row in rows]

    async def brought(self, kind: str, object_id: int, *, user_id: int) -> bool:
        """Whether somebody loaded this base (``base``), or uploaded this file (``file``)."""
        with store_errors():
            found: bool = await SQL["base_brought"].fetchval(self._pool, kind=kind, id=object_id, user_id=user_id)
        return found

    async def get(self, base_id: int) -> Base:
        """One base.

        Raises:
            NotFound: ``base.not_found``.
        """
        with store_errors():
            return await get(self._pool, base_id)

    async def load(
        self,
        *,
        campaign_id: int,
        name: str,
        source: str,
        file_hash: bytes,
        rows: Sequence[Row],
        rejected: int,
        actor: Actor,
    ) -> tuple[Base, bool]:
        """Load rows, all or none, whatever other bases hold; the base, and whether the file had been loaded before.

        Raises:
            NotFound: ``campaign.not_found``.
            StoreDown: Whether it is loaded is not known; the same again is right.
        """
        lanes: dict[Lane, int] = {}
        records = [
            (row.line, row.name, json.dumps(row.attributes), place, list(row.phones), row.consent)
            for row in rows
            for place in [lanes.setdefault(row.lane, len(lanes))]
        ]
        agreed = any(row.consent for row in rows)
        batch = Batch(rows=records, lanes=list(lanes), rejected=rejected, in_campaign="keep", agreed=agreed)
        base, repeated, _ = await self.take(
            batch, campaign_id=campaign_id, name=name, source=source, file_hash=file_hash, actor=actor
        )
        return base, repeated

    async def rehearse(
        self,
        batch: Batch,
        *,
        campaign_id: int,
        verdicts: Path | None = None,
        shown: int = 0,
        progress: Progress = _untold,
    ) -> Judged:
        """What a load would say of these rows; nothing is written.

        Args:
            batch: The rows.
            campaign_id: Whose base they would become.
            verdicts: A file that gets line and reason of each row the database rejects, at its end.
            shown: How many of them are told with their text.
            progress: Told how far it is.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        async with self._staging() as connection:
            customer_id = await _customer(connection, campaign_id)
            await _stage(connection, batch, numbering=False, progress=progress)
            return await _judge(connection, batch, campaign_id, customer_id, verdicts, shown)

    async def take(
        self,
        batch: Batch,
        *,
        campaign_id: int,
        name: str,
        source: str,
        file_hash: bytes,
        actor: Actor,
        verdicts: Path | None = None,
        shown: int = 0,
        progress: Progress = _untold,
    ) -> tuple[Base, bool, Judged | None]:
        """Load the accepted rows of a file, all or none.

        Returns:
            The base; whether it had been loaded before (then nothing is done); what the database said of the rows.

        Raises:
            NotFound: ``campaign.not_found``.
            StoreDown: Whether it is loaded is not known; the same again is right.
        """
        async with self._staging() as connection:
            customer_id = await _customer(connection, campaign_id)
            there = await SQL["base_of_file"].fetchrow(connection, campaign_id=campaign_id, file_hash=file_hash)
            numbering = there is None or batch.again
            await _stage(connection, batch, numbering=numbering, progress=progress)
            async with connection.transaction():
                await SQL["base_turn"].execute(connection, customer_id=customer_id)
                there = await SQL["base_of_file"].fetchrow(connection, campaign_id=campaign_id, file_hash=file_hash)
                if there is not None and not batch.again:
                    return await get(connection, there["id"]), True, None
                base_id = await SQL["base_add"].fetchval(
                    connection,
                    campaign_id=campaign_id,
                    name=name,
                    source=source,
                    file_hash=file_hash,
                    copy=there["copy"] + 1 if there is not None else 0,
                    loaded_by=actor.user_id,
                )
                judged = await _judge(connection, batch, campaign_id, customer_id, verdicts, shown)
                loaded = await _write(connection, batch, base_id, campaign_id, progress)
                if batch.agreed:
                    by = {"base_id": base_id, "campaign_id": campaign_id, "loaded_by": actor.user_id}
                    await SQL["base_consents"].execute(connection, **by)
                    await SQL["base_consents_judge_again"].execute(connection, base_id=base_id)
                await forget_erased(connection, base_id)
                await SQL["base_counts"].execute(
                    connection,
                    base_id=base_id,
                    rows_loaded=loaded,
                    rows_updated=judged.updated,
                    rows_rejected=batch.rejected + judged.rejected,
                )
                after: dict[str, Any] = {"campaign_id": campaign_id, "name": name, "loaded": loaded}
                await note(connection, actor, "base.load", f"base:{base_id}", after=after)
                return await get(connection, base_id), False, judged

    @asynccontextmanager
    async def _staging(self) -> AsyncIterator[Connection]:
        """A connection with temporary tables."""
        with store_errors():
            async with self._intake.acquire(timeout=CONNECT_TIMEOUT_S) as connection:
                try:
                    for stage in _STAGES:
                        await SQL[stage].execute(connection)
                    yield connection
                finally:
                    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                        await SQL["base_unstage"].execute(connection)

    async def pause(self, base_id: int, *, paused: bool, actor: Actor) -> Base:
        """Let its contacts rest, or go on.

        Raises:
            NotFound: ``base.not_found``.
        """

        async def work(connection: Connection) -> Base:
            if not await SQL["base_pause"].execute(connection, base_id=base_id, paused=paused):
                raise NotFound("base.not_found", "There is no such base.")
            await note(connection, actor, "base.pause", f"base:{base_id}", after={"paused": paused})
            return await get(connection, base_id)

        return await transaction(self._pool, work)

    async def undo(self, base_id: int, *, actor: Actor) -> Base:
        """Take a whole load back: its contacts are gone, those it changed are as before, its file may be loaded again.

        Raises:
            NotFound: ``base.not_found``.
            Refused: ``base.touched``: somebody of it was called already; ``base.undone``: there is nothing left of it.
        """

        async def work(connection: Connection) -> Base:
            before = await _lock(connection, base_id)
            left = before["rows_loaded"] - before["rows_withdrawn"]
            gone = await SQL["base_withdraw"].execute(connection, base_id=base_id)
            if gone != left or before["rows_withdrawn"]:
                called = left - gone
                raise Refused(
                    "base.touched",
                    f"{called} contacts of the base were called already."
                    if called
                    else "Part of the base was withdrawn after its first calls.",
                    remedy="Withdraw the contacts that nobody called yet instead.",
                    called=called,
                )
            await SQL["base_put_back"].execute(connection, base_id=base_id)
            await SQL["base_consents_keep"].execute(connection, base_id=base_id)
            await SQL["base_consents_forget"].execute(connection, base_id=base_id)
            await SQL["base_forget_before"].execute(connection, base_id=base_id)
            await SQL["base_withdrawn"].execute(connection, base_id=base_id, rows=gone, undone=True)
            await note(connection, actor, "base.undo", f"base:{base_id}", after={"contacts": gone})
            return await get(connection, base_id)

        return await transaction(self._intake, work)

    async def withdraw(self, base_id: int, *, actor: Actor) -> Base:
        """Take back the contacts that nobody called yet; all others stay, with all that is known of them.

        Raises:
            NotFound: ``base.not_found``.
            Refused: ``base.undone``: there is nothing left of it.
        """

        async def work(connection: Connection) -> Base:
            await _lock(connection, base_id)
            gone = await SQL["base_withdraw"].execute(connection, base_id=base_id)
            await SQL["base_withdrawn"].execute(connection, base_id=base_id, rows=gone, undone=False)
            await note(connection, actor, "base.withdraw", f"base:{base_id}", after={"contacts": gone})
            return await get(connection, base_id)

        return await transaction(self._intake, work)


async def get(connection: Any, base_id: int) -> Base:
    """One base.

    Raises:
        NotFound: ``base.not_found``.
    """
    rows = await SQL["base_list"].fetch(connection, campaign_id=None, base_id=base_id)
    if not rows:
        raise NotFound("base.not_found", "There is no such base.")
    return Base(**rows[0])


async def _lock(connection: Connection, base_id: int) -> asyncpg.Record:
    found = await SQL["base_lock"].fetchrow(connection, base_id=base_id)
    if found is None:
        raise NotFound("base.not_found", "There is no such base.")
    if found["undone_at"] is not None:
        raise Refused("base.undone", "This load was undone already.", remedy="Load the file again if need be.")
    return found


async def _customer(connection: Connection, campaign_id: int) -> int:
    customer_id: int | None = await SQL["base_campaign"].fetchval(connection, campaign_id=campaign_id)
    if customer_id is None:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return customer_id


async def _stage(connection: Connection, batch: Batch, *, numbering: bool, progress: Progress) -> None:
    """Rows into the temporary table as they become ready; their numbers are found or made in commits of their own."""
    rows = batch.rows
    if isinstance(rows, AsyncIterable):
        async for block in rows:
            async with connection.transaction():
                await connection.copy_to_table("base_block", source=io.BytesIO(block), columns=_COLUMNS, format="text")
                await _number(connection, making=numbering)
    else:
        async with connection.transaction():
            await connection.copy_records_to_table("base_block", records=rows, columns=_COLUMNS)
            await _number(connection, making=numbering)
    progress("compare", 0, 1)
    await SQL["base_analyze"].execute(connection)


async def _number(connection: Connection, *, making: bool) -> None:
    await SQL["base_soon"].execute(connection)
    if making:
        await SQL["base_phones"].execute(connection)
    await SQL["base_numbered"].execute(connection, making=making)


async def _judge(
    connection: Connection, batch: Batch, campaign_id: int, customer_id: int, verdicts: Path | None, shown: int
) -> Judged:
    await SQL["base_judge"].execute(
        connection,
        campaign_id=campaign_id,
        customer_id=customer_id,
        in_campaign=batch.in_campaign,
        elsewhere=batch.elsewhere,
    )
    reasons = {row["reason"]: row["rows"] for row in await SQL["base_judged"].fetch(connection)}
    if verdicts is not None and any(reason != "update" for reason in reasons):
        with await asyncio.to_thread(verdicts.open, "ab") as file:
            await connection.copy_from_query(SQL["base_verdicts"].sql, output=file, format="text")
    first = await SQL["base_shown"].fetch(connection, most=shown) if shown else []
    return Judged(reasons=reasons, shown=[dict(row) for row in first])


async def _write(connection: Connection, batch: Batch, base_id: int, campaign_id: int, progress: Progress) -> int:
    """Lanes, contacts and changes; how many rows became contacts."""
    lanes = [[list(zones), priority, list(countries)] for zones, priority, countries in batch.lanes]
    await SQL["base_lanes"].execute(connection, base_id=base_id, campaign_id=campaign_id, lanes=lanes)
    loaded = 0
    for after, until, last in await _chunks(connection):
        loaded += await SQL["base_contacts"].execute(
            connection, base_id=base_id, campaign_id=campaign_id, after=after, until=until
        )
        await SQL["base_contact_phones"].execute(connection, after=after, until=until)
        progress("contacts", until, last)
        await asyncio.sleep(0)
    if "update" in {batch.in_campaign, batch.elsewhere}:
        await SQL["base_keep_before"].execute(connection, base_id=base_id)
        await SQL["base_change"].execute(connection)
    return loaded


async def forget_erased(connection: Connection, base_id: int) -> None:
    """Whoever was erased while the load ran is nobody in it."""
    await SQL["base_end"].execute(connection)
    for row in await SQL["base_erased"].fetch(connection, base_id=base_id):
        await phones.SQL["phone_erase_contacts"].execute(connection, **row)
        await phones.SQL["phone_erase_consents"].execute(connection, **row)


async def _chunks(connection: Connection) -> list[tuple[int, int, int]]:
    """Spans of row numbers, each (after, until, last of all)."""
    last: int = await SQL["base_staged"].fetchval(connection)
    return [(after, min(last, after + CHUNK_ROWS), last) for after in range(0, last, CHUNK_ROWS)]
