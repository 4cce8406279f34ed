"""Supervisors who hear conversations: who, whom, from when to when; each is a row before a phone is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core.listening import How
from dialer.store.pools import transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.core.listening import Listening
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("listening")


class Listenings:
    """Begins them for the web; their ends come by the journal."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, listening: Listening, *, switch: str, actor: Actor) -> None:
        """Write that a supervisor is about to hear a conversation, with its line in the audit log."""

        async def work(connection: Connection) -> None:
            await SQL["listening_begin"].execute(
                connection,
                id=listening.id,
                user_id=listening.user_id,
                operator_id=listening.operator_id,
                attempt_id=listening.attempt_id,
                switch=switch,
                mode=listening.asked,
                shown=listening.shown,
                began_at=listening.began_at,
            )
            after = {"mode": listening.asked, "attempt": str(listening.attempt_id), "shown": listening.shown}
            await note(connection, actor, "operator.listening", f"user:{listening.operator_id}", after=after)

        await transaction(self._pool, work)

    async def refused(self, listening: Listening) -> None:
        """The engine did not begin it after all."""
        ended = [(listening.id, listening.began_at, "refused")]
        await transaction(self._pool, lambda connection: end(connection, ended))


async def end(connection: Connection, told: Sequence[tuple[UUID, datetime, str]]) -> None:
    """Store ends: id, when, why. One that has an end keeps it."""
    await SQL["listening_end"].execute(
        connection,
        ids=[uid for uid, _, _ in told],
        ended_at=[at for _, at, _ in told],
        hows=[how for _, _, how in told],
    )


async def end_lost(connection: Connection, switch: str, at: datetime) -> None:
    """An engine has begun: what was open before it is over."""
    lost = await SQL["listening_lost"].fetch(connection, switch=switch, at=at)
    if lost:
        await end(connection, [(row["id"], at, How.SERVICE) for row in lost])
