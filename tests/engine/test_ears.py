"""Supervisors' phones on the switch: called once, ended with the conversation, and never taken for a callee."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from ami import actions
from ami import events as heard
from ami.errors import ActionRefused, NotConnected
from ami.events import ChannelState, SwitchSnapshot
from dialer.core.listening import How, Mode
from dialer.core.model import OperatorState
from dialer.engine.ears import EAR, channel_of
from dialer.engine.switch import LEG, Switch, id_of
from dialer.engine.switch import channel_of as leg_of
from tests.core.floors import session_id
from tests.core.test_listening import BOSS, EVA, LATER, asks, ear, operator


class Link:
    """Takes what is sent, and answers as a test says."""

    def __init__(self):
        self.sent, self.answers, self.up, self.channels = [], [], True, []

    def send(self, action):
        if not self.up:
            raise NotConnected("down")
        self.sent.append(action)
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]

    async def snapshot(self):
        return SwitchSnapshot(version="22", started_at=0.0, channels=tuple(self.channels))


class Line:
    def __init__(self):
        self.link, self.told, self.changed = Link(), [], []
        self.switch = Switch(self.link, lambda _: {}, self.told.append, self.changed.append)
        self.ears = self.switch.ears

    def happens(self, kind, n=1, **values):
        self.switch.take(kind(at=LATER.timestamp(), channel_id=channel_of(ear(n)), **values), LATER)

    def spying(self, mode):
        self.happens(heard.Said, name="Spying", fields={"Mode": mode})


@pytest.fixture
async def line():
    made = Line()
    made.ears.begin(asks(), operator())
    return made


async def test_the_phone_is_called_into_the_mode_with_the_operators_leg_and_nothing_a_person_typed(line):
    [sent] = line.link.sent
    assert (sent.channel_id, sent.endpoint, sent.number, sent.context) == (
        channel_of(ear(1)),
        "seat-009-web",
        None,
        "listen",
    )
    assert sent.variables == {"DIALER_SPY_ON": leg_of(LEG, session_id(EVA))}
    assert sent.tells_id


async def test_a_mode_is_changed_in_the_same_call(line):
    line.spying("listen")
    line.ears.change(BOSS, Mode.JOIN, LATER)
    assert line.link.sent[1:] == [actions.Redirect(channel_id=channel_of(ear(1)), context="join")]
    line.spying("join")
    assert [one.mode for one in line.changed] == [Mode.LISTEN, Mode.JOIN]


async def test_the_end_of_the_conversation_hangs_it_up_and_is_told_once(line):
    line.spying("listen")
    line.ears.moved({EVA: operator(state=OperatorState.WRAP_UP)}, LATER)
    assert line.link.sent[-1] == actions.Hangup(channel_id=channel_of(ear(1)))
    line.happens(heard.HungUp, cause=16)
    assert [one.how for one in line.changed if one.ended_at] == [How.CONVERSATION]


@pytest.mark.parametrize("why", ["refused", "no phone", "down"])
async def test_a_phone_that_is_not_there_is_said(why):
    line = Line()
    line.link.up = why != "down"
    line.ears.begin(asks(), operator())
    if why == "refused":
        line.link.answers[0].set_exception(ActionRefused("no"))
        await asyncio.sleep(0)
    elif why == "no phone":
        line.happens(heard.Originated, success=False, reason=0)
    assert [one.how for one in line.changed] == [How.NOT_ANSWERED]


async def test_a_look_at_the_switch_takes_it_for_nothing_else_and_hangs_up_what_is_not_ours(line):
    def up(channel_id):
        return ChannelState(
            channel_id=channel_id,
            name=channel_id,
            state="Up",
            context="join",
            application="ChanSpy",
            bridge_id="",
            duration_s=1.0,
        )

    line.spying("listen")
    line.link.channels = [up(channel_of(ear(1))), up(channel_of(ear(9))), up(f"{EAR}strange")]
    found = await line.switch.look(lambda: LATER)
    assert (found.calls, found.legs) == ({}, {})
    assert line.link.sent[1:] == [actions.Hangup(channel_id=channel_of(ear(9)))]
    line.link.channels = []
    await line.switch.look(lambda: LATER)
    assert [one.how for one in line.changed if one.ended_at] == [How.HUNG_UP]


async def test_the_floor_never_hears_of_it(line):
    line.happens(heard.ChannelCreated, name="PJSIP/seat-009-web-1")
    line.spying("listen")
    line.happens(heard.HungUp, cause=16)
    assert line.told == []
    assert id_of(channel_of(UUID(int=1))) is None
