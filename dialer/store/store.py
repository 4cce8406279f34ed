"""PostgreSQL as the engine sees it: ``dialer.engine.ports.Store``, each method one transaction over one noun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.errors import FactRefused, OperatorConflict
from dialer.store import campaigns, journal, lease, pacing, recovery, returns
from dialer.store.claims import Claims
from dialer.store.lease import LeaseKeeper
from dialer.store.pools import store_errors, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialer.core.model import Budget, Campaign
    from dialer.engine.ports import (
        ClaimAsk,
        ClaimResult,
        Due,
        Journal,
        Lease,
        PacingMinute,
        Recovered,
        ReturnAsk,
        ReturnResult,
    )
    from dialer.store.pools import Pool


class PgStore:
    """The engine's store.

    Args:
        pool: The engine's connections (``Pools.engine``).
        url: Of the same database: the lease has a connection of its own.
        clock: Time of day of a simulation. By default the lease goes by PostgreSQL's clock.
        boot_s: The engine's boot clock; by default this machine's.
    """

    def __init__(
        self,
        pool: Pool,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        boot_s: Callable[[], float] | None = None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._keeper = LeaseKeeper(url, clock)
        self._claims = Claims(pool, self._keeper.now, boot_s)

    async def close(self) -> None:
        """Let go without giving the lease back; ``release_lease`` comes first at an orderly stop."""
        await self._keeper.close()

    async def take_lease(self, switch: str, *, wait: bool) -> Lease | None:
        """The right to dial on a switch, with the next epoch.

        Raises:
            StoreDown: PostgreSQL does not answer.
        """
        return await self._keeper.take(switch, wait=wait)

    async def renew_lease(self, lease: Lease) -> bool:
        """Extend the lease; False when it ran out or is somebody else's."""
        return await self._keeper.renew(lease)

    async def release_lease(self, lease: Lease) -> None:
        """Give the lease back."""
        await self._keeper.release(lease)

    async def clock_skew_s(self) -> float:
        """Seconds by which PostgreSQL's clock is ahead of ours; the way there and back is split evenly."""
        if self._clock:
            return 0.0
        with store_errors():
            before = datetime.now(UTC)
            there: datetime = await lease.SQL["lease_clock"].fetchval(self._pool)
            after = datetime.now(UTC)
        return (there - before - (after - before) / 2).total_seconds()

    async def campaigns(self, switch: str) -> Sequence[Campaign]:
        """Campaigns of the switch that are not drafts."""
        with store_errors():
            return await campaigns.read(self._pool, switch=switch)

    async def budgets(self, campaign_ids: Sequence[int]) -> Mapping[int, Budget]:
        """Abandonment budgets, as the last claim left them."""
        with store_errors():
            return await recovery.budgets(self._pool, campaign_ids)

    async def claim(self, ask: ClaimAsk) -> ClaimResult:
        """Take contacts through the gate; see ``Claims``."""
        return await self._claims.claim(ask)

    async def take_return(self, ask: ReturnAsk) -> ReturnResult:
        """Put somebody who calls us on the line of the campaign that called there last; see ``returns``."""
        return await transaction(self._pool, lambda connection: returns.take(connection, ask, self._keeper.now()))

    async def write(self, journal_: Journal) -> None:
        """Store the facts of a moment, all or none.

        Raises:
            StoreDown: Whether they are stored is not known; the same again is right.
            LeaseLost: Another engine tells the facts now.
            OperatorConflict: The database holds this operator with another callee.
            FactRefused: Another constraint refused them.
        """
        try:
            await transaction(self._pool, lambda connection: journal.write(connection, journal_, self._keeper.held))
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            kind = OperatorConflict if error.constraint_name == "one_callee_per_operator" else FactRefused
            code = "operator.conflict" if kind is OperatorConflict else "store.fact_refused"
            raise kind(code, str(error), constraint=error.constraint_name) from error

    async def recover(self, switch: str) -> Recovered:
        """Live attempts and open shifts of this switch, now under our epoch."""
        return await transaction(self._pool, lambda connection: recovery.recover(connection, switch))

    async def learned(self, campaign_id: int) -> Mapping[str, float]:
        """What the last 250 attempts and wrap-ups were like."""
        with store_errors():
            return await recovery.learned(self._pool, campaign_id)

    async def pacing_learned(self, kind: str, of_id: int) -> Mapping[str, Any] | None:
        """What pacing had learned of a ``campaign`` or a ``team``."""
        with store_errors():
            return await pacing.learned(self._pool, kind, of_id)

    async def keep_pacing(
        self, minutes: Sequence[PacingMinute], learned: Mapping[tuple[str, int], Mapping[str, Any]], now: datetime
    ) -> None:
        """Store why campaigns dialled as they did, and what pacing learned."""
        await transaction(self._pool, lambda connection: pacing.keep(connection, minutes, learned, now))

    async def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, Sequence[Due]]:
        """How many promises of each campaign fall due until then."""
        with store_errors():
            return await recovery.callbacks_due(self._pool, campaign_ids, until)
