"""The world's own log: what the pretended network saw, written by nobody of the dialer; the judge in every test.

One JSON object a line. ``at`` is wall-clock seconds by the network's Asterisk; ``call`` its channel.

    called       number, who, call_id (SIP),     an INVITE for a callee arrived; attempt: as its header
                 attempt                         X-Dialer-Attempt says, "" without one
    calls_back   number                          somebody calls a number that was shown; answered, heard, ended as below
    rang         number                          it rings there
    answered     number
    first_voice  number, after_s                 the first voice (or seat tones) heard there, seconds after the answer
    heard        number, seat                    the callee hears the phone of this seat: they are connected
    pressed      number, key                     the callee pressed a key
    ended        number, by, cause               by: callee, or dialer
    phone_up     seat                            an operator's phone was called and picked up
    phone_down   seat
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, Any]

#: In place of an attempt: an admin tried a trunk.
TEST_CALL = "test call"


@dataclass(slots=True, kw_only=True)
class WorldCall:
    """One call at a callee, put together from its records. Times are seconds since the epoch, None for never."""

    call: str
    number: str
    who: str
    call_id: str
    called_at: float
    attempt_id: str = ""
    """The attempt the INVITE said it belongs to, "" if it said none."""
    rang_at: float | None = None
    answered_at: float | None = None
    first_voice_at: float | None = None
    seats: dict[str, float] = field(default_factory=dict)
    """Seats heard, and when each was first heard."""
    keys: list[str] = field(default_factory=list)
    ended_at: float | None = None
    ended_by: str | None = None
    cause: int | None = None


def records(path: Path) -> Iterator[Record]:
    """The records so far; a last line that is still being written is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


def calls(path: Path, *, begun_by: str = "called") -> list[WorldCall]:
    """All calls at callees so far, in the order they arrived; or, begun by ``calls_back``, those that people made."""
    found: dict[str, WorldCall] = {}
    for record in records(path):
        if record["event"] == begun_by:
            found[record["call"]] = WorldCall(
                call=record["call"],
                number=record["number"],
                who=record.get("who", ""),
                call_id=record.get("call_id", ""),
                called_at=record["at"],
                attempt_id=attempt_of(record.get("attempt", "")),
            )
        elif record["call"] in found:
            _add(found[record["call"]], record)
    return list(found.values())


def attempt_of(channel_id: str) -> str:
    """The attempt of a channel's id; ``TEST_CALL`` of a test call, which has none; "" if it is none of ours."""
    if channel_id.startswith("tst-"):
        return TEST_CALL
    try:
        return str(UUID(hex=channel_id.removeprefix("att-")))
    except ValueError:
        return ""


def _add(call: WorldCall, record: Record) -> None:
    at: float = record["at"]
    match record["event"]:
        case "rang":
            call.rang_at = at
        case "answered":
            call.answered_at = at
        case "first_voice":
            call.first_voice_at = at
        case "heard":
            call.seats.setdefault(record["seat"], at)
        case "pressed":
            call.keys.append(record["key"])
        case "ended":
            call.ended_at, call.ended_by, call.cause = at, record["by"], record["cause"]
        case _:
            pass
