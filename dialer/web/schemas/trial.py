"""Test calls on a trunk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from dialer.web.schemas.common import Answer, Ask, Line, Seat


class TestCallAsk(Ask):
    """Call one's own phone on a trunk; ``caller_number`` is what the phone shows, empty: the trunk's own."""

    trunk: Seat
    number: Line
    caller_number: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9]{3,15})?$")] = ""


class TestCallInfo(Answer):
    """How a test call goes: ``sent``, ``dialling``, ``ringing``, ``answered``, ``message`` (heard) or ``ended``."""

    id: UUID
    trunk: str
    state: str
    began_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    message_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    cause: int | None
    sip_code: int | None


class TestCallAnswer(Answer):
    """A test call."""

    call: TestCallInfo
