"""Whole campaign days under seeds: 8 hours, 5 operators, 1,000 contacts, and everything that can break.

A failure prints its seed and the command that repeats it. Seeds that once failed stay here for ever.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.sim.day import Shape, run_day
from tests.sim.faults import KINDS

#: Seeds that showed a defect once, and what it was.
REGRESSIONS = {
    3: "the clock was set back during a conversation: its operator stayed in wrap-up for an hour",
    11: "a call in the first seconds after a step of the clock broke the gap between two calls",
    104: "what happened while the clock was wrong was dated by it",
    116: "two lost events made a talking operator look free, and the next callee tore the first one out",
    204: "a promise held the operator another campaign's line counted on: both callees were lost",
    466: "a pause was answered, the engine died before it was stored, and the operator got a call",
}
#: The same for days on which nothing breaks.
CALM_REGRESSIONS = {
    1: "a deferred pause was given while another campaign's line counted on the operator",
    2: "a callee was refused the operator whose pause was deferred; calls of the last hour made room in this one",
}
SHORT = Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=240.0)


@pytest.mark.parametrize("seed", [*REGRESSIONS, *(seed for seed in range(1, 15) if seed not in REGRESSIONS)])
def test_nothing_that_must_never_happen_happens_on_a_bad_day(seed):
    """The engine, the switch, the link, the database and the clock fail, and every invariant holds."""
    report = run_day(seed, Shape(campaigns=3 if seed in REGRESSIONS else 0))
    assert report.failure is None, report.failure
    assert report.attempts > 500


@pytest.mark.parametrize("seed", CALM_REGRESSIONS)
def test_a_calm_day_is_a_day_without_exceptions(seed):
    """With nothing broken nobody is lost beyond the budget, no attempt ends unknown, nearly all promises are kept."""
    report = run_day(seed, Shape(campaigns=3, fault_every_s=1e9))
    assert report.failure is None, report.failure
    assert report.outcomes["unknown"] == report.deaths == 0
    assert set(report.exceptions) <= {"an operator's phone was lost"}
    assert sum(late_s <= 60 for late_s in report.first_dials) > 0.7 * len(report.first_dials)


@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_alone_breaks_nothing(kind):
    """An hour and a half of one kind of weather, every two minutes."""
    report = run_day(1, Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=120.0, faults=(kind,)))
    assert report.failure is None, report.failure
    assert report.faults[kind] > 0


@pytest.mark.parametrize("seed", range(1, 5))
def test_whoever_loads_the_page_again_in_a_talk_talks_on(seed):
    """Every third conversation; with everything else that can break, and without: then nothing is lost by it."""
    bad = run_day(seed, replace(SHORT, reloads=0.3))
    assert bad.failure is None, bad.failure
    calm = run_day(seed, replace(SHORT, reloads=0.3, fault_every_s=1e9))
    assert calm.failure is None, calm.failure
    assert min(bad.talked_on, calm.talked_on) >= 5
    assert calm.outcomes["unknown"] == 0


@pytest.mark.parametrize("seed", range(1, 7))
def test_operators_who_look_first_are_never_left_with_a_contact_nor_it_with_them(seed):
    """Beside campaigns that dial ahead, on bad days and on calm ones: one contact each, called once, given back always."""
    bad = run_day(seed, replace(SHORT, previews=True, campaigns=0, fault_every_s=180.0))
    assert bad.failure is None, bad.failure
    calm = run_day(seed, replace(SHORT, previews=True, campaigns=0, fault_every_s=1e9))
    assert calm.failure is None, calm.failure
    assert calm.outcomes["abandoned"] <= 1
    assert min(bad.looked["called"], calm.looked["called"]) > 20
    assert min(bad.looked["skipped"], calm.looked["skipped"]) > 2
    assert calm.looked["returned"] < calm.looked["called"] / 5


@pytest.mark.parametrize("seed", range(1, 5))
def test_numbers_that_operators_type_are_called_once_under_the_same_rules(seed):
    """Of the bases, of the do-not-call list and of strangers; in their pauses, beside campaigns that dial ahead."""
    typed = replace(SHORT, by_hand=0.9, campaigns=0)
    bad = run_day(seed, replace(typed, previews=seed % 2 == 0, fault_every_s=180.0))
    assert bad.failure is None, bad.failure
    calm = run_day(seed, replace(typed, fault_every_s=1e9))
    assert calm.failure is None, calm.failure
    assert min(bad.by_hand, calm.by_hand) >= 5
    assert calm.outcomes["unknown"] == 0


@pytest.mark.parametrize("seed", range(1, 7))
def test_whoever_calls_the_shown_number_back_is_put_through_or_told_and_called(seed):
    """On bad days and on calm ones: rung in vain, abandoned, spoken to, rung this moment, strangers, impatient ones."""
    returns = replace(SHORT, returns=0.3, previews=seed % 2 == 0, reloads=0.2 * (seed % 3 == 0), campaigns=0)
    bad = run_day(seed, replace(returns, fault_every_s=150.0))
    assert bad.failure is None, bad.failure
    calm = run_day(seed, replace(returns, fault_every_s=1e9))
    assert calm.failure is None, calm.failure
    for day in (bad, calm):
        assert min(day.returns["connected"], day.returns["missed"], day.urgent["kept"]) >= 3
        assert day.returns["unknown"] > 0
    assert calm.outcomes["unknown"] == 0
    assert set(calm.exceptions) <= {"an operator's phone was lost"}


@pytest.mark.parametrize("seed", [2, 4, 7])
def test_an_engine_keeps_its_lease_while_the_database_loses_answers(seed):
    """A renewal that was lost is tried again soon; for two minutes each third one is."""
    report = run_day(
        seed, Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=120.0, faults=("commit_answers_lost",))
    )
    assert report.failure is None, report.failure
    assert report.faults["commit_answers_lost"] > 10
    assert report.deaths == 0


def test_one_seed_is_one_history():
    """The same seed lives the same day, event by event, also in another process."""
    first, second = run_day(7, SHORT), run_day(7, SHORT)
    assert first.history == second.history
    command = "from tests.sim.test_days import *; print(run_day(7, SHORT).history)"
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    other = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    assert other.stdout.strip() == first.history


def test_another_seed_is_another_history():
    """Seeds are different days, not the same one again."""
    assert run_day(7, SHORT).history != run_day(8, SHORT).history


def test_a_failure_says_how_to_repeat_it(monkeypatch):
    """Seed, step, commit and the command are printed."""
    from tests.sim.checker import Checker

    monkeypatch.setattr(Checker, "i31_outcomes_add_up", lambda self: self.fails("I31", on="purpose"))
    report = run_day(5, SHORT)
    assert report.failure is not None
    assert "seed 5, step" in report.failure
    assert "python -m tests.sim.day --seed 5 --hours 1.5" in report.failure
