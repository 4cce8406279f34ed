"""What runs beside the engine is not lost by one failure."""

from __future__ import annotations

import asyncio

import structlog
from structlog.testing import capture_logs

from dialer import service


async def test_work_beside_the_engine_that_fails_is_said_and_begun_again(monkeypatch):
    monkeypatch.setattr(service, "AGAIN_S", 0.0)
    monkeypatch.setattr(service, "log", structlog.get_logger())  # one that another test used writes where it did then
    begun, works = [], asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            raise ValueError("one fact too strange")
        works.set()
        await asyncio.Event().wait()

    with capture_logs() as said:
        task = asyncio.create_task(service.kept("counting", work))
        await asyncio.wait_for(works.wait(), 5)
    assert [(line["event"], line["chore"], line["log_level"]) for line in said] == [
        ("chore.failed", "counting", "error")
    ]
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
