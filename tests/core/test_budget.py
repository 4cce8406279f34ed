"""The share of abandoned calls never passes the cap, because only a claim could break it; days: ``test_adversary``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import budget as law
from dialer.core.model import LegalWindow
from tests.core.floors import CAMPAIGN
from tests.core.make import NOON, budget

counts = st.integers(0, 5000)
caps = st.integers(0, 50)


@given(answered=counts, abandoned=counts, cap=caps, in_flight=st.integers(0, 300), free=st.integers(0, 100))
def test_the_room_is_the_greatest_number_of_lines_for_which_the_rule_holds(answered, abandoned, cap, in_flight, free):
    """Compared with trying one line more, and one more, against the inequality of the database."""
    b = budget(answered, min(answered, abandoned), cap)

    def holds(lines: int) -> bool:
        return law.holds(b, uncovered=max(0, lines - free))

    room = law.room(b, in_flight=in_flight, free=free)
    assert room >= 0
    if room:
        assert all(holds(in_flight + n) for n in range(1, room + 1))
    assert not holds(in_flight + room + 1)


@given(answered=counts, abandoned=counts, cap=caps, uncovered=st.integers(0, 300), ends=st.integers(1, 300))
def test_no_end_of_a_line_can_break_the_rule(answered, abandoned, cap, uncovered, ends):
    """Abandoned, connected or unanswered: what held before an end holds after it; the CHECK meets claims only."""
    b = budget(answered, min(answered, abandoned), cap)
    if not law.holds(b, uncovered=uncovered):
        return
    left = max(0, uncovered - ends)
    lost = replace(b, answered=b.answered + ends, abandoned=b.abandoned + ends)
    assert law.holds(lost, uncovered=left)
    assert law.holds(replace(b, answered=b.answered + ends), uncovered=left)
    assert law.holds(b, uncovered=left)


def test_a_dead_switch_is_an_honest_exception_and_is_paid_back_one_to_one():
    """People who were cut count as abandoned; until they are paid back only covered lines start."""
    after_the_crash = budget(100, 20)
    assert law.room(after_the_crash, in_flight=0, free=3) == 3
    assert law.room(budget(700, 20), in_flight=0, free=3) > 3


def test_a_window_starts_one_to_one_and_needs_33_answers_for_the_first_extra_line():
    assert law.room(budget(0, 0), in_flight=0, free=5) == 5
    assert law.room(budget(32, 0), in_flight=5, free=5) == 0
    assert law.room(budget(33, 0), in_flight=5, free=5) == 1


def test_a_free_operator_may_pause_if_nobody_counts_on_them():
    assert law.may_leave(budget(0, 0), in_flight=2, free=3)
    assert not law.may_leave(budget(0, 0), in_flight=3, free=3)
    assert law.may_leave(budget(33, 0), in_flight=3, free=3)
    assert law.may_leave(budget(0, 0), in_flight=3, free=0)


@given(
    at=st.integers(0, 16 * 365 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    kind=st.sampled_from(LegalWindow),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_legal_windows_follow_each_other_without_gap_or_overlap(at, kind, zone):
    start, end = law.window(kind, at, zone)
    assert start <= at < end
    assert law.window(kind, end, zone)[0] == end
    assert law.window(kind, start - timedelta(microseconds=1), zone)[1] == start
    assert law.window(kind, start, zone) == (start, end)


@pytest.mark.parametrize(
    ("kind", "days"),
    [(LegalWindow.HOUR, 1 / 24), (LegalWindow.DAYS30, 30), (LegalWindow.CALENDAR_MONTH, 30)],
)
def test_a_legal_window_is_as_long_as_its_name_says(kind, days):
    start, end = law.window(kind, NOON, "Asia/Kolkata")
    assert end - start == timedelta(days=days)


def test_an_attempt_belongs_to_the_window_it_was_sent_in():
    b = budget(10, 0)
    assert law.belongs(b, b.starts_at)
    assert not law.belongs(b, b.starts_at - timedelta(seconds=1))
    assert not law.belongs(b, b.ends_at)


# Mode probable --------------------------------------------------------------------


def _exactly(lines: int, chance: float, risk: Fraction) -> int:
    """The least q with P(X > q) ≤ risk, by summing all of the binomial law in whole numbers."""
    p = Fraction(chance).limit_denominator(10**6)
    below = Fraction(0)
    for q in range(lines + 1):
        below += comb(lines, q) * p**q * (1 - p) ** (lines - q)
        if 1 - below <= risk:
            return q
    return lines


@settings(deadline=None)
@given(lines=st.integers(0, 90), permille=st.integers(1, 999))
def test_so_many_lines_are_answered_at_the_most_but_for_once_in_a_million(lines, permille):
    """On the edge itself rounding may count one answer more, never one fewer."""
    found = law.likely(lines, permille / 1000)
    million = Fraction(1, 10**6)
    assert _exactly(lines, permille / 1000, million) <= found <= _exactly(lines, permille / 1000, million * 999 / 1000)


@given(lines=st.integers(0, 2000), permille=st.integers(1, 1000))
def test_one_line_more_is_at_most_one_answer_more(lines, permille):
    more = law.likely(lines + 1, permille / 1000) - law.likely(lines, permille / 1000)
    assert more in {0, 1}


@given(answers=st.integers(0, 300), permille=st.integers(5, 1000))
def test_lines_are_added_as_long_as_no_more_answers_are_likely(answers, permille):
    lines = law.lines_within(answers, permille / 1000)
    assert law.likely(lines, permille / 1000) <= answers
    assert lines == law.LINES_MAX or law.likely(lines + 1, permille / 1000) > answers


@given(
    answered=counts, abandoned=counts, cap=caps, up=st.integers(0, 20), ringing=st.integers(0, 200),
    free=st.integers(0, 60), permille=st.integers(10, 1000),
)  # fmt: skip
def test_what_the_mode_probable_lets_start_passes_the_check_of_the_database(
    answered, abandoned, cap, up, ringing, free, permille
):
    """The claim's F makes of the lines what the database takes for uncovered: those that are likely lost."""
    b, chance = budget(answered, min(answered, abandoned), cap), permille / 1000
    room = law.room(b, in_flight=up + ringing, free=free, answered=up, chance=chance)
    lines = up + ringing + room
    covering = law.covering(in_flight=lines, free=free, answered=up, chance=chance)
    uncovered = max(0, lines - covering)
    assert uncovered == max(0, up + law.likely(ringing + room, chance) - free)
    assert not room or law.holds(b, uncovered=uncovered)
    assert room >= law.room(b, in_flight=up + ringing, free=free)


