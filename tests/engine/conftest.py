"""What the engine's tests share."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.slow import slow_engine


@pytest.fixture
async def engine():
    """An engine that stores slowly."""
    engine = slow_engine()
    writing = asyncio.create_task(engine.writer.run())
    yield engine
    writing.cancel()
