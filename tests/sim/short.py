"""Short campaigns under seeds on the full simulation, and what the database knows of one after some minutes.

Each is an hour or so of three to six operators and one campaign of a hundred to three hundred contacts; mode, retry
rules, who answers, how long people talk and what comes of it are drawn from the seed. Nothing breaks. A forecast is
made in the middle from the tables alone, as ``dialer.store.ahead`` makes it of PostgreSQL; how it ended is counted at
the end of the shift.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from ami.simulator.inprocess import SimHost
from ami.simulator.people import Chances, RandomWorld
from dialer.core.ahead import Crowd, Known, Line, Plan, Seen, Stretch, Tried, Worker, observed
from dialer.core.model import AttemptState, Mode, OperatorState, Outcome, RetryRule
from dialer.core.pacing import Learner
from tests.sim.database import Database
from tests.sim.day import BEGIN, QUIET_S, START, ZONE_WEIGHTS, ZONES, _clear, campaigns, morning
from tests.sim.loop import Process, SimClock, SimLoop
from tests.sim.memory import Tables
from tests.sim.operators import Diary, Moods, Robot
from tests.sim.rows import Form
from tests.sim.site import Site

if TYPE_CHECKING:
    from datetime import datetime

    from dialer.core.model import Campaign, LiveAttempt


@dataclass(frozen=True, slots=True)
class Short:
    """What a seed drew."""

    mode: Mode
    operators: int
    contacts: int
    answered: float
    machine: float
    talk_s: float
    results: float
    forecast_after_s: float
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """A short campaign: what was known in the middle of it, and how it ended."""

    short: Short
    known: Known
    plan: Plan
    results: int
    attempts: int
    connects: int
    left: int


def drawn(seed: int) -> Short:
    """The campaign of a seed."""
    random = Random(f"short {seed}")
    return Short(
        mode=random.choice((Mode.PROGRESSIVE, Mode.PREDICTIVE, Mode.PREDICTIVE, Mode.IVR, Mode.PREVIEW)),
        operators=random.randint(3, 6),
        contacts=random.randint(100, 300),
        answered=random.uniform(0.2, 0.65),
        machine=random.uniform(0.0, 0.15),
        talk_s=random.uniform(40.0, 120.0),
        results=random.uniform(0.08, 0.6),
        forecast_after_s=random.uniform(900.0, 1800.0),
        lasts_s=random.uniform(3600.0, 5400.0),
    )


class Caller(Robot):
    """An operator whose conversations have results as often as this campaign's have."""

    results = 0.1

    def _form(self) -> Form:
        if self._random.random() < self.results:
            return Form(self._random.choice(("lead", "agreed")))
        form = super()._form()
        while form.code in {"lead", "agreed"}:
            form = super()._form()
        return form


def _campaign(short: Short, random: Random) -> Campaign:
    """One campaign of this mode, with retry rules short enough to matter within the hour."""
    days = campaigns(random, 3, previews=True)
    found = next(one for one in days if one.mode is short.mode)
    retry = {
        Outcome.NO_ANSWER: RetryRule(delay_s=random.choice((900, 1800, 3600))),
        Outcome.BUSY: RetryRule(delay_s=random.choice((300, 900))),
    }
    return replace(found, id=1, retry=retry, attempts_max=random.randint(2, 4), preview_calls=False)


def live(seed: int) -> Truth:
    """Live through the short campaign of a seed."""
    short, random = drawn(seed), Random(f"rules of {seed}")
    loop, tables = morning(seed), Tables()
    campaign = _campaign(short, random)
    tables.add_campaign(campaign, BEGIN)
    for i in range(short.contacts):
        zones = random.choices(ZONES, ZONE_WEIGHTS)[0]
        tables.add_contact(1, [f"+4420{10_000_000 + i:08d}"], zones, priority=random.randrange(3))
    found: list[Truth] = []

    async def run() -> None:
        found.append(await _live(seed, short, loop, tables))

    try:
        loop.run_until_complete(run())
        if loop.failure is not None:
            raise loop.failure
    finally:
        _clear(loop)
    return found[0]


async def _live(seed: int, short: Short, loop: SimLoop, tables: Tables) -> Truth:
    random = Random(f"people of short {seed}")
    clock = SimClock(loop)
    database = Database(loop, tables, Random(random.getrandbits(32)), Process("postgres"), clock)
    chances = Chances(answered=short.answered, machine=short.machine, impatient=0.04, talk_mean_s=short.talk_s)
    host = SimHost(RandomWorld(seed, chances), epoch_s=START.timestamp())
    site, diary = Site(loop, seed, host, database), Diary()
    robots = [Caller(site, diary, i, Random(random.getrandbits(32)), Moods()) for i in range(1, short.operators + 1)]
    for robot in robots:
        robot.results = short.results
    host.on_crash += [robot.line_drops for robot in robots]
    host.listeners.append(
        lambda event: [robot.hears(event) for robot in robots if hasattr(event, "bridge_id") and not event.holding]
    )
    begin_s = loop.time()
    end_s = begin_s + short.lasts_s
    site.start_service()
    tasks = [loop.create_task(robot.work(end_s)) for robot in robots]
    if short.mode is Mode.PREVIEW:
        tasks += [loop.create_task(robot.choose(end_s)) for robot in robots]
    await asyncio.sleep(short.forecast_after_s)
    known = known_of(tables, clock.now(), database.learned.get(("campaign", 1)))
    await asyncio.sleep(end_s - loop.time())
    ended = clock.now()
    results, left = results_of(tables), sum(c.state == "open" for c in tables.contacts.values())
    attempts, connects = _counted(tables)
    site.closing = True
    await asyncio.gather(*tasks)
    while any(channel.startswith("att-") for channel in host.switch.channels):  # noqa: ASYNC110 -- people send no event
        await asyncio.sleep(60)
    await asyncio.sleep(QUIET_S)
    return Truth(short, known, Plan(shift_ends_s=ended.timestamp()), results, attempts, connects, left)


