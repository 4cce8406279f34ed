"""How many calls to place now, for each campaign: snapshot, decision, claim, Originate.

The decision is ``core.pacing``'s; here it is asked for every half second and whenever something changed, and what
the gate lets through is written to the switch at once or never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from dialer.core import budget as law
from dialer.core import events as ev
from dialer.core import pacing
from dialer.core.floor import Floor
from dialer.core.model import AttemptState, Campaign, CampaignState, Claim, Ended, OperatorState
from dialer.engine.observe import Observations
from dialer.engine.ports import ClaimAsk, ClaimResult, Clock, Lease, Store
from dialer.errors import DialerError

log = structlog.get_logger(__name__)

#: A claim older than this is not dialled any more (rule R3).
SEND_WITHIN_S = 1.0
#: What happens within this is looked at together: a claim costs a commit.
GATHER_S = 0.05
#: Between two looks at a campaign when nothing happened.
TICK_S = 0.5
#: The calls of one claim are spread over this at the most, at twice the rate the trunk allows.
SPREAD_S = 0.3
#: Operators are kept free for callbacks that are due within this.
RESERVE_S = 30.0
#: How often the promises are looked up.
PROMISES_S = 5.0
#: The longest rest of a campaign whose contacts are all not due.
REST_S = 30.0
#: The switch is slow when it needs longer than this to acknowledge; then one line per free operator.
SLOW_ACK_S = 1.0
#: A number forbidden while its claim was on the way is remembered for this long.
FORBIDDEN_S = 10.0
#: Not more contacts in one claim: they must all be written within a second.
CLAIM_MAX = 50


@dataclass(slots=True)
class Bucket:
    """Token bucket of a trunk's call starts."""

    rate: float
    tokens: float = 1.0
    at_s: float = 0.0

    def room(self, now_s: float) -> int:
        """Whole calls that may start now."""
        self.tokens = min(max(1.0, self.rate), self.tokens + (now_s - self.at_s) * self.rate)
        self.at_s = now_s
        return int(self.tokens)


@dataclass(slots=True)
class Pace:
    """What the pacing of one campaign remembers between two looks.

    Attributes:
        decision: The last one, with its sentence.
        decided_at_change: How many changes there had been on the floor by then.
        rest_until: No claim before then, since no contact is due.
        due: Callbacks due within the reserve.
        in_vain_at: Nobody could keep a promise then: asked again only when something changed or promises were read.
        max_lines_per_ready: The most lines in flight per ready operator so far.
    """

    decision: pacing.Decision | None = None
    decided_at_change: int = -1
    rest_until: datetime | None = None
    due: int = 0
    in_vain_at: tuple[int, float] | None = None
    max_lines_per_ready: float = 0.0
    seen: Observations = field(default_factory=Observations)


