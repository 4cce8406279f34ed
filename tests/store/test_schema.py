"""The schema: what the migrations add up to, and the months of facts."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dialer.core.model import Outcome
from dialer.errors import Misconfigured
from dialer.store.migrate import _dbmate_url, migrate
from dialer.store.partitions import keep_partitions

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
MONTHS = "SELECT relname FROM pg_class WHERE relispartition AND relname LIKE 'attempt_2%' AND relkind = 'r' ORDER BY 1"


def test_the_schema_file_is_what_the_migrations_add_up_to():
    done = subprocess.run([ROOT / "scripts" / "schema", "--check"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_months_are_made_ahead_and_only_once(pools):
    make = "SELECT make_partitions($1)"
    assert await pools.web.fetchval(make, date(2026, 11, 30)) == 6
    assert await pools.web.fetchval(make, date(2026, 12, 1)) == 2
    assert await pools.web.fetchval(make, date(2026, 12, 1)) == 0
    months = [row[0] for row in await pools.web.fetch(MONTHS)]
    assert months == ["attempt_2026_11", "attempt_2026_12", "attempt_2027_01", "attempt_2027_02"]
    await keep_partitions(pools.engine)


async def test_a_fact_finds_its_month_and_one_without_a_month_is_kept_too(place):
    await place.add_contacts("+12025550101", "+12025550102")
    await place.pools.web.fetchval("SELECT make_partitions($1)", date(2026, 3, 10))
    for at, table in [(place.now, "attempt_2026_03"), (datetime(2026, 9, 30, 23, 59, tzinfo=UTC), "attempt_other")]:
        place.now = at
        [attempt] = await place.dial()
        await place.end(attempt, Outcome.BUSY)
        found = "SELECT tableoid::regclass::text FROM attempt WHERE attempt_id = $1"
        assert await place.pools.web.fetchval(found, attempt.id) == table
    assert await place.pools.web.fetchval("SELECT make_partitions($1)", date(2026, 9, 1)) == 5  # that one stays


def test_migrating_again_changes_nothing(server, url):
    migrate(url)


def test_a_database_that_is_not_there_is_one_sentence_with_a_remedy(tmp_path):
    with pytest.raises(Misconfigured) as refused:
        migrate(f"postgresql://dialer@/dialer?host={tmp_path}")
    assert refused.value.code == "store.migration"
    assert refused.value.remedy


def test_addresses_are_told_to_the_tool_in_its_own_words():
    assert _dbmate_url("postgresql://d@/x?host=/run/pg") == "postgres://d@/x?socket=%2Frun%2Fpg&sslmode=disable"
    assert _dbmate_url("postgresql://d:p%40@h:5433/x?sslmode=require") == "postgres://d:p%40@h:5433/x?sslmode=require"
