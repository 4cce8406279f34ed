"""An empty database for each test: one that an earlier test has left, emptied in a tenth of the time a new one takes."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from dialer.store.server import OwnServer

#: Rows that were deleted stay on the disk, and above this a new database is the quicker one.
LARGE_BYTES = 4_000_000

_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
_SIZE = "SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
#: How many there are and who wrote them last: another answer after any change of a table, a trigger or a function.
_SHAPE = """
    SELECT count(*), sum(xmin::text::bigint) FROM pg_class WHERE relpersistence <> 't'
    UNION ALL SELECT count(*), sum(a.xmin::text::bigint) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE relpersistence <> 't'
    UNION ALL SELECT count(*), sum(xmin::text::bigint) FROM pg_constraint
    UNION ALL SELECT count(*), sum(xmin::text::bigint) FROM pg_trigger
    UNION ALL SELECT count(*), sum(xmin::text::bigint) FROM pg_proc
"""
_START_COUNTING_AGAIN = """
    SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) FROM pg_sequences WHERE last_value IS NOT NULL
"""


class Databases:
    """The databases of a server for tests; each as the migrations left the template ``dialer``.

    Args:
        server: Has the template, which nobody is connected to.
    """

    def __init__(self, server: OwnServer) -> None:
        self._server = server
        self._numbers = count(1)
        self._empty: list[str] = []
        self._tables: list[str] = []
        self._filled: dict[str, list[asyncpg.Record]] = {}
        self._shape: list[asyncpg.Record] = []

    async def take(self) -> str:
        """The name of an empty database that nobody else has."""
        if self._empty:
            return self._empty.pop()
        name = f"test_{next(self._numbers)}"
        await self._command(f"CREATE DATABASE {name} TEMPLATE dialer OWNER dialer")
        if not self._tables:
            await self._learn(name)
        return name

    async def give_back(self, name: str) -> None:
        """Empty it for the next test, or drop it when that is not enough."""
        connection = await self._connect(name)
        try:
            await connection.execute(_END_OTHERS)
            again = await connection.fetch(_SHAPE) == self._shape and await connection.fetchval(_SIZE) < LARGE_BYTES
            if again:
                await self._empty_it(connection)
        finally:
            await connection.close()
        if again:
            self._empty.append(name)
        else:
            await self._command(f"DROP DATABASE {name} WITH (FORCE)")

    async def _learn(self, name: str) -> None:
        """What the migrations made, and the rows they wrote."""
        connection = await self._connect(name)
        self._shape = await connection.fetch(_SHAPE)
        self._tables = [row["relname"] for row in await connection.fetch(_TABLES)]
        for table in self._tables:
            rows = await connection.fetch(f"SELECT * FROM {table}")  # noqa: S608  # a name from the catalog
            if rows:
                self._filled[table] = rows
        await connection.close()

    async def _empty_it(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """Delete and not truncate: that makes a new file for each table and index, and takes as long as a new database."""
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
            await connection.execute(";".join(f"DELETE FROM {table}" for table in self._tables))  # noqa: S608  # the same
            await connection.execute(_START_COUNTING_AGAIN)
            for table, rows in self._filled.items():
                await connection.copy_records_to_table(table, records=rows)

    async def _connect(self, name: str) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(self._server.url(name, "postgres"))

    async def _command(self, text: str) -> None:
        connection = await self._connect("postgres")
        await connection.execute(text)
        await connection.close()
