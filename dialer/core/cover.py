"""Which operator covers which line: shares of the free operators, and the abandonment bound that rests on them.

PostgreSQL has the last word at a claim; here the same rule decides, between two claims, whether an operator may leave,
whether a campaign may take the one another campaign counts on, and which lines are cut when a phone vanishes.

Three kinds of lines need no share, because their operator is known: one that is being bridged, one promised with an
operator who is free and *held* for it, and one that its operator asked for and waits for (counted nowhere here). Of the
other lines a campaign *needs* cover for as many as its bound does not allow to be lost (lines - U max). All rules are
one rule: the needs of a team never exceed its free operators.

    a campaign starts lines      within its share, and the shares begin with the needs
    a promise holds an operator  only while the needs of all are met without him
    an operator leaves           only then, too
    a callee is served           if his campaign has a share, or nobody needs the operator
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dialer.core import assign
from dialer.core import attempt as life
from dialer.core import budget as law
from dialer.core.quick import replace
from dialer.core.states import AttemptState, CampaignState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from dialer.core.crew import Crew
    from dialer.core.model import Budget, Campaign, Ended, LiveAttempt
    from dialer.core.presence import Operator


class Cover:
    """Lines and free operators of one switch.

    Attributes:
        campaigns: The switch's campaigns by id.
        budgets: Abandonment counts by campaign, as exact as memory can be.
        live: Live attempts by campaign, the oldest first.
        in_flight: I, lines that may still need an operator, by campaign.
        planned: Lines asked of the gate and not yet known, by campaign; they may be in flight any moment.
        callers: People who called us and wait for an operator, by campaign: no new line may count on as many.
        held: Operator id -> the attempt in flight that was promised with him.
        due: Promises of a campaign that come due, by campaign: operators are kept free for them as for lines.
        awaited: Operators who promised some of these themselves: others come first where it is the same.
        chances: Campaigns in the mode ``probable``: a line is not answered with a greater probability than this.
    """

    def __init__(self, crew: Crew) -> None:
        self.campaigns: dict[int, Campaign] = {}
        self.budgets: dict[int, Budget] = {}
        self.live: defaultdict[int, dict[UUID, LiveAttempt]] = defaultdict(dict)
        self.in_flight: defaultdict[int, int] = defaultdict(int)
        self.planned: defaultdict[int, int] = defaultdict(int)
        self.callers: defaultdict[int, int] = defaultdict(int)
        self.held: dict[int, UUID] = {}
        self.due: dict[int, int] = {}
        self.awaited: frozenset[int] = frozenset()
        self.chances: dict[int, float] = {}
        self._answered: defaultdict[int, int] = defaultdict(int)
        self._older: defaultdict[int, int] = defaultdict(int)
        self._held_for: dict[int, int] = {}
        self._bridging: defaultdict[int, int] = defaultdict(int)
        self._crew = crew
        self._computed: dict[tuple[object, ...], Any] = {}
        self._computed_of = -1

    # Keeping count ------------------------------------------------------------

    def changed(self) -> None:
        """Forget what was computed; whoever changes campaigns from outside says so."""
        self._computed_of = -1

    def set_budget(self, budget: Budget) -> None:
        """Take over a budget; in a new window all lines in flight are of an older one."""
        before = self.budgets.get(budget.campaign_id)
        if before is not None and before.starts_at != budget.starts_at:
            self._older[budget.campaign_id] = self.lines(budget.campaign_id)
        self.budgets[budget.campaign_id] = budget
        self.changed()

    def plan(self, campaign_id: int, lines: int) -> None:
        """So many lines are being asked of the gate."""
        self.planned[campaign_id] = lines
        self.changed()

    def moved(self, old: LiveAttempt | None, new: LiveAttempt | None) -> None:
        """An attempt began, changed or ended."""
        if old is not None and new is not None and _weigh_alike(old, new):
            self.live[new.campaign_id][new.id] = new
            return
        self.changed()
        for attempt, sign in ((old, -1), (new, 1)):
            if attempt is not None and attempt.came_in:
                self.callers[attempt.campaign_id] += sign * (attempt.state is AttemptState.WAITING)
            if attempt is not None and not attempt.asked:
                self.in_flight[attempt.campaign_id] += sign * (attempt.state in life.IN_FLIGHT)
                self._bridging[attempt.campaign_id] += sign * (attempt.state is AttemptState.BRIDGING)
                self._answered[attempt.campaign_id] += sign * (attempt.state in life.WAITS)
                budget = self.budgets.get(attempt.campaign_id)
                if budget is not None and attempt.sent_at < budget.starts_at:
                    self._older[attempt.campaign_id] += sign * (attempt.state is not AttemptState.CONNECTED)
        if new is not None:
            self.live[new.campaign_id][new.id] = new
        elif old is not None:
            del self.live[old.campaign_id][old.id]
        if old is not None and self.held.get(old.for_operator or 0) == old.id and not _waits_for_promised(new):
            del self.held[old.for_operator or 0], self._held_for[old.for_operator or 0]

    def hold(self, attempt: LiveAttempt) -> None:
        """Keep the operator of a promise for it; one who is held already keeps the first."""
        if attempt.for_operator is not None and attempt.for_operator not in self.held:
            self.held[attempt.for_operator] = attempt.id
            self._held_for[attempt.for_operator] = attempt.campaign_id
            self.changed()

    def reserve(self, due: dict[int, int], awaited: Iterable[int]) -> None:
        """Keep operators free for so many promises of each campaign, and for the promises of these."""
        owners = frozenset(awaited)
        if due != self.due or owners != self.awaited:
            self.due, self.awaited = due, owners
            self.changed()

    def believe(self, campaign_id: int, chance: float | None) -> None:
        """How likely a line is answered at the most, in the mode ``probable``; None in the mode ``strict``."""
        if self.chances.get(campaign_id) == chance:
            return
        self.changed()
        if chance is None:
            del self.chances[campaign_id]
        else:
            self.chances[campaign_id] = chance

    def count(self, ended: Ended) -> None:
        """Count the end of a line; in the legal count only if it was sent in this window."""
        budget = self.budgets.get(ended.attempt.campaign_id)
        if budget is None:
            return
        self.changed()
        asked = ended.attempt.asked
        belongs = law.belongs(budget, ended.attempt.sent_at) and law.touched_by(ended)
        self.budgets[budget.campaign_id] = replace(
            budget,
            answered=budget.answered + (belongs and ended.legal_answered),
            abandoned=budget.abandoned + (belongs and ended.legal_abandoned),
            uncovered=max(0, budget.uncovered - (not asked)),
        )

    def lines(self, campaign_id: int) -> int:
        """I of the budget: lines sent and not yet connected or ended."""
        return self.in_flight[campaign_id] + self._bridging[campaign_id]

    def room(self, campaign: Campaign) -> int:
        """How many further lines the bound of this campaign allows now."""
        known = self._known()
        found: int | None = known.get(("room", campaign.id))
        if found is None:
            found = known["room", campaign.id] = law.room(
                self.budgets[campaign.id],
                in_flight=self.lines(campaign.id),
                older=self._older[campaign.id],
                free=self.held_for(campaign),
                answered=self._answered[campaign.id] + self._bridging[campaign.id],
                chance=self.chances.get(campaign.id, 1.0),
            )
        return found

    def covering(self, campaign: Campaign, new: int, *, promises: int = 0) -> int:
        """F of a claim of so many new lines: ``held_for``, and in the mode ``probable`` the lines that need none."""
        free, chance = self.held_for(campaign, promises=promises), self.chances.get(campaign.id, 1.0)
        if chance >= 1:
            return free
        return law.covering(
            in_flight=self.lines(campaign.id) + new,
            free=free,
            answered=self._answered[campaign.id] + self._bridging[campaign.id],
            chance=chance,
        )

    # Who covers whom ------------------------------------------------------------

    def shares(self, team_id: int, *, staying: bool = False, fewer: int = 0) -> dict[int, int]:
        """Free operators held for each running campaign of a team, those held for a promise apart.

        Args:
            team_id: The team.
            staying: Only those who have not asked to leave: new lines must not count on the others, lines in flight do.
            fewer: As if so many operators were not there.
        """
        known = self._known()
        found: dict[int, int] | None = known.get((team_id, staying, fewer))
        if found is None:
            lines, needs = self._lines_and_needs(team_id)
            free = max(0, self._unheld(team_id, staying=staying) - fewer)
            weights = {campaign_id: self.campaigns[campaign_id].weight for campaign_id in lines}
            found = known[team_id, staying, fewer] = assign.shares(free, lines, weights, needs)
        return found

    def held_for(self, campaign: Campaign, *, promises: int = 0) -> int:
        """F: free operators on whom lines of this campaign count, new ones included.

        Args:
            campaign: The campaign.
            promises: As if so many spare operators were held for promises of this campaign.
        """
        known = self._known()
        found: int | None = known.get(("held", campaign.id, promises))
        if found is None:
            share = self.shares(campaign.team_id, staying=True, fewer=promises).get(campaign.id, 0)
            reserved = self._reserved(campaign.id, campaign.team_id)
            found = known["held", campaign.id, promises] = share + promises + reserved + self._bridging[campaign.id]
        return found

    def spare(self, team_id: int) -> int:
        """How many operators nobody needs: so many may be held for promises, or leave."""
        return max(0, self._unheld(team_id, staying=True) - sum(self._needs(team_id).values()))

    def promisable(self, campaign: Campaign) -> list[int]:
        """Operators with whom promised calls may start now, those of promises first; others are needed elsewhere."""
        known = self._known()
        found: list[int] | None = known.get(("promisable", campaign.id))
        if found is None:
            found = known["promisable", campaign.id] = self._promisable(campaign)
        return found

    def _promisable(self, campaign: Campaign) -> list[int]:
        share = self.shares(campaign.team_id, staying=True).get(campaign.id, 0)
        able = [op for i, op in self._crew.free(campaign.team_id).items() if i not in self.held and not op.restless]
        awaited = self.awaited
        able.sort(key=lambda op: (op.live.operator_id not in awaited, op.live.since, op.live.operator_id))
        return [op.live.operator_id for op in able[: max(share, self.spare(campaign.team_id))]]

    def spared(self, campaign: Campaign) -> bool:
        """Whether a callee of this campaign may take an operator who is not held."""
        team_id = campaign.team_id
        if self.shares(team_id).get(campaign.id, 0) > 0:
            return True
        return sum(self._needs(team_id).values()) < self._unheld(team_id)

    def may_leave(self, op: Operator) -> bool:
        """Whether every running campaign of the team keeps its bound without this operator."""
        if not op.free:
            return True
        team_id, operator_id = op.live.team_id, op.live.operator_id
        needs = self._needs(team_id, without=operator_id)
        return sum(needs.values()) <= self._unheld(team_id) - (operator_id not in self.held)

    def to_cut(self, team_id: int, attempts: Iterable[LiveAttempt]) -> list[LiveAttempt]:
        """The newest ringing lines that nobody covers: without them the bound holds again."""
        cut: list[LiveAttempt] = []
        shares, needs, free = self.shares(team_id), self._needs(team_id), self._crew.free(team_id)
        promised = {attempt_id for operator_id, attempt_id in self.held.items() if operator_id in free}
        for campaign_id, share in shares.items():
            if needs[campaign_id] <= share:
                continue
            lines = [a for a in attempts if a.campaign_id == campaign_id and not a.asked]
            ringing = [a for a in lines if a.state in life.UNANSWERED and a.ended_by is None]
            ringing = sorted((a for a in ringing if a.id not in promised), key=lambda a: a.sent_at)
            kept = self._lines_covered_by(share, campaign_id)
            unanswered = self.in_flight[campaign_id] - self._answered[campaign_id]
            going = sum(a.ended_by is not None for a in lines if a.state in life.UNANSWERED)
            count = max(0, unanswered + self.planned[campaign_id] - self._reserved(campaign_id, team_id) - going - kept)
            cut += ringing[max(0, len(ringing) - count) :]
        return cut

    # Inside -------------------------------------------------------------------------

    def _known(self) -> dict[tuple[object, ...], Any]:
        """What was computed since anything changed: it is asked for far more often than that."""
        if self._computed_of != self._crew.version:
            self._computed.clear()
            self._computed_of = self._crew.version
        return self._computed

    def _needs(self, team_id: int, *, without: int | None = None) -> dict[int, int]:
        """Lines of each campaign that must be covered, the planned ones too."""
        return self._lines_and_needs(team_id, without=without)[1]

    def _lines_and_needs(self, team_id: int, *, without: int | None = None) -> tuple[dict[int, int], dict[int, int]]:
        """Lines in flight whose operator is not known yet, promises that come due, and how many lines must be covered.

        Of campaigns that may start lines, or have some: also a paused one serves whom it called.
        """
        known = self._known()
        found: tuple[dict[int, int], dict[int, int]] | None = known.get((team_id, without))
        if found is None:
            found = known[team_id, without] = self._count_lines_and_needs(team_id, without)
        return found

    def _count_lines_and_needs(self, team_id: int, without: int | None) -> tuple[dict[int, int], dict[int, int]]:
        lines: dict[int, int] = {}
        needs: dict[int, int] = {}
        for campaign in self.campaigns.values():
            key = campaign.id
            in_flight = self.in_flight[key]
            calls = campaign.state is CampaignState.RUNNING or in_flight > 0
            if campaign.team_id != team_id or campaign.operator_free or not calls:
                continue
            unknown = max(0, in_flight - self._reserved(key, team_id, without=without))
            lines[key] = unknown + self.due.get(key, 0)
            budget = self.budgets.get(key)
            answered = min(self._answered[key], unknown)
            wanted = answered + law.likely(unknown - answered + self.planned[key], self.chances.get(key, 1.0))
            spare = law.uncovered_max(budget, older=self._older[key]) if budget is not None else wanted
            needs[key] = max(0, wanted - spare)
        return lines, needs

    def _lines_covered_by(self, operators: int, campaign_id: int) -> int:
        """How many unanswered lines the bound allows with so many operators, if whoever waits is served first."""
        spare = law.uncovered_max(self.budgets[campaign_id], older=self._older[campaign_id])
        most = operators + spare - self._answered[campaign_id]
        return law.lines_within(most, self.chances.get(campaign_id, 1.0))

    def _reserved(self, campaign_id: int, team_id: int, *, without: int | None = None) -> int:
        """Free operators held for a promise of this campaign."""
        if not self._held_for:
            return 0
        free = self._crew.free(team_id)
        return sum(c == campaign_id and i in free and i != without for i, c in self._held_for.items())

    def _unheld(self, team_id: int, *, staying: bool = False) -> int:
        """Free operators who are held for no promise; those who stay for new lines: as many fewer as callers wait."""
        free = self._crew.free(team_id)
        gone = self.held.keys() | self._crew.restless_ids() if staying else self.held.keys()
        left = len(free) - sum(i in free for i in gone) if gone else len(free)
        return max(0, left - self._waiting_callers(team_id)) if staying and self.callers else left

    def _waiting_callers(self, team_id: int) -> int:
        return sum(n for c, n in self.callers.items() if n and self.campaigns[c].team_id == team_id)


def _weigh_alike(old: LiveAttempt, new: LiveAttempt) -> bool:
    """Whether two states of one attempt count alike everywhere: in flight, both before the answer or both after it."""
    before, after = old.state, new.state
    return (before in life.UNANSWERED and after in life.UNANSWERED) or (before in life.WAITS and after in life.WAITS)


def _waits_for_promised(attempt: LiveAttempt | None) -> bool:
    """Whether this attempt may still need the operator it was promised with; not when somebody else took the callee."""
    if attempt is None or attempt.state is AttemptState.CONNECTED:
        return False
    return attempt.state is not AttemptState.BRIDGING or attempt.operator_id == attempt.for_operator
