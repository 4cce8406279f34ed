"""When a callee may be called: windows in the callee's own local time, every day of the year.

A profile says for each weekday in which local hours people may be called. A contact may have several possible time
zones; then only the moments count that lie inside the windows of *all* of them. A call may start while there is room
for its whole ring time and a guard before the end: the telephone never rings outside the window.

Clock changes need no special care, because local hours are never turned into moments one by one. A day is cut where
the zone's offset to UTC changes; within each piece local time is UTC plus a constant, so a window is a plain interval
of it. An hour that does not exist then has no moments, an hour that comes twice has two.

On a public holiday of the callee's zone the hours of holidays hold instead of the weekday's, if the profile has any.

A zone nobody knows is never open, and neither is a contact without any zone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialer.core.model import HOLIDAY, Holidays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialer.core.model import Profile

#: Half-open intervals of seconds since 1970, in order, not touching each other.
Spans = tuple[tuple[int, int], ...]
#: The windows of a day, and those of the weekdays, Monday first: hashable, so that the spans of a day can be kept.
Windows = tuple[tuple[time, time], ...]
Week = tuple[tuple[Windows, ...], Windows, Holidays | None]
#: One for each profile whose hours must all hold.
Weeks = tuple[Week, ...]

DAY_S = 86_400
#: How far ahead ``next_open`` looks: windows of two zones may meet only while one of them has summer time.
LOOK_AHEAD_DAYS = 370
#: Names the zone database answers to that are no place: local time of nobody, of this machine, or with leap seconds.
NO_PLACES = frozenset({"Factory", "localtime", "posixrules", "posix", "right"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Weeks by the identity of their profile, and how many are kept.
_WEEKS: dict[int, tuple[Profile, Weeks]] = {}
WEEKS_KEPT = 256


def may_call(now: datetime, zones: Sequence[str], profile: Profile, ring_timeout_s: int) -> bool:
    """Whether a call started at ``now`` rings only inside the windows of all ``zones``.

    Args:
        now: Aware time.
        zones: IANA names of the zones the callee may be in; an unknown name or none at all means never.
        profile: Whose ``windows`` and ``guard_s`` hold.
        ring_timeout_s: How long the call may ring.
    """
    at = now.timestamp()
    until = at + ring_timeout_s + profile.guard_s
    return any(start <= at and until <= end for start, end in _open(tuple(zones), _weeks(profile), int(at // DAY_S)))


def next_open(now: datetime, zones: Sequence[str], profile: Profile, ring_timeout_s: int) -> datetime | None:
    """The first moment from ``now`` on at which ``may_call`` is true, in UTC; None if there is none in a year."""
    at = now.timestamp()
    need = ring_timeout_s + profile.guard_s
    key, weeks, today = tuple(zones), _weeks(profile), int(at // DAY_S)
    for day in range(today, today + LOOK_AHEAD_DAYS):
        for start, end in _open(key, weeks, day):
            first = max(float(start), at)
            if first < (day + 1) * DAY_S and first + need <= end:
                return _EPOCH + timedelta(seconds=first) if first > at else now.astimezone(UTC)
    return None


def starts(day: int, zones: Sequence[str], profile: Profile, ring_timeout_s: int) -> Spans:
    """When ``may_call`` is true in a UTC day.

    Args:
        day: Days since 1970.
        zones: As ``may_call``.
        profile: As ``may_call``.
        ring_timeout_s: As ``may_call``.

    Returns:
        Half-open intervals of seconds since 1970, in order.
    """
    need, midnight = ring_timeout_s + profile.guard_s, (day + 1) * DAY_S
    spans = ((start, min(end - need + 1, midnight)) for start, end in _open(tuple(zones), _weeks(profile), day))
    return tuple(span for span in spans if span[0] < span[1])


def known(zone: str) -> bool:
    """Whether this is the name of a time zone people live in."""
    return _zone(zone) is not None


def closed_by(now: datetime, zones: Sequence[str], profile: Profile, ring_timeout_s: int) -> str:
    """Of the profiles beside this one, the first whose hours forbid a call now; empty if this one's own do already."""
    if not may_call(now, zones, replace(profile, beside=()), ring_timeout_s):
        return ""
    shut = (
        one.id
        for one in profile.beside
        if not may_call(now, zones, replace(one, guard_s=profile.guard_s), ring_timeout_s)
    )
    return next(shut, "")


def _weeks(profile: Profile) -> Weeks:
    """The weeks of a profile; kept for the last ones, since a claim asks for each of a thousand lanes."""
    known = _WEEKS.get(id(profile))
    if known is None or known[0] is not profile:
        if len(_WEEKS) >= WEEKS_KEPT:
            _WEEKS.clear()
        known = _WEEKS[id(profile)] = profile, tuple(_week(one) for one in (profile, *profile.beside))
    return known[1]


def _week(profile: Profile) -> Week:
    """Weekdays, holidays and which days those are; no calendar where holidays are days like others."""
    windows = profile.windows
    days = tuple(tuple(windows.get(day, ())) for day in range(7))
    return days, tuple(windows.get(HOLIDAY, ())), profile.holidays if HOLIDAY in windows else None


@lru_cache(maxsize=4096)
def _open(zones: tuple[str, ...], weeks: Weeks, day: int) -> Spans:
    """When all zones are open by all weeks, in the UTC day and the next one, so that no call's end is out of sight."""
    spans: Spans = ((day * DAY_S, (day + 2) * DAY_S),) if zones else ()
    for name in zones:
        zone = _zone(name)
        for week in weeks:
            spans = _both(spans, _merged(_windows(name, zone, week, day))) if zone else ()
    return spans


def _windows(name: str, zone: ZoneInfo, week: Week, day: int) -> Iterator[tuple[int, int]]:
    days, holiday, holidays = week
    for start, end, offset in _pieces(zone, day):
        for local_day in range((start + offset) // DAY_S, (end + offset - 1) // DAY_S + 1):
            midnight = local_day * DAY_S - offset
            weekday = days[(local_day + 3) % 7]  # the first of January 1970 was a Thursday
            is_holiday = holidays is not None and local_day in holidays(name, _year(local_day))
            for opens, closes in holiday if is_holiday else weekday:
                span = max(start, midnight + _seconds(opens)), min(end, midnight + (_seconds(closes) or DAY_S))
                if span[0] < span[1]:
                    yield span


def _pieces(zone: ZoneInfo, day: int) -> Iterator[tuple[int, int, int]]:
    """The UTC day and the next, cut where the offset changes: (start, end, offset) in seconds."""
    for start in (day * DAY_S, (day + 1) * DAY_S):
        end = start + DAY_S
        before, after = _offset(zone, start), _offset(zone, end - 1)
        if before == after:
            yield start, end, before
            continue
        low, high = start, end - 1  # the offset is `before` at low, another one at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
        yield start, high, before
        yield high, end, after


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = (_EPOCH + timedelta(seconds=at)).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _year(day: int) -> int:
    """The year of a day since 1970."""
    return date.fromordinal(day + _EPOCH.toordinal()).year


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    if name.split("/", 1)[0] in NO_PLACES:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _merged(spans: Iterator[tuple[int, int]]) -> Spans:
    """The same moments with touching and overlapping intervals joined."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return tuple(joined)


def _both(one: Spans, other: Spans) -> Spans:
    """Moments inside both."""
    met = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((start, end) for start, end in met if start < end))
