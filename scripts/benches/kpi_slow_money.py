"""Every amount of every breakdown counted slowly, fact by fact, from the log of a made-up month and what prices said.

The count is another hand's: decimals that may not be rounded, days and hours by the calendar of Python, no SQL, and
nothing of the product. Amounts are in parts of a currency unit, as many as an hour has microseconds.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, localcontext
from fractions import Fraction
from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from scripts.benches.kpi_slow import Slow, owned, pieces, times
from scripts.benches.kpi_world import CAMPAIGNS, Log

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

HOUR, HOUR_US = timedelta(hours=1), 3_600_000_000
#: Campaign -> currency, and digits of the currency's smallest unit.
CURRENCIES = {1: ("EUR", 2), 2: ("EUR", 2), 3: ("KWD", 3)}
REVENUE = ("revenue_minutes", "revenue_conversations", "revenue_leads", "revenue_hours")
COST = ("cost_operators", "cost_trunk", "cost_bases", "cost_letters", "cost_fixed")
#: What each kind of price is part of.
SUM_OF = {
    "tariff_minute": "revenue_minutes",
    "tariff_conversation": "revenue_conversations",
    "tariff_lead": "revenue_leads",
    "tariff_operator_hour": "revenue_hours",
    "cost_operator_hour": "cost_operators",
    "cost_paid_hour": "cost_operators",
    "cost_trunk_minute": "cost_trunk",
    "cost_base": "cost_bases",
    "cost_base_contact": "cost_bases",
    "cost_letter": "cost_letters",
    "cost_month": "cost_fixed",
}
TIMES = ("hour", "day", "week", "month")
EVERYWHERE = frozenset({"total", "campaign", "customer", *TIMES})
#: What else is known of money, by owner: a month's price has no operator, an operator's hour no base.
_CALLS = frozenset({*REVENUE[:3], "cost_trunk", "cost_letters", "orders"})
_SAID = frozenset({"revenue_leads", "cost_letters", "orders"})
KNOWN = dict.fromkeys(("script", "caller", "number", "region"), _CALLS) | {"code": _SAID, "reason": _SAID}
KNOWN |= {"operator": _CALLS | {"revenue_hours", "cost_operators"}, "base": _CALLS | {"cost_bases"}}
_ALL = frozenset({*REVENUE, *COST, "orders"})
Reads = Literal["all", "tariff"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A price as it was said: from a day on, or of a base on that day."""

    campaign: int
    kind: str
    since: date
    amount: Decimal
    base: int | None = None
    first_s: int = 0
    step_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """Days that were closed together, or those that are open.

    Attributes:
        through: Campaign -> its last day; empty for open days.
        prices: Those that held when they were closed; of open days those that hold now.
        heard: The last batch of facts that is counted for them.
    """

    through: Mapping[int, date]
    prices: Sequence[Paid]
    heard: float


