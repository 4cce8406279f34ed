"""The floor of one switch: every live attempt and every open shift, and what to do when something happens.

``Floor.step(event, now)`` is the only way in and a list of effects the only way out. It awaits nothing, asks no clock
and draws no chance, so the same events give the same day. The single steps of an attempt and of a shift are in
``attempt`` and ``presence``; here they meet: an answer looks for an operator, a free operator for a waiting callee,
an end frees both, and a resync compares all of it with what the switch really holds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from dialer.core import assign, presence, retry
from dialer.core import attempt as life
from dialer.core import events as ev
from dialer.core.cover import Cover
from dialer.core.crew import Crew
from dialer.core.effects import (
    Alarm,
    AttemptChanged,
    AttemptEnded,
    Connect,
    Effect,
    EndCall,
    EndLeg,
    KeyMeans,
    LookNow,
    NeverAgain,
    WakeUp,
)
from dialer.core.model import AttemptState, EndedBy, Mode, OperatorState, Outcome
from dialer.core.presence import Leg, NotNow, Operator

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import Campaign, LiveAttempt

#: When the two sides of a Bridge were not seen to meet within this, the switch is asked: perhaps they did, and the
#: events were lost. An operator who talks must not be taken for free.
BRIDGE_PATIENCE_S = 1.5
#: An attempt nobody heard of yet may be missing on the switch for so long: its Originate may still be on the way.
SETTLE_S = 5.0
#: What a key of the offer may mean besides a disposition.
KEY_WORDS = frozenset({"operator", "repeat"})


class Floor:
    """State of one switch in memory, owned by its engine.

    Attributes:
        attempts: Live attempts by id.
        crew: Operators with an open shift.
        cover: Which operators cover which lines.
        waiting: Answered callees who need an operator, and until when they may be bridged.
        outcomes: Ended attempts by outcome since the engine started.
    """

    def __init__(self) -> None:
        self.attempts: dict[UUID, LiveAttempt] = {}
        self.crew = Crew()
        self.cover = Cover(self.crew)
        self.outcomes: Counter[Outcome] = Counter()
        self.waiting: dict[UUID, datetime] = {}
        self._bridged_at: dict[UUID, datetime] = {}
        self._doubted: set[UUID] = set()
        self._callee_in: dict[UUID, str] = {}
        self._operator_in: dict[UUID, str] = {}
        self._out: list[Effect] = []
        self._comparing = False

    @property
    def operators(self) -> dict[int, Operator]:
        """Open shifts by operator id."""
        return self.crew.operators

    @property
    def campaigns(self) -> dict[int, Campaign]:
        """The switch's campaigns by id."""
        return self.cover.campaigns

    def step(self, event: ev.Event, now: datetime) -> list[Effect]:
        """Take one event and return what is to be done, in order.

        Raises:
            NotNow: an operator asked for what the present state does not allow; nothing changed.
        """
        self._out = []
        _ON.dispatch(type(event))(self, event, now)
        return self._out

    # The house rules of moving things -----------------------------------------

    def _put(self, attempt: LiveAttempt, *, store: bool = True) -> None:
        self.cover.moved(self.attempts.get(attempt.id), attempt)
        self.attempts[attempt.id] = attempt
        if store:
            self._out.append(AttemptChanged(attempt))

    def _set(self, step: presence.Step) -> Operator:
        op, effects = step
        self.crew.keep(op)
        if op.live.state is OperatorState.OFFLINE:
            self._operator_in.pop(op.live.session_id, None)
        self._out += effects
        return op

    def _advance(self, attempt_id: UUID, to: AttemptState, at: datetime) -> LiveAttempt | None:
        """The attempt after the step, or None if this changed nothing."""
        old = self.attempts.get(attempt_id)
        if old is None:
            return None
        new = life.advance(old, to, at)
        if new is old:
            return None
        self._put(new)
        return new

    # Finding each other ---------------------------------------------------------

    def _wait(self, attempt: LiveAttempt, now: datetime) -> None:
        """An answered callee needs an operator: now, or as long as the rule allows."""
        campaign = self.campaigns.get(attempt.campaign_id)
        until = life.bridge_by(attempt, campaign) if campaign else None
        if until is None or campaign is None or campaign.operator_free:
            return
        self.waiting[attempt.id] = until
        self._serve(now)
        if attempt.id in self.waiting:
            self._out.append(WakeUp(until))

    def _serve(self, now: datetime) -> None:
        """Give waiting callees to free operators, the most urgent first; nobody while it is not known who talks."""
        if self._comparing:
            return
        for attempt_id, until in sorted(self.waiting.items(), key=lambda item: item[1]):
            attempt = self.attempts.get(attempt_id)
            if attempt is None or now >= until:
                del self.waiting[attempt_id]
                continue
            op = self._pick(attempt)
            if op is not None:
                del self.waiting[attempt_id]
                self._bridge(attempt, op, now)

    def _pick(self, attempt: LiveAttempt) -> Operator | None:
        campaign = self.campaigns[attempt.campaign_id]
        op = assign.longest_ready(attempt, self.crew.free(campaign.team_id).values(), self.cover.held)
        if op is None or self.cover.held.get(op.live.operator_id) == attempt.id:
            return op
        return op if self.cover.spared(campaign) else None

    def _bridge(self, attempt: LiveAttempt, op: Operator, now: datetime) -> None:
        self._out.append(Connect(attempt.id, op.live.session_id))
        self._bridged_at[attempt.id] = now
        self._out.append(WakeUp(now + timedelta(seconds=BRIDGE_PATIENCE_S)))
        self._put(replace(attempt, state=AttemptState.BRIDGING, operator_id=op.live.operator_id))
        self.crew.keep(presence.bridging(op, attempt.id, attempt.campaign_id))

    def _joined(self, attempt: LiveAttempt, op: Operator, at: datetime) -> None:
        """Both sides are in one bridge."""
        if attempt.state is AttemptState.CONNECTED and attempt.operator_id == op.live.operator_id:
            return
        other = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if (other is not None and other.id != attempt.id) or attempt.connected_at is not None:
            self._out += [Alarm("two_in_one_bridge", str(attempt.id)), EndCall(attempt.id)]
            return
        self._forget_bridge(attempt.id)
        self.waiting.pop(attempt.id, None)
        new = life.advance(replace(attempt, operator_id=op.live.operator_id), AttemptState.CONNECTED, at)
        self._put(new)
        self._set(presence.connected(op, attempt.id, attempt.campaign_id, at))

    def _release(self, op: Operator, now: datetime) -> None:
        """The chosen callee did not arrive: the operator is free again."""
        self.crew.keep(presence.released(op))
        self._settle(now)
        self._serve(now)

    def _settle(self, now: datetime) -> None:
        """Let those go whose pause or leaving had to wait."""
        if self._comparing:
            return
        for op in self.crew.restless():
            self._set(presence.settle(op, now, may_leave=self.cover.may_leave(op)))

    def _cut(self, team_id: int) -> None:
        """Hang up lines that nobody covers any more."""
        for attempt in self.cover.to_cut(team_id, self.attempts.values()):
            self._end_call(attempt, EndedBy.SERVICE)

    def _end_call(self, attempt: LiveAttempt, by: EndedBy) -> None:
        self._out.append(EndCall(attempt.id))
        self._put(replace(attempt, ended_by=attempt.ended_by or by), store=False)

    # Endings ----------------------------------------------------------------------

    def _end(
        self,
        attempt: LiveAttempt,
        outcome: Outcome,
        by: EndedBy,
        at: datetime,
        now: datetime,
        *,
        cause: int | None = None,
        sip_code: int | None = None,
    ) -> None:
        campaign = self.campaigns[attempt.campaign_id]
        at = max(at, attempt.connected_at or attempt.answered_at or attempt.sent_at)
        ended = retry.ended(attempt, campaign, outcome, ended_by=by, ended_at=at, cause=cause, sip_code=sip_code)
        self.cover.moved(self.attempts.pop(attempt.id), None)
        self.waiting.pop(attempt.id, None)
        self._forget_bridge(attempt.id)
        self._callee_in.pop(attempt.id, None)
        self.outcomes[outcome] += 1
        self.cover.count(ended)
        self._out.append(AttemptEnded(ended))
        op = self.operators.get(attempt.operator_id) if attempt.operator_id else None
        if op is not None and op.live.attempt_id == attempt.id:
            self._operator_in.pop(op.live.session_id, None)
            if op.live.state is OperatorState.TALKING:
                self._set(presence.call_over(op, campaign, min(at, now)))
            elif op.live.state is OperatorState.READY:
                self.crew.keep(presence.released(op))
        self._settle(now)
        self._serve(now)

    # Events -----------------------------------------------------------------------

    @singledispatchmethod
    def _on(self, event: object, now: datetime) -> None:
        raise TypeError(event)

    @_on.register
    def _(self, event: ev.CallAppeared, now: datetime) -> None:
        """A call that nobody waits for any more, or that was cut before it existed, ends before it rings."""
        attempt = self.attempts.get(event.attempt_id)
        if attempt is None:
            self._out += [Alarm("late_call", str(event.attempt_id)), EndCall(event.attempt_id)]
        elif attempt.ended_by is not None and attempt.state in life.UNANSWERED:
            self._out.append(EndCall(attempt.id))

    @_on.register
    def _(self, event: ev.Rang, now: datetime) -> None:
        self._advance(event.attempt_id, AttemptState.RINGING, event.at)

    @_on.register
    def _(self, event: ev.Answered, now: datetime) -> None:
        self._advance(event.attempt_id, AttemptState.ANSWERED, event.at)

    @_on.register
    def _(self, event: ev.CalleeWaits, now: datetime) -> None:
        self._advance(event.attempt_id, AttemptState.ANSWERED, event.at)
        attempt = self.attempts.get(event.attempt_id)
        if attempt is not None and attempt.state is AttemptState.OFFER:
            attempt = self._advance(event.attempt_id, AttemptState.WAITING, event.at)
        if attempt is not None:
            self._wait(attempt, now)

    @_on.register
    def _(self, event: ev.OfferStarted, now: datetime) -> None:
        self._advance(event.attempt_id, AttemptState.ANSWERED, event.at)
        if self._advance(event.attempt_id, AttemptState.OFFER, event.at):
            self.waiting.pop(event.attempt_id, None)

    @_on.register
    def _(self, event: ev.KeyPressed, now: datetime) -> None:
        attempt = self.attempts.get(event.attempt_id)
        if attempt is None:
            return
        self._put(replace(attempt, key=event.key))
        means = self.campaigns[attempt.campaign_id].keys.get(event.key)
        if means is not None and means not in KEY_WORDS:
            self._out.append(KeyMeans(attempt.id, means, event.at))

    @_on.register
    def _(self, event: ev.WaitingForOperator, now: datetime) -> None:
        if self._advance(event.attempt_id, AttemptState.WAITING, event.at):
            self.waiting.pop(event.attempt_id, None)

    @_on.register
    def _(self, event: ev.MessageStarted, now: datetime) -> None:
        self.waiting.pop(event.attempt_id, None)

    @_on.register
    def _(self, event: ev.OptedOut, now: datetime) -> None:
        self._out.append(NeverAgain(event.attempt_id, event.at))

    @_on.register
    def _(self, event: ev.CallEnded, now: datetime) -> None:
        attempt = self.attempts.get(event.attempt_id)
        if attempt is None:
            return
        free = self.campaigns[attempt.campaign_id].operator_free
        outcome = life.outcome_of(attempt, event.word, event.at, operator_free=free)
        by = life.ended_by(attempt, outcome)
        self._end(attempt, outcome, by, event.at, now, cause=event.cause, sip_code=event.sip_code)

    @_on.register
    def _(self, event: ev.NotSent, now: datetime) -> None:
        attempt = self.attempts.get(event.attempt_id)
        if attempt is not None and attempt.state is AttemptState.SENT:
            outcome = Outcome.FAILED if event.refused else Outcome.NOT_SENT
            self._end(attempt, outcome, EndedBy.SERVICE, event.at, now)

    @_on.register
    def _(self, event: ev.CalleeJoined, now: datetime) -> None:
        attempt = self.attempts.get(event.attempt_id)
        if attempt is None:
            return
        self._callee_in[attempt.id] = event.bridge_id
        for session_id, bridge_id in self._operator_in.items():
            op = self.crew.of_session(session_id)
            if bridge_id == event.bridge_id and op is not None:
                self._joined(attempt, op, event.at)
                return

    @_on.register
    def _(self, event: ev.OperatorJoined, now: datetime) -> None:
        op = self.crew.of_session(event.session_id)
        if op is None:
            return
        self._operator_in[event.session_id] = event.bridge_id
        for attempt_id, bridge_id in self._callee_in.items():
            if bridge_id == event.bridge_id and attempt_id in self.attempts:
                self._joined(self.attempts[attempt_id], op, event.at)
                return

    @_on.register
    def _(self, event: ev.LegWaiting, now: datetime) -> None:
        op = self.crew.of_session(event.session_id)
        if op is None:
            self._out.append(EndLeg(event.session_id))
            return
        self._operator_in.pop(event.session_id, None)
        self._set(presence.leg_waiting(op, now))
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.LegEnded, now: datetime) -> None:
        op = self.crew.of_session(event.session_id)
        if op is not None:
            self._lose_leg(op, now)

    def _lose_leg(self, op: Operator, now: datetime) -> None:
        self._operator_in.pop(op.live.session_id, None)
        attempt = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if op.live.state is OperatorState.TALKING:
            if attempt is not None:
                self._put(replace(attempt, ended_by=attempt.ended_by or EndedBy.PHONE_LOST))
            op = self._set(presence.call_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
        elif attempt is not None and op.live.state is OperatorState.READY:
            op = presence.released(op)
            self._forget_bridge(attempt.id)
            self._put(life.unbridge(attempt))
            self.crew.keep(op)
        if op.live.operator_id in self.operators:
            self._set(presence.leg_lost(op, now))
        if attempt is not None and attempt.id in self.attempts:
            self._wait(self.attempts[attempt.id], now)
        self._cut(op.live.team_id)

    @_on.register
    def _(self, event: ev.PhoneBack, now: datetime) -> None:
        for op in list(self.operators.values()):
            if op.live.seat == event.seat and op.live.state is not OperatorState.PAUSED:
                self._set(presence.phone_back(op))

    @_on.register
    def _(self, event: ev.BridgeRefused, now: datetime) -> None:
        """One of the two is gone and we were not told: nobody is bridged to this leg before the switch was asked."""
        op = self.crew.of_session(event.session_id)
        if op is not None and op.live.attempt_id == event.attempt_id and op.leg is Leg.WAITING:
            self.crew.keep(replace(op, leg=Leg.CALLING))
            self._out.append(LookNow())
        self._unbridge(event.attempt_id, now)

    def _forget_bridge(self, attempt_id: UUID) -> None:
        self._bridged_at.pop(attempt_id, None)
        self._doubted.discard(attempt_id)

    def _unbridge(self, attempt_id: UUID, now: datetime) -> None:
        """A bridge that did not happen: the callee waits on if there is time, the operator is free."""
        self._forget_bridge(attempt_id)
        attempt = self.attempts.get(attempt_id)
        if attempt is None or attempt.state is not AttemptState.BRIDGING:
            return
        op = self.operators.get(attempt.operator_id or -1)
        self._put(life.unbridge(attempt))
        self._out.append(Alarm("bridge_failed", str(attempt_id)))
        if op is not None and op.live.attempt_id == attempt_id:
            self._release(op, now)
        self._wait(self.attempts[attempt_id], now)

    @_on.register
    def _(self, event: ev.SwitchLost, now: datetime) -> None:
        self.waiting.clear()

    @_on.register
    def _(self, event: ev.CampaignsRead, now: datetime) -> None:
        kept = {a.campaign_id for a in self.attempts.values()}
        for gone in self.campaigns.keys() - kept:
            del self.campaigns[gone]
        self.campaigns.update({c.id: c for c in event.campaigns})
        self.cover.changed()

    @_on.register
    def _(self, event: ev.Taken, now: datetime) -> None:
        attempt = life.begin(event.claim)
        self._put(attempt, store=False)
        self.cover.hold(attempt)
        self._cut(self.campaigns[attempt.campaign_id].team_id)

    @_on.register
    def _(self, event: ev.PhonesForbidden, now: datetime) -> None:
        for attempt in list(self.attempts.values()):
            if attempt.phone_id in event.phone_ids and attempt.state in life.UNANSWERED:
                self._end_call(attempt, EndedBy.SERVICE)

    @_on.register
    def _(self, event: ev.TimePassed, now: datetime) -> None:
        for attempt_id, sent in list(self._bridged_at.items()):
            if now - sent >= timedelta(seconds=BRIDGE_PATIENCE_S):
                self._doubted.add(attempt_id)
                self._bridged_at[attempt_id] = now
                self._out += [LookNow(), WakeUp(now + timedelta(seconds=BRIDGE_PATIENCE_S))]
        for op in self.crew.due():
            if op.live.until is not None and now >= op.live.until:
                self._set(presence.wrap_up_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
            elif op.call_leg_at is not None:
                self._set(presence.phone_due(op, now))
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.ClockStepped, now: datetime) -> None:
        """Nobody waits an hour longer because somebody set the clock; nobody is cut short either."""
        self.waiting = {uid: until + event.by for uid, until in self.waiting.items()}
        self._bridged_at = {uid: at + event.by for uid, at in self._bridged_at.items()}
        for op in list(self.operators.values()):
            self._set(presence.clock_stepped(op, event.by))

    # People -------------------------------------------------------------------------

    @_on.register
    def _(self, event: ev.ShiftStarted, now: datetime) -> None:
        if event.operator_id in self.operators:
            raise NotNow("operator.has_shift", "You already have a shift; it owns the line.")
        if any(op.live.seat == event.seat for op in self.operators.values()):
            raise NotNow("operator.seat_taken", f"Seat {event.seat} is taken by somebody else.")
        self._set(presence.start(event.operator_id, event.session_id, event.name, event.team_id, event.seat, now))

    @_on.register
    def _(self, event: ev.ReadyAsked, now: datetime) -> None:
        self._set(presence.ready(self.crew.get(event.operator_id), now))
        self._serve(now)

    @_on.register
    def _(self, event: ev.PauseAsked, now: datetime) -> None:
        op = self.crew.get(event.operator_id)
        self._set(presence.pause(op, event.reason, now, may_leave=self.cover.may_leave(op)))

    @_on.register
    def _(self, event: ev.HangUpAsked, now: datetime) -> None:
        op = self.crew.get(event.operator_id)
        attempt = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if attempt is None or op.live.state is not OperatorState.TALKING:
            raise NotNow("operator.no_call", "There is no conversation to end.")
        self._end_call(attempt, EndedBy.OPERATOR)

    @_on.register
    def _(self, event: ev.ShiftEndAsked, now: datetime) -> None:
        op = self.crew.get(event.operator_id)
        self._set(presence.leave(op, now, may_leave=self.cover.may_leave(op)))

    @_on.register
    def _(self, event: ev.MoreTimeAsked, now: datetime) -> None:
        self._set(presence.more_time(self.crew.get(event.operator_id)))

    @_on.register
    def _(self, event: ev.DispositionSaved, now: datetime) -> None:
        op = self.operators.get(event.operator_id)
        if op is not None:
            self._set(presence.disposition_saved(op, event.attempt_id, now))
            self._settle(now)
            self._serve(now)

    # Coming back ----------------------------------------------------------------------

    @_on.register
    def _(self, event: ev.Recovered, now: datetime) -> None:
        for attempt in event.attempts:
            self._put(attempt, store=False)
            if attempt.state in life.IN_FLIGHT:
                self.cover.hold(attempt)
        for live in event.operators:
            self.crew.keep(Operator(live=live))
            if live.until is not None:
                self._out.append(WakeUp(live.until))

    @_on.register
    def _(self, event: ev.Resynced, now: datetime) -> None:
        self._comparing = True
        self._compare_legs(event, now)
        for attempt in sorted(self.attempts.values(), key=lambda one: one.id in event.calls):  # who is gone first
            seen = event.calls.get(attempt.id)
            if attempt.sent_at < event.started_at and seen is None:
                self._lose(attempt, EndedBy.SWITCH_RESTART, event.started_at, now)
            elif seen is not None:
                self._adopt(attempt, seen, now)
            elif attempt.state is not AttemptState.SENT or now - attempt.sent_at > timedelta(seconds=SETTLE_S):
                self._lose(attempt, EndedBy.LOST, now, now)
        for stray in event.calls.keys() - self.attempts.keys():
            self._out += [Alarm("stray_call", str(stray)), EndCall(stray)]
        self._free_ghosts(now)
        self._comparing = False
        self._settle(now)
        self._serve(now)

    def _lose(self, attempt: LiveAttempt, by: EndedBy, at: datetime, now: datetime) -> None:
        """The call is not there any more and nobody saw it end."""
        outcome = Outcome.CONNECTED if attempt.connected_at else Outcome.UNKNOWN
        self._end(attempt, outcome, by, at, now)

    def _adopt(self, attempt: LiveAttempt, seen: ev.SeenCall, now: datetime) -> None:
        """The call is there: take over what it shows; ranks only grow."""
        op = self.crew.of_session(seen.talking_to) if seen.talking_to else None
        if attempt.ended_by in {EndedBy.SERVICE, EndedBy.OPERATOR}:
            self._out.append(EndCall(attempt.id))  # asked for before, and lost with the link
        elif op is not None:
            if seen.talking_to is not None:
                self._callee_in[attempt.id] = self._operator_in[seen.talking_to] = f"resync-{attempt.id}"
            self._joined(attempt, op, now)
        elif attempt.state is AttemptState.BRIDGING and attempt.id in self._doubted:
            self._unbridge(attempt.id, now)
        elif attempt.state is AttemptState.BRIDGING and attempt.id not in self._bridged_at:
            self._put(life.unbridge(attempt))
        elif seen.ringing:
            self._advance(attempt.id, AttemptState.RINGING, now)
        elif seen.up:
            self._catch_up(attempt, seen, now)
        adopted = self.attempts.get(attempt.id)
        if adopted is not None and seen.waiting_place:
            self._wait(adopted, now)

    def _catch_up(self, attempt: LiveAttempt, seen: ev.SeenCall, now: datetime) -> None:
        """What a callee did while nobody listened; when, is not known, and is counted against us.

        Whoever still waits after the key may be served: the switch ends that wait by itself.
        """
        long_ago = now - timedelta(seconds=life.CONNECT_WITHIN_S)
        self._advance(attempt.id, AttemptState.ANSWERED, long_ago)
        if self.campaigns[attempt.campaign_id].mode is Mode.IVR:
            self._advance(attempt.id, AttemptState.OFFER, long_ago)
            if seen.waiting_place or seen.message:
                self._advance(attempt.id, AttemptState.WAITING, long_ago if seen.message else now)

    def _compare_legs(self, event: ev.Resynced, now: datetime) -> None:
        for session_id in (leg for leg in event.legs if self.crew.of_session(leg) is None):
            self._out += [Alarm("stray_leg", str(session_id)), EndLeg(session_id)]
        for op in list(self.operators.values()):
            answered = event.legs.get(op.live.session_id)
            if answered is None:
                if op.leg is not Leg.NONE or op.call_leg_at is None:
                    self._lose_leg(op, now)
            elif answered:
                self._set(presence.leg_waiting(op, now))
            else:
                self.crew.keep(replace(op, leg=Leg.CALLING))

    def _free_ghosts(self, now: datetime) -> None:
        """No operator stays busy with a call that is over."""
        for op in list(self.operators.values()):
            attempt = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
            if op.live.state is OperatorState.TALKING and attempt is None:
                self._set(presence.call_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
            elif op.live.state is OperatorState.READY and op.live.attempt_id and attempt is None:
                self.crew.keep(presence.released(op))


#: What takes each kind of event; looked up once and not at each event.
_ON = Floor.__dict__["_on"].dispatcher
