"""Campaigns and what belongs to them: bases, do-not-call, callbacks, attempts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from dialer.core.model import BudgetMode, CallbackState, CampaignState, Mode, Outcome
from dialer.core.recording import Ways
from dialer.web.schemas.common import Answer, Ask, Id, Line, Moment, Note, Seat, Word
from dialer.web.schemas.floor import DispositionKindView

# Campaigns -------------------------------------------------------------------


class RetryAsk(Ask):
    """What happens to a contact after an outcome or a disposition."""

    delay_s: Annotated[int, Field(ge=0, le=366 * 86400)] = 0
    growth: Annotated[float, Field(ge=1, le=10)] = 1.0
    times: Annotated[int, Field(ge=1, le=100)] | None = None
    closes: bool = False
    next_phone: bool = False
    dead_phone: bool = False


class CampaignChange(Ask):
    """What may be changed in a campaign; what is absent stays."""

    name: Line | None = None
    mode: Mode | None = None
    zone: Line | None = None
    profile: Word | None = None
    purpose: Literal["marketing", "survey", "service", "debt"] | None = None
    override: Mapping[Word, Any] | None = None
    caller_number: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{3,15})?$")] | None = None
    ring_timeout_s: Annotated[int, Field(ge=5, le=60)] | None = None
    wrap_up_s: Annotated[int, Field(ge=1, le=600)] | None = None
    after_wrap_up: Literal["ready", "paused"] | None = None
    attempts_max: Annotated[int, Field(ge=1, le=20)] | None = None
    cap_permille: Annotated[int, Field(ge=0, le=50)] | None = None
    target_permille: Annotated[int, Field(ge=0, le=50)] | None = None
    budget_mode: BudgetMode | None = None
    caution: Annotated[float, Field(ge=0.1, le=10)] | None = None
    max_lines_per_operator: Annotated[float, Field(ge=1, le=20)] | None = None
    max_lines: Annotated[int, Field(ge=1, le=10000)] | None = None
    key_wait_s: Annotated[int, Field(ge=2, le=60)] | None = None
    return_wait_s: Annotated[int, Field(ge=5, le=28)] | None = None
    weight: Annotated[float, Field(gt=0, le=1000)] | None = None
    offer: Seat | None = None
    operator_free: bool | None = None
    preview_s: Annotated[int, Field(ge=5, le=600)] | None = None
    preview_calls: bool | None = None
    listening_shown: bool | None = None
    recording: Ways | None = None
    recording_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    recording_stops: bool | None = None
    recording_operator: bool | None = None
    recording_customer: bool | None = None
    manual: bool | None = None
    retry: Mapping[Outcome, RetryAsk] | None = None
    keys: Mapping[Annotated[str, StringConstraints(pattern=r"^[0-9*#]$")], Word] | None = None


class CampaignAsk(CampaignChange):
    """A new campaign: a draft until it is started."""

    name: Line
    mode: Mode
    customer: Line
    team: Line
    trunk: Seat


class StateAsk(Ask):
    """Start, pause or stop a campaign; running conversations go on."""

    state: Literal[CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.STOPPED]


class CampaignInfo(Answer):
    """A campaign and its rules."""

    id: int
    name: str
    customer: str
    team: str
    trunk: str
    mode: str
    state: str
    zone: str
    profile: str
    purpose: str
    override: Mapping[str, Any]
    loosened: Mapping[str, Any]
    caller_number: str
    ring_timeout_s: int
    wrap_up_s: int
    after_wrap_up: str
    attempts_max: int
    cap_permille: int
    target_permille: int | None
    budget_mode: str
    caution: float
    max_lines_per_operator: float
    max_lines: int
    key_wait_s: int
    return_wait_s: int
    weight: float
    offer: str | None
    operator_free: bool
    preview_s: int
    """Mode ``preview``: so long an operator may look."""
    preview_calls: bool
    """Mode ``preview``: what is not decided in time is called, and not skipped."""
    listening_shown: bool
    """Operators see a supervisor who only listens."""
    recording: str
    """Conversations are recorded: off, on (nobody is told), told, or consent (from when the callee agreed)."""
    recording_days: int
    """So long a recording is kept."""
    recording_stops: bool
    """Where recordings cannot be kept, no more calls are started."""
    recording_operator: bool
    """Operators hear their own."""
    recording_customer: bool
    """The customer's users hear them."""
    manual: bool
    """Operators may type a number and call it, beside the campaign's mode."""
    retry: Mapping[str, Any]
    keys: Mapping[str, str]
    dispositions: list[DispositionKindView]


class CampaignAnswer(Answer):
    """One campaign."""

    campaign: CampaignInfo


class CampaignsAnswer(Answer):
    """All campaigns."""

    campaigns: list[CampaignInfo]


