"""A whole call centre in a box: PostgreSQL, Asterisk, the telephone world, robot operators, a campaign.

Everything lives in one temporary folder and under this process; its end, however it comes, takes all of it along.
The summary is judged by what the world saw, held against the ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from pydantic import SecretStr

from dialer import intake, logs, service
from dialer.core.model import CampaignState, Mode
from dialer.errors import Misconfigured
from dialer.passwords import hash_password, random_password
from dialer.settings import Settings
from dialer.store.users import Actor
from dialer.world import log, returning, rig, sample, simulated
from dialer.world.judge import Stored, judge
from dialer.world.people import OFFERED, ORDINARY
from dialer.world.robot import Robot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from dialer.service import Service
    from dialer.store.attempts import AttemptRow
    from dialer.store.stores import Stores
    from dialer.world.log import WorldCall

PORT = 8080
#: A sample base holds so many contacts at least, and so many for each second an operator works: nobody runs dry.
CONTACTS, CONTACTS_PER_S = 3000, 0.6
RING_TIMEOUT_S = 8

#: Answered and abandoned calls brought into the legal window, said on the board: so that a short demo predicts.
CARRIED = (2000, 20)

#: How long conversations may take to end when the time is up; then everybody is hung up on.
FAREWELL_S_MAX = 12.0

#: How long the last facts may take into the database.
STORED_S_MAX = 5.0

KEYS = {"1": "operator", "2": "callback", "9": "refused_unheard", "*": "repeat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for on the command line."""

    seconds: float | None = None
    headless: bool = False
    mode: Mode = Mode.PREDICTIVE
    operators: int = 6
    base: Path | None = None
    simulated: bool = False
    port: int | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The switch of a demo and whoever is behind it.

    Attributes:
        switch: ``asterisk`` or ``simulated``.
        calls: What the world itself saw so far.
        hang_up: Makes every callee hang up.
        call_back: Lets the person at a number (digits) call a number that was shown.
        spare: A seat for a person with a softphone: user, secret and SIP port; None without Asterisk.
        pool: The file of that seat with both its secrets: a headset at the browser does too.
        sounds: Where its recorded offers lie.
        monitor: Where it leaves recordings of conversations.
        ws_port: Where browsers' SIP goes.
    """

    switch: str
    ami_port: int
    events_secret: str = field(repr=False)
    commands_secret: str = field(repr=False)
    pool: Path | None = None
    sounds: Path | None = None
    monitor: Path | None = None
    ws_port: int = 8088
    calls: Callable[[], Sequence[WorldCall]]
    hang_up: Callable[[], Awaitable[None]]
    call_back: Callable[[str, str], Awaitable[None]]
    spare: tuple[str, str, int] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The accounts of a demo: login to password, and each robot's seat by its user id."""

    logins: Mapping[str, str] = field(repr=False)
    seats: Mapping[int, str]
    robots: Sequence[Robot]


def main(args: list[str] | None = None) -> int:
    """Run a demo to its end; the exit code.

    Raises:
        DialerError: it cannot start; one sentence with the remedy.
    """
    options = parse(args)
    logs.configure(level="warning", kind="auto")
    summary = asyncio.run(_until_stopped(options))
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


def parse(args: list[str] | None) -> Options:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="dialer demo", description="Try everything with a pretended telephone network."
    )
    parser.add_argument("--seconds", type=float, help="stop after so many seconds of dialing; default: at Ctrl-C")
    parser.add_argument("--headless", action="store_true", help="say little; the last line is the summary")
    parser.add_argument("--mode", choices=[str(mode) for mode in Mode], default=str(Mode.PREDICTIVE))
    parser.add_argument("--operators", type=int, default=6, help="robot operators")
    parser.add_argument("--base", type=Path, help="a CSV file of your own instead of the sample base")
    parser.add_argument("--simulated", action="store_true", help="the simulated switch instead of Asterisk")
    parser.add_argument("--port", type=int, help=f"port of the pages; default {PORT}, or a free one")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
    given = parser.parse_args(args)
    if not 1 <= given.operators <= 200:
        parser.error("--operators is 1 to 200")
    if given.seconds is not None and given.seconds <= 0:
        parser.error("--seconds is more than 0")
    if given.base is not None and not given.base.is_file():
        parser.error(f"there is no file {given.base}")
    return Options(**{**vars(given), "mode": Mode(given.mode)})


