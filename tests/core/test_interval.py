"""Shares are told with how sure they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.interval import verdict, wilson


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_is_wilsons(hits, tries, low, high):
    """The last one is the example of Newcombe, Statistics in Medicine 17 (1998), table I."""
    assert wilson(hits, tries) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(0, 500), st.integers(0, 500))
def test_it_holds_the_share_and_stays_a_share(hits, misses):
    low, high = wilson(hits, hits + misses)
    assert 0 <= low <= high <= 1
    if hits + misses:
        assert low - 1e-12 <= hits / (hits + misses) <= high + 1e-12


def test_an_unlucky_hour_blames_nobody():
    assert verdict(0, 12, 0.1) == "usual"
    assert verdict(0, 120, 0.1) == "below"
    assert verdict(40, 120, 0.1) == "above"
    assert verdict(0, 0, 0.1) == "usual"
