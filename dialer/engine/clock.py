"""The two clocks of a real machine, and a time of day that nobody can set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dialer.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialer.engine.ports import Clock, Store

#: The clocks may differ by this much.
CLOCK_STEP_S = 2.0
#: By at most this much our time of day is corrected at a look, so that no deadline of 2 s can be missed by it.
SLEW_S = 0.02


class SystemClock:
    """Time of day from the system, elapsed time from CLOCK_BOOTTIME, which goes on while we are suspended."""

    def now(self) -> datetime:
        """Time of day, aware UTC."""
        return datetime.now(UTC)

    def boot_s(self) -> float:
        """Seconds since boot, suspended ones included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Time of day that only passes: the machine's when this was made, and elapsed time since then.

    Whoever sets the machine's clock does not move it; ``shift`` does, after a look at PostgreSQL's. So no call is
    placed, and no fact is dated, by a clock that jumped.
    """

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._since = machine.now()
        self._since_s = self._known_s = machine.boot_s()
        self._known = self._since
        self.boot_s = machine.boot_s
        """Seconds since boot, suspended ones included."""

    def now(self) -> datetime:
        """Time of day, aware UTC."""
        boot_s = self.boot_s()
        if boot_s != self._known_s:
            self._known_s, self._known = boot_s, self._since + timedelta(seconds=boot_s - self._since_s)
        return self._known

    def astray_s(self) -> float:
        """How far the machine's clock is ahead of this one."""
        return (self._machine.now() - self.now()).total_seconds()

    def shift(self, seconds: float) -> None:
        """Move on or back by so much."""
        self._since += timedelta(seconds=seconds)
        self._known_s = float("nan")  # nothing is known any more


class ClockWatch:
    """PostgreSQL's time of day is the one that counts: small differences are made good slowly, great ones at once.

    After a jump of ours one more look must agree before the next call; a jump of the machine's clock alone is looked
    into before the next call, and then changes nothing.

    Args:
        clock: Ours.
        store: PostgreSQL.
        alarm: Takes a word and what it is about.
        stepped: Takes by how much our time of day was just set.
    """

    def __init__(
        self,
        clock: SteadyClock,
        store: Store,
        alarm: Callable[[str, str], None],
        stepped: Callable[[timedelta], None],
    ) -> None:
        self._clock = clock
        self._store = store
        self._alarm = alarm
        self._stepped = stepped
        self._astray_s = 0.0
        self._wrong = True  # until PostgreSQL's was seen

    @property
    def in_doubt(self) -> bool:
        """Whether no call may start now because of the time of day."""
        return self._wrong or not -CLOCK_STEP_S <= self._clock.astray_s() - self._astray_s <= CLOCK_STEP_S

    async def compare(self) -> None:
        """Look once; a silent PostgreSQL changes nothing."""
        try:
            skew_s = await self._store.clock_skew_s()
        except StoreDown:
            return
        astray_s = self._clock.astray_s()
        off_s = skew_s + astray_s
        if abs(astray_s - self._astray_s) > CLOCK_STEP_S:
            self._alarm("clock_step", f"the machine's clock moved by {astray_s - self._astray_s:+.1f} s")
        self._wrong = abs(off_s) > CLOCK_STEP_S
        if self._wrong:
            self._alarm("clock_wrong", f"PostgreSQL's clock is {off_s:+.1f} s ahead of ours and is followed")
            self._clock.shift(off_s)
            self._stepped(timedelta(seconds=off_s))
        else:
            self._clock.shift(max(-SLEW_S, min(SLEW_S, off_s)))
        self._astray_s = self._clock.astray_s()
