"""What the end of an attempt means for the contact, the number, the legal count and a promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import dispositions, retry
from dialer.core.model import COUNTED, AttemptState, CallbackState, EndedBy, Outcome, RetryRule
from tests.core.make import ANSWERED, ATTEMPT, CAMPAIGN, CONNECTED, NEVER_RANG, NOON, PROFILE

END = NOON + timedelta(minutes=2)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GAP = timedelta(seconds=PROFILE.min_gap_s)
KINDS = MappingProxyType({kind.code: kind for kind in dispositions.DEFAULT})

attempts = st.sampled_from([ATTEMPT, ANSWERED, CONNECTED, NEVER_RANG])


def end(attempt, outcome, campaign=CAMPAIGN):
    return retry.ended(attempt, campaign, outcome, ended_by=EndedBy.CALLEE, ended_at=END)


@pytest.mark.parametrize(
    ("attempt", "outcome", "after"),
    [
        (ATTEMPT, Outcome.BUSY, 15 * MINUTE),
        (ATTEMPT, Outcome.NO_ANSWER, 3 * HOUR),
        (ANSWERED, Outcome.MACHINE, 4 * HOUR),
        (ATTEMPT, Outcome.REJECTED, DAY),
        (ANSWERED, Outcome.EARLY_HANGUP, DAY),
        (ANSWERED, Outcome.ABANDONED, 3 * DAY),
        (ANSWERED, Outcome.OFFER_ENDED, 30 * DAY),
        (CONNECTED, Outcome.CONNECTED, DAY),
        (ATTEMPT, Outcome.UNKNOWN, DAY),
        (ANSWERED, Outcome.UNKNOWN, 3 * DAY),
        (NEVER_RANG, Outcome.CONGESTION, 5 * MINUTE),
        (NEVER_RANG, Outcome.FAILED, 5 * MINUTE),
        (NEVER_RANG, Outcome.NOT_SENT, MINUTE),
        (NEVER_RANG, Outcome.CANCELLED, GAP),
    ],
)
def test_each_outcome_has_its_delay(attempt, outcome, after):
    assert end(attempt, outcome).next_at == END + after


@given(attempt=attempts, outcome=st.sampled_from(Outcome))
def test_an_attempt_is_used_up_by_the_list_of_the_product(attempt, outcome):
    """Cancelling counts once somebody's telephone rang."""
    expected = outcome in COUNTED or (outcome is Outcome.CANCELLED and attempt.rang_at is not None)
    assert end(attempt, outcome).counts is expected


@given(attempt=attempts, outcome=st.sampled_from(Outcome), operator_free=st.booleans())
def test_whoever_is_abandoned_was_answered_and_nobody_connected_is_abandoned(attempt, outcome, operator_free):
    ended = end(attempt, outcome, replace(CAMPAIGN, operator_free=operator_free))
    assert ended.legal_answered or not ended.legal_abandoned
    if outcome is Outcome.CONNECTED:
        assert (ended.legal_answered, ended.legal_abandoned) == (True, False)
    if operator_free:
        assert not ended.legal_abandoned


@pytest.mark.parametrize(
    ("attempt", "outcome", "count"),
    [
        (ANSWERED, Outcome.ABANDONED, (True, True)),
        (ANSWERED, Outcome.UNKNOWN, (True, True)),
        (CONNECTED, Outcome.UNKNOWN, (True, False)),
        (ATTEMPT, Outcome.UNKNOWN, (False, False)),
        (ANSWERED, Outcome.EARLY_HANGUP, (False, False)),
        (ANSWERED, Outcome.MACHINE, (False, False)),
        (ANSWERED, Outcome.OFFER_ENDED, (True, False)),
        (ANSWERED, Outcome.CANCELLED, (True, True)),
        (ATTEMPT, Outcome.NO_ANSWER, (False, False)),
    ],
)
def test_the_legal_count_takes_what_nobody_saw_against_us(attempt, outcome, count):
    """An early hang-up is in neither count, so it never makes room for an abandon."""
    ended = end(attempt, outcome)
    assert (ended.legal_answered, ended.legal_abandoned) == count


