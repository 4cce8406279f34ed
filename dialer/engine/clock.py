"""The two clocks of a real machine, and a time of day that nobody can set."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.engine.ports import Clock


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

    def now(self) -> datetime:
        """Time of day, aware UTC."""
        boot_s = self._machine.boot_s()
        if boot_s != self._known_s:
            self._known_s, self._known = boot_s, self._since + timedelta(seconds=boot_s - self._since_s)
        return self._known

    def boot_s(self) -> float:
        """Seconds since boot, suspended ones included."""
        return self._machine.boot_s()

    def astray_s(self) -> float:
        """How far the machine's clock is ahead of this one."""
        return (self._machine.now() - self.now()).total_seconds()

    def shift(self, seconds: float) -> None:
        """Move on or back by so much."""
        self._since += timedelta(seconds=seconds)
        self._known_s = float("nan")  # nothing is known any more
