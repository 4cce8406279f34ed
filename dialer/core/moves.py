"""How attempts and operators move together: what the floor does when two of them meet, part, or wait for each other.

``Moves`` holds the state of one switch and the steps that several events share: an answer looks for an operator, a
free operator for a waiting callee, an end frees both, and the callee of a phone that was lost in the middle of a
conversation is kept with music until the phone is back. Which event leads to which step is in ``floor``; the single
steps of an attempt and of a shift are in ``attempt`` and ``presence``.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core import assign, looking, presence, retry
from dialer.core import attempt as life
from dialer.core.cover import Cover
from dialer.core.crew import Crew
from dialer.core.effects import Alarm, AttemptChanged, AttemptEnded, Connect, Effect, EndCall, TurnAway, WakeUp
from dialer.core.model import EndedBy, Outcome
from dialer.core.presence import Operator
from dialer.core.quick import replace
from dialer.core.states import AttemptState, OperatorState

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import LiveAttempt

#: When the two sides of a Bridge were not seen to meet within this, the switch is asked: perhaps they did, and the
#: events were lost. An operator who talks must not be taken for free.
BRIDGE_PATIENCE_S = 1.5


class Moves:
    """State of one switch in memory.

    Attributes:
        attempts: Live attempts by id.
        crew: Operators with an open shift.
        cover: Which operators cover which lines.
        operators: Open shifts by operator id: those of the crew.
        campaigns: The switch's campaigns by id: those of the cover.
        waiting: Answered callees who need an operator, and until when they may be bridged.
        outcomes: Ended attempts by outcome since the engine started.
    """

    def __init__(self) -> None:
        self.attempts: dict[UUID, LiveAttempt] = {}
        self.crew = Crew()
        self.cover = Cover(self.crew)
        self.operators = self.crew.operators
        self.campaigns = self.cover.campaigns
        self.outcomes: Counter[Outcome] = Counter()
        self.waiting: dict[UUID, datetime] = {}
        self._bridged_at: dict[UUID, datetime] = {}
        self._doubted: set[UUID] = set()
        self._callee_in: dict[UUID, str] = {}
        self._operator_in: dict[UUID, str] = {}
        self._out: list[Effect] = []
        self._comparing = False

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
        for attempt_id, until in sorted(self.waiting.items(), key=self._urgency):
            attempt = self.attempts.get(attempt_id)
            if attempt is None or now >= until:
                del self.waiting[attempt_id]
                self._out += [TurnAway(attempt_id)] if attempt is not None and attempt.came_in else []
                continue
            op = self._pick(attempt)
            if op is not None:
                del self.waiting[attempt_id]
                self._bridge(attempt, op, now)

    def _urgency(self, item: tuple[UUID, datetime]) -> tuple[bool, datetime]:
        """Whom we called goes before who called us: only the first may be abandoned."""
        attempt = self.attempts.get(item[0])
        return attempt is not None and attempt.came_in, item[1]

    def _pick(self, attempt: LiveAttempt) -> Operator | None:
        campaign = self.campaigns[attempt.campaign_id]
        if attempt.came_in:
            able = [op for op in self.crew.free(campaign.team_id).values() if self.cover.may_leave(op)]
            return assign.longest_ready(attempt, able, self.cover.held, self.cover.awaited)
        if attempt.asked and (asker := self._asker(attempt)) is not None:
            return asker
        free, cover = self.crew.free(campaign.team_id).values(), self.cover
        op = assign.longest_ready(attempt, free, cover.held, cover.awaited)
        if op is None or self.cover.held.get(op.live.operator_id) == attempt.id:
            return op
        return op if self.cover.spared(campaign) else None

    def _asker(self, attempt: LiveAttempt) -> Operator | None:
        """Who asked for this call and still waits for it."""
        op = self.operators.get(attempt.for_operator or -1)
        waits = op is not None and op.live.attempt_id == attempt.id and op.live.state is OperatorState.PREVIEW
        return op if waits and op is not None and op.leg is presence.Leg.WAITING else None

    def _bridge(self, attempt: LiveAttempt, op: Operator, now: datetime) -> None:
        self._out.append(Connect(attempt.id, op.live.session_id))
        self._watch_bridge(attempt.id, now)
        self._put(replace(attempt, state=AttemptState.BRIDGING, operator_id=op.live.operator_id))
        self.crew.keep(presence.bridging(op, attempt.id, attempt.campaign_id))

    def _joined(self, attempt: LiveAttempt, op: Operator, at: datetime) -> None:
        """Both sides are in one bridge."""
        if attempt.state is AttemptState.CONNECTED and attempt.operator_id == op.live.operator_id:
            self._met_again(attempt, op)
            return
        other = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if (other is not None and other.id != attempt.id) or attempt.connected_at is not None:
            self._out += [Alarm("two_in_one_bridge", str(attempt.id)), EndCall(attempt.id)]
            return
        self._forget_bridge(attempt.id)
        self.waiting.pop(attempt.id, None)
        new = life.advance(replace(attempt, operator_id=op.live.operator_id), AttemptState.CONNECTED, at)
        self._put(new)
        self._set(presence.connected(op, attempt.id, attempt.campaign_id, at, manual=attempt.manual))

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
        self.outcomes[outcome] += not attempt.came_in
        self.cover.count(ended)
        self._out.append(AttemptEnded(ended))
        op = self.operators.get(attempt.operator_id) if attempt.operator_id else None
        if op is not None and op.live.attempt_id == attempt.id:
            self._operator_in.pop(op.live.session_id, None)
            if op.live.state is OperatorState.TALKING:
                self._set(presence.call_over(op, campaign, min(at, now)))
            elif op.live.state is OperatorState.PREVIEW:
                self._set(looking.unanswered(op, outcome, now))
            elif op.live.state is OperatorState.READY:
                self.crew.keep(presence.released(op))
        self._settle(now)
        self._serve(now)

    # Phones that vanish -------------------------------------------------------------

    def _lose_leg(self, op: Operator, now: datetime, *, put_down: bool = False) -> None:
        self._operator_in.pop(op.live.session_id, None)
        attempt = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if op.live.state is OperatorState.TALKING:
            op = self._leave_talk(op, attempt, now, put_down=put_down)
        elif attempt is not None and op.live.state in {OperatorState.READY, OperatorState.PREVIEW}:
            op = presence.released(op)
            self._forget_bridge(attempt.id)
            self._put(life.unbridge(attempt))
            self.crew.keep(op)
            if attempt.asked and attempt.state in life.UNANSWERED:
                self._end_call(attempt, EndedBy.SERVICE)
        if op.live.operator_id in self.operators:
            self._set(presence.leg_lost(op, now))
        if attempt is not None and attempt.id in self.attempts:
            self._wait(self.attempts[attempt.id], now)
        self._cut(op.live.team_id)

    def _leave_talk(self, op: Operator, attempt: LiveAttempt | None, now: datetime, *, put_down: bool) -> Operator:
        """The phone left a conversation: who puts a desk phone down ends it, any other phone may come back."""
        if attempt is None:
            return self._set(presence.call_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
        if attempt.ended_by is not None:
            return op
        if put_down and not op.recall and not op.live.in_browser:
            self._end_call(attempt, EndedBy.OPERATOR)
            return op
        self._forget_bridge(attempt.id)
        self._callee_in.pop(attempt.id, None)
        return self._set(presence.hold(op, now))

    def _holder(self, attempt_id: UUID) -> Operator | None:
        """The operator whose lost phone this callee waits for."""
        attempt = self.attempts.get(attempt_id)
        op = self.operators.get(attempt.operator_id) if attempt is not None and attempt.operator_id else None
        return op if op is not None and op.held is not None and op.live.attempt_id == attempt_id else None

    def _meet_again(self, op: Operator, now: datetime) -> None:
        """Bridge a held callee and the phone that is back, as soon as both are in their waiting places."""
        if op.live.attempt_id is None or self._comparing or not presence.may_meet_again(op, now):
            return
        self._out.append(Connect(op.live.attempt_id, op.live.session_id))
        self._watch_bridge(op.live.attempt_id, now)
        self.crew.keep(presence.meeting(op))

    def _met_again(self, attempt: LiveAttempt, op: Operator) -> None:
        if op.held is not None:
            self._forget_bridge(attempt.id)
            self.crew.keep(replace(op, held=None))
        elif op.live.state is not OperatorState.TALKING:
            self._out.append(EndCall(attempt.id))  # they met after this operator was told that it is over

    def _give_up(self, op: Operator, now: datetime) -> None:
        """The phone did not come back in time: for its operator the conversation is over."""
        attempt = self.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
        if attempt is not None:
            self._forget_bridge(attempt.id)
            self._put(replace(attempt, ended_by=attempt.ended_by or EndedBy.PHONE_LOST))
        self._set(presence.call_over(op, self.campaigns.get(op.live.campaign_id or 0), now))
        self._settle(now)

    # Calls that operators asked for -------------------------------------------------------

    def _begin_asked(self, attempt: LiveAttempt, now: datetime) -> None:
        """The call an operator asked for; nobody is called for somebody who is not there any more, or about to go."""
        op = self.operators.get(attempt.for_operator or -1)
        asks = op is not None and op.asked_for == attempt.id
        if op is not None and (op.free or asks) and not op.live.leaving:
            self._set(looking.calling(op, attempt.id, attempt.campaign_id, now))
            return
        self._end_call(attempt, EndedBy.SERVICE)
        if op is not None and asks:
            self._set(presence.to(op, OperatorState.READY, now))
            self._settle(now)

    def _find_asker(self, attempt: LiveAttempt, now: datetime) -> None:
        """After a restart: who still waits for this call, else it ends."""
        op = self.operators.get(attempt.for_operator or -1)
        waits = op is not None and op.live.state in {OperatorState.READY, OperatorState.PREVIEW} and op.preview is None
        if op is not None and waits and op.live.attempt_id in {None, attempt.id}:
            self._set(looking.calling(op, attempt.id, attempt.campaign_id, now))
        elif attempt.state in life.UNANSWERED:
            self._end_call(attempt, EndedBy.SERVICE)

    # Bridges that do not happen --------------------------------------------------------

    def _watch_bridge(self, attempt_id: UUID, now: datetime) -> None:
        self._bridged_at[attempt_id] = now
        self._out.append(WakeUp(now + timedelta(seconds=BRIDGE_PATIENCE_S)))

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
