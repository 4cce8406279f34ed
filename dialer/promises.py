"""Lets colleagues keep what an absent operator promised: looks every few seconds, by the rule of ``core.callbacks``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from dialer.errors import StoreDown
from dialer.store import callbacks

if TYPE_CHECKING:
    from dialer.engine.ports import Commands
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 5.0


async def watch(commands: Commands, pool: Pool) -> None:
    """Until cancelled.

    Args:
        commands: The engine's: it is told when there is something to dial.
        pool: The engine's: a promise comes before the pages.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            passed = await callbacks.pass_on(pool, datetime.now(UTC))
        except StoreDown as error:
            log.warning("promises.not_looked", error=error.message)
            continue
        if passed:
            log.info("promises.passed_on", promises=passed)
            await commands.campaigns_changed()
