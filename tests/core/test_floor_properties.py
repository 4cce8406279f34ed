"""Whatever happens on a floor, in whatever order, some things stay true."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dialer.core import attempt as life
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.manual import DIAL, Dial
from dialer.core.model import AttemptState, Claim, Mode, OperatorState, Outcome
from dialer.core.presence import HELD_S, NotNow
from tests.core.floors import CAMPAIGN, IVR, NOON, Story, attempt_id, budget, of, session_id

OPERATORS = st.integers(1, 4)
LINES = st.integers(1, 12)
#: Of the machine, and of numbers that operators typed.
CALLS = st.one_of(LINES, st.integers(101, 112))


def claim_of(dial: Dial, n: int, now: datetime) -> Claim:
    return Claim(
        attempt_id=dial.id, campaign_id=dial.campaign_id, contact_id=100 + n, phone_id=100 + n, e164=dial.e164, number=1,
        counted=0, sent_at=now, for_operator=dial.operator_id, asked=True, manual=True,
    )  # fmt: skip


class AnyDay(RuleBasedStateMachine):
    """Random events of the switch, of people and of time, true or repeated or late."""

    def __init__(self) -> None:
        super().__init__()
        campaigns = replace(CAMPAIGN, mode=Mode.PREDICTIVE, manual=True), replace(IVR, id=2, manual=True)
        self.story = Story(*campaigns, budgets=(budget(1), budget(2)))
        self.typed: dict[UUID, Dial] = {}
        self.sent: set[UUID] = set()
        self.shifts: set[int] = set()

    def tell(self, *events: ev.Event) -> None:
        with suppress(NotNow):
            self.story.tell(*events)

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 2.1, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.story.after(seconds)
        self.tell(ev.TimePassed())

    @rule(n=LINES, campaign_id=st.integers(1, 2), promised=st.one_of(st.none(), OPERATORS))
    def dial(self, n: int, campaign_id: int, promised: int | None) -> None:
        if attempt_id(n) not in self.sent:
            self.sent.add(attempt_id(n))
            self.story.dial(n, campaign_id, promised)

    @rule(
        n=CALLS,
        kind=st.sampled_from(
            [
                ev.Rang,
                ev.Answered,
                ev.CalleeWaits,
                ev.OfferStarted,
                ev.WaitingForOperator,
                ev.NotSent,
                ev.OptedOut,
                ev.MessageStarted,
            ]
        ),
    )
    def the_switch_says(self, n: int, kind: type) -> None:
        self.tell(kind(attempt_id(n), self.story.now))

    @rule(n=CALLS, operator=OPERATORS)
    def bridge(self, n: int, operator: int) -> None:
        attempt = self.story.floor.attempts.get(attempt_id(n))
        if attempt is not None and attempt.operator_id == operator:
            self.story.join(n, operator)

    @rule(n=CALLS, word=st.sampled_from(["busy", "no_answer", "invalid_number"]))
    def hang_up(self, n: int, word: str) -> None:
        self.story.hang_up(n, word=word)

    @rule(n=CALLS, operator=OPERATORS)
    def refuse_the_bridge(self, n: int, operator: int) -> None:
        self.tell(ev.BridgeRefused(attempt_id(n), session_id(operator)))

    @rule(operator=OPERATORS, what=st.sampled_from([ev.ReadyAsked, ev.HangUpAsked, ev.ShiftEndAsked]))
    def the_operator_asks(self, operator: int, what: type) -> None:
        self.tell(what(operator))

    @rule(operator=OPERATORS)
    def start_a_shift(self, operator: int) -> None:
        if operator not in self.shifts:  # a session's id is never used twice
            self.shifts.add(operator)
            self.tell(ev.ShiftStarted(operator, session_id(operator), "X", 1, f"seat-{operator}"))

    @rule(n=LINES, operator=OPERATORS, campaign_id=st.integers(1, 2))
    def type_a_number(self, n: int, operator: int, campaign_id: int) -> None:
        uid = attempt_id(100 + n)
        dial = Dial(id=uid, operator_id=operator, campaign_id=campaign_id, e164=f"+1202555{n:04}", zones=("UTC",))
        if uid not in self.typed:
            before = len(of(self.story.effects, fx.PlaceDial))
            self.tell(ev.PauseAsked(operator, DIAL))
            self.tell(ev.DialAsked(dial))
            if len(of(self.story.effects, fx.PlaceDial)) > before:
                self.typed[uid] = dial

    @rule(n=LINES, passes=st.booleans())
    def the_gate_answers(self, n: int, passes: bool) -> None:
        dial = self.typed.get(attempt_id(100 + n))
        if dial is None or dial.id in self.sent:
            return
        self.sent.add(dial.id)
        if passes:
            self.tell(ev.Taken(claim_of(dial, n, self.story.now)))
        else:
            self.sent.discard(dial.id)
            del self.typed[dial.id]
            self.tell(ev.DialRefused(dial))

    @rule(operator=OPERATORS)
    def pause(self, operator: int) -> None:
        self.tell(ev.PauseAsked(operator, "lunch"))

    @rule(operator=OPERATORS, n=CALLS)
    def save_a_disposition(self, operator: int, n: int) -> None:
        self.tell(ev.DispositionSaved(operator, attempt_id(n)))

    @rule(operator=OPERATORS, kind=st.sampled_from([ev.LegWaiting, ev.LegEnded]))
    def the_phone(self, operator: int, kind: type) -> None:
        self.tell(kind(session_id(operator), self.story.now))

    @rule(operator=OPERATORS)
    def the_phone_is_put_down(self, operator: int) -> None:
        self.tell(ev.LegEnded(session_id(operator), self.story.now, put_down=True))

    @rule(operator=OPERATORS)
    def the_page_has_no_call(self, operator: int) -> None:
        self.tell(ev.PhoneAsked(operator))

    @rule(
        found=st.sets(CALLS),
        legs=st.dictionaries(OPERATORS, st.booleans()),
        restarted=st.booleans(),
        place=st.sampled_from(["answered", ev.HELD]),
    )
    def resync(self, found: set[int], legs: dict[int, bool], restarted: bool, place: str) -> None:
        seen = ev.SeenCall(up=True, ringing=False, waiting_place=place, talking_to=None)
        started = self.story.now if restarted else NOON - timedelta(days=1)
        calls = {} if restarted else {attempt_id(n): seen for n in found}
        self.tell(ev.Resynced(started, calls, {} if restarted else {session_id(o): up for o, up in legs.items()}))

    @invariant()
    def every_attempt_ends_at_most_once(self) -> None:
        ends = Counter(e.ended.attempt.id for e in of(self.story.effects, fx.AttemptEnded))
        assert not ends or max(ends.values()) == 1
        assert not ends.keys() & self.story.floor.attempts.keys()
        assert set(ends) | set(self.story.floor.attempts) >= self.sent

    @invariant()
    def an_operator_has_one_callee_and_a_callee_one_operator(self) -> None:
        taken = [
            a.operator_id
            for a in self.story.floor.attempts.values()
            if a.state in {AttemptState.BRIDGING, AttemptState.CONNECTED} and a.ended_by != "phone_lost"
        ]
        present = [o for o in taken if o in self.story.floor.operators and self._with(o)]
        assert len(present) == len(set(present))

    def _with(self, operator_id: int | None) -> bool:
        return self.story.floor.operators[operator_id or 0].live.attempt_id is not None

    @invariant()
    def whoever_talks_talks_to_somebody(self) -> None:
        for op in self.story.floor.operators.values():
            if op.live.state is OperatorState.TALKING:
                assert op.live.attempt_id in self.story.floor.attempts
            if op.live.state is OperatorState.READY and op.live.attempt_id is not None:
                assert self.story.floor.attempts[op.live.attempt_id].operator_id == op.live.operator_id

    @invariant()
    def who_is_held_is_held_by_somebody_who_talks_and_not_for_long(self) -> None:
        for op in self.story.floor.operators.values():
            if op.held is not None:
                assert op.live.state is OperatorState.TALKING
                assert op.held.until - self.story.now <= timedelta(seconds=HELD_S)

    @invariant()
    def lines_in_flight_are_counted_right(self) -> None:
        lines = [a for a in self.story.floor.attempts.values() if not a.asked]
        counted = Counter(a.campaign_id for a in lines if a.state in life.IN_FLIGHT)
        assert {c: lines for c, lines in self.story.floor.cover.in_flight.items() if lines} == counted

    @invariant()
    def what_cover_remembers_is_what_it_would_compute_anew(self) -> None:
        remembered = self._covered()
        self.story.floor.cover.changed()
        assert remembered == self._covered()

    def _covered(self) -> list[object]:
        cover, campaigns = self.story.floor.cover, self.story.floor.campaigns.values()
        everyone = [(cover.held_for(c), cover.room(c), cover.covering(c, 1), cover.promisable(c)) for c in campaigns]
        return [*everyone, cover.shares(1), cover.shares(1, staying=True), cover.spare(1)]

    @invariant()
    def nobody_is_bridged_after_1_9_s(self) -> None:
        for attempt_id_, until in self.story.floor.waiting.items():
            attempt = self.story.floor.attempts[attempt_id_]
            assert until == life.bridge_by(attempt, self.story.floor.campaigns[attempt.campaign_id])

    @invariant()
    def whoever_waits_for_the_gate_or_a_number_he_typed_gets_nobody_else(self) -> None:
        for op in self.story.floor.operators.values():
            if op.dial is not None:
                assert op.asking
                assert not op.free
                assert op.live.attempt_id is None
            attempt = self.story.floor.attempts.get(op.live.attempt_id) if op.live.attempt_id else None
            if op.live.state is OperatorState.PREVIEW and attempt is not None:
                assert attempt.for_operator == op.live.operator_id

    @invariant()
    def connected_means_seen_in_one_bridge(self) -> None:
        for effect in of(self.story.effects, fx.AttemptEnded):
            ended = effect.ended
            assert (ended.outcome is Outcome.CONNECTED) == (ended.attempt.connected_at is not None)
            assert ended.legal_answered or not ended.legal_abandoned

    @invariant()
    def the_stretches_of_a_shift_touch(self) -> None:
        last: dict[UUID, object] = {}
        for effect in of(self.story.effects, fx.IntervalClosed):
            interval = effect.interval
            assert last.setdefault(interval.session_id, interval.started_at) == interval.started_at
            last[interval.session_id] = interval.ended_at


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
