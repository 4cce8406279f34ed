"""Forecasts of short campaigns hold what they say; ``scripts/bench forecast`` shows it on four hundred."""

from __future__ import annotations

from random import Random

from dialer.core import ahead
from tests.sim.short import live


def test_intervals_hold_about_as_often_as_they_say():
    """Of eight short campaigns on the full simulation most end inside, and nothing is known from after the forecast."""
    held = []
    for seed in range(501, 509):
        truth = live(seed)
        assert truth.known.results <= truth.results
        told = list(ahead.shift(truth.known, truth.plan, lambda i, seed=seed: Random(f"{seed} {i}"), futures=50))
        found = ahead.of_shift(truth.known, truth.plan, told)
        held += [found.results.low <= truth.results <= found.results.high]
        held += [found.left.low <= truth.left <= found.left.high]
    assert 8 <= sum(held) <= 16


def test_a_short_campaign_is_its_seed():
    """The same seed, the same outcome."""
    one, two = live(501), live(501)
    assert (one.results, one.attempts, one.left) == (two.results, two.attempts, two.left)
