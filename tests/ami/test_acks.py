"""How long the switch took to answer lately."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ami.acks import FRESH_S, Acks

MOMENTS = st.lists(st.tuples(st.floats(0, 20), st.none() | st.floats(0, 5)), max_size=60)


@given(MOMENTS)
def test_whenever_it_is_asked_it_is_what_the_answers_of_the_last_half_minute_say(moments: list) -> None:
    acks, answers, now = Acks(), [], 0.0
    for later_s, took_s in moments:
        now += later_s
        if took_s is not None:
            acks.add(now, took_s)
            answers.append((now, took_s))
        lately = sorted(took for at, took in answers if at + FRESH_S >= now)
        assert acks.p95_s(now) == (lately[len(lately) * 95 // 100] if lately else 0.0)


def test_a_slow_switch_is_forgotten_by_time_alone() -> None:
    acks = Acks()
    acks.add(100.0, 3.0)
    assert acks.p95_s(101.0) == 3.0
    assert acks.p95_s(131.0) == 0.0
