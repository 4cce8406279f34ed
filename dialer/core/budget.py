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

A call that an operator asked for (``preview``) is outside of all this: its operator waits for the callee. It is not in
``I``, and its answer is not in ``L``, where it would make room for abandons. If its operator's phone was lost and a
person heard nobody, it is in both: ``touched_by``.

That is the mode ``strict``. In the mode ``probable`` not every line is counted as if it were answered, but only as many
as are answered but for once in a million (``likely``); the rule and the rest stay the same. It is for campaigns whose
window is cold, and it is no bound for every instant: an admin chooses it, and the board says so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import ceil, exp, lgamma, log, log1p, sqrt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core.model import Budget, LegalWindow
from dialer.core.quick import replace

if TYPE_CHECKING:
    from dialer.core.model import Campaign, Ended

PERIOD_DAYS = 30
#: Mode ``probable``: the bound may be passed with this probability at one decision.
RISK = 1e-6
#: Mode ``probable``: no answer probability, however small, allows more lines than this.
LINES_MAX = 10_000
#: A ring that we end sooner is restricted by law (16 CFR 310.4(b)(4)(iii): 15 seconds or four rings).
SHORT_RING_S = 15.0
_FIRST_DAY = date(1970, 1, 1).toordinal()


def room(budget: Budget, *, in_flight: int, free: int, older: int = 0, answered: int = 0, chance: float = 1.0) -> int:
    """How many further lines may start now, at least 0.

    Args:
        budget: L, A and the cap of the campaign's current window.
        in_flight: I, lines sent and not yet connected or ended.
        free: F, operators held free for this campaign.
        older: Those of ``in_flight`` that were sent in the window before.
        answered: Those of ``in_flight`` that were answered already; asked only if ``chance`` is below 1.
        chance: Mode ``probable``: a line is not answered with a greater probability than this. 1 in mode ``strict``.
    """
    allowed = lines_within(free + uncovered_max(budget, older=older) - answered, chance)
    return max(0, allowed - (in_flight - answered))


def covering(*, in_flight: int, free: int, answered: int = 0, chance: float = 1.0) -> int:
    """F of a claim that ends with ``in_flight`` lines: the free operators, and the lines that need none.

    In mode ``strict`` those are only the operators. What is left of the lines is what the database checks: U.
    """
    return free + (in_flight - answered) - likely(in_flight - answered, chance)


@lru_cache(maxsize=16_384)
def likely(lines: int, chance: float) -> int:
    """How many of these lines are answered at the most, but for a probability of ``RISK``; all of them at ``chance`` 1.

    The least q with P(X > q) ≤ RISK for X binomial, summed exactly from far above the mean, where nothing is left.
    """
    if chance >= 1 or lines <= 0:
        return max(0, lines)
    if chance <= 0:
        return 0
    mean = lines * chance
    spread = sqrt(mean * (1 - chance))
    top = min(lines, ceil(mean + 12 * spread + 24))  # P(X > top) < 1e-12, by Bernstein's inequality
    odds = chance / (1 - chance)
    term = exp(
        lgamma(lines + 1)
        - lgamma(top + 1)
        - lgamma(lines - top + 1)
        + top * log(chance)
        + (lines - top) * log1p(-chance)
    )
    tail = 0.0
    while top and tail + term <= RISK:
        tail += term
        term *= top / ((lines - top + 1) * odds)
        top -= 1
    return top


def chance_at_most(share: float, n: float) -> float:
    """The greatest answer probability that so many observations leave possible: 1 without any.

    Wilson's upper limit at three standard deviations (99.87 %), rounded up to a whole per cent, so that what rests on
    it does not change with each call.
    """
    if n < 1:
        return 1.0
    z = 3.0
    middle = share + z * z / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return min(1.0, ceil(100 * (middle + spread) / (1 + z * z / n)) / 100)


@lru_cache(maxsize=4096)
def lines_within(answers: int, chance: float) -> int:
    """The greatest number of lines of which ``likely`` not more than so many are answered; negative if answers are."""
    if chance >= 1 or answers < 0:
        return answers
    low, high = answers, LINES_MAX
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if likely(middle, chance) <= answers else (low, middle - 1)
    return low


def cap_of(campaign: Campaign) -> int:
    """Per mille of the calls answered that may be abandoned: the campaign's, or a lower target; never above the law."""
    target = campaign.cap_permille if campaign.target_permille is None else campaign.target_permille
    return min(target, campaign.cap_permille, campaign.profile.cap_permille)


def present(budget: Budget, campaign: Campaign, now: datetime) -> Budget:
    """The budget as it is now: of the present legal window, under the present cap.

    A new window begins at nothing. If the cap was lowered below what is in flight, those lines were covered by the old
    one: they count as covered, and nothing uncovered starts until the new one allows it.
    """
    cap_permille = cap_of(campaign)
    if now >= budget.ends_at:
        starts_at, ends_at = window(campaign.profile.legal_window, now, campaign.zone)
        return Budget(
            campaign_id=campaign.id,
            starts_at=starts_at,
            ends_at=ends_at,
            answered=0,
            abandoned=0,
            uncovered=0,
            cap_permille=cap_permille,
        )
    if cap_permille != budget.cap_permille:
        budget = replace(budget, cap_permille=cap_permille)
    return budget if holds(budget, uncovered=budget.uncovered) else replace(budget, uncovered=0)


def owed(budget: Budget) -> int:
    """Answers without a loss that are still needed until abandons are within the cap again; 0 while they are.

    More than the bound had planned are lost only when an engine, a switch or a phone dies; they are paid back, one to
    one. A cap of 0 can pay nothing back before the window ends: then it is the number of lost calls.
    """
    over = 1000 * budget.abandoned - budget.cap_permille * budget.answered
    if over <= 0:
        return 0
    return -(-over // budget.cap_permille) if budget.cap_permille else budget.abandoned


def may_leave(budget: Budget, *, in_flight: int, free: int) -> bool:
    """Whether one of the ``free`` operators may pause or log out: the rule holds without him."""
    return free < 1 or in_flight - (free - 1) <= uncovered_max(budget)


def holds(budget: Budget, *, uncovered: int) -> bool:
    """The rule itself, as the database checks it."""
    lost, answered = budget.abandoned + uncovered, budget.answered + uncovered
    return uncovered == 0 or lost * 1000 <= budget.cap_permille * answered


def touched_by(ended: Ended) -> bool:
    """Whether the end of a call may be counted here: not of one an operator asked for, unless a person was lost."""
    return not ended.attempt.asked or ended.legal_abandoned


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


def uncovered_max(budget: Budget, *, older: int = 0) -> int:
    """The greatest U for which the rule holds: A + U ≤ cap · (L + U), solved for U.

    While ``older`` lines of the window before are in flight it is 0: whoever is lost might be one of them, and that
    window's count may be spent.
    """
    spare = budget.cap_permille * budget.answered - 1000 * budget.abandoned
    return 0 if older > 0 else max(0, spare // (1000 - budget.cap_permille))


def _days30(today: date) -> tuple[date, date]:
    first = date.fromordinal(today.toordinal() - (today.toordinal() - _FIRST_DAY) % PERIOD_DAYS)
    return first, first + timedelta(days=PERIOD_DAYS)


def _month(today: date) -> tuple[date, date]:
    first = today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


_PERIODS = {LegalWindow.DAYS30: _days30, LegalWindow.CALENDAR_MONTH: _month}


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
