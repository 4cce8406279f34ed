"""Numbers that operators type: whose they are, whether the rules allow the call, and the contact a new one becomes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import asyncpg

from dialer.core import gate
from dialer.errors import Refused
from dialer.store import campaigns
from dialer.store.contacts import SQL, facts, lists_too_old
from dialer.store.pools import transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dialer.core.manual import Dial
    from dialer.core.model import Campaign
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

CLAIM = queries("claim")
#: What our functions raise where numbers of erased people cannot be known again.
_NO_KEY = "DI001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A contact of the campaign that has the number.

    Attributes:
        state: ``open`` or ``closed``.
        counted: Attempts that used up its limit.
        by_hand: It was dialled by hand the first time.
        last_at: When the last attempt was sent; how it ended, and what was said.
    """

    id: int
    phone_id: int
    name: str
    state: str
    counted: int
    base: str
    by_hand: bool
    zones: Sequence[str]
    last_at: datetime | None
    last_outcome: str | None
    last_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a number means to a campaign.

    Attributes:
        contacts: Those that have it; none: it would become a new one.
        chosen: Which of them is called; None for a new one, or while one must be chosen.
        refusals: Every reason why the call is not allowed, the hardest first; none: it is.
    """

    contacts: Sequence[Known]
    chosen: Known | None
    refusals: Sequence[gate.Refusal]


async def known(connection: Connection, dial: Dial) -> Sequence[Known]:
    """The campaign's contacts with this number, or the one of them that was chosen."""
    rows = await SQL["contact_of_number"].fetch(connection, e164=dial.e164, campaign_id=dial.campaign_id)
    found = [Known(**row) for row in rows]
    return found if dial.contact_id is None else [one for one in found if one.id == dial.contact_id]


async def add(connection: Connection, dial: Dial) -> tuple[int, int]:
    """A contact of its own for a number nobody of the campaign has: its id, and that of the number.

    Raises:
        Refused: ``phone.no_key``: people were erased, and by which key they are known again was not said.
    """
    try:
        await CLAIM["claim_number"].execute(connection, e164=dial.e164)
    except asyncpg.PostgresError as error:
        if error.sqlstate != _NO_KEY:
            raise
        raise Refused("phone.no_key", "The suppression key is not set.", remedy="Tell the engineer.") from None
    base = await CLAIM["claim_base_by_hand"].fetchrow(connection, campaign_id=dial.campaign_id)
    assert base is not None  # noqa: S101  # INSERT … ON CONFLICT DO UPDATE returns its row
    of = {"base_id": base["id"], "campaign_id": dial.campaign_id}
    lane_id = await CLAIM["claim_lane_by_hand"].fetchval(
        connection, **of, zones=sorted(dial.zones), countries=sorted(dial.countries)
    )
    row = await CLAIM["claim_contact_by_hand"].fetchrow(
        connection, **of, row_number=base["rows_loaded"], lane_id=lane_id, e164=dial.e164
    )
    assert row is not None  # noqa: S101  # the number is there since the first statement
    await CLAIM["claim_contact_phone"].execute(connection, contact_id=row["id"], phone_id=row["phone_id"])
    after = {"campaign_id": dial.campaign_id, "attempt_id": str(dial.id)}
    await note(connection, Actor(user_id=dial.operator_id), "contact.by_hand", f"contact:{row['id']}", after=after)
    return row["id"], row["phone_id"]


async def why(
    connection: Connection, campaign: Campaign, contact_id: int, phone_id: int, now: datetime
) -> Sequence[gate.Refusal]:
    """Every reason why this contact may not be called by hand at this number, the hardest first."""
    of = await SQL["contact_campaign"].fetchrow(connection, contact_id=contact_id)
    there = campaigns.for_callee(gate.by_hand(campaign), of["countries"] if of is not None else ())
    too_old = await lists_too_old(connection, there, now)
    lists = list(there.profile.national_lists)
    rows = await SQL["contact_facts"].fetch(
        connection, contact_id=contact_id, phone_id=phone_id, now=now, national_lists=lists
    )
    return gate.refusals(replace(facts(rows[0], there, now, lists_too_old=too_old), by_hand=False))


class ByHand:
    """What the page asks before anything is called."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def campaigns(self, operator_id: int) -> Sequence[Campaign]:
        """Running campaigns of the operator's team in which numbers are dialled by hand."""

        async def work(connection: Connection) -> Sequence[Campaign]:
            rows = await SQL["contact_manual"].fetch(connection, operator_id=operator_id)
            return [one for row in rows for one in await campaigns.read(connection, campaign_id=row["id"])]

        return await transaction(self._pool, work)

    async def look(self, campaign: Campaign, dial: Dial, *, now: datetime) -> Looked:
        """Whose number it is and whether it may be called now; nothing is written.

        A number that is nobody's yet is judged as the contact it would become: by the same statement, taken back.

        Raises:
            Refused: As ``add``.
        """

        async def work(connection: Connection) -> Looked:
            everybody = await known(connection, replace(dial, contact_id=None))
            chosen = [one for one in everybody if one.id == dial.contact_id] if dial.contact_id else everybody
            if len(chosen) != 1 and everybody:
                return Looked(contacts=everybody, chosen=None, refusals=[gate.Refusal(reason="several_contacts")])
            if chosen:
                reasons = await why(connection, campaign, chosen[0].id, chosen[0].phone_id, now)
                return Looked(contacts=everybody, chosen=chosen[0], refusals=reasons)
            return Looked(contacts=[], chosen=None, refusals=await self._of_new(connection, campaign, dial, now))

        return await transaction(self._pool, work)

    @staticmethod
    async def _of_new(connection: Connection, campaign: Campaign, dial: Dial, now: datetime) -> Sequence[gate.Refusal]:
        tried = connection.transaction()
        await tried.start()
        try:
            contact_id, phone_id = await add(connection, dial)
            return await why(connection, campaign, contact_id, phone_id, now)
        finally:
            await tried.rollback()
