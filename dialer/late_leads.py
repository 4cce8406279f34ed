"""Tells of leads that nobody has reached by their deadline: looks every half minute, tells of each once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from dialer.errors import StoreDown
from dialer.store import leads

if TYPE_CHECKING:
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 30.0


async def watch(pool: Pool) -> None:
    """Until cancelled.

    Args:
        pool: The web's: it waits for the pages, not the engine for it.
    """
    while True:
        try:
            late = await leads.tell_late(pool, datetime.now(UTC))
        except StoreDown as error:
            log.warning("late_leads.not_looked", error=error.message)
            late = 0
        if late:
            log.info("late_leads.told", leads=late)
        await asyncio.sleep(LOOK_S)
