"""Writes the world's log: listens to the pretended network's AMI and to nothing else."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from dialer.world.wire import Message

#: What a phone sends; a tone doubled or lost on the way makes it nobody's.
SEAT = re.compile(r"D(\d{3})C")

#: Tones further apart than this do not belong to one seat.
TONE_GAP_S_MAX = 1.0


@dataclass(slots=True)
class _Callee:
    number: str
    answered_at: float | None = None
    voiced: bool = False
    hung_up: bool = False
    tones: str = ""
    toned_at: float = 0.0
    heard: str = ""


class Listener:
    """Turns the network's AMI events into records. ``phones`` tells the channel of each seat that is up."""

    def __init__(self, log: TextIO) -> None:
        self._log = log
        self._callees: dict[str, _Callee] = {}
        self._seats: dict[str, str] = {}
        self.phones: dict[str, str] = {}

    def take(self, message: Message) -> None:
        """One AMI event, in order."""
        call, at = message.get("Uniqueid", ""), float(message.get("Timestamp") or time.time())
        match message.get("Event"):
            case "UserEvent":
                self._said(message, call, at)
            case "ChannelTalkingStart" if call in self._callees:
                self._voice(call, at)
            case "DTMFEnd" if call in self._callees and message.get("Direction") == "Received":
                self._tone(call, message.get("Digit", ""), at)
            case "Hangup":
                self._hangup(call, at, int(message.get("Cause") or 0))
            case _:
                pass

    def channel_of(self, number: str) -> str | None:
        """The channel of a call that is going on at a number (digits)."""
        return next((call for call, callee in self._callees.items() if callee.number == number), None)

    def callees(self) -> list[str]:
        """Channels of all calls that are going on at callees."""
        return list(self._callees)

    def _said(self, message: Message, call: str, at: float) -> None:
        name = message.get("UserEvent")
        if name == "Called":
            self._callees[call] = _Callee(message["Number"])
            who, call_id, attempt = message["Who"], message["CallId"], message.get("Attempt", "")
            self._write("called", call, at, who=who, call_id=call_id, attempt=attempt)
        elif name == "CallsBack":
            self._callees[call] = _Callee(message["Number"], answered_at=at)
            self._write("calls_back", call, at)
            self._write("answered", call, at)
        elif name == "PhoneCalled":
            seat = f"seat-{message['Seat']}"
            self.phones[seat], self._seats[call] = call, seat
            self._put({"at": at, "event": "phone_up", "call": call, "seat": seat})
        elif (callee := self._callees.get(call)) is not None:
            match name:
                case "Rang":
                    self._write("rang", call, at)
                case "Answered":
                    callee.answered_at = at
                    self._write("answered", call, at)
                case "Pressed":
                    self._write("pressed", call, at, key=message["Key"])
                case "HangsUp":
                    callee.hung_up = True
                case _:
                    pass

    def _voice(self, call: str, at: float) -> None:
        callee = self._callees[call]
        if callee.voiced or callee.answered_at is None:
            return
        callee.voiced = True
        self._write("first_voice", call, at, after_s=round(at - callee.answered_at, 3))

    def _tone(self, call: str, tone: str, at: float) -> None:
        callee = self._callees[call]
        near = at - callee.toned_at < TONE_GAP_S_MAX
        callee.tones, callee.toned_at = (callee.tones if near and tone != "D" else "") + tone, at
        self._voice(call, at)
        seat = SEAT.fullmatch(callee.tones)
        if seat is not None and seat[1] != callee.heard:
            callee.heard = seat[1]
            self._write("heard", call, at, seat=f"seat-{seat[1]}")

    def _hangup(self, call: str, at: float, cause: int) -> None:
        if (seat := self._seats.pop(call, None)) is not None:
            if self.phones.get(seat) == call:
                del self.phones[seat]
            self._put({"at": at, "event": "phone_down", "call": call, "seat": seat})
        elif (callee := self._callees.get(call)) is not None:
            refused = callee.answered_at is None and cause not in {0, 16, 26, 127}
            self._write("ended", call, at, by="callee" if callee.hung_up or refused else "dialer", cause=cause)
            del self._callees[call]

    def _write(self, event: str, call: str, at: float, **more: str | float) -> None:
        self._put({"at": at, "event": event, "call": call, "number": self._callees[call].number, **more})

    def _put(self, record: dict[str, str | float]) -> None:
        self._log.write(json.dumps(record) + "\n")
        self._log.flush()
