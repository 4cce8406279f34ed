"""The world of ``scripts/demo`` in the event simulation: the same people by the same seed, its robots and legal window.

What a real demo came to can be laid beside it. The people are those of ``dialer/world``: each number's behaviour, how
long it rings, when it hangs up. Robots talk and write for as long as robots do. What remains different: the time that
the switch and the robots' HTTP take, the limit of starts per second, and second attempts.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from random import Random

from dialer.world import demo, sample
from dialer.world.people import ANSWERS, ORDINARY, Behaviour, slot
from dialer.world.robot import Manner
from scripts.benches.pace.day import Count, Day
from scripts.benches.pace.ours import Limits, Ours, Window
from scripts.benches.pace.world import Scenario, Shift

#: From the Originate to the first ring, and what a robot's click takes, on one machine.
SET_UP_S, CLICK_S = 0.05, 0.1
#: Who hangs up as soon as he has answered.
AT_ONCE_S = 0.2
_RINGS_ON = frozenset({Behaviour.NO_ANSWER, Behaviour.EARLY_MEDIA})
#: The demo's campaign and trunk.
LINES_MAX, LINES_PER_OPERATOR = 100, 4.0


@dataclass(frozen=True, slots=True)
class Demo:
    """What a simulated demo came to, and the worst share in its legal window."""

    count: Count
    worst: float

    def sentence(self) -> str:
        """In words."""
        count = self.count
        return (
            f"{count.calls} calls, {count.answered} answered, {count.talks} talks, {count.abandoned} abandoned; "
            f"busy share {count.busy:.3f}; worst window {100 * self.worst:.2f} %"
        )


class _Day(Day):
    """A day whose people are those of the telephone world."""

    def __init__(self, operators: int, dialer: Ours, seed: int, until_s: float) -> None:
        super().__init__(Scenario(operators=operators, p=0.5), dialer, seed, until_s=until_s)
        size = max(demo.CONTACTS, round(demo.CONTACTS_PER_S * operators * until_s))
        rows = csv.DictReader(io.StringIO(sample.base(min(size, len(sample.reserved())), seed)))
        people = ORDINARY.people(seed)
        self._people = [people[slot(row["phone"], seed)] for row in rows]
        self._shifts = [Shift(0.0, ())] * operators  # the robots are there before the dialing begins
        self._chance = Random(seed)
        self._answered_s: dict[int, float] = {}

    def _is_set_up(self, call: int) -> None:
        person = self._people[call % len(self._people)]
        sent_s = self.setting_up.pop(call)
        if person.behaviour not in ANSWERS | _RINGS_ON:
            self.dialer.ended(call, self.now_s, "busy" if person.behaviour is Behaviour.BUSY else "failed")
            return
        self.ringing[call], self.sent_s[call] = self.now_s, sent_s
        self.dialer.rang(call, self.now_s)
        if person.behaviour in ANSWERS and person.ring_s < demo.RING_TIMEOUT_S:
            self._at(self.now_s + person.ring_s, self._is_answered, call)
        else:
            self._at(sent_s + demo.RING_TIMEOUT_S, self._is_not_answered, call)

    def _is_answered(self, call: int) -> None:
        self._answered_s[call] = self.now_s
        super()._is_answered(call)
        if self._people[call % len(self._people)].behaviour is Behaviour.HANGS_UP:
            self._at(self.now_s + AT_ONCE_S, self._hangs_up, call)

    def _hangs_up(self, call: int) -> None:
        """Before anybody could be connected: kept apart, neither answered nor abandoned in the legal count."""
        self.waiting.pop(call, None)

    def _lengths(self, call: int) -> tuple[float, float]:
        person = self._people[call % len(self._people)]
        waited_s = self.now_s - self._answered_s.pop(call)
        own_s = AT_ONCE_S if person.behaviour is Behaviour.HANGS_UP else person.talk_s or float("inf")
        robot_s = self._chance.uniform(*Manner().talk_s) + CLICK_S
        return max(0.0, min(own_s - waited_s, robot_s)), self._chance.uniform(*Manner().wrap_up_s) + CLICK_S


def live(operators: int, seconds: float, seed: int) -> Demo:
    """A demo of so many robots and so many seconds."""
    answered, abandoned = demo.CARRIED
    window = Window(answered=answered, abandoned=abandoned)
    limits = Limits(ring_timeout_s=demo.RING_TIMEOUT_S, lines_per_operator=LINES_PER_OPERATOR, lines=LINES_MAX)
    count = _Day(operators, Ours(window, limits), seed, seconds).run()
    return Demo(count, window.worst)
