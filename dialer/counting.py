"""Keeps the hour rows beside the engine: folds what facts told, makes anew what is in doubt, compares every night."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from dialer.errors import StoreDown
from dialer.store.kpi_hours import FOLD, HourRows

if TYPE_CHECKING:
    from dialer.store.pools import Pools

log = structlog.get_logger(__name__)

FOLD_S = 5.0
#: The nightly comparison looks so far back: late facts of yesterday are in it.
BACK = timedelta(days=2)
#: So often it is seen whether the comparison is due; one that was too much for the database is not begun again at once.
COMPARE_EVERY = timedelta(hours=1)


async def watch(pools: Pools) -> None:
    """Until cancelled.

    Args:
        pools: Folding is short and uses the pages' connections; the rest may take long and uses those of loading.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_fold(HourRows(pools.web)), name="numbers.fold")
        tasks.create_task(_mend(HourRows(pools.intake)), name="numbers.mend")


async def _fold(rows: HourRows) -> None:
    """Beside the rest: readers add what is not folded yet, and that must stay little while a month is made anew."""
    while True:
        try:
            while await rows.fold() == FOLD:
                pass
        except StoreDown as error:
            log.warning("numbers.not_folded", error=error.message)
        await asyncio.sleep(FOLD_S)


async def _mend(rows: HourRows) -> None:
    compare_at = datetime.now(UTC)
    while True:
        try:
            if mended := await rows.mend():
                log.info("numbers.made_anew", campaigns=mended)
            if (now := datetime.now(UTC)) >= compare_at:
                compare_at = now + COMPARE_EVERY
                await nightly(rows, now)
        except StoreDown as error:
            log.warning("numbers.not_kept", error=error.message)
        await asyncio.sleep(FOLD_S)


async def nightly(rows: HourRows, now: datetime) -> None:
    """Compare hour rows and facts once a day (UTC): after midnight, or at the first start of that day.

    Raises:
        StoreDown: PostgreSQL does not answer.
    """
    last = await rows.checked()
    if last is not None and last.at.date() >= now.date():
        return
    until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    found = await rows.check(until - BACK, until)
    tell = log.error if found.different else log.info
    tell("numbers.checked", compared=found.compared, different=found.different, first=found.differences[:3])
