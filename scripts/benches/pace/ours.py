"""Our dialer in the benchmark's world: ``dialer/core/pacing`` and ``dialer/core/budget`` themselves, no copy.

What the engine does around them is done here: it tells what happened, asks every half second and at operator events,
keeps the abandonment count of the legal window, and lets an operator leave only when the bound holds without him.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from dialer.core import budget as law
from dialer.core import pacing
from dialer.core.model import Budget, Mode
from dialer.engine.observe import Mean
from scripts.benches.pace.day import Day, Dialer
from scripts.benches.pace.world import RING_TIMEOUT_S

_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
#: Trunk, starts and lines per operator are no limits in this world.
_PLENTY = 10_000


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

    def lose(self) -> None:
        """One abandoned call more."""
        self.abandoned += 1
        self.worst = max(self.worst, self.abandoned / self.answered)


class Ours(Dialer):
    """The product's pacing; what it has learned and the window may outlive a day."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self._means = {key: Mean() for key in ("answer_rate", "ring_s", "talk_s", "wrap_up_s")}
        self._sent_s: dict[int, float] = {}

    def calls(self, day: Day) -> int:
        now_s = day.now_s
        in_flight = [*(now_s - at for at in day.sent_s.values()), *(now_s - at for at in day.setting_up.values())]
        budget = self.window.budget()
        snapshot = pacing.Snapshot(
            ready=len(day.ready),
            talking_s=[now_s - at for at in day.talking.values()],
            wrap_up_s=[now_s - at for at in day.wrapping_up.values()],
            in_flight_s=in_flight,
            waiting=len(day.waiting),
        )
        policy = pacing.Policy(
            mode=Mode.PREDICTIVE,
            ring_timeout_s=int(RING_TIMEOUT_S),
            max_lines_per_operator=_PLENTY,
            room_budget=law.room(budget, in_flight=len(in_flight) + len(day.waiting), free=len(day.ready)),
            room_trunk=_PLENTY,
            room_starts=_PLENTY,
            budget=budget,
        )
        return pacing.decide(snapshot, self._learned(), policy).calls

    def may_leave(self, day: Day) -> bool:
        in_flight = day.in_flight + len(day.waiting)
        return law.may_leave(self.window.budget(), in_flight=in_flight, free=len(day.ready))

    def begin(self, day: Day) -> None:
        self._sent_s.clear()

    def sent(self, call: int, now_s: float) -> None:
        self._sent_s[call] = now_s

    def answered(self, call: int, now_s: float) -> None:
        self.window.answered += 1
        self._means["answer_rate"].add(1.0)
        self._means["ring_s"].add(now_s - self._sent_s.pop(call))

    def ended(self, call: int, now_s: float, outcome: str) -> None:
        del self._sent_s[call]
        if outcome != "failed":
            self._means["answer_rate"].add(0.0)

    def talk_ended(self, operator: int, talk_s: float, now_s: float) -> None:
        self._means["talk_s"].add(talk_s)

    def wrap_up_ended(self, operator: int, wrap_up_s: float, now_s: float) -> None:
        self._means["wrap_up_s"].add(wrap_up_s)

    def abandoned(self, call: int, now_s: float) -> None:
        self.window.lose()

    def _learned(self) -> pacing.Learned:
        mean = self._means
        return pacing.Learned(
            answer_rate=mean["answer_rate"].value,
            ring_s=mean["ring_s"].value,
            talk_s=mean["talk_s"].value,
            wrap_up_s=mean["wrap_up_s"].value,
            n_answer=int(mean["answer_rate"].n),
            n_talk=int(mean["talk_s"].n),
        )
