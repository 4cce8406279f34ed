"""What the pacing loop remembers of a campaign between two looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from dialer.core import pacing
from dialer.core.model import Campaign, Claim
from dialer.engine.explain import Explanations
from dialer.engine.observe import Observations
from dialer.engine.ports import Due


class Start(NamedTuple):
    """A claimed call in the order of starts: when, and when it was claimed, both on the boot clock."""

    at_s: float
    number: int
    claim: Claim
    campaign: Campaign
    claimed_s: float


class InVain(NamedTuple):
    """A claim that found nobody further: which operators could have kept promises, when, and until when it holds."""

    operators: Sequence[int]
    at: datetime
    until: datetime


@dataclass(slots=True)
class Pace:
    """What the pacing of one campaign remembers between two looks.

    Attributes:
        decision: The last one, with its sentence.
        decided_at_change: How many changes there had been on the floor by then.
        decided_with: For how many promises operators were kept free then, and with what caution.
        missing: Calls of that decision that were not claimed yet.
        stands_until_s: Before then, on the boot clock, time alone hardly changes it.
        rest_until: No claim before then, since no contact is due.
        sooner: When somebody comes due of whom the claim that is on its way may not know.
        promises: Callbacks due within the reserve.
        due: For how many of them operators are kept free.
        caution: The harm one more line may do is divided by this, on top of the campaign's own caution.
        in_vain: The last claim that found nobody, or nobody further.
        rests_with: Mode ``preview``: the operators for whom nobody was found.
        max_lines_per_ready: The most lines in flight per ready operator that a new one made.
        claimed_s: When calls were claimed last, on the boot clock; whose turn is longest ago is looked at first.
    """

    decision: pacing.Decision | None = None
    decided_at_change: int = -1
    decided_with: tuple[int, float] = (0, 1.0)
    missing: int = 0
    stands_until_s: float = float("-inf")
    rest_until: datetime | None = None
    sooner: datetime | None = None
    promises: Sequence[Due] = ()
    due: int = 0
    caution: float = 1.0
    in_vain: InVain | None = None
    rests_with: frozenset[int] = frozenset()
    max_lines_per_ready: float = 0.0
    claimed_s: float = float("-inf")
    seen: Observations = field(default_factory=Observations)
    why: Explanations = field(default_factory=lambda: Explanations(0))

    def comes_due(self, at: datetime) -> None:
        """Somebody comes due then: neither a rest nor the answer of a claim on its way oversleeps it."""
        self.sooner = at if self.sooner is None else min(self.sooner, at)
        if self.rest_until is not None:
            self.rest_until = min(self.rest_until, at)
        if self.in_vain is not None:
            self.in_vain = self.in_vain._replace(until=min(self.in_vain.until, at))


class Paces(dict[int, Pace]):
    """The memory of each campaign's pacing, by its id; an empty one is made when it is asked for first."""

    def __missing__(self, campaign_id: int) -> Pace:
        found = self[campaign_id] = Pace(why=Explanations(campaign_id))
        return found
