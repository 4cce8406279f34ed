"""``dialer forecast``: what the shift will bring, when the base ends, and what another plan would change."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialer.cli_bases import campaign_named
from dialer.core import ahead
from dialer.errors import Refused
from dialer.store.stores import Stores
from dialer.web.ahead import check
from dialer.web.ahead_work import chances

if TYPE_CHECKING:
    from dialer.core.ahead import Outset

#: Runs work over the opened database.
Runner = Callable[[Callable[[Stores], Awaitable[Any]]], Any]
_PLANS = {
    "operators_fewer": "{change} operators",
    "operators_more": "{change:+} operators",
    "begins_earlier": "begin an hour earlier",
    "ends_earlier": "end an hour earlier",
    "ends_later": "end an hour later",
}


def attach(app: typer.Typer, run: Runner) -> None:
    """Add ``forecast`` to the command line, which opens the database for it."""

    @app.command()
    def forecast(
        campaign: Annotated[str, typer.Argument(help="Name or number of the campaign.")],
        operators: Annotated[int | None, typer.Option(min=0, max=10_000, help="On shift from now on.")] = None,
        begins: Annotated[str | None, typer.Option(help="HH:MM in the campaign's zone: work begins.")] = None,
        ends: Annotated[str | None, typer.Option(help="HH:MM: work ends.")] = None,
        answer_rate: Annotated[
            float | None, typer.Option(min=0, max=100, help="Per cent of attempts answered.")
        ] = None,
        result_rate: Annotated[float | None, typer.Option(min=0, max=100, help="Per cent of conversations.")] = None,
        talk_s: Annotated[float | None, typer.Option(min=1, max=3600, help="Mean conversation, seconds.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """What the shift will bring and when the base ends; of a campaign that has not begun: a rehearsal."""
        ask = ahead.Ask(
            operators=operators,
            begins=_minutes(begins),
            ends=_minutes(ends),
            answer_rate=None if answer_rate is None else answer_rate / 100,
            result_rate=None if result_rate is None else result_rate / 100,
            talk_s=talk_s,
        )

        async def work(stores: Stores) -> Outset:
            found = await campaign_named(stores, campaign)
            return await stores.ahead.outset(found.id, datetime.now(UTC))

        answer = made(run(work), ask, shown=sys.stderr.isatty())
        typer.echo(json.dumps(answer, ensure_ascii=False) if as_json else said(answer))


def made(outset: Outset, ask: ahead.Ask, *, shown: bool = False) -> dict[str, Any]:
    """The forecast; what was played is shown on the terminal.

    Raises:
        Refused: ``forecast.no_window``.
    """
    check(outset, ask)

    def told(done: int, of: int) -> None:
        if shown and done % 10 == 0:
            typer.echo(f"\r{done * 100 // of:3d} %", err=True, nl=done == of)

    return ahead.forecast(outset, ask, lambda number: chances(outset.known.campaign.id, number), told)


def said(answer: dict[str, Any]) -> str:
    """A forecast as lines of text."""
    of = answer["made_of"]
    lines = [one["en"] for one in answer["sentences"]]
    for plan in answer["plans"]:
        more = plan["results"]
        name = _PLANS[plan["plan"]].format(change=plan["change"])
        lines.append(f"  {name:<24} {more['middle']:+.0f} results (80 %: {more['low']:+.0f} to {more['high']:+.0f})")
    lines.append(
        f"From {of['contacts']} contacts, {of['operators']} operators, {of['answer_rate']:.0%} answered, "
        f"{of['result_rate']:.0%} results, talks of {of['talk_s']:.0f} s; seen: {of['attempts_seen']} attempts, "
        f"{of['conversations_seen']} conversations, before: {of['source']}."
    )
    return "\n".join(lines)


def _minutes(text: str | None) -> int | None:
    """Minutes of the day; 24:00 is its end."""
    if text is None:
        return None
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(minute) < 60 and int(hour) * 60 + int(minute) <= 1440):
        raise Refused("forecast.time", f"{text!r} is no time of the day.", remedy="Write it like 09:30.")
    return int(hour) * 60 + int(minute)
