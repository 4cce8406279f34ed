"""Segments of refusals on the command line: what there is, and a base of another campaign made of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli_bases import campaign_named
from dialer.store.segments import LOADED, Segment
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dialer.store.stores import Stores

    With = Callable[[Callable[[Stores], Awaitable[None]]], None]

CampaignArgument = Annotated[str, typer.Argument(help="Name or number of the campaign that was refused.")]


def add_to(app: typer.Typer, with_stores: With) -> None:
    """Add the commands to the command line, which opens the database for them."""
    group = typer.Typer(help="People who refused, for another campaign.", no_args_is_help=True)
    _add_list(group, with_stores)
    _add_make(group, with_stores)
    app.add_typer(group, name="segment")


def _add_list(group: typer.Typer, with_stores: With) -> None:
    @group.command("list")
    def show(campaign: CampaignArgument) -> None:
        """Refusals of a campaign by disposition and reason."""

        async def work(stores: Stores) -> None:
            for row in await stores.segments.counts((await campaign_named(stores, campaign)).id):
                typer.echo(f"{row['contacts']:>9}  {row['code']:<26} {row['reason'] or '-':<14} {row['name_en']}")

        with_stores(work)


def _add_make(group: typer.Typer, with_stores: With) -> None:
    @group.command("make")
    def make(
        campaign: CampaignArgument,
        to: Annotated[str, typer.Option(help="Name or number of the campaign that is to call them.")],
        reason: Annotated[str | None, typer.Option(help="With this reason only.")] = None,
        disposition: Annotated[str | None, typer.Option(help="By this disposition only.")] = None,
        name: Annotated[str | None, typer.Option(help="How to call the base.")] = None,
        rehearse: Annotated[bool, typer.Option("--rehearse", help="Say what would become of each; make none.")] = False,
    ) -> None:
        """A base of another campaign; `dialer base undo` takes it back while nobody was called."""

        async def work(stores: Stores) -> None:
            source, target = await campaign_named(stores, campaign), await campaign_named(stores, to)
            segment = Segment(campaign_id=source.id, code=disposition, reason=reason)
            if rehearse:
                now = datetime.now(UTC)
                counted = await stores.segments.rehearse(segment, target.id, now=now, actor=Actor())
                _say(counted.verdicts)
                for word, held in counted.held.items():
                    until = f" until {held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
                    typer.echo(f"{held.contacts:>9}  of those loaded: {word}{until}")
                return
            called = name or f"{reason or disposition or 'refusals'} · {source.name}"
            base, verdicts = await stores.segments.make(segment, target.id, called, actor=Actor())
            _say(verdicts)
            typer.echo(f"{base.name}: base {base.id} of {target.name}, {base.rows_loaded} contacts.")

        with_stores(work)


def _say(verdicts: Mapping[str, int]) -> None:
    for word in sorted(verdicts, key=lambda one: one != LOADED):
        typer.echo(f"{verdicts[word]:>9}  {word}")
