"""A checker that never barks is no checker: each test breaks one thing on purpose and sees it caught."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from ami.actions import Originate
from dialer.core import budget as law
from dialer.core import cover, hours, pacing, retry
from dialer.core.floor import Floor
from dialer.core.model import OperatorState, Outcome
from dialer.engine.engine import Engine
from dialer.engine.ports import Recovered
from dialer.engine.returns import Returns
from dialer.engine.switch import Switch
from tests.sim import operators
from tests.sim.checker import Checker
from tests.sim.day import Shape, run_day
from tests.sim.gate import Gate
from tests.sim.memory import Tables
from tests.sim.site import TrappedLink

HOUR = Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=1e9)


def broke(seed=1, shape=HOUR):
    """What the checker says of a day."""
    return run_day(seed, shape).failure or ""


def supervisors_rest(monkeypatch, every_s=1e9):
    """How often supervisors forbid a number."""
    monkeypatch.setattr(operators.Supervisor.__init__, "__kwdefaults__", {"every_s": every_s})


def greedy(monkeypatch):
    """A pacing that always wants three more lines."""
    decide = pacing.decide

    def more(snapshot, learned, policy):
        return replace(decide(snapshot, learned, policy), calls=min(3, policy.room_trunk))

    monkeypatch.setattr(pacing, "decide", more)


def test_an_originate_that_is_sent_again_is_caught(monkeypatch):
    """I2: a link that repeats what it is not sure of, as panoramisk does after a reconnect."""
    send = TrappedLink.send

    def twice(self, action):
        future = send(self, action)
        if isinstance(action, Originate) and action.number and len(self.sent) % 50 == 0:
            self._loop.call_later(60, self._host.do, action)
        return future

    monkeypatch.setattr(TrappedLink, "send", twice)
    assert "I2" in broke()


def test_a_store_without_the_phone_key_is_caught(monkeypatch):
    """I1: two contacts share a number, and nothing in the store knows."""

    def phone_of_its_own(gate, e164):
        from tests.sim.rows import Phone

        phone = Phone(len(gate.phones) + 1, "+442012345678" if len(gate.phones) % 2 else e164)
        gate.phones[phone.id] = phone
        return phone

    monkeypatch.setattr(Gate, "_phone", phone_of_its_own)
    supervisors_rest(monkeypatch)
    monkeypatch.setattr(Checker, "i3_i4_limits_and_gaps", lambda *_, **_held: None)
    assert "I1:" in broke()


def test_a_budget_that_is_not_asked_is_caught(monkeypatch):
    """I20: lines start as if there were no cap, and the table has no check either."""
    monkeypatch.setattr(law, "room", lambda *_, **__: 30)
    monkeypatch.setattr(law, "holds", lambda *_, **__: True)
    monkeypatch.setattr(law, "uncovered_max", lambda *_, **__: 30)
    greedy(monkeypatch)
    assert "I20" in broke()


def test_a_check_of_the_budget_in_the_table_is_met_first(monkeypatch):
    """I20: the engine's own room is wrong, and the CHECK of the database refuses the claim."""
    monkeypatch.setattr(law, "room", lambda *_, **__: 30)
    greedy(monkeypatch)
    assert "abandon_cap" in broke()


def test_operators_who_leave_when_they_like_are_caught(monkeypatch):
    """I20: pauses are given although the budget counts on the operator."""
    monkeypatch.setattr(cover.Cover, "may_leave", lambda *_, **__: True)
    failures = [broke(seed, Shape(hours=3, campaigns=3, fault_every_s=1e9)) for seed in range(1, 9)]
    assert any("I20" in failure for failure in failures)


def test_a_list_the_engine_is_not_told_of_is_caught(monkeypatch):
    """I8: a number is forbidden while it rings, and rings on."""

    async def deaf(*_):
        return None

    monkeypatch.setattr(Engine, "do_not_call_added", deaf)
    supervisors_rest(monkeypatch, 20.0)
    assert "I8" in broke()


def test_a_gate_without_the_list_is_caught(monkeypatch):
    """I8: forbidden numbers are dialled."""
    monkeypatch.setattr(Tables, "forbidden", lambda *_: False)
    monkeypatch.setattr(operators, "covered", lambda *_: True)
    supervisors_rest(monkeypatch, 20.0)
    assert "I8" in broke()


def test_a_gate_that_forgets_the_window_is_caught(monkeypatch):
    """I5: New York is called in the night."""
    asked = hours.may_call
    monkeypatch.setattr("tests.sim.gate.hours.may_call", lambda *_: True)
    monkeypatch.setattr("tests.sim.checker.hours", type("Hours", (), {"may_call": staticmethod(asked)}))
    assert "I5" in broke()


