"""What supervisors say to operators: kept until it is acknowledged, so that a restart loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("message")

#: An operator who is away comes back to the last few messages, not to all of a day.
SHOWN_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something said by a supervisor; ``heard_at`` is when the operator acknowledged it."""

    id: int
    at: datetime
    by: str
    text: str
    heard_at: datetime | None = None


class Messages:
    """Says, shows and acknowledges."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def say(self, operator_id: int, text: str, *, actor: Actor, now: datetime) -> None:
        """Keep a message; the audit log has who said something to whom, not what."""

        async def work(connection: Connection) -> None:
            said = {"operator_id": operator_id, "text": text, "now": now, "user_id": actor.user_id}
            await SQL["message_say"].execute(connection, **said)
            await note(connection, actor, "operator.message", f"user:{operator_id}", after={"length": len(text)})

        await transaction(self._pool, work)

    async def unheard(self, operator_id: int, *, now: datetime) -> Sequence[Message]:
        """What the operator has not acknowledged, the oldest first."""
        with store_errors():
            rows = await SQL["message_unheard"].fetch(self._pool, operator_id=operator_id, now=now, limit=SHOWN_MAX)
        return [Message(**row) for row in reversed(rows)]

    async def hear(self, operator_id: int, newest: int, *, now: datetime) -> None:
        """The operator acknowledged everything up to this message."""
        with store_errors():
            await SQL["message_hear"].execute(self._pool, operator_id=operator_id, newest=newest, now=now)

    async def list(self, operator_id: int, *, now: datetime) -> Sequence[Message]:
        """What was said to an operator in the last hours, the newest first."""
        with store_errors():
            return [
                Message(**row) for row in await SQL["message_list"].fetch(self._pool, operator_id=operator_id, now=now)
            ]
