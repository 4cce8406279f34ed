"""The words of the product as types: what the database, the code and the screen mean by them.

An attempt has a *state* (where it is), an *outcome* (how it ended technically) and, when people spoke,
a *disposition* (what the operator says it was). They are three things and keep three names.

All times are aware UTC datetimes. Durations carry their unit in the name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core.quick import quick

if TYPE_CHECKING:
    from collections.abc import Mapping


class Mode(StrEnum):
    """How a campaign dials."""

    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"
    IVR = "ivr"
    PREVIEW = "preview"


class CampaignState(StrEnum):
    """Whether a campaign may start calls."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class AttemptState(StrEnum):
    """Where a live attempt is. Only ever grows in rank, so a repeated or late event changes nothing."""

    SENT = "sent"
    RINGING = "ringing"
    ANSWERED = "answered"
    OFFER = "offer"
    WAITING = "waiting"
    BRIDGING = "bridging"
    CONNECTED = "connected"
    ENDED = "ended"

    @property
    def rank(self) -> int:
        """Position in the life of an attempt; a transition to a lower rank is never made."""
        return _RANK[self]


_RANK = {state: rank for rank, state in enumerate(AttemptState)}


class Outcome(StrEnum):
    """How an attempt ended technically."""

    CONNECTED = "connected"
    ABANDONED = "abandoned"
    EARLY_HANGUP = "early_hangup"
    OFFER_ENDED = "offer_ended"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    MACHINE = "machine"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


#: Outcomes that use up one of the contact's attempts.
COUNTED = frozenset(
    {
        Outcome.CONNECTED,
        Outcome.ABANDONED,
        Outcome.EARLY_HANGUP,
        Outcome.OFFER_ENDED,
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.MACHINE,
        Outcome.REJECTED,
        Outcome.UNKNOWN,
    }
)


class EndedBy(StrEnum):
    """Who or what ended the attempt."""

    CALLEE = "callee"
    OPERATOR = "operator"
    SERVICE = "service"
    SWITCH_RESTART = "switch_restart"
    PHONE_LOST = "phone_lost"
    LOST = "lost"


class OperatorState(StrEnum):
    """What an operator is doing."""

    OFFLINE = "offline"
    READY = "ready"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    PREVIEW = "preview"
    """Has one contact to look at, or hears its phone ring; what follows is a conversation or being ready again."""


class CallbackState(StrEnum):
    """What became of a promise to call at a time. Due and late are read from the clock, not stored."""

    PENDING = "pending"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"


class LegalWindow(StrEnum):
    """The period over which abandoned calls are counted. Each is a succession of fixed periods."""

    HOUR = "hour"  # run per clock hour, so that any sliding 24 h made of whole hours holds too
    DAYS30 = "days30"
    CALENDAR_MONTH = "calendar_month"


