"""Numbers that operators type."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import StringConstraints

from dialer.web.schemas.common import NO_NUL, Answer, Ask, Id
from dialer.web.schemas.office import WhyReason

Typed = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True, pattern=NO_NUL)]


class DialAsk(Ask):
    """A number in any usual writing, for which campaign, and which of its contacts with this number."""

    campaign: Id
    number: Typed
    contact: Id | None = None


class DialCampaign(Answer):
    """A campaign for which numbers may be dialled by hand."""

    id: int
    name: str
    country: str | None
    """Numbers without a plus are taken for this country's; null: they need their plus."""


class DialCampaigns(Answer):
    """Where the operator may dial by hand now."""

    campaigns: list[DialCampaign]


class DialContact(Answer):
    """A contact of the campaign that has the number."""

    id: int
    name: str
    state: str
    counted: int
    base: str
    by_hand: bool
    last_at: datetime | None
    last_outcome: str | None
    last_code: str | None


class DialLook(Answer):
    """What was understood, and whether the rules allow the call now; nothing was called."""

    at: datetime
    number: str
    country: str | None
    zones: list[str]
    """Where the callee may be; the rules must allow the call in all of them."""
    contacts: list[DialContact]
    """None: the number becomes a new contact."""
    contact: int | None
    """Which of them would be called."""
    allowed: bool
    reasons: list[WhyReason]
