"""The sums of money behind the numbers of a period: amounts of prices, and what clients bought."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from dialer.core import kpi, kpi_money
from dialer.core.money import FACT, PARTS, Kind
from dialer.store.money import SQL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.store.queries import Connection

Key = tuple["datetime | None", str]
#: Whose money is read: all of it, or what the customer owes and its clients bought, and no cost.
Reads = Literal["all", "tariff"]


@dataclass(slots=True)
class Tallies:
    """Sums by row, and what they have in common.

    Attributes:
        currencies: Those in which there is any money.
        names: Sums that are known.
        found: Row -> currency -> sum -> amount.
    """

    currencies: frozenset[str]
    names: frozenset[str]
    found: dict[Key, dict[str, dict[str, Fraction]]] = field(default_factory=dict)

    def of(self, key: Key) -> tuple[str, Mapping[str, Fraction]]:
        """Currency and sums of a row; neither where it has money of several currencies, which nobody can add up."""
        row = self.found.get(key, {})
        own = frozenset(row) or self.currencies
        if len(own) != 1:
            return "", {}
        [currency] = own
        return currency, {name: row.get(currency, {}).get(name, Fraction(0)) for name in self.names}


async def tallies(
    connection: Connection,
    *,
    since: datetime,
    until: datetime,
    by: str,
    campaigns: Sequence[int] | None,
    operator_id: int | None,
    now: datetime,
    reads: Reads,
) -> Tallies | None:
    """What hours that begin in a period cost and bring; None where there is no money at all."""
    sides = [
        row
        for row in await SQL["money_sides"].fetch(connection, campaigns=campaigns)
        if row["tariff"] or row["orders"] or (row["cost"] and reads == "all")
    ]
    if not sides:
        return None
    names = _names(sides, by, operator_id, reads)
    told = Tallies(frozenset(row["currency"] for row in sides), names)
    found: dict[Key, dict[str, dict[str, Fraction]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Fraction)))
    given = {
        "since": since,
        "until": until,
        "per": by if by in kpi.TIMES else "",
        "by": "" if by in kpi.TIMES else by,
        "campaigns": [campaign for row in sides for campaign in row["campaigns"]],
    }
    owner = by if by in kpi.OWNERS and by not in {"campaign", "customer"} else "total"
    whose = {"dim": owner, "key": None} if operator_id is None else {"dim": "operator", "key": str(operator_id)}
    if names & (set(kpi_money.REVENUES) | set(kpi_money.COSTS)):
        rows = await SQL["money_sums"].fetch(connection, **given, **whose, now=now, tariff_only=reads == "tariff")
        for row in rows:
            if (name := FACT[Kind(row["kind"])]) in names:
                found[row["bucket"], row["who"]][row["currency"]][name] += Fraction(row["amount"]) / PARTS
    if "orders" in names:
        for row in await SQL["money_orders"].fetch(connection, **given, operator_id=operator_id):
            found[row["bucket"], row["who"]][row["currency"]]["orders"] += Fraction(row["amount"])
    told.found.update(found)
    return told


def _names(sides: Sequence[asyncpg.Record], by: str, operator_id: int | None, reads: Reads) -> frozenset[str]:
    """Sums that rows know: by owner and operator, and only of a side for which anybody said a price."""
    known = kpi_money.known(by)
    if operator_id is not None:
        known = known & kpi_money.known("operator") if by in kpi.TIMED else frozenset()
    if not any(row["tariff"] for row in sides):
        known -= set(kpi_money.REVENUES)
    if reads == "tariff" or not any(row["cost"] for row in sides):
        known -= set(kpi_money.COSTS)
    return known
