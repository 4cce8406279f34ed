"""The two clocks of a real machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Time of day from the system, elapsed time from CLOCK_BOOTTIME, which goes on while we are suspended."""

    def now(self) -> datetime:
        """Time of day, aware UTC."""
        return datetime.now(UTC)

    def boot_s(self) -> float:
        """Seconds since boot, suspended ones included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)
