"""The rows of the tables, as the simulated database keeps them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dialer.core.model import CallbackState

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import Ended, LiveAttempt, Profile
    from dialer.core.preview import Preview
    from tests.sim.loop import Process

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Phone:
    id: int
    e164: str
    not_before: datetime = LONG_AGO
    held_until: datetime = LONG_AGO
    rang_at: list[datetime] = field(default_factory=list)
    """When each finished attempt that rang, or counts, was sent; the legal counters."""
    contacts: list[int] = field(default_factory=list)
    allowed_by: Profile | None = None
    """A profile whose prefixes allow the number; neither ever changes."""


@dataclass(slots=True)
class Lane:
    """Contacts of a campaign that share zones and priority, by when they come due."""

    id: int
    zones: tuple[str, ...]
    priority: int
    due: list[tuple[datetime, int]] = field(default_factory=list)
    by_hand: bool = False
    """Its contacts came by operators who typed their numbers: machines only keep promises to them."""


@dataclass(slots=True)
class Contact:
    id: int
    campaign_id: int
    lane: Lane
    phones: list[int]
    phone_id: int
    dead: set[int] = field(default_factory=set)
    state: str = "open"
    closed_by: str | None = None
    closed_at: datetime | None = None
    attempts: int = 0
    counted: int = 0
    next_at: datetime = LONG_AGO
    promised: bool = False
    decided_by: UUID | None = None
    refused_by: str | None = None


@dataclass(slots=True)
class LiveRow:
    attempt: LiveAttempt
    switch: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of ``preview``."""

    preview: Preview
    switch: str


@dataclass(frozen=True, slots=True)
class Finished:
    ended: Ended
    switch: str
    epoch: int


@dataclass(slots=True)
class Callback:
    id: int
    contact_id: int
    campaign_id: int
    phone_id: int
    made_by_attempt: UUID
    due_at: datetime
    next_at: datetime
    operator_id: int | None
    state: CallbackState = CallbackState.PENDING
    closed_at: datetime | None = None
    kept_by_attempt: UUID | None = None
    urgent: bool = False
    moves: int = 0
    changed: tuple[str, str] | None = None
    """The last change, and why: a row of ``callback_change``."""


@dataclass(frozen=True, slots=True)
class Returned:
    """A row of ``return_call``; ``held_phone``: it was a live attempt before."""

    id: UUID
    contact_id: int | None
    came_at: datetime
    ended_at: datetime
    outcome: str
    why: str = ""
    held_phone: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What the operator sends when saving a disposition."""

    code: str
    callback_at: datetime | None = None
    callback_to_me: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """A row of ``disposition``."""

    attempt_id: UUID
    key: str
    form: Form
    campaign_id: int
    contact_id: int
    operator_id: int | None
    saved_at: datetime


@dataclass(slots=True)
class LeaseRow:
    epoch: int = 0
    holder: Process | None = None
    expires_at: float = 0.0
