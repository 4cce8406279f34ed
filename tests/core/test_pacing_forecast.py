"""The law of X is exact, and the harm of one more call moves as it must."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import pacing
from dialer.core.model import Mode
from dialer.core.pacing import Laws, Learned, Policy, Snapshot, forecast
from dialer.core.pacing.laws import RING_STEPS, TALK_AGES
from tests.core.make import budget

LAWS = Laws.plain(answer=0.3, answer_ringing=0.35, talk_s=60)
POLICY = Policy(
    mode=Mode.PREDICTIVE,
    ring_timeout_s=25,
    max_lines_per_operator=50,
    room_budget=1000,
    room_trunk=1000,
    room_starts=1000,
    budget=budget(2000, 20),
)
HORIZON = forecast.Horizon.of(POLICY)
few_ages = st.lists(st.floats(0, 90), max_size=3)
snapshots = st.builds(
    Snapshot,
    ready=st.integers(0, 3),
    talking_s=few_ages,
    wrap_up_s=few_ages,
    setting_up_s=few_ages,
    ringing_s=few_ages,
    waiting=st.integers(0, 2),
)


@given(ring_s=st.floats(1, 30), set_up_s=st.floats(0.2, 6), steps=st.integers(1, 130))
def test_a_ringing_line_is_answered_as_what_is_left_of_the_law_of_the_ring_says(ring_s, set_up_s, steps):
    """At each age: the steps that are left of the ring, of those who answer and of those who do not."""
    laws = Laws.plain(ring_s=ring_s, set_up_s=set_up_s)
    ring, set_up = np.asarray(laws.ring), np.asarray(laws.set_up)
    new, setting_up, ringing, _ = laws.answered_within(steps, ivr=False)
    answered = np.cumsum(np.append(ring, np.zeros(steps)))[: steps + 1]
    for age in (0, 1, 7, RING_STEPS - 1):
        left = np.append(ring[age:], np.zeros(steps + 1))[: steps + 1]
        share = laws.answer_ringing / (laws.answer_ringing * ring[age:].sum() + 1 - laws.answer_ringing)
        assert np.allclose(ringing[age], share * np.cumsum(left), atol=1e-12)
    for age in (0, 3, len(set_up) - 1):
        left = np.append(set_up[age:], np.zeros(steps + 1))[: steps + 1]
        expected = np.convolve(left, answered)[: steps + 1] * laws.answer / max(float(set_up[age:].sum()), 1e-9)
        assert np.allclose(setting_up[age], expected, atol=1e-9)
    assert np.allclose(new, setting_up[0], atol=1e-9)


def outlook(snapshot, laws=LAWS, calls=8):
    return forecast.Outlook([(snapshot, laws, HORIZON)], calls)


def risks(snapshot, calls):
    """P(X <= 0) at each horizon after so many new calls, from the forecast."""
    found = outlook(snapshot)
    found.place(calls)
    return found._risk(found._phi[None], np.zeros(1, np.int64), found.chances[0].new)[0]


def counted(snapshot, calls):
    """The same by counting all that may happen."""
    known = forecast.chances(LAWS, HORIZON)
    busy = len(snapshot.talking_s) + len(snapshot.wrap_up_s)
    chances = [*known.rows[forecast.rows(snapshot, HORIZON)], *[known.new] * calls]
    signs = [1] * busy + [-1] * (len(chances) - busy)
    total = np.zeros(len(known.new))
    for yes in product((0, 1), repeat=len(chances)):
        x = snapshot.ready - snapshot.waiting + sum(sign for sign, y in zip(signs, yes, strict=True) if y)
        if x <= 0:
            total += np.prod([c if y else 1 - c for c, y in zip(chances, yes, strict=True)] or [1], axis=0)
    return total


def decided(snapshot, theta=0.1, laws=LAWS):
    return pacing.decide(snapshot, Learned(laws=laws, theta=theta, n_answer=500, n_talk=100, seen=500), POLICY)


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots, calls=st.integers(0, 2))
def test_the_risk_is_what_counting_every_case_gives(snapshot, calls):
    np.testing.assert_allclose(risks(snapshot, calls), counted(snapshot, calls), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots)
def test_harm_grows_with_each_call(snapshot):
    harms = [float(outlook(snapshot).harms(0, 1)[0]), *outlook(snapshot).harms(1, 8)]
    assert all(more >= less - 1e-12 for less, more in pairwise(harms))
    assert all(-1e-12 <= harm <= 1 + 1e-12 for harm in harms)


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots, theta=st.floats(0.01, 0.5))
def test_calls_are_placed_exactly_while_their_harm_is_allowed(snapshot, theta):
    calls, harm = forecast.ahead(outlook(snapshot, calls=60), theta, 60)
    harms = [float(outlook(snapshot).harms(0, 1)[0]), *outlook(snapshot, calls=60).harms(1, 61)]
    assert calls == next((n for n, each in enumerate(harms) if each > theta), 60)
    assert harm == pytest.approx(harms[calls], abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(snapshot=snapshots, theta=st.floats(0.01, 0.5))
def test_more_free_operators_never_mean_fewer_calls(snapshot, theta):
    more = replace(snapshot, ready=snapshot.ready + 1)
    assert decided(more, theta).calls >= decided(snapshot, theta).calls


@settings(max_examples=100, deadline=None)
@given(snapshot=snapshots, theta=st.floats(0.01, 0.5), age_s=st.floats(0, 40), rings=st.booleans())
def test_more_lines_in_flight_never_mean_more_calls(snapshot, theta, age_s, rings):
    if rings:
        more = replace(snapshot, ringing_s=[*snapshot.ringing_s, age_s])
    else:
        more = replace(snapshot, setting_up_s=[*snapshot.setting_up_s, age_s])
    assert decided(more, theta).calls <= decided(snapshot, theta).calls


@settings(max_examples=60, deadline=None)
@given(snapshot=snapshots, theta=st.floats(0.01, 0.5), age_s=st.floats(0, 200), older_s=st.floats(0, 200))
def test_where_talks_end_the_sooner_the_longer_they_last_older_ones_never_mean_fewer_calls(
    snapshot, theta, age_s, older_s
):
    ageing = replace(LAWS, talk=tuple(0.001 + age / 3000 for age in TALK_AGES))
    young = replace(snapshot, talking_s=[*snapshot.talking_s, age_s])
    old = replace(snapshot, talking_s=[*snapshot.talking_s, age_s + older_s])
    assert decided(old, theta, ageing).calls >= decided(young, theta, ageing).calls


def crowd(operators):
    """A busy team of this size, its ages spread over the likely ones."""
    talking, writing = int(operators * 0.8), int(operators * 0.18)
    return Snapshot(
        ready=operators - talking - writing,
        talking_s=np.linspace(0, 200, talking).tolist(),
        wrap_up_s=np.linspace(0, 30, writing).tolist(),
        setting_up_s=np.linspace(0, 4, operators // 4).tolist(),
        ringing_s=np.linspace(0, 25, operators // 3).tolist(),
    )


@pytest.mark.parametrize("operators", [60, 100, 300])
def test_a_large_team_is_summed_by_age_and_comes_to_the_same(monkeypatch, operators):
    """Logarithms by age in a window of some standard deviations, against the product over everybody."""
    summed = outlook(crowd(operators)).harms(1, 4)
    monkeypatch.setattr(forecast, "FEW", 1000)
    multiplied = outlook(crowd(operators)).harms(1, 4)
    np.testing.assert_allclose(summed, multiplied, atol=5e-5)
    assert 0.001 < multiplied[0] < 0.999


def test_who_waits_for_an_operator_stands_before_the_others():
    assert risks(Snapshot(ready=2, waiting=1), 1) == pytest.approx(risks(Snapshot(ready=1), 1))


def test_without_anybody_busy_or_ringing_there_is_a_call_for_each_free_operator_and_no_risk():
    harms = outlook(Snapshot(ready=3)).harms(1, 3)
    assert harms[:2] == pytest.approx([0, 0], abs=1e-12)
    assert harms[2] > 0
