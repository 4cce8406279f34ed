"""Closes the days of campaigns in money some hours after their end: what was counted then stays, whatever prices do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from dialer.errors import StoreDown
from dialer.store.money import Money

if TYPE_CHECKING:
    from dialer.store.pools import Pool

log = structlog.get_logger(__name__)

LOOK_S = 900.0


async def watch(pool: Pool) -> None:
    """Until cancelled.

    Args:
        pool: With time for long statements: all facts of a day are looked at.
    """
    while True:
        try:
            closed, late = await Money(pool).night(datetime.now(UTC))
        except StoreDown as error:
            log.warning("money.not_closed", error=error.message)
        else:
            if closed:
                log.info("money.closed", days=closed, days_with_late_facts=late)
        await asyncio.sleep(LOOK_S)
