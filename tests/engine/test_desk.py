"""What operators ask for, and what they are answered."""

from __future__ import annotations

import asyncio
from uuid import UUID

from dialer.core import events as ev
from dialer.core.model import OperatorState


async def test_a_pause_that_was_stored_is_answered_though_the_shift_ended_meanwhile(engine):
    """A page sees its pause before the answer comes, and may end the shift at once."""
    engine._do(ev.ShiftStarted(3, UUID(int=9), "Olga", 1, "seat-001"))
    pause = asyncio.create_task(engine.pause(3, "lunch"))
    await asyncio.sleep(0)
    await engine.end_shift(3)

    assert (await pause).state is OperatorState.PAUSED
    assert engine.operator(3) is None
