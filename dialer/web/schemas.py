"""Requests and answers of the API; the pages use the same ones, and OpenAPI is made of them.

Times are ISO 8601 with a zone; answers are UTC. Durations carry their unit in the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from dialer.core.model import CallbackState, CampaignState, Mode, Outcome

#: PostgreSQL cannot hold a NUL in a text.
_NO_NUL = r"^[^\x00]*$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_NO_NUL)]
Note = Annotated[str, StringConstraints(max_length=4000, pattern=_NO_NUL)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,40}$")]
Seat = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,32}$")]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.@-]{1,64}$")]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
#: A time with a zone that calendars and PostgreSQL can reckon with.
Moment = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]
Language = Literal["en", "ru"]


class Ask(BaseModel):
    """A request: unknown fields are refused, so that a typo never passes for a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """An answer, made from our dataclasses."""

    model_config = ConfigDict(from_attributes=True)


class ErrorBody(Answer):
    """Why not: ``code`` is stable, ``message`` is for people, ``remedy`` says what to do."""

    code: str
    message: str
    remedy: str = ""
    data: dict[str, Any] = {}


class ErrorAnswer(Answer):
    """Any refusal."""

    error: ErrorBody


class Done(Answer):
    """It is done and committed."""

    done: Literal[True] = True


# Login -------------------------------------------------------------------


class LoginAsk(Ask):
    """Who is there."""

    login: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_NUL)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Me(Answer):
    """The user of this session."""

    id: int
    login: str
    name: str
    role: str
    language: Language


class MeAnswer(Answer):
    """The user of this session."""

    user: Me


class LanguageAsk(Ask):
    """The language of the user's screens."""

    language: Language


# Operator ----------------------------------------------------------------


class StartAsk(Ask):
    """The seat (SIP account) whose phone is called for the shift."""

    seat: Seat


class PauseAsk(Ask):
    """Why no more calls for a while."""

    reason: Word = "break"


class OperatorView(Answer):
    """One operator: state, since when, until when (wrap-up)."""

    operator_id: int
    name: str
    seat: str
    state: str
    since: datetime
    reason: str | None
    until: datetime | None
    campaign_id: int | None
    attempt_id: UUID | None
    pause_after_call: bool = False


class DispositionKindView(Answer):
    """One disposition an operator may choose; ``place`` is its digit key."""

    code: str
    name_ru: str
    name_en: str
    result: bool
    closes: bool
    decision_maker: bool
    verdict: str | None
    needs: list[str]
    reasons: list[str]


class HistoryView(Answer):
    """An earlier attempt at this contact."""

    attempt_id: UUID
    number: int
    sent_at: datetime
    outcome: str
    operator: str | None = None
    code: str | None = None
    note: str | None = None


class CardView(Answer):
    """The contact of the operator's present attempt, and what may be said about it."""

    attempt_id: UUID
    campaign_id: int
    campaign: str
    contact_id: int
    name: str
    phone: str
    attributes: Mapping[str, Any]
    zones: list[str]
    number: int
    history: list[HistoryView]
    draft: Mapping[str, Any] | None
    saved: str | None
    """Code of the disposition already saved for this attempt."""
    dispositions: list[DispositionKindView]


class OperatorAnswer(Answer):
    """The operator's state after a command; null when no shift is open."""

    operator: OperatorView | None


class OperatorNow(Answer):
    """Everything the operator's page shows, of one moment (server time ``at``)."""

    at: datetime
    operator: OperatorView | None
    card: CardView | None
    card_unknown: bool = False
    """The database does not answer: the page keeps the card it shows."""


# Dispositions ------------------------------------------------------------


class CallbackAsk(Ask):
    """A promise to call at a time."""

    due_at: Moment
    operator: Literal["me", "anyone"] = "anyone"


class DispositionAsk(Ask):
    """How the conversation ended."""

    code: Word
    note: Note = ""
    reason: Line | None = None
    address: Line | None = None
    callback: CallbackAsk | None = None


class DraftAsk(Ask):
    """What was chosen and typed so far; nothing is checked until it is saved as a disposition."""

    code: Word | None = None
    note: Note = ""
    reason: Note | None = None
    address: Note | None = None
    callback: CallbackAsk | None = None


class DispositionView(Answer):
    """A saved disposition; it is in the database."""

    attempt_id: UUID
    code: str
    reason: str | None
    address: str | None
    note: str
    saved_at: datetime


class DispositionAnswer(Answer):
    """A saved disposition."""

    disposition: DispositionView