@given(attempt=attempts, outcome=st.sampled_from(Outcome), delay_s=st.integers(0, 10**6))
def test_no_rule_of_a_campaign_calls_sooner_than_the_profile_allows(attempt, outcome, delay_s):
    campaign = replace(CAMPAIGN, retry=MappingProxyType({outcome: RetryRule(delay_s=delay_s)}))
    ended = end(attempt, outcome, campaign)
    if ended.phone_not_before is not None and ended.next_at is not None:
        assert ended.next_at >= ended.phone_not_before
    if attempt.rang_at is not None:
        assert ended.phone_not_before is not None
        assert ended.phone_not_before >= END + GAP
    if ended.legal_abandoned or (outcome is Outcome.UNKNOWN and attempt.answered_at is not None):
        assert ended.phone_held_until == END + 3 * DAY
        assert ended.next_at is None or ended.next_at >= ended.phone_held_until
    else:
        assert ended.phone_held_until is None


def test_a_call_the_network_never_tried_leaves_the_number_alone():
    assert end(NEVER_RANG, Outcome.CONGESTION).phone_not_before is None
    assert end(NEVER_RANG, Outcome.NOT_SENT).phone_not_before is None


def test_the_delay_grows_with_the_attempts_of_its_sort():
    second = replace(ATTEMPT, number=5, counted=1)
    assert end(second, Outcome.NO_ANSWER).next_at == END + 6 * HOUR
    assert end(replace(NEVER_RANG, number=4, counted=1), Outcome.CONGESTION).next_at == END + 20 * MINUTE


@given(number=st.integers(1, 10**6), outcome=st.sampled_from([Outcome.CONGESTION, Outcome.FAILED, Outcome.NOT_SENT]))
def test_a_bad_day_of_the_trunk_costs_a_contact_a_day_at_most_and_no_attempt(number, outcome):
    ended = end(replace(NEVER_RANG, number=number), outcome)
    assert not ended.counts
    assert ended.next_at <= END + DAY


@given(attempt=attempts, outcome=st.sampled_from(Outcome), counted=st.integers(0, 3))
def test_a_contact_is_closed_exactly_when_its_last_attempt_was_used(attempt, outcome, counted):
    ended = end(replace(attempt, counted=counted, number=counted + 1), outcome)
    used_up = ended.counts and counted == 3
    assert ended.closes == ("used_up" if used_up else None)
    assert (ended.next_at is None) is used_up


def test_a_dead_number_is_given_up_and_the_next_one_tried_at_once():
    ended = end(NEVER_RANG, Outcome.INVALID_NUMBER)
    assert (ended.dead_phone, ended.next_phone, ended.counts) == (True, True, False)
    assert ended.next_at == END


def test_a_key_of_the_offer_decides_when_the_contact_is_called_again():
    campaign = replace(CAMPAIGN, dispositions=KINDS, keys=MappingProxyType({"3": "email_cold", "9": "refused_unheard"}))
    assert end(replace(ANSWERED, key="3"), Outcome.OFFER_ENDED, campaign).next_at == END + 7 * DAY
    assert end(replace(ANSWERED, key="9"), Outcome.OFFER_ENDED, campaign).next_at == END + 30 * DAY
    assert end(replace(ANSWERED, key="3"), Outcome.ABANDONED, campaign).next_at == END + 3 * DAY


PROMISED = replace(ATTEMPT, callback_id=5)


@pytest.mark.parametrize(
    ("attempt", "outcome", "state"),
    [
        (replace(CONNECTED, callback_id=5), Outcome.CONNECTED, CallbackState.KEPT),
        (PROMISED, Outcome.BUSY, CallbackState.PENDING),
        (PROMISED, Outcome.NOT_SENT, CallbackState.PENDING),
        (replace(PROMISED, counted=3), Outcome.NO_ANSWER, CallbackState.BROKEN),
        (replace(PROMISED, counted=4), Outcome.CONGESTION, CallbackState.PENDING),
        (ATTEMPT, Outcome.BUSY, None),
    ],
)
def test_a_promise_is_kept_stands_or_breaks_and_is_never_dropped(attempt, outcome, state):
    ended = end(attempt, outcome)
    assert ended.callback is state
    assert state is not CallbackState.PENDING or ended.next_at is not None


