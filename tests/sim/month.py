"""A month of working days full of promises to call back, and a log of the world's own that judges how they are kept.

    python -m tests.sim.month --seed 7

The engine is the real one, with the chore that looks after promises; switch, people, database and time are simulated.
A call centre in the east of Europe calls people in Europe, Australia, America and India from the end of September to the
end of October 2026: Sydney's clocks go forward on 4 October, Europe's back on the 25th, and in both of these nights a
campaign calls round the clock. Operators are absent, fall ill, pause, talk long, lose their phones; engine, link, switch
and database break and come back; numbers go on the do-not-call list after a promise; a holiday is decreed when promises
for that day were made. Every night the service is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from time import process_time
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ami.simulator.inprocess import SimHost
from ami.simulator.people import Chances, RandomWorld
from dialer.core.model import HOLIDAY, Campaign, LegalWindow, Mode
from tests.sim import promises
from tests.sim.checker import Checker
from tests.sim.database import Database
from tests.sim.day import MEETINGS, START, _clear, campaigns, morning, profile
from tests.sim.faults import Weather
from tests.sim.judge import Judge, Verdicts
from tests.sim.loop import Process, SimClock, SimLoop, StandStill
from tests.sim.operators import Diary, Moods, Robot, Supervisor
from tests.sim.promises import PromisedTables
from tests.sim.rows import Form
from tests.sim.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ami.events import Event
    from dialer.core.model import Profile

SYDNEY, BERLIN, LONDON, KOLKATA = "Australia/Sydney", "Europe/Berlin", "Europe/London", "Asia/Kolkata"
NEW_YORK = "America/New_York"
ZONES = ((LONDON,), (BERLIN,), (SYDNEY,), (NEW_YORK,), (KOLKATA,), (LONDON, BERLIN))
WEIGHTS = (4, 3, 3, 2, 2, 1)
#: Callees of the campaign that calls round the clock, whose clocks change.
AT_NIGHT = ((BERLIN,), (SYDNEY,))
ROUND_THE_CLOCK = 3
#: What breaks in this month.
FAULTS = (
    "kill",
    "kill_at_a_step",
    "kill_before_commit",
    "kill_after_commit",
    "switch_restart",
    "link_cut",
    "database_down",
    "frozen",
    "two_engines",
)
#: After the last operator left, the service runs on for so long, then it is stopped for the night.
EVENING = timedelta(minutes=30)
#: Figures that forbid nothing but the gaps.
NO_LIMITS = replace(profile(LegalWindow.DAYS30, 3), per_day=10**6, per_30_days=10**6)
#: The first wall times an operator writes down for a change of clocks: hours that are missing, or come twice.
ODD_TIMES = {SYDNEY: datetime(2026, 10, 4, 2), BERLIN: datetime(2026, 10, 25, 2)}  # noqa: DTZ001 -- on the wall


@dataclass(frozen=True, slots=True)
class Session:
    """A shift: from when until when it is worked."""

    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Shape:
    """How big a month is: its shifts in order, who works, who may be called, and the local holiday of London."""

    sessions: tuple[Session, ...]
    operators: int = 7
    contacts: int = 26_000
    promises: float = 0.5
    fault_every_s: float = 3 * 3600.0
    holiday: date | None = None
    faults: tuple[str, ...] = FAULTS


def _shift(day: date, begins: time = time(6), hours: float = 9.0) -> Session:
    begins_at = datetime.combine(day, begins, UTC)
    return Session(begins_at, begins_at + timedelta(hours=hours))


def month(shifts: int = 0) -> Shape:
    """From 28 September to 28 October 2026: the weekdays, and the nights in which clocks change; or the first shifts."""
    days = [date(2026, 9, 28) + timedelta(days=n) for n in range(31)]
    found = [_shift(day) for day in days if day.weekday() < 5]
    nights = [_shift(date(2026, 10, 3), time(15), 2.5), _shift(date(2026, 10, 24), time(23), 3.5)]
    sessions = sorted((*found, *nights), key=lambda s: s.begins_at)
    return Shape(tuple(sessions[: shifts or None]), holiday=date(2026, 10, 14))


def few_days(first: date = date(2026, 10, 23), shifts: int = 2, hours: float = 3.0) -> Shape:
    """A Friday, the night in which Europe's clocks go back, and the Monday after it: some hundred promises."""
    days = [day for n in range(10) if (day := first + timedelta(days=n)).weekday() < 5][:shifts]
    found = [_shift(day, time(7), hours) for day in days]
    night = _shift(date(2026, 10, 24), time(23), 3.0)
    return Shape(
        tuple(sorted((*found, night), key=lambda s: s.begins_at)),
        operators=5,
        contacts=2500,
        fault_every_s=2400.0,
        holiday=days[-1],
    )