async def _until_stopped(options: Options) -> dict[str, object]:
    """A demo that Ctrl-C ends in order, at any moment of it."""
    stop = asyncio.Event()
    work = asyncio.create_task(run(options, stop), name="demo")

    def asked() -> None:
        stop.set() if not stop.is_set() else work.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, asked)
    try:
        return await work
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def run(options: Options, stop: asyncio.Event) -> dict[str, object]:
    """Start everything, dial until the time is up or ``stop``, and sum up."""
    say = _teller(options)
    async with AsyncExitStack() as stack:
        run_dir = stack.enter_context(_run_dir())
        ground = await stack.enter_async_context(_ground(options, run_dir, say))
        running = await stack.enter_async_context(service.running(_settings(options, ground, run_dir)))
        campaign_id = await _campaign(running.stores, options, say)
        people = await _people(running, options, run_dir)
        _introduce(running, ground, people, say)
        began = datetime.now(UTC)
        await running.stores.campaigns.set_state(campaign_id, CampaignState.RUNNING, actor=Actor())
        await running.engine.campaigns_changed()
        robots = [asyncio.create_task(robot.run(), name=robot.login) for robot in people.robots]
        stack.push_async_callback(_end, robots)
        back = asyncio.create_task(_call_back(ground, options), name="demo-returns")
        stack.push_async_callback(_end, [back])
        await _dial(running, options, stop, say)
        back.cancel()
        await _say_goodbye(running, ground, campaign_id, people, robots)
        return await _summary(running, ground, campaign_id, people, began)


async def _call_back(ground: Ground, options: Options) -> None:
    """Some of those whom nobody reached call back."""
    dialled = sample.CALLER.removeprefix("+")
    await returning.call_back(ground.calls, lambda number: ground.call_back(number, dialled), Random(options.seed))


@contextmanager
def _run_dir() -> Iterator[Path]:
    """The demo's one folder. PostgreSQL and Asterisk run as users of their own and must pass through it."""
    with tempfile.TemporaryDirectory(prefix="dialer-demo-") as folder:
        path = Path(folder)
        path.chmod(0o711)
        yield path


def _teller(options: Options) -> Callable[[str], None]:
    """Where sentences for people go: a headless run keeps its standard output for the summary."""
    output = sys.stderr if options.headless else sys.stdout

    def say(sentence: str) -> None:
        output.write(sentence + "\n")
        output.flush()

    return say


@asynccontextmanager
async def _ground(options: Options, run_dir: Path, say: Callable[[str], None]) -> AsyncIterator[Ground]:
    """Both Asterisks, or the simulated switch where it is asked for or nothing else is there."""
    population = OFFERED if options.mode is Mode.IVR else ORDINARY
    if not options.simulated:
        try:
            plan = rig.Plan(seats=options.operators, spare_seats=1, population=population, seed=options.seed)
            say("Starting Asterisk and the telephone world ...")
            async with rig.running(plan, run_dir) as pair:
                [(seat, secret)] = pair.spare_seats.items()
                yield Ground(
                    switch="asterisk",
                    ami_port=pair.switch.ami_port,
                    events_secret=pair.events_secret,
                    commands_secret=pair.commands_secret,
                    calls=lambda: log.calls(pair.log),
                    hang_up=pair.hang_up_callees,
                    call_back=pair.call_back,
                    spare=(seat, secret, pair.sip_port),
                    pool=pair.pool,
                    sounds=pair.switch.home / "sounds",
                    monitor=pair.switch.home / "spool" / "monitor",
                    ws_port=pair.ws_port,
                )
                return
        except Misconfigured as error:
            if error.code != "asterisk.none":
                raise
            say(f"{error.message} Going on with the simulated switch: the same people, no sound.")
    monitor = run_dir / "monitor"
    monitor.mkdir(parents=True, exist_ok=True)
    async with simulated.running(population, options.seed, monitor) as world:
        yield Ground(
            monitor=monitor,
            switch="simulated",
            ami_port=world.server.port,
            events_secret=world.events_secret,
            commands_secret=world.commands_secret,
            calls=world.calls,
            hang_up=world.hang_up_callees,
            call_back=world.call_back,
        )


def _settings(options: Options, ground: Ground, run_dir: Path) -> Settings:
    """Settings of a service that knows nothing of this machine's own: the environment is overruled."""
    return Settings(
        database_url=None,
        data_dir=run_dir / "data",
        switch="main",
        ami_port=ground.ami_port,
        ami_events_secret=SecretStr(ground.events_secret),
        ami_commands_secret=SecretStr(ground.commands_secret),
        seats_file=ground.pool,
        sounds_dir=ground.sounds,
        recordings_spool=ground.monitor,
        sip_ws_port=ground.ws_port,
        http_port=_http_port() if options.port is None else options.port,
        log_level="warning",
    )


