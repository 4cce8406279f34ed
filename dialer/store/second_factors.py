"""Second factors of logins: which seed a user's secret follows from, which codes were used, who must have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.errors import NotFound, Refused
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("second_factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A user's second factor.

    Attributes:
        seed: What the secret follows from, together with the key outside the database.
        confirmed_at: Since when it is asked for; None while it is only begun.
        codes_left: Recovery codes that were not used yet.
    """

    seed: bytes
    confirmed_at: datetime | None
    last_step: int
    codes_left: int


class SecondFactors:
    """Reads and writes them; every change is in the audit log."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def read(self, user_id: int) -> Factor | None:
        """A user's factor, None without one."""
        with store_errors():
            row = await SQL["second_factor_read"].fetchrow(self._pool, user_id=user_id)
        return Factor(**row) if row else None

    async def begin(self, user_id: int, seed: bytes) -> None:
        """Keep a new seed; nothing is asked for until a code of it was shown.

        Raises:
            Refused: ``second_factor.exists``.
        """
        with store_errors():
            begun = await SQL["second_factor_begin"].fetchval(self._pool, user_id=user_id, seed=seed)
        if begun is None:
            raise Refused("second_factor.exists", "you have a second factor already", remedy="Remove it first.")

    async def confirm(
        self, user_id: int, step: int, hashes: Sequence[bytes], *, session: bytes, actor: Actor
    ) -> Sequence[bytes]:
        """Ask for it from now on; the user's other sessions end, and their token hashes are returned.

        Raises:
            Refused: ``second_factor.used``.
        """

        async def work(connection: Connection) -> Sequence[bytes]:
            await _use(connection, user_id, step)
            await SQL["second_factor_codes"].execute(connection, user_id=user_id, hashes=list(hashes))
            ended = await SQL["second_factor_close_others"].fetch(connection, user_id=user_id, token_hash=session)
            await note(connection, actor, "second_factor.set", f"user:{user_id}")
            return [row["token_hash"] for row in ended]

        return await transaction(self._pool, work)

    async def use(self, user_id: int, step: int) -> None:
        """Take a code: it is good this once, and none before it any more.

        Raises:
            Refused: ``second_factor.used``.
        """

        async def work(connection: Connection) -> None:
            await _use(connection, user_id, step)

        await transaction(self._pool, work)

    async def recover(self, user_id: int, code_hash: bytes, *, actor: Actor) -> bool:
        """Take a recovery code; whether there was such a one."""

        async def work(connection: Connection) -> bool:
            used = await SQL["second_factor_recover"].fetchval(connection, user_id=user_id, code_hash=code_hash)
            if used is not None:
                await note(connection, actor, "second_factor.recover", f"user:{user_id}")
            return used is not None

        return await transaction(self._pool, work)

    async def new_codes(self, user_id: int, hashes: Sequence[bytes], *, actor: Actor) -> None:
        """Replace all recovery codes."""

        async def work(connection: Connection) -> None:
            await SQL["second_factor_codes"].execute(connection, user_id=user_id, hashes=list(hashes))
            await note(connection, actor, "second_factor.codes", f"user:{user_id}")

        await transaction(self._pool, work)

    async def remove(self, user_id: int, *, actor: Actor, ends_sessions: bool = False) -> Sequence[bytes]:
        """Take it away; returns the token hashes of the sessions this ended.

        Raises:
            NotFound: ``second_factor.none``.
        """

        async def work(connection: Connection) -> Sequence[bytes]:
            removed = await SQL["second_factor_remove"].fetchval(connection, user_id=user_id)
            if removed is None:
                raise NotFound("second_factor.none", "there is no second factor to remove")
            await note(connection, actor, "second_factor.remove", f"user:{user_id}")
            if not ends_sessions:
                return []
            rows = await SQL["second_factor_close_others"].fetch(connection, user_id=user_id, token_hash=b"")
            return [row["token_hash"] for row in rows]

        return await transaction(self._pool, work)

    async def close_others(self, user_id: int, session: bytes, *, actor: Actor) -> Sequence[bytes]:
        """End all sessions of a user but one; returns the token hashes of those ended."""

        async def work(connection: Connection) -> Sequence[bytes]:
            rows = await SQL["second_factor_close_others"].fetch(connection, user_id=user_id, token_hash=session)
            await note(connection, actor, "session.revoke_others", f"user:{user_id}", after={"ended": len(rows)})
            return [row["token_hash"] for row in rows]

        return await transaction(self._pool, work)

    async def required(self) -> Sequence[str]:
        """Roles that must have a second factor."""
        with store_errors():
            return await SQL["second_factor_required"].fetchval(self._pool) or []

    async def require(self, roles: Sequence[str], *, actor: Actor) -> Sequence[str]:
        """Roles that must have one from now on."""

        async def work(connection: Connection) -> Sequence[str]:
            before = await SQL["second_factor_required"].fetchval(connection) or []
            after = sorted(set(roles))
            await SQL["second_factor_require"].execute(connection, roles=after)
            old, new = {"roles": ", ".join(before)}, {"roles": ", ".join(after)}
            await note(connection, actor, "second_factor.require", "setting:second_factor_roles", before=old, after=new)
            return after

        return await transaction(self._pool, work)


async def _use(connection: Connection, user_id: int, step: int) -> None:
    if await SQL["second_factor_use"].fetchval(connection, user_id=user_id, step=step) is None:
        raise Refused("second_factor.used", "this code was used already", remedy="Wait for the next one.")
