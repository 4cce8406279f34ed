"""Leads: the list, one lead and what may be said of it; a customer's users see their own and accept or reject them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from dialer.core import kpi
from dialer.core.leads import CUSTOMERS_WORDS, MOVES, LeadState
from dialer.core.model import CampaignState
from dialer.errors import Refused
from dialer.store.leads import CARD, Rule, Sought
from dialer.store.page import Page
from dialer.web import facts, numbers, pages, recordings, schemas, scope
from dialer.web.access import LEADS, Role
from dialer.web.supervisor import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.web.call import Call

_HOUR_S = 3600
SHOWN = ("new", "late", "in_work", "accepted", "rejected", "owed", "client", "duplicate")
#: What the customer's funnel shows, and of how long.
STEPS = ("rang", "reached", "decision_makers", "leads", "leads_accepted", "clients")
STEPS_BACK = timedelta(days=30)
#: What today has brought a campaign of the customer.
TODAY = ("connected", "results", "leads")
_NOBODY = Page(rows=[], next=None)


async def find(call: Call, ask: schemas.LeadsQuery) -> schemas.LeadsAnswer:
    """Leads that the user may see; numbers are masked."""
    found = await _found(call, ask)
    rows = [schemas.LeadRow.model_validate(_row(call, row)) for row in found.rows]
    return schemas.LeadsAnswer(leads=rows, next=found.next)


async def read(call: Call) -> schemas.LeadAnswer:
    """One lead; who sees its numbers in full is in the audit log."""
    return schemas.LeadAnswer(lead=schemas.LeadView.model_validate(await _shown(call, call.id())))


async def move(call: Call, ask: schemas.LeadMove) -> schemas.LeadAnswer:
    """Let a lead go on.

    Raises:
        Refused: ``access.denied``: the customer accepts or rejects, the rest is the call centre's; ``lead.…``.
    """
    to = LeadState(ask.state)
    if _customers(call) and to not in CUSTOMERS_WORDS:
        raise Refused("access.denied", "a customer accepts or rejects a lead", remedy="Ask the call centre.")
    await call.stores.leads.move(call.id(), to, now=call.now, actor=call.actor, reason=ask.reason, revenue=ask.revenue)
    return await read(call)


async def change(call: Call, ask: schemas.LeadChange) -> schemas.LeadAnswer:
    """Correct the card, give the lead to somebody, or say what a client brought.

    Raises:
        Refused: ``lead.owner``, ``lead.revenue``, ``lead.takes_no_revenue``.
    """
    said = ask.model_dump(exclude_unset=True)
    lead_id, now, actor = call.id(), call.now, call.actor
    if said.get("basket") is not None:
        reason = said.get("basket_reason", "")
        await call.stores.baskets.put(lead_id, said["basket"], reason=reason, now=now, actor=actor)
    if "owner" in said:
        await call.stores.leads.give(lead_id, said["owner"], now=now, actor=actor)
    if said.get("revenue") is not None:
        await call.stores.leads.earn(lead_id, said["revenue"], now=now, actor=actor)
    card = {name: said[name] for name in CARD if said.get(name) is not None}
    if card:
        await call.stores.leads.change(lead_id, card, now=now, actor=actor)
    return await read(call)


async def rule(call: Call) -> schemas.LeadRuleAnswer:
    """What holds for the leads of a campaign."""
    found = await call.stores.leads.rule(call.id())
    return schemas.LeadRuleAnswer(
        campaign_id=call.id(), contact_within_s=found.contact_within_s, currency=found.currency
    )


async def set_rule(call: Call, ask: schemas.LeadRuleAsk) -> schemas.LeadRuleAnswer:
    """Change it."""
    wanted = Rule(contact_within_s=round(ask.contact_within_hours * _HOUR_S), currency=ask.currency)
    await call.stores.leads.set_rule(call.id(), wanted, actor=call.actor)
    return await rule(call)


async def page(call: Call, ask: schemas.LeadsQuery) -> web.Response:
    """The list."""
    found = await _found(call, ask)
    own = [] if _customers(call) else await scope.own_campaigns(call)
    leads = call.stores.leads
    chosen = next((row for row in own if row.id == ask.campaign_id), None)
    counts = [] if _nothing(call) else await leads.counts(_sought(call, ask), now=call.now)
    total = {name: sum(row[name] for row in counts) for name in ("all", *SHOWN)}
    return pages.page_for(
        call,
        "leads.html",
        "/leads",
        rows=[_row(call, row) for row in found.rows],
        counts=total,
        revenues=[(row["revenue"], row["currency"]) for row in counts if row["revenue"]],
        ask=ask,
        shown=SHOWN,
        campaigns=own,
        campaign=chosen,
        rule=await leads.rule(chosen.id) if chosen else None,
        owners=await leads.owners(chosen.id) if chosen else [],
        baskets=await call.stores.baskets.counted(chosen.id, now=call.now) if chosen else [],
        admin=Role(call.user.role) is Role.ADMIN,
        customers=_customers(call),
        addresses={show: _address(ask.model_copy(update={"show": show})) for show in (None, *SHOWN)},
        basket_address=lambda code: _address(ask.model_copy(update={"basket": code, "cursor": None})),
        further=_address(ask, found.next) if found.next else None,
        counted=kpi.BY_ID[ask.fact] if ask.fact else None,
        part_name=await facts.part_name(call, ask.by, ask.part),
        steps=await _steps(call) if _customers(call) and not ask.fact else [],
        live=await _live(call) if _customers(call) and not ask.fact else [],
        now=call.now,
    )


async def one(call: Call) -> web.Response:
    """One lead with its history."""
    lead = await _shown(call, call.id())
    customers, role = _customers(call), Role(call.user.role)
    steers = role in LEADS
    baskets = {one.code: one for one in await call.stores.baskets.list(lead["campaign_id"])}
    ways = MOVES[LeadState(lead["state"])] if steers or customers else frozenset()
    return pages.page_for(
        call,
        "lead.html",
        "/leads",
        help_of="leads",
        lead=lead,
        ways=[way for way in LeadState if way in ways and (steers or way in CUSTOMERS_WORDS)],
        steers=steers,
        customers=customers,
        recording=(await recordings.shown(call, [lead["attempt_id"]])).get(lead["attempt_id"]),
        owners=await call.stores.leads.owners(lead["campaign_id"]) if steers else [],
        baskets=baskets,
    )


def _customers(call: Call) -> bool:
    return Role(call.user.role) is Role.CUSTOMER


def _nothing(call: Call) -> bool:
    """Whether there is nothing this user may see: of no customer, though a customer's."""
    return _customers(call) and call.user.customer_id is None


