"""A promise that the rules would forbid is refused when it is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from dialer.core import callbacks
from dialer.core.model import CallbackState
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