class Due:
    """Every amount of every breakdown, of the hours that begin in a period."""

    def __init__(
        self,
        log: Log,
        since: datetime,
        until: datetime,
        eras: Sequence[Era],
        campaigns: Collection[int] | None = None,
        operator: int | None = None,
    ) -> None:
        self.since, self.until, self.eras, self.campaigns, self.operator = since, until, eras, campaigns, operator
        self._place = Slow(Log(), since, until, campaigns, operator).keys
        self._held = cache(self._price)
        #: Breakdown -> row -> currency -> sum -> amount.
        self.sums: dict[str, dict[str, dict[str, dict[str, Decimal]]]] = {}
        with localcontext(Context(prec=60, traps=[Inexact])):
            for row in log.attempts:
                self._call(row)
            for lead in log.leads:
                self._lead(lead)
            for letter in log.letters:
                if "sent_at" in letter:
                    self._pay("cost_letter", letter, HOUR_US, self._said(letter, "sent_at"))
            for heard in {era.heard for era in eras}:
                self._time(log, heard)
            if operator is None:
                self._bases(log)
                self._months()

    # Which hour, which day, which price ------------------------------------------------

    def _era(self, campaign: int, day: date) -> Era:
        return next(era for era in self.eras if not era.through or day <= era.through[campaign])

    def _price(self, kind: str, campaign: int, day: date) -> Paid | None:
        """The one that was said for the latest day so far."""
        held = [one for one in self._era(campaign, day).prices if (one.kind, one.campaign) == (kind, campaign)]
        return max((one for one in held if one.since <= day), key=lambda one: one.since, default=None)

    def _in(self, hour: str) -> bool:
        return self.since <= datetime.fromisoformat(hour) < self.until

    def _pay(self, kind: str, fact: Mapping[str, Any], quantity: int, keys: Mapping[str, str]) -> None:
        """So much of what a price is for, in parts; a fact nobody has heard of by the close of its day is not paid."""
        if not keys or not self._in(keys["hour"]):
            return
        campaign, day = int(keys["campaign"]), date.fromisoformat(keys["day"])
        price = self._held(kind, campaign, day)
        if price is not None and fact.get("heard", inf) <= self._era(campaign, day).heard:
            self._book(kind, campaign, quantity * price.amount, keys)

    def _book(self, kind: str, campaign: int, amount: Decimal, keys: Mapping[str, str]) -> None:
        currency, name = CURRENCIES[campaign][0], SUM_OF.get(kind, kind)
        for by, key in keys.items():
            sums = self.sums.setdefault(by, {}).setdefault(key, {}).setdefault(currency, {})
            sums[name] = sums.get(name, Decimal(0)) + amount

    # Facts ---------------------------------------------------------------------------

    def _call(self, row: dict[str, Any]) -> None:
        at, end, spoke = row["sent_at"], row["ended_at"], row["outcome"] == "connected"
        if row["answered_at"] is None:
            return
        keys = self._place(row, at)
        if not keys:
            return
        for kind, begin in (("cost_trunk_minute", row["answered_at"]), ("tariff_minute", row["connected_at"])):
            if begin is None or not (price := self._held(kind, row["campaign_id"], date.fromisoformat(keys["day"]))):
                continue
            billed = billed_s((end - begin) // timedelta(microseconds=1), price.first_s, price.step_s)
            self._pay(kind, row, billed * HOUR_US // 60, keys)
        if spoke:
            self._pay("tariff_conversation", row, HOUR_US, keys)

    def _said(self, fact: Mapping[str, Any], step: str) -> dict[str, str]:
        """Places of what a disposition led to, at the time of a step."""
        said = fact["said"]
        keys = self._place(said, fact[step])
        return keys and keys | {"code": said["code"]} | ({"reason": said["reason"]} if said["reason"] else {})

    def _lead(self, lead: dict[str, Any]) -> None:
        if lead.get("accepted"):
            heard = {"heard": lead.get("told_decided_at", inf)}
            self._pay("tariff_lead", heard, HOUR_US, self._said(lead, "decided_at"))
        if lead.get("revenue") is not None and lead.get("told_client_at", inf) <= self.eras[-1].heard:
            keys = self._said(lead, "client_at")
            if keys and self._in(keys["hour"]):
                self._book("orders", lead["said"]["campaign_id"], HOUR_US * lead["revenue"], keys)

    def _time(self, log: Log, heard: float) -> None:
        """Operators' time in days for which so much was heard: whose it is follows from that."""
        for row, owner in owned(row for row in log.intervals if row.get("heard", inf) <= heard):
            if owner is None or row["ended_at"] < self.since - HOUR or row["started_at"] > self.until + HOUR:
                continue
            told = {"campaign_id": owner, "operator_id": row["operator_id"]}
            for at, until in pieces(row["started_at"], row["ended_at"]):
                keys = self._place(told, at)
                if not keys or self._era(owner, date.fromisoformat(keys["day"])).heard != heard:
                    continue
                long = (until - at) // timedelta(microseconds=1)
                self._pay("cost_paid_hour", row, long, keys)
                if row["state"] != "paused":
                    self._pay("cost_operator_hour", row, long, keys)
                    self._pay("tariff_operator_hour", row, long, keys)

    def _bases(self, log: Log) -> None:
        for base in log.bases:
            if base["undone_at"] is None and not base["by_hand"]:
                keys = self._without_operator(base["campaign_id"], base["loaded_at"], {"base": str(base["id"])})
                self._pay("cost_base_contact", {"heard": 0}, HOUR_US * base["rows_loaded"], keys)
        for campaign in CAMPAIGNS:
            for day in days(campaign):
                for price in self._era(campaign, day).prices:
                    if (price.campaign, price.kind, price.since) == (campaign, "cost_base", day):
                        keys = self._without_operator(campaign, hours(campaign, day)[0], {"base": str(price.base)})
                        if keys and self._in(keys["hour"]):
                            self._book("cost_base", campaign, HOUR_US * price.amount, keys)

    def _months(self) -> None:
        """A month's price, dealt out coin by coin to its days and theirs to their hours."""
        for campaign in CAMPAIGNS:
            coin = Decimal(1).scaleb(-CURRENCIES[campaign][1])
            for day in days(campaign):
                price = self._held("cost_month", campaign, day)
                if price is None:
                    continue
                today = dealt(price.amount, monthrange(day.year, day.month)[1], coin)[day.day - 1]
                its_hours = hours(campaign, day)
                for at, share in zip(its_hours, dealt(today, len(its_hours), coin), strict=True):
                    keys = self._without_operator(campaign, at, {})
                    if keys and self._in(keys["hour"]):
                        self._book("cost_month", campaign, HOUR_US * share, keys)

    def _without_operator(self, campaign: int, at: datetime, more: dict[str, str]) -> dict[str, str]:
        keys = self._place({"campaign_id": campaign}, at)
        return keys and {by: key for by, key in keys.items() if by in EVERYWHERE} | more


def billed_s(long_us: int, first_s: int, step_s: int) -> int:
    """Whole seconds that are billed for a call: the first so many, and then step by step."""
    billed = first_s
    while billed * 10**6 < long_us:
        billed += step_s
    return billed


def dealt(amount: Decimal, places: int, coin: Decimal) -> list[Decimal]:
    """An amount in whole coins for each place: after each what is due by then was dealt, to the nearest coin."""
    shares, given = [], Decimal(0)
    for place in range(1, places + 1):
        due = Fraction(amount) * place / places / Fraction(coin)
        whole = (2 * due.numerator + due.denominator) // (2 * due.denominator)
        shares.append(whole * coin - given)
        given = whole * coin
    return shares


@cache
def hours(campaign: int, day: date) -> list[datetime]:
    """Beginnings of the hours of a day of the campaign's zone."""
    return sorted({datetime.fromisoformat(hour) for hour in _hours(campaign).get(str(day), ())})


def days(campaign: int) -> list[date]:
    """Days of the month in the campaign's zone, with some beside it."""
    return [date.fromisoformat(day) for day in list(_hours(campaign))[1:-1]]


@cache
def _hours(campaign: int) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for quarter in range(-7 * 96, 40 * 96):
        place = times(CAMPAIGNS[campaign][0], quarter)
        found[place["day"]].append(place["hour"])
    return dict(found)


# What is shown ---------------------------------------------------------------------


def shown(by: str, due: Due, slow: Slow | None, key: str, reads: Reads) -> tuple[str, dict[str, Fraction | None]]:
    """Currency and numbers of a row, as anybody would work them out; None for what nobody can know.

    Args:
        by: The breakdown.
        due: The amounts.
        slow: Counts of the same period, to divide by; without, only sums are worked out.
        key: The row.
        reads: Whether costs are read.
    """
    names = KNOWN.get(by, _ALL)
    if due.operator is not None:
        names = names & KNOWN["operator"] if by in EVERYWHERE | {"operator"} else frozenset()
    names -= set(COST) if reads == "tariff" else set()
    row = {
        currency: own
        for currency, sums in due.sums.get(by, {}).get(key, {}).items()
        if (own := {name: amount for name, amount in sums.items() if name in names})
    }
    own = set(row) or {CURRENCIES[campaign][0] for campaign in due.campaigns or CURRENCIES}
    if len(own) != 1:
        return "", dict.fromkeys(_numbers({}, {}))
    [currency] = own
    amounts = {name: Fraction(row.get(currency, {}).get(name, 0)) / HOUR_US for name in names}
    counts = slow.sums[by].get(key, {}) if slow else {}
    return currency, _numbers(amounts, counts, each=slow is not None)


def _numbers(
    sums: Mapping[str, Fraction], counts: Mapping[str, float], *, each: bool = True
) -> dict[str, Fraction | None]:
    revenue = sum(sums[name] for name in REVENUE) if sums.keys() >= set(REVENUE) else None
    cost = sum(sums[name] for name in COST) if sums.keys() >= set(COST) else None
    margin = None if revenue is None or cost is None else Fraction(revenue - cost)
    found: dict[str, Any] = {name: sums.get(name) for name in sorted(_ALL)}
    found |= {"revenue": revenue, "cost": cost, "margin": margin}
    found["margin_share"] = margin / revenue * 100 if margin is not None and revenue else None
    for what, of in (("contact", "contacts_reached"), ("lead", "leads"), ("client", "clients")) if each else ():
        count = Fraction(counts.get(of, 0))
        found[f"cost_per_{what}"] = cost / count if cost is not None and count else None
        found[f"revenue_per_{what}"] = revenue / count if revenue is not None and count else None
    return found


def cents(amount: Fraction, digits: int) -> Decimal:
    """An amount to its currency's smallest unit, half away from nothing."""
    with localcontext(Context(prec=100)):
        exact = Decimal(amount.numerator) / Decimal(amount.denominator)
        return exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
