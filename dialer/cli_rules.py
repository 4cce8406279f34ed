"""The command line of the rules: profiles, national lists, a number's data, passes of a base."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from dialer import cli_consent, profiles
from dialer.cli_bases import campaign_named, customer_named
from dialer.core.model import Outcome, RetryRule
from dialer.errors import Refused
from dialer.store.stores import Stores
from dialer.store.users import Actor

#: Runs work over the opened database.
Runner = Callable[[Callable[[Stores], Awaitable[Any]]], Any]

PhoneArgument = Annotated[str, typer.Argument(help="In E.164, like +12025550123.")]
CampaignArgument = Annotated[str, typer.Argument(help="Name or number of the campaign.")]
BaseArgument = Annotated[int, typer.Argument(help="Number of the base.")]


def attach(app: typer.Typer, run: Runner) -> None:
    """Add the commands of the rules to the command line, which opens the database for them."""
    app.add_typer(_profiles(), name="profile")
    app.add_typer(_lists(run), name="national-list")
    app.add_typer(_phones(run), name="phone")
    app.add_typer(_passes(run), name="pass")
    app.add_typer(_retry_rules(run), name="retry-rule")
    app.add_typer(_customers(run), name="customer")
    cli_consent.attach(app, run)
    _why(app, run)


def _profiles() -> typer.Typer:
    group = typer.Typer(help="Packaged compliance profiles and their sources.", no_args_is_help=True)

    @group.command("list")
    def list_all() -> None:
        """All profiles, and whether their figures should be looked at again."""
        for name in profiles.names():
            one = profiles.packaged(name)
            old = "  look at it again" if one.stale(datetime.now(UTC).date()) else ""
            typer.echo(f"{one.id:<10} v{one.version}  checked {one.checked_on}  {one.name_en}{old}")

    @group.command("show")
    def show(profile: Annotated[str, typer.Argument(help="Its id, see `dialer profile list`.")]) -> None:
        """Every figure of a profile with its source."""
        for figure in profiles.packaged(profile).figures:
            typer.echo(f"{figure.name}: {json.dumps(figure.value, ensure_ascii=False)}")
            for source in figure.sources:
                typer.echo(f"    {source.known}, {source.checked_on}: {source.text} {source.link}".rstrip())

    return group


def _lists(run: Runner) -> typer.Typer:
    group = typer.Typer(help="National do-not-call lists.", no_args_is_help=True)

    @group.command("import")
    def replace(
        name: Annotated[str, typer.Argument(help="As the profile calls it, e.g. us-dnc.")],
        file: Annotated[Path, typer.Argument(help="One number in E.164 a line.", exists=True)],
    ) -> None:
        """Put a register in place of its last import; in force at once."""

        async def work(stores: Stores) -> None:
            try:
                text = await asyncio.to_thread(file.read_text, "utf-8")
            except UnicodeDecodeError:
                raise Refused("national.text", f"{file} is no text.", remedy="Give a file in UTF-8.") from None
            numbers = [line.strip() for line in text.splitlines() if line.strip()]
            count, _ = await stores.national.replace(name, numbers, now=datetime.now(UTC), actor=Actor())
            typer.echo(f"{name}: {count} numbers.")

        run(work)

    return group


def _phones(run: Runner) -> typer.Typer:
    group = typer.Typer(help="What is kept of a number: export and erasure.", no_args_is_help=True)

    @group.command("export")
    def export(phone: PhoneArgument) -> None:
        """Everything about a number across campaigns and bases, as JSON."""

        async def work(stores: Stores) -> None:
            found = await stores.phones.dossier(phone, actor=Actor())
            typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False, indent=2))

        run(work)

    @group.command("erase")
    def erase(phone: PhoneArgument) -> None:
        """Forget whose number it is; it is never called again, also when a file brings it back."""

        async def work(stores: Stores) -> None:
            await stores.phones.erase(phone, now=datetime.now(UTC), actor=Actor())
            typer.echo("Erased. Erase it again in every backup that is restored.")

        run(work)

    return group


def _retry_rules(run: Runner) -> typer.Typer:
    group = typer.Typer(help="What brings contacts back after a disposition or an outcome.", no_args_is_help=True)

    @group.command("list")
    def list_all(campaign: CampaignArgument) -> None:
        """The rules of the dispositions that leave a contact open, then those of outcomes."""

        async def work(stores: Stores) -> None:
            found = await campaign_named(stores, campaign)
            for one in await stores.retry_rules.of_campaign(found.id):
                typer.echo(f"{one.code:<24} {_said(one.rule)}{'' if one.own else ', as after any conversation'}")
            typer.echo("After outcomes:")
            for each in await stores.retry_rules.of_outcomes(found.id):
                typer.echo(f"{each.outcome:<24} {_said(each.rule)}{'' if each.own else ', as usual'}")

        run(work)

    @group.command("set")
    def change(
        campaign: CampaignArgument,
        disposition: Annotated[str, typer.Argument(help="Its code, see `dialer retry-rule list`.")],
        delay_s: Annotated[int | None, typer.Option(min=0, help="Seconds until the contact may be called.")] = None,
        growth: Annotated[float | None, typer.Option(min=1, help="Each further time so many times longer.")] = None,
        times: Annotated[int | None, typer.Option(min=1, help="Brings a contact back so often at most.")] = None,
        closes: Annotated[bool | None, typer.Option("--closes", help="Never call again.")] = None,
    ) -> None:
        """Bring contacts back later, or less often; whoever waits by this rule is planned anew."""
        given = {"delay_s": delay_s, "growth": growth, "times": times, "closes": closes}
        figures = {name: value for name, value in given.items() if value is not None}

        async def work(stores: Stores) -> None:
            found = await campaign_named(stores, campaign)
            planned = await stores.retry_rules.change(
                found.id, disposition, figures, now=datetime.now(UTC), actor=Actor()
            )
            [now] = [one for one in await stores.retry_rules.of_campaign(found.id) if one.code == disposition]
            typer.echo(f"{disposition}: {_said(now.rule)}; {planned} contacts planned anew.")

        run(work)

    @group.command("outcome")
    def change_outcome(
        campaign: CampaignArgument,
        outcome: Annotated[Outcome, typer.Argument(help="How the attempt ended.")],
        delay_s: Annotated[int | None, typer.Option(min=0, help="Seconds until the contact may be called.")] = None,
        growth: Annotated[float | None, typer.Option(min=1, help="Each further time so many times longer.")] = None,
        times: Annotated[int | None, typer.Option(min=1, help="Brings a contact back so often at most.")] = None,
        closes: Annotated[bool | None, typer.Option("--closes/--open", help="Never call again.")] = None,
    ) -> None:
        """Bring contacts back otherwise after an outcome, from the next attempt on."""
        given = {"delay_s": delay_s, "growth": growth, "times": times, "closes": closes}
        figures = {name: value for name, value in given.items() if value is not None}

        async def work(stores: Stores) -> None:
            found = await campaign_named(stores, campaign)
            await stores.retry_rules.change_outcome(found.id, outcome, figures, actor=Actor())
            [now] = [one for one in await stores.retry_rules.of_outcomes(found.id) if one.outcome is outcome]
            typer.echo(f"{outcome}: {_said(now.rule)}.")

        run(work)

    return group


def _said(rule: RetryRule) -> str:
    if rule.closes:
        return "never again"
    if rule.next_phone:
        return "the next number at once, this one never again"
    grows = f", each further time {rule.growth:g} times longer" if rule.growth > 1 else ""
    most = f", {rule.times} times at most" if rule.times else ""
    return f"again in {timedelta(seconds=rule.delay_s)}{grows}{most}"


def _customers(run: Runner) -> typer.Typer:
    group = typer.Typer(help="For whom campaigns call.", no_args_is_help=True)

    @group.command("list")
    def list_all() -> None:
        """All customers, and where they are."""

        async def work(stores: Stores) -> None:
            for one in await stores.customers.list():
                typer.echo(f"{one.id:>5}  {one.country or '--'}  {one.name}")

        run(work)

    @group.command("country")
    def country(
        customer: Annotated[str, typer.Argument(help="Name or number, see `dialer customer list`.")],
        letters: Annotated[str, typer.Argument(help="Two letters, e.g. FR; -- for nowhere in particular.")],
    ) -> None:
        """Say where a customer is: the rules of that country hold for all its campaigns."""

        async def work(stores: Stores) -> None:
            found = await customer_named(stores, customer)
            said = None if letters == "--" else letters.upper()
            await stores.customers.set_country(found.id, said, actor=Actor())
            typer.echo(f"{found.name}: {said or 'nowhere in particular'}.")

        run(work)

    return group


def _why(app: typer.Typer, run: Runner) -> None:
    @app.command("why")
    def why(
        campaign: Annotated[str | None, typer.Option(help="Of this campaign: name or number.")] = None,
        base: Annotated[int | None, typer.Option(help="Of this base.")] = None,
        contact: Annotated[int | None, typer.Option(help="This contact.")] = None,
    ) -> None:
        """Why contacts are not being dialled: how many by each reason, and when it first passes; they add up."""
        if sum(one is not None for one in (campaign, base, contact)) != 1:
            raise Refused("why.of_what", "Whose contacts?", remedy="Give one of --campaign, --base and --contact.")

        async def work(stores: Stores) -> None:
            now = datetime.now(UTC)
            if contact is not None:
                for one in await stores.contacts.why(contact, now=now):
                    typer.echo(f"{one.reason:<22} {_until(one.until):<22} {one.detail} {one.profile}".rstrip())
                return
            of = (await campaign_named(stores, campaign)).id if campaign is not None else None
            held = await stores.contacts.why_counts(of, base_id=base, now=now)
            for reason, many in sorted(held.items(), key=lambda pair: -pair[1].contacts):
                typer.echo(f"{many.contacts:>10}  {reason:<22} {_until(many.until)}".rstrip())
            typer.echo(f"{sum(many.contacts for many in held.values()):>10}  in all")

        run(work)


def _until(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else ""


def _passes(run: Runner) -> typer.Typer:
    group = typer.Typer(help="Passes of a base: calling it again, and what each pass brought.", no_args_is_help=True)

    @group.command("begin")
    def begin(
        base: BaseArgument,
        outcome: Annotated[list[str], typer.Option(help="Last outcome of used-up contacts; repeatable.")] = [],  # noqa: B006  # typer copies it
        disposition: Annotated[list[str], typer.Option(help="Of closed contacts; repeatable.")] = [],  # noqa: B006  # same
    ) -> None:
        """Let contacts of these outcomes and dispositions go again."""

        async def work(stores: Stores) -> None:
            number, contacts = await stores.passes.begin(
                base, outcomes=outcome, dispositions=disposition, now=datetime.now(UTC), actor=Actor()
            )
            typer.echo(f"Pass {number}: {contacts} contacts go again.")

        run(work)

    @group.command("list")
    def list_all(base: BaseArgument) -> None:
        """The passes of a base with their yield."""

        async def work(stores: Stores) -> None:
            for one in await stores.passes.of_base(base):
                share = f"{one.results / one.attempts:.1%}" if one.attempts else "-"
                typer.echo(
                    f"{one.number:>3}  {one.started_at:%Y-%m-%d %H:%M}  {one.contacts:>8} contacts  {one.attempts:>8} "
                    f"attempts  {one.reached:>7} reached  {one.results:>6} results  {share}"
                )

        run(work)

    return group
