"""Tokens of programs: shown once, kept as a hash, for some of what their user may, until a day, from some addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from dialer.errors import NotFound
from dialer.store.pools import store_errors, transaction
from dialer.store.users import SQL, Session, User, note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from ipaddress import IPv4Interface, IPv6Interface

    import asyncpg

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as admins see it."""

    id: int
    user_id: int
    login: str
    name: str
    scopes: Sequence[str]
    addresses: Sequence[str]
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class Tokens:
    """Tokens in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(
        self,
        token_hash: bytes,
        *,
        user: User,
        name: str,
        scopes: Sequence[str],
        addresses: Sequence[IPv4Interface | IPv6Interface],
        expires_at: datetime,
        actor: Actor,
    ) -> Token:
        """Keep a new token."""

        async def work(connection: Connection) -> Token:
            row = await SQL["token_add"].fetchrow(
                connection,
                token_hash=token_hash,
                user_id=user.id,
                name=name,
                scopes=list(scopes),
                addresses=list(addresses),
                made_by=actor.user_id,
                expires_at=expires_at,
            )
            assert row is not None  # noqa: S101 - RETURNING
            after = {"name": name, "scopes": list(scopes), "user": user.login, "expires_at": expires_at.isoformat()}
            await note(connection, actor, "token.add", f"token:{row['id']}", after=after)
            return _token({**row, "login": user.login})

        return await transaction(self._pool, work)

    async def list(self) -> Sequence[Token]:
        """All tokens, the newest first."""
        with store_errors():
            return [_token(dict(row)) for row in await SQL["token_list"].fetch(self._pool)]

    async def read(self, token_hash: bytes, *, ip: str) -> Session | None:
        """Whose token this is, None when it does not stand or comes from elsewhere."""
        with store_errors():
            row = await SQL["token_read"].fetchrow(self._pool, token_hash=token_hash)
            if row is None or not _from_there(row, ip):
                return None
            await SQL["token_seen"].execute(self._pool, id=row["token_id"])
        user = User(**{name: row[name] for name in User.__slots__})
        return Session(token_hash=token_hash, user=user, scopes=frozenset(row["scopes"]))

    async def revoke(self, token_id: int, *, actor: Actor) -> None:
        """It is of no use from now on.

        Raises:
            NotFound: ``token.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await SQL["token_revoke"].fetchrow(connection, id=token_id)
            if row is None:
                raise NotFound("token.not_found", "there is no such token that still stands")
            await note(connection, actor, "token.revoke", f"token:{token_id}", before={"name": row["name"]})

        await transaction(self._pool, work)


def _from_there(row: asyncpg.Record, ip: str) -> bool:
    if not row["addresses"]:
        return True
    return bool(ip) and any(ip_address(ip) in ip_network(str(address), strict=False) for address in row["addresses"])


def _token(row: dict[str, object]) -> Token:
    return Token(**{**row, "addresses": [str(address) for address in row["addresses"]]})  # type: ignore[arg-type, attr-defined]  # a row
