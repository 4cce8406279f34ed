"""Cuts lines to numbers that were forbidden while they ring, wherever that was said.

What is forbidden on the pages is cut by the request itself. The command line, another service on the same database, a
consent that expires or a register that is imported do not pass by the engine: so it looks, twice a second.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from dialer.errors import StoreDown
from dialer.store import do_not_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialer.engine.ports import Commands
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

#: A line is cut within a second.
LOOK_S = 0.4


async def watch(commands: Commands, pool: Pool, switch: str, lists: Callable[[], Sequence[tuple[int, str]]]) -> None:
    """Until cancelled.

    Args:
        commands: The engine's.
        pool: The engine's: this comes before the pages.
        switch: Its own.
        lists: The national lists that hold now, by campaign.
    """
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            found = await do_not_call.ringing(pool, switch, lists())
        except StoreDown as error:
            log.warning("forbidden.not_looked", error=error.message)
            continue
        if found:
            log.info("forbidden.cut", phones=len(found))
            await commands.do_not_call_added(found)
