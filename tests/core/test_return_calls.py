"""People who call the shown number back: behind those we called, in no budget, connected like anybody else, or told so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.model import AttemptState, CallbackState, EndedBy, LiveAttempt, Outcome
from tests.core.floors import CAMPAIGN, IVR, Story, attempt_id, budget, end, of, session_id

WAIT_S = CAMPAIGN.return_wait_s


def caller(story, n=1, campaign_id=1, **more):
    return LiveAttempt(
        id=attempt_id(n), campaign_id=campaign_id, contact_id=n, phone_id=n, e164=f"+1202555{n:04}", number=0, counted=2,
        state=AttemptState.WAITING, sent_at=story.now, waiting_at=story.now, asked=True, came_in=True, **more,
    )  # fmt: skip


def calls(story, n=1, **more):
    return story.tell(ev.CameBack(caller(story, n, **more)))


@pytest.fixture
def story():
    return Story()


@pytest.mark.parametrize("campaign", [CAMPAIGN, IVR], ids=["progressive", "ivr"])
def test_a_free_operator_is_bridged_at_once_also_where_an_offer_is_played(campaign):
    story = Story(campaign).operator()
    (bridge,) = of(calls(story), fx.Connect)
    assert bridge == fx.Connect(attempt_id(1), session_id(1))
    story.after(0.1).join()
    assert story.state() == "talking"
    ended = end(story.after(60).hang_up())
    assert (ended.outcome, ended.counts, ended.legal_answered, ended.legal_abandoned) == (
        Outcome.CONNECTED, False, False, False,
    )  # fmt: skip
    assert (ended.attempt.rang_at, ended.attempt.answered_at) == (None, None)
    assert story.state() == "wrap_up"


def test_who_waits_gets_the_operator_who_becomes_free(story):
    story.operator().talk(7)
    calls(story)
    assert not of(story.effects, fx.TurnAway)
    story.after(5).hang_up(7)
    (bridge,) = of(story.tell(ev.DispositionSaved(1, attempt_id(7))), fx.Connect)
    assert bridge.attempt_id == attempt_id(1)


def test_whom_we_called_goes_first_however_long_the_caller_has_waited(story):
    story.operator(ready=False)
    calls(story)
    story.after(10).dial(7).answer(7)
    (bridge,) = of(story.tell(ev.ReadyAsked(1)), fx.Connect)
    assert bridge.attempt_id == attempt_id(7)


def test_an_operator_whom_the_bound_needs_for_a_ringing_line_is_not_for_callers():
    """At the cap nothing may be lost: the line in flight keeps the only operator, and then has the answer."""
    story = Story(budgets=(budget(answered=0, abandoned=0),)).operator()
    story.dial(7)
    assert not of(calls(story), fx.Connect)
    (bridge,) = of(story.answer(7), fx.Connect)
    assert bridge.attempt_id == attempt_id(7)


def test_a_line_that_ends_without_an_answer_leaves_the_operator_to_the_caller():
    story = Story(budgets=(budget(answered=0, abandoned=0),)).operator()
    story.dial(7)
    calls(story)
    (bridge,) = of(story.hang_up(7, word="busy"), fx.Connect)
    assert bridge.attempt_id == attempt_id(1)


def test_no_new_line_counts_on_an_operator_for_whom_a_caller_waits(story):
    story.operator(1).operator(2)
    cover, campaign = story.floor.cover, story.floor.campaigns[1]
    assert cover.held_for(campaign) == 2
    story.tell(ev.SwitchLost())  # nobody is bridged meanwhile
    story.floor._comparing = True
    calls(story)
    assert cover.held_for(campaign) == 1
    assert cover.spare(1) == 1


def test_a_caller_is_no_line_of_the_budget(story):
    before = story.floor.cover.budgets[1]
    calls(story)
    assert story.floor.cover.lines(1) == 0
    story.after(WAIT_S + 1).hang_up()
    assert story.floor.cover.budgets[1] == before
    assert story.floor.outcomes[Outcome.EARLY_HANGUP] == 0


def test_nobody_in_time_is_told_once_and_ends_as_missed(story):
    calls(story)
    assert not of(story.after(WAIT_S - 0.1).tell(ev.TimePassed()), fx.TurnAway)
    assert of(story.after(0.2).tell(ev.TimePassed()), fx.TurnAway) == [fx.TurnAway(attempt_id(1))]
    assert not of(story.tell(ev.TimePassed()), fx.TurnAway)
    story.operator()
    assert not of(story.effects, fx.Connect)
    ended = end(story.after(4).hang_up())
    assert (ended.attempt.connected_at, ended.next_at, ended.phone_not_before, ended.closes) == (None, None, None, None)


@pytest.mark.parametrize(("callback_id", "kept"), [(None, None), (5, CallbackState.KEPT)])
def test_a_conversation_keeps_a_promise_that_was_made(story, callback_id, kept):
    story.operator()
    calls(story, callback_id=callback_id)
    story.after(0.1).join()
    assert end(story.after(30).hang_up()).callback == kept


def test_a_missed_call_leaves_a_promise_as_it_is(story):
    calls(story, callback_id=5)
    assert end(story.after(3).hang_up()).callback is None


def test_our_own_line_to_the_person_who_calls_is_cut_unless_somebody_answered(story):
    story.operator()
    story.dial(1)
    assert of(story.tell(ev.CallsUs(1)), fx.EndCall) == [fx.EndCall(attempt_id(1))]
    assert end(story.hang_up(1, word="no_answer")).outcome is Outcome.CANCELLED
    story.dial(2).answer(2)
    assert not of(story.tell(ev.CallsUs(2)), fx.EndCall)


def test_after_a_crash_who_still_waits_is_served_and_who_is_gone_is_missed(story):
    old = caller(story)
    gone = replace(caller(story, 2), phone_id=2)
    story.tell(ev.Recovered([old, gone], []))
    story.operator()
    assert not of(story.effects, fx.Connect)
    seen = ev.SeenCall(up=True, ringing=False, waiting_place="inbound", talking_to=None)
    told = story.after(6).tell(
        ev.Resynced(story.now - timedelta(hours=1), {old.id: seen}, {session_id(1): True}), ev.TimePassed()
    )
    assert of(told, fx.Connect) == [fx.Connect(old.id, session_id(1))]
    (lost,) = of(told, fx.AttemptEnded)
    assert (lost.ended.attempt.id, lost.ended.ended_by, lost.ended.counts) == (gone.id, EndedBy.LOST, False)
    assert not lost.ended.legal_abandoned


def test_a_caller_whose_operators_phone_is_lost_is_kept_with_music_like_anybody(story):
    story.operator()
    calls(story)
    story.after(0.1).join()
    assert of(story.after(5).tell(ev.LegEnded(session_id(1), story.now)), fx.Hold) == [fx.Hold(attempt_id(1))]
