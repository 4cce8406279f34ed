"""Leads go one way, are late when nobody took them up, and are known again however they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import leads
from dialer.core.leads import MOVES, Lead, LeadState

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
STEPS = st.tuples(
    st.sampled_from(LeadState),
    st.sampled_from(["", " ", "no such person"]),
    st.sampled_from(
        [None, Decimal(-1), Decimal(0), Decimal("99.99"), Decimal("0.001"), Decimal("NaN"), Decimal(10**11)]
    ),
)


def new() -> Lead:
    return Lead(state=LeadState.NEW, due_at=NOW + timedelta(hours=1))


@given(steps=st.lists(STEPS, max_size=12))
def test_whatever_is_asked_a_lead_only_goes_the_ways_there_are_and_what_was_told_stays(steps):
    lead, now, states = new(), NOW, [LeadState.NEW]
    for to, reason, revenue in steps:
        now += timedelta(minutes=1)
        if leads.refusal(lead, to, reason=reason, revenue=revenue):
            continue
        before, lead = lead, leads.moved(lead, to, now, reason=reason, revenue=revenue)
        states.append(lead.state)
        assert lead.state in MOVES[before.state]
        for name in ("contacted_at", "decided_at", "reason", "client_at", "revenue"):
            assert getattr(before, name) in {None, getattr(lead, name)}
    assert (lead.contacted_at is None) == (lead.state is LeadState.NEW)
    assert (lead.decided_at is None) == (lead.state in {LeadState.NEW, LeadState.IN_WORK})
    assert bool(lead.reason) == (lead.state is LeadState.REJECTED)
    assert (lead.client_at is not None) == (lead.state is LeadState.CLIENT)
    assert lead.revenue is None or (lead.state is LeadState.CLIENT and 0 <= lead.revenue < 10**11)
    assert len(set(states)) == len(states)


@pytest.mark.parametrize(
    ("state", "to", "values", "code"),
    [
        ("new", "client", {}, "lead.no_way"),
        ("rejected", "accepted", {}, "lead.no_way"),
        ("client", "rejected", {"reason": "x"}, "lead.no_way"),
        ("in_work", "rejected", {"reason": "  "}, "lead.needs_reason"),
        ("in_work", "accepted", {"revenue": Decimal(1)}, "lead.takes_no_revenue"),
        ("accepted", "client", {"revenue": Decimal("1.001")}, "lead.revenue"),
        ("accepted", "client", {"revenue": Decimal("Infinity")}, "lead.revenue"),
    ],
)
def test_a_refusal_has_a_stable_code(state, to, values, code):
    lead = Lead(state=LeadState(state), due_at=NOW)
    assert (leads.refusal(lead, LeadState(to), **values) or ("none",))[0] == code


def test_a_lead_is_late_until_somebody_takes_it_up():
    lead = new()
    assert not leads.late(lead, lead.due_at)
    after = lead.due_at + timedelta(seconds=1)
    assert leads.late(lead, after)
    assert not leads.late(leads.moved(lead, LeadState.IN_WORK, after), after + timedelta(days=1))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ООО «Ромашка»", "Ромашка"),
        ('ОАО "Артём и Ко"', "артем и ко, ООО"),
        ("Acme Trading Ltd.", "ACME-Trading LLC"),
    ],
)
def test_a_company_is_known_again_however_it_is_written(one, other):
    assert leads.company_key(one) == leads.company_key(other) is not None


@pytest.mark.parametrize("company", ["", "ООО", "АО «»", "Я"])
def test_too_little_of_a_name_is_not_compared(company):
    assert leads.company_key(company) is None


@pytest.mark.parametrize(
    ("name", "attributes", "expected"),
    [
        ("Ada", {"Company": "Acme", "city": "Rome"}, ("Ada", "Acme")),
        ("ООО Ромашка", {"Контактное лицо": " Пётр ", "организация": "ООО Ромашка"}, ("Пётр", "ООО Ромашка")),
        ("Ada", {}, ("Ada", "")),
        ("", {"decision_maker": "Eve", "company": ""}, ("Eve", "")),
    ],
)
def test_a_card_is_filled_from_what_the_base_tells(name, attributes, expected):
    assert leads.named(name, attributes) == expected
