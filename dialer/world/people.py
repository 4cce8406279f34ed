"""Who answers, and how: the behaviour of every number of the telephone world. Pure; decided by digits and seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: How many different people there are; a number is one of them by its digits. Prime, so that neighbours differ.
SLOTS = 997


class Behaviour(StrEnum):
    """What happens when a number is called; the words are extensions of the world's dialplan."""

    PERSON = "person"
    SILENT = "silent"  # answers and says nothing
    HANGS_UP = "hangs_up"  # answers and hangs up at once
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    EARLY_MEDIA = "early_media"  # an announcement before the answer that never comes
    BUSY = "busy"  # SIP 486
    DEAD = "dead"  # 404
    REJECTED = "rejected"  # 403
    DECLINED = "declined"  # 603
    CONGESTION = "congestion"  # 503
    OUT_OF_ORDER = "out_of_order"  # 502
    UNAVAILABLE = "unavailable"  # 480


ANSWERS = frozenset({Behaviour.PERSON, Behaviour.SILENT, Behaviour.HANGS_UP, Behaviour.MACHINE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody behind a number.

    Attributes:
        ring_s: How long it rings before the answer; 0 answers without ringing.
        talk_s: A person hangs up that long after the answer; None never does.
        key: What a person presses, one of ``0-9 * #`` or nothing.
        key_after_s: How long after its hello.
    """

    behaviour: Behaviour
    ring_s: float = 0.0
    talk_s: float | None = None
    key: str = ""
    key_after_s: float = 3.0

    def __post_init__(self) -> None:
        if self.key not in set("0123456789*#") | {""}:
            raise ValueError(f"not a key: {self.key!r}")
        if min(self.ring_s, self.talk_s or 0.0, self.key_after_s) < 0:
            raise ValueError("time does not run backwards")

    def __str__(self) -> str:
        """As the world's dialplan reads it: ``behaviour|ring_s|talk_s|key|key_after_s``."""
        talk = "" if self.talk_s is None else f"{self.talk_s:g}"
        return f"{self.behaviour}|{self.ring_s:g}|{talk}|{self.key}|{self.key_after_s:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The law of a world: from it and a seed come its people.

    Attributes:
        shares: Weights of the behaviours.
        ring_s: Least and greatest ringing before an answer, evenly spread.
        talk_mean_s: Mean length of a talk; talks are 2 s plus an exponential, cut at ``talk_max_s``.
        keys: Weights of the keys people press in an offer; "" for none. Empty: nobody presses anything.
        speaks: Whether there are voices at all; without, a world costs little CPU and carries many calls.
    """

    shares: Mapping[Behaviour, float]
    ring_s: tuple[float, float] = (0.5, 3.0)
    talk_mean_s: float = 9.0
    talk_max_s: float = 60.0
    keys: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    speaks: bool = True

    def people(self, seed: int) -> list[Person]:
        """The ``SLOTS`` people of this world; the same for the same seed."""
        chance = Random(seed)
        return [self._person(chance) for _ in range(SLOTS)]

    def _person(self, chance: Random) -> Person:
        behaviour = chance.choices(list(self.shares), list(self.shares.values()))[0]
        if behaviour not in ANSWERS:
            return Person(behaviour=behaviour)
        key = chance.choices(list(self.keys), list(self.keys.values()))[0] if self.keys else ""
        talk_s = self.talk_mean_s
        if self.speaks:
            talk_s = min(2.0 + chance.expovariate(1 / max(self.talk_mean_s - 2.0, 0.1)), self.talk_max_s)
        key_after_s = round(chance.uniform(1.0, 6.0), 1)
        return Person(
            behaviour=behaviour,
            ring_s=round(chance.uniform(*self.ring_s), 2),
            # Who presses a key stays to hear what comes of it.
            talk_s=round(talk_s + (key_after_s + 10.0 if key else 0.0), 2),
            key=key,
            key_after_s=key_after_s,
        )


#: An ordinary base, quicker than life: so that a minute shows everything.
ORDINARY = Population(
    shares=MappingProxyType(
        {
            Behaviour.PERSON: 40,
            Behaviour.HANGS_UP: 3,
            Behaviour.SILENT: 0,
            Behaviour.MACHINE: 9,
            Behaviour.NO_ANSWER: 22,
            Behaviour.EARLY_MEDIA: 3,
            Behaviour.BUSY: 10,
            Behaviour.DEAD: 6,
            Behaviour.REJECTED: 2,
            Behaviour.DECLINED: 2,
            Behaviour.CONGESTION: 1,
            Behaviour.OUT_OF_ORDER: 1,
            Behaviour.UNAVAILABLE: 1,
        }
    )
)

#: The same people, some of whom press a key when they hear an offer.
OFFERED = Population(
    shares=ORDINARY.shares, keys=MappingProxyType({"1": 45, "": 35, "2": 8, "9": 10, "*": 2}), talk_mean_s=16.0
)

#: For measuring: everybody answers at once, talks three seconds, and there is no voice.
MEASURED = Population(shares=MappingProxyType({Behaviour.PERSON: 1}), ring_s=(0.0, 0.0), talk_mean_s=3.0, speaks=False)

POPULATIONS = MappingProxyType({"ordinary": ORDINARY, "offered": OFFERED, "measured": MEASURED})


def slot(number: str, seed: int) -> int:
    """Which of the people a number is; the same sum as in the world's dialplan."""
    return (int(number.lstrip("+")) * 31 + seed) % SLOTS
