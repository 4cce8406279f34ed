"""Numbers per hour and for any period, as ``core.kpi`` defines them and the store counts them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core import kpi
from dialer.errors import Refused
from dialer.web import schemas

if TYPE_CHECKING:
    from dialer.store import kpi as kpi_store
    from dialer.store.stores import Stores
    from dialer.web.call import Call

#: Most days of a table with a row per hour.
HOURLY_MAX = timedelta(days=92)


def definitions() -> schemas.KpiDefinitions:
    """The one table of definitions."""
    return schemas.KpiDefinitions(definitions=[schemas.KpiDefinition.model_validate(d) for d in kpi.DEFINITIONS])


async def period(call: Call, ask: schemas.KpiQuery) -> schemas.KpiAnswer:
    """Numbers of a period; without times the present hour.

    Raises:
        Refused: ``request.period``: it ends before it begins, or has more hours than anybody reads.
    """
    since = ask.since or _hour(call.now)
    until = ask.until or since + timedelta(hours=1)
    if until <= since or (ask.by == "hour" and until - since > HOURLY_MAX):
        raise Refused(
            "request.period",
            "the period is empty, or too long for a row per hour",
            remedy=f"Let it end after it begins, and span at most {HOURLY_MAX.days} days by hour.",
        )
    rows = await _rows(call.stores, ask.campaign, since, until, ask.by)
    return schemas.KpiAnswer(since=since, until=until, by=ask.by, rows=rows)


async def present_hour(stores: Stores, now: datetime) -> schemas.KpiRow | None:
    """The whole floor's numbers of the present hour."""
    rows = await _rows(stores, None, _hour(now), now, "total")
    return rows[0] if rows else None


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


async def _rows(
    stores: Stores, campaign_id: int | None, since: datetime, until: datetime, by: kpi_store.By
) -> list[schemas.KpiRow]:
    found = await stores.kpi.table(campaign_id=campaign_id, since=since, until=until, by=by)
    return [schemas.KpiRow.model_validate(row) for row in found]