def on_the_clock(wall: datetime, zone: str) -> datetime:
    """The moment of a time on the wall; of one that does not exist the minute after the gap, of one that comes twice the first.

    By looking at the clock, minute by minute: nothing of ``dialer`` is asked.
    """
    there = ZoneInfo(zone)
    at = wall.replace(tzinfo=UTC)
    at -= (at.astimezone(there).utcoffset() or timedelta()) + timedelta(hours=2)
    while at.astimezone(there).replace(tzinfo=None) < wall:
        at += timedelta(minutes=1)
    return at


class Clerk(Robot):
    """An operator who promises much, in the callee's time."""

    sessions: Sequence[Session] = ()
    promises = 0.5
    refused: Counter[str]
    paused = False
    on_promise: Callable[[str, datetime, int | None, Sequence[str]], None]

    async def _pause(self) -> None:
        self.paused = True
        await super()._pause()
        self.paused = False

    async def _talk(self, attempt_id) -> None:  # type: ignore[no-untyped-def]  # as in Robot
        self._attempt = attempt_id
        await super()._talk(attempt_id)

    def _form(self) -> Form:
        random = self._random
        if random.random() >= self.promises:
            form = super()._form()
            return form if form.code != "callback" else Form("thinking")
        attempt = self.site.database.tables.attempt(self._attempt)
        if attempt is None:
            return Form("thinking")
        zones = self.site.database.tables.contacts[attempt.contact_id].lane.zones
        due_at = self._chosen(zones[0], round_the_clock=attempt.campaign_id == ROUND_THE_CLOCK)
        return Form("callback", callback_at=due_at, callback_to_me=random.random() < 0.4)

    def _chosen(self, zone: str, *, round_the_clock: bool) -> datetime:
        """When the callee wants to be called: in working hours at the callee's, while somebody works here."""
        random, now = self._random, self.site.clock.now()
        odd = ODD_TIMES.get(zone)
        if round_the_clock and odd and timedelta() < on_the_clock(odd, zone) - now < timedelta(days=4):
            return on_the_clock(odd + timedelta(minutes=random.randrange(-15, 75)), zone)
        today = next((s.ends_at for s in self.sessions if s.begins_at <= now < s.ends_at), now)
        left = int((today + EVENING / 2 - now).total_seconds() / 60)
        if random.random() < 0.3 and left > 30:
            return now + timedelta(minutes=random.randrange(20, min(left, 240)))
        coming = [s for s in self.sessions if s.ends_at > now and s.begins_at < now + timedelta(days=9)]
        there, due_at = ZoneInfo(zone), now + timedelta(hours=1)
        for _ in range(40):
            shift = random.choice(coming)
            at = shift.begins_at + (shift.ends_at - shift.begins_at) * random.random()
            wall = at.astimezone(there).replace(tzinfo=None, second=0, microsecond=0)
            wall -= timedelta(minutes=wall.minute % random.choice((5, 15, 30, 60)))
            due_at = on_the_clock(wall, zone)
            if due_at > now + timedelta(minutes=20) and (round_the_clock or time(9) <= wall.time() < time(19, 45)):
                break
        return due_at

    async def _save_once(self, attempt_id, key, form) -> str:  # type: ignore[no-untyped-def]  # as in Robot
        answer = await super()._save_once(attempt_id, key, form)
        if answer.startswith("callback."):
            self.refused[answer] += 1
        elif answer == "saved" and form.callback_at is not None:
            attempt = self.site.database.tables.attempt(attempt_id)
            zones = self.site.database.tables.contacts[attempt.contact_id].lane.zones
            self.on_promise(attempt_id, attempt.e164, form.callback_at, self.id if form.callback_to_me else None, zones)
        return answer


class MonthChecker(Checker):
    """The invariants of a day, for a month."""

    def i3_i4_limits_and_gaps(self, number: str, campaign: Campaign, *, held: bool) -> None:
        """Never more calls in a day and in 30 days than the profile allows, and the gap between two."""
        super().i3_i4_limits_and_gaps(number, replace(campaign, profile=NO_LIMITS), held=held)
        now, rules = self.site.host.now(), campaign.profile
        calls = [c for c in self._rang[number] if c.rang_at is not None or c.answered_at is not None]
        for most, days in ((rules.per_day, 1), (rules.per_30_days, 30)):
            if sum(call.invited_at > now - days * 86_400 + 1 for call in calls) >= most:
                self.fails("I3", number=number, calls=len(calls), days=days)


