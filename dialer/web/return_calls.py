"""Return calls: how many called the shown number back and were missed, and the list behind each of these numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dialer.store.facts import Found
from dialer.store.return_calls import OUTCOMES, Of
from dialer.web import facts, pages, schemas, scope
from dialer.web.exports import Cell, Column, Sheet

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.store.kpi import Row
    from dialer.web.call import Call
    from dialer.web.reports import Report

_COLUMNS = (Column("return_calls", "count"), Column("return_missed", "count"), Column("missed_return_calls", "%"))


async def by_time(report: Report) -> Sheet:
    """Each hour, day, week or month in which somebody called back."""
    opens = report.opens and (report.each == "hour" or report.zoned)  # a day is one of each campaign's own zone

    def cells(row: Row) -> list[Cell]:
        since, until = report.stretch(datetime.fromisoformat(row.key))
        asked: dict[str, object] = {"since": since.isoformat(), "until": until.isoformat()}
        asked |= {"campaign": report.ask.campaign, "operator": report.ask.operator}
        every, missed = (pages.address("/returns", {**asked, "outcome": outcome}) for outcome in (None, "missed"))
        links = (every, missed, missed) if opens else (None, None, None)
        values = (row.facts["return_calls"], row.facts["return_missed"], row.values["missed_return_calls"])
        return [Cell(value, link) for value, link in zip(values, links, strict=True)]

    rows = [(row.label, cells(row)) for row in await report.rows(report.each) if row.facts["return_calls"]]
    return Sheet("returns", "table", _COLUMNS, rows)


async def page(call: Call, ask: schemas.ReturnsQuery) -> web.Response:
    """The return calls behind a number; whoever is bound to a team sees those of its campaigns."""
    own, bound = await scope.own_campaigns(call), scope.bound(call.user)
    ids = [ask.campaign] if ask.campaign else [row.id for row in own] if bound else None
    of = Of(since=ask.since, until=ask.until, campaign_ids=ids, operator_id=ask.operator, outcome=ask.outcome)
    found = Found(rows=[], next=None) if ids == [] else await call.stores.return_calls.find(of, cursor=ask.cursor)
    choices = await call.stores.facts.choices(ask.campaign) if ask.campaign or not bound else facts.NO_CHOICES
    return pages.page_for(
        call,
        "returns.html",
        "/reports",
        help_of="returns",
        rows=found.rows,
        ask=ask,
        campaigns=own,
        operators=choices["operator"],
        outcomes=OUTCOMES,
        further=_address(ask, found.next) if found.next else None,
        again=_address(ask, None),
    )


def _address(ask: schemas.ReturnsQuery, cursor: str | None) -> str:
    return pages.address("/returns", ask.model_dump(mode="json", exclude_none=True) | {"cursor": cursor})