class BudgetMode(StrEnum):
    """Which lines in flight the abandonment bound counts as answered: all of them, or as many as likely are."""

    STRICT = "strict"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """What happens to a contact after an outcome or a disposition.

    Attributes:
        delay_s: Seconds until the next attempt may be made; the n-th time multiplied by ``growth ** (n - 1)``.
        growth: Factor by which the delay grows with each attempt so far; 1 for a fixed delay.
        times: How often this rule may bring the contact back; None for as often as the attempts last.
        closes: Whether the contact is closed at once.
        next_phone: Whether the contact's next phone is tried, and this one never again if ``dead_phone``.
        dead_phone: Whether this phone is given up.
    """

    delay_s: int = 0
    growth: float = 1.0
    times: int | None = None
    closes: bool = False
    next_phone: bool = False
    dead_phone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionKind:
    """One entry of a campaign's list of dispositions: flags, not code.

    Attributes:
        code: Stable identifier, e.g. ``refused_with_reason``.
        name_ru: Name on the Russian screen.
        name_en: Name on the English screen.
        result: Counted as a success by the campaign.
        closes: The contact will not be called again.
        decision_maker: Whoever decides was reached.
        verdict: What it says of the base: ``fresh``, ``stale``, ``off_target`` or None.
        refusal: Whether the callee refused; some laws say how long nobody may call again.
        needs: Which of ``time``, ``address``, ``reason`` must be given.
        reasons: The allowed reasons when ``reason`` is needed.
        dnc_scope: ``global``, ``customer``, ``campaign`` or None.
        retry: When the contact is called again, if it stays open; None leaves it to the outcome's rule.
        key: The digit that chooses it on the operator's page; None has none.
        colour: Its colour there, of ``COLOURS``; None goes by its flags.
        makes_lead: The conversation becomes a lead for the customer.
        letter: Which of the campaign's letters it brings, where the campaign writes any; None brings none.
        basket: Where its leads go, whatever the campaign's rules say; None leaves it to them.
        archived: Kept for what was saved with it; cannot be chosen any more.
    """

    code: str
    name_ru: str
    name_en: str
    result: bool = False
    closes: bool = True
    decision_maker: bool = False
    verdict: str | None = None
    refusal: bool = False
    needs: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()
    dnc_scope: str | None = None
    retry: RetryRule | None = None
    key: str | None = None
    colour: str | None = None
    makes_lead: bool = False
    letter: str | None = None
    basket: str | None = None
    archived: bool = False

    @property
    def shade(self) -> str:
        """The colour it has: its own, or that of what it means."""
        meant = (
            (self.result, "success"),
            ("time" in self.needs, "callback"),
            (self.verdict in {"stale", "off_target"}, "bad_number"),
            (self.refusal, "refusal"),
        )
        return self.colour or next((colour for holds, colour in meant if holds), "technical")

    @property
    def classes(self) -> frozenset[str]:
        """What rules about dispositions go by, of ``DISPOSITION_CLASSES``."""
        flags = {"result": self.result, "refusal": self.refusal}
        return frozenset({word for word, holds in flags.items() if holds} | {self.verdict or ""}) & DISPOSITION_CLASSES


#: What a disposition's colour on the operator's page may say.
COLOURS = ("success", "callback", "refusal", "bad_number", "technical")

#: Sorts of dispositions that a profile may have a rule about, whatever a campaign calls its own.
DISPOSITION_CLASSES = frozenset({"result", "refusal", "stale", "off_target"})

#: The public holidays of a zone in a year, as days since 1970; pure, though what it knows comes from packaged tables.
Holidays = Callable[[str, int], frozenset[int]]

