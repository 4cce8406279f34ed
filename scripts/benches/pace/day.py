"""One day of the world as an event simulation: calls, operators and people who wait, and a dialer that is asked.

A heap of (time, number, what, whom). Nothing is sampled: the times of all that happens come from the day's draws. What
a dialer may look at are the attributes of ``Day``; it hears what a dialer hears (sent, ringing, answered, ended, …) and
is asked how many calls to place, every ``every_s`` and, if it wants, whenever an operator becomes free.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from heapq import heappop, heappush

from scripts.benches.pace.world import (
    BUSY,
    DAY_S,
    FAILED,
    RING_TIMEOUT_S,
    WAIT_S,
    Draws,
    Scenario,
    Shift,
)

#: Waiting longer than this is noticed by the person who answered.
NOTICED_S = 0.5


class Dialer:
    """What decides how many calls to place. This one places none, and hears without listening."""

    #: It is asked this often, and also when an operator becomes free if ``at_events``.
    every_s = 0.5
    at_events = True

    def begin(self, day: Day) -> None:
        """A day begins."""

    def calls(self, day: Day) -> int:
        """How many calls to place now."""
        return 0

    def may_leave(self, day: Day) -> bool:
        """Whether one of the ready operators may pause or log out now."""
        return True

    def sent(self, call: int, now_s: float) -> None:
        """A call was placed."""

    def rang(self, call: int, now_s: float) -> None:
        """It began to ring."""

    def answered(self, call: int, now_s: float) -> None:
        """A person answered it."""

    def ended(self, call: int, now_s: float, outcome: str) -> None:
        """It ended without an answer: ``busy``, ``failed`` or ``no_answer``."""

    def connected(self, call: int, operator: int, now_s: float) -> None:
        """A talk began."""

    def talk_ended(self, operator: int, talk_s: float, now_s: float) -> None:
        """A talk ended, and the operator's wrap-up began."""

    def wrap_up_ended(self, operator: int, wrap_up_s: float, now_s: float) -> None:
        """The wrap-up ended."""

    def abandoned(self, call: int, now_s: float) -> None:
        """A person who answered found nobody for 2 s."""


