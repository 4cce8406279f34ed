"""When a base ends, and how long it will take."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import forecast

SETTINGS = {
    "contacts": 5210, "operators": 8, "mode": "progressive", "attempts_max": 4, "wrap_up_s": 30, "ring_timeout_s": 25,
    "max_lines": 100, "hours_per_day": 11.0, "gap_days": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("left", "closed", "over_s", "hours"),
    [(0, 0, 0, 0.0), (0, 9, 3600, 0.0), (50, 0, 0, None), (500, 100, 3600, 5.0), (500, 100, 360, 0.5), (6, 1, 0, 0.1)],
)
def test_a_base_ends_at_the_pace_of_the_last_hour_or_of_what_there_was_of_it(left, closed, over_s, hours):
    assert forecast.hours_left(left, closed, over_s) == pytest.approx(hours)


def test_five_thousand_contacts_take_eight_operators_some_days():
    """By hand: 76 % of 5,210 answer one of four calls, 2 minutes each, 4.88 operators' worth of time an hour."""
    plan = forecast.plan(**SETTINGS)
    assert (plan.conversations, plan.attempts) == (3959, 13197)
    assert plan.hours == pytest.approx(3959 * 120 / 3600 / (8 * 0.61), abs=0.1)
    assert (plan.days, plan.limited_by) == (4, "gaps")


def test_what_is_scarce_limits():
    assert forecast.plan(**{**SETTINGS, "operators": 1}).limited_by == "operators"
    assert forecast.plan(**{**SETTINGS, "operators": 0, "max_lines": 1}).limited_by == "lines"
    assert forecast.plan(**{**SETTINGS, "attempts_max": 1, "contacts": 0}).days == 0


@given(
    contacts=st.integers(0, 10**6), operators=st.integers(0, 500), attempts_max=st.integers(1, 20),
    mode=st.sampled_from(["progressive", "predictive", "ivr", "preview"]), answer_rate=st.floats(0, 1), gap_days=st.floats(0, 30),
)  # fmt: skip
def test_more_contacts_never_take_less_time_and_nobody_is_called_more_than_allowed(**values):
    plan, more = (
        forecast.plan(**{**SETTINGS, **values, "contacts": values["contacts"] + extra}) for extra in (0, 1000)
    )
    assert plan.hours <= more.hours
    assert plan.days <= more.days
    assert plan.conversations <= values["contacts"]
    assert plan.attempts <= values["contacts"] * values["attempts_max"] + 1


def day(start, end):
    return (time(start), time(end % 24))


@pytest.mark.parametrize(
    ("windows", "usual"),
    [
        ({n: (day(9, 20),) for n in range(7)}, ("09:00", "20:00")),
        ({n: (day(0, 24),) for n in range(7)}, ("00:00", "24:00")),
        ({n: (day(10, 13), day(14, 20)) for n in range(5)}, ("10:00", "20:00")),
        ({**{n: (day(8, 21),) for n in range(4)}, 4: (day(8, 18),)}, ("08:00", "21:00")),
        ({5: (day(10, 18),), 6: (day(10, 18),)}, None),
        ({}, None),
    ],
)
def test_the_usual_window_is_that_of_most_weekdays(windows, usual):
    assert forecast.usual_window(windows) == usual
