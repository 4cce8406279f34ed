"""The goals of the kill bench: each one that is missed is named in its last line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.world.judge import Stored
from scripts.benches.kill_judge import Figures, Kill, found_nobody

GOOD = Figures(
    kills=100,
    aimed=50,
    calls=12_000,
    calls_per_s=10.0,
    double_dials=0,
    unnamed=0,
    too_soon=0,
    saves=3_000,
    lost_saves=0,
    first_dial_s=[2.0] * 99 + [4.9],
    voice_s=[2.1, 2.0],
    unheard=0,
    talks=90,
    talks_on=90,
    took_s=1_800.0,
)


def test_a_run_that_meets_every_goal_says_only_its_figures() -> None:
    assert GOOD.good()
    assert GOOD.sentence().startswith("100 kills (50 after an answer with nobody free), 12000 calls, 10.0/s; ")


@pytest.mark.parametrize(
    ("missed", "name"),
    [
        ({"calls_per_s": 9.99}, "calls per second"),
        ({"aimed": 49}, "half of the kills after an answer with nobody free"),
        ({"took_s": 1_801.0}, "half an hour in all"),
        ({"double_dials": 1}, "double dials"),
        ({"too_soon": 1}, "double dials"),
        ({"unnamed": 1}, "calls that name no attempt"),
        ({"lost_saves": 1}, "lost dispositions"),
        ({"endless": 1}, "attempts without an end"),
        ({"orphans": 1}, "orphan channels"),
        ({"first_dial_s": [2.0] * 98 + [5.1, 5.1]}, "first dial"),
        ({"first_dial_s": [2.0] * 99}, "first dial"),
        ({"voice_s": [2.2]}, "first voice"),
        ({"unheard": 1}, "first voice"),
        ({"died": ["the service ended by itself with 1"]}, "the service ended by itself"),
    ],
)
def test_a_goal_that_is_missed_is_named(missed: dict[str, object], name: str) -> None:
    figures = replace(GOOD, **missed)  # type: ignore[arg-type]  # a table of fields
    assert figures.misses() == [name]
    assert figures.sentence().startswith(f"falls short ({name}); ")


@pytest.mark.parametrize(("connected_after_s", "counts"), [(None, True), (0.5, True), (0.1, False)])
def test_a_kill_counts_as_aimed_when_its_callee_met_nobody_at_the_answer(
    connected_after_s: float | None, counts: bool
) -> None:
    met = Stored(
        attempt_id="a",
        number="+12025550100",
        sent_at=10.0,
        ended_at=30.0,
        outcome="connected",
        answered_at=12.0,
        connected_at=None if connected_after_s is None else 12.0 + connected_after_s,
    )
    assert found_nobody([met], Kill(at=13.0, aimed_at="a")) is counts
    assert not found_nobody([met], Kill(at=13.0))
