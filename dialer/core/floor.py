"""The floor of one switch: every live attempt and every open shift, and what to do when something happens.

``Floor.step(event, now)`` is the only way in and a list of effects the only way out. It awaits nothing, asks no clock
and draws no chance, so the same events give the same day. The single steps of an attempt and of a shift are in
``attempt`` and ``presence``, the steps in which they meet in ``moves``; here each event leads to its steps, and a
resync compares all of it with what the switch really holds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import singledispatchmethod
from typing import TYPE_CHECKING

from dialer.core import attempt as life
from dialer.core import dialling, looking, presence
from dialer.core import events as ev
from dialer.core.effects import Alarm, Effect, EndCall, EndLeg, KeyMeans, LookNow, NeverAgain, PreviewEnded, WakeUp
from dialer.core.model import EndedBy, Outcome
from dialer.core.moves import BRIDGE_PATIENCE_S, Moves
from dialer.core.presence import Leg, NotNow, Operator
from dialer.core.preview import How, over
from dialer.core.quick import replace
from dialer.core.states import AttemptState, CampaignState, Mode, OperatorState

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import Campaign, LiveAttempt

#: An attempt nobody heard of yet may be missing on the switch for so long: its Originate may still be on the way.
SETTLE_S = 5.0
#: What a key of the offer may mean besides a disposition.
KEY_WORDS = frozenset({"operator", "repeat"})


class Floor(Moves):
    """State of one switch in memory, owned by its engine; see ``Moves`` for what it holds."""

    def step(self, event: ev.Event, now: datetime) -> list[Effect]:
        """Take one event and return what is to be done, in order.

        Raises:
            NotNow: an operator asked for what the present state does not allow; nothing changed.
        """
        self._out = []
        _ON[type(event)](self, event, now)
        return self._out

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
        self._keep(event.attempt_id, now)

    def _keep(self, attempt_id: UUID, now: datetime) -> None:
        """The callee of a lost phone is in the waiting place."""
        op = self._holder(attempt_id)
        if op is not None:
            op = presence.kept(op)
            self.crew.keep(op)
            self._meet_again(op, now)

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
        """Who was kept for a lost phone hears it twice: before the waiting place, where it means nothing, and after."""
        self.waiting.pop(event.attempt_id, None)
        op = self._holder(event.attempt_id)
        if op is not None and op.held is not None and op.held.waits:
            self._give_up(op, now)

    @_on.register
    def _(self, event: ev.OptedOut, now: datetime) -> None:
        self._out.append(NeverAgain(event.attempt_id, event.at))

    @_on.register
    def _(self, event: ev.CallEnded, now: datetime) -> None:
        attempt = self.attempts.get(event.attempt_id)
        if attempt is None:
            return
        if self._holder(attempt.id) is not None:
            attempt = replace(attempt, ended_by=attempt.ended_by or EndedBy.PHONE_LOST)
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
        self._meet_again(self._set(presence.leg_waiting(op, now)), now)
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.LegEnded, now: datetime) -> None:
        op = self.crew.of_session(event.session_id)
        if op is not None:
            self._lose_leg(op, now, put_down=event.put_down)

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
            self.crew.keep(replace(presence.parted(op), leg=Leg.CALLING))
            self._out.append(LookNow())
        self._unbridge(event.attempt_id, now)

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
        for op in list(self.operators.values()):
            campaign = self.campaigns.get(op.preview.campaign_id) if op.preview is not None else None
            if op.looks and not _previews(campaign):
                self._set(looking.put_back(op, now, How.RETURNED))
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.Taken, now: datetime) -> None:
        attempt = life.begin(event.claim)
        self._put(attempt, store=False)
        if attempt.asked:
            self._begin_asked(attempt, now)
            return
        self.cover.hold(attempt)
        self._cut(self.campaigns[attempt.campaign_id].team_id)

    @_on.register
    def _(self, event: ev.CameBack, now: datetime) -> None:
        self._put(event.attempt, store=False)
        self._wait(event.attempt, now)

    @_on.register
    def _(self, event: ev.CallsUs, now: datetime) -> None:
        for attempt in list(self.attempts.values()):
            if attempt.phone_id == event.phone_id and attempt.state in life.UNANSWERED:
                self._end_call(attempt, EndedBy.SERVICE)
        self._settle(now)

    @_on.register
    def _(self, event: ev.PhonesForbidden, now: datetime) -> None:
        for attempt in list(self.attempts.values()):
            if attempt.phone_id in event.phone_ids and attempt.state in life.UNANSWERED:
                self._end_call(attempt, EndedBy.SERVICE)
        for op in list(self.operators.values()):
            if op.looks and op.preview is not None and op.preview.phone_id in event.phone_ids:
                self._set(looking.put_back(op, now, How.REFUSED, "do_not_call"))
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.Offered, now: datetime) -> None:
        """The operator may have been given a callee, or have gone, while the gate was asked."""
        preview = event.preview
        op, campaign = self.operators.get(preview.operator_id), self.campaigns.get(preview.campaign_id)
        able = op is not None and op.free and not op.restless and preview.operator_id not in self.cover.held
        if op is not None and campaign is not None and able and _previews(campaign) and self.cover.may_leave(op):
            self._set(looking.look(op, preview, campaign, now))
        else:
            self._out.append(PreviewEnded(over(preview, now, How.RETURNED)))

    @_on.register
    def _(self, event: ev.CallRefused, now: datetime) -> None:
        op = self.operators.get(event.preview.operator_id)
        if op is not None and op.preview == event.preview:
            self._set(looking.put_back(op, now, How.REFUSED, event.reason))
            self._settle(now)
            self._serve(now)
        else:
            self._out.append(PreviewEnded(over(event.preview, now, How.REFUSED, event.reason)))

    @_on.register
    def _(self, event: ev.DialRefused, now: datetime) -> None:
        op = self.operators.get(event.dial.operator_id)
        if op is not None and op.dial == event.dial:
            self._set(dialling.refused(op, now))
            self._settle(now)
            self._serve(now)

    @_on.register
    def _(self, event: ev.TimePassed, now: datetime) -> None:
        for attempt_id, sent in list(self._bridged_at.items()):
            if now - sent >= timedelta(seconds=BRIDGE_PATIENCE_S):
                self._doubted.add(attempt_id)
                self._bridged_at[attempt_id] = now
                self._out += [LookNow(), WakeUp(now + timedelta(seconds=BRIDGE_PATIENCE_S))]
        for op in self.crew.due():
            if op.live.until is not None and now >= op.live.until and op.live.state is OperatorState.PREVIEW:
                self._set(looking.preview_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
            elif op.live.until is not None and now >= op.live.until:
                self._set(presence.wrap_up_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
            elif presence.waited_in_vain(op, now):
                self._give_up(op, now)
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
        if attempt is None or op.live.state not in {OperatorState.TALKING, OperatorState.PREVIEW}:
            raise NotNow("operator.no_call", "There is no conversation to end.")
        self._end_call(attempt, EndedBy.OPERATOR)

    @_on.register
    def _(self, event: ev.CallAsked, now: datetime) -> None:
        self._set(looking.ask_call(self.crew.get(event.operator_id)))

    @_on.register
    def _(self, event: ev.DialAsked, now: datetime) -> None:
        dial = event.dial
        op, campaign = self.crew.get(dial.operator_id), self.campaigns.get(dial.campaign_id)
        if campaign is None or not campaign.manual or campaign.team_id != op.live.team_id:
            raise NotNow("dial.no_campaign", "Numbers are not dialled by hand for this campaign.")
        needed = dial.operator_id in self.cover.held or not self.cover.may_leave(op)
        self._set(dialling.ask(op, dial, now, may_leave=not needed))

    @_on.register
    def _(self, event: ev.SkipAsked, now: datetime) -> None:
        self._set(looking.skip(self.crew.get(event.operator_id), event.reason, now))
        self._settle(now)
        self._serve(now)

    @_on.register
    def _(self, event: ev.PhoneAsked, now: datetime) -> None:
        self._set(presence.recall_leg(self.crew.get(event.operator_id)))

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
            if attempt.state in life.IN_FLIGHT and not attempt.asked:
                self.cover.hold(attempt)
        for live in event.operators:
            self.crew.keep(Operator(live=live))
            if live.until is not None:
                self._out.append(WakeUp(live.until))
        self._recover_asked(event, now)

    def _recover_asked(self, event: ev.Recovered, now: datetime) -> None:
        """Whoever only looked is ready again; a call that was asked for finds its operator, or ends."""
        shown = {op.preview.id for op in self.operators.values() if op.preview is not None}
        for preview in event.previews:
            if preview.id not in shown:
                self._out.append(PreviewEnded(over(preview, now, How.RETURNED)))
        for attempt in event.attempts:
            if attempt.asked and attempt.connected_at is None and attempt.ended_by is None:
                self._find_asker(attempt, now)
        for live in event.operators:
            op = self.operators.get(live.operator_id)
            if op is not None and op.live.state is OperatorState.PREVIEW and op.live.attempt_id not in self.attempts:
                self._set(presence.to(op, OperatorState.READY, now))

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
        for op in list(self.operators.values()):
            self._meet_again(op, now)
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
        elif attempt.state is AttemptState.CONNECTED:
            self._adopt_held(attempt, seen, now)
        elif seen.up:
            self._catch_up(attempt, seen, now)
        adopted = self.attempts.get(attempt.id)
        if adopted is not None and seen.waiting_place:
            self._wait(adopted, now)

    def _adopt_held(self, attempt: LiveAttempt, seen: ev.SeenCall, now: datetime) -> None:
        """A callee who was connected and is alone: kept for a lost phone, perhaps since before we were there."""
        op = self.operators.get(attempt.operator_id or -1)
        if op is None or op.live.attempt_id != attempt.id or seen.waiting_place != ev.HELD:
            return
        if op.held is None and op.live.state is OperatorState.TALKING:
            self._set(presence.hold(op, now))
        elif attempt.id in self._doubted:
            self._forget_bridge(attempt.id)
            self.crew.keep(presence.parted(op))
        self._keep(attempt.id, now)

    def _catch_up(self, attempt: LiveAttempt, seen: ev.SeenCall, now: datetime) -> None:
        """What a callee did while nobody listened; when, is not known, and is counted against us.

        Whoever still waits after the key may be served: the switch ends that wait by itself.
        """
        long_ago = now - timedelta(seconds=life.CONNECT_WITHIN_S)
        self._advance(attempt.id, AttemptState.ANSWERED, long_ago)
        if life.hears_offer(attempt, self.campaigns[attempt.campaign_id]):
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
            elif op.live.state is OperatorState.PREVIEW and op.live.attempt_id and attempt is None:
                self._set(presence.to(op, OperatorState.READY, now))
            elif op.live.state is OperatorState.READY and op.live.attempt_id and attempt is None:
                self.crew.keep(presence.released(op))


def _previews(campaign: Campaign | None) -> bool:
    """Whether operators look before this campaign calls, now."""
    return campaign is not None and campaign.mode is Mode.PREVIEW and campaign.state is CampaignState.RUNNING


#: What takes each kind of event; looked up once and not at each event.
_ON = Floor.__dict__["_on"].dispatcher.registry
