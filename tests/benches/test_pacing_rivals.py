"""The rivals of the pacing benchmark, and the bound, are what their formulas say."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from scripts.benches.pace import known
from scripts.benches.pace.day import Count, Day, Dialer, Progressive
from scripts.benches.pace.laws import Laws
from scripts.benches.pace.oracle import Oracle, _log_bernoulli, _whole
from scripts.benches.pace.rivals import Issabel, Settings, Vici, _hhmm
from scripts.benches.pace.runs import CAP, Lived, days_of, live, planned
from scripts.benches.pace.table import misses, rows
from scripts.benches.pace.tune import _best_level, found, searches
from scripts.benches.pace.world import DAY_S, HOUR_S, WAIT_S, Draws, Scenario, scenario, thirty


def lived(name: str, dialer: Dialer, hours: float = 8.0) -> Count:
    return Day(scenario(name), dialer, 1, until_s=hours * HOUR_S).run()


def test_vicidial_with_usual_settings_stays_near_one_line_per_operator() -> None:
    usual, progressive = lived("30:0.25", Vici(Settings())), lived("30:0.25", Progressive())
    assert usual.busy == pytest.approx(progressive.busy, abs=0.01)
    assert 0 < usual.lost < 0.035


def test_vicidial_grows_busier_with_its_greatest_level_and_loses_more() -> None:
    counts = [
        lived("30:0.25", Vici(Settings(level_max=level, target=1e6, drop_permille=1000))) for level in (1.0, 1.3, 1.6)
    ]
    assert sorted(counts, key=lambda count: count.busy) == counts
    assert sorted(counts, key=lambda count: count.lost) == counts


def test_vicidial_halves_its_level_when_half_of_a_minute_is_dropped() -> None:
    dialer = Vici(Settings(level_max=10.0, target=1e6, drop_permille=1000))
    dialer.level = 8.0
    day = Day(scenario("30:0.25"), dialer, 1)
    for call in range(30):
        dialer.answered(call, 0.0)
        if call % 3:
            dialer.abandoned(call, 0.0)
    dialer._drop_rules(day)
    assert dialer.level == 4.0


@pytest.mark.parametrize(("method", "level"), [("hard", 1.0), ("average", 2.0), ("tapered", 4.0 * 0.8)])
def test_vicidial_lowers_its_level_over_the_drop_limit(method: str, level: float) -> None:
    dialer = Vici(Settings(level_max=10.0, method=method, drop_permille=30))
    dialer.level = 4.0
    day = Day(scenario("30:0.25"), dialer, 1)
    day.count.answered, day.count.abandoned = 100, 4
    dialer._drop_rules(day)
    assert dialer.level == pytest.approx(level)


def test_a_vicidial_clock_subtracts_like_numbers() -> None:
    assert (_hhmm(0.0), _hhmm(4.5 * HOUR_S), _hhmm(DAY_S)) == (900, 1330, 1700)


@pytest.mark.parametrize("name", ["3:0.25", "10:0.25"])
def test_issabel_loses_more_than_eight_percent_in_small_teams(name: str) -> None:
    assert lived(name, Issabel()).lost > 0.08


@pytest.mark.parametrize("length", [8, 32])
def test_the_transform_finds_the_risk_exactly(length: int) -> None:
    """Against all outcomes of three operators and three lines."""
    up, down = np.array([0.3, 0.8, 0.05]), np.array([0.5, 0.1, 0.9])
    wave = np.exp(2j * np.pi * np.arange(length // 2 + 1) / length)[None, :, None]
    log_phi = _log_bernoulli(up[:, None], wave).sum(0) + _log_bernoulli(down[:, None], wave.conj()).sum(0)
    risk = float((np.exp(log_phi) * _whole(length)).sum().real)
    chances = np.concatenate([up, down])
    exact = 0.0
    for outcome in product((0, 1), repeat=6):
        if sum(outcome[:3]) - sum(outcome[3:]) <= 0:
            exact += float(np.prod(np.where(outcome, chances, 1 - chances)))
    assert risk == pytest.approx(exact, abs=1e-9)


def draws(world: Scenario, chunks: int = 30) -> Draws:
    made = Draws(world, 5)
    for _ in range(chunks):
        made.more_calls()
        made.more_talks()
    return made


@pytest.mark.parametrize("name", ["3:0.25", "3:0.25:humps"])
def test_the_bound_knows_how_talks_end(name: str) -> None:
    made, laws = draws(scenario(name)), Laws(scenario(name), 0.0)
    talk, both = np.array(made.talk_s), np.array(made.talk_s) + np.array(made.wrap_up_s)
    known_chances = laws.talk_over(np.array([10.0, 20.0]))
    rows_of = laws.bins()[2] - laws.bins()[2][0]
    for age in (5.0, 31.0, 120.0):
        alive = talk > age
        for column, within in enumerate((10.0, 20.0)):
            seen = (both[alive] <= age + within).mean()
            assert known_chances[rows_of[int(2 * age)], column] == pytest.approx(seen, abs=0.015)


@pytest.mark.parametrize("name", ["3:0.25", "3:0.1:slow"])
def test_the_bound_knows_when_calls_are_answered(name: str) -> None:
    world = scenario(name)
    made, laws = draws(world), Laws(world, 0.0)
    answers = np.array(made.fate) < world.p
    set_up, ring = np.array(made.set_up_s), np.array(made.ring_s)
    horizons = laws.horizons()
    assert np.quantile((set_up + ring)[answers], [0.05, 0.45, 0.95]) == pytest.approx(horizons[[0, 4, 9]], rel=0.03)
    from_set_up = laws.answered_from_set_up(horizons)[0]
    assert from_set_up[4] == pytest.approx((answers & (set_up + ring <= horizons[4])).mean(), abs=0.01)
    rings = answers | ((np.array(made.fate) - world.p) / (1 - world.p) >= 0.22)
    alive = rings & (~answers | (ring > 6.25))
    from_ringing = laws.answered_from_ringing(np.array([5.0]))[12, 0]
    assert from_ringing == pytest.approx((answers & alive & (ring <= 11.25))[alive].mean(), abs=0.012)
    assert horizons[-1] + WAIT_S < 60


def test_the_bound_reaches_what_is_known_of_it() -> None:
    world = scenario("10:0.5")
    count = lived("10:0.5", Oracle(world, 0.036))
    assert count.lost == pytest.approx(CAP, abs=0.012)
    assert count.busy == pytest.approx(0.72, abs=0.02)


def test_a_search_finds_the_greatest_level_within_the_cap() -> None:
    run = planned(scenario("10:0.5"), "vici", days=1)
    best = _best_level(run, Settings(target=1e6, drop_permille=1000, available_only=True))
    assert best.lost <= CAP
    assert best.busy > live(planned(scenario("10:0.5"), "1:1", days=1)).count.busy


def test_every_scenario_has_a_bound_above_the_best_settings_of_the_rival() -> None:
    for world in thirty():
        bound, vici = known.bound(world, DAY_S), known.vici(world, DAY_S)
        assert bound is not None
        assert vici is not None
        assert bound.busy > vici.busy


def judged(name: str, busy: float, worst: float = 0.029) -> list[str]:
    count = Count(available_s=1000.0, talk_s=1000.0 * busy)
    run = planned(scenario(name), "ours")
    return misses(rows([Lived(run=run, count=count, worst=worst)]))


def test_goals_are_missed_below_the_bound_below_the_rival_and_above_the_cap() -> None:
    bound = known.bound(scenario("10:0.25"), DAY_S)
    assert bound is not None
    assert judged("10:0.25", 0.99 * bound.busy) == []
    assert "10:0.25 0.970 of the bound" in judged("10:0.25", 0.97 * bound.busy)
    assert "10:0.25 not above VICI" in judged("10:0.25", 0.6)
    assert judged("10:0.25", bound.busy, worst=0.0301) == ["10:0.25 over the cap"]


def test_a_cold_first_day_has_its_own_goal_and_the_other_mode_is_no_bound() -> None:
    count = Count(available_s=1000.0, talk_s=600.0)
    runs = [planned(scenario("10:0.25"), "ours", window=window) for window in ("cold", "probable", "1")]
    found = misses([], [Lived(run=run, count=count, worst=0.031) for run in runs])
    bound = known.bound(scenario("10:0.25"), DAY_S)
    assert bound is not None
    assert found == [
        "10:0.25 over the cap",
        "10:0.25 over the cap",
        "10:0.25 cold 0.600 of 0.626",
        f"10:0.25 probable {0.6 / bound.busy:.3f} of the bound",
    ]


def test_a_search_that_was_broken_off_goes_on_with_what_is_missing() -> None:
    for run in searches():
        part = "vici" if run.dialer == "vici" else "bounds"
        figures = json.loads(known.KNOWN.read_text())[part].get(known.name(run.world, run.until_s), {})
        assert found(run) is (figures.get("source") == "search")
    assert found(planned(scenario("10:0.25"), "bound"))


def test_a_first_day_in_the_table_is_held_to_the_goal_of_first_days() -> None:
    """``--window cold`` and ``--window probable``."""
    bound = known.bound(scenario("10:0.25"), DAY_S)
    assert bound is not None
    busy = 0.96 * bound.busy
    for window in ("cold", "probable"):
        run = planned(scenario("10:0.25"), "ours", window=window)
        assert misses(rows([Lived(run=run, count=Count(available_s=1000.0, talk_s=1000 * busy))])) == []


def test_a_rival_begins_each_day_anew_so_that_settings_come_to_what_the_search_found() -> None:
    run = planned(scenario("10:0.5"), "vici")
    settings = known.settings(run.world, run.until_s)
    assert settings is not None
    assert days_of(run, lambda: Vici(settings)) == live(run).count
