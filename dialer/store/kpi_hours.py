"""Keeping the hour rows: folding what facts told into them, making them anew, comparing them with the facts.

Every fact tells what it adds to its hour in its own transaction, as a row of its own (``kpi_delta``): writers never
wait for each other. ``fold`` moves these into the hour rows, and into the day rows, which are sums of hour rows;
whoever reads adds both, so nothing is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("kpi_hour")

#: Deltas folded at once.
FOLD = 20_000
#: What is made anew in one transaction.
STEP = timedelta(days=1)
#: Differences that are kept and shown.
SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A comparison of hour rows with the facts.

    Attributes:
        at: When it was made.
        since: From which hour.
        until: To which, outside.
        compared: Rows that the facts give, and day rows that the hour rows give.
        different: Sums that are not equal, and closings that are not what contacts and attempts say.
        differences: The first of them: ``span`` (``hour``, ``day``), ``dim``, ``campaign_id``, ``hour``, ``key``,
            ``fact``, ``held``, ``counted``.
    """

    at: datetime
    since: datetime
    until: datetime
    compared: int
    different: int
    differences: Sequence[Mapping[str, Any]]


class HourRows:
    """Keeps the hour rows.

    Args:
        pool: Connections with time for long statements (``Pools.intake``).
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fold(self, limit: int = FOLD) -> int:
        """Move what facts told into the hour rows; how many told.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """

        async def work(connection: Connection) -> int:
            await SQL["kpi_hour_turn"].execute(connection)
            return int(await SQL["kpi_hour_fold"].fetchval(connection, limit=limit))

        return await transaction(self._pool, work)

    async def remake(self, since: datetime, until: datetime, campaigns: Sequence[int] | None = None) -> None:
        """Make the hour rows of a time anew, from the facts.

        Args:
            since: First hour.
            until: Outside.
            campaigns: Of these (0: nobody's); None for all.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        wanted = await self._campaigns(campaigns)

        async def work(connection: Connection) -> None:
            given = {"campaigns": wanted, "since": since, "until": until}
            await SQL["kpi_hour_turn"].execute(connection)
            await SQL["kpi_hour_closings"].execute(connection, **given)
            await SQL["kpi_hour_rang"].execute(connection, **given)
            await SQL["kpi_hour_remake"].execute(connection, **given)

        await transaction(self._pool, work)

    async def mend(self) -> Sequence[int]:
        """Make anew what was marked as not right: campaigns whose zone changed, or that are older than hour rows.

        Returns:
            These campaigns (0: nobody's).
        """
        with store_errors():
            stale = await SQL["kpi_hour_stale"].fetch(self._pool)
        campaigns = [mark["campaign_id"] for mark in stale]
        if not campaigns:
            return []
        with store_errors():
            span = await SQL["kpi_hour_days"].fetchrow(self._pool, campaigns=campaigns)
        if span and span["since"] is not None:
            at = span["since"].replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
            while at <= span["until"]:  # each day once for all of them: all operators' time is looked through for it
                await self.remake(at, at + STEP, campaigns)
                at += STEP
        for mark in stale:
            with store_errors():
                await SQL["kpi_hour_fresh"].execute(self._pool, campaign_id=mark["campaign_id"], since=mark["since"])
        return campaigns

    async def check(self, since: datetime, until: datetime, campaigns: Sequence[int] | None = None) -> Check:
        """Compare the hour rows of a time with the facts, and keep what was found.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        wanted = await self._campaigns(campaigns)

        async def work(connection: Connection) -> Check:
            given = {"campaigns": wanted, "since": since, "until": until}
            rows = await SQL["kpi_hour_compare"].fetch(connection, **given)
            doubts = await SQL["kpi_hour_doubts"].fetchval(connection, **given)
            found = [_difference(dict(row)) for row in rows if row["fact"] is not None]
            compared, different = rows[0]["compared"], len(found) + doubts
            at = await SQL["kpi_hour_found"].fetchval(
                connection, since=since, until=until, compared=compared, different=different, differences=found[:SHOWN]
            )
            return Check(
                at=at, since=since, until=until, compared=compared, different=different, differences=found[:SHOWN]
            )

        return await transaction(self._pool, work)

    async def checked(self) -> Check | None:
        """The last comparison."""
        with store_errors():
            row = await SQL["kpi_hour_checked"].fetchrow(self._pool)
        return Check(**row) if row else None

    async def _campaigns(self, campaigns: Sequence[int] | None) -> Sequence[int]:
        if campaigns is not None:
            return campaigns
        with store_errors():
            return [row["id"] for row in await SQL["kpi_hour_campaigns"].fetch(self._pool)]


def _difference(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        **{name: row[name] for name in ("span", "dim", "campaign_id", "key", "fact", "held", "counted")},
        "hour": row["at"].isoformat(),
    }
