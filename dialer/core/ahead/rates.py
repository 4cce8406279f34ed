"""Rates of one possible future: drawn from what is left open by what was observed.

A forecast that took the observed rates for true would be too sure of itself: ten results in a hundred conversations
may be a campaign of six or of sixteen per cent. So each possible future begins with rates of its own:

* how attempts end: a Dirichlet law over the natures, by attempts so far. What the other attempts of the campaign and
  earlier campaigns show counts as so many observations beside the own ones, ``ALIKE`` at the most.
* what operators say of conversations: the same over dispositions.
* how long things take: the Bayesian bootstrap (Rubin 1981): each observed duration has a weight of its own, drawn so
  that equal weights are the mean. A talk that still goes on ends like one of those that lasted longer, so long talks
  are not forgotten because they are not over (Kaplan and Meier 1958).
* how often operators are away: a gamma law.
* the hour of the day: earlier days tell how much more or less is answered in it, as pacing learns it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from math import log
from typing import TYPE_CHECKING

from dialer.core.ahead.known import NATURES
from dialer.core.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.ahead.known import Chance, Known, Plan

#: What is usual, and how many attempts it counts for where nothing else is known.
USUAL = {
    Outcome.CONNECTED: 0.30,
    Outcome.EARLY_HANGUP: 0.02,
    Outcome.OFFER_ENDED: 0.0,
    Outcome.NO_ANSWER: 0.40,
    Outcome.BUSY: 0.09,
    Outcome.MACHINE: 0.06,
    Outcome.INVALID_NUMBER: 0.04,
    Outcome.CONGESTION: 0.03,
    Outcome.REJECTED: 0.03,
    Outcome.FAILED: 0.02,
    Outcome.UNKNOWN: 0.01,
}
USUAL_N = 4.0
#: Of an offer heard, so many press the key for an operator.
USUAL_KEY = 0.3
#: What others show counts as no more than so many observations of one's own: other attempts, earlier campaigns.
ALIKE, EARLIER = 60.0, 20.0
#: An hour of the day is shrunk to the whole day by so many attempts, as in pacing.
HOUR_N = 300.0
#: Seconds of a line by nature where none was observed; None: the ring timeout and a set-up of 2 s.
USUAL_LINE_S = {Outcome.NO_ANSWER: None, Outcome.MACHINE: 14.0, Outcome.CONNECTED: 11.0, Outcome.OFFER_ENDED: 35.0}
BRIEF_S = 4.0
#: Means of talk, wrap-up and pauses before any was seen, each worth so many; a pause an hour.
USUAL_TALK_S, USUAL_WRITE_S, USUAL_AWAY_S, USUAL_TIMES_N = 90.0, 20.0, 300.0, 3.0
AWAY_EVERY_S = 3600.0
#: A promise is made for this long from now where none was seen.
USUAL_PROMISE_S = 4 * 3600.0
#: Quantiles by which an exponential law stands for durations nobody has seen.
STEPS = tuple(-log(1 - (i + 0.5) / 5) for i in range(5))


class Times:
    """Durations with weights of their own: draws one for a uniform number."""

    __slots__ = ("_sums", "_values")

    def __init__(self, values: Sequence[float], weights: Sequence[float]) -> None:
        paired = sorted(zip(values, weights, strict=True))
        self._values = [value for value, _ in paired]
        self._sums = list(accumulate(weight for _, weight in paired))

    def draw(self, uniform: float) -> float:
        """The duration at this share of the weights."""
        return self._values[min(bisect_right(self._sums, uniform * self._sums[-1]), len(self._values) - 1)]

    def rest(self, age_s: float, uniform: float) -> float:
        """What is left of one that has lasted so long already."""
        place = bisect_right(self._values, age_s)
        if place == len(self._values):
            return -log(1 - uniform) * self.mean()
        before = self._sums[place - 1] if place else 0.0
        at = before + uniform * (self._sums[-1] - before)
        return self._values[min(max(place, bisect_right(self._sums, at)), len(self._values) - 1)] - age_s

    def mean(self) -> float:
        """Weighted mean in seconds."""
        before, total = 0.0, 0.0
        for value, upto in zip(self._values, self._sums, strict=True):
            total += value * (upto - before)
            before = upto
        return total / self._sums[-1]

    def ages(self, count: int) -> list[float]:
        """How long so many of them, met at a random moment, typically have lasted."""
        whole, found, place = self.mean(), [], 0
        area, at, left = 0.0, 0.0, self._sums[-1]
        for i in range(count):
            wanted = (i + 0.5) / count * whole
            while place < len(self._values) - 1 and area + (self._values[place] - at) * left / self._sums[-1] < wanted:
                area += (self._values[place] - at) * left / self._sums[-1]
                at, left = self._values[place], self._sums[-1] - self._sums[place]
                place += 1
            found.append(at + (wanted - area) * self._sums[-1] / max(left, 1e-12))
        return found


class Shares:
    """A law over words: the word for a uniform number."""

    __slots__ = ("_sums", "_words")

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._words = list(shares)
        self._sums = list(accumulate(shares.values()))

    def shares(self) -> dict[str, float]:
        """Word -> its share; all together 1."""
        whole, before, found = self._sums[-1], 0.0, {}
        for word, upto in zip(self._words, self._sums, strict=True):
            found[word], before = (upto - before) / whole, upto
        return found

    def draw(self, uniform: float) -> str:
        """The word at this share."""
        return self._words[min(bisect_right(self._sums, uniform * self._sums[-1]), len(self._words) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Of one possible future.

    Attributes:
        ends: By attempts counted so far, the last for all further: nature -> probability, in the order of ``NATURES``.
        hour: Hour of the day -> factor on the odds of an answer.
        away_every_s: Mean seconds of work between two pauses.
        own: Share of their conversations that operators have for this campaign.
    """

    ends: Sequence[Sequence[float]]
    hour: Mapping[int, float]
    line: Mapping[Outcome, Times]
    talk: Times
    write: Times
    away: Times
    promise: Times
    said: Shares
    keyed: Shares
    away_every_s: float
    own: float


