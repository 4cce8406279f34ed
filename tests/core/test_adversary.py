"""No day, however adversarial, has a legal window above its cap: the floor, the cover and the budget together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core import budget as law
from dialer.core.cover import Cover
from dialer.core.floor import Floor
from tests.core.adversary import Adversary
from tests.core.make import NOON, budget

STEPS = 700


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_no_window_is_above_the_cap_at_any_instant(first):
    """Phones vanish, answers come in floods. `scripts/bench budget` lives through 2,000 such days."""
    for seed in range(first, first + 20):
        day = Adversary(Floor(), seed).live(STEPS)
        assert not day.broken, f"seed {seed}"


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_what_no_bound_can_prevent_costs_one_person_each_at_the_most(first):
    """Bridges fail, phones are lost while somebody is being connected or listens to an offer."""
    for seed in range(first, first + 20):
        day = Adversary(Floor(), seed, rough=True).live(STEPS)
        assert day.beyond() <= day.misfortunes, f"seed {seed}"


def test_the_days_come_near_the_cap_and_use_every_means_against_it():
    days = [Adversary(Floor(), seed).live(STEPS) for seed in range(20)]
    assert max(day.worst for day in days) > 0.9
    assert sum(day.cuts for day in days) > 10
    assert sum(day.deferred for day in days) > 10
    assert sum(day.calls for day in days) > 500


def _one_line_more(budget, *, older=0, _true=law.uncovered_max):
    return _true(budget, older=older) + 1


BROKEN_RULES = {
    "nobody cuts a line whose operator is gone": (Cover, "to_cut", lambda *_: []),
    "whoever wants to leave may": (Cover, "may_leave", lambda *_: True),
    "any callee takes any operator": (Cover, "spared", lambda *_: True),
    "one line more than the rule allows": (law, "uncovered_max", _one_line_more),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_without_each_rule_the_cap_would_be_passed(rule, monkeypatch):
    """The tests above can fail."""
    where, name, broken = BROKEN_RULES[rule]
    monkeypatch.setattr(where, name, broken)
    seeds = (*range(60), *range(300, 360))  # taking any operator breaks one day of 150
    assert any(Adversary(Floor(), seed).live(STEPS).broken for seed in seeds)


def test_a_line_of_the_last_window_keeps_new_lines_covered():
    """Whoever is lost might be one of the last window, whose count may be spent."""
    fresh = replace(budget(100, 0), starts_at=NOON)
    assert law.room(fresh, in_flight=3, free=3) == 3
    assert law.room(fresh, in_flight=3, free=3, older=1) == 0
    assert law.room(fresh, in_flight=3, free=5, older=1) == 2
