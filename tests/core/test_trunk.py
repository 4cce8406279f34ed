"""Starts on a trunk come one after the other, and a trunk that fails is left alone until it works again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import retry
from dialer.core.model import AttemptState, EndedBy, LiveAttempt, Outcome
from dialer.core.trunk import CALLS, PROBE_S, Breaker, Starts, failed_by_trunk
from tests.core.floors import CAMPAIGN, NOON, attempt_id

rates = st.sampled_from([0.2, 1.0, 3.0, 7.5, 20.0, 100.0])


@given(rate=rates, waits=st.lists(st.floats(0, 1.5), min_size=1, max_size=150))
def test_no_second_has_more_starts_than_the_trunk_allows(rate, waits):
    """Whoever asks whenever, and starts as many as there is room for, each at its time."""
    starts, now_s, at = Starts(), 1000.0, []
    for wait_s in waits:
        now_s += wait_s
        for _ in range(starts.room(now_s, rate, 0.3)):
            now_s += starts.wait_s(now_s)
            starts = starts.started(now_s, rate)
            at.append(now_s)
    most = max(1, -(-rate // 1))
    for i, first in enumerate(at):
        assert sum(first <= other < first + 1 - 1e-6 for other in at[i:]) <= most


@given(rate=rates, within_s=st.floats(0, 1))
def test_all_there_is_room_for_start_in_time(rate, within_s):
    starts, now_s = Starts().started(1000.0, rate), 1000.0
    for _ in range(starts.room(1000.0, rate, within_s)):
        now_s += starts.wait_s(now_s)
        starts = starts.started(now_s, rate)
    assert now_s <= 1000.0 + within_s + 1e-6
    assert starts.next_at_s > 1000.0 + within_s - 1e-6


def call(n=1, *, sent_s=0.0, rang=False):
    at = NOON + timedelta(seconds=sent_s)
    return LiveAttempt(
        id=attempt_id(n),
        campaign_id=1,
        contact_id=n,
        phone_id=n,
        e164="+12025550101",
        number=1,
        counted=0,
        state=AttemptState.RINGING if rang else AttemptState.SENT,
        sent_at=at,
        rang_at=at if rang else None,
    )


def end(outcome, sip_code=None, *, sent_s=0.0, rang=False):
    attempt = call(sent_s=sent_s, rang=rang)
    return retry.ended(attempt, CAMPAIGN, outcome, ended_by=EndedBy.CALLEE, ended_at=attempt.sent_at, sip_code=sip_code)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def off(breaker=None):
    breaker = breaker or Breaker()
    for _ in range(CALLS):
        breaker = breaker.ended(end(Outcome.CONGESTION, 503), NOON)
    return breaker


def test_a_trunk_is_off_after_more_than_half_of_twenty_calls_failed():
    breaker = Breaker()
    for place in range(CALLS):
        assert breaker.room(NOON) is None
        word = Outcome.CONGESTION if place % 2 or place == 0 else Outcome.NO_ANSWER
        breaker = breaker.ended(end(word, 503 if word is Outcome.CONGESTION else 480), NOON)
    assert breaker.failures == 11
    assert (breaker.off_since, breaker.room(NOON)) == (NOON, 0)


def test_half_is_not_yet_too_many():
    breaker = Breaker()
    for place in range(5 * CALLS):
        breaker = breaker.ended(end(Outcome.FAILED if place % 2 else Outcome.BUSY), NOON)
    assert breaker.off_since is None


def test_one_call_in_thirty_seconds_tries_a_trunk_that_is_off():
    breaker = off()
    assert breaker.room(at(PROBE_S - 0.1)) == 0
    assert breaker.room(at(PROBE_S)) == 1
    breaker = breaker.sent(at(PROBE_S))
    assert breaker.room(at(PROBE_S + 1)) == 0
    breaker = breaker.ended(end(Outcome.CONGESTION, 503, sent_s=PROBE_S), at(PROBE_S + 2))
    assert breaker.room(at(2 * PROBE_S - 0.1)) == 0
    assert breaker.room(at(2 * PROBE_S)) == 1


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.REJECTED, Outcome.INVALID_NUMBER, Outcome.NO_ANSWER])
def test_a_try_the_network_took_turns_the_trunk_on(outcome):
    assert off().ended(end(outcome, 486, sent_s=PROBE_S), at(PROBE_S + 9)) == Breaker()


def test_a_try_that_rings_turns_the_trunk_on_at_once():
    assert off().rang(call(sent_s=PROBE_S)) == Breaker()


def test_a_call_sent_before_the_trunk_went_off_says_nothing_of_it():
    breaker = off()
    assert breaker.rang(call(sent_s=-5)) == breaker
    assert breaker.ended(end(Outcome.BUSY, 486, sent_s=-5), at(3)) == breaker


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 40), st.sampled_from(["fails", "works", "says nothing"])), min_size=1, max_size=200
    )
)
def test_a_trunk_that_is_off_gets_one_call_in_thirty_seconds_and_comes_back(steps):
    """Whatever happens: calls start only where there is room, and the first that works ends it."""
    breaker, now_s, tried_at = Breaker(), 0.0, float("-inf")
    for wait_s, word in steps:
        now_s += wait_s
        room = breaker.room(at(now_s))
        if room == 0:
            assert now_s - tried_at < PROBE_S + 1e-5
            continue
        was_off = breaker.off_since is not None
        assert not was_off or now_s - tried_at >= PROBE_S - 1e-5
        breaker = breaker.sent(at(now_s))
        outcome = {"fails": Outcome.CONGESTION, "works": Outcome.BUSY, "says nothing": Outcome.CANCELLED}[word]
        breaker = breaker.ended(end(outcome, sent_s=now_s), at(now_s))
        if was_off or breaker.off_since is not None:
            tried_at = now_s
        assert (breaker.off_since is None) or word != "works"


@pytest.mark.parametrize(
    ("outcome", "sip_code"),
    [(Outcome.CONGESTION, 503), (Outcome.FAILED, 500), (Outcome.NO_ANSWER, 408), (Outcome.REJECTED, 403)],
)
def test_whom_the_trunk_failed_was_not_tried(outcome, sip_code):
    """No attempt of the contact is used; the contact comes back as after a failure of ours."""
    ended = end(outcome, sip_code)
    assert failed_by_trunk(ended.attempt, outcome, sip_code)
    assert not ended.counts
    assert ended.closes is None
    assert ended.next_at == NOON + timedelta(seconds=retry.DEFAULT[Outcome.FAILED].delay_s)


@pytest.mark.parametrize(("outcome", "sip_code"), [(Outcome.NO_ANSWER, 480), (Outcome.REJECTED, 603)])
def test_whoever_did_not_want_to_talk_was_tried(outcome, sip_code):
    assert end(outcome, sip_code).counts


def test_a_call_that_rang_was_carried_whatever_the_trunk_says_then():
    assert failed_by_trunk(call(rang=True), Outcome.NO_ANSWER, 408) is False
    assert failed_by_trunk(replace(call(), answered_at=NOON), Outcome.FAILED, 500) is False
    assert end(Outcome.NO_ANSWER, 408, rang=True).counts
