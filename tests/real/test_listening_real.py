"""Who hears whom when a supervisor is at a conversation, by the tones that phones say and hear on a real Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ami.actions import Hangup, Redirect
from ami.events import HungUp
from tests.real.phones import BOSS_HZ, CALLEE_HZ, OPERATOR_HZ

if TYPE_CHECKING:
    from tests.real.phones import Call

pytestmark = [pytest.mark.real, pytest.mark.asyncio]


async def test_each_mode_is_heard_by_whom_it_says_and_by_nobody_else(call: Call) -> None:
    """Listening is heard by nobody, whispering by the operator alone, joining by both; in one call, and it ends."""
    await call.begins()
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=set())
    both = {CALLEE_HZ, OPERATOR_HZ}
    await call.spies("listen")
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=both)
    await call.link.send(Redirect(channel_id=call.spy.channel_id, context="whisper"))
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ, BOSS_HZ}, boss=both)
    await call.link.send(Redirect(channel_id=call.spy.channel_id, context="join"))
    await call.hear(callee={OPERATOR_HZ, BOSS_HZ}, operator={CALLEE_HZ, BOSS_HZ}, boss=both)
    await call.link.send(Redirect(channel_id=call.spy.channel_id, context="listen"))
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=both)
    await call.link.send(Hangup(channel_id=call.spy.channel_id))
    await call.spy.until(HungUp)
    await call.hear(callee={OPERATOR_HZ}, operator={CALLEE_HZ}, boss=set())


async def test_a_voice_that_joined_is_gone_with_its_phone_and_the_talk_goes_on(call: Call) -> None:
    """The supervisor's phone is put down in the middle of a word; who ends the leg ends the spy."""
    await call.begins()
    await call.spies("join")
    await call.hear(callee={OPERATOR_HZ, BOSS_HZ}, operator={CALLEE_HZ, BOSS_HZ}, boss={CALLEE_HZ, OPERATOR_HZ})
    await call.link.send(Hangup(channel_id=call.leg.channel_id))
    await call.spy.until(HungUp)
    assert call.callee.talks