@dataclass(slots=True)
class Month:
    """Everything of one month, put together."""

    shape: Shape
    loop: SimLoop
    site: Site
    checker: Checker
    weather: Weather
    robots: list[Clerk]
    supervisor: Supervisor
    judge: Judge
    random: Random
    said: Callable[[str], None]
    absent: Counter[str] = field(default_factory=Counter)

    def hears(self, event: Event) -> None:
        """Operators hear what their phones let them."""
        if isinstance(event, MEETINGS) and not event.holding:
            for robot in self.robots:
                robot.hears(event)

    async def live(self) -> None:
        """Shift after shift, and the nights between them."""
        self.loop.call_at(_s(self.shape.sessions[-1].ends_at) + 6 * 3600, self.loop.fail, StandStill("it does not end"))
        for session, after in zip(self.shape.sessions, (*self.shape.sessions[1:], None), strict=True):
            await self._sleep_until(session.begins_at - timedelta(minutes=2))
            self.site.closing = False
            self.site.start_service()
            if after is not None and after.begins_at.date() == self.shape.holiday:
                self.loop.call_later(3600, self._decree, context=self.site.context)
            await self._work(session)
            await self._sleep_until(max(session.ends_at, self.site.clock.now()) + EVENING)
            self.site.closing = True
            for service in self.site.living:
                self.site.kill(service, back_after_s=None)
            self.said(f"{session.begins_at:%d.%m. %H:%M} {self.judge.verdicts.sentence()}")
        self.judge.at_the_end()
        self.checker.at_the_end()

    async def _sleep_until(self, at: datetime) -> None:
        await asyncio.sleep(max(0.0, _s(at) - self.loop.time()))

    async def _work(self, session: Session) -> None:
        until_s, random = _s(session.ends_at), self.random
        tasks = [self.supervisor.work(until_s - 1200), self._forbid_promised(until_s - 1200)]
        tasks.append(self.weather.blow(until_s - 1200, self.shape.fault_every_s))
        for robot in self.robots:
            what = random.random()
            if what < 0.08 and len(self.shape.sessions) > 1:
                self.absent["not there"] += 1
                continue
            self.absent["fell ill"] += what > 0.95
            leaves_s = until_s if what <= 0.95 else self.loop.time() + random.random() * (until_s - self.loop.time())
            tasks.append(robot.work(leaves_s))
        await asyncio.gather(*(self.loop.create_task(task) for task in tasks))
        channels = self.site.host.switch.channels
        while any(channel.startswith("att-") for channel in channels):  # noqa: ASYNC110 -- people send no event
            await asyncio.sleep(60)

    async def _forbid_promised(self, until_s: float) -> None:
        """Now and then somebody who was promised a call wants none any more."""
        while self.loop.time() < until_s:
            await asyncio.sleep(self.random.expovariate(1 / 3000))
            waiting = [c for c in self.site.database.tables.pending.values() if c.due_at > self.site.clock.now()]
            if waiting:
                callback = self.random.choice(waiting)
                await self.supervisor._forbid(callback.phone_id, "customer", callback.campaign_id)

    def _decree(self) -> None:
        """Tomorrow is a holiday in London."""
        tables, holiday = self.site.database.tables, self.shape.holiday
        assert holiday is not None
        for campaign in list(tables.campaigns.values()):
            if campaign.id != ROUND_THE_CLOCK:
                rules = replace(campaign.profile, holidays=_holidays(holiday), windows=_with_holidays(campaign.profile))
                tables.campaigns[campaign.id] = replace(campaign, profile=rules)
        self.judge.holiday = LONDON, holiday
        service = self.site.active
        if service is not None:
            service.process.run(lambda: self.loop.create_task(service.engine.campaigns_changed()))


def _s(at: datetime) -> float:
    return (at - START).total_seconds()


def _holidays(day: date) -> Callable[[str, int], frozenset[int]]:
    number = (day - date(1970, 1, 1)).days
    return lambda zone, _: frozenset({number}) if zone == LONDON else frozenset()


def _with_holidays(rules: Profile) -> MappingProxyType[int, tuple[tuple[time, time], ...]]:
    return MappingProxyType(dict(rules.windows) | {HOLIDAY: ()})


def load(shape: Shape, tables: PromisedTables, random: Random, now: datetime) -> None:
    """Two campaigns of working hours, one round the clock, and their bases."""
    two = campaigns(Random(1), 3)[:2]
    always = dict.fromkeys(range(7), ((time(0), time(0)),))
    rules = replace(profile(LegalWindow.DAYS30, 3), per_30_days=12)
    third = replace(rules, id="always", windows=MappingProxyType(always))
    chosen: list[Campaign] = [replace(campaign, profile=rules) for campaign in two]
    chosen.append(replace(chosen[1], id=ROUND_THE_CLOCK, name="always", mode=Mode.PROGRESSIVE, profile=third))
    for campaign in chosen:
        tables.add_campaign(campaign, now)
    for i in range(shape.contacts):
        campaign_id = random.choices((1, 2, ROUND_THE_CLOCK), (5, 4, 2))[0]
        zones = random.choice(AT_NIGHT) if campaign_id == ROUND_THE_CLOCK else random.choices(ZONES, WEIGHTS)[0]
        tables.add_contact(campaign_id, [f"+4420{10_000_000 + i:08d}"], zones, priority=random.randrange(3))


