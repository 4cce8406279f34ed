"""Recordings of conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from dialer.web.schemas.common import Answer, Ask


class RecordingPause(Answer):
    """A stretch without sound; ``resumed_at`` is null where it lasted to the end."""

    paused_at: datetime
    resumed_at: datetime | None


class RecordingInfo(Answer):
    """What became of a conversation's recording.

    ``state``: ``recording`` (it goes on, or lies with the switch), ``stored``, ``failed`` or ``deleted``. ``why``, of
    the last two: no_file, empty, unreadable; retention, erasure, asked. ``hold`` is why it must not be deleted.
    """

    attempt_id: UUID
    state: str
    began_at: datetime
    stored_at: datetime | None
    duration_ms: int | None
    bytes: int | None
    why: str | None
    hold: str | None
    deleted_at: datetime | None
    removed_at: datetime | None
    pauses: Sequence[RecordingPause]


class RecordingAnswer(Answer):
    """The recording of an attempt; null where it was not recorded."""

    recording: RecordingInfo | None


class RecordingLink(Answer):
    """Where to listen: WAV, in parts if one asks for ranges, by whoever asked for it and until then."""

    url: str
    expires_at: datetime


class HoldAsk(Ask):
    """Why the recording must not be deleted, or null: it need not be kept any more."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None


class TapeAsk(Ask):
    """``pause``: no sound is kept; ``keep``: what is said is kept from now on, also because the callee has agreed."""

    wish: Literal["pause", "keep"]
