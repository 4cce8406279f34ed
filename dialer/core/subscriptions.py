"""When a report goes by mail, and about which days: by the calendar of a zone, each day once at most.

What is remembered of a schedule is the last *day* it was kept on, never an hour: a day has one moment, whatever its
clocks do. Of an hour that comes twice it is the first; one that does not come at all is as long after the change as it
would have been after it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

PERIODS = ("yesterday", "week", "month")
#: A report is made up for so long after a time without the service; what is older is left out.
LATE = timedelta(days=7)
#: What stands before the link that stops it.
LAST_LINE: Mapping[str, str] = {"en": "No more of this report:", "ru": "Больше не присылать этот отчёт:"}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A schedule: weekdays, or a day of each month.

    Attributes:
        weekdays: ISO numbers, 1 is Monday; empty with ``month_day``.
        month_day: 1 to 31; in a shorter month its last.
        hour: Of the zone's clock, 0 to 23.
    """

    weekdays: frozenset[int] = frozenset()
    month_day: int | None = None
    hour: int

    def __post_init__(self) -> None:
        if bool(self.weekdays) == (self.month_day is not None) or not self.weekdays <= frozenset(range(1, 8)):
            raise ValueError("a schedule has weekdays or a day of the month")

    def holds(self, day: date) -> bool:
        """Whether the report goes on this day."""
        if self.month_day is None:
            return day.isoweekday() in self.weekdays
        return day.day == min(self.month_day, monthrange(day.year, day.month)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A day of a schedule and its moment, UTC."""

    day: date
    at: datetime


def moment(when: When, day: date, zone: ZoneInfo) -> datetime:
    """The moment of a day, UTC."""
    return datetime.combine(day, time(when.hour), zone).astimezone(UTC)


def next_due(when: When, zone: ZoneInfo, *, since: datetime, after: date | None = None) -> Due:
    """The first day of a schedule that is not over.

    Args:
        when: The schedule.
        zone: Whose calendar and clock hold.
        since: Moments before this are over.
        after: The last day that was kept: only later ones count.
    """
    day = since.astimezone(zone).date() - _DAY
    if after is not None:
        day = max(day, after + _DAY)
    while not when.holds(day) or moment(when, day, zone) < since:
        day += _DAY
    return Due(day=day, at=moment(when, day, zone))


def period(word: str, day: date) -> tuple[date, date]:
    """The days a report of this day is about: the day before, the week (from Monday) or the month before.

    Args:
        word: One of ``PERIODS``.
        day: Of the schedule.

    Returns:
        The first day, and the day behind the last.
    """
    if word == "yesterday":
        return day - _DAY, day
    if word == "week":
        monday = day - timedelta(days=day.weekday())
        return monday - timedelta(days=7), monday
    first = day.replace(day=1)
    return (first - _DAY).replace(day=1), first
