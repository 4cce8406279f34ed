"""Nobody's telephone rings outside the hours of where they are."""

from __future__ import annotations

import timeit
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import hours
from dialer.core.model import HOLIDAY
from tests.core.make import ALL_DAY, NOON, PROFILE

RING_S = 25
OFFICE = replace(PROFILE, windows=dict.fromkeys(range(5), ((time(10), time(13)), (time(14), time(20)))), guard_s=60)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Havana",  # changes at midnight
    "Asia/Kolkata",
    "Asia/Vladivostok",
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Scoresbysund",
)
#: Instants around which clocks change somewhere in ZONES, and one quiet day.
CHANGES = (
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2027, 3, 14, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    datetime(2026, 3, 22, 3, tzinfo=UTC),
    datetime(2027, 2, 7, 2, tzinfo=UTC),
    datetime(2026, 6, 10, tzinfo=UTC),
)


def inside(at: datetime, zones: list[str], windows) -> bool:
    """The rule again, said in another way: what do the callee's clocks show at this minute?"""
    for zone in zones:
        local = at.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        spans = windows.get(local.weekday(), ())
        if not any(a.hour * 60 + a.minute <= minute < (b.hour * 60 + b.minute or 1440) for a, b in spans):
            return False
    return bool(zones)


@st.composite
def a_window(draw):
    """Two half hours of the day; the end may be midnight."""
    start = draw(st.integers(0, 47))
    end = draw(st.integers(start + 1, 48))
    return time(start // 2, start % 2 * 30), time(end // 2 % 24, end % 2 * 30)


weeks = st.dictionaries(st.integers(0, 6), st.lists(a_window(), max_size=3).map(tuple), max_size=7)


@settings(max_examples=150, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    minutes=st.integers(-36 * 60, 36 * 60),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3),
    windows=weeks,
    minutes_needed=st.integers(1, 3),
)
def test_a_call_may_start_exactly_if_every_minute_of_its_ring_is_allowed_everywhere(
    change, minutes, zones, windows, minutes_needed
):
    """Also around every clock change: compared with the clocks of all zones, minute by minute."""
    now = change + timedelta(minutes=minutes)
    profile = replace(PROFILE, windows=windows, guard_s=(minutes_needed - 1) * 60)
    expected = all(inside(now + timedelta(minutes=m), zones, windows) for m in range(minutes_needed))
    assert hours.may_call(now, zones, profile, 60) is expected


#: Windows so uneven that no shift of half an hour or an hour leaves them the same.
UNEVEN = (
    (time(0), time(0, 20)),
    (time(0, 50), time(1, 10)),
    (time(1, 45), time(2, 15)),
    (time(2, 20), time(2, 25)),
    (time(2, 55), time(3, 40)),
    (time(4), time(9, 5)),
    (time(21, 30), time(22, 10)),
    (time(22, 35), time(23, 5)),
    (time(23, 50), time(0)),
)


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_of_clocks_each_minute_is_as_the_clock_shows_it(zone):
    """An hour that does not exist has no minutes, one that comes twice has them twice."""
    profile = replace(PROFILE, windows=dict.fromkeys(range(7), UNEVEN), guard_s=0)
    for change in CHANGES:
        minutes = [change + timedelta(minutes=m) for m in range(-240, 600)]
        assert [hours.may_call(at, [zone], profile, 60) for at in minutes] == [
            inside(at, [zone], profile.windows) for at in minutes
        ]


@settings(max_examples=60, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    minutes=st.integers(-600, 600),
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2),
    windows=weeks,
)
def test_the_next_opening_is_the_first_minute_at_which_one_may_call(change, minutes, zones, windows):
    """No earlier minute was open, and this one is."""
    now = change + timedelta(minutes=minutes)
    profile = replace(PROFILE, windows=windows, guard_s=0)
    opens_at = hours.next_open(now, zones, profile, 60)
    horizon = opens_at if opens_at is not None else now + timedelta(days=8)
    minute = now
    while minute < min(horizon, now + timedelta(days=8)):
        assert not hours.may_call(minute, zones, profile, 60)
        minute += timedelta(minutes=7)
    if opens_at is not None:
        assert opens_at >= now
        assert hours.may_call(opens_at, zones, profile, 60)
        assert opens_at == now or not hours.may_call(opens_at - timedelta(minutes=1), zones, profile, 60)


