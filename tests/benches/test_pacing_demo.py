"""The demo's world in the event simulation."""

from __future__ import annotations

from scripts.benches.pace import demo


def test_a_demo_is_the_same_again_by_its_seed() -> None:
    assert demo.live(10, 120, 1) == demo.live(10, 120, 1)
    assert demo.live(10, 120, 1) != demo.live(10, 120, 2)


def test_a_demo_talks_and_keeps_the_cap_of_its_window() -> None:
    lived = demo.live(10, 300, 1)
    assert lived.count.talks > 200
    assert lived.count.busy > 0.5
    assert lived.worst <= 0.03


def test_every_answer_of_a_demo_is_served_or_lost_or_hung_up_at_once() -> None:
    count = demo.live(10, 300, 1).count
    assert count.talk_s + count.wrap_up_s + count.idle_s > 0.999 * count.available_s
    assert count.talks + count.abandoned <= count.answered <= 1.1 * count.talks
