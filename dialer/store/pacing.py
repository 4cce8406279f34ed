"""Why campaigns dialled as they did, minute by minute for a day, and what pacing learned."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from dialer.core import budget as law
from dialer.engine.ports import PacingMinute
from dialer.store import recovery
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection, Executor

SQL = queries("pacing")

#: Minutes are kept for so long.
KEPT = timedelta(days=1)


async def keep(
    connection: Connection,
    minutes: Sequence[PacingMinute],
    learned: Mapping[tuple[str, int], Mapping[str, Any]],
    now: datetime,
) -> None:
    """Store minutes and learned states, and forget the minutes of yesterday."""
    if minutes:
        await SQL["pacing_keep"].execute(
            connection,
            campaigns=[m.campaign_id for m in minutes],
            minutes=[m.minute for m in minutes],
            decided_at=[m.decided_at for m in minutes],
            calls=[m.calls for m in minutes],
            targets=[m.target for m in minutes],
            reasons=[m.reason for m in minutes],
            sentences=[m.sentence for m in minutes],
            inputs=[m.inputs for m in minutes],
            decisions=[m.decisions for m in minutes],
            placed=[m.placed for m in minutes],
            counts=[m.reasons for m in minutes],
        )
        await SQL["pacing_forget"].execute(
            connection, campaigns=sorted({m.campaign_id for m in minutes}), before=now - KEPT
        )
    if learned:
        await SQL["pacing_learned_keep"].execute(
            connection,
            kinds=[kind for kind, _ in learned],
            ids=[of_id for _, of_id in learned],
            states=list(learned.values()),
            saved_at=now,
        )


async def learned(connection: Executor, kind: str, of_id: int) -> Mapping[str, Any] | None:
    """What a ``campaign`` or a ``team`` had learned; None if nothing was kept."""
    state: Mapping[str, Any] | None = await SQL["pacing_learned"].fetchval(connection, of_kind=kind, of_id=of_id)
    return state


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """What no bound can prevent, in a campaign's present legal window: counted, never hidden.

    Attributes:
        switch_died: Abandoned because the switch died while they were on the line.
        engine_died: Abandoned because nobody of ours listened when they answered.
        phone_lost: Abandoned while an operator of the team had lost the phone.
        unseen: Calls whose end nobody saw, not known to be answered.
        cut: Lines hung up by us before an answer.
        cut_short: Of them, those that had rung for less than 15 s.
        owed: Answers without a loss that are still needed until abandons are within the cap again.
    """

    switch_died: int
    engine_died: int
    phone_lost: int
    unseen: int
    cut: int
    cut_short: int
    owed: int = 0


class Pacing:
    """What pacing did, for people.

    Args:
        pool: The web's.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def minutes(self, campaign_id: int, since: datetime, until: datetime) -> Sequence[PacingMinute]:
        """The minutes of a campaign, the oldest first."""
        names = [field.name for field in fields(PacingMinute)]
        with store_errors():
            rows = await SQL["pacing_minutes"].fetch(self._pool, campaign_id=campaign_id, since=since, until=until)
        return [PacingMinute(**{name: row[name] for name in names}) for row in rows]

    async def exceptions(self, campaign_id: int) -> Exceptions | None:
        """Counts of the present legal window; None if there is no such campaign."""

        async def work(connection: Connection) -> Exceptions | None:
            found = await recovery.budgets(connection, [campaign_id])
            if campaign_id not in found:
                return None
            budget = found[campaign_id]
            [row] = await SQL["pacing_exceptions"].fetch(
                connection, campaign_id=campaign_id, since=budget.starts_at, short_ring_s=law.SHORT_RING_S
            )
            return Exceptions(**row, owed=law.owed(budget))

        return await transaction(self._pool, work)
