"""A promise that the rules would forbid is refused when it is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from dialer.core import callbacks
from dialer.core.model import CallbackState, OperatorState
from tests.core.make import NOON, PROFILE

OFFICE = replace(PROFILE, windows=dict.fromkeys(range(5), ((time(10), time(13)), (time(14), time(20)))))
BERLIN = ("Europe/Berlin",)
HOUR = timedelta(hours=1)


def refusal(due_at, zones=BERLIN):
    return callbacks.refusal(due_at, NOON, zones, OFFICE, 25)


def test_a_time_inside_the_window_may_be_promised():
    assert refusal(NOON + 2 * HOUR) is None


def test_a_time_that_has_passed_may_not():
    code, english, russian = refusal(NOON)
    assert code == "callback.past"
    assert english
    assert russian


def test_a_time_outside_the_window_is_refused_with_the_next_one():
    code, english, russian = refusal(NOON + 8 * HOUR)
    assert code == "callback.outside_window"
    assert "2026-11-24 09:00 UTC" in english
    assert "2026-11-24 09:00 UTC" in russian


def test_a_callee_nobody_may_call_gets_no_promise():
    assert refusal(NOON + 2 * HOUR, ("Nowhere",))[0] == "callback.outside_window"


@pytest.mark.parametrize(
    ("state", "after_s", "word"),
    [
        (CallbackState.PENDING, -1, "pending"),
        (CallbackState.PENDING, 0, "due"),
        (CallbackState.PENDING, 60, "due"),
        (CallbackState.PENDING, 61, "late"),
        (CallbackState.KEPT, 999, "kept"),
        (CallbackState.BLOCKED, 999, "blocked"),
    ],
)
def test_due_and_late_are_read_from_the_clock(state, after_s, word):
    assert callbacks.shown(state, NOON, NOON + timedelta(seconds=after_s)) == word


@pytest.mark.parametrize(
    ("owner", "after_s", "why"),
    [
        (None, 59, None),
        (None, 60, "owner_away"),
        (OperatorState.PAUSED, 60, "owner_paused"),
        (OperatorState.TALKING, 599, None),
        (OperatorState.TALKING, 600, "owner_busy"),
        (OperatorState.WRAP_UP, 300, "owner_busy"),
        (OperatorState.READY, 100_000, None),
    ],
)
def test_a_promise_waits_for_its_owner_as_long_as_the_owner_may_come(owner, after_s, why):
    due = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    assert callbacks.hand_over(owner, due, due + timedelta(seconds=after_s)) == why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "nobody_free"),
        ({"being_called": True}, "being_called"),
        ({"campaign_runs": False}, "campaign_state"),
        ({"later": True}, "tried"),
        ({"later": True, "refused_by": "outside_window"}, "refused.outside_window"),
        ({"owned": True}, "owner_away"),
        ({"owned": True, "owner": OperatorState.PAUSED}, "owner_paused"),
        ({"owned": True, "owner": OperatorState.TALKING}, "owner_busy"),
        ({"owned": True, "owner": OperatorState.READY}, "nobody_free"),
    ],
)
def test_a_late_promise_says_what_holds_it_back_first(change, why):
    now = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
    next_at = now + timedelta(minutes=1) if change.pop("later", False) else now - timedelta(minutes=2)
    facts = {"campaign_runs": True, "being_called": False, "refused_by": None, "owned": False, "owner": None, **change}
    assert callbacks.why_late(next_at=next_at, now=now, **facts) == why


def test_no_share_is_told_before_any_promise_came_due():
    assert callbacks.kept_share(in_time=0, kept_late=0, broken=0, late=0) is None
    assert callbacks.kept_share(in_time=1, kept_late=1, broken=1, late=1) == 0.5