#: Beside the weekdays 0 to 6 of ``Profile.windows``: the hours of public holidays.
HOLIDAY = 7
#: So many attempts in a period are no limit.
UNLIMITED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The rules one campaign is dialled under: a compliance profile for its purpose, tightened by its override.

    Attributes:
        windows: For each weekday (Monday is 0) the local intervals in which a callee may be called; under ``HOLIDAY``
            those of public holidays, which are ordinary days if it is absent.
        cap_permille: Legal limit of abandoned calls per thousand answered by a person.
        call_types: Which of ``human_selected``, ``auto_dialed_live`` and ``recorded`` are allowed at all.
        trunk_kinds: The kinds of trunk this profile may be used on.
        per_day: Most attempts at one number in 24 hours.
        per_7_days: Most attempts at one number in 7 days.
        per_30_days: Most attempts at one number in 30 days.
        min_gap_s: Least seconds between two attempts at one number.
        after_abandon_s: Least seconds after an abandoned call, unless an operator is held for the next one.
        guard_s: No call starts closer than ring timeout + guard to the end of a window.
        holidays: Which days are public holidays where.
        purpose: What the campaign calls for.
        consent_for: The call types that need consent with evidence.
        national_lists: Names of the do-not-call lists that must have been imported.
        list_max_age_days: How old an import may be.
        allow: Numbers must begin with one of these.
        deny: Numbers must begin with none of these: emergency, premium and satellite numbers among them.
        country: Whose law it is, two letters; None for that of no country, ``nowhere`` where no law holds.
        beside: Rules of the callee's and the customer's country: their hours hold too; their figures are in these.
        bound: Figure -> id of the profile beside which it is taken from.
        after_disposition_days: By class of disposition: so many full days nobody of the customer calls that number.
        opt_out_key: Whether a recorded offer must have a key by which the callee is never called again.
        recording: Whether conversations may be recorded: ``free``, ``notice``, ``consent`` or ``forbidden``.
        recording_days: How long a recording may be kept at most.
    """

    id: str
    version: int
    windows: Mapping[int, tuple[tuple[time, time], ...]]
    cap_permille: int
    legal_window: LegalWindow
    call_types: frozenset[str]
    trunk_kinds: frozenset[str]
    per_day: int
    per_30_days: int
    min_gap_s: int
    after_abandon_s: int = 72 * 3600
    guard_s: int = 60
    per_7_days: int = UNLIMITED
    holidays: Holidays | None = None
    purpose: str = "marketing"
    consent_for: frozenset[str] = frozenset()
    national_lists: tuple[str, ...] = ()
    list_max_age_days: int = 30
    allow: tuple[str, ...] = ("+",)
    deny: tuple[str, ...] = ()
    after_disposition_days: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    opt_out_key: bool = False
    recording: str = "forbidden"
    recording_days: int = 180
    country: str | None = None
    beside: tuple[Profile, ...] = ()
    bound: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A line to a carrier with its limits.

    Attributes:
        name: The PJSIP endpoint on the switch; checked word ``[a-z0-9_-]{1,32}``.
        kind: ``carrier`` or ``world`` (the packaged telephone world).
        max_channels: Most calls at the same time.
        calls_per_s: Most calls started in a second.
        causes: Overrides of the outcome map: key ``"<q850>"`` or ``"<q850>/<sip>"``, value an outcome.
    """

    id: int
    name: str
    kind: str = "carrier"
    max_channels: int = 100
    calls_per_s: float = 20.0
    causes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A campaign as the engine runs it: bases called under one set of rules, for one customer, by a team."""

    id: int
    name: str
    mode: Mode
    state: CampaignState
    team_id: int
    customer_id: int
    zone: str
    trunk: Trunk
    profile: Profile
    caller_number: str
    ring_timeout_s: int = 25
    wrap_up_s: int = 30
    after_wrap_up: OperatorState = OperatorState.READY
    attempts_max: int = 4
    cap_permille: int = 20
    target_permille: int | None = None
    """Abandons per mille to aim at, below the cap; None for the cap."""
    budget_mode: BudgetMode = BudgetMode.STRICT
    caution: float = 1.0
    """How much dearer an abandon is taken than the cap makes it; 1 spends the allowed abandons."""
    max_lines_per_operator: float = 4.0
    max_lines: int = 100
    key_wait_s: int = 20
    return_wait_s: int = 20
    """So long somebody who calls the shown number back hears it ring, before nobody could serve."""
    weight: float = 1.0
    offer: str | None = None
    operator_free: bool = False
    preview_s: int = 60
    """Mode ``preview``: so long an operator may look before the campaign decides."""
    preview_calls: bool = False
    """Mode ``preview``: what is not decided in time is called, and not skipped."""
    listening_shown: bool = True
    """Operators see a supervisor who only listens; one who can be heard is always shown."""
    recording: str = "off"
    """Whether conversations are recorded, and what callees are told: a word of ``core.recording.Ways``."""
    recording_stops: bool = False
    """Where recordings cannot be kept, no more calls are started; else they go on without."""
    manual: bool = False
    """Operators of the team may type a number and call it for this campaign, beside its mode."""
    retry: Mapping[Outcome, RetryRule] = field(default_factory=lambda: MappingProxyType({}))
    dispositions: Mapping[str, DispositionKind] = field(default_factory=lambda: MappingProxyType({}))
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Key of the offer -> ``operator``, ``repeat`` or the code of a disposition."""
    base_rows: int = 0
    """Rows of its bases that are not paused: whoever loads one, or lets one go on, changes the campaign."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The abandonment count of one campaign in its current legal window.

    Attributes:
        answered: L, calls answered by a person.
        abandoned: A, those of them that were abandoned.
        uncovered: U, lines in flight beyond the free operators, as of the last claim.
        carried_answered: Of ``answered``: brought in, not dialled here.
        carried_abandoned: Of ``abandoned``: brought in.
    """

    campaign_id: int
    starts_at: datetime
    ends_at: datetime
    answered: int
    abandoned: int
    uncovered: int
    cap_permille: int
    carried_answered: int = 0
    carried_abandoned: int = 0


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A contact that passed the gate: its live attempt is committed as ``sent``, and nothing was dialled yet."""

    attempt_id: UUID
    campaign_id: int
    contact_id: int
    phone_id: int
    e164: str
    number: int
    """The ordinal of this attempt at the contact, from 1."""
    counted: int
    """How many earlier attempts used up the contact's limit."""
    sent_at: datetime
    callback_id: int | None = None
    for_operator: int | None = None
    """The operator the callback was promised with, if it was to one; or who asked for this very call."""
    asked: bool = False
    """An operator asked for this very call and waits for its answer; nobody else is to take it."""
    manual: bool = False
    """Of those asked for: its number was typed."""
    may_record: bool = True
    """Whether the laws of callee and customer let it be recorded as its campaign records."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAttempt:
    """One row of ``attempt_live``; the engine's memory of an attempt and what recovery reads back."""

    id: UUID
    campaign_id: int
    contact_id: int
    phone_id: int
    e164: str
    number: int
    counted: int
    state: AttemptState
    sent_at: datetime
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    waiting_at: datetime | None = None
    operator_id: int | None = None
    connected_at: datetime | None = None
    key: str | None = None
    callback_id: int | None = None
    for_operator: int | None = None
    asked: bool = False
    manual: bool = False
    came_in: bool = False
    """The person called us: outside of the budget as what operators asked for, and nobody of ours asked."""
    ended_by: EndedBy | None = None
    """Who asked for the end, while the hangup is under way."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The end of an attempt, and what it means for contact and phone; decided by ``core``, stored in one transaction.

    Attributes:
        legal_answered: Whether it counts as answered by a person in the legal count.
        legal_abandoned: Whether it counts as abandoned there (an ``unknown`` after an answer does).
        next_at: When the contact may be called again; None with ``closes`` or when a disposition must decide.
        closes: ``used_up`` or ``dead`` when the contact is closed by this end, else None.
        next_phone: The contact's next phone is tried next.
        dead_phone: This phone is given up for this contact.
        phone_not_before: The number itself rests until then, for every campaign.
        phone_held_until: After an abandoned call: until then only a call for which an operator is held may reach it.
        callback: What becomes of the callback this attempt was made for.
    """

    attempt: LiveAttempt
    outcome: Outcome
    ended_at: datetime
    ended_by: EndedBy
    cause: int | None = None
    sip_code: int | None = None
    counts: bool = True
    legal_answered: bool = False
    legal_abandoned: bool = False
    next_at: datetime | None = None
    closes: str | None = None
    next_phone: bool = False
    dead_phone: bool = False
    phone_not_before: datetime | None = None
    phone_held_until: datetime | None = None
    callback: CallbackState | None = None


