"""What lies ahead of a campaign: many possible futures, and what most of them agree on.

An interval is of 80 per cent: as near to that as whole numbers allow, and as even on both sides as that leaves. "1 to
4 results" is then said of a campaign in which four futures of five end so, and not of one in which nine of ten do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dialer.core.ahead.future import Future
from dialer.core.ahead.rates import draw
from dialer.core.ahead.rules import Pace, Rules, no_budget
from dialer.core.quick import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialer.core.ahead.known import Chance, Known, Plan
    from dialer.core.ahead.queue import Told

#: How sure an interval is.
SURE = 0.8
#: Futures of a forecast, and of each other plan it is compared with.
FUTURES = 200
#: How far a base's end is looked for.
DAYS = 30
#: Attempts told one by one in a future; of more, each stands for several (``future``: scale).
EVENTS = 6000
#: About how long a conversation and what belongs to it take, and how many an operator has at least; see ``_scale``.
TURN_S, TURNS = 120.0, 20
#: Points of the fan.
MARKS = 12
#: What a future is asked at each mark.
RESULTS, ATTEMPTS, CONNECTS, LEFT = range(4)


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all futures: its middle, and the interval that holds it in ``share`` of them."""

    low: float
    middle: float
    high: float
    share: float = SURE


@dataclass(frozen=True, slots=True)
class End:
    """When something ends, seconds since 1970; ``share`` of the futures end within the time that was looked at."""

    low_s: float | None
    middle_s: float | None
    high_s: float | None
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fan:
    """Figures at moments until the end of the shift, those so far included."""

    at_s: Sequence[float]
    results: Sequence[Spread]
    left: Sequence[Spread]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What the present shift brings, what it has brought included.

    Attributes:
        occupancy: (talk + wrap-up) ÷ operator time, per cent; None without operators.
    """

    results: Spread
    attempts: Spread
    connects: Spread
    left: Spread
    occupancy: Spread | None
    fan: Fan
    told: Sequence[Told] = field(repr=False, default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """When the base ends, and when everybody in it has been called at least once."""

    ends: End
    tried: End


def shift(known: Known, plan: Plan, chances: Callable[[int], Chance], *, futures: int = FUTURES) -> Iterator[Told]:
    """The present shift in so many futures, one after the other.

    Args:
        known: The campaign now.
        plan: Who works until when.
        chances: Number of a future -> its chance; the same for plans that are compared.
        futures: How many.
    """
    marks = moments(known, plan)
    scale = _scale(known, plan, shifts=False)
    yield from _futures(known, plan, chances, marks, plan.shift_ends_s, futures, scale)


def base(known: Known, plan: Plan, chances: Callable[[int], Chance], *, futures: int = FUTURES) -> Iterator[Told]:
    """The base until its end, or ``DAYS`` ahead, in so many futures."""
    scale = _scale(known, plan, shifts=True)
    until_s = known.at_s + DAYS * 86_400.0
    yield from _futures(known, plan, chances, [known.at_s], until_s, futures, scale, long=True)


def moments(known: Known, plan: Plan) -> list[float]:
    """The points of the fan: now, evenly on, and the end of the shift."""
    step_s = max(0.0, plan.shift_ends_s - known.at_s) / MARKS
    return [known.at_s + i * step_s for i in range(MARKS)] + [max(known.at_s, plan.shift_ends_s)]


def _futures(
    known: Known,
    plan: Plan,
    chances: Callable[[int], Chance],
    marks: Sequence[float],
    until_s: float,
    futures: int,
    scale: int,
    *,
    long: bool = False,
) -> Iterator[Told]:
    rules = Rules(known.campaign, known.at_s, until_s, known.laws)
    pace = _pace(known, plan, chances(-1))
    at = datetime.fromtimestamp(known.at_s, UTC)
    offset = at.astimezone(ZoneInfo(known.campaign.zone)).utcoffset()
    offset_s = offset.total_seconds() if offset else 0.0
    for number in range(futures):
        chance = chances(number)
        rates = draw(known, plan, chance)
        future = Future(known, plan, rates, rules, pace, seed=chance.getrandbits(64), scale=scale, long=long)
        yield future.live(marks, until_s, zone_offset_s=offset_s)


def _pace(known: Known, plan: Plan, chance: Chance) -> Pace:
    rates = draw(known, plan, chance)
    budget = known.budget or no_budget(known.campaign, known.at_s)
    return Pace(known.campaign, known.learned, budget, rates.talk, rates.write)


def _scale(known: Known, plan: Plan, *, shifts: bool) -> int:
    """How many contacts one stands for, so that a future has about ``EVENTS`` attempts.

    There are no more than the contacts have left, nor than operators or lines can make. And an operator still has
    ``TURNS`` conversations or so: of fewer, the one that is going on at the end would weigh too much.
    """
    campaign = known.campaign
    most = sum(crowd.count * max(1, campaign.attempts_max - crowd.counted) for crowd in known.crowds)
    begins = (plan.shift_begins_s or known.at_s, plan.shift_ends_s)
    worked_s = sum(max(0.0, b - a) for a, b in [begins, *(plan.shifts if shifts else ())])
    operators = len(known.crew) if plan.operators is None else plan.operators
    each_s = 10.0 if campaign.operator_free else 25.0 / max(1.0, campaign.max_lines_per_operator**0.5)
    servers = campaign.max_lines if campaign.operator_free else operators
    attempts = min(most, worked_s * servers / each_s)
    return max(1, int(min(attempts / EVENTS, worked_s / (TURN_S * TURNS))))


# What they agree on ------------------------------------------------------------------


def of_shift(known: Known, plan: Plan, told: Sequence[Told]) -> Shift:
    """The present shift by its futures."""
    so_far = (known.results, known.attempts, known.connects, 0)
    last = [one.marks[-1] for one in told]
    results, attempts, connects, left = (
        spread([mark[i] + before for mark in last]) for i, before in zip(range(4), so_far, strict=True)
    )
    busy = [100 * one.busy_s / one.there_s for one in told if one.there_s > 0]
    fan = Fan(
        at_s=moments(known, plan),
        results=[spread([t.marks[i][RESULTS] + known.results for t in told]) for i in range(MARKS + 1)],
        left=[spread([t.marks[i][LEFT] for t in told]) for i in range(MARKS + 1)],
    )
    return Shift(
        results=results,
        attempts=attempts,
        connects=connects,
        left=left,
        occupancy=spread(busy, whole=False) if busy else None,
        fan=fan,
        told=told,
    )


def of_base(told: Sequence[Told]) -> Base:
    """The base's end by its futures."""
    return Base(ends=end([one.ended_s for one in told]), tried=end([one.tried_s for one in told]))


