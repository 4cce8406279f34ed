"""A hand-made AMI peer: says what Asterisk 22 says, as a test wants it, and can fall silent, stall or hang up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import asynccontextmanager

from ami.actions import Originate
from ami.events import LinkUp
from ami.link import Link, LinkSettings
from ami.session import Patience

Answer = Callable[[dict[str, str]], str | None]

LOGIN = {"dialer-events": "listen", "dialer-commands": "act"}
ATTEMPT = "att-" + "0af1" * 8
OPERATOR = "opr-" + "9bd3" * 8
CALL = Originate(
    channel_id=ATTEMPT, endpoint="carrier", number="79001234567", context="answered", ring_timeout_ms=25_000
)
FAST = Patience(connect_s=1.0, answer_s=0.15, ping_s=0.05, dead_s=0.3, boot_s=0.3, back_off_s=(0.01, 0.05))
CALM = Patience(back_off_s=(0.01, 0.05))
VERSION = "22.10.1+dfsg+~cs6.17.60671434-1"


def ok(**more: str) -> Answer:
    return lambda _: "Response: Success\r\n" + "".join(f"{name}: {value}\r\n" for name, value in more.items())


def refused(message: str) -> Answer:
    return lambda _: f"Response: Error\r\nMessage: {message}\r\n"


def in_turn(*answers: Answer) -> Answer:
    """The first answer first, the last one from then on."""
    left = list(answers)

    def answer(headers: dict[str, str]) -> str | None:
        now = left.pop(0) if len(left) > 1 else left[0]
        return now(headers)

    return answer


def nothing(_: dict[str, str]) -> None:
    return None


class Peer:
    """One Asterisk, seen through AMI.

    Attributes:
        actions: Every action ever received, logins and pings left out, as (user, headers).
        answers: What to say to which action; a missing one is answered with success, None with nothing.
        muted: Receive, and say nothing, not even to a ping.
    """

    def __init__(self) -> None:
        self.actions: list[tuple[str, dict[str, str]]] = []
        self.logins: list[str] = []
        self.muted = False
        self.boot_told = True
        self.sessions: dict[str, asyncio.StreamWriter] = {}
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self.answers: dict[str, Answer] = {
            "CoreSettings": ok(AsteriskVersion=VERSION),
            "CoreStatus": ok(
                CoreStartupDate="2026-11-21",
                CoreStartupTime="20:26:15",
                CoreReloadDate="2026-11-21",
                CoreReloadTime="20:30:00",
            ),
            "Getvar": ok(Variable="DIALER_PLAN", Value="1"),
            "Ping": ok(Ping="Pong", Timestamp="1795293262.473883"),
            "ShowDialPlan": listing("ListDialplan", [{"Context": "operator"}], "ShowDialPlanComplete"),
            "CoreShowChannels": listing("CoreShowChannel", [], "CoreShowChannelsComplete"),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        user = ""
        self._writers.append(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                frame = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.split(": ", 1) for line in frame.split("\r\n") if line)
                if headers["Action"] == "Login":
                    user = self.login(headers, writer)
                else:
                    self.react(user, headers, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def login(self, headers: dict[str, str], writer: asyncio.StreamWriter) -> str:
        user = headers["Username"]
        good = LOGIN.get(user) == headers["Secret"]
        answer = self.answers.get("Login", ok() if good else refused("Authentication failed"))(headers)
        if self.muted or answer is None:
            return user
        self.logins.append(user)
        self.sessions[user] = writer
        writer.write(f"{answer}ActionID: {headers['ActionID']}\r\n\r\n".encode())
        if self.boot_told and headers["Events"] == "on" and "Success" in answer:
            writer.write(b"Event: FullyBooted\r\nUptime: 487\r\nLastReload: 262\r\nStatus: Fully Booted\r\n\r\n")
        return user

    def react(self, user: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if headers["Action"] != "Ping":
            self.actions.append((user, headers))
        answer = self.answers.get(headers["Action"], ok())(headers)
        if answer is not None and not self.muted:
            action_id = f"ActionID: {headers['ActionID']}\r\n"
            frames = answer.strip().split("\r\n\r\n")
            writer.write("".join(f"{frame}\r\n{action_id}\r\n" for frame in frames).encode())

    def say(self, text: str | bytes) -> None:
        """Send events to whoever listens."""
        self.sessions["dialer-events"].write(text if isinstance(text, bytes) else text.encode())

    def cut(self, user: str = "dialer-commands") -> None:
        """Close a session as a dying process does."""
        self.sessions[user].transport.abort()

    async def hang_up(self) -> None:
        """Close every connection and let their tasks end."""
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    def named(self, name: str) -> list[dict[str, str]]:
        """All actions of a name."""
        return [headers for _, headers in self.actions if headers["Action"] == name]


def listing(event: str, entries: list[dict[str, str]], complete: str, *, items: int | None = None) -> Answer:
    """An answer that is a list."""
    frames = ["Response: Success\r\nEventList: start\r\nMessage: will follow"]
    frames += ["\r\n".join([f"Event: {event}", *(f"{k}: {v}" for k, v in entry.items())]) for entry in entries]
    frames.append(f"Event: {complete}\r\nEventList: Complete\r\nListItems: {len(entries) if items is None else items}")
    return lambda _: "\r\n\r\n".join(frames)


@asynccontextmanager
async def listening(peer: Peer):
    """A port where the peer answers; gone afterwards."""
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await peer.hang_up()


def a_link(peer: Peer, *, patience: Patience = CALM, **more) -> Link:
    settings = {"events_secret": LOGIN["dialer-events"], "commands_secret": LOGIN["dialer-commands"]} | more
    return Link(LinkSettings(port=peer.port, patience=patience, **settings), chance=random.Random(1))


async def next_event(link: Link):
    return await asyncio.wait_for(link.events.get(), 3)


@asynccontextmanager
async def running(link: Link):
    task = asyncio.create_task(link.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def connected(peer: Peer | None = None, **more):
    """A link that is up."""
    async with listening(peer or Peer()) as there:
        link = a_link(there, **more)
        async with running(link):
            assert isinstance(await next_event(link), LinkUp)
            yield there, link


def user_event(name: str, **more: str) -> str:
    fields = "".join(f"{key}: {value}\r\n" for key, value in more.items())
    return f"Event: UserEvent\r\nTimestamp: 1.5\r\nUniqueid: {ATTEMPT}\r\nUserEvent: {name}\r\n{fields}\r\n"


async def until(true) -> None:
    """Wait for something that tells nobody when it becomes true."""
    async with asyncio.timeout(3):
        while not true():  # noqa: ASYNC110  # a peer's list of actions has no event
            await asyncio.sleep(0.01)
