"""The numbers of the product, each with one definition: printed by the command line, the API and the pages.

PostgreSQL counts *base sums* from the facts (``FACTS``); every number here is a base sum, or sums divided by sums. So
a number of a day follows from the sums of its hours, and a total from those of its campaigns. Two sorts of facts are
not sums and are counted for each row by themselves (``APART``): different contacts, and percentiles.

Operator time is cut at the hour. Time in which an operator waits belongs to the campaign of the call that ended the
waiting, and after the last call of a shift to that call's campaign.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import kpi_money
from dialer.core.kpi_facts import APART, FACTS, LED, PROMISED, SAID, TIME
from dialer.core.kpi_numbers import DEFINITIONS, Definition

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = (
    "APART",
    "DEFINITIONS",
    "DICTIONARY",
    "FACTS",
    "LED",
    "PROMISED",
    "SAID",
    "TIME",
    "Definition",
    "known",
    "values",
)

#: Ways to break numbers down by when the facts were.
TIMES = ("hour", "day", "week", "month")
#: And by what they belong to.
OWNERS = ("operator", "campaign", "customer", "base", "script", "caller", "number", "region", "code", "reason")
BREAKDOWNS = ("total", *TIMES, *OWNERS)
#: Of the breakdowns, those whose rows have operator time.
TIMED = frozenset({"total", *TIMES, "operator", "campaign", "customer"})


def known(by: str) -> frozenset[str]:
    """The base sums that rows of a breakdown have."""
    if by in {"code", "reason"}:
        return SAID
    return frozenset(FACTS) if by in TIMED else frozenset(FACTS) - TIME


#: All numbers, those of money with them.
DICTIONARY = (*DEFINITIONS, *kpi_money.DEFINITIONS)
BY_ID = {definition.id: definition for definition in DICTIONARY}


def values(facts: Mapping[str, float]) -> dict[str, float | None]:
    """Every number of ``DEFINITIONS`` from the base sums of one row.

    Args:
        facts: The sums named in ``FACTS``; what is absent was not counted.

    Returns:
        Number by id; None where the facts are absent or there is nothing to divide by.
    """
    return {definition.id: _value(definition, facts) for definition in DEFINITIONS}


def _value(definition: Definition, facts: Mapping[str, float]) -> float | None:
    above, less = _sum(definition.numerator, facts), _sum(definition.less, facts)
    if above is None or less is None:
        return None
    if not definition.denominator:
        return (above - less) * definition.scale
    below = _sum(definition.denominator, facts)
    return (above - less) * definition.scale / below if below else None


def _sum(keys: tuple[str, ...], facts: Mapping[str, float]) -> float | None:
    parts = [part for key in keys if (part := facts.get(key)) is not None]
    return sum(parts) if len(parts) == len(keys) else None
