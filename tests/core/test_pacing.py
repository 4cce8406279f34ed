"""How many calls are placed, and that the sentence says why."""

from __future__ import annotations

import timeit
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import budget as law
from dialer.core import pacing
from dialer.core.model import Mode
from dialer.core.pacing import Laws, Learned, Policy, Rival, Snapshot
from tests.core.make import budget

LAWS = Laws.plain(answer=0.25, answer_ringing=0.28, set_up_s=2, ring_s=9, talk_s=100, wrap_up_s=20)
SEEN = Learned(laws=LAWS, theta=0.05, n_answer=400, n_talk=100, seen=400)
PLENTY = Policy(
    mode=Mode.PREDICTIVE,
    ring_timeout_s=25,
    max_lines_per_operator=8,
    room_budget=1000,
    room_trunk=1000,
    room_starts=1000,
    budget=budget(2000, 20),
)
ages = st.lists(st.floats(0, 120), max_size=12)


def seen(**fields):
    """What was learned, with other laws."""
    return replace(SEEN, laws=replace(LAWS, **fields))


def progressive(**fields):
    return replace(PLENTY, mode=Mode.PROGRESSIVE, **fields)


@given(ready=st.integers(0, 9), reserved=st.integers(0, 3), ringing=ages, waiting=st.integers(0, 3))
def test_progressive_is_one_line_per_ready_operator(ready, reserved, ringing, waiting):
    decision = pacing.decide(
        Snapshot(ready=ready, reserved=reserved, ringing_s=ringing, waiting=waiting), SEEN, progressive()
    )
    assert decision.calls == max(0, ready - reserved - len(ringing) - waiting)


def test_predictive_dials_more_than_one_line_per_ready_operator_if_few_answer():
    decision = pacing.decide(Snapshot(ready=3, talking_s=[20] * 7), SEEN, PLENTY)
    assert decision.calls > 3
    assert decision.target == decision.calls
    assert decision.reason == "forecast"


def test_lines_in_flight_are_counted_and_the_longer_they_ring_the_less():
    def calls(ages_s):
        return pacing.decide(Snapshot(ready=4, talking_s=[20] * 6, ringing_s=ages_s), SEEN, PLENTY).calls

    assert calls([1.0] * 6) <= calls([]) - 4
    assert calls([24.0] * 6) > calls([1.0] * 6)


def test_whoever_waits_takes_the_next_operator():
    def calls(waiting):
        return pacing.decide(Snapshot(ready=0, wrap_up_s=[20] * 30, waiting=waiting), SEEN, PLENTY).calls

    assert calls(0) > calls(2)


def test_promises_need_also_operators_who_become_free():
    def calls(reserved):
        return pacing.decide(Snapshot(ready=1, reserved=reserved, wrap_up_s=[20] * 30), SEEN, PLENTY).calls

    assert calls(1) > calls(3) > calls(31) == 0


def test_the_more_people_answer_the_fewer_lines():
    few, many = (
        pacing.decide(Snapshot(ready=4, talking_s=[9] * 9), seen(answer=rate, answer_ringing=rate), PLENTY).calls
        for rate in (0.1, 0.6)
    )
    assert few > many


def test_overspent_it_still_gives_each_ready_operator_a_line():
    overspent = replace(SEEN, theta=1e-6)
    assert pacing.decide(Snapshot(ready=2, talking_s=[5.0] * 8), overspent, PLENTY).calls == 2


@pytest.mark.parametrize(
    ("changed", "learned", "reason"),
    [
        ({"slow": True}, SEEN, "slow_switch"),
        ({}, replace(SEEN, n_answer=3, seen=3), "little_data"),
        ({}, replace(SEEN, n_answer=3), "stale_data"),
        ({"stale": True}, SEEN, "stale_data"),
        ({"room_budget": 1}, SEEN, "abandon_budget"),
        ({"room_trunk": 1}, SEEN, "trunk_limit"),
        ({"room_starts": 1}, SEEN, "starts_limit"),
        ({"max_lines_per_operator": 0.2}, SEEN, "lines_per_operator"),
        ({"mode": Mode.PROGRESSIVE}, SEEN, "free_operators"),
        ({}, SEEN, "forecast"),
    ],
)
def test_the_reason_is_the_rule_that_limits(changed, learned, reason):
    decision = pacing.decide(Snapshot(ready=2, talking_s=[5.0] * 8), learned, replace(PLENTY, **changed))
    assert decision.reason == reason


