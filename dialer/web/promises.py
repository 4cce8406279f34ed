"""The board of promises: due, late, kept, broken, moved, each with its reason, and how well they are kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dialer.core import kpi
from dialer.store.callbacks import Page, Sought
from dialer.web import facts, pages, schemas, scope
from dialer.web.access import LEADS, Role
from dialer.web.supervisor import masked

if TYPE_CHECKING:
    from dialer.web.call import Call

SHOWN = ("pending", "due", "late", "kept", "broken", "moved", "cancelled")
#: What became of promises is counted over so long.
PERIOD = timedelta(days=30)


async def board(call: Call, ask: schemas.PromisesQuery) -> web.Response:
    """The page; whoever is bound to a team looks at one of its campaigns at a time."""
    own = await scope.own_campaigns(call)
    bound = scope.bound(call.user)
    campaign_id = ask.campaign or (own[0].id if bound and own else None)
    nothing = bound and campaign_id is None
    choices = facts.NO_CHOICES if nothing else await call.stores.facts.choices(campaign_id)
    return pages.page_for(
        call,
        "callbacks.html",
        "/callbacks",
        **(_NOTHING if nothing else await _found(call, ask, campaign_id)),
        ask=ask,
        shown=SHOWN,
        campaigns=own,
        campaign_id=campaign_id,
        bound=bound,
        operators=choices["operator"],
        steers=Role(call.user.role) in LEADS,
        counted=kpi.BY_ID[ask.fact] if ask.fact else None,
        part_name=await facts.part_name(call, ask.by, ask.part),
        addresses={
            show: _address(ask.model_copy(update={"show": show, "fact": None}), campaign_id, None) for show in SHOWN
        },
    )


#: What somebody sees who may see no campaign.
_NOTHING: dict[str, Any] = {"rows": [], "counts": {}, "by_operator": [], "by_campaign": [], "further": None}


async def _found(call: Call, ask: schemas.PromisesQuery, campaign_id: int | None) -> dict[str, Any]:
    callbacks = call.stores.callbacks
    sought = Sought(
        show=ask.show,
        campaign_id=campaign_id,
        operator_id=ask.operator if isinstance(ask.operator, int) else None,
        anybody=ask.operator == "anybody",
        q=ask.q,
        fact=ask.fact,
        since=ask.since,
        to=ask.until,
        by=ask.by,
        part="" if ask.part == facts.NOBODYS else ask.part,
        cursor=ask.cursor,
    )
    stopped = call.context.live.board().stopped_because
    found: Page = await callbacks.board(sought, now=call.now, stopped=stopped)
    since = call.now - PERIOD
    return {
        "rows": [{**row, "phone": masked(str(row["phone"]))} for row in found.rows],
        "counts": await callbacks.counts(campaign_id=campaign_id, since=since, now=call.now),
        "by_operator": await callbacks.shares("operator", campaign_id=campaign_id, since=since, now=call.now),
        "by_campaign": await callbacks.shares("campaign", campaign_id=campaign_id, since=since, now=call.now),
        "further": _address(ask, campaign_id, found.next) if found.next else None,
    }


def _address(ask: schemas.PromisesQuery, campaign_id: int | None, cursor: str | None) -> str:
    said: dict[str, object] = {"show": ask.show, "q": ask.q or None, "operator": ask.operator, "campaign": campaign_id}
    if ask.fact:
        period = {name: at.isoformat() if at else None for name, at in (("since", ask.since), ("until", ask.until))}
        said |= {"show": None, "fact": ask.fact, **period, "by": ask.by, "part": ask.part}
    return pages.address("/callbacks", {**said, "cursor": cursor})
