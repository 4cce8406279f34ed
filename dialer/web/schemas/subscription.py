"""Reports by mail: what is sent, when, to whom, and what became of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dialer.web.schemas.common import Answer, Ask, Id, Language, Line
from dialer.web.schemas.facts import Breakdown
from dialer.web.schemas.letter import Mailbox

_Empty = BeforeValidator(lambda value: None if value == "" else value)
_Weekday = Annotated[int, Field(ge=1, le=7)]
_Weekdays = Annotated[tuple[_Weekday, ...], Field(max_length=7)]
Period = Literal["yesterday", "week", "month"]


class SubscriptionAsk(Ask):
    """A report by mail: on weekdays (1 is Monday) or on a day of each month, at an hour of the campaign's zone.

    ``period`` is the day, the week from Monday, or the month before; ``month_day`` 31 is the last day
    of a shorter month.
    """

    name: Line
    campaign_id: Annotated[Id | None, _Empty] = None
    period: Period
    by: Breakdown = "base"
    language: Language
    format: Literal["csv", "xlsx"] = "xlsx"
    weekdays: _Weekdays = ()
    month_day: Annotated[Annotated[int, Field(ge=1, le=31)] | None, _Empty] = None
    hour: Annotated[int, Field(ge=0, le=23)]
    addresses: Annotated[list[Mailbox], Field(min_length=1, max_length=20)]


class SubscriptionPause(Ask):
    """Stop it, or let it go on from its next day."""

    paused: bool


class SubscriberView(Answer):
    """An address; ``own`` is its user's, ``stopped`` why nothing goes there any more."""

    address: str
    own: bool
    stopped: Literal["link", "bounced"] | None


class SubscriptionView(Answer):
    """A report by mail; ``stopped_why`` is null while it is sent."""

    id: int
    user_id: int
    user_name: str
    name: str
    campaign_id: int | None
    campaign: str
    zone: str
    period: Period
    breakdown: Breakdown
    language: Language
    form: Literal["csv", "xlsx"]
    weekdays: list[int]
    month_day: int | None
    hour: int
    made_at: datetime
    next_at: datetime | None
    stopped_at: datetime | None
    stopped_why: Literal["asked", "link", "disabled", "rights", "nobody"] | None
    addresses: list[SubscriberView]
    sent_at: datetime | None


class SubscriptionsAnswer(Answer):
    """Reports by mail, the newest first: one's own, an admin's all."""

    subscriptions: list[SubscriptionView]


class ReportLettersQuery(Ask):
    """From under this letter."""

    cursor: Annotated[Id | None, _Empty] = None


class ReportLetter(Answer):
    """A letter of a report; ``day`` of its schedule (null: a trial), ``reason`` why it was not sent or waits."""

    id: int
    day: date | None
    due_at: datetime
    address: str
    state: Literal["waiting", "sent", "refused", "bounced", "given_up"]
    reason: str | None
    detail: str
    tries: int
    made_at: datetime
    next_at: datetime | None
    sent_at: datetime | None
    closed_at: datetime | None


class ReportLettersAnswer(Answer):
    """Letters of a report, the newest first; ``next`` is the cursor of the page after."""

    letters: list[ReportLetter]
    next: int | None


class ReportMailQuery(Ask):
    """Which report's letters are shown, and from under which."""

    chosen: Annotated[Id | None, _Empty] = None
    cursor: Annotated[Id | None, _Empty] = None


class OwnAddressAsk(Ask):
    """Where one's own reports go."""

    address: Mailbox