def test_the_ring_ends_inside_the_window_with_its_guard():
    last = datetime(2026, 11, 23, 11, 58, 35, tzinfo=UTC)  # Berlin is one hour ahead: 85 s before 13:00
    assert hours.may_call(last, ["Europe/Berlin"], OFFICE, RING_S)
    assert not hours.may_call(last + timedelta(seconds=1), ["Europe/Berlin"], OFFICE, RING_S)


def test_windows_that_touch_are_one_window():
    """A ring may go on over midnight when both days are open there."""
    profile = replace(PROFILE, windows={0: ALL_DAY, 1: ALL_DAY}, guard_s=0)
    assert hours.may_call(datetime(2026, 11, 23, 23, 59, 50, tzinfo=UTC), ["UTC"], profile, RING_S)
    assert not hours.may_call(datetime(2026, 11, 24, 23, 59, 50, tzinfo=UTC), ["UTC"], profile, RING_S)


@pytest.mark.parametrize(
    "zones", [[], [""], ["Mars/Phobos"], ["UTC", "Nowhere"], ["../etc"], ["Factory"], ["right/UTC"]]
)
def test_an_unknown_zone_or_none_is_never_open(zones):
    profile = replace(PROFILE, windows=dict.fromkeys(range(7), ALL_DAY))
    assert not hours.may_call(NOON, zones, profile, RING_S)
    assert hours.next_open(NOON, zones, profile, RING_S) is None


def test_two_zones_without_a_common_hour_are_never_open():
    assert hours.next_open(NOON, ["America/Los_Angeles", "Asia/Kolkata"], OFFICE, RING_S) is None


def test_a_weekday_that_is_not_named_is_closed():
    saturday = datetime(2026, 11, 28, 11, tzinfo=UTC)
    assert not hours.may_call(saturday, ["Europe/Berlin"], OFFICE, RING_S)
    assert hours.next_open(saturday, ["Europe/Berlin"], OFFICE, RING_S) == datetime(2026, 11, 30, 9, tzinfo=UTC)


def test_a_hundred_thousand_questions_take_about_a_second():
    """The claim asks this for every lane of contacts; generous, because machines differ."""
    ask = timeit.timeit(lambda: hours.may_call(NOON, ("Europe/Berlin", "Europe/London"), OFFICE, RING_S), number=2000)
    assert ask / 2000 < 50e-6


def test_a_holiday_has_its_own_hours_by_the_calendar_of_the_callee_s_zone():
    """The same moment is a holiday in Berlin and a working day in London."""
    berlin_s_day = (NOON.date().toordinal()) - 719_163

    def calendar(zone, year):
        return frozenset({berlin_s_day} if (zone, year) == ("Europe/Berlin", 2026) else ())

    short = {**OFFICE.windows, HOLIDAY: ((time(15), time(16)),)}
    profile = replace(OFFICE, windows=short, holidays=calendar)
    ten_utc = NOON.replace(hour=10)
    assert hours.may_call(ten_utc, ["Europe/London"], profile, RING_S)
    assert not hours.may_call(ten_utc, ["Europe/Berlin"], profile, RING_S)
    assert not hours.may_call(ten_utc, ["Europe/London", "Europe/Berlin"], profile, RING_S)
    assert hours.next_open(ten_utc, ["Europe/Berlin"], profile, RING_S) == NOON.replace(hour=14)
    assert hours.may_call(ten_utc, ["Europe/Berlin"], replace(profile, windows=OFFICE.windows), RING_S)
