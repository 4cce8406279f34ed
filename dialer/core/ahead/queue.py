"""The contacts of one possible future: who is next, what follows from an end, and the legal count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import accumulate
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core.ahead.known import DAY_S, NATURES
from dialer.core.ahead.rules import no_budget
from dialer.core.model import Mode, Outcome
from dialer.core.pacing import WAIT_S
from dialer.core.quick import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialer.core.ahead.known import Crowd, Known, Plan
    from dialer.core.ahead.rates import Rates
    from dialer.core.ahead.rules import After, Pace, Place, Rules

#: A card is looked at for so long before it is called.
LOOK_S = 15.0
_WORD, _GOLD, _MIX, _STIR = (1 << 64) - 1, 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
#: Which draw of an attempt, or of an operator.
ENDS, RINGS, TALKS, WRITES, SAYS, AWAY, BACK, ELSEWHERE, SAMPLE = range(9)


@dataclass(slots=True)
class Told:
    """What happened.

    Attributes:
        marks: At each asked moment: (results, attempts, connects, contacts left).
        ended_s: When the last contact was closed; None if some are left.
        tried_s: When every contact had been called at least once.
        busy_s: Operator seconds in talk and wrap-up until the end of the present shift.
        there_s: Operator seconds without pauses until then.
    """

    marks: list[tuple[float, float, float, float]] = field(default_factory=list)
    ended_s: float | None = None
    tried_s: float | None = None
    busy_s: float = 0.0
    there_s: float = 0.0
    abandoned: float = 0.0


class Lane:
    """Contacts of the same zones and priority, by when they come due."""

    __slots__ = ("begin_s", "due", "end_s", "limits", "place")

    def __init__(self, place: Place, limits: list[tuple[int, float]]) -> None:
        self.place, self.limits = place, limits
        self.due: list[tuple[float, int]] = []
        self.begin_s = self.end_s = 0.0


class Queue(ABC):
    """Contacts and what is due; whoever dials them is told when somebody is."""

    def __init__(
        self,
        known: Known,
        plan: Plan,
        rates: Rates,
        rules: Rules,
        pace: Pace,
        *,
        seed: int,
        scale: int = 1,
        long: bool = False,
    ) -> None:
        self.known, self.plan, self.rates, self.rules, self.pace = known, plan, rates, rules, pace
        campaign = self.campaign = known.campaign
        self.seed, self.scale, self.long = seed, scale, long
        self.told = Told()
        self.events: list[tuple[float, int, Callable[[float, int], None], int]] = []
        self.order = 0
        self.lanes: dict[tuple[int, Place], Lane] = {}
        self.lane: list[Lane] = []
        self.counted: list[int] = []
        self.number: list[int] = []
        self.phones: list[int] = []
        self.sent: dict[int, list[float]] = {}
        self.times: dict[tuple[int, str], int] = {}
        self.promised: list[tuple[float, int]] = []
        self.is_promised: set[int] = set()
        self.open = self.untried = 0
        self.results = self.attempts = self.connects = 0
        self.ready: deque[int] = deque()
        self.waiting: deque[int] = deque()
        self.with_whom: dict[int, int] = {}
        self.there: dict[int, float] = {}
        self.tired: set[int] = set()
        self.since: dict[int, float] = {}
        self.leaving: set[int] = set()
        self.turns: dict[int, int] = {}
        self.talking = self.writing = self.lines = 0
        self.budget = law.present(
            known.budget or no_budget(campaign, known.at_s), campaign, datetime.fromtimestamp(known.at_s, UTC)
        )
        self.budget_ends_s = self.budget.ends_at.timestamp()
        self.answered, self.abandoned = self.budget.answered / scale, self.budget.abandoned / scale
        self.spare = self._spare()
        self.by_priority: list[Lane] = []
        self.offset_s = 0.0
        self.wake_s = float("inf")
        self.asked = campaign.mode is Mode.PREVIEW
        self.look_s = LOOK_S if known.seen.look_s is None else known.seen.look_s
        self.wait_s = (campaign.key_wait_s if campaign.mode is Mode.IVR else WAIT_S) * scale
        self.max_lines = min(campaign.max_lines, campaign.trunk.max_channels)
        self.sums: dict[tuple[int, int], list[float]] = {}

    @abstractmethod
    def _wakes(self, at_s: float, _: int) -> None:
        """Somebody is due."""

    def _at(self, at_s: float, happens: Callable[[float, int], None], about: int) -> None:
        self.order += 1
        heappush(self.events, (at_s, self.order, happens, about))

    def _chance(self, who: int, when: int, what: int) -> float:
        """A uniform number that depends on the future, on whom, the how-manieth time, and what for (splitmix64)."""
        z = (self.seed + (((who << 12) + when << 4) + what + 1) * _GOLD) & _WORD
        z = ((z ^ (z >> 30)) * _MIX) & _WORD
        z = ((z ^ (z >> 27)) * _STIR) & _WORD
        return ((z ^ (z >> 31)) >> 11) * 2.0**-53

    def _mark(self) -> int:
        scale = self.scale
        self.told.marks.append((self.results * scale, self.attempts * scale, self.connects * scale, self.open * scale))
        return 1

    # Who is next ----------------------------------------------------------------------

    def _lane(self, crowd: Crowd) -> Lane:
        place = crowd.zones, crowd.countries
        key = crowd.priority, place
        found = self.lanes.get(key)
        if found is None:
            found = self.lanes[key] = Lane(place, self.rules.limits(crowd.countries))
        return found

    def _contact(self, crowd: Crowd, lane: Lane) -> int:
        contact = len(self.lane)
        self.lane.append(lane)
        self.counted.append(crowd.counted)
        self.number.append(crowd.number)
        self.phones.append(crowd.phones)
        if crowd.sent_s and lane.limits:
            self.sent[contact] = list(crowd.sent_s)
        self.open += 1
        self.untried += crowd.number == 0
        return contact

    def _take(self, at_s: float) -> int | None:
        """Who is next: promises first, then by priority who is due; None wakes us when somebody is."""
        contact = self._first(self.promised, at_s)
        if contact is not None:
            return contact
        soonest = self.promised[0][0] if self.promised else float("inf")
        for lane in self.by_priority:
            if at_s >= lane.end_s:
                lane.begin_s, lane.end_s = self.rules.opens(lane.place, at_s)
            if lane.begin_s > at_s:
                continue  # its opening is an event
            contact = self._first(lane.due, at_s)
            if contact is not None:
                return contact
            if lane.due and lane.due[0][0] < soonest:
                soonest = lane.due[0][0]
        if soonest < self.wake_s:
            self.wake_s = soonest
            self._at(soonest, self._wakes, 0)
        return None

    def _first(self, due: list[tuple[float, int]], at_s: float) -> int | None:
        """The first of a queue that may be called now; those before it wait until they may."""
        while due and due[0][0] <= at_s:
            contact = heappop(due)[1]
            later_s = self._later(contact, at_s)
            if later_s <= at_s:
                return contact
            if later_s < float("inf"):
                heappush(due, (later_s, contact))
        return None

    def _later(self, contact: int, at_s: float) -> float:
        """When this contact may be called by window and legal counters; not later than now if it may be now."""
        lane = self.lane[contact]
        begin_s = self.rules.opens(lane.place, at_s)[0]
        sent = self.sent.get(contact)
        if sent:
            for count, period_s in lane.limits:
                if len(sent) >= count and sent[-count] + period_s > at_s:
                    begin_s = max(begin_s, sent[-count] + period_s)
        return begin_s

    def _nature(self, contact: int, at_s: float, number: int) -> Outcome:
        """How this attempt goes."""
        counted = min(self.counted[contact], len(self.rates.ends) - 1)
        hour = int((at_s + self.offset_s) % DAY_S // 3600) if self.rates.hour else 0
        sums = self.sums.get((counted, hour))
        if sums is None:
            ends = list(self.rates.ends[counted])
            ends[0] *= self.rates.hour.get(hour, 1.0)
            sums = self.sums[counted, hour] = list(accumulate(ends))
        place = bisect_right(sums, self._chance(contact, number, ENDS) * sums[-1])
        return NATURES[min(place, len(NATURES) - 1)]

    # What follows -----------------------------------------------------------------------

    def _again(self, contact: int, at_s: float, after: After) -> None:
        """When this contact is called again, if ever."""
        if after.counts:
            self.counted[contact] += 1
        if after.dead_phone:
            self.phones[contact] -= 1
        if after.closes or not self.phones[contact]:
            self._close(contact)
        else:
            self._due(contact, at_s + after.delay_s)

    def _due(self, contact: int, at_s: float) -> None:
        queue = self.promised if contact in self.is_promised else self.lane[contact].due
        heappush(queue, (at_s, contact))
        if self.ready and at_s < self.wake_s:
            self.wake_s = at_s
            self._at(at_s, self._wakes, 0)

    def _close(self, contact: int) -> None:
        self.open -= 1
        self.is_promised.discard(contact)

    # The legal count ------------------------------------------------------------------

    def _counts(self, *, lost: bool) -> None:
        if self.asked:
            return
        self.answered += 1
        self.abandoned += lost
        if self.pace.ahead:
            self.spare = self._spare()

    def _spare(self) -> int:
        """Lines beyond the free operators that the bound allows."""
        scale = self.scale
        present = replace(self.budget, answered=int(self.answered * scale), abandoned=round(self.abandoned * scale))
        return law.uncovered_max(present) // scale

    def _new_window(self, at_s: float) -> None:
        self.budget = law.present(self.budget, self.campaign, datetime.fromtimestamp(at_s, UTC))
        self.budget_ends_s = self.budget.ends_at.timestamp()
        self.answered = self.abandoned = 0
        self.spare = self._spare()
