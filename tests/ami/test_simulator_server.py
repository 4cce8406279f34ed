"""The simulated switch behind TCP: who may do what, and what breaks when it is told to break."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ami.actions import Originate
from ami.encode import encode
from ami.errors import LoginRefused, SwitchUnfit, Uncertain
from ami.events import ChannelCreated, ChannelRinging, ChannelUp, Event, HungUp, LinkDown, LinkUp, Said
from ami.link import Link, LinkSettings
from ami.session import Patience
from ami.simulator.manager import dialer_users
from ami.simulator.people import Person, TableWorld
from ami.simulator.server import SimServer
from ami.simulator.switch import Dialplan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CALL = Originate(channel_id="att-1", endpoint="trunk", number="100", context="answered", ring_timeout_ms=25_000)
QUICK = Patience(answer_s=1.0, ping_s=0.2, dead_s=0.6, back_off_s=(0.05, 0.1))
#: Answers after 0.1 s, hears the message 0.1 s later, which lasts 0.1 s.
_WORLD = TableWorld(default=Person(setup_s=0.05, ring_s=0.05))
_PLAN = Dialplan(answer_wait_s=0.1, message_s=0.1)


@asynccontextmanager
async def _server(**more: object) -> AsyncIterator[SimServer]:
    server = SimServer(_WORLD, dialer_users("ev", "co"), dialplan=_PLAN, **more)  # type: ignore[arg-type]  # keywords
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _link(server: SimServer, **more: object) -> Link:
    asked = {"events_secret": "ev", "commands_secret": "co", "contexts": ("operator", "answered", "offer"), "plan": "6"}
    return Link(LinkSettings(port=server.port, **{**asked, **more}))  # type: ignore[arg-type]  # keywords


@asynccontextmanager
async def _up(server: SimServer) -> AsyncIterator[Link]:
    link = _link(server, patience=QUICK)
    running = asyncio.create_task(link.run())
    assert isinstance(await asyncio.wait_for(link.events.get(), 5), LinkUp)
    try:
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _until(link: Link, kind: type[Event], timeout_s: float = 5.0) -> list[Event]:
    """Everything heard up to the first event of this kind."""
    heard: list[Event] = []
    async with asyncio.timeout(timeout_s):
        while not (heard and isinstance(heard[-1], kind)):
            heard.append(await link.events.get())
    return heard


class _Peer:
    """A bare AMI client: lines out, messages in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, server: SimServer, user: str = "", secret: str = "") -> _Peer:
        peer = cls(*await asyncio.open_connection(server.host, server.port))
        assert await peer._reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
        if user:
            peer.ask("Login", Username=user, Secret=secret)
        return peer

    def ask(self, action: str, **headers: str) -> None:
        self.write("".join(f"{k}: {v}\r\n" for k, v in {"Action": action, **headers}.items()) + "\r\n")

    def write(self, text: str) -> None:
        self._writer.write(text.encode())

    async def message(self) -> dict[str, str]:
        block = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 3)
        return dict(line.split(": ", 1) for line in block.decode().split("\r\n") if line)

    async def is_closed(self) -> bool:
        return await asyncio.wait_for(self._reader.read(), 3) == b""


class TestRights:
    async def test_nothing_but_login_is_answered_before_login(self) -> None:
        async with _server() as server:
            peer = await _Peer.connect(server)
            peer.ask("CoreStatus", ActionID="q1")
            assert await peer.message() == {"Response": "Error", "ActionID": "q1", "Message": "Permission denied"}

    async def test_the_events_user_may_not_dial_and_hears(self) -> None:
        async with _server() as server:
            peer = await _Peer.connect(server, "dialer-events", "ev")
            assert (await peer.message())["Message"] == "Authentication accepted"
            assert (await peer.message())["Event"] == "FullyBooted"
            peer.ask("Originate", Channel="PJSIP/100@trunk", Context="answered")
            assert (await peer.message())["Message"] == "Permission denied"
            server.sim.do(CALL)
            assert (await peer.message())["Uniqueid"] == "att-1"

    async def test_the_commands_user_may_dial_and_hears_nothing(self) -> None:
        async with _server() as server:
            peer = await _Peer.connect(server, "dialer-commands", "co")
            await peer.message()
            peer.write(encode(CALL, "a1").decode())
            assert (await peer.message())["Message"] == "Originate successfully queued"
            peer.ask("DBDel", Family="optout", Key="x")
            assert (await peer.message())["Message"] == "Permission denied"
            await asyncio.sleep(0.4)
            peer.ask("Ping")
            assert (await peer.message())["Ping"] == "Pong"
            assert server.switch.calls[0].ended_at is not None

    @pytest.mark.parametrize(("secret", "words"), [("wrong", "Authentication failed"), ("co", "Login Already In Use")])
    async def test_a_refused_login_waits_a_second_and_closes(self, secret: str, words: str) -> None:
        async with _server() as server:
            first = await _Peer.connect(server, "dialer-commands", "co" if secret == "co" else "other")
            await first.message()
            began = asyncio.get_running_loop().time()
            peer = await _Peer.connect(server, "dialer-commands", secret)
            assert (await peer.message())["Message"] == words
            assert asyncio.get_running_loop().time() - began >= 1.0
            assert await peer.is_closed()

    async def test_a_wrong_secret_an_old_version_and_another_plan_stop_the_link(self) -> None:
        async with _server() as server, asyncio.timeout(10):
            with pytest.raises(LoginRefused):
                await _link(server, commands_secret="wrong").run()
            with pytest.raises(SwitchUnfit, match="version"):
                await _link(server, plan="7").run()
            with pytest.raises(SwitchUnfit, match="context"):
                await _link(server, contexts=("no-such-context",)).run()
        async with _server(version="22.9.0") as server, asyncio.timeout(10):
            with pytest.raises(SwitchUnfit, match="too old"):
                await _link(server).run()


