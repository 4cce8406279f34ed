"""Our pacing beside others in one simulated world: how busy operators are at how many abandoned calls."""

from __future__ import annotations

import argparse
import sys

from scripts.benches.pace.runs import BEHIND, DIALERS, Lived, live, planned
from scripts.benches.pace.world import scenario, thirty


def line(lived: Lived) -> str:
    """One run in words."""
    count, run = lived.count, lived.run
    return (
        f"{run.world.name:>14} {run.dialer:>8}: busy {count.busy:.4f}, abandoned {100 * count.lost:.2f} %, "
        f"worst window {100 * lived.worst:.2f} %, {count.calls / max(1, count.talks):.1f} dials a talk, "
        f"idle {count.idle_s / max(1, count.talks):.0f} s a talk, {100 * count.noticed / max(1, count.answered):.1f} % "
        f"waited over 0.5 s; {lived.cpu_s:.1f} s"
    )


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench pacing", description=__doc__)
    parser.add_argument("--scenario", nargs="*", default=[], help="e.g. 30:0.25 10:0.1:drift; else the 30 of the goals")
    parser.add_argument("--dialer", nargs="*", choices=DIALERS, default=list(DIALERS))
    parser.add_argument("--days", type=int, help="instead of those of the goals")
    parser.add_argument("--window", choices=BEHIND, default="20", help="days behind the legal window")
    parser.add_argument("--full", action="store_true", help="all days of the largest team too")
    given = parser.parse_args(argv)
    worlds = [scenario(name) for name in given.scenario] or thirty()
    more = {"window": given.window} | ({"days": given.days} if given.days else {})
    for world in worlds:
        for dialer in given.dialer:
            print(line(live(planned(world, dialer, full=given.full, **more))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
