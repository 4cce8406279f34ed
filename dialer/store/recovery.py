"""What an engine reads: what was going on when the last one stopped, the legal counts, and what is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core.model import AttemptState, Budget, EndedBy, LiveAttempt, LiveOperator, OperatorState
from dialer.core.preview import Preview
from dialer.engine.ports import Due, Recovered
from dialer.store import recordings
from dialer.store.claims import budget_from
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.store.queries import Connection, Executor

SQL = queries("recovery")


async def recover(connection: Connection, switch: str) -> Recovered:
    """Live attempts, open shifts and reserved contacts of the switch; attempts carry the present epoch from now on."""
    await SQL["recovery_adopt"].execute(connection, switch=switch)
    attempts = await SQL["recovery_attempts"].fetch(connection, switch=switch)
    operators = await SQL["recovery_operators"].fetch(connection, switch=switch)
    previews = await SQL["recovery_previews"].fetch(connection, switch=switch)
    recorded = await recordings.live(connection, switch)
    return Recovered(
        attempts=[live_attempt(row) for row in attempts],
        operators=[_operator(row) for row in operators],
        previews=[Preview(**row) for row in previews],
        recordings=recorded,
    )


def live_attempt(row: asyncpg.Record) -> LiveAttempt:
    """A row of ``attempt_live`` with its number."""
    values = dict(row)
    return LiveAttempt(
        id=values.pop("attempt_id"),
        state=AttemptState(values.pop("state")),
        ended_by=EndedBy(ended_by) if (ended_by := values.pop("ended_by")) else None,
        **values,
    )


def _operator(row: asyncpg.Record) -> LiveOperator:
    return LiveOperator(**{**row, "state": OperatorState(row["state"])})


async def learned(connection: Executor, campaign_id: int) -> Mapping[str, float]:
    """Means ``answer_rate``, ``ring_s``, ``talk_s``, ``wrap_up_s`` and their counts ``n_…``; 0 where the count is 0."""
    row = await SQL["recovery_learned"].fetchrow(connection, campaign_id=campaign_id)
    return {name: float(value or 0) for name, value in row.items()} if row else {}


async def budgets(connection: Executor, campaign_ids: Sequence[int]) -> Mapping[int, Budget]:
    """Abandonment budgets of these campaigns, as the last claim left them."""
    rows = await SQL["recovery_budgets"].fetch(connection, campaigns=list(campaign_ids))
    return {row["campaign_id"]: budget_from(row) for row in rows}


async def callbacks_due(
    connection: Executor, campaign_ids: Sequence[int], until: datetime
) -> Mapping[int, Sequence[Due]]:
    """The promises of each campaign that fall due until then and are not being kept right now, the first ones first."""
    rows = await SQL["recovery_callbacks_due"].fetch(connection, campaigns=list(campaign_ids), until=until)
    found: dict[int, list[Due]] = {campaign_id: [] for campaign_id in campaign_ids}
    for row in rows:
        found[row["campaign_id"]].append(Due(row["next_at"], row["operator_id"]))
    return found
