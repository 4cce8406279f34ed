"""The share of abandoned calls never passes the cap, whatever happens, because only a claim could break it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import budget as law
from dialer.core.model import LegalWindow
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


@dataclass
class Floor:
    """Lines, operators and counts of one campaign, with a chance that is against us."""

    cap: int
    chance: Random
    greedy: bool
    answered: int = 0
    abandoned: int = 0
    lines: int = 0
    free: int = 0
    busy: int = 0
    claims: list[int] = field(default_factory=list)

    @property
    def budget(self):
        return budget(self.answered, self.abandoned, self.cap)

    def claim(self) -> None:
        room = law.room(self.budget, in_flight=self.lines, free=self.free)
        started = room if self.greedy else self.chance.randint(0, room)
        started = min(started, 200 - self.lines)
        self.lines += max(0, started)
        self.claims.append(max(0, self.lines - self.free))

    def answer(self) -> None:
        if not self.lines:
            return
        self.lines -= 1
        self.answered += 1
        if self.free:
            self.free, self.busy = self.free - 1, self.busy + 1
        else:
            self.abandoned += 1

    def no_answer(self) -> None:
        self.lines -= bool(self.lines)

    def call_over(self) -> None:
        if self.busy:
            self.free, self.busy = self.free + 1, self.busy - 1

    def come(self) -> None:
        self.free += self.free + self.busy < 30

    def leave(self) -> None:
        if self.free and law.may_leave(self.budget, in_flight=self.lines, free=self.free):
            self.free -= 1

    def vanish(self) -> None:
        """A phone is gone: ringing lines nobody covers are cut before anything else can happen."""
        if self.free:
            self.free -= 1
            self.lines -= law.to_cut(self.budget, in_flight=self.lines, free=self.free, ringing=self.lines)


STEPS = ("claim", "claim", "answer", "answer", "no_answer", "call_over", "come", "leave", "vanish")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), cap=st.sampled_from([0, 10, 20, 30, 50]), greedy=st.booleans())
def test_the_cap_holds_at_every_instant_of_any_day(seed, cap, greedy):
    """Answers come in floods, operators come, pause and vanish, the pacing is as greedy as it may be."""
    chance = Random(seed)
    floor = Floor(cap=cap, chance=chance, greedy=greedy)
    for _ in range(1500):
        step = chance.choice(STEPS)
        for _ in range(chance.choice((1, 1, 1, 40))):
            getattr(floor, step)()
            assert floor.abandoned * 1000 <= cap * floor.answered
            assert law.holds(floor.budget, uncovered=max(0, floor.lines - floor.free))


def test_without_the_cut_a_vanished_phone_would_break_the_cap():
    """The test above can fail: lose the operators of covered lines and cut nothing."""
    floor = Floor(cap=30, chance=Random(1), greedy=True)
    for _ in range(10):
        floor.come()
    floor.claim()
    floor.free = 0
    for _ in range(10):
        floor.answer()
    assert floor.abandoned * 1000 > floor.cap * floor.answered


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


def test_only_what_rings_can_be_cut():
    assert law.to_cut(budget(0, 0), in_flight=5, free=1, ringing=2) == 2
    assert law.to_cut(budget(0, 0), in_flight=5, free=5, ringing=5) == 0


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
