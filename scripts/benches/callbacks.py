"""A month of promises to call back: the engine on a simulated switch, a database in memory and simulated time.

From 28 September to 28 October 2026 a call centre promises some ten thousand callbacks, to anybody and by one operator,
in six combinations of zones; Sydney's clocks go forward in the month, Europe's back, and somebody works in both nights.
Operators are absent, fall ill, pause, talk long and lose their phones; engine, link, switch and database break and come
back, and the service is stopped every night; numbers go on the do-not-call list after the promise; a holiday is decreed
for a day for which promises were made. A log of the world's own judges (tests/sim/judge.py says what is free, and what
in time): 99.9 % of the promises with a free operator within 60 s, all others shown late a minute after it with a true
reason; none lost, none kept twice. Some days of it are also lived on a real PostgreSQL, statement by statement:
both must say the same and end the same.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.sim.month import Report, Shape

#: The goals.
SHARE, PROMISES = 0.999, 10_000


def line(reports: list[Report], differences: list[str], *, wanted: int) -> str:
    """The last line.

    Args:
        reports: Of the month, and of the days on PostgreSQL.
        differences: What memory and PostgreSQL hold differently.
        wanted: So many promises there must be at least.
    """
    counts, because, wrong, missed = Counter[str](), Counter[str](), 0, 0
    for report in reports:
        counts += report.verdicts.counts
        because += report.verdicts.late_because
        wrong += len(report.verdicts.wrong) + (report.failure is not None)
        missed += len(report.verdicts.missed)
    free = counts["in time"] + missed
    share = counts["in time"] / free if free else 0.0
    promises = sum(len(report.verdicts.told) for report in reports)
    good = share >= SHARE and wrong == 0 and not differences and promises >= wanted
    shown = ", ".join(f"{count} {reason}" for reason, count in because.most_common())
    others = ", ".join(f"{counts[word]} {word}" for word in ("moved", "blocked", "cancelled", "off at night"))
    return (
        f"callbacks: {'' if good else 'falls short; '}{promises} promises; {share:.2%} of {free} with a free operator "
        f"in time (goal {SHARE:.1%}); {counts['late']} late and shown so with the reason ({shown}); {others}; "
        f"{wrong} wrong, {len(differences)} differences on PostgreSQL; "
        f"{sum(r.deaths for r in reports)} deaths of an engine, {sum(r.cpu_s for r in reports):.0f} s on a core"
    )


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench callbacks", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shifts", type=int, default=0, help="only so many of the month; 0: all")
    parser.add_argument("--no-postgres", action="store_true", help="only in memory")
    given = parser.parse_args(argv)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.sim import month, promises_mirror  # noqa: PLC0415  # the tests are no part of the package

    shape: Shape = month.month(given.shifts)
    reports, differences = [], list[str]()
    if not given.no_postgres:
        report, differences = promises_mirror.live(given.seed, month.few_days())
        print("\n".join([*report.verdicts.lines(), *differences[:20], report.failure or "", ""]), flush=True)
        reports.append(report)
    reports.append(month.run(given.seed, shape, said=lambda told: print(told, flush=True)))
    print("\n".join([*reports[-1].verdicts.lines(), reports[-1].failure or ""]), flush=True)
    wanted = 0 if given.shifts else PROMISES
    last = line(reports, differences, wanted=wanted)
    print(last)
    return 1 if "falls short" in last else 0
