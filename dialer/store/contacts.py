"""Contacts as people see them: the card of a conversation, and why somebody is not being dialled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dialer.core import gate, hours
from dialer.core.model import CampaignState
from dialer.errors import NotFound
from dialer.store import campaigns
from dialer.store.pools import transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from dialer.core.model import Campaign, DispositionKind
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("contact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier attempt at the contact."""

    attempt_id: UUID
    number: int
    sent_at: datetime
    outcome: str
    operator: str | None
    code: str | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The contact of an operator's attempt, what was said before and what may be said now."""

    attempt_id: UUID
    campaign_id: int
    campaign: str
    contact_id: int
    name: str
    phone: str
    attributes: Mapping[str, Any]
    zones: Sequence[str]
    number: int
    saved: str | None
    draft: Mapping[str, Any] | None
    history: Sequence[Earlier]
    dispositions: Sequence[DispositionKind]


class Contacts:
    """Reads contacts."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def card(self, attempt_id: UUID, *, operator_id: int) -> Card:
        """The card of an attempt, live or finished, of this operator.

        Raises:
            NotFound: ``attempt.not_found``: there is none, or it is another's.
        """

        async def work(connection: Connection) -> Card:
            row = await SQL["contact_card"].fetchrow(connection, attempt_id=attempt_id, operator_id=operator_id)
            if row is None:
                raise NotFound("attempt.not_found", "There is no such conversation of yours.")
            history = await SQL["contact_history"].fetch(
                connection, contact_id=row["contact_id"], attempt_id=attempt_id
            )
            kinds = await campaigns.kinds(connection, row["campaign_id"])
            return Card(**row, history=[Earlier(**earlier) for earlier in history], dispositions=kinds)

        return await transaction(self._pool, work)

    async def why(self, contact_id: int, *, now: datetime) -> Sequence[gate.Refusal]:
        """Every reason why this contact is not being dialled, the hardest first; none: it is next in line.

        Raises:
            NotFound: ``contact.not_found``.
        """

        async def work(connection: Connection) -> Sequence[gate.Refusal]:
            row = await SQL["contact_facts"].fetchrow(connection, contact_id=contact_id, now=now)
            if row is None:
                raise NotFound("contact.not_found", "There is no such contact.")
            [campaign] = await campaigns.read(connection, campaign_id=row["campaign_id"])
            return gate.refusals(facts(row, campaign, now))

        return await transaction(self._pool, work)

    async def why_counts(self, campaign_id: int, *, now: datetime) -> Mapping[str, int]:
        """All contacts of a campaign by the first reason that holds them back, ``next`` for those in line.

        Raises:
            NotFound: ``campaign.not_found``.
        """

        async def work(connection: Connection) -> Mapping[str, int]:
            found = await campaigns.read(connection, campaign_id=campaign_id)
            if not found:
                raise NotFound("campaign.not_found", "There is no such campaign.")
            return await _counts(connection, found[0], now)

        return await transaction(self._pool, work)


async def _counts(connection: Connection, campaign: Campaign, now: datetime) -> Mapping[str, int]:
    lanes = await SQL["contact_lanes"].fetch(connection, campaign_id=campaign.id)
    profile, ring_s = campaign.profile, campaign.ring_timeout_s
    opens_at = {lane["id"]: hours.next_open(now, lane["zones"], profile, ring_s) for lane in lanes}
    not_running = None if campaign.state is CampaignState.RUNNING else "campaign_state"
    rows = await SQL["contact_why_counts"].fetch(
        connection,
        campaign_id=campaign.id,
        customer_id=campaign.customer_id,
        now=now,
        attempts_max=campaign.attempts_max,
        per_day=profile.per_day,
        per_30_days=profile.per_30_days,
        min_gap=timedelta(seconds=profile.min_gap_s),
        whole_campaign=campaigns.refused_by_profile(campaign) or not_running,
        open_lanes=[lane for lane, at in opens_at.items() if at == now],
        never_lanes=[lane for lane, at in opens_at.items() if at is None],
    )
    return {row["reason"]: row["contacts"] for row in rows}


def facts(row: asyncpg.Record, campaign: Campaign, now: datetime) -> gate.Facts:
    """What ``core.gate`` asks, from a row of ``contact_facts``; the profile's gap counts as the number's rest.

    How many lines the budget allows depends on who is free now; that is the pacing's to say, not a contact's.
    """
    gap = timedelta(seconds=campaign.profile.min_gap_s)
    rests_until = max([row["not_before"], *(sent + gap for sent in row["phone_sent"])])
    return gate.Facts(
        now=now,
        campaign=campaign,
        zones=row["zones"],
        counted=row["counted"],
        next_at=row["next_at"],
        promised=row["promised"],
        closed_by=row["closed_by"],
        base_paused=row["base_paused"],
        phone_not_before=rests_until,
        phone_sent=row["phone_sent"],
        forbidden=frozenset(row["forbidden"]),
        live=row["live"],
    )
