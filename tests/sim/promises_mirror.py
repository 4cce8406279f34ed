"""Promises side by side in memory and on a real PostgreSQL: what the service does with them, and what the board says."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from unittest import mock

from dialer import profiles
from dialer.core import callbacks as rules
from dialer.core.model import CallbackState
from dialer.store import callbacks
from dialer.store.keeping import move_forbidden
from dialer.store.migrate import migrate
from dialer.store.pools import transaction
from dialer.store.server import OwnServer
from dialer.store.standing import whys
from tests.sim.day import morning
from tests.sim.mirror import MirroredTables
from tests.sim.month import Report, Shape, load, run
from tests.sim.promises import PromisedTables, T

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dialer.core.model import Profile
    from tests.sim.rows import Callback

ONE = "SELECT * FROM callback_shown WHERE id = $1"


class MirroredPromises(PromisedTables, MirroredTables):
    """``PromisedTables`` with PostgreSQL beside them."""

    def pass_on(self, now: datetime) -> int:
        found: int = self._both("pass_on", partial(super().pass_on, now), lambda: callbacks.pass_on(self._pool, now))
        return found

    def move_forbidden(self, now: datetime) -> int:
        found: int = self._both(
            "move_forbidden",
            partial(super().move_forbidden, now),
            lambda: transaction(self._pool, lambda connection: move_forbidden(connection, now)),
        )
        return found

    def shown(self, callback: Callback, stopped: str | None, now: datetime) -> tuple[str, str | None]:
        async def theirs() -> tuple[str, str | None]:
            row = await self._pool.fetchrow(ONE, callback.id)
            word = rules.shown(CallbackState(row["state"]), row["due_at"], now)
            late = word in {"due", "late"}
            return word, (await whys(self._pool, [row], stopped, now))[callback.id] if late else None

        found: tuple[str, str | None] = self._both("shown", partial(super().shown, callback, stopped, now), theirs)
        return found

    def _of_near(self, now: datetime, reads: Callable[[], T]) -> T:  # PostgreSQL looks at all of them
        return reads()

    def profile(self, profile_id: str, *_: object) -> Profile:
        """The rules of that name as they are now."""
        return next(c.profile for c in self.campaigns.values() if c.profile.id == profile_id)


def live(seed: int, shape: Shape) -> tuple[Report, list[str]]:
    """Live through some days on both; the report, and what the tables hold differently at the end."""

    async def beside(data_dir: Path) -> tuple[Report, list[str]]:
        async with OwnServer(data_dir) as url:
            return await asyncio.to_thread(_live, seed, shape, url)

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may be another user
        return asyncio.run(beside(Path(folder) / "pg"))


def _live(seed: int, shape: Shape, url: str) -> tuple[Report, list[str]]:
    migrate(url)
    loop, differences = morning(seed), list[str]()
    tables = MirroredPromises(loop, url)
    tables.at_once = 0.0  # real sockets need a turn of the loop of their own
    load(shape, tables, Random(f"base of {seed}"), shape.sessions[0].begins_at)

    def evening() -> None:
        differences.extend(tables.differences())
        tables.close()

    with mock.patch.object(profiles, "load", tables.profile):
        tables.copy(shape.operators)
        return run(seed, shape, loop=loop, tables=tables, evening=evening), differences
