"""Every named query is one statement that the real schema understands."""

from __future__ import annotations

import pytest

from dialer.store.pools import prepare_connection
from dialer.store.queries import parse, queries, sql_root

pytestmark = pytest.mark.postgres

NOUNS = sorted(path.stem for path in (sql_root() / "queries").glob("*.sql"))


@pytest.mark.parametrize("noun", NOUNS)
async def test_each_query_is_understood_by_the_schema(noun, pools):
    """A renamed column or a wrong type is found before any call is made."""
    assert queries(noun)
    async with pools.web.acquire() as connection, connection.transaction():
        for query in queries(noun).values():
            statement = await connection.prepare(query.sql)
            assert len(statement.get_parameters()) == len(query.parameters), query.name
            if query.name.endswith("_stage"):
                await connection.execute(query.sql)


@pytest.mark.parametrize("noun", NOUNS)
def test_each_query_says_why_it_exists(noun):
    for query in queries(noun).values():
        assert query.sql.startswith("-- ") or "\n-- " in query.sql, query.name


def test_parameters_are_named_as_in_psql_and_numbered_by_their_first_use():
    found = parse("-- name: one\n-- It's said why :not here.\nSELECT :b::text || ':no' || :a::text || :b::text;\n")
    assert found["one"].parameters == ("b", "a")
    assert found["one"].sql.endswith("SELECT $1::text || ':no' || $2::text || $1::text")


async def test_a_query_refuses_arguments_it_does_not_have(pools):
    async with pools.web.acquire() as connection:
        await prepare_connection(connection)
        query = parse("-- name: one\n-- Why.\nSELECT :a::bigint;")["one"]
        assert await query.fetchval(connection, a=7) == 7
        with pytest.raises(TypeError, match="one takes"):
            await query.fetchval(connection, a=7, b=8)
