"""Money: what a price may be, and how amounts are rounded.

A price holds from a day of the campaign's zone until the day from which the next of its kind holds, so two at once
cannot be said. Amounts are exact everywhere; they are rounded once, half up to the smallest unit of the currency, where
they are shown or handed out. So sums of parts equal the total; as shown they may differ from it by that last unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from fractions import Fraction

#: Parts of a currency unit in which amounts are kept: as many as an hour has microseconds.
PARTS = 3_600_000_000
#: Prices are exact to so many decimals, below a hundred billion.
PLACES, WHOLE_DIGITS = 6, 11
STEP_MAX_S = 3600


class Kind(StrEnum):
    """What is paid for; the same words as in the database."""

    TARIFF_MINUTE = "tariff_minute"
    TARIFF_CONVERSATION = "tariff_conversation"
    TARIFF_LEAD = "tariff_lead"
    TARIFF_OPERATOR_HOUR = "tariff_operator_hour"
    COST_OPERATOR_HOUR = "cost_operator_hour"
    COST_PAID_HOUR = "cost_paid_hour"
    COST_TRUNK_MINUTE = "cost_trunk_minute"
    COST_BASE = "cost_base"
    COST_BASE_CONTACT = "cost_base_contact"
    COST_LETTER = "cost_letter"
    COST_MONTH = "cost_month"

    @property
    def tariff(self) -> bool:
        """Whether the customer pays it; else it is a cost of ours."""
        return self.startswith("tariff")


#: Kinds that are billed by a step: at least so many seconds, and beyond that by so many.
STEPPED = frozenset({Kind.TARIFF_MINUTE, Kind.COST_TRUNK_MINUTE})
HOURLY = frozenset({Kind.TARIFF_OPERATOR_HOUR, Kind.COST_OPERATOR_HOUR, Kind.COST_PAID_HOUR})
#: What is paid, in base sums of the numbers.
FACT: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.TARIFF_MINUTE: "revenue_minutes",
        Kind.TARIFF_CONVERSATION: "revenue_conversations",
        Kind.TARIFF_LEAD: "revenue_leads",
        Kind.TARIFF_OPERATOR_HOUR: "revenue_hours",
        Kind.COST_OPERATOR_HOUR: "cost_operators",
        Kind.COST_PAID_HOUR: "cost_operators",
        Kind.COST_TRUNK_MINUTE: "cost_trunk",
        Kind.COST_BASE: "cost_bases",
        Kind.COST_BASE_CONTACT: "cost_bases",
        Kind.COST_LETTER: "cost_letters",
        Kind.COST_MONTH: "cost_fixed",
    }
)

_CODES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
    "CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
    "MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK "
    "SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD "
    "YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
#: Digits of the smallest unit by currency. Source: ISO 4217 (list one, without metals, funds of issue and test codes);
#: the database holds the same list.
DIGITS: Mapping[str, int] = MappingProxyType(
    {code: digits for digits, codes in _CODES.items() for code in codes.split()}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A price as somebody says it.

    Attributes:
        since: First day of the campaign's zone on which it holds; of a base: the day on which it is paid, once.
        amount: In the campaign's currency: for an hour, a minute, a piece, a month, or the base.
        base_id: Which base, of ``cost_base``.
        first_s: Least seconds billed, of a minute.
        step_s: Seconds by which is billed beyond these.
    """

    kind: Kind
    since: date
    amount: Decimal
    base_id: int | None = None
    first_s: int | None = None
    step_s: int | None = None


def refusal(said: Said) -> tuple[str, str, str] | None:
    """Why this is no price: code, sentence and field; None if it is one.

    Returns:
        ``price.amount``, ``price.step`` or ``price.base``.
    """
    amount = said.amount
    if not amount.is_finite() or amount < 0 or amount >= 10**WHOLE_DIGITS or amount != round(amount, PLACES):
        return "price.amount", f"A price is an amount of money, with at most {PLACES} decimals.", "amount"
    steps = [step for step in (said.first_s, said.step_s) if step is not None]
    if len(steps) != (2 if said.kind in STEPPED else 0) or not all(1 <= step <= STEP_MAX_S for step in steps):
        return "price.step", "Minutes are billed by a step of 1 to 3600 seconds, nothing else is.", "first_s"
    if (said.base_id is not None) != (said.kind is Kind.COST_BASE):
        return "price.base", "The price of a base names the base, no other does.", "base"
    return None


def rounded(amount: Fraction, digits: int) -> Decimal:
    """An amount as it is shown: half up (away from nothing) to so many decimals; nowhere else is money rounded."""
    scaled = abs(amount) * 10**digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if amount >= 0 else -whole).scaleb(-digits)


def plain(amount: Decimal) -> str:
    """A price without zeros at its end, never with an exponent."""
    with localcontext(rounding=ROUND_HALF_UP):
        return f"{amount.normalize():f}"
