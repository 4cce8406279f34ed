"""How many calls to place now, for each campaign: snapshot, decision, claim, Originate.

The decision is ``core.pacing``'s; here it is asked for whenever something changed that may allow more calls, and after
some time even if nothing did. What the gate lets through is written to the switch at once or never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from heapq import heappop, heappush
from uuid import UUID

import structlog

from dialer.core import budget as law
from dialer.core import events as ev
from dialer.core import pacing
from dialer.core.floor import Floor
from dialer.core.model import Budget, BudgetMode, Campaign, Claim, Ended
from dialer.core.quick import replace
from dialer.core.states import AttemptState, CampaignState, Mode, OperatorState
from dialer.engine.asking import Asking
from dialer.engine.pace import InVain, Pace, Paces, Start
from dialer.engine.ports import ClaimAsk, ClaimResult, Clock, Lease, Store
from dialer.engine.reserve import PROMISES_S, Reserve
from dialer.engine.trunks import AHEAD_S, Trunks
from dialer.errors import DialerError

log = structlog.get_logger(__name__)

#: A claim older than this is not dialled any more (rule R3).
SEND_WITHIN_S = 1.0
#: What happens within this is looked at together: a claim costs a commit.
GATHER_S = 0.05
#: Between two looks at a campaign when nothing happened.
TICK_S = 0.5
#: The longest rest of a campaign whose contacts are all not due; a base that is loaded, also by another process, ends
#: it sooner.
REST_S = 120.0
#: The switch is slow when it needs longer than this to acknowledge; then one line per free operator.
SLOW_ACK_S = 1.0
#: A number forbidden while its claim was on the way is remembered for this long.
FORBIDDEN_S = 10.0
#: What was learned is stored this often, and why campaigns dialled as they did.
KEEP_S = 60.0
#: Not more contacts in one claim: they must all be written within a second.
CLAIM_MAX = 50


class Dialing:
    """The pacing loop of one engine.

    Args:
        may_dial: Why no call may start now, None when calls may start.
        held_back: Why this campaign alone starts none.
        dial: Writes the Originate of a claim.
        do: Takes an event into the floor and carries its effects out.
        alarm: Tells people: a stable word and the facts.
    """

    def __init__(
        self,
        *,
        floor: Floor,
        store: Store,
        clock: Clock,
        new_id: Callable[[], UUID],
        may_dial: Callable[[], str | None],
        held_back: Callable[[Campaign], str | None],
        ack_s: Callable[[], float],
        dial: Callable[[Claim, Campaign], None],
        do: Callable[[ev.Event], None],
        alarm: Callable[[str, str], None],
    ) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._may_dial = may_dial
        self.held_back = held_back
        self._ack_s = ack_s
        self._dial = dial
        self._do = do
        self._alarm = alarm
        self._kicked = asyncio.Event()
        self._gathering = False
        self._changes = 0
        self._trunks = Trunks(clock, alarm)
        self._teams: dict[int, pacing.Learner] = {}
        self._forbidden: dict[int, float] = {}
        self.lease: Lease | None = None
        self.paces = Paces()
        self.claiming = False
        self.reserve = Reserve(floor, store, clock, self.paces)
        self._claimed = asyncio.Event()
        self._to_write: list[Start] = []
        self._number = 0
        self.asking = Asking(
            floor=floor,
            store=store,
            clock=clock,
            new_id=new_id,
            do=do,
            place=self._line_up,
            room=lambda campaign: min(self._channels(campaign), self._trunks.starts(campaign)),
            may_dial=may_dial,
            fence=lambda: (self.lease.switch, self.lease.epoch) if self.lease is not None else None,
            wake=self._kicked.set,
        )

    def kick(self, *, at_once: bool = True) -> None:
        """Something changed: look at once, or when the next look is due."""
        self._changes += 1
        if at_once and not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        self._kicked.set()

    def wake(self, campaign_id: int | None = None) -> None:
        """Contacts may have come due: forget the rest."""
        now = self._clock.now()
        for key, pace in self.paces.items():
            if campaign_id in {None, key}:
                pace.comes_due(now)
                pace.rest_until = pace.in_vain = None
        self.reserve.forget()
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
        pace = self.paces[ended.attempt.campaign_id]
        if not ended.attempt.asked:
            pace.seen.attempt(ended, self._floor.cover.budgets.get(ended.attempt.campaign_id))
        self._trunks.judge(self._floor.campaigns[ended.attempt.campaign_id], ended)
        if ended.next_at is not None:
            pace.comes_due(ended.next_at)

    def pace(self, campaign_id: int) -> Pace:
        """The memory of a campaign's pacing."""
        return self.paces[campaign_id]

    async def run(self) -> None:
        """Look at every running campaign, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._kicked.clear()
            await self.asking.place_asked()
            stopped = self._may_dial() is not None
            if not stopped:
                running = [c for c in self._floor.campaigns.values() if c.state is CampaignState.RUNNING]
                running = [c for c in running if self.held_back(c) is None]
                await self.reserve.read(running)
                self.reserve.keep(running)
                if len(running) > 1:
                    running.sort(key=lambda c: self.paces[c.id].claimed_s)
                for campaign in running:
                    if campaign.mode is Mode.PREVIEW:
                        await self.asking.offer(campaign, self.paces[campaign.id])
                        continue
                    calls, promises = self._look(campaign)
                    if calls or promises:
                        await self._claim(campaign, calls or promises, callbacks_only=calls == 0)
                        self.reserve.keep(running)  # meanwhile somebody may have become free
            tick = loop.call_later(TICK_S if stopped else self._tick_s(), self._kicked.set)
            await self._kicked.wait()
            tick.cancel()

    def _tick_s(self) -> float:
        """Time alone changes a forecast, but not a campaign that rests, or that waits for something to happen."""
        now = self._clock.now()
        tick_s = PROMISES_S
        for campaign in self._floor.campaigns.values():
            if campaign.state is not CampaignState.RUNNING:
                continue
            pace = self.paces[campaign.id]
            tick_s = min(tick_s, max(GATHER_S, self.reserve.next_in_s(campaign)))
            if pace.rest_until is not None:
                tick_s = min(tick_s, max(TICK_S, (pace.rest_until - now).total_seconds()))
            elif campaign.mode is Mode.PREVIEW:
                continue  # an operator who becomes free is an event
            elif pace.decision is not None and pace.decision.reason == "starts_limit":
                wait_s = self._trunks.of(campaign).starts.wait_s(self._clock.boot_s())
                tick_s = min(tick_s, max(GATHER_S, wait_s - AHEAD_S))
            elif pace.decision is None or pace.missing or pace.decided_with != (pace.due, pace.caution):
                return TICK_S
            elif pace.decision.ages:
                tick_s = min(tick_s, max(GATHER_S, pace.stands_until_s - self._clock.boot_s()))
        return tick_s

    def _look(self, campaign: Campaign) -> tuple[int, int]:
        """How many calls to claim now; if none, how many promises to ask for."""
        pace, now = self.paces[campaign.id], self._clock.now()
        hopes = pace.due > 0 and self.reserve.may_find(campaign, pace, now)
        if pace.rest_until is not None and now < pace.rest_until and not hopes:
            return 0, 0
        pace.rest_until = None
        self._trunks.heed(campaign, self._floor.cover.live[campaign.id].values())
        self._decide(campaign, pace, now)
        if pace.missing or not hopes:
            return min(pace.missing, CLAIM_MAX), 0
        spare = self._floor.cover.spare(campaign.team_id)
        return 0, min(pace.due, spare, self._channels(campaign), self._trunks.starts(campaign))

    def _decide(self, campaign: Campaign, pace: Pace, now: datetime) -> None:
        """Decide anew, unless the calls of the last decision are placed and nothing happened that could change it."""
        last = pace.decision
        same = pace.decided_at_change == self._changes and pace.decided_with == (pace.due, pace.caution)
        if last is None or not same or pace.missing or (last.ages and self._clock.boot_s() >= pace.stands_until_s):
            pace.decided_at_change, pace.decided_with = self._changes, (pace.due, pace.caution)
            pace.decision = last = self._decide_anew(campaign, now)
            pace.missing = last.calls
            pace.stands_until_s = self._clock.boot_s() + last.stands_s
            pace.why.note(last, now)

    def _decide_anew(self, campaign: Campaign, now: datetime) -> pacing.Decision:
        cover = self._floor.cover
        others = [
            c
            for c in self._floor.campaigns.values()
            if c.id != campaign.id
            and c.team_id == campaign.team_id
            and c.mode is not Mode.PREVIEW
            and not c.operator_free
            and c.id in cover.budgets
            and (c.state is CampaignState.RUNNING or cover.in_flight[c.id])
        ]
        snapshot, learned, policy = self._view(campaign, now, others={c.id for c in others})
        if others and pacing.looks_ahead(snapshot, learned, policy):
            views = [self._view(c, now) for c in others]
            rivals = [pacing.Rival(snapshot=s, learned=known, policy=p) for s, known, p in views]
            snapshot = replace(snapshot, rivals=rivals)
        elif others and not campaign.operator_free and campaign.mode is not Mode.PROGRESSIVE:
            snapshot = replace(snapshot, elsewhere=sum(self._at_work(c, now) for c in others))
        return pacing.decide(snapshot, learned, policy)

    def _budget(self, campaign: Campaign, now: datetime) -> Budget:
        """The budget of a campaign in the window of this moment."""
        known = self._floor.cover.budgets[campaign.id]
        budget = law.present(known, campaign, now)
        if budget is not known:
            self._floor.cover.set_budget(budget)
        return budget

    def _at_work(self, campaign: Campaign, now: datetime) -> int:
        """Operators at work for a campaign."""
        self._budget(campaign, now)
        talking_s, wrap_up_s = self._busy(campaign, now, None)
        return self._floor.cover.held_for(campaign) + len(talking_s) + len(wrap_up_s)

    def _view(
        self, campaign: Campaign, now: datetime, others: set[int] | None = None
    ) -> tuple[pacing.Snapshot, pacing.Learned, pacing.Policy]:
        """What a decision about a campaign is made of; with ``others`` it sees who serves none of these."""
        cover, pace = self._floor.cover, self.paces[campaign.id]
        budget = self._budget(campaign, now)
        mine = [attempt for attempt in cover.live[campaign.id].values() if not attempt.asked]
        talking_s, wrap_up_s = self._busy(campaign, now, others)
        pace.seen.learner.team = self._team(campaign.team_id)
        uncovered = max(0, cover.lines(campaign.id) - cover.covering(campaign, 0))
        pace.seen.look(mine, budget, campaign.caution, uncovered)
        share = pace.seen.learner.answer
        probable = campaign.budget_mode is BudgetMode.PROBABLE
        cover.believe(campaign.id, law.chance_at_most(share.value, share.n_at(now.timestamp())) if probable else None)
        held = cover.held_for(campaign)
        setting_up_s: list[float] = []
        ringing_s: list[float] = []
        in_offer_s: list[float] = []
        waiting = 0
        for a in mine:
            state = a.state
            if state is AttemptState.SENT:
                setting_up_s.append((now - a.sent_at).total_seconds())
            elif state is AttemptState.RINGING:
                ringing_s.append((now - (a.rang_at or now)).total_seconds())
            elif state is AttemptState.OFFER:
                in_offer_s.append((now - (a.answered_at or now)).total_seconds())
            elif state is AttemptState.ANSWERED or state is AttemptState.WAITING:
                waiting += 1
        snapshot = pacing.Snapshot(
            ready=held,
            reserved=pace.due,
            talking_s=talking_s,
            wrap_up_s=wrap_up_s,
            setting_up_s=setting_up_s,
            ringing_s=ringing_s,
            in_offer_s=in_offer_s,
            waiting=waiting,
        )
        resting = pace.rest_until is not None and now < pace.rest_until
        calls = campaign.state is CampaignState.RUNNING and not resting
        off = self._trunks.of(campaign).breaker.off_since is not None
        policy = pacing.Policy(
            mode=campaign.mode,
            ring_timeout_s=campaign.ring_timeout_s,
            max_lines_per_operator=campaign.max_lines_per_operator,
            room_budget=cover.room(campaign),
            room_trunk=self._channels(campaign) if calls else 0,
            room_starts=self._trunks.starts(campaign),
            trunk_off=off,
            budget=budget,
            slow=self._ack_s() > SLOW_ACK_S,
            caution=campaign.caution * pace.caution,
            key_wait_s=campaign.key_wait_s,
            operator_free=campaign.operator_free,
            weight=campaign.weight,
        )
        return snapshot, pace.seen.learned(now, budget, talking_s, wrap_up_s), policy

    def _team(self, team_id: int) -> pacing.Learner:
        """What all campaigns of a team learn together."""
        found = self._teams.get(team_id)
        if found is None:
            found = self._teams[team_id] = pacing.Learner()
        return found

    def _channels(self, campaign: Campaign) -> int:
        """Further lines that the trunk and the campaign's own maximum allow."""
        live, campaigns = self._floor.cover.live, self._floor.campaigns.values()
        trunk, used = campaign.trunk, 0
        for c in campaigns:
            if c.trunk.id == trunk.id:
                used += len(live[c.id])
        return max(0, min(trunk.max_channels - used, campaign.max_lines - len(live[campaign.id])))

    def _busy(self, campaign: Campaign, now: datetime, others: set[int] | None) -> tuple[list[float], list[float]]:
        """Seconds in talk and in wrap-up of the team's operators who serve this campaign, will stay, and owe nobody."""
        talking_s: list[float] = []
        wrap_up_s: list[float] = []
        mine, team_id, expected = campaign.id, campaign.team_id, self.reserve.expected
        for op in self._floor.operators.values():
            live = op.live
            state = live.state
            serves = live.campaign_id == mine or (others is not None and live.campaign_id not in others)
            if not serves or live.team_id != team_id or op.restless or live.operator_id in expected:
                continue
            if state is OperatorState.TALKING:
                talking_s.append((now - live.since).total_seconds())
            elif state is OperatorState.WRAP_UP:
                wrap_up_s.append((now - live.since).total_seconds())
            elif state is OperatorState.READY and live.attempt_id:
                talking_s.append(0.0)
        return talking_s, wrap_up_s

    def trunk_off_since(self, campaign: Campaign) -> datetime | None:
        """Since when this campaign's trunk is off; None while it is on."""
        return self._trunks.of(campaign).breaker.off_since

    async def _claim(self, campaign: Campaign, calls: int, *, callbacks_only: bool = False) -> None:
        if self.lease is None or self._may_dial() is not None:
            return
        pace, cover, now = self.paces[campaign.id], self._floor.cover, self._clock.now()
        ask = ClaimAsk(
            switch=self.lease.switch,
            epoch=self.lease.epoch,
            campaign=campaign,
            ids=[self._new_id() for _ in range(calls)],
            free_operators=cover.covering(campaign, calls, promises=calls if callbacks_only else 0),
            ready_operator_ids=cover.promisable(campaign),
            now=now,
            callbacks_only=callbacks_only,
        )
        self.claiming, pace.sooner = True, None
        cover.plan(campaign.id, calls)
        try:
            result = await self._store.claim(ask)
        except DialerError as error:
            log.warning("claim.failed", campaign=campaign.id, code=error.code, error=str(error))
            pace.rest_until = now + timedelta(seconds=1)
            pace.in_vain = InVain(ask.ready_operator_ids, now, pace.rest_until)
            return
        finally:
            cover.plan(campaign.id, 0)
            self.claiming = False
        pace.missing -= 0 if callbacks_only else len(result.claims)
        self._adopt_budget(campaign, result)
        pace.in_vain = None
        promised = any(claim.callback_id is not None for claim in result.claims)
        nobody_left = len(result.claims) + result.held_back < calls
        if nobody_left or (callbacks_only and not result.claims):
            rest = now + timedelta(seconds=REST_S if nobody_left else PROMISES_S)
            rest = min(at for at in (rest, result.next_due_at, pace.sooner) if at is not None)
            if not promised:  # else one of these operators was taken, and back again keeps the next promise
                pace.in_vain = InVain(ask.ready_operator_ids, now, rest)
            pace.rest_until = pace.rest_until if callbacks_only else rest
        self._line_up(campaign, result)
        if promised:
            self.reserve.forget()

    def _adopt_budget(self, campaign: Campaign, result: ClaimResult) -> None:
        """Memory counts what the database has not yet; only a window it does not know is the database's word."""
        mine, theirs = self._floor.cover.budgets.get(campaign.id), result.budget
        if mine is None or mine.starts_at < theirs.starts_at:
            self._floor.cover.set_budget(theirs)

    def _line_up(self, campaign: Campaign, result: ClaimResult) -> None:
        """Give each call its start on the trunk: who is called together answers together, and waits for the others."""
        line, rate = self._trunks.of(campaign), campaign.trunk.calls_per_s
        pace, cover = self.paces[campaign.id], self._floor.cover
        pace.claimed_s = self._clock.boot_s()
        held = cover.held_for(campaign)
        for claim in result.claims:
            self._do(ev.Taken(claim))
            if held:
                pace.max_lines_per_ready = max(pace.max_lines_per_ready, cover.in_flight[campaign.id] / held)
            now_s = self._clock.boot_s()
            self._number += 1
            start = Start(now_s + line.starts.wait_s(now_s), self._number, claim, campaign, result.boot_s)
            heappush(self._to_write, start)
            line.starts = line.starts.started(now_s, rate)
            line.breaker = line.breaker.sent(self._clock.now())
        self._write_due()
        if self._to_write:
            self._claimed.set()

    async def write(self) -> None:
        """Write every call that was claimed when its trunk lets it start, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            self._claimed.clear()
            self._write_due()
            due = loop.call_later(self._due_in_s(), self._claimed.set) if self._to_write else None
            await self._claimed.wait()
            if due is not None:
                due.cancel()

    def _due_in_s(self) -> float:
        """Seconds until the next claimed call starts."""
        return self._to_write[0].at_s - self._clock.boot_s()

    def _write_due(self) -> None:
        while self._to_write and self._due_in_s() <= 0:
            self._write(heappop(self._to_write))

    def _write(self, start: Start) -> None:
        """Write the call now, or end it as not sent: never later."""
        claim = start.claim
        attempt = self._floor.attempts.get(claim.attempt_id)
        if attempt is None:
            return
        late = self._clock.boot_s() - start.claimed_s > SEND_WITHIN_S
        if late or attempt.ended_by or self._may_dial() is not None or self._just_forbidden(claim.phone_id):
            self._do(ev.NotSent(claim.attempt_id, self._clock.now()))
            return
        self._dial(claim, start.campaign)

    # Keeping what was learned, and why ----------------------------------------------

    async def remember(self, campaign: Campaign) -> None:
        """Begin with what was learned before: the kept state, or means over the last calls."""
        if campaign.team_id not in self._teams:
            state = await self._store.pacing_learned("team", campaign.team_id)
            self._teams[campaign.team_id] = pacing.Learner.of(state or {})
        seen, team = self.paces[campaign.id].seen, self._teams[campaign.team_id]
        state = await self._store.pacing_learned("campaign", campaign.id)
        seen.learner = pacing.Learner.of(state or {}, team)
        if state is None:
            seen.start(await self._store.learned(campaign.id))

    async def keep(self) -> None:
        """Store each minute why campaigns dialled as they did, and what was learned, for ever."""
        while True:
            await asyncio.sleep(KEEP_S)
            await self.keep_now()

    async def keep_now(self) -> None:
        """Store the minutes that are over and what was learned; what the database does not take is tried again."""
        now = self._clock.now()
        minutes = [minute for pace in self.paces.values() for minute in pace.why.take(now)]
        seen = {minute.campaign_id for minute in minutes}
        teams = {c.team_id for c in self._floor.campaigns.values() if c.id in seen and c.team_id in self._teams}
        learned = {("campaign", i): self.paces[i].seen.learner.state() for i in sorted(seen)}
        learned |= {("team", i): self._teams[i].state() for i in sorted(teams)}
        if not minutes:
            return
        try:
            await self._store.keep_pacing(minutes, learned, now)
        except DialerError as error:
            log.warning("pacing.not_kept", code=error.code, error=str(error))
            for campaign_id in sorted(seen):
                self.paces[campaign_id].why.give_back([m for m in minutes if m.campaign_id == campaign_id])

    def lines_per_ready(self) -> float:
        """The most lines in flight per ready operator any campaign had."""
        return max((pace.max_lines_per_ready for pace in self.paces.values()), default=0.0)
