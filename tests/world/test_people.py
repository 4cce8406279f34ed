"""The people of the world: the same for the same digits and seed, on both switches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.world.people import MEASURED, OFFERED, ORDINARY, SLOTS, Behaviour, Person, slot
from dialer.world.simulated import KINDS, simulated


def test_the_same_seed_gives_the_same_people_and_another_seed_others():
    """A demo can be repeated."""
    assert ORDINARY.people(7) == ORDINARY.people(7)
    assert ORDINARY.people(7) != ORDINARY.people(8)


def test_every_behaviour_of_the_issue_is_there():
    """An ordinary base meets all of them."""
    assert {person.behaviour for person in ORDINARY.people(1)} == set(Behaviour) - {Behaviour.SILENT}


def test_some_press_each_key_when_they_are_offered_something():
    """Operator, callback, never again, once more, and nothing."""
    assert {person.key for person in OFFERED.people(1)} == {"1", "2", "9", "*", ""}
    assert {person.key for person in ORDINARY.people(1)} == {""}


def test_in_a_measured_world_everybody_answers_at_once_and_talks_three_seconds():
    """So that a benchmark measures the dialer and nothing else."""
    assert {(person.behaviour, person.ring_s, person.talk_s) for person in MEASURED.people(1)} == {("person", 0, 3)}
    assert not MEASURED.speaks


@given(st.integers(10**6, 10**15 - 1), st.integers(0, 10**6))
def test_a_number_is_always_somebody_with_or_without_plus(number: int, seed: int):
    """Any digits have a person behind them."""
    assert slot(str(number), seed) == slot(f"+{number}", seed) in range(SLOTS)


def test_neighbouring_numbers_are_different_people():
    """A base of consecutive numbers is as mixed as any other."""
    assert len({slot(f"+120255501{line:02}", 1) for line in range(100)}) == 100


@pytest.mark.parametrize("behaviour", Behaviour)
def test_the_simulated_switch_knows_every_behaviour(behaviour: Behaviour):
    """Without Asterisk the same people are there, only without sound."""
    assert simulated(Person(behaviour=behaviour, talk_s=5)).kind is KINDS[behaviour]


@pytest.mark.parametrize("wrong", [{"key": "12"}, {"key": "A"}, {"ring_s": -1}, {"talk_s": -0.1}])
def test_a_person_who_cannot_be_is_refused(wrong: dict[str, object]):
    """What goes into the dialplan is checked where it is made."""
    with pytest.raises(ValueError):
        Person(behaviour=Behaviour.PERSON, **wrong)
