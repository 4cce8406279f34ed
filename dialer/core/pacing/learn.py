"""What a campaign's own calls taught: observations in, laws out.

Every figure forgets, each at its own speed: who answers changes within the hour, how long people talk within days.
Talks that still go on count as exposure: ten operators who have been talking for three minutes say something, too.
What is seen little is shrunk to what the team's other campaigns show, and that to a belief worth a few calls.

The price of an abandon is learned as well. ``theta`` is the harm (expected abandons) one more call may do. It falls
with each abandon and rises with each answer, slowly, so that abandons come to the target share of the answers. In a
young window it stays low until as many abandons are left as lines are in flight beyond the operators, because the
budget counts these as lost: then the forecast decides, and not the budget.

All of it is plain numbers: ``state()`` goes to JSON and back, over restarts and days. Times are seconds of any clock
that goes on meanwhile; hours of the day are that clock's.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from dialer.core.pacing import laws as l
from dialer.core.pacing.laws import Laws
from dialer.core.quick import quick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.pacing.laws import Floats

#: Talks, wrap-ups and answered calls after which an old one weighs 1/e.
MEMORY_CALLS = 3000.0
#: The same for who answers: so many attempts or so long, whichever are more.
MEMORY_ATTEMPTS, MEMORY_S = 250.0, 900.0
HOUR_S = 3600.0
#: An hour of the day is shrunk to the whole day by so many attempts of earlier days, of which it keeps so many.
HOUR_N, HOUR_MAX = 300.0, 3000.0
#: A campaign is shrunk to its team by so many calls.
TEAM_N = 20.0
#: Fewer observed attempts than this say nothing about who answers; one to one until then.
ATTEMPTS_MIN = 20
#: New laws at most this often, and only if something changed by this share.
REFRESH_S, NOTICEABLE = 20.0, 0.03
#: theta: the first one and its bounds, as multiples of the cap.
THETA_FIRST, THETA_MIN, THETA_MAX = 1.0, 0.1, 20.0
#: Abandons aimed at, as a share of the cap.
AIM = 0.95
#: theta follows the abandons of so many answers, or of as many as come in this time.
CONTROL_ANSWERS, CONTROL_S = 300.0, 5400.0
#: Abandons that are kept for the lines in flight beyond the free operators, since the budget counts each of these as
#: lost: so many standard deviations above their mean and so many more, but no greater share of what a window may lose.
RESERVE_SIGMAS, RESERVE_MORE, RESERVE_SHARE = 2.0, 2.0, 0.33
#: While they are not there theta is lower, at the worst by this in its logarithm.
SAVING = 1.0
#: Of what ``state`` writes.
VERSION = 2
#: The mean of such lines is taken over so many looks.
MEMORY_LOOKS = 2000.0


@quick
@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Learned:
    """What a decision rests on.

    Attributes:
        laws: How long, and who.
        theta: The harm one more call may do, in expected abandons.
        n_answer: Attempts behind the answer probability, forgotten ones left out.
        n_talk: Talks behind the laws.
        seen: Attempts ever seen; with few ``n_answer`` it tells stale from new.
    """

    laws: Laws
    theta: float
    n_answer: float = 0.0
    n_talk: float = 0.0
    seen: float = 0.0

    @property
    def little(self) -> str | None:
        """Why this is not enough to dial ahead: ``little_data``, ``stale_data``, or None when it is."""
        if self.n_answer >= ATTEMPTS_MIN:
            return None
        return "stale_data" if self.seen >= ATTEMPTS_MIN else "little_data"

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it."""
        numbers = {"theta": self.theta, "n_answer": self.n_answer, "n_talk": self.n_talk, "seen": self.seen}
        return {"laws": self.laws.to_json(), **numbers}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Learned:
        """What ``to_json`` wrote down, to the last bit."""
        return cls(**{**values, "laws": Laws.of_json(values["laws"])})