def draw(known: Known, plan: Plan, chance: Chance) -> Rates:
    """Rates as they may be, by what is known."""
    seen, before = known.seen, known.before
    talk = _times(chance, seen.talk_s, seen.talking_s, before.talk_s, USUAL_TALK_S)
    if plan.talk_s is not None:
        talk = _scaled(talk, plan.talk_s)
    waits = (*before.away_s[: int(EARLIER)], *seen.away_s)
    count, worked_s = 1 + len(seen.away_s), AWAY_EVERY_S + seen.worked_s
    return Rates(
        ends=_ends(known, plan, chance),
        hour=_hours(known, chance),
        line={nature: _line(known, nature, chance) for nature in NATURES},
        talk=talk,
        write=_times(chance, seen.write_s, seen.writing_s, before.write_s, USUAL_WRITE_S),
        away=_times(chance, waits, (), (), USUAL_AWAY_S),
        promise=_times(chance, seen.promise_s, (), before.promise_s, USUAL_PROMISE_S),
        said=Shares(_said(known, plan, chance)),
        keyed=Shares(_keyed(known, chance)),
        away_every_s=worked_s / chance.gammavariate(count, 1.0),
        own=_beta(chance, seen.own + 1, seen.all - seen.own) if seen.all > seen.own else 1.0,
    )


def _ends(known: Known, plan: Plan, chance: Chance) -> list[list[float]]:
    """How attempts end, by how many were counted before."""
    belief = _belief(known, plan)
    highest = known.campaign.attempts_max
    own = [[known.seen.ends.get((counted, n), 0) for n in NATURES] for counted in range(highest)]
    total = [sum(column) for column in zip(*own, strict=True)]
    found = []
    for counts in own:
        others = [b + t - c for b, t, c in zip(belief, total, counts, strict=True)]
        n = sum(others)
        like = [min(ALIKE, n) * share for share in _dirichlet(chance, others)]
        found.append(_dirichlet(chance, [a + c for a, c in zip(like, counts, strict=True)]))
    return [_assumed(row, plan.answer_rate) for row in found]


def _belief(known: Known, plan: Plan) -> list[float]:
    """Attempts that what is usual, or what earlier campaigns show, is worth."""
    usual = dict(USUAL)
    if known.campaign.mode == "ivr":
        usual[Outcome.OFFER_ENDED] = usual[Outcome.CONNECTED] * (1 - USUAL_KEY)
        usual[Outcome.CONNECTED] *= USUAL_KEY
    if plan.answer_rate is not None:
        usual[Outcome.CONNECTED] = 0.0
    earlier = [sum(n for (_, nature), n in known.before.ends.items() if nature is one) for one in NATURES]
    n = sum(earlier)
    weight = min(EARLIER, n) / n if n else 0.0
    return [max(USUAL_N * usual[one], 1e-3) + weight * count for one, count in zip(NATURES, earlier, strict=True)]


