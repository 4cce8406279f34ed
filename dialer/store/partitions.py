"""Months of facts: their partitions are made ahead, at start and daily."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.store.pools import store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from dialer.store.pools import Pool

SQL = queries("partition")


async def keep_partitions(pool: Pool) -> None:
    """Make the partitions of this and the next two months.

    Raises:
        StoreDown: PostgreSQL does not answer.
    """
    with store_errors():
        await SQL["partition_make"].execute(pool)
