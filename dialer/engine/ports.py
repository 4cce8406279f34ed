"""What the engine needs of the world, and what the world may ask of the engine.

The engine sees PostgreSQL only as ``Store``, time only as ``Clock``; the web sees the engine only as
``Commands`` and ``Live``. ``dialer.service`` puts them together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from dialer.core.quick import quick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.core.gate import Refusal
    from dialer.core.listening import How, Listening, Mode
    from dialer.core.manual import Dial
    from dialer.core.model import (
        Budget,
        Campaign,
        Claim,
        Ended,
        LiveAttempt,
        LiveOperator,
        OperatorInterval,
        Outcome,
        Trunk,
    )
    from dialer.core.preview import Preview, PreviewEnd
    from dialer.core.recording import Pause, Recording


class Clock(Protocol):
    """Two clocks that are different things: time of day, and time that only passes."""

    def now(self) -> datetime:
        """Time of day, aware UTC."""

    def boot_s(self) -> float:
        """Seconds that passed, suspended ones included (CLOCK_BOOTTIME); for deadlines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to dial on a switch: every write that starts a call carries ``epoch``."""

    switch: str
    epoch: int
    expires_in_s: float


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAsk:
    """How many contacts of a campaign to take through the gate.

    Attributes:
        ids: Fresh attempt ids; their number is the number of contacts wanted.
        free_operators: F, operators held free for this campaign; covers that many lines in the budget.
        ready_operator_ids: For callbacks promised with one operator: only these may be taken now.
        callbacks_only: Take only callbacks (their reserved slots), no other contact.
        operator_id: Who chooses: the next contact is reserved for this operator to look at, and not called.
        contact_id: With an operator: this contact, reserved for him or by nobody, is called now.
        rested: With an operator: contacts that are not to be shown now.
        dial: With an operator: the number he typed is called now.
        now: Time of day by the engine's clock.
    """

    switch: str
    epoch: int
    campaign: Campaign
    ids: Sequence[UUID]
    free_operators: int
    ready_operator_ids: Sequence[int]
    now: datetime
    callbacks_only: bool = False
    operator_id: int | None = None
    contact_id: int | None = None
    rested: Sequence[int] = ()
    dial: Dial | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """What came through the gate.

    Attributes:
        claims: Committed as ``sent``; each must be dialled within a second of ``boot_s`` or end as ``not_sent``. For an
            operator who looks first: the contact that is reserved.
        boot_s: The engine's boot clock, read before the commit was sent.
        budget: As of this claim.
        held_back: How many wanted contacts the abandonment budget refused.
        next_due_at: When nobody further could be claimed: the next moment any contact of this campaign may come due,
            None if never; of its promises only, where only those were asked for.
        refusal: Why the contact or number an operator asked for is not called; nothing is left of a typed number.
    """

    claims: Sequence[Claim]
    boot_s: float
    budget: Budget
    held_back: int = 0
    next_due_at: datetime | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAsk:
    """Somebody calls us: which campaign called that number last, and may the caller be put through?

    Attributes:
        id: Of the conversation that may follow.
        number: Who calls, digits with or without plus; empty if that was withheld.
        dialled: What was called, as the carrier names it; may be empty.
        campaign_ids: Campaigns the engine runs; nobody is put through to another.
        now: Time of day by the engine's clock.
        last: The caller waits no longer for a call of ours to the same person to end: then this one is missed.
    """

    lease: Lease
    id: UUID
    trunk: str
    number: str
    dialled: str
    campaign_ids: Sequence[int]
    now: datetime
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnResult:
    """What was found of a caller.

    Attributes:
        attempt: The live attempt, committed: the caller may be put through; None where there is nobody to.
        ringing_phone_id: The number of that very person which we are calling: ask again when that has ended.
        calls_back: Whether a missed one becomes a callback; without an attempt: whether this one has.
        why: Why there is nobody: ``unknown`` or ``closed``; kept.
    """

    attempt: LiveAttempt | None = None
    ringing_phone_id: int | None = None
    calls_back: bool = False
    why: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Facts of a moment, stored in one transaction; repeating it changes nothing (ranks, ids).

    Attributes:
        progress: Attempts whose state grew, whole rows.
        ended: Attempts that ended: moved from live to finished, contact, phone, budget and callback with them.
        operators: Operators whose present state changed, whole rows; those with state offline are removed.
        intervals: Closed stretches of shifts.
        key_dispositions: Attempt and disposition code chosen by a key of the offer, author "offer".
        opt_outs: Attempts whose callee asked by key never to be called again.
        previews: Contacts that are with their operator no more, and why.
        listenings: Supervisors who hear a conversation no more: id, when, why.
        recordings: Conversations that are recorded from now on.
        pauses: Stretches of them without sound, or their ends.
        began_at: Set once, by an engine that has just begun: what supervisors heard before is over.
    """

    progress: Sequence[LiveAttempt] = ()
    ended: Sequence[Ended] = ()
    operators: Sequence[LiveOperator] = ()
    intervals: Sequence[OperatorInterval] = ()
    key_dispositions: Sequence[tuple[UUID, str, datetime]] = ()
    opt_outs: Sequence[tuple[UUID, datetime]] = ()
    previews: Sequence[PreviewEnd] = ()
    listenings: Sequence[tuple[UUID, datetime, str]] = ()
    recordings: Sequence[Recording] = ()
    pauses: Sequence[Pause] = ()
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What the database says was going on when the last engine stopped.

    Attributes:
        recordings: Live attempts that are recorded, and since when each recording is paused.
    """

    attempts: Sequence[LiveAttempt] = ()
    operators: Sequence[LiveOperator] = ()
    previews: Sequence[Preview] = ()
    recordings: Sequence[tuple[UUID, datetime | None]] = ()


@dataclass(slots=True, kw_only=True)
class Explanation:
    """Decisions one after the other that said the same, and why.

    Attributes:
        at: When the first was made.
        until: When the last was made.
        reason: The limiting rule, a stable word.
        sentence: The explanation by language: ``ru``, ``en``.
        calls: New calls they allowed together.
        decisions: How many they were.
    """

    at: datetime
    until: datetime
    reason: str
    sentence: Mapping[str, str]
    calls: int
    decisions: int = 1


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PacingMinute:
    """One minute of a campaign's pacing: its last decision with all it was made of, and what all of them were.

    Attributes:
        inputs: Snapshot, learned and policy of the last decision (``core.replay``): it can be made again.
        calls: New calls the last decision allowed.
        target: Lines in flight with them.
        decisions: How many decisions there were.
        placed: New calls all of them allowed.
        reasons: Limiting rule -> decisions.
    """

    campaign_id: int
    minute: datetime
    decided_at: datetime
    calls: int
    target: int
    reason: str
    sentence: Mapping[str, str]
    inputs: Mapping[str, Any]
    decisions: int
    placed: int
    reasons: Mapping[str, int]


class Due(NamedTuple):
    """A promise that comes due: when it is tried, and with whom it was made; None is anybody of the team."""

    next_at: datetime
    operator_id: int | None


class Store(Protocol):
    """PostgreSQL as the engine sees it. Every method is one transaction."""

    async def take_lease(self, switch: str, *, wait: bool) -> Lease | None:
        """Take the lease of a switch with epoch + 1, at once if the old holder is proven dead, else when it expired.

        Returns None when another engine holds it (after ``wait``: never; it waits, and says so in the log).
        """

    async def renew_lease(self, lease: Lease) -> bool:
        """Extend the lease; False when it is not ours any more."""

    async def release_lease(self, lease: Lease) -> None:
        """Give the lease back at an orderly stop."""

    async def clock_skew_s(self) -> float:
        """Seconds by which PostgreSQL's clock is ahead of the engine's time of day."""

    async def campaigns(self, switch: str) -> Sequence[Campaign]:
        """Campaigns of the switch that are not drafts."""

    async def budgets(self, campaign_ids: Sequence[int]) -> Mapping[int, Budget]:
        """Abandonment budgets of these campaigns."""

    async def claim(self, ask: ClaimAsk) -> ClaimResult:
        """Take contacts through the gate and write their live attempts as ``sent``, in one statement, committed.

        For an operator who looks first the next contact is only reserved.
        """

    async def take_return(self, ask: ReturnAsk) -> ReturnResult:
        """Find the campaign that called this caller last and write the live attempt, committed; or why not, kept.

        Raises:
            LeaseLost: another engine has taken over.
        """

    async def write(self, journal: Journal) -> None:
        """Store the facts of a moment."""

    async def recover(self, switch: str) -> Recovered:
        """Read back live attempts and open shifts of this switch."""

    async def learned(self, campaign_id: int) -> Mapping[str, float]:
        """Recent means for pacing: ``answer_rate``, ``ring_s``, ``talk_s``, ``wrap_up_s``, and their counts ``n_…``."""

    async def pacing_learned(self, kind: str, of_id: int) -> Mapping[str, Any] | None:
        """What pacing had learned of a ``campaign`` or a ``team``; None if nothing was kept."""

    async def keep_pacing(
        self, minutes: Sequence[PacingMinute], learned: Mapping[tuple[str, int], Mapping[str, Any]], now: datetime
    ) -> None:
        """Store why campaigns dialled as they did, and what pacing learned, by kind and id."""

    async def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, Sequence[Due]]:
        """Pending callbacks of each campaign that are due until then, the first ones first (operators to keep free)."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorView:
    """One operator on the board."""

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
    extended: int = 0
    """How often the present wrap-up was made longer."""
    held_until: datetime | None = None
    """While the callee of the lost phone is kept with music: until then."""
    calls: bool = False
    """In the state ``preview``: the call is asked for, or on its way; else the contact is looked at."""
    missed: str | None = None
    """How the last call this operator asked for ended without a conversation, or why it was refused."""
    dials: bool = False
    """The place to type a number is open, or opens as soon as nobody may be put through any more."""
    leg: str | None = None
    """Channel id of the phone's nailed-up call; the phone in the browser answers no other."""
    listened: str | None = None
    """A supervisor is at the conversation, in this mode; only what the operator may see."""
    recording: str | None = None
    """How the conversation is recorded now, a word of ``core.recording.Tape``; None: it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningView:
    """A supervisor at a conversation, or who was at one.

    Attributes:
        leg: Channel id of the call to the supervisor's phone; a phone in the browser answers no other.
        asked: The mode asked for last: ``listen``, ``whisper``, ``join``.
        mode: The mode the switch has confirmed; None while the phone is called.
        shown: Whether the operator sees a supervisor who only listens.
        ended_at: None while it goes on.
        how: Why it ended, a word of ``core.listening.How``.
    """

    id: UUID
    user_id: int
    name: str
    operator_id: int
    attempt_id: UUID
    seat: str
    leg: str
    asked: str
    mode: str | None
    shown: bool
    began_at: datetime
    ended_at: datetime | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignView:
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
    """The limiting rule, a stable word."""
    sentence: Mapping[str, str]
    """The explanation by language: ``ru``, ``en``."""
    answered: int
    abandoned: int
    cap_permille: int
    window_starts_at: datetime | None
    carried_answered: int = 0
    carried_abandoned: int = 0
    budget_mode: str = "strict"
    owed: int = 0
    """Answers without a loss that are needed until abandons are within the cap again."""
    caution: float = 1.0
    listening_shown: bool = True
    """Operators see a supervisor who only listens."""
    trunk: str = ""
    trunk_off_since: datetime | None = None
    changes: Sequence[Explanation] = ()
    """The last changes of the limiting rule, the newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Everything the live board shows, of one moment."""

    at: datetime
    version: int
    switch: str
    switch_up: bool
    dialing: bool
    stopped_because: str | None
    operators: Sequence[OperatorView]
    campaigns: Sequence[CampaignView]
    listenings: Sequence[ListeningView] = ()
    alerts: Sequence[str] = field(default_factory=tuple)
    counters: Mapping[str, int] = field(default_factory=dict)
    """Since the service started: attempts, answered, connected, abandoned, max_lines_per_ready_operator_x100, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCall:
    """A call to an admin's own phone, to try a trunk.

    Attributes:
        state: ``sent``, ``dialling``, ``ringing``, ``answered``, ``message`` (it is heard) or ``ended``.
        outcome: How it ended: ``answered``, or a word of the trunk's cause map.
        cause: Q.850 number of the hangup.
        sip_code: SIP answer of the far end.
    """

    id: UUID
    trunk: str
    state: str
    began_at: datetime
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    message_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    cause: int | None = None
    sip_code: int | None = None


