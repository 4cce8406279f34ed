"""What the engine says of recordings while they are made, on a switch that answers when the test lets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from ami import actions
from dialer.core import events as ev
from dialer.core.model import Claim
from dialer.core.recording import Tape
from dialer.errors import Refused
from tests.core.floors import CAMPAIGN, NOON, attempt_id, session_id
from tests.engine.slow import slow_engine

OLGA = 3


class SlowLink:
    """A link whose switch answers when it is told to."""

    def __init__(self):
        self.sent = []

    def send(self, action):
        answer = asyncio.get_running_loop().create_future()
        self.sent.append((action, answer))
        return answer

    def answer(self):
        for _, answer in self.sent:
            if not answer.done():
                answer.set_result(None)

    def mutes(self):
        return [action.silent for action, _ in self.sent if isinstance(action, actions.Mute)]


class Talk:
    """Olga's conversation, in a campaign that records in this way."""

    def __init__(self, way="told"):
        self.engine = slow_engine()
        self.link = self.engine._switch.link = SlowLink()
        self.engine.recordings_kept(None)
        self.campaign(way)
        self.tell(ev.ShiftStarted(OLGA, session_id(OLGA), "Olga", 1, "seat-001"))
        self.tell(ev.LegWaiting(session_id(OLGA), NOON), ev.ReadyAsked(OLGA))

    def campaign(self, way):
        self.tell(ev.CampaignsRead([replace(CAMPAIGN, recording=way)]))

    def tell(self, *events):
        for event in events:
            self.engine._do(event)

    def dials(self, **of_claim):
        claim = Claim(
            attempt_id=attempt_id(1), campaign_id=1, contact_id=1, phone_id=1, e164="+12025550001", number=1, counted=0,
            sent_at=NOON, **of_claim,
        )  # fmt: skip
        self.tell(ev.Taken(claim))
        self.engine._dial(claim, self.engine.floor.campaigns[1])

    def begins(self):
        uid = attempt_id(1)
        self.tell(ev.Answered(uid, NOON), ev.CalleeWaits(uid, NOON))
        self.tell(ev.OperatorJoined(session_id(OLGA), "b", NOON), ev.CalleeJoined(uid, "b", NOON))

    def ends(self):
        self.tell(ev.CallEnded(attempt_id(1), NOON, 16, None, "no_answer"))

    @property
    def tape(self):
        return self.engine.operator(OLGA).recording

    @property
    def page(self):
        return self.engine.writer._page


async def test_two_clicks_at_a_slow_switch_are_one_pause():
    talk = Talk()
    talk.dials()
    talk.begins()
    clicks = [asyncio.create_task(talk.engine.pause_recording(OLGA)) for _ in range(2)]
    await asyncio.sleep(0.01)
    talk.link.answer()
    await asyncio.sleep(0.01)
    talk.link.answer()
    await asyncio.gather(*clicks)
    assert talk.tape is Tape.PAUSED
    assert len(talk.page.pauses) == 1


async def test_a_consent_that_comes_after_the_end_records_nothing():
    talk = Talk("consent")
    talk.dials()
    talk.begins()
    agreed = asyncio.create_task(talk.engine.resume_recording(OLGA))
    await asyncio.sleep(0)
    talk.ends()
    talk.link.answer()
    with pytest.raises(Refused) as refused:
        await agreed
    assert refused.value.code == "recording.none"
    assert talk.page.recordings == []


async def test_a_campaign_that_stopped_recording_lets_nobody_begin_one():
    talk = Talk()
    talk.dials()
    talk.campaign("off")
    talk.begins()
    assert talk.tape is None
    assert talk.link.mutes() == [True]
    with pytest.raises(Refused) as refused:
        await talk.engine.resume_recording(OLGA)
    assert refused.value.code == "recording.none"


@pytest.mark.parametrize("may_record", [True, False])
async def test_whom_another_law_protects_is_not_recorded(may_record):
    talk = Talk()
    talk.dials(may_record=may_record)
    [originate] = [action for action, _ in talk.link.sent if isinstance(action, actions.Originate)]
    assert ("DIALER_RECORD" in originate.variables) is may_record
    talk.begins()
    assert talk.tape is (Tape.TOLD if may_record else None)
    assert len(talk.page.recordings) == may_record
