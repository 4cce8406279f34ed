"""The trunks of one engine as all campaigns on them share them: when the next call may start, and whether they work."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from dialer.core.trunk import Breaker, Starts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dialer.core.model import Campaign, Ended, LiveAttempt, Trunk
    from dialer.engine.ports import Clock

log = structlog.get_logger(__name__)

#: So many calls are claimed ahead as the trunk lets start within this; they start one after the other.
SPREAD_S = 0.5
#: More are claimed when the last of those claimed starts within this: a claim takes a while, and the trunk goes on.
AHEAD_S = 0.3


@dataclass(slots=True)
class Line:
    """One trunk."""

    starts: Starts = field(default_factory=Starts)
    breaker: Breaker = field(default_factory=Breaker)


class Trunks:
    """All of them, by id.

    Args:
        clock: Both clocks.
        alarm: Tells people: a stable word and the facts.
    """

    def __init__(self, clock: Clock, alarm: Callable[[str, str], None]) -> None:
        self._clock = clock
        self._alarm = alarm
        self._lines: defaultdict[int, Line] = defaultdict(Line)

    def of(self, campaign: Campaign) -> Line:
        """The trunk of a campaign."""
        return self._lines[campaign.trunk.id]

    def starts(self, campaign: Campaign) -> int:
        """Calls that may start on its trunk now and while they are being written; one now and then if it is off."""
        line, now_s = self.of(campaign), self._clock.boot_s()
        enough = line.starts.next_at_s - now_s > AHEAD_S
        room = 0 if enough else line.starts.room(now_s, campaign.trunk.calls_per_s, SPREAD_S)
        if line.breaker.probe_at is None:
            return room
        tries = line.breaker.room(self._clock.now())
        return room if tries is None else min(room, tries)

    def judge(self, campaign: Campaign, ended: Ended) -> None:
        """Learn from an end whether its trunk works; say it when it is off, and when it is on again."""
        line = self.of(campaign)
        before, line.breaker = line.breaker, line.breaker.ended(ended, self._clock.now())
        self._say(campaign.trunk, before, line.breaker)

    def heed(self, campaign: Campaign, attempts: Iterable[LiveAttempt]) -> None:
        """A try that rings turns its trunk on before it ends."""
        line = self.of(campaign)
        if line.breaker.off_since is None:
            return
        before = line.breaker
        for attempt in attempts:
            if attempt.rang_at is not None:
                line.breaker = line.breaker.rang(attempt)
        self._say(campaign.trunk, before, line.breaker)

    def _say(self, trunk: Trunk, before: Breaker, now: Breaker) -> None:
        if (before.off_since is None) is (now.off_since is None):
            return
        if now.off_since is not None:
            log.error("trunk.off", trunk=trunk.name, failures=now.failures, calls=len(now.recent))
            self._alarm("trunk_off", f"{trunk.name}: {now.failures}/{len(now.recent)}")
        else:
            log.info("trunk.on", trunk=trunk.name)
            self._alarm("trunk_on", trunk.name)
