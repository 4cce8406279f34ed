"""The command line of do-not-call: numbers, and files of them."""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli_bases import campaign_named, customer_named
from dialer.errors import Refused
from dialer.intake import do_not_call as intake
from dialer.store.do_not_call import Scope
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.cli_bases import With
    from dialer.store.stores import Stores

Campaign = Annotated[str | None, typer.Option(help="Only this campaign does not call: name or number.")]
Customer = Annotated[str | None, typer.Option(help="Nobody calls for this customer: name.")]


def attach(app: typer.Typer, run: With) -> None:
    """Add the group ``do-not-call``."""
    group = typer.Typer(help="Numbers that are not called, by anybody or for somebody.", no_args_is_help=True)
    _numbers(group, run)
    _files(group, run)
    app.add_typer(group, name="do-not-call")


def _numbers(group: typer.Typer, run: With) -> None:
    @group.command("add")
    def add(
        phone: Annotated[str, typer.Argument(help="In E.164, like +12025550123.")],
        customer: Customer = None,
        campaign: Campaign = None,
        reason: Annotated[str, typer.Option(help="Why.")] = "",
    ) -> None:
        """Never call this number again, for anybody unless said otherwise; a ringing line is cut within a second."""

        async def work(stores: Stores) -> None:
            scope = await _scope(stores, customer, campaign)
            entry = await stores.do_not_call.add(
                phone=phone, scope=scope.word, customer_id=scope.customer_id, campaign_id=scope.campaign_id,
                reason=reason, actor=Actor(),
            )  # fmt: skip
            typer.echo(f"{entry.phone}: entry {entry.id}, {scope.word}.")

        run(work)

    @group.command("remove")
    def remove(entry: Annotated[int, typer.Argument(help="Number of the entry.")]) -> None:
        """Take an entry off the list; the audit log keeps it."""

        async def work(stores: Stores) -> None:
            await stores.do_not_call.remove(entry, actor=Actor())
            typer.echo(f"Entry {entry} is off the list.")

        run(work)

    @group.command("list")
    def list_all(most: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 200) -> None:
        """Entries, the last first."""

        async def work(stores: Stores) -> None:
            for one in await stores.do_not_call.list(limit=most):
                of = one.campaign_id or one.customer_id or ""
                typer.echo(
                    f"{one.id:>8}  {one.phone:<16} {one.scope:<8} {of!s:<6} {one.added_at:%Y-%m-%d} {one.reason}"
                )

        run(work)


def _files(group: typer.Typer, run: With) -> None:
    @group.command("import")
    def take(
        file: Annotated[Path, typer.Argument(help="A number a line, or CSV with a column of phones.", exists=True)],
        customer: Customer = None,
        campaign: Campaign = None,
        region: Annotated[str | None, typer.Option(help="Country (RU) of numbers without +.")] = None,
        rehearse: Annotated[bool, typer.Option("--rehearse", help="Only say what would become of each row.")] = False,
        verdicts: Annotated[Path | None, typer.Option(help="Write line and verdict of each row here, as CSV.")] = None,
    ) -> None:
        """Forbid every number of a file, all or none; the same file twice is taken once."""

        async def work(stores: Stores) -> None:
            scope = await _scope(stores, customer, campaign)
            data = await asyncio.to_thread(file.read_bytes)
            rows = await intake.read(data, region)
            if rehearse:
                taken = await stores.do_not_call_files.rehearse(rows, scope)
            else:
                taken = await stores.do_not_call_files.take(
                    rows, scope, name=file.name, file_hash=hashlib.sha256(data).digest(), now=datetime.now(UTC),
                    actor=Actor(),
                )  # fmt: skip
            if verdicts is not None:
                await asyncio.to_thread(_write, verdicts, taken.verdicts)
            counts = Counter(taken.verdicts.values())
            said = ", ".join(f"{many} {word}" for word, many in sorted(counts.items()))
            end = " Nothing was written." if taken.file is None else f" File {taken.file.id}."
            before = " It had been taken before; nothing was done now." * taken.repeated
            typer.echo(f"{file.name}: {said}.{end}{before}")

        run(work)

    @group.command("files")
    def files() -> None:
        """Files that were taken, the last first."""

        async def work(stores: Stores) -> None:
            for one in await stores.do_not_call_files.list():
                state = "undone" if one.undone_at else ""
                counts = f"{one.rows_added:>8} added {one.rows_known:>8} known {one.rows_rejected:>6} rejected"
                typer.echo(
                    f"{one.id:>5}  {one.taken_at:%Y-%m-%d %H:%M}  {one.scope:<8} {counts}  {state:<6} {one.name}"
                )

        run(work)

    @group.command("undo")
    def undo(file: Annotated[int, typer.Argument(help="Number of the file, see `dialer do-not-call files`.")]) -> None:
        """Take a file back; what people or other files named too stays."""

        async def work(stores: Stores) -> None:
            gone = await stores.do_not_call_files.undo(file, now=datetime.now(UTC), actor=Actor())
            typer.echo(f"{gone.name}: taken back.")

        run(work)


def _write(path: Path, verdicts: Mapping[int, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("line", "verdict"), *verdicts.items()])


async def _scope(stores: Stores, customer: str | None, campaign: str | None) -> Scope:
    if customer and campaign:
        raise Refused("do_not_call.scope", "It is for a customer or a campaign.", remedy="Give one of them.")
    if campaign:
        return Scope(word="campaign", campaign_id=(await campaign_named(stores, campaign)).id)
    if not customer:
        return Scope(word="global")
    return Scope(word="customer", customer_id=(await customer_named(stores, customer)).id)
