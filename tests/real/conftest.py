"""A rig for all tests here: our Asterisk, the telephone world, and raw AMI sessions of our two users."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import pytest_asyncio

from dialer.errors import Misconfigured
from dialer.world import log, rig, root
from dialer.world.people import Behaviour, Person
from dialer.world.wire import Message, Wire
from tests.real.phones import three_phones

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.real.phones import Call

PORTS = (25200, 25299)

#: Who answers where. Numbers are reserved for drama; each test has its own, so that tests do not meet.
NUMBERS = {
    "patient": Person(behaviour=Behaviour.PERSON, ring_s=0.3, talk_s=40),
    "patient 2": Person(behaviour=Behaviour.PERSON, ring_s=0.3, talk_s=40),
    "patient 3": Person(behaviour=Behaviour.PERSON, ring_s=0.3, talk_s=40),
    "talks 6 s": Person(behaviour=Behaviour.PERSON, ring_s=0.3, talk_s=6),
    "refuses in the message": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="9", key_after_s=3),
    "presses 1": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="1", key_after_s=1),
    "presses 1 too": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="1", key_after_s=1),
    "presses 2": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="2", key_after_s=1),
    "presses 9": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="9", key_after_s=1),
    "presses *": Person(behaviour=Behaviour.PERSON, ring_s=0.1, talk_s=40, key="*", key_after_s=1),
    "presses nothing": Person(behaviour=Behaviour.SILENT, ring_s=0.1),
    "hangs up": Person(behaviour=Behaviour.HANGS_UP, ring_s=0.1),
    **{
        str(kind): Person(behaviour=kind)
        for kind in Behaviour
        if kind not in {"person", "silent", "hangs_up", "machine"}
    },
}
DIGITS = MappingProxyType({name: f"1202555{100 + place:04}" for place, name in enumerate(NUMBERS)})


class Switch:
    """Our Asterisk as a test drives it: raw AMI, no code of the service in between."""

    def __init__(self, pair: rig.Rig, events: Wire, commands: Wire, heard: list[Message]) -> None:
        self.rig, self.events, self.commands, self.heard = pair, events, commands, heard
        self.news = asyncio.Event()

    async def call(self, name: str, context: str, *, ring_timeout_s: float = 10, **variables: str) -> str:
        """Originate a callee; the attempt's channel id."""
        return await self._originate(
            f"att-{uuid4().hex}", f"{DIGITS[name]}@{rig.TRUNK}", context, ring_timeout_s, variables
        )

    async def call_phone(self, seat: str) -> str:
        """Originate an operator's phone; the leg's channel id."""
        return await self._originate(f"opr-{uuid4().hex}", seat, "operator", 10, {})

    async def _originate(
        self, channel: str, target: str, context: str, timeout_s: float, variables: dict[str, str]
    ) -> str:
        await self.commands.ask(
            "Originate",
            Channel=f"PJSIP/{target}",
            ChannelId=channel,
            Context=context,
            Exten="s",
            Priority="1",
            Async="true",
            Timeout=str(round(timeout_s * 1000)),
            Variable=[f"{key}={value}" for key, value in variables.items()],
        )
        return channel

    async def bridge(self, operator: str, attempt: str) -> None:
        await self.commands.ask("Bridge", Channel1=operator, Channel2=attempt, Tone="no")

    async def hang_up(self, *channels: str) -> None:
        for channel in channels:
            try:
                await self.commands.ask("Hangup", Channel=channel, Cause="16")
            except RuntimeError:
                continue
            await self.event(channel, "Hangup")

    async def event(self, channel: str, name: str, within_s: float = 10, **fields: str) -> Message:
        """The first such event of a channel, also if it was before."""
        return (await self.events_of(channel, name, 1, within_s, **fields))[0]

    async def events_of(
        self, channel: str, name: str, count: int, within_s: float = 10, **fields: str
    ) -> list[Message]:
        """The first ``count`` such events of a channel."""

        def found() -> list[Message]:
            return [m for m in self.seen(channel, name) if all(m.get(key) == value for key, value in fields.items())]

        await self.until(lambda: len(found()) >= count, within_s, lambda: f"{name} {fields}; {self.story(channel)}")
        return found()

    async def said(self, channel: str, name: str, within_s: float = 10) -> Message:
        """The UserEvent of our dialplan."""
        return await self.event(channel, "UserEvent", within_s, UserEvent=name)

    def seen(self, channel: str, name: str) -> list[Message]:
        return [m for m in self.heard if m.get("Uniqueid") == channel and m.get("Event") == name]

    def story(self, channel: str) -> list[str]:
        """What was heard of a channel, to read when a test fails."""
        mine = [m for m in self.heard if m.get("Uniqueid") == channel]
        return [f"{m['Event']}:{m.get('UserEvent') or m.get('BridgeTechnology') or ''}" for m in mine]

    async def until(self, so: Callable[[], object], within_s: float, what: Callable[[], str]) -> None:
        """Wait until it is so.

        Raises:
            AssertionError: it did not become so in time.
        """
        try:
            async with asyncio.timeout(within_s):
                while not so():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError(f"not within {within_s:g} s: {what()}") from None

    async def world(self, name: str, so: Callable[[log.WorldCall], object], within_s: float = 10) -> log.WorldCall:
        """The last call at a number, once the world's own log says so."""
        async with asyncio.timeout(within_s):
            while True:
                mine = [call for call in log.calls(self.rig.log) if call.number == DIGITS[name]]
                if mine and so(mine[-1]):
                    return mine[-1]
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def switch(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Switch]:
    """Both Asterisks, once for all tests."""
    try:
        await asyncio.to_thread(root.find)
    except Misconfigured as error:
        pytest.skip(f"{error.message} {error.remedy}")
    plan = rig.Plan(seats=4, table={DIGITS[name]: person for name, person in NUMBERS.items()}, ports=PORTS)
    heard: list[Message] = []
    async with AsyncExitStack() as stack:
        pair = await stack.enter_async_context(rig.running(plan, tmp_path_factory.mktemp("rig")))

        def take(message: Message) -> None:
            heard.append(message)
            driven.news.set()

        port = pair.switch.ami_port
        events = Wire(port, "dialer-events", pair.events_secret, take)
        commands = Wire(port, "dialer-commands", pair.commands_secret)
        driven = Switch(pair, events, commands, heard)
        await stack.enter_async_context(events)
        await stack.enter_async_context(commands)
        yield driven


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Call]:
    """An operator's, a callee's and a supervisor's phone, for one test."""
    async with AsyncExitStack() as stack:
        try:
            made = await stack.enter_async_context(three_phones(tmp_path))
        except Misconfigured as error:
            pytest.skip(f"{error.message} {error.remedy}")
        yield made
