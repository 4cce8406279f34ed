"""Starts the worker, follows its progress, and turns whatever it ends with into an answer or a sentence."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import structlog

from dialer.errors import DialerError, Refused
from dialer.intake.folder import ANSWER, ASK

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterable, Callable, Mapping
    from pathlib import Path

log = structlog.get_logger(__name__)

#: Wall time: a worker at low priority may wait long for a core, but not for ever.
WORKER_S_MAX = 3600.0
_OUT_OF_MEMORY = ("MemoryError", "memory allocation", "Cannot allocate memory")
_OUT_OF_TIME = {-signal.SIGXCPU, -signal.SIGKILL}


async def run(
    folder: Path, ask: Mapping[str, Any], *, told: Callable[[Mapping[str, Any]], None] | None = None
) -> dict[str, Any]:
    """Let a worker do something to the file in a folder.

    Args:
        folder: Where the file lies; results appear beside it.
        ask: ``command`` and what it takes; see ``dialer.intake.work``.
        told: Gets each progress: ``done``, ``of``, ``rows``.

    Raises:
        Refused: ``base.…``: the file cannot be read.
        DialerError: ``base.worker``: a defect of ours.
    """
    answer = folder / ANSWER
    await asyncio.to_thread(_prepare, folder, ask)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dialer.intake.work", str(folder)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WORKER_S_MAX):
            _, last_words = await asyncio.gather(_follow(process, told), _last_words(process))
            code = await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if code != 0 or not answer.exists():
        raise _ended_badly(code, last_words)
    found: dict[str, Any] = json.loads(await asyncio.to_thread(answer.read_text, encoding="utf-8"))
    if "error" in found:
        raise Refused(found["error"]["code"], found["error"]["message"], remedy=found["error"]["remedy"])
    return found


async def _follow(process: Process, told: Callable[[Mapping[str, Any]], None] | None) -> None:
    lines: AsyncIterable[bytes] = process.stdout  # type: ignore[assignment]  # it is a pipe
    async for line in lines:
        if told:
            told(json.loads(line))


async def _last_words(process: Process) -> str:
    lines: AsyncIterable[bytes] = process.stderr  # type: ignore[assignment]  # it is a pipe
    last = ""
    async for line in lines:
        last = line.decode("utf-8", "replace").strip() or last
    return last[:500]


def _prepare(folder: Path, ask: Mapping[str, Any]) -> None:
    (folder / ANSWER).unlink(missing_ok=True)
    (folder / ASK).write_text(json.dumps(ask, ensure_ascii=False), encoding="utf-8")


def _ended_badly(code: int, last_words: str) -> DialerError:
    """Killed by its limits the file is to blame; else we are."""
    if code in _OUT_OF_TIME:
        return Refused("base.too_slow", "Reading the file took too long.", remedy="Save it as CSV, or split it.")
    if code == -signal.SIGABRT or any(word in last_words for word in _OUT_OF_MEMORY):
        sentence = "The file needs more memory than a base may take."
        return Refused("base.too_large", sentence, remedy="Save it as CSV, or split it.")
    log.error("intake_worker_failed", code=code, last_words=last_words)
    return DialerError("base.worker", "Reading the file failed here; it is in the log.", remedy="Tell the engineer.")
