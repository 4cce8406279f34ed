"""Segments of refusals, and the bases that are made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id, Line, Moment
from dialer.web.schemas.disposition_kind import Code
from dialer.web.schemas.office import BaseInfo

_Empty = BeforeValidator(lambda value: None if value == "" else value)
_Reason = Annotated[str, StringConstraints(max_length=60, pattern=NO_NUL)]


class SegmentQuery(Ask):
    """Which segment is looked at, and for which campaign."""

    campaign: Annotated[Id | None, _Empty] = None
    code: Annotated[Code | None, _Empty] = None
    reason: Annotated[_Reason | None, _Empty] = None
    since: Annotated[Moment | None, _Empty] = None
    until: Annotated[Moment | None, _Empty] = None
    target: Annotated[Id | None, _Empty] = None


class SegmentAsk(Ask):
    """Contacts of whom a refusal was said last: by ``code`` of the disposition, ``reason`` and time; null is any."""

    target: Id
    code: Code | None = None
    reason: _Reason | None = None
    since: Moment | None = None
    until: Moment | None = None
    name: Line | None = None


class SegmentCount(Answer):
    """How many contacts refused so."""

    code: str
    name_ru: str
    name_en: str
    reason: str | None
    contacts: int


class SegmentsAnswer(Answer):
    """Refusals of a campaign by disposition and reason, as they were said last of each contact."""

    campaign_id: int
    segments: list[SegmentCount]


class SegmentHeld(Answer):
    """How many of those loaded the gate holds back for a reason, ``next``: none; and until when first."""

    reason: str
    contacts: int
    until: datetime | None


class SegmentRehearsal(Answer):
    """What making the base would do; nothing was written. ``verdicts`` add up to ``found``, ``held`` to ``loaded``."""

    found: int
    loaded: int
    verdicts: dict[str, int]
    held: list[SegmentHeld]


class SegmentMade(Answer):
    """The base, which may be undone while nobody of it was called."""

    base: BaseInfo
    verdicts: dict[str, int]
