"""One campaign day from a seed: 8 hours, 5 operators, 1,000 contacts in one to three campaigns, and what breaks in it.

    python -m tests.sim.day --seed 7

repeats a day exactly; a failure prints that command. Everything is drawn from the seed: people, moods, weather, the
order in which tasks run, and the campaigns: on two thirds of the days predictive, progressive or IVR-first alone, on a
third two or all three of them blend on one trunk and one team.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import logging
import subprocess
import sys
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from random import Random
from struct import pack
from time import process_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from ami.errors import AmiError
from ami.events import BridgeEntered, BridgeLeft
from ami.simulator.inprocess import SimHost
from ami.simulator.people import Chances, RandomWorld
from dialer.core.model import (
    Campaign,
    CampaignState,
    DispositionKind,
    LegalWindow,
    Mode,
    Profile,
    RetryRule,
    Trunk,
)
from dialer.errors import StoreDown
from tests.sim.checker import Checker
from tests.sim.database import Database
from tests.sim.faults import KINDS, Weather
from tests.sim.loop import START, Process, SimClock, SimLoop, StandStill
from tests.sim.memory import Tables
from tests.sim.operators import Diary, Moods, Robot, Supervisor
from tests.sim.returning import Returning
from tests.sim.site import Killed, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ami.events import Event

#: The day begins when London may be called; New York joins at half time.
BEGIN = START.replace(hour=9, minute=30)
ZONES = (("Europe/London",), ("Europe/Berlin",), ("Europe/London", "Europe/Moscow"), ("America/New_York",))
ZONE_WEIGHTS = (6, 3, 1, 3)
#: After the last call ended, everything must be written down within this.
QUIET_S = 90.0
#: How many campaigns a day has.
CAMPAIGNS = (1, 1, 1, 1, 2, 3)
#: So many bytes of what happens are gathered for the log.
WRITTEN_AT_ONCE = 65_536
#: Enters or leaves a bridge: what operators hear.
MEETINGS = (BridgeEntered, BridgeLeft)
#: Whoever talks longer than this after the end of the shift does not talk any more (TIMEOUT(absolute) is 7,200 s).
LONGEST_TALK_S = 3 * 3600.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How big a day is; how many campaigns it has is drawn from the seed where ``campaigns`` is 0.

    ``reloads`` is the share of conversations in the middle of which the operator's page is loaded again;
    with ``previews`` there is also a campaign whose operators look first; ``by_hand`` is how readily operators who
    pause type numbers and call them; ``returns`` is the share of those who were rung in vain and call back.
    """

    hours: float = 8.0
    operators: int = 5
    contacts: int = 1000
    campaigns: int = 0
    fault_every_s: float = 1200.0
    reloads: float = 0.0
    previews: bool = False
    by_hand: float = 0.0
    returns: float = 0.0
    faults: tuple[str, ...] = KINDS


@dataclass(slots=True)
class DayReport:
    """What a day was like, and what proves that it was the same day."""

    seed: int
    steps: int
    attempts: int
    outcomes: Counter[str]
    dispositions: int
    callbacks: Counter[str]
    faults: Counter[str]
    exceptions: Counter[str]
    deaths: int
    history: str
    cpu_s: float
    hours: float
    failure: str | None = None
    first_dials: Sequence[float] = ()
    never_dialled: int = 0
    answered: int = 0
    talks: int = 0
    talked_on: int = 0
    looked: Counter[str] = field(default_factory=Counter)
    """How contacts that operators looked at went on."""
    by_hand: int = 0
    """Attempts at numbers that operators typed."""
    returns: Counter[str] = field(default_factory=Counter)
    """How calls of people who called back went on."""
    urgent: Counter[str] = field(default_factory=Counter)
    """What became of the callbacks owed to those of them who were missed."""
    recent: Sequence[tuple[float, object]] = ()

    def sentence(self) -> str:
        head = (
            f"seed {self.seed}: {self.attempts} attempts, {self.talks} talks, {self.deaths} deaths, {self.steps} steps"
        )
        return f"{head}, {self.cpu_s:.2f} s, {self.history[:12]}" + (
            f"\n  FAILED {self.failure}" if self.failure else ""
        )


