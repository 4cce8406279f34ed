"""What a look at the whole installation asks of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer import profiles
from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.profiles import Packaged
    from dialer.store.pools import Pool

SQL = queries("doctor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What was found.

    Attributes:
        version: Of PostgreSQL.
        bytes: Size of the database.
        now: The database's time.
        without_factor: People who steer and log in with a password alone.
        admins: How many there are.
        profiles: Those by which campaigns are dialled.
    """

    version: str
    bytes: int
    now: datetime
    without_factor: int
    admins: int
    profiles: Sequence[Packaged]


class Checkups:
    """Looks at the database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self) -> Checkup:
        """What is there now.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        with store_errors():
            row = await SQL["doctor_database"].fetchrow(self._pool)
            assert row is not None  # noqa: S101 - a SELECT of values
            used = await SQL["doctor_profiles"].fetch(self._pool)
            return Checkup(
                **row,
                without_factor=await SQL["doctor_second_factors"].fetchval(self._pool),
                admins=await SQL["doctor_admins"].fetchval(self._pool),
                profiles=[profiles.packaged(one["profile"]) for one in used],
            )
