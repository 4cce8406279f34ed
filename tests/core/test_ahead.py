"""What lies ahead: possible futures keep the rules, add up, and differ by the plan and not by luck."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from random import Random
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import ahead
from dialer.core.ahead import Crowd, Known, Plan, Seen, Stretch, Tried, Work, Worker, days, observed
from dialer.core.ahead.rates import Times
from dialer.core.model import DispositionKind, Mode, OperatorState, Outcome
from tests.core.make import CAMPAIGN, PROFILE

TUESDAY = datetime(2026, 1, 20, 12, tzinfo=UTC)
NOW = TUESDAY.timestamp()
KINDS = {
    "lead": DispositionKind(code="lead", name_ru="Лид", name_en="Lead", result=True),
    "refused": DispositionKind(code="refused", name_ru="Отказ", name_en="Refused"),
}
SEEN = Seen(
    ends={(0, Outcome.CONNECTED): 40, (0, Outcome.NO_ANSWER): 50, (0, Outcome.BUSY): 10},
    line_s={Outcome.CONNECTED: [6.0, 9.0, 14.0], Outcome.NO_ANSWER: [27.0]},
    talk_s=[20.0, 45.0, 60.0, 130.0, 200.0],
    write_s=[5.0, 15.0, 30.0],
    said={"lead": 10, "refused": 30},
    worked_s=7200.0,
)


def known(*, contacts=200, operators=4, mode=Mode.PROGRESSIVE, **changes):
    campaign = replace(CAMPAIGN, mode=mode, zone="Europe/London", dispositions=KINDS, profile=_hours(9, 20))
    crew = [Worker(state=OperatorState.READY, since_s=NOW) for _ in range(operators)]
    given = {
        "at_s": NOW,
        "campaign": campaign,
        "crowds": [Crowd(zones=("Europe/London",), count=contacts)],
        "crew": crew,
        "seen": SEEN,
    }
    return Known(**{**given, **changes})


def _hours(begin, end):
    day = ((time(begin), time(end)),)
    return replace(PROFILE, windows=MappingProxyType(dict.fromkeys(range(7), day)))


def futures(of, plan, count=40):
    return list(ahead.shift(of, plan, lambda i: Random(f"ahead {i}"), futures=count))


def hours(count):
    return Plan(shift_ends_s=NOW + count * 3600)


@given(
    contacts=st.integers(1, 300),
    operators=st.integers(0, 6),
    mode=st.sampled_from([Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.PREVIEW]),
)
@settings(max_examples=25, deadline=None)
def test_totals_add_up(contacts, operators, mode):
    """No more results than conversations, no more of these than attempts, and nobody vanishes."""
    for told in futures(known(contacts=contacts, operators=operators, mode=mode), hours(2), 4):
        before = (0, 0, 0, contacts)
        for mark in told.marks:
            results, attempts, connects, left = mark
            assert 0 <= results <= connects <= attempts
            assert 0 <= left <= contacts
            assert mark[:3] >= before[:3]
            assert left <= before[3]
            before = mark
        assert (told.ended_s is not None) == (told.marks[-1][3] == 0)
        assert 0 <= told.busy_s <= told.there_s + 1e-6


@given(operators=st.integers(1, 5), mode=st.sampled_from([Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.PREVIEW]))
@settings(max_examples=8, deadline=None)
def test_more_operators_bring_no_fewer_results(operators, mode):
    """In the mean over the same futures; and with many contacts left clearly more."""
    few = known(contacts=2000, operators=operators, mode=mode)
    one, more = (futures(few, replace(hours(1), operators=operators + n), 30) for n in (0, 2))
    assert ahead.difference(one, more)["results"].middle > 0
    assert sum(t.marks[-1][0] for t in more) > sum(t.marks[-1][0] for t in one)


def test_the_same_plan_is_the_same_future():
    """Common random numbers: the difference of a plan from itself is nothing."""
    same = ahead.difference(futures(known(), hours(1)), futures(known(), hours(1)))
    assert same["results"].low == same["results"].high == same["left"].low == 0


def test_nothing_happens_while_the_window_is_closed():
    """Nobody is called outside the hours of the law, whoever works."""
    told = futures(known(campaign=replace(known().campaign, profile=_hours(9, 12))), hours(3), 5)
    assert all(mark == (0, 0, 0, 200) for one in told for mark in one.marks)


def test_nothing_happens_without_operators():
    assert all(one.marks[-1][1] == 0 for one in futures(known(operators=0), hours(3), 5))


def test_a_base_ends_when_its_last_contact_is_closed_and_not_before():
    """Small bases end within days, by the retry rules of the campaign; huge ones not within the time looked at."""
    plan = ahead.plan(known().campaign, Work(begins=540, ends=1080), NOW, 31)
    small = ahead.of_base(list(ahead.base(known(contacts=40), plan, Random, futures=20)))
    assert small.ends.share > 0.9
    assert NOW < small.tried.middle_s <= small.ends.middle_s
    huge = ahead.of_base(list(ahead.base(known(contacts=300_000), plan, Random, futures=3)))
    assert huge.ends.share == 0
    assert huge.ends.middle_s is None


def test_contacts_that_stand_for_many_tell_the_same_in_proportion():
    """A large campaign in fewer events has about the same means."""
    from dialer.core.ahead import outlook

    large = known(contacts=6000, operators=20)
    fine = futures(large, hours(6), 12)
    before, outlook.EVENTS = outlook.EVENTS, 1500
    try:
        coarse = futures(large, hours(6), 12)
    finally:
        outlook.EVENTS = before
    for i in (1, 2):
        means = [sum(one.marks[-1][i] for one in told) / 12 for told in (fine, coarse)]
        assert means[1] == pytest.approx(means[0], rel=0.08)


def test_what_was_said_is_what_is_expected():
    """With everybody answering and every conversation a result, the end is certain."""
    plan = replace(hours(8), answer_rate=1.0, result_rate=1.0)
    told = ahead.of_shift(known(contacts=30), plan, futures(known(contacts=30), plan, 20))
    assert (told.results.low, told.results.high, told.left.high) == (30, 30, 0)


def test_little_seen_is_less_sure_than_much():
    """The rates themselves are open: ten times the observations make a narrower interval."""
    much = replace(
        SEEN,
        ends={key: 20 * n for key, n in SEEN.ends.items()},
        said={key: 20 * n for key, n in SEEN.said.items()},
        talk_s=[*SEEN.talk_s] * 20,
    )
    little = replace(SEEN, ends={(0, Outcome.CONNECTED): 4, (0, Outcome.NO_ANSWER): 6}, said={"lead": 1, "refused": 3})
    wide, narrow = (
        ahead.of_shift(of, hours(1), futures(of, hours(1), 60)).results
        for of in (known(contacts=500, seen=little), known(contacts=500, seen=much))
    )
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@given(st.lists(st.integers(0, 40), min_size=20, max_size=200))
@settings(deadline=None)
def test_an_interval_holds_its_share_and_its_middle(values):
    """Whole numbers in order, with the share that is said."""
    found = ahead.spread(values)
    assert found.low <= found.middle <= found.high
    assert found.share == sum(found.low <= value <= found.high for value in values) / len(values)


def test_an_interval_of_few_values_is_as_near_to_80_per_cent_as_can_be():
    """Counts of a small mean: no interval around the middle is nearer, and neither side is forgotten."""
    values = [0] * 5 + [1] * 15 + [2] * 22 + [3] * 22 + [4] * 17 + [5] * 10 + [6] * 5 + [7] * 4
    found = ahead.spread(values)
    assert abs(found.share - 0.8) < 0.05
    assert max(sum(v < found.low for v in values), sum(v > found.high for v in values)) <= 20
    assert ahead.spread(list(range(200))) == ahead.Spread(20, 100, 179, 0.8)


@given(st.lists(st.floats(0.1, 900), min_size=1, max_size=30), st.floats(0, 600), st.floats(0, 0.999))
@settings(deadline=None)
def test_the_rest_of_a_talk_is_never_negative(lasted, age_s, uniform):
    times = Times(lasted, [1.0] * len(lasted))
    assert times.rest(age_s, uniform) >= 0
    assert times.draw(uniform) in lasted
    ages = times.ages(5)
    assert ages == sorted(ages)
    assert ages[0] >= 0
    assert ages[-1] <= max(lasted) + 1e-6


def test_a_shift_lies_inside_the_law_also_when_the_clocks_change():
    """Working hours from eight to midnight are those of the window; the day of the change is an hour shorter in UTC."""
    campaign = replace(known().campaign, profile=_hours(9, 20))
    friday = datetime(2026, 3, 27, 21, tzinfo=UTC)
    [saturday, sunday] = days.shifts(campaign, Work(begins=480, ends=1440), friday.timestamp(), 2)
    assert [datetime.fromtimestamp(at, UTC).hour for at in saturday] == [9, 20]
    assert [datetime.fromtimestamp(at, UTC).hour for at in sunday] == [8, 19]
    assert ahead.plan(campaign, Work(begins=60, ends=120), NOW, 30) is None


def test_talks_that_go_on_count_and_the_pause_a_shift_begins_with_does_not():
    """Facts become counts: of connected calls that go on, too."""
    seen = observed(
        1000.0,
        [
            Tried(number=1, outcome=None, sent_s=900.0, wanted_s=910.0),
            Tried(number=2, outcome=Outcome.ABANDONED, sent_s=800.0, wanted_s=808.0, ended_s=811.0),
            Tried(number=1, outcome=Outcome.CONNECTED, sent_s=1.0, wanted_s=9.0, ended_s=70.0, code="lead"),
            Tried(number=1, outcome=Outcome.CONNECTED, sent_s=800.0, wanted_s=809.0, ended_s=990.0),
            Tried(number=1, outcome=Outcome.CANCELLED, sent_s=800.0, ended_s=801.0),
        ],
        [
            Stretch(state=OperatorState.PAUSED, started_s=0.0, ended_s=60.0, first=True),
            Stretch(state=OperatorState.PAUSED, started_s=100.0, ended_s=400.0),
            Stretch(state=OperatorState.TALKING, started_s=910.0, ended_s=None),
        ],
    )
    assert seen.ends == {(0, Outcome.CONNECTED): 3, (1, Outcome.CONNECTED): 1}
    assert seen.said == {"lead": 1}
    assert seen.away_s == [300.0]
    assert seen.talking_s == [90.0]
