"""A script leads somewhere, and begins where it should for the kind of contact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def step(id_, *answers, text="Hello {name}"):
    return script.Step(id=id_, text=text, answers=answers)


GOOD = [step("hello", ("yes", "offer"), ("no", None)), step("offer", ("again", "hello"), ("done", None))]


def codes(steps, scenarios=None, **values):
    return {(one.code, one.step, one.detail) for one in script.check(steps, scenarios or {}, **values)}


def test_a_script_in_which_every_answer_leads_on_or_ends_has_nothing_to_mend():
    assert codes(GOOD, {"any": "hello"}) == set()


@pytest.mark.parametrize(
    ("steps", "scenarios", "found"),
    [
        ([*GOOD, step("bye")], {"callback": "bye", "any": "hello"}, ("dead_end", "bye", "")),
        ([*GOOD, step("lost", ("ok", None), ("no", None))], {}, ("unreachable", "lost", "")),
        ([step("a", ("x", "b"), ("y", "a")), step("b", ("x", "a"), ("y", "b"))], {}, ("no_way_out", "b", "")),
        ([step("a", ("go on", "b")), step("b", ("x", None), ("y", None))], {}, ("one_answer", "a", "go on")),
        ([step("a", ("x", "gone"), ("y", None))], {}, ("broken", "a", "x")),
        ([step("a", ("x", None), ("x", None))], {}, ("same_answer", "a", "x")),
        ([step("a", ("x", None), ("y", None), text=" ")], {}, ("empty", "a", "")),
        ([step("a", ("x", None), ("y", None), text="In {citi}")], {}, ("unknown_word", "a", "citi")),
        (GOOD, {"callback": "offer"}, ("no_beginning", None, "repeat")),
        (GOOD, {"any": "gone"}, ("broken", None, "any")),
    ],
)
def test_what_is_to_be_mended_is_named(steps, scenarios, found):
    assert found in codes(steps, scenarios, words={"city"})


def test_a_word_that_a_base_or_every_card_has_is_known_also_in_hints():
    said = [step("a", ("x", None), ("y", None), text="{name} in { city }")]
    assert codes(said, hints=["{campaign} {price}"], words={"city"}) == {("unknown_word", None, "price")}


def test_findings_are_said_in_both_languages():
    for one in script.check([step("a", ("x", "gone"))], {"first": "a"}):
        assert one.en
        assert one.ru
        assert one.en != one.ru


IDS = st.sampled_from("abcd")
STEPS_OF = st.lists(
    st.builds(
        script.Step,
        id=IDS,
        text=st.text(max_size=9),
        answers=st.lists(st.tuples(st.text(max_size=3), st.none() | st.sampled_from("abcdx")), max_size=4),
    ),
    max_size=4,
    unique_by=lambda one: one.id,
)


@given(STEPS_OF, st.dictionaries(st.sampled_from(["any", *script.KINDS]), st.sampled_from("abcdx")))
def test_a_step_is_unreachable_exactly_if_no_walk_from_a_beginning_comes_to_it(steps, scenarios):
    """Walked here step by step; and whatever is written, the check has an answer."""
    known = {one.id: one for one in steps}
    at = {script.begin(scenarios, list(known), kind) for kind in script.KINDS} & set(known)
    for _ in steps:
        at |= {to for id_ in at for _, to in known[id_].answers if to in known}
    assert {one for code, one, _ in codes(steps, scenarios) if code == "unreachable"} == set(known) - at


def test_words_in_braces_are_filled_in_where_they_are_known():
    known = {"name": "Мария", "долг": "100 {name}"}
    assert script.filled("{ name }, вы должны {долг} за {месяц}", known) == "Мария, вы должны 100 {name} за {месяц}"
