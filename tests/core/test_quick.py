"""Quick dataclasses are dataclasses: nobody can tell one from the other but by the clock."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import dataclass, field
from enum import StrEnum

import pytest

from dialer.core.quick import members, quick, replace


@dataclass(frozen=True, slots=True)
class Plain:
    """Fields of every sort."""

    first: int
    second: str = "two"
    notes: list[int] = field(default_factory=list)
    third: float = field(default=3.0, kw_only=True)


@quick
@dataclass(frozen=True, slots=True)
class Made:
    """The same fields."""

    first: int
    second: str = "two"
    notes: list[int] = field(default_factory=list)
    third: float = field(default=3.0, kw_only=True)


@quick
@dataclass(frozen=True, slots=True)
class Many:
    """More fields than are set one by one."""

    first: int
    second: str = "two"
    notes: list[int] = field(default_factory=list)
    third: float = field(default=3.0, kw_only=True)
    fifth: int = 5
    sixth: list[int] = field(default_factory=list, kw_only=True)


class Word(StrEnum):
    """Two members."""

    ONE = "one"
    TWO = "two"


GIVEN = [((1,), {}), ((1, "b"), {"third": 4.0}), ((), {"first": 1, "notes": [1]}), ((1, "b", [2]), {})]


@pytest.mark.parametrize(("by_place", "by_name"), GIVEN)
def test_it_is_made_as_the_dataclass_is(by_place, by_name):
    plain, made = Plain(*by_place, **by_name), Made(*by_place, **by_name)
    assert dataclasses.astuple(plain) == dataclasses.astuple(made)
    assert repr(made) == repr(plain).replace("Plain", "Made")
    assert made == Made(*by_place, **by_name)
    assert type(made) is Made


@pytest.mark.parametrize(("by_place", "by_name"), [((), {}), ((1, "b", [], 4.0), {}), ((1,), {"fourth": 4})])
def test_wrong_arguments_are_refused(by_place, by_name):
    for cls in (Plain, Made):
        with pytest.raises(TypeError):
            cls(*by_place, **by_name)


def test_its_signature_is_that_of_the_dataclass():
    """Also the names of what it takes, and their types."""
    names = [list(inspect.signature(cls).parameters) for cls in (Plain, Made)]
    assert names[0] == names[1]
    assert inspect.get_annotations(Made.__init__) == inspect.get_annotations(Plain.__init__)


def test_what_is_made_anew_is_nobody_elses():
    assert Made(1).notes is not Made(1).notes


def test_it_stays_frozen():
    made = replace(Made(1), first=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.first = 3


def test_replace_changes_what_is_named_and_keeps_the_rest():
    made = Made(1, notes=[1], third=5.0)
    changed = replace(made, second="other", third=6.0)
    assert changed == dataclasses.replace(made, second="other", third=6.0) == Made(1, "other", [1], third=6.0)
    assert changed.notes is made.notes
    assert made == Made(1, notes=[1], third=5.0)
    with pytest.raises(TypeError):
        replace(made, fourth=4)


def test_replace_takes_any_dataclass():
    assert replace(Plain(1), first=2) == Plain(2)


def test_copies_and_pickles_are_equal():
    made = Made(1, notes=[1])
    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made  # noqa: S301  # our own


def test_one_with_many_fields_is_like_one_with_few():
    """It is filled in another way, and nobody can tell."""
    made = Many(1, notes=[1], sixth=[6])
    changed = replace(made, second="other", fifth=7)
    assert dataclasses.astuple(made) == (1, "two", [1], 3.0, 5, [6])
    assert dataclasses.astuple(changed) == (1, "other", [1], 3.0, 7, [6])
    assert type(made) is type(changed) is Many
    assert changed == dataclasses.replace(made, second="other", fifth=7) == pickle.loads(pickle.dumps(changed))  # noqa: S301  # our own
    assert changed.notes is made.notes
    assert Many(1).sixth is not Many(1).sixth
    for one in (made, changed):
        with pytest.raises(dataclasses.FrozenInstanceError):
            one.first = 3


def test_members_are_those_of_the_enum():
    """The same objects under the same names, and nothing else: what is no member is not found."""
    assert vars(members(Word)) == dict(Word.__members__)
    assert members(Word).TWO is Word.TWO
    with pytest.raises(AttributeError):
        members(Word).THREE  # noqa: B018  # to ask for it is the point
