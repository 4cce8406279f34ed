"""Promises to call back: which may be made, and what they are called as time goes by."""

from __future__ import annotations

from dataclasses import dataclass
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


def moved_to(due_at: datetime, zones: Sequence[str], profile: Profile, ring_timeout_s: int) -> datetime | None:
    """When a promise is kept whose time the rules have come to forbid, e.g. by a holiday; None while its time stands.

    The rules are those of now, not those of the day it was made. Where nobody may be called any more there is no other
    time either: the promise stays, and is shown as late with that reason.

    Args:
        due_at: As promised.
        zones: Zones the callee may be in.
        profile: The campaign's rules.
        ring_timeout_s: How long the campaign lets it ring.
    """
    if hours.may_call(due_at, zones, profile, ring_timeout_s):
        return None
    return hours.next_open(due_at, zones, profile, ring_timeout_s)


def free_again(sent: Sequence[datetime], profile: Profile, now: datetime) -> datetime:
    """From when on a number may be called again by its counters, if it is not called meanwhile; ``now`` if at once.

    The same figures as the gate's: the least gap, and the most attempts in a day, in 7 and in 30 days.

    Args:
        sent: When the attempts that count were sent, the last one first.
        profile: The campaign's rules.
        now: Present time, aware.
    """
    limits = (
        (1, timedelta(seconds=profile.min_gap_s)),
        (profile.per_day, timedelta(days=1)),
        (profile.per_7_days, timedelta(days=7)),
        (profile.per_30_days, timedelta(days=30)),
    )
    return max([now, *(sent[most - 1] + period for most, period in limits if 0 < most <= len(sent))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a promise whose time has come stands in.

    Attributes:
        stopped: Why nothing is dialled at all, the engine's word; None while it dials.
        campaign_runs: Whether its campaign dials.
        being_called: Whether a call goes on.
        window_open: Whether the rules let its callee be called now.
        next_at: When it is tried next.
        refused_by: The gate's last refusal of the contact.
        owned: Whether it is promised with one operator.
        owner: What that operator is doing; None is not on shift.
        at_work: How many operators of the team are on shift.
        ready: How many of them are ready.
    """

    stopped: str | None = None
    campaign_runs: bool = True
    being_called: bool = False
    window_open: bool = True
    next_at: datetime
    refused_by: str | None = None
    owned: bool = False
    owner: OperatorState | None = None
    at_work: int = 1
    ready: int = 0


def why_late(it: Standing, now: datetime) -> str:
    """Why a promise whose time has passed is not kept yet, a stable word: what holds it back first."""
    whose = "owner_away" if it.owner is None else "owner_paused" if it.owner is OperatorState.PAUSED else "owner_busy"
    what_may_hold_back = (
        (it.being_called, "being_called"),
        (not it.campaign_runs, "campaign_state"),
        (it.stopped is not None, f"stopped.{it.stopped}"),
        (not it.window_open, "refused.outside_window"),
        (it.next_at > now, f"refused.{it.refused_by}" if it.refused_by else "tried"),
        (it.owned and it.owner is not OperatorState.READY, whose),
        (not it.at_work, "nobody_at_work"),
        (it.ready > 0, "others_first"),
    )
    return next((word for holds, word in what_may_hold_back if holds), "nobody_free")
