"""Leads: lists, one lead, and what may be said of it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id, Moment, Note
from dialer.web.schemas.disposition_kind import Code
from dialer.web.schemas.facts import Breakdown

LeadWord = Literal["new", "in_work", "accepted", "rejected", "client"]
#: Numbers that count leads, as ``core.kpi`` names them.
LeadFact = Literal["leads", "leads_accepted", "leads_rejected", "replacements_owed", "clients"]
#: An amount of money: exact, written as a decimal number.
Money = Annotated[Decimal, Field(ge=0, lt=10**11, decimal_places=2, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)]
_Empty = BeforeValidator(lambda value: None if value == "" else value)


class LeadsQuery(Ask):
    """Which leads; what is empty does not narrow. ``late``, ``owed`` and ``duplicate`` are lists of their own.

    ``fact`` gives those that a number of this name counts from ``since`` to ``until``, at that ``number`` of attempt;
    ``part`` is a row of the breakdown ``by``, by its key.
    """

    q: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] = ""
    show: Annotated[LeadWord | Literal["late", "owed", "duplicate"] | None, _Empty] = None
    campaign_id: Annotated[Id | None, _Empty] = None
    owner: Annotated[Id | None, _Empty] = None
    cursor: Annotated[Id | None, _Empty] = None
    fact: Annotated[LeadFact | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    number: Annotated[Annotated[int, Field(ge=1, le=1000)] | None, _Empty] = None
    by: Annotated[Breakdown | None, _Empty] = None
    part: Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)] | None = None
    operator: Annotated[Id | None, _Empty] = None
    basket: Annotated[Code | None, _Empty] = None


class LeadRow(Answer):
    """A lead in a list; ``due_at`` is the deadline of the first contact, ``replaces`` the lead it stands in for."""

    id: int
    campaign_id: int
    campaign: str
    customer: str
    person: str
    company: str
    phone: str
    made_at: datetime
    state: LeadWord
    due_at: datetime
    late: bool
    contacted_at: datetime | None
    decided_at: datetime | None
    reason: str | None
    client_at: datetime | None
    revenue: Decimal | None
    currency: str
    duplicate_of: int | None
    replaces: int | None
    replaced_by: int | None
    owner_id: int | None
    owner: str
    basket: str
    basket_ru: str
    basket_en: str


class LeadsAnswer(Answer):
    """Leads, the newest first; ``next`` is the cursor of the page after."""

    leads: list[LeadRow]
    next: int | None


class LeadStep(Answer):
    """What happened to a lead."""

    at: datetime
    what: Literal["made", "moved", "given", "changed", "late", "revenue", "basket"]
    before: str | None
    after: str | None
    by: str
    reason: str


class LeadView(LeadRow):
    """One lead with its card; ``attempt_id`` is the conversation it came from, null for the customer."""

    phones: list[str]
    address: str
    agreed: str
    attempt_id: UUID | None
    duplicates: list[int]
    history: list[LeadStep]


class LeadAnswer(Answer):
    """One lead."""

    lead: LeadView


class LeadMove(Ask):
    """Where a lead goes: a rejection needs a reason, a client may bring revenue."""

    state: LeadWord
    reason: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True, pattern=NO_NUL)] = ""
    revenue: Money | None = None


class LeadChange(Ask):
    """A correction; what is absent stays. ``owner`` null is nobody; another ``basket`` needs a reason."""

    person: Name | None = None
    company: Name | None = None
    address: Name | None = None
    agreed: Note | None = None
    owner: Id | None = None
    revenue: Money | None = None
    basket: Code | None = None
    basket_reason: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True, pattern=NO_NUL)] = ""


class LeadRuleAsk(Ask):
    """What holds for the leads of a campaign from now on."""

    contact_within_hours: Annotated[float, Field(ge=1 / 60, le=720, allow_inf_nan=False)]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class LeadRuleAnswer(Answer):
    """What holds for the leads of a campaign."""

    campaign_id: int
    contact_within_s: int
    currency: str