def test_slow_or_with_little_data_it_is_one_to_one():
    snapshot = Snapshot(ready=3, talking_s=[5.0] * 8, ringing_s=[2.0])
    assert pacing.decide(snapshot, SEEN, replace(PLENTY, slow=True)).calls == 2
    assert pacing.decide(snapshot, Learned(laws=LAWS, theta=0.05), PLENTY).calls == 2


def test_without_operators_nothing_is_dialled_unless_the_campaign_needs_none():
    policy = replace(PLENTY, mode=Mode.IVR, room_trunk=9)
    assert pacing.decide(Snapshot(ready=0), SEEN, policy).reason == "no_operators"
    free = pacing.decide(Snapshot(ready=0), SEEN, replace(policy, operator_free=True, room_budget=0))
    assert (free.calls, free.reason) == (9, "trunk_limit")


def test_an_offer_fills_more_lines_than_a_live_campaign_because_few_press_the_key():
    ivr = replace(PLENTY, mode=Mode.IVR)
    learned = seen(key=0.1)
    snapshot = Snapshot(ready=3, talking_s=[9.0] * 3)
    assert pacing.decide(snapshot, learned, ivr).calls > pacing.decide(snapshot, SEEN, PLENTY).calls
    listening = pacing.decide(replace(snapshot, in_offer_s=[5.0] * 20), seen(key=0.5), ivr)
    assert listening.calls < pacing.decide(snapshot, seen(key=0.5), ivr).calls


@settings(max_examples=300, deadline=None)
@given(
    mode=st.sampled_from(Mode),
    ready=st.integers(0, 8),
    talking=ages,
    wrap_up=ages,
    ringing=ages,
    answer_rate=st.floats(0, 1),
    talk_s=st.floats(1, 600),
    theta=st.floats(0, 1),
    n=st.integers(0, 500),
    abandoned=st.integers(0, 80),
    room_trunk=st.integers(0, 50),
    room_starts=st.integers(0, 50),
)
def test_no_forecast_passes_a_limit(
    mode, ready, talking, wrap_up, ringing, answer_rate, talk_s, theta, n, abandoned, room_trunk, room_starts
):
    b = budget(2000, abandoned)
    room_budget = law.room(b, in_flight=len(ringing), free=ready)
    policy = replace(
        PLENTY, mode=mode, room_budget=room_budget, room_trunk=room_trunk, room_starts=room_starts, budget=b
    )
    laws = Laws.plain(answer=answer_rate, talk_s=talk_s)
    learned = Learned(laws=laws, theta=theta, n_answer=n, n_talk=n, seen=n)
    snapshot = Snapshot(ready=ready, talking_s=talking, wrap_up_s=wrap_up, ringing_s=ringing)
    decision = pacing.decide(snapshot, learned, policy)
    assert 0 <= decision.calls <= min(room_budget, room_trunk, room_starts)
    assert decision.target == len(ringing) + decision.calls
    assert not decision.calls or decision.target <= 8 * snapshot.operators
    assert set(decision.sentence) == {"en", "ru"}
    assert all("{" not in text for text in decision.sentence.values())


def test_the_sentence_has_the_numbers_of_the_moment():
    policy = replace(PLENTY, room_budget=7, budget=budget(2000, 42))
    decision = pacing.decide(Snapshot(ready=0, talking_s=[5.0] * 4, wrap_up_s=[1.0] * 26), SEEN, policy)
    assert decision.sentence["en"] == (
        "7 lines for 30 operators: 25 % answer, next free in about 1 s; held by the abandon budget: 2.1 % of 3 %"
    )
    assert decision.sentence["ru"] == (
        "7 линий на 30 операторов: отвечают 25 %, следующий освободится примерно через 1 с; "
        "держит лимит потерянных звонков: 2,1 % из 3 %"
    )