def difference(one: Sequence[Told], other: Sequence[Told]) -> Mapping[str, Spread]:
    """What the other plan brings more than the one until its own end, future by future: results and contacts left."""
    pairs = [(a.marks[-1], b.marks[-1]) for a, b in zip(one, other, strict=True)]
    return {
        "results": spread([b[RESULTS] - a[RESULTS] for a, b in pairs]),
        "left": spread([b[LEFT] - a[LEFT] for a, b in pairs]),
    }


def spread(values: Sequence[float], *, whole: bool = True) -> Spread:
    """The middle of the values, and the interval around it.

    Of whole numbers that whose share of the values is nearest to ``SURE``, less what its two sides differ by; no more
    than twice the usual part lies on one side.
    """
    ordered = sorted(values)
    n = len(ordered)
    middle = ordered[n // 2]
    tail = (1 - SURE) / 2
    if not whole:
        return Spread(ordered[int(tail * n)], middle, ordered[min(n - 1, int((1 - tail) * n))])
    below: dict[float, int] = {}
    for place, value in enumerate(ordered):
        below.setdefault(value, place)
    distinct = list(below)
    upto = {value: below[after] for value, after in pairwise(distinct)} | {distinct[-1]: n}
    near = tail * n

    def off(edge: tuple[float, float]) -> tuple[float, float]:
        low, high = below[edge[0]], n - upto[edge[1]]
        return abs(upto[edge[1]] - below[edge[0]] - SURE * n) + abs(low - high) / 4, edge[1] - edge[0]

    lows = [v for v in distinct if v <= middle and below[v] <= 2 * near] or [middle]
    highs = [v for v in distinct if v >= middle and n - upto[v] <= 2 * near] or [middle]
    low, high = min(((a, b) for a in _few(lows) for b in _few(highs)), key=off)
    return Spread(low, middle, high, (upto[high] - below[low]) / n)


def _few(values: list[float]) -> list[float]:
    """All of a few values, some of many: the interval of many is near enough to any share."""
    return values if len(values) <= 60 else values[:: len(values) // 60 + 1]


def end(moments_s: Sequence[float | None]) -> End:
    """When something ends: a quantile that no future reaches is None."""
    ordered = sorted(float("inf") if at is None else at for at in moments_s)
    n = len(ordered)
    low, middle, high = (
        None if at == float("inf") else at
        for at in (ordered[min(n - 1, int(q * n))] for q in ((1 - SURE) / 2, 0.5, (1 + SURE) / 2))
    )
    return End(low, middle, high, sum(at is not None for at in moments_s) / n)


def with_operators(known: Known, plan: Plan, more: int) -> Plan:
    """The same plan with so many operators more, or fewer, from now on."""
    there = len(known.crew) if plan.operators is None else plan.operators
    return replace(plan, operators=max(0, there + more))
