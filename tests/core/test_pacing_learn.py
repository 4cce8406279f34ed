"""What is learned from a campaign's own calls, how fast it forgets, and that it survives a restart."""

from __future__ import annotations

import json
from math import exp, inf, log
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import pacing
from dialer.core.model import Mode
from dialer.core.pacing import Laws, Learned, Learner, Policy, Snapshot
from dialer.core.pacing.learn import ATTEMPTS_MIN, MEMORY_S, SAVING, Hazard
from tests.core.make import budget

CAP = 0.03
DAY_S = 1_780_000_000.0
#: A window that has lost as many as is aimed at: 2.85 %.
EVEN = (100_000, 2_850)
POLICY = Policy(
    mode=Mode.PREDICTIVE,
    ring_timeout_s=25,
    max_lines_per_operator=50,
    room_budget=1000,
    room_trunk=1000,
    room_starts=1000,
    budget=budget(2000, 20),
)


def known(learner, at_s=DAY_S, **busy):
    return learner.learned(at_s, cap=CAP, **busy)


def dial(learner, attempts, *, answer=0.25, at_s=DAY_S, gap_s=1.0, seed=1):
    """So many attempts, one after the other; the time of the last."""
    chance = Random(seed)
    for _ in range(attempts):
        at_s += gap_s
        learner.rang(chance.gammavariate(4, 0.5))
        if chance.random() < answer:
            learner.answered(at_s, chance.gammavariate(4, 2.25))
        else:
            learner.not_answered(at_s, rang=chance.random() < 0.8)
    return at_s


def mean_s(hazards, ages, steps=20000, step_s=0.1):
    """Mean of the law with these hazards."""
    at = np.arange(steps) * step_s
    rates = np.asarray(hazards)[np.searchsorted(ages, at, side="right") - 1]
    return float(np.exp(-np.cumsum(rates) * step_s).sum() * step_s)


def test_before_the_first_call_a_belief_is_all_there_is():
    learned = known(Learner())
    assert learned.little == "little_data"
    assert mean_s(learned.laws.talk, pacing.laws.TALK_AGES) == pytest.approx(90, rel=0.02)
    assert sum(learned.laws.ring) == pytest.approx(1)


def test_who_answers_is_followed_within_some_hundred_calls():
    learner = Learner()
    at_s = dial(learner, 600, answer=0.5, gap_s=30)
    assert known(learner, at_s).laws.answer == pytest.approx(0.5, abs=0.08)
    at_s = dial(learner, 900, answer=0.1, at_s=at_s, gap_s=30, seed=2)
    assert known(learner, at_s).laws.answer == pytest.approx(0.1, abs=0.06)


def test_of_those_that_ring_more_answer():
    learner = Learner()
    laws = known(learner, dial(learner, 500)).laws
    assert laws.answer_ringing > laws.answer


def test_after_a_silence_what_is_known_of_answers_is_stale_and_a_few_calls_renew_it():
    learner = Learner()
    at_s = dial(learner, 400)
    assert known(learner, at_s).little is None
    later_s = at_s + 12 * MEMORY_S
    assert known(learner, later_s).little == "stale_data"
    assert known(learner, dial(learner, ATTEMPTS_MIN + 1, at_s=later_s)).little is None


@pytest.mark.parametrize("mean", [15.0, 60.0, 240.0])
def test_talks_are_learned_whatever_they_last(mean):
    learner, chance = Learner(), Random(3)
    for _ in range(800):
        learner.talked(chance.expovariate(1 / mean))
    assert mean_s(known(learner).laws.talk, pacing.laws.TALK_AGES) == pytest.approx(mean, rel=0.12)


@pytest.mark.parametrize("lasted_s", [-1.0, 0.0, 0.4, 5.0, 29.99, 30.0, 599.0, 600.0, 7200.0])
def test_a_talk_that_ended_was_in_each_stretch_for_as_long_as_if_it_went_on(lasted_s):
    """To the last bit; it ends in the stretch it had come to."""
    ages = pacing.laws.TALK_AGES
    hazard = Hazard(ages)
    hazard.add(lasted_s)
    assert hazard.exposure.tolist() == hazard._spent(np.array([lasted_s])).tolist()
    last = max([i for i, age in enumerate(ages) if age <= lasted_s], default=0)
    assert hazard.events.tolist() == [float(i == last) for i in range(len(ages))]


