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


NINE = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, "nobody_free"),
        ({"being_called": True, "stopped": "switch_down"}, "being_called"),
        ({"campaign_runs": False}, "campaign_state"),
        ({"stopped": "switch_down"}, "stopped.switch_down"),
        ({"window_open": False}, "refused.outside_window"),
        ({"next_at": NINE + timedelta(minutes=1)}, "tried"),
        ({"next_at": NINE + timedelta(minutes=1), "refused_by": "per_day"}, "refused.per_day"),
        ({"owned": True}, "owner_away"),
        ({"owned": True, "owner": OperatorState.PAUSED}, "owner_paused"),
        ({"owned": True, "owner": OperatorState.TALKING}, "owner_busy"),
        ({"owned": True, "owner": OperatorState.READY, "ready": 1}, "others_first"),
        ({"at_work": 0}, "nobody_at_work"),
        ({"ready": 2}, "others_first"),
    ],
)
def test_a_late_promise_says_what_holds_it_back_first(change, why):
    standing = callbacks.Standing(**{"next_at": NINE - timedelta(minutes=2), **change})
    assert callbacks.why_late(standing, NINE) == why


def test_a_promise_whose_time_the_rules_came_to_forbid_moves_to_the_next_time():
    due = NOON + 2 * HOUR
    assert callbacks.moved_to(due, BERLIN, OFFICE, 25) is None
    closed = replace(OFFICE, windows={day: hours for day, hours in OFFICE.windows.items() if day != due.weekday()})
    moved = callbacks.moved_to(due, BERLIN, closed, 25)
    assert (moved.date() - due.date()).days == 1
    assert (moved.hour, moved.minute) == (9, 0)
    assert callbacks.moved_to(due, ("Nowhere",), OFFICE, 25) is None


def test_a_number_is_free_again_when_its_counters_let_it():
    rules = replace(PROFILE, min_gap_s=900, per_day=2, per_7_days=9, per_30_days=9)
    ago = [NOON - timedelta(minutes=minutes) for minutes in (5, 60, 120)]
    assert callbacks.free_again([], rules, NOON) == NOON
    assert callbacks.free_again(ago[:1], rules, NOON) == NOON + timedelta(minutes=10)
    assert callbacks.free_again(ago, rules, NOON) == NOON + timedelta(hours=23)
