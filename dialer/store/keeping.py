"""What the service does with promises by itself: hands them over, moves them, reminds, and notes why they are late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core import callbacks as promises
from dialer.store.callbacks import SERVICE, changed, pass_on
from dialer.store.pools import transaction
from dialer.store.queries import queries
from dialer.store.standing import Rules, whys

if TYPE_CHECKING:
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("callback")

#: Promises whose time the rules came to forbid are moved when they come due within this: early enough to tell people.
NOTICE = timedelta(hours=24)
#: So often they are looked through.
MOVES_EVERY = timedelta(minutes=1)
#: Receivers are told so long before a promise comes due.
REMIND = timedelta(minutes=15)


class Keeper:
    """Looks after the promises of one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._moved_at: datetime | None = None

    async def settle(self, now: datetime, stopped: str | None) -> int:
        """Look once; how many promises may now be kept by others, or at another time.

        Args:
            now: Present time, aware.
            stopped: Why nothing is dialled at all, the engine's word; None while it dials.
        """
        settled = await pass_on(self._pool, now)
        if self._moved_at is None or not timedelta() <= now - self._moved_at < MOVES_EVERY:
            settled += await transaction(self._pool, lambda connection: move_forbidden(connection, now))
            self._moved_at = now
        await transaction(self._pool, lambda connection: _tell(connection, now, stopped))
        return settled


async def move_forbidden(connection: Connection, now: datetime) -> int:
    """Move promises to the next time the rules allow, where they forbid the promised one by now; how many."""
    rules, moved = Rules(connection), 0
    for row in await SQL["callback_near"].fetch(connection, since=now - NOTICE, until=now + NOTICE):
        campaign = await rules.of(row["campaign_id"], row["countries"])
        if campaign is None:
            continue
        due_at = promises.moved_to(row["due_at"], row["zones"], campaign.profile, campaign.ring_timeout_s)
        known = {"id": row["id"], "due_before": row["due_at"]}
        if due_at is not None and await SQL["callback_move"].execute(connection, **known, due_at=due_at):
            await changed(connection, row, "moved", "outside_window", SERVICE, now)
            moved += 1
    return moved


async def _tell(connection: Connection, now: datetime, stopped: str | None) -> None:
    """Remind of promises that are near, and write down why others are late: both are told to whoever listens."""
    await SQL["callback_remind"].execute(connection, now=now, until=now + REMIND)
    late = now - timedelta(seconds=promises.LATE_AFTER_S)
    found = await whys(connection, await SQL["callback_newly_late"].fetch(connection, late=late), stopped, now)
    for callback_id, why in found.items():
        await SQL["callback_note_late"].execute(connection, id=callback_id, now=now, why=why)