class Dialing:
    """The pacing loop of one engine.

    Args:
        may_dial: Why no call may start now, None when calls may start.
        dial: Writes the Originate of a claim.
        do: Takes an event into the floor and carries its effects out.
    """

    def __init__(
        self,
        *,
        floor: Floor,
        store: Store,
        clock: Clock,
        new_id: Callable[[], UUID],
        may_dial: Callable[[], str | None],
        ack_s: Callable[[], float],
        dial: Callable[[Claim, Campaign], None],
        do: Callable[[ev.Event], None],
    ) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._may_dial = may_dial
        self._ack_s = ack_s
        self._dial = dial
        self._do = do
        self._kicked = asyncio.Event()
        self._changes = 0
        self._buckets: dict[int, Bucket] = {}
        self._teams: dict[int, pacing.Learner] = {}
        self._forbidden: dict[int, float] = {}
        self.lease: Lease | None = None
        self.paces: dict[int, Pace] = {}
        self.claiming = False
        self._promises_at_s = float("-inf")

    def kick(self) -> None:
        """Something changed: look at once."""
        self._changes += 1
        self._kicked.set()

    def wake(self, campaign_id: int | None = None) -> None:
        """Contacts may have come due: forget the rest."""
        for key, pace in self.paces.items():
            if campaign_id in {None, key}:
                pace.rest_until = None
        self._promises_at_s = float("-inf")
        self.kick()

    def forbid(self, phone_ids: Sequence[int]) -> None:
        """Numbers that must not be dialled, though their claim may be on the way."""
        now_s = self._clock.boot_s()
        self._forbidden = {p: s for p, s in self._forbidden.items() if now_s - s < FORBIDDEN_S}
        self._forbidden |= dict.fromkeys(phone_ids, now_s)

    def _just_forbidden(self, phone_id: int) -> bool:
        """Whether this number was forbidden since its claim may have been asked for."""
        return self._clock.boot_s() - self._forbidden.get(phone_id, float("-inf")) < FORBIDDEN_S

    def ended(self, ended: Ended) -> None:
        """Learn from an end, and do not oversleep the contact's next attempt."""
        pace = self.pace(ended.attempt.campaign_id)
        pace.seen.attempt(ended, self._floor.cover.budgets.get(ended.attempt.campaign_id))
        if pace.rest_until is not None and ended.next_at is not None:
            pace.rest_until = min(pace.rest_until, ended.next_at)

    def pace(self, campaign_id: int) -> Pace:
        """The memory of a campaign's pacing."""
        found = self.paces.get(campaign_id)
        if found is None:
            found = self.paces[campaign_id] = Pace()
        return found

    async def run(self) -> None:
        """Look at every running campaign, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._kicked.clear()
            running = [c for c in self._floor.campaigns.values() if c.state is CampaignState.RUNNING]
            await self._read_promises(running)
            for campaign in running:
                await self._look(campaign)
            tick = loop.call_later(self._tick_s(), self._kicked.set)
            await self._kicked.wait()
            tick.cancel()
            await asyncio.sleep(GATHER_S)

    def _tick_s(self) -> float:
        """Time alone changes a forecast, but not a campaign that rests, or that waits for something to happen."""
        if self._may_dial() is not None or not self._floor.operators:
            return TICK_S
        now = self._clock.now()
        tick_s = PROMISES_S
        for campaign in self._floor.campaigns.values():
            if campaign.state is not CampaignState.RUNNING:
                continue
            pace = self.pace(campaign.id)
            if pace.rest_until is not None:
                tick_s = min(tick_s, max(TICK_S, (pace.rest_until - now).total_seconds()))
            elif pace.decision is None or pace.decision.calls or pace.decision.ages:
                return TICK_S
        return tick_s

    async def _look(self, campaign: Campaign) -> None:
        pace = self.pace(campaign.id)
        now = self._clock.now()
        if self._may_dial() is not None:
            return
        try:
            if pace.rest_until is not None and now < pace.rest_until:
                return
            pace.rest_until = None
            calls = self._decide(campaign, pace, now).calls
            in_vain = pace.in_vain_at == (self._changes, self._promises_at_s)
            spare = 0 if in_vain or calls >= pace.due else self._floor.cover.spare(campaign.team_id)
            promised = min(pace.due, spare)
            if calls > 0:
                await self._claim(campaign, pace, min(calls, CLAIM_MAX))
            elif promised:
                await self._claim(campaign, pace, promised, callbacks_only=True)
        except DialerError as error:
            log.warning("claim.failed", campaign=campaign.id, code=error.code, error=str(error))
            pace.rest_until = now + timedelta(seconds=1)

    async def _read_promises(self, running: Sequence[Campaign]) -> None:
        """How many promises of each campaign need an operator soon; a campaign that rests wakes up for them."""
        if self._clock.boot_s() - self._promises_at_s < PROMISES_S or self._may_dial() is not None:
            return
        until = self._clock.now() + timedelta(seconds=RESERVE_S)
        try:
            due = await self._store.callbacks_due([campaign.id for campaign in running], until)
        except DialerError as error:
            log.warning("promises.not_read", code=error.code, error=str(error))
            return
        self._promises_at_s = self._clock.boot_s()
        for campaign in running:
            pace = self.pace(campaign.id)
            pace.due = due.get(campaign.id, 0)
            if pace.due:
                pace.rest_until = None

    def _decide(self, campaign: Campaign, pace: Pace, now: datetime) -> pacing.Decision:
        """The decision of this moment; the last one if nothing happened that could change a no."""
        last = pace.decision
        same = pace.decided_at_change == self._changes
        if last is None or not same or last.calls or last.ages:
            pace.decided_at_change = self._changes
            pace.decision = last = self._decide_anew(campaign, pace, now)
        return last

    def _decide_anew(self, campaign: Campaign, pace: Pace, now: datetime) -> pacing.Decision:
        cover = self._floor.cover
        others = [
            c
            for c in self._floor.campaigns.values()
            if c.team_id == campaign.team_id
            and c.id != campaign.id
            and not c.operator_free
            and c.id in cover.budgets
            and (c.state is CampaignState.RUNNING or cover.in_flight[c.id])
        ]
        views = [] if campaign.operator_free else [self._view(c, now) for c in others]
        rivals = [pacing.Rival(snapshot=s, learned=known, policy=p) for s, known, p in views]
        served = {c.id for c in others}
        snapshot, learned, policy = self._view(campaign, now, others=served)
        if held := cover.held_for(campaign):
            pace.max_lines_per_ready = max(pace.max_lines_per_ready, cover.in_flight[campaign.id] / held)
        return pacing.decide(replace(snapshot, rivals=rivals), learned, policy)

    def _view(
        self, campaign: Campaign, now: datetime, others: set[int] | None = None
    ) -> tuple[pacing.Snapshot, pacing.Learned, pacing.Policy]:
        """What a decision about a campaign is made of; with ``others`` it sees who serves none of these."""
        floor, pace = self._floor, self.pace(campaign.id)
        budget = floor.cover.budgets[campaign.id]
        held = floor.cover.held_for(campaign)
        in_flight = floor.cover.in_flight[campaign.id]
        trunk = campaign.trunk
        mine = [a for a in floor.attempts.values() if a.campaign_id == campaign.id]
        elsewhere = (a.campaign_id for a in floor.attempts.values() if a.campaign_id != campaign.id)
        used = len(mine) + sum(floor.campaigns[c].trunk.id == trunk.id for c in elsewhere)
        talking_s, wrap_up_s = self._busy(campaign, now, others)
        pace.seen.learner.team = self._teams.setdefault(campaign.team_id, pacing.Learner())
        pace.seen.look(mine, budget)
        states = [a.state for a in mine]
        snapshot = pacing.Snapshot(
            ready=held,
            reserved=min(pace.due, held),
            talking_s=talking_s,
            wrap_up_s=wrap_up_s,
            setting_up_s=[(now - a.sent_at).total_seconds() for a in mine if a.state is AttemptState.SENT],
            ringing_s=[(now - (a.rang_at or now)).total_seconds() for a in mine if a.state is AttemptState.RINGING],
            in_offer_s=[(now - (a.answered_at or now)).total_seconds() for a in mine if a.state is AttemptState.OFFER],
            waiting=states.count(AttemptState.ANSWERED) + states.count(AttemptState.WAITING),
        )
        resting = pace.rest_until is not None and now < pace.rest_until
        calls = campaign.state is CampaignState.RUNNING and not resting
        policy = pacing.Policy(
            mode=campaign.mode,
            ring_timeout_s=campaign.ring_timeout_s,
            max_lines_per_operator=campaign.max_lines_per_operator,
            room_budget=law.room(budget, in_flight=in_flight, free=held),
            room_trunk=max(0, min(trunk.max_channels - used, campaign.max_lines - len(mine))) if calls else 0,
            room_starts=self._bucket(campaign).room(self._clock.boot_s()),
            budget=budget,
            slow=self._ack_s() > SLOW_ACK_S,
            key_wait_s=campaign.key_wait_s,
            operator_free=campaign.operator_free,
            weight=campaign.weight,
        )
        return snapshot, pace.seen.learned(now, budget, talking_s, wrap_up_s), policy

    def _busy(self, campaign: Campaign, now: datetime, others: set[int] | None) -> tuple[list[float], list[float]]:
        """Seconds in talk and in wrap-up of the team's operators who serve this campaign and will stay."""
        talking_s, wrap_up_s = [], []
        for op in self._floor.operators.values():
            live = op.live
            serves = live.campaign_id == campaign.id or (others is not None and live.campaign_id not in others)
            if live.team_id != campaign.team_id or not serves or op.restless:
                continue
            if live.state is OperatorState.TALKING or (live.state is OperatorState.READY and live.attempt_id):
                talking_s.append((now - live.since).total_seconds() if live.state is OperatorState.TALKING else 0.0)
            elif live.state is OperatorState.WRAP_UP:
                wrap_up_s.append((now - live.since).total_seconds())
        return talking_s, wrap_up_s

    def _bucket(self, campaign: Campaign) -> Bucket:
        rate = campaign.trunk.calls_per_s
        bucket = self._buckets.setdefault(campaign.trunk.id, Bucket(rate, at_s=self._clock.boot_s()))
        bucket.rate = rate
        return bucket

    async def _claim(self, campaign: Campaign, pace: Pace, calls: int, *, callbacks_only: bool = False) -> None:
        if self.lease is None:
            return
        now = self._clock.now()
        cover = self._floor.cover
        ask = ClaimAsk(
            switch=self.lease.switch,
            epoch=self.lease.epoch,
            campaign=campaign,
            ids=[self._new_id() for _ in range(calls)],
            free_operators=cover.held_for(campaign, promises=calls if callbacks_only else 0),
            ready_operator_ids=cover.promisable(campaign),
            now=now,
            callbacks_only=callbacks_only,
        )
        self.claiming = True
        cover.plan(campaign.id, calls)
        try:
            result = await self._store.claim(ask)
        finally:
            cover.plan(campaign.id, 0)
            self.claiming = False
        self._adopt_budget(campaign, result)
        self._buckets[campaign.trunk.id].tokens -= len(result.claims)
        await self._send(campaign, result)
        if not result.claims and callbacks_only:
            pace.in_vain_at = (self._changes, self._promises_at_s)
        elif not result.claims and not result.held_back:
            rest = now + timedelta(seconds=REST_S)
            pace.rest_until = rest if result.next_due_at is None else min(rest, result.next_due_at)

    def _adopt_budget(self, campaign: Campaign, result: ClaimResult) -> None:
        """Memory counts what the database has not yet; a new window or cap is the database's word."""
        mine, theirs = self._floor.cover.budgets.get(campaign.id), result.budget
        if mine is None or (mine.starts_at, mine.cap_permille) != (theirs.starts_at, theirs.cap_permille):
            self._floor.cover.set_budget(theirs)

    async def _send(self, campaign: Campaign, result: ClaimResult) -> None:
        """Write the calls one after the other: who is called together answers together, and waits for the others."""
        pause_s = min(0.5 / campaign.trunk.calls_per_s, SPREAD_S / max(1, len(result.claims)))
        for claim in result.claims:
            self._do(ev.Taken(claim))
        for claim in result.claims:
            if claim is not result.claims[0]:
                await asyncio.sleep(pause_s)
            self._write(claim, campaign, result.boot_s)

    def _write(self, claim: Claim, campaign: Campaign, boot_s: float) -> None:
        """Write the call now, or end it as not sent: never later."""
        attempt = self._floor.attempts.get(claim.attempt_id)
        late = self._clock.boot_s() - boot_s > SEND_WITHIN_S
        if attempt is None:
            return
        if late or attempt.ended_by or self._may_dial() is not None or self._just_forbidden(claim.phone_id):
            self._do(ev.NotSent(claim.attempt_id, self._clock.now()))
            return
        self._dial(claim, campaign)

    def lines_per_ready(self) -> float:
        """The most lines in flight per ready operator any campaign had."""
        return max((pace.max_lines_per_ready for pace in self.paces.values()), default=0.0)
