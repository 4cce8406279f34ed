"""Forecasts that are being made and those that were: begun when somebody asks, given up when nobody waits any more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from dialer.web import ahead_work, schemas

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterable, Awaitable, Callable

    from dialer.core import ahead

    #: What plays a packed forecast and tells of it, line by line.
    Play: TypeAlias = Callable[[bytes, Callable[[dict[str, Any]], None]], Awaitable[None]]

log = structlog.get_logger(__name__)

#: Nobody has asked how far it is for so long: nobody waits.
PATIENCE_S = 30.0
#: One process at a time; whoever comes later waits for its turn.
AT_ONCE = 1
#: No forecast takes longer.
LONGEST_S = 600.0
#: Forecasts that are kept.
KEPT = 200
#: The longest line of the process: the forecast.
LINE_BYTES_MAX = 2**22
#: Of why it failed, so many characters are logged.
WHY_MAX = 500


@dataclass(slots=True)
class Job:
    """A forecast of one campaign: the last one, and the one that is being made.

    Attributes:
        plain: The last one that assumed nothing: what the campaign itself leads to.
    """

    forecast: schemas.Forecast | None = None
    plain: schemas.Forecast | None = None
    task: asyncio.Task[None] | None = None
    done: int = 0
    of: int = 0
    error: str | None = None
    looked_s: float = 0.0

    def answer(self) -> schemas.ForecastAnswer:
        """How far it is, and the last one."""
        if self.task is not None and not self.task.done():
            return schemas.ForecastAnswer(state="running", done=self.done, of=self.of, forecast=self.forecast)
        if self.error is not None:
            return schemas.ForecastAnswer(state="failed", error=self.error, forecast=self.forecast)
        return schemas.ForecastAnswer(state="done" if self.forecast else "none", forecast=self.forecast)


async def in_process(packed: bytes, told: Callable[[dict[str, Any]], None]) -> None:
    """Play in a process of its own; whatever happens to us, it ends with us.

    Raises:
        RuntimeError: It failed; what it said last of why.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dialer.web.ahead_work"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
    )
    try:
        [_, _, why] = await asyncio.gather(_give(process, packed), _follow(process, told), _last_line(process))
        if await process.wait():
            raise RuntimeError(why or f"ended with {process.returncode}")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _give(process: Process, packed: bytes) -> None:
    given: asyncio.StreamWriter = process.stdin  # type: ignore[assignment]  # it is a pipe
    with contextlib.suppress(ConnectionError):  # it died: what it did not say tells
        given.write(packed)
        await given.drain()
    given.close()


async def _last_line(process: Process) -> str:
    """What it complained of at last: of a traceback, the error."""
    lines: AsyncIterable[bytes] = process.stderr  # type: ignore[assignment]  # it is a pipe
    last = ""
    async for line in lines:
        last = line.decode(errors="replace").strip()[:WHY_MAX] or last
    return last


async def _follow(process: Process, told: Callable[[dict[str, Any]], None]) -> None:
    lines: AsyncIterable[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
    async for line in lines:
        told(json.loads(line))


@dataclass(slots=True)
class Forecasts:
    """All campaigns' forecasts of this service; ``play`` is where the work is done."""

    play: Play = in_process
    jobs: dict[int, Job] = field(default_factory=dict)
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def of(self, campaign_id: int) -> Job:
        """The job of a campaign; whoever looks waits for it."""
        job = self.jobs.pop(campaign_id, None) or Job()
        self.jobs[campaign_id] = job  # the one looked at last is forgotten last
        if len(self.jobs) > KEPT:
            forgotten = self.jobs.pop(next(iter(self.jobs)))
            if forgotten.task is not None:
                forgotten.task.cancel()
        job.looked_s = asyncio.get_running_loop().time()
        return job

    def plain(self, campaign_id: int) -> schemas.Forecast | None:
        """The last forecast that assumed nothing; looking at it waits for none."""
        job = self.jobs.get(campaign_id)
        return job.plain if job else None

    def begin(self, campaign_id: int, outset: ahead.Outset, ask: ahead.Ask) -> Job:
        """Make a new forecast; one that is being made for the same campaign is given up."""
        job = self.of(campaign_id)
        if job.task is not None:
            job.task.cancel()
        job.done, job.of, job.error = 0, 1, None
        job.task = asyncio.create_task(self._make(job, ahead_work.pack(outset, ask)), name="web.forecast")
        return job

    async def close(self) -> None:
        """Give up what is being made."""
        tasks = [job.task for job in self.jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(self, job: Job, packed: bytes) -> None:
        found: list[dict[str, Any]] = []

        def told(said: dict[str, Any]) -> None:
            job.done, job.of = said.get("done", job.done), said.get("of", job.of)
            if "forecast" in said:
                found.append(said["forecast"])

        playing = asyncio.create_task(self._play(packed, told), name="web.forecast.play")
        waited = asyncio.create_task(_while_waited_for(job), name="web.forecast.waited")
        try:
            await asyncio.wait({playing, waited}, return_when=asyncio.FIRST_COMPLETED)
            given_up = not playing.done()
        finally:
            playing.cancel()
            waited.cancel()
            [ended, _] = await asyncio.gather(playing, waited, return_exceptions=True)
        if found:
            job.forecast = schemas.Forecast.model_validate(found[-1])
            job.plain = job.plain if job.forecast.made_of.assumed else job.forecast
        elif not given_up:
            job.error = "forecast.too_long" if isinstance(ended, TimeoutError) else "forecast.worker"
            log.error("forecast_failed", code=job.error, reason=str(ended or ""))

    async def _play(self, packed: bytes, told: Callable[[dict[str, Any]], None]) -> None:
        async with self.turn, asyncio.timeout(LONGEST_S):
            await self.play(packed, told)


async def _while_waited_for(job: Job) -> None:
    loop = asyncio.get_running_loop()
    while (left_s := job.looked_s + PATIENCE_S - loop.time()) > 0:  # noqa: ASYNC110 -- time is the event
        await asyncio.sleep(left_s)  # a later look moves the end
