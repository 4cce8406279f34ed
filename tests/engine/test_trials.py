"""Test calls: one at a time, told as they happen, and never taken for a callee."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from ami import actions
from ami import events as heard
from ami.errors import NotConnected
from dialer.core.floor import Floor
from dialer.core.model import Trunk
from dialer.engine.switch import Switch, id_of
from dialer.engine.trials import LASTS, PER_HOUR_MAX, TRIAL
from dialer.errors import Refused
from tests.core.floors import NOON

PHONE = "+74951234567"
TRUNK = Trunk(id=1, name="carrier", kind="carrier", max_channels=10, calls_per_s=1, causes={"17/486": "rejected"})
UID = UUID(int=7)
CHANNEL = TRIAL + UID.hex


class Link:
    """Takes what is sent; nothing answers."""

    def __init__(self):
        self.sent = []
        self.up = True

    def send(self, action):
        if not self.up:
            raise NotConnected("down")
        self.sent.append(action)
        return asyncio.get_running_loop().create_future()


class Line:
    """A switch whose events a test makes up."""

    def __init__(self):
        self.link = Link()
        self.told = []
        self.switch = Switch(self.link, lambda _: {}, self.told.append, self.told.append)
        self.now = NOON

    def begin(self, uid=UID, number=PHONE):
        return self.switch.trials.begin(uid, TRUNK, number=number, caller_number="", now=self.now)

    def happens(self, *events):
        for event in events:
            self.now += timedelta(seconds=1)
            self.switch.take(event, self.now)

    @property
    def call(self):
        return self.switch.trials.view(UID, self.now)


@pytest.fixture
async def line():
    return Line()


def event(kind, **values):
    return kind(at=NOON.timestamp(), channel_id=CHANNEL, **values)


CREATED = {"name": "PJSIP/carrier-1"}


async def test_a_call_that_is_answered_is_told_step_by_step(line):
    line.begin()
    [sent] = line.link.sent
    assert (sent.endpoint, sent.number, sent.context) == ("carrier", PHONE[1:], "answered")
    states = []
    for one in (
        event(heard.ChannelCreated, **CREATED),
        event(heard.ChannelRinging),
        event(heard.Said, name="Answered"),
        event(heard.Said, name="Message"),
        event(heard.HungUp, cause=16),
    ):
        line.happens(one)
        states.append(line.call.state)
    assert states == ["dialling", "ringing", "answered", "message", "ended"]
    assert (line.call.outcome, line.call.cause) == ("answered", 16)
    assert line.call.rang_at < line.call.answered_at < line.call.message_at < line.call.ended_at


@pytest.mark.parametrize(
    ("cause", "sip_code", "word"),
    [(1, 404, "invalid_number"), (17, 486, "rejected"), (17, 600, "busy"), (0, None, "failed")],
)
async def test_why_it_was_not_answered_is_said_by_the_trunks_own_cause_map(line, cause, sip_code, word):
    line.begin()
    line.happens(event(heard.ChannelCreated, **CREATED), event(heard.HungUp, cause=cause, sip_code=sip_code))
    assert (line.call.outcome, line.call.cause, line.call.sip_code) == (word, cause, sip_code)


async def test_the_floor_never_hears_of_it(line):
    """No attempt, no callee: its channel is nobody's, in events and when the switch is looked at."""
    line.begin()
    line.happens(event(heard.ChannelCreated, **CREATED), event(heard.Said, name="Answered"))
    line.happens(event(heard.BridgeEntered, bridge_id="b", holding=True), event(heard.HungUp, cause=16))
    assert line.told == []
    assert id_of(CHANNEL) is None
    assert not Floor().attempts


async def test_there_is_one_at_a_time_and_not_many_an_hour(line):
    for number in range(PER_HOUR_MAX):
        line.begin(UUID(int=100 + number))
        with pytest.raises(Refused) as busy:
            line.begin()
        assert busy.value.code == "test_call.busy"
        line.now += LASTS
    with pytest.raises(Refused) as many:
        line.begin()
    assert many.value.code == "test_call.too_many"
    line.now += timedelta(hours=1)
    line.begin()


async def test_a_call_that_never_ends_is_hung_up(line):
    line.begin()
    line.happens(event(heard.ChannelCreated, **CREATED))
    line.now += LASTS
    assert (line.call.state, line.call.outcome) == ("ended", "unknown")
    assert line.link.sent[-1] == actions.Hangup(channel_id=CHANNEL)
    line.happens(event(heard.HungUp, cause=16))
    assert line.call.outcome == "unknown"


async def test_a_switch_that_takes_no_call_is_said(line):
    line.link.up = False
    with pytest.raises(Refused) as refused:
        line.begin()
    assert refused.value.code == "test_call.not_sent"
    assert line.call is None


async def test_a_failed_originate_is_believed_only_while_there_is_no_channel(line, monkeypatch):
    monkeypatch.setattr("dialer.engine.trials.NO_CHANNEL_S", 0.01)
    line.begin()
    line.happens(event(heard.Originated, success=False, reason=0), event(heard.ChannelCreated, **CREATED))
    await asyncio.sleep(0.05)
    assert line.call.state == "dialling"
    other = Line()
    other.begin()
    other.happens(event(heard.Originated, success=False, reason=0))
    await asyncio.sleep(0.05)
    assert (other.call.state, other.call.outcome) == ("ended", "failed")
