"""How many calls to place now, and why, in one sentence.

Progressive: one line per ready operator. Predictive: a first, simple forecast. A call placed now is answered after
about ``ring_s``; by then some busy operators are free again and some lines in flight are answered. Both are sums of
independent yes/no events, each with its own probability:

* an operator in a talk or in wrap-up is free by then: the rest of both is taken as exponential with the learned means,
  so it does not depend on how long it lasts already;
* a line in flight is answered by then: p · (S(a) − S(a+τ)) / (p · S(a) + 1 − p) with its age a and S the survival of
  the time to answer (gamma, shape 4): the longer it rings, the less likely.

With X = operators free − people answered, the risk that one more answered call finds nobody is P(X < 1), taken from
the normal law with X's mean and variance. Lines are added while that risk stays below a target, which follows from the
cap and from how much of the abandons allowed in the legal window is still unspent; so it corrects its own errors.

IVR-first: the same sum, where what needs an operator is not an answer but a pressed key, and there is the time of the
offer and the stated wait to find one.

The forecast is only a proposal. Above it stand, in this order: the trunk, starts per second, lines per operator, and
the abandon budget, which no forecast overrides. Without enough observations, or with a slow switch, it is one to one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import erfc, exp, sqrt
from typing import TYPE_CHECKING

from dialer.core.model import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.core.model import Budget

#: Fewer observed attempts than this say nothing about who answers; one to one until then.
ATTEMPTS_MIN = 20
#: What is believed before anything was seen, and how many observations the belief is worth.
PRIOR_ANSWER, PRIOR_ANSWER_N = 0.5, 8
PRIOR_KEY = 0.3
PRIOR_TALK_S, PRIOR_WRAP_UP_S, PRIOR_TALK_N = 90.0, 20.0, 3
#: A callee may wait this long for an operator.
WAIT_S = 2.0
#: Shape of the time from sending to answer: set-up and ringing together, coefficient of variation 0.5.
ANSWER_SHAPE = 4
#: The unspent part of the allowed abandons is offered to at least this many answers, or a tenth of the window's.
SPEND_OVER_ANSWERS = 300
#: The risk taken with one call never exceeds this, however much is unspent.
RISK_MAX = 0.25
#: Aim a little below the cap: the bound itself is the budget's business.
AIM = 0.95
#: Ages of lines are looked up on this grid.
GRID_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The campaign at one moment.

    Attributes:
        ready: Operators who could be bridged now.
        reserved: Of them, those held for callbacks that come due.
        talking_s: How long each talking operator has been talking.
        wrap_up_s: How long each operator in wrap-up has been in it.
        in_flight_s: Age of each line that was sent or rings.
        waiting: People who answered (or pressed the key) and have nobody yet.
        in_offer: IVR-first: people who are listening to the offer.
    """

    ready: int
    reserved: int = 0
    talking_s: Sequence[float] = ()
    wrap_up_s: Sequence[float] = ()
    in_flight_s: Sequence[float] = ()
    waiting: int = 0
    in_offer: int = 0

    @property
    def operators(self) -> int:
        """Operators at work for this campaign."""
        return self.ready + len(self.talking_s) + len(self.wrap_up_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What the campaign's own calls taught.

    Attributes:
        answer_rate: Attempts answered by a person ÷ attempts, 0 to 1.
        ring_s: Mean time from sending to answer, of those answered.
        talk_s: Mean talk.
        wrap_up_s: Mean wrap-up.
        n_answer: Attempts behind ``answer_rate``.
        n_talk: Talks behind ``talk_s`` and ``wrap_up_s``.
        key_rate: IVR-first: of those who answered, the share who press the key for an operator.
        n_key: Answers behind ``key_rate``.
    """

    answer_rate: float = 0.0
    ring_s: float = 10.0
    talk_s: float = 0.0
    wrap_up_s: float = 0.0
    n_answer: int = 0
    n_talk: int = 0
    key_rate: float = 0.0
    n_key: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What bounds the campaign now.

    Attributes:
        room_budget: Further lines the abandonment budget allows (``budget.room``).
        room_trunk: Further lines the trunk and the campaign's own maximum allow.
        room_starts: Calls that may start now under the limit per second.
        slow: The switch answers late; nothing is dialled ahead.
        key_wait_s: IVR-first: how long a caller who pressed the key may wait.
        operator_free: IVR-first without operators: only the trunk bounds it.
    """

    mode: Mode
    ring_timeout_s: int
    max_lines_per_operator: float
    room_budget: int
    room_trunk: int
    room_starts: int
    budget: Budget
    slow: bool = False
    key_wait_s: int = 20
    operator_free: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place now, and why.

    Attributes:
        calls: New calls, at least 0.
        reason: The rule that limits, a stable word: ``forecast``, ``free_operators``, ``abandon_budget``,
            ``lines_per_operator``, ``trunk_limit``, ``starts_limit``, ``little_data``, ``slow_switch`` or
            ``no_operators``.
        target: Lines in flight with these calls.
        expected_free: Operators expected to be free when a call placed now is answered.
        of: What was known, for the sentence.
    """

    calls: int
    reason: str
    target: int
    expected_free: float
    of: tuple[Snapshot, Policy, _Belief] = field(repr=False)

    @property
    def ages(self) -> bool:
        """Whether time alone may change this decision: lines grow older, and starts are counted by the second."""
        return self.reason == "starts_limit" or (self.reason == "forecast" and bool(self.of[0].in_flight_s))

    @property
    def sentence(self) -> dict[str, str]:
        """The explanation by language: ``en``, ``ru``. Made when somebody reads it."""
        snapshot, policy, belief = self.of
        return _sentence(snapshot, policy, belief, self.target, self.reason, self.expected_free)


@dataclass(frozen=True, slots=True)
class _Belief:
    """Learned figures, shrunk to what is believed beforehand while they are few."""

    answer: float
    key: float
    talk_s: float
    wrap_up_s: float
    answer_s: float
    horizon_s: float


def decide(snapshot: Snapshot, learned: Learned, policy: Policy) -> Decision:
    """Decide how many calls to place at this moment; costs tens of microseconds for thirty operators."""
    belief = _believe(learned, policy)
    free_mean, free_variance = _free_by(snapshot, belief)
    limits = _limits(snapshot, learned, policy, belief, free_mean, free_variance)
    reason = min(limits, key=limits.__getitem__)
    calls = max(0, limits[reason])
    lines = len(snapshot.in_flight_s) + calls
    return Decision(
        calls=calls,
        reason=reason,
        target=lines,
        expected_free=free_mean,
        of=(snapshot, policy, belief),
    )


def risk_target(budget: Budget) -> float:
    """The greatest risk to take with one more call: the cap, more while abandons are unspent, less while overspent."""
    cap = budget.cap_permille / 1000
    unspent = cap * budget.answered - budget.abandoned
    return min(RISK_MAX, max(0.0, AIM * cap + unspent / max(SPEND_OVER_ANSWERS, budget.answered / 10)))


def _limits(
    snapshot: Snapshot, learned: Learned, policy: Policy, belief: _Belief, free_mean: float, free_variance: float
) -> dict[str, int]:
    """New calls each rule allows; the first of the smallest is the reason, and this is their order."""
    lines = len(snapshot.in_flight_s) + snapshot.waiting + snapshot.in_offer
    one_to_one = snapshot.ready - snapshot.reserved - lines
    if not policy.operator_free and snapshot.operators == 0:
        return {"no_operators": 0}
    limits: dict[str, int] = {}
    if not policy.operator_free:
        if policy.slow:
            limits["slow_switch"] = one_to_one
        elif policy.mode is Mode.PROGRESSIVE:
            limits["free_operators"] = one_to_one
        elif learned.n_answer < ATTEMPTS_MIN:
            limits["little_data"] = one_to_one
        limits["abandon_budget"] = policy.room_budget
        if len(limits) == 1:
            ahead = _forecast(snapshot, policy, belief, free_mean, free_variance)
            limits["forecast"] = max(one_to_one, ahead)  # a line with a free operator of its own risks nothing
        limits["lines_per_operator"] = int(policy.max_lines_per_operator * snapshot.operators) - lines
    limits["trunk_limit"] = policy.room_trunk
    limits["starts_limit"] = policy.room_starts
    return limits


def _believe(learned: Learned, policy: Policy) -> _Belief:
    answer = _shrunk(learned.answer_rate, learned.n_answer, PRIOR_ANSWER, PRIOR_ANSWER_N)
    answer_s = min(max(learned.ring_s, 1.0), float(policy.ring_timeout_s))
    ivr = policy.mode is Mode.IVR
    key = _shrunk(learned.key_rate, learned.n_key, PRIOR_KEY, PRIOR_ANSWER_N) if ivr else 1.0
    return _Belief(
        answer=answer,
        key=key,
        talk_s=_shrunk(learned.talk_s, learned.n_talk, PRIOR_TALK_S, PRIOR_TALK_N),
        wrap_up_s=_shrunk(learned.wrap_up_s, learned.n_talk, PRIOR_WRAP_UP_S, PRIOR_TALK_N),
        answer_s=answer_s,
        horizon_s=answer_s + (policy.key_wait_s if ivr else WAIT_S),
    )


def _shrunk(mean: float, n: int, prior: float, prior_n: float) -> float:
    return (mean * n + prior * prior_n) / (n + prior_n)


def _free_by(snapshot: Snapshot, belief: _Belief) -> tuple[float, float]:
    """Mean and variance of the operators free when a call placed now is answered, waiting people served first."""
    of_talk = _ended_by(belief.horizon_s, belief.talk_s, belief.wrap_up_s)
    of_wrap_up = 1 - exp(-belief.horizon_s / max(belief.wrap_up_s, 0.1))
    talking, writing = len(snapshot.talking_s), len(snapshot.wrap_up_s)
    now = snapshot.ready - snapshot.reserved - snapshot.waiting
    mean = now + talking * of_talk + writing * of_wrap_up
    return mean, talking * of_talk * (1 - of_talk) + writing * of_wrap_up * (1 - of_wrap_up)


def _ended_by(within_s: float, first_s: float, second_s: float) -> float:
    """P(exponential of mean first_s plus exponential of mean second_s ≤ within_s)."""
    first_s, second_s = max(first_s, 0.1), max(second_s, 0.1)
    if abs(first_s - second_s) < 1e-3 * first_s:
        second_s = first_s * 1.002
    return 1 - (first_s * exp(-within_s / first_s) - second_s * exp(-within_s / second_s)) / (first_s - second_s)


def _forecast(snapshot: Snapshot, policy: Policy, belief: _Belief, free_mean: float, free_variance: float) -> int:
    """New lines while the risk that one more answered call finds nobody stays below the target."""
    p = belief.answer * belief.key
    chances = _chances(round(belief.answer_s, 1), round(p, 3), policy.ring_timeout_s)
    last = len(chances) - 1
    taken = [chances[min(last, int(age / GRID_S))] for age in snapshot.in_flight_s]
    mean = free_mean - sum(taken) - snapshot.in_offer * belief.key
    variance = free_variance + sum(chance * (1 - chance) for chance in taken)
    variance += snapshot.in_offer * belief.key * (1 - belief.key)
    target = risk_target(policy.budget)
    soon = p * _SOONER
    lines = 0
    while lines < policy.room_trunk and _risk(mean, variance) <= target:
        lines += 1
        mean -= soon
        variance += soon * (1 - soon)
    return lines


#: Of two calls placed together, the chance that the other one is answered first.
_SOONER = 0.5


def _risk(mean: float, variance: float) -> float:
    """P(X < 1) for the whole number X of this mean and variance."""
    return 0.5 * erfc((mean - 0.5) / sqrt(2 * variance)) if variance > 1e-9 else float(mean < 0.5)


@lru_cache(maxsize=256)
def _chances(answer_s: float, p: float, ring_timeout_s: int) -> tuple[float, ...]:
    """For lines of each age on the grid: the chance of an answer within the mean time to answer from now."""
    ages = [step * GRID_S for step in range(int(ring_timeout_s / GRID_S) + 1)]
    return tuple(_answered(age, answer_s, p, answer_s) for age in ages)


def _answered(age_s: float, within_s: float, p: float, mean_s: float) -> float:
    rings_on = p * _survival(age_s, mean_s)
    return (rings_on - p * _survival(age_s + within_s, mean_s)) / (rings_on + 1 - p) if rings_on + 1 - p else 1.0


def _survival(age_s: float, mean_s: float) -> float:
    """P(time to answer > age), gamma of shape ``ANSWER_SHAPE``."""
    x = ANSWER_SHAPE * age_s / mean_s
    term = total = 1.0
    for i in range(1, ANSWER_SHAPE):
        term *= x / i
        total += term
    return exp(-x) * total


# The sentence -----------------------------------------------------------------


#: Why not more, by language; with the numbers of the moment.
_BECAUSE: dict[str, tuple[str, str]] = {
    "slow_switch": ("one to one, because the switch answers slowly", "один к одному: станция отвечает медленно"),
    "free_operators": ("one line per ready operator", "одна линия на готового оператора"),
    "little_data": ("one to one until {seen_min} calls were seen", "один к одному до {seen_min} первых звонков"),
    "abandon_budget": (
        "held by the abandon budget: {rate} % of {cap} %",
        "держит лимит потерянных звонков: {rate} % из {cap} %",
    ),
    "forecast": (
        "the forecast finds {free} operators free by the answer",
        "к ответу по прогнозу свободны {free} операторов",
    ),
    "lines_per_operator": ("held by the limit of {per} lines per operator", "держит предел: {per} линий на оператора"),
    "trunk_limit": ("held by the limit of lines of trunk and campaign", "держит предел линий транка и кампании"),
    "starts_limit": ("held by the trunk's limit of calls per second", "держит предел транка: звонков в секунду"),
    "no_operators": ("nobody is at work", "никто не работает"),
}


def _sentence(
    snapshot: Snapshot, policy: Policy, belief: _Belief, lines: int, reason: str, free_mean: float
) -> dict[str, str]:
    """Like: 7 lines for 3 operators: 31 % answer, next free in about 12 s; held by the abandon budget: 2.1 % of 3 %."""
    budget, count = policy.budget, snapshot.operators
    numbers = {
        "rate": f"{100 * budget.abandoned / max(1, budget.answered):.1f}",
        "cap": f"{budget.cap_permille / 10:g}",
        "free": f"{max(0.0, free_mean):.1f}",
        "per": f"{policy.max_lines_per_operator:g}",
        "seen_min": str(ATTEMPTS_MIN),
    }
    english, russian = _BECAUSE[reason]
    next_en, next_ru = _next_free(snapshot, belief)
    share = f"{100 * belief.answer:.0f} %"
    people_en = f"{count} {'operator' if count == 1 else 'operators'}"
    people_ru = f"{count} {'оператора' if _ends_in_one(count) else 'операторов'}"
    return {
        "en": f"{lines} {'line' if lines == 1 else 'lines'} for {people_en}: {share} answer{next_en}; "
        + english.format_map(numbers),
        "ru": f"{lines} {_lines_ru(lines)} на {people_ru}: отвечают {share}{next_ru}; "
        + russian.format_map({word: number.replace(".", ",") for word, number in numbers.items()}),
    }


def _next_free(snapshot: Snapshot, belief: _Belief) -> tuple[str, str]:
    """Who is free now, or when the next one is expected to be."""
    if snapshot.ready:
        return f", {snapshot.ready} ready now", f", готовы сейчас: {snapshot.ready}"
    rate = len(snapshot.talking_s) / (belief.talk_s + belief.wrap_up_s) + len(snapshot.wrap_up_s) / belief.wrap_up_s
    if not rate:
        return "", ""
    return f", next free in about {1 / rate:.0f} s", f", следующий освободится примерно через {1 / rate:.0f} с"


def _ends_in_one(count: int) -> bool:
    return count % 10 == 1 and count % 100 != 11


def _lines_ru(count: int) -> str:
    if _ends_in_one(count):
        return "линия"
    return "линии" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "линий"
