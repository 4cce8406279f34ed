"""Looks before a call: who looked, called, or skipped and why. Two tables of the reports, and the list behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core.preview import SKIP_REASONS
from dialer.store.facts import Found
from dialer.store.looks import HOWS, Of
from dialer.web import facts, pages, schemas, scope
from dialer.web.exports import Cell, Column, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from dialer.store.campaigns import CampaignRow
    from dialer.web.call import Call
    from dialer.web.reports import Report


def _of(report: Report) -> Of:
    ids = [report.campaign.id] if report.campaign else None
    if ids is None and scope.bound(report.user):
        ids = [row.id for row in report.own]
    return Of(since=report.since, until=report.until, campaign_ids=ids, operator_id=report.ask.operator)


def _open(report: Report, **narrower: object) -> str:
    """The looks behind a cell."""
    asked: dict[str, object] = {"since": report.since.isoformat(), "until": report.until.isoformat()}
    asked |= {"campaign": report.ask.campaign, "operator": report.ask.operator, **narrower}
    return pages.address("/looks", asked)


async def by_operator(report: Report) -> Sheet:
    """Who looked at how many contacts, and what became of them."""
    rows = []
    for row in await report.stores.looks.counts(_of(report)):
        mine = {"operator": row["operator_id"]}
        counts = [Cell(row[how], _open(report, **mine, how=how)) for how in HOWS]
        cells = [Cell(row["looked"], _open(report, **mine)), *counts, Cell(row["look_s"], _open(report, **mine))]
        rows.append((row["name"], cells))
    columns = [Column("looked", "count"), *(Column(f"look_{how}", "count") for how in HOWS), Column("look_s", "s")]
    return Sheet("looks", "table", columns, rows)


async def skips(report: Report) -> Sheet:
    """Why operators skipped."""
    found = await report.stores.looks.reasons(_of(report))
    rows = [
        (f"skip:{row['reason']}", [Cell(row["skipped"], _open(report, how="skipped", reason=row["reason"]))])
        for row in found
    ]
    return Sheet("skips", "bars", [Column("look_skipped", "count")], rows)


async def page(call: Call, ask: schemas.LooksQuery) -> web.Response:
    """The looks behind a number; whoever is bound to a team sees those of its campaigns."""
    own = await scope.own_campaigns(call)
    choices = await call.stores.facts.choices(ask.campaign) if ask.campaign or not scope.bound(call.user) else None
    ids = _campaigns(call, ask, own)
    of = Of(
        since=ask.since,
        until=ask.until,
        campaign_ids=ids,
        operator_id=ask.operator,
        how=ask.how,
        reason=ask.reason,
    )
    found = Found(rows=[], next=None) if ids == [] else await call.stores.looks.find(of, cursor=ask.cursor)
    return pages.page_for(
        call,
        "looks.html",
        "/reports",
        help_of="looks",
        rows=found.rows,
        ask=ask,
        campaigns=own,
        operators=(choices or facts.NO_CHOICES)["operator"],
        hows=HOWS,
        reasons=SKIP_REASONS,
        further=_address(ask, found.next) if found.next else None,
        again=_address(ask, None),
    )


def _campaigns(call: Call, ask: schemas.LooksQuery, own: Sequence[CampaignRow]) -> list[int] | None:
    if ask.campaign is not None:
        return [ask.campaign]
    return [row.id for row in own] if scope.bound(call.user) else None


def _address(ask: schemas.LooksQuery, cursor: str | None) -> str:
    said = ask.model_dump(mode="json", exclude_none=True) | {"cursor": cursor}
    return pages.address("/looks", said)
