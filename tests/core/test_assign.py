"""Fair shares of free operators."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.core.assign import shares

CAMPAIGNS = st.dictionaries(
    st.integers(1, 6), st.tuples(st.integers(0, 30), st.floats(0.1, 10, allow_nan=False)), min_size=1
)


@given(free=st.integers(0, 60), campaigns=CAMPAIGNS)
def test_every_free_operator_is_held_for_exactly_one_campaign(free: int, campaigns: dict) -> None:
    held = shares(free, {c: lines for c, (lines, _) in campaigns.items()}, {c: w for c, (_, w) in campaigns.items()})
    assert sum(held.values()) == free
    assert all(n >= 0 for n in held.values())


@given(free=st.integers(0, 60), campaigns=CAMPAIGNS)
def test_lines_in_flight_are_covered_before_anybody_gets_a_spare_operator(free: int, campaigns: dict) -> None:
    lines = {c: n for c, (n, _) in campaigns.items()}
    held = shares(free, lines, {c: w for c, (_, w) in campaigns.items()})
    if any(held[c] > lines[c] for c in held):
        assert all(held[c] >= lines[c] for c in held)


def test_the_weight_decides_when_all_want_more() -> None:
    assert shares(9, {1: 100, 2: 100}, {1: 2.0, 2: 1.0}) == {1: 6, 2: 3}


def test_without_campaigns_nobody_is_held() -> None:
    assert shares(3, {}, {}) == {}