class Share:
    """A share of yes among events, with a memory of some events or some time, whichever is more."""

    def __init__(self) -> None:
        self.value = 0.0
        self.n = 0.0
        self.lately = 0.0
        self.at_s = 0.0

    def add(self, yes: bool, at_s: float) -> None:
        """Take one event."""
        self._age(at_s)
        self.lately += 1
        self.n = min(self.n + 1, max(MEMORY_ATTEMPTS, self.lately))
        self.value += (yes - self.value) / self.n

    def n_at(self, at_s: float) -> float:
        """Events behind the share by now: after a silence they count less and less."""
        over_s = at_s - self.at_s - MEMORY_S
        return self.n * exp(-over_s / MEMORY_S) if self.at_s and over_s > 0 else self.n

    def shrunk(self, prior: float, prior_n: float) -> float:
        """The share with a belief worth ``prior_n`` events."""
        return (self.value * self.n + prior * prior_n) / (self.n + prior_n)

    def _age(self, at_s: float) -> None:
        self.n = self.n_at(at_s)
        self.lately *= exp(-max(0.0, at_s - self.at_s) / MEMORY_S)
        self.at_s = max(at_s, self.at_s)


class Spread:
    """Mean and variance of a number that is looked at now and then; old looks are forgotten."""

    def __init__(self) -> None:
        self.n = 0.0
        self.mean = 0.0
        self.variance = 0.0

    def add(self, value: float) -> None:
        """Take one."""
        self.n = min(self.n + 1, MEMORY_LOOKS)
        off = value - self.mean
        self.mean += off / self.n
        self.variance += (off * (value - self.mean) - self.variance) / self.n


