"""The shift of an operator: what the person does, and where the phone's leg is.

                      ready                    both in one bridge
    (login) paused ──────────> ringing ──> ready ──────────────────> talking
              ^                 phone rings  ^ |                        │ callee or operator hangs up
              │                              │ │ pause                  v
              ├──────────────────────────────┼─┘                     wrap_up ── deadline, or disposition saved
              └──────────────────────────────┴──────────────────────────┘

    ready ──> preview ── call ── answer ──> talking          a contact to look at first: see ``preview``
      ^          │ skip, deadline, no answer
      └──────────┘

The *leg* is separate from the state: ``none``, ``calling`` (the phone rings), ``waiting`` (nailed up in the holding
bridge). Only a ready operator with a waiting leg and no attempt is free. An operator whose leg is lost while ready
becomes ``ringing`` and is called again with growing pauses; a phone that does not come back ends in a pause with
the reason ``phone_lost``, so that nobody counts on it.

Two things at once: a pause asked for while talking is remembered and kept after the wrap-up; a pause asked for while
a Bridge is on its way is a pause after that call. A disposition saved while people still talk makes the wrap-up
empty. Whoever leaves while talking leaves after the wrap-up.

A phone that vanishes in a conversation (a page that is reloaded, a browser that dies, a cable) does not end it: the
callee is *held* with music while the phone is called again, and both are bridged once more. After ``HELD_S`` the
conversation is over. Whoever puts a desk phone down in order has hung up.

Every state an operator leaves becomes one closed interval; intervals of a shift touch and never overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dialer.core.effects import (
    CallLeg,
    EndLeg,
    Hold,
    IntervalClosed,
    OperatorChanged,
    PreviewEnded,
    WakeUp,
)
from dialer.core.manual import DIAL, Dial
from dialer.core.model import LiveOperator, OperatorInterval, Outcome
from dialer.core.preview import How, Preview, over
from dialer.core.quick import quick, replace
from dialer.core.states import OperatorState

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.effects import Effect
    from dialer.core.model import Campaign

S = OperatorState

#: A wrap-up is made longer by this, at most so often.
EXTENSION_S, EXTENSIONS_MAX = 30, 4

#: Pauses between tries to call an operator's phone, seconds; after the last the operator is paused.
LEG_RETRY_S = (1.0, 3.0, 9.0, 20.0)

#: So long a callee is held for a lost phone; the dialplan's [held] plays the message two seconds later by itself.
HELD_S = 18.0
#: A Bridge that was sent in time is waited for beyond that.
MEETING_S = 1.5


class Leg(StrEnum):
    """Where the operator's nailed-up leg is."""

    NONE = "none"
    CALLING = "calling"
    WAITING = "waiting"


