"""The tables of the admin pages stay quick when they are long."""

from __future__ import annotations

import time

import pytest

from dialer.store.office import COUNT_MAX, ROWS, View

pytestmark = pytest.mark.postgres

ROWS_LONG = 100_000
#: A page may cost so many times what PostgreSQL needs to look at each row once.
TIMES_MAX = 12


@pytest.fixture
async def long_tables(place):
    """A hundred thousand rows in the log, on the do-not-call list and among the people."""
    pool = place.pools.web
    for statement in (
        "INSERT INTO audit (action, object, user_id) SELECT 'login', 'login:u' || n, NULL FROM generate_series(1, $1::integer) n",
        "INSERT INTO phone (e164) SELECT '+7916' || lpad(n::text, 7, '0') FROM generate_series(1, $1::integer) n",
        """INSERT INTO do_not_call (phone_id, scope, reason)
           SELECT id, 'global', 'asked ' || id FROM phone ORDER BY id LIMIT $1::integer""",
        """INSERT INTO app_user (login, name, role, password_hash)
           SELECT 'u' || n, 'Name ' || n, 'auditor', '-' FROM generate_series(1, $1::integer) n""",
    ):
        await pool.execute(statement, ROWS_LONG)
    await pool.execute("ANALYZE")
    return place


async def best_s(work) -> float:
    times_s = []
    for _ in range(4):
        began = time.perf_counter()
        await work()
        times_s.append(time.perf_counter() - began)
    return min(times_s)


async def test_a_page_of_a_long_table_costs_about_one_look_at_each_row(long_tables):
    office, pool = long_tables.stores.office, long_tables.pools.web
    bare_s = await best_s(lambda: pool.fetchval("SELECT count(*) FROM audit WHERE strpos(lower(object), 'zzz') > 0"))
    for name, work in {
        "log": lambda: office.audit(View()),
        "log, found": lambda: office.audit(View(q="u77777")),
        "log, last page": lambda: office.audit(View(page=200)),
        "list": lambda: office.do_not_call(View()),
        "list, by number": lambda: office.do_not_call(View(q="8 916 00777", sort="phone")),
        "people": lambda: office.users(View(sort="name", down=True)),
        "people, found": lambda: office.users(View(q="u5555")),
    }.items():
        taken_s = await best_s(work)
        assert taken_s < TIMES_MAX * max(bare_s, 0.005), (name, taken_s, bare_s)


async def test_a_count_stops_where_nobody_pages_any_more(long_tables):
    office = long_tables.stores.office
    table = await office.audit(View(page=10_000))
    assert (table.more, table.pages, len(table.rows)) == (True, COUNT_MAX // ROWS, ROWS)
    assert table.view.page == COUNT_MAX // ROWS
    found = await office.do_not_call(View(q="+7916 000-77-77"))
    assert [row["phone"] for row in found.rows] == ["+79160007777"]
    assert not found.more