@dataclass(slots=True, kw_only=True)
class Count:
    """What a day, or several, came to. Seconds are summed over operators."""

    days: int = 0
    available_s: float = 0.0
    talk_s: float = 0.0
    wrap_up_s: float = 0.0
    idle_s: float = 0.0
    calls: int = 0
    answered: int = 0
    abandoned: int = 0
    talks: int = 0
    noticed: int = 0
    decisions: int = 0

    def add(self, other: Count) -> None:
        """Sum up."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def busy(self) -> float:
        """Talk time ÷ logged-in available time."""
        return self.talk_s / self.available_s if self.available_s else 0.0

    @property
    def lost(self) -> float:
        """Abandoned ÷ answered by a person."""
        return self.abandoned / self.answered if self.answered else 0.0


class Day:
    """A day of a scenario with a dialer.

    Attributes:
        now_s: Seconds since its beginning.
        setting_up: Call -> when it was sent, of those not ringing yet; oldest first.
        ringing: Call -> when it began to ring; oldest first.
        sent_s: Call -> when it was sent, of the ringing ones in the same order.
        waiting: Person who answered and has no operator -> since when; longest first.
        ready: Operators who are free, longest first.
        talking: Operator -> since when he talks; likewise ``wrapping_up``.
        count: What happened so far.
    """

    def __init__(self, world: Scenario, dialer: Dialer, seed: int, *, until_s: float = DAY_S) -> None:
        self.world = world
        self.dialer = dialer
        self.until_s = until_s
        self.now_s = 0.0
        self.setting_up: dict[int, float] = {}
        self.ringing: dict[int, float] = {}
        self.sent_s: dict[int, float] = {}
        self.waiting: dict[int, float] = {}
        self.ready: deque[int] = deque()
        self.talking: dict[int, float] = {}
        self.wrapping_up: dict[int, float] = {}
        self.count = Count(days=1)
        self._draws = Draws(world, seed)
        self._queue: list[tuple[float, int, Callable[[int], None], int]] = []
        self._number = 0
        self._shifts = list(self._draws.shifts())
        self._away: dict[int, deque[tuple[float, float]]] = {}
        self._since: dict[int, float] = {}  # ready since
        self._came: dict[int, float] = {}  # available since
        self._leaving: dict[int, float] = {}  # who should be away by now -> for how long
        self._wrap_up_s: dict[int, float] = {}

    @property
    def in_flight(self) -> int:
        """Lines set up or ringing."""
        return len(self.setting_up) + len(self.ringing)

    def run(self) -> Count:
        """Live through it."""
        self.dialer.begin(self)
        for operator, shift in enumerate(self._shifts):
            self._plan(operator, shift)
        self._at(0.0, self._tick, 0)
        queue = self._queue
        until_s = self.until_s
        while queue:
            at_s, _, happens, to = heappop(queue)
            if at_s >= until_s:
                break
            self.now_s = at_s
            happens(to)
        self._close()
        return self.count

    def _at(self, at_s: float, happens: Callable[[int], None], to: int) -> None:
        self._number += 1
        heappush(self._queue, (at_s, self._number, happens, to))

    # The dialer

    def _tick(self, _: int) -> None:
        self._at(self.now_s + self.dialer.every_s, self._tick, 0)
        if self._leaving:
            self._let_go()
        self._ask()

    def _ask(self) -> None:
        self.count.decisions += 1
        calls = self.dialer.calls(self)
        for _ in range(calls):
            self._place()

    # Calls

    def _place(self) -> None:
        call = self.count.calls
        draws = self._draws
        if call >= len(draws.fate):
            draws.more_calls()
        self.count.calls += 1
        now_s = self.now_s
        self.setting_up[call] = now_s
        self._at(now_s + draws.set_up_s[call], self._is_set_up, call)
        self.dialer.sent(call, now_s)

    def _is_set_up(self, call: int) -> None:
        sent_s = self.setting_up.pop(call)
        fate, p, now_s = self._draws.fate[call], self.world.p_at(sent_s), self.now_s
        rest = (fate - p) / (1 - p)
        if fate >= p and rest < BUSY + FAILED:
            self.dialer.ended(call, now_s, "busy" if rest < BUSY else "failed")
            return
        self.ringing[call] = now_s
        self.sent_s[call] = sent_s
        self.dialer.rang(call, now_s)
        if fate < p:
            self._at(now_s + self._draws.ring_s[call], self._is_answered, call)
        else:
            self._at(now_s + RING_TIMEOUT_S, self._is_not_answered, call)

    def _is_not_answered(self, call: int) -> None:
        del self.ringing[call], self.sent_s[call]
        self.dialer.ended(call, self.now_s, "no_answer")

    def _is_answered(self, call: int) -> None:
        del self.ringing[call], self.sent_s[call]
        self.count.answered += 1
        self.dialer.answered(call, self.now_s)
        if self.ready:
            self._connect(call, self.ready.popleft())
        else:
            self.waiting[call] = self.now_s
            self._at(self.now_s + WAIT_S, self._gives_up, call)

    def _gives_up(self, call: int) -> None:
        if self.waiting.pop(call, None) is not None:
            self.count.abandoned += 1
            self.count.noticed += 1
            self.dialer.abandoned(call, self.now_s)

    # Operators

    def _connect(self, call: int, operator: int) -> None:
        now_s = self.now_s
        talk_s, self._wrap_up_s[operator] = self._lengths(call)
        self.count.talks += 1
        self.count.idle_s += now_s - self._since.pop(operator)
        self.talking[operator] = now_s
        self._at(now_s + talk_s, self._talk_ends, operator)
        self.dialer.connected(call, operator, now_s)

    def _lengths(self, _: int) -> tuple[float, float]:
        """Of the talk that begins and of its wrap-up; the same for the k-th talk whoever dials."""
        talk, draws = self.count.talks, self._draws
        if talk >= len(draws.talk_s):
            draws.more_talks()
        return draws.talk_s[talk] * self.world.talk_factor(self.now_s), draws.wrap_up_s[talk]

    def _talk_ends(self, operator: int) -> None:
        now_s = self.now_s
        talk_s = now_s - self.talking.pop(operator)
        self.count.talk_s += talk_s
        self.wrapping_up[operator] = now_s
        self._at(now_s + self._wrap_up_s.pop(operator), self._wrap_up_ends, operator)
        self.dialer.talk_ended(operator, talk_s, now_s)

    def _wrap_up_ends(self, operator: int) -> None:
        wrap_up_s = self.now_s - self.wrapping_up.pop(operator)
        self.count.wrap_up_s += wrap_up_s
        self.dialer.wrap_up_ended(operator, wrap_up_s, self.now_s)
        if operator in self._leaving:
            self._leave(operator)
        else:
            self._free(operator)

    def _free(self, operator: int) -> None:
        """Somebody to talk to: whoever waits longest has him, else he is ready."""
        self._since[operator] = self.now_s
        if self.waiting:
            call = next(iter(self.waiting))
            self.count.noticed += self.now_s - self.waiting.pop(call) > NOTICED_S
            self._connect(call, operator)
        else:
            self.ready.append(operator)
        if self.dialer.at_events:
            self._ask()

    # Shifts

    def _plan(self, operator: int, shift: Shift) -> None:
        self._at(shift.comes_s, self._comes, operator)
        self._away[operator] = deque(away for away in shift.away if away[0] < shift.goes_s)
        if shift.goes_s < self.until_s:
            self._away[operator].append((shift.goes_s, self.until_s))
        for from_s, _ in self._away[operator]:
            self._at(from_s, self._should_leave, operator)

    def _comes(self, operator: int) -> None:
        self._came[operator] = self.now_s
        self._free(operator)

    def _should_leave(self, operator: int) -> None:
        _, self._leaving[operator] = self._away[operator].popleft()
        self._let_go()

    def _let_go(self) -> None:
        """Whoever should be away and is ready goes, unless the dialer needs him for the moment."""
        for operator in [each for each in self._leaving if each in self._since]:
            if not self.dialer.may_leave(self):
                return
            self.ready.remove(operator)
            self.count.idle_s += self.now_s - self._since.pop(operator)
            self._leave(operator)

    def _leave(self, operator: int) -> None:
        self.count.available_s += self.now_s - self._came.pop(operator)
        self._at(self.now_s + self._leaving.pop(operator), self._comes, operator)

    def _close(self) -> None:
        """The end of the day: what goes on is counted until now; who waits is lost."""
        self.now_s = end_s = self.until_s
        self.count.talk_s += sum(end_s - since for since in self.talking.values())
        self.count.wrap_up_s += sum(end_s - since for since in self.wrapping_up.values())
        self.count.idle_s += sum(end_s - since for since in self._since.values())
        self.count.available_s += sum(end_s - since for since in self._came.values())
        for call in self.waiting:
            self.count.abandoned += 1
            self.dialer.abandoned(call, end_s)


class Progressive(Dialer):
    """One line per ready operator."""

    def calls(self, day: Day) -> int:
        return len(day.ready) - len(day.setting_up) - len(day.ringing)
