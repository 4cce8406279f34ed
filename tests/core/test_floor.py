"""What happens on the floor, told in the order of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.model import EndedBy, Mode, OperatorState, Outcome
from dialer.core.presence import EXTENSION_S, EXTENSIONS_MAX, HELD_S, NotNow
from tests.core.floors import CAMPAIGN, IVR, NOON, Story, attempt_id, budget, end, of, session_id


class TestAConversation:
    def test_an_answered_callee_is_bridged_to_the_ready_operator_at_once(self) -> None:
        story = Story().operator().dial()
        effects = story.after(5).answer()
        assert effects[1] == fx.Connect(attempt_id(1), session_id(1)), "nothing goes out before the Bridge"

    def test_connected_is_when_both_are_in_one_bridge_and_not_before(self) -> None:
        story = Story().operator().dial()
        story.answer()
        assert story.state() == OperatorState.READY
        story.tell(ev.OperatorJoined(session_id(1), "b", story.now))
        assert story.state() == OperatorState.READY
        story.tell(ev.CalleeJoined(attempt_id(1), "b", story.now))
        assert story.state() == OperatorState.TALKING
        assert story.floor.attempts[attempt_id(1)].connected_at == story.now

    def test_hangup_starts_the_wrap_up_and_the_disposition_ends_it(self) -> None:
        story = Story().operator().talk()
        ended = end(story.after(60).hang_up())
        assert (ended.outcome, ended.ended_by) == (Outcome.CONNECTED, EndedBy.CALLEE)
        assert story.state() == OperatorState.WRAP_UP
        story.after(5).tell(ev.DispositionSaved(1, attempt_id(1)))
        assert story.state() == OperatorState.READY

    def test_a_disposition_saved_while_talking_makes_the_wrap_up_empty(self) -> None:
        story = Story().operator().talk()
        story.after(60).tell(ev.DispositionSaved(1, attempt_id(1)))
        assert story.state() == OperatorState.TALKING
        story.hang_up()
        assert story.state() == OperatorState.READY

    def test_the_wrap_up_has_a_deadline_that_the_campaign_sets(self) -> None:
        story = Story(replace(CAMPAIGN, wrap_up_s=20, after_wrap_up=OperatorState.PAUSED)).operator().talk()
        assert fx.WakeUp(story.now + timedelta(seconds=20)) in story.hang_up()
        story.after(19).tell(ev.TimePassed())
        assert story.state() == OperatorState.WRAP_UP
        story.after(1).tell(ev.TimePassed())
        assert story.state() == OperatorState.PAUSED

    def test_a_wrap_up_is_made_longer_only_so_often_and_only_while_it_lasts(self) -> None:
        story = Story(replace(CAMPAIGN, wrap_up_s=20)).operator().talk()
        with pytest.raises(NotNow) as refused:
            story.tell(ev.MoreTimeAsked(1))
        assert refused.value.code == "operator.no_wrap_up"
        story.hang_up()
        for _ in range(EXTENSIONS_MAX):
            story.tell(ev.MoreTimeAsked(1))
        until = story.now + timedelta(seconds=20 + EXTENSIONS_MAX * EXTENSION_S)
        assert story.floor.operators[1].live.until == until
        with pytest.raises(NotNow) as refused:
            story.tell(ev.MoreTimeAsked(1))
        assert refused.value.code == "operator.no_more_time"
        story.after(19 + EXTENSIONS_MAX * EXTENSION_S).tell(ev.TimePassed())
        assert story.state() == OperatorState.WRAP_UP
        story.after(1).tell(ev.TimePassed())
        assert story.state() == OperatorState.READY
        assert story.talk(2).floor.operators[1].extended == 0

    def test_the_operator_who_hangs_up_is_named_as_the_one_who_ended_it(self) -> None:
        story = Story().operator().talk()
        assert story.tell(ev.HangUpAsked(1)) == [fx.EndCall(attempt_id(1))]
        assert end(story.hang_up()).ended_by is EndedBy.OPERATOR

    def test_repeated_and_late_events_change_nothing(self) -> None:
        story = Story().operator().talk()
        story.join()
        story.answer()
        story.at(ev.Rang, attempt_id(1))
        assert story.state() == OperatorState.TALKING
        end(story.after(9).hang_up())
        assert story.hang_up() == []
        assert story.join() == []

    def test_intervals_of_a_shift_touch_and_never_overlap(self) -> None:
        story = Story().operator().after(3).talk()
        story.after(30).hang_up()
        story.after(4).tell(ev.DispositionSaved(1, attempt_id(1)))
        story.after(7).tell(ev.PauseAsked(1, "lunch"))
        story.after(60).tell(ev.ShiftEndAsked(1))
        intervals = [e.interval for e in of(story.effects, fx.IntervalClosed)]
        assert [i.state for i in intervals] == ["paused", "ready", "talking", "wrap_up", "ready", "paused"]
        assert all(a.ended_at == b.started_at for a, b in pairwise(intervals))


class TestNobodyFree:
    def test_a_callee_waits_for_the_next_operator_but_not_into_the_message(self) -> None:
        story = Story().operator().operator(2, ready=False).talk(1)
        story.dial(2)
        assert of(story.answer(2), fx.Connect) == []
        effects = story.after(1.8).tell(ev.ReadyAsked(2))
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(2), session_id(2))]

    def test_no_bridge_is_sent_later_than_1_9_s_after_the_answer(self) -> None:
        story = Story().operator(ready=False).dial()
        story.answer()
        assert of(story.after(1.91).tell(ev.ReadyAsked(1)), fx.Connect) == []

    def test_the_message_makes_it_abandoned(self) -> None:
        story = Story().dial()
        story.answer()
        story.after(2).at(ev.MessageStarted, attempt_id(1))
        ended = end(story.after(6).hang_up())
        assert ended.outcome is Outcome.ABANDONED
        assert ended.legal_abandoned

    def test_who_hangs_up_within_2_s_hung_up_early_and_is_not_abandoned(self) -> None:
        story = Story().dial()
        story.answer()
        ended = end(story.after(1.2).hang_up())
        assert ended.outcome is Outcome.EARLY_HANGUP
        assert not ended.legal_abandoned

    def test_the_longest_ready_operator_is_next(self) -> None:
        story = Story().operator(1).after(5).operator(2)
        story.after(1).dial()
        assert of(story.answer(), fx.Connect)[0].session_id == session_id(1)

    def test_a_promised_operator_is_kept_for_the_callee_of_the_promise(self) -> None:
        story = Story().operator(1).after(1).operator(2).dial(1, for_operator=1).dial(2)
        assert of(story.answer(2), fx.Connect)[0].session_id == session_id(2)
        assert of(story.answer(1), fx.Connect)[0].session_id == session_id(1)

    def test_a_refused_bridge_frees_the_operator_when_the_switch_has_them_both(self) -> None:
        story = Story().operator().dial()
        story.answer()
        effects = story.after(0.1).tell(ev.BridgeRefused(attempt_id(1), session_id(1)))
        assert of(effects, fx.Alarm)
        assert fx.LookNow() in effects
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="answered", talking_to=None)
        effects = story.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): seen}, {session_id(1): True}))
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]

    def test_a_refused_bridge_is_not_tried_again_with_a_phone_that_may_be_gone(self) -> None:
        story = Story().operator(1).after(5).operator(2).dial()
        story.answer()
        effects = story.after(0.1).tell(ev.BridgeRefused(attempt_id(1), session_id(1)))
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(2))]
        assert not of(story.tell(ev.BridgeRefused(attempt_id(1), session_id(2))), fx.Connect)

    def test_a_bridge_nobody_saw_happen_is_looked_for_and_its_operator_is_not_free_meanwhile(self) -> None:
        story = Story().operator().dial()
        story.answer()
        assert fx.LookNow() in story.after(2).tell(ev.TimePassed())
        assert not story.floor.operators[1].free

    @pytest.mark.parametrize("talking_to", [None, session_id(1)])
    def test_the_switch_says_whether_a_bridge_nobody_saw_happened(self, talking_to: UUID | None) -> None:
        story = Story().operator().dial()
        story.answer()
        story.after(2).tell(ev.TimePassed())
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=talking_to)
        story.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): seen}, {session_id(1): True}))
        assert story.floor.operators[1].free is (talking_to is None)
        assert story.state() == ("talking" if talking_to else "ready")


class TestUnanswered:
    @pytest.mark.parametrize("word", ["busy", "no_answer", "invalid_number", "congestion", "rejected", "failed"])
    def test_the_cause_map_decides_when_nobody_answered(self, word: str) -> None:
        story = Story().dial()
        story.at(ev.Rang, attempt_id(1))
        assert end(story.after(9).hang_up(word=word)).outcome == word

    def test_a_call_that_was_not_written_is_not_sent_and_uses_no_attempt(self) -> None:
        story = Story().dial()
        ended = end(story.at(ev.NotSent, attempt_id(1)))
        assert ended.outcome is Outcome.NOT_SENT
        assert not ended.counts

    def test_a_number_forbidden_while_it_rings_is_cut_and_cancelled(self) -> None:
        story = Story().dial()
        story.at(ev.Rang, attempt_id(1))
        assert story.tell(ev.PhonesForbidden(frozenset({1}))) == [fx.EndCall(attempt_id(1))]
        assert end(story.hang_up()).outcome is Outcome.CANCELLED

    def test_a_call_cut_before_it_existed_is_cut_when_it_appears(self) -> None:
        story = Story().dial()
        story.tell(ev.PhonesForbidden(frozenset({1})))
        assert story.tell(ev.CallAppeared(attempt_id(1))) == [fx.EndCall(attempt_id(1))]

    def test_a_call_that_appears_after_its_attempt_ended_never_rings(self) -> None:
        story = Story().dial()
        story.after(6).tell(ev.Resynced(NOON - timedelta(days=1), {}, {}))
        effects = story.tell(ev.CallAppeared(attempt_id(1)))
        assert fx.EndCall(attempt_id(1)) in effects
        assert of(effects, fx.Alarm)[0].word == "late_call"

    def test_a_call_that_appears_in_time_is_let_ring(self) -> None:
        assert Story().dial().tell(ev.CallAppeared(attempt_id(1))) == []


class TestOffer:
    def story(self) -> Story:
        story = Story(IVR).dial()
        story.tell(ev.Answered(attempt_id(1), story.now), ev.OfferStarted(attempt_id(1), story.now))
        return story

    def test_hearing_the_offer_without_a_key_is_offer_ended(self) -> None:
        ended = end(self.story().after(20).hang_up())
        assert ended.outcome is Outcome.OFFER_ENDED
        assert ended.legal_answered

    def test_key_1_waits_for_an_operator_for_the_stated_time(self) -> None:
        story = self.story()
        story.after(8).tell(
            ev.KeyPressed(attempt_id(1), "1", story.now),
            ev.WaitingForOperator(attempt_id(1), story.now),
            ev.CalleeWaits(attempt_id(1), story.now),
        )
        story.after(15)
        story.operator()
        assert story.floor.attempts[attempt_id(1)].state == "bridging"

    def test_who_waited_in_vain_was_abandoned(self) -> None:
        story = self.story()
        story.after(8).tell(ev.KeyPressed(attempt_id(1), "1", story.now))
        story.tell(ev.WaitingForOperator(attempt_id(1), story.now), ev.CalleeWaits(attempt_id(1), story.now))
        ended = end(story.after(21).hang_up())
        assert (ended.outcome, ended.attempt.key) == (Outcome.ABANDONED, "1")

    def test_a_key_may_be_the_disposition(self) -> None:
        story = self.story()
        effects = story.after(4).tell(
            ev.KeyPressed(attempt_id(1), "9", story.now), ev.OptedOut(attempt_id(1), story.now)
        )
        assert of(effects, fx.KeyMeans)[0].code == "refused_unheard"
        assert of(effects, fx.NeverAgain)
        assert end(story.after(3).hang_up()).attempt.key == "9"


class TestPhones:
    def test_a_lost_phone_leaves_the_pool_at_once_and_is_called_again(self) -> None:
        story = Story().operator()
        story.at(ev.LegEnded, session_id(1))
        assert story.state() == OperatorState.RINGING
        assert not story.floor.operators[1].free
        effects = story.after(1).tell(ev.TimePassed())
        assert of(effects, fx.CallLeg)
        story.at(ev.LegWaiting, session_id(1))
        assert story.state() == OperatorState.READY

    def test_a_phone_that_does_not_come_back_ends_in_a_pause(self) -> None:
        story = Story().operator()
        for _ in range(6):
            story.at(ev.LegEnded, session_id(1))
            story.after(30).tell(ev.TimePassed())
        assert story.floor.operators[1].live.reason == "phone_lost"

    def test_uncovered_ringing_lines_are_cut_when_a_phone_vanishes(self) -> None:
        story = Story(replace(CAMPAIGN, mode=Mode.PREDICTIVE), budgets=(budget(answered=0, abandoned=0),))
        story.operator(1).operator(2).dial(1).after(1).dial(2)
        effects = story.at(ev.LegEnded, session_id(1))
        assert of(effects, fx.EndCall) == [fx.EndCall(attempt_id(2))], "the newest line goes"

    def test_a_seat_has_one_owner(self) -> None:
        story = Story().operator()
        with pytest.raises(NotNow, match="taken"):
            story.tell(ev.ShiftStarted(2, session_id(2), "Two", 1, "seat-001"))


class TestAPhoneLostInATalk:
    """A page that is reloaded, a browser that dies, a cable: the callee is kept with music until the phone is back."""

    def lost(self, **more: bool) -> Story:
        story = Story().operator().talk()
        story.after(10).tell(ev.LegEnded(session_id(1), story.now, **more))
        return story

    def kept(self) -> Story:
        story = self.lost()
        story.after(0.1).at(ev.MessageStarted, attempt_id(1))
        story.at(ev.CalleeWaits, attempt_id(1))
        return story

    def test_the_callee_is_held_and_the_operator_talks_on(self) -> None:
        story = self.lost()
        assert fx.Hold(attempt_id(1)) in story.effects
        assert story.state() == OperatorState.TALKING
        assert of(story.after(1).tell(ev.TimePassed()), fx.CallLeg)

    @pytest.mark.parametrize("phone_first", [False, True])
    def test_both_are_bridged_again_as_soon_as_both_wait(self, phone_first: bool) -> None:
        story = self.lost()
        events = [ev.CalleeWaits(attempt_id(1), story.now), ev.LegWaiting(session_id(1), story.now)]
        first, second = reversed(events) if phone_first else events
        assert of(story.tell(first), fx.Connect) == []
        assert of(story.tell(second), fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]
        story.tell(ev.OperatorJoined(session_id(1), "again", story.now))
        story.tell(ev.CalleeJoined(attempt_id(1), "again", story.now))
        assert story.floor.operators[1].held is None
        ended = end(story.after(60).hang_up())
        assert (ended.outcome, ended.ended_by) == (Outcome.CONNECTED, EndedBy.CALLEE)
        [talk] = [e.interval for e in of(story.effects, fx.IntervalClosed) if e.interval.state == "talking"]
        assert (talk.ended_at - talk.started_at).total_seconds() == 70, "one conversation"

    def test_it_may_be_lost_again(self) -> None:
        story = self.kept()
        for name in ("b", "c"):
            story.at(ev.LegWaiting, session_id(1))
            story.tell(
                ev.OperatorJoined(session_id(1), name, story.now), ev.CalleeJoined(attempt_id(1), name, story.now)
            )
            effects = story.after(30).at(ev.LegEnded, session_id(1))
            assert of(effects, fx.Hold) == [fx.Hold(attempt_id(1))]
            story.at(ev.CalleeWaits, attempt_id(1))
        assert story.state() == OperatorState.TALKING

    def test_a_registration_calls_the_phone_at_once(self) -> None:
        assert of(self.kept().tell(ev.PhoneBack("seat-001")), fx.CallLeg)

    def test_a_phone_that_does_not_come_back_in_time_ends_it(self) -> None:
        story = self.kept()
        story.after(HELD_S - 0.2).tell(ev.TimePassed())
        assert story.state() == OperatorState.TALKING
        story.after(0.2).tell(ev.TimePassed())
        assert story.state() == OperatorState.WRAP_UP
        assert of(story.at(ev.LegWaiting, session_id(1)), fx.Connect) == [], "too late"
        story.at(ev.MessageStarted, attempt_id(1))
        ended = end(story.after(8).hang_up())
        assert (ended.outcome, ended.ended_by) == (Outcome.CONNECTED, EndedBy.PHONE_LOST)

    def test_the_message_ends_it_too(self) -> None:
        story = self.kept()
        story.after(5).at(ev.MessageStarted, attempt_id(1))
        assert story.state() == OperatorState.WRAP_UP

    def test_a_callee_who_will_not_wait_was_lost_by_the_phone(self) -> None:
        story = self.kept()
        ended = end(story.after(3).hang_up())
        assert (ended.outcome, ended.ended_by) == (Outcome.CONNECTED, EndedBy.PHONE_LOST)
        assert story.state() == OperatorState.WRAP_UP

    def test_the_operator_may_end_it_meanwhile(self) -> None:
        story = self.kept()
        assert fx.EndCall(attempt_id(1)) in story.tell(ev.HangUpAsked(1))
        assert end(story.hang_up()).ended_by is EndedBy.OPERATOR

    def test_who_puts_a_desk_phone_down_has_hung_up(self) -> None:
        story = self.lost(put_down=True)
        assert story.effects[-1] != fx.Hold(attempt_id(1))
        assert fx.EndCall(attempt_id(1)) in story.effects
        assert end(story.hang_up()).ended_by is EndedBy.OPERATOR
        assert story.state() == OperatorState.WRAP_UP

    def test_a_browser_that_says_goodbye_may_come_back(self) -> None:
        story = Story()
        story.tell(ev.ShiftStarted(1, session_id(1), "Anna", 1, "seat-001-web"))
        story.at(ev.LegWaiting, session_id(1))
        story.tell(ev.ReadyAsked(1))
        story.talk().tell(ev.LegEnded(session_id(1), story.now, put_down=True))
        assert fx.Hold(attempt_id(1)) in story.effects

    def test_a_bridge_back_that_is_refused_is_tried_again_when_the_switch_has_them_both(self) -> None:
        story = self.kept()
        story.at(ev.LegWaiting, session_id(1))
        assert fx.LookNow() in story.tell(ev.BridgeRefused(attempt_id(1), session_id(1)))
        waits = ev.SeenCall(up=True, ringing=False, waiting_place=ev.HELD, talking_to=None)
        effects = story.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): waits}, {session_id(1): True}))
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]

    def test_a_bridge_back_that_nobody_saw_is_looked_for(self) -> None:
        story = self.kept()
        story.at(ev.LegWaiting, session_id(1))
        assert fx.LookNow() in story.after(2).tell(ev.TimePassed())
        talks = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        story.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): talks}, {session_id(1): True}))
        assert story.floor.operators[1].held is None
        assert story.state() == OperatorState.TALKING

    @pytest.mark.parametrize("leg", [{}, {session_id(1): True}])
    def test_a_crash_of_the_engine_meanwhile_loses_nobody(self, leg: dict[UUID, bool]) -> None:
        before = self.kept()
        after = Story()
        after.now = before.now + timedelta(seconds=2)
        after.tell(ev.Recovered([before.floor.attempts[attempt_id(1)]], [before.floor.operators[1].live]))
        waits = ev.SeenCall(up=True, ringing=False, waiting_place=ev.HELD, talking_to=None)
        effects = after.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): waits}, leg))
        effects += after.at(ev.LegWaiting, session_id(1))
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]

    def test_a_page_that_has_just_come_is_called_anew(self) -> None:
        story = Story().operator().talk()
        assert story.tell(ev.PhoneAsked(1)) == [fx.EndLeg(session_id(1))]
        effects = story.tell(ev.LegEnded(session_id(1), story.now, put_down=True))
        assert of(effects, fx.Hold) + of(effects, fx.CallLeg) == [
            fx.Hold(attempt_id(1)),
            fx.CallLeg(session_id(1), "seat-001"),
        ]


class TestPauses:
    def test_a_pause_asked_for_while_talking_comes_after_the_wrap_up(self) -> None:
        story = Story().operator().talk()
        story.tell(ev.PauseAsked(1, "lunch"))
        assert story.state() == OperatorState.TALKING
        story.hang_up()
        story.tell(ev.DispositionSaved(1, attempt_id(1)))
        assert (story.state(), story.floor.operators[1].live.reason) == (OperatorState.PAUSED, "lunch")

    def test_a_pause_waits_while_the_abandon_budget_needs_the_operator(self) -> None:
        story = Story(budgets=(budget(answered=0, abandoned=0),)).operator().dial()
        story.tell(ev.PauseAsked(1, "lunch"))
        assert story.state() == OperatorState.READY
        story.after(9).hang_up(word="busy")
        assert story.state() == OperatorState.PAUSED

    def test_wrap_up_asks_for_the_disposition_before_ready(self) -> None:
        story = Story().operator().talk()
        story.hang_up()
        with pytest.raises(NotNow, match="disposition"):
            story.tell(ev.ReadyAsked(1))

    def test_leaving_while_talking_happens_after_the_wrap_up(self) -> None:
        story = Story().operator().talk()
        story.tell(ev.ShiftEndAsked(1))
        story.hang_up()
        effects = story.tell(ev.DispositionSaved(1, attempt_id(1)))
        assert fx.EndLeg(session_id(1)) in effects
        assert story.floor.operators == {}

    def test_what_is_asked_for_after_the_call_is_told_at_once_and_once(self) -> None:
        story = Story().operator().talk()
        [told] = of(story.tell(ev.PauseAsked(1, "lunch")), fx.OperatorChanged)
        assert (told.operator.state, told.operator.pause_after) == (OperatorState.TALKING, "lunch")
        assert story.tell(ev.PauseAsked(1, "lunch")) == []
        [told] = of(story.tell(ev.ReadyAsked(1)), fx.OperatorChanged)
        assert told.operator.pause_after is None

    def test_who_leaves_after_a_bridge_on_its_way_is_stored_without_it(self) -> None:
        story = Story().operator().dial()
        story.answer()
        [told] = of(story.tell(ev.ShiftEndAsked(1)), fx.OperatorChanged)
        assert (told.operator.leaving, told.operator.attempt_id) == (True, None)
        story.join()
        assert story.state() == OperatorState.TALKING

    @pytest.mark.parametrize("wish", [ev.PauseAsked(1, "lunch"), ev.ShiftEndAsked(1)])
    def test_what_was_asked_for_before_a_crash_is_kept_after_it(self, wish: ev.Event) -> None:
        before = Story().operator().talk()
        before.tell(wish)
        after = Story()
        after.now = before.now
        stored = [told.operator for told in of(before.effects, fx.OperatorChanged)][-1]
        after.tell(ev.Recovered(list(before.floor.attempts.values()), [stored]))
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        after.tell(ev.Resynced(NOON - timedelta(days=1), {attempt_id(1): seen}, {session_id(1): True}))
        after.after(5).hang_up()
        after.tell(ev.DispositionSaved(1, attempt_id(1)))
        if isinstance(wish, ev.PauseAsked):
            assert (after.state(), after.floor.operators[1].live.reason) == (OperatorState.PAUSED, "lunch")
        else:
            assert after.floor.operators == {}


class TestComingBack:
    def resync(self, story: Story, calls: dict | None = None, legs: dict | None = None, started=None):
        return story.tell(ev.Resynced(started or NOON - timedelta(days=1), calls or {}, legs or {}))

    def test_a_call_the_switch_does_not_know_ends_as_unknown_and_uses_an_attempt(self) -> None:
        story = Story().dial()
        ended = end(self.resync(story.after(6)))
        assert (ended.outcome, ended.ended_by, ended.counts) == (Outcome.UNKNOWN, EndedBy.LOST, True)

    def test_a_call_just_sent_may_still_be_on_its_way(self) -> None:
        story = Story().dial()
        assert of(self.resync(story.after(2)), fx.AttemptEnded) == []

    def test_a_call_that_rang_and_is_not_there_any_more_is_over_at_once(self) -> None:
        story = Story().dial()
        story.at(ev.Rang, attempt_id(1))
        ended = end(self.resync(story.after(1)))
        assert (ended.outcome, ended.ended_by) == (Outcome.UNKNOWN, EndedBy.LOST)

    def test_an_operator_whose_short_conversation_ended_meanwhile_writes_it_up_at_once(self) -> None:
        story = Story().operator().talk()
        ended = end(self.resync(story.after(3), {}, {session_id(1): True}))
        assert (ended.outcome, ended.ended_at) == (Outcome.CONNECTED, story.now)
        assert story.state() == OperatorState.WRAP_UP

    def test_after_a_restart_of_the_switch_every_call_of_before_is_over(self) -> None:
        story = Story().dial()
        story.after(1)
        ended = end(self.resync(story.after(2), started=story.now))
        assert (ended.outcome, ended.ended_by) == (Outcome.UNKNOWN, EndedBy.SWITCH_RESTART)

    def test_an_answered_call_that_was_lost_counts_as_abandoned(self) -> None:
        story = Story().dial()
        story.answer()
        ended = end(self.resync(story.after(6)))
        assert (ended.outcome, ended.legal_answered, ended.legal_abandoned) == (Outcome.UNKNOWN, True, True)

    def test_a_conversation_goes_on_across_a_crash_of_the_engine(self) -> None:
        before = Story().operator().talk()
        after = Story()
        after.now = before.now + timedelta(seconds=3)
        after.tell(
            ev.Recovered(
                [before.floor.attempts[attempt_id(1)]],
                [before.floor.operators[1].live],
            )
        )
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        self.resync(after, {attempt_id(1): seen}, {session_id(1): True})
        assert after.state() == OperatorState.TALKING
        assert end(after.after(5).hang_up()).outcome is Outcome.CONNECTED
        assert after.state() == OperatorState.WRAP_UP

    def test_a_conversation_that_ended_meanwhile_leaves_no_busy_operator(self) -> None:
        before = Story().operator().talk()
        after = Story()
        after.now = before.now + timedelta(seconds=30)
        after.tell(ev.Recovered([before.floor.attempts[attempt_id(1)]], [before.floor.operators[1].live]))
        ended = end(self.resync(after, {}, {session_id(1): True}))
        assert (ended.outcome, ended.ended_by) == (Outcome.CONNECTED, EndedBy.LOST)
        assert after.state() == OperatorState.WRAP_UP

    def test_who_answered_while_nobody_listened_and_hears_the_message_was_abandoned(self) -> None:
        story = Story().dial()
        hears = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=None)
        self.resync(story.after(7), {attempt_id(1): hears})
        ended = end(story.after(0.5).hang_up())
        assert (ended.outcome, ended.legal_answered, ended.legal_abandoned) == (Outcome.ABANDONED, True, True)

    def test_who_answered_while_nobody_listened_may_have_waited_too_long_to_be_connected(self) -> None:
        story = Story().operator().dial()
        waits = ev.SeenCall(up=True, ringing=False, waiting_place="answered", talking_to=None)
        effects = self.resync(story.after(7), {attempt_id(1): waits}, {session_id(1): True})
        assert of(effects, fx.Connect) == []

    def test_who_pressed_the_key_while_nobody_listened_and_still_waits_gets_an_operator(self) -> None:
        story = Story(IVR).operator().dial()
        waits = ev.SeenCall(up=True, ringing=False, waiting_place="offer", talking_to=None)
        effects = self.resync(story.after(7), {attempt_id(1): waits}, {session_id(1): True})
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]

    def test_nobody_is_served_before_it_is_known_who_talks(self) -> None:
        story = Story(IVR).operator().dial(1).dial(2)
        waits = ev.SeenCall(up=True, ringing=False, waiting_place="offer", talking_to=None)
        talks = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        calls = {attempt_id(1): waits, attempt_id(2): talks}
        assert of(self.resync(story.after(7), calls, {session_id(1): True}), fx.Connect) == []
        assert story.state() == OperatorState.TALKING

    def test_who_pressed_the_key_while_nobody_listened_and_got_nobody_was_abandoned(self) -> None:
        story = Story(IVR).dial()
        waits = ev.SeenCall(up=True, ringing=False, waiting_place="offer", talking_to=None)
        self.resync(story.after(7), {attempt_id(1): waits})
        assert end(story.after(5).hang_up()).outcome is Outcome.ABANDONED

    def test_who_pressed_the_key_while_nobody_listened_and_hears_that_nobody_is_free_was_abandoned(self) -> None:
        story = Story(IVR).dial()
        hears = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=None, message=True)
        self.resync(story.after(30), {attempt_id(1): hears})
        assert end(story.after(0.5).hang_up()).outcome is Outcome.ABANDONED

    def test_who_was_heard_in_the_offer_and_pressed_the_key_while_nobody_listened_gets_an_operator(self) -> None:
        story = Story(IVR).operator().dial()
        story.at(ev.OfferStarted, attempt_id(1))
        waits = ev.SeenCall(up=True, ringing=False, waiting_place="offer", talking_to=None)
        effects = self.resync(story.after(7), {attempt_id(1): waits}, {session_id(1): True})
        assert of(effects, fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]

    def test_who_was_in_the_offer_while_nobody_listened_heard_the_offer(self) -> None:
        story = Story(IVR).dial()
        hears = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=None)
        self.resync(story.after(7), {attempt_id(1): hears})
        assert end(story.after(0.5).hang_up()).outcome is Outcome.OFFER_ENDED

    def test_who_was_bridged_in_the_last_moment_before_a_crash_talks_on_though_the_wrap_up_before_is_all_we_know(
        self,
    ) -> None:
        before = Story().operator().talk(1).dial(2)
        before.hang_up(1)
        before.answer(2)
        after = Story()
        after.tell(ev.Recovered([before.floor.attempts[attempt_id(2)]], [before.floor.operators[1].live]))
        talks = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        effects = self.resync(after.after(2), {attempt_id(2): talks}, {session_id(1): True})
        assert of(effects, fx.Alarm) + of(effects, fx.EndCall) == []
        assert after.state() == OperatorState.TALKING
        assert end(after.after(3).hang_up(2)).outcome is Outcome.CONNECTED

    def test_a_conversation_that_followed_another_while_nobody_listened_goes_on(self) -> None:
        before = Story().operator().dial(2)
        before.talk(1).answer(2)
        after = Story()
        both = [before.floor.attempts[attempt_id(n)] for n in (2, 1)]
        after.tell(ev.Recovered(both, [before.floor.operators[1].live]))
        talks = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        effects = self.resync(after.after(9), {attempt_id(2): talks}, {session_id(1): True})
        assert of(effects, fx.Alarm) + of(effects, fx.EndCall) == []
        assert (end(effects).attempt.id, end(effects).outcome) == (attempt_id(1), Outcome.CONNECTED)
        assert after.floor.operators[1].live.attempt_id == attempt_id(2)

    def test_two_callees_in_one_bridge_are_an_alarm_and_the_second_is_hung_up(self) -> None:
        story = Story().operator().dial(2).talk(1)
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="", talking_to=session_id(1))
        effects = self.resync(story.after(1), {attempt_id(1): seen, attempt_id(2): seen}, {session_id(1): True})
        assert fx.Alarm("two_in_one_bridge", str(attempt_id(2))) in effects
        assert fx.EndCall(attempt_id(2)) in effects

    def test_calls_and_legs_nobody_knows_are_hung_up_and_said(self) -> None:
        seen = ev.SeenCall(up=True, ringing=False, waiting_place="answered", talking_to=None)
        effects = self.resync(Story(), {attempt_id(9): seen}, {session_id(9): True})
        assert fx.EndCall(attempt_id(9)) in effects
        assert fx.EndLeg(session_id(9)) in effects
        assert {a.word for a in of(effects, fx.Alarm)} == {"stray_call", "stray_leg"}

    def test_operators_are_called_again_after_a_restart_of_the_switch(self) -> None:
        story = Story().operator()
        self.resync(story.after(9), started=story.now)
        assert story.state() == OperatorState.RINGING
        assert of(story.after(1).tell(ev.TimePassed()), fx.CallLeg)

    def test_a_hangup_lost_with_the_link_is_asked_for_again(self) -> None:
        story = Story().dial()
        story.tell(ev.PhonesForbidden(frozenset({1})))
        seen = ev.SeenCall(up=False, ringing=True, waiting_place="", talking_to=None)
        assert fx.EndCall(attempt_id(1)) in self.resync(story.after(3), {attempt_id(1): seen})


class TestSharedTeams:
    def test_one_campaign_does_not_take_the_operator_another_one_counts_on(self) -> None:
        other = replace(CAMPAIGN, id=2, name="Autumn")
        poor = (budget(1, answered=0, abandoned=0), budget(2, answered=0, abandoned=0))
        story = Story(CAMPAIGN, other, budgets=poor).operator(1).dial(1, campaign_id=1).dial(2, campaign_id=2)
        assert of(story.answer(2), fx.Connect) == []
        assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]
