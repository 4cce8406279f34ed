"""A script leads somewhere, and begins where it should for the kind of contact."""

from __future__ import annotations

import pytest

from dialer.core import script

STEPS = {"hello": ["offer", None], "offer": ["hello", "bye"], "bye": []}


@pytest.mark.parametrize(
    ("number", "talked", "promised", "kind"),
    [
        (1, False, False, "first"),
        (3, False, False, "first"),
        (3, True, False, "repeat"),
        (3, True, True, "callback"),
        (1, False, True, "callback"),
    ],
)
def test_a_contact_is_first_repeated_or_called_back(number, talked, promised, kind):
    """Whoever never answered hears the first words; a promise goes before everything."""
    assert script.kind_of(number=number, talked_before=talked, promised=promised) == kind


def test_a_conversation_begins_at_the_scenario_of_its_kind():
    scenarios = {"callback": "offer", "any": "bye"}
    assert script.begin(scenarios, list(STEPS), "callback") == "offer"
    assert script.begin(scenarios, list(STEPS), "repeat") == "bye"
    assert script.begin({}, list(STEPS), "first") == "hello"
    assert script.begin({}, [], "first") is None


def test_a_script_that_leads_nowhere_is_named():
    assert script.wrong(STEPS, {"any": "hello"}) is None
    assert "'gone'" in str(script.wrong(STEPS | {"bye": ["gone"]}, {}))
    assert "'gone'" in str(script.wrong(STEPS, {"first": "gone"}))
