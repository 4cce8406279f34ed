"""Operators and supervisors as actors: people with a headset, a browser, and moods drawn from a seed.

What they know is what people know: what they hear on the phone, and what their page answers. A request that brings no
answer is repeated with the same key, as the page does. What they were told is kept in ``Diary`` for the checker.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from ami.events import BridgeEntered
from dialer.core.model import OperatorState
from dialer.errors import DialerError, Refused, StoreDown
from tests.sim.rows import Form
from tests.sim.site import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from ami.events import BridgeLeft
    from dialer.core.model import Campaign
    from dialer.engine.ports import OperatorView
    from tests.sim.site import Service, Site

TEAM = 1
#: Where strangers may be whose numbers are typed.
ZONES = ("Europe/London",)
#: A ringing line of a typed number is given up so often.
GIVES_UP = 0.1
#: How each conversation is judged, by chance.
DISPOSITIONS = {
    "lead": 0.06,
    "agreed": 0.03,
    "callback": 0.2,
    "thinking": 0.2,
    "refused_decision_maker": 0.2,
    "refused_gatekeeper": 0.11,
    "refused_unheard": 0.1,
    "machine": 0.1,
}


@dataclass(slots=True)
class Diary:
    """What people were told by the service; the service must stand by all of it.

    Attributes:
        saved: Attempt -> key and form that were answered with "saved".
        conflicts: Other content under a used key that was (wrongly) answered with "saved".
        forbidden: E.164 and campaign -> loop time at which "it is on the do-not-call list" was answered.
        away: Operator -> since when the page says paused or offline.
        deferred: Operator -> since when a pause is promised but not given.
    """

    saved: dict[UUID, tuple[str, Form]] = field(default_factory=dict)
    conflicts: list[UUID] = field(default_factory=list)
    forbidden: dict[tuple[str, int], float] = field(default_factory=dict)
    away: dict[int, float] = field(default_factory=dict)
    deferred: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moods:
    """How operators behave."""

    wrap_up_mean_s: float = 20.0
    forgets_disposition: float = 0.03
    double_click: float = 0.1
    other_content: float = 0.02
    ends_talk: float = 0.2
    saves_while_talking: float = 0.05
    pause_every_s: float = 3600.0
    pause_s: float = 300.0
    logs_out: float = 0.2
    loses_phone_every_s: float = 4 * 3600.0
    reloads_while_talking: float = 0.0
    dials_in_a_pause: float = 0.0


class Robot:
    """One operator."""

    def __init__(self, site: Site, diary: Diary, operator_id: int, random: Random, moods: Moods) -> None:
        self.site = site
        self.diary = diary
        self.id = operator_id
        self.seat = f"seat{operator_id}"
        self._random = random
        self._moods = moods
        self._talks: asyncio.Queue[UUID | None] = asyncio.Queue()
        self._bridge: str | None = None
        self._leg: str | None = None
        self._key = 0
        self.leaves_at = float("inf")

    # The headset --------------------------------------------------------------

    def hears(self, event: BridgeEntered | BridgeLeft) -> None:
        """What the phone lets its operator hear: a conversation begins, and ends."""
        if isinstance(event, BridgeEntered):
            self._somebody_joins(event)
        elif event.bridge_id == self._bridge:
            self._bridge = None
            self._talks.put_nowait(None)

    def line_drops(self) -> None:
        """The switch is gone: silence."""
        if self._bridge is not None:
            self._bridge = None
            self._talks.put_nowait(None)

    def _somebody_joins(self, event: BridgeEntered) -> None:
        switch = self.site.host.switch
        bridge = switch.bridges[event.bridge_id]
        for member in bridge.members:
            if member.seat == self.seat:
                break
        else:
            return
        for member in bridge.members:
            if member.seat is None:
                self._bridge = event.bridge_id
                self._talks.put_nowait(self.site.conversation_of(member.channel_id))

    # The day ------------------------------------------------------------------

    async def work(self, until_s: float) -> None:
        """A shift, with everything people do in one."""
        loop = self.site.loop
        self.leaves_at = until_s
        await asyncio.sleep(self._random.uniform(0, 300))
        pause_at = self._next(self._moods.pause_every_s)
        lost_at = self._next(self._moods.loses_phone_every_s)
        while loop.time() < until_s:
            await self._be_ready()
            attempt_id = await self._wait_for_talk(min(pause_at, lost_at, until_s))
            if attempt_id is not None:
                await self._talk(attempt_id)
            elif loop.time() >= lost_at:
                await self._lose_phone()
                lost_at = self._next(self._moods.loses_phone_every_s)
            elif loop.time() >= pause_at:
                await self._pause()
                pause_at = self._next(self._moods.pause_every_s)
        await self._leave()

    def _next(self, mean_s: float) -> float:
        return self.site.loop.time() + self._random.expovariate(1 / mean_s)

    async def _wait_for_talk(self, until_s: float) -> UUID | None:
        """The next conversation on the headset; None after a while without one."""
        loop = self.site.loop
        wait_s = min(60.0, max(0.1, until_s - loop.time()))
        waker = loop.call_later(wait_s, self._talks.put_nowait, None)
        attempt_id = await self._talks.get()
        waker.cancel()
        return attempt_id

    async def _talk(self, attempt_id: UUID) -> None:
        moods, random = self._moods, self._random
        form = self._form()
        early = random.random() < moods.saves_while_talking
        if early:
            await self._save(attempt_id, form)
        if random.random() < moods.ends_talk:
            waker = self.site.loop.call_later(random.expovariate(1 / 60), self._talks.put_nowait, attempt_id)
            if await self._talks.get() == attempt_id:
                await self._try(lambda s: s.engine.hang_up(self.id))
            waker.cancel()
        if moods.reloads_while_talking and random.random() < moods.reloads_while_talking:
            await self._reload()
        while self._bridge is not None:
            await self._talks.get()
        while not self._talks.empty():
            self._talks.get_nowait()
        if early or random.random() < moods.forgets_disposition:
            return
        await asyncio.sleep(random.expovariate(1 / moods.wrap_up_mean_s))
        await self._save(attempt_id, form)

    async def _reload(self) -> None:
        """The page is loaded again while somebody talks: the phone is gone for a moment, or for too long.

        The switch is told by the phone, or by the new page, which has no call.
        """
        await asyncio.sleep(self._random.uniform(0, 10))
        if self._bridge is None:
            return
        if self._random.random() < 0.3:
            await self._try(lambda s: s.engine.call_phone(self.id))
        else:
            self.site.lose_phone(self.seat)
            await asyncio.sleep(self._random.choice((0.3, 1.0, 4.0, 12.0, 40.0)))
            self.site.return_phone(self.seat)
        await asyncio.sleep(3.0)

    def _form(self) -> Form:
        random = self._random
        code = random.choices(tuple(DISPOSITIONS), tuple(DISPOSITIONS.values()))[0]
        if code != "callback":
            return Form(code)
        due_at = self.site.clock.now() + timedelta(seconds=random.randrange(300, 3 * 3600))
        return Form(code, callback_at=due_at, callback_to_me=random.random() < 0.4)

    # Looking first --------------------------------------------------------------

    async def choose(self, until_s: float) -> None:
        """Look at the contact that is shown, and call it, skip it, or be away; now and then give up a ringing line."""
        random, decided = self._random, None
        while self.site.loop.time() < until_s:
            await asyncio.sleep(random.uniform(0.5, 3.0))
            view = self._page()
            if view is None or view.state != OperatorState.PREVIEW:
                continue
            if view.calls:
                if random.random() < 0.02:
                    await self._try(lambda s: s.engine.hang_up(self.id))
                continue
            if view.attempt_id == decided:
                continue
            decided = view.attempt_id
            await asyncio.sleep(random.expovariate(1 / 6))
            what = random.random()
            if what < 0.8:
                await self._try(lambda s: s.engine.call_preview(self.id))
            elif what < 0.95:
                await self._try(lambda s: s.engine.skip_preview(self.id, "not_now"))

    def _page(self) -> OperatorView | None:
        """What the page shows; nothing while the service is away."""
        service = self.site.active
        return service.engine.operator(self.id) if service is not None and service.process.running else None

    # The page -----------------------------------------------------------------

    async def _be_ready(self) -> None:
        """Look at the page, and press what it needs to be offered calls."""
        service = self.site.active
        if service is None or not service.process.running:
            return
        view = service.engine.operator(self.id)
        if view is None:
            if self.site.loop.time() < self.leaves_at:
                await self._ask(
                    lambda s: s.engine.start_shift(
                        operator_id=self.id, name=f"Operator {self.id}", team_id=TEAM, seat=self.seat
                    )
                )
        elif view.state == OperatorState.PAUSED:
            self.diary.away.pop(self.id, None)
            await self._ask(lambda s: s.engine.ready(self.id))

    async def _pause(self) -> None:
        view = await self._ask(lambda s: s.engine.pause(self.id, "break"))
        if view is None:
            return
        if self._moods.dials_in_a_pause:
            await self._dial()
        await asyncio.sleep(self._random.expovariate(1 / self._moods.pause_s))
        while self._bridge is not None:
            await self._talks.get()
        if self._random.random() < self._moods.logs_out:
            await self._leave()
            await asyncio.sleep(self._random.uniform(10, 600))

    async def _dial(self) -> None:
        """Type some numbers and call them: of the bases, of the do-not-call list, of strangers."""
        random, tables = self._random, self.site.database.tables
        while random.random() < self._moods.dials_in_a_pause:
            await asyncio.sleep(random.uniform(1, 20))
            known = [tables.phones[phone].e164 for phone, _, _ in tables.do_not_call] or ["+442079460999"]
            called = random.choice(list(tables.phones.values())).e164
            number = random.choices((called, random.choice(known), f"+4440{random.randrange(10**4):08d}"), (5, 1, 4))[0]
            campaign_id = random.choice(list(tables.campaigns))
            self.diary.away.pop(self.id, None)
            await self._ask(
                lambda s, number=number, campaign_id=campaign_id: s.engine.dial(  # type: ignore[misc]  # bound at once
                    self.id, campaign_id=campaign_id, e164=number, zones=ZONES, countries=(), contact_id=None
                )
            )
            if random.random() < GIVES_UP:
                await asyncio.sleep(random.uniform(0, 10))
                await self._try(lambda s: s.engine.hang_up(self.id))
            attempt_id = await self._wait_for_talk(self.site.loop.time() + 60)
            if attempt_id is not None:
                await self._talk(attempt_id)

    async def _leave(self) -> None:
        async def leave(service: Service) -> OperatorView | None:
            await service.engine.end_shift(self.id)
            return service.engine.operator(self.id)

        for _ in range(20):
            answered, view = await self._try(leave)
            if answered and view is None:
                self.diary.away[self.id] = self.site.loop.time()
                return
            await asyncio.sleep(5.0)

    async def _lose_phone(self) -> None:
        self.site.lose_phone(self.seat)
        await asyncio.sleep(self._random.uniform(0.5, 90))
        self.site.return_phone(self.seat)
        await asyncio.sleep(1.0)

    async def _ask(self, work: Callable[[Service], Awaitable[OperatorView]]) -> OperatorView | None:
        """Press a button once; what the page then shows is remembered."""
        self.diary.deferred.pop(self.id, None)
        answered, view = await self._try(work)
        if not answered or view is None:
            return None
        if view.state == OperatorState.PAUSED:
            self.diary.away[self.id] = self.site.loop.time()
        else:
            self.diary.away.pop(self.id, None)
        return view

    async def _try(self, work: Callable[[Service], Awaitable[OperatorView | None]]) -> tuple[bool, OperatorView | None]:
        try:
            return True, await self.site.ask(work)
        except (NoAnswer, DialerError):
            return False, None

    # Saving ---------------------------------------------------------------------

    async def _save(self, attempt_id: UUID, form: Form) -> None:
        """Save until the page says saved; now and then click twice, or come back with something else."""
        key = self._new_key()
        if self._random.random() < self._moods.double_click:
            await asyncio.gather(self._save_once(attempt_id, key, form), self._save_once(attempt_id, key, form))
        for pause_s in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0):
            answer = await self._save_once(attempt_id, key, form)
            if answer.startswith("callback."):
                key, form = self._new_key(), Form("thinking")
            elif answer:
                break
            await asyncio.sleep(pause_s)
        if self._random.random() < self._moods.other_content:
            answer = await self._save_once(attempt_id, key, Form("stale"))
            if answer == "saved" and attempt_id in self.diary.saved:
                self.diary.conflicts.append(attempt_id)

    def _new_key(self) -> str:
        self._key += 1
        return f"{self.id}-{self._key}"

    async def _save_once(self, attempt_id: UUID, key: str, form: Form) -> str:
        """``saved``, the code of a refusal, or nothing when no answer came."""
        try:
            await self.site.ask(lambda service: save(service, self.id, attempt_id, key, form))
        except (NoAnswer, StoreDown):
            return ""
        except Refused as refused:
            return refused.code
        if form.code != "stale":
            self.diary.saved[attempt_id] = (key, form)
        return "saved"


async def save(service: Service, operator_id: int, attempt_id: UUID, key: str, form: Form) -> None:
    """What the web does with a disposition: commit, then tell the engine, then answer."""
    site = service.site
    tables, now = site.database.tables, service.clock.now()
    saved = await site.database.ask(
        lambda: tables.save_disposition(attempt_id, key, form, operator_id, now), kind="save"
    )
    await service.engine.disposition_saved(operator_id, attempt_id)
    campaign = tables.campaigns[saved.campaign_id]
    attempt = tables.attempt(attempt_id)
    if campaign.dispositions[form.code].dnc_scope is not None and attempt is not None:
        await service.engine.do_not_call_added([attempt.phone_id])


async def forbid(service: Service, phone_id: int, scope: str, campaign_id: int) -> None:
    """What the web does with a do-not-call number: commit, then tell the engine, then answer."""
    site = service.site
    tables, now = site.database.tables, service.clock.now()
    await site.database.ask(lambda: tables.forbid(phone_id, scope, tables.campaigns[campaign_id], now), kind="save")
    await service.engine.do_not_call_added([phone_id])


def covered(scope: str, campaign_id: int, campaign: Campaign, asked_for: Campaign) -> bool:
    """Whether an entry of this scope, made for one campaign, forbids the number to another."""
    if scope == "campaign":
        return campaign.id == campaign_id
    return scope == "global" or campaign.customer_id == asked_for.customer_id


class Supervisor:
    """Adds numbers to the do-not-call list at random instants, best of all those that ring."""

    def __init__(self, site: Site, diary: Diary, random: Random, *, every_s: float = 600.0) -> None:
        self.site = site
        self.diary = diary
        self._random = random
        self._every_s = every_s

    async def work(self, until_s: float) -> None:
        loop, tables = self.site.loop, self.site.database.tables
        while loop.time() < until_s:
            await asyncio.sleep(self._random.expovariate(1 / self._every_s))
            live = list(tables.live.values())
            if live and self._random.random() < 0.5:
                phone_id = self._random.choice(live).attempt.phone_id
            else:
                phone_id = self._random.randrange(len(tables.phones)) + 1
            campaign_id = self._random.choice(list(tables.campaigns))
            scope = self._random.choice(("global", "customer", "campaign"))
            await self._forbid(phone_id, scope, campaign_id)

    async def _forbid(self, phone_id: int, scope: str, campaign_id: int) -> None:
        try:
            await self.site.ask(lambda service: forbid(service, phone_id, scope, campaign_id))
        except (NoAnswer, DialerError):
            return
        tables = self.site.database.tables
        for campaign in tables.campaigns.values():
            if covered(scope, campaign_id, campaign, tables.campaigns[campaign_id]):
                self.diary.forbidden.setdefault((tables.phones[phone_id].e164, campaign.id), self.site.loop.time())
