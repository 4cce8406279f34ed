"""The shell of one switch: brings events to the floor one after the other, and carries its effects out.

Everything that happens goes through ``_do``, which awaits nothing: an event is decided and its effects are on their
way before the next one is looked at. Beside it run, each under its own name: the link, the reader of events, the
pacing, the writer of facts, the keeper of the lease, the audit and the watch over clocks. If one dies, all stop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import structlog

from ami.errors import AmiError, LoginInUse
from ami.events import LinkDown, LinkUp
from ami.port import SwitchLink
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.floor import SETTLE_S, Floor
from dialer.core.model import Campaign, Claim, OperatorState, Outcome, Trunk
from dialer.core.presence import NotNow
from dialer.engine import board as views
from dialer.engine.campaigns import Dialing
from dialer.engine.clock import ClockWatch, SteadyClock
from dialer.engine.desk import Desk
from dialer.engine.journal import Writer
from dialer.engine.listens import Listens
from dialer.engine.ports import Board, Clock, Explanation, Lease, OperatorView, Store, TrialCall
from dialer.engine.returns import Returns, never_was
from dialer.engine.switch import ATTEMPT, LEG, AuditDue, Hearing, Switch
from dialer.engine.tapes import Tapes
from dialer.errors import DialerError, LeaseLost, Refused, StoreDown

log = structlog.get_logger(__name__)

#: Drift between us and the switch is looked for this often.
AUDIT_S = 60.0
#: A lease is renewed this often, and tried again so soon when the database does not answer; dialing stops at half its
#: length without a renewal.
RENEW_PART = 0.3
RENEW_AGAIN_S = 0.5
DIAL_PART = 0.5
#: The clocks are compared this often.
CLOCK_S = 10.0
#: Campaigns are read again this often.
CAMPAIGNS_S = 10.0
#: A loop that was away for longer than this is said.
LAG_S = 0.2
ALERTS_KEPT = 20
#: Operators in these states are free, or soon will be.
COMES_FREE = frozenset({OperatorState.READY, OperatorState.WRAP_UP})


class Engine(Desk, Listens, Returns, Tapes):
    """Runs the campaigns of one switch. Implements the ports ``Commands`` and ``Live``.

    Args:
        switch: Name of the switch, as in ``team.switch``.
        link: The supervised connection to it.
        store: PostgreSQL.
        clock: Both clocks.
        rng: Chance, for jitter only.
        new_id: Makes attempt and session ids.
    """

    def __init__(
        self, *, switch: str, link: SwitchLink, store: Store, clock: Clock, rng: Random, new_id: Callable[[], UUID]
    ) -> None:
        super().__init__()
        self.name = switch
        self.floor = Floor()
        self._link = link
        self._store = store
        self._clock = SteadyClock(clock)
        self._rng = rng
        self._new_id = new_id
        self.writer = Writer(store, clock.boot_s)
        self._switch = Switch(link, self._causes_of, self._do, self._listened, self._came_in, switch)
        self._hearing = Hearing(link.events)
        self.dialing = Dialing(
            floor=self.floor,
            store=store,
            clock=self._clock,
            new_id=new_id,
            may_dial=self.stopped_because,
            held_back=self.held_back,
            ack_s=link.ack_s_p95,
            dial=self._dial,
            do=self._do,
            alarm=self._alarm,
        )
        self._lease: Lease | None = None
        self._campaigns_read: dict[int, Campaign] = {}
        self._renewed_at_s = float("-inf")
        self._synced = False
        self._in_use = False
        self._stopping = False
        self._clocks = ClockWatch(self._clock, store, self._alarm, self._set_clock)
        self._alarms: deque[str] = deque(maxlen=ALERTS_KEPT)
        self._alarmed: str | None = None
        self._saved_early: dict[int, UUID] = {}
        self._wakes: dict[datetime, asyncio.TimerHandle] = {}
        self._version = 0
        self._changed: asyncio.Future[None] | None = None
        self.started = asyncio.Event()
        self.waiting_for_lease = False

    # Life ---------------------------------------------------------------------

    async def run(self) -> None:
        """Take the lease, recover, and dial until cancelled.

        Raises:
            LeaseLost: another engine dials here now; nothing more was sent.
            AmiError: the switch refused us or is unfit.
        """
        self.waiting_for_lease = True
        lease = await self._store.take_lease(self.name, wait=True)
        if lease is None:
            raise LeaseLost("lease.refused", f"The lease of switch {self.name} could not be taken.")
        self.waiting_for_lease = False
        self._renewed_at_s = self._clock.boot_s()
        self._lease = self.dialing.lease = lease
        log.info("engine.leads", switch=self.name, epoch=lease.epoch)
        await self._clocks.compare()
        await self._read_campaigns()
        recovered = await self._store.recover(self.name)
        self.started.set()
        self.writer.began(self._clock.now())
        self._do(ev.Recovered(recovered.attempts, recovered.operators, recovered.previews))
        self._take_over(recovered)
        for operator_id, attempt_id in self._saved_early.items():
            self._do(ev.DispositionSaved(operator_id, attempt_id))
        work = {
            "link": self._link.run,
            "events": self._hear,
            "pacing": self.dialing.run,
            "calls": self.dialing.write,
            "journal": self.writer.run,
            "explanations": self.dialing.keep,
            "lease": self._keep_lease,
            "audit": self._audit,
            "clocks": self._watch_clocks,
            "campaigns": self._follow_campaigns,
        }
        try:
            async with asyncio.TaskGroup() as group:
                for name, run in work.items():
                    group.create_task(run(), name=f"engine-{name}")
        except BaseExceptionGroup as dead:
            raise dead.exceptions[0] from dead
        finally:
            for wake in self._wakes.values():
                wake.cancel()

    async def stop(self, patience_s: float = 5.0) -> None:
        """Stop dialing, store what is known, give the lease back. The caller cancels ``run`` afterwards."""
        self._stopping = True
        self.writer.stopping = True
        self._switch.ears.stop_all(self._clock.now())
        try:
            await asyncio.wait_for(self.writer.drained(), patience_s)
            if self._lease is not None:
                await self._store.release_lease(self._lease)
        except (TimeoutError, DialerError) as error:
            log.warning("engine.stop_unfinished", error=str(error))

    def stopped_because(self) -> str | None:
        """Why no call may start now, a stable word; None when calls may start."""
        if self._stopping or self._lease is None:
            return "stopping" if self._stopping else "waiting_for_lease"
        if not self._synced:
            return "switch_in_use" if isinstance(self._link.trouble, LoginInUse) else "switch_down"
        if self._clock.boot_s() - self._renewed_at_s > self._lease.expires_in_s * DIAL_PART:
            return "lease_not_renewed"
        behind = "store_down" if self.writer.behind_since_s is not None else None
        clock = "clock" if self._clocks.in_doubt else None
        return self.writer.broken or behind or clock or self._alarmed

    # Events and effects ---------------------------------------------------------

    def _do(self, event: ev.Event) -> None:
        now = self._clock.now()
        for effect in self.floor.step(event, now):
            self._carry_out(effect)
        self._switch.ears.moved(self.floor.operators, now)
        self._bump()

    def _ask(self, event: ev.Event) -> None:
        """A person's wish: a refusal goes back to the person."""
        try:
            self._do(event)
        except NotNow as no:
            raise Refused(no.code, str(no)) from None

    def _carry_out(self, effect: fx.Effect) -> None:
        match effect:
            case fx.Connect(attempt_id, session_id):
                self._switch.connect(attempt_id, session_id)
            case fx.EndCall(attempt_id):
                self._switch.hang_up(ATTEMPT, attempt_id)
            case fx.Hold(attempt_id):
                self._switch.hold(attempt_id)
            case fx.CallLeg(session_id, seat):
                if self._synced:
                    self._switch.call_leg(session_id, seat, self._clock.now)
            case fx.EndLeg(session_id):
                self._switch.hang_up(LEG, session_id)
            case fx.WakeUp(at):
                self._wake_at(at)
            case fx.LookNow():
                self._mark_audit()
            case fx.Alarm(word, about):
                self._alarm(word, about)
            case _:
                self.writer.add(effect)
                self._learn_from(effect)

    def _learn_from(self, effect: fx.Effect) -> None:
        match effect:
            case fx.AttemptChanged(attempt):
                self._taped(attempt)
            case fx.AttemptEnded(ended) if ended.attempt.came_in:
                self._return_ended(ended)
                self.dialing.kick()
            case fx.AttemptEnded(ended):
                self._reels.pop(ended.attempt.id, None)
                self.dialing.ended(ended)
                self.dialing.kick()
            case fx.IntervalClosed(interval) if interval.campaign_id is not None:
                self.dialing.pace(interval.campaign_id).seen.interval(interval)
            case fx.TurnAway(attempt_id):
                self._turn_away(attempt_id)
            case fx.PlaceCall(wish) | fx.PlaceDial(wish):
                self.dialing.asking.ask(wish)
            case fx.PreviewEnded(end):
                self.dialing.asking.ended(end)
                self.dialing.wake(end.preview.campaign_id)
            case fx.OperatorChanged(operator):
                # One who is not there for a callee, now or soon, allows no further call: the next look is soon enough.
                self.dialing.kick(at_once=operator.state in COMES_FREE)

    def _wake_at(self, at: datetime) -> None:
        if at in self._wakes:
            return
        wait_s = max(0.0, (at - self._clock.now()).total_seconds())
        self._wakes[at] = asyncio.get_running_loop().call_later(wait_s + 0.001, self._woken, at)

    def _woken(self, at: datetime) -> None:
        self._wakes.pop(at, None)
        self._do(ev.TimePassed())

    def _alarm(self, word: str, about: str) -> None:
        log.error("alarm", word=word, about=about)
        self._alarms.append(f"{self._clock.now():%H:%M:%S} {word} {about}")
        if word == "two_in_one_bridge":
            self._alarmed = word

    def _dial(self, claim: Claim, campaign: Campaign) -> None:
        self._switch.dial(claim, campaign, self._clock.now, record=self._to_record(claim, campaign))

    def _causes_of(self, attempt_id: UUID) -> Mapping[str, str]:
        attempt = self.floor.attempts.get(attempt_id)
        return self.floor.campaigns[attempt.campaign_id].trunk.causes if attempt else {}

    # The switch -------------------------------------------------------------------

    async def _hear(self) -> None:
        """Take the switch's events in order."""
        while True:
            event = self._hearing.ready() or await self._hearing.next()
            if isinstance(event, LinkUp):
                log.info("switch.up", version=event.version)
                await self._resync()
            elif isinstance(event, LinkDown):
                log.warning("switch.down", reason=event.reason)
                self._synced = False
                self._do(ev.SwitchLost())
            elif isinstance(event, AuditDue):
                if self._synced:
                    await self._resync()
            else:
                self._switch.take(event, self._clock.now())

    async def _resync(self) -> None:
        """Compare with what the switch holds: adopt, end as unknown, or hang up."""
        try:
            found = await self._hearing.look(self._switch, self.floor, self._clock.now)
        except AmiError as error:
            log.warning("resync.failed", code=error.code, error=str(error))
            self._synced = False
            asyncio.get_running_loop().call_later(1.0, self._try_again)
            return
        first, self._synced = not self._synced, True
        before = self.floor.crew.version
        self._do(found)
        if first:
            log.info("resync.done", attempts=len(self.floor.attempts), operators=len(self.floor.operators))
            asyncio.get_running_loop().call_later(SETTLE_S + 1.0, self._mark_audit)
            asyncio.create_task(self._drain_opt_outs(), name="engine-opt-outs").add_done_callback(_said)
        if first or self.floor.crew.version != before:  # the end of a call kicks by itself
            self.dialing.kick()

    def _try_again(self) -> None:
        if not self._synced:
            self._hearing.add(LinkUp(at=0.0, version="again", started_at=0.0, reloaded_at=0.0))

    def _mark_audit(self) -> None:
        self._hearing.add(AuditDue(at=0.0))

    async def _drain_opt_outs(self) -> None:
        """Opt-outs by key that came while nobody listened are kept by the switch until they are stored here."""
        kept = await self._switch.opt_outs()
        for attempt_id in kept.values():
            self._carry_out(fx.NeverAgain(attempt_id, self._clock.now()))
        await self.writer.drained()
        for key in kept:
            await self._switch.forget_opt_out(key)

    async def _audit(self) -> None:
        """Look for drift: between us and the switch, and between us and the database."""
        while True:
            await asyncio.sleep(AUDIT_S * self._rng.uniform(0.9, 1.1))
            self._mark_audit()
            try:
                await self._end_orphans()
            except DialerError as error:
                log.warning("audit.failed", code=error.code, error=str(error))

    async def _end_orphans(self) -> None:
        """Rows that a claim committed and nobody heard of were never dialled, and callers' are gone: they end as such.

        What ends while we look is in the database a little longer than here: whoever was known when it began is none.
        """
        now, known = self._clock.now(), self._known()
        await self.writer.drained()
        stored = await self._store.recover(self.name)
        known |= self._known()
        shown = [p for p in stored.previews if p.id not in known and (now - p.offered_at).total_seconds() > SETTLE_S]
        orphans = [a for a in stored.attempts if a.id not in known and (now - a.sent_at).total_seconds() > SETTLE_S]
        if (orphans or shown) and (self.dialing.claiming or self.dialing.asking.claiming):
            return
        if shown:
            self._do(ev.Recovered((), (), shown))
        if orphans:
            log.warning("audit.orphans", count=len(orphans))
        for orphan in orphans:
            self._do(ev.Recovered((orphan,), ()))
            self._do(never_was(orphan, now))

    def _known(self) -> set[UUID]:
        """Attempts, callers on the line, and contacts that operators look at."""
        shown = {op.preview.id for op in self.floor.operators.values() if op.preview is not None}
        return shown | set(self.floor.attempts) | set(self._switch.callers.known().values())

    # Keeping -------------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        again = False
        while self._lease is not None:
            await asyncio.sleep(RENEW_AGAIN_S if again else self._lease.expires_in_s * RENEW_PART)
            asked_at_s, again = self._clock.boot_s(), False
            try:
                ours = await self._store.renew_lease(self._lease)
            except StoreDown as error:
                log.warning("lease.not_renewed", error=str(error))
                again = True
                continue
            if not ours and not self._stopping:
                raise LeaseLost("lease.lost", f"Another engine dials on switch {self.name} now.")
            self._renewed_at_s = asked_at_s

    async def _watch_clocks(self) -> None:
        """No call starts while our time of day is in doubt; and a loop that was away says so."""
        loop = asyncio.get_running_loop()
        while True:
            await self._clocks.compare()
            self._look_at_link()
            due = loop.time() + CLOCK_S
            await asyncio.sleep(CLOCK_S)
            if loop.time() - due > LAG_S:
                log.warning("loop.lag", lag_s=round(loop.time() - due, 3))

    def _look_at_link(self) -> None:
        """That another engine holds the logins of the switch is said to people, once."""
        trouble, before = self._link.trouble, self._in_use
        self._in_use = isinstance(trouble, LoginInUse)
        if self._in_use and not before and trouble is not None:
            self._alarm("switch_in_use", f"{trouble}. {trouble.remedy}")
        if self._in_use is not before:
            self._bump()

    def _set_clock(self, by: timedelta) -> None:
        self._do(ev.ClockStepped(by))
        self.dialing.wake()

    async def _read_campaigns(self) -> None:
        """Take over what the database says of the campaigns, if it says anything new."""
        campaigns = {c.id: c for c in await self._store.campaigns(self.name)}
        if campaigns == self._campaigns_read:
            return
        for campaign_id, budget in (await self._store.budgets(list(campaigns))).items():
            if campaign_id not in self.floor.cover.budgets:
                self.floor.cover.set_budget(budget)
        for campaign_id in campaigns.keys() - self._campaigns_read.keys():
            await self.dialing.remember(campaigns[campaign_id])
        self._campaigns_read = campaigns
        self._do(ev.CampaignsRead([c for c in campaigns.values() if c.id in self.floor.cover.budgets]))
        self.dialing.wake()

    async def _follow_campaigns(self) -> None:
        """Campaigns are also changed by other processes, such as the command line."""
        while True:
            await asyncio.sleep(CAMPAIGNS_S)
            try:
                await self._read_campaigns()
            except StoreDown as error:
                log.warning("campaigns.not_read", error=str(error))

    # Live ----------------------------------------------------------------------------

    def _bump(self) -> None:
        self._version += 1
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def changed(self, version: int) -> int:
        """Wait until the board's version is greater than this; returns the new one."""
        while self._version <= version:
            if self._changed is None or self._changed.done():
                self._changed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._changed)
        return self._version

    def board(self) -> Board:
        """The present moment, for the live board."""
        return views.board(
            self.floor,
            self.dialing,
            at=self._clock.now(),
            version=self._version,
            switch=self.name,
            switch_up=self._synced,
            stopped_because=self.stopped_because(),
            alerts=tuple(self._alarms),
            listenings=self.listenings(),
        )

    @property
    def took_over(self) -> bool:
        """Whether it knows who is at work."""
        return self.started.is_set()

    def operator(self, operator_id: int) -> OperatorView | None:
        """One operator's state, None when no shift is open."""
        op = self.floor.operators.get(operator_id)
        if op is None:
            return None
        listened = self._switch.ears.ears.shown_to(operator_id)
        return views.operator_view(op, listened, self.tape_of(op.live.attempt_id))

    def test_call(self, uid: UUID) -> TrialCall | None:
        """How a test call goes, or went."""
        return self._switch.trials.view(uid, self._clock.now())

    def explanations(self, campaign_id: int) -> Sequence[Explanation]:
        """Why it dialled as it did: the decisions of the last hour, the newest first."""
        pace = self.dialing.paces.get(campaign_id)
        return pace.why.recent() if pace is not None else []

    def outcome_counts(self) -> Mapping[Outcome, int]:
        """Ended attempts by outcome since this engine started."""
        return dict(self.floor.outcomes)

    # Commands --------------------------------------------------------------------------

    async def do_not_call_added(self, phone_ids: Sequence[int]) -> None:
        """Cut unanswered lines to these phones at once."""
        self.dialing.forbid(phone_ids)
        self._do(ev.PhonesForbidden(frozenset(phone_ids)))

    async def begin_test_call(self, *, trunk: Trunk, number: str, caller_number: str) -> TrialCall:
        """Call an admin's own phone on a trunk; no attempt, and nothing of pacing."""
        if not self._synced or self._lease is None:
            raise Refused("test_call.not_sent", "there is no connection to the switch", remedy="See System.")
        if any(attempt.e164 == number for attempt in self.floor.attempts.values()):
            raise Refused("test_call.busy", "this number is being called now", remedy="Wait until that call ends.")
        now = self._clock.now()
        return self._switch.trials.begin(self._new_id(), trunk, number=number, caller_number=caller_number, now=now)

    async def campaigns_changed(self) -> None:
        """Read the campaigns again: states, rules, freshly loaded bases."""
        await self._read_campaigns()
        self.dialing.wake()


def _said(done: asyncio.Task[None]) -> None:
    """A background task that failed is said in the log; the next resync does its work again."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("opt_outs.not_drained", error=str(error))
