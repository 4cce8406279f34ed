"""Our dialer in the benchmark's world: ``dialer/core/pacing`` and ``dialer/core/budget`` themselves, no copy.

What the engine does around them is done here: it tells what happened, asks at each change and, while nothing happens,
when the last decision no longer stands, keeps the abandonment count of the legal window, and lets an operator leave
only when the bound holds without him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from dialer.core import budget as law
from dialer.core import pacing
from dialer.core.model import Budget, Mode
from scripts.benches.pace.day import Day, Dialer
from scripts.benches.pace.world import RING_TIMEOUT_S

_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_PLENTY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds a campaign besides the budget; in the benchmark's world nothing does."""

    ring_timeout_s: int = int(RING_TIMEOUT_S)
    lines_per_operator: float = _PLENTY
    lines: int = _PLENTY


@dataclass(slots=True)
class Window:
    """The abandonment count of a legal window, and the worst share it ever showed."""

    answered: int = 0
    abandoned: int = 0
    cap_permille: int = 30
    worst: float = 0.0

    def budget(self) -> Budget:
        """As the product's own type."""
        return Budget(
            campaign_id=1,
            starts_at=_WHEN,
            ends_at=_WHEN,
            answered=self.answered,
            abandoned=self.abandoned,
            uncovered=0,
            cap_permille=self.cap_permille,
        )

    def connect(self) -> None:
        """Somebody who answered has an operator: from now on the answer counts, until then the line does."""
        self.answered += 1

    def lose(self) -> None:
        """Somebody who answered had nobody."""
        self.answered += 1
        self.abandoned += 1
        self.worst = max(self.worst, self.abandoned / self.answered)


class Ours(Dialer):
    """The product's pacing; what it has learned and the window may outlive a day."""

    def __init__(self, window: Window, limits: Limits | None = None) -> None:
        self.window = window
        self.mode = Mode.PREDICTIVE
        self.probable = False
        self._limits = limits or Limits()
        self.learner = pacing.Learner()
        self._rang_s: dict[int, float] = {}
        self._sent_s: dict[int, float] = {}
        self._begun_s = 0.0
        self._heard = 0
        self._decided_at = (-1, -1)
        self._stands_until_s = 0.0

    def calls(self, day: Day) -> int:
        """As the engine asks: a decision whose calls are placed stands for a while, unless something happens."""
        at = (self._heard, len(day.ready))
        if at == self._decided_at and day.now_s < self._stands_until_s:
            return 0
        decision = pacing.decide(*self.asked(day))
        self._decided_at, self._stands_until_s = at, day.now_s + (decision.stands_s if decision.ages else inf)
        return decision.calls

    def asked(self, day: Day) -> tuple[pacing.Snapshot, pacing.Learned, pacing.Policy]:
        """What ``decide`` is asked with at this moment."""
        now_s = day.now_s
        budget = self.window.budget()
        talking_s = [now_s - at for at in day.talking.values()]
        wrap_up_s = [now_s - at for at in day.wrapping_up.values()]
        snapshot = pacing.Snapshot(
            ready=len(day.ready),
            talking_s=talking_s,
            wrap_up_s=wrap_up_s,
            setting_up_s=[now_s - at for at in day.setting_up.values()],
            ringing_s=[now_s - at for at in day.ringing.values()],
            waiting=len(day.waiting),
        )
        policy = pacing.Policy(
            mode=self.mode,
            ring_timeout_s=self._limits.ring_timeout_s,
            max_lines_per_operator=self._limits.lines_per_operator,
            room_budget=self._room(budget, snapshot, now_s),
            room_trunk=max(0, self._limits.lines - snapshot.lines),
            room_starts=_PLENTY,
            budget=budget,
        )
        learned = self.learner.learned(
            self._at(now_s), cap=budget.cap_permille / 1000, talking_s=talking_s, wrap_up_s=wrap_up_s
        )
        return snapshot, learned, policy

    def _room(self, budget: Budget, snapshot: pacing.Snapshot, now_s: float) -> int:
        """As the engine asks for it, in the budget's mode ``strict`` or ``probable``."""
        share = self.learner.answer
        chance = law.chance_at_most(share.value, share.n_at(self._at(now_s))) if self.probable else 1.0
        lines, free, waiting = snapshot.lines, snapshot.ready, snapshot.waiting
        self.learner.looked(max(0, lines - law.covering(in_flight=lines, free=free, answered=waiting, chance=chance)))
        return law.room(budget, in_flight=lines, free=free, answered=waiting, chance=chance)

    def may_leave(self, day: Day) -> bool:
        in_flight = day.in_flight + len(day.waiting)
        return law.may_leave(self.window.budget(), in_flight=in_flight, free=len(day.ready))

    def begin(self, day: Day) -> None:
        self._sent_s.clear()
        self._rang_s.clear()
        self._decided_at = (-1, -1)
        self._begun_s += 24 * 3600.0

    def sent(self, call: int, now_s: float) -> None:
        self._sent_s[call] = now_s

    def rang(self, call: int, now_s: float) -> None:
        self._heard += 1
        self._rang_s[call] = now_s
        self.learner.rang(now_s - self._sent_s.pop(call))

    def answered(self, call: int, now_s: float) -> None:
        self._heard += 1
        self.learner.answered(self._at(now_s), now_s - self._rang_s.pop(call))

    def ended(self, call: int, now_s: float, outcome: str) -> None:
        self._heard += 1
        rang = self._rang_s.pop(call, None) is not None
        self._sent_s.pop(call, None)
        self.learner.not_answered(self._at(now_s), rang=rang)

    def connected(self, call: int, operator: int, now_s: float) -> None:
        self._heard += 1
        self.window.connect()
        self._count(now_s, abandoned=False)

    def talk_ended(self, operator: int, talk_s: float, now_s: float) -> None:
        self._heard += 1
        self.learner.talked(talk_s)

    def wrap_up_ended(self, operator: int, wrap_up_s: float, now_s: float) -> None:
        self._heard += 1
        self.learner.wrapped_up(wrap_up_s)

    def abandoned(self, call: int, now_s: float) -> None:
        self._heard += 1
        self.window.lose()
        self._count(now_s, abandoned=True)

    def _count(self, now_s: float, *, abandoned: bool) -> None:
        window = self.window
        cap = window.cap_permille / 1000
        of = (window.answered, window.abandoned)
        self.learner.counted(self._at(now_s), abandoned=abandoned, cap=cap, of=of)

    def _at(self, now_s: float) -> float:
        """Seconds of a clock that goes on over the days."""
        return self._begun_s + now_s
