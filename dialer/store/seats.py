"""Who has which seat of the pool. The secrets of seats are not in PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.errors import NotFound, Refused
from dialer.seats import WEB
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("seat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A seat somebody has; ``desk``: and its desk phone's secret was shown."""

    name: str
    login: str
    given_at: datetime
    desk: bool


class Seats:
    """Gives seats and takes them back."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def give(self, user_id: int, *, switch: str, pool: Sequence[str]) -> str:
        """The seat this user has, or a free one; asking again gives the same.

        Args:
            user_id: An operator.
            switch: Whose pool it is.
            pool: Names of all its seats.

        Raises:
            Refused: ``seat.none_free``.
        """

        async def work(connection: Connection) -> str:
            of_user: str | None = await SQL["seat_of_user"].fetchval(
                connection, user_id=user_id, switch=switch, pool=pool
            )
            if of_user is not None:
                return of_user
            await SQL["seat_turn"].execute(connection, switch=switch)
            name: str | None = await SQL["seat_free"].fetchval(connection, switch=switch, pool=pool, web=WEB)
            if name is None:
                raise Refused(
                    "seat.none_free",
                    f"All {len(pool)} seats are taken.",
                    remedy="Ask an admin: dialer switch-config --seats makes more of them.",
                )
            await SQL["seat_clear"].execute(connection, switch=switch, name=name, user_id=user_id)
            await SQL["seat_give"].execute(connection, switch=switch, name=name, user_id=user_id)
            return name

        return await transaction(self._pool, work)

    async def show(self, user_id: int, *, mark: str, actor: Actor) -> bool:
        """Whether this user may be shown the secret with this mark now: once for each secret. It is audited.

        Args:
            user_id: Who has a seat.
            mark: ``Seat.mark``.
            actor: Who asks.
        """

        async def work(connection: Connection) -> bool:
            before = await SQL["seat_show"].fetchrow(connection, user_id=user_id, mark=mark)
            new = before is not None and before["shown"] != mark
            if new:
                await note(connection, actor, "seat.shown", f"user:{user_id}")
            return new

        return await transaction(self._pool, work)

    async def list(self, switch: str) -> Sequence[Taken]:
        """All seats somebody has."""
        with store_errors():
            return [Taken(**row) for row in await SQL["seat_list"].fetch(self._pool, switch=switch)]

    async def take_back(self, name: str, *, switch: str, actor: Actor) -> None:
        """Nobody has this seat any more, though a desk phone may know its secret: rotate the secrets too.

        Raises:
            NotFound: ``seat.not_found``: nobody had it.
        """

        async def work(connection: Connection) -> None:
            user_id = await SQL["seat_take_back"].fetchval(connection, switch=switch, name=name)
            if user_id is None:
                raise NotFound("seat.not_found", f"Nobody has the seat {name}.")
            await note(connection, actor, "seat.taken_back", f"user:{user_id}", before={"seat": name})

        await transaction(self._pool, work)
