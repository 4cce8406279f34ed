"""Which operator covers which line: shares of the free operators, and the abandonment bound that rests on them.

PostgreSQL has the last word at a claim; here the same rule decides, between two claims, whether an operator may leave,
whether a campaign may take the one another campaign counts on, and which lines are cut when a phone vanishes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dialer.core import assign
from dialer.core import attempt as life
from dialer.core import budget as law
from dialer.core.model import CampaignState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialer.core.crew import Crew
    from dialer.core.model import Budget, Campaign, Ended, LiveAttempt
    from dialer.core.presence import Operator


class Cover:
    """Lines and free operators of one switch.

    Attributes:
        campaigns: The switch's campaigns by id.
        budgets: Abandonment counts by campaign, as exact as memory can be.
        in_flight: I, lines that may still need an operator, by campaign.
        planned: Lines asked of the gate and not yet known, by campaign; they may be in flight any moment.
    """

    def __init__(self, crew: Crew) -> None:
        self.campaigns: dict[int, Campaign] = {}
        self.budgets: dict[int, Budget] = {}
        self.in_flight: Counter[int] = Counter()
        self.planned: Counter[int] = Counter()
        self._crew = crew

    def shares(self, team_id: int, *, without: Operator | None = None, staying: bool = False) -> dict[int, int]:
        """Free operators held for each running campaign of a team.

        Args:
            team_id: The team.
            without: As if this operator were not there.
            staying: Only those who have not asked to leave: new lines must not count on the others, lines in flight do.
        """
        weights = {c.id: c.weight for c in self.campaigns.values() if c.team_id == team_id and _wants_operators(c)}
        free = self._crew.free(team_id)
        held = len(free) - (without is not None and without.live.operator_id in free)
        if staying:
            held -= sum(op.live.operator_id in free for op in self._crew.restless())
        return assign.shares(held, self.in_flight, weights)

    def held_for(self, campaign: Campaign) -> int:
        """F: free operators held for a campaign, on whom new lines may count."""
        return self.shares(campaign.team_id, staying=True).get(campaign.id, 0)

    def spared(self, campaign: Campaign) -> bool:
        """Whether the team's other campaigns keep their bound if this one takes an operator."""
        shares = self.shares(campaign.team_id)
        if len(shares) <= 1 or shares.get(campaign.id, 0) > 0 or not sum(shares.values()):
            return True
        return any(self._may_lose_one(other, held) for other, held in shares.items() if held)

    def may_leave(self, op: Operator) -> bool:
        """Whether every running campaign of the team keeps its bound without this operator."""
        if not op.free:
            return True
        rest = self.shares(op.live.team_id, without=op)
        return all(self._may_lose_one(campaign_id, held + 1) for campaign_id, held in rest.items())

    def _may_lose_one(self, campaign_id: int, free: int) -> bool:
        budget = self.budgets.get(campaign_id)
        lines = self.in_flight[campaign_id] + self.planned[campaign_id]
        return budget is None or law.may_leave(budget, in_flight=lines, free=free)

    def to_cut(self, team_id: int, attempts: Iterable[LiveAttempt]) -> list[LiveAttempt]:
        """The newest ringing lines that nobody covers: without them the bound holds again."""
        cut: list[LiveAttempt] = []
        for campaign_id, held in self.shares(team_id).items():
            budget = self.budgets.get(campaign_id)
            if budget is None or self.in_flight[campaign_id] <= held:
                continue
            lines = [a for a in attempts if a.campaign_id == campaign_id and a.ended_by is None]
            in_flight = sum(a.state in life.IN_FLIGHT for a in lines)
            ringing = sorted((a for a in lines if a.state in life.UNANSWERED), key=lambda a: a.sent_at)
            count = law.to_cut(budget, in_flight=in_flight, free=held, ringing=len(ringing))
            cut += ringing[len(ringing) - count :]
        return cut

    def count(self, ended: Ended) -> None:
        """Count the end of a line."""
        budget = self.budgets.get(ended.attempt.campaign_id)
        if budget is not None:
            self.budgets[budget.campaign_id] = replace(
                budget,
                answered=budget.answered + ended.legal_answered,
                abandoned=budget.abandoned + ended.legal_abandoned,
                uncovered=max(0, budget.uncovered - 1),
            )


def _wants_operators(campaign: Campaign) -> bool:
    return campaign.state is CampaignState.RUNNING and not campaign.operator_free
