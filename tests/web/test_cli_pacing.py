"""Pacing on the command line: turned while it runs, and explained minute by minute."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from dialer.store.pools import Pools
from dialer.store.store import PgStore
from tests.store.test_pacing import minutes_of_an_hour
from tests.web.test_cli import run, settings

__all__ = ["run", "settings"]

pytestmark = pytest.mark.postgres


@pytest.fixture
def spring(run, settings, url):
    """A campaign; runs a command line about it."""
    settings("DIALER_DATABASE_URL", url)
    run("trunk", "set", "carrier")
    run("campaign", "create", "spring", "--trunk", "carrier", "--customer", "acme")

    def about(command, *words):
        return run("campaign", command, "spring", *words)

    return about


def keep(url, minutes):
    """What an engine would have stored."""

    async def work():
        async with Pools.open(url) as pools:
            store = PgStore(pools.engine, url)
            await store.keep_pacing(minutes, {}, datetime.now(UTC))
            await store.close()

    asyncio.run(work())


def value(url, text):
    async def work():
        connection = await asyncpg.connect(url)
        found = await connection.fetchval(text)
        await connection.close()
        return found

    return asyncio.run(work())


@pytest.fixture
def hour(spring, url):
    """The last ten minutes of that campaign, stored."""
    campaign_id = value(url, "SELECT id FROM campaign")
    began = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    minutes = minutes_of_an_hour(campaign_id, began, hours=1 / 6)
    keep(url, minutes)
    return minutes


def test_pacing_is_turned_said_and_audited(spring, url):
    code, out, _ = spring("pace", "--target", "1.5", "--caution", "2", "--lines-per-operator", "3")
    assert (code, out) == (
        0,
        "spring: aims at 1.5 % abandoned, caution 2, at most 3 lines per operator, budget strict.\n",
    )
    assert spring("pace", "--budget", "probable")[1].endswith("budget probable.\n")
    assert spring("pace")[1].startswith("spring: aims at 1.5 % abandoned, caution 2")
    row = (
        "SELECT target_permille || ' ' || caution || ' ' || max_lines_per_operator || ' ' || budget_mode FROM campaign"
    )
    assert value(url, row).split() == ["15", "2", "3", "probable"]
    assert value(url, "SELECT count(*) FROM audit a WHERE to_jsonb(a)::text LIKE '%caution%'") == 1


@pytest.mark.parametrize("words", [("--target", "9"), ("--caution", "0"), ("--budget", "loose")])
def test_a_turn_too_far_is_refused_and_changes_nothing(spring, url, words):
    before = value(url, "SELECT row_to_json(campaign)::text FROM campaign")
    code, _, error = spring("pace", *words)
    assert code == 2
    assert f"Invalid value for '{words[0]}'" in error
    assert value(url, "SELECT row_to_json(campaign)::text FROM campaign") == before


def test_each_minute_has_its_sentence(spring, hour):
    code, out, _ = spring("explain")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == len(hour) == 10
    for line, minute in zip(lines, hour, strict=True):
        assert line.startswith(f"{minute.minute:%Y-%m-%d %H:%M} {minute.reason} ")
        assert minute.sentence["en"] in line
        assert line.endswith(f"({minute.decisions} decisions placed {minute.placed} calls)")


def test_times_choose_minutes(spring, hour):
    begin, end = hour[3].minute, hour[5].minute
    assert len(spring("explain", "--from", begin.isoformat(), "--to", end.isoformat())[1].splitlines()) == 2
    assert spring("explain", "--to", "2026-01-01T00:00")[1] == ""
    code, _, error = spring("explain", "--from", "yesterday")
    assert code != 0
    assert "'yesterday' is no time" in error


def test_as_json_a_minute_has_all_its_inputs(spring, hour):
    _, out, _ = spring("explain", "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert [minute["inputs"] for minute in told] == [minute.inputs for minute in hour]


def test_a_stored_time_is_decided_again_the_same_and_a_difference_is_no_success(spring, hour, url):
    code, out, _ = spring("explain", "--again")
    assert (code, out.splitlines()[-1]) == (0, "10 of 10 decisions are the same when decided again.")
    keep(url, [replace(hour[4], calls=hour[4].calls + 1)])
    code, out, _ = spring("explain", "--again")
    assert (code, out.splitlines()[-1]) == (1, "9 of 10 decisions are the same when decided again.")


def test_a_campaign_nobody_knows_is_said(run, spring):
    code, _, error = run("campaign", "explain", "autumn")
    assert code != 0
    assert "autumn" in error