class Live(Protocol):
    """What the web may read of the engine."""

    @property
    def took_over(self) -> bool:
        """Whether it knows who is at work; before that nothing that is said of operators is so."""

    def board(self) -> Board:
        """The present moment, cheap."""

    def operator(self, operator_id: int) -> OperatorView | None:
        """One operator's state, None when no shift is open."""

    def explanations(self, campaign_id: int) -> Sequence[Explanation]:
        """Why it dialled as it did: the decisions of the last hour, the newest first; none if it does not run here."""

    def test_call(self, uid: UUID) -> TrialCall | None:
        """How a test call goes, or went; None for one that nobody remembers."""

    def hearable(self, operator_id: int) -> tuple[UUID, UUID, int, bool] | None:
        """The conversation of an operator: attempt, session, campaign, and whether its listeners are shown."""

    def listening(self, user_id: int) -> ListeningView | None:
        """What this supervisor hears, or heard last; None for one who never listened."""

    async def changed(self, version: int) -> int:
        """Wait until the board's version is greater than this; returns the new one."""


class Commands(Protocol):
    """What the web may ask of the engine. Each raises dialer.errors.Refused with a stable code."""

    async def start_shift(self, *, operator_id: int, name: str, team_id: int, seat: str) -> OperatorView:
        """Open a shift on a seat; its phone is called at once."""

    async def ready(self, operator_id: int) -> OperatorView:
        """The operator takes calls from now on."""

    async def pause(self, operator_id: int, reason: str) -> OperatorView:
        """No more calls; while talking it is remembered for after the call."""

    async def hang_up(self, operator_id: int) -> OperatorView:
        """End the operator's present conversation."""

    async def call_phone(self, operator_id: int) -> OperatorView:
        """Call the operator's phone anew, ending a call that it does not know of."""

    async def call_preview(self, operator_id: int) -> OperatorView:
        """Call the contact that is shown; refused with ``call.<reason of the gate>`` and ``until``, when it passes."""

    async def dial(
        self,
        operator_id: int,
        *,
        campaign_id: int,
        e164: str,
        zones: Sequence[str],
        countries: Sequence[str],
        contact_id: int | None,
    ) -> OperatorView:
        """Call a number the operator typed; refused as ``call_preview``, and with ``dial.…`` by the state."""

    async def skip_preview(self, operator_id: int, reason: str) -> OperatorView:
        """Do not call the contact that is shown; ``reason`` of ``core.preview.SKIP_REASONS``."""

    async def end_shift(self, operator_id: int) -> None:
        """Close the shift; after the call if one is going on."""

    async def more_time(self, operator_id: int) -> OperatorView:
        """Make the present wrap-up longer by ``presence.EXTENSION_S``; only so often."""

    async def disposition_saved(self, operator_id: int, attempt_id: UUID) -> None:
        """The wrap-up of this attempt is done: it is committed. Called after the commit only."""

    async def do_not_call_added(self, phone_ids: Sequence[int]) -> None:
        """Cut unanswered lines to these phones within a second. Called after the commit only."""

    async def campaigns_changed(self) -> None:
        """Read the campaigns again."""

    async def begin_test_call(self, *, trunk: Trunk, number: str, caller_number: str) -> TrialCall:
        """Call an admin's own phone (E.164) on a trunk; the caller has checked that it may be called."""

    async def begin_listening(self, wanted: Listening) -> ListeningView:
        """Call a supervisor's phone and let it hear a conversation. Called after it is written down, only."""

    async def change_listening(self, user_id: int, mode: Mode) -> ListeningView | None:
        """Let the supervisor's call go on in another mode; the supervisor's present one as it is now."""

    async def pause_recording(self, operator_id: int) -> OperatorView:
        """No sound of the conversation is kept until ``resume_recording``; returns once the switch has said so."""

    async def resume_recording(self, operator_id: int) -> OperatorView:
        """Keep what is said from now on: after a pause, or because the callee has agreed."""

    async def stop_listening(self, user_id: int, how: How) -> ListeningView | None:
        """Hang up the supervisor's phone, if it hears a conversation."""

    def outcome_counts(self) -> Mapping[Outcome, int]:
        """Ended attempts by outcome since the service started."""