def test_two_kinds_of_talk_show_in_the_hazard():
    """30 % last about 15 s, the others about 140: whoever talks for a minute is not near the end."""
    learner, chance = Learner(), Random(4)
    for _ in range(1000):
        learner.talked(chance.gauss(15, 3) if chance.random() < 0.3 else chance.gauss(140, 20))
    by_age = dict(zip(pacing.laws.TALK_AGES, known(learner).laws.talk, strict=True))
    assert by_age[15] > 5 * by_age[60] < by_age[140]


def test_talks_that_still_go_on_say_that_talks_are_long():
    learner = Learner()
    short = mean_s(known(learner).laws.talk, pacing.laws.TALK_AGES)
    learner = Learner()
    long = mean_s(known(learner, talking_s=[300.0] * 10).laws.talk, pacing.laws.TALK_AGES)
    assert long > 2 * short


def test_a_campaign_with_few_talks_believes_its_team():
    team, chance = Learner(), Random(5)
    first, second = Learner(team), Learner(team)
    for _ in range(400):
        first.talked(chance.expovariate(1 / 30))
    second.talked(200.0)
    assert mean_s(known(second).laws.talk, pacing.laws.TALK_AGES) == pytest.approx(38, abs=12)


def test_a_trunk_that_does_not_tell_of_ringing_is_noticed():
    learner = Learner()
    for n in range(40):
        learner.answered(DAY_S + n, 9.0, rang=False)
        learner.not_answered(DAY_S + n, rang=False)
    laws = known(learner).laws
    assert not laws.rings
    assert laws.answer_ringing == laws.answer == pytest.approx(0.5, abs=0.05)
    new, setting_up, ringing, _ = laws.answered_within(40, ivr=False)
    np.testing.assert_allclose(setting_up, ringing[: len(setting_up)])
    np.testing.assert_allclose(new, ringing[0])


def test_theta_falls_with_each_abandon_and_rises_with_each_answer():
    learner = Learner()
    thetas = [known(learner).theta]
    for abandoned in (False, True):
        learner.counted(DAY_S, abandoned=abandoned, cap=CAP, of=EVEN)
        thetas.append(known(learner).theta)
    assert thetas[1] > thetas[0] > thetas[2]


def test_theta_stays_where_abandons_are_as_aimed():
    learner = Learner()
    for n in range(4000):
        learner.counted(DAY_S + n, abandoned=n % 35 == 0, cap=CAP, of=EVEN)  # 2.86 %
    assert log(known(learner).theta / CAP) == pytest.approx(0, abs=0.35)


def test_caution_aims_at_fewer_abandons_and_spends_nothing_that_is_left():
    plain, careful = Learner(), Learner()
    for n in range(3000):
        plain.counted(DAY_S + n, abandoned=n % 70 == 0, cap=CAP, of=(100_000, 2_800))  # 1.43 %
        careful.counted(DAY_S + n, abandoned=n % 70 == 0, cap=CAP, of=(100_000, 2_800), caution=2.0)
    assert log(known(careful).theta / CAP) == pytest.approx(0, abs=0.35)
    assert known(plain).theta > 2 * known(careful).theta


@pytest.mark.parametrize(("lost", "way"), [(2_830, 1), (2_870, -1)])
def test_what_the_window_has_left_is_spent_and_what_it_owes_is_saved(lost, way):
    even, other = Learner(), Learner()
    for n in range(200):
        even.counted(DAY_S + n, abandoned=n % 35 == 0, cap=CAP, of=EVEN)
        other.counted(DAY_S + n, abandoned=n % 35 == 0, cap=CAP, of=(100_000, lost))
    assert way * (known(other).theta - known(even).theta) > 0


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 5000), st.integers(0, 99), st.integers(0, 60)), max_size=200),
    st.floats(0.001, 0.05),
)
def test_theta_has_bounds_whatever_happens(counts, cap):
    learner = Learner()
    for n, (abandoned, answered, lost, uncovered) in enumerate(counts):
        learner.looked(uncovered)
        learner.counted(DAY_S + n, abandoned=abandoned, cap=cap, of=(answered, min(answered, lost)))
    least = 0.1 * cap * exp(-SAVING)
    assert least * 0.999 <= learner.learned(DAY_S, cap=cap).theta <= 20 * cap * 1.001


