"""What really happened to each callee: the world's own record, kept apart from every event.

Tests count by it. Nothing the service believes, stores or fails to hear can change it.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

#: What a recording is made of: samples a second of each of two sides, 16 bits each.
SAMPLES_PER_S = 8000
FRAME_BYTES = 4


@dataclass(slots=True)
class Talk:
    """A callee and one operator in one bridge."""

    operator_channel_id: str
    started_at: float
    ended_at: float | None = None


@dataclass(slots=True)
class WorldCall:
    """One INVITE to one number. Times are the switch's seconds since the epoch; None means it never happened."""

    number: str
    channel_id: str
    invited_at: float
    rang_at: float | None = None
    answered_at: float | None = None
    heard_at: float | None = None
    """When this person first heard an operator, the offer or the message."""
    heard: str | None = None
    """What was heard first: ``operator``, ``offer`` or ``message``."""
    ended_at: float | None = None
    ended_by: str | None = None
    """Who put down first: ``callee``, ``service``, ``plan`` (our dialplan), ``carrier``, ``timeout``, ``crash``."""
    cause: int | None = None
    talks: list[Talk] = field(default_factory=list)
    keys: list[tuple[float, str]] = field(default_factory=list)
    """Keys pressed while a recording listened, and when."""

    def hears(self, what: str, at: float) -> None:
        """Note the first thing this person hears."""
        if self.heard_at is None:
            self.heard_at, self.heard = at, what


@dataclass(slots=True)
class Tape:
    """What MixMonitor writes of one channel: a tone for each side, silence while it is muted."""

    name: str
    began_at: float
    ended_at: float | None = None
    silent: list[tuple[float, bool]] = field(default_factory=list)
    """When it was muted, and when not any more."""

    def sound(self) -> bytes:
        """Both sides beside each other, 16 bits at 8 kHz, until its end."""
        turns = [(self.began_at, False), *self.silent, (self.ended_at or self.began_at, False)]
        parts = []
        for (at, silent), (until, _) in pairwise(turns):
            frames = round((until - at) * SAMPLES_PER_S)
            second = bytes(SAMPLES_PER_S * FRAME_BYTES) if silent else _tones()
            parts.append((second * (frames // SAMPLES_PER_S + 1))[: frames * FRAME_BYTES])
        return b"".join(parts)


@cache
def _tones() -> bytes:
    """A second of the callee at 400 Hz and the operator at 600 Hz."""
    turn = 2 * math.pi / SAMPLES_PER_S
    both = ((math.sin(400 * turn * i), math.sin(600 * turn * i)) for i in range(SAMPLES_PER_S))
    return b"".join(struct.pack("<hh", round(8000 * callee), round(8000 * operator)) for callee, operator in both)
