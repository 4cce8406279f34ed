"""How long the switch took to answer lately: what tells a slow one."""

from __future__ import annotations

from collections import deque
from typing import Final

#: So many answers are kept, and those of this long count.
KEPT: Final = 512
FRESH_S: Final = 30.0


class Acks:
    """Answers to actions: when, and how long each took, in seconds of one clock."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self._p95 = 0.0
        self._until = float("-inf")

    def add(self, now: float, took_s: float) -> None:
        """An action was answered now."""
        self._answers.append((now, took_s))
        self._until = float("-inf")

    def p95_s(self, now: float) -> float:
        """The 95th percentile of the last 30 s, in seconds; 0 if unknown.

        It is asked for at each decision: so it is kept until there is a new answer, or the oldest one is too old.
        """
        if now > self._until:
            fresh = self._answers
            while fresh and fresh[0][0] + FRESH_S < now:
                fresh.popleft()
            took = sorted(took_s for _, took_s in fresh)
            self._p95 = took[len(took) * 95 // 100] if took else 0.0
            self._until = fresh[0][0] + FRESH_S if fresh else float("inf")
        return self._p95