class NotNow(Exception):
    """The operator cannot do this in the present state. ``code`` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The callee of a talking operator whose phone was lost.

    Attributes:
        until: Then it is over.
        waits: The callee is in the waiting place.
        asked: The Bridge back is on its way.
    """

    until: datetime
    waits: bool = False
    asked: bool = False


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator in the engine's memory: the stored row, and what needs no storing.

    Attributes:
        live: The row.
        leg: Where the phone's leg is.
        leg_tries: Failed tries to call the phone since it was last waiting.
        call_leg_at: When the phone is called again.
        disposed: The present attempt's disposition is already saved.
        extended: How often the present wrap-up was made longer.
        held: The phone was lost in the conversation that goes on, and its callee waits for it.
        recall: The leg was ended so that the phone can be called anew.
        preview: The contact that is shown.
        dial: The number that was typed, while the gate is asked.
        asking: The gate is asked whether it may be called.
        misses: How many deadlines passed one after the other with nothing decided.
        missed: How the last call this operator asked for ended when it was not answered, or why it was refused.
    """

    live: LiveOperator
    leg: Leg = Leg.NONE
    leg_tries: int = 0
    call_leg_at: datetime | None = None
    disposed: bool = False
    extended: int = 0
    held: Held | None = None
    recall: bool = False
    preview: Preview | None = None
    dial: Dial | None = None
    asking: bool = False
    misses: int = 0
    missed: Outcome | str | None = None

    @property
    def looks(self) -> bool:
        """Whether a contact is shown and nothing was decided about it."""
        return self.preview is not None and not self.asking

    @property
    def asked_for(self) -> UUID | None:
        """The attempt about which the gate is asked."""
        wish = self.preview or self.dial
        return wish.id if wish is not None and self.asking else None

    @property
    def engaged(self) -> bool:
        """Whether a pause or the end of the shift has to wait for a call."""
        return self.live.state in {S.TALKING, S.WRAP_UP} or self.live.attempt_id is not None or self.asking

    @property
    def free(self) -> bool:
        """Whether a callee may be bridged to this operator now."""
        return self.live.state is S.READY and self.leg is Leg.WAITING and self.live.attempt_id is None

    @property
    def dials(self) -> bool:
        """Whether the place to type a number is open, or opens as soon as it may."""
        return DIAL in {self.live.reason, self.live.pause_after}

    @property
    def restless(self) -> bool:
        """Whether a pause or the end of the shift is asked for and has to wait."""
        return self.live.pause_after is not None or self.live.leaving


Step = tuple[Operator, list["Effect"]]


def to(op: Operator, state: OperatorState, now: datetime, **fields: object) -> Step:
    """Move to ``state``; the stretch that ends becomes a fact if it took any time, a contact that was shown goes back.

    Fields not given are cleared.
    """
    old = op.live
    values = {"reason": None, "until": None, "campaign_id": None, "attempt_id": None, **fields}
    now = max(now, old.since)
    live = replace(old, state=state, since=now, **values)  # type: ignore[arg-type] # names are checked by tests
    closed = OperatorInterval(
        operator_id=old.operator_id,
        session_id=old.session_id,
        state=old.state,
        started_at=old.since,
        ended_at=now,
        reason=old.reason,
        campaign_id=old.campaign_id,
        attempt_id=old.attempt_id,
    )
    back = give_back(op, now, How.RETURNED) if op.looks else []
    moved = replace(op, live=live, held=None, preview=None, dial=None, asking=False)
    fact = [] if now == old.since and old.state in {S.READY, S.PREVIEW} else [IntervalClosed(closed)]
    return moved, [*back, *fact, OperatorChanged(live)]


def give_back(op: Operator, now: datetime, how: How, reason: str = "") -> list[Effect]:
    """The contact that was shown goes back."""
    if op.preview is None:
        return []
    return [PreviewEnded(over(op.preview, now, how, reason))]


def _wishing(op: Operator, *, pause_after: str | None, leaving: bool) -> Step:
    """What the operator wants next; told at once, since it must outlive a crash. A bridge on its way is not told."""
    live = replace(op.live, pause_after=pause_after, leaving=leaving)
    if live == op.live:
        return op, []
    stored = replace(live, attempt_id=None, campaign_id=None) if live.state is S.READY else live
    return replace(op, live=live), [OperatorChanged(stored)]


def start(operator_id: int, session_id: UUID, name: str, team_id: int, seat: str, now: datetime) -> Step:
    """A shift begins paused, while the phone is being called."""
    live = LiveOperator(
        operator_id=operator_id,
        session_id=session_id,
        seat=seat,
        team_id=team_id,
        name=name,
        state=S.PAUSED,
        since=now,
        reason="login",
    )
    return Operator(live=live, leg=Leg.CALLING), [OperatorChanged(live), CallLeg(session_id, seat)]


def ready(op: Operator, now: datetime) -> Step:
    """The operator asks for calls."""
    if op.live.state is S.WRAP_UP:
        raise NotNow("operator.wrap_up", "Save the disposition of this call first.")
    op, effects = _wishing(op, pause_after=None, leaving=False)
    match op.live.state:
        case S.READY | S.TALKING | S.RINGING | S.PREVIEW:
            return op, effects
        case _ if op.leg is Leg.WAITING:
            return to(op, S.READY, now)
        case _:
            return _ring(op, now)


def _ring(op: Operator, now: datetime) -> Step:
    """Ready as soon as the phone is: it is called, unless it is being called already."""
    moved, effects = to(op, S.RINGING, now)
    called, more = call_leg(moved) if op.leg is Leg.NONE else (moved, [])
    return called, effects + more


def pause(op: Operator, reason: str, now: datetime, *, may_leave: bool) -> Step:
    """The operator asks for a pause; at once if the abandonment budget does not need him."""
    if op.engaged:
        return _wishing(op, pause_after=reason, leaving=op.live.leaving)
    if op.live.state is S.READY and not may_leave:
        return _wishing(op, pause_after=reason, leaving=op.live.leaving)
    return to(op, S.PAUSED, now, reason=reason, pause_after=None)


def leave(op: Operator, now: datetime, *, may_leave: bool) -> Step:
    """The operator ends the shift; after the call, the wrap-up, or when the budget allows."""
    if op.engaged:
        return _wishing(op, pause_after=op.live.pause_after, leaving=True)
    if op.live.state is S.READY and not may_leave:
        return _wishing(op, pause_after=op.live.pause_after, leaving=True)
    gone, effects = to(op, S.OFFLINE, now)
    return gone, [*effects, EndLeg(op.live.session_id)]


def settle(op: Operator, now: datetime, *, may_leave: bool) -> Step:
    """Carry out a pause or an end of shift that had to wait, if it may be now."""
    if op.live.attempt_id is not None or op.live.state is not S.READY:
        return op, []
    if op.live.leaving:
        return leave(op, now, may_leave=may_leave)
    if op.live.pause_after:
        return pause(op, op.live.pause_after, now, may_leave=may_leave)
    return op, []


def bridging(op: Operator, attempt_id: UUID, campaign_id: int) -> Operator:
    """A callee was chosen for this ready operator; still ready until both are in one bridge."""
    return replace(op, live=replace(op.live, attempt_id=attempt_id, campaign_id=campaign_id), disposed=False)


def released(op: Operator) -> Operator:
    """The callee that was chosen did not arrive; one who was asked for is waited for."""
    if op.live.state is S.PREVIEW:
        return op
    return replace(op, live=replace(op.live, attempt_id=None, campaign_id=None))


def connected(op: Operator, attempt_id: UUID, campaign_id: int, now: datetime, *, manual: bool = False) -> Step:
    """Both are in one bridge. The stretch before belongs to no attempt, unless this one was asked for.

    Whoever dialled by hand needs that place no more.
    """
    if manual and op.live.pause_after == DIAL:
        op = replace(op, live=replace(op.live, pause_after=None))
    if op.live.state is not S.PREVIEW:
        op = replace(op, live=replace(op.live, attempt_id=None, campaign_id=None))
    op = replace(op, disposed=False, extended=0, misses=0)
    return to(op, S.TALKING, now, attempt_id=attempt_id, campaign_id=campaign_id)


def call_over(op: Operator, campaign: Campaign | None, now: datetime) -> Step:
    """The conversation ended: wrap-up with a deadline, or on if the disposition is already saved."""
    if op.disposed or campaign is None:
        return _after_wrap_up(op, now, S.READY)
    until = now + timedelta(seconds=campaign.wrap_up_s)
    live = op.live
    moved, effects = to(op, S.WRAP_UP, now, attempt_id=live.attempt_id, campaign_id=live.campaign_id, until=until)
    return moved, [*effects, WakeUp(until)]


def disposition_saved(op: Operator, attempt_id: UUID, now: datetime) -> Step:
    """The disposition is in the database; a repeat, or one of an older attempt, changes nothing."""
    if op.live.attempt_id != attempt_id or op.disposed:
        return op, []
    if op.live.state is S.TALKING:
        return replace(op, disposed=True), []
    if op.live.state is S.WRAP_UP:
        return _after_wrap_up(op, now, S.READY)
    return op, []


def more_time(op: Operator) -> Step:
    """The operator needs longer to write it down."""
    if op.live.state is not S.WRAP_UP or op.live.until is None:
        raise NotNow("operator.no_wrap_up", "There is no wrap-up to make longer.")
    if op.extended >= EXTENSIONS_MAX:
        raise NotNow("operator.no_more_time", "The wrap-up was made longer as often as it may be.")
    until = op.live.until + timedelta(seconds=EXTENSION_S)
    live = replace(op.live, until=until)
    return replace(op, live=live, extended=op.extended + 1), [OperatorChanged(live), WakeUp(until)]


def wrap_up_over(op: Operator, campaign: Campaign | None, now: datetime) -> Step:
    """The deadline of the wrap-up passed: ready or paused, as the campaign says."""
    if op.live.state is not S.WRAP_UP or op.live.until is None or now < op.live.until:
        return op, []
    return _after_wrap_up(op, now, campaign.after_wrap_up if campaign else S.PAUSED)


def _after_wrap_up(op: Operator, now: datetime, then: OperatorState) -> Step:
    op = replace(op, disposed=False)
    if op.live.leaving:
        gone, effects = to(op, S.OFFLINE, now)
        return gone, [*effects, EndLeg(op.live.session_id)]
    if op.live.pause_after:
        return to(op, S.PAUSED, now, reason=op.live.pause_after, pause_after=None)
    if then is S.PAUSED:
        return to(op, S.PAUSED, now, reason="wrap_up_over")
    if op.leg is Leg.WAITING:
        return to(op, S.READY, now)
    return _ring(op, now)


def clock_stepped(op: Operator, by: timedelta) -> Step:
    """The clock was set: what is left of a wrap-up, or of a pause before the next try of the phone, stays the same."""
    effects: list[Effect] = []
    if op.call_leg_at is not None:
        call_leg_at = op.call_leg_at + by
        op = replace(op, call_leg_at=call_leg_at)
        effects.append(WakeUp(call_leg_at))
    if op.held is not None:
        held = replace(op.held, until=op.held.until + by)
        op = replace(op, held=held)
        effects.append(WakeUp(held.until))
    if op.live.until is not None:
        until = op.live.until + by
        op = replace(op, live=replace(op.live, until=until))
        effects += [OperatorChanged(op.live), WakeUp(until)]
    return op, effects


def call_leg(op: Operator) -> Step:
    """Call the operator's phone."""
    return replace(op, leg=Leg.CALLING, call_leg_at=None, recall=False), [CallLeg(op.live.session_id, op.live.seat)]