# Campaigns ---------------------------------------------------------------


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
    caller_number: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{3,15})?$")] | None = None
    ring_timeout_s: Annotated[int, Field(ge=5, le=60)] | None = None
    wrap_up_s: Annotated[int, Field(ge=1, le=600)] | None = None
    after_wrap_up: Literal["ready", "paused"] | None = None
    attempts_max: Annotated[int, Field(ge=1, le=20)] | None = None
    cap_permille: Annotated[int, Field(ge=0, le=50)] | None = None
    max_lines_per_operator: Annotated[float, Field(ge=1, le=20)] | None = None
    max_lines: Annotated[int, Field(ge=1, le=10000)] | None = None
    key_wait_s: Annotated[int, Field(ge=2, le=60)] | None = None
    weight: Annotated[float, Field(gt=0, le=1000)] | None = None
    offer: Seat | None = None
    operator_free: bool | None = None
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
    caller_number: str
    ring_timeout_s: int
    wrap_up_s: int
    after_wrap_up: str
    attempts_max: int
    cap_permille: int
    max_lines_per_operator: float
    max_lines: int
    key_wait_s: int
    weight: float
    offer: str | None
    operator_free: bool
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
    """A loaded base; ``rows_in`` = loaded + rejected."""

    id: int
    campaign_id: int
    name: str
    loaded_at: datetime
    rows_in: int
    rows_loaded: int
    rows_rejected: int
    paused: bool


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


class ContactWhy(Answer):
    """Why a contact is not being dialled; no reasons: it is next in line."""

    contact_id: int
    reasons: list[WhyReason]


class CampaignWhy(Answer):
    """Contacts by the first reason that holds them back, ``next`` for those in line; the counts add up to ``total``."""

    campaign_id: int
    total: int
    counts: Mapping[str, int]


# Do-not-call, callbacks, attempts ----------------------------------------


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
    """The new time of a promise."""

    due_at: Moment


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


# Numbers -----------------------------------------------------------------


class KpiQuery(Ask):
    """Which numbers; without times the present hour."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    campaign: Id | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    by: Literal["hour", "operator", "campaign", "total"] = "total"


class KpiDefinition(Answer):
    """One definition per number, printed under it."""

    id: str
    name_en: str
    name_ru: str
    formula_en: str
    formula_ru: str
    unit: str
    better: str


class KpiDefinitions(Answer):
    """All definitions."""

    definitions: list[KpiDefinition]


class KpiRow(Answer):
    """The numbers of one hour, operator or campaign, and the counts they are made of."""

    key: str
    label: str
    values: Mapping[str, float | None]
    facts: Mapping[str, float]


class KpiAnswer(Answer):
    """Numbers of a period."""

    since: datetime
    until: datetime
    by: str
    rows: list[KpiRow]


# Users -------------------------------------------------------------------


class UserAsk(Ask):
    """A new user."""

    login: Login
    name: Line
    role: Literal["operator", "supervisor", "base_manager", "admin", "auditor", "customer", "api"]
    password: Annotated[str, StringConstraints(min_length=12, max_length=256)]
    team: Line | None = None
    language: Language = "en"


class UserChange(Ask):
    """Let a user in or not; a disabled user's sessions end at once."""

    disabled: bool


class UserInfo(Answer):
    """A user, without secrets."""

    id: int
    login: str
    name: str
    role: str
    team_id: int | None
    language: Language
    disabled: bool


class UserAnswer(Answer):
    """One user."""

    user: UserInfo


class UsersAnswer(Answer):
    """All users."""

    users: list[UserInfo]


# Board and health --------------------------------------------------------


class CampaignView(Answer):
    """One campaign on the board, with what limits its dialing right now."""

    campaign_id: int
    name: str
    mode: str
    state: str
    lines: int
    ringing: int
    waiting: int
    talking: int
    ready: int
    reason: str
    sentence: Mapping[str, str]
    answered: int
    abandoned: int
    cap_permille: int
    window_starts_at: datetime | None
    carried_answered: int = 0
    carried_abandoned: int = 0


class Totals(Answer):
    """The six big numbers."""

    talking: int
    ready: int
    wrap_up: int
    dialling: int
    waiting: int
    answered: int
    abandoned: int


class BoardAnswer(Answer):
    """Everything the live board shows, of one moment (server time ``at``)."""

    at: datetime
    version: int
    switch: str
    switch_up: bool
    dialing: bool
    stopped_because: str | None
    operators: list[OperatorView]
    campaigns: list[CampaignView]
    alerts: list[str]
    counters: Mapping[str, int]
    totals: Totals
    hour: KpiRow | None = None
    """Numbers of the present hour."""


class Health(Answer):
    """Whether the service can do its work; ``problems`` is empty when ``ok``."""

    ok: bool
    database: bool
    switch: bool
    dialing: bool
    lease: Mapping[str, Any] | None
    loop_lag_ms: float
    problems: list[str]
