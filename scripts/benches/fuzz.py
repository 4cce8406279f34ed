"""Files made ugly by chance: no crash, no hang, and no row lost in silence.

Each file comes from its seed; a failure prints the seed. A sample is loaded into a real PostgreSQL by the tests.

    scripts/bench fuzz                     100,000 files: half an hour on two quiet cores
    scripts/bench fuzz --files 2000        a look
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

CHUNK = 250
TELL_FILES = 2500
MEMORY_BYTES_MAX = 1024**3
PROCESSES = 2


def some(first: int, count: int) -> tuple[int, int, int, float, list[str]]:
    """Judge some files: how many, their rows, how many accepted, the slowest, failures; in a process of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.intake import fuzz  # noqa: PLC0415  # the tests are no part of the package

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    with tempfile.TemporaryDirectory(prefix="dialer-fuzz-") as folder:
        verdicts = [fuzz.judge(seed, Path(folder)) for seed in range(first, first + count)]
    failures = [f"seed {verdict.seed}: {verdict.failure}" for verdict in verdicts if verdict.failure]
    rows, accepted = sum(verdict.rows for verdict in verdicts), sum(verdict.accepted for verdict in verdicts)
    return count, rows, accepted, max(verdict.seconds for verdict in verdicts), failures


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    given = parser.parse_args(argv)
    files = rows = accepted = failed = 0
    slowest, began = 0.0, time.monotonic()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        last = given.first + given.files
        asked = {pool.submit(some, at, min(CHUNK, last - at)): at for at in range(given.first, last, CHUNK)}
        for done in as_completed(asked):
            try:
                count, more, taken, slow, failures = done.result()
            except BrokenProcessPool:
                print(f"a process died among the seeds from {asked[done]}", flush=True)
                failed += 1
                continue
            files, rows, accepted, slowest = files + count, rows + more, accepted + taken, max(slowest, slow)
            failed += len(failures)
            for failure in failures:
                print(failure, flush=True)
            if files % TELL_FILES < count:
                left_s = (time.monotonic() - began) / files * (given.files - files)
                print(f"{files} files, {failed} failures, {left_s / 60:.0f} minutes left", flush=True)
    good = failed == 0 and files == given.files
    print(
        f"fuzz: {'' if good else 'falls short; '}{files} files, {failed} crashes, hangs and losses, {rows} rows in = "
        f"{accepted} accepted + {rows - accepted} rejected, slowest {slowest:.2f} s (goal 2)"
    )
    return 0 if good else 1
