"""Commands about seats: who has which, and taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dialer import settings
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dialer.store.stores import Stores

    Runner = Callable[[Callable[[Stores], Awaitable[None]]], None]


def attach(app: typer.Typer, run: Runner) -> None:
    """Add ``dialer seat``."""
    group = typer.Typer(help="Seats: who has which.", no_args_is_help=True)
    app.add_typer(group, name="seat")

    @group.command("list")
    def list_all() -> None:
        """Seats somebody has; the others of the pool are free."""

        async def work(stores: Stores) -> None:
            for seat in await stores.seats.list(settings.load().switch):
                kind = "desk phone" if seat.desk else "browser"
                typer.echo(f"{seat.name:<12} {seat.login:<24} since {seat.given_at:%Y-%m-%d %H:%M}  {kind}")

        run(work)

    @group.command("free")
    def free(seat: Annotated[str, typer.Argument(help="Its name, e.g. seat-007.")]) -> None:
        """Take a seat back, also one with a desk phone; dialer switch-config then rotates its secret."""

        async def work(stores: Stores) -> None:
            await stores.seats.take_back(seat, switch=settings.load().switch, actor=Actor())
            typer.echo(f"{seat} is free.")

        run(work)
