"""Adversarial days against the hard abandonment bound, on the product's own floor, cover and budget.

Campaigns share operators and dial as far as the bound allows; answers come in floods, operators pause, leave and lose
their phones, windows end, targets change. A window above its cap at any instant is a failure of the bound, and its
seed repeats it. On the rough days happens what no bound can prevent; each such misfortune may cost one person.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from pathlib import Path

STEPS = 1000


def one(day: tuple[int, bool]) -> tuple[int, bool, int, int, int, float]:
    """Live through one day; in a process of its own. Seed, good, windows, calls, cut lines, share of the cap used."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from dialer.core.floor import Floor  # noqa: PLC0415  # beside the tests, which are no part of the package
    from tests.core.adversary import Adversary  # noqa: PLC0415  # the tests are no part of the package

    seed, rough = day
    lived = Adversary(Floor(), seed, rough=rough).live(STEPS)
    good = lived.beyond() <= lived.misfortunes if rough else not lived.broken
    return seed, good, len(lived.answered), lived.calls, lived.cuts, 0.0 if rough else lived.worst


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench budget", description=__doc__)
    parser.add_argument("--days", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(argv)
    seeds = range(given.first, given.first + given.days)
    days = [(seed, False) for seed in seeds] + [(seed, True) for seed in seeds[: given.days // 10]]
    bad = windows = calls = cuts = 0
    worst = 0.0
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        for seed, good, seen, placed, cut, used in pool.imap_unordered(one, days, chunksize=20):
            windows, calls, cuts, worst = windows + seen, calls + placed, cuts + cut, max(worst, used)
            if not good:
                bad += 1
                print(f"seed {seed}: a window passed its cap", flush=True)
    print(
        f"budget: {'falls short; ' if bad else ''}{given.days} adversarial days and {given.days // 10} rough ones, "
        f"{bad} with a window above the cap, of {windows} windows; {calls} calls, {cuts} cut when phones vanished; "
        f"the fullest window used {worst:.0%} of its cap"
    )
    return 1 if bad else 0
