"""Puts the rooms together: one process with the engine, the web, and if need be a PostgreSQL of its own.

Start: database (own or given) → migrations → pools → web → engine (lease, recovery, link). Stop, in this order: no new
calls → facts written → lease given back → pages closed → database. If the engine dies, the service stops with its
reason; a process that dials without a lease, or a page without an engine behind it, helps nobody.
"""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from aiohttp import web

from ami.link import Link, LinkSettings
from dialer import closing, counting, forbidden, late_leads, priority, profiles, promises, recordings
from dialer.engine.clock import SystemClock
from dialer.engine.engine import Engine
from dialer.errors import LeaseLost, Misconfigured
from dialer.outbox.letters import Postman
from dialer.outbox.reports import ReportPostman
from dialer.outbox.smtp import server_of
from dialer.outbox.webhooks import Deliverer
from dialer.passwords import LETTER_KEY, RECORDING_KEY, WEBHOOK_KEY, key_in
from dialer.settings import Settings
from dialer.store.ids import new_id
from dialer.store.keeping import Keeper
from dialer.store.letters import Sender
from dialer.store.migrate import migrate
from dialer.store.partitions import keep_partitions
from dialer.store.pools import Pools
from dialer.store.recordings import Recordings
from dialer.store.server import OwnServer
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.web.app import create_app
from dialer.web.call import CONTEXT
from dialer.web.report_letters import writer

log = structlog.get_logger(__name__)

#: Contexts of our dialplan, and its version; an Asterisk without them is not dialled on.
CONTEXTS = ("operator", "answered", "offer", "held", "listen", "whisper", "join", "inbound", "missed", "unknown")
PLAN = "6"
PARTITIONS_S = 24 * 3600.0
#: Work beside the engine that failed is begun again after this.
AGAIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """A running service.

    Attributes:
        url: Where its pages are.
        engine: Runs the campaigns.
        stores: PostgreSQL, by noun.
        pools: Its connections.
        done: Ends when the engine does, with its error.
        setup_token: By which the first admin is made in the browser; None where somebody can log in.
    """

    url: str
    engine: Engine
    stores: Stores
    pools: Pools
    done: asyncio.Task[None]
    setup_token: str | None


def link_settings(settings: Settings) -> LinkSettings:
    """Where the switch is and what it must be."""
    return LinkSettings(
        host=settings.ami_host,
        port=settings.ami_port,
        events_user=settings.ami_events_user,
        events_secret=settings.ami_events_secret.get_secret_value(),
        commands_user=settings.ami_commands_user,
        commands_secret=settings.ami_commands_secret.get_secret_value(),
        contexts=CONTEXTS,
        plan=PLAN,
    )


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database: the one given, or a PostgreSQL of our own while this lasts; migrated."""
    async with AsyncExitStack() as stack:
        url = settings.database_url
        if url is None:
            url = await stack.enter_async_context(OwnServer(settings.data_dir / "postgres"))
        await asyncio.to_thread(migrate, url)
        yield url


def listen(host: str, port: int) -> socket.socket:
    """The socket of the pages, taken before anything else so that a port in use is said at once.

    Raises:
        Misconfigured: ``http.port_in_use``.
    """
    try:
        return socket.create_server((host, port), reuse_port=False, backlog=512)
    except OSError as error:
        raise Misconfigured(
            "http.port_in_use",
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            remedy="Stop what listens there, or set DIALER_HTTP_PORT to another port.",
        ) from None


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """A service from its first breath to an orderly stop."""
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(settings.http_host, settings.http_port))
        url = await stack.enter_async_context(database(settings))
        suppression = settings.suppression_key.get_secret_value()
        pools = await stack.enter_async_context(Pools.open(url, suppression_key=suppression))
        await keep_partitions(pools.engine)
        store = PgStore(pools.engine, url)
        stack.push_async_callback(store.close)
        stores = Stores.of(pools)
        link = Link(link_settings(settings))
        engine = Engine(
            switch=settings.switch, link=link, store=store, clock=SystemClock(), rng=random.Random(), new_id=new_id
        )
        app = create_app(stores=stores, commands=engine, live=engine, settings=settings)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        stack.enter_context(priority.real_time())
        _calm_collector()
        await asyncio.to_thread(profiles.read_all)
        key = await asyncio.to_thread(key_in, settings.data_dir, WEBHOOK_KEY)
        deliverer = await stack.enter_async_context(Deliverer(pools.web, key, named_hosts=settings.named_hosts))
        delivering = asyncio.create_task(kept("webhooks", deliverer.run), name="webhooks")
        stack.callback(delivering.cancel)
        key = await asyncio.to_thread(key_in, settings.data_dir, LETTER_KEY)
        postman = Postman(pools.web, key, origin=settings.origin, server=server_of(settings))
        posting = asyncio.create_task(kept("letters", postman.run), name="letters")
        stack.callback(posting.cancel)
        reporting = asyncio.create_task(kept("reports", _reports(settings, pools, stores, key).run), name="reports")
        stack.callback(reporting.cancel)
        recorder = await _recorder(engine, pools, settings)
        done = asyncio.create_task(_engine(engine, pools, settings.switch, recorder), name="engine")
        host, port = listener.getsockname()[:2]
        try:
            yield Service(f"http://{host}:{port}", engine, stores, pools, done, app[CONTEXT].setup.token)
        finally:
            await engine.stop()
            done.cancel()
            await asyncio.gather(done, return_exceptions=True)


def _reports(settings: Settings, pools: Pools, stores: Stores, key: bytes) -> ReportPostman:
    """Sends reports by mail."""
    return ReportPostman(
        pools.web,
        key,
        origin=settings.origin,
        sender=Sender(name="Dialer", address=settings.mail_from),
        server=server_of(settings),
        write=writer(stores, settings.origin),
    )


def _calm_collector() -> None:
    """A full collection walks all that was ever imported while a callee waits; what stays is not walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 20, 100)


