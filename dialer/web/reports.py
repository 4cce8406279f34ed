"""Reports: numbers where people would rather look, each as a table with the facts behind its cells, and as a file."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from dialer.core import interval, kpi
from dialer.errors import NotFound, Refused
from dialer.web import exports, facts, looks, numbers, pages, schemas, scope
from dialer.web.access import Role
from dialer.web.exports import Cell, Column, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialer.store.campaigns import CampaignRow
    from dialer.store.kpi import By, Row
    from dialer.web.call import Call

_HOME = "/reports"
#: Periods shown hour by hour; longer ones day by day.
HOURS_MAX = timedelta(days=2)
SUMMARY = (
    *("rang", "answer_rate", "connected", "abandon_rate", "results", "results_per_hour", "calls_per_closed_contact"),
    *("occupancy", "operator_hours", "contact_rate", "base_freshness", "targeting"),
    *("leads", "lead_acceptance", "replacements_owed", "clients_per_hour"),
)


#: What each main number counts, a rate its numerator; hours worked are no attempts.
_FACTS: Mapping[str, Mapping[str, str]] = {
    "rang": {"fact": "rang"},
    "answer_rate": {"fact": "answered"},
    "connected": {"outcome": "connected"},
    "abandon_rate": {"fact": "abandoned"},
    "results": {"fact": "results"},
    "results_per_hour": {"fact": "results"},
    "calls_per_closed_contact": {"fact": "closed"},
    "contact_rate": {"fact": "reached"},
    "base_freshness": {"fact": "said"},
    "targeting": {"fact": "reached"},
    "leads": {"fact": "leads"},
    "lead_acceptance": {"fact": "leads_accepted"},
    "replacements_owed": {"fact": "replacements_owed"},
    "clients_per_hour": {"fact": "clients"},
}


class Report:
    """What one page is about: a period of one campaign, or of all that the user may see.

    Attributes:
        since: Its begin, a midnight of the zone.
        until: Its end, outside.
    """

    def __init__(self, call: Call, ask: schemas.ReportQuery, own: Sequence[CampaignRow]) -> None:
        self.call, self.ask, self.own = call, ask, own
        self.customers = Role(call.user.role) is Role.CUSTOMER
        if self.customers and ask.operator is not None:
            raise Refused("request.operator", "Numbers of one operator are not a customer's.", remedy="Leave it out.")
        self.campaign = next((row for row in own if row.id == ask.campaign), None)
        self.zone = ZoneInfo(self.campaign.zone if self.campaign else "UTC")
        today = call.now.astimezone(self.zone).date()
        first, last = {
            "today": (today, today),
            "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
            "week": (today - timedelta(days=6), today),
            "month": (today - timedelta(days=29), today),
        }[ask.period]
        self.since = ask.since or datetime.combine(first, time(), self.zone)
        self.until = ask.until or datetime.combine(last + timedelta(days=1), time(), self.zone)
        numbers.check(self.since, self.until, "hour")
        self._rows: dict[tuple[By, bool, bool], Sequence[Row]] = {}

    @property
    def sheets(self) -> frozenset[str]:
        """Tables this user may see: a customer those about calls, not those about people."""
        return frozenset(SHEETS) - (_OF_PEOPLE if self.customers else frozenset())

    async def rows(self, by: By, *, apart: bool = False, earlier: bool = False) -> Sequence[Row]:
        """Numbers of the period, or of the one before it; asked once for all tables of a page."""
        if (by, apart, earlier) not in self._rows:
            self._rows[by, apart, earlier] = await self._table(by, apart=apart, earlier=earlier)
        return self._rows[by, apart, earlier]

    async def _table(self, by: By, *, apart: bool, earlier: bool) -> Sequence[Row]:
        since, until = self.since, self.until
        if earlier:
            since, until = numbers.before(since, until, str(self.zone))
        return await self.call.stores.kpi.table(
            since=since,
            until=until,
            by=by,
            campaign_ids=[row.id for row in self.own] if scope.bound(self.call.user) else None,
            campaign_id=self.campaign.id if self.campaign else None,
            operator_id=self.ask.operator,
            zone=str(self.zone),
            apart=apart,
        )

    def open(self, fact: str | None = None, **narrower: object) -> str | None:
        """The attempts or leads behind a cell; whoever is bound to a team opens attempts of one campaign at a time.

        A customer opens its leads, and no attempts.
        """
        if fact in kpi.LED:
            return self._open_leads(fact, narrower)
        if self.customers:
            return None
        if scope.bound(self.call.user) and self.campaign is None and "campaign" not in narrower:
            return None
        asked: dict[str, object] = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        asked |= {"campaign": self.campaign.id if self.campaign else None, "operator": self.ask.operator, "fact": fact}
        asked |= narrower
        return pages.address("/attempts", asked)

    def _open_leads(self, fact: str | None, narrower: Mapping[str, object]) -> str:
        asked: dict[str, object] = {"fact": fact, "since": self.since.isoformat(), "until": self.until.isoformat()}
        asked |= {"campaign_id": self.campaign.id if self.campaign else None, "operator": self.ask.operator}
        asked |= narrower
        return pages.address("/leads", asked)


async def page(call: Call, ask: schemas.ReportQuery) -> web.Response:
    """The reports of a period."""
    own = await scope.own_campaigns(call)
    report = Report(call, ask, own)
    bound = scope.bound(call.user)
    brief = (await call.stores.scripts.read(report.campaign.id)).brief if report.campaign else ""
    choices = facts.NO_CHOICES if bound and report.campaign is None else await call.stores.facts.choices(ask.campaign)
    sheets = [await build(report) for name, build in SHEETS.items() if name in report.sheets]
    return pages.page_for(
        call,
        "reports.html",
        _HOME,
        ask=ask,
        report=report,
        campaigns=own,
        bound=bound,
        operators=[] if report.customers else choices["operator"],
        brief=brief,
        sheets=[sheet for sheet in sheets if sheet.rows or sheet.id not in _SELDOM],
        summary=await summary(report),
        definitions=[definition for definition in kpi.DEFINITIONS if definition.id in SUMMARY],
        checked=await call.stores.hour_rows.checked(),
        said=lambda word: exports.said(word, call.user.language),
        titled=lambda column: exports.titled(column, call.user.language),
        query=urlencode(ask.model_dump(mode="json", exclude_none=True)),
    )


async def export(call: Call, ask: schemas.ReportExportQuery) -> web.Response:
    """One table as a file: exactly what is drawn."""
    report = Report(call, ask, await scope.own_campaigns(call))
    if ask.sheet not in report.sheets:
        raise NotFound("reports.sheet", "There is no such table that you may see.")
    sheet = await SHEETS[ask.sheet](report)
    body, media = exports.write(sheet, ask.format, call.user.language)
    name = f'attachment; filename="{ask.sheet}-{report.since:%Y%m%d}.{ask.format}"'
    return web.Response(body=body, content_type=media, headers={"Content-Disposition": name})


async def summary(report: Report) -> Sequence[Mapping[str, Any]]:
    """The main numbers beside those of the period before."""
    [now], [before] = await report.rows("total", apart=True), await report.rows("total", apart=True, earlier=True)
    since, until = numbers.before(report.since, report.until, str(report.zone))
    earlier = {"since": since.isoformat(), "until": until.isoformat()}
    return [
        {
            "definition": kpi.BY_ID[name],
            "value": now.values[name],
            "before": before.values[name],
            "link": report.open(**_FACTS[name]) if name in _FACTS else None,
            "link_before": report.open(**_FACTS[name], **earlier) if name in _FACTS else None,
        }
        for name in SUMMARY
    ]


async def hours(report: Report) -> Sheet:
    """What each hour, day, week or month brought; without a choice hours of short periods, days of longer ones."""
    each = report.ask.each or ("hour" if report.until - report.since <= HOURS_MAX else "day")
    opens = each == "hour" or report.campaign is not None  # a day is one of each campaign's own zone
    counted = ("rang", "answered", "connected", "abandoned", "results", "leads")

    def cells(row: Row) -> list[Cell]:
        since = datetime.fromisoformat(row.key)
        since = since if each == "hour" else since.replace(tzinfo=report.zone)
        period = {
            "since": max(since, report.since).isoformat(),
            "until": min(_behind(since, each), report.until).isoformat(),
        }
        talks = {"fact": None, "outcome": "connected"}
        asked = [talks if name == "connected" else {"fact": name} for name in counted]
        links = [report.open(**period, **one) if opens else None for one in asked]
        found = [Cell(row.facts[name], link) for name, link in zip(counted, links, strict=True)]
        answered, results = links[counted.index("answered")], links[counted.index("results")]
        return [*found, Cell(row.values["answer_rate"], answered), Cell(row.values["results_per_hour"], results)]

    rates = (Column("answer_rate", "%"), Column("results_per_hour", "per hour"))
    columns = [*(Column(name, "count") for name in counted), *rates]
    return Sheet("hours", "lines", columns, [(row.label, cells(row)) for row in await report.rows(each)])


def _behind(since: datetime, each: str) -> datetime:
    """When an hour, day, week or month ends that begins then."""
    if each == "month":
        return (since.replace(day=1) + timedelta(days=32)).replace(day=1)
    return since + {"hour": timedelta(hours=1), "day": timedelta(days=1)}.get(each, timedelta(days=7))


async def funnel(report: Report) -> Sheet:
    """How many contacts came how far, beside the period before."""
    [row], [before] = await report.rows("total", apart=True), await report.rows("total", apart=True, earlier=True)
    steps = {"contacts_dialled": "dialled", "contacts_reached": "reached", "decision_makers": "decision_makers"}
    steps |= {name: name for name in ("results", "leads", "leads_accepted", "clients")}
    first = row.facts["contacts_dialled"]
    rows = []
    for name, fact in steps.items():
        share = 100 * row.facts[name] / first if first else None
        counted, was = Cell(row.facts[name], report.open(fact)), Cell(before.facts[name])
        rows.append((f"kpi:{name}", [counted, was, Cell(share, report.open(fact))]))
    return Sheet(
        "funnel", "bars", [Column("count", "count"), Column("before", "count"), Column("of_dialled", "%")], rows
    )


async def heat(report: Report) -> Sheet:
    """Answer rate by weekday and hour; of several campaigns in one zone, which no list of attempts can be asked for."""
    sums: dict[tuple[int, int], list[float]] = {}
    for row in await report.rows("hour"):
        at = datetime.fromisoformat(row.key).astimezone(report.zone)
        cell = sums.setdefault((at.weekday(), at.hour), [0, 0])
        cell[0] += row.facts["answered"]
        cell[1] += row.facts["rang"]
    used = sorted({hour for (_, hour), (_, rang) in sums.items() if rang}) or [9]
    shown = range(used[0], used[-1] + 1)
    rows = []
    for weekday in range(7):
        found = [sums.get((weekday, hour), [0, 0]) for hour in shown]
        rows.append((f"weekday:{weekday}", [
            Cell(
                100 * answered / rang if rang else None,
                report.open("rang", weekday=weekday + 1, hour=hour) if report.campaign else None,
                f"{answered:.0f} / {rang:.0f}",
            )
            for hour, (answered, rang) in zip(shown, found, strict=True)
        ]))  # fmt: skip
    return Sheet("heat", "heat", [Column(f"{hour:02d}", "%") for hour in shown], rows)


async def yields(report: Report) -> Sheet:
    """What the 1st, 2nd … attempt at a contact brought."""
    rows = [
        (row.label, [
            Cell(row.facts["attempts"], report.open(number=row.key)),
            Cell(row.facts["results"], report.open("results", number=row.key)),
            Cell(row.facts["leads"], report.open("leads", number=row.key)),
            Cell(row.values["answer_rate"], report.open("answered", number=row.key)),
            Cell(row.values["yield"], report.open("results", number=row.key)),
        ])
        for row in await report.rows("number")
    ]  # fmt: skip
    counts = (Column("attempts", "count"), Column("results", "count"), Column("leads", "count"))
    columns = [*counts, Column("answer_rate", "%"), Column("yield", "%")]
    return Sheet("yield", "bars", columns, rows)


async def refusals(report: Report) -> Sheet:
    """Why people refused."""
    found = sorted(await report.rows("reason"), key=lambda row: -row.facts["said"])
    rows = [(f"reason:{row.key}", [Cell(row.facts["said"], report.open("said", reason=row.key))]) for row in found]
    return Sheet("refusals", "bars", [Column("said", "count")], rows)


async def operators(report: Report) -> Sheet:
    """Results of conversations by operator, with how sure they are."""
    found = [row for row in await report.rows("operator") if row.key and row.facts["connected"]]
    talks, results = (sum(row.facts[name] for row in found) for name in ("connected", "results"))
    usual = min(1.0, results / talks) if talks else 0.0
    rows = []
    for row in found:
        tries, hits = int(row.facts["connected"]), int(min(row.facts["results"], row.facts["connected"]))
        low, high = interval.wilson(hits, tries)
        rows.append((row.label, [
            Cell(tries, report.open(None, operator=row.key, outcome="connected")),
            Cell(row.facts["results"], report.open("results", operator=row.key)),
            Cell(100 * hits / tries, report.open("results", operator=row.key)), Cell(100 * low), Cell(100 * high),
            Cell(f"verdict:{interval.verdict(hits, tries, usual)}"),
            Cell(row.values["results_per_hour"], report.open("results", operator=row.key)),
            Cell(row.values["handling"], report.open(None, operator=row.key, outcome="connected")),
        ]))  # fmt: skip
    columns = [
        *(Column("connected", "count"), Column("results", "count"), Column("result_share", "%"), Column("low", "%")),
        *(Column("high", "%"), Column("verdict", ""), Column("results_per_hour", "per hour"), Column("handling", "s")),
    ]
    return Sheet("operators", "ranges", columns, rows, usual=100 * usual)


SHEETS: Mapping[str, Callable[[Report], Any]] = {
    "hours": hours,
    "funnel": funnel,
    "heat": heat,
    "yield": yields,
    "refusals": refusals,
    "operators": operators,
    "looks": looks.by_operator,
    "skips": looks.skips,
}
#: Tables of a mode that not every campaign has: left out where there is nothing in them.
_SELDOM = frozenset({"looks", "skips"})
#: Tables about operators, which are the call centre's own.
_OF_PEOPLE = frozenset({"operators", "looks", "skips"})