def test_a_gap_that_is_not_kept_is_caught(monkeypatch):
    """I4: people are called again at once."""
    ended = retry.ended

    def impatient(attempt, campaign, outcome, **known):
        told = ended(attempt, campaign, outcome, **known)
        return replace(told, next_at=told.next_at and told.ended_at, phone_not_before=None, phone_held_until=None)

    monkeypatch.setattr(retry, "ended", impatient)
    monkeypatch.setattr(Gate, "_refusal", lambda *_: (None, None))
    supervisors_rest(monkeypatch)
    assert "I4" in broke() or "I3" in broke()


def test_a_bridge_to_the_wrong_operator_is_caught(monkeypatch):
    """I21: a callee is bridged to somebody who talks already."""
    connect = Switch.connect
    used = []

    def always_the_first(self, attempt_id, session_id):
        used.append(session_id)
        connect(self, attempt_id, used[0])

    monkeypatch.setattr(Switch, "connect", always_the_first)
    assert any("I21" in (used.clear(), broke(seed))[1] for seed in range(1, 6))


def test_a_call_to_somebody_in_a_pause_is_caught(monkeypatch):
    """I25: the page says paused, and the engine has not heard of it."""

    async def deaf(self, operator_id, reason):
        return replace(self._view(operator_id), state=OperatorState.PAUSED)

    monkeypatch.setattr(Engine, "pause", deaf)
    assert "I25" in broke()


def test_saying_saved_before_it_is_saved_is_caught(monkeypatch):
    """I14: the page says saved, and the commit is still to come when the service dies."""

    async def hasty(service, operator_id, attempt_id, key, form):
        tables, now = service.site.database.tables, service.clock.now()
        commit = service.site.database.ask(
            lambda: tables.save_disposition(attempt_id, key, form, operator_id, now), kind="save"
        )
        service.task = asyncio.ensure_future(commit)
        service.task.add_done_callback(asyncio.Task.exception)

    monkeypatch.setattr(operators, "save", hasty)
    failing = Shape(
        hours=1.5, contacts=300, campaigns=3, fault_every_s=60.0, faults=("database_down", "commit_answers_lost")
    )
    assert "I14" in broke(1, failing)


def test_an_engine_that_does_not_look_after_a_crash_is_caught(monkeypatch):
    """I12, I13: what was going on when the last engine died stays as it was."""
    monkeypatch.setattr(Tables, "recover", lambda self, switch: Recovered())
    failing = Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=300.0, faults=("kill",))
    assert any(word in broke(1, failing) for word in ("I1", "I24", "operator_live_seat_key"))


def test_a_woken_engine_that_goes_on_dialling_is_caught(monkeypatch):
    """I33: a claim that is a minute old is written, and nobody looked whether the lease was renewed meanwhile."""
    monkeypatch.setattr("dialer.engine.campaigns.SEND_WITHIN_S", 1e9)
    monkeypatch.setattr(Engine, "stopped_because", lambda self: None if self._synced else "switch_down")
    failing = Shape(hours=1.5, contacts=300, campaigns=3, fault_every_s=300.0, faults=("frozen_after_claim",))
    assert "I33" in broke(1, failing)


RETURNS = replace(HOUR, returns=0.3)


def test_a_caller_whom_nobody_tells_is_caught(monkeypatch):
    """Nobody could serve, and only the dialplan's own clock ends the wait."""
    monkeypatch.setattr(Returns, "_turn_away", lambda *_: None)
    assert "a caller waited too long" in broke(shape=RETURNS)


def test_a_missed_caller_who_is_owed_nothing_is_caught(monkeypatch):
    """I17: the fact is kept, and no promise follows from it."""
    monkeypatch.setattr(Tables, "_owe", lambda *_: None)
    assert "I17 missed, and nothing is owed" in broke(shape=RETURNS)


def test_a_caller_who_is_put_through_while_we_ring_there_is_caught(monkeypatch):
    """I1: our own line is written off, and rings on."""

    def written_off(self, attempt, by):
        self._end(attempt, Outcome.CANCELLED, by, attempt.sent_at, attempt.sent_at)

    monkeypatch.setattr(Floor, "_end_call", written_off)
    supervisors_rest(monkeypatch)
    assert "I1 put through while we ring there" in broke(shape=replace(RETURNS, returns=1.0))


def test_a_caller_who_is_counted_as_our_own_call_is_caught(monkeypatch):
    """A conversation with somebody who called us uses up an attempt."""
    came_back = retry._came_back
    monkeypatch.setattr(retry, "_came_back", lambda *told, **more: replace(came_back(*told, **more), counts=True))
    assert "a caller is counted as a call we made" in broke(shape=RETURNS)


def test_a_call_back_that_our_own_last_attempt_closes_is_caught(monkeypatch):
    """I17: missed while our own line plays to a machine, and the attempts of the contact are used up by that."""
    monkeypatch.setattr(retry, "owed_beside", lambda ended: ended)
    assert "I17 a pending promise nobody looks at" in broke(17, RETURNS)