def results_of(tables: Tables) -> int:
    """Results saved so far."""
    kinds = tables.campaigns[1].dispositions
    return sum(kinds[saved.form.code].result for saved in tables.dispositions.values())


def _counted(tables: Tables) -> tuple[int, int]:
    """Attempts sent, and conversations begun, so far."""
    live = [row.attempt for row in tables.live.values()]
    attempts = [finished.ended.attempt for finished in tables.attempts.values()]
    return len(live) + len(attempts), sum(a.connected_at is not None for a in (*live, *attempts))


# What the tables know ---------------------------------------------------------------------


def known_of(tables: Tables, now: datetime, learned: object = None) -> Known:
    """What a forecast is made of, as ``dialer.store.ahead`` reads it."""
    campaign, now_s = tables.campaigns[1], now.timestamp()
    busy = {row.attempt.contact_id for row in tables.live.values()}
    crew, written = _crew(tables, now_s)
    busy |= written
    crowds = [
        _crowd(tables, contact.id, now_s)
        for contact in tables.contacts.values()
        if contact.state == "open" and contact.id not in busy
    ]
    lines = [
        Line(of=_crowd(tables, row.attempt.contact_id, now_s), sent_s=row.attempt.sent_at.timestamp())
        for row in tables.live.values()
        if row.attempt.state is not AttemptState.CONNECTED
    ]
    attempts, connects = _counted(tables)
    budget = tables.budgets[1]
    learner = Learner.of(learned) if learned else None  # type: ignore[arg-type]  # what the learner wrote
    return Known(
        at_s=now_s,
        campaign=campaign,
        crowds=crowds,
        lines=lines,
        crew=crew,
        seen=_seen(tables, now),
        budget=budget,
        learned=learner.learned(now_s, cap=budget.cap_permille / 1000) if learner else None,
        results=results_of(tables),
        attempts=attempts,
        connects=connects,
    )


def _crowd(tables: Tables, contact_id: int, now_s: float) -> Crowd:
    contact = tables.contacts[contact_id]
    phone, callback = tables.phones[contact.phone_id], tables.pending.get(contact_id)
    due_s = callback.next_at.timestamp() if callback else contact.next_at.timestamp()
    return Crowd(
        zones=contact.lane.zones,
        priority=contact.lane.priority,
        counted=contact.counted,
        number=contact.attempts,
        due_s=max(due_s, phone.not_before.timestamp(), phone.held_until.timestamp()),
        promised=callback is not None,
        phones=len(contact.phones) - len(contact.dead),
        sent_s=tuple(at.timestamp() for at in phone.rang_at),
    )


def _crew(tables: Tables, now_s: float) -> tuple[list[Worker], set[int]]:
    """Operators on shift, and the contacts they write about."""
    found, written = [], set()
    for operator in tables.operators.values():
        contact = None
        if operator.attempt_id is not None and operator.state in {OperatorState.TALKING, OperatorState.WRAP_UP}:
            attempt = tables.attempt(operator.attempt_id)
            said = operator.attempt_id in tables.dispositions
            if attempt is not None and (operator.state is OperatorState.TALKING or not said):
                contact = _crowd(tables, attempt.contact_id, now_s)
                written.add(attempt.contact_id)
        found.append(Worker(state=operator.state, since_s=operator.since.timestamp(), contact=contact))
    return found, written


def _seen(tables: Tables, now: datetime) -> Seen:
    tried = [_tried(tables, f.ended.attempt, f.ended.outcome, f.ended.ended_at) for f in tables.attempts.values()]
    live = [row.attempt for row in tables.live.values() if row.attempt.connected_at is not None]
    begins = {i.session_id: i.started_at for i in sorted(tables.intervals.values(), key=lambda i: i.started_at)[::-1]}
    stretches = [
        Stretch(
            state=i.state,
            started_s=i.started_at.timestamp(),
            ended_s=i.ended_at.timestamp(),
            first=i.started_at == begins[i.session_id],
        )
        for i in tables.intervals.values()
    ]
    stretches += [
        Stretch(state=o.state, started_s=o.since.timestamp(), ended_s=None) for o in tables.operators.values()
    ]
    promises = [
        (callback.due_at - tables.dispositions[callback.made_by_attempt].saved_at).total_seconds()
        for callback in tables.callbacks.values()
        if callback.made_by_attempt in tables.dispositions
    ]
    tried += [_tried(tables, attempt, None, None) for attempt in live]
    return observed(now.timestamp(), tried, stretches, promise_s=promises)


def _tried(tables: Tables, attempt: LiveAttempt, outcome: Outcome | None, ended_at: datetime | None) -> Tried:
    wanted, saved = attempt.waiting_at or attempt.answered_at, tables.dispositions.get(attempt.id)
    return Tried(
        number=attempt.number,
        outcome=outcome,
        sent_s=attempt.sent_at.timestamp(),
        wanted_s=wanted.timestamp() if wanted else None,
        ended_s=ended_at.timestamp() if ended_at else None,
        code=saved.form.code if saved else None,
    )
