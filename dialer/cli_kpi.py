"""``dialer kpi``: numbers of a period, how each is defined, and whether hour rows and facts agree."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli_bases import campaign_named, customer_named
from dialer.core import kpi
from dialer.errors import Refused
from dialer.store.stores import Stores

if TYPE_CHECKING:
    from dialer.store.kpi import Row
    from dialer.store.kpi_hours import Check

#: Runs work over the opened database.
Runner = Callable[[Callable[[Stores], Awaitable[Any]]], Any]

Since = Annotated[str | None, typer.Option("--from", help="ISO 8601; default: today 00:00 UTC.")]
Until = Annotated[str | None, typer.Option("--to", help="ISO 8601; default: now.")]


def attach(app: typer.Typer, run: Runner) -> None:
    """Add ``kpi`` to the command line, which opens the database for it."""
    group = typer.Typer(help="Numbers of a period, each by its one definition.", invoke_without_command=True)
    app.add_typer(group, name="kpi")

    @group.callback()
    def numbers(
        context: typer.Context,
        campaign: Annotated[str | None, typer.Option(help="Name or number; all campaigns by default.")] = None,
        customer: Annotated[str | None, typer.Option(help="Campaigns of this customer.")] = None,
        since: Since = None,
        until: Until = None,
        by: Annotated[str, typer.Option(help=", ".join(kpi.BREAKDOWNS))] = "total",
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
        definitions: Annotated[bool, typer.Option(help="Print how each number is defined.")] = False,
    ) -> None:
        if context.invoked_subcommand is not None:
            return
        if definitions:
            _define()
            return
        if by not in kpi.BREAKDOWNS:
            raise Refused("kpi.by", f"{by!r} is no way to group.", remedy=f"Use one of: {', '.join(kpi.BREAKDOWNS)}.")
        begin, end = _period(since, until)

        async def work(stores: Stores) -> Sequence[Row]:
            whose = {
                "campaign_id": (await campaign_named(stores, campaign)).id if campaign else None,
                "customer_id": (await customer_named(stores, customer)).id if customer else None,
            }
            return await stores.kpi.table(since=begin, until=end, by=by, **whose)  # type: ignore[arg-type]  # checked above

        _show(run(work), begin, end, by, as_json=as_json)

    _keep(group, run)


def _keep(group: typer.Typer, run: Runner) -> None:
    @group.command()
    def check(since: Since = None, until: Until = None) -> None:
        """Compare the hour rows with the facts; exit code 1 if they differ."""
        begin, end = _whole(*_period(since, until))
        found: Check = run(lambda stores: stores.hour_rows.check(begin, end))
        typer.echo(f"{found.compared} rows compared, {found.different} differences.")
        for one in found.differences:
            where = "{span} {hour} campaign {campaign_id} {dim} {key}".format(**one)
            typer.echo(f"  {where} {one['fact']}: {one['held']}, counted anew {one['counted']}")
        if found.different:
            raise typer.Exit(1)

    @group.command()
    def remake(since: Since = None, until: Until = None) -> None:
        """Make the hour rows of a period anew, from the facts."""
        begin, end = _whole(*_period(since, until))

        async def work(stores: Stores) -> None:
            at = begin
            while at < end:
                await stores.hour_rows.remake(at, min(end, at + timedelta(days=1)))
                at += timedelta(days=1)

        run(work)
        typer.echo(f"Made anew: {begin.isoformat()} to {end.isoformat()}.")


def _define() -> None:
    for one in kpi.DICTIONARY:
        typer.echo(f"{one.id}: {one.formula_en} [{one.unit}]")
        typer.echo(f"    {one.formula_ru}")
        typer.echo(f"    {one.formula_sql}  -- {one.source}")


def _period(since: str | None, until: str | None) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    begin = moment(since, now.replace(hour=0, minute=0, second=0, microsecond=0))
    return begin, moment(until, now + timedelta(seconds=1))


def _whole(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The hours that a period touches."""
    begin = since.replace(minute=0, second=0, microsecond=0)
    end = until.replace(minute=0, second=0, microsecond=0)
    return begin, end if end == until else end + timedelta(hours=1)


def moment(text: str | None, otherwise: datetime) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    if text is None:
        return otherwise
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("kpi.time", f"{text!r} is no time.", remedy="Write it like 2026-03-01T09:00+03:00.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _show(rows: Sequence[Row], begin: datetime, end: datetime, by: str, *, as_json: bool) -> None:
    if as_json:
        found = [{"key": r.key, "label": r.label, "values": dict(r.values), "facts": dict(r.facts)} for r in rows]
        typer.echo(json.dumps({"from": begin.isoformat(), "to": end.isoformat(), "by": by, "rows": found}))
        return
    for row in rows:
        _print_row(row)


def _print_row(row: Row) -> None:
    if row.key != "total":
        typer.echo(f"\n{row.label or row.key or 'nobody'}")
    for definition in kpi.DEFINITIONS:
        value = row.values.get(definition.id)
        shown = "-" if value is None else f"{value:.1f}" if value % 1 else f"{value:.0f}"
        typer.echo(f"  {definition.name_en:<38} {shown:>10} {definition.unit if definition.unit != 'count' else ''}")