def _http_port() -> int:
    """The usual port, or 0 (any) if somebody has it."""
    with closing(socket.socket()) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


async def _campaign(stores: Stores, options: Options, say: Callable[[str], None]) -> int:
    """A campaign of the packaged telephone world with its base; still a draft."""
    actor = Actor()
    await stores.campaigns.set_trunk(rig.TRUNK, kind="world", max_channels=400, calls_per_s=20.0, actor=actor)
    values = {
        "name": "Demo",
        "mode": options.mode,
        "customer": "Demo Company",
        "team": "demo",
        "trunk": rig.TRUNK,
        "profile": "world",
        "zone": "UTC",
        "caller_number": sample.CALLER,
        "ring_timeout_s": RING_TIMEOUT_S,
        "wrap_up_s": 20,
        "cap_permille": 30,
        "max_lines": 100,
        "recording": "on",
        "recording_days": 1,
        "recording_operator": True,
        "recording_customer": True,
        **({"offer": "demo", "keys": KEYS} if options.mode is Mode.IVR else {}),
    }
    campaign = await stores.campaigns.create(values, actor=actor, carried=CARRIED)
    if options.base is None:
        size = max(CONTACTS, round(CONTACTS_PER_S * options.operators * (options.seconds or 0)))
        name, data = "Sample base", sample.base(min(size, len(sample.reserved())), options.seed).encode()
    else:
        name, data = options.base.stem, await asyncio.to_thread(options.base.read_bytes)
    loaded = await intake.load(stores, campaign_id=campaign.id, name=name, source=name, data=data, actor=actor)
    for row in loaded.rejected[:20]:
        say(f"line {row.line}: {row.reason}: {row.text}")
    say(f"{name}: {loaded.base.rows_loaded} of {loaded.base.rows_in} contacts loaded.")
    return campaign.id


async def _people(running: Service, options: Options, run_dir: Path) -> People:
    """An admin, a supervisor, an operator's account for you, and the robots. Their passwords die with the demo."""
    logins: dict[str, str] = {}
    seats: dict[int, str] = {}
    robots: list[Robot] = []
    turn = asyncio.Lock()

    async def add(login: str, name: str, role: str) -> int:
        logins[login] = random_password()
        user = await running.stores.users.add(
            login=login,
            name=name,
            role=role,
            password_hash=await hash_password(logins[login]),
            team="demo" if role == "operator" else None,
            language="en",
            actor=Actor(),
        )
        return user.id

    await add("admin", "Admin", "admin")
    await add("supervisor", "Supervisor", "supervisor")
    seats[await add("you", "You", "operator")] = f"seat-{options.operators + 1:03}"
    for number in range(1, options.operators + 1):
        login, seat = f"robot{number}", f"seat-{number:03}"
        seats[await add(login, f"Robot {number}", "operator")] = seat
        robots.append(
            Robot(
                url=running.url,
                login=login,
                password=logins.pop(login),
                seat=seat,
                saves=run_dir / "saves.jsonl",
                chance=Random(options.seed * 1000 + number),
                turn=turn,
            )
        )
    return People(logins=logins, seats=seats, robots=robots)


def _introduce(running: Service, ground: Ground, people: People, say: Callable[[str], None]) -> None:
    say(f"\nThe live board: {running.url}/board")
    for login, password in people.logins.items():
        say(f"  {login:<12} {password}")
    if ground.spare is not None:
        seat, secret, port = ground.spare
        say(
            f"Take a seat yourself: log in as 'you' at {running.url}/operator with a headset; "
            f"or with a softphone: {seat}@127.0.0.1:{port} (UDP), secret {secret}"
        )
    say("Ctrl-C ends it.\n")