def leg_waiting(op: Operator, now: datetime) -> Step:
    """The phone answered and waits in the holding bridge."""
    if op.leg is not Leg.WAITING or op.leg_tries or op.call_leg_at is not None:
        op = replace(op, leg=Leg.WAITING, leg_tries=0, call_leg_at=None)
    return to(op, S.READY, now) if op.live.state is S.RINGING else (op, [])


def leg_lost(op: Operator, now: datetime) -> Step:
    """The leg is gone, or the phone did not answer: out of the pool at once, called again after a while."""
    effects: list[Effect] = []
    op = replace(op, leg=Leg.NONE)
    if op.live.state in {S.READY, S.PREVIEW}:
        op, effects = to(op, S.RINGING, now)
    if op.recall:
        called, more = call_leg(replace(op, leg_tries=0))
        return called, effects + more
    if op.live.leaving and op.live.state is S.RINGING:
        gone, more = to(op, S.OFFLINE, now)
        return gone, effects + more
    if op.leg_tries >= len(LEG_RETRY_S):
        op = replace(op, leg_tries=0, call_leg_at=None)
        if op.live.state is S.RINGING:
            op, more = to(op, S.PAUSED, now, reason="phone_lost")
            effects += more
        return op, effects
    at = now + timedelta(seconds=LEG_RETRY_S[op.leg_tries])
    return replace(op, leg_tries=op.leg_tries + 1, call_leg_at=at), [*effects, WakeUp(at)]


