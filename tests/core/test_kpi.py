"""One definition per number."""

from __future__ import annotations

import pytest

from dialer.core import kpi

HOUR = {
    "attempts": 120,
    "rang": 100,
    "answered": 40,
    "abandoned": 1,
    "connected": 30,
    "contacts_dialled": 90,
    "contacts_reached": 30,
    "results": 6,
    "closed": 12,
    "closed_by_disposition": 9,
    "closed_used_up": 3,
    "calls_of_closed": 30,
    "ready_s": 1800,
    "ringing_s": 0,
    "preview_s": 0,
    "talk_s": 4500,
    "wrap_up_s": 900,
    "paused_s": 1800,
    "clock_s": 3600,
    "leads": 5,
    "leads_accepted": 3,
    "leads_rejected": 1,
    "replacements_owed": 1,
    "clients": 1,
}


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("attempts", 120),
        ("abandon_rate", 2.5),
        ("answer_rate", 40.0),
        ("contact_rate", 100 / 3),
        ("results_per_hour", 3.0),
        ("results_per_paid_hour", 2.4),
        ("results_per_clock_hour", 6.0),
        ("calls_per_closed_contact", 2.5),
        ("closed_contacts_per_hour", 4.5),
        ("operator_hours", 2.0),
        ("talk", 150.0),
        ("wrap_up", 30.0),
        ("handling", 180.0),
        ("idle", 60.0),
        ("occupancy", 75.0),
        ("busy_share", 62.5),
        ("paid_time_worked", 80.0),
        ("answer_to_voice_p50", None),
        ("replacements_owed", 1),
        ("lead_acceptance", 75.0),
        ("clients_per_hour", 0.5),
    ],
)
def test_a_number_is_what_its_definition_says(number, value):
    assert kpi.values(HOUR)[number] == (None if value is None else pytest.approx(value))


def test_without_anything_to_divide_by_there_is_no_number():
    empty = kpi.values(dict.fromkeys(kpi.FACTS, 0.0))
    assert empty["abandon_rate"] is None
    assert empty["attempts"] == 0
    assert set(empty) == {definition.id for definition in kpi.DEFINITIONS}


def test_no_share_of_kept_promises_is_told_before_any_came_due():
    none = dict.fromkeys(kpi.PROMISED, 0.0)
    assert kpi.values(none)["kept_share"] is None
    some = {"promises_kept": 2.0, "promises_kept_late": 1.0, "promises_broken": 1.0, "promises_late": 1.0}
    found = kpi.values(none | some | {"promises_cancelled": 5.0, "promises_moved": 3.0, "promises_made": 9.0})
    assert (found["kept_share"], found["promises_due"]) == (50, 4)


def test_every_definition_is_made_of_counted_facts_and_says_so_in_both_languages():
    assert len({definition.id for definition in kpi.DEFINITIONS}) == len(kpi.DEFINITIONS)
    for definition in kpi.DEFINITIONS:
        assert set(definition.facts) <= set(kpi.FACTS)
        assert definition.source
        assert definition.formula_sql
        assert all((definition.name_en, definition.name_ru, definition.formula_en, definition.formula_ru))
        assert definition.better in {"up", "down", ""}


def test_rows_of_a_base_know_nothing_of_waiting_operators():
    assert kpi.known("hour") == kpi.known("operator") == set(kpi.FACTS)
    assert not kpi.known("base") & kpi.TIME
    assert kpi.known("reason") == kpi.SAID
    assert kpi.values({"reached": 40.0, "off_target": 4.0})["targeting"] == pytest.approx(90.0)
