"""What an engine has seen of a campaign lately, for pacing: averages that forget, started from the database."""

from __future__ import annotations

from collections.abc import Mapping

from dialer.core.model import Ended, OperatorInterval, OperatorState, Outcome
from dialer.core.pacing import Learned

#: Attempts and talks after which an old observation weighs 1/e.
MEMORY = 250.0
#: Outcomes that say nothing about whether people answer.
NO_WORD = frozenset({Outcome.NOT_SENT, Outcome.FAILED, Outcome.CONGESTION, Outcome.CANCELLED, Outcome.UNKNOWN})


class Mean:
    """A mean with forgetting: a plain mean at first, exponential with weight 1/MEMORY later."""

    def __init__(self) -> None:
        self.value = 0.0
        self.n = 0.0

    def add(self, value: float) -> None:
        """Take one observation."""
        self.n = min(self.n + 1.0, MEMORY)
        self.value += (value - self.value) / self.n


class Observations:
    """Answer rate, ring, talk and wrap-up times of one campaign, and who presses the key in an offer."""

    def __init__(self) -> None:
        self._means = {key: Mean() for key in ("answer_rate", "ring_s", "talk_s", "wrap_up_s", "key_rate")}
        self._learned: Learned | None = None

    def start(self, learned: Mapping[str, float]) -> None:
        """Begin with what the database remembers: means and their counts ``n_…``."""
        self._learned = None
        for key, mean in self._means.items():
            mean.value = learned.get(key, 0.0)
            mean.n = min(learned.get(f"n_{key}", 0.0), MEMORY)

    def attempt(self, ended: Ended) -> None:
        """Learn from the end of an attempt."""
        if ended.outcome in NO_WORD:
            return
        self._learned = None
        attempt = ended.attempt
        self._means["answer_rate"].add(float(attempt.answered_at is not None))
        if attempt.answered_at is not None:
            self._means["ring_s"].add((attempt.answered_at - attempt.sent_at).total_seconds())
            self._means["key_rate"].add(float(attempt.waiting_at is not None))

    def interval(self, interval: OperatorInterval) -> None:
        """Learn from a closed stretch of a shift."""
        self._learned = None
        key = {OperatorState.TALKING: "talk_s", OperatorState.WRAP_UP: "wrap_up_s"}.get(interval.state)
        if key is not None:
            self._means[key].add((interval.ended_at - interval.started_at).total_seconds())

    def learned(self) -> Learned:
        """As pacing wants it."""
        if self._learned is not None:
            return self._learned
        m = self._means
        self._learned = Learned(
            answer_rate=m["answer_rate"].value,
            ring_s=m["ring_s"].value,
            talk_s=m["talk_s"].value,
            wrap_up_s=m["wrap_up_s"].value,
            n_answer=int(m["answer_rate"].n),
            n_talk=int(m["talk_s"].n),
            key_rate=m["key_rate"].value,
            n_key=int(m["key_rate"].n),
        )
        return self._learned