@pytest.mark.parametrize(("lines", "word"), [(1, "1 линия"), (3, "3 линии"), (12, "12 линий"), (21, "21 линия")])
def test_russian_counts_lines_as_people_do(lines, word):
    decision = pacing.decide(Snapshot(ready=lines), SEEN, progressive())
    assert decision.sentence["ru"].startswith(f"{word} на")


def test_a_decision_for_thirty_operators_costs_little():
    """Some hundred microseconds; ten times that is allowed here, because machines differ."""
    snapshot = Snapshot(ready=2, talking_s=[30.0] * 22, wrap_up_s=[5.0] * 6, ringing_s=[4.0] * 60)
    assert timeit.timeit(lambda: pacing.decide(snapshot, SEEN, PLENTY), number=500) / 500 < 5e-3


# Campaigns that share a team ------------------------------------------------------


def rival(snapshot, learned=SEEN, **policy):
    return Rival(snapshot=snapshot, learned=learned, policy=replace(PLENTY, **policy))


def both(first, second, weights=(1.0, 1.0), learned=(SEEN, SEEN)):
    """Calls of two campaigns of one team, each decided with the other as its rival."""
    policies = [replace(PLENTY, weight=weight) for weight in weights]
    calls = []
    for own, other in ((0, 1), (1, 0)):
        snapshots = (first, second)
        seen_by = replace(
            snapshots[own],
            rivals=[Rival(snapshot=snapshots[other], learned=learned[other], policy=policies[other])],
        )
        calls.append(pacing.decide(seen_by, learned[own], policies[own]).calls)
    return calls


def test_lines_of_a_rival_may_need_the_same_operators():
    team = Snapshot(ready=4, talking_s=[20.0] * 6)
    alone = pacing.decide(team, SEEN, PLENTY).calls
    ringing = rival(Snapshot(ready=0, ringing_s=[3.0] * 9), room_trunk=0)
    assert pacing.decide(replace(team, rivals=[ringing]), SEEN, PLENTY).calls < alone


def test_two_campaigns_together_place_what_one_would():
    alone = pacing.decide(Snapshot(ready=6, talking_s=[20.0] * 20), SEEN, PLENTY).calls
    half = Snapshot(ready=3, talking_s=[20.0] * 10)
    calls = both(half, half)
    assert abs(calls[0] - calls[1]) <= 1
    assert alone - 1 <= sum(calls) <= alone + 1


def test_the_campaign_that_is_furthest_behind_its_share_dials_first():
    behind, ahead = Snapshot(ready=3), Snapshot(ready=0, talking_s=[20.0] * 10)
    calls = both(behind, ahead)
    assert calls[0] > 4 * calls[1]


def test_a_share_is_by_weight():
    half = Snapshot(ready=5, talking_s=[20.0] * 10)
    calls = both(half, half, weights=(3.0, 1.0))
    assert calls[0] > calls[1]


def test_a_rival_that_may_not_dial_leaves_its_part():
    team = Snapshot(ready=6, talking_s=[20.0] * 10)
    resting = rival(Snapshot(ready=0), room_trunk=0)
    alone = pacing.decide(team, SEEN, PLENTY).calls
    assert pacing.decide(replace(team, rivals=[resting]), SEEN, PLENTY).calls == alone


def test_a_rival_over_its_theta_does_not_hold_the_others():
    half = Snapshot(ready=3, talking_s=[20.0] * 10)
    spent = replace(SEEN, theta=1e-9)
    calls = both(half, half, learned=(SEEN, spent))
    assert calls[0] > calls[1]


