"""Lists that open from a number, and what supervisors say to operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from dialer.core.model import Outcome
from dialer.core.preview import How
from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id, Moment, Word


def _none(value: object) -> object:
    """A field of a form that was left empty asks for nothing."""
    return None if value == "" else value


_Empty = BeforeValidator(_none)


#: By what a report is broken down.
Breakdown = Literal["operator", "campaign", "base", "customer", "script", "caller", "number", "region"]


class AttemptsQuery(Ask):
    """Which attempts; what is empty does not narrow. ``fact`` is a number of which the list shows the facts.

    ``part`` is a row of the breakdown ``by``, by its key.
    """

    q: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] = ""
    campaign: Annotated[Id | None, _Empty] = None
    operator: Annotated[Id | None, _Empty] = None
    contact: Annotated[Id | None, _Empty] = None
    phone: Annotated[Id | None, _Empty] = None
    outcome: Annotated[Outcome | None, _Empty] = None
    code: Annotated[Word | None, _Empty] = None
    fact: Annotated[
        Literal["rang", "answered", "abandoned", "dialled", "reached", "said", "results", "decision_makers", "closed"]
        | None,
        _Empty,
    ] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    number: Annotated[Annotated[int, Field(ge=1, le=1000)] | None, _Empty] = None
    reason: Annotated[Word | None, _Empty] = None
    weekday: Annotated[Annotated[int, Field(ge=1, le=7)] | None, _Empty] = None
    hour: Annotated[Annotated[int, Field(ge=0, le=23)] | None, _Empty] = None
    by: Annotated[Breakdown | None, _Empty] = None
    part: Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)] | None = None
    order: Literal["newest", "oldest"] = "newest"
    now: Annotated[Literal["all", "dialling", "waiting", "talking"] | None, _Empty] = None
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


class ReportQuery(Ask):
    """What the reports are about; days are those of the campaign's zone, ``each`` is a row of the first table.

    ``by`` is what the table of breakdowns is broken down by.
    """

    campaign: Annotated[Id | None, _Empty] = None
    operator: Annotated[Id | None, _Empty] = None
    period: Literal["today", "yesterday", "week", "month"] = "week"
    each: Annotated[Literal["hour", "day", "week", "month"] | None, _Empty] = None
    by: Annotated[Breakdown | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None


class ReportExportQuery(ReportQuery):
    """Which table as which kind of file."""

    sheet: Literal[
        "hours",
        "bases",
        "funnel",
        "heat",
        "yield",
        "refusals",
        "operators",
        "breakdown",
        "money",
        "money_by",
        "returns",
        "looks",
        "skips",
    ]
    format: Literal["csv", "xlsx"]


class AgainQuery(Ask):
    """Of which base the passes are shown; without one the campaign's first."""

    base: Annotated[Id | None, _Empty] = None


class LooksQuery(Ask):
    """Which looks before a call; what is empty does not narrow."""

    campaign: Annotated[Id | None, _Empty] = None
    operator: Annotated[Id | None, _Empty] = None
    how: Annotated[How | None, _Empty] = None
    reason: Annotated[Word | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


class ReturnsQuery(Ask):
    """Which return calls; what is empty does not narrow."""

    campaign: Annotated[Id | None, _Empty] = None
    operator: Annotated[Id | None, _Empty] = None
    outcome: Annotated[Literal["connected", "missed"] | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


#: Numbers whose facts are promises.
PromiseFact = Literal[
    "promises_made",
    "promises_kept",
    "promises_kept_late",
    "promises_broken",
    "promises_late",
    "promises_cancelled",
    "promises_moved",
]


class PromisesQuery(Ask):
    """Which promises the board of promises shows.

    ``fact`` gives those that a number of this name counts from ``since`` to ``until``; ``part`` is a row of the
    breakdown ``by``, by its key.
    """

    show: Literal["pending", "due", "late", "kept", "broken", "moved", "cancelled"] = "pending"
    q: Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=NO_NUL)] = ""
    campaign: Annotated[Id | None, _Empty] = None
    operator: Annotated[Id | Literal["anybody"] | None, _Empty] = None
    fact: Annotated[PromiseFact | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    by: Annotated[Breakdown | None, _Empty] = None
    part: Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)] | None = None
    cursor: Annotated[str, StringConstraints(max_length=100)] | None = None


class CampaignOfOperator(Ask):
    """The campaign an operator is to call for."""

    campaign: Id


class SaidView(Answer):
    """A message to an operator; ``heard_at`` null: not acknowledged yet."""

    at: datetime
    by: str
    text: str
    heard_at: datetime | None


class SaidAnswer(Answer):
    """What was said to an operator, the newest first."""

    messages: list[SaidView]
