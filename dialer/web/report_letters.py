"""What a report by mail says: its main numbers in words, its tables as files, made with the rights its user has now."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel.dates import format_date
from pydantic import ValidationError

from dialer.core import subscriptions
from dialer.errors import NotFound, Refused
from dialer.store.letters import Told
from dialer.store.subscriptions import Composed, File
from dialer.web import exports, pages, reports, schemas, scope
from dialer.web.access import Role
from dialer.web.exports import Cell, Column, Sheet
from dialer.web.texts import TEXTS, figure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import date
    from typing import Any

    from dialer.store.stores import Stores
    from dialer.store.subscriptions import Waiting
    from dialer.store.users import User

#: Main numbers of a letter; all of them are in its files.
_SAID = (
    *("rang", "answer_rate", "connected", "abandon_rate", "results", "results_per_hour", "leads", "lead_acceptance"),
    *("operator_hours", "calls_per_closed_contact"),
)


def writer(stores: Stores, origin: str) -> Callable[[Waiting], Awaitable[Composed | Told]]:
    """Makes reports for the outbox.

    Args:
        stores: PostgreSQL, by noun.
        origin: How people reach the pages.
    """

    async def write(one: Waiting) -> Composed | Told:
        try:
            user = await stores.users.get(one.user_id)
        except NotFound:
            return Told(state="refused", reason="rights")
        if user.disabled:
            return Told(state="refused", reason="disabled")
        own = await scope.campaigns_of(stores, user) if Role(user.role) in reports.MAILED else []
        if not own or (one.campaign_id is not None and one.campaign_id not in {row.id for row in own}):
            return Told(state="refused", reason="rights")
        if one.subject is not None and one.body is not None:
            return Composed(subject=one.subject, body=one.body, files=one.files)
        try:
            report = reports.Report(stores, user, _ask(one, user), own, datetime.now(UTC))
        except (Refused, ValidationError):
            return Told(state="refused", reason="rights")
        return await _compose(report, one, origin)

    return write


def _ask(one: Waiting, user: User) -> schemas.ReportQuery:
    first, behind = subscriptions.period(one.period, one.about)
    zone = ZoneInfo(one.zone)
    by = one.breakdown if one.breakdown in reports.breakdowns_of(user) else "base"  # the rest of the report stands
    return schemas.ReportQuery.model_validate({
        "campaign": one.campaign_id,
        "since": datetime.combine(first, time(), zone),
        "until": datetime.combine(behind, time(), zone),
        "each": "hour" if one.period == "yesterday" else "day",
        "by": by,
    })  # fmt: skip


async def _compose(report: reports.Report, one: Waiting, origin: str) -> Composed:
    first, behind = subscriptions.period(one.period, one.about)
    numbers = await reports.summary(report)
    words, language = TEXTS[one.language], one.language
    days = _days(first, behind - timedelta(days=1), language)
    whose = report.campaign.name if report.campaign else words["attempts.all_campaigns"]
    told = [row for row in numbers if row["definition"].id in _SAID]
    asked = {"campaign": one.campaign_id, "since": report.since.isoformat(), "until": report.until.isoformat()}
    link = origin + pages.address("/reports", asked | {"by": report.by, "each": report.ask.each})
    files = _files([_main(numbers), *await reports.tables(report)], one, first)
    head = [one.name, "", f"{words['attempts.campaign']}: {whose}", f"{words['reports.period']}: {days} ({one.zone})"]
    names = ", ".join(file.name for file in files)
    foot = [f"{words['report_mail.open']} {link}", f"{words['report_mail.files']} {names}", ""]
    body = "\n".join([*head, "", *(_line(row, language) for row in told), "", *foot])
    subject = " ".join(f"{one.name}: {whose}, {days}".split())
    return Composed(subject=subject, body=body, files=files)


def _days(first: date, last: date, language: str) -> str:
    """A day, or a stretch of days, as people write it."""
    whole = format_date(last, "d MMMM y", locale=language)
    if first == last:
        return whole
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{whole}"
    form = "d MMMM" if first.year == last.year else "d MMMM y"
    return f"{format_date(first, form, locale=language)} – {whole}"


def _line(row: Mapping[str, Any], language: str) -> str:
    """A number with its unit and what it was before."""
    definition, words = row["definition"], TEXTS[language]
    name = definition.name_ru if language == "ru" else definition.name_en
    shown = [_shown(row[which], definition.unit, language) for which in ("value", "before")]
    return f"{name}: {shown[0]} ({words['reports.before']} {shown[1]})"


def _shown(value: float | None, unit: str, language: str) -> str:
    if value is None:
        return "–"
    text = figure(language, value, 0 if unit in {"count", "", "s"} else 1)
    return f"{text} %" if unit == "%" else text


def _main(numbers: Sequence[Mapping[str, Any]]) -> Sheet:
    """All main numbers, as a table."""
    rows = [(f"kpi:{row['definition'].id}", [Cell(row["value"]), Cell(row["before"])]) for row in numbers]
    return Sheet("summary", "table", [Column("value", ""), Column("before", "")], rows)


def _files(sheets: Sequence[Sheet], one: Waiting, first: date) -> list[File]:
    """One book of all tables, or a file of each."""
    if one.form == "xlsx":
        content, media = exports.write_book(sheets, one.language)
        return [File(name=f"report-{first:%Y%m%d}.xlsx", media=media, content=content)]
    return [
        File(
            name=f"{sheet.id}-{first:%Y%m%d}.csv",
            media="text/csv",
            content=exports.write(sheet, "csv", one.language)[0],
        )
        for sheet in sheets
    ]
