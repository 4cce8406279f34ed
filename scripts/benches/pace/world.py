"""The world of the benchmark: who answers and when, how long people talk, when operators are there.

An attempt is set up for gamma(4) seconds of mean 2, then it rings: with probability p a person answers after a
lognormal time (mean 9 s, cv 0.55, below 25 s); of the others 12 % are busy and 10 % fail when they are set up, the rest
ring for 25 s. A talk is lognormal (mean 100 s, cv 1), its wrap-up too (mean 20 s, cv 0.7). Whoever answers waits 2 s.
Operators log in over the first five minutes of eight hours.

Drift: p swings by 30 % in four hours and falls to 60 % of it between hours 5 and 6.5 (a bad base); talks swing by 15 %
in six hours; each operator has two breaks of 12 minutes and a lunch of 30; a quarter of the seats change hands at half
time.

Common random numbers: the k-th call of a day has the same fate and the k-th talk the same length whoever dials.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log, pi, sin, sqrt

import numpy as np

#: How long a person who answered waits for an operator.
WAIT_S = 2.0
#: A call that nobody answers ends after this.
RING_TIMEOUT_S = 25.0
HOUR_S = 3600.0
DAY_S = 8 * HOUR_S
LOGIN_S = 300.0
#: Of the calls that nobody answers: busy, and failed.
BUSY, FAILED = 0.12, 0.10
SET_UP_SHAPE = 4
RING_S, RING_CV = 9.0, 0.55
WRAP_UP_S, WRAP_UP_CV = 20.0, 0.7
#: Team size -> days of a full run.
DAYS = {3: 8, 10: 4, 30: 2, 100: 1, 300: 1}
SHARES = (0.10, 0.25, 0.50)
_CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world and a team in it.

    Attributes:
        operators: N.
        p: Probability that a call is answered by a person.
        drift: Whether p, talks and the team change over the day.
        set_up_s: Mean time from sending to the first ring.
        talks: The law of talk times: (share, mean in seconds, cv) of each hump.
    """

    operators: int
    p: float
    drift: bool = False
    set_up_s: float = 2.0
    talks: tuple[tuple[float, float, float], ...] = ((1.0, 100.0, 1.0),)

    @property
    def name(self) -> str:
        """``10:0.25``, ``30:0.1:drift``; further words for what else is unusual."""
        words = [f"{self.operators}:{self.p:g}", *(["drift"] if self.drift else [])]
        words += ["slow"] if self.set_up_s > 2.0 else []
        return ":".join(words + (["humps"] if len(self.talks) > 1 else []))

    @property
    def talk_s(self) -> float:
        """Mean talk."""
        return sum(share * mean for share, mean, _ in self.talks)

    def p_at(self, at_s: float) -> float:
        """Probability of an answer for a call sent then."""
        if not self.drift:
            return self.p
        bad = 0.6 if 5 * HOUR_S <= at_s < 6.5 * HOUR_S else 1.0
        return self.p * bad * (1 + 0.3 * sin(2 * pi * at_s / (4 * HOUR_S)))

    def talk_factor(self, at_s: float) -> float:
        """What a talk that begins then is multiplied by."""
        return 1 + 0.15 * sin(2 * pi * (at_s + HOUR_S) / (6 * HOUR_S)) if self.drift else 1.0


def scenario(name: str) -> Scenario:
    """From its name, e.g. ``3:0.5``, ``30:0.25:drift``, ``10:0.25:slow``, ``10:0.25:humps``.

    Raises:
        ValueError: no such scenario.
    """
    operators, p, *words = name.split(":")
    made = Scenario(operators=int(operators), p=float(p))
    kinds = {
        "drift": {"drift": True},
        "slow": {"set_up_s": 6.0},
        "humps": {"talks": ((0.3, 15.0, 0.5), (0.7, 140.0, 0.5))},
    }
    for word in words:
        if word not in kinds:
            raise ValueError(f"no such kind of scenario: {word}")
        made = replace(made, **kinds[word])
    return made


