"""The steps of an operator who looks at a contact first, or asked for a call: what ``preview`` is about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core import presence
from dialer.core.effects import OperatorChanged, PlaceCall, WakeUp
from dialer.core.model import OperatorState, Outcome
from dialer.core.preview import MISSES_MAX, How, Preview
from dialer.core.quick import replace

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.core.model import Campaign
    from dialer.core.presence import Operator, Step

S = OperatorState


def look(op: Operator, preview: Preview, campaign: Campaign, now: datetime) -> Step:
    """Show a contact to a ready operator."""
    until = now + timedelta(seconds=campaign.preview_s)
    moved, effects = presence.to(op, S.PREVIEW, now, campaign_id=preview.campaign_id, until=until)
    return replace(moved, preview=preview, missed=None), [*effects, WakeUp(until)]


def ask_call(op: Operator) -> Step:
    """The contact that is shown is to be called; the gate has the word."""
    if op.preview is None or op.asking:
        raise presence.NotNow("operator.no_preview", "There is no contact to call.")
    live = replace(op.live, until=None)
    return replace(op, live=live, asking=True, misses=0), [PlaceCall(op.preview)]


def skip(op: Operator, reason: str, now: datetime) -> Step:
    """The contact that is shown goes back, and not soon to this operator."""
    if not op.looks:
        raise presence.NotNow("operator.no_preview", "There is no contact to skip.")
    return put_back(replace(op, misses=0), now, How.SKIPPED, reason)


def put_back(op: Operator, now: datetime, how: How, reason: str = "") -> Step:
    """The contact that is, or was to be, called goes back; its operator is ready for another."""
    effects = presence.give_back(op, now, how, reason)
    op = replace(op, preview=None, asking=False, missed=reason if how is How.REFUSED else None)
    if op.live.state is not S.PREVIEW:
        return op, effects
    moved, more = presence.to(op, S.READY, now)
    return moved, effects + more


def calling(op: Operator, attempt_id: UUID, campaign_id: int, now: datetime) -> Step:
    """The call this operator asked for is on its way."""
    op = replace(op, preview=None, dial=None, asking=False, missed=None, disposed=False)
    if op.live.state is not S.PREVIEW:
        return presence.to(op, S.PREVIEW, now, campaign_id=campaign_id, attempt_id=attempt_id)
    live = replace(op.live, campaign_id=campaign_id, attempt_id=attempt_id, until=None)
    return replace(op, live=live), [OperatorChanged(live)]


def unanswered(op: Operator, outcome: Outcome, now: datetime) -> Step:
    """The call this operator asked for ended without a conversation."""
    moved, effects = presence.to(op, S.READY, now)
    return replace(moved, missed=outcome), effects


def preview_over(op: Operator, campaign: Campaign | None, now: datetime) -> Step:
    """Nothing was decided in time: called or skipped, as the campaign says; whoever is not there is paused."""
    if not op.looks or op.live.until is None or now < op.live.until:
        return op, []
    misses = op.misses + 1
    if campaign is not None and campaign.preview_calls and misses < MISSES_MAX:
        asked, effects = ask_call(op)
        return replace(asked, misses=misses), effects
    back, effects = put_back(op, now, How.EXPIRED)
    if misses < MISSES_MAX:
        return replace(back, misses=misses), effects
    paused, more = presence.to(replace(back, misses=0), S.PAUSED, now, reason="preview_over")
    return paused, effects + more
