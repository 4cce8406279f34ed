"""Numbers per hour and for any period, as ``core.kpi`` defines them and the store counts them."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core import kpi, kpi_money
from dialer.core.money import DIGITS, rounded
from dialer.errors import Refused
from dialer.web import schemas, scope
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from dialer.store.kpi import Row
    from dialer.store.kpi_money import Reads
    from dialer.store.stores import Stores
    from dialer.store.users import User
    from dialer.web.call import Call

#: Breakdowns whose rows are about people of the call centre.
PEOPLE = frozenset({"operator"})
#: Most days of a table with a row per hour.
HOURLY_MAX = timedelta(days=92)


def definitions() -> schemas.KpiDefinitions:
    """The one table of definitions."""
    return schemas.KpiDefinitions(definitions=[schemas.KpiDefinition.model_validate(d) for d in kpi.DICTIONARY])


async def period(call: Call, ask: schemas.KpiQuery) -> schemas.KpiAnswer:
    """Numbers of a period; without times the present hour.

    Raises:
        Refused: ``request.period``: it ends before it begins, or has more hours than anybody reads; ``kpi.of_bases``;
            ``request.operator``: a customer asks for numbers of one operator.
    """
    if reads(call.user) == "tariff" and (ask.operator is not None or ask.by in PEOPLE):
        raise of_operator()
    since = ask.since or _hour(call.now)
    until = ask.until or since + timedelta(hours=1)
    check(since, until, ask.by)
    bases = await scope.own_bases(call)
    rows = await _asked(call, ask, bases, since, until)
    earlier = await _asked(call, ask, bases, *before(since, until)) if ask.compare else None
    return schemas.KpiAnswer(since=since, until=until, by=ask.by, rows=rows, before=earlier)


def of_operator() -> Refused:
    """Who works for the call centre, and how, is not a customer's business."""
    return Refused("request.operator", "Numbers of one operator are not a customer's.", remedy="Leave it out.")


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


def reads(user: User) -> Reads | None:
    """How much of money this user reads: a customer's people and programs the tariff alone, base managers nothing."""
    role = Role(user.role)
    if role is Role.BASE_MANAGER:
        return None
    customers = role is Role.CUSTOMER or (role is Role.API and user.customer_id is not None)
    return "tariff" if customers else "all"


def amounts(row: Row) -> dict[str, Decimal | None]:
    """The numbers of money of a row as they are handed out: rounded, once."""
    return {
        definition.id: None
        if (value := row.money.get(definition.id)) is None
        else rounded(value, 1 if definition.unit == "%" else DIGITS[row.currency])
        for definition in (kpi_money.DEFINITIONS if row.money else ())
    }


async def _asked(
    call: Call, ask: schemas.KpiQuery, bases: Collection[int] | None, since: datetime, until: datetime
) -> list[schemas.KpiRow]:
    found = await call.stores.kpi.table(
        since=since,
        until=until,
        by=ask.by,
        campaign_id=ask.campaign,
        customer_id=ask.customer,
        operator_id=ask.operator,
        base_ids=bases,
        money=reads(call.user) if ask.money else None,
    )
    return [
        schemas.KpiRow(
            key=row.key,
            label=row.label,
            values=row.values,
            facts=row.facts,
            money=amounts(row),
            currency=row.currency,
        )
        for row in found
    ]
