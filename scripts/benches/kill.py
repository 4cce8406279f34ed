"""kill -9 of the service under ten calls a second, again and again, on the real Asterisk and PostgreSQL.

A predictive campaign of the telephone world dials without a pause: short talks, contacts that come due at a steady
rate, lines that were not answered again after 15 s. The service is a process of its own and is killed every 8 to 15 s;
half of the times 0 to 2 s after an answer that found no operator free. So that there is such an answer, and no forecast
can avoid it, all operators go for a pause at once before it. The service is started again at once. Robots at operators'
pages (REST and WebSocket) live through it all, and save with the same Idempotency-Key until they are answered.
PostgreSQL commits synchronously.

The abandon budget would end such a test within a minute, as it should: a dead service abandons whoever answers. So the
campaign carries a window of 200,000 answered and 2,000 abandoned calls. That lifts the bound of the budget; the
forecast of the pacing stays as it is, and everything that is counted here has nothing to do with either.

What is counted, all of it from outside of the service (``kill_judge``): calls that no attempt explains or that came
twice or too soon (the world's own log against the ledger, call by call: each INVITE names its attempt); saves that were
acknowledged and are not in the table (the robots' own log); attempts still live 60 s after the kill they lived through;
channels without a row; time from the spawn of the process to the first INVITE of an attempt of its own; and what
whoever answered while nobody was there heard first, and when, by the far Asterisk's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from dialer.core.model import CampaignState
from dialer.passwords import hash_password, random_password
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from dialer.world import console, ports
from dialer.world import rig as world
from dialer.world.log import attempt_of
from dialer.world.people import Behaviour, Population
from dialer.world.process import ServiceProcess
from dialer.world.robot import Manner, Robot
from scripts.benches import kill_judge, site

#: Starts the trunk allows while the service lives: more than ten a second on average, the deaths included.
CALLS_PER_S = 20.0
OPERATORS = 14
#: Contacts that come due for the first time: at once, and then each second; the others of the ten are called again.
FRESH_AT_ONCE, FRESH_PER_S = 300, 7.0
BETWEEN_S = (8.0, 15.0)
AFTER_ANSWER_S = (0.0, 2.0)
#: The pause before an aimed kill begins by then, so that it has time to come about.
AIM_S = 11.0
#: Aimed kills beyond the half, for those whose callee met somebody after all.
SPARE_AIMED = 4
WARM_UP_S = 20.0
#: Nobody rings, talks and listens as long as this: what is live so long after a kill has no end.
LIFE_S = 60.0
#: A channel without a row is looked at again after this.
LOOK_S = 5.0
#: What happened is in the database after this.
STORED_S = 0.2
FAREWELL_S = 45.0

CROWD = Population(
    shares={
        Behaviour.PERSON: 26,
        Behaviour.HANGS_UP: 2,
        Behaviour.NO_ANSWER: 5,
        Behaviour.BUSY: 46,
        Behaviour.DECLINED: 6,
        Behaviour.UNAVAILABLE: 9,
        Behaviour.CONGESTION: 6,
    },
    ring_s=(0.3, 2.5),
    talk_mean_s=6.0,
    talk_max_s=12.0,
)
MANNER = Manner(talk_s=(1.0, 3.0), wrap_up_s=(0.1, 0.4))
AGAIN = ("no_answer", "busy", "congestion", "rejected", "failed", "cancelled", "not_sent", "unknown")
CAMPAIGN = {
    "ring_timeout_s": 8,
    "wrap_up_s": 20,
    "max_lines": 200,
    "max_lines_per_operator": 10.0,
    "attempts_max": 20,
    "retry": {outcome: {"delay_s": 15} for outcome in AGAIN},
}
#: Contacts come due one after the other from now on, not all at once.
COME_DUE = """
UPDATE contact SET next_at = now() + greatest(0, place.n - $3) / $2::float8 * interval '1 second'
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM contact WHERE campaign_id = $1) AS place
WHERE contact.id = place.id
"""
FREE = "SELECT count(*) FROM operator_live WHERE state = 'ready'"
WAITS = "SELECT connected_at IS NULL AND operator_id IS NULL FROM attempt_live WHERE attempt_id = $1"
LIVE = "SELECT attempt_id FROM attempt_live"
LIVE_SINCE = "SELECT count(*) FROM attempt_live WHERE sent_at < to_timestamp($1)"
SHIFTS = "SELECT session_id FROM operator_live"


@dataclass(slots=True)
class Site:
    """Everything of one run that lives through the kills."""

    rig: world.Rig
    service: ServiceProcess
    database: asyncpg.Pool[asyncpg.Record]
    stores: Stores
    campaign_id: int
    robots: list[Robot]
    saves: Path
    kills: list[kill_judge.Kill] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    endless: int = 0
    orphans: set[str] = field(default_factory=set)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


async def build(stack: AsyncExitStack, times: int, operators: int, port_range: tuple[int, int]) -> Site:
    """Both Asterisks, PostgreSQL, the campaign, the operators; the service is not started yet."""
    folder = open_folder(stack)
    plan = world.Plan(seats=operators, population=CROWD, ports=port_range)
    url = await stack.enter_async_context(OwnServer(folder / "postgres"))
    rig = await stack.enter_async_context(world.running(plan, folder))
    contacts = FRESH_AT_ONCE + int(FRESH_PER_S * (times * (BETWEEN_S[1] + 1) + WARM_UP_S + 2 * LIFE_S))
    campaign_id = await site.prepare(
        url, site.Site(operators=operators, contacts=contacts, mode="predictive", carried=(200_000, 2_000))
    )
    pools = await stack.enter_async_context(Pools.open(url))
    stores = Stores.of(pools)
    await stores.campaigns.set_trunk(
        "world", kind="world", max_channels=400, calls_per_s=CALLS_PER_S, actor=site.NOBODY
    )
    await stores.campaigns.change(campaign_id, CAMPAIGN, actor=site.NOBODY)
    (port,) = ports.free(1, *port_range)
    service = ServiceProcess(rig=rig, database_url=url, folder=folder, http_port=port)
    saves = folder / "saves.jsonl"
    robots = [await robot(stores, service.url, saves, number) for number in range(1, operators + 1)]
    await pools.web.execute(COME_DUE, campaign_id, FRESH_PER_S, FRESH_AT_ONCE)
    return Site(rig, service, pools.web, stores, campaign_id, robots, saves)


def open_folder(stack: AsyncExitStack) -> Path:
    """A folder that PostgreSQL and Asterisk, who run as users of their own, may pass through."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dialer-kill-")))
    folder.chmod(0o711)
    return folder


