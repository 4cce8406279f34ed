"""Numbers per hour and for any period, as ``core.kpi`` defines them and the store counts them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core import kpi
from dialer.errors import Refused
from dialer.web import schemas

if TYPE_CHECKING:
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
    check(since, until, ask.by)
    rows = await _asked(call.stores, ask, since, until)
    earlier = await _asked(call.stores, ask, *before(since, until)) if ask.compare else None
    return schemas.KpiAnswer(since=since, until=until, by=ask.by, rows=rows, before=earlier)


def check(since: datetime, until: datetime, by: str) -> None:
    """Refuse a period that nobody can read.

    Raises:
        Refused: ``request.period``.
    """
    if until <= since or (by == "hour" and until - since > HOURLY_MAX):
        raise Refused(
            "request.period",
            "the period is empty, or too long for a row per hour",
            remedy=f"Let it end after it begins, and span at most {HOURLY_MAX.days} days by hour.",
        )


def before(since: datetime, until: datetime, zone: str = "UTC") -> tuple[datetime, datetime]:
    """The period of the same length that ends where this one begins; of whole days in the zone, as many days."""
    first, last = since.astimezone(ZoneInfo(zone)), until.astimezone(ZoneInfo(zone))
    if (first.time(), last.time()) == (time(), time()):
        return first - (last.replace(tzinfo=None) - first.replace(tzinfo=None)), since
    return since - (until - since), since


async def present_hour(stores: Stores, now: datetime) -> schemas.KpiRow | None:
    """The whole floor's numbers of the present hour."""
    rows = await stores.kpi.table(since=_hour(now), until=now, by="total")
    return schemas.KpiRow.model_validate(rows[0]) if rows else None


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


async def _asked(stores: Stores, ask: schemas.KpiQuery, since: datetime, until: datetime) -> list[schemas.KpiRow]:
    found = await stores.kpi.table(
        since=since,
        until=until,
        by=ask.by,
        campaign_id=ask.campaign,
        customer_id=ask.customer,
        operator_id=ask.operator,
    )
    return [schemas.KpiRow.model_validate(row) for row in found]
