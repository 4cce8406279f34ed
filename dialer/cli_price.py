"""``dialer price``: tariff and costs of a campaign, what a day would have come to, and closing days."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli_bases import campaign_named
from dialer.core import money as rules
from dialer.core.money import STEPPED, Kind, Said
from dialer.errors import Refused
from dialer.store.money import total
from dialer.store.stores import Stores
from dialer.store.users import Actor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.store.money import Part, Rule

#: Runs work over the opened database.
Runner = Callable[[Callable[[Stores], Awaitable[Any]]], Any]
CampaignArgument = Annotated[str, typer.Argument(help="Name or number of the campaign.")]
#: Days that prices are said for.
_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)
_KINDS = ", ".join(Kind)


def attach(app: typer.Typer, run: Runner) -> None:
    """Add ``price`` to the command line, which opens the database for it."""
    group = typer.Typer(help="Tariff and costs of a campaign, by days from which they hold.", no_args_is_help=True)
    app.add_typer(group, name="price")
    _say(group, run)
    _days(group, run)


def _say(group: typer.Typer, run: Runner) -> None:
    @group.command("list")
    def list_all(
        campaign: CampaignArgument,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
    ) -> None:
        """All prices ever said, the newest first."""

        async def work(stores: Stores) -> None:
            found = await stores.money.prices((await campaign_named(stores, campaign)).id)
            if as_json:
                typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
                return
            for one in found:
                step = f" by {one.first_s}/{one.step_s} s" if one.first_s else ""
                until = f" until {one.until}" if one.until else ""
                gone = "  taken back" if one.withdrawn_at else ""
                name = f" {one.base!r}" if one.base else ""
                price = f"{rules.plain(one.amount)} {one.currency}"
                typer.echo(f"{one.id:>6}  {one.kind:<22}{name} {price}{step}  from {one.since}{until}{gone}")

        run(work)

    @group.command("set")
    def set_price(
        campaign: CampaignArgument,
        kind: Annotated[str, typer.Argument(help=_KINDS)],
        amount: Annotated[str, typer.Argument(help="In the campaign's currency, like 12.50.")],
        since: Annotated[str | None, typer.Option("--from", help="First day, 2026-03-01; default: today.")] = None,
        step: Annotated[str, typer.Option(help="Of minutes: 60/60, 1/1, 30/6 seconds.")] = "60/60",
        base: Annotated[int | None, typer.Option(help="Number of the base, of cost_base.")] = None,
        rehearse: Annotated[bool, typer.Option(help="Only say what yesterday would have come to.")] = False,
    ) -> None:
        """Say a price; one of the same kind from the same day makes place for it."""

        async def work(stores: Stores) -> None:
            now, campaign_id = datetime.now(UTC), (await campaign_named(stores, campaign)).id
            rule = await stores.money.rule(campaign_id, now)
            said = _said(kind, amount, _day(since) or rule.today, step, base)
            if rehearse:
                day = rule.today - timedelta(days=1)
                before, after = await stores.money.rehearse(campaign_id, [said], day, now=now)
                typer.echo(f"{day} would have come to:")
                _compare(before, after, rule)
                return
            await stores.money.set(campaign_id, said, now=now, actor=Actor())
            closed = rule.closed_day and said.since <= rule.closed_day
            typer.echo(f"It holds from {said.since}" + (f", for days after {rule.closed_day}." if closed else "."))

        run(work)

    @group.command("withdraw")
    def withdraw(
        campaign: CampaignArgument, price: Annotated[int, typer.Argument(help="See `dialer price list`.")]
    ) -> None:
        """Take a price back; the one before it holds on, closed days stay as they are."""

        async def work(stores: Stores) -> None:
            campaign_id = (await campaign_named(stores, campaign)).id
            await stores.money.withdraw(campaign_id, price, now=datetime.now(UTC), actor=Actor())
            typer.echo("Taken back.")

        run(work)


def _days(group: typer.Typer, run: Runner) -> None:
    @group.command("made-of")
    def made_of(
        campaign: CampaignArgument,
        first: Annotated[str | None, typer.Option("--from", help="First day; default: today.")] = None,
        last: Annotated[str | None, typer.Option("--to", help="Last day; default: the first.")] = None,
    ) -> None:
        """What some days come to, price by price."""

        async def work(stores: Stores) -> None:
            now, row = datetime.now(UTC), await campaign_named(stores, campaign)
            rule = await stores.money.rule(row.id, now)
            begin = _day(first) or rule.today
            since, until = rule.midnight(begin), rule.midnight((_day(last) or begin) + timedelta(days=1))
            found = await stores.money.made_of(row.id, since, until, now=now)
            for one in found:
                name = f" {one.base!r}" if one.base else ""
                quantity = rules.plain(rules.rounded(one.quantity, 4))
                amount = rules.rounded(one.amount, rule.digits)
                typer.echo(f"{one.kind:<22}{name} {quantity:>14} x {rules.plain(one.price):>12} = {amount:>14}")
            for side, tariff in (("revenue", True), ("costs", False)):
                typer.echo(f"{side}: {rules.rounded(total(found, tariff=tariff), rule.digits)} {rule.currency}")

        run(work)

    @group.command("close")
    def close(
        campaign: CampaignArgument,
        through: Annotated[str | None, typer.Option(help="Last day; default: all that are over.")] = None,
    ) -> None:
        """Close days: they keep their amounts, whatever is said later."""

        async def work(stores: Stores) -> None:
            row = await campaign_named(stores, campaign)
            days = await stores.money.close(row.id, _day(through), now=datetime.now(UTC), actor=Actor())
            typer.echo(f"Closed: {', '.join(map(str, days)) or 'nothing'}.")

        run(work)


def _said(kind: str, amount: str, since: date, step: str, base: int | None) -> Said:
    if kind not in set(Kind):
        raise Refused("price.kind", f"{kind!r} is no kind of price.", remedy=f"Use one of: {_KINDS}.")
    first_s, _, step_s = step.partition("/")
    try:
        exact, steps = Decimal(amount.replace(",", ".")), (int(first_s), int(step_s))
    except (InvalidOperation, ValueError):
        raise Refused("price.amount", f"{amount!r} by {step!r} is no price.", remedy="Write 12.50 and 60/60.") from None
    stepped = {"first_s": steps[0], "step_s": steps[1]} if Kind(kind) in STEPPED else {}
    return Said(kind=Kind(kind), since=since, amount=exact, base_id=base, **stepped)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and not _FIRST <= day <= _LAST:
        raise Refused("price.day", f"{text!r} is no day.", remedy="Write it like 2026-03-01.")
    return day


def _compare(before: Sequence[Part], after: Sequence[Part], rule: Rule) -> None:
    for side, tariff in (("revenue", True), ("costs", False)):
        was, would = (rules.rounded(total(parts, tariff=tariff), rule.digits) for parts in (before, after))
        typer.echo(f"  {side}: {would} {rule.currency} instead of {was}")
