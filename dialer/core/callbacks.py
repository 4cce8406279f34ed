"""Promises to call back: which may be made, and what they are called as time goes by."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from dialer.core import hours
from dialer.core.model import CallbackState, OperatorState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.core.model import Profile

#: A promise is dialled within this of its time, or it is shown as late.
LATE_AFTER_S = 60


def refusal(
    due_at: datetime, now: datetime, zones: Sequence[str], profile: Profile, ring_timeout_s: int
) -> tuple[str, str, str] | None:
    """Why a callback must not be promised for ``due_at``: code, English and Russian sentence; None if it may be.

    A promise that the rules would forbid is refused when it is made, not when it comes due.

    Args:
        due_at: When the callee wants to be called, aware.
        now: Present time, aware.
        zones: Zones the callee may be in.
        profile: The campaign's rules.
        ring_timeout_s: How long the campaign lets it ring.
    """
    if due_at <= now:
        return "callback.past", "That time has passed.", "Это время уже прошло."
    if hours.may_call(due_at, zones, profile, ring_timeout_s):
        return None
    opens_at = hours.next_open(due_at, zones, profile, ring_timeout_s)
    english, russian = "At that time the callee may not be called", "В это время звонить абоненту нельзя"
    if opens_at is None:
        return "callback.outside_window", f"{english}, nor at any other.", f"{russian}, и в другое тоже."
    at = f"{opens_at:%Y-%m-%d %H:%M} UTC"
    return "callback.outside_window", f"{english}; the next time is {at}.", f"{russian}; ближайшее время: {at}."


def shown(state: CallbackState, next_at: datetime, now: datetime) -> str:
    """The word on the board: the stored state, or ``due`` and ``late`` while it is pending and its time has come."""
    if state is not CallbackState.PENDING or now < next_at:
        return state.value
    return "late" if now - next_at > timedelta(seconds=LATE_AFTER_S) else "due"


#: How long a promise waits for its owner, by what the owner is doing then; None: not at work.
OWNER_S: Mapping[OperatorState | None, float] = MappingProxyType(
    {
        None: LATE_AFTER_S,
        OperatorState.PAUSED: LATE_AFTER_S,
        OperatorState.RINGING: 2 * LATE_AFTER_S,
        OperatorState.WRAP_UP: 5 * LATE_AFTER_S,
        OperatorState.TALKING: 10 * LATE_AFTER_S,
    }
)


def hand_over(owner: OperatorState | None, next_at: datetime, now: datetime) -> str | None:
    """Why a promise to one operator passes to the team now; None while it waits for its owner.

    A callee who was promised a call gets one from a colleague rather than none.

    Args:
        owner: What the owner is doing; None is not on shift.
        next_at: When it is to be tried.
        now: Present time, aware.
    """
    patience_s = OWNER_S.get(owner)
    if patience_s is None or now - next_at < timedelta(seconds=patience_s):
        return None
    return "owner_away" if owner is None else "owner_paused" if owner is OperatorState.PAUSED else "owner_busy"


def why_late(
    *,
    campaign_runs: bool,
    being_called: bool,
    next_at: datetime,
    now: datetime,
    refused_by: str | None,
    owned: bool,
    owner: OperatorState | None,
) -> str:
    """Why a promise whose time has passed is not kept yet, a stable word: what holds it back first.

    Args:
        campaign_runs: Whether its campaign dials.
        being_called: Whether a call goes on.
        next_at: When it is tried next.
        now: Present time, aware.
        refused_by: The gate's last refusal of the contact.
        owned: Whether it is promised with one operator.
        owner: What that operator is doing; None is not on shift.
    """
    if being_called:
        return "being_called"
    if not campaign_runs:
        return "campaign_state"
    if next_at > now:
        return f"refused.{refused_by}" if refused_by else "tried"
    if owned and owner is not OperatorState.READY:
        return "owner_away" if owner is None else "owner_paused" if owner is OperatorState.PAUSED else "owner_busy"
    return "nobody_free"


def kept_share(*, in_time: int, kept_late: int, broken: int, late: int) -> float | None:
    """Promises kept, in time or late, of all whose time has come, 0 to 1; None before there is any.

    >>> kept_share(in_time=8, kept_late=1, broken=1, late=0)
    0.9
    """
    due = in_time + kept_late + broken + late
    return (in_time + kept_late) / due if due else None
