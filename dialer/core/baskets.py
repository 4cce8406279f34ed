"""Baskets: which one a lead belongs in, by rules that are data.

A disposition may name the basket of its leads. Else baskets are asked in their order, and the first whose every
condition holds takes the lead; whom none takes is in ``COMMON``. So every lead is in exactly one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The basket that every campaign has, and that no rule leads to.
COMMON = "common"
#: What a condition may look at: words of the card, where the script was, or an attribute of the contact.
FIELDS = ("agreed", "person", "company", "address", "step", "attribute")
#: How it looks; ``at_least`` and ``at_most`` compare numbers.
TESTS = ("contains", "is", "filled", "empty", "at_least", "at_most")
#: Tests that need nothing to compare with.
BARE = frozenset({"filled", "empty"})
WARMTHS = ("hot", "warm", "cold")
ACCURACIES = ("exact", "close", "rough")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition; ``name`` is the heading of the attribute it looks at."""

    field: str
    test: str
    value: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """A basket of a campaign.

    Attributes:
        code: For ever, in facts and events.
        warmth: Of ``WARMTHS``, or None.
        accuracy: How well its leads fit, of ``ACCURACIES``, or None.
        product: What they want; empty is anything.
        conditions: All must hold; none: only a disposition or a person puts leads here.
        owner_id: Whose its new leads are; None is nobody's.
        contact_within_s: Deadline of the first contact; None is the campaign's.
        archived: Keeps its leads and gets no new ones.
    """

    code: str
    name_en: str
    name_ru: str
    warmth: str | None = None
    accuracy: str | None = None
    product: str = ""
    conditions: tuple[Condition, ...] = ()
    owner_id: int | None = None
    contact_within_s: int | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of a lead: the words of its card, the step of the script, and what its base told."""

    person: str = ""
    company: str = ""
    address: str = ""
    agreed: str = ""
    step: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)


def choose(baskets: Sequence[Basket], told: Told, flagged: str | None = None) -> str:
    """The code of the basket a lead belongs in.

    Args:
        baskets: Of its campaign, in their order.
        told: What is known of it.
        flagged: Where its disposition sends it; an archived basket takes nobody.
    """
    active = [basket for basket in baskets if not basket.archived]
    if flagged in {basket.code for basket in active}:
        return str(flagged)
    rules = (basket for basket in active if basket.conditions and basket.code != COMMON)
    return next((one.code for one in rules if all(holds(condition, told) for condition in one.conditions)), COMMON)


def holds(condition: Condition, told: Told) -> bool:
    """Whether it is so; case, spaces around and the two dots of ё do not matter."""
    found, wanted = _plain(_value(condition, told)), _plain(condition.value)
    match condition.test:
        case "filled":
            return bool(found)
        case "empty":
            return not found
        case "is":
            return found == wanted
        case "contains":
            return wanted in found
        case _:
            return _compares(condition.test, found, wanted)


def flaw(baskets: Sequence[Basket]) -> tuple[str, str] | None:
    """What cannot be meant: code and sentence; None if nothing."""
    active = [basket for basket in baskets if not basket.archived]
    for names in ([one.name_en for one in active], [one.name_ru for one in active]):
        if len({_plain(name) for name in names}) < len(names):
            return "basket.name", "Two baskets have the same name."
    if COMMON not in {basket.code for basket in active}:
        return "basket.common", "The common basket takes whom no rule takes, so it stays."
    for basket in active:
        if basket.code == COMMON and basket.conditions:
            return "basket.common", "The common basket takes whom no rule takes, so it has no conditions."
        for condition in basket.conditions:
            if wrong := _condition_flaw(condition):
                return "basket.condition", f"{basket.name_en}: {wrong}"
    return None


def _condition_flaw(condition: Condition) -> str | None:
    if condition.field == "attribute" and not condition.name.strip():
        return "Say which attribute."
    if condition.test not in BARE and not condition.value.strip():
        return "Say what to compare with."
    if condition.test in {"at_least", "at_most"} and _number(condition.value) is None:
        return "Give a number to compare with."
    return None


def _value(condition: Condition, told: Told) -> str:
    if condition.field != "attribute":
        return str(getattr(told, condition.field))
    wanted = _plain(condition.name)
    return next((str(value) for name, value in told.attributes.items() if _plain(name) == wanted), "")


def _compares(test: str, found: str, wanted: str) -> bool:
    number, limit = _number(found), _number(wanted)
    if number is None or limit is None:
        return False
    return number >= limit if test == "at_least" else number <= limit


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


def _number(text: str) -> float | None:
    """A number as people write it: ``1 200,50``; infinities and words are none."""
    plain = "".join(text.split()).replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else None
