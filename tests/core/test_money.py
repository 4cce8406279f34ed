"""Money: rounded once and exactly, and a price is what can be paid."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import kpi, kpi_money
from dialer.core.kpi_facts import MONEY
from dialer.core.money import DIGITS, FACT, STEPPED, Kind, Said, plain, refusal, rounded

AMOUNTS = st.decimals(min_value=0, max_value=Decimal("99999999999.999999"), places=6)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6), st.integers(0, 4))
def test_an_amount_is_rounded_half_up_away_from_nothing(amount, digits):
    assert rounded(Fraction(amount), digits) == amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


@given(st.fractions(min_value=-(10**9), max_value=10**9), st.integers(0, 4))
def test_no_amount_is_shown_further_off_than_half_of_the_smallest_unit(amount, digits):
    assert abs(Fraction(rounded(amount, digits)) - amount) <= Fraction(1, 2 * 10**digits)
    assert -rounded(amount, digits).as_tuple().exponent == digits


@given(AMOUNTS)
def test_a_price_is_written_without_zeros_and_exponents_and_stays_the_same(amount):
    assert Decimal(plain(amount)) == amount
    assert "E" not in plain(amount)


def said(kind: Kind, **values) -> Said:
    step = {"first_s": 60, "step_s": 60} if kind in STEPPED else {}
    base = {"base_id": 1} if kind is Kind.COST_BASE else {}
    return Said(**{"kind": kind, "since": date(2026, 3, 1), "amount": Decimal("1.5")} | step | base | values)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_takes_what_belongs_to_it_and_nothing_else(kind):
    assert refusal(said(kind)) is None
    assert refusal(said(kind, first_s=None))[0] == "price.step" if kind in STEPPED else True
    assert refusal(said(kind, step_s=0, first_s=0))[0] == "price.step"
    assert refusal(said(kind, base_id=None if kind is Kind.COST_BASE else 5))[0] == "price.base"


@pytest.mark.parametrize("amount", ["-0.01", "0.0000001", "NaN", "Infinity", "100000000000"])
def test_what_nobody_can_pay_is_no_price(amount):
    assert refusal(said(Kind.COST_LETTER, amount=Decimal(amount)))[0] == "price.amount"


def test_every_kind_of_price_is_in_a_number_that_is_defined_in_both_languages():
    assert set(FACT) == set(Kind)
    assert set(FACT.values()) | {"orders"} == set(MONEY)
    assert {name for d in kpi_money.DEFINITIONS for name in d.numerator} == set(MONEY)
    for definition in kpi_money.DEFINITIONS:
        assert all((definition.name_en, definition.name_ru, definition.formula_en, definition.formula_ru))
        assert definition.unit in {"money", "%"}
        assert definition.better in {"up", "down"}
        assert "money_rows" in definition.source or definition.source == "lead"
        assert kpi.BY_ID[definition.id] is definition


def test_numbers_of_money_are_exact_and_unknown_where_a_part_is():
    money = {name: Fraction(1, 3) for name in MONEY}
    values = kpi_money.values(money, {"leads": 3.0, "clients": 0.0})
    assert values["cost"] == Fraction(5, 3)
    assert values["revenue"] == Fraction(4, 3)
    assert values["margin"] == Fraction(-1, 3)
    assert values["margin_share"] == -25
    assert values["cost_per_lead"] == Fraction(5, 9)
    assert values["cost_per_client"] is None
    assert values["cost_per_contact"] is None
    del money["cost_fixed"]
    assert kpi_money.values(money, {})["cost"] is None
    assert kpi_money.values(money, {})["cost_trunk"] == Fraction(1, 3)


def test_what_a_breakdown_knows_is_said_by_what_owns_it():
    assert kpi_money.known("day") == set(MONEY)
    assert "cost_fixed" not in kpi_money.known("operator")
    assert "cost_operators" not in kpi_money.known("base")
    assert {by for by in kpi.BREAKDOWNS if "cost_bases" in kpi_money.known(by)} == {
        *("total", "hour", "day", "week", "month", "campaign", "customer", "base")
    }


def test_currencies_have_the_digits_of_iso_4217():
    assert (DIGITS["RUB"], DIGITS["JPY"], DIGITS["KWD"], DIGITS["CLF"]) == (2, 0, 3, 4)
