"""Whole campaign days with faults: the engine on a simulated switch, a database in memory and simulated time.

A day is 8 simulated hours, 5 operators, 1,000 contacts in one campaign or, on a third of the days, in two or three that
blend, and whatever its seed lets break (the engine killed at any await, before and after commits and writes, frozen,
doubled; the switch restarted; the link cut, mute, slow, losing and doubling events; the database down, slow, losing
answers; the clock set). The invariants of promises.md are watched from outside after every step. A failure prints its
seed and the command that repeats it.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.day import DayReport

#: The goals.
DAYS_PER_S = 0.5
PROCESSES_MAX = 2


@dataclass(slots=True)
class Sum:
    """What all days were together."""

    days: int = 0
    violations: int = 0
    cpu_s: float = 0.0
    attempts: int = 0
    talks: int = 0
    faults: int = 0
    deaths: int = 0
    exceptions: Counter[str] = field(default_factory=Counter)

    def add(self, report: DayReport) -> None:
        """Count one day."""
        self.days += 1
        self.violations += report.failure is not None
        self.cpu_s += report.cpu_s
        self.attempts += report.attempts
        self.talks += report.talks
        self.faults += report.faults.total()
        self.deaths += report.deaths
        self.exceptions += report.exceptions

    @property
    def days_per_s(self) -> float:
        """Days a core lives through in a second of its time."""
        return self.days / self.cpu_s if self.cpu_s else 0.0

    def line(self) -> str:
        """The last line."""
        good = self.violations == 0 and self.days_per_s >= DAYS_PER_S
        return (
            f"simulate: {'' if good else 'falls short; '}{self.days} days, {self.violations} violations, "
            f"{self.days_per_s:.2f} days/s on a core (goal {DAYS_PER_S:g}), {self.attempts} attempts, "
            f"{self.talks} talks, {self.faults} faults, {self.deaths} deaths of an engine, "
            f"{self.exceptions.total()} lost by an honest exception"
        )


def one(seed: int) -> DayReport:
    """Live through one day; in a process of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.sim.day import run_day  # noqa: PLC0415  # the tests are no part of the package

    if not gc.get_freeze_count():  # once a process: what is left of a day and frozen with them would stay for ever
        gc.freeze()  # modules and numbers live on: nobody need look through them again
        gc.set_threshold(50_000, 20, 100)  # a day makes little that goes in circles, and that goes after it
    gc.collect()  # the day before
    report = run_day(seed)
    report.recent = ()  # what happened last is long, and the seed repeats it
    return report


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench simulate", description=__doc__)
    parser.add_argument("--days", type=int, default=300)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        choices=range(1, PROCESSES_MAX + 1),
        help="two are done sooner and slow each other down: cores share caches and memory",
    )
    given = parser.parse_args(argv)
    total = Sum()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a day is measured on one core, and its arrays are small
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for report in pool.imap_unordered(one, range(given.first, given.first + given.days)):
            total.add(report)
            if report.failure is not None:
                print(report.sentence(), flush=True)
            if total.days % 20 == 0:
                print(f"{total.days} days, {total.violations} violations, {total.days_per_s:.2f} days/s", flush=True)
    for reason, lost in total.exceptions.most_common():
        print(f"lost because {reason}: {lost}")
    print(total.line())
    return 0 if total.violations == 0 and total.days_per_s >= DAYS_PER_S else 1
