"""A made-up month is counted to the unit; the whole one is ``scripts/bench kpi_month``."""

from __future__ import annotations

import pytest

from scripts.benches import kpi_month

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_number_in_every_breakdown_is_that_of_the_log(seed):
    assert await kpi_month.run(attempts=1500, operators=3, seed=seed) == 0


def test_a_wrong_number_is_told():
    log = kpi_month.invent(300, 2, 1)
    slow = kpi_month.Slow(log, kpi_month.BEGIN, kpi_month.BEGIN + kpi_month.timedelta(days=30))
    assert kpi_month.differences("total", slow, []) != []
