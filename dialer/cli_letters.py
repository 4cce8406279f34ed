"""``dialer letters returned``: what comes back to the mailbox of bounces and answers, from a pipe or a maildir."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.core.mail_reports import REPORT_BYTES_MAX
from dialer.errors import Refused
from dialer.outbox.returned import take_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dialer.cli_bases import With
    from dialer.store.stores import Stores

#: What a maildir calls a mail that was read.
_READ = ":2,S"


def attach(app: typer.Typer, run: With) -> None:
    """Add the group ``letters``."""
    group = typer.Typer(help="Letters that come back.", no_args_is_help=True)

    @group.callback()
    def letters() -> None:
        pass  # keeps the name of its only command

    @group.command("returned")
    def returned(
        maildir: Annotated[
            Path | None, typer.Option(help="A maildir, whose new mails are read and then kept in cur.")
        ] = None,
    ) -> None:
        """Take in bounces and answers: one mail from standard input, or all new ones of a maildir."""
        if maildir is not None and not (maildir / "new").is_dir():
            raise Refused("letters.maildir", f"{maildir} is no maildir.", remedy="Give the folder that holds new.")

        async def work(stores: Stores) -> None:
            counted = {"bounced": 0, "answered": 0, "": 0}
            for raw, path in _mails(maildir):
                found = await take_in(stores.pool, raw, now=datetime.now(UTC))
                counted[found[0].kind if found else ""] += 1
                if path is not None:
                    await asyncio.to_thread(_read, path)
            told = f"{counted['bounced']} bounced, {counted['answered']} answered, {counted['']} about none of ours."
            typer.echo(told)

        run(work)

    app.add_typer(group, name="letters")


def _mails(maildir: Path | None) -> Iterator[tuple[bytes, Path | None]]:
    """Each mail with its file; a byte more than is ever read shows that it is too long."""
    if maildir is None:
        yield sys.stdin.buffer.read(REPORT_BYTES_MAX + 1), None
        return
    for path in sorted((maildir / "new").iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                yield file.read(REPORT_BYTES_MAX + 1), path


def _read(path: Path) -> None:
    """Only after it is kept: a crash before reads it again, which changes nothing."""
    seen = path.parent.parent / "cur"
    seen.mkdir(exist_ok=True)
    path.rename(seen / f"{path.name}{_READ}")