def test_a_campaign_that_may_lose_nobody_has_no_price_of_an_abandon_and_keeps_the_old_one_for_later():
    """A supervisor may set the target to 0 while it runs, and back."""
    learner = counting(3, EVEN)
    before = known(learner).theta
    learner.counted(DAY_S, abandoned=False, cap=0.0, of=(100, 0))
    Learner().counted(DAY_S, abandoned=True, cap=0.0, of=(100, 1))
    assert learner.learned(DAY_S, cap=0.0).theta == 0
    assert known(learner).theta == before


def counting(lines, of, *, left_s=inf, times=200):
    """A learner of a campaign that has so many lines beyond its operators in a window of so many calls."""
    learner = Learner()
    for n in range(times):
        learner.looked(lines)
        learner.counted(DAY_S + 10 * n, abandoned=n % 35 == 0, cap=CAP, of=of, left_s=left_s)
    return learner


def test_in_a_young_window_theta_is_low_until_there_is_a_reserve_for_the_lines_in_flight():
    """The budget counts each of them as lost: without the reserve it, and not the forecast, would hold them."""
    without, with_reserve = (known(counting(12, (1000, lost))).theta for lost in (28, 10))
    assert with_reserve > 3 * without
    assert known(counting(0, (1000, 28))).theta > 3 * without


def test_an_old_window_has_its_reserve():
    assert known(counting(12, EVEN)).theta == known(counting(0, EVEN)).theta


def test_no_greater_reserve_is_kept_than_a_third_of_what_a_window_may_lose():
    """An hour of three hundred answers may lose nine; to keep twenty of them would be to lose none."""
    hour = known(counting(20, (150, 2), left_s=1800.0)).theta
    month = known(counting(20, (150, 2))).theta
    assert hour > 2 * month


observations = st.lists(
    st.one_of(
        st.tuples(st.just("rang"), st.floats(0, 20)),
        st.tuples(st.just("answered"), st.floats(0, 60)),
        st.tuples(st.just("not_answered"), st.booleans()),
        st.tuples(st.just("talked"), st.floats(0, 900)),
        st.tuples(st.just("wrapped_up"), st.floats(0, 200)),
        st.tuples(st.just("pressed"), st.one_of(st.none(), st.floats(0, 90))),
        st.tuples(st.just("counted"), st.booleans()),
        st.tuples(st.just("looked"), st.integers(0, 50)),
    ),
    max_size=80,
)


def tell(learner, story):
    for n, (what, value) in enumerate(story):
        at_s = DAY_S + n
        if what in {"rang", "talked", "wrapped_up", "looked"}:
            getattr(learner, what)(value)
        elif what in {"answered", "pressed"}:
            getattr(learner, what)(at_s, value)
        elif what == "not_answered":
            learner.not_answered(at_s, rang=value)
        else:
            learner.counted(at_s, abandoned=value, cap=CAP, of=EVEN)


@settings(max_examples=60, deadline=None)
@given(story=observations, more=observations)
def test_what_was_learned_survives_a_restart_to_the_last_bit(story, more):
    lived, written = Learner(), Learner()
    tell(lived, story)
    tell(written, story)
    restored = Learner.of(json.loads(json.dumps(written.state())))
    assert restored.state() == lived.state()
    tell(lived, more)
    tell(restored, more)
    assert known(restored).to_json() == known(lived).to_json()


def test_a_state_of_another_version_is_not_misread():
    learner = Learner()
    dial(learner, 100)
    assert Learner.of({**learner.state(), "version": 99}).state() == Learner().state()


