"""Baskets of a campaign's leads, as an admin edits them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id
from dialer.web.schemas.disposition_kind import Code

_Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True, pattern=NO_NUL)]
_Words = Annotated[str, StringConstraints(max_length=100, strip_whitespace=True, pattern=NO_NUL)]
ConditionField = Literal["agreed", "person", "company", "address", "step", "attribute"]
ConditionTest = Literal["contains", "is", "filled", "empty", "at_least", "at_most"]


class BasketCondition(Ask):
    """What must hold: ``name`` is the heading of an attribute, ``filled`` and ``empty`` need no value."""

    field: ConditionField
    test: ConditionTest
    value: _Words = ""
    name: _Words = ""


class BasketFields(Ask):
    """A basket; without a ``code`` it is new. Without conditions only a disposition or a person puts leads there."""

    code: Code | Literal[""] = ""
    name_ru: _Name
    name_en: _Name
    warmth: Literal["hot", "warm", "cold"] | None = None
    accuracy: Literal["exact", "close", "rough"] | None = None
    product: _Words = ""
    conditions: Annotated[list[BasketCondition], Field(max_length=10)] = Field(default_factory=list)
    owner: Id | None = None
    contact_within_hours: Annotated[float, Field(ge=1 / 60, le=720, allow_inf_nan=False)] | None = None


class BasketsAsk(Ask):
    """The baskets of a campaign in the order in which they are asked; those it has and this does not are archived.

    They hold for leads made from now on; ``move`` also takes the leads nobody has decided on where the rules say.
    """

    baskets: Annotated[list[BasketFields], Field(min_length=1, max_length=50)]
    move: bool = False


class BasketView(Answer):
    """A basket with its leads: all, those nobody has decided on, those whose first contact is late."""

    code: str
    name_ru: str
    name_en: str
    warmth: str | None
    accuracy: str | None
    product: str
    conditions: list[BasketCondition]
    owner: int | None
    contact_within_s: int | None
    archived: bool
    leads: int
    open: int
    late: int


class BasketMove(Answer):
    """How many leads go from one basket into another."""

    before: str
    after: str
    leads: int


class BasketsAnswer(Answer):
    """The baskets in their order, archived ones at the end; ``moved`` is what this request moved."""

    campaign_id: int
    baskets: list[BasketView]
    moved: list[BasketMove] = Field(default_factory=list)


class BasketsRehearsal(Answer):
    """What the rules would move, if they were to; nothing was written."""

    leads: int
    moves: list[BasketMove]
