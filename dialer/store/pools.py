"""Connections to PostgreSQL: pools, so that a crowd on the web never takes the engine's; one name for its failures."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from dialer.errors import StoreDown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from dialer.store.queries import Connection

    Pool = asyncpg.Pool[asyncpg.Record]

Result = TypeVar("Result")

CONNECT_TIMEOUT_S = 5.0
#: A deadlock or a serialization failure is nobody's fault and is tried again so often.
TRIES = 4
#: Before that the one who gave way waits so long: else he takes the row again before the other one has woken up.
GIVE_WAY_S = (0.05, 0.2)

_DOWN = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, too many connections, out of memory
    asyncpg.OperatorInterventionError,  # shutdown, crash of a backend, statement timeout
    asyncpg.InternalServerError,
)
_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn every failure to reach PostgreSQL into StoreDown; what it refuses by rule passes unchanged."""
    try:
        yield
    except _DOWN as error:
        sentence = f"PostgreSQL does not answer: {type(error).__name__}: {error}"
        raise StoreDown(
            "store.down", sentence, remedy="See whether PostgreSQL runs and has room on its disk."
        ) from error


async def transaction(pool: Pool, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    """Run ``work`` in one transaction, again after a deadlock.

    Raises:
        StoreDown: PostgreSQL does not answer; whether the commit happened is not known. Or ``store.busy``: others came
            first each time, and nothing happened.
    """
    with store_errors():
        for tries_left in range(TRIES - 1, -1, -1):
            try:
                async with pool.acquire(timeout=CONNECT_TIMEOUT_S) as connection, connection.transaction():
                    return await work(connection)
            except _AGAIN as error:
                if not tries_left:
                    sentence = f"PostgreSQL gave way {TRIES} times to others who wanted the same rows: {error}"
                    raise StoreDown("store.busy", sentence, remedy="Try again in a moment.") from error
            await asyncio.sleep(random.uniform(*GIVE_WAY_S))
    raise AssertionError("unreachable")


async def prepare_connection(connection: Connection) -> None:
    """Let jsonb columns be Python objects on this connection."""
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text")


async def _keep_as_it_is(_: Connection) -> None:
    """Nothing of ours leaves anything behind in a session, so that a question for a reset is saved on each release."""


async def connect(url: str, *, statement_timeout_s: float = 10) -> asyncpg.Connection[asyncpg.Record]:
    """A connection of its own, outside of the pools."""
    with store_errors():
        return await asyncpg.connect(
            url, timeout=CONNECT_TIMEOUT_S, server_settings=_settings("dialer lease", statement_timeout_s)
        )


def _settings(name: str, statement_timeout_s: float, suppression_key: str = "") -> dict[str, str]:
    return {
        "dialer.suppression_key": suppression_key,
        "application_name": name,
        "jit": "off",  # its start-up costs more than our short statements
        "timezone": "UTC",
        "statement_timeout": str(round(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": "60000",
    }


async def _open(url: str, name: str, size: int, statement_timeout_s: float, suppression_key: str) -> Pool:
    with store_errors():
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=statement_timeout_s + 1,
            init=prepare_connection,
            reset=_keep_as_it_is,
            server_settings=_settings(f"dialer {name}", statement_timeout_s, suppression_key),
        )


@dataclass(frozen=True, slots=True)
class Pools:
    """Engine, web and intake each with connections of their own (F16): the web fails first, the engine last."""

    engine: Pool
    web: Pool
    intake: Pool

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, suppression_key: str = "") -> AsyncIterator[Pools]:
        """Open the three pools and close them at the end.

        Args:
            url: ``postgresql://…``.
            suppression_key: In hexadecimal; by it erased numbers are known again. Never in the database.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        opened: list[Pool] = []
        try:
            for name, size, timeout_s in (("engine", 5, 5.0), ("web", 10, 15.0), ("intake", 2, 600.0)):
                opened.append(await _open(url, name, size, timeout_s, suppression_key))
            yield cls(*opened)
        finally:
            for pool in opened:
                await _close(pool)


async def _close(pool: Pool) -> None:
    """Close a pool; what does not end in time is cut."""
    try:
        await asyncio.wait_for(pool.close(), timeout=CONNECT_TIMEOUT_S)
    except (TimeoutError, *_DOWN):
        pool.terminate()
