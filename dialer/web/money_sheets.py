"""Money in reports: what each hour, day or campaign brought and cost, and what belongs to each operator."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from dialer.core import kpi
from dialer.web import money, numbers
from dialer.web.exports import Cell, Column, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.store.kpi import Row
    from dialer.web.reports import Report

_REVENUES = ("revenue_minutes", "revenue_conversations", "revenue_leads", "revenue_hours")
_COSTS = ("cost_operators", "cost_trunk", "cost_bases", "cost_letters", "cost_fixed")
_SHARED = ("revenue", "cost", "margin", "margin_share")
_OF_OPERATOR = ("revenue", "cost_operators", "cost_trunk", "cost_letters")
#: The main numbers of money; what is not known, or not this reader's, is left out.
SUMMARY = (
    *("revenue", "cost", "margin", "cost_per_contact", "cost_per_lead", "cost_per_client"),
    *("revenue_per_contact", "revenue_per_lead", "revenue_per_client", "orders"),
)


async def summary(report: Report) -> Sequence[Mapping[str, Any]]:
    """The main numbers of money beside those of the period before."""
    [now], [before] = await report.rows("total", apart=True), await report.rows("total", apart=True, earlier=True)
    shown, was = numbers.amounts(now), numbers.amounts(before)
    since, until = numbers.before(report.since, report.until, str(report.zone))
    return [
        {
            "definition": kpi.BY_ID[name],
            "value": shown[name],
            "before": was.get(name),
            "currency": now.currency,
            "link": _open(report, report.since, report.until),
            "link_before": _open(report, since, until),
        }
        for name in SUMMARY
        if shown.get(name) is not None
    ]


async def by_time(report: Report) -> Sheet:
    """Of a campaign each hour, day, week or month; of several each campaign, as currencies may differ."""
    one = report.campaign is not None
    rows = [row for row in await report.rows(report.each if one else "campaign") if row.key]
    known = [name for name in _names(report) if any(numbers.amounts(row).get(name) is not None for row in rows)]
    columns = [*([] if one else [Column("currency", "")]), *(Column(name, kpi.BY_ID[name].unit) for name in known)]
    return Sheet(
        "money",
        "table",
        columns,
        [(row.label, _cells(report, row, known, one=one)) for row in rows if row.currency] if known else [],
        currency=next((row.currency for row in rows if one), ""),
    )


async def by_operator(report: Report) -> Sheet:
    """What belongs to each operator of a campaign."""
    found = [row for row in await report.rows("operator") if row.key and row.currency] if report.campaign else []
    known = [name for name in _OF_OPERATOR if any(numbers.amounts(row).get(name) is not None for row in found)]
    rows = [
        (
            row.label,
            [Cell(numbers.amounts(row)[name], _open(report, report.since, report.until, row.key)) for name in known],
        )
        for row in found
    ]
    columns = [Column(name, "money") for name in known]
    currency = found[0].currency if found else ""
    return Sheet("money_by", "table", columns, rows if known else [], currency=currency)


def _names(report: Report) -> Sequence[str]:
    return (*_REVENUES, "revenue", "orders") if report.customers else (*_SHARED, *_COSTS, *_REVENUES, "orders")


def _cells(report: Report, row: Row, names: Sequence[str], *, one: bool) -> list[Cell]:
    shown = numbers.amounts(row)
    if one:
        since, until = report.stretch(datetime.fromisoformat(row.key))
        link = _open(report, since, until)
    else:
        link = money.open_made_of(int(row.key), report.since, report.until)
    cells = [Cell(shown[name], None if name == "orders" else link) for name in names]
    return cells if one else [Cell(row.currency), *cells]


def _open(report: Report, since: datetime, until: datetime, operator: object = None) -> str | None:
    """What an amount is made of, of one campaign."""
    if report.campaign is None:
        return None
    return money.open_made_of(report.campaign.id, since, until, operator or report.ask.operator)
