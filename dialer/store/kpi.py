"""Numbers of a period, counted from the facts by one statement (``sql/queries/kpi.sql``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dialer.core import kpi
from dialer.errors import NotFound
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.store.queries import Executor

SQL = queries("kpi")

By = Literal["hour", "operator", "campaign", "total"]

#: What belongs to nobody in particular: attempts that never reached an operator, waiting before a first call.
NOBODY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One hour, operator or campaign, or the whole period.

    Attributes:
        key: The hour's beginning (ISO 8601, UTC), the id of operator or campaign (empty: nobody's), or ``total``.
        label: What people call it: the hour as clocks of the zone show it, or a name.
        facts: The base sums of ``core.kpi.FACTS``; a percentile of nothing is absent.
        values: The numbers of ``core.kpi.DEFINITIONS``, computed from them.
    """

    key: str
    label: str
    facts: Mapping[str, float]
    values: Mapping[str, float | None]


class Numbers:
    """Reads the numbers."""

    def __init__(self, pool: Executor) -> None:
        self._pool = pool

    async def table(
        self,
        *,
        since: datetime,
        until: datetime,
        by: By,
        campaign_id: int | None = None,
        zone: str = "UTC",
        now: datetime | None = None,
    ) -> Sequence[Row]:
        """Numbers of the facts from ``since`` (inside) to ``until`` (outside), aware times.

        Args:
            since: Begin of the period.
            until: End of the period.
            by: One row for each hour (also the empty ones), operator or campaign that has any fact, or one in total.
            campaign_id: Only this campaign; None for all.
            zone: For all campaigns: in which hours are shown; one campaign has its own.
            now: Until when states that go on are counted; None for the database's clock.

        Raises:
            NotFound: ``campaign.unknown``.
            StoreDown: PostgreSQL does not answer.
        """
        with store_errors():
            if campaign_id is not None:
                zone = await self._zone(campaign_id)
            found = await SQL["kpi"].fetch(
                self._pool, since=since, until=until, by=by, zone=zone, campaign_id=campaign_id, now=now
            )
            return [_row(record, by) for record in found]

    async def _zone(self, campaign_id: int) -> str:
        zone = await SQL["kpi_zone"].fetchval(self._pool, campaign_id=campaign_id)
        if zone is None:
            raise NotFound("campaign.unknown", f"There is no campaign {campaign_id}.")
        return str(zone)


def _row(record: asyncpg.Record, by: By) -> Row:
    facts = {name: float(record[name]) for name in kpi.FACTS if record[name] is not None}
    key, label = _TITLES[by](record)
    return Row(key=key, label=label, facts=facts, values=kpi.values(facts))


def _hour(record: asyncpg.Record) -> tuple[str, str]:
    return record["hour"].isoformat(), record["label"]


def _owner(record: asyncpg.Record) -> tuple[str, str]:
    return ("", "") if record["who"] == NOBODY else (str(record["who"]), record["label"] or "")


def _total(_record: asyncpg.Record) -> tuple[str, str]:
    return "total", ""


_TITLES = {"hour": _hour, "operator": _owner, "campaign": _owner, "total": _total}
