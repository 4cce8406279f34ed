"""Our pacing beside others in one simulated world: how busy operators are at how many abandoned calls.

Thirty scenarios: teams of 3 to 300, three shares of answers, steady and drifting. Side by side: ours (``dialer/core``
itself, behind the strict budget with 20 days in its legal window), the best settings of a VICIdial-like controller, an
Issabel-like predictor, one line per operator; and the bound, which knows the true laws and passes the cap by nothing.
The default run lives through two hours of the largest team instead of a day. ``--full`` lives through all of it, and
through cold windows and other worlds. ``--retune`` looks for bounds and settings again, which takes its time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from multiprocessing.pool import Pool
from pathlib import Path

from scripts.benches.pace import cost, demo, known, table, tune
from scripts.benches.pace.runs import BEHIND, DIALERS, LONG, Lived, Run, live, planned
from scripts.benches.pace.world import Scenario, reported, scenario, thirty

PROCESSES = 2
PLOT = Path(".cache/pacing.svg")


def first_days() -> list[Run]:
    """Ours with one day behind it and with nothing: what certainty costs then, and what its other mode saves."""
    return [
        planned(scenario(name), "ours", window=window)
        for name in table.FIRST_DAY
        for window in BEHIND
        if window != LONG
    ]


def main(argv: list[str]) -> int:
    """The command line."""
    given = _parser().parse_args(argv)
    if given.demo:
        print(
            f"pacing: demo of {given.operators} robots: {demo.live(given.operators, given.demo, given.seed).sentence()}"
        )
        return 0
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the processes to come; small products gain nothing by threads
    if given.cost:
        price = cost.measure()
        print(f"pacing: {'falls short; ' if price.misses() else ''}{price.sentence()}")
        return 1 if price.misses() else 0
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        if given.retune is not None:
            return _retune(pool, given.retune, missing=given.missing)
        return _compare(pool, given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench pacing", description=__doc__.split("\n")[0])
    parser.add_argument("--scenario", nargs="*", default=[], help="e.g. 30:0.25 10:0.1:drift 10:0.25:slow")
    parser.add_argument("--dialer", nargs="*", choices=DIALERS, default=list(DIALERS))
    parser.add_argument("--days", type=int, help="instead of those of the goals")
    parser.add_argument("--window", choices=BEHIND, default=LONG, help="days behind the legal window")
    parser.add_argument("--full", action="store_true", help="whole days of the largest team; other windows and worlds")
    parser.add_argument(
        "--retune", nargs="*", metavar="SCENARIO", help="look for bounds and settings again: all or these"
    )
    parser.add_argument("--missing", action="store_true", help="with --retune: only what no search has found yet")
    parser.add_argument("--plot", type=Path, default=PLOT, help="SVG of busy against abandoned share")
    parser.add_argument("--demo", type=float, metavar="SECONDS", help="the world of scripts/demo instead, so long")
    parser.add_argument("--cost", action="store_true", help="only what one decision costs")
    parser.add_argument("--operators", type=int, default=30, help="of --demo")
    parser.add_argument("--seed", type=int, default=1, help="of --demo")
    parser.add_argument("--processes", type=int, default=PROCESSES, choices=range(1, PROCESSES + 1))
    return parser


def _compare(pool: Pool, given: argparse.Namespace) -> int:
    more = {"window": given.window} | ({"days": given.days} if given.days else {})
    worlds = [scenario(name) for name in given.scenario] or thirty()
    runs = [planned(world, dialer, full=given.full, **more) for world in worlds for dialer in given.dialer]
    runs = [run for run in runs if run.dialer != "vici" or known.settings(run.world, run.until_s)]
    whole = given.full and not given.scenario
    others = [*first_days(), *(planned(world, "ours") for world in reported())] if whole else []
    lived = dict(_with_progress(pool.imap_unordered(live, _longest_first([*runs, *others])), len(runs) + len(others)))
    made, beside = table.rows(lived[run] for run in runs), [lived[run] for run in others]
    print(table.HEAD)
    for row in made:
        print(row.text())
    for one in beside:
        print(table.beside(one))
    print("* as given, not computed here; side effects (dials and idle seconds a talk, waited over 0.5 s) are ours")
    table.plot(made, given.plot)
    price = pool.apply(cost.measure)
    print(price.sentence())
    missed = [*table.misses(made, beside), *price.misses()]
    short = f"falls short ({', '.join(missed)}); " if missed else ""
    print(f"pacing: {short}{table.figures(made, beside)}; a decision {price.p99_ms:.2f} ms ({price.ratio:.2f} loops)")
    return 1 if missed else 0


def _retune(pool: Pool, names: list[str], *, missing: bool) -> int:
    worlds = {scenario(name) for name in names} or set(thirty())
    runs = [run for run in tune.searches() if run.world in worlds and not (missing and tune.found(run))]
    for done, (part, key, figures) in enumerate(pool.imap_unordered(tune.retune, runs), 1):
        known.keep(part, key, figures)
        print(f"{done} of {len(runs)}: {part} {key} {figures}", flush=True)
    print(f"pacing: {len(runs)} searches kept in {known.KNOWN.name}")
    return 0


def _longest_first(runs: list[Run]) -> list[Run]:
    """So that no process is left alone with a long one."""
    return sorted(runs, key=lambda run: (run.dialer != "ours", -run.days * run.until_s * _weight(run.world)))


def _weight(world: Scenario) -> float:
    return 1 + world.operators / 60


def _with_progress(found: Iterable[Lived], total: int) -> Iterator[tuple[Run, Lived]]:
    for done, lived in enumerate(found, 1):
        count, run = lived.count, lived.run
        print(
            f"{done} of {total}: {run.world.name} {run.dialer} busy {count.busy:.4f}, lost {100 * count.lost:.2f} %, "
            f"worst window {100 * lived.worst:.2f} %, {lived.cpu_s:.0f} s",
            flush=True,
        )
        yield run, lived
