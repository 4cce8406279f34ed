r"""Named queries of ``sql/queries``: SQL stays SQL, can be pasted into psql, and is called by name.

A file holds one noun. A query begins with ``-- name: …``, has a line why it exists and takes its parameters in
psql's own style (``:campaign_id::bigint``; in psql: ``\set campaign_id 1``). What several queries of a file share is a
part: it begins with ``-- part: …`` and stands in them as ``{…}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Executor = Connection | asyncpg.Pool[asyncpg.Record]

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PART = re.compile(r"^-- part: (\w+)\n((?:(?!^-- (?:name|part): ).*\n?)*)", re.MULTILINE)
_USE = re.compile(r"\{(\w+)\}")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z][a-z0-9_]*)")
_LITERAL_OR_COMMENT = re.compile(r"('(?:[^']|'')*'|--[^\n]*)")


def sql_root() -> Path:
    """The folder with migrations and queries: in the checkout, else in the installed package."""
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent / "sql"
    return checkout if checkout.is_dir() else package / "_data" / "sql"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement with its parameters in order."""

    name: str
    sql: str
    parameters: tuple[str, ...]

    def _arguments(self, given: Mapping[str, Any]) -> list[Any]:
        if len(given) != len(self.parameters):
            raise TypeError(f"{self.name} takes {self.parameters}, not {tuple(given)}")
        return [given[name] for name in self.parameters]

    async def fetch(self, connection: Executor, **given: Any) -> list[asyncpg.Record]:
        """All rows."""
        return await connection.fetch(self.sql, *self._arguments(given))

    async def fetchrow(self, connection: Executor, **given: Any) -> asyncpg.Record | None:
        """The first row, if there is one."""
        return await connection.fetchrow(self.sql, *self._arguments(given))

    async def fetchval(self, connection: Executor, **given: Any) -> Any:
        """The first column of the first row."""
        return await connection.fetchval(self.sql, *self._arguments(given))

    async def execute(self, connection: Executor, **given: Any) -> int:
        """How many rows were touched; 0 for a statement that touches none by its nature."""
        status: str = await connection.execute(self.sql, *self._arguments(given))
        rows = status.rpartition(" ")[2]
        return int(rows) if rows.isdigit() else 0


def parse(text: str) -> dict[str, Query]:
    """The queries of one file, by name."""
    shared = {name: body.strip() for name, body in _PART.findall(text)}
    parts = _NAME.split(_PART.sub("", text))[1:]
    named = zip(parts[::2], parts[1::2], strict=True)
    return {name: _query(name, _USE.sub(lambda use: shared[use[1]], body)) for name, body in named}


def _query(name: str, body: str) -> Query:
    order: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        return f"${order.setdefault(match[1], len(order) + 1)}"

    pieces = _LITERAL_OR_COMMENT.split(body.strip().rstrip(";"))
    sql = "".join(piece if index % 2 else _PARAMETER.sub(numbered, piece) for index, piece in enumerate(pieces))
    return Query(name=name, sql=sql, parameters=tuple(order))


@cache
def queries(noun: str) -> Mapping[str, Query]:
    """The queries of ``sql/queries/<noun>.sql``."""
    return parse((sql_root() / "queries" / f"{noun}.sql").read_text(encoding="utf-8"))