async def _dial(running: Service, options: Options, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Wait for the end, telling now and then what goes on.

    Raises:
        DialerError: the service ended by itself, and why.
    """
    stopped = asyncio.create_task(stop.wait(), name="demo-stop")
    ends = asyncio.get_running_loop().time() + (options.seconds or float("inf"))
    try:
        while not stopped.done() and (left := ends - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait({stopped, running.done}, timeout=min(left, 10.0), return_when=asyncio.FIRST_COMPLETED)
            if running.done.done():
                running.done.result()
                return
            _tell(running, say)
    finally:
        stopped.cancel()


def _tell(running: Service, say: Callable[[str], None]) -> None:
    for campaign in running.engine.board().campaigns:
        say(
            f"{campaign.name}: {campaign.talking} talking, {campaign.ready} ready, {campaign.ringing} ringing; "
            f"legal window: {campaign.answered} answered, {campaign.abandoned} abandoned. "
            f"{campaign.sentence.get('en', '')}"
        )


async def _say_goodbye(
    running: Service, ground: Ground, campaign_id: int, people: People, robots: Sequence[asyncio.Task[None]]
) -> None:
    """No new calls; who is on the line is still served; conversations are closed and saved; nothing is left."""
    await running.stores.campaigns.set_state(campaign_id, CampaignState.STOPPED, actor=Actor())
    await running.engine.campaigns_changed()
    await _until(running, _nobody_waits, FAREWELL_S_MAX)
    for robot in people.robots:
        robot.leave()
    await asyncio.wait(robots, timeout=FAREWELL_S_MAX)
    if not await _until(running, _silent, RING_TIMEOUT_S + 1.0):
        await ground.hang_up()
        await _until(running, _silent, FAREWELL_S_MAX)


async def _until(running: Service, so: Callable[[Service], bool], patience_s: float) -> bool:
    """Whether it became so within that time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            version = running.engine.board().version
            while not so(running):
                version = await running.engine.changed(version)
    return so(running)


def _nobody_waits(running: Service) -> bool:
    return all(campaign.lines == 0 for campaign in running.engine.board().campaigns)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel what still runs, and wait for it."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _silent(running: Service) -> bool:
    """Whether every attempt has its end."""
    return running.engine.board().counters["attempts"] == sum(running.engine.outcome_counts().values())


async def _summary(
    running: Service, ground: Ground, campaign_id: int, people: People, began: datetime
) -> dict[str, object]:
    """The one JSON object at the end."""
    until = datetime.now(UTC) + timedelta(seconds=1)
    board = running.engine.board()
    rows = await _attempts(running.stores, campaign_id)
    while len(rows) < board.counters["attempts"] and datetime.now(UTC) < until + timedelta(seconds=STORED_S_MAX):
        await asyncio.sleep(0.1)
        rows = await _attempts(running.stores, campaign_id)
    ledger = [_stored(row, people.seats) for row in rows]
    verdict = judge(ground.calls(), ledger)
    for sentence in verdict.disagreements[:20]:
        sys.stderr.write(f"The world disagrees: {sentence}\n")
    [total] = await running.stores.kpi.table(since=began, until=until, by="total", campaign_id=campaign_id)
    abandoned = sum(attempt.outcome == "abandoned" for attempt in ledger)
    return {
        "attempts": verdict.attempts,
        "answered": verdict.answered,
        "connected": verdict.connected,
        "abandoned": abandoned,
        "results_per_hour": _rounded(total.values.get("results_per_hour")),
        "calls_per_closed_contact": _rounded(total.values.get("calls_per_closed_contact")),
        "answer_to_connect_ms": {
            "p50": _rounded(total.values.get("answer_to_voice_p50")),
            "p99": _rounded(total.values.get("answer_to_voice_p99")),
        },
        "busy_share": _rounded(total.values.get("busy_share")),
        "double_dials": verdict.double_dials,
        "max_lines_per_ready_operator": board.counters.get("max_lines_per_ready_operator_x100", 0) / 100,
        "switch": ground.switch,
        "disagreements": len(verdict.disagreements),
        "dispositions_saved": sum(robot.saved for robot in people.robots),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


async def _attempts(stores: Stores, campaign_id: int) -> list[AttemptRow]:
    """Every finished attempt of the campaign."""
    found: list[AttemptRow] = []
    cursor = None
    while True:
        page = await stores.attempts.list(campaign_id=campaign_id, cursor=cursor, limit=1000)
        found += [row for row in page.rows if row.number]  # who called us has none: the world called nobody
        if page.next is None:
            return found
        cursor = page.next


def _stored(row: AttemptRow, seats: Mapping[int, str]) -> Stored:
    return Stored(
        attempt_id=str(row.attempt_id),
        number=row.phone,
        sent_at=row.sent_at.timestamp(),
        ended_at=row.ended_at.timestamp(),
        outcome=row.outcome,
        answered_at=row.answered_at.timestamp() if row.answered_at else None,
        connected_at=row.connected_at.timestamp() if row.connected_at else None,
        seat=seats.get(row.operator_id) if row.operator_id else None,
    )