def profile(window: LegalWindow, per_day: int) -> Profile:
    """Working hours of the callee, so many calls a day, a quarter of an hour apart."""
    hours = ((time(9), time(20)),)
    return Profile(
        id="world",
        version=1,
        windows=MappingProxyType(dict.fromkeys(range(7), hours)),
        cap_permille=30,
        legal_window=window,
        call_types=frozenset({"auto_dialed_live", "recorded", "human_selected"}),
        trunk_kinds=frozenset({"world"}),
        per_day=per_day,
        per_30_days=12,
        min_gap_s=900,
    )


def kinds() -> dict[str, DispositionKind]:
    """Dispositions of every sort: closing, retrying, promising, forbidding."""
    day_s = 86_400
    table = (
        DispositionKind(code="lead", name_ru="Лид", name_en="Lead", result=True, decision_maker=True),
        DispositionKind(code="agreed", name_ru="Согласие", name_en="Agreed", result=True, decision_maker=True),
        DispositionKind(
            code="callback", name_ru="Перезвонить", name_en="Callback", closes=False, needs=frozenset({"time"})
        ),
        DispositionKind(code="thinking", name_ru="Думают", name_en="Thinking"),
        DispositionKind(code="refused_decision_maker", name_ru="Отказ ЛПР", name_en="Refused"),
        DispositionKind(
            code="refused_gatekeeper",
            name_ru="Отказ секретаря",
            name_en="Gatekeeper",
            closes=False,
            retry=RetryRule(delay_s=30 * day_s, times=1),
        ),
        DispositionKind(code="refused_unheard", name_ru="Не звонить", name_en="Never", dnc_scope="customer"),
        DispositionKind(code="stale", name_ru="Не существует", name_en="Stale", verdict="stale"),
        DispositionKind(code="machine", name_ru="Автоответчик", name_en="Machine", closes=False),
    )
    return {kind.code: kind for kind in table}


def campaigns(random: Random, count: int, *, previews: bool = False, manual: bool = False) -> list[Campaign]:
    """So many of predictive, progressive and IVR-first on one trunk, one team: they blend; perhaps one to look first."""
    rules = profile(random.choice((LegalWindow.HOUR, LegalWindow.DAYS30)), random.randint(2, 3))
    trunk = Trunk(id=1, name="world", kind="world", max_channels=40, calls_per_s=5.0)
    common = {
        "state": CampaignState.RUNNING,
        "team_id": 1,
        "zone": "Europe/London",
        "trunk": trunk,
        "profile": rules,
        "caller_number": "+442079460000",
        "cap_permille": 30,
        "wrap_up_s": 60,
        "dispositions": kinds(),
        "manual": manual,
    }
    all_three = [
        Campaign(id=1, name="predictive", mode=Mode.PREDICTIVE, customer_id=1, **common),  # type: ignore[arg-type]  # one mapping for all
        Campaign(id=2, name="progressive", mode=Mode.PROGRESSIVE, customer_id=1, **common),  # type: ignore[arg-type]  # one mapping for all
        Campaign(
            id=3,
            name="ivr",
            mode=Mode.IVR,
            customer_id=2,
            offer="spring",
            keys={"1": "operator", "2": "machine", "9": "refused_unheard", "*": "repeat"},
            **common,  # type: ignore[arg-type]  # one mapping for all
        ),
    ]
    chosen = sorted(random.sample(all_three, count), key=lambda campaign: campaign.id)
    if previews:
        calls = random.random() < 0.3
        common |= {"mode": Mode.PREVIEW, "preview_s": 30, "preview_calls": calls}
        chosen.append(Campaign(id=4, name="preview", customer_id=1, **common))  # type: ignore[arg-type]  # one mapping for all
    return chosen


