"""The command line. Every failure is one sentence with what to do about it, and an exit code that is not 0."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ami.errors import AmiError
from dialer import (
    cli_ahead,
    cli_bases,
    cli_do_not_call,
    cli_kpi,
    cli_letters,
    cli_price,
    cli_rules,
    cli_seats,
    cli_segments,
    logs,
    service,
    settings,
    switchconfig,
)
from dialer.cli_bases import campaign_named
from dialer.core import replay
from dialer.core.model import BudgetMode, CampaignState
from dialer.doctor import examine, remedy_of
from dialer.errors import DialerError, Refused
from dialer.passwords import LENGTH_MIN, hash_password, random_password
from dialer.store.pools import Pools
from dialer.store.stores import Stores
from dialer.store.users import Actor
from dialer.web.access import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.engine.ports import PacingMinute
    from dialer.logs import LogLevel
    from dialer.settings import Settings

Result = TypeVar("Result")

app = typer.Typer(
    name="dialer",
    help="An outbound dialer for call centres, on Asterisk. Settings come from DIALER_… variables; `dialer doctor` "
    "tries them all.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
campaign_app = typer.Typer(help="Campaigns: list, create, start, pause, stop.", no_args_is_help=True)
trunk_app = typer.Typer(help="Lines to carriers and their limits.", no_args_is_help=True)
user_app = typer.Typer(help="Users of the pages and the API.", no_args_is_help=True)
app.add_typer(campaign_app, name="campaign")
app.add_typer(trunk_app, name="trunk")
app.add_typer(user_app, name="user")

#: Of a number that PostgreSQL counts with.
_DIGITS_MAX = 18

CampaignArgument = Annotated[str, typer.Argument(help="Name or number of the campaign.")]


def main() -> None:
    """Entry point: one sentence for what went wrong."""
    try:
        _check(sys.argv[1:])
        app()
    except DialerError as error:
        _say_why(error.message, error.remedy)
        sys.exit(service.exit_code(error))
    except OSError as error:
        if error.filename is None:
            raise
        _say_why(f"{error.filename}: {error.strerror}", "Give a file that can be read or written.")
        sys.exit(2)
    except AmiError as error:
        _say_why(str(error), remedy_of(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _check(words: Sequence[str]) -> None:
    """Refuse what is no text, or a number that nothing of ours has.

    Raises:
        Refused: ``cli.text``, ``cli.number``.
    """
    for word in words:
        if word.encode(errors="replace").decode() != word:
            raise Refused("cli.text", f"{word!a} is no text.", remedy="Write it in UTF-8.")
        if word.isdecimal() and len(word) > _DIGITS_MAX:
            raise Refused(
                "cli.number", f"{word[:_DIGITS_MAX]}… is too long a number.", remedy="Look it up in its list."
            )


def _say_why(message: str, remedy: str) -> None:
    typer.echo(f"dialer: {message.rstrip('.')}. {remedy}".rstrip(), err=True)


def _settings(*, level: LogLevel | None = None) -> Settings:
    """The settings; a command that prints its own result logs only what went wrong."""
    chosen = settings.load()
    logs.configure(level=level or chosen.log_level, kind=chosen.log_format, secrets=chosen.secrets())
    return chosen


@asynccontextmanager
async def _opened() -> AsyncIterator[Stores]:
    """The database, started if it is our own and not running yet."""
    chosen = _settings(level="warning")
    key = chosen.suppression_key.get_secret_value()
    async with service.database(chosen) as url, Pools.open(url, suppression_key=key) as pools:
        yield Stores.of(pools)


def _with_stores(work: Callable[[Stores], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with _opened() as stores:
            return await work(stores)

    return asyncio.run(run())


cli_bases.add_to(app, _with_stores)
cli_segments.add_to(app, _with_stores)


cli_rules.attach(app, _with_stores)
cli_do_not_call.attach(app, _with_stores)
cli_kpi.attach(app, _with_stores)
cli_ahead.attach(app, _with_stores)
cli_letters.attach(app, _with_stores)
cli_price.attach(app, _with_stores)
cli_seats.attach(app, _with_stores)

# Service ---------------------------------------------------------------------


@app.command(epilog="\n\n".join(f"{name}: {text}" for name, text in settings.described().items()))
def serve() -> None:
    """Run the service: the engine, the pages and the API, until Ctrl-C or SIGTERM."""
    chosen = _settings()
    asyncio.run(service.serve(chosen))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def demo(context: typer.Context) -> None:
    """Try everything with a pretended telephone network: people, machines, operators. See dialer demo --help."""
    from dialer.world.demo import main as run  # noqa: PLC0415 - the world is only for trying

    code = run(context.args)
    raise typer.Exit(int(code or 0))


@app.command()
def migrate() -> None:
    """Bring the database up to date; safe to repeat, and beside a running service."""

    async def run() -> None:
        async with service.database(_settings(level="warning")):
            typer.echo("The database is up to date.")

    asyncio.run(run())


@app.command()
def doctor() -> None:
    """Try settings, database, port and switch; each failure says what to do. Exit code 2 if anything fails."""
    logs.configure(level="critical")

    async def run() -> bool:
        well = True
        async for finding in examine():
            typer.echo(f"{finding.mark} {finding.what}: {finding.text}")
            if not finding.well:
                typer.echo(f"     {finding.remedy}")
                well = well and finding.warns
        return well

    raise typer.Exit(0 if asyncio.run(run()) else 2)


@app.command("switch-config")
def switch_config(
    out: Annotated[Path, typer.Option(help="Folder to write to; Asterisk runs from there.")],
    trunk: Annotated[list[str], typer.Option(help="A line to a carrier: name=host or name=host:port; repeatable.")],
    seats: Annotated[int, typer.Option(min=1, max=999, help="Operators who may work at the same time.")] = 30,
    ami_port: Annotated[int, typer.Option(help="Manager interface, on loopback.")] = 5038,
    sip_address: Annotated[str, typer.Option(help="Address SIP is bound to.")] = "127.0.0.1",
    sip_port: Annotated[int, typer.Option(help="Port of SIP.")] = 5060,
    ws_port: Annotated[int, typer.Option(help="Browser phones' SIP, on loopback.")] = 8088,
    modules_dir: Annotated[
        str, typer.Option(help="Asterisk's modules.")
    ] = "/usr/lib/x86_64-linux-gnu/asterisk/modules",
) -> None:
    """Write our Asterisk's configuration, dialplan and sounds, with fresh secrets; again to rotate them."""
    written = switchconfig.write(
        out,
        trunks=trunk,
        seats=seats,
        ami_port=ami_port,
        sip_address=sip_address,
        sip_port=sip_port,
        ws_port=ws_port,
        modules_dir=modules_dir,
    )
    typer.echo(f"Written to {written.folder}; seats and their secrets are in {written.folder / 'secrets' / 'seats'}.")
    typer.echo(f"Give it to Asterisk's user and start: asterisk -C {written.folder / 'etc' / 'asterisk.conf'}")
    for name, value in written.settings.items():
        typer.echo(f"{name}={value}")


