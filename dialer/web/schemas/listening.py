"""A supervisor at an operator's conversation."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from dialer.core.listening import Mode
from dialer.web.schemas.common import Answer, Ask


class ListenAsk(Ask):
    """Hear this operator's conversation on one's own phone: in the browser, or a desk phone on the own seat."""

    mode: Mode = Mode.LISTEN
    phone: Literal["browser", "desk"] = "browser"


class ListenMode(Ask):
    """Who is to hear the supervisor: nobody, the operator, both."""

    mode: Mode


class ListeningInfo(Answer):
    """Who hears whom, or heard; ``mode`` is what the switch has confirmed, null while the phone is called.

    ``how`` is why it ended: conversation, phone_lost, hung_up, not_answered, stopped, moved, page_gone, service.
    """

    id: UUID
    user_id: int
    name: str
    operator_id: int
    attempt_id: UUID
    asked: str
    mode: str | None
    shown: bool
    began_at: datetime
    ended_at: datetime | None
    how: str | None


class OwnListening(ListeningInfo):
    """One's own: ``leg`` is the call that the phone in the browser answers."""

    leg: str


class ListeningAnswer(Answer):
    """What one hears now or heard last; null for who never listened."""

    at: datetime
    listening: OwnListening | None
