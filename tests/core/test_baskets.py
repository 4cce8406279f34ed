"""Baskets by rules: every lead in exactly one, whatever the rules and whatever is known of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.baskets import COMMON, FIELDS, TESTS, Basket, Condition, Told, choose, flaw, holds

HOT = Basket(
    code="hot",
    name_en="Hot",
    name_ru="Горячие",
    conditions=(
        Condition(field="agreed", test="contains", value="счёт"),
        Condition(field="attribute", name="Магазинов", test="at_least", value="10"),
    ),
)
ROMASHKA = Basket(
    code="r", name_en="R", name_ru="Р", conditions=(Condition(field="company", test="is", value="Ромашка"),)
)
REST = Basket(code=COMMON, name_en="Common", name_ru="Общая")
LIST = (HOT, ROMASHKA, REST)

texts = st.text("счёт 10,5+-аbё", max_size=8)
conditions = st.builds(
    Condition, field=st.sampled_from(FIELDS), test=st.sampled_from(TESTS), value=texts, name=st.just("city")
)
baskets = st.builds(
    Basket,
    code=st.sampled_from(("a", "b", "c", "d")),
    name_en=texts,
    name_ru=texts,
    conditions=st.lists(conditions, max_size=3).map(tuple),
    archived=st.booleans(),
)
told = st.builds(
    Told, person=texts, company=texts, agreed=texts, step=texts, attributes=st.dictionaries(st.just("City"), texts)
)


@given(st.lists(baskets, max_size=6), told, st.sampled_from((None, "a", "b", "zzz")))
def test_every_lead_is_in_exactly_one_basket_that_takes_leads(listed, lead, flagged):
    known = [*listed, REST]
    chosen = choose(known, lead, flagged)
    active = {one.code: one for one in known if not one.archived}
    assert chosen in active
    if chosen not in {COMMON, flagged}:
        assert any(
            one.code == chosen and one.conditions and all(holds(condition, lead) for condition in one.conditions)
            for one in known
        )
    assert chosen == choose(known, lead, flagged)


@pytest.mark.parametrize(
    ("lead", "flagged", "chosen"),
    [
        (Told(agreed="Выслать СЧЕТ", attributes={"магазинов ": "1 200"}), None, "hot"),
        (Told(agreed="Выслать счёт", attributes={"магазинов": "9,5"}), None, COMMON),
        (Told(agreed="Выслать счёт", attributes={"магазинов": "много"}), None, COMMON),
        (Told(company=" ромашка "), None, "r"),
        (Told(agreed="счёт", company="Ромашка", attributes={"Магазинов": "10"}), None, "hot"),
        (Told(agreed="счёт", attributes={"Магазинов": "10"}), "r", "r"),
        (Told(agreed="счёт", attributes={"Магазинов": "10"}), "gone", "hot"),
        (Told(), None, COMMON),
    ],
)
def test_rules_are_asked_in_their_order_and_a_disposition_goes_before_them(lead, flagged, chosen):
    assert choose(LIST, lead, flagged) == chosen


@pytest.mark.parametrize(
    ("test", "value", "found", "so"),
    [
        ("filled", "", "x", True),
        ("filled", "", "  ", False),
        ("empty", "", "", True),
        ("is", "Ёлка", "елка", True),
        ("contains", "лк", "ёлка", True),
        ("at_most", "5", "4,9", True),
        ("at_most", "5", "inf", False),
        ("at_least", "5", "nan", False),
        ("at_least", "-2", "-1", True),
        ("at_least", "5", "+-10", False),
        ("at_most", "5", "--3", False),
    ],
)
def test_a_condition_says_what_it_says(test, value, found, so):
    assert holds(Condition(field="agreed", test=test, value=value), Told(agreed=found)) is so


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (LIST, None),
        ((HOT, ROMASHKA), "basket.common"),
        ((REST, HOT, Basket(code="x", name_en="hot", name_ru="иначе")), "basket.name"),
        ((Basket(code=COMMON, name_en="C", name_ru="О", conditions=HOT.conditions),), "basket.common"),
        (
            (REST, Basket(code="x", name_en="x", name_ru="x", conditions=(Condition(field="agreed", test="is"),))),
            "basket.condition",
        ),
        (
            (
                REST,
                Basket(
                    code="x",
                    name_en="x",
                    name_ru="x",
                    conditions=(Condition(field="attribute", test="filled"),),
                ),
            ),
            "basket.condition",
        ),
        (
            (
                REST,
                Basket(
                    code="x",
                    name_en="x",
                    name_ru="x",
                    conditions=(Condition(field="agreed", test="at_least", value="many"),),
                ),
            ),
            "basket.condition",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(listed, code):
    found = flaw(listed)
    assert (found and found[0]) == code