async def robot(stores: Stores, url: str, saves: Path, number: int) -> Robot:
    """An operator with an account of its own."""
    login, password = f"robot{number}", random_password()
    await stores.users.add(
        login=login,
        name=f"Robot {number}",
        role="operator",
        password_hash=await hash_password(password),
        team="bench",
        language="en",
        actor=site.NOBODY,
    )
    seat = f"seat-{number:03}"
    return Robot(url=url, login=login, password=password, seat=seat, saves=saves, chance=Random(number), manner=MANNER)


class Ear:
    """Reads on in the world's log, from where it stopped."""

    def __init__(self, log: Path) -> None:
        self._lines = log.open(encoding="utf-8")
        self._rest = ""

    def news(self) -> list[dict[str, Any]]:
        """The records written since."""
        text = self._rest + self._lines.read()
        whole, _, self._rest = text.rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


async def answers(ear: Ear) -> AsyncIterator[tuple[str, float]]:
    """Attempts that are answered from now on, and when."""
    attempts = {r["call"]: attempt_of(r["attempt"]) for r in ear.news() if r["event"] == "called"}
    while True:
        for record in ear.news():
            if record["event"] == "called":
                attempts[record["call"]] = attempt_of(record["attempt"])
            elif record["event"] == "answered" and record["call"] in attempts:
                yield attempts[record["call"]], record["at"]
        await asyncio.sleep(0.01)


async def nobody_free(bench: Site, ear: Ear, delay_s: float) -> str | None:
    """Wait until somebody answers while no operator is free, and then the delay; the attempt.

    With a short delay the look at the operators must do; ``kill_judge`` looks once more at what became of the callee.
    """
    async for attempt, at in answers(ear):
        if delay_s < STORED_S:
            found = await bench.database.fetchval(FREE) == 0
        else:
            await asyncio.sleep(max(0.0, at + STORED_S - time.time()))
            found = await bench.database.fetchval(WAITS, UUID(attempt)) is True
        if found:
            await asyncio.sleep(max(0.0, at + delay_s - time.time()))
            return attempt
    return None


async def moment(bench: Site, ear: Ear, chance: Random, since: float, *, aimed: bool) -> str | None:
    """Wait for the moment of the next kill; the attempt whose callee was waiting, if there was one."""
    at_s = since + chance.uniform(*BETWEEN_S)
    delay_s = chance.uniform(*AFTER_ANSWER_S)
    if not aimed:
        await asyncio.sleep(max(0.0, at_s - time.time()))
        return None
    await asyncio.sleep(max(0.0, since + chance.uniform(BETWEEN_S[0], AIM_S) - time.time()))
    rest(bench, resting=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, since + BETWEEN_S[1] - time.time())):
            return await nobody_free(bench, ear, delay_s)
    return None


def rest(bench: Site, *, resting: bool) -> None:
    """All operators want a pause now, or no more."""
    for one in bench.robots:
        one.resting = resting