def _assumed(row: list[float], answer_rate: float | None) -> list[float]:
    """With a rate that somebody set instead of the observed one; the others keep their proportions."""
    if answer_rate is None:
        return row
    rest = max(sum(row[1:]), 1e-9)
    return [answer_rate, *(share * (1 - answer_rate) / rest for share in row[1:])]


def _hours(known: Known, chance: Chance) -> dict[int, float]:
    """Odds of an answer in each hour of the day over those of the whole day."""
    attempts = sum(n for n, _ in known.seen.hours.values())
    if not attempts:
        return {}
    of_day = min(0.98, max(0.02, sum(k for _, k in known.seen.hours.values()) / attempts))
    found = {}
    for hour in range(24):
        n, k = known.seen.hours.get(hour, (0, 0))
        share = _beta(chance, k + HOUR_N * of_day, n - k + HOUR_N * (1 - of_day))
        share = min(0.99, max(0.01, share))
        found[hour] = share / (1 - share) / (of_day / (1 - of_day))
    return found


def _line(known: Known, nature: Outcome, chance: Chance) -> Times:
    usual = USUAL_LINE_S.get(nature, BRIEF_S) or known.campaign.ring_timeout_s + 2.0
    values = known.seen.line_s.get(nature, ())
    if not values:
        values = known.before.line_s.get(nature, ()) or (usual,)
    return Times(values, [-log(1 - chance.random()) for _ in values])


def _said(known: Known, plan: Plan, chance: Chance) -> dict[str, float]:
    """What operators say: each disposition of the campaign, and nothing."""
    kinds = known.campaign.dispositions
    codes = [code for code, kind in kinds.items() if not kind.archived or known.seen.said.get(code)]
    good = {code for code in codes if kinds[code].result}
    shares = _over(chance, [*codes, ""], good, known.seen.said, known.before.said)
    if plan.result_rate is not None:
        for ours, rate in ((True, plan.result_rate), (False, 1 - plan.result_rate)):
            part = [code for code in shares if (code in good) is ours]
            whole = max(sum(shares[code] for code in part), 1e-9)
            shares |= {code: shares[code] * rate / whole for code in part}
    return shares


def _keyed(known: Known, chance: Chance) -> dict[str, float]:
    codes = sorted({code for code in known.campaign.keys.values() if code in known.campaign.dispositions})
    good = {code for code in codes if known.campaign.dispositions[code].result}
    return _over(chance, [*codes, ""], good, known.seen.keyed, known.before.keyed)


def _over(
    chance: Chance, codes: list[str], good: set[str], own: Mapping[str, int], before: Mapping[str, int]
) -> dict[str, float]:
    """Shares of these words: as often as seen, also in earlier campaigns, and before any was seen by Jeffreys' law.

    That is half an observation of a result and half of anything else: no result yet is no proof that there is none.
    """
    n = sum(before.get(code, 0) for code in codes)
    weight = min(EARLIER, n) / n if n else 0.0
    alike = {True: max(1, len(good)), False: max(1, len(codes) - len(good))}
    alphas = [own.get(code, 0) + weight * before.get(code, 0) + 0.5 / alike[code in good] for code in codes]
    return dict(zip(codes, _dirichlet(chance, alphas), strict=True))


def _times(
    chance: Chance, own: Sequence[float], going_on: Sequence[float], before: Sequence[float], usual_s: float
) -> Times:
    """Durations with weights of this future; those going on end as one that lasted longer."""
    values = [*own]
    weights = [1.0] * len(own)
    earlier = before[: int(EARLIER) * 5]
    if earlier:
        values += earlier
        weights += [min(EARLIER, len(earlier)) / len(earlier)] * len(earlier)
    else:
        values += [usual_s * step for step in STEPS]
        weights += [USUAL_TIMES_N / len(STEPS)] * len(STEPS)
    known = Times(values, weights)
    for age_s in going_on:
        values.append(age_s + known.rest(age_s, chance.random()))
        weights.append(1.0)
    return Times(values, [chance.gammavariate(weight, 1.0) for weight in weights])


def _scaled(times: Times, mean_s: float) -> Times:
    factor = mean_s / times.mean()
    return Times([times.draw((i + 0.5) / 40) * factor for i in range(40)], [1.0] * 40)


def _beta(chance: Chance, a: float, b: float) -> float:
    one = chance.gammavariate(a, 1.0)
    return one / (one + chance.gammavariate(b, 1.0))


def _dirichlet(chance: Chance, alphas: Sequence[float]) -> list[float]:
    drawn = [chance.gammavariate(max(alpha, 1e-6), 1.0) + 1e-300 for alpha in alphas]
    total = sum(drawn)
    return [one / total for one in drawn]
