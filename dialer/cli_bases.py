"""Bases on the command line: load or rehearse a file, list what was loaded, take it back."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer import intake
from dialer.errors import NotFound, Refused
from dialer.intake import words, workers
from dialer.intake.folder import FILE, MENDED
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dialer.intake import Plan, Report
    from dialer.store.campaigns import CampaignRow
    from dialer.store.customers import Customer
    from dialer.store.stores import Stores

    With = Callable[[Callable[[Stores], Awaitable[None]]], None]

TELL_EVERY_S = 1.0
SHOWN_ROWS = 200
base_app = typer.Typer(help="Loaded bases: list them, take them back.", no_args_is_help=True)


def add_to(app: typer.Typer, with_stores: With) -> None:
    """Add the commands to the command line, which opens the database for them."""
    _add_load(app, with_stores)
    _add_back(base_app, with_stores)
    app.add_typer(base_app, name="base")


def _add_load(app: typer.Typer, with_stores: With) -> None:
    @app.command("load-base")
    def load_base(
        file: Annotated[Path, typer.Argument(help="CSV, XLSX or ODS with a column of phones.", exists=True)],
        campaign: Annotated[str, typer.Option(help="Name or number of the campaign.")],
        name: Annotated[str | None, typer.Option(help="How to call the base; default: the file's name.")] = None,
        rehearse: Annotated[bool, typer.Option("--rehearse", help="Give every row its verdict and load none.")] = False,
        rejected: Annotated[
            Path | None, typer.Option(help="Write the rejected rows with reasons here, to mend and load again.")
        ] = None,
        column: Annotated[
            list[str] | None,
            typer.Option(help="What a column is, e.g. 'Тел.=phone'; name, phone, zone, priority, attribute or skip."),
        ] = None,
        template: Annotated[str | None, typer.Option(help="Read it by this saved template.")] = None,
        save_template: Annotated[str | None, typer.Option(help="Save how it was read under this name.")] = None,
        encoding: Annotated[str | None, typer.Option(help="utf-8, cp1251, koi8-r, …; detected by default.")] = None,
        delimiter: Annotated[str | None, typer.Option(help="Comma, semicolon, tab (\\t) or |; detected.")] = None,
        sheet: Annotated[str | None, typer.Option(help="Sheet of a spreadsheet; the first one by default.")] = None,
        header_line: Annotated[int | None, typer.Option(help="Line of the headings, 0: none; detected.")] = None,
        region: Annotated[str | None, typer.Option(help="Country (RU) of numbers without +; detected.")] = None,
        countries: Annotated[str | None, typer.Option(help="Take numbers of these countries only: RU,KZ.")] = None,
        zone: Annotated[str | None, typer.Option(help="Zone where neither column nor number names one.")] = None,
        in_file: Annotated[str, typer.Option(help="Repeated in the file: skip, keep, update (the last counts).")] = "",
        in_campaign: Annotated[str, typer.Option(help="Already in the campaign: skip, keep or update.")] = "",
        elsewhere: Annotated[str, typer.Option(help="In the customer's other campaigns: keep, skip, update.")] = "",
        again: Annotated[bool, typer.Option("--again", help="Load the very same file once more.")] = False,
    ) -> None:
        """Load a base: all good rows at once, each bad row told with its line and reason."""
        given = {
            "encoding": encoding, "delimiter": (delimiter or "").replace("\\t", "\t"), "sheet": sheet, "zone": zone,
            "region": region, "countries": countries.upper().split(",") if countries else None,
            "in_file": in_file, "in_campaign": in_campaign, "elsewhere": elsewhere, "again": again,
        }  # fmt: skip
        chosen: dict[str, Any] = {key: value for key, value in given.items() if value}
        chosen |= {} if header_line is None else {"header_line": header_line}

        async def work(stores: Stores) -> None:
            found = await campaign_named(stores, campaign)
            with tempfile.TemporaryDirectory(prefix="dialer-intake-") as made:
                folder = Path(made)
                await asyncio.to_thread(_bring, file, folder / FILE)
                plan = await _planned(stores, folder, chosen, template, column or [])
                if save_template:
                    await stores.base_files.save_template(save_template, plan.template(), actor=Actor())
                _say_plan(plan)
                if rehearse:
                    report = await intake.rehearse(stores, folder, plan, campaign_id=found.id, progress=_Shown())
                    typer.echo(f"{name or file.stem}: {_counts(report)}. Nothing was loaded.")
                else:
                    loaded = await intake.load_file(
                        stores, folder, plan, campaign_id=found.id, name=name or file.stem, source=file.name,
                        actor=Actor(), progress=_Shown(),
                    )  # fmt: skip
                    report, base = loaded.report, loaded.base
                    before = " The same file had been loaded before; nothing was loaded now." * loaded.repeated
                    updated = f", {base.rows_updated} updated a contact" if base.rows_updated else ""
                    typer.echo(
                        f"{base.name}: {base.rows_loaded} of {base.rows_in} rows loaded{updated}, "
                        f"{base.rows_rejected} rejected.{before}"
                    )
                await _say_rejected(report, folder, plan, rejected)

        with_stores(work)


def _add_back(app: typer.Typer, with_stores: With) -> None:
    @app.command("list")
    def base_list(campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")]) -> None:
        """Bases of a campaign with their counts."""

        async def work(stores: Stores) -> None:
            for base in await stores.bases.of_campaign((await campaign_named(stores, campaign)).id):
                state = "undone" if base.undone_at else "paused" if base.paused else ""
                counts = f"{base.rows_loaded:>9} loaded {base.rows_rejected:>7} rejected {base.rows_withdrawn:>7} back"
                typer.echo(f"{base.id:>6} {counts}  {state:<6} {base.name}")

        with_stores(work)

    @app.command("undo")
    def base_undo(base: Annotated[int, typer.Argument(help="Number of the base, see `dialer base list`.")]) -> None:
        """Take a whole load back, while nobody of it was called."""

        async def work(stores: Stores) -> None:
            gone = await stores.bases.undo(base, actor=Actor())
            typer.echo(f"{gone.name}: {gone.rows_withdrawn} contacts taken back; the file may be loaded again.")

        with_stores(work)

    @app.command("withdraw")
    def base_withdraw(base: Annotated[int, typer.Argument(help="Number of the base, see `dialer base list`.")]) -> None:
        """Take back the contacts nobody called yet; the others stay with all that is known of them."""

        async def work(stores: Stores) -> None:
            left = await stores.bases.withdraw(base, actor=Actor())
            stay = left.rows_loaded - left.rows_withdrawn
            typer.echo(f"{left.name}: {left.rows_withdrawn} contacts taken back, {stay} stay.")

        with_stores(work)


async def campaign_named(stores: Stores, named: str) -> CampaignRow:
    """The campaign of this name or number.

    Raises:
        NotFound: ``campaign.not_found``.
    """
    for found in await stores.campaigns.list():
        if named in {found.name, str(found.id)}:
            return found
    raise NotFound("campaign.not_found", f"There is no campaign {named!r}.", remedy="See `dialer campaign list`.")


async def customer_named(stores: Stores, named: str) -> Customer:
    """The customer of this name or number.

    Raises:
        NotFound: ``customer.not_found``.
    """
    for found in await stores.customers.list():
        if named in {found.name, str(found.id)}:
            return found
    raise NotFound("customer.not_found", f"There is no customer {named!r}.", remedy="See `dialer customer list`.")


def _bring(file: Path, to: Path) -> None:
    """Into the folder, without a copy where that can be."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)


