"""Promises to call back: which may be made, and what they are called as time goes by."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dialer.core import hours
from dialer.core.model import CallbackState

if TYPE_CHECKING:
    from collections.abc import Sequence
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
