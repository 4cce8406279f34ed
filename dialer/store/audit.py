"""Notes of what people did that changes nothing in PostgreSQL but must be known, e.g. to an operator's shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialer.store import users
from dialer.store.pools import store_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.store.pools import Pool
    from dialer.store.users import Actor


class Audit:
    """The audit log, to write in; changes of PostgreSQL note themselves in their own transaction."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def note(self, actor: Actor, action: str, what: str, *, after: Mapping[str, Any] | None = None) -> None:
        """Write one row."""
        with store_errors():
            await users.note(self._pool, actor, action, what, after=after)
