"""What one decision costs, beside a fixed arithmetic loop on the same machine at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dialer.core import pacing
from scripts.benches.pace.day import Day
from scripts.benches.pace.ours import Ours, Window
from scripts.benches.pace.world import HOUR_S, Scenario

#: The size of the goal, and multiples of it for the growth.
OPERATORS, RINGING = 300, 900
SIZES = (0.25, 0.5, 1.0, 2.0)
TIMES = 300
#: So many answer where so many lines ring: some of the moments ask for calls, others for none.
ANSWER = 0.06
#: Steps of the loop that the reference machine goes through in a millisecond.
LOOP_STEPS = 25_000
#: The goals: p99 in milliseconds of that loop; the growth from one size to twice of it, linear but for some noise.
RATIO_MAX, GROWTH_MAX = 2.0, 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Milliseconds of processor time of a decision, and how they grow.

    Attributes:
        p99_ms: At the size of the goal.
        ratio: p99 ÷ p99 of the loop beside it: what else goes on in the machine meets both.
        medians_ms: By size.
    """

    p99_ms: float
    ratio: float
    medians_ms: dict[float, float]

    @property
    def growth(self) -> float:
        """From the size of the goal to twice of it."""
        return self.medians_ms[2.0] / self.medians_ms[1.0]

    def misses(self) -> list[str]:
        """Which goals are missed."""
        missed = {"cost of a decision": self.ratio > RATIO_MAX, "growth of its cost": self.growth > GROWTH_MAX}
        return [name for name, miss in missed.items() if miss]

    def sentence(self) -> str:
        """In words."""
        sizes = ", ".join(f"{size * OPERATORS:.0f}: {ms:.2f}" for size, ms in self.medians_ms.items())
        return (
            f"one decision for {OPERATORS} operators and {RINGING} ringing calls: p99 {self.p99_ms:.2f} ms, "
            f"{self.ratio:.2f} of a loop of {LOOP_STEPS} steps; medians by operators: {sizes} ms"
        )


def measure() -> Cost:
    """Decide many times at each size, the loop between the decisions."""
    medians: dict[float, float] = {}
    p99_ms = ratio = 0.0
    for size in SIZES:
        decisions, loops = _timed(size)
        medians[size] = float(np.median(decisions))
        if size == 1.0:
            p99_ms = float(np.percentile(decisions, 99))
            ratio = p99_ms / float(np.percentile(loops, 99))
    return Cost(p99_ms=p99_ms, ratio=ratio, medians_ms=medians)


def _timed(size: float) -> tuple[list[float], list[float]]:
    """Each decision is of a moment of its own, as they are: what is remembered of the last one is of no use."""
    dialer = Ours(Window(answered=1_000_000))
    Day(Scenario(operators=30, p=ANSWER), dialer, 1, until_s=HOUR_S).run()
    decisions, loops = [], []
    for moment in range(TIMES):
        asked = dialer.asked(_busy(size, moment))
        decisions.append(_ms(lambda asked=asked: pacing.decide(*asked)))
        loops.append(_ms(_loop))
    return decisions, loops


def _busy(size: float, seed: int) -> Day:
    """A moment of a large team: hardly anybody is ready, most talk, some write; as many lines as they need."""
    chance = np.random.Generator(np.random.PCG64(seed))
    operators, ringing = int(size * OPERATORS), int(size * RINGING)
    day = Day(Scenario(operators=operators, p=ANSWER), Ours(Window()), seed)
    day.now_s = HOUR_S
    ready = int(chance.integers(0, max(2, operators // 60)))
    writing = operators // 6
    day.ready.extend(range(ready))
    day.talking = dict(enumerate(day.now_s - chance.exponential(100.0, operators - ready - writing), ready))
    day.wrapping_up = dict(enumerate(day.now_s - chance.exponential(20.0, writing), operators - writing))
    day.ringing = dict(enumerate(day.now_s - np.sort(chance.uniform(0, 25.0, ringing))[::-1]))
    day.sent_s = {call: at_s - 2.0 for call, at_s in day.ringing.items()}
    set_up = ringing // 12  # they are set up for a twelfth of the time they ring
    day.setting_up = dict(enumerate(day.now_s - np.sort(chance.uniform(0, 3.0, set_up))[::-1], ringing))
    return day


def _loop() -> float:
    total = 0.0
    for step in range(LOOP_STEPS):
        total += step * 0.5
    return total


def _ms(what: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    what()
    return (time.thread_time_ns() - began) / 1e6
