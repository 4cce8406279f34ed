"""Our service against a bare script on panoramisk that does Originate and Bridge alone.

Same rig (two real Asterisks, SIP and RTP on loopback), same run, alternating blocks: 250 operators nailed up, everybody
answers, talks three seconds and hangs up. Ours has the gate, the ledger in PostgreSQL (synchronous_commit=on) and a
disposition for every conversation; the bare script has a dictionary. Times are Asterisk's own, from the answer to the
second of both BridgeEnter.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dialer.store.server import OwnServer
from dialer.world import rig as world
from dialer.world.people import MEASURED
from scripts.benches import site

RATES = (20, 50)
OPERATORS = 250
BLOCKS = 3
BLOCK_S = 20.0
#: The goals.
RATE_PART, P50_MS, P99_PART = 0.9, 10.0, 2.0


@dataclass(frozen=True, slots=True)
class Block:
    """What one side did in one block."""

    originated_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_call: float
    connected: int


async def block(script: str, rate: float, seconds: float, operators: int, rig: world.Rig, url: str) -> Block:
    """Run one side in a process of its own and read its figures."""
    environment = os.environ | {"RIG": json.dumps(rig.described()), "DIALER_DATABASE_URL": url}
    command = [sys.executable, "-m", f"scripts.benches.{script}", str(rate), str(seconds), str(operators)]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"calls: {script} failed")
    return Block(**json.loads(out.decode().splitlines()[-1]))


def median(blocks: list[Block], field: str) -> float:
    """Median of one figure over the blocks."""
    return statistics.median(getattr(b, field) for b in blocks)


def judge(bare: list[Block], ours: list[Block], rate: float) -> tuple[str, bool]:
    """The figures of one rate in words, and whether they meet the goals."""
    part = median(ours, "originated_per_s") / median(bare, "originated_per_s")
    p50, p99, bare_p99 = median(ours, "p50_ms"), median(ours, "p99_ms"), median(bare, "p99_ms")
    good = part >= RATE_PART and p50 <= P50_MS and p99 <= P99_PART * bare_p99
    words = (
        f"{rate:g}/s: rate {part:.2f} of bare, answer to bridge p50 {p50:.1f} ms (bare {median(bare, 'p50_ms'):.1f}), "
        f"p99 {p99:.1f} ms = {p99 / bare_p99:.2f} of bare {bare_p99:.1f}, "
        f"CPU {median(ours, 'cpu_ms_per_call'):.1f} ms/call (bare {median(bare, 'cpu_ms_per_call'):.1f})"
    )
    return words, good


async def run(rates: tuple[float, ...], blocks: int, seconds: float, operators: int) -> int:
    """All blocks, then the verdict."""
    figures, all_good = [], True
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        plan = world.Plan(seats=operators, population=MEASURED, listens=False)
        async with OwnServer(Path(folder) / "postgres") as url, world.running(plan, Path(folder)) as rig:
            await site.prepare(url, site.Site(operators=operators, contacts=site.needed(rates, blocks, seconds)))
            for rate in rates:
                bare: list[Block] = []
                ours: list[Block] = []
                for n in range(1, blocks + 1):
                    for script, into in (("bare", bare), ("ours", ours)):
                        into.append(await block(script, rate, seconds, operators, rig, url))
                        print(f"{rate:g}/s block {n} {script}: {into[-1]}", flush=True)
                words, good = judge(bare, ours, rate)
                figures.append(words)
                all_good &= good
    print(f"calls: {'' if all_good else 'falls short; '}{'; '.join(figures)}")
    return 0 if all_good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench calls", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES), help="originations a second")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help="blocks of each side at each rate")
    parser.add_argument("--seconds", type=float, default=BLOCK_S, help="length of a block")
    parser.add_argument("--operators", type=int, default=OPERATORS)
    given = parser.parse_args(argv)
    return asyncio.run(run(tuple(given.rates), given.blocks, given.seconds, given.operators))
