"""Why promises that are due or late are not kept yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import callbacks as promises
from dialer.core import hours
from dialer.core.model import CampaignState, OperatorState
from dialer.store import campaigns
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from dialer.core.model import Campaign
    from dialer.store.queries import Executor

SQL = queries("callback")


class Rules:
    """The rules of campaigns for callees of some countries, each read once."""

    def __init__(self, connection: Executor) -> None:
        self._connection = connection
        self._campaigns: dict[int, Campaign | None] = {}
        self._for: dict[tuple[int, tuple[str, ...]], Campaign | None] = {}

    async def of(self, campaign_id: int, countries: Sequence[str]) -> Campaign | None:
        """A campaign as it calls people of these countries; None where this version does not know its profile."""
        key = campaign_id, tuple(countries)
        if key not in self._for:
            if campaign_id not in self._campaigns:
                found = await campaigns.read(self._connection, campaign_id=campaign_id)
                self._campaigns[campaign_id] = found[0] if found else None
            campaign = self._campaigns[campaign_id]
            self._for[key] = campaigns.for_callee(campaign, countries) if campaign is not None else None
        return self._for[key]


async def whys(
    connection: Executor, rows: Sequence[asyncpg.Record], stopped: str | None, now: datetime
) -> Mapping[int, str]:
    """What holds back each of these promises, whose time has come, by its id.

    Args:
        connection: To read rules and operators.
        rows: Of ``callback_shown``.
        stopped: Why nothing is dialled at all, the engine's word.
        now: Present time, aware.
    """
    if not rows:
        return {}
    teams = {row["team_id"]: row for row in await SQL["callback_teams"].fetch(connection)}
    rules, found = Rules(connection), {}
    for row in rows:
        campaign = await rules.of(row["campaign_id"], row["countries"])
        team = teams.get(row["team_id"])
        standing = promises.Standing(
            stopped=stopped,
            campaign_runs=row["campaign_state"] == CampaignState.RUNNING,
            being_called=row["live_attempt"] is not None,
            window_open=campaign is not None
            and hours.may_call(now, row["zones"], campaign.profile, campaign.ring_timeout_s),
            next_at=row["next_at"],
            refused_by=row["refused_by"],
            owned=row["operator_id"] is not None,
            owner=OperatorState(row["owner_state"]) if row["owner_state"] else None,
            at_work=team["at_work"] if team else 0,
            ready=team["ready"] if team else 0,
        )
        found[row["id"]] = promises.why_late(standing, now)
    return found