async def kill_again(bench: Site, times: int, chance: Random) -> None:
    """All the kills, each with its own look at what it left behind a minute later; every other one is aimed."""
    ear = Ear(bench.rig.log)
    for number in range(times):
        since = bench.kills[-1].at if bench.kills else time.time() - BETWEEN_S[0]
        aimed = sum(kill.aimed_at is not None for kill in bench.kills)
        waited = await moment(bench, ear, chance, since, aimed=2 * aimed <= number + SPARE_AIMED)
        if bench.service.exit_code is not None:
            bench.died.append(f"the service ended by itself with {bench.service.exit_code}")
        kill = kill_judge.Kill(at=time.time(), aimed_at=waited)
        await bench.service.kill()
        rest(bench, resting=False)
        await bench.service.start()
        kill.spawned_at = bench.service.spawned_at
        bench.kills.append(kill)
        bench.tasks.append(asyncio.create_task(look_back(bench, kill), name=f"look-back-{number}"))
        if (number + 1) % 10 == 0 or number + 1 == times:
            print(f"{number + 1} kills, {sum(k.aimed_at is not None for k in bench.kills)} after an answer", flush=True)
    await asyncio.gather(*bench.tasks)


async def look_back(bench: Site, kill: kill_judge.Kill) -> None:
    """A minute after a kill no attempt of before it is live."""
    await asyncio.sleep(LIFE_S)
    bench.endless += await bench.database.fetchval(LIVE_SINCE, kill.at)


async def watch_channels(bench: Site) -> None:
    """Find channels of ours that no row knows, at two looks one after the other."""
    before: set[str] = set()
    while True:
        now = await strays(bench)
        bench.orphans |= before & now
        before = now
        await asyncio.sleep(LOOK_S)


async def strays(bench: Site) -> set[str]:
    """Channels of attempts and shifts on our switch without a row; rows are read on both sides of the look."""
    known = await known_channels(bench)
    found = await console.channels(bench.rig.switch)
    known |= await known_channels(bench)
    return {channel for channel in found if channel[:4] in {"att-", "opr-"}} - known


async def known_channels(bench: Site) -> set[str]:
    """Channel ids of all live attempts and shifts."""
    live = [f"att-{row[0].hex}" for row in await bench.database.fetch(LIVE)]
    return {*live, *(f"opr-{row[0].hex}" for row in await bench.database.fetch(SHIFTS))}


async def farewell(bench: Site, robots: asyncio.Future[list[None]]) -> None:
    """No new calls; the last conversations are closed and saved, and nothing may be left."""
    await bench.stores.campaigns.set_state(bench.campaign_id, CampaignState.STOPPED, actor=site.NOBODY)
    ends = time.time() + FAREWELL_S
    while time.time() < ends and await bench.database.fetchval("SELECT count(*) FROM attempt_live"):
        await asyncio.sleep(0.5)
    bench.endless += await bench.database.fetchval("SELECT count(*) FROM attempt_live")
    for one in bench.robots:
        one.leave()
    await asyncio.wait({robots}, timeout=FAREWELL_S)
    await asyncio.sleep(1)
    bench.orphans |= await strays(bench)
    await bench.service.stop()


async def run(times: int, seed: int, operators: int, port_range: tuple[int, int], keep: Path | None) -> int:
    """Build, kill, judge."""
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        bench = await build(stack, times, operators, port_range)
        await bench.service.start()
        stack.push_async_callback(bench.service.kill)
        robots = asyncio.gather(*(one.run() for one in bench.robots))
        stack.callback(robots.cancel)
        watch = asyncio.create_task(watch_channels(bench), name="channels")
        await asyncio.sleep(WARM_UP_S)
        began = time.time()
        await kill_again(bench, times, Random(seed))
        watch.cancel()
        await farewell(bench, robots)
        figures = await kill_judge.judge(
            bench.database,
            log=bench.rig.log,
            saves=bench.saves,
            kills=bench.kills,
            period=(began, bench.kills[-1].at),
            seats={number: robot.seat for number, robot in enumerate(bench.robots, 1)},
        )
        figures.endless, figures.orphans, figures.died = bench.endless, len(bench.orphans), bench.died
        figures.took_s = time.monotonic() - started
        if keep:
            keep_all(bench, keep, await bench.database.fetch("SELECT * FROM attempt ORDER BY sent_at"))
    print("\n".join(figures.remarks[:40]))
    print(f"kill: {figures.sentence()}")
    return 0 if figures.good() else 1


def keep_all(bench: Site, into: Path, ledger: Sequence[asyncpg.Record]) -> None:
    """Keep what a person needs to understand a remark."""
    into.mkdir(parents=True, exist_ok=True)
    for path in (bench.rig.log, bench.saves, bench.service.log):
        shutil.copy(path, into / path.name)
    kills = [dataclasses.asdict(kill) for kill in bench.kills]
    for name, rows in (("attempts", [dict(row) for row in ledger]), ("kills", kills)):
        (into / f"{name}.jsonl").write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench kill", description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="how often the service is killed")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--operators", type=int, default=OPERATORS)
    parser.add_argument("--ports", type=int, nargs=2, metavar=("FIRST", "LAST"), default=(ports.FIRST, ports.LAST))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the logs and the ledger there")
    given = parser.parse_args(argv)
    return asyncio.run(run(given.times, given.seed, given.operators, tuple(given.ports), given.keep))