def _sought(call: Call, ask: schemas.LeadsQuery) -> Sought:
    """What is asked, of what the user may see."""
    bound, theirs = scope.bound(call.user), _customers(call)
    return Sought(
        q=ask.q,
        show=ask.show,
        campaign_id=ask.campaign_id,
        owner_id=ask.owner,
        cursor=ask.cursor,
        basket=ask.basket,
        team_id=call.user.team_id if bound and not _customers(call) else None,
        customer_id=call.user.customer_id if bound else None,
        fact=ask.fact,
        since=ask.since,
        until=ask.until,
        number=ask.number,
        by=ask.by,
        part=None if theirs and ask.by in numbers.PEOPLE else "" if ask.part == facts.NOBODYS else ask.part,
        operator_id=None if _customers(call) else ask.operator,
    )


async def _found(call: Call, ask: schemas.LeadsQuery) -> Page:
    return _NOBODY if _nothing(call) else await call.stores.leads.find(_sought(call, ask), now=call.now)


async def _steps(call: Call) -> Sequence[tuple[kpi.Definition, float]]:
    """How far the customer's contacts came in the last days: from ringing to clients."""
    if _nothing(call):
        return []
    until = call.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    [row] = await call.stores.kpi.table(
        since=until - STEPS_BACK, until=until, by="total", customer_id=call.user.customer_id, apart=False
    )
    return [(kpi.BY_ID[step], row.facts[step]) for step in STEPS]


async def _live(call: Call) -> list[dict[str, Any]]:
    """The customer's campaigns as they go now, and what today has brought; nobody of the call centre is named."""
    seen = {one.campaign_id: one for one in call.context.live.board().campaigns}
    shown = []
    for row in await scope.own_campaigns(call):
        if row.state is CampaignState.DRAFT:
            continue
        midnight = call.now.astimezone(ZoneInfo(row.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        [today] = await call.stores.kpi.table(
            since=midnight, until=call.now, by="total", campaign_id=row.id, apart=False
        )
        view = seen.get(row.id)
        talking = {"talking": view.talking if view else 0, "ringing": view.ringing if view else 0}
        shown.append({"name": row.name, "state": row.state, **talking, **{fact: today.facts[fact] for fact in TODAY}})
    return shown


def _late(call: Call, row: Mapping[str, Any]) -> bool:
    return row["contacted_at"] is None and row["due_at"] < call.now


def _row(call: Call, row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "phone": masked(str(row["phone"])), "late": _late(call, row)}


async def _shown(call: Call, lead_id: int) -> dict[str, Any]:
    """A lead as this user may see it.

    Numbers are in full for those it is handed to and for those who answer for it. Who made it in the call centre is not
    the customer's business.
    """
    full = _customers(call) or Role(call.user.role) in LEADS
    row = await call.stores.leads.show(lead_id, reader=call.actor if full else None)
    shown = {**row, "late": _late(call, row), "phone": ""}
    shown["phones"] = row["phones"] if full else [masked(str(phone)) for phone in row["phones"]]
    shown["phone"] = next(iter(shown["phones"]), "")
    if _customers(call):
        shown |= {"attempt_id": None, "operator": "", "operator_id": None}
        ours = {"customer", ""}
        shown["history"] = [
            {**step, "by": step["by"] if step["role"] in ours else ""}
            | ({"before": None, "after": None, "reason": ""} if step["what"] in {"given", "basket"} else {})
            for step in row["history"]
        ]
    return shown


def _address(ask: schemas.LeadsQuery, cursor: int | None = None) -> str:
    said = ask.model_dump(mode="json", exclude_none=True, exclude_defaults=True) | {"cursor": cursor}
    return pages.address("/leads", said)
