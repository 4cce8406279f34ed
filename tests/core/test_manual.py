"""Operators who type a number: out of the pool while they do, one call, no machine that repeats it, and back again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core import attempt as life
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.gate import by_hand, call_type
from dialer.core.manual import DIAL, Dial
from dialer.core.model import AttemptState, Claim, EndedBy, LiveOperator, OperatorState, Outcome
from dialer.core.presence import NotNow
from tests.core.floors import CAMPAIGN, IVR, Story, attempt_id, budget, end, of, session_id

MANUAL = replace(CAMPAIGN, manual=True)


def dial(n=1, operator=1, campaign_id=1):
    return Dial(
        id=attempt_id(n), operator_id=operator, campaign_id=campaign_id, e164="+12025550001", zones=("UTC",)
    )  # fmt: skip


def placed(story, n=1, operator=1, campaign_id=1):
    """The gate let the call through."""
    claim = Claim(
        attempt_id=attempt_id(n), campaign_id=campaign_id, contact_id=n, phone_id=n, e164="+12025550001", number=1,
        counted=0, sent_at=story.now, for_operator=operator, asked=True, manual=True,
    )  # fmt: skip
    return story.tell(ev.Taken(claim))


@pytest.fixture
def story():
    """An operator who types a number."""
    story = Story(MANUAL).operator()
    story.tell(ev.PauseAsked(1, DIAL))
    return story


def called(story):
    story.tell(ev.DialAsked(dial()))
    placed(story)
    return story


def where(story, operator=1):
    live = story.floor.operators[operator].live
    return live.state, live.reason, live.pause_after


def test_nobody_is_put_through_to_whoever_types(story):
    story.dial(7).answer(7)
    assert where(story) == ("paused", DIAL, None)
    assert not of(story.effects, fx.Connect)


def test_a_place_to_type_is_given_when_no_line_needs_the_operator():
    story = Story(MANUAL, budgets=(budget(answered=0, abandoned=0),)).operator()
    story.dial(7)
    story.tell(ev.PauseAsked(1, DIAL))
    assert (story.state(), story.floor.operators[1].dials) == ("ready", True)
    story.hang_up(7, word="busy")
    assert where(story) == ("paused", DIAL, None)


def test_while_the_gate_is_asked_and_the_line_rings_he_can_get_no_other_call(story):
    (asked,) = of(story.tell(ev.DialAsked(dial())), fx.PlaceDial)
    assert (asked.dial, story.state()) == (dial(), "preview")
    assert not story.floor.operators[1].free
    with pytest.raises(NotNow):
        story.tell(ev.DialAsked(dial(2)))
    placed(story)
    with pytest.raises(NotNow):
        story.tell(ev.DialAsked(dial(2)))
    story.operator(2)
    (bridge,) = of(story.after(5).answer(), fx.Connect)
    assert bridge.session_id == session_id(1)


def test_after_the_conversation_he_is_ready_for_all_calls(story):
    called(story).after(5).answer()
    story.after(0.1).join()
    assert where(story) == ("talking", None, None)
    ended = end(story.after(60).hang_up())
    assert (ended.attempt.manual, ended.legal_answered, ended.legal_abandoned) == (True, True, False)
    story.tell(ev.DispositionSaved(1, attempt_id(1)))
    assert story.state() == "ready"


@pytest.mark.parametrize(("paused", "back"), [(DIAL, DIAL), ("lunch", "lunch")])
def test_a_call_nobody_answers_leads_back_to_where_it_was_typed(story, paused, back):
    story.tell(ev.ReadyAsked(1), ev.PauseAsked(1, paused))
    called(story).after(20).hang_up(word="busy")
    assert where(story) == ("paused", back, None)
    assert story.floor.operators[1].missed is Outcome.BUSY


def test_who_dials_in_another_pause_comes_back_to_it_after_the_conversation(story):
    story.tell(ev.ReadyAsked(1), ev.PauseAsked(1, "lunch"))
    called(story).answer()
    story.join()
    story.after(60).hang_up()
    story.tell(ev.DispositionSaved(1, attempt_id(1)))
    assert where(story) == ("paused", "lunch", None)


def test_a_call_the_gate_refused_leads_back_and_reserves_nothing(story):
    story.tell(ev.DialAsked(dial()))
    story.tell(ev.DialRefused(dial()))
    assert where(story) == ("paused", DIAL, None)
    story.tell(ev.DialRefused(dial()))  # late
    assert where(story) == ("paused", DIAL, None)
    assert not story.floor.attempts


def test_he_gives_up_a_ringing_line(story):
    called(story)
    assert of(story.tell(ev.HangUpAsked(1)), fx.EndCall)
    ended = end(story.after(0.1).hang_up(word="no_answer"))
    assert (ended.outcome, ended.ended_by) == (Outcome.CANCELLED, EndedBy.OPERATOR)
    assert where(story) == ("paused", DIAL, None)


@pytest.mark.parametrize(
    "campaign",
    [CAMPAIGN, replace(MANUAL, team_id=2), replace(MANUAL, id=2)],
    ids=["not allowed", "another team", "unknown"],
)
def test_only_for_campaigns_of_the_team_that_allow_it(campaign):
    story = Story(campaign, budgets=(budget(1), budget(2))).operator(ready=False)
    with pytest.raises(NotNow, match="not dialled by hand"):
        story.tell(ev.DialAsked(dial()))


def test_not_in_a_conversation_nor_in_its_wrap_up_nor_without_a_phone(story):
    story.tell(ev.ReadyAsked(1))
    story.talk(7)
    with pytest.raises(NotNow, match="now"):
        story.tell(ev.DialAsked(dial()))
    story.hang_up(7)
    with pytest.raises(NotNow, match="now"):
        story.tell(ev.DialAsked(dial()))
    story.tell(ev.DispositionSaved(1, attempt_id(7)), ev.PauseAsked(1, DIAL))
    story.at(ev.LegEnded, session_id(1))
    with pytest.raises(NotNow, match="phone"):
        story.tell(ev.DialAsked(dial()))


def test_a_ready_operator_on_whom_a_line_counts_may_not():
    story = Story(MANUAL, budgets=(budget(answered=0, abandoned=0),)).operator()
    story.dial(7)
    with pytest.raises(NotNow, match="put through"):
        story.tell(ev.DialAsked(dial()))
    story.hang_up(7, word="busy")
    assert of(story.tell(ev.DialAsked(dial())), fx.PlaceDial)


def test_whoever_leaves_while_the_gate_is_asked_is_gone_and_nobody_is_called_for_him(story):
    story.tell(ev.DialAsked(dial()), ev.ShiftEndAsked(1))
    assert of(placed(story), fx.EndCall)
    assert 1 not in story.floor.operators
    assert end(story.hang_up(word="no_answer")).outcome is Outcome.CANCELLED


def test_a_phone_that_is_lost_while_it_rings_ends_the_call(story):
    called(story)
    assert of(story.at(ev.LegEnded, session_id(1)), fx.EndCall)
    assert story.state() == "ringing"


def test_a_call_of_a_campaign_with_an_offer_is_a_conversation_and_plays_none():
    story = Story(replace(IVR, manual=True)).operator(ready=False)
    called(story)
    (bridge,) = of(story.after(5).answer(), fx.Connect)
    assert bridge.session_id == session_id(1)
    assert life.bridge_by(story.floor.attempts[attempt_id(1)], IVR) is None  # it is being bridged
    assert story.floor.attempts[attempt_id(1)].state is AttemptState.BRIDGING


def test_after_a_restart_the_call_finds_its_operator_or_ends_and_is_never_repeated():
    before = called(Story(MANUAL).operator(ready=False))
    [attempt], op = before.floor.attempts.values(), before.floor.operators[1].live
    after = Story(MANUAL)
    after.tell(ev.Recovered([attempt], [op]))
    assert after.floor.operators[1].live.attempt_id == attempt_id(1)
    assert not of(after.effects, fx.PlaceDial)
    alone = Story(MANUAL)
    assert of(alone.tell(ev.Recovered([attempt], [])), fx.EndCall)


def test_whoever_asked_the_gate_when_the_service_died_is_back_in_the_pause():
    live = LiveOperator(
        operator_id=1, session_id=session_id(1), seat="seat-001", team_id=1, name="Operator 1",
        state=OperatorState.PREVIEW, since=Story(MANUAL).now, campaign_id=1, pause_after="lunch",
    )  # fmt: skip
    story = Story(MANUAL)
    story.tell(ev.Recovered([], [live]))
    story.tell(ev.TimePassed())
    assert where(story) == ("paused", "lunch", None)


def test_the_law_takes_it_for_a_call_a_human_selected_whatever_the_mode():
    assert (call_type(IVR), call_type(by_hand(IVR)), call_type(by_hand(CAMPAIGN))) == (
        "recorded", "human_selected", "human_selected",
    )  # fmt: skip
