"""Money: prices, what a period comes to, and days that are closed. Amounts are decimal numbers written as text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dialer.web.schemas.common import Answer, Ask, Id, Moment

PriceKind = Literal[
    "tariff_minute",
    "tariff_conversation",
    "tariff_lead",
    "tariff_operator_hour",
    "cost_operator_hour",
    "cost_paid_hour",
    "cost_trunk_minute",
    "cost_base",
    "cost_base_contact",
    "cost_letter",
    "cost_month",
]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]
#: A price: exact, up to a millionth of the currency's unit.
Amount = Annotated[Decimal, Field(ge=0, lt=10**11, decimal_places=6, allow_inf_nan=False)]
_Step = Annotated[int, Field(ge=1, le=3600)]
_Empty = BeforeValidator(lambda value: None if value == "" else value)


class PriceAsk(Ask):
    """A price from a day of the campaign's zone on; a base is paid once, on that day.

    Minutes are billed by a step: ``first_s`` seconds at least, and beyond these by ``step_s``.
    """

    kind: PriceKind
    amount: Amount
    since: Day
    base: Id | None = None
    first_s: _Step | None = None
    step_s: _Step | None = None


class PriceWithdraw(Ask):
    """Which price is taken back."""

    id: Id


class PriceInfo(Answer):
    """A price as it was said; ``until`` is the day from which another one holds."""

    id: int
    kind: PriceKind
    base_id: int | None
    base: str
    since: date
    until: date | None
    amount: Decimal
    currency: str
    first_s: int | None
    step_s: int | None
    made_at: datetime
    made_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str


class PricesAnswer(Answer):
    """All prices ever said, the newest first; up to ``closed_day`` days keep the amounts they were computed with."""

    currency: str
    closed_day: date | None
    prices: list[PriceInfo]


class PriceRehearsal(Ask):
    """A price that is only tried, on yesterday or another day."""

    price: PriceAsk
    day: Day | None = None


class RehearsedPrice(Answer):
    """What the day comes to by the prices said, and with the one that is tried."""

    day: date
    currency: str
    cost_before: Decimal
    cost_after: Decimal
    revenue_before: Decimal
    revenue_after: Decimal


class DaysClose(Ask):
    """To which day; without one all that are over."""

    through: Day | None = None


class MoneyDay(Answer):
    """A closed day (revision 0), or what facts that came after it added; a customer is told no cost."""

    day: date
    revision: int
    since: datetime
    until: datetime
    cost: Decimal | None
    revenue: Decimal
    closed_at: datetime
    closed_by: str


class MoneyDaysAnswer(Answer):
    """Closed days, the last first."""

    currency: str
    days: list[MoneyDay]


class MoneyQuery(Ask):
    """Which period, by whole hours that begin in it; without times the present month up to now."""

    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    operator: Annotated[Id | None, _Empty] = None


class MoneyPart(Answer):
    """What one price comes to: ``quantity`` × ``price`` = ``amount``; of a month hours, dealt out in smallest units."""

    price_id: int
    kind: PriceKind
    base_id: int | None
    base: str
    since: date
    price: Decimal
    first_s: int | None
    step_s: int | None
    quantity: Decimal
    amount: Decimal


class MoneyAnswer(Answer):
    """What a period comes to; a customer is told the revenue alone: what is owed."""

    currency: str
    since: datetime
    until: datetime
    cost: Decimal | None
    revenue: Decimal
    margin: Decimal | None
    parts: list[MoneyPart]
