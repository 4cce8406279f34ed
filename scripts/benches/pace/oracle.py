"""The bound: the forecast of the pacing rule by somebody who knows the true laws, but not the future.

For ten horizons τ (the middles of tenths of the time until an answer) X(τ) is the number of operators free by τ + 2 s
minus the people who answered by τ: a sum of independent yes/no. Its characteristic function is a product, and its
logarithm ``counts @ table`` over bins of age; the risk P(X(τ) ≤ 0) is a linear functional of it (``_whole``). Calls are
placed while Σ_τ g(τ) · max over τ' ≥ τ of risk(τ') ≤ θ. There is no budget: θ alone keeps the abandons at their share
and is tuned for that, scenario by scenario (``tune.py``).
"""

from __future__ import annotations

from itertools import chain
from math import ceil, pi, sqrt

import numpy as np

from scripts.benches.pace.day import Day, Dialer
from scripts.benches.pace.laws import Laws
from scripts.benches.pace.world import WAIT_S, Scenario

#: With drift the laws are looked up anew this often.
RENEW_S = 300.0
#: Frequencies beyond this many standard deviations of φ's normal shape are zero to nine digits.
SIGMAS = 6.5
#: New calls looked at in one go.
BATCH = 8
#: So many times θ is a clear no, and is not asked again for so long unless somebody's state changes.
CLEAR, CLEAR_S = 2.0, 1.8
#: Team size up to which -> length of the transform: it must hold X's range around zero.
LENGTHS = {3: 32, 10: 32, 30: 64, 100: 128, 10_000: 256}


class Oracle(Dialer):
    """Knows the true laws; ``theta`` is the harm it takes with one more call."""

    def __init__(self, world: Scenario, theta: float) -> None:
        self._world = world
        self._theta = theta
        self._length = next(length for size, length in LENGTHS.items() if world.operators <= size)
        self._omega = 2 * pi * np.arange(self._length // 2 + 1) / self._length
        self._weights = _whole(self._length)
        self._laws_until_s = self._no_until_s = -1.0
        self._no_for: tuple[int, ...] = ()

    def begin(self, day: Day) -> None:
        self._laws_until_s = self._no_until_s = -1.0
        self._no_for = ()

    def calls(self, day: Day) -> int:
        """As many as the harm allows; a clear no holds for a moment if nobody's state changed."""
        states = tuple(map(len, (day.ready, day.waiting, day.setting_up, day.ringing, day.talking, day.wrapping_up)))
        if states == self._no_for and day.now_s < self._no_until_s:
            return 0
        return self._calls(day, states)

    def _calls(self, day: Day, states: tuple[int, ...]) -> int:
        if day.now_s >= self._laws_until_s:
            self._learn(day.now_s)
        phi = self._phi(day)
        kept = len(phi)
        calls = 0
        harm = self._harm((phi * self._weights[:kept]).sum(0).real)
        if harm > self._theta:
            self._no_for, self._no_until_s = states, day.now_s + (CLEAR_S if harm > CLEAR * self._theta else 0.0)
            return 0
        while True:
            risks = (self._batch[:, :kept] * phi).sum(1).real
            harms = self._harm(risks)
            over = np.flatnonzero(harms > self._theta)
            if len(over):
                return calls + 1 + int(over[0])
            calls += BATCH
            phi = phi * self._eight[:kept]

    def _learn(self, now_s: float) -> None:
        """The tables of this moment: log φ of each bin, and what one new call multiplies φ by."""
        laws = Laws(self._world, now_s)
        self._laws_until_s = now_s + RENEW_S if self._world.drift else float("inf")
        horizons = laws.horizons()
        up = np.concatenate([laws.talk_over(horizons + WAIT_S), laws.wrap_up_over(horizons + WAIT_S)])
        down = np.concatenate([laws.answered_from_set_up(horizons), laws.answered_from_ringing(horizons)])
        wave = np.exp(1j * self._omega)[None, :, None]
        table = np.concatenate([_log_bernoulli(down, wave.conj()), _log_bernoulli(up, wave)])
        self._table = table.reshape(len(table), -1).view(float)
        self._width = len(horizons)
        self._variance = np.concatenate([down * (1 - down), up * (1 - up)]).min(axis=1)
        self._bins = laws.bins()
        new = np.exp(_log_bernoulli(down[:1], wave.conj())[0])
        powers = np.stack([new**n for n in range(1, BATCH + 1)])
        self._batch = powers * self._weights
        self._eight = powers[-1]

    def _phi(self, day: Day) -> np.ndarray:
        """The characteristic function of X for each horizon; without the frequencies where it is zero."""
        states = (day.setting_up, day.ringing, day.talking, day.wrapping_up)
        sizes = [len(state) for state in states]
        since = np.fromiter(chain.from_iterable(state.values() for state in states), float, sum(sizes))
        ages = np.minimum(((day.now_s - since) * 2).astype(int), self._bins.shape[1] - 1)
        rows = self._bins[np.repeat(_KINDS, sizes), ages]
        spread = sqrt(max(self._variance[rows].sum(), 0.01))
        kept = min(len(self._omega), ceil(SIGMAS / spread * self._length / (2 * pi)) + 1)
        wide = 2 * kept * self._width
        if len(rows) < _FEW:
            log_phi = self._table[rows, :wide].sum(0)
        else:
            counts = np.bincount(rows, minlength=len(self._table)).astype(float)
            log_phi = counts @ self._table[:, :wide]
        shift = (1j * (len(day.ready) - len(day.waiting))) * self._omega[:kept, None]
        phi: np.ndarray = np.exp(log_phi.view(complex).reshape(kept, self._width) + shift)
        return phi

    @staticmethod
    def _harm(risks: np.ndarray) -> np.ndarray:
        """Σ g · max over later horizons; g is a tenth for each."""
        worst: np.ndarray = np.maximum.accumulate(risks[..., ::-1], axis=-1).mean(-1)
        return worst


_KINDS = np.arange(4)
#: So many lines and operators are summed one by one.
_FEW = 40


def _log_bernoulli(chance: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """log(1 − q + q·e^{±iω}): (bins, horizons) -> (bins, frequencies, horizons)."""
    q = np.clip(chance, 0.0, 1.0)[:, None, :]
    factor = 1 - q + q * wave
    return np.log(np.where(np.abs(factor) < 1e-9, 1e-9, factor))


def _whole(length: int) -> np.ndarray:
    """Weights w with P(−length/2 < X ≤ 0) = Re Σ_k w_k φ_k over the non-negative frequencies."""
    k = np.arange(length // 2 + 1)
    values = np.arange(-length // 2 + 1, 1)
    weights = np.exp(-2j * pi * np.outer(k, values) / length).sum(1) / length
    weights[1:-1] *= 2
    return weights[:, None]