@dataclass(slots=True)
class Day:
    """Everything of one day, put together."""

    seed: int
    shape: Shape
    loop: SimLoop
    site: Site
    checker: Checker
    diary: Diary
    weather: Weather
    robots: list[Robot]
    random: Random
    log: hashlib._Hash = field(default_factory=hashlib.sha256)
    unwritten: bytearray = field(default_factory=bytearray)
    recent: deque[tuple[float, object]] = field(default_factory=lambda: deque(maxlen=5000))
    """The last things that happened on the switch, and what was asked of it."""

    def hears(self, event: Event) -> None:
        """Note what happens on the switch, and let the operators hear what their phones let them."""
        self.recent.append((self.loop._now, event))
        self.unwritten += f"{type(event).__name__}{getattr(event, 'channel_id', '')}".encode() + pack("d", event.at)
        if len(self.unwritten) > WRITTEN_AT_ONCE:
            self.write_down()
        if isinstance(event, MEETINGS) and not event.holding:
            for robot in self.robots:
                robot.hears(event)

    def write_down(self) -> None:
        """Add to the log what happened since the last time."""
        self.log.update(self.unwritten)
        self.unwritten.clear()

    async def live(self) -> None:
        """The whole day, and the quiet after it."""
        loop, shape = self.loop, self.shape
        end_s = loop.time() + shape.hours * 3600
        loop.call_at(end_s + LONGEST_TALK_S, loop.fail, StandStill("the day does not end"))
        self.site.start_service()
        calm_s = end_s - min(1800.0, shape.hours * 900)
        people = [robot.work(end_s) for robot in self.robots]
        supervisor = Supervisor(self.site, self.diary, Random(self.random.getrandbits(32)))
        if shape.returns:
            people.append(Returning(self.site, Random(self.random.getrandbits(32)), shape.returns).work(end_s))
        looks = [robot.choose(end_s) for robot in self.robots] if shape.previews else []
        tasks = [loop.create_task(work) for work in (*people, *looks, supervisor.work(calm_s))]
        tasks.append(loop.create_task(self.weather.blow(calm_s, shape.fault_every_s)))
        await asyncio.gather(*tasks)
        await self.last_words()
        await asyncio.sleep(QUIET_S)
        self.checker.at_the_end()

    async def last_words(self) -> None:
        """The last conversations end when people have said everything."""
        channels = self.site.host.switch.channels
        while any(not channel.startswith("opr-") for channel in channels):  # noqa: ASYNC110 -- people send no event
            await asyncio.sleep(60)


def load(seed: int, shape: Shape, tables: Tables, now: datetime) -> None:
    """Campaigns and bases of a day."""
    random = Random(seed)
    count, manual = shape.campaigns or random.choice(CAMPAIGNS), shape.by_hand > 0
    for campaign in campaigns(random, count, previews=shape.previews, manual=manual):
        few = {"attempts_max": 2} if shape.returns else {}
        tables.add_campaign(replace(campaign, **few), now)
    _load(tables, random, shape.contacts)


def prepare(seed: int, shape: Shape, loop: SimLoop, tables: Tables) -> Day:
    """Set the stage; must run inside the loop."""
    random = Random(f"people of {seed}")
    clock = SimClock(loop)
    database = Database(loop, tables, Random(random.getrandbits(32)), Process("postgres"), clock)
    chances = Chances(answered=random.choice((0.2, 0.35, 0.6)), machine=0.05, impatient=0.04, talk_mean_s=80.0)
    host = SimHost(RandomWorld(seed, chances), epoch_s=START.timestamp())
    site = Site(loop, seed, host, database)
    diary = Diary()
    moods = Moods(reloads_while_talking=shape.reloads, dials_in_a_pause=shape.by_hand)
    robots = [Robot(site, diary, i, Random(random.getrandbits(32)), moods) for i in range(1, shape.operators + 1)]
    checker = Checker(site, diary, {robot.seat: robot.id for robot in robots})
    checker.install()
    host.on_crash += [robot.line_drops for robot in robots]
    weather = Weather(site, checker, Random(random.getrandbits(32)), shape.faults)
    day = Day(seed, shape, loop, site, checker, diary, weather, robots, random)
    host.listeners.append(day.hears)
    checker.witness = lambda action: day.recent.append((loop.time(), action))
    return day


