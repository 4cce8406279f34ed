"""Forecasts of short campaigns against what came of them: does an interval of 80 per cent hold 80 per cent?

Each campaign is lived through by the full engine on the simulated switch: three to six operators, 100 to 300 contacts,
an hour or an hour and a half, in every mode, with rates, retry rules and pauses drawn from its seed
(``tests/sim/short``). After a quarter to half an hour a forecast is made of what the tables know then, by playing the
rest many times over (``dialer.core.ahead``). The interval is then compared with what had come of the campaign at the
end of the shift. The seeds are not those the forecast was written with.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import process_time

#: The goal: the share of campaigns that end inside their interval of 80 per cent.
LEAST, MOST = 0.75, 0.85
#: Campaigns, and futures of a forecast.
CAMPAIGNS, FUTURES = 400, 200
PROCESSES_MAX = 2
#: What is looked at; the goal is about the first two.
FIGURES = ("results", "left", "connects", "attempts")


@dataclass(frozen=True, slots=True)
class Held:
    """One campaign: for each figure whether its interval held the outcome, and where among the futures that lay."""

    seed: int
    mode: str
    inside: dict[str, bool]
    place: dict[str, float]
    live_s: float
    forecast_s: float


def one(seed: int) -> Held:
    """Live through one campaign and compare; in a process of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from dialer.core import ahead  # noqa: PLC0415  # in the process that needs it
    from tests.sim.short import live  # noqa: PLC0415  # the tests are no part of the package

    began = process_time()
    truth = live(seed)
    lived = process_time()
    told = list(ahead.shift(truth.known, truth.plan, lambda i: Random(f"{seed} {i}"), futures=FUTURES))
    found = ahead.of_shift(truth.known, truth.plan, told)
    inside, place = {}, {}
    for which, (name, before) in enumerate(
        (
            ("results", truth.known.results),
            ("attempts", truth.known.attempts),
            ("connects", truth.known.connects),
            ("left", 0),
        )
    ):
        spread, actual = getattr(found, name), getattr(truth, name)
        inside[name] = spread.low <= actual <= spread.high
        values = [future.marks[-1][which] + before for future in told]
        place[name] = (sum(v < actual for v in values) + sum(v == actual for v in values) / 2) / len(values)
    return Held(seed, truth.short.mode.value, inside, place, lived - began, process_time() - lived)


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench forecast", description=__doc__)
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=PROCESSES_MAX, choices=range(1, PROCESSES_MAX + 1))
    given = parser.parse_args(argv)
    seeds = range(given.first, given.first + given.campaigns)
    found: list[Held] = []
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for held in pool.imap_unordered(one, seeds):
            found.append(held)
            if len(found) % 50 == 0:
                print(f"{len(found)} campaigns", flush=True)
    _table(found)
    shares = {name: _share(found, name) for name in FIGURES[:2]}
    good = all(LEAST <= share <= MOST for share in shares.values())
    cost_s = _mean([held.forecast_s for held in found])
    print(
        f"forecast: {'' if good else 'falls short; '}of {len(found)} short campaigns {shares['results']:.1%} end "
        f"inside the 80 % interval of their results, {shares['left']:.1%} inside that of the contacts left "
        f"(goal {LEAST:.0%} to {MOST:.0%}); a forecast of {FUTURES} futures takes {cost_s:.2f} s of a core"
    )
    return 0 if good else 1


def _table(found: list[Held]) -> None:
    """Shares by mode, and whether outcomes lie evenly among the futures: mean 0.5, deviation 0.289."""
    modes: defaultdict[str, list[Held]] = defaultdict(list)
    for held in sorted(found, key=lambda h: h.mode):
        modes[held.mode].append(held)
    print(f"{'':12}{'campaigns':>10}" + "".join(f"{name:>10}" for name in FIGURES))
    for mode, some in [*modes.items(), ("all", found)]:
        print(f"{mode:12}{len(some):>10}" + "".join(f"{_share(some, name):>10.1%}" for name in FIGURES))
    places = {name: [held.place[name] for held in found] for name in FIGURES}
    print(f"{'mean place':22}" + "".join(f"{_mean(places[name]):>10.3f}" for name in FIGURES))
    off = {name: _mean([(at - 0.5) ** 2 for at in places[name]]) ** 0.5 for name in FIGURES}
    print(f"{'its deviation':22}" + "".join(f"{off[name]:>10.3f}" for name in FIGURES))


def _share(found: list[Held], name: str) -> float:
    return _mean([float(held.inside[name]) for held in found])


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
