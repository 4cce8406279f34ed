"""Files on their way to be bases: each lies in a folder of its own, and what happens to it outlives whoever watches.

    upload → look → (choose columns) → rehearse → load

What is found, reported and how far it is stands in the database (``dialer.store.base_files``), so that any page sees
it; the work itself is a task here and a worker beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from dialer.errors import DialerError, NotFound, Refused
from dialer.intake import words, workers
from dialer.intake.folder import FILE, MENDED, REJECTED
from dialer.intake.load import load_file, look, rehearse
from dialer.intake.plan import Plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from dialer.intake.load import Progress, Report
    from dialer.store.base_files import BaseFile
    from dialer.store.stores import Stores
    from dialer.store.users import Actor

    #: What a piece of work came to: the columns of ``BaseFiles.end``.
    Ending = Mapping[str, Any]

log = structlog.get_logger(__name__)

FILE_BYTES_MAX = 512 * 1024**2
TELL_EVERY_S = 0.5
#: Reported with their text; the file to be mended has all.
REPORTED_ROWS = 50


class Desk:
    """Takes files and works on them.

    Args:
        stores: Where bases go.
        folder: Where files lie meanwhile.
        loaded: Called after a load was committed.
    """

    def __init__(self, stores: Stores, folder: Path, loaded: Callable[[], Awaitable[None]]) -> None:
        self._stores = stores
        self._folder = folder
        self._loaded = loaded
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Stop working; what was not committed is as if it had never begun."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def receive(self, chunks: AsyncIterator[bytes], *, campaign_id: int, name: str, actor: Actor) -> BaseFile:
        """Take a file, and look at it.

        Raises:
            Refused: ``request.too_large``.
            NotFound: ``campaign.not_found``.
        """
        await self._tidy()
        arriving = self._folder / f"arriving-{uuid4().hex}"
        await asyncio.to_thread(arriving.mkdir, parents=True, mode=0o700)
        try:
            digest, size = await _stream(chunks, arriving / FILE)
            file = await self._stores.base_files.add(
                campaign_id=campaign_id, name=name, file_hash=digest, size=size, actor=actor
            )
            await asyncio.to_thread(arriving.rename, self._of(file.id))
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, arriving, ignore_errors=True)
            raise
        return await self.look(file.id, {})

    async def look(self, file_id: int, chosen: Mapping[str, Any]) -> BaseFile:
        """Look at a file, with what was chosen already.

        Raises:
            NotFound: ``base.no_file``.
            Refused: ``base.busy``.
        """

        async def work(progress: Progress) -> Ending:
            return {"state": "ready", "found": await look(self._of(file_id), chosen, progress=progress)}

        return await self._begin(file_id, "looking", work)

    async def rehearse(self, file_id: int, chosen: Mapping[str, Any]) -> BaseFile:
        """Give every row its verdict.

        Raises:
            NotFound: ``base.no_file``.
            Refused: ``base.busy``, ``base.plan``.
        """
        file = await self._stores.base_files.get(file_id)
        plan = planned(file, chosen)

        async def work(progress: Progress) -> Ending:
            report = await rehearse(
                self._stores, self._of(file_id), plan, campaign_id=file.campaign_id, progress=progress
            )
            return {"state": "rehearsed", "report": _short(report), "found": {**file.found, "plan": plan.values()}}

        return await self._begin(file_id, "rehearsing", work)

    async def load(self, file_id: int, chosen: Mapping[str, Any], *, actor: Actor) -> BaseFile:
        """Load all rows that are not rejected.

        Raises:
            NotFound: ``base.no_file``.
            Refused: ``base.busy``, ``base.plan``.
        """
        file = await self._stores.base_files.get(file_id)
        plan = planned(file, chosen)

        async def work(progress: Progress) -> Ending:
            loaded = await load_file(
                self._stores,
                self._of(file_id),
                plan,
                campaign_id=file.campaign_id,
                name=file.name,
                source=file.name,
                actor=actor,
                progress=progress,
            )
            await self._loaded()
            return {"state": "loaded", "report": _short(loaded.report), "base_id": loaded.base.id}

        return await self._begin(file_id, "loading", work)

    async def mended(self, file_id: int, language: str) -> Path:
        """The file of rejected rows with their reasons.

        Raises:
            NotFound: ``base.no_file``; ``base.no_verdicts``: nothing was rehearsed yet.
        """
        file = await self._stores.base_files.get(file_id)
        folder = self._of(file_id)
        if not await asyncio.to_thread((folder / REJECTED).exists) or "plan" not in file.found:
            raise NotFound("base.no_verdicts", "There are no verdicts for this file.", remedy="Rehearse it first.")
        ask = {"command": "mend", "plan": file.found["plan"], "words": words.reasons(language)}
        await workers.run(folder, ask)
        return folder / MENDED

    async def remove(self, file_id: int) -> None:
        """Forget a file.

        Raises:
            NotFound: ``base.no_file``.
            Refused: ``base.busy``.
        """
        file = await self._stores.base_files.get(file_id)
        if not await self._stores.base_files.remove(file_id):
            raise Refused("base.busy", "The file is being worked on.", remedy="Wait until that is done.")
        await asyncio.to_thread(shutil.rmtree, self._of(file.id), ignore_errors=True)

    def _of(self, file_id: int) -> Path:
        return self._folder / str(file_id)

    async def _tidy(self) -> None:
        for file_id in await self._stores.base_files.old():
            await asyncio.to_thread(shutil.rmtree, self._of(file_id), ignore_errors=True)

    async def _begin(self, file_id: int, state: str, work: Callable[[Progress], Awaitable[Ending]]) -> BaseFile:
        await self._stores.base_files.get(file_id)
        await self._stores.base_files.begin(file_id, state)
        task = asyncio.create_task(self._work(file_id, work), name=f"base file {file_id} {state}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await self._stores.base_files.get(file_id)

    async def _work(self, file_id: int, work: Callable[[Progress], Awaitable[Ending]]) -> None:
        """Do it, tell how far it is, and write down what came of it."""
        progress = _Progress()
        telling = asyncio.create_task(self._tell(file_id, progress), name=f"base file {file_id} progress")
        ending: Ending
        try:
            ending = await work(progress)
        except asyncio.CancelledError:
            ending = _failed(Refused("base.stopped", "The service was stopped.", remedy="Begin again."))
            raise
        except DialerError as error:
            ending = _failed(error)
        except Exception as error:
            log.exception("base_file_failed", file_id=file_id)
            ending = _failed(DialerError("internal", f"It failed here: {type(error).__name__}.", remedy="Try again."))
        finally:
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError, DialerError):
                await telling
            with contextlib.suppress(DialerError):
                await self._stores.base_files.end(file_id, **ending)

    async def _tell(self, file_id: int, progress: _Progress) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            with contextlib.suppress(DialerError):  # the next one will tell
                await self._stores.base_files.told(file_id, progress.values())


class _Progress:
    """How far a piece of work is, since when, and how long it will take."""

    def __init__(self) -> None:
        self._what, self._done, self._of = "", 0, 0
        self._since = time.monotonic()

    def __call__(self, what: str, done: int, of: int) -> None:
        if what != self._what:
            self._what, self._since = what, time.monotonic()
        self._done, self._of = done, of

    def values(self) -> dict[str, Any]:
        """As JSON; ``rate`` is a second's worth, of bytes or rows; ``left_s`` is null while nobody can tell."""
        seconds = time.monotonic() - self._since
        rate = self._done / seconds if seconds > 0 else 0.0
        left_s = round((self._of - self._done) / rate, 1) if rate else None
        return {"what": self._what, "done": self._done, "of": self._of, "rate": round(rate), "left_s": left_s}


def planned(file: BaseFile, chosen: Mapping[str, Any]) -> Plan:
    """How a file is to be read: as it was found, and as it was chosen.

    Raises:
        Refused: ``base.plan``: it was not looked at, or cannot be read like this.
    """
    if "plan" not in file.found:
        raise Refused("base.plan", "The file was not looked at yet.", remedy="Look at it first.")
    return Plan.of({**file.found["plan"], **chosen}).checked()


def _failed(error: DialerError) -> Ending:
    return {"state": "failed", "error": {"code": error.code, "message": error.message, "remedy": error.remedy}}


def _short(report: Report) -> dict[str, Any]:
    values = report.values()
    return {**values, "rejected": values["rejected"][:REPORTED_ROWS]}


async def _stream(chunks: AsyncIterator[bytes], path: Path) -> tuple[bytes, int]:
    """Write a file as it comes; its SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > FILE_BYTES_MAX:
                raise Refused("request.too_large", "The file is larger than 512 MB.", remedy="Split it.")
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    return digest.digest(), size