def _load(tables: Tables, random: Random, contacts: int) -> None:
    """Bases of the campaigns; some numbers are in two of them, some contacts have two numbers."""
    sizes = [{1: 5, 2: 3, 3: 2, 4: 4}[campaign_id] for campaign_id in tables.campaigns]
    for i in range(contacts):
        campaign_id = random.choices(list(tables.campaigns), sizes)[0]
        numbers = [f"+4420{random.randrange(contacts // 20) if random.random() < 0.02 else 10_000_000 + i:08d}"]
        if random.random() < 0.1:
            numbers.append(f"+4430{i:08d}")
        zones = random.choices(ZONES, ZONE_WEIGHTS)[0]
        tables.add_contact(campaign_id, numbers, zones, priority=random.randrange(3))


def morning(seed: int) -> SimLoop:
    """A loop at the beginning of a day."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    loop = SimLoop(seed)
    loop._now = (BEGIN - START).total_seconds()
    loop.set_exception_handler(_nothing_fails_unseen)
    return loop


def run_day(
    seed: int,
    shape: Shape | None = None,
    *,
    loop: SimLoop | None = None,
    tables: Tables | None = None,
    evening: Callable[[], None] = lambda: None,
) -> DayReport:
    """Live through one day; the report carries the failure, if there was one.

    Args:
        seed: Everything is drawn from it.
        shape: How big the day is.
        loop: Made by ``morning``, where the tables need it.
        tables: A database that is loaded already.
        evening: Called when the day is over and the loop is not yet closed.
    """
    shape = shape or Shape()
    loop = loop or morning(seed)
    if tables is None:
        tables = Tables()
        load(seed, shape, tables, BEGIN)
    days: list[Day] = []

    async def live() -> None:
        days.append(prepare(seed, shape, loop, tables))
        await days[0].live()

    began = process_time()
    failure: BaseException | None = None
    try:
        loop.run_until_complete(live())
    except BaseException as error:  # noqa: BLE001 -- whatever ends a day is its result
        failure = error
    cpu_s = process_time() - began
    failure = loop.failure or failure
    report = _report(days[0], loop, cpu_s, failure)
    evening()
    _clear(loop)
    return report


def _nothing_fails_unseen(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception nobody handles ends the day; those of the dead, and answers nobody waits for, do not."""
    error = context.get("exception")
    if isinstance(loop, SimLoop) and error is not None and not isinstance(error, Killed | AmiError | StoreDown):
        loop.fail(error)


def _report(day: Day, loop: SimLoop, cpu_s: float, failure: BaseException | None) -> DayReport:
    tables = day.site.database.tables
    day.write_down()
    for attempt_id, finished in tables.attempts.items():
        day.log.update(f"{attempt_id}{finished.ended}".encode())
    calls = day.site.host.switch.calls
    at = timedelta(seconds=loop.time()) + START
    return DayReport(
        seed=day.seed,
        steps=loop.steps,
        attempts=len(tables.attempts),
        outcomes=Counter(f.ended.outcome.value for f in tables.attempts.values()),
        dispositions=len(tables.dispositions),
        callbacks=Counter(c.state.value for c in tables.callbacks.values()),
        faults=day.weather.happened,
        exceptions=day.checker.exceptions,
        deaths=day.site.deaths,
        history=day.log.hexdigest(),
        cpu_s=cpu_s,
        hours=day.shape.hours,
        failure=_story(day, at, loop.steps, failure) if failure else None,
        first_dials=sorted(day.checker.first_dials.values()),
        never_dialled=sum(
            callback.id not in day.checker.first_dials and callback.due_at < at - timedelta(seconds=60 + QUIET_S)
            for callback in tables.pending.values()
        ),
        looked=Counter(end.how.value for end in tables.preview_ends.values()),
        recent=tuple(day.recent) if failure else (),
        returns=Counter(row.why or row.outcome for row in tables.returns.values()),
        urgent=Counter(c.state.value for c in tables.callbacks.values() if c.urgent),
        by_hand=sum(row.ended.attempt.manual for row in tables.attempts.values()),
        answered=sum(c.answered_at is not None for c in calls),
        talks=sum(bool(c.talks) for c in calls),
        talked_on=sum(len(c.talks) > 1 for c in calls),
    )


