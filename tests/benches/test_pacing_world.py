"""The world of the pacing benchmark keeps its own laws."""

from __future__ import annotations

import pytest

from scripts.benches.pace.day import Count, Day, Dialer, Progressive
from scripts.benches.pace.runs import live, planned
from scripts.benches.pace.world import HOUR_S, Draws, scenario, thirty


class Ahead(Progressive):
    """Two lines per ready operator, and two ahead of them."""

    def calls(self, day: Day) -> int:
        return 2 * len(day.ready) + 2 - day.in_flight


def lived(name: str, dialer: Dialer, seed: int = 1, hours: float = 2.0) -> Count:
    return Day(scenario(name), dialer, seed, until_s=hours * HOUR_S).run()


@pytest.mark.parametrize("name", ["3:0.5", "10:0.25:drift", "30:0.1", "10:0.25:humps", "10:0.25:slow"])
@pytest.mark.parametrize("dialer", [Progressive, Ahead])
def test_all_available_time_is_talk_wrap_up_or_idle(name: str, dialer: type[Dialer]) -> None:
    count = lived(name, dialer(), hours=8)
    assert count.talk_s + count.wrap_up_s + count.idle_s == pytest.approx(count.available_s, rel=1e-9)
    assert count.answered == count.talks + count.abandoned


@pytest.mark.parametrize("name", ["1:0.5", "3:0.25", "30:0.5", "10:0.25:drift"])
def test_one_line_per_ready_operator_never_abandons(name: str) -> None:
    count = lived(name, Progressive(), hours=8)
    assert count.talks > 0
    assert (count.abandoned, count.noticed) == (0, 0)


def test_dialing_ahead_abandons() -> None:
    assert lived("10:0.5", Ahead()).abandoned > 0


def test_the_same_seed_is_the_same_day() -> None:
    assert lived("10:0.25:drift", Ahead(), seed=7) == lived("10:0.25:drift", Ahead(), seed=7)
    assert lived("10:0.25", Ahead(), seed=7) != lived("10:0.25", Ahead(), seed=8)


def test_the_kth_call_has_the_same_fate_whoever_dials() -> None:
    class Hearing(Progressive):
        def __init__(self) -> None:
            self.people: set[int] = set()
            self.nobody: set[int] = set()

        def answered(self, call: int, now_s: float) -> None:
            self.people.add(call)

        def ended(self, call: int, now_s: float, outcome: str) -> None:
            self.nobody.add(call)

    class HearingAhead(Hearing, Ahead):
        pass

    one, other = Hearing(), HearingAhead()
    lived("10:0.25", one)
    lived("10:0.25", other)
    assert len(one.people & other.people) > 100
    assert not one.people & other.nobody
    assert not other.people & one.nobody


def test_draws_do_not_depend_on_how_they_are_asked_for() -> None:
    one, other = Draws(scenario("3:0.5"), 3), Draws(scenario("3:0.5"), 3)
    one.more_talks()
    for _ in range(2):
        one.more_calls()
        other.more_calls()
    other.more_talks()
    assert (one.fate, one.ring_s, one.talk_s) == (other.fate, other.ring_s, other.talk_s)


@pytest.mark.parametrize(("p", "known"), [(0.10, 0.31), (0.25, 0.51), (0.50, 0.65)])
def test_progressive_is_as_busy_as_it_is_known_to_be(p: float, known: float) -> None:
    count = lived(f"30:{p}", Progressive(), hours=8)
    assert count.busy == pytest.approx(known, abs=0.012)


def test_the_laws_have_their_means() -> None:
    draws = Draws(scenario("3:0.5"), 1)
    for _ in range(20):
        draws.more_calls()
        draws.more_talks()
    means = [sum(values) / len(values) for values in (draws.set_up_s, draws.ring_s, draws.talk_s, draws.wrap_up_s)]
    assert means == pytest.approx([2.0, 8.9, 100.0, 20.0], rel=0.02)
    assert max(draws.ring_s) < 25.0


def test_ours_keeps_the_cap_in_every_window_and_beats_one_line_per_operator() -> None:
    runs = {name: live(planned(scenario("10:0.25"), name, days=1, window="cold")) for name in ("ours", "1:1")}
    assert 0 < runs["ours"].worst <= 0.03
    assert runs["ours"].count.busy > runs["1:1"].count.busy


def test_there_are_thirty_scenarios_and_each_is_found_by_its_name() -> None:
    names = [world.name for world in thirty()]
    assert len(set(names)) == 30
    assert [scenario(name) for name in names] == thirty()
