"""Who works when: the shifts of the days ahead, inside the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core import hours
from dialer.core.ahead.known import DAY_S, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.core.model import Campaign

#: No shift is shorter.
SHIFT_S_MIN = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """When people work, in minutes of the day in the campaign's zone; an end of 1440 is midnight."""

    begins: int
    ends: int

    def moved(self, *, begins: int = 0, ends: int = 0) -> Work:
        """The same, so many minutes later."""
        return Work(begins=min(1440, max(0, self.begins + begins)), ends=min(1440, max(0, self.ends + ends)))


def usual(campaign: Campaign) -> Work:
    """Where nobody has worked yet: the longest hours of the profile's weekdays."""
    spans = [span for day in range(7) for span in campaign.profile.windows.get(day, ())]
    if not spans:
        return Work(begins=9 * 60, ends=18 * 60)
    return Work(begins=min(_minutes(begin) for begin, _ in spans), ends=max(_minutes(end) or 1440 for _, end in spans))


def shifts(campaign: Campaign, work: Work, now_s: float, days: int) -> list[tuple[float, float]]:
    """The present and the next shifts, (begin, end) in seconds since 1970: working hours in which people may be called.

    A shift is taken as a whole from the first to the last of the day's moments inside the law of the campaign's zone.
    What lies behind ``now_s`` is cut off.
    """
    zone = ZoneInfo(campaign.zone)
    today = datetime.fromtimestamp(now_s, UTC).astimezone(zone).date()
    found = []
    for i in range(days + 1):
        day = today + timedelta(days=i)
        begin_s, end_s = (_at(day, minutes, zone) for minutes in (work.begins, work.ends))
        spans = [
            (max(a, begin_s), min(b + campaign.ring_timeout_s + campaign.profile.guard_s, end_s))
            for utc_day in range(int(begin_s // DAY_S), int(end_s // DAY_S) + 1)
            for a, b in hours.starts(utc_day, (campaign.zone,), campaign.profile, campaign.ring_timeout_s)
        ]
        spans = [(a, b) for a, b in spans if a < b]
        if spans:
            first, last = max(now_s, min(a for a, _ in spans)), max(b for _, b in spans)
            if last - first >= SHIFT_S_MIN:
                found.append((first, last))
    return found


def plan(
    campaign: Campaign,
    work: Work,
    now_s: float,
    days: int,
    *,
    operators: int | None = None,
    answer_rate: float | None = None,
    result_rate: float | None = None,
    talk_s: float | None = None,
) -> Plan | None:
    """The shifts as a plan; None if nobody may be called in all these days."""
    found: Sequence[tuple[float, float]] = shifts(campaign, work, now_s, days)
    if not found:
        return None
    begin_s, end_s = found[0]
    return Plan(
        shift_begins_s=begin_s if begin_s > now_s else None,
        shift_ends_s=end_s,
        shifts=found[1:],
        operators=operators,
        answer_rate=answer_rate,
        result_rate=result_rate,
        talk_s=talk_s,
    )


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _at(day: date, minutes: int, zone: ZoneInfo) -> float:
    if minutes >= 1440:
        day, minutes = day + timedelta(days=1), 0
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).timestamp()