# Campaigns -----------------------------------------------------------


@campaign_app.command("list")
def campaign_list() -> None:
    """All campaigns with their state."""

    async def work(stores: Stores) -> None:
        for found in await stores.campaigns.list():
            typer.echo(f"{found.id:>4}  {found.state:<8} {found.mode:<12} {found.profile:<10} {found.name}")

    _with_stores(work)


@campaign_app.command("create")
def campaign_create(
    name: Annotated[str, typer.Argument(help="Its name, unique.")],
    trunk: Annotated[str, typer.Option(help="The trunk (PJSIP endpoint) it dials on.")],
    mode: Annotated[str, typer.Option(help="progressive, predictive, ivr or preview.")] = "progressive",
    team: Annotated[str, typer.Option(help="The team that serves it; made if new.")] = "main",
    customer: Annotated[str, typer.Option(help="For whom; made if new.")] = "own",
    profile: Annotated[str, typer.Option(help="Compliance profile.")] = "strict",
    purpose: Annotated[
        str, typer.Option(help="marketing, survey, service or debt: the profile says which calls that allows.")
    ] = "marketing",
    zone: Annotated[str, typer.Option(help="Zone in which its hours are counted.")] = "UTC",
    caller_number: Annotated[str, typer.Option(help="Number shown to callees.")] = "",
    offer: Annotated[str | None, typer.Option(help="Recorded offer (ivr).")] = None,
) -> None:
    """A new campaign, as a draft, with the default dispositions."""
    values = {
        "name": name, "trunk": trunk, "mode": mode, "team": team, "customer": customer, "profile": profile,
        "purpose": purpose, "zone": zone, "caller_number": caller_number, **({"offer": offer} if offer else {}),
    }  # fmt: skip

    async def work(stores: Stores) -> None:
        made = await stores.campaigns.create(values, actor=Actor())
        typer.echo(f"Campaign {made.id} {made.name!r} is a draft. Load a base, then `dialer campaign start {made.id}`.")

    _with_stores(work)


