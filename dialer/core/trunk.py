"""What a trunk allows: starts of calls one after the other, and a breaker for one that fails.

**Starts.** A trunk that allows r calls a second gets them 1/r seconds apart, whoever dials on it: not more than r in
a second (rounded up). It is a token bucket of one token, so a burst is spread and nothing saved up is spent at once.

**Breaker** (fault F25). Of the last 20 calls more than half failed by the trunk itself: it is off. Then one call in 30
seconds tries it; the first that the network takes (it rings, is busy, is refused by the callee) turns it on again.

                     more than half of 20 failed
           on ───────────────────────────────────> off ──┐ every 30 s one call tries;
            ^                                       │ <──┘ it fails
            └───────────────────────────────────────┘
                     a try came through
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core.model import Outcome

if TYPE_CHECKING:
    from dialer.core.model import Ended, LiveAttempt

#: The breaker looks at so many calls, and is off when more than this share of them failed.
CALLS, FAILED_MAX = 20, 0.5
#: A trunk that is off is tried this often.
PROBE_S = 30.0
#: SIP answers of the trunk itself to a call that never rang: it does not know us, forbids, or did not answer in time.
OF_THE_TRUNK = frozenset({401, 403, 407, 408})
#: Ends that say nothing about the trunk, unless it rang before.
_SILENT = frozenset({Outcome.NOT_SENT, Outcome.CANCELLED, Outcome.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Starts:
    """When the next call may start on a trunk, by a clock that only passes."""

    next_at_s: float = float("-inf")

    def room(self, now_s: float, rate: float, within_s: float) -> int:
        """How many calls may start from now until so many seconds later, at ``rate`` a second."""
        left_s = within_s - self.wait_s(now_s)
        return int(left_s * rate + 1e-9) + 1 if left_s >= 0 else 0

    def wait_s(self, now_s: float) -> float:
        """Seconds until the next call may start."""
        return max(0.0, self.next_at_s - now_s)

    def started(self, now_s: float, rate: float) -> Starts:
        """A call was started now."""
        return Starts(max(now_s, self.next_at_s) + 1 / rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Whether a trunk carries calls.

    Attributes:
        recent: For each of the last calls, oldest first, whether the trunk failed it.
        off_since: When it went off; None while it is on.
        probe_at: While it is off: when the next call may try it.
    """

    recent: tuple[bool, ...] = ()
    off_since: datetime | None = None
    probe_at: datetime | None = None

    @property
    def failures(self) -> int:
        """How many of the last calls failed."""
        return sum(self.recent)

    def room(self, now: datetime) -> int | None:
        """How many calls may start now: None for any number, 1 for a try, 0 while the last try is young."""
        if self.probe_at is None:
            return None
        return int(now >= self.probe_at)

    def sent(self, now: datetime) -> Breaker:
        """A call was started; while the trunk is off it is the try."""
        if self.off_since is None:
            return self
        return replace(self, probe_at=now + timedelta(seconds=PROBE_S))

    def rang(self, attempt: LiveAttempt) -> Breaker:
        """The network took this call: a try that rings turns the trunk on."""
        return Breaker() if self._is_try(attempt) else self

    def ended(self, ended: Ended, now: datetime) -> Breaker:
        """Learn from the end of a call; of a trunk that is off only tries count, the others were sent before."""
        failed = failed_by_trunk(ended.attempt, ended.outcome, ended.sip_code)
        if failed is None:
            return self
        if self.off_since is not None:
            return self if failed else self.rang(ended.attempt)
        recent = (*self.recent, failed)[-CALLS:]
        if len(recent) == CALLS and sum(recent) > FAILED_MAX * CALLS:
            return Breaker(recent=recent, off_since=now, probe_at=now + timedelta(seconds=PROBE_S))
        return Breaker(recent=recent)

    def _is_try(self, attempt: LiveAttempt) -> bool:
        return self.off_since is not None and attempt.sent_at >= self.off_since


def failed_by_trunk(attempt: LiveAttempt, outcome: Outcome, sip_code: int | None) -> bool | None:
    """Whether the trunk failed this call, so that the contact was never tried; None if the end does not tell.

    Args:
        attempt: As it was when it ended.
        outcome: How it ended.
        sip_code: The SIP answer, if there was one.
    """
    if attempt.rang_at is not None or attempt.answered_at is not None:
        return False
    if outcome in _SILENT:
        return None
    return outcome in {Outcome.CONGESTION, Outcome.FAILED} or sip_code in OF_THE_TRUNK
