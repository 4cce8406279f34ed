"""Operators who look before a call is made: one contact each, no call without a word, and nothing reserved for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core import budget as law
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.gate import call_type
from dialer.core.model import CampaignState, Claim, EndedBy, Mode, OperatorState, Outcome
from dialer.core.presence import NotNow
from dialer.core.preview import How, Preview
from tests.core.floors import CAMPAIGN, Story, attempt_id, budget, end, of, session_id

PREVIEW = replace(CAMPAIGN, mode=Mode.PREVIEW, preview_s=30)


def preview(n=1, operator=1, at=None, campaign_id=1):
    return Preview(
        id=attempt_id(n), operator_id=operator, campaign_id=campaign_id, contact_id=n, phone_id=n, offered_at=at
    )


@pytest.fixture
def story():
    """An operator who looks at a contact."""
    story = Story(PREVIEW).operator()
    story.tell(ev.Offered(preview(at=story.now)))
    return story


def placed(story, n=1, operator=1):
    """The gate let the call through."""
    claim = Claim(
        attempt_id=attempt_id(n), campaign_id=1, contact_id=n, phone_id=n, e164="+12025550001", number=1, counted=0,
        sent_at=story.now, for_operator=operator, asked=True,
    )  # fmt: skip
    return story.tell(ev.Taken(claim))


def called(story):
    story.tell(ev.CallAsked(1))
    placed(story)
    return story


def ends(story):
    return [(one.end.how, one.end.reason) for one in of(story.effects, fx.PreviewEnded)]


def test_a_contact_is_shown_and_nobody_is_called(story):
    op = story.floor.operators[1]
    assert (story.state(), op.live.until, op.free) == (OperatorState.PREVIEW, story.now + timedelta(seconds=30), False)
    assert not story.floor.attempts
    assert ends(story) == []


def test_the_call_is_asked_of_the_gate_and_answered_by_its_own_operator(story):
    story.operator(2)  # ready for longer would be picked by any other call
    (asked,) = of(story.tell(ev.CallAsked(1)), fx.PlaceCall)
    assert asked.preview.contact_id == 1
    placed(story)
    assert story.floor.operators[1].live.attempt_id == attempt_id(1)
    (bridge,) = of(story.after(5).answer(), fx.Connect)
    assert bridge.session_id == session_id(1)
    closed = of(story.after(0.2).join(), fx.IntervalClosed)
    assert [(one.interval.state, one.interval.attempt_id) for one in closed] == [("preview", attempt_id(1))]
    assert story.state() == "talking"


def test_a_call_nobody_answers_brings_the_operator_back_and_says_how_it_ended(story):
    called(story).after(20).hang_up(word="busy")
    op = story.floor.operators[1]
    assert (story.state(), op.missed, op.free) == ("ready", Outcome.BUSY, True)


def test_an_operator_gives_up_a_ringing_line(story):
    called(story)
    assert of(story.tell(ev.HangUpAsked(1)), fx.EndCall)
    ended = end(story.after(0.1).hang_up(word="no_answer"))
    assert (ended.outcome, ended.ended_by, ended.legal_abandoned) == (Outcome.CANCELLED, EndedBy.OPERATOR, False)


def test_skipping_puts_it_back_with_its_reason(story):
    story.tell(ev.SkipAsked(1, "bad_data"))
    assert (story.state(), ends(story)) == ("ready", [(How.SKIPPED, "bad_data")])


def test_it_can_be_decided_once(story):
    story.tell(ev.CallAsked(1))
    for asked in (ev.CallAsked(1), ev.SkipAsked(1, "other")):
        with pytest.raises(NotNow):
            story.tell(asked)


@pytest.mark.parametrize(
    "event",
    [
        ev.PauseAsked(1, "break"),
        ev.ShiftEndAsked(1),
        ev.CampaignsRead([replace(PREVIEW, state=CampaignState.PAUSED)]),
        ev.CampaignsRead([replace(PREVIEW, mode=Mode.PROGRESSIVE)]),
        ev.CampaignsRead([]),
    ],
    ids=lambda event: type(event).__name__,
)
def test_whoever_leaves_and_a_campaign_that_stops_give_it_back(story, event):
    story.tell(event)
    assert ends(story) == [(How.RETURNED, "")]


def test_a_lost_phone_gives_it_back(story):
    story.at(ev.LegEnded, session_id(1))
    assert (story.state(), ends(story)) == ("ringing", [(How.RETURNED, "")])


def test_a_forbidden_number_is_taken_away_at_once(story):
    story.tell(ev.PhonesForbidden(frozenset({1})))
    assert (story.state(), ends(story)) == ("ready", [(How.REFUSED, "do_not_call")])
    assert story.floor.operators[1].missed == "do_not_call"


@pytest.mark.parametrize(
    "event",
    [
        ev.PhonesForbidden(frozenset({1})),
        ev.CampaignsRead([replace(PREVIEW, state=CampaignState.PAUSED), replace(CAMPAIGN, id=2)]),
    ],
    ids=lambda event: type(event).__name__,
)
def test_whoever_gets_free_when_a_contact_is_taken_away_is_given_who_waits(story, event):
    other = replace(CAMPAIGN, id=2)
    story.tell(ev.CampaignsRead([PREVIEW, other]))
    assert not of(story.dial(2, campaign_id=2).answer(2), fx.Connect)
    assert [one.attempt_id for one in of(story.after(0.1).tell(event), fx.Connect)] == [attempt_id(2)]


def test_a_refusal_of_the_gate_puts_it_back_and_says_why(story):
    story.tell(ev.CallAsked(1), ev.CallRefused(preview(at=story.now), "outside_window"))
    assert (story.state(), story.floor.operators[1].missed) == ("ready", "outside_window")
    assert ends(story) == [(How.REFUSED, "outside_window")]


def test_a_phone_lost_while_it_rings_ends_the_call(story):
    called(story)
    assert of(story.at(ev.LegEnded, session_id(1)), fx.EndCall)
    assert story.state() == "ringing"


def test_a_phone_lost_while_the_gate_is_asked_calls_nobody(story):
    story.tell(ev.CallAsked(1))
    story.at(ev.LegEnded, session_id(1))
    assert of(placed(story), fx.EndCall)
    assert story.floor.attempts[attempt_id(1)].ended_by is EndedBy.SERVICE


def test_a_person_who_answers_a_lost_phone_is_given_to_anybody_free(story):
    called(story).after(4).at(ev.Answered, attempt_id(1))
    story.at(ev.LegEnded, session_id(1))
    story.operator(2).at(ev.CalleeWaits, attempt_id(1))
    (bridge,) = of(story.effects, fx.Connect)
    assert bridge.session_id == session_id(2)


def test_a_deadline_skips_and_the_second_one_pauses(story):
    story.after(31).tell(ev.TimePassed())
    assert (story.state(), ends(story)) == ("ready", [(How.EXPIRED, "")])
    story.tell(ev.Offered(preview(2, at=story.now)))
    story.after(31).tell(ev.TimePassed())
    op = story.floor.operators[1]
    assert (op.live.state, op.live.reason, ends(story)) == ("paused", "preview_over", [(How.EXPIRED, "")] * 2)


def test_a_decision_between_two_deadlines_shows_that_somebody_is_there(story):
    story.after(31).tell(ev.TimePassed())
    story.tell(ev.Offered(preview(2, at=story.now)), ev.SkipAsked(1, "other"), ev.Offered(preview(3, at=story.now)))
    story.after(31).tell(ev.TimePassed())
    assert story.state() == "ready"


def test_a_campaign_may_call_at_the_deadline_and_the_law_then_takes_it_for_an_automatic_call():
    calls = replace(PREVIEW, preview_calls=True)
    story = Story(calls).operator()
    story.tell(ev.Offered(preview(at=story.now)))
    assert of(story.after(31).tell(ev.TimePassed()), fx.PlaceCall)
    assert (call_type(PREVIEW), call_type(calls)) == ("human_selected", "auto_dialed_live")


def test_an_operator_who_was_given_a_callee_meanwhile_is_shown_nobody():
    story = Story(PREVIEW, replace(CAMPAIGN, id=2), budgets=(budget(1), budget(2))).operator()
    story.dial(5, campaign_id=2)
    story.answer(5)
    story.tell(ev.Offered(preview(at=story.now)))
    assert ends(story) == [(How.RETURNED, "")]


def test_an_operator_other_lines_count_on_is_shown_nobody():
    cold = budget(2, answered=0, abandoned=0)
    story = Story(PREVIEW, replace(CAMPAIGN, id=2, mode=Mode.PREDICTIVE), budgets=(budget(1), cold)).operator()
    story.dial(5, campaign_id=2)
    story.tell(ev.Offered(preview(at=story.now)))
    assert (story.state(), ends(story)) == ("ready", [(How.RETURNED, "")])


def test_a_call_that_was_asked_for_takes_nothing_of_the_budget_and_gives_it_nothing(story):
    room = story.floor.cover.room(PREVIEW)
    called(story)
    assert (story.floor.cover.lines(1), story.floor.cover.room(PREVIEW)) == (0, room)
    before = story.floor.cover.budgets[1]
    story.after(3).answer()
    story.join()
    ended = end(story.after(60).hang_up())
    assert (ended.legal_answered, law.touched_by(ended)) == (True, False)
    assert story.floor.cover.budgets[1] == before


def test_a_person_lost_by_such_a_call_is_counted():
    story = Story(PREVIEW).operator()
    story.tell(ev.Offered(preview(at=story.now)))
    called(story).after(3).at(ev.Answered, attempt_id(1))
    story.at(ev.LegEnded, session_id(1))
    before = story.floor.cover.budgets[1]
    assert end(story.after(2.5).hang_up()).outcome is Outcome.ABANDONED
    after = story.floor.cover.budgets[1]
    assert (after.answered, after.abandoned) == (before.answered + 1, before.abandoned + 1)


def test_an_engine_that_comes_back_returns_what_was_looked_at_and_keeps_the_call_that_rings(story):
    called(story)
    op, attempt = story.floor.operators[1].live, story.floor.attempts[attempt_id(1)]
    looking = replace(op, operator_id=2, session_id=session_id(2), seat="seat-002", attempt_id=None)
    again = Story(PREVIEW)
    again.tell(ev.Recovered([attempt], [op, looking], [preview(2, operator=2, at=story.now)]))
    assert (again.state(1), again.state(2)) == ("preview", "ready")
    assert ends(again) == [(How.RETURNED, "")]


def test_the_call_of_an_operator_who_is_gone_ends_when_the_engine_comes_back(story):
    called(story)
    again = Story(PREVIEW)
    assert of(again.tell(ev.Recovered([story.floor.attempts[attempt_id(1)]], [])), fx.EndCall)


def test_a_clock_that_was_set_back_between_two_engines_stops_nobody():
    """The database refuses an end before its begin, and a fact that is refused stops the dialing."""
    story = Story(PREVIEW)
    shown = preview(at=story.now + timedelta(seconds=3))
    for event in (ev.Recovered((), (), (shown,)), ev.CallRefused(shown, "stopped"), ev.Offered(shown)):
        (back,) = of(story.tell(event), fx.PreviewEnded)
        assert back.end.ended_at == shown.offered_at