@trunk_app.command("set")
def trunk_set(
    name: Annotated[str, typer.Argument(help="The PJSIP endpoint on the switch.")],
    max_channels: Annotated[int, typer.Option(help="Most calls at the same time.")] = 100,
    calls_per_s: Annotated[float, typer.Option(help="Most calls started in a second.")] = 20.0,
) -> None:
    """Set up a trunk to a carrier, or change its limits."""

    async def work(stores: Stores) -> None:
        await stores.campaigns.set_trunk(name, max_channels=max_channels, calls_per_s=calls_per_s, actor=Actor())
        typer.echo(f"{name}: at most {max_channels} calls at a time, {calls_per_s:g} started in a second.")

    _with_stores(work)


def _set_state(named: str, state: CampaignState) -> None:
    async def work(stores: Stores) -> None:
        found = await campaign_named(stores, named)
        await stores.campaigns.set_state(found.id, state, actor=Actor())
        typer.echo(f"{found.name}: {state}.")

    _with_stores(work)


@campaign_app.command("start")
def campaign_start(campaign: CampaignArgument) -> None:
    """Let it dial; the running service notices within seconds."""
    _set_state(campaign, CampaignState.RUNNING)


@campaign_app.command("pause")
def campaign_pause(campaign: CampaignArgument) -> None:
    """No new calls; conversations go on."""
    _set_state(campaign, CampaignState.PAUSED)


@campaign_app.command("stop")
def campaign_stop(campaign: CampaignArgument) -> None:
    """End it; conversations go on."""
    _set_state(campaign, CampaignState.STOPPED)


@campaign_app.command("pace")
def campaign_pace(
    campaign: CampaignArgument,
    target: Annotated[
        float | None, typer.Option(min=0, max=5, help="Abandons to aim at, in %; the cap at most.")
    ] = None,
    caution: Annotated[float | None, typer.Option(min=0.1, max=10, help="2 takes an abandon twice as dear.")] = None,
    lines_per_operator: Annotated[float | None, typer.Option(min=1, max=20, help="Most lines per operator.")] = None,
    budget: Annotated[
        BudgetMode | None, typer.Option(help="strict holds at every instant, probable but for once in a million.")
    ] = None,
) -> None:
    """Turn the pacing while it runs; the running service notices within seconds, the audit log keeps it."""
    asked = {
        "target_permille": None if target is None else round(10 * target),
        "caution": caution,
        "max_lines_per_operator": lines_per_operator,
        "budget_mode": budget,
    }

    async def work(stores: Stores) -> None:
        found = await campaign_named(stores, campaign)
        changes = {name: value for name, value in asked.items() if value is not None}
        row = await stores.campaigns.change(found.id, changes, actor=Actor()) if changes else found
        aim = row.cap_permille if row.target_permille is None else row.target_permille
        typer.echo(
            f"{row.name}: aims at {aim / 10:g} % abandoned, caution {row.caution:g}, at most "
            f"{row.max_lines_per_operator:g} lines per operator, budget {row.budget_mode}."
        )

    _with_stores(work)


