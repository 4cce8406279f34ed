"""Receivers of events, and what each is told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id, Line

EventKind = Literal[
    "attempt.connected",
    "attempt.ended",
    "disposition.saved",
    "lead.made",
    "lead.moved",
    "lead.late",
    "callback.promised",
    "callback.changed",
    "callback.soon",
    "callback.late",
    "campaign.state",
]
Url = Annotated[str, StringConstraints(min_length=8, max_length=2000, strip_whitespace=True, pattern=NO_NUL)]
Kinds = Annotated[list[EventKind], Field(min_length=1, max_length=11)]
_Empty = BeforeValidator(lambda value: None if value == "" else value)


class WebhookAsk(Ask):
    """A receiver of the events of a customer, of one campaign, or (neither) of everything."""

    name: Line
    url: Url
    kinds: Kinds
    customer: Id | None = None
    campaign_id: Id | None = None


class WebhookChange(Ask):
    """A change; what is absent stays."""

    name: Line | None = None
    url: Url | None = None
    kinds: Kinds | None = None
    paused: bool | None = None


class WebhooksQuery(Ask):
    """The receiver whose events are shown, and from where on."""

    webhook: Annotated[Id | None, _Empty] = None
    cursor: Annotated[Id | None, _Empty] = None


class DeliveriesQuery(Ask):
    """Which events of a receiver; ``cursor`` is the last one of the page before."""

    state: Literal["pending", "delivered", "given_up"] | None = None
    cursor: Id | None = None


class ReplayAsk(Ask):
    """Tell an event again; null: all that were given up."""

    delivery: Id | None = None


class WebhookView(Answer):
    """A receiver; of its events, how many wait and how many were given up."""

    id: int
    name: str
    url: str
    customer_id: int | None
    customer: str
    campaign_id: int | None
    campaign: str
    kinds: list[EventKind]
    made_at: datetime
    paused_at: datetime | None
    pending: int
    given_up: int
    delivered_at: datetime | None


class WebhooksAnswer(Answer):
    """All receivers."""

    webhooks: list[WebhookView]


class WebhookMade(Answer):
    """A receiver with its secret, which is shown this once."""

    webhook: WebhookView
    secret: str


class DeliveryView(Answer):
    """An event for a receiver: ``status`` is the HTTP status of the last answer, ``error`` why there was none."""

    id: int
    event_id: UUID
    kind: str
    campaign_id: int | None
    at: datetime
    state: Literal["pending", "delivered", "given_up"]
    tries: int
    next_at: datetime | None
    status: int | None
    error: str | None
    closed_at: datetime | None


class DeliveriesAnswer(Answer):
    """Events of a receiver, the newest first; ``next`` is the cursor of the page after."""

    deliveries: list[DeliveryView]
    next: int | None


class Replayed(Answer):
    """How many events are told again."""

    events: int