def _story(day: Day, at: datetime, step: int, failure: BaseException) -> str:
    """Seed, step, commit, and the command that repeats it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    shape = day.shape
    again = (
        f"PYTHONHASHSEED=0 python -m tests.sim.day --seed {day.seed} --hours {shape.hours:g} "
        f"--contacts {shape.contacts} --operators {shape.operators} --campaigns {shape.campaigns}"
        + " --previews" * shape.previews
        + f" --by-hand {shape.by_hand:g}" * (shape.by_hand > 0)
        + f" --returns {shape.returns:g}" * (shape.returns > 0)
    )
    return (
        f"{type(failure).__name__}: {failure}\n  seed {day.seed}, step {step}, {at:%H:%M:%S}, commit {commit.strip()}"
        f"\n  faults so far: {dict(day.weather.happened)}\n  again: {again}"
    )


def _clear(loop: SimLoop) -> None:
    """Let the dead go quietly: coroutines of killed processes still have finally blocks to run when collected."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        loop.close()
        gc.collect()
    finally:
        sys.unraisablehook = hook


def main(arguments: Sequence[str] | None = None) -> int:
    """Repeat one day or a row of days on the command line."""
    parser = argparse.ArgumentParser(description="Live through simulated campaign days.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--operators", type=int, default=5)
    parser.add_argument("--campaigns", type=int, default=0, choices=range(4), help="0: the seed draws")
    parser.add_argument("--previews", action="store_true", help="a campaign more, whose operators look first")
    parser.add_argument("--by-hand", type=float, default=0.0, help="chance that who pauses types one more number")
    parser.add_argument("--returns", type=float, default=0.0, help="share of those rung in vain who call back")
    parser.add_argument("--calm", action="store_true", help="nothing breaks")
    parser.add_argument("--story", type=int, default=0, help="print so many of the last things before a failure")
    chosen = parser.parse_args(arguments)
    shape = Shape(
        hours=chosen.hours,
        contacts=chosen.contacts,
        operators=chosen.operators,
        campaigns=chosen.campaigns,
        previews=chosen.previews,
        by_hand=chosen.by_hand,
        returns=chosen.returns,
        fault_every_s=1e9 if chosen.calm else Shape().fault_every_s,
    )
    failed = 0
    for seed in range(chosen.seed, chosen.seed + chosen.days):
        report = run_day(seed, shape)
        failed += report.failure is not None
        story = report.recent[-chosen.story :] if chosen.story else ()
        lines = [f"{START + timedelta(seconds=at):%H:%M:%S.%f} {what}" for at, what in story]
        lines += [report.sentence(), f"  {dict(report.outcomes)} exceptions {dict(report.exceptions)}"]
        in_time = sum(late_s <= 60 for late_s in report.first_dials)
        promised = f"dialled in time {in_time}, later {len(report.first_dials) - in_time}, never {report.never_dialled}"
        lines += [f"  looked {dict(report.looked)}"] if report.looked else []
        lines += [f"  by hand {report.by_hand}"] if report.by_hand else []
        lines += [f"  came in {dict(report.returns)}, urgent callbacks {dict(report.urgent)}"] if report.returns else []
        lines += [f"  callbacks {dict(report.callbacks)}, {promised}"]
        sys.stdout.write("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
