"""Why a campaign dialled as it did: each decision of the last hour in memory, each minute for the database."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.core import replay
from dialer.core.pacing import Decision
from dialer.engine.ports import Explanation, PacingMinute

#: Decisions are kept for this long, and not more of them; those that say the same are one entry.
KEPT, KEPT_MAX = timedelta(hours=1), 20_000
MINUTE = timedelta(minutes=1)
#: A decision about more than this is kept as its sentence, a smaller one makes it when somebody reads it.
SMALL = 50
#: The board shows so many changes of the limiting rule, of this time.
CHANGES_MAX, CHANGES_S = 5, 600.0
#: Minutes wait for the database at most so many.
WAITING_MAX = 120


@dataclass(slots=True)
class _Entry:
    at: datetime
    until: datetime
    reason: str
    target: int
    said: Decision | Mapping[str, str]
    calls: int = 0
    decisions: int = 0

    def explanation(self) -> Explanation:
        sentence = self.said.sentence if isinstance(self.said, Decision) else self.said
        return Explanation(
            at=self.at,
            until=self.until,
            reason=self.reason,
            sentence=sentence,
            calls=self.calls,
            decisions=self.decisions,
        )


class Explanations:
    """Of one campaign."""

    def __init__(self, campaign_id: int) -> None:
        self._campaign_id = campaign_id
        self._recent: deque[_Entry] = deque(maxlen=KEPT_MAX)
        self._minute: datetime | None = None
        self._last: tuple[datetime, Decision] | None = None
        self._reasons: Counter[str] = Counter()
        self._placed = 0
        self._over: deque[PacingMinute] = deque(maxlen=WAITING_MAX)

    def note(self, decision: Decision, at: datetime) -> None:
        """A decision was made."""
        self._turn(at)
        if self._minute is None:
            self._minute = at.replace(second=0, microsecond=0)
        self._last = (at, decision)
        self._reasons[decision.reason] += 1
        self._placed += decision.calls
        last = self._recent[-1] if self._recent else None
        if last is None or last.target != decision.target or last.reason != decision.reason:
            snapshot = decision.of[0]
            said = decision if snapshot.lines + snapshot.operators <= SMALL else decision.sentence
            last = _Entry(at, at, decision.reason, decision.target, said)
            self._recent.append(last)
        last.until, last.calls, last.decisions = at, last.calls + decision.calls, last.decisions + 1
        oldest = at - KEPT
        while self._recent[0].until < oldest:
            self._recent.popleft()

    def take(self, now: datetime) -> list[PacingMinute]:
        """The minutes that are over and were not taken yet."""
        self._turn(now)
        over = list(self._over)
        self._over.clear()
        return over

    def give_back(self, minutes: Sequence[PacingMinute]) -> None:
        """The database did not take them."""
        self._over.extendleft(reversed(minutes))

    def recent(self, most: int = KEPT_MAX) -> list[Explanation]:
        """What was decided in the last hour, the newest first."""
        newest = list(self._recent)[-most:]
        return [entry.explanation() for entry in reversed(newest)]

    def changes(self, now: datetime) -> list[Explanation]:
        """The last changes of the limiting rule, the newest first: a short list for the board."""
        found: list[_Entry] = []
        for entry in reversed(self._recent):
            if now - entry.until > timedelta(seconds=CHANGES_S) or len(found) > CHANGES_MAX:
                break
            if found and found[-1].reason == entry.reason:
                found[-1] = entry
            else:
                found.append(entry)
        return [entry.explanation() for entry in found[:CHANGES_MAX]]

    def _turn(self, now: datetime) -> None:
        """Close the minute if it is over."""
        if self._minute is None or self._last is None or self._minute <= now < self._minute + MINUTE:
            return
        at, decision = self._last
        self._over.append(
            PacingMinute(
                campaign_id=self._campaign_id,
                minute=self._minute,
                decided_at=at,
                calls=decision.calls,
                target=decision.target,
                reason=decision.reason,
                sentence=decision.sentence,
                inputs=replay.inputs(decision),
                decisions=self._reasons.total(),
                placed=self._placed,
                reasons=dict(self._reasons),
            )
        )
        self._minute = self._last = None
        self._reasons, self._placed = Counter(), 0