def prepare(seed: int, shape: Shape, loop: SimLoop, tables: PromisedTables, said: Callable[[str], None]) -> Month:
    """Set the stage; must run inside the loop."""
    random = Random(f"promises of {seed}")
    clock = SimClock(loop)
    database = Database(loop, tables, Random(random.getrandbits(32)), Process("postgres"), clock)
    chances = Chances(answered=0.55, machine=0.04, impatient=0.03, talk_mean_s=75.0, talk_cv=1.6)
    host = SimHost(RandomWorld(seed, chances), epoch_s=START.timestamp())
    site = Site(loop, seed, host, database)
    site.chores.append(promises.watch)
    diary = Diary()
    moods = Moods(pause_every_s=2700.0, pause_s=400.0)
    robots = [Clerk(site, diary, i, Random(random.getrandbits(32)), moods) for i in range(1, shape.operators + 1)]
    checker = MonthChecker(site, diary, {robot.seat: robot.id for robot in robots})
    checker.install()
    judge = Judge(site, checker, diary, robots)
    for robot in robots:
        robot.sessions, robot.promises, robot.refused = shape.sessions, shape.promises, judge.verdicts.refused
        robot.on_promise = judge.promised
        diary.away[robot.id] = loop.time()
    host.on_crash += [robot.line_drops for robot in robots]
    weather = Weather(site, checker, Random(random.getrandbits(32)), shape.faults)
    supervisor = Supervisor(site, diary, Random(random.getrandbits(32)), every_s=3600.0)
    found = Month(shape, loop, site, checker, weather, robots, supervisor, judge, random, said)
    host.listeners.append(found.hears)
    checker.witness = judge.acts
    return found


@dataclass(slots=True)
class Report:
    """What a month was like."""

    verdicts: Verdicts
    attempts: int
    deaths: int
    faults: Counter[str]
    absent: Counter[str]
    cpu_s: float
    steps: int
    failure: str | None = None


def run(
    seed: int,
    shape: Shape,
    *,
    loop: SimLoop | None = None,
    tables: PromisedTables | None = None,
    said: Callable[[str], None] = lambda _: None,
    evening: Callable[[], None] = lambda: None,
) -> Report:
    """Live through a month; the report carries the failure, if there was one.

    Args:
        seed: Everything is drawn from it.
        shape: How big the month is.
        loop: Made by ``morning``, where the tables need it.
        tables: A database that is loaded already.
        said: Told how it stands after each shift.
        evening: Called when the month is over and the loop is not yet closed.
    """
    loop = loop or morning(seed)
    loop._now = _s(shape.sessions[0].begins_at) - 600
    if tables is None:
        tables = PromisedTables()
        load(shape, tables, Random(f"base of {seed}"), shape.sessions[0].begins_at)
    months: list[Month] = []

    async def live() -> None:
        months.append(prepare(seed, shape, loop, tables, said))
        await months[0].live()

    began, failure = process_time(), None
    try:
        loop.run_until_complete(live())
    except Exception as error:  # noqa: BLE001 -- whatever ends a month is its result
        failure = error
    failure = loop.failure or failure
    [found] = months
    report = Report(
        verdicts=found.judge.verdicts,
        attempts=len(tables.attempts),
        deaths=found.site.deaths,
        faults=found.weather.happened,
        absent=found.absent,
        cpu_s=process_time() - began,
        steps=loop.steps,
        failure=f"{type(failure).__name__}: {failure}; seed {seed}, {START + timedelta(seconds=loop.time()):%d.%m. %T}"
        if failure
        else None,
    )
    evening()
    _clear(loop)
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Live through one month, or some days, on the command line."""
    parser = argparse.ArgumentParser(description="Live through a simulated month of promises.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--few", action="store_true", help="two days and the night of a clock change")
    chosen = parser.parse_args(arguments)
    report = run(chosen.seed, few_days() if chosen.few else month())
    told = f"{report.attempts} attempts, {report.deaths} deaths, {dict(report.faults)}, {dict(report.absent)}"
    told = f"{told}, {report.steps} steps, {report.cpu_s:.1f} s"
    sys.stdout.write("\n".join([*report.verdicts.lines(), told, report.failure or ""]) + "\n")
    return 1 if report.failure or report.verdicts.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
