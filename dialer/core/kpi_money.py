"""The numbers of money: what the tariff brings, what the work costs, and both for a contact, a lead, a client.

They are made like all others, of base sums (``MONEY``) that PostgreSQL adds up from prices and facts, but exactly: as
fractions, rounded by ``core.money.rounded`` where they are shown. By what owns no such sum a number is not known: a
month's rent has no operator, an operator's hour no base.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from dialer.core.kpi_facts import COSTS, MONEY, REVENUES
from dialer.core.kpi_numbers import PERCENT, Definition

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("COSTS", "DEFINITIONS", "MONEY", "REVENUES", "known", "values")

_MONEY_UNIT = "money"


def _sum(name: str, en: str, ru: str, better: str) -> Definition:
    fact = MONEY[name]
    return Definition(
        id=name, name_en=en, name_ru=ru, formula_en=fact.en, formula_ru=fact.ru, unit=_MONEY_UNIT, better=better,
        numerator=(name,),
    )  # fmt: skip


def _each(what: str, count: str, counted: tuple[str, str], ru: str) -> tuple[Definition, ...]:
    """Cost and revenue for one of something."""
    return (
        Definition(
            id=f"cost_per_{what}", name_en=f"Cost per {what}", name_ru=f"Затраты на {ru}",
            formula_en=f"costs ÷ {counted[0]}", formula_ru=f"затраты ÷ {counted[1]}", unit=_MONEY_UNIT, better="down",
            numerator=COSTS, denominator=(count,),
        ),
        Definition(
            id=f"revenue_per_{what}", name_en=f"Revenue per {what}", name_ru=f"Выручка на {ru}",
            formula_en=f"revenue ÷ {counted[0]}", formula_ru=f"выручка ÷ {counted[1]}", unit=_MONEY_UNIT, better="up",
            numerator=REVENUES, denominator=(count,),
        ),
    )  # fmt: skip


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        id="revenue",
        name_en="Revenue",
        name_ru="Выручка",
        formula_en="what the customer owes by the tariff: minutes + conversations + leads + operator hours, each at the"
        " price of its day",
        formula_ru="сколько должен заказчик по тарифу: минуты + разговоры + лиды + часы операторов, каждое по цене"
        " своего дня",
        unit=_MONEY_UNIT,
        better="up",
        numerator=REVENUES,
    ),
    _sum("revenue_minutes", "Revenue: minutes", "Выручка: минуты", "up"),
    _sum("revenue_conversations", "Revenue: conversations", "Выручка: разговоры", "up"),
    _sum("revenue_leads", "Revenue: leads", "Выручка: лиды", "up"),
    _sum("revenue_hours", "Revenue: operator hours", "Выручка: часы операторов", "up"),
    Definition(
        id="cost",
        name_en="Costs",
        name_ru="Затраты",
        formula_en="operators + trunk minutes + bases + letters + fixed costs, each at the price of its day",
        formula_ru="операторы + минуты транка + базы + письма + постоянные затраты, каждое по цене своего дня",
        unit=_MONEY_UNIT,
        better="down",
        numerator=COSTS,
    ),
    _sum("cost_operators", "Costs: operators", "Затраты: операторы", "down"),
    _sum("cost_trunk", "Costs: trunk minutes", "Затраты: минуты транка", "down"),
    _sum("cost_bases", "Costs: bases", "Затраты: базы", "down"),
    _sum("cost_letters", "Costs: letters", "Затраты: письма", "down"),
    _sum("cost_fixed", "Costs: fixed", "Затраты: постоянные", "down"),
    Definition(
        id="margin",
        name_en="Margin",
        name_ru="Маржа",
        formula_en="revenue − costs",
        formula_ru="выручка − затраты",
        unit=_MONEY_UNIT,
        better="up",
        numerator=REVENUES,
        less=COSTS,
    ),
    Definition(
        id="margin_share",
        name_en="Margin rate",
        name_ru="Маржинальность",
        formula_en="(revenue − costs) ÷ revenue",
        formula_ru="(выручка − затраты) ÷ выручка",
        unit="%",
        better="up",
        numerator=REVENUES,
        less=COSTS,
        denominator=REVENUES,
        scale=PERCENT,
    ),
    *_each(
        "contact",
        "contacts_reached",
        ("different contacts reached in the period", "разные контакты, с которыми поговорили за период"),
        "контакт",
    ),
    *_each("lead", "leads", ("leads made", "сделанные лиды"), "лид"),
    *_each("client", "clients", ("leads that became clients", "лиды, ставшие клиентами"), "клиента"),
    _sum("orders", "Orders of clients", "Заказы клиентов", "up"),
)
#: What an owner knows of money; times, campaigns and customers know all of it.
_REVENUE_OF_CALLS = frozenset({"revenue_minutes", "revenue_conversations", "revenue_leads"})
_OF_CALLS = _REVENUE_OF_CALLS | {"cost_trunk", "cost_letters", "orders"}
_KNOWN: Mapping[str, frozenset[str]] = {
    "operator": _OF_CALLS | {"revenue_hours", "cost_operators"},
    "base": _OF_CALLS | {"cost_bases"},
    "script": _OF_CALLS,
    "caller": _OF_CALLS,
    "number": _OF_CALLS,
    "region": _OF_CALLS,
    "code": frozenset({"revenue_leads", "cost_letters", "orders"}),
    "reason": frozenset({"revenue_leads", "cost_letters", "orders"}),
}


def known(by: str) -> frozenset[str]:
    """The sums of money that rows of a breakdown have."""
    return _KNOWN.get(by, frozenset(MONEY))


def values(money: Mapping[str, Fraction], facts: Mapping[str, float]) -> dict[str, Fraction | None]:
    """Every number of ``DEFINITIONS`` from the sums of one row.

    Args:
        money: Sums named in ``MONEY``, in the currency's unit; what is absent is not known.
        facts: Counts named in ``FACTS``.

    Returns:
        Number by id, exact; None where a sum is not known or there is nothing to divide by.
    """
    counts = {name: Fraction(value) for name, value in facts.items()}
    return {definition.id: _value(definition, {**counts, **money}) for definition in DEFINITIONS}


def _value(definition: Definition, sums: Mapping[str, Fraction]) -> Fraction | None:
    if not sums.keys() >= set(definition.facts):
        return None
    above = sum((sums[name] for name in definition.numerator), Fraction(0))
    above -= sum((sums[name] for name in definition.less), Fraction(0))
    if not definition.denominator:
        return above
    below = sum((sums[name] for name in definition.denominator), Fraction(0))
    return Fraction(definition.scale) * above / below if below else None
