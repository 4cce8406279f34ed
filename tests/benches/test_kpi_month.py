"""A made-up month is counted to the unit and to the cent; the whole one is ``scripts/bench kpi_month``."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from scripts.benches import kpi_month
from scripts.benches.kpi_month import BEGIN
from scripts.benches.kpi_slow_money import Due, Era, Paid, billed_s, dealt, hours


@pytest.mark.postgres
async def test_every_number_in_every_breakdown_is_that_of_the_log():
    assert await kpi_month.run(attempts=1500, operators=3, seed=1) == 0


def test_a_wrong_number_is_told():
    log = kpi_month.invent(300, 2, 1)
    slow = kpi_month.Slow(log, BEGIN, BEGIN + timedelta(days=30))
    assert kpi_month.differences("total", slow, []) != []


@pytest.mark.parametrize("kind", ["cost_trunk_minute", "tariff_conversation", "cost_paid_hour", "cost_month"])
def test_a_millionth_of_a_unit_is_seen_in_the_count(kind):
    log = kpi_month.invent(300, 2, 1)
    for row in (*log.attempts, *log.intervals):
        row["heard"] = 1

    def total(amount: Decimal) -> Decimal:
        paid = Paid(campaign=1, kind=kind, since=date(2026, 10, 1), amount=amount, first_s=1, step_s=1)
        due = Due(log, BEGIN, BEGIN + timedelta(days=30), [Era(through={}, prices=(paid,), heard=1)])
        return sum(due.sums["total"]["total"]["EUR"].values())

    small = Decimal("0.01") if kind == "cost_month" else Decimal("0.000001")  # a month is paid in whole cents
    assert total(Decimal(3000) + small) > total(Decimal(3000))


@pytest.mark.parametrize(
    ("long_s", "first_s", "step_s", "billed"),
    [(0, 60, 60, 60), (60, 60, 60, 60), (60.000001, 60, 60, 120), (29.9, 30, 6, 30), (30.1, 30, 6, 36), (12, 1, 1, 12)],
)
def test_the_count_bills_begun_steps(long_s, first_s, step_s, billed):
    assert billed_s(round(long_s * 10**6), first_s, step_s) == billed


def test_the_count_deals_out_every_cent_also_on_a_day_of_25_hours():
    day = hours(1, date(2026, 10, 25))
    assert len(day) == 25
    shares = dealt(Decimal("100.01"), len(day), Decimal("0.01"))
    assert sum(shares) == Decimal("100.01")
    assert max(shares) - min(shares) <= Decimal("0.01")
