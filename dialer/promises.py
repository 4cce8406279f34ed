"""Looks after promises every few seconds: those of absent operators, and those the rules came to forbid."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from dialer.errors import DialerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dialer.engine.ports import Commands

log = structlog.get_logger(__name__)

LOOK_S = 5.0


async def watch(commands: Commands, settle: Callable[[], Awaitable[int]]) -> None:
    """Until cancelled.

    Args:
        commands: The engine's: it is told when there is something to dial.
        settle: Looks at the promises once, by the rules of ``core.callbacks``; how many it changed.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            changed = await settle()
            if changed:
                log.info("promises.settled", promises=changed)
                await commands.campaigns_changed()
        except DialerError as error:
            log.warning("promises.not_looked", code=error.code, error=error.message)
