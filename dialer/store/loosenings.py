"""Loosening a profile's rules for a campaign: one admin asks and says why, another approves; the audit log has both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer import profiles
from dialer.core.rules import OVERRIDABLE
from dialer.errors import Misconfigured, NotFound, Refused
from dialer.store import retry_rules
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection
    from dialer.store.users import Actor

SQL = queries("loosening")

#: Where there is no second admin, the same one may approve so long after asking.
ALONE_AFTER = timedelta(hours=24)
#: What may be loosened; which numbers may be dialled is not among it.
LOOSENABLE = OVERRIDABLE - {"numbers"}
#: Beside these figures: rules of dispositions, by code.
DISPOSITIONS = "dispositions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """What was asked for, and whether it is in force."""

    id: int
    campaign_id: int
    changes: Mapping[str, Any]
    reason: str
    asked_by: int
    asked_at: datetime
    approved_by: int | None
    approved_at: datetime | None


class Loosenings:
    """Asked for by one, approved by another."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ask(
        self, campaign_id: int, changes: Mapping[str, Any], *, reason: str, now: datetime, actor: Actor
    ) -> int:
        """Ask to loosen figures of the profile for a campaign, or rules of its dispositions; nothing changes yet.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``loosening.figure``, ``loosening.reason``; what ``retry_rules`` says of a rule.
        """
        figures = {name: value for name, value in changes.items() if name != DISPOSITIONS}
        try:
            profiles.read_override(figures)
        except Misconfigured as error:
            raise Refused("loosening.figure", error.message, remedy="Correct the figure.") from error
        if not changes or not figures.keys() <= LOOSENABLE:
            raise Refused(
                "loosening.figure",
                "That cannot be loosened.",
                remedy=f"Name some of {', '.join(sorted({*LOOSENABLE, DISPOSITIONS}))}.",
            )

        async def work(connection: Connection) -> int:
            if DISPOSITIONS in changes:
                await retry_rules.check(connection, campaign_id, changes[DISPOSITIONS])
            asked: int = await SQL["loosening_ask"].fetchval(
                connection, campaign_id=campaign_id, changes=changes, reason=reason, user_id=actor.user_id, now=now
            )
            after = {"changes": dict(changes), "reason": reason, "loosening": asked}
            await note(connection, actor, "campaign.loosening_asked", f"campaign:{campaign_id}", after=after)
            return asked

        try:
            return await transaction(self._pool, work)
        except asyncpg.ForeignKeyViolationError as error:
            raise NotFound("campaign.not_found", "There is no such campaign.") from error
        except (asyncpg.CheckViolationError, asyncpg.NotNullViolationError) as error:
            raise Refused(
                "loosening.reason",
                "A named admin must give a reason.",
                remedy="Write at least 10 letters.",
            ) from error

    async def approve(self, loosening_id: int, *, now: datetime, actor: Actor) -> int:
        """Put it in force; the campaign's id.

        Raises:
            NotFound: ``loosening.not_found``: there is none that waits.
            Refused: ``loosening.second_admin``: whoever asked does not approve, or, being the only admin, not yet.
        """

        async def work(connection: Connection) -> int:
            row = await SQL["loosening_open"].fetchrow(connection, id=loosening_id)
            if row is None:
                raise NotFound("loosening.not_found", "There is no such loosening that waits.")
            mine = actor.user_id is None or actor.user_id == row["asked_by"]
            if mine and (row["others"] or actor.user_id is None or now < row["asked_at"] + ALONE_AFTER):
                raise Refused(
                    "loosening.second_admin",
                    "A second admin must approve.",
                    remedy="Ask another admin; the only admin there is waits 24 hours.",
                )
            await SQL["loosening_approve"].execute(connection, id=loosening_id, user_id=actor.user_id, now=now)
            changes = dict(row["changes"])
            kinds = changes.pop(DISPOSITIONS, {})
            await SQL["loosening_apply"].execute(connection, campaign_id=row["campaign_id"], changes=changes)
            await retry_rules.loosen(connection, row["campaign_id"], kinds, now=now, actor=actor)
            after = {"changes": row["changes"], "reason": row["reason"], "asked_by": row["asked_by"]}
            await note(connection, actor, "campaign.loosened", f"campaign:{row['campaign_id']}", after=after)
            return int(row["campaign_id"])

        return await transaction(self._pool, work)

    async def of_campaign(self, campaign_id: int) -> Sequence[Loosening]:
        """Those that wait, then those in force."""
        with store_errors():
            rows = await SQL["loosening_list"].fetch(self._pool, campaign_id=campaign_id)
        return [Loosening(**row) for row in rows]
