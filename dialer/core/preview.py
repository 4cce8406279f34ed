"""A contact that one operator looks at before it is called.

    next contact ── reserved ──> looks ── call ──> the gate is asked again ──> sent
                                  │  skip, deadline, pause, lost phone, end of the campaign
                                  └──> back where it was, for everybody; not soon for whoever skipped it

While it is reserved nobody else may take the contact or its number. The id of a preview becomes the id of the attempt
it leads to, so that the page shows one card from the first look to the end of the conversation. Every preview ends
once, and why is a fact.

Nobody can be lost here: the operator waits for the callee and not the other way round. So such a call needs no cover,
takes nothing of the abandonment budget, and makes no room in it either (``budget``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dialer.core.quick import quick

#: Whoever skipped a contact is not shown it again for so long; everybody else is.
SKIP_REST_S = 3600
#: Why an operator may skip, in the order of the page.
SKIP_REASONS = ("not_now", "talked_lately", "not_target", "bad_data", "other")
#: An operator who lets so many deadlines pass one after the other is not there: paused.
MISSES_MAX = 2


class How(StrEnum):
    """How a preview ended."""

    CALLED = "called"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    REFUSED = "refused"
    RETURNED = "returned"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A contact reserved for one operator.

    Attributes:
        id: Also of the attempt it becomes.
        offered_at: Since when.
    """

    id: UUID
    operator_id: int
    campaign_id: int
    contact_id: int
    phone_id: int
    offered_at: datetime


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewEnd:
    """How a preview ended; a fact, written once.

    Attributes:
        reason: Of ``SKIP_REASONS`` for a skipped one, the gate's word for a refused one, else empty.
    """

    preview: Preview
    ended_at: datetime
    how: How
    reason: str = ""


def over(preview: Preview, now: datetime, how: How, reason: str = "") -> PreviewEnd:
    """The end of a preview; never before its begin, also when a clock was set back between two engines."""
    return PreviewEnd(preview=preview, ended_at=max(now, preview.offered_at), how=how, reason=reason)
