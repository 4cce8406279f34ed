"""Bases: all accepted rows of a file in one transaction, and the same file only once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.errors import NotFound
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("base")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An accepted row of a file.

    Attributes:
        line: Of the file, from 1; the header is line 1.
        phones: In E.164, without repetition, the one to be dialled first at the head.
        zones: Names of the zones the contact may be in, sorted.
        priority: 0 to 9, 9 first.
    """

    line: int
    name: str
    phones: Sequence[str]
    zones: Sequence[str]
    priority: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A loaded file."""

    id: int
    campaign_id: int
    name: str
    loaded_at: datetime
    rows_in: int
    rows_loaded: int
    rows_rejected: int
    paused: bool


class Bases:
    """Loads and lists bases.

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
        """Load the accepted rows of a file, all or none; the base, and whether the file had been loaded before.

        Raises:
            NotFound: ``campaign.not_found``.
            StoreDown: Whether it is loaded is not known; the same again is right.
        """

        async def work(connection: Connection) -> tuple[Base, bool]:
            base_id = await SQL["base_add"].fetchval(
                connection,
                campaign_id=campaign_id,
                name=name,
                source=source,
                file_hash=file_hash,
                loaded_by=actor.user_id,
                rows_loaded=len(rows),
                rows_rejected=rejected,
            )
            repeated = base_id is None
            if repeated:
                base_id = await SQL["base_of_file"].fetchval(connection, campaign_id=campaign_id, file_hash=file_hash)
            else:
                await _copy(connection, base_id, campaign_id, rows)
                after: dict[str, Any] = {"campaign_id": campaign_id, "name": name, "loaded": len(rows)}
                await note(connection, actor, "base.load", f"base:{base_id}", after=after)
            [row] = await SQL["base_list"].fetch(connection, campaign_id=None, base_id=base_id)
            return Base(**row), repeated

        try:
            return await transaction(self._intake, work)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("campaign.not_found", "There is no such campaign.") from error

    async def pause(self, base_id: int, *, paused: bool, actor: Actor) -> Base:
        """Let its contacts rest, or go on.

        Raises:
            NotFound: ``base.not_found``.
        """

        async def work(connection: Connection) -> Base:
            if not await SQL["base_pause"].execute(connection, base_id=base_id, paused=paused):
                raise NotFound("base.not_found", "There is no such base.")
            await note(connection, actor, "base.pause", f"base:{base_id}", after={"paused": paused})
            [row] = await SQL["base_list"].fetch(connection, campaign_id=None, base_id=base_id)
            return Base(**row)

        return await transaction(self._pool, work)


async def _copy(connection: Connection, base_id: int, campaign_id: int, rows: Sequence[Row]) -> None:
    await SQL["base_stage"].execute(connection)
    records = (
        (row.line, row.name, json.dumps(row.attributes), list(row.zones), row.priority, list(row.phones))
        for row in rows
    )
    columns = ("row_number", "name", "attributes", "zones", "priority", "phones")
    await connection.copy_records_to_table("base_row", records=records, columns=columns)
    await SQL["base_phones"].execute(connection)
    for name in ("base_lanes", "base_contacts"):
        await SQL[name].execute(connection, base_id=base_id, campaign_id=campaign_id)
    await SQL["base_contact_phones"].execute(connection, base_id=base_id)
