"""The far ends of the simulated switch: people who are called, and the phones of operators.

What a person will do is fixed when the call starts, as data. Nobody decides anything while the call runs, so the
same seed gives the same day whatever the service does in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """How a number behaves when it is called."""

    ANSWERS = "answers"
    MACHINE = "machine"
    ANSWERS_AND_HANGS_UP = "answers_and_hangs_up"
    BUSY = "busy"
    INVALID = "invalid"
    REJECTED = "rejected"
    CONGESTION = "congestion"
    OUT_OF_ORDER = "out_of_order"
    UNAVAILABLE = "unavailable"
    NO_ANSWER = "no_answer"
    EARLY_MEDIA = "early_media"


#: Kinds that pick up.
ANSWERING = frozenset({Kind.ANSWERS, Kind.MACHINE, Kind.ANSWERS_AND_HANGS_UP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What happens when one number is called once.

    Attributes:
        kind: How the number behaves.
        setup_s: From the INVITE to ringing, or to the refusal where nothing rings.
        ring_s: From ringing to the answer, or to the refusal of those who look at the display first.
        talk_s: How long a conversation with an operator lasts until this person hangs up.
        keys: Keys pressed in the offer and in a message after it: seconds after the offer began, and the key.
        message_keys: Keys pressed in the message: seconds after it began, and the key.
        hangup_after_s: Hangs up this long after the answer, whatever goes on; None leaves it to the rest.
        patience_s: Hangs up after waiting this long for an operator without a talk; None waits.
    """

    kind: Kind = Kind.ANSWERS
    setup_s: float = 1.0
    ring_s: float = 5.0
    talk_s: float = 60.0
    keys: tuple[tuple[float, str], ...] = ()
    message_keys: tuple[tuple[float, str], ...] = ()
    hangup_after_s: float | None = None
    patience_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """An operator's phone.

    Attributes:
        registered: Whether the seat has a contact; without one no channel is ever made.
        answer_s: Until the phone answers; None lets it ring.
    """

    registered: bool = True
    answer_s: float | None = 0.1


class World(Protocol):
    """Everybody who can be called."""

    def callee(self, number: str, attempt_ordinal: int) -> Person:
        """Who answers the ``attempt_ordinal``-th call (1 is the first) to this number (digits without plus)."""

    def phone(self, seat: str) -> Phone:
        """The phone of a seat."""


@dataclass(slots=True)
class TableWorld:
    """A world written down number by number.

    A number may have one person, or a tuple of persons for its first, second, ... call (the last one repeats).
    """

    people: Mapping[str, Person | tuple[Person, ...]] = field(default_factory=dict)
    phones: Mapping[str, Phone] = field(default_factory=dict)
    default: Person = field(default_factory=Person)

    def callee(self, number: str, attempt_ordinal: int) -> Person:
        """Look the number up; unknown ones are ``default``."""
        found = self.people.get(number, self.default)
        if isinstance(found, Person):
            return found
        return found[min(attempt_ordinal, len(found)) - 1]

    def phone(self, seat: str) -> Phone:
        """Look the seat up; unknown ones are registered and answer at once."""
        return self.phones.get(seat, Phone())


