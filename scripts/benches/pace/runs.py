"""Whole scenarios: the days of a dialer one after the other, with the legal window and what was learned carried on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from dialer.core.model import Mode
from scripts.benches.pace import known
from scripts.benches.pace.day import Count, Day, Dialer, Progressive
from scripts.benches.pace.ours import Ours, Window
from scripts.benches.pace.rivals import Issabel, Settings, Vici
from scripts.benches.pace.world import DAY_S, DAYS, HOUR_S, Scenario

CAP = 0.03
#: Of the cap, what days like these have used: the aim of the pacing.
USED = 0.95
#: The default run lives through two hours of the largest team.
LONG_TEAM, LONG_TEAM_S = 300, 2 * HOUR_S
#: Days behind a window by its name.
LONG, COLD, PROBABLE = "20", "cold", "probable"
BEHIND = {LONG: 20, "1": 1, COLD: 0, PROBABLE: 0}
#: Of those days our dialer has lived through these, by team size, one line per operator, and two hours of its own:
#: enough to have learned, cheap enough to do each time. Their seeds are far from the others'.
BEFORE_DAYS, BEFORE_S, BEFORE_SEED = {3: 4, 10: 2}, 2 * HOUR_S, 1000
#: How busy the days behind the window were where no bound is known.
BUSY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What to live through.

    Attributes:
        world: The scenario.
        dialer: Its name in ``DIALERS``.
        days: How many; each of its own seed, the same for every dialer.
        until_s: How long a day is.
        window: What is behind the legal window on the first day: ``20`` days, ``1`` or ``cold``, or ``probable``: cold
            in the budget's mode of that name. Only with 20 the days follow each other; else each is the first one.
        seed: Of the first day.
    """

    world: Scenario
    dialer: str
    days: int
    until_s: float = DAY_S
    window: str = LONG
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Lived:
    """A run and what came of it."""

    run: Run
    count: Count = field(default_factory=Count)
    days: list[Count] = field(default_factory=list)
    worst: float = 0.0
    cpu_s: float = 0.0


def planned(world: Scenario, dialer: str, *, full: bool = False, **more: str | int) -> Run:
    """The run of a scenario as the goals have it."""
    short = world.operators >= LONG_TEAM and not full
    days = DAYS.get(world.operators, 4)
    run = Run(world=world, dialer=dialer, days=days, until_s=LONG_TEAM_S if short else DAY_S)
    return replace(run, **more)


def carried(run: Run) -> Window:
    """The legal window with so many days behind it, as busy as these, that kept to the aim."""
    figure = known.bound(run.world, DAY_S)
    busy = figure.busy if figure else BUSY
    answered = BEHIND[run.window] * int(run.world.operators * DAY_S * busy / run.world.talk_s)
    return Window(answered=answered, abandoned=int(USED * CAP * answered))


def _learn_before(run: Run, dialer: Ours) -> None:
    """What the days behind the window taught, without their count."""
    dialer.mode = Mode.PROGRESSIVE
    days = BEFORE_DAYS.get(run.world.operators, 1)
    for day in range(days):
        Day(run.world, dialer, BEFORE_SEED + day, until_s=run.until_s).run()
    dialer.mode = Mode.PREDICTIVE
    dialer.window = carried(run)
    Day(run.world, dialer, BEFORE_SEED + days, until_s=BEFORE_S).run()


def live(run: Run) -> Lived:
    """Live through a run."""
    lived, began_s = Lived(run=run), time.process_time()
    dialer = DIALERS[run.dialer](run)
    if isinstance(dialer, Ours) and run.window == LONG:
        _learn_before(run, dialer)
        dialer.window = carried(run)
    for day in range(run.days):
        if run.window != LONG and day:
            dialer = DIALERS[run.dialer](run)
        count = Day(run.world, dialer, run.seed + day, until_s=run.until_s).run()
        lived.days.append(count)
        lived.count.add(count)
        if isinstance(dialer, Ours):
            lived.worst = max(lived.worst, dialer.window.worst)
    if not isinstance(dialer, Ours):
        lived.worst = lived.count.lost  # 30 days like these
    lived.cpu_s = time.process_time() - began_s
    return lived


def days_of(run: Run, made: Callable[[], Dialer]) -> Count:
    """The days of a run with a dialer made anew for each, summed."""
    total = Count()
    for day in range(run.days):
        total.add(Day(run.world, made(), run.seed + day, until_s=run.until_s).run())
    return total


def _ours(run: Run) -> Dialer:
    dialer = Ours(carried(run))
    dialer.probable = run.window == PROBABLE
    return dialer


def _vici(run: Run) -> Dialer:
    return Vici(known.settings(run.world, run.until_s) or Settings())


#: Dialers by name.
DIALERS: dict[str, Callable[[Run], Dialer]] = {
    "ours": _ours,
    "vici": _vici,
    "issabel": lambda _: Issabel(),
    "1:1": lambda _: Progressive(),
}
