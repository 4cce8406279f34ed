"""The laws of one campaign: how long people ring, talk and write, and who answers; plain numbers.

A call goes through stages, each with its own law on a grid of half seconds:

    set-up ──> ringing ──> answered ──> (IVR-first: the offer ──> the key) ──> needs an operator
       q: of all attempts a share is answered      q_ringing: of those that ring a greater share is
       a share of those who hear the offer presses the key

An operator who talks is free after the rest of the talk and a wrap-up, one in wrap-up after the rest of it. Talk and
wrap-up are hazards, constant between ages: how many end per second of those that lasted so long.

For each stage and age the question is the same: with which probability has it led to its end within s? The answer is
the residual law of the stage at that age, convolved with the law of what follows (``Laws.chances``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

#: The grid of set-up, ring and offer, and of every horizon.
STEP_S = 0.5
#: Steps kept of each stage; what takes longer falls into the last one.
SET_UP_STEPS, RING_STEPS, OFFER_STEPS = 24, 80, 120
#: Ages in seconds between which the hazards of talk and wrap-up are constant.
TALK_AGES = (0, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120, 140, 160, 180, 210, 240, 300, 360, 480, 600)
WRAP_UP_AGES = (0, 2, 4, 6, 8, 10, 13, 16, 20, 25, 30, 35, 40, 50, 60, 90, 120)
#: What is believed before anything was seen, and how many calls the belief is worth.
PRIOR_TALK_S, PRIOR_WRAP_UP_S, PRIOR_TALK_N = 90.0, 20.0, 4.0
PRIOR_SET_UP_S, PRIOR_RING_S, PRIOR_OFFER_S, PRIOR_TIMES_N = 2.0, 9.0, 20.0, 10.0
PRIOR_ANSWER, PRIOR_KEY, PRIOR_ANSWER_N = 0.3, 0.3, 8.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Laws:
    """What is known of a campaign; every figure a plain number.

    Attributes:
        answer: Attempts answered by a person ÷ attempts, 0 to 1.
        answer_ringing: Of the attempts that rang.
        key: IVR-first: of those who answered, the share who press the key for an operator; 1 otherwise.
        set_up: Probability of each half second from sending to ringing.
        ring: Of each half second from ringing to the answer, of those who answer.
        offer: IVR-first: from the answer to the key, of those who press it.
        talk: Hazard per second of the end of a talk, by ``TALK_AGES``.
        wrap_up: Of the end of a wrap-up, by ``WRAP_UP_AGES``.
        rings: Whether the trunk says that a phone rings; if not, calls count as ringing from the start.
    """

    answer: float
    answer_ringing: float
    key: float
    set_up: tuple[float, ...]
    ring: tuple[float, ...]
    offer: tuple[float, ...]
    talk: tuple[float, ...]
    wrap_up: tuple[float, ...]
    rings: bool = True

    @classmethod
    def plain(
        cls,
        *,
        answer: float = PRIOR_ANSWER,
        answer_ringing: float | None = None,
        key: float = PRIOR_KEY,
        set_up_s: float = PRIOR_SET_UP_S,
        ring_s: float = PRIOR_RING_S,
        talk_s: float = PRIOR_TALK_S,
        wrap_up_s: float = PRIOR_WRAP_UP_S,
        offer_s: float = PRIOR_OFFER_S,
    ) -> Laws:
        """Laws of the believed shapes around these means."""
        return cls(
            answer=answer,
            answer_ringing=answer if answer_ringing is None else answer_ringing,
            key=key,
            set_up=gamma(set_up_s, SET_UP_STEPS),
            ring=gamma(ring_s, RING_STEPS),
            offer=gamma(offer_s, OFFER_STEPS),
            talk=(1 / talk_s,) * len(TALK_AGES),
            wrap_up=(1 / wrap_up_s,) * len(WRAP_UP_AGES),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON can hold it; ``of_json`` gives the same laws back, to the last bit."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Laws:
        """The laws that ``to_json`` wrote down."""
        known = {f.name for f in fields(cls)}
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known}
        return cls(**plain)

    @cached_property
    def tables(self) -> dict[tuple[object, ...], Any]:
        """What a forecast computed from these laws, kept as long as they are."""
        return {}

    # Chances by age --------------------------------------------------------------

    def answered_within(self, steps: int, *, ivr: bool) -> tuple[Floats, Floats, Floats, Floats]:
        """With which probability calls of each age need an operator within 0, 1, … ``steps`` half seconds.

        Returns:
            For a new call (steps + 1,); for set-up, ringing and offer arrays (ages, steps + 1).
        """
        ring = np.asarray(self.ring)
        need, offer = np.ones(steps + 1), np.zeros((OFFER_STEPS, steps + 1))
        if ivr:
            press = np.asarray(self.offer)
            offer = _followed(press, np.ones(steps + 1), self.key)
            need = self.key * np.concatenate(([0.0], np.cumsum(press)))[: steps + 1]
            need = np.pad(need, (0, steps + 1 - len(need)), mode="edge")
        ringing = _followed(ring, need, self.answer_ringing)
        answered = np.convolve(ring, need)[: steps + 1]
        set_up = np.asarray(self.set_up)
        left = set_up[::-1].cumsum()[::-1]
        setting_up = _rests_after(set_up, answered) * (self.answer / np.maximum(left, 1e-9))[:, None]
        new = self.answer * np.convolve(set_up, answered)[: steps + 1]
        if not self.rings:
            new, setting_up = ringing[0], ringing[:SET_UP_STEPS]
        return new, setting_up, ringing, offer

    def free_within(
        self, steps: int, talks: Sequence[int] | None = None, wrap_ups: Sequence[int] | None = None
    ) -> tuple[Floats, Floats]:
        """With which probability operators are free within 0, 1, … ``steps`` half seconds.

        Args:
            steps: How far ahead.
            talks: Only talks in these stretches of ``TALK_AGES``; all of them by default.
            wrap_ups: Only wrap-ups in these stretches of ``WRAP_UP_AGES``.

        Returns:
            For talks and wrap-ups of each age: arrays (ages, steps + 1).
        """
        written = _ended(self.wrap_up, WRAP_UP_AGES, np.zeros(1), steps)[0]
        ages = _middles(TALK_AGES) if talks is None else _middles(TALK_AGES)[list(talks)]
        ends = _ended(self.talk, TALK_AGES, ages, steps)
        # A talk that ends within a step is followed by a wrap-up that lasts what is left of the time.
        talk = _after(steps_of(ends), written)
        ages = _middles(WRAP_UP_AGES) if wrap_ups is None else _middles(WRAP_UP_AGES)[list(wrap_ups)]
        wrap_up = _ended(self.wrap_up, WRAP_UP_AGES, ages, steps)
        return talk, wrap_up


def gamma(mean_s: float, steps: int, shape: float = 4.0) -> tuple[float, ...]:
    """Probabilities of each half second of a gamma law, by its density in the middle."""
    if mean_s < STEP_S:
        return (1.0,) + (0.0,) * (steps - 1)
    scale = mean_s / shape
    middles = (np.arange(steps) + 0.5) * (STEP_S / scale)
    density = np.exp((shape - 1) * np.log(middles) - middles)
    return tuple((density / density.sum()).tolist())


def bins_of(ages: Sequence[float]) -> tuple[int, ...]:
    """For each whole second of age up to the last bound: which of the stretches it is in."""
    return tuple(max(i for i, bound in enumerate(ages) if bound <= s) for s in range(int(ages[-1]) + 1))


def steps_of(summed: Floats) -> Floats:
    """What each step adds, along the last axis; ``np.diff`` with a zero before it, in a tenth of its time."""
    steps = summed.copy()
    steps[..., 1:] -= summed[..., :-1]
    return steps


def _followed(stage: Floats, then: Floats, share: float) -> Floats:
    """A stage that a ``share`` of the calls completes, at each age, followed by ``then``: (ages, steps)."""
    left = stage[::-1].cumsum()[::-1]
    return _rests_after(stage, then) * (share / np.maximum(share * left + 1 - share, 1e-9))[:, None]


def _rests_after(stage: Floats, then: Floats) -> Floats:
    """Row a: the steps of a stage from a on, followed by a law that begins where they end: (ages, steps).

    Row a is row a + 1 one step later, and what ends in step a itself: summed from the last row to the first, in a
    table in which each row stands one place further to the right than the row before.
    """
    ages, steps = len(stage), len(then)
    table = np.zeros((ages, ages + steps))
    rows: Floats = np.ndarray((ages, steps), buffer=table, strides=(table.strides[0] + table.itemsize, table.itemsize))
    np.multiply(stage[:, None], then, out=rows)
    table[::-1].cumsum(axis=0, out=table[::-1])
    return rows


def _after(steps: Floats, then: Floats) -> Floats:
    """What ends in each step, followed by a law that begins there: (ages, steps); a convolution of each row."""
    size = len(then)
    length = _transform(2 * size)
    spectrum = np.fft.rfft(steps, length) * np.fft.rfft(then, length)
    return np.asarray(np.fft.irfft(spectrum, length)[:, :size])


def _transform(least: int) -> int:
    """A length for a transform: 2^n, or three or five quarters of it; one with great prime factors takes long."""
    power = 1 << (least - 1).bit_length()
    return next(length for length in (power * 5 // 8, power * 3 // 4, power) if length >= least)


@lru_cache(maxsize=4)
def _middles(ages: tuple[float, ...]) -> Floats:
    bounds = np.asarray([*ages, ages[-1] * 1.25], float)
    return np.asarray((bounds[1:] + bounds[:-1]) / 2)


@lru_cache(maxsize=4)
def _stretches(ages: tuple[float, ...]) -> tuple[Floats, Floats]:
    """The bounds of the stretches between these ages, and how long each is; the last one has no end."""
    until = np.asarray([*ages, ages[-1] + 1e5], float)
    return until, np.diff(until)


def _ended(hazard: tuple[float, ...], ages: tuple[float, ...], at: Floats, steps: int) -> Floats:
    """P(ended within 0, 1, … steps half seconds | lasted so long already): (len(at), steps + 1)."""
    until, lengths = _stretches(ages)
    summed = np.zeros(len(until))
    np.multiply(hazard, lengths).cumsum(out=summed[1:])
    passed = np.interp(at[:, None] + STEP_S * np.arange(steps + 1), until, summed)
    return np.asarray(1 - np.exp(passed[:, :1] - passed))
