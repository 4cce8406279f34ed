"""What the live board shows beside the engine's own state."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from dialer.core.callbacks import LATE_AFTER_S
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool

SQL = queries("board")

#: How many minutes a campaign's line of the last hour has.
MINUTES = 60
#: A promise this near is due.
SOON = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """Calls by minute, the oldest first; ``MINUTES`` of each."""

    connected: Sequence[int]
    abandoned: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Contacts that may still be called, how many were closed in the last hour, and over how many seconds of it."""

    left: int
    closed: int
    over_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """Callbacks due within ``SOON``, late ones, and urgent ones: to people who called back and found nobody."""

    due: int
    late: int
    urgent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkLoad:
    """A line to a carrier with its limits and what it carries."""

    name: str
    kind: str
    max_channels: int
    calls_per_s: float
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """How a campaign is steered, and who changed it last (empty: the command line)."""

    campaign_id: int
    team_id: int
    customer_id: int
    cap_permille: int
    target_permille: int | None
    caution: float
    max_lines_per_operator: float
    budget_mode: str
    changed_at: datetime | None
    changed_action: str | None
    changed_by: str


class Boards:
    """Read for all boards together, every few seconds."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hours(self, now: datetime) -> Mapping[int, Hour]:
        """The last hour of each campaign in which something ended."""
        last = now.astimezone(UTC).replace(second=0, microsecond=0)
        since = last - timedelta(minutes=MINUTES - 1)
        connected: defaultdict[int, list[int]] = defaultdict(lambda: [0] * MINUTES)
        abandoned: defaultdict[int, list[int]] = defaultdict(lambda: [0] * MINUTES)
        with store_errors():
            rows = await SQL["board_minutes"].fetch(self._pool, since=since)
        for row in rows:
            place = int((row["minute"] - since).total_seconds() // 60)
            if place < MINUTES:
                connected[row["campaign_id"]][place] = row["connected"]
                abandoned[row["campaign_id"]][place] = row["abandoned"]
        return {id_: Hour(connected=connected[id_], abandoned=abandoned[id_]) for id_ in connected}

    async def left(self, now: datetime) -> Mapping[int, Left]:
        """What is left of the bases of each campaign that runs or is paused. Counts whole bases: ask rarely."""
        with store_errors():
            rows = await SQL["board_left"].fetch(self._pool, now=now, since=now - timedelta(hours=1))
        return {row["campaign_id"]: Left(**{name: row[name] for name in ("left", "closed", "over_s")}) for row in rows}

    async def promises(self, now: datetime) -> Mapping[int, Promises]:
        """Callbacks by campaign."""
        with store_errors():
            rows = await SQL["board_callbacks"].fetch(
                self._pool, now=now, soon=now + SOON, late=now - timedelta(seconds=LATE_AFTER_S)
            )
        return {row["campaign_id"]: Promises(due=row["due"], late=row["late"], urgent=row["urgent"]) for row in rows}

    async def trunks(self) -> Sequence[TrunkLoad]:
        """All trunks."""
        with store_errors():
            return [TrunkLoad(**row) for row in await SQL["board_trunks"].fetch(self._pool)]

    async def crew(self) -> Mapping[int, int]:
        """Team of each operator on shift."""
        with store_errors():
            return {row["operator_id"]: row["team_id"] for row in await SQL["board_crew"].fetch(self._pool)}

    async def steering(self) -> Mapping[int, Steering]:
        """Campaigns that are no drafts."""
        with store_errors():
            return {row["campaign_id"]: Steering(**row) for row in await SQL["board_settings"].fetch(self._pool)}
