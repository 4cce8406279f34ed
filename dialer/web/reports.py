"""Reports: numbers where people would rather look, each as a table with the facts behind its cells, and as a file."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from dialer.core import interval, kpi
from dialer.errors import NotFound
from dialer.web import exports, facts, looks, money, money_sheets, numbers, pages, return_calls, schemas, scope
from dialer.web.access import CUSTOMERS, LEADS, READERS, Role
from dialer.web.exports import Cell, Column, Sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialer.store.campaigns import CampaignRow
    from dialer.store.kpi import By, Row
    from dialer.store.kpi_money import Reads
    from dialer.store.stores import Stores
    from dialer.store.users import User
    from dialer.web.call import Call

_HOME = "/reports"
#: Of campaigns in several zones.
UTC_ZONE = ZoneInfo("UTC")
#: Periods shown hour by hour; longer ones day by day.
HOURS_MAX = timedelta(days=2)
SUMMARY = (
    *("rang", "answer_rate", "connected", "abandon_rate", "results", "results_per_hour", "calls_per_closed_contact"),
    *("occupancy", "operator_hours", "contact_rate", "base_freshness", "targeting"),
    *("leads", "lead_acceptance", "replacements_owed", "clients_per_hour", "kept_share"),
)


#: Those that hours worked are part of, which no base has.
_WORKED = frozenset({"results_per_hour", "occupancy", "operator_hours", "clients_per_hour"})

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
    "kept_share": {"fact": "promises_kept"},
}


#: Who may have them by mail: those who read them and answer for what they do.
MAILED = LEADS | CUSTOMERS


class Report:
    """What one page is about: a period of one campaign, or of all that the user may see.

    Attributes:
        since: Its begin, a midnight of the zone.
        until: Its end, outside.
        zone: The campaign's; of several the one they share, else UTC.
        zoned: Whether all that is counted lies in this zone.
        by: By what the last table is broken down.
        bases: The bases whose numbers alone a base manager reads; None is all.
        opens: Whether the user may open attempts and campaigns.
    """

    def __init__(
        self,
        stores: Stores,
        user: User,
        ask: schemas.ReportQuery,
        own: Sequence[CampaignRow],
        now: datetime,
        bases: frozenset[int] | None = None,
    ) -> None:
        self.stores, self.user, self.ask, self.own, self.bases = stores, user, ask, own, bases
        self.customers = Role(user.role) is Role.CUSTOMER
        self.opens = Role(user.role) in READERS
        if self.customers and (ask.operator is not None or ask.by in numbers.PEOPLE):
            raise numbers.of_operator()
        self.campaign = next((row for row in own if row.id == ask.campaign), None)
        if ask.campaign is not None and self.campaign is None:
            raise NotFound("scope.not_found", "there is nothing of that number that you may see")
        shared = shared_zone([self.campaign] if self.campaign else own)
        self.zoned = shared is not None
        self.zone = shared or UTC_ZONE
        self.by: By = ask.by or ("base" if self.campaign else "campaign")
        today = now.astimezone(self.zone).date()
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
    def reads(self) -> Reads | None:
        """How much of money its reader reads."""
        return numbers.reads(self.user)

    @property
    def each(self) -> By:
        """What a row is of a table by time; without a choice hours of short periods, days of longer ones."""
        return self.ask.each or ("hour" if self.until - self.since <= HOURS_MAX else "day")

    def stretch(self, key: datetime) -> tuple[datetime, datetime]:
        """From when to when such a row is, inside the period."""
        since = key if self.each == "hour" else key.replace(tzinfo=self.zone)
        return max(since, self.since), min(_behind(since, self.each), self.until)

    @property
    def sheets(self) -> frozenset[str]:
        """Tables this user may see: a customer those about calls, not those about people; a base manager of bases."""
        if self.bases is not None:
            return _OF_BASES
        return frozenset(SHEETS) - {"bases"} - (_OF_PEOPLE if self.customers else frozenset())

    @property
    def summed(self) -> Sequence[str]:
        """The main numbers that are known here."""
        return [name for name in SUMMARY if self.bases is None or name not in _WORKED]

    async def rows(self, by: By, *, apart: bool = False, earlier: bool = False) -> Sequence[Row]:
        """Numbers of the period, or of the one before it; asked once for all tables of a page."""
        if (by, apart, earlier) not in self._rows:
            self._rows[by, apart, earlier] = await self._table(by, apart=apart, earlier=earlier)
        return self._rows[by, apart, earlier]

    async def _table(self, by: By, *, apart: bool, earlier: bool) -> Sequence[Row]:
        since, until = self.since, self.until
        if earlier:
            since, until = numbers.before(since, until, str(self.zone))
        return await self.stores.kpi.table(
            since=since,
            until=until,
            by=by,
            campaign_ids=[row.id for row in self.own] if scope.bound(self.user) else None,
            campaign_id=self.campaign.id if self.campaign else None,
            operator_id=self.ask.operator,
            base_ids=self.bases,
            zone=str(self.zone),
            apart=apart,
            money=self.reads if by in kpi.TIMED else None,
        )

    def open(self, fact: str | None = None, **narrower: object) -> str | None:
        """What is behind a cell: leads, promises or attempts.

        Whoever is bound to a team opens promises and attempts of one campaign at a time.
        A customer opens its leads and nothing else; a base manager nothing.
        """
        if fact in kpi.LED and self.bases is None:
            return self._open_leads(fact, narrower)
        if not self.opens:
            return None
        if scope.bound(self.user) and self.campaign is None and "campaign" not in narrower:
            return None
        asked: dict[str, object] = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        asked |= {"campaign": self.campaign.id if self.campaign else None, "operator": self.ask.operator, "fact": fact}
        asked |= narrower
        return pages.address("/callbacks" if fact in kpi.PROMISED else "/attempts", asked)

    @property
    def timed(self) -> bool:
        """Whether rows of the last table have operator time."""
        return self.by in kpi.TIMED

    def part(self, fact: str, key: str) -> str | None:
        """The facts behind a cell of the last table."""
        listed = key and (self.by in {"operator", "campaign"} or (self.by == "number" and fact not in kpi.PROMISED))
        mine: dict[str, object] = {self.by: key} if listed else {"by": self.by, "part": key or facts.NOBODYS}
        if fact == "connected":
            return self.open(None, outcome=fact, **mine)
        return self.open(fact, **mine)

    def _open_leads(self, fact: str | None, narrower: Mapping[str, object]) -> str:
        asked: dict[str, object] = {"fact": fact, "since": self.since.isoformat(), "until": self.until.isoformat()}
        asked |= {"campaign_id": self.campaign.id if self.campaign else None, "operator": self.ask.operator}
        asked |= {"campaign_id" if name == "campaign" else name: value for name, value in narrower.items()}
        return pages.address("/leads", asked)


def breakdowns_of(user: User) -> Sequence[str]:
    """Breakdowns that a user may see: a customer none about people."""
    return [by for by in get_args(schemas.Breakdown) if not (Role(user.role) is Role.CUSTOMER and by in numbers.PEOPLE)]


def shared_zone(campaigns: Sequence[CampaignRow]) -> ZoneInfo | None:
    """The zone of these campaigns; None where they have none or several."""
    zones = {row.zone for row in campaigns}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


async def page(call: Call, ask: schemas.ReportQuery) -> web.Response:
    """The reports of a period."""
    report = await _of(call, ask)
    bound = scope.bound(call.user)
    script = await call.stores.scripts.read(report.campaign.id) if report.campaign and report.bases is None else None
    unnamed = (bound and report.campaign is None) or report.bases is not None or report.customers
    choices = facts.NO_CHOICES if unnamed else await call.stores.facts.choices(ask.campaign)
    of_money = await money_sheets.summary(report)
    return pages.page_for(
        call,
        "reports.html",
        _HOME,
        ask=ask,
        report=report,
        campaigns=report.own,
        bound=bound,
        operators=choices["operator"],
        brief=script.brief if script else "",
        sheets=await tables(report),
        summary=[*await summary(report), *of_money],
        tariff=await money.tariff_of(call, report.campaign.id) if report.campaign and report.reads else [],
        plain=lambda amount: money.plain(call, amount),
        definitions=[
            *(definition for definition in kpi.DEFINITIONS if definition.id in report.summed),
            *(one["definition"] for one in of_money),
        ],
        checked=await call.stores.hour_rows.checked(),
        said=lambda word: exports.said(word, call.user.language),
        titled=lambda column, currency="": exports.titled(column, call.user.language, currency),
        breakdowns=breakdowns_of(call.user) if report.bases is None else [],
        by_mail=Role(call.user.role) in MAILED,
        query=urlencode(ask.model_dump(mode="json", exclude_none=True)),
    )


async def tables(report: Report) -> list[Sheet]:
    """All tables that its user may see and that have something to say."""
    sheets = [await build(report) for name, build in SHEETS.items() if name in report.sheets]
    return [sheet for sheet in sheets if sheet.rows or sheet.id not in _SELDOM]


async def export(call: Call, ask: schemas.ReportExportQuery) -> web.Response:
    """One table as a file: exactly what is drawn."""
    report = await _of(call, ask)
    if ask.sheet not in report.sheets:
        raise NotFound("reports.sheet", "There is no such table that you may see.")
    sheet = await SHEETS[ask.sheet](report)
    body, media = exports.write(sheet, ask.format, call.user.language)
    name = f'attachment; filename="{ask.sheet}-{report.since:%Y%m%d}.{ask.format}"'
    return web.Response(body=body, content_type=media, headers={"Content-Disposition": name})


async def _of(call: Call, ask: schemas.ReportQuery) -> Report:
    """What this user may read of the period: a base manager own bases and their campaigns."""
    own, bases = await scope.own_campaigns(call), await scope.own_bases(call)
    if bases is not None:
        loaded = {base.campaign_id for base in await call.stores.bases.of(bases)}
        own = [row for row in own if row.id in loaded]
    return Report(call.stores, call.user, ask, own, call.now, bases)


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
        for name in report.summed
    ]


async def hours(report: Report) -> Sheet:
    """What each hour, day, week or month brought."""
    each = report.each
    opens = each == "hour" or report.zoned  # a day is one of each campaign's own zone
    counted = ("rang", "answered", "connected", "abandoned", "results", "leads")

    def cells(row: Row) -> list[Cell]:
        since, until = report.stretch(datetime.fromisoformat(row.key))
        period = {"since": since.isoformat(), "until": until.isoformat()}
        talks = {"fact": None, "outcome": "connected"}
        asked = [talks if name == "connected" else {"fact": name} for name in counted]
        links = [report.open(**period, **one) if opens else None for one in asked]
        found = [Cell(row.facts[name], link) for name, link in zip(counted, links, strict=True)]
        shown = {"answer_rate": links[counted.index("answered")], "results_per_hour": links[counted.index("results")]}
        return [*found, *(Cell(row.values[rate.id], shown[rate.id]) for rate in rates)]

    rates = [Column("answer_rate", "%"), Column("results_per_hour", "per hour")]
    if report.bases is not None:
        rates = [rate for rate in rates if rate.id not in _WORKED]
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
                report.open("rang", weekday=weekday + 1, hour=hour) if report.zoned else None,
                f"{answered:.0f} / {rang:.0f}",
            )
            for hour, (answered, rang) in zip(shown, found, strict=True)
        ]))  # fmt: skip
    return Sheet("heat", "heat", [Column(f"{hour:02d}", "%") for hour in shown], rows)


async def bases(report: Report) -> Sheet:
    """What each base brought, and how good it is; also bases that nobody of was called in the period."""
    found = {row.key: row for row in await report.rows("base", apart=True)}
    counted = ("contacts_dialled", "contacts_reached", "decision_makers", "results", "leads", "clients")
    rates = ("answer_rate", "base_freshness", "targeting")
    rows = []
    for base in await report.stores.bases.of(report.bases or ()):
        row = found.get(str(base.id))
        if report.campaign is not None and base.campaign_id != report.campaign.id:
            continue
        counts = [Cell(row.facts[name] if row else 0) for name in counted]
        shares = [Cell(row.values[name] if row else None) for name in rates]
        rows.append((base.name, [Cell(base.rows_loaded - base.rows_withdrawn), *counts, *shares]))
    columns = [Column("loaded", "count"), *(Column(name, "count") for name in counted)]
    return Sheet("bases", "table", [*columns, *(Column(name, "%") for name in rates)], rows)


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


async def breakdown(report: Report) -> Sheet:
    """The main numbers by what the user chose, beside the results of the period before."""
    before = {row.key: row for row in await report.rows(report.by, earlier=True)}
    counted = ("rang", "answered", "connected", "results", "leads")
    rows = []
    for row in sorted(await report.rows(report.by), key=lambda row: (-row.facts["results"], -row.facts["rang"])):
        cells = [Cell(row.facts[name], report.part(name, row.key)) for name in counted]
        cells += [Cell(row.values["answer_rate"], report.part("answered", row.key))]
        cells += [Cell(row.values["results_per_hour"], report.part("results", row.key))] if report.timed else []
        cells += [Cell(row.values["kept_share"], report.part("promises_kept", row.key))]
        earlier = before.get(row.key)
        rows.append((row.label, [*cells, Cell(earlier.facts["results"] if earlier else 0)]))
    rates = [Column("answer_rate", "%"), *([Column("results_per_hour", "per hour")] if report.timed else [])]
    rates += [Column("kept_share", "%")]
    columns = [*(Column(name, "count") for name in counted), *rates, Column("results_before", "count")]
    return Sheet("breakdown", "table", columns, rows)


SHEETS: Mapping[str, Callable[[Report], Any]] = {
    "hours": hours,
    "bases": bases,
    "funnel": funnel,
    "heat": heat,
    "yield": yields,
    "refusals": refusals,
    "operators": operators,
    "breakdown": breakdown,
    "money": money_sheets.by_time,
    "money_by": money_sheets.by_operator,
    "returns": return_calls.by_time,
    "looks": looks.by_operator,
    "skips": looks.skips,
}
#: Tables of a mode, or of money, that not every campaign has: left out where there is nothing in them.
_SELDOM = frozenset({"returns", "looks", "skips", "money", "money_by"})
#: Tables about operators, which are the call centre's own.
_OF_PEOPLE = frozenset({"operators", "looks", "skips", "money_by"})
#: Tables that a base manager reads of the own bases.
_OF_BASES = frozenset({"hours", "bases", "funnel", "heat"})