@pytest.mark.parametrize(("promise", "state"), [(None, None), (7, CallbackState.PENDING)])
def test_whoever_called_us_in_vain_beside_the_last_attempt_is_called_back_after_it(promise, state):
    """What used up the attempts, or found the number dead, closes nobody who is owed a call since."""
    ended = end(replace(ANSWERED, counted=CAMPAIGN.attempts_max - 1, callback_id=promise), Outcome.MACHINE)
    assert ended.closes == "used_up"
    owed = retry.owed_beside(replace(ended, dead_phone=True))
    assert (owed.closes, owed.dead_phone, owed.callback) == (None, False, state)
    assert owed == replace(ended, closes=None, callback=state)


def decide(code, *, counted=1, times=1, promised=False, ended_next_at=None):
    return retry.after_disposition(
        KINDS[code],
        CAMPAIGN,
        saved_at=END,
        counted=counted,
        times=times,
        ended_next_at=ended_next_at,
        promised=promised,
    )


def test_a_disposition_closes_its_contact_or_says_when_it_is_called_again():
    assert decide("lead") == ("disposition", None)
    assert decide("email_decision_maker") == (None, END + 3 * DAY)
    assert decide("machine", ended_next_at=END + HOUR) == (None, END + HOUR)
    assert decide("machine") == (None, END + DAY)


def test_after_a_refusal_the_contact_waits_as_long_as_the_law_says():
    french = replace(CAMPAIGN, profile=replace(CAMPAIGN.profile, after_disposition_days={"refusal": 60, "stale": 90}))
    decided = {"saved_at": END, "counted": 1, "times": 1, "ended_next_at": None, "promised": False}
    assert retry.after_disposition(KINDS["refused_gatekeeper"], french, **decided) == (None, END + 61 * DAY)
    assert retry.after_disposition(KINDS["email_cold"], french, **decided) == (None, END + 7 * DAY)


def test_every_kind_of_the_default_list_that_is_a_refusal_says_so():
    assert {code for code, kind in KINDS.items() if "refusal" in kind.classes} == {
        *("refused_with_reason", "refused_decision_maker", "refused_gatekeeper", "refused_unheard"),
    }
    assert KINDS["lead"].classes == {"result"}
    assert KINDS["stale"].classes == {"stale"}
    assert KINDS["callback"].classes == frozenset()


def test_a_gatekeeper_is_asked_once_more_and_not_twice():
    assert decide("refused_gatekeeper") == (None, END + 30 * DAY)
    assert decide("refused_gatekeeper", times=2) == ("disposition", None)


def test_the_last_attempt_closes_an_open_disposition_unless_a_callback_was_promised():
    assert decide("email_cold", counted=4) == ("used_up", None)
    assert decide("lead", counted=4) == ("disposition", None)
    closed_by, next_at = decide("callback", counted=4, promised=True)
    assert closed_by is None
    assert next_at is not None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"delay_s": 31 * 86_400, "growth": 2.0}, []),
        ({"closes": True}, []),
        ({"delay_s": 60}, ["delay_s"]),
        ({"times": None}, ["times"]),
        ({"times": 2}, ["times"]),
    ],
)
def test_a_rule_is_looser_if_it_calls_sooner_or_more_often(changes, wrong):
    before = KINDS["refused_gatekeeper"].retry
    assert retry.looser(before, replace(before, **changes)) == wrong
    assert retry.looser(replace(before, closes=True, growth=2.0), before) == ["growth", "closes"]


def test_every_outcome_has_a_rule():
    assert set(retry.DEFAULT) == set(Outcome)
    assert all(end(replace(ATTEMPT, state=AttemptState.SENT), outcome) for outcome in Outcome)