def phone_due(op: Operator, now: datetime) -> Step:
    """Call the phone again if it is time."""
    if op.leg is not Leg.NONE or op.call_leg_at is None or now < op.call_leg_at:
        return op, []
    return call_leg(op)


def phone_back(op: Operator) -> Step:
    """The phone registered again: no need to wait for the next try."""
    return call_leg(op) if op.leg is Leg.NONE else (op, [])


def recall_leg(op: Operator) -> Step:
    """Call the phone anew: what the switch takes for its call may be a page that is not there any more."""
    if op.leg is Leg.NONE:
        return call_leg(op)
    return replace(op, recall=True), [EndLeg(op.live.session_id)]


# The callee of a lost phone --------------------------------------------------------


def hold(op: Operator, now: datetime) -> Step:
    """The phone was lost in a conversation: its callee is kept, for the first time or still."""
    if op.held is not None:
        return parted(op), []
    until = now + timedelta(seconds=HELD_S)
    effects: list[Effect] = [WakeUp(until)]
    if op.live.attempt_id is not None:
        effects.insert(0, Hold(op.live.attempt_id))
    return replace(op, held=Held(until=until)), effects


def kept(op: Operator) -> Operator:
    """The callee is in the waiting place."""
    return replace(op, held=replace(op.held, waits=True)) if op.held is not None else op


def may_meet_again(op: Operator, now: datetime) -> bool:
    """Whether callee and phone both wait, and nobody bridges them yet."""
    held = op.held
    return held is not None and held.waits and not held.asked and op.leg is Leg.WAITING and now < held.until


def meeting(op: Operator) -> Operator:
    """The Bridge back is on its way."""
    return replace(op, held=replace(op.held, asked=True)) if op.held is not None else op


def parted(op: Operator) -> Operator:
    """The Bridge back did not bring them together; it may be tried again."""
    return replace(op, held=replace(op.held, asked=False)) if op.held is not None else op


def waited_in_vain(op: Operator, now: datetime) -> bool:
    """Whether the callee was held for as long as may be."""
    if op.held is None:
        return False
    return now >= op.held.until + timedelta(seconds=MEETING_S if op.held.asked else 0)