async def kept(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Work beside the engine, for ever: what ends it is said in the log, and it is begun again.

    Args:
        name: Of the work, for the log.
        work: Runs until cancelled.
    """
    while True:
        try:
            await work()
        except Exception:
            log.exception("chore.failed", chore=name)
        await asyncio.sleep(AGAIN_S)


async def _recorder(engine: Engine, pools: Pools, settings: Settings) -> recordings.Keeper:
    """Who keeps the recordings of this switch."""
    key = await asyncio.to_thread(key_in, settings.data_dir, RECORDING_KEY)
    return recordings.Keeper(
        Recordings(pools.web),
        switch=settings.switch,
        spool=settings.recordings_spool,
        volume=settings.recordings,
        key=key,
        free_bytes=settings.recordings_free_mb * 1_000_000,
        trouble=engine.recordings_kept,
        failed=engine.recordings_failed,
    )


async def _engine(engine: Engine, pools: Pools, switch: str, recorder: recordings.Keeper) -> None:
    """The engine, and beside it the daily work on the database and the look at lines that must be cut."""

    def lists() -> list[tuple[int, str]]:
        return [(one.id, name) for one in engine.floor.campaigns.values() for name in one.profile.national_lists]

    async def housekeeping() -> None:
        while True:
            await asyncio.sleep(PARTITIONS_S)
            await keep_partitions(pools.engine)

    keeper = Keeper(pools.engine)
    work: dict[str, Callable[[], Awaitable[None]]] = {
        "housekeeping": housekeeping,
        "forbidden": lambda: forbidden.watch(engine, pools.engine, switch, lists),
        "promises": lambda: promises.watch(engine, lambda: keeper.settle(datetime.now(UTC), engine.stopped_because())),
        "recordings": lambda: recorder.run(engine.started),
        "late leads": lambda: late_leads.watch(pools.web),
        "counting": lambda: counting.watch(pools),
        "closing": lambda: closing.watch(pools.intake),
    }
    chores = [asyncio.create_task(kept(name, one), name=name) for name, one in work.items()]
    try:
        await engine.run()
    finally:
        for chore in chores:
            chore.cancel()


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM.

    Raises:
        DialerError: why the service cannot go on, e.g. LeaseLost.
        AmiError: why the switch cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as service:
        print(f"dialer: {service.url}", file=sys.stderr)  # noqa: T201 - for whoever started it by hand
        if service.setup_token is not None:
            sys.stderr.write(how_to_begin(settings.public_url or service.url, service.setup_token))
        waiting = asyncio.create_task(stop.wait(), name="signals")
        await asyncio.wait({waiting, service.done}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if service.done.done():
            service.done.result()


def how_to_begin(address: str, token: str) -> str:
    """What the very first start says to whoever began it."""
    return (
        f"\nNobody can log in yet. Open {address}/setup and make the first admin with this one-time token:\n"
        f"\n    {token}\n\n"
    )


def exit_code(error: Exception) -> int:
    """What a shell sees: 2 for a wrong setting, 3 for a lost lease, 1 for anything else."""
    if isinstance(error, Misconfigured):
        return 2
    return 3 if isinstance(error, LeaseLost) else 1
