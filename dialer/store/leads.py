"""Leads: made by a disposition in its transaction, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.core import leads as rules
from dialer.core.baskets import Told
from dialer.core.leads import Lead, LeadState
from dialer.errors import NotFound, Refused
from dialer.store import baskets
from dialer.store.page import Page
from dialer.store.pools import store_errors, transaction
from dialer.store.queries import queries
from dialer.store.users import Actor, note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("lead")
ROWS = 50
#: Who tells that a first contact is late.
SERVICE = Actor()
#: The words of a lead's card.
CARD = ("person", "company", "address", "agreed")
_LINE, _TEXT = 200, 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a lead is made from; an empty ``person`` or ``company`` is as the base tells it.

    ``step`` is where the script was, ``flagged`` the basket that the disposition names.
    """

    attempt_id: UUID
    contact_id: int
    campaign_id: int
    customer_id: int
    phone_id: int
    operator_id: int | None
    now: datetime
    address: str = ""
    agreed: str = ""
    person: str = ""
    company: str = ""
    step: str = ""
    flagged: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which leads; what is None or empty does not narrow.

    Attributes:
        show: A state, or ``late``, ``owed`` (rejected, with nothing in its place yet) or ``duplicate``.
        q: Part of a name or company, digits of a number, or the lead's own.
        cursor: From under this lead.
        fact: Those that a number counts, a word of ``core.kpi_facts.LED``.
        since: With ``fact``: from when its facts are.
        until: To when, outside.
        number: With ``fact``: of this attempt at the contact.
        by: A breakdown of ``core.kpi.OWNERS``, with ``fact``: only of its row ``part``.
        operator_id: Whose conversation made it.
        basket: Code of the basket it is in.
    """

    show: str | None = None
    q: str = ""
    campaign_id: int | None = None
    customer_id: int | None = None
    team_id: int | None = None
    owner_id: int | None = None
    cursor: int | None = None
    fact: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    number: int | None = None
    by: str | None = None
    part: str | None = None
    operator_id: int | None = None
    basket: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for the leads of a campaign: the first contact within so long, and the currency of its money."""

    contact_within_s: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A campaign with leads that nobody has taken up in time."""

    campaign_id: int
    campaign: str
    leads: int
    since: datetime

    @property
    def alert(self) -> str:
        """As the board shows it: a word, and what it is about."""
        return f"leads_late {self.leads} · {self.campaign} · {self.since:%Y-%m-%d %H:%M} UTC"


async def make(connection: Connection, made: Made) -> int:
    """Make the card of a lead in the transaction of its disposition; its number."""
    whose = {"customer_id": made.customer_id}
    await SQL["lead_turn"].execute(connection, **whose)
    facts = await SQL["lead_facts"].fetchrow(connection, **whose, contact_id=made.contact_id)
    if facts is None:
        raise AssertionError(made.contact_id)
    person, company = rules.named(facts["name"], facts["attributes"])
    person, company = made.person or person, made.company or company
    told = Told(**_card(made, person, company), attributes=facts["attributes"])
    basket = await baskets.of_new_lead(connection, made.campaign_id, told, made.flagged)
    within_s = basket.contact_within_s or facts["contact_within_s"]
    key = rules.company_key(company)
    company_id = await SQL["lead_same_company"].fetchval(connection, **whose, company_key=key) if key else None
    duplicate_of = min((one for one in (facts["same_number"], company_id) if one is not None), default=None)
    return int(
        await SQL["lead_add"].fetchval(
            connection,
            attempt_id=made.attempt_id,
            contact_id=made.contact_id,
            campaign_id=made.campaign_id,
            **whose,
            phone_id=made.phone_id,
            operator_id=made.operator_id,
            now=made.now,
            **_card(made, person, company),
            company_key=key,
            basket=basket.code,
            owner_id=await baskets.may_own(connection, made.campaign_id, basket.owner_id),
            due_at=made.now + timedelta(seconds=within_s),
            currency=facts["currency"],
            duplicate_of=duplicate_of,
            replaces=facts["owed"] if duplicate_of is None else None,
        )
    )


def _card(made: Made, person: str, company: str) -> dict[str, str]:
    """The words of the card, as long as they may be."""
    lines = {"person": person, "company": company, "address": made.address, "step": made.step}
    return {name: text[:_LINE] for name, text in lines.items()} | {"agreed": made.agreed[:_TEXT]}


class Leads:
    """Lists, moves, gives and changes leads."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, sought: Sought, *, now: datetime, rows: int = ROWS) -> Page:
        """A page of leads, the newest first."""
        digits = "".join(letter for letter in sought.q if letter.isdigit())
        by_digits = bool(digits) and not any(letter.isalpha() for letter in sought.q)

        async def work(connection: Connection) -> list[asyncpg.Record]:
            await SQL["lead_plan"].execute(connection)
            return await SQL["lead_list"].fetch(
                connection,
                campaign_id=sought.campaign_id,
                customer_id=sought.customer_id,
                team_id=sought.team_id,
                owner_id=sought.owner_id,
                state=sought.show if sought.show in set(LeadState) else None,
                late=sought.show == "late",
                owed=sought.show == "owed",
                duplicate=sought.show == "duplicate",
                basket=sought.basket,
                name=sought.q.strip() if sought.q.strip() and not by_digits else None,
                digits=digits if by_digits else None,
                operator_id=sought.operator_id,
                fact=sought.fact,
                since=sought.since,
                until=sought.until,
                number=sought.number,
                by=sought.by or "",
                part=sought.part,
                before=sought.cursor,
                now=now,
                limit=rows + 1,
            )

        found = [dict(row) for row in await transaction(self._pool, work)]
        return Page.of(found, rows)

    async def counts(self, sought: Sought, *, now: datetime) -> Sequence[Mapping[str, Any]]:
        """How many leads each list has, a row for each currency, with the revenue of its clients."""
        with store_errors():
            rows = await SQL["lead_counts"].fetch(
                self._pool,
                campaign_id=sought.campaign_id,
                customer_id=sought.customer_id,
                team_id=sought.team_id,
                now=now,
            )
        return [dict(row) for row in rows]

    async def show(self, lead_id: int, *, reader: Actor | None = None) -> Mapping[str, Any]:
        """One lead with ``history``; where a ``reader`` sees the numbers in full, that is in the audit log.

        Raises:
            NotFound: ``lead.not_found``.
        """

        async def work(connection: Connection) -> Mapping[str, Any]:
            row = await SQL["lead_show"].fetchrow(connection, id=lead_id)
            if row is None:
                raise _not_found()
            if reader is not None:
                await note(connection, reader, "lead.read", f"lead:{lead_id}")
            history = await SQL["lead_history"].fetch(connection, id=lead_id)
            return {**row, "history": [dict(one) for one in history]}

        return await transaction(self._pool, work)

    async def move(
        self,
        lead_id: int,
        to: LeadState,
        *,
        now: datetime,
        actor: Actor,
        reason: str = "",
        revenue: Decimal | None = None,
    ) -> None:
        """Let a lead go on.

        Raises:
            NotFound: ``lead.not_found``.
            Refused: As ``core.leads.refusal``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, lead_id)
            lead = _lead(row)
            if why := rules.refusal(lead, to, reason=reason, revenue=revenue):
                raise Refused(why[0], why[1], remedy="Read the lead again.")
            told = rules.moved(lead, to, now, reason=reason, revenue=revenue)
            await SQL["lead_move"].execute(
                connection,
                id=lead_id,
                state=told.state,
                contacted_at=told.contacted_at,
                decided_at=told.decided_at,
                reason=told.reason,
                client_at=told.client_at,
                revenue=told.revenue,
            )
            await _tell(connection, lead_id, "moved", actor, now, before=lead.state, after=told.state)

        await transaction(self._pool, work)

    async def give(self, lead_id: int, owner_id: int | None, *, now: datetime, actor: Actor) -> None:
        """Say whose a lead is to take up; None is nobody's.

        Raises:
            NotFound: ``lead.not_found``.
            Refused: ``lead.owner``: somebody who has nothing to do with the campaign.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, lead_id)
            asked = {"owner_id": owner_id, "campaign_id": row["campaign_id"]}
            if owner_id is not None and not await SQL["lead_may_own"].fetchval(connection, **asked):
                raise Refused("lead.owner", "This user has nothing to do with the campaign.", remedy="Choose another.")
            if owner_id != row["owner_id"]:
                await SQL["lead_give"].execute(connection, id=lead_id, owner_id=owner_id)
                await _tell(connection, lead_id, "given", actor, now, before=row["owner_id"], after=owner_id)

        await transaction(self._pool, work)

    async def earn(self, lead_id: int, revenue: Decimal, *, now: datetime, actor: Actor) -> None:
        """Say what a client brought.

        Raises:
            NotFound: ``lead.not_found``.
            Refused: ``lead.revenue``, ``lead.takes_no_revenue``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, lead_id)
            why = rules.revenue_refusal(revenue)
            if why is None and row["state"] != LeadState.CLIENT:
                why = "lead.takes_no_revenue", "Only a client brings revenue."
            if why:
                raise Refused(why[0], why[1], remedy="Read the lead again.")
            await SQL["lead_earn"].execute(connection, id=lead_id, revenue=revenue)
            await _tell(connection, lead_id, "revenue", actor, now, before=row["revenue"], after=revenue)

        await transaction(self._pool, work)

    async def change(self, lead_id: int, changes: Mapping[str, str], *, now: datetime, actor: Actor) -> None:
        """Correct what is written on the card; the history tells which words, not what they were.

        Args:
            lead_id: Which.
            changes: Any of ``CARD``.
            now: Present time, aware.
            actor: For the history and the audit log.

        Raises:
            NotFound: ``lead.not_found``.
        """

        async def work(connection: Connection) -> None:
            row = await _locked(connection, lead_id)
            card = {name: changes.get(name, row[name]) for name in CARD}
            changed = [name for name in CARD if card[name] != row[name]]
            if changed:
                key = rules.company_key(card["company"])
                await SQL["lead_change"].execute(connection, id=lead_id, **card, company_key=key)
                await _tell(connection, lead_id, "changed", actor, now, before=None, after=", ".join(changed))

        await transaction(self._pool, work)

    async def owners(self, campaign_id: int) -> Sequence[Mapping[str, Any]]:
        """Who may take up the leads of a campaign: ``id``, ``name``, ``role``."""
        with store_errors():
            return [dict(row) for row in await SQL["lead_owners"].fetch(self._pool, campaign_id=campaign_id)]

    async def late(self, now: datetime) -> Sequence[Late]:
        """Campaigns with leads that nobody has taken up in time."""
        with store_errors():
            return [Late(**row) for row in await SQL["lead_late_by_campaign"].fetch(self._pool, now=now)]

    async def rule(self, campaign_id: int) -> Rule:
        """What holds for the leads of a campaign.

        Raises:
            NotFound: ``campaign.not_found``.
        """
        with store_errors():
            row = await SQL["lead_rule"].fetchrow(self._pool, campaign_id=campaign_id)
        return _rule(row)

    async def set_rule(self, campaign_id: int, rule: Rule, *, actor: Actor) -> None:
        """Change it, for leads that are made from now on.

        Raises:
            NotFound: ``campaign.not_found``.
            Refused: ``currency.unknown``; ``currency.stays``: there is money of the campaign already.
        """

        async def work(connection: Connection) -> None:
            before = _rule(await SQL["lead_rule"].fetchrow(connection, campaign_id=campaign_id))
            values = {"contact_within_s": rule.contact_within_s, "currency": rule.currency}
            await SQL["lead_rule_set"].execute(connection, campaign_id=campaign_id, **values)
            old = {"contact_within_s": before.contact_within_s, "currency": before.currency}
            await note(connection, actor, "campaign.lead_rule", f"campaign:{campaign_id}", before=old, after=values)

        try:
            await transaction(self._pool, work)
        except asyncpg.CheckViolationError as error:
            raise _no_currency(error, rule.currency) from None


def _no_currency(error: asyncpg.CheckViolationError, currency: str) -> Exception:
    """Why the database refused a currency."""
    if error.constraint_name == "currency_stays":
        sentence = "There is money of this campaign already: its currency stays."
        return _refused("currency.stays", sentence, "Take its prices back, or make another campaign.")
    if error.constraint_name == "currency_known":
        return _refused("currency.unknown", f"{currency} is no currency.", "Write its ISO 4217 code, like RUB.")
    return error


def _refused(code: str, sentence: str, remedy: str) -> Refused:
    return Refused(code, sentence, remedy=remedy, fields=[{"field": "currency", "message": sentence}])


async def tell_late(pool: Pool, now: datetime) -> int:
    """Tell of leads whose first contact is late, each once, in its history and in the audit log; how many."""

    async def work(connection: Connection) -> int:
        rows = await SQL["lead_overdue"].fetch(connection, now=now)
        for row in rows:
            await _tell(connection, row["id"], "late", SERVICE, now, before=None, after=None)
        return len(rows)

    return await transaction(pool, work)


async def _tell(
    connection: Connection, lead_id: int, what: str, actor: Actor, now: datetime, *, before: object, after: object
) -> None:
    """The same in the lead's own history and in the audit log."""
    old, new = (None if one is None else str(one) for one in (before, after))
    await SQL["lead_note"].execute(
        connection, id=lead_id, now=now, user_id=actor.user_id, what=what, before=old, after=new
    )
    await note(connection, actor, f"lead.{what}", f"lead:{lead_id}", before={what: old}, after={what: new})


async def _locked(connection: Connection, lead_id: int) -> asyncpg.Record:
    row = await SQL["lead_lock"].fetchrow(connection, id=lead_id)
    if row is None:
        raise _not_found()
    return row


def _lead(row: asyncpg.Record) -> Lead:
    names = ("due_at", "contacted_at", "decided_at", "reason", "client_at", "revenue")
    return Lead(state=LeadState(row["state"]), **{name: row[name] for name in names})


def _rule(row: asyncpg.Record | None) -> Rule:
    if row is None:
        raise NotFound("campaign.not_found", "There is no such campaign.")
    return Rule(**row)


def _not_found() -> NotFound:
    return NotFound("lead.not_found", "There is no such lead.")
