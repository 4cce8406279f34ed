"""A day that is against us: campaigns that share operators, dialled as far as the bound allows, and a chance that
looks for the moment at which one more person would be lost than may be.

It moves the product's own ``Floor``, ``Cover`` and ``budget`` and counts abandons by itself, from the ends alone. Calls
are answered in floods, operators come, pause, leave, and lose their phones, windows end, targets change, claims take
their time. A hangup of ours works at once.

What no bound can prevent happens only on ``rough`` days, and is counted: the bridge of a callee fails, the phone of the
operator who is just being connected is lost, or a phone is lost while somebody listens to an offer, who cannot be cut.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core import attempt as life
from dialer.core import budget as law
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.model import AttemptState, Budget, CampaignState, Claim, LegalWindow, Mode, OperatorState
from dialer.core.presence import NotNow
from tests.core.floors import CAMPAIGN, IVR, NOON, PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from dialer.core.floor import Floor
    from dialer.core.model import Campaign, LiveAttempt
    from dialer.core.presence import Operator

#: How often each thing happens; a flood is many answers in one instant.
STEPS = {
    "claim": 16,
    "take": 16,
    "answer": 16,
    "flood": 3,
    "rings_out": 4,
    "key": 4,
    "join": 16,
    "callee_hangs_up": 2,
    "talk_ends": 14,
    "save": 8,
    "come": 5,
    "pause": 4,
    "ready": 6,
    "leave": 2,
    "phone_lost": 4,
    "phone_back": 6,
    "a_moment": 8,
    "a_minute": 1,
    "other_target": 0.3,
    "other_state": 0.5,
    "bridge_fails": 0,
}
LINES_MAX, OPERATORS_MAX = 120, 14


@dataclass
class Pending:
    """A claim on its way: what it asked with, and what the database will let through."""

    campaign_id: int
    lines: int
    free: int
    for_operator: int | None


@dataclass
class Adversary:
    """One day.

    Attributes:
        worst: The greatest share of the cap that any window used at any instant; above 1 the bound broke.
        broken: Windows in which the cap was passed.
        misfortunes: What no bound can prevent; each may cost one person.
        cuts: Ringing lines hung up because nobody covered them any more.
        deferred: Pauses and ends of shifts that had to wait.
    """

    floor: Floor
    seed: int
    rough: bool = False
    now: datetime = NOON
    answered: Counter[tuple[int, datetime]] = field(default_factory=Counter)
    abandoned: Counter[tuple[int, datetime]] = field(default_factory=Counter)
    caps: dict[int, int] = field(default_factory=dict)
    worst: float = 0.0
    broken: set[tuple[int, datetime]] = field(default_factory=set)
    misfortunes: int = 0
    calls: int = 0
    cuts: int = 0
    deferred: int = 0

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.pending: list[Pending] = []
        self.bridges: dict[UUID, UUID] = {}
        self.phones_off: set[int] = set()
        self.sessions = 0
        self.greedy = self.chance.random() < 0.7
        weights = dict(STEPS) | ({"bridge_fails": 1.5} if self.rough else {})
        self.things: list[Callable[[], None]] = [getattr(self, name) for name in weights]
        self.weights = list(weights.values())
        campaigns = [self._campaign(i) for i in range(1, self.chance.randint(1, 3) + 1)]
        for campaign in campaigns:
            self._carry(campaign)
        self.tell(ev.CampaignsRead(campaigns))

    def _campaign(self, i: int) -> Campaign:
        chance = self.chance
        kind = IVR if chance.random() < 0.25 else replace(CAMPAIGN, mode=Mode.PREDICTIVE)
        cap = chance.choice((0, 10, 20, 30, 30, 50))
        window = chance.choice((LegalWindow.HOUR, LegalWindow.HOUR, LegalWindow.DAYS30, LegalWindow.CALENDAR_MONTH))
        return replace(
            kind,
            id=i,
            cap_permille=cap,
            weight=chance.choice((0.5, 1.0, 3.0)),
            profile=replace(PROFILE, cap_permille=cap, legal_window=window),
        )

    def _carry(self, campaign: Campaign) -> None:
        """What was dialled before, up to the very last abandon that may be."""
        chance, cap = self.chance, law.cap_of(campaign)
        starts_at, ends_at = law.window(campaign.profile.legal_window, self.now, "UTC")
        answered = chance.choice((0, 30, 70, 300, 1000))
        abandoned = min(answered, cap * answered // 1000) - chance.choice((0, 0, 1, 3))
        budget = Budget(
            campaign_id=campaign.id,
            starts_at=starts_at,
            ends_at=ends_at,
            answered=answered,
            abandoned=max(0, abandoned),
            uncovered=0,
            cap_permille=cap,
        )
        self.caps[campaign.id] = cap
        self.answered[campaign.id, starts_at] = budget.answered
        self.abandoned[campaign.id, starts_at] = budget.abandoned
        self.floor.cover.set_budget(budget)

    # Telling the floor, and counting what comes out -----------------------------------------

    def tell(self, *events: ev.Event) -> None:
        for event in events:
            self._follow(self.floor.step(event, self.now))

    def _follow(self, effects: list[fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case fx.EndCall(attempt_id):
                    self.bridges.pop(attempt_id, None)
                    self.cuts += attempt_id in self.floor.attempts
                    self._end(attempt_id)
                case fx.Hold(attempt_id):
                    self.tell(ev.CalleeWaits(attempt_id, self.now))
                case fx.Connect(attempt_id, session_id):
                    self.bridges[attempt_id] = session_id
                case fx.AttemptEnded(ended):
                    self._count(ended)
                case _:
                    pass

    def _count(self, ended: fx.Ended) -> None:
        campaign = self.floor.campaigns[ended.attempt.campaign_id]
        self.bridges.pop(ended.attempt.id, None)
        window = law.window(campaign.profile.legal_window, ended.attempt.sent_at, "UTC")[0]
        key = (campaign.id, window)
        self.answered[key] += ended.legal_answered
        self.abandoned[key] += ended.legal_abandoned
        if ended.legal_abandoned:
            lost, allowed = 1000 * self.abandoned[key], self.caps[campaign.id] * self.answered[key]
            self.worst = max(self.worst, lost / allowed if allowed else float("inf"))
            if lost > allowed:
                self.broken.add(key)

    def beyond(self) -> int:
        """People lost beyond the caps, over all windows."""
        return sum(
            max(0, lost - self.caps[key[0]] * self.answered[key] // 1000) for key, lost in self.abandoned.items()
        )

    # Who is there ----------------------------------------------------------------------------

    def _lines(self, states: frozenset[AttemptState]) -> list[LiveAttempt]:
        return [a for a in self.floor.attempts.values() if a.state in states]

    def _some(self, states: frozenset[AttemptState]) -> LiveAttempt | None:
        found = self._lines(states)
        return self.chance.choice(found) if found else None

    def _operator(self, *states: OperatorState) -> Operator | None:
        found = [op for op in self.floor.operators.values() if op.live.state in states]
        return self.chance.choice(found) if found else None

    # What happens ----------------------------------------------------------------------------

    def claim(self) -> None:
        """Ask the gate for lines, as the engine does; what it lets through is known a little later."""
        cover = self.floor.cover
        campaign = self.chance.choice(list(self.floor.campaigns.values()))
        if self.pending or campaign.state is not CampaignState.RUNNING:
            return
        cover.set_budget(law.present(cover.budgets[campaign.id], campaign, self.now))
        promised = None
        if self.chance.random() < 0.1 and (able := cover.promisable(campaign)):
            promised = able[0]
        spare = min(1, cover.spare(campaign.team_id)) if promised else 0
        room = LINES_MAX - len(self.floor.attempts)
        lines = min(room, spare or (room if self.greedy else self.chance.randint(1, 9)))
        if lines > 0:
            free = cover.held_for(campaign, promises=spare)
            self.pending.append(Pending(campaign.id, lines, free, promised))
            cover.plan(campaign.id, lines)
            self._let_through(campaign)

    def _let_through(self, campaign: Campaign) -> None:
        """The database has the last word, by the same function."""
        asked, cover = self.pending[0], self.floor.cover
        room = law.room(
            cover.budgets[campaign.id],
            in_flight=cover.lines(campaign.id),
            free=asked.free,
            older=sum(
                a.campaign_id == campaign.id
                and a.state is not AttemptState.CONNECTED
                and a.sent_at < cover.budgets[campaign.id].starts_at
                for a in self.floor.attempts.values()
            ),
        )
        asked.lines = min(asked.lines, room)
        cover.plan(campaign.id, asked.lines)

    def take(self) -> None:
        """The answer of the gate arrives."""
        if not self.pending:
            return
        asked = self.pending.pop()
        self.floor.cover.plan(asked.campaign_id, 0)
        for place in range(asked.lines):
            self.calls += 1
            self.tell(
                ev.Taken(
                    Claim(
                        attempt_id=UUID(int=self.calls),
                        campaign_id=asked.campaign_id,
                        contact_id=self.calls,
                        phone_id=self.calls,
                        e164="+12025550100",
                        number=1,
                        counted=0,
                        sent_at=self.now,
                        callback_id=1 if asked.for_operator else None,
                        for_operator=None if place else asked.for_operator,
                    )
                )
            )

    def answer(self) -> None:
        attempt = self._some(life.UNANSWERED)
        if attempt is None:
            return
        if self.floor.campaigns[attempt.campaign_id].mode is Mode.IVR:
            self.tell(ev.OfferStarted(attempt.id, self.now))
        else:
            self.tell(ev.Answered(attempt.id, self.now), ev.CalleeWaits(attempt.id, self.now))

    def flood(self) -> None:
        for _ in range(40):
            self.answer()

    def key(self) -> None:
        attempt = self._some(frozenset({AttemptState.OFFER}))
        if attempt is not None:
            self.tell(ev.CalleeWaits(attempt.id, self.now))

    def rings_out(self) -> None:
        attempt = self._some(life.UNANSWERED)
        if attempt is not None:
            self.tell(ev.Rang(attempt.id, self.now))
            if self.chance.random() < 0.6:
                self._end(attempt.id)

    def join(self) -> None:
        for attempt_id, session_id in list(self.bridges.items()):
            del self.bridges[attempt_id]
            word = f"bridge-{attempt_id}"
            self.tell(ev.OperatorJoined(session_id, word, self.now), ev.CalleeJoined(attempt_id, word, self.now))

    def callee_hangs_up(self) -> None:
        """Also while the bridge is made: after a long wait that is a loss nobody could foresee any more."""
        attempt = self._some(life.WAITS | {AttemptState.BRIDGING})
        if attempt is None:
            return
        if attempt.state is AttemptState.BRIDGING:
            late = (self.now - (attempt.waiting_at or attempt.answered_at)).total_seconds() >= life.CONNECT_WITHIN_S
            if late and not self.rough:
                return
            self.misfortunes += late
        self._end(attempt.id)

    def talk_ends(self) -> None:
        attempt = self._some(frozenset({AttemptState.CONNECTED}))
        if attempt is not None:
            self._end(attempt.id)

    def _end(self, attempt_id: UUID) -> None:
        self.tell(ev.CallEnded(attempt_id, self.now, 16, None, "no_answer"))

    def save(self) -> None:
        op = self._operator(OperatorState.WRAP_UP)
        if op is not None and op.live.attempt_id is not None:
            self.tell(ev.DispositionSaved(op.live.operator_id, op.live.attempt_id))

    def come(self) -> None:
        for operator_id in range(1, OPERATORS_MAX + 1):
            if operator_id not in self.floor.operators:
                self.sessions += 1
                session = UUID(int=(1 << 64) + self.sessions)
                self.tell(ev.ShiftStarted(operator_id, session, "Somebody", 1, f"seat-{operator_id}"))
                self.tell(ev.LegWaiting(session, self.now), ev.ReadyAsked(operator_id))
                return

    def pause(self) -> None:
        op = self._operator(OperatorState.READY)
        if op is not None:
            self.tell(ev.PauseAsked(op.live.operator_id, "lunch"))
            self.deferred += self.floor.operators[op.live.operator_id].live.state is OperatorState.READY

    def ready(self) -> None:
        op = self._operator(OperatorState.PAUSED)
        if op is not None:
            with suppress(NotNow):
                self.tell(ev.ReadyAsked(op.live.operator_id))

    def leave(self) -> None:
        op = self._operator(*OperatorState)
        if op is not None:
            self.tell(ev.ShiftEndAsked(op.live.operator_id))

    def phone_lost(self) -> None:
        op = self._operator(*OperatorState)
        if op is None:
            return
        bridging = op.live.state is OperatorState.READY and op.live.attempt_id is not None
        if bridging or self._lines(frozenset({AttemptState.OFFER, AttemptState.WAITING})):
            if not self.rough:
                return
            self.misfortunes += 1
        self.phones_off.add(op.live.operator_id)
        if op.live.attempt_id is not None:
            self.bridges.pop(op.live.attempt_id, None)
        self.tell(ev.LegEnded(op.live.session_id, self.now))

    def phone_back(self) -> None:
        for operator_id in sorted(self.phones_off):
            op = self.floor.operators.get(operator_id)
            self.phones_off.discard(operator_id)
            if op is not None:
                self.tell(ev.PhoneBack(op.live.seat), ev.LegWaiting(op.live.session_id, self.now))
                return

    def bridge_fails(self) -> None:
        if self.bridges:
            self.misfortunes += 1
            attempt_id, session_id = self.bridges.popitem()
            self.tell(ev.BridgeRefused(attempt_id, session_id), ev.LegWaiting(session_id, self.now))

    def a_moment(self) -> None:
        self._pass(self.chance.choice((0.2, 1.0, 2.5)))

    def a_minute(self) -> None:
        """Now and then an hour ends, with lines in flight."""
        to_hour = 3600 - (self.now.minute * 60 + self.now.second)
        self._pass(to_hour + 0.5 if self.chance.random() < 0.15 else self.chance.choice((10.0, 40.0)))

    def _pass(self, seconds: float) -> None:
        self.join()
        self.now += timedelta(seconds=seconds)
        self.tell(ev.TimePassed())
        for attempt in self._lines(life.WAITS):
            campaign = self.floor.campaigns[attempt.campaign_id]
            if attempt.state is not AttemptState.OFFER and not life.may_be_bridged(attempt, campaign, self.now):
                self.now = max(self.now, (attempt.waiting_at or attempt.answered_at) + timedelta(seconds=2.5))
                self._end(attempt.id)

    def other_target(self) -> None:
        self._change(lambda c: replace(c, target_permille=self.chance.choice((None, 0, 5, 20))))

    def other_state(self) -> None:
        states = (CampaignState.RUNNING, CampaignState.RUNNING, CampaignState.PAUSED)
        self._change(lambda c: replace(c, state=self.chance.choice(states)))

    def _change(self, change: Callable[[Campaign], Campaign]) -> None:
        campaigns = dict(self.floor.campaigns)
        chosen = self.chance.choice(list(campaigns))
        campaigns[chosen] = change(campaigns[chosen])
        self.tell(ev.CampaignsRead(list(campaigns.values())))
        self.floor.cover.set_budget(law.present(self.floor.cover.budgets[chosen], campaigns[chosen], self.now))

    def live(self, steps: int) -> Adversary:
        """So many things happen."""
        for _ in range(self.chance.randint(1, OPERATORS_MAX)):
            self.come()
        for thing in self.chance.choices(self.things, self.weights, k=steps):
            thing()
        self.join()
        self._pass(2.5)
        return self