FAILURES = MappingProxyType({Kind.INVALID: 0.4, Kind.CONGESTION: 0.3, Kind.REJECTED: 0.2, Kind.UNAVAILABLE: 0.1})
KEYS = MappingProxyType({"1": 0.2, "2": 0.05, "9": 0.05, "*": 0.03})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """The people of a seeded world. The defaults are the world of the pacing benchmark.

    Attributes:
        answered: Probability that a call is answered by a person.
        busy: Share of the rest that is busy.
        failed: Share of the rest that fails (``failures`` says how).
        machine: Share of the rest that is a machine.
        failures: Weights of the ways to fail.
        setup_mean_s: Mean of the set-up time, gamma of shape 4.
        ring_mean_s: Mean ring time of answered calls, lognormal, cut at ``ring_longest_s``.
        ring_cv: Coefficient of variation of the ring time.
        ring_longest_s: Nobody answers later than this.
        talk_mean_s: Mean talk time, lognormal.
        talk_cv: Coefficient of variation of the talk time.
        impatient: Probability that a person hangs up at some moment of the first ``impatient_s`` seconds.
        impatient_s: See ``impatient``.
        keys: Probability of each key in the offer; the rest press nothing.
        opts_out: Probability of pressing 9 in the message.
        operator_answer_s: How fast an operator's phone answers.
    """

    answered: float = 0.25
    busy: float = 0.12
    failed: float = 0.10
    machine: float = 0.0
    failures: Mapping[Kind, float] = field(default_factory=lambda: FAILURES)
    setup_mean_s: float = 2.0
    ring_mean_s: float = 9.0
    ring_cv: float = 0.55
    ring_longest_s: float = 25.0
    talk_mean_s: float = 100.0
    talk_cv: float = 1.0
    impatient: float = 0.0
    impatient_s: float = 3.0
    keys: Mapping[str, float] = field(default_factory=lambda: KEYS)
    opts_out: float = 0.1
    operator_answer_s: float = 0.1


class RandomWorld:
    """A world drawn from a seed.

    A person depends only on seed, number and ordinal, not on the order of calls: two ways of dialing the same base
    meet the same people (common random numbers).
    """

    def __init__(self, seed: int, chances: Chances | None = None) -> None:
        self._seed = seed
        self._chances = chances or Chances()
        c = self._chances
        self._ring = _lognormal(c.ring_mean_s, c.ring_cv)
        self._talk = _lognormal(c.talk_mean_s, c.talk_cv)
        self._random = Random()

    def callee(self, number: str, attempt_ordinal: int) -> Person:
        """Draw the person of this call."""
        chances, random = self._chances, self._random
        random.seed((self._seed << 80) ^ (int(number) << 16) ^ attempt_ordinal)
        draw = random.random
        setup_s = random.gammavariate(4.0, chances.setup_mean_s / 4.0)
        if draw() < chances.answered:
            return self._who_answers(setup_s)
        which = draw()
        if which < chances.busy:
            return Person(kind=Kind.BUSY, setup_s=setup_s, ring_s=0.0)
        which -= chances.busy
        if which < chances.failed:
            kind = random.choices(tuple(chances.failures), tuple(chances.failures.values()))[0]
            return Person(kind=kind, setup_s=setup_s, ring_s=0.0)
        if which - chances.failed < chances.machine:
            return Person(kind=Kind.MACHINE, setup_s=setup_s, ring_s=self._ring_s(), talk_s=random.uniform(15, 40))
        return Person(kind=Kind.NO_ANSWER, setup_s=setup_s)

    def phone(self, seat: str) -> Phone:  # noqa: ARG002  # every seat is alike
        """All phones are registered."""
        return Phone(answer_s=self._chances.operator_answer_s)

    def _who_answers(self, setup_s: float) -> Person:
        chances, random = self._chances, self._random
        ring_s, talk_s = self._ring_s(), random.lognormvariate(*self._talk)
        impatient = random.random() < chances.impatient
        keys, at_s, which = [], random.uniform(1.0, 9.0), random.random()
        for key, probability in chances.keys.items():
            if 0 <= which < probability:
                keys.append((at_s, key))
            which -= probability
        opts_out = random.random() < chances.opts_out
        return Person(
            kind=Kind.ANSWERS,
            setup_s=setup_s,
            ring_s=ring_s,
            talk_s=talk_s,
            keys=tuple(keys),
            message_keys=((random.uniform(0.5, 6.0), "9"),) if opts_out else (),
            hangup_after_s=random.uniform(0.0, chances.impatient_s) if impatient else None,
        )

    def _ring_s(self) -> float:
        while (ring_s := self._random.lognormvariate(*self._ring)) > self._chances.ring_longest_s:
            pass
        return ring_s


def _lognormal(mean: float, cv: float) -> tuple[float, float]:
    """Parameters mu and sigma of the lognormal law with this mean and coefficient of variation."""
    variance = math.log(1.0 + cv * cv)
    return math.log(mean) - variance / 2.0, math.sqrt(variance)
