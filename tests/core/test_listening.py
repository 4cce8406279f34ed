"""A supervisor at a conversation: in which mode, for how long, and who is shown it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.listening import (
    SETTLE,
    CallEar,
    Ears,
    EndEar,
    How,
    Listening,
    ListeningEnded,
    Mode,
    ModeHeard,
    SendEar,
)
from dialer.core.model import LiveOperator, OperatorState
from dialer.core.presence import Held, NotNow, Operator
from tests.core.floors import NOON, attempt_id, session_id

EVA, BOSS, CHIEF = 1, 21, 22
LATER = NOON + timedelta(minutes=1)


def ear(n: int) -> UUID:
    return UUID(int=0xE000 + n)


def asks(n: int = 1, *, user_id: int = BOSS, operator_id: int = EVA, mode: Mode = Mode.LISTEN, **more) -> Listening:
    values = {"name": "Boss", "seat": "seat-009-web", "campaign_id": 1, "began_at": NOON} | more
    return Listening(
        id=ear(n),
        user_id=user_id,
        operator_id=operator_id,
        attempt_id=attempt_id(operator_id),
        session_id=session_id(operator_id),
        asked=mode,
        **values,
    )


def operator(n: int = EVA, state: OperatorState = OperatorState.TALKING, **more) -> Operator:
    live = LiveOperator(
        operator_id=n,
        session_id=session_id(n),
        seat=f"seat-{n:03}",
        team_id=1,
        name="Eva",
        state=state,
        since=NOON,
        campaign_id=1,
        attempt_id=attempt_id(n),
    )
    return Operator(live=live, **more)


@pytest.fixture
def ears() -> Ears:
    made = Ears()
    assert made.begin(asks(), operator()) == [CallEar(asks())]
    return made


def on(ears: Ears, mode: Mode = Mode.LISTEN) -> None:
    [told] = ears.spying(ear(1), mode)
    assert told == ModeHeard(ears.of(BOSS))


def ended(effects) -> list[How]:
    return [effect.listening.how for effect in effects if isinstance(effect, ListeningEnded)]


@pytest.mark.parametrize("op", [None, operator(state=OperatorState.READY), operator(state=OperatorState.WRAP_UP)])
def test_only_who_talks_can_be_heard(op):
    with pytest.raises(NotNow) as no:
        Ears().begin(asks(), op)
    assert no.value.code == "listening.not_talking"


def test_a_mode_is_shown_when_the_switch_has_said_it(ears):
    assert ears.of(BOSS).mode is None
    on(ears)
    assert ears.change(BOSS, Mode.JOIN) == [SendEar(ear(1), Mode.JOIN)]
    assert ears.of(BOSS).mode is Mode.LISTEN
    assert ears.change(BOSS, Mode.JOIN) == []
    on(ears, Mode.JOIN)
    assert ears.of(BOSS).mode is Mode.JOIN


def test_no_mode_is_changed_while_the_phone_is_called_or_after_the_end(ears):
    with pytest.raises(NotNow) as early:
        ears.change(BOSS, Mode.WHISPER)
    assert early.value.code == "listening.calling"
    ears.stop(BOSS, LATER)
    with pytest.raises(NotNow) as late:
        ears.change(BOSS, Mode.WHISPER)
    assert late.value.code == "listening.none"


@pytest.mark.parametrize(
    ("after", "how"),
    [
        ({EVA: operator(state=OperatorState.WRAP_UP)}, How.CONVERSATION),
        ({EVA: replace(operator(), live=replace(operator().live, attempt_id=attempt_id(7)))}, How.CONVERSATION),
        ({}, How.CONVERSATION),
        ({EVA: operator(held=Held(until=LATER))}, How.PHONE_LOST),
    ],
)
def test_it_ends_with_its_conversation_and_never_goes_on_to_the_next(ears, after, how):
    on(ears)
    assert ears.moved({EVA: operator()}, LATER) == []
    effects = ears.moved(after, LATER)
    assert effects[0] == EndEar(ear(1))
    assert ended(effects) == [how]
    assert ears.of(BOSS) is None
    assert (ears.last[BOSS].how, ears.last[BOSS].ended_at) == (how, LATER)
    assert ears.moved(after, LATER) == []


def test_a_phone_nobody_takes_up_is_told_from_one_that_is_put_down(ears):
    assert ended(ears.gone(ear(1), LATER)) == [How.NOT_ANSWERED]
    ears.begin(asks(2), operator())
    ears.spying(ear(2), Mode.LISTEN)
    effects = ears.gone(ear(2), LATER)
    assert ended(effects) == [How.HUNG_UP]
    assert not any(isinstance(effect, EndEar) for effect in effects)


def test_who_goes_to_another_conversation_leaves_the_first(ears):
    other = asks(2, operator_id=2)
    effects = ears.begin(other, operator(2))
    assert effects[0] == EndEar(ear(1))
    assert ended(effects) == [How.MOVED]
    assert effects[-1] == CallEar(other)
    assert ears.of(BOSS) == other


def test_a_phone_of_an_earlier_service_is_hung_up_and_one_that_is_not_there_is_over(ears):
    assert ears.spying(ear(9), Mode.LISTEN) == [EndEar(ear(9))]
    assert ears.seen({ear(1), ear(9)}, LATER) == [EndEar(ear(9))]
    assert ears.seen(set(), NOON + SETTLE) == []
    assert ended(ears.seen(set(), LATER)) == [How.HUNG_UP]


def test_whether_a_listener_is_shown_is_the_campaigns_rule_and_a_voice_always_is(ears):
    assert ears.shown_to(EVA) is None
    on(ears)
    assert ears.shown_to(EVA) is Mode.LISTEN
    ears.begin(asks(2, user_id=CHIEF, shown=False), operator())
    ears.stop(BOSS, LATER)
    ears.spying(ear(2), Mode.LISTEN)
    assert ears.shown_to(EVA) is None
    for mode in (Mode.WHISPER, Mode.JOIN):
        ears.spying(ear(2), mode)
        assert ears.shown_to(EVA) is mode
    assert ears.shown_to(2) is None


STEPS = st.one_of(
    st.tuples(st.just("begin"), st.integers(1, 3), st.integers(1, 2)),
    st.tuples(st.just("change"), st.integers(1, 3), st.sampled_from(Mode)),
    st.tuples(st.just("stop"), st.integers(1, 3), st.none()),
    st.tuples(st.just("spying"), st.integers(0, 9), st.sampled_from(Mode)),
    st.tuples(st.just("gone"), st.integers(0, 9), st.none()),
    st.tuples(st.just("floor"), st.sets(st.integers(1, 2)), st.none()),
    st.tuples(st.just("seen"), st.sets(st.integers(0, 9)), st.none()),
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_happens_each_call_is_ended_once_and_nobody_hears_two(steps):
    """At the end of any day all phones that were called are off the line, each with one reason."""
    ears, told, began = Ears(), [], 0

    def begin(which, what, now):
        nonlocal began
        began += 1
        return ears.begin(asks(began, user_id=which, operator_id=what, began_at=now), operator(what))

    do = {
        "begin": begin,
        "change": lambda which, what, _: ears.change(which, what),
        "stop": lambda which, _, now: ears.stop(which, now),
        "spying": lambda which, what, _: ears.spying(ear(which), what),
        "gone": lambda which, _, now: ears.gone(ear(which), now),
        "floor": lambda which, _, now: ears.moved({n: operator(n) for n in which}, now),
        "seen": lambda which, _, now: ears.seen({ear(n) for n in which}, now),
    }
    for place, (kind, which, what) in enumerate(steps):
        try:
            told += do[kind](which, what, NOON + timedelta(seconds=place))
        except NotNow:
            continue
        assert len({one.user_id for one in ears.active.values()}) == len(ears.active)
    told += ears.stop_all(LATER)
    called = [effect.listening.id for effect in told if isinstance(effect, CallEar)]
    over = [effect.listening.id for effect in told if isinstance(effect, ListeningEnded)]
    assert sorted(called) == sorted(over)
    assert all(
        effect.listening.how and effect.listening.ended_at for effect in told if isinstance(effect, ListeningEnded)
    )
