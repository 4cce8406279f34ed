"""Whether a conversation is recorded, what the callee must be told, and from when on.

    off       nothing is recorded
    on        from connect to the end of the talk, and nobody is told
    told      the same; the operator says so first, or the offer does
    consent   from when the callee agreed: the operator notes it, and before that nothing is kept

A profile says which of them its law leaves: ``forbidden``, ``consent``, ``notice`` (told or asked), ``free`` (any).
Whom a stricter law protects than the campaign heeds, by the country of the number or one the customer got later, is
not recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core.quick import quick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.core.model import Campaign, LiveAttempt


class Ways(StrEnum):
    """How a campaign records."""

    OFF = "off"
    ON = "on"
    TOLD = "told"
    CONSENT = "consent"


#: What each rule of a profile leaves; the rules from the loosest to the strictest.
LEFT: Mapping[str, frozenset[str]] = {
    "free": frozenset(Ways),
    "notice": frozenset({Ways.OFF, Ways.TOLD, Ways.CONSENT}),
    "consent": frozenset({Ways.OFF, Ways.CONSENT}),
    "forbidden": frozenset({Ways.OFF}),
}
RULES = tuple(LEFT)


class Tape(StrEnum):
    """How a conversation is recorded at this moment, as its operator sees it."""

    ON = "on"
    TOLD = "told"
    """As ``on``; the operator is to say so."""
    PAUSED = "paused"
    ASK = "ask"
    """Nothing is kept until the callee agrees."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that has begun: what comes of it is for the keeper of recordings to say.

    Attributes:
        began_at: What was said before is not kept.
    """

    attempt_id: UUID
    campaign_id: int
    phone_id: int
    operator_id: int | None
    began_at: datetime


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A stretch without sound; ``resumed_at`` is None while it lasts."""

    attempt_id: UUID
    paused_at: datetime
    operator_id: int | None
    resumed_at: datetime | None = None


#: What is said is kept.
KEPT = frozenset({Tape.ON, Tape.TOLD})


def stricter(one: str, other: str) -> str:
    """The stricter of two rules of profiles."""
    return max(one, other, key=RULES.index)


def lawful(campaign: Campaign) -> bool:
    """Whether the campaign's profile, as it calls somebody, leaves the way in which it records."""
    return campaign.recording in LEFT[campaign.profile.recording]


def begun(attempt: LiveAttempt, campaign: Campaign) -> Recording | None:
    """The recording of a conversation that has begun; None where the callee must agree first, or is not recorded."""
    if attempt.connected_at is None or campaign.recording not in {Ways.ON, Ways.TOLD}:
        return None
    return agreed(attempt, attempt.connected_at)


def agreed(attempt: LiveAttempt, at: datetime) -> Recording:
    """The recording from this moment on."""
    return Recording(
        attempt_id=attempt.id,
        campaign_id=attempt.campaign_id,
        phone_id=attempt.phone_id,
        operator_id=attempt.operator_id,
        began_at=at,
    )
