"""Days that are also lived on a real PostgreSQL: the same statements, the same answers, the same end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dialer import profiles
from tests.sim.day import BEGIN, Shape, load, morning, run_day
from tests.sim.mirror import MirroredTables

SHORT = Shape(hours=0.5, contacts=120, operators=4, campaigns=3, fault_every_s=120.0)


@pytest.fixture
def url(server, databases):
    """An empty, migrated database, made outside of the simulated loop."""
    name = asyncio.run(databases.take())
    yield server.url(name)
    asyncio.run(databases.give_back(name))


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(1, 21))
def test_a_day_ends_the_same_on_a_real_postgresql(seed, url, monkeypatch):
    """Claims, journals, dispositions, promises and return calls say the same word for word, and leave the same rows."""
    loop = morning(seed)
    tables = MirroredTables(loop, url)
    shape = replace(SHORT, previews=seed % 3 == 0, returns=0.4 * (seed % 2))
    tables.at_once = 0.0  # real sockets need a turn of the loop of their own
    load(seed, shape, tables, BEGIN)
    monkeypatch.setattr(profiles, "load", lambda *_: tables.campaigns[1].profile)
    tables.copy(shape.operators)
    differences = []
    report = run_day(seed, shape, loop=loop, tables=tables, evening=lambda: differences.extend(tables.differences()))
    assert report.failure is None, report.failure
    assert differences == []
    assert report.attempts > 20
    assert bool(report.returns["connected"] and report.returns["missed"]) == bool(shape.returns)