#: How the SIP account of a seat's phone in the browser ends.
WEB_SEAT = "-web"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOperator:
    """An operator with an open shift; one row of ``operator_live``.

    Attributes:
        session_id: This shift; the nailed-up leg's channel id is made of it.
        seat: The SIP account, checked word.
        since: When the present state began.
        reason: Why paused, else None.
        until: Deadline of the wrap-up, else None.
        pause_after: Reason of the pause that follows the present call, or of a pause the budget defers.
        leaving: The shift ends as soon as it may.
    """

    operator_id: int
    session_id: UUID
    seat: str
    team_id: int
    name: str
    state: OperatorState
    since: datetime
    reason: str | None = None
    until: datetime | None = None
    campaign_id: int | None = None
    attempt_id: UUID | None = None
    pause_after: str | None = None
    leaving: bool = False

    @property
    def in_browser(self) -> bool:
        """Whether the phone is the browser's: nobody can put that one down, it only vanishes."""
        return self.seat.endswith(WEB_SEAT)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorInterval:
    """A closed stretch of an operator's shift; a fact, written once."""

    operator_id: int
    session_id: UUID
    state: OperatorState
    started_at: datetime
    ended_at: datetime
    reason: str | None = None
    campaign_id: int | None = None
    attempt_id: UUID | None = None
