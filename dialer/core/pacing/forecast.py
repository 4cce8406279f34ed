"""Who will be free, and who will have answered: the law of X, and the harm of one more call.

Without further dialing, for a horizon tau,

    X(tau) = operators free by t + tau + w  -  people answered by t + tau

with w the time a callee may wait. Each operator who is busy and each line in flight is an independent yes or no, whose
probability depends on its stage and age only, so X is a whole number plus a sum of such: its characteristic function
is a product,

    log phi(tau, omega) = ready - waiting + counts by age @ table(age, tau, omega)

and P(X <= 0), the risk that somebody who answers at tau finds nobody, is a linear functional of phi: the discrete
Fourier transform over a window of 32 to 1024 numbers. As long as the window holds all values X can take that is exact,
so it is right for one operator as for a thousand; a wider X fits into the window by its standard deviations.

One more call multiplies phi by one factor. The harm it may do is the risk at the time of its own answer, or at any
later time, because a call that is taken early can starve one that is answered later:

    harm = sum over tau of g(tau) · max over tau' >= tau of P(X(tau') <= 0),    g the law of its answer
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from math import ceil, sqrt
from operator import mul
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dialer.core.pacing import laws as l
from dialer.core.states import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from dialer.core.pacing.laws import Floats, Laws
    from dialer.core.pacing.state import Policy, Snapshot

    Complexes: TypeAlias = NDArray[np.complex128]

#: Horizons in seconds; between them the law of the answer is put to the nearest.
TAUS_S = (1.0, 2.5, 4.0, 5.5, 7.0, 9.0, 11.5, 14.5, 18.5, 24.0)
#: The same for an offer, which is heard before a key is pressed.
OFFER_TAUS_S = (4.0, 8.0, 12.0, 17.0, 22.0, 28.0, 35.0, 43.0, 52.0, 64.0)
#: A callee may wait this long for an operator.
WAIT_S = 2.0
#: Windows of the transform.
WINDOWS = (32, 64, 128, 256, 512, 1024)
#: Fewer operators and lines are multiplied one by one in a window that holds all of X; more are summed by age.
FEW = 72
#: So many standard deviations of a wide X must fit into its window.
WINDOW_SIGMAS = 14.0
#: Beyond so many over its least standard deviation, frequencies carry nothing of a wide X: phi is below exp(-24) there.
FREQUENCY_SIGMAS = 7.0
#: Levels of probability between which a logarithm is looked up.
LEVELS = 256
#: So many numbers of calls are tried at once.
TRIED_AT_ONCE = 8

#: Nobody asks for the mean of an X that fits into its window.
_NO_MEAN = np.zeros(1)
_TALK_ROW = l.bins_of(l.TALK_AGES)
_WRAP_UP_ROW = tuple(len(l.TALK_AGES) + row for row in l.bins_of(l.WRAP_UP_AGES))
_TALK_LAST, _WRAP_UP_LAST = len(_TALK_ROW) - 1, len(_WRAP_UP_ROW) - 1
_SET_UP_0 = len(l.TALK_AGES) + len(l.WRAP_UP_AGES)
_RING_0 = _SET_UP_0 + l.SET_UP_STEPS
_OFFER_0 = _RING_0 + l.RING_STEPS


@dataclass(frozen=True, slots=True, eq=False)
class Horizon:
    """For which times X is asked: ``taus`` and ``wait`` in half seconds. There is one of a kind: see ``of``."""

    taus: tuple[int, ...]
    wait: int
    ivr: bool

    @classmethod
    def of(cls, policy: Policy) -> Horizon:
        """The horizon that fits how the campaign dials."""
        ivr = policy.mode is Mode.IVR
        return _horizon(policy.key_wait_s if ivr else WAIT_S, ivr)

    def seen_by(self, policy: Policy) -> Horizon:
        """The same times for a rival, whose calls may need an operator at another point."""
        ivr = policy.mode is Mode.IVR
        return self if self.ivr is ivr else _seen(self, ivr)


@lru_cache(maxsize=64)
def _seen(horizon: Horizon, ivr: bool) -> Horizon:
    return replace(horizon, ivr=ivr)


@lru_cache(maxsize=32)
def _horizon(wait_s: float, ivr: bool) -> Horizon:
    taus_s = OFFER_TAUS_S if ivr else TAUS_S
    return Horizon(tuple(round(s / l.STEP_S) for s in taus_s), round(wait_s / l.STEP_S), ivr)


class Chances:
    """Of one campaign's laws over one horizon: the chance of each row (a stage at an age), and of a new call.

    Attributes:
        rows: (rows, taus): probability that the operator is free, or that the line needs an operator, by then.
        new: (taus,): probability that a call placed now needs an operator by then.
        answer: (taus,): the law g of that time, given that it does; sums to 1.
        backwards: The same, the latest time first.
        free_then: (rows of operators,): probability of each to be free at the time of that answer.
    """

    def __init__(self, laws: Laws, horizon: Horizon) -> None:
        taus = np.asarray(horizon.taus)
        last = int(taus[-1])
        new, setting_up, ringing, offer = laws.answered_within(last, ivr=horizon.ivr)
        talk, wrap_up = laws.free_within(last + horizon.wait)
        lines = [setting_up, ringing, offer] if horizon.ivr else [setting_up, ringing]
        free = np.concatenate((talk, wrap_up))[:, taus + horizon.wait]
        self.rows = np.clip(np.concatenate((free, *(line[:, taus] for line in lines))), 0.0, 1.0)
        self.new = np.clip(new[taus], 0.0, 1.0)
        between = (taus[1:] + taus[:-1]) // 2
        until = np.append(new[between], max(float(new[-1]), 1e-12))
        self.answer = l.steps_of(until) / until[-1]
        self.backwards: list[float] = self.answer[::-1].tolist()
        self.free_then: list[float] = (self.rows[:_SET_UP_0] @ self.answer).tolist()
        self._factors: dict[int, Complexes] = {}
        self._of_row: defaultdict[int, dict[int, Complexes]] = defaultdict(dict)
        self._logs: dict[int, Floats] = {}

    def factor(self, window: int) -> Complexes:
        """What one more call multiplies phi by: (taus, frequencies)."""
        found = self._factors.get(window)
        if found is None:
            found = self._factors[window] = 1 + self.new[:, None] * _turns(window)[1]
        return found

    def multiply(self, phi: Complexes, rows: Sequence[int], window: int) -> None:
        """Multiply phi, where it is, by the factors of these rows: (taus, frequencies)."""
        known = self._of_row[window]
        for row in rows:
            factor = known.get(row)
            if factor is None:
                turn = _turns(window)[int(row >= _SET_UP_0)]
                factor = known[row] = 1 + self.rows[row][:, None] * turn
            phi *= factor

    def log_phi(self, counts: Floats, window: int, frequencies: int) -> Complexes:
        """The same for many, from how many there are in each row, for the lowest frequencies."""
        table = self._logs.get(window)
        if table is None:
            table = self._logs[window] = self._log_table(window)
        used, taus = np.flatnonzero(counts), len(self.new)
        summed = np.einsum("i,ij->j", counts[used], table[used, : 2 * taus * frequencies])
        by_frequency: Complexes = np.asarray(summed).view(complex)
        return by_frequency.reshape(frequencies, taus).T

    def _log_table(self, window: int) -> Floats:
        """Logarithms of all factors, looked up between levels of the probability: (rows, 2 · frequencies · taus)."""
        known = _log_levels(window)
        at = np.arcsin(np.sqrt(self.rows)) * (2 * LEVELS / np.pi)
        level = np.minimum(at.astype(np.int64), LEVELS - 1)
        share = (at - level)[:, :, None]
        logs = known[level] * (1 - share) + known[level + 1] * share
        logs[_SET_UP_0:] = logs[_SET_UP_0:].conj()
        return np.ascontiguousarray(logs.swapaxes(1, 2)).view(float).reshape(len(logs), -1)


def chances(laws: Laws, horizon: Horizon) -> Chances:
    """Of these laws over this horizon; computed once."""
    found: Any = laws.tables.get((horizon,))
    if found is None:
        found = laws.tables[horizon,] = Chances(laws, horizon)
    made: Chances = found
    return made


class Outlook:
    """X of a team from one campaign's point of view: over its horizon, with all campaigns' operators and lines.

    Args:
        campaigns: Snapshot, laws and horizon of each campaign that shares the team; the first is the one that asks.
        calls: As many new calls may be asked about.
    """

    def __init__(self, campaigns: Sequence[tuple[Snapshot, Laws, Horizon]], calls: int) -> None:
        self.chances = [chances(laws, horizon) for _, laws, horizon in campaigns]
        self._rows = [rows(snapshot, horizon) for snapshot, _, horizon in campaigns]
        self._base = sum(s.ready - s.reserved - s.waiting for s, _, _ in campaigns)
        self._least = self._base - sum(s.lines - s.waiting for s, _, _ in campaigns)
        self._yes = sum(len(r) for r in self._rows)
        self._prepare(calls)

    @cached_property
    def free(self) -> Floats:
        """Operators expected to be free by each horizon, whoever waits now served first: (taus,)."""
        each = (known.rows[[i for i in those if i < _SET_UP_0]].sum(axis=0) for known, those in self._each())
        return np.asarray(self._base + sum(each, np.zeros(len(self.chances[0].new))))

    @property
    def expected_free(self) -> float:
        """Operators expected to be free when a call placed now is answered."""
        (first, *others), answer = self.chances, self.chances[0].answer
        free = self._base + sum(first.free_then[row] for row in self._rows[0] if row < _SET_UP_0)
        for known, those in zip(others, self._rows[1:], strict=True):
            free += float((known.rows[[row for row in those if row < _SET_UP_0]] @ answer).sum())
        return float(free)

    def useful(self) -> int:
        """Calls beyond which somebody who answers surely finds nobody: no more need be tried."""
        most = float(self.free.max())
        return max(0, ceil((most + 6 * sqrt(max(most, 0)) + 8) / max(float(self.chances[0].new[-1]), 1e-3)))

    def _prepare(self, calls: int) -> None:
        """Choose the window of the transform, and multiply phi."""
        self._fits = self._yes + calls < FEW
        if self._fits:
            self._window = next(w for w in WINDOWS if self._yes + calls < w)
            self._phi, self._mean = _moved(self._base, self._window, len(self.chances[0].new)).copy(), _NO_MEAN
            for known, those in self._each():
                known.multiply(self._phi, those, self._window)
            return
        counted = [np.bincount(r, minlength=len(c.rows)).astype(float) for c, r in self._each()]
        taus = len(self.chances[0].new)
        variance = np.zeros(taus)
        self._mean = np.full(taus, float(self._base))
        for (known, _), count in zip(self._each(), counted, strict=True):
            yes = known.rows * count[:, None]
            self._mean += yes[:_SET_UP_0].sum(axis=0) - yes[_SET_UP_0:].sum(axis=0)
            variance += (yes * (1 - known.rows)).sum(axis=0)
        wide = WINDOW_SIGMAS * sqrt(float(variance.max()) + calls * 0.25) + 2
        self._window = next((w for w in WINDOWS if wide <= w), WINDOWS[-1])
        needed = FREQUENCY_SIGMAS / sqrt(float(variance.min()) + 1e-9) * self._window / (2 * np.pi)
        kept = min(self._window // 2 + 1, ceil(needed) + 1)
        log_phi = np.broadcast_to(1j * self._base * _frequencies(self._window)[:kept], (taus, kept))
        for (known, _), count in zip(self._each(), counted, strict=True):
            log_phi = log_phi + known.log_phi(count, self._window, kept)
        self._phi = np.ascontiguousarray(np.exp(log_phi))

    def _each(self) -> Iterable[tuple[Chances, list[int]]]:
        return zip(self.chances, self._rows, strict=True)

    def harm(self, campaign: int = 0) -> float:
        """Harm of one more call of a campaign now."""
        if not self._fits:
            return float(self.harms(0, 1, campaign)[0])
        weights = _below(self._window)[min(max(1 - self._least, 0), self._window)]
        # Few numbers, for which plain ones cost less than an array.
        risks: list[float] = (self._phi.view(float) @ weights).tolist()
        worst = accumulate(reversed(risks), max)
        return min(1.0, max(0.0, float(sum(map(mul, worst, self.chances[campaign].backwards)))))

    def harms(self, step: int, trials: int, campaign: int = 0) -> Floats:
        """Harm of one more call of a campaign after step, 2 · step, … trials · step new calls of it: (trials,).

        With ``step`` 0: after none.
        """
        known = self.chances[campaign]
        if step:
            factors = np.empty((trials, *self._phi.shape), complex)
            factors[:] = self._factor(known, step)
            factors[0] *= self._phi
            phi = np.multiply.accumulate(factors, axis=0)
        else:
            phi = self._phi[None]
        worst = np.maximum.accumulate(self._risk(phi, step * np.arange(1, trials + 1), known.new)[:, ::-1], axis=1)
        return np.asarray(worst[:, ::-1] @ known.answer)

    def place(self, calls: int, campaign: int = 0) -> None:
        """So many new calls of a campaign are decided."""
        known = self.chances[campaign]
        self._phi = self._phi * self._factor(known, calls)
        self._mean = self._mean - calls * known.new
        self._least -= calls

    def _factor(self, known: Chances, calls: int) -> Complexes:
        """What so many calls multiply phi by; a power of numbers is dear, also the first."""
        factor = known.factor(self._window)[:, : self._phi.shape[1]]
        return factor if calls == 1 else np.asarray(factor**calls)

    def _risk(self, phi: Complexes, new: NDArray[np.int64], each: Floats) -> Floats:
        """P(X <= 0) by trial and horizon."""
        if self._fits:
            below = np.minimum(np.maximum(new - self._least + 1, 0), self._window)
            weights = _below(self._window)[below][:, None, :]
        else:
            begins = np.rint(self._mean - new[:, None] * each).astype(np.int64) - self._window // 2
            begins = np.maximum(begins, self._least - new[:, None])
            weights = _below(self._window)[np.clip(1 - begins, 0, self._window)]
        risk = (phi.view(float) * weights[..., : 2 * phi.shape[2]]).sum(axis=2)
        return np.asarray(np.minimum(np.maximum(risk, 0.0), 1.0))  # np.clip costs five times as much


def rows(snapshot: Snapshot, horizon: Horizon) -> list[int]:
    """The row of each operator who is busy and of each line."""
    found = [_TALK_ROW[int(a) if a < _TALK_LAST else _TALK_LAST] for a in snapshot.talking_s]
    found += [_WRAP_UP_ROW[int(a) if a < _WRAP_UP_LAST else _WRAP_UP_LAST] for a in snapshot.wrap_up_s]
    found += [_SET_UP_0 + min(l.SET_UP_STEPS - 1, int(a / l.STEP_S)) for a in snapshot.setting_up_s]
    found += [_RING_0 + min(l.RING_STEPS - 1, int(a / l.STEP_S)) for a in snapshot.ringing_s]
    if horizon.ivr:
        found += [_OFFER_0 + min(l.OFFER_STEPS - 1, int(a / l.STEP_S)) for a in snapshot.in_offer_s]
    return found


def ahead(outlook: Outlook, theta: float, most: int) -> tuple[int, float]:
    """How many calls to place while the harm of one more is at most ``theta``, up to ``most``.

    Returns:
        The calls, and the harm of one more after them.
    """
    harm = outlook.harm()
    if harm > theta or most <= 0:
        return 0, harm
    placed, step = 0, 1
    while step:
        # Tried: placed + step, placed + 2 step, …; the last that is still allowed is placed, then in finer steps.
        trials = min(TRIED_AT_ONCE, (most - placed) // step)
        harms = outlook.harms(step, trials) if trials else np.zeros(0)
        over = np.flatnonzero(harms > theta)
        allowed = int(over[0]) if len(over) else trials
        if allowed:
            outlook.place(allowed * step)
            placed += allowed * step
            harm = float(harms[allowed - 1])
        if len(over):
            if step == 1:
                return placed + 1, float(harms[allowed])
            step //= TRIED_AT_ONCE
        elif placed + step <= most:
            step *= TRIED_AT_ONCE
        else:
            step //= TRIED_AT_ONCE
    return placed, harm


@lru_cache(maxsize=len(WINDOWS))
def _frequencies(window: int) -> Floats:
    return np.asarray(2 * np.pi / window * np.arange(window // 2 + 1))


@lru_cache(maxsize=512)
def _moved(base: int, window: int, taus: int) -> Complexes:
    """Phi of a whole number that is known: (taus, frequencies)."""
    return np.tile(np.exp(1j * base * _frequencies(window)), (taus, 1))


@lru_cache(maxsize=len(WINDOWS))
def _turns(window: int) -> Complexes:
    """exp(i omega) - 1 of somebody who becomes free, and of somebody who is taken: (2, frequencies)."""
    turn = np.exp(1j * _frequencies(window)) - 1
    return np.stack((turn, turn.conj()))


@lru_cache(maxsize=len(WINDOWS))
def _log_levels(window: int) -> Complexes:
    """log(1 + p (exp(i omega) - 1)) for levels of p, finer towards 0 and 1: (levels + 1, frequencies)."""
    p = np.sin(np.linspace(0, np.pi / 2, LEVELS + 1)) ** 2
    return np.asarray(np.log(1 + p[:, None] * _turns(window)[0] + 1e-300))


@lru_cache(maxsize=len(WINDOWS))
def _below(window: int) -> Floats:
    """Row n: weights of the real and imaginary parts of phi, for the probability of the n numbers 0, -1, …, 1 - n."""
    omega = _frequencies(window)
    weight = np.full(len(omega), 2.0 / window)
    weight[0] = weight[-1] = 1.0 / window
    steps = weight * np.exp(-1j * omega * np.arange(window)[:, None])
    summed = np.concatenate((np.zeros((1, len(omega)), complex), np.cumsum(steps, axis=0)))
    return summed.view(float)
