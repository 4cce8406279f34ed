"""A report goes once on each day of its schedule, whatever clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.subscriptions import LATE, PERIODS, When, moment, next_due, period

BERLIN = ZoneInfo("Europe/Berlin")
#: Spring forward and fall back at many hours, also by half an hour, at midnight, over a day that was left out.
ZONES = (
    *("Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"),
    *("Pacific/Apia", "Asia/Vladivostok", "Africa/Cairo", "America/St_Johns", "UTC"),
)
whens = st.one_of(
    st.builds(When, weekdays=st.frozensets(st.integers(1, 7), min_size=1), hour=st.integers(0, 23)),
    st.builds(When, month_day=st.integers(1, 31), hour=st.integers(0, 23)),
)
moments = st.datetimes(datetime(2008, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@given(when=whens, zone=st.sampled_from(ZONES).map(ZoneInfo), since=moments, steps=st.integers(1, 40))
def test_each_day_of_the_schedule_comes_once_and_in_order(when, zone, since, steps):
    """As a service lives through it that asks again and again, and is restarted in between."""
    due = next_due(when, zone, since=since)
    assert due.at >= since
    kept = []
    for _ in range(steps):
        kept.append(due)
        due = next_due(when, zone, since=due.at - LATE, after=due.day)
    days = [one.day for one in kept]
    every = [days[0] + timedelta(days=n) for n in range((days[-1] - days[0]).days + 1)]
    assert days == [day for day in every if when.holds(day)]
    ats = [one.at for one in kept]
    assert ats == sorted(set(ats))
    assert not [
        day
        for day in (days[0] - timedelta(days=n) for n in range(1, 40))
        if when.holds(day) and moment(when, day, zone) >= since
    ]


@given(
    when=whens,
    first=st.sampled_from(ZONES).map(ZoneInfo),
    then=st.sampled_from(ZONES).map(ZoneInfo),
    since=moments,
    now=moments,
)
def test_a_zone_that_changes_or_a_clock_that_is_put_back_never_repeats_a_day(when, first, then, since, now):
    kept = next_due(when, first, since=since)
    assert next_due(when, then, since=now, after=kept.day).day > kept.day


@given(when=whens, zone=st.sampled_from(ZONES).map(ZoneInfo), since=moments)
def test_the_moment_is_at_its_hour_or_as_late_as_the_clocks_jumped(when, zone, since):
    due = next_due(when, zone, since=since)
    local = due.at.astimezone(zone)
    if local.date() == due.day and local.hour == when.hour:
        assert (local.minute, local.fold) == (0, 0)
    else:  # that hour does not exist on that day: clocks went over it
        before = (due.at - timedelta(hours=25)).astimezone(zone).utcoffset()
        assert before != local.utcoffset()
        assert (
            timedelta(0)
            < local.replace(tzinfo=None) - datetime.combine(due.day, datetime.min.time()) - timedelta(hours=when.hour)
            <= timedelta(hours=24)
        )


@pytest.mark.parametrize(
    ("day", "hour", "at"),
    [
        (date(2026, 3, 29), 2, "2026-03-29T01:00+00:00"),  # 02:00 does not exist: 03:00 summer time
        (date(2026, 10, 25), 2, "2026-10-25T00:00+00:00"),  # 02:00 comes twice: the first
        (date(2026, 10, 26), 2, "2026-10-26T01:00+00:00"),
    ],
)
def test_an_hour_that_does_not_exist_or_comes_twice_has_one_moment(day, hour, at):
    assert moment(When(month_day=day.day, hour=hour), day, BERLIN) == datetime.fromisoformat(at)


@given(day=st.dates(date(2008, 1, 1), date(2028, 1, 1)), word=st.sampled_from(PERIODS))
def test_a_report_is_about_whole_days_that_are_over_and_the_next_one_begins_where_it_ends(day, word):
    first, behind = period(word, day)
    assert first < behind <= day
    if word == "week":
        assert (first.weekday(), (behind - first).days) == (0, 7)
    if word == "month":
        assert (first.day, behind.day, (first + timedelta(days=32)).replace(day=1)) == (1, 1, behind)
    following = next(day + timedelta(days=n) for n in range(1, 33) if period(word, day + timedelta(days=n))[0] != first)
    assert period(word, following)[0] == behind


@pytest.mark.parametrize("wrong", [{}, {"weekdays": frozenset({8})}, {"weekdays": frozenset({1}), "month_day": 1}])
def test_a_schedule_has_weekdays_or_a_day_of_the_month(wrong):
    with pytest.raises(ValueError):
        When(hour=1, **wrong)


def test_the_31st_of_a_shorter_month_is_its_last_day():
    due = next_due(When(month_day=31, hour=9), BERLIN, since=datetime(2026, 2, 1, tzinfo=UTC))
    assert due.day == date(2026, 2, 28)