class TestTheWire:
    async def test_actions_may_come_a_byte_at_a_time_and_with_bare_line_feeds(self) -> None:
        async with _server() as server:
            peer = await _Peer.connect(server)
            for letter in "Action: Login\nUsername: dialer-commands\nSecret: co\n\nAction: Ping\nActionID: p\n\n":
                peer.write(letter)
                await asyncio.sleep(0)
            assert (await peer.message())["Response"] == "Success"
            assert (await peer.message())["ActionID"] == "p"

    async def test_what_makes_no_sense_is_refused_and_the_session_lives_on(self) -> None:
        async with _server() as server:
            peer = await _Peer.connect(server, "dialer-commands", "co")
            await peer.message()
            peer.ask("Nonsense")
            assert (await peer.message())["Message"].startswith("Invalid/unknown command")
            peer.ask("Hangup", Channel="att-1", Cause="many")
            assert (await peer.message())["Response"] == "Error"
            peer.ask("Logoff")
            assert (await peer.message())["Response"] == "Goodbye"
            assert await peer.is_closed()


class TestBadWeather:
    async def test_an_originate_cut_at_any_byte_is_dialled_only_if_it_was_whole(self) -> None:
        length = len(encode(CALL, "1" * 4))
        for missing in (length - 1, length // 2, 30, 4, 3, 2, 1, 0):
            async with _server() as server, _up(server) as link:
                server.faults["dialer-commands"].cut_after_received = _bytes_of_next(link, CALL) - missing
                with pytest.raises(Uncertain):
                    await link.send(CALL)
                assert isinstance((await _until(link, LinkDown))[-1], LinkDown)
                assert len(server.switch.calls) == (missing == 0), missing

    async def test_an_event_cut_in_the_middle_is_not_half_heard(self) -> None:
        async with _server() as server, _up(server) as link:
            server.faults["dialer-events"].cut_after_sent = 700
            await link.send(CALL)
            heard = await _until(link, LinkUp)
            assert [type(e) for e in heard][-2:] == [LinkDown, LinkUp]
            assert link.malformed == 0

    async def test_a_mute_switch_is_given_up_and_found_again(self) -> None:
        async with _server() as server, _up(server) as link:
            faults = server.faults["dialer-commands"]
            faults.mute = True
            with pytest.raises(Uncertain):
                await link.send(CALL)
            assert isinstance((await _until(link, LinkDown))[-1], LinkDown)
            faults.mute = False
            await _until(link, LinkUp)

    async def test_a_slow_line_delays_every_event_and_loses_none(self) -> None:
        async with _server() as server, _up(server) as link:
            server.faults["dialer-events"].bytes_per_s = 4_000
            await link.send(CALL)
            heard = await _until(link, HungUp)
            ended = server.switch.calls[0].ended_at
            assert ended is not None
            assert server.sim.now() - ended > 0.2
            assert [e.name for e in heard if isinstance(e, Said)] == ["Answered", "Message"]

    async def test_events_come_twice_late_or_never_on_demand(self) -> None:
        async with _server() as server, _up(server) as link:
            faults = server.faults["dialer-events"]
            faults.duplicate = 1.0
            await link.send(CALL)
            heard = await _until(link, HungUp)
            assert len([e for e in heard if isinstance(e, ChannelUp)]) == 2
            faults.duplicate, faults.lose = 0.0, 1.0
            await asyncio.sleep(0.1)
            _drain(link)
            server.sim.do(CALL)
            await asyncio.sleep(0.6)
            assert _drain(link) == []
            faults.lose, faults.reorder = 0.0, 1.0
            server.sim.do(CALL)
            assert [type(e) for e in (await _until(link, HungUp))[:2]] == [ChannelRinging, ChannelCreated]

    async def test_a_slow_answer_is_no_answer_when_it_is_too_late(self) -> None:
        async with _server() as server, _up(server) as link:
            server.faults["dialer-commands"].answer_delay_s = 0.3
            await link.send(CALL)
            assert link.ack_s_p95() >= 0.3
            server.faults["dialer-commands"].answer_delay_s = 1.5
            with pytest.raises(Uncertain):
                await link.send(CALL)

    async def test_a_restart_breaks_the_link_and_shows_a_new_start_time(self) -> None:
        async with _server() as server, _up(server) as link:
            await link.send(CALL)
            before = (await link.snapshot()).started_at
            server.sim.crash(down_s=1.2)
            up = (await _until(link, LinkUp))[-1]
            assert isinstance(up, LinkUp)
            assert up.started_at > before
            assert (await link.snapshot()).channels == ()


def _bytes_of_next(link: Link, action: Originate) -> int:
    """How long this action will be on the wire if it is the next thing asked."""
    session = link._session()
    return len(encode(action, f"{session.name}-{session._asked + 1}"))


def _drain(link: Link) -> list[Event]:
    heard = []
    while not link.events.empty():
        heard.append(link.events.get_nowait())
    return heard
