"""Leads: how one goes from the conversation to a client, who must be reached by when, and which of them are the same.

    new → in work → accepted → client
      └──────┴────→ rejected (with a reason; owes the customer a replacement)

Nothing leads back, and nothing leads out of the last two: what was handed over and paid for stays told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal


class LeadState(StrEnum):
    """Where a lead is; the same words as in the database."""

    NEW = "new"
    IN_WORK = "in_work"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CLIENT = "client"


#: The only ways a lead may go; the database holds the same list (``lead_moves``).
MOVES: Mapping[LeadState, frozenset[LeadState]] = MappingProxyType(
    {
        LeadState.NEW: frozenset({LeadState.IN_WORK, LeadState.ACCEPTED, LeadState.REJECTED}),
        LeadState.IN_WORK: frozenset({LeadState.ACCEPTED, LeadState.REJECTED}),
        LeadState.ACCEPTED: frozenset({LeadState.CLIENT}),
        LeadState.REJECTED: frozenset(),
        LeadState.CLIENT: frozenset(),
    }
)
#: What the customer may say of a lead; the rest of its way is the call centre's.
CUSTOMERS_WORDS = frozenset({LeadState.ACCEPTED, LeadState.REJECTED})
#: Exact to two decimals, below a hundred billion.
REVENUE_PLACES, REVENUE_DIGITS = 2, 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """What the way of a lead depends on.

    Attributes:
        due_at: Somebody must have spoken with it by then.
        contacted_at: When somebody first took it up.
        decided_at: When it was accepted or rejected.
        reason: Why it was rejected.
        client_at: When it bought.
        revenue: What it brought, in the campaign's currency; None is not known yet.
    """

    state: LeadState
    due_at: datetime
    contacted_at: datetime | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    client_at: datetime | None = None
    revenue: Decimal | None = None


def refusal(lead: Lead, to: LeadState, *, reason: str = "", revenue: Decimal | None = None) -> tuple[str, str] | None:
    """Why a lead may not go there: code and sentence; None if it may.

    Returns:
        ``lead.no_way``, ``lead.needs_reason``, ``lead.takes_no_revenue`` or ``lead.revenue``.
    """
    if to not in MOVES[lead.state]:
        return "lead.no_way", f"A lead that is {lead.state.replace('_', ' ')} cannot become {to.replace('_', ' ')}."
    if to is LeadState.REJECTED and not reason.strip():
        return "lead.needs_reason", "A lead is rejected with a reason."
    if revenue is not None and to is not LeadState.CLIENT:
        return "lead.takes_no_revenue", "Only a client brings revenue."
    return revenue_refusal(revenue)


def revenue_refusal(revenue: Decimal | None) -> tuple[str, str] | None:
    """Why this is no amount of money: below nothing, not a number, or finer than can be paid; None if it is one."""
    if revenue is None:
        return None
    exact = revenue.is_finite() and revenue >= 0 and revenue == round(revenue, REVENUE_PLACES)
    if exact and revenue < 10 ** (REVENUE_DIGITS - REVENUE_PLACES):
        return None
    return "lead.revenue", "The revenue is an amount of money, with at most two decimals."


def moved(lead: Lead, to: LeadState, now: datetime, *, reason: str = "", revenue: Decimal | None = None) -> Lead:
    """The lead after a way that ``refusal`` allows; whoever takes it up or decides on it has been in contact."""
    told = replace(lead, state=to, contacted_at=lead.contacted_at or now)
    if to in CUSTOMERS_WORDS:
        told = replace(told, decided_at=now)
    if to is LeadState.REJECTED:
        return replace(told, reason=reason.strip())
    return replace(told, client_at=now, revenue=revenue) if to is LeadState.CLIENT else told


def late(lead: Lead, now: datetime) -> bool:
    """Whether the deadline of the first contact has passed with nobody having taken it up."""
    return lead.contacted_at is None and now > lead.due_at


#: Attributes of contacts that name a person and a company, as headings of bases have them.
_PERSONS = ("person", "contact person", "decision maker", "фио", "лпр", "контактное лицо", "контакт")
_COMPANIES = ("company", "organization", "organisation", "firm", "компания", "организация", "фирма", "предприятие")


def named(name: str, attributes: Mapping[str, object]) -> tuple[str, str]:
    """The person and the company of a contact, as its base tells them; empty where it does not.

    A base of companies names the company where others name the person: then the name is both the contact's and the
    company's, and the operator corrects it.
    """
    told = {key.strip().casefold().replace("_", " "): str(value).strip() for key, value in attributes.items()}
    person = next((told[key] for key in _PERSONS if told.get(key)), name.strip())
    return person, next((told[key] for key in _COMPANIES if told.get(key)), "")


#: Legal forms, which one file writes and another does not.
_FORMS = frozenset(
    {"ооо", "оао", "зао", "пао", "ао", "ип", "нко", "ано", "тоо", "общество", "llc", "ltd", "limited", "inc", "corp"}
    | {"gmbh", "ag", "sa", "sarl", "sas", "plc", "co"}
)
_COMPANY_LETTERS = 3


def company_key(company: str) -> str | None:
    """What stays the same of a company's name however it is written; None where too little is left to compare."""
    words = [word for word in re.findall(r"\w+", company.casefold().replace("ё", "е")) if word not in _FORMS]
    key = "".join(words)
    return key if len(key) >= _COMPANY_LETTERS else None
