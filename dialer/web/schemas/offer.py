"""Recorded offers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Language, Line


class OfferQuery(Ask):
    """How to call the recording in the body."""

    name: Line


class SpeechAsk(Ask):
    """A text for a voice to read."""

    name: Line
    text: Annotated[str, StringConstraints(min_length=1, max_length=1500, strip_whitespace=True, pattern=NO_NUL)]
    language: Language = "en"


class OfferChange(Ask):
    """An archived offer can be chosen no more."""

    archived: bool


class OfferInfo(Answer):
    """An offer; campaigns name it by its ``word``. ``on_switch`` null: no folder of the switch is set."""

    id: int
    word: str
    name: str
    spoken: str
    language: str
    seconds: float
    made_at: datetime
    made_by: str
    archived: bool
    campaigns: list[str]
    on_switch: bool | None


class OffersAnswer(Answer):
    """All offers, the newest first."""

    offers: list[OfferInfo]


class OfferMade(Answer):
    """A new offer."""

    id: int
    word: str
    seconds: float
