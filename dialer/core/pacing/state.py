"""What a decision is made of: the campaign at one moment, and what bounds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.core.quick import quick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.core.model import Budget, Mode
    from dialer.core.pacing.learn import Learned


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The campaign at one moment.

    Attributes:
        ready: Operators who could be bridged now and are held for this campaign; with rivals, its share of the team's.
        reserved: Operators needed for callbacks that come due: of those ready, then of those who become free.
        talking_s: How long each operator who talks for this campaign has been talking.
        wrap_up_s: How long each operator in wrap-up has been in it.
        setting_up_s: How long ago each line was sent that does not ring yet.
        ringing_s: How long each line has been ringing.
        in_offer_s: IVR-first: how long each person has been listening to the offer.
        waiting: People who answered (or pressed the key) and have nobody yet.
        rivals: The team's other campaigns at this moment.
        elsewhere: Operators at work for other campaigns of the team that are not looked at.
    """

    ready: int
    reserved: int = 0
    talking_s: Sequence[float] = ()
    wrap_up_s: Sequence[float] = ()
    setting_up_s: Sequence[float] = ()
    ringing_s: Sequence[float] = ()
    in_offer_s: Sequence[float] = ()
    waiting: int = 0
    rivals: Sequence[Rival] = ()
    elsewhere: int = 0

    @property
    def operators(self) -> int:
        """Operators at work for this campaign and its rivals."""
        own = self.ready + len(self.talking_s) + len(self.wrap_up_s) + self.elsewhere
        return own + sum(rival.snapshot.operators for rival in self.rivals) if self.rivals else own

    @property
    def lines(self) -> int:
        """Lines in flight: any of them may still need an operator."""
        return len(self.setting_up_s) + len(self.ringing_s) + len(self.in_offer_s) + self.waiting


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another campaign that shares the team: what it would be decided from."""

    snapshot: Snapshot
    learned: Learned
    policy: Policy


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What bounds the campaign now.

    Attributes:
        room_budget: Further lines the abandonment budget allows (``budget.room``).
        room_trunk: Further lines the trunk and the campaign's own maximum allow.
        room_starts: Calls that may start now under the limit per second.
        trunk_off: The trunk fails; ``room_starts`` are tries.
        slow: The switch answers late; nothing is dialled ahead.
        stale: What is known of operators and lines is not of this moment; nothing is dialled ahead.
        caution: The harm one more call may do is divided by this; 1 is as the budget allows.
        key_wait_s: IVR-first: how long a caller who pressed the key may wait.
        operator_free: IVR-first without operators: only the trunk bounds it.
        weight: Share of the team's operators, relative to the rivals'.
    """

    mode: Mode
    ring_timeout_s: int
    max_lines_per_operator: float
    room_budget: int
    room_trunk: int
    room_starts: int
    budget: Budget
    trunk_off: bool = False
    slow: bool = False
    stale: bool = False
    caution: float = 1.0
    key_wait_s: int = 20
    operator_free: bool = False
    weight: float = 1.0
