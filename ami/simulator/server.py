"""The simulated switch behind real AMI over TCP, in real time, with faults on demand.

Two users with classes of rights, no double login, lists, privileges, the one-second pause before a refused login:
as a real Asterisk does it (tried), so that ``ami.link`` cannot tell the difference.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from ami.simulator.exchange import VERSION
from ami.simulator.inprocess import SimHost
from ami.simulator.manager import Manager, User, error, one, own, read, success
from ami.simulator.wire import BANNER, EventWriter, block

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ami.events import Event
    from ami.simulator.manager import Headers
    from ami.simulator.people import World
    from ami.simulator.switch import Dialplan

REFUSED_LOGIN_S: Final = 1.0
"""Asterisk waits this long before it says no, against guessing."""
LATE_S: Final = 0.2
"""An event that waits to be overtaken waits no longer than this."""
READ_BYTES: Final = 65536


@dataclass(slots=True, kw_only=True)
class WireFaults:
    """Weather on the TCP connections of one user; may be changed at any moment.

    Attributes:
        cut_after_sent: Break the connection after this many more bytes from the switch; counts down.
        cut_after_received: Break it after this many more bytes from the client; what came before is obeyed.
        mute: Nothing leaves the switch and nothing is read; nobody is told (half-open).
        bytes_per_s: Slow line from the switch; 0 is as fast as it gets.
        answer_delay_s: Every answer to an action is held back this long.
        lose: Probability that an event is not sent.
        duplicate: Probability that an event is sent twice.
        reorder: Probability that an event is sent after the next one.
    """

    cut_after_sent: int | None = None
    cut_after_received: int | None = None
    mute: bool = False
    bytes_per_s: float = 0.0
    answer_delay_s: float = 0.0
    lose: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0


class SimServer:
    """A simulated switch that listens.

    Args:
        world: Who answers.
        users: Sections of manager.conf; see ``dialer_users``.
        host: Address to listen on.
        port: Its port; 0 picks a free one, ``port`` then tells which.
        dialplan: Durations of our dialplan.
        version: What CoreSettings says.
        seed: Of the faults that come by chance.
    """

    def __init__(
        self,
        world: World,
        users: Mapping[str, User],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        dialplan: Dialplan | None = None,
        version: str = VERSION,
        seed: int = 0,
    ) -> None:
        self.users = dict(users)
        self.host = host
        self.port = port
        self.faults: dict[str, WireFaults] = {name: WireFaults() for name in users}
        self.logged_in: dict[str, Connection] = {}
        self.random = Random(seed)
        self._world = world
        self._dialplan = dialplan
        self._version = version
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Start the switch and listen.

        Raises:
            OSError: the port is in use.
        """
        loop = asyncio.get_running_loop()
        self.sim = SimHost(self._world, epoch_s=time.time() - loop.time(), dialplan=self._dialplan)
        self.switch = self.sim.switch
        self.manager = Manager(self.sim, version=self._version)
        self._writer = EventWriter(self.switch)
        self.sim.listeners.append(self._tell)
        self.sim.on_crash.append(self.break_all)
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything; nothing of it runs any more."""
        self.sim.close()
        if self._server is not None:
            self._server.close()
        self.break_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2 * REFUSED_LOGIN_S)

    def break_all(self) -> None:
        """Reset every connection."""
        for connection in list(self._connections):
            connection.reset()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(Connection(self, reader, writer)), name="ami peer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        self._connections.add(connection)
        try:
            if self.switch.running:
                await connection.serve()
        finally:
            self._connections.discard(connection)
            if self.logged_in.get(connection.user) is connection:
                del self.logged_in[connection.user]
            connection.reset()

    def _tell(self, event: Event) -> None:
        """Write an event to everybody who may read it."""
        if not self.logged_in:
            return
        name, right, data = self._writer.write(event)
        for login, connection in self.logged_in.items():
            user = self.users[login]
            if right in user.read and name in user.passes:
                connection.tell(data)


class Connection:
    """One AMI session."""

    def __init__(self, server: SimServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.user = ""
        self._server = server
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._faults = WireFaults()
        self._late: bytes | None = None
        self._held: list[bytes] = []
        self._cut = False
        self._free_at = 0.0
        """When a slow line has carried what was written so far."""

    async def serve(self) -> None:
        """Greet, then obey until the connection ends."""
        self._put(BANNER)
        pending = b""
        with suppress(ConnectionError):
            while not self._cut and (data := await self._read()):
                *messages, pending = (pending + data).replace(b"\r\n", b"\n").split(b"\n\n")
                for message in messages:
                    if message.strip() and not await self._obey(read(message)):
                        return

    def tell(self, data: bytes) -> None:
        """Send an event, weather permitting."""
        faults, chance = self._faults, self._server.random.random
        if faults.lose and chance() < faults.lose:
            return
        if faults.reorder and self._late is None and chance() < faults.reorder:
            self._late = data
            self._loop.call_later(LATE_S, self._put_late)
            return
        self._put(data)
        if faults.duplicate and chance() < faults.duplicate:
            self._put(data)
        self._put_late()

    def _put_late(self) -> None:
        """Send what was overtaken."""
        if self._late is not None:
            late, self._late = self._late, None
            self._put(late)

    def reset(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def _read(self) -> bytes:
        data = await self._reader.read(READ_BYTES)
        faults = self._faults
        while faults.mute:  # noqa: ASYNC110  # weather is a plain attribute, it tells nobody
            await asyncio.sleep(0.05)
        if faults.cut_after_received is not None:
            data = data[: faults.cut_after_received]
            faults.cut_after_received -= len(data)
            if faults.cut_after_received <= 0:
                faults.cut_after_received = None
                self._cut = True
        return data

    def _put(self, data: bytes) -> None:
        faults = self._faults
        if self._cut or self._writer.transport.is_closing():
            return
        if faults.mute:
            self._held.append(data)
            return
        if self._held:
            data, self._held = b"".join([*self._held, data]), []
        if faults.bytes_per_s > 0:
            self._free_at = max(self._free_at, self._loop.time()) + len(data) / faults.bytes_per_s
            self._loop.call_at(self._free_at, self._put_now, data)
        else:
            self._put_now(data)

    def _put_now(self, data: bytes) -> None:
        faults = self._faults
        if self._writer.transport.is_closing():
            return
        if faults.cut_after_sent is not None and len(data) >= faults.cut_after_sent:
            self._writer.write(data[: faults.cut_after_sent])
            faults.cut_after_sent = None
            self._writer.close()
            return
        if faults.cut_after_sent is not None:
            faults.cut_after_sent -= len(data)
        self._writer.write(data)

    async def _obey(self, headers: Headers) -> bool:
        """Carry out one action; False when the session is over."""
        if one(headers, "action").lower() == "login":
            return await self._login(headers)
        rights = self._server.users[self.user].write if self.user else frozenset[str]()
        reply = self._server.manager.reply(headers, rights)
        data = reply.data(own(headers))
        if self._faults.answer_delay_s:
            self._loop.call_later(self._faults.answer_delay_s, self._put, data)
        else:
            self._put(data)
        return not reply.closes

    async def _login(self, headers: Headers) -> bool:
        server, name = self._server, one(headers, "username")
        if self.user:
            self._put(success(("Message", "Already authenticated")).data(own(headers)))
            return True
        user = server.users.get(name)
        if name in server.logged_in or user is None or user.secret != one(headers, "secret"):
            refusal = "Login Already In Use" if name in server.logged_in else "Authentication failed"
            await asyncio.sleep(REFUSED_LOGIN_S)
            self._put(error(refusal).data(own(headers)))
            self._writer.close()
            return False
        self.user, self._faults = name, server.faults[name]
        server.logged_in[name] = self
        self._put(success(("Message", "Authentication accepted")).data(own(headers)))
        if "system" in user.read:
            self._put(self._fully_booted())
        return True

    def _fully_booted(self) -> bytes:
        uptime_s = str(int(self._server.sim.now() - self._server.switch.started_at))
        head = (("Event", "FullyBooted"), ("Privilege", "system,all"))
        return block((*head, ("Uptime", uptime_s), ("LastReload", uptime_s), ("Status", "Fully Booted")))