class BaseQuery(Ask):
    """How to call a base that is loaded."""

    name: Line = "base"


class BaseInfo(Answer):
    """A loaded base; ``rows_in`` = loaded + updated + rejected; ``rows_withdrawn`` of those loaded were taken back."""

    id: int
    campaign_id: int
    name: str
    loaded_at: datetime
    rows_in: int
    rows_loaded: int
    rows_updated: int
    rows_rejected: int
    rows_withdrawn: int
    paused: bool
    undone_at: datetime | None
    by_hand: bool = False
    """No file: numbers that operators typed."""
    priority: int = 0
    """Among the bases of its campaign, 9 first."""


class RejectedRow(Answer):
    """A row that was not loaded, by the line of the file, and why."""

    line: int
    reason: str
    text: str


class BaseAnswer(Answer):
    """What became of a file; every row not named as rejected is loaded."""

    base: BaseInfo
    rejected: list[RejectedRow]
    repeated: bool
    """This campaign had the very same file already; nothing was loaded now."""


class BasesAnswer(Answer):
    """The bases of a campaign."""

    bases: list[BaseInfo]


class WhyReason(Answer):
    """A rule that holds a contact back, and until when (null: until something else changes)."""

    reason: str
    until: datetime | None = None
    detail: str = ""
    profile: str = ""
    """Whose rule it is, where it is that of the callee's or the customer's country."""
    by: str = ""
    """Who looks at the contact now, with the detail ``looked_at``; ``since``: since when."""
    since: datetime | None = None


class ContactWhy(Answer):
    """Why a contact is not being dialled; no reasons: it is next in line."""

    contact_id: int
    reasons: list[WhyReason]


class Why(Answer):
    """Contacts by the first reason that holds them back, ``next`` for those in line; the counts add up to ``total``."""

    total: int
    counts: Mapping[str, int]
    next_change_at: Mapping[str, datetime | None]
    """When each reason first passes for one of its contacts; null: not by itself."""


class CampaignWhy(Why):
    """Of all bases of a campaign."""

    campaign_id: int


class BaseWhy(Why):
    """Of one base."""

    base_id: int


# Do-not-call, callbacks, attempts --------------------------------------------


class DoNotCallAsk(Ask):
    """A number never to be called again: by anybody, for a customer, or by a campaign."""

    phone: Line
    scope: Literal["global", "customer", "campaign"]
    campaign_id: Id | None = None
    customer_id: Id | None = None
    reason: Note = ""


class DoNotCallInfo(Answer):
    """One entry of the do-not-call lists."""

    id: int
    phone: str
    scope: str
    campaign_id: int | None
    customer_id: int | None
    reason: str
    added_at: datetime
    added_by: int | None


class DoNotCallAnswer(Answer):
    """The entry; effective already."""

    entry: DoNotCallInfo


class DoNotCallsAnswer(Answer):
    """Entries, newest first."""

    entries: list[DoNotCallInfo]


class CallbackQuery(Ask):
    """Which promises."""

    campaign: Id | None = None
    state: CallbackState | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class CallbackInfo(Answer):
    """A promise to call; ``late`` is read from the clock."""

    id: int
    campaign_id: int
    contact_id: int
    contact: str
    phone: str
    zones: list[str]
    due_at: datetime
    next_at: datetime
    operator_id: int | None
    note: str
    state: str
    late: bool
    moves: int


class CallbacksAnswer(Answer):
    """Promises, the next one first."""

    callbacks: list[CallbackInfo]


class CallbackAnswer(Answer):
    """One promise."""

    callback: CallbackInfo


class MoveAsk(Ask):
    """The new time of a promise, and why."""

    due_at: Moment
    reason: Line


class CancelAsk(Ask):
    """Why a promise is taken back."""

    reason: Line


class HandOverAsk(Ask):
    """Who keeps a promise from now on (null: anybody of the team), and why."""

    operator_id: Id | None
    reason: Line


class AttemptQuery(Ask):
    """Which attempts; times are of ``sent_at``. ``cursor`` is what the last page gave as ``next``."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    campaign: Id | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    outcome: Outcome | None = None
    operator: Id | None = None
    cursor: Annotated[str, StringConstraints(max_length=120)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class AttemptInfo(Answer):
    """A finished attempt; the number is masked."""

    attempt_id: UUID
    campaign_id: int
    contact_id: int
    phone: str
    number: int
    sent_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    connected_at: datetime | None
    ended_at: datetime
    outcome: str
    ended_by: str
    cause: int | None
    sip_code: int | None
    key: str | None
    operator_id: int | None
    code: str | None


class AttemptsAnswer(Answer):
    """A page of attempts, newest first; ``next`` is null on the last page."""

    attempts: list[AttemptInfo]
    next: str | None