def thirty() -> list[Scenario]:
    """The scenarios of the goals."""
    return [Scenario(operators=n, p=p, drift=drift) for drift in (False, True) for n in DAYS for p in SHARES]


def reported() -> list[Scenario]:
    """Worlds without a goal but the cap: two-humped talks, slow carriers, one operator, hardly anybody answers."""
    return [
        scenario(n) for n in ("10:0.25:humps", "30:0.25:humps", "10:0.25:slow", "30:0.25:slow", "1:0.25", "10:0.03")
    ]


def lognormal(mean: float, cv: float) -> tuple[float, float]:
    """µ and σ of the lognormal law of this mean and coefficient of variation."""
    variance = log(1 + cv * cv)
    return log(mean) - variance / 2, sqrt(variance)


class Draws:
    """The chance of one day, the same whoever dials: endless lists, drawn in chunks, a stream of its own for each."""

    def __init__(self, world: Scenario, seed: int) -> None:
        self._world = world
        self._streams = [np.random.Generator(np.random.PCG64([seed, stream])) for stream in range(6)]
        self.fate: list[float] = []
        self.set_up_s: list[float] = []
        self.ring_s: list[float] = []
        self.talk_s: list[float] = []
        self.wrap_up_s: list[float] = []

    def more_calls(self) -> None:
        """Fates, set-up and ring times of the next calls."""
        self.fate += self._streams[0].random(_CHUNK).tolist()
        scale = self._world.set_up_s / SET_UP_SHAPE
        self.set_up_s += self._streams[1].gamma(SET_UP_SHAPE, scale, _CHUNK).tolist()
        self.ring_s += _below(self._streams[2], *lognormal(RING_S, RING_CV), RING_TIMEOUT_S).tolist()

    def more_talks(self) -> None:
        """Lengths of the next talks and of their wrap-ups."""
        talks = self._world.talks
        bounds = np.cumsum([share for share, _, _ in talks])[:-1]
        hump = np.searchsorted(bounds, self._streams[3].random(_CHUNK))
        laws = np.array([lognormal(mean, cv) for _, mean, cv in talks])[hump]
        self.talk_s += np.exp(laws[:, 0] + laws[:, 1] * self._streams[3].standard_normal(_CHUNK)).tolist()
        self.wrap_up_s += self._streams[4].lognormal(*lognormal(WRAP_UP_S, WRAP_UP_CV), _CHUNK).tolist()

    def shifts(self) -> list[Shift]:
        """When each operator comes, pauses and goes; those who take over a seat come last."""
        chance, world = self._streams[5], self._world
        first = [self._shift(chance.uniform(0, LOGIN_S)) for _ in range(world.operators)]
        if not world.drift:
            return first
        change_s = DAY_S / 2
        seats = max(1, round(world.operators / 4))
        second = [self._shift(change_s + chance.uniform(0, LOGIN_S)) for _ in range(seats)]
        return [replace(shift, goes_s=change_s) for shift in first[:seats]] + first[seats:] + second

    def _shift(self, comes_s: float) -> Shift:
        chance = self._streams[5]
        hours = (chance.uniform(1.0, 2.5), chance.uniform(3.0, 5.0), chance.uniform(5.5, 7.0))
        away = [(hour * HOUR_S, minutes * 60.0) for hour, minutes in zip(hours, (12, 30, 12), strict=True)]
        return Shift(comes_s, tuple(each for each in away if self._world.drift and each[0] > comes_s))


@dataclass(frozen=True, slots=True)
class Shift:
    """When an operator comes and goes, and his absences: (from, how long); in seconds."""

    comes_s: float
    away: tuple[tuple[float, float], ...]
    goes_s: float = inf


def _below(stream: np.random.Generator, mu: float, sigma: float, limit: float) -> np.ndarray:
    """Lognormal values below a limit; exactly a chunk of them."""
    values = np.empty(0)
    while len(values) < _CHUNK:
        drawn = stream.lognormal(mu, sigma, _CHUNK)
        values = np.concatenate([values, drawn[drawn < limit]])
    return values[:_CHUNK]
