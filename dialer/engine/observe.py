"""What an engine sees of a campaign, told to its learner as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from dialer.core.model import Budget, Ended, LiveAttempt, OperatorInterval, OperatorState, Outcome
from dialer.core.pacing import Learned, Learner

#: Attempts and talks that what the database remembers is worth at the most.
MEMORY = 250.0
#: Outcomes that say nothing about whether people answer.
NO_WORD = frozenset({Outcome.NOT_SENT, Outcome.FAILED, Outcome.CONGESTION, Outcome.CANCELLED, Outcome.UNKNOWN})


class Observations:
    """The learner of one campaign, and which steps of the attempts in flight it was told of.

    An answer is told when it comes and not when the talk ends: else those who answer would be heard of later than
    those who do not, and the beginning of each day would look worse than it is.
    """

    def __init__(self) -> None:
        self.learner = Learner()
        self._told: dict[UUID, set[str]] = {}
        self._looked: dict[UUID, LiveAttempt] = {}
        self._caution = 1.0

    def start(self, learned: Mapping[str, float]) -> None:
        """Begin with what the database remembers: means and their counts ``n_…``."""

        def count(key: str) -> float:
            return min(learned.get(f"n_{key}", 0.0) or 0.0, MEMORY)

        answer = self.learner.answer
        answer.value, answer.n = learned.get("answer_rate", 0.0) or 0.0, count("answer_rate")
        for key, hazard in (("talk_s", self.learner.talk), ("wrap_up_s", self.learner.wrap_up)):
            if count(key):
                hazard.believe(learned[key], count(key))

    def look(
        self, attempts: Iterable[LiveAttempt], budget: Budget, caution: float = 1.0, uncovered: int | None = None
    ) -> None:
        """Learn from the steps of attempts that are still going on, under the caution that holds now.

        Args:
            attempts: The campaign's.
            budget: Of the present legal window.
            caution: As ``Policy``.
            uncovered: Lines in flight that the budget counts as lost; None if nobody counted.
        """
        self._caution = caution
        if uncovered is not None:
            self.learner.looked(uncovered)
        for attempt in attempts:
            if attempt.rang_at is not None and self._looked.get(attempt.id) is not attempt:
                self._looked[attempt.id] = attempt
                self._steps(attempt, budget)

    def attempt(self, ended: Ended, budget: Budget | None) -> None:
        """Learn from the end of an attempt."""
        attempt = ended.attempt
        told = self._told.get(attempt.id, set())
        if budget is not None and attempt.rang_at is not None:
            self._steps(attempt, budget)
        if budget is not None and ended.legal_answered and "counted" not in told:
            self._count(ended.ended_at, budget, abandoned=ended.legal_abandoned)
        if attempt.answered_at is not None and attempt.waiting_at is None:
            self.learner.pressed(ended.ended_at.timestamp(), None)
        if attempt.answered_at is None and ended.outcome not in NO_WORD:
            self.learner.not_answered(ended.ended_at.timestamp(), rang=attempt.rang_at is not None)
        self._told.pop(attempt.id, None)
        self._looked.pop(attempt.id, None)

    def interval(self, interval: OperatorInterval) -> None:
        """Learn from a closed stretch of a shift."""
        lasted_s = (interval.ended_at - interval.started_at).total_seconds()
        if interval.state is OperatorState.TALKING:
            self.learner.talked(lasted_s)
        elif interval.state is OperatorState.WRAP_UP:
            self.learner.wrapped_up(lasted_s)

    def learned(self, now: datetime, budget: Budget, talking_s: list[float], wrap_up_s: list[float]) -> Learned:
        """As pacing wants it."""
        cap = budget.cap_permille / 1000
        return self.learner.learned(now.timestamp(), cap=cap, talking_s=talking_s, wrap_up_s=wrap_up_s)

    def _steps(self, attempt: LiveAttempt, budget: Budget) -> None:
        told = self._told.setdefault(attempt.id, set())
        rang_at, answered_at = attempt.rang_at, attempt.answered_at
        if answered_at is not None and "answered" not in told:
            # An answer without a ring before it has the same time twice: the trunk does not tell of ringing.
            rang = rang_at is not None and rang_at < answered_at
            since = rang_at if rang and rang_at is not None else attempt.sent_at
            self.learner.answered(answered_at.timestamp(), (answered_at - since).total_seconds(), rang=rang)
            told.add("answered")
            if not rang:
                told.add("rang")
        if rang_at is not None and "rang" not in told:
            self.learner.rang((rang_at - attempt.sent_at).total_seconds())
            told.add("rang")
        if answered_at is not None and attempt.waiting_at is not None and "pressed" not in told:
            offer_s = (attempt.waiting_at - answered_at).total_seconds()
            self.learner.pressed(attempt.waiting_at.timestamp(), offer_s)
            told.add("pressed")
        if attempt.connected_at is not None and "counted" not in told:
            self._count(attempt.connected_at, budget, abandoned=False)
            told.add("counted")

    def _count(self, at: datetime, budget: Budget, *, abandoned: bool) -> None:
        self.learner.counted(
            at.timestamp(),
            abandoned=abandoned,
            cap=budget.cap_permille / 1000,
            of=(budget.answered, budget.abandoned),
            left_s=(budget.ends_at - at).total_seconds(),
            caution=self._caution,
        )