async def _planned(
    stores: Stores, folder: Path, chosen: Mapping[str, Any], template: str | None, mapped: list[str]
) -> Plan:
    plan = intake.Plan.of({**(await intake.look(folder, chosen))["plan"], **chosen})
    if template:
        plan = intake.Plan.of({**plan.with_template(await stores.base_files.template(template)).values(), **chosen})
    targets = list(plan.targets)
    for pair in mapped:
        heading, _, target = pair.rpartition("=")
        if heading not in plan.names:
            sentence = f"There is no column {heading!r}."
            raise Refused("base.plan", sentence, remedy=f"The file has: {', '.join(plan.names)}.")
        targets[list(plan.names).index(heading)] = target
    return replace(plan, targets=targets).checked()


def _say_plan(plan: Plan) -> None:
    read = f"sheet {plan.sheet}" if plan.sheet else f"{plan.encoding}, delimiter {plan.delimiter!r}"
    columns = ", ".join(f"{name}={target}" for name, target in zip(plan.names, plan.targets, strict=True))
    typer.echo(f"read as: {read}, headings in line {plan.header_line}, country {plan.region or 'none'}", err=True)
    typer.echo(f"columns: {columns}", err=True)


class _Shown:
    """Progress with rate and time left, a line now and then."""

    def __init__(self) -> None:
        self._what = ""
        self._since = self._next = time.monotonic()

    def __call__(self, what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if what != self._what:
            self._what, self._since, self._next = what, now, now + TELL_EVERY_S
        if now >= self._next and done:
            self._next = now + TELL_EVERY_S
            rate = done / (now - self._since)
            left = f"{(of - done) / rate:.0f} s left"
            typer.echo(f"{what}: {100 * done // max(of, 1)} %, {left}", err=True)
            sys.stderr.flush()


def _counts(report: Report) -> str:
    rejected = ", ".join(f"{rows} {reason}" for reason, rows in sorted(report.reasons.items()))
    repaired = ", ".join(f"{rows} {note}" for note, rows in sorted(report.notes.items()))
    text = f"{report.accepted} of {report.rows} rows would be loaded, {report.updated} would update a contact"
    return f"{text}; rejected: {rejected or 'none'}; repaired: {repaired or 'none'}"


async def _say_rejected(report: Report, folder: Path, plan: Plan, out: Path | None) -> None:
    if out is not None:
        await workers.run(folder, {"command": "mend", "plan": plan.values(), "words": words.reasons("en")})
        await asyncio.to_thread(shutil.copyfile, folder / MENDED, out)
        typer.echo(f"rejected rows: {out}", err=True)
        return
    for row in report.rejected[:SHOWN_ROWS]:
        typer.echo(f"line {row.line}: {row.reason}: {row.text}", err=True)
    total = sum(report.reasons.values())
    if total > SHOWN_ROWS:
        typer.echo(f"… and {total - SHOWN_ROWS} more; see --rejected.", err=True)