@settings(max_examples=40, deadline=None)
@given(story=observations, ready=st.integers(0, 5), ages=st.lists(st.floats(0, 60), max_size=6))
def test_a_stored_decision_is_made_again_the_same(story, ready, ages):
    """Snapshot, what was learned and policy are all there is: a day can be replayed."""
    learner = Learner()
    tell(learner, story)
    dial(learner, 40)
    learned = known(learner)
    snapshot = Snapshot(ready=ready, talking_s=ages, wrap_up_s=ages[:2], ringing_s=ages[:3])
    first = pacing.decide(snapshot, learned, POLICY)
    again = pacing.decide(snapshot, Learned.of_json(json.loads(json.dumps(learned.to_json()))), POLICY)
    assert (again.calls, again.reason, again.risk, again.theta) == (first.calls, first.reason, first.risk, first.theta)
    assert again.sentence == first.sentence


def test_the_laws_stay_the_same_object_while_nothing_changes_noticeably():
    """Tables are computed from it once."""
    learner = Learner()
    at_s = dial(learner, 400)
    laws = known(learner, at_s).laws
    assert known(learner, at_s + 1).laws is laws
    learner.counted(at_s + 2, abandoned=True, cap=CAP, of=EVEN)
    assert known(learner, at_s + 3).laws is laws
    at_s = dial(learner, 100, answer=0.9, at_s=at_s)
    assert known(learner, at_s).laws is not laws


def test_a_belief_in_a_mean_is_an_exponential_law():
    hazard = Hazard(pacing.laws.TALK_AGES)
    hazard.believe(50.0, 100)
    assert hazard.events.sum() == pytest.approx(100)
    assert hazard.exposure.sum() == pytest.approx(5000)
    assert hazard.rates(np.full(len(hazard.ages), 1 / 50), 5, ()) == pytest.approx(np.full(len(hazard.ages), 0.02))


def test_residual_laws_follow_the_age():
    laws = Laws.plain(talk_s=100, wrap_up_s=20)
    talk, wrap_up = laws.free_within(60)
    assert wrap_up[0, 40] == pytest.approx(1 - exp(-1), abs=0.01)  # 20 s of an exponential wrap-up of 20 s
    exact = 1 - (100 * exp(-0.3) - 20 * exp(-1.5)) / 80  # both within 30 s
    assert talk[:, 60] == pytest.approx(np.full(len(talk), exact), abs=0.01)


def day_of(learner, day, shares, gap_s=10.0):
    """A day from nine o'clock, each hour with its own share of answers."""
    chance = Random(day)
    for hour, share in enumerate(shares):
        for n in range(int(3600 / gap_s)):
            at_s = (20_000 + day) * 86400.0 + (9 + hour) * 3600 + n * gap_s
            learner.rang(2.0)
            if chance.random() < share:
                learner.answered(at_s, 9.0)
            else:
                learner.not_answered(at_s, rang=True)
    return at_s


def test_an_hour_in_which_few_answer_is_expected_when_earlier_days_had_it():
    """At a quarter past an hour that was always worse, the last quarter of an hour is not all that is believed."""
    knows, new = Learner(), Learner()
    for day in range(5):
        day_of(knows, day, (0.5, 0.2))
    for learner in (knows, new):
        at_s = day_of(learner, 6, (0.5,))
    expected, surprised = (known(learner, at_s + 1200).laws.answer for learner in (knows, new))
    assert expected < 0.75 * surprised


def test_on_the_first_day_the_hour_tells_nothing():
    learner = Learner()
    day_of(learner, 1, (0.5, 0.1, 0.5))
    assert {learner.hours.factor(20_001 * 86400.0 + hour * 3600) for hour in range(24)} == {1.0}


def test_a_new_day_does_not_change_what_was_just_seen():
    """Work goes on over midnight: history begins then, and the present share stays what it is."""
    learner = Learner()
    at_s = day_of(learner, 1, [0.3] * 8 + [0.1] * 7)
    before = known(learner, at_s).laws.answer
    learner.not_answered(at_s + 60, rang=True)
    assert known(learner, at_s + 90).laws.answer == pytest.approx(before, rel=0.05)


@pytest.mark.filterwarnings("error")
def test_ages_nobody_reaches_keep_the_rate_that_was_believed():
    """Wrap-ups of a second: not even the belief has anybody who takes ten minutes."""
    hazard = Hazard((0.0, 5.0, 2000.0))
    prior = np.full(3, 0.9)
    rates = hazard.rates(prior, 3, [])
    assert np.isfinite(rates).all()
    assert rates[-1] == pytest.approx(0.9)