class Hours:
    """How much more or less is answered in each hour of the day than in the whole day, as earlier days tell.

    Today's attempts tell nothing until tomorrow: in the first minutes of an hour they would say the opposite.
    """

    def __init__(self) -> None:
        self.past: list[list[float]] = [[0.0, 0.0] for _ in range(24)]
        self.today: list[list[float]] = [[0.0, 0.0] for _ in range(24)]
        self.day = 0
        self._of_day: float | None = None

    def remember(self, past: Sequence[Sequence[float]], today: Sequence[Sequence[float]], day: int) -> None:
        """Go on from what was written down."""
        self.past, self.today, self.day = [*map(list, past)], [*map(list, today)], day
        attempts = sum(n for n, _ in self.past)
        self._of_day = max(1e-3, sum(k for _, k in self.past) / attempts) if attempts else None

    def add(self, yes: bool, at_s: float) -> bool:
        """Take one attempt; whether a new day began with it."""
        day, second = divmod(at_s, 24 * HOUR_S)
        turned = day > self.day
        if turned:
            self._turn(int(day))
        hour = int(second / HOUR_S)
        n, k = self.today[hour]
        self.today[hour] = [n + 1, k + yes]
        return turned

    def factor(self, at_s: float) -> float:
        """What the answer probability of a whole day is to be multiplied by at this time; 1 without history."""
        of_day = self._of_day
        if of_day is None:
            return 1.0
        middle = at_s / HOUR_S - 0.5
        hour, share = int(middle // 1), middle % 1
        before, after = (self._share(h % 24, of_day) / of_day for h in (hour, hour + 1))
        return before + share * (after - before)

    def _share(self, hour: int, of_day: float) -> float:
        n, k = self.past[hour]
        return (k + HOUR_N * of_day) / (n + HOUR_N)

    def _turn(self, day: int) -> None:
        """A new day: what was seen becomes history."""
        past = []
        for (n, k), (new_n, new_k) in zip(self.past, self.today, strict=True):
            keep = min(1.0, HOUR_MAX / (n + new_n)) if n + new_n else 1.0
            past.append([(n + new_n) * keep, (k + new_k) * keep])
        self.remember(past, [[0.0, 0.0] for _ in range(24)], day)


class Hazard:
    """How many end per second of those that lasted so long: events over exposure, by age."""

    def __init__(self, ages: Sequence[float]) -> None:
        self.ages = np.asarray(ages, float)
        self._until = np.append(self.ages[1:], np.inf)
        self._from, self._lengths = tuple(map(float, ages)), self._until - self.ages
        self.events = np.zeros(len(ages))
        self.exposure = np.zeros(len(ages))
        self.n = 0.0

    def believe(self, mean_s: float, n: float) -> None:
        """Begin with a mean, as if so many had ended after exponential times."""
        self.exposure, self.events = self._exponential(np.full(len(self.ages), 1 / max(mean_s, 1.0)), n)
        self.n = n

    def add(self, lasted_s: float) -> None:
        """Take one that ended."""
        keep = 1 - 1 / MEMORY_CALLS
        self.events *= keep
        self.exposure *= keep
        self.n = self.n * keep + 1
        last = max(0, bisect_right(self._from, lasted_s) - 1)
        self.exposure[:last] += self._lengths[:last]
        self.exposure[last] += max(0.0, lasted_s - self._from[last])
        self.events[last] += 1

    def _spent(self, lasted_s: Floats) -> Floats:
        """Seconds these spent in each stretch, in all."""
        within = np.minimum(lasted_s[:, None], self._until) - self.ages
        return np.asarray(np.maximum(within, 0).sum(axis=0))

    def rates(self, prior: Floats, prior_n: float, going_on_s: Sequence[float]) -> Floats:
        """Hazard by age, with those still going on, and a belief worth ``prior_n`` of them."""
        exposure = self.exposure + self._spent(np.asarray(going_on_s, float)) if going_on_s else self.exposure
        spent, ended = self._exponential(prior, prior_n)
        seen_s = exposure + spent
        # Nobody lasts that long, not even in theory: what was believed stays.
        return np.divide(self.events + ended, seen_s, out=prior.copy(), where=seen_s > 0)

    def _exponential(self, rates: Floats, n: float) -> tuple[Floats, Floats]:
        """Exposure and events in each stretch that so many with these hazards show on average."""
        ends = rates * self._lengths
        before = np.zeros(len(ends))
        ends[:-1].cumsum(out=before[1:])
        events = n * np.exp(-before) * -np.expm1(-ends)
        return np.asarray(events / rates), np.asarray(events)


class Times:
    """How long a stage takes, on the grid of half seconds."""

    def __init__(self, steps: int) -> None:
        self.counts = np.zeros(steps)

    def add(self, lasted_s: float) -> None:
        """Take one."""
        self.counts *= 1 - 1 / MEMORY_CALLS
        self.counts[min(len(self.counts) - 1, max(0, int(lasted_s / l.STEP_S)))] += 1

    def law(self, prior_s: float) -> tuple[float, ...]:
        """Probability of each step, with a gamma-shaped belief around what was seen, or before that a mean."""
        n = float(self.counts.sum())
        seen_s = float(self.counts @ (np.arange(len(self.counts)) + 0.5)) * l.STEP_S
        mean_s = (seen_s + prior_s * 3) / (n + 3)
        law = self.counts + l.PRIOR_TIMES_N * np.asarray(l.gamma(mean_s, len(self.counts)))
        return tuple((law / law.sum()).tolist())


class Learner:
    """What one campaign learns; ``team`` is where it shares talks and wrap-ups with the team's other campaigns."""

    def __init__(self, team: Learner | None = None) -> None:
        self.team = team
        self.answer, self.answer_ringing, self.key = Share(), Share(), Share()
        self.hours, self.usual = Hours(), 1.0
        self.set_up, self.ring, self.offer = Times(l.SET_UP_STEPS), Times(l.RING_STEPS), Times(l.OFFER_STEPS)
        self.talk, self.wrap_up = Hazard(l.TALK_AGES), Hazard(l.WRAP_UP_AGES)
        self.log_theta: float | None = None
        self.seen = 0.0
        self.silent = 0.0
        self.answers = Share()
        self.uncovered, self.short = Spread(), 0.0
        self._laws: Laws | None = None
        self._built_at_s, self._built_hour = 0.0, 1.0
        self._built_of = (0.0, 0.0, 0.0)
        self._events = 0

    # Observations ---------------------------------------------------------------

    def rang(self, set_up_s: float) -> None:
        """A phone began to ring, so long after the call was sent."""
        self._events += 1
        self.set_up.add(set_up_s)

    def answered(self, at_s: float, ring_s: float, *, rang: bool = True) -> None:
        """A person answered, so long after the phone began to ring; after the call was sent if nothing told of that."""
        self._events += 1
        self.ring.add(ring_s)
        self.silent += ((not rang) - self.silent) / min(50.0, self.seen + 1)
        self._attempt(at_s, answered=True, rang=rang)

    def not_answered(self, at_s: float, *, rang: bool) -> None:
        """An attempt that reached the network ended without an answer, after ringing or before."""
        self._attempt(at_s, answered=False, rang=rang)

    def pressed(self, at_s: float, offer_s: float | None) -> None:
        """Someone pressed the key for an operator so long after the answer; None for whoever did not."""
        self._events += 1
        self.key.add(offer_s is not None, at_s)
        if offer_s is not None:
            self.offer.add(offer_s)

    def talked(self, lasted_s: float) -> None:
        """A talk ended."""
        self._events += 1
        for learner in (self, self.team) if self.team else (self,):
            learner.talk.add(lasted_s)

    def wrapped_up(self, lasted_s: float) -> None:
        """A wrap-up ended."""
        self._events += 1
        for learner in (self, self.team) if self.team else (self,):
            learner.wrap_up.add(lasted_s)

    def looked(self, uncovered: int) -> None:
        """So many lines are in flight that the budget counts as lost (``budget.py``: U)."""
        self.uncovered.add(uncovered)

    def counted(
        self,
        at_s: float,
        *,
        abandoned: bool,
        cap: float,
        of: tuple[int, int],
        left_s: float = inf,
        caution: float = 1.0,
    ) -> None:
        """A call came into the legal count: answered, and perhaps abandoned. This moves ``theta``.

        Args:
            at_s: When.
            abandoned: Whether it was abandoned.
            cap: The share of abandons to aim below, 0 to 1; with 0 there is nothing to learn.
            of: Calls answered and abandoned in the legal window.
            left_s: How long the window goes on.
            caution: Aim at so many times fewer abandons, and leave unspent what is; 1 or more.
        """
        self.answers.add(abandoned, at_s)
        if cap <= 0:
            return
        answered, lost = of
        soon = max(CONTROL_ANSWERS, self.answers.lately * CONTROL_S / MEMORY_S)
        spare, reserve = cap * answered - lost, self._reserve(cap, answered, left_s)
        self.short = min(1.0, max(0.0, 1 - spare / reserve)) if reserve else 0.0
        unspent = min(spare - reserve, spare - (1 - AIM) * cap * answered)
        unspent = unspent if caution <= 1 else min(0.0, unspent)
        target = min(2 * cap, max(0.25 * cap, AIM * cap + unspent / soon)) / caution
        theta = self.log_theta if self.log_theta is not None else log(THETA_FIRST * cap)
        theta += (target - abandoned) / (soon * AIM * cap)
        self.log_theta = min(log(THETA_MAX * cap), max(log(THETA_MIN * cap), theta))

    def _reserve(self, cap: float, answered: int, left_s: float) -> float:
        """Abandons to keep, so that the budget does not hold the forecast back; less in a window that loses few."""
        lines = self.uncovered
        wanted = lines.mean + RESERVE_SIGMAS * sqrt(max(0.0, lines.variance)) + RESERVE_MORE if lines.n else 0.0
        coming = self.answers.lately / MEMORY_S * left_s if self.answers.lately else inf
        return min(wanted, RESERVE_SHARE * cap * (answered + coming))

    def _attempt(self, at_s: float, *, answered: bool, rang: bool) -> None:
        self._events += 1
        self.seen += 1
        turned = self.hours.add(answered, at_s)
        self.answer.add(answered, at_s)
        usual = self.hours.factor(at_s)
        self.usual = usual if turned else self.usual + (usual - self.usual) / self.answer.n
        if rang:
            self.answer_ringing.add(answered, at_s)

    # Laws -------------------------------------------------------------------------

    def learned(
        self, at_s: float, *, cap: float, talking_s: Sequence[float] = (), wrap_up_s: Sequence[float] = ()
    ) -> Learned:
        """What is known by now; the same laws until something changed noticeably."""
        if self._laws is None or (at_s - self._built_at_s >= REFRESH_S and self._changed(at_s)):
            self._laws = self._build(at_s, talking_s, wrap_up_s)
            self._built_at_s, self._built_hour = at_s, self.hours.factor(at_s)
            self._built_of = (self.answer.value, self.answer_ringing.value, float(self._events))
        theta = THETA_FIRST * cap
        if self.log_theta is not None and cap > 0:
            theta = exp(self.log_theta - SAVING * self.short)
        n_answer = self.answer.n_at(at_s)
        return Learned(laws=self._laws, theta=theta, n_answer=n_answer, n_talk=self.talk.n, seen=self.seen)

    def _changed(self, at_s: float) -> bool:
        answer, ringing, events = self._built_of
        return (
            abs(self.answer.value - answer) > NOTICEABLE * answer
            or abs(self.answer_ringing.value - ringing) > NOTICEABLE * ringing
            or self._events - events > 4 * NOTICEABLE * self.seen
            or abs(self.hours.factor(at_s) - self._built_hour) > NOTICEABLE
        )

    def _build(self, at_s: float, talking_s: Sequence[float], wrap_up_s: Sequence[float]) -> Laws:
        talk = np.full(len(l.TALK_AGES), 1 / l.PRIOR_TALK_S)
        wrap_up = np.full(len(l.WRAP_UP_AGES), 1 / l.PRIOR_WRAP_UP_S)
        prior_n = l.PRIOR_TALK_N
        if self.team is not None:
            talk, wrap_up = self.team.talk.rates(talk, prior_n, ()), self.team.wrap_up.rates(wrap_up, prior_n, ())
            prior_n = TEAM_N
        # The last quarter of an hour tells of the hours it lay in; what this one differs from them, earlier days tell.
        hour = self.hours.factor(at_s) / self.usual
        answer = min(1.0, hour * self.answer.shrunk(l.PRIOR_ANSWER, l.PRIOR_ANSWER_N))
        rings = self.silent < 0.5
        ringing = min(1.0, hour * self.answer_ringing.shrunk(l.PRIOR_ANSWER, l.PRIOR_ANSWER_N)) if rings else answer
        return Laws(
            answer=answer,
            answer_ringing=max(answer, ringing),
            key=self.key.shrunk(l.PRIOR_KEY, l.PRIOR_ANSWER_N),
            set_up=self.set_up.law(l.PRIOR_SET_UP_S),
            ring=self.ring.law(l.PRIOR_RING_S),
            offer=self.offer.law(l.PRIOR_OFFER_S),
            talk=tuple(self.talk.rates(talk, prior_n, talking_s).tolist()),
            wrap_up=tuple(self.wrap_up.rates(wrap_up, prior_n, wrap_up_s).tolist()),
            rings=rings,
        )

    # Keeping ------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        shares = {n: vars(getattr(self, n)).copy() for n in _PARTS}
        times = {n: getattr(self, n).counts.tolist() for n in ("set_up", "ring", "offer")}
        hazards = {n: _hazard_state(getattr(self, n)) for n in ("talk", "wrap_up")}
        own = {name: getattr(self, name) for name in _NUMBERS}
        # The rows of the hours are replaced and never changed, so they need not be copied.
        hours = {"past": self.hours.past.copy(), "today": self.hours.today.copy(), "day": self.hours.day}
        return {"version": VERSION, **shares, **times, **hazards, **own, "hours": hours}

    @classmethod
    def of(cls, state: Mapping[str, Any], team: Learner | None = None) -> Learner:
        """The learner that wrote this state down; a new one where the state is of another version."""
        learner = cls(team)
        if state.get("version") != VERSION:
            return learner
        for name in _PARTS:
            vars(getattr(learner, name)).update(state[name])
        for name in ("set_up", "ring", "offer"):
            getattr(learner, name).counts[:] = state[name]
        for name in ("talk", "wrap_up"):
            hazard, values = getattr(learner, name), state[name]
            hazard.events[:], hazard.exposure[:], hazard.n = values["events"], values["exposure"], values["n"]
        for name in _NUMBERS:
            setattr(learner, name, state[name])
        learner.hours.remember(**state["hours"])
        return learner


#: What ``state`` keeps as it is.
_PARTS = ("answer", "answer_ringing", "key", "answers", "uncovered")
_NUMBERS = ("log_theta", "seen", "silent", "usual", "short")


def _hazard_state(hazard: Hazard) -> dict[str, Any]:
    return {"events": hazard.events.tolist(), "exposure": hazard.exposure.tolist(), "n": hazard.n}
