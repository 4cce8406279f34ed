"""Pages that move, under a whole floor: from an event of the switch to the bytes at a page, and what that costs.

The service dials 20 calls a second on the simulated switch for 200 operators, whose pages are open and who save a
disposition for each conversation over the API; 20 boards look on. Switch, service and pages are processes of their own
on one machine. Then the network breaks: 500 pages lose their sockets and all come back in the same moment, without the
jitter of real ones, while dialing goes on.

What is measured is the time from the last of both BridgeEnter (from the first sign of the end) at the switch to the
message that shows the conversation (its end) at each board and at the operator's page, and how late the service's event
loop runs, asked every 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from dialer.web.auth import hash_token
from scripts.benches import site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OPERATORS, BOARDS, CALLS_PER_S, SECONDS = 200, 20, 20.0, 60.0
WARM_S, STORM_S, STORM_PAGES = 15.0, 10.0, 500
#: The goals.
P50_MS, P99_MS, LAG_MS, STORM_LAG_MS = 150.0, 1000.0, 20.0, 50.0
WRAP_UP_S = 1.5
LIVE, OPERATOR = "/api/v1/live", "/api/v1/operator/live"


@dataclass(slots=True, eq=False)
class Page:
    """An open page: what it was sent, and when it first showed what of which attempt."""

    cookie: str
    path: str
    client: aiohttp.ClientSession
    bytes_in: int = 0
    shown: dict[tuple[str, str], float] = field(default_factory=dict)
    first_at: float | None = None
    works: bool = False
    repeated: int = 0
    _saved: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    socket: aiohttp.ClientWebSocketResponse | None = None

    async def follow(self) -> None:
        """Stay open until cancelled; a lost socket is opened again at once."""
        try:
            while True:
                try:
                    async with self.client.ws_connect(self.path, headers=self.headers, max_msg_size=0) as self.socket:
                        async for message in self.socket:
                            if message.type is aiohttp.WSMsgType.TEXT:
                                self._take(message.data)
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.05)
        finally:
            for task in self._tasks:
                task.cancel()

    @property
    def headers(self) -> dict[str, str]:
        """Who asks."""
        return {"Cookie": f"dialer_session={self.cookie}", "X-Dialer": "1"}

    def lose(self) -> None:
        """The network is gone."""
        self.first_at = None
        if self.socket is not None and self.socket._response.connection is not None:  # noqa: SLF001 - no polite goodbye
            transport = self.socket._response.connection.transport  # noqa: SLF001 - same
            if transport is not None:
                transport.abort()

    def _take(self, text: str) -> None:
        at = time.monotonic()
        self.first_at = self.first_at or at
        self.bytes_in += len(text.encode())
        said = json.loads(text)
        for row in said.get("operators", ()) if self.path == LIVE else filter(None, [said["operator"]]):
            if row["attempt_id"]:
                self.shown.setdefault((row["attempt_id"], row["state"]), at)
        card = said.get("card") if self.works else None
        if card and said["operator"]["state"] == "wrap_up" and card["attempt_id"] not in self._saved:
            self._saved.add(card["attempt_id"])
            task = asyncio.create_task(self._close(card["attempt_id"]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _close(self, attempt_id: str) -> None:
        await asyncio.sleep(WRAP_UP_S)
        headers = {"Idempotency-Key": attempt_id}
        path = f"/api/v1/attempts/{attempt_id}/disposition"
        while await self.ask("POST", path, {"code": "thinking"}, headers) >= 500:  # as the page does
            self.repeated += 1
            await asyncio.sleep(1)

    async def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
        """One request; its status, which is no refusal."""
        given = {**self.headers, **(headers or {})}
        async with self.client.request(method, path, json=body, headers=given) as answer:
            if answer.status in range(400, 500):
                raise SystemExit(f"live: {method} {path}: {answer.status} {await answer.text()}")
            return answer.status


@dataclass(slots=True)
class Process:
    """The switch or the service, asked line by line."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, module: str, **environment: str) -> Process:
        """Start a module of ours."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"scripts.benches.{module}",
                env=os.environ | environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=1 << 26,
            )
        )

    async def line(self) -> dict[str, Any]:
        """The next line it says."""
        if self.process.stdout is None:
            raise AssertionError
        text = await self.process.stdout.readline()
        if not text:
            raise SystemExit("live: a process ended early")
        said: dict[str, Any] = json.loads(text)
        return said

    async def ask(self, word: str) -> dict[str, Any]:
        """Say a word and hear the answer."""
        if self.process.stdin is None:
            raise AssertionError
        self.process.stdin.write(f"{word}\n".encode())
        return await self.line()

    def close(self) -> None:
        """It has nothing more to wait for."""
        if self.process.stdin is not None:
            self.process.stdin.close()


async def people(url: str, operators: int, boards: int) -> tuple[list[str], list[str]]:
    """Users with open sessions: the tokens of the operators and of the boards."""
    tokens: dict[str, list[str]] = {"operator": [], "supervisor": []}
    async with Pools.open(url) as pools:
        users = Stores.of(pools).users
        for role, count in (("operator", operators), ("supervisor", boards)):
            for number in range(1, count + 1):
                user = await users.add(
                    login=f"{role}-{number}",
                    name=f"{role.title()} {number}",
                    role=role,
                    password_hash="-",  # noqa: S106 - nobody logs in by it
                    team="bench" if role == "operator" else None,
                    language="en",
                    actor=site.NOBODY,
                )
                tokens[role].append(f"dls_{role}-{number}")
                lasts = timedelta(hours=1)
                await users.open_session(hash_token(tokens[role][-1]), user=user, lasts=lasts, ip="127.0.0.1")
    return tokens["operator"], tokens["supervisor"]


@asynccontextmanager
async def opened(pages: list[Page]) -> AsyncIterator[None]:
    """These pages, open."""
    tasks = [asyncio.create_task(page.follow()) for page in pages]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def latencies(pages: list[Page], told: dict[str, dict[str, float]], since: float, until: float) -> list[float]:
    """Milliseconds from each event of the switch in a period to each page that shows it."""
    return [
        (page.shown[attempt_id, state] - at) * 1000
        for state, times in told.items()
        for attempt_id, at in times.items()
        if since <= at < until
        for page in pages
        if (attempt_id, state) in page.shown
    ]


def cut(values: list[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    cuts = statistics.quantiles(values, n=100)
    return cuts[49], cuts[98]


@dataclass(slots=True)
class Run:
    """What was measured."""

    since: float = 0.0
    until: float = 0.0
    quiet: dict[str, float] = field(default_factory=dict)
    storm: dict[str, float] = field(default_factory=dict)
    bytes_per_s: dict[str, float] = field(default_factory=dict)
    back_s: float = 0.0
    told: dict[str, dict[str, float]] = field(default_factory=dict)


async def measure(given: argparse.Namespace, service: Process, own: list[Page], boards: list[Page]) -> Run:
    """Work, warm up, measure, break the network, measure again."""
    run = Run()
    async with opened(own + boards):
        for number, page in enumerate(own, 1):
            await page.ask("POST", "/api/v1/operator/start", {"seat": f"seat-{number:03}"})
            await asyncio.sleep(0.01)
        await asyncio.sleep(2)
        for page in own:
            page.works = True
            await page.ask("POST", "/api/v1/operator/ready")
        await service.ask("running")
        await asyncio.sleep(WARM_S)
        await service.ask("mark")
        before = {page: page.bytes_in for page in own + boards}
        run.since = time.monotonic()
        await asyncio.sleep(given.seconds)
        run.until = time.monotonic()
        run.quiet = await service.ask("mark")
        for name, pages in (("board", boards), ("operator", own)):
            sent = sum(page.bytes_in - before[page] for page in pages)
            run.bytes_per_s[name] = sent / len(pages) / (run.until - run.since)
        await break_network(given, service, own, boards, run)
        await service.ask("paused")
    return run


async def break_network(
    given: argparse.Namespace, service: Process, own: list[Page], boards: list[Page], run: Run
) -> None:
    """All pages of a big house lose their sockets and come back at once."""
    more = [Page(page.cookie, page.path, page.client) for page in boards]
    few = given.pages - len(own) - len(boards) - len(more)
    more += [Page(own[n % len(own)].cookie, OPERATOR, own[0].client) for n in range(max(0, few))]
    async with opened(more):
        while any(page.first_at is None for page in more):
            await asyncio.sleep(0.05)
        await asyncio.sleep(2)
        await service.ask("mark")
        began = time.monotonic()
        everybody = own + boards + more
        for page in everybody:
            page.lose()
        await asyncio.sleep(STORM_S)
        run.storm = await service.ask("mark")
        back = [page.first_at for page in everybody if page.first_at is not None]
        run.back_s = max(back) - began if len(back) == len(everybody) else float("inf")


def judge(run: Run, own: list[Page], boards: list[Page]) -> tuple[str, bool]:
    """The last line, and whether the goals are met."""
    calls_per_s = sum(run.since <= at < run.until for at in run.told["talking"].values()) / (run.until - run.since)
    kinds = {"board": boards, "operator": own}
    figures = {name: cut(latencies(pages, run.told, run.since, run.until)) for name, pages in kinds.items()}
    good = (
        all(p50 <= P50_MS and p99 <= P99_MS for p50, p99 in figures.values())
        and run.quiet["lag_p99_ms"] <= LAG_MS
        and run.back_s <= STORM_S
        and run.storm["lag_p99_ms"] < STORM_LAG_MS
        and run.storm["cpu_s"] <= STORM_S
    )
    pages = "; ".join(
        f"event to {name} page p50 {p50:.0f} ms (goal {P50_MS:g}), p99 {p99:.0f} ms (goal {P99_MS:g}), "
        f"{run.bytes_per_s[name] / 1000:.1f} kB/s a page"
        for name, (p50, p99) in figures.items()
    )
    floor = (
        f"loop lag p99 {run.quiet['lag_p99_ms']:.1f} ms (goal {LAG_MS:g}), "
        f"CPU {run.quiet['cpu_s'] / (run.until - run.since):.2f} cores"
    )
    storm = (
        f"storm: all pages back in {run.back_s:.1f} s (goal {STORM_S:g}), {run.storm['cpu_s'] / STORM_S:.2f} cores, "
        f"loop lag p99 {run.storm['lag_p99_ms']:.1f} ms (goal {STORM_LAG_MS:g})"
    )
    repeated = sum(page.repeated for page in own)
    words = f"{calls_per_s:.1f} conversations/s, {repeated} saves repeated; {pages}; {floor}; {storm}"
    return f"live: {'' if good else 'falls short; '}{words}", good


async def run_all(given: argparse.Namespace) -> int:
    """Everything, then the verdict."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        contacts = int(given.rate * (given.seconds + WARM_S + 2 * STORM_S + 30))
        async with OwnServer(Path(folder) / "postgres") as url:
            plan = site.Site(operators=given.operators, contacts=contacts, mode=given.mode)
            await site.prepare(url, plan)
            operator_tokens, board_tokens = await people(url, given.operators, given.boards)
            async with Pools.open(url) as pools:
                await pools.engine.execute("UPDATE trunk SET calls_per_s = $1", given.rate)
                await pools.engine.execute("UPDATE campaign SET state = 'paused'")
            switch = await Process.start("live_switch")
            service = await Process.start(
                "live_service", SWITCH=json.dumps(await switch.line()), DIALER_DATABASE_URL=url
            )
            base = (await service.line())["url"]
            connector, jar = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
            async with aiohttp.ClientSession(base, connector=connector, cookie_jar=jar) as client:
                own = [Page(token, OPERATOR, client) for token in operator_tokens]
                boards = [Page(token, LIVE, client) for token in board_tokens]
                run = await measure(given, service, own, boards)
            switch.close()
            run.told = defaultdict(dict, await switch.line())
            service.close()
            await service.process.wait()
    for name, figures in (("floor", run.quiet), ("storm", run.storm)):
        print(f"{name}: {', '.join(f'{key} {value:.2f}' for key, value in figures.items())}")
    line, good = judge(run, own, boards)
    print(line)
    return 0 if good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench live", description=__doc__)
    parser.add_argument("--operators", type=int, default=OPERATORS)
    parser.add_argument("--boards", type=int, default=BOARDS)
    parser.add_argument("--rate", type=float, default=CALLS_PER_S, help="calls a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long the floor is measured")
    parser.add_argument("--pages", type=int, default=STORM_PAGES, help="pages that come back at once")
    parser.add_argument("--mode", choices=("progressive", "predictive"), default="progressive")
    return asyncio.run(run_all(parser.parse_args(argv)))