# The present budget -----------------------------------------------------------------


def test_a_target_lowers_the_cap_and_never_raises_it():
    assert law.cap_of(replace(CAMPAIGN, cap_permille=20, target_permille=15)) == 15
    assert law.cap_of(replace(CAMPAIGN, cap_permille=20, target_permille=30)) == 20
    assert law.cap_of(replace(CAMPAIGN, cap_permille=50)) == CAMPAIGN.profile.cap_permille == 30


def test_a_lower_cap_holds_at_once_and_a_new_window_begins_at_nothing():
    b = replace(budget(1000, 20), uncovered=9, cap_permille=30)
    lower = law.present(b, replace(CAMPAIGN, cap_permille=30, target_permille=21), NOON)
    assert (lower.cap_permille, lower.uncovered, lower.answered) == (21, 0, 1000)
    later = law.present(b, CAMPAIGN, b.ends_at)
    assert (later.answered, later.abandoned, later.starts_at) == (
        0,
        0,
        law.window(LegalWindow.DAYS30, b.ends_at, "UTC")[0],
    )


def test_what_is_owed_is_paid_back_by_answers():
    assert law.owed(budget(1000, 30)) == 0
    assert law.owed(budget(1000, 31)) == 34
    assert law.owed(budget(1034, 31)) == 0
    assert law.owed(budget(10, 2, 0)) == 2
