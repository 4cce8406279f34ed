"""Prices of a made-up month: said before it and in its middle, from days gone by and to come, while days are closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf
from random import Random
from typing import TYPE_CHECKING

from dialer.core.money import Kind, Said
from dialer.store.money import Money
from dialer.store.users import Actor
from scripts.benches.kpi_slow_money import SUM_OF, Era, Paid
from scripts.benches.kpi_world import CAMPAIGNS, Log

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dialer.store.pools import Pools

SERVICE = Actor()
STEPPED = ("tariff_minute", "cost_trunk_minute")
STEPS = ((60, 60), (1, 1), (30, 6), (1, 60), (7, 13))
#: From when prices hold: before the month, from a day in it, and from the days on which clocks change.
EARLY, MIDDLE, CLOCKS = date(2026, 10, 1), date(2026, 10, 18), {1: date(2026, 10, 25), 2: date(2026, 11, 1)}
#: The last days that are closed first, and later.
FIRST, LATER = date(2026, 10, 12), date(2026, 10, 15)


class Till:
    """Says prices and closes days, and remembers both for whoever counts slowly.

    Attributes:
        held: Prices that hold now.
        closed: Days that are closed, by when they were.
        late: Closed days to which something was added.
    """

    def __init__(self, pools: Pools, seed: int) -> None:
        self.money, self.chance = Money(pools.intake), Random(seed)
        self.held: list[Paid] = []
        self.closed: list[Era] = []
        self.late = 0
        self._ids: dict[Paid, int] = {}

    @property
    def said(self) -> int:
        """Prices that were ever said."""
        return len(self._ids)

    def eras(self, heard: float = inf) -> Sequence[Era]:
        """Closed days, and the open ones behind them with what was heard by now."""
        return (*self.closed, Era(through={}, prices=tuple(self.held), heard=heard))

    async def open(self, log: Log, now: datetime) -> None:
        """What is known beforehand: prices of every kind, and what changes in the middle of the month."""
        for campaign in CAMPAIGNS:
            for kind in sorted(set(SUM_OF) - {"cost_base"}):
                late = self.chance.random() < 0.2  # nothing is said of it before
                for since in (*([] if late else [EARLY]), EARLY + timedelta(days=8), MIDDLE):
                    await self._say(self._price(campaign, kind, since), now)
                if campaign in CLOCKS and self.chance.random() < 0.5:
                    await self._say(self._price(campaign, kind, CLOCKS[campaign]), now)
        for base in log.bases[:6]:
            day = FIRST - timedelta(days=3) if base["id"] < 3 else MIDDLE + timedelta(days=base["id"])
            await self._say(replace(self._price(base["campaign_id"], "cost_base", day), base=base["id"]), now)

    async def change(self, since: date, now: datetime) -> None:
        """Prices from a day gone by, also of days that are closed; one in place of another, and one taken back."""
        for campaign in CAMPAIGNS:
            for kind in sorted(set(SUM_OF) - {"cost_base"}):
                if self.chance.random() < 0.6:
                    await self._say(self._price(campaign, kind, self.chance.choice((since, MIDDLE))), now)
            taken = self.chance.choice([one for one in self.held if one.campaign == campaign and one.since == MIDDLE])
            await self.money.withdraw(campaign, self._ids[taken], now=now, actor=SERVICE)
            self.held.remove(taken)

    async def close(self, through: date, now: datetime, heard: int) -> None:
        """Close days of all campaigns."""
        prices = tuple(self.held)
        for campaign in CAMPAIGNS:
            await self.money.close(campaign, through, now=now, actor=SERVICE)
        self.closed.append(Era(through=dict.fromkeys(CAMPAIGNS, through), prices=prices, heard=heard))

    async def settle(self, now: datetime, heard: float = inf) -> None:
        """Add to all closed days what was heard after them."""
        for campaign in CAMPAIGNS:
            for day in {closed.day for closed in await self.money.days(campaign)}:
                self.late += await self.money.settle(campaign, day, now=now)
        self.closed = [replace(era, heard=heard) for era in self.closed]

    def _price(self, campaign: int, kind: str, since: date) -> Paid:
        first, step = self.chance.choice(STEPS) if kind in STEPPED else (0, 0)
        low = 10**6 if kind == "cost_month" else 1
        amount = Decimal(self.chance.randrange(low, 10**8)).scaleb(-self.chance.randint(0, 6))
        amount = amount * 100 if kind == "cost_month" else amount
        return Paid(campaign=campaign, kind=kind, since=since, amount=amount, first_s=first, step_s=step)

    async def _say(self, one: Paid, now: datetime) -> None:
        steps = {"first_s": one.first_s, "step_s": one.step_s} if one.first_s else {}
        said = Said(kind=Kind(one.kind), since=one.since, amount=one.amount, base_id=one.base, **steps)
        self.held = [*_others(self.held, one), one]
        self._ids[one] = await self.money.set(one.campaign, said, now=now, actor=SERVICE)


def _others(held: Iterable[Paid], one: Paid) -> list[Paid]:
    """Without the price whose place another takes."""
    return [x for x in held if (x.campaign, x.kind, x.since, x.base) != (one.campaign, one.kind, one.since, one.base)]
