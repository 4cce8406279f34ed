"""What a recording holds, by the tones that phones say on a real Asterisk: both sides, apart, and silence where muted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ami.actions import Hangup, Mute
from ami.events import HungUp
from tests.real.phones import CALLEE_HZ, OPERATOR_HZ
from tests.real.softphone import RATE_HZ, level

if TYPE_CHECKING:
    from pathlib import Path

    from tests.real.phones import Call

pytestmark = [pytest.mark.real, pytest.mark.asyncio]

#: The edges of a stretch belong to both of its sides.
EDGE_S = 0.3
#: A phone's tone has a quarter of full scale.
LOUD = 0.2


def sides(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Callee and operator, from -1 to 1."""
    both = np.frombuffer(path.read_bytes(), "<i2").reshape(-1, 2) / 32768
    return both[:, 0], both[:, 1]


async def test_both_sides_are_in_the_file_apart_and_a_pause_is_silent_in_both(call: Call) -> None:
    """From the answer to the last word; the talk goes on through the pause, and the file is as long as the call."""
    loop = asyncio.get_running_loop()
    await call.begins(record=True)
    began = loop.time()
    await asyncio.sleep(2)
    await call.link.send(Mute(channel_id=call.attempt.channel_id, silent=True))
    paused = loop.time()
    await asyncio.sleep(2)
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=set())
    await call.link.send(Mute(channel_id=call.attempt.channel_id, silent=False))
    resumed = loop.time()
    await asyncio.sleep(2)
    await call.link.send(Hangup(channel_id=call.attempt.channel_id))
    await call.attempt.until(HungUp)
    ended = loop.time()
    await asyncio.sleep(0.5)
    callee, operator = sides(call.switch.home / "spool" / "monitor" / f"{call.attempt.channel_id[4:]}.raw")
    assert len(callee) / RATE_HZ == pytest.approx(ended - began, abs=0.5)

    def between(start: float, end: float) -> slice:
        return slice(*(len(callee) - round((ended - at) * RATE_HZ) for at in (start + EDGE_S, end - EDGE_S)))

    for part in (between(began, paused), between(resumed, ended)):
        assert level(callee[part], CALLEE_HZ) > LOUD
        assert level(callee[part], OPERATOR_HZ) < LOUD / 10
        assert level(operator[part], OPERATOR_HZ) > LOUD
        assert level(operator[part], CALLEE_HZ) < LOUD / 10
    assert not callee[between(paused, resumed)].any()
    assert not operator[between(paused, resumed)].any()


async def test_a_switch_that_cannot_write_ends_no_conversation(call: Call) -> None:
    """The folder of recordings is none, as on a broken disk: both go on talking."""
    folder = call.switch.home / "spool" / "monitor"
    folder.rmdir()
    folder.write_text("not a folder")
    await call.begins(record=True)
    await asyncio.sleep(1)
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=set())
