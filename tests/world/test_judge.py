"""The judge finds every way in which a ledger and the world can differ."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dialer.world.judge import Stored, judge
from dialer.world.log import WorldCall, attempt_of

UNANSWERED = {"outcome": "no_answer", "answered_at": None, "connected_at": None, "seat": None}


def call(number: str = "12025550100", at: float = 100.0, **more: object) -> WorldCall:
    facts: dict[str, object] = {"ended_at": at + 10, "answered_at": at + 2, "seats": {"seat-001": at + 3}}
    return WorldCall(call=f"c{at}", number=number, who="person", call_id="", called_at=at, **{**facts, **more})


def attempt(number: str = "+12025550100", at: float = 99.9, **more: object) -> Stored:
    facts: dict[str, object] = {
        "ended_at": at + 10,
        "outcome": "connected",
        "answered_at": at + 2,
        "connected_at": at + 2,
        "seat": "seat-001",
    }
    return Stored(attempt_id=f"a{at}", number=number, sent_at=at, **{**facts, **more})


def test_a_ledger_that_says_what_the_world_saw_is_believed():
    """Counts are counts of what both sides tell."""
    verdict = judge([call()], [attempt()])
    assert (verdict.attempts, verdict.answered, verdict.connected, verdict.double_dials) == (1, 1, 1, 0)
    assert verdict.disagreements == []


def test_a_call_without_an_attempt_of_its_own_is_a_double_dial():
    """An Originate sent twice shows as one attempt and two calls."""
    verdict = judge([call(), call(at=120.0)], [attempt()])
    assert verdict.double_dials == 1
    assert len(verdict.disagreements) == 1


def test_a_test_call_of_an_admin_is_no_attempt_and_no_double_dial():
    """It says so in its INVITE."""
    tried = call(at=120.0, attempt_id=attempt_of("tst-" + "0" * 32))
    assert judge([call(), tried], [attempt()]).disagreements == []
    assert judge([call(), call(at=120.0, attempt_id=attempt_of("xyz"))], [attempt()]).double_dials == 1


def test_a_call_belongs_to_the_attempt_its_invite_names_and_to_no_other():
    """Two calls of one attempt are a double dial, though another attempt at the number would explain the second."""
    ledger = [attempt(), attempt(at=102.9, **UNANSWERED)]
    once = [call(attempt_id="a99.9", ended_at=102.5), call(at=103.0, attempt_id="a102.9", answered_at=None, seats={})]
    assert judge(once, ledger).double_dials == 0
    twice = [call(attempt_id="a99.9", ended_at=102.5), call(at=103.0, attempt_id="a99.9", answered_at=None, seats={})]
    assert judge(twice, ledger).double_dials == 1
    assert judge([call(attempt_id="a1")], [attempt()]).double_dials == 1


def test_a_second_call_while_the_first_goes_on_is_a_double_dial_even_with_an_attempt():
    """Nobody's phone rings while they talk to us."""
    verdict = judge([call(), call(at=103.0)], [attempt(), attempt(at=102.9)])
    assert verdict.double_dials == 1


def test_the_callee_must_have_heard_the_operator_of_the_ledger_and_nobody_else():
    """Who talked to whom is read from the tones each phone sends."""
    assert judge([call(seats={"seat-002": 103.0})], [attempt()]).disagreements
    assert judge([call(seats={"seat-001": 103.0, "seat-002": 104.0})], [attempt()]).disagreements
    assert judge([call(seats={})], [attempt()]).disagreements
    assert judge([call()], [attempt(outcome="abandoned", connected_at=None, seat=None)]).disagreements


def test_a_conversation_too_short_to_tell_the_seat_is_believed():
    """Two seconds do not hold a round of tones."""
    assert judge([call(seats={})], [attempt(ended_at=104.0)]).disagreements == []


def test_an_answer_only_one_side_saw_is_told_unless_it_crossed_our_hangup():
    """Answer and CANCEL may pass each other on the wire; nothing else may."""
    assert judge([call(seats={})], [attempt(**UNANSWERED)]).disagreements
    assert judge([call(seats={}, ended_at=102.1)], [attempt(**UNANSWERED)]).disagreements == []


def test_an_attempt_the_world_never_saw_is_told_unless_it_need_not_have_left():
    """Refused before the wire is no call; a busy line is."""
    facts = {"answered_at": None, "connected_at": None, "seat": None}
    assert judge([], [attempt(outcome="busy", **facts)]).disagreements
    assert judge([], [attempt(outcome="not_sent", **facts)]).disagreements == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50)), max_size=12, unique=True))
def test_an_honest_ledger_is_never_blamed(dialled: list[tuple[int, int]]):
    """However often and whomever we called, one after the other: no double dial, no disagreement."""
    calls = [call(f"1202555010{who}", at=1000.0 * when) for who, when in dialled]
    ledger = [attempt(f"+1202555010{who}", at=1000.0 * when - 0.1) for who, when in dialled]
    verdict = judge(calls, ledger)
    assert (verdict.double_dials, verdict.disagreements) == (0, [])
    assert verdict.connected == len(dialled)
