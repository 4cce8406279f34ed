"""The command line of consent: who agreed to be called, with its evidence, and who agrees no more."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.cli_bases import customer_named
from dialer.errors import Refused
from dialer.store.consents import Given
from dialer.store.users import Actor

if TYPE_CHECKING:
    from dialer.cli_bases import With
    from dialer.store.stores import Stores

Phone = Annotated[str, typer.Argument(help="In E.164, like +12025550123.")]
Customer = Annotated[str, typer.Option(help="Who may call: name or number of the customer.")]


def attach(app: typer.Typer, run: With) -> None:
    """Add the group ``consent``."""
    group = typer.Typer(help="Who agreed to be called, and who agrees no more.", no_args_is_help=True)
    _add(group, run)
    _withdraw(group, run)
    app.add_typer(group, name="consent")


def _add(group: typer.Typer, run: With) -> None:
    @group.command("add")
    def add(
        phone: Phone,
        customer: Customer,
        evidence: Annotated[Path, typer.Option(help="The file that proves it; its hash is kept.", exists=True)],
        given: Annotated[str, typer.Option(help="When, ISO 8601.")],
        purpose: Annotated[str, typer.Option(help="marketing, survey, service or debt.")] = "marketing",
        wording: Annotated[str, typer.Option(help="Version of the text that was agreed to.")] = "v1",
        channel: Annotated[str, typer.Option(help="web, paper, voice, message or in_person.")] = "web",
        expires: Annotated[str | None, typer.Option(help="ISO 8601; default: never.")] = None,
    ) -> None:
        """Keep a consent with its evidence; contacts that waited for it come before the gate again."""

        async def work(stores: Stores) -> None:
            proof = await asyncio.to_thread(evidence.read_bytes)
            await stores.consents.add(
                Given(
                    phone=phone, customer_id=(await customer_named(stores, customer)).id, purpose=purpose,
                    wording=wording, channel=channel, given_at=_moment(given), evidence=evidence.name,
                    evidence_hash=hashlib.sha256(proof).digest(), expires_at=_moment(expires) if expires else None,
                ),
                actor=Actor(),
            )  # fmt: skip
            typer.echo(f"{phone}: {purpose}, by {evidence.name}.")

        run(work)


def _withdraw(group: typer.Typer, run: With) -> None:
    @group.command("withdraw")
    def withdraw(
        phone: Phone,
        customer: Customer,
        purpose: Annotated[str | None, typer.Option(help="Only this one; default: all.")] = None,
    ) -> None:
        """Nothing agreed to stands any more; a ringing line is cut within a second."""

        async def work(stores: Stores) -> None:
            found = await customer_named(stores, customer)
            await stores.consents.withdraw(
                phone, customer_id=found.id, purpose=purpose, now=datetime.now(UTC), actor=Actor()
            )
            typer.echo(f"{phone}: agrees no more to {purpose or 'anything'}.")

        run(work)


def _moment(text: str) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("consent.value", f"{text!r} is no time.", remedy="Write it like 2026-03-01T09:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
