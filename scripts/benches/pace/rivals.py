"""How others decide, in our own words and code, after their published formulas.

*VICIdial-like*: a level, corrected every 15 s by the mean over a minute of operators who wait minus people who wait;
rules that lower it when too many are dropped; every 2.5 s calls are placed up to level × operators. *Issabel-like*:
every 3 s as many calls as operators are or will be free, divided by the answer rate of the last half hour.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import ceil, exp
from typing import Literal

from scripts.benches.pace.day import Day, Dialer
from scripts.benches.pace.world import HOUR_S

#: The day of the benchmark on a VICIdial clock: from nine to five.
_NINE_S = 9 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a VICIdial campaign offers to its supervisor.

    Attributes:
        level_max: Greatest lines per operator.
        target: Added to the mean of (operators − people waiting): −2 wants two operators waiting.
        intensity: −40 to 40: above zero it climbs faster and falls slower.
        method: What a passed drop limit does to the level.
        drop_permille: The drop limit; 1000 is none.
        available_only: Level × waiting operators instead of × all of them.
    """

    level_max: float = 3.0
    target: float = 0.0
    intensity: int = 0
    method: Literal["hard", "average", "tapered"] = "hard"
    drop_permille: int = 30
    available_only: bool = False


class Vici(Dialer):
    """Adaptive dialing after VICIdial's published rules."""

    every_s = 2.5
    at_events = False

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.level = 1.0
        self._ticks = 0
        self._waits: deque[int] = deque(maxlen=24)  # a minute of them
        self._answered: deque[float] = deque()  # within the last minute
        self._dropped: deque[float] = deque()

    def begin(self, day: Day) -> None:
        self.level, self._ticks = 1.0, 0
        for lately in (self._waits, self._answered, self._dropped):
            lately.clear()

    def calls(self, day: Day) -> int:
        ready, waiting = len(day.ready), len(day.waiting)
        talking = len(day.talking)
        self._waits.append(ready - waiting)
        self._ticks += 1
        if self._ticks % 6 == 0:
            self._adapt(day, ready + talking)
        if self.settings.available_only:
            return max(0, int(self.level * ready) - day.in_flight - waiting)
        return max(0, int(self.level * (ready + talking)) - day.in_flight - waiting - talking)

    def _adapt(self, day: Day, operators: int) -> None:
        settings = self.settings
        step = (sum(self._waits) / len(self._waits) + settings.target) / max(1, operators)
        lean = settings.intensity / 40
        self.level *= max(0.1, 1 + step * (1 + lean if step > 0 else 1 - lean))
        self.level = min(settings.level_max, max(1.0, self.level))
        self._drop_rules(day)
        self.level = max(1.0, self.level)

    def _drop_rules(self, day: Day) -> None:
        for recent in (self._answered, self._dropped):
            while recent and recent[0] < day.now_s - 60:
                recent.popleft()
        if len(self._answered) > 20 and len(self._dropped) > len(self._answered) / 2:
            self.level /= 2
        count, method = day.count, self.settings.method
        if count.answered <= 50 or 1000 * count.lost <= self.settings.drop_permille:
            return
        if method == "hard":
            self.level = 1.0
        elif method == "average":
            self.level /= 2
        else:
            self.level *= max(0, _hhmm(day.until_s) - _hhmm(day.now_s)) / 1000

    def answered(self, call: int, now_s: float) -> None:
        self._answered.append(now_s)

    def abandoned(self, call: int, now_s: float) -> None:
        self._dropped.append(now_s)


def _hhmm(at_s: float) -> int:
    """Time of day as VICIdial subtracts it: 13:30 is 1330."""
    hours, seconds = divmod(int(_NINE_S + at_s), 3600)
    return 100 * hours + seconds // 60


class Issabel(Dialer):
    """Prediction after Issabel's published rule."""

    every_s = 3.0
    at_events = False
    #: It counts on an operator whose talk is over by the answer with this probability.
    SURE = 0.97
    MEMORY_S = 1800.0
    RATE_MIN = 0.20

    def __init__(self) -> None:
        self._ends: deque[tuple[float, bool]] = deque()
        self._people = 0
        self._sent: dict[int, float] = {}
        self._answer_s = (0.0, 0)
        self._talk_s = (0.0, 0)

    def begin(self, day: Day) -> None:
        self._sent.clear()
        self._ends.clear()
        self._people = 0

    def calls(self, day: Day) -> int:
        while self._ends and self._ends[0][0] < day.now_s - self.MEMORY_S:
            self._people -= self._ends.popleft()[1]
        wanted = len(day.ready) + self._soon(day) - len(day.waiting) - day.in_flight
        rate = max(self.RATE_MIN, self._people / len(self._ends)) if self._ends else 1.0
        return ceil(wanted / rate) if wanted > 0 else 0

    def _soon(self, day: Day) -> int:
        """Operators whose talk, taken as exponential from its beginning, is over by the time of an answer."""
        if not self._talk_s[1] or not self._answer_s[1]:
            return 0
        talk_s, answer_s = self._talk_s[0] / self._talk_s[1], self._answer_s[0] / self._answer_s[1]
        return sum(1 - exp(-(day.now_s - at + answer_s) / talk_s) >= self.SURE for at in day.talking.values())

    def sent(self, call: int, now_s: float) -> None:
        self._sent[call] = now_s

    def answered(self, call: int, now_s: float) -> None:
        total, n = self._answer_s
        self._answer_s = total + now_s - self._sent.pop(call), n + 1
        self._end(now_s, person=True)

    def ended(self, call: int, now_s: float, outcome: str) -> None:
        del self._sent[call]
        self._end(now_s, person=False)

    def _end(self, now_s: float, *, person: bool) -> None:
        self._ends.append((now_s, person))
        self._people += person

    def talk_ended(self, operator: int, talk_s: float, now_s: float) -> None:
        total, n = self._talk_s
        self._talk_s = total + talk_s, n + 1
