"""The audit between memory and the database, while both go on changing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from dialer.core import events as ev
from dialer.core.model import AttemptState, LiveAttempt
from dialer.engine.engine import Engine
from tests.core.floors import CAMPAIGN, NOON

ATTEMPT = LiveAttempt(
    id=UUID(int=7),
    campaign_id=CAMPAIGN.id,
    contact_id=1,
    phone_id=1,
    e164="+12025550101",
    number=1,
    counted=0,
    state=AttemptState.RINGING,
    sent_at=NOON - timedelta(seconds=20),
    rang_at=NOON - timedelta(seconds=18),
)


def known(engine: Engine, attempt: LiveAttempt) -> None:
    """The attempt is in the database and in memory."""
    engine._store.live[attempt.id] = attempt
    engine._do(ev.Recovered([attempt], []))


async def test_an_attempt_that_ends_while_the_audit_waits_for_the_journal_stays_ended(engine):
    known(engine, ATTEMPT)
    other = replace(ATTEMPT, id=UUID(int=8), phone_id=2, state=AttemptState.SENT, rang_at=None)
    known(engine, other)
    engine._store.meanwhile.append(lambda: engine._do(ev.CallEnded(ATTEMPT.id, NOON, 17, 486, "busy")))
    engine._do(ev.Rang(other.id, NOON))  # gives the writer something to write

    await engine._end_orphans()

    assert set(engine.floor.attempts) == {other.id}
    assert sum(engine.outcome_counts().values()) == 1


async def test_a_row_that_nobody_heard_of_ends_as_not_sent(engine):
    engine._store.live[ATTEMPT.id] = replace(ATTEMPT, state=AttemptState.SENT, rang_at=None)

    await engine._end_orphans()
    await engine.writer.drained()

    assert not engine._store.live
    assert engine.outcome_counts() == {"not_sent": 1}