def test_an_offer_of_a_rival_takes_only_operators_for_keys_that_are_pressed():
    """A live campaign beside an IVR-first one: of those who listen few will need anybody."""
    team = Snapshot(ready=4, talking_s=[20.0] * 6)
    listening = Snapshot(ready=0, in_offer_s=[5.0] * 8)
    calls = [
        pacing.decide(
            replace(team, rivals=[rival(listening, seen(key=key), mode=Mode.IVR, room_trunk=0)]), SEEN, PLENTY
        ).calls
        for key in (0.05, 0.9)
    ]
    assert calls[0] > calls[1]


@settings(max_examples=60, deadline=None)
@given(ready=st.integers(0, 4), ringing=ages, others=ages, more=st.floats(0, 30))
def test_more_lines_of_a_rival_never_mean_more_calls(ready, ringing, others, more):
    def calls(lines):
        team = Snapshot(ready=ready, talking_s=[30.0] * 4, ringing_s=ringing)
        other = rival(Snapshot(ready=0, ringing_s=lines), room_trunk=0)
        return pacing.decide(replace(team, rivals=[other]), SEEN, PLENTY).calls

    assert calls([*others, more]) <= calls(others)


@settings(deadline=None)
@given(
    ready=st.integers(0, 4),
    ringing=ages,
    talking=ages,
    rooms=st.tuples(*[st.integers(0, 6)] * 3),
    n_answer=st.sampled_from([0, 400]),
)
def test_where_nothing_is_forecast_it_is_enough_to_count_who_works_for_the_rivals(
    ready, ringing, talking, rooms, n_answer
):
    """What is not looked at then changes nothing of the decision."""
    learned = replace(SEEN, n_answer=n_answer)
    policy = replace(PLENTY, room_budget=rooms[0], room_trunk=rooms[1], room_starts=rooms[2])
    team, other = Snapshot(ready=ready, ringing_s=ringing), rival(Snapshot(ready=1, talking_s=talking))
    looked = pacing.decide(replace(team, rivals=[other]), learned, policy)
    counted = pacing.decide(replace(team, elsewhere=1 + len(talking)), learned, policy)
    if pacing.looks_ahead(team, learned, policy):
        return
    assert (looked.calls, looked.reason, looked.risk) == (counted.calls, counted.reason, None)
    assert looked.sentence == counted.sentence


# Small teams ------------------------------------------------------------------------


def test_one_operator_is_dialled_for_ahead_when_he_is_about_to_be_free():
    writing = Snapshot(ready=0, wrap_up_s=[1.0])
    patient, bold = replace(SEEN, theta=0.02), replace(SEEN, theta=0.9)
    assert pacing.decide(writing, bold, PLENTY).calls > 0
    decision = pacing.decide(writing, patient, PLENTY)
    assert (decision.calls, decision.reason) == (0, "small_team")
    assert decision.sentence["en"].startswith("0 lines for 1 operator: 25 % answer, next free in about 1")
    assert "progressive now because one more line would find nobody free in" in decision.sentence["en"]


def test_more_caution_means_fewer_calls():
    team = Snapshot(ready=4, talking_s=[20.0] * 6)
    calls = [pacing.decide(team, SEEN, replace(PLENTY, caution=caution)).calls for caution in (1, 3, 30)]
    assert calls[0] > calls[1] > calls[2] >= 4


def test_the_farther_one_more_call_is_from_being_allowed_the_longer_a_decision_stands():
    """While nothing happens the risk falls slowly: nobody need ask each half second."""
    none = pacing.decide(Snapshot(ready=0, talking_s=[20] * 6, ringing_s=[5.0] * 20), SEEN, PLENTY)
    assert none.calls == 0
    stands_s = [replace(none, risk=none.theta * times).stands_s for times in (0.5, 1.1, 2.0, 3.0, 100.0)]
    assert stands_s == sorted(stands_s)
    assert (stands_s[0], stands_s[-1]) == (0.5, 6.0)
    assert replace(none, reason="starts_limit").stands_s == 0.0
