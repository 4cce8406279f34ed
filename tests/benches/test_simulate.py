"""Three hundred days in one piece: what one leaves behind must not stay."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace

import pytest

from scripts.benches.simulate import one


class Thing:
    """Something of a day that holds itself, as floors, tasks and loops do."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def _own_garbage():
    """The days' way with garbage ends with the test."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("_own_garbage")
def test_a_day_is_forgotten_before_the_next_one_begins(monkeypatch):
    """What is frozen while it is garbage would stay for ever: 20 MB a day."""
    left: list[weakref.ref[Thing]] = []
    newest: list[Thing] = []
    still_there: list[int] = []

    def day(seed: int) -> SimpleNamespace:
        newest[:] = [Thing()]  # a loop holds its last day until it has a new one
        gc.collect()
        still_there.append(sum(thing() is not None for thing in left))
        left.append(weakref.ref(newest[0]))
        return SimpleNamespace(seed=seed, recent=("much",))

    monkeypatch.setattr("tests.sim.day.run_day", day)
    reports = [one(seed) for seed in (1, 2, 3)]
    assert still_there == [0, 0, 0]
    assert [report.recent for report in reports] == [(), (), ()]
