"""The abandonment cap as a hard bound: at every instant, not on average.

In the current legal window ``L`` calls were answered by a person and ``A`` of them abandoned; ``I`` lines are in
flight and ``F`` operators are free. The lines nobody could take if all were answered at once are *uncovered*:

    U = max(0, I - F)

One more line may start only if afterwards

    U = 0   or   (A + U) · 1000  ≤  cap · (L + U)          (cap in per mille; also the CHECK ``abandon_cap``)

Why this bounds abandons for ever, and not only now: the worst that can come is that every uncovered line is answered
by a person and lost.

    an answer while an operator is free       I - 1, F - 1: U stays, L grows
    an answer while nobody is free            A + 1, L + 1, U - 1: both sides stay as they were
    a line that ends without an answer        I - 1: U falls or stays
    an operator who becomes free              F + 1: U falls or stays
    an operator who leaves of his own will    only if the rule holds afterwards, else he stays for the moment
    an operator whose phone is lost           the newest ringing uncovered lines are hung up until the rule holds

So only the start of a line can break the rule, and that is where it is asked: here, and once more in PostgreSQL.
A line counts in ``I`` until it is connected or its end is stored; a call that is being bridged counts neither in
``I`` nor its operator in ``F``, or both do. An attempt belongs to the window it was sent in (``belongs``).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core.model import LegalWindow

if TYPE_CHECKING:
    from dialer.core.model import Budget

PERIOD_DAYS = 30
_FIRST_DAY = date(1970, 1, 1).toordinal()


def room(budget: Budget, *, in_flight: int, free: int) -> int:
    """How many further lines may start now, at least 0.

    Args:
        budget: L, A and the cap of the campaign's current window.
        in_flight: I, lines sent and not yet connected or ended.
        free: F, operators held free for this campaign.
    """
    return max(0, free + uncovered_max(budget) - in_flight)


def to_cut(budget: Budget, *, in_flight: int, free: int, ringing: int) -> int:
    """How many of the ``ringing`` lines, the newest first, must be hung up so that the rule holds again.

    Lines whose hangup is already asked for count neither in ``in_flight`` nor in ``ringing``.
    """
    return min(ringing, max(0, in_flight - free - uncovered_max(budget)))


def may_leave(budget: Budget, *, in_flight: int, free: int) -> bool:
    """Whether one of the ``free`` operators may pause or log out: the rule holds without him."""
    return free < 1 or in_flight - (free - 1) <= uncovered_max(budget)


def holds(budget: Budget, *, uncovered: int) -> bool:
    """The rule itself, as the database checks it."""
    lost, answered = budget.abandoned + uncovered, budget.answered + uncovered
    return uncovered == 0 or lost * 1000 <= budget.cap_permille * answered


def belongs(budget: Budget, sent_at: datetime) -> bool:
    """Whether an attempt sent then is counted in this window.

    One that was sent before the window began was covered by the window before; to count it here would charge a new
    count of zero with it.
    """
    return budget.starts_at <= sent_at < budget.ends_at


def window(kind: LegalWindow, at: datetime, zone: str) -> tuple[datetime, datetime]:
    """The legal window around ``at``: start (inside) and end (outside), in UTC.

    The windows of a kind follow each other without gap or overlap. Hours are clock hours of UTC: any union of whole
    hours keeps the cap, so any sliding day does. Periods of 30 days and months begin at the zone's midnight.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: no such zone.
    """
    if kind is LegalWindow.HOUR:
        start = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return start, start + timedelta(hours=1)
    today = at.astimezone(ZoneInfo(zone)).date()
    first, after = _PERIODS[kind](today)
    return _midnight(first, zone), _midnight(after, zone)


def uncovered_max(budget: Budget) -> int:
    """The greatest U for which the rule holds: A + U ≤ cap · (L + U), solved for U."""
    spare = budget.cap_permille * budget.answered - 1000 * budget.abandoned
    return max(0, spare // (1000 - budget.cap_permille))


def _days30(today: date) -> tuple[date, date]:
    first = date.fromordinal(today.toordinal() - (today.toordinal() - _FIRST_DAY) % PERIOD_DAYS)
    return first, first + timedelta(days=PERIOD_DAYS)


def _month(today: date) -> tuple[date, date]:
    first = today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


_PERIODS = {LegalWindow.DAYS30: _days30, LegalWindow.CALENDAR_MONTH: _month}


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
