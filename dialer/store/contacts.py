"""Contacts as people see them: the card of a conversation, and why somebody is not being dialled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dialer.core import gate, hours, rules
from dialer.core.model import CampaignState, Mode
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
    came_in: bool


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
    came_in: bool
    promised: bool
    brief: str
    script: Mapping[str, Any]
    script_version: int
    calls_at_deadline: bool
    saved: str | None
    draft: Mapping[str, Any] | None
    history: Sequence[Earlier]
    dispositions: Sequence[DispositionKind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many contacts a reason holds back, and when it first passes for one of them; None: not by itself."""

    contacts: int
    until: datetime | None


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

        Asked of the number that is its turn: the first one that is not refused for what it is.

        Raises:
            NotFound: ``contact.not_found``.
        """

        async def work(connection: Connection) -> Sequence[gate.Refusal]:
            of = await SQL["contact_campaign"].fetchrow(connection, contact_id=contact_id)
            if of is None:
                raise NotFound("contact.not_found", "There is no such contact.")
            [campaign] = await campaigns.read(connection, campaign_id=of["campaign_id"])
            campaign = campaigns.for_callee(campaign, of["countries"])
            too_old = await lists_too_old(connection, campaign, now)
            rows = await SQL["contact_facts"].fetch(
                connection,
                contact_id=contact_id,
                phone_id=None,
                now=now,
                national_lists=list(campaign.profile.national_lists),
            )
            reasons = [gate.refusals(facts(row, campaign, now, lists_too_old=too_old)) for row in rows]
            return next((some for some in reasons if not gate.of_the_number(some)), reasons[0])

        return await transaction(self._pool, work)

    async def why_counts(
        self, campaign_id: int | None = None, *, now: datetime, base_id: int | None = None
    ) -> Mapping[str, Held]:
        """All contacts of a campaign or of a base by the first reason that holds them back, ``next`` for those in line.

        Raises:
            NotFound: ``campaign.not_found``, ``base.not_found``.
        """

        async def work(connection: Connection) -> Mapping[str, Held]:
            of = campaign_id
            if base_id is not None:
                of = await SQL["contact_base_campaign"].fetchval(connection, base_id=base_id)
                if of is None:
                    raise NotFound("base.not_found", "There is no such base.")
            found = await campaigns.read(connection, campaign_id=of)
            if not found:
                raise NotFound("campaign.not_found", "There is no such campaign.")
            return await counts(connection, found[0], now, base_id)

        return await transaction(self._pool, work)


async def lists_too_old(connection: Connection, campaign: Campaign, now: datetime) -> bool:
    """Whether a national do-not-call list of its profile is missing or older than the profile allows."""
    too_old: bool = await SQL["contact_lists_too_old"].fetchval(
        connection,
        national_lists=list(campaign.profile.national_lists),
        now=now,
        list_max_age=timedelta(days=campaign.profile.list_max_age_days),
    )
    return too_old


async def counts(connection: Connection, campaign: Campaign, now: datetime, base_id: int | None) -> Mapping[str, Held]:
    """All contacts of a campaign or a base by the first reason that holds them back, ``next`` for those in line.

    Lanes under the same rules are counted together; most often that is all of them.
    """
    lanes: defaultdict[tuple[str, ...], list[asyncpg.Record]] = defaultdict(list)
    for row in await SQL["contact_lanes"].fetch(connection, campaign_id=campaign.id, base_id=base_id):
        lanes[tuple(row["countries"])].append(row)
    await SQL["contact_why_plan"].execute(connection)
    await SQL["contact_why_memory"].execute(connection)
    held: dict[str, Held] = {}
    for countries, some in lanes.items():
        there = campaigns.for_callee(campaign, countries)
        for reason, one in (await _counts_of(connection, there, now, some)).items():
            held[reason] = _together(held.get(reason), one)
    return held


def _together(one: Held | None, other: Held) -> Held:
    if one is None:
        return other
    untils = [held.until for held in (one, other) if held.until is not None]
    return Held(contacts=one.contacts + other.contacts, until=min(untils, default=None))


async def _counts_of(
    connection: Connection, campaign: Campaign, now: datetime, lanes: Sequence[asyncpg.Record]
) -> Mapping[str, Held]:
    profile, ring_s = campaign.profile, campaign.ring_timeout_s
    after = rules.rests(profile)
    rows = await SQL["contact_why_counts"].fetch(
        connection,
        campaign_id=campaign.id,
        customer_id=campaign.customer_id,
        now=now,
        attempts_max=campaign.attempts_max,
        per_day=profile.per_day,
        per_7_days=profile.per_7_days,
        per_30_days=profile.per_30_days,
        min_gap=timedelta(seconds=profile.min_gap_s),
        purpose=profile.purpose,
        after_classes=list(after),
        after_for=list(after.values()),
        chosen=campaign.mode is Mode.PREVIEW,
        consent_needed=gate.call_type(campaign) in profile.consent_for,
        national_lists=list(profile.national_lists),
        allow=list(profile.allow),
        deny=list(profile.deny),
        whole_campaign=await _whole(connection, campaign, now),
        lanes=[lane["id"] for lane in lanes],
        paused=[lane["paused"] for lane in lanes],
        by_hand=[lane["by_hand"] for lane in lanes],
        opens_at=[hours.next_open(now, lane["zones"], profile, ring_s) for lane in lanes],
    )
    return {row["reason"]: Held(contacts=row["contacts"], until=row["until"]) for row in rows}


async def _whole(connection: Connection, campaign: Campaign, now: datetime) -> str | None:
    """What holds back every contact of the campaign, in the gate's order."""
    if refusal := campaigns.refused_by_profile(campaign):
        return refusal
    if await lists_too_old(connection, campaign, now):
        return "lists_too_old"
    return None if campaign.state is CampaignState.RUNNING else "campaign_state"


def facts(row: asyncpg.Record, campaign: Campaign, now: datetime, *, lists_too_old: bool = False) -> gate.Facts:
    """What ``core.gate`` asks, from a row of ``contact_facts``; the profile's gap counts as the number's rest.

    How many lines the budget allows depends on who is free now; that is the pacing's to say, not a contact's.
    """
    gap = timedelta(seconds=campaign.profile.min_gap_s)
    rests_until = max([row["not_before"], *(sent + gap for sent in row["phone_sent"])])
    return gate.Facts(
        now=now,
        campaign=campaign,
        e164=row["e164"],
        zones=row["zones"],
        counted=row["counted"],
        next_at=row["next_at"],
        waits_after=row["waits_after"] or "",
        promised=row["promised"],
        closed_by=row["closed_by"],
        base_paused=row["base_paused"],
        phone_not_before=rests_until,
        phone_held_until=row["held_until"],
        operator_held=row["operator_held"] or campaign.mode is Mode.PREVIEW,
        phone_sent=row["phone_sent"],
        said={
            word: (at, until) for word, at, until in zip(row["said"], row["said_at"], row["said_until"], strict=True)
        },
        forbidden=frozenset(row["forbidden"]),
        consent=row["consent"],
        lists_too_old=lists_too_old,
        by_hand=row["by_hand"],
        live=row["live"],
        looked_at=None if row["looked_since"] is None else (row["looked_by"], row["looked_since"]),
    )
