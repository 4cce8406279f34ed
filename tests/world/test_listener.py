"""The world's log holds what the pretended network's Asterisk says, and nothing else."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from dialer.world import log
from dialer.world.listener import Listener


class Network:
    """The network's AMI, event by event; each is a tenth of a second after the last."""

    def __init__(self) -> None:
        self.written = io.StringIO()
        self.listener = Listener(self.written)
        self.at = 1000.0

    def tell(self, event: str, call: str = "1.1", **fields: str) -> Network:
        self.at += 0.1
        self.listener.take({"Event": event, "Uniqueid": call, "Timestamp": f"{self.at:.6f}", **fields})
        return self

    def say(self, what: str, call: str = "1.1", **fields: str) -> Network:
        return self.tell("UserEvent", call, UserEvent=what, **fields)

    def answered(self, number: str = "12025550100") -> Network:
        return self.say("Called", Number=number, Who="person", CallId="x").say("Rang").say("Answered")

    def tones(self, tones: str, call: str = "1.1") -> Network:
        for tone in tones:
            self.tell("DTMFEnd", call, Digit=tone, Direction="Received")
        return self

    def calls(self, tmp_path: Path) -> list[log.WorldCall]:
        (tmp_path / "log").write_text(self.written.getvalue())
        return log.calls(tmp_path / "log")


def test_a_conversation_is_told_from_the_invite_to_the_hangup(tmp_path: Path):
    """Called, rang, answered, first voice, who was heard, who hung up."""
    network = Network().answered().tell("ChannelTalkingStart").tones("D007C").say("HangsUp").tell("Hangup", Cause="16")
    [call] = network.calls(tmp_path)
    assert (call.number, call.who, set(call.seats)) == ("12025550100", "person", {"seat-007"})
    assert call.first_voice_at - call.answered_at == pytest.approx(0.1)
    assert (call.ended_by, call.cause) == ("callee", 16)


@pytest.mark.parametrize("tones", ["D00C", "D0007C", "007C", "D0D07C", "D007"])
def test_a_garbled_seat_is_nobodys(tones: str, tmp_path: Path):
    """A tone lost or doubled on the way never names a wrong operator."""
    [call] = Network().answered().tones(tones).calls(tmp_path)
    assert call.seats == {}


def test_a_garbled_seat_does_not_spoil_the_next_round(tmp_path: Path):
    """Each round of tones begins anew."""
    [call] = Network().answered().tones("D00C").tones("D007C").calls(tmp_path)
    assert set(call.seats) == {"seat-007"}


def test_tones_the_callee_itself_sends_are_not_heard(tmp_path: Path):
    """Only what is received counts."""
    network = Network().answered()
    for tone in "D007C":
        network.tell("DTMFEnd", Digit=tone, Direction="Sent")
    [call] = network.calls(tmp_path)
    assert call.seats == {}


def test_voice_before_the_answer_is_no_first_voice(tmp_path: Path):
    """What is measured is the time from the answer."""
    network = Network().say("Called", Number="12025550100", Who="person", CallId="x").tell("ChannelTalkingStart")
    network.say("Answered").tell("ChannelTalkingStart")
    [call] = network.calls(tmp_path)
    assert call.first_voice_at > call.answered_at


@pytest.mark.parametrize(("cause", "by"), [("17", "callee"), ("16", "dialer"), ("26", "dialer"), ("0", "dialer")])
def test_an_unanswered_call_was_refused_there_or_given_up_here(cause: str, by: str, tmp_path: Path):
    """A refusal is the network's, a CANCEL is ours."""
    network = Network().say("Called", Number="12025550100", Who="busy", CallId="x").tell("Hangup", Cause=cause)
    assert network.calls(tmp_path)[0].ended_by == by


def test_a_phone_is_known_by_its_seat_while_it_is_up(tmp_path: Path):
    """A test can take exactly this operator's phone away."""
    network = Network().say("PhoneCalled", "2.1", Seat="003")
    assert network.listener.phones == {"seat-003": "2.1"}
    network.tell("Hangup", "2.1", Cause="16")
    assert network.listener.phones == {}
    assert [json.loads(line)["event"] for line in network.written.getvalue().splitlines()] == ["phone_up", "phone_down"]


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path):
    """A reader beside the writer never sees half a record."""
    (tmp_path / "log").write_text(
        '{"event": "called", "call": "1", "at": 1, "number": "2", "who": "p", "call_id": ""}\n{"ev'
    )
    assert len(log.calls(tmp_path / "log")) == 1
    assert log.calls(tmp_path / "none") == []
