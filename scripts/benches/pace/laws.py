"""The true laws of the world at a moment, in bins of age: for who is allowed to know them."""

from __future__ import annotations

import numpy as np

from scripts.benches.pace.world import (
    BUSY,
    FAILED,
    RING_CV,
    RING_S,
    RING_TIMEOUT_S,
    SET_UP_SHAPE,
    WRAP_UP_CV,
    WRAP_UP_S,
    Scenario,
    lognormal,
)

_STEP_S = 0.125
_GRID_S = np.arange(0.0, 4096.0, _STEP_S)
#: Ages of operators: lower edges of the bins; fine while young, 6 % wide later.
_TALK_AGES_S = np.concatenate([np.arange(0.0, 40.0, 2.0), np.geomspace(40.0, 1500.0, 64)])
_WRAP_UP_AGES_S = np.concatenate([np.arange(0.0, 40.0, 1.0), np.geomspace(40.0, 160.0, 16)])
_HALF_S = 0.5
#: Ages are looked up by half seconds up to this many.
_HALVES = 4096


class Laws:
    """Who answers, how long it rings, how long people talk at a moment of a scenario."""

    def __init__(self, world: Scenario, now_s: float) -> None:
        self.p = world.p_at(now_s)
        stretch = world.talk_factor(now_s)
        self._talk = sum(
            share * _lognormal_cdf(_GRID_S / stretch, *lognormal(mean, cv)) for share, mean, cv in world.talks
        )
        self._wrap_up = _lognormal_cdf(_GRID_S, *lognormal(WRAP_UP_S, WRAP_UP_CV))
        ring = _lognormal_cdf(_GRID_S, *lognormal(RING_S, RING_CV))
        self._ring = np.minimum(ring / ring[int(RING_TIMEOUT_S / _STEP_S)], 1.0)
        self._set_up = _gamma4_cdf(_GRID_S * SET_UP_SHAPE / world.set_up_s)
        self._set_up_ages_s = np.arange(0.0, 6 * world.set_up_s, _HALF_S)
        self._ring_ages_s = np.arange(0.0, RING_TIMEOUT_S + _HALF_S, _HALF_S)

    def horizons(self) -> np.ndarray:
        """The middles of tenths of the time from sending to an answer."""
        short = int(120 / _STEP_S)
        answer = np.convolve(np.diff(self._set_up[: short + 1]), self._ring[:short])[:short]
        return np.interp(np.arange(0.05, 1.0, 0.1), answer, _GRID_S[:short])

    def talk_over(self, by_s: np.ndarray) -> np.ndarray:
        """P(talk and wrap-up over by then | talking since an age): (ages, horizons)."""
        density = np.diff(self._talk)
        found = []
        for age in _middles(_TALK_AGES_S):
            start = int(age / _STEP_S)
            alive = max(1 - self._talk[start], 1e-12)
            steps = (by_s / _STEP_S).astype(int)
            found.append([density[start : start + n] @ self._wrap_up[n:0:-1] / alive for n in steps])
        return np.array(found)

    def wrap_up_over(self, by_s: np.ndarray) -> np.ndarray:
        """P(wrap-up over by then | in it since an age): (ages, horizons)."""
        return _given(self._wrap_up, _middles(_WRAP_UP_AGES_S), by_s)

    def answered_from_set_up(self, by_s: np.ndarray) -> np.ndarray:
        """P(answered by then | being set up since an age): (ages, horizons). The first row is a call placed now."""
        density = np.diff(self._set_up)
        found = []
        for age in [0.0, *_middles(self._set_up_ages_s)[1:]]:
            start = int(age / _STEP_S)
            alive = max(1 - self._set_up[start], 1e-12)
            steps = (by_s / _STEP_S).astype(int)
            found.append([self.p * (density[start : start + n] @ self._ring[n:0:-1]) / alive for n in steps])
        return np.array(found)

    def answered_from_ringing(self, by_s: np.ndarray) -> np.ndarray:
        """P(answered by then | ringing since an age): (ages, horizons). Who is busy or failed does not ring."""
        rest = (1 - self.p) * (1 - BUSY - FAILED)
        ages = np.minimum(_middles(self._ring_ages_s), RING_TIMEOUT_S)
        alive = 1 - np.interp(ages, _GRID_S, self._ring)[:, None]
        later = 1 - np.interp(ages[:, None] + by_s[None, :], _GRID_S, self._ring)
        chances: np.ndarray = self.p * (alive - later) / (self.p * alive + rest)
        return chances

    def bins(self) -> np.ndarray:
        """Row of the stacked tables (set-up, ringing, talk, wrap-up) by kind and age in half seconds."""
        halves = np.arange(_HALVES) * _HALF_S
        rows, first = [], 0
        for edges in (self._set_up_ages_s, self._ring_ages_s, _TALK_AGES_S, _WRAP_UP_AGES_S):
            rows.append(first + np.searchsorted(edges, halves, side="right") - 1)
            first += len(edges)
        return np.array(rows)


def _middles(edges: np.ndarray) -> np.ndarray:
    widths = np.append(np.diff(edges), 0.0)
    middles: np.ndarray = edges + widths / 2
    return middles


def _given(cdf: np.ndarray, ages: np.ndarray, by_s: np.ndarray) -> np.ndarray:
    now = np.interp(ages, _GRID_S, cdf)[:, None]
    later = np.interp(ages[:, None] + by_s[None, :], _GRID_S, cdf)
    chances: np.ndarray = (later - now) / np.maximum(1 - now, 1e-12)
    return chances


def _lognormal_cdf(x: np.ndarray, mu: float, sigma: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return _normal_cdf((np.log(x) - mu) / sigma)


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    """Within 1e-7 (Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    with np.errstate(over="ignore"):
        tail = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * poly
    cdf: np.ndarray = np.where(z > 0, 1 - tail, tail)
    return cdf


def _gamma4_cdf(x: np.ndarray) -> np.ndarray:
    """Of shape 4 and scale 1."""
    cdf: np.ndarray = 1 - np.exp(-x) * (1 + x + x * x / 2 + x**3 / 6)
    return cdf
