"""Who covers whom: promises, pauses and campaigns that share a team."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.model import CampaignState
from tests.core.floors import CAMPAIGN, Story, attempt_id, budget, of, session_id

OTHER = replace(CAMPAIGN, id=2, name="Autumn")


def two_campaigns() -> Story:
    """Two campaigns of one team that may lose nobody."""
    return Story(CAMPAIGN, OTHER, budgets=(budget(1, answered=0, abandoned=0), budget(2, answered=0, abandoned=0)))


class TestPromises:
    def test_an_operator_somebody_needs_is_not_held_for_a_promise(self) -> None:
        cover = two_campaigns().operator(1).dial(1, campaign_id=1).floor.cover
        assert cover.spare(1) == 0
        assert cover.promisable(OTHER) == []

    def test_as_many_as_nobody_needs_may_be_held(self) -> None:
        cover = two_campaigns().operator(1).after(1).operator(2).dial(1, campaign_id=1).floor.cover
        assert cover.promisable(OTHER) == [1]
        assert cover.held_for(OTHER, promises=1) == 1

    def test_operators_are_kept_free_for_promises_also_from_the_other_campaigns_of_the_team(self) -> None:
        cover = two_campaigns().operator(1).after(1).operator(2).floor.cover
        assert (cover.held_for(CAMPAIGN), cover.held_for(OTHER)) == (1, 1)
        cover.reserve({2: 2}, ())
        assert (cover.held_for(CAMPAIGN), cover.held_for(OTHER)) == (0, 2)
        cover.reserve({}, ())
        assert (cover.held_for(CAMPAIGN), cover.held_for(OTHER)) == (1, 1)

    def test_the_owner_of_a_promise_that_comes_due_is_called_with_first_and_serves_others_last(self) -> None:
        story = two_campaigns().operator(1).after(1).operator(2)
        story.floor.cover.reserve({2: 1}, {2})
        assert story.floor.cover.promisable(OTHER) == [2, 1]
        story.floor.cover.reserve({2: 1}, {1})
        story.dial(1, campaign_id=1)
        assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(2))]

    def test_a_held_operator_covers_nobody_else(self) -> None:
        story = two_campaigns().operator(1).after(1).operator(2).dial(1, campaign_id=2, for_operator=1)
        assert story.floor.cover.held_for(CAMPAIGN) == 1
        assert story.floor.cover.held_for(OTHER) == 1

    def test_the_callee_of_a_promise_gets_the_operator_whoever_else_waits(self) -> None:
        story = two_campaigns().operator(1).after(1).operator(2).dial(1, campaign_id=2, for_operator=2)
        story.dial(2, campaign_id=1)
        assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(2))]
        assert of(story.answer(2), fx.Connect) == [fx.Connect(attempt_id(2), session_id(1))]

    def test_an_operator_is_held_for_one_promise_at_a_time(self) -> None:
        story = two_campaigns().operator(1).dial(1, for_operator=1).dial(2, for_operator=1)
        assert story.floor.cover.held == {1: attempt_id(1)}
        story.hang_up(1, cause=19)
        assert story.floor.cover.held == {}

    def test_an_operator_is_held_no_longer_when_somebody_else_took_the_callee(self) -> None:
        story = two_campaigns().operator(1).after(1).operator(2).dial(1, for_operator=1)
        story.tell(ev.PauseAsked(1, "lunch"))
        assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(2))]
        assert story.floor.cover.held == {}

    def test_a_promised_line_is_cut_when_its_operator_loses_the_phone_and_nobody_else_is_free(self) -> None:
        story = two_campaigns().operator(1).dial(1, for_operator=1)
        assert fx.EndCall(attempt_id(1)) in story.at(ev.LegEnded, session_id(1))

    def test_a_promised_line_goes_on_while_somebody_else_can_take_the_callee(self) -> None:
        story = two_campaigns().operator(1).operator(2).dial(1, for_operator=1)
        assert of(story.at(ev.LegEnded, session_id(1)), fx.EndCall) == []


class TestPauses:
    def test_a_pause_is_given_when_the_last_line_that_counts_on_the_operator_is_over(self) -> None:
        story = two_campaigns().operator(1).dial(1, campaign_id=2)
        story.tell(ev.PauseAsked(1, "lunch"))
        assert story.state() == "ready"
        story.hang_up(1, cause=19)
        assert story.state() == "paused"

    def test_two_pauses_are_given_one_after_the_other_while_one_line_needs_one_of_them(self) -> None:
        story = two_campaigns().operator(1).operator(2).dial(1, campaign_id=2)
        story.tell(ev.PauseAsked(1, "lunch"))
        story.tell(ev.PauseAsked(2, "lunch"))
        assert (story.state(1), story.state(2)) == ("paused", "ready")

    def test_a_pause_waits_for_a_line_while_another_one_is_being_bridged(self) -> None:
        story = two_campaigns().operator(1).operator(2).dial(1, campaign_id=2).dial(2, campaign_id=2)
        story.answer(1)
        story.tell(ev.PauseAsked(2, "lunch"))
        assert story.state(2) == "ready"
        assert of(story.answer(2), fx.Connect) == [fx.Connect(attempt_id(2), session_id(2))]

    def test_new_lines_do_not_count_on_whoever_wants_to_leave_and_lines_in_flight_do(self) -> None:
        story = two_campaigns().operator(1).dial(1, campaign_id=2)
        story.tell(ev.PauseAsked(1, "lunch"))
        assert story.floor.cover.held_for(OTHER) == 0
        assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]


def test_whoever_was_called_in_the_last_window_does_not_make_room_in_this_one() -> None:
    story = two_campaigns().operator(1).dial(1, campaign_id=2)
    story.answer(1)
    story.join(1)
    old = story.floor.cover.budgets[2]
    story.after(5)
    story.floor.cover.set_budget(replace(old, starts_at=story.now))
    story.hang_up(1)
    assert story.floor.cover.budgets[2].answered == 0


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.STOPPED])
def test_a_campaign_that_was_stopped_still_serves_whom_it_called(state: CampaignState) -> None:
    story = two_campaigns().operator(1).dial(1, campaign_id=2)
    story.tell(ev.CampaignsRead([CAMPAIGN, replace(OTHER, state=state)]))
    assert story.floor.cover.held_for(CAMPAIGN) == 0
    assert of(story.answer(1), fx.Connect) == [fx.Connect(attempt_id(1), session_id(1))]
