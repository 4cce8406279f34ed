"""The steps of an operator who dials by hand: what ``manual`` is about."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dialer.core import presence
from dialer.core.effects import PlaceDial
from dialer.core.model import OperatorState
from dialer.core.quick import replace

if TYPE_CHECKING:
    from dialer.core.manual import Dial
    from dialer.core.presence import Operator, Step

S = OperatorState


def ask(op: Operator, dial: Dial, now: datetime, *, may_leave: bool) -> Step:
    """This number is to be called; the gate has the word, and nobody else is put through meanwhile.

    What follows a call without a conversation is the pause it was dialled in; it outlives a crash.
    """
    if op.live.state not in {S.READY, S.PAUSED} or op.engaged or op.live.leaving:
        raise presence.NotNow("dial.not_now", "You cannot dial a number now.")
    if op.leg is not presence.Leg.WAITING:
        raise presence.NotNow("dial.no_phone", "Your phone is not connected.")
    if op.live.state is S.READY and not may_leave:
        raise presence.NotNow("dial.needed", "Somebody may be put through to you this moment.")
    back = op.live.reason if op.live.state is S.PAUSED else op.live.pause_after
    moved, effects = presence.to(op, S.PREVIEW, now, campaign_id=dial.campaign_id, pause_after=back)
    return replace(moved, dial=dial, asking=True, missed=None), [*effects, PlaceDial(dial)]


def refused(op: Operator, now: datetime) -> Step:
    """The gate said no: back to where the number was typed."""
    return presence.to(op, S.READY, now)