@campaign_app.command("explain")
def campaign_explain(
    campaign: CampaignArgument,
    since: Annotated[str | None, typer.Option("--from", help="ISO 8601; default: an hour ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="ISO 8601; default: now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a minute, with all inputs.")] = False,
    again: Annotated[bool, typer.Option(help="Decide again from what was stored, and compare.")] = False,
) -> None:
    """Why it dialled as it did, minute by minute; a day is kept."""
    now = datetime.now(UTC)
    begin, end = cli_kpi.moment(since, now - timedelta(hours=1)), cli_kpi.moment(until, now + timedelta(minutes=1))

    async def work(stores: Stores) -> Sequence[PacingMinute]:
        found = await campaign_named(stores, campaign)
        return await stores.pacing.minutes(found.id, begin, end)

    minutes = _with_stores(work)
    for minute in minutes:
        if as_json:
            typer.echo(json.dumps(asdict(minute), default=datetime.isoformat))
        else:
            more = f"{minute.decisions} decisions placed {minute.placed} calls"
            typer.echo(f"{minute.minute:%Y-%m-%d %H:%M} {minute.reason:<18} {minute.sentence['en']} ({more})")
    if again:
        same = sum(replay.same(minute.inputs, minute.calls, minute.reason, minute.target) for minute in minutes)
        typer.echo(f"{same} of {len(minutes)} decisions are the same when decided again.")
        if same < len(minutes):
            raise typer.Exit(1)


# Users ------------------------------------------------------------------------------


@user_app.command("reset-second-factor")
def user_reset_second_factor(login: Annotated[str, typer.Argument(help="Whose phone is lost.")]) -> None:
    """Take a user's second factor away; the password alone opens the account, and all its sessions end."""

    async def work(stores: Stores) -> None:
        found = await stores.users.by_login(login)
        if found is None:
            raise Refused("user.not_found", f"There is no user {login!r}.", remedy="See the page /people.")
        await stores.second_factors.remove(found.user.id, actor=Actor(), ends_sessions=True)
        typer.echo(f"{login} logs in with the password alone.")

    _with_stores(work)


@user_app.command("add")
def user_add(
    login: Annotated[str, typer.Argument(help="What they log in with.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.OPERATOR,
    name: Annotated[str | None, typer.Option(help="Name on the screens; default: the login.")] = None,
    team: Annotated[str | None, typer.Option(help="Operators: their team; made if new. Default: main.")] = None,
    language: Annotated[str, typer.Option(help="en or ru.")] = "en",
    ask: Annotated[bool, typer.Option(help="Ask for the password instead of making and printing one.")] = False,
) -> None:
    """A new user; prints a random password once, or asks for one."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask else random_password()
    if len(password) < LENGTH_MIN:
        raise Refused("user.short_password", "The password is too short.", remedy=f"Use at least {LENGTH_MIN} letters.")
    if language not in {"en", "ru"}:
        raise Refused("user.language", f"There is no language {language!r}.", remedy="Use en or ru.")

    async def work(stores: Stores) -> None:
        await stores.users.add(
            login=login,
            name=name or login,
            role=role.value,
            password_hash=await hash_password(password),
            team=team or ("main" if role is Role.OPERATOR else None),
            language=language,
            actor=Actor(),
        )

    _with_stores(work)
    typer.echo(f"{login} ({role.value})" + ("" if ask else f": {password}"))
