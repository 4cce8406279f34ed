"""Where the stories of ``conformance`` happen: a rig, everything that is heard of each channel, and what one may do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import uuid4

import pytest

from ami.actions import Action, Bridge, Hangup, Originate
from ami.errors import ActionRefused
from ami.events import (
    UNHEARD,
    BridgeEntered,
    Event,
    HungUp,
    Said,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ami.port import SwitchLink

E = TypeVar("E", bound=Event)

#: What a rig must have numbers for. Keys are pressed a second after the answer (in the message: after it began),
#: ``hangs_up`` puts down two and a half seconds after the answer, everyone who answers rings for half a second first.
BEHAVIOURS = (
    "answers",
    "hangs_up",
    "busy",
    "invalid",
    "rejected",
    "congestion",
    "out_of_order",
    "no_answer",
    "early_media",
    "presses_1",
    "presses_2",
    "presses_9",
    "presses_star",
    "presses_9_in_message",
)
LONG_S = 45.0
"""For what must come, however long the sentences of a dialplan are."""


class Rig(Protocol):
    """A switch to try."""

    link: SwitchLink
    """Not running yet, or running and its LinkUp still in the queue."""
    trunk: str
    tolerance_s: float
    """How exactly it keeps time."""

    def number(self, behaviour: str) -> str:
        """Digits of a number that behaves as one of ``BEHAVIOURS``; several calls at a time may go to it."""

    def seat(self) -> str:
        """A seat nobody else has been given, whose phone is registered and answers by itself."""

    def seat_without_phone(self) -> str:
        """A seat that exists and has no phone."""

    async def lose_phone(self, seat: str) -> None:
        """The phone of this seat ends its call."""

    async def find_phone(self, seat: str) -> None:
        """The lost phone of this seat can be called again."""

    async def calls_in(self, number: str, dialled: str) -> None:
        """Somebody calls our switch over the trunk and stays until put down."""

    def recorded(self, name: str) -> bytes | None:
        """What lies in the switch's folder of recordings under this name, None if nothing does."""


class Tale:
    """Everything that is heard of one channel."""

    def __init__(self, channel_id: str) -> None:
        self.channel_id = channel_id
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def add(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def all(self, kind: type[E], **fields: object) -> list[E]:
        return [e for e in self.events if isinstance(e, kind) and all(getattr(e, k) == v for k, v in fields.items())]

    def said(self) -> list[str]:
        return [e.name for e in self.all(Said)]

    def keys(self) -> list[str]:
        return [e.fields["Key"] for e in self.all(Said, name="Key")]

    async def until(self, kind: type[E], *, nth: int = 1, **fields: object) -> E:
        """The nth such event, now or later."""
        try:
            async with asyncio.timeout(LONG_S):
                while len(found := self.all(kind, **fields)) < nth:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pytest.fail(f"{kind.__name__} {fields} never came to {self.channel_id}: {self.events}")
        return found[nth - 1]


class Stage:
    """Where stories happen."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.link = rig.link
        self.surprises: list[Event] = []
        """What the filters of manager.conf keep back, and was heard all the same."""
        self._tales: dict[str, Tale] = {}
        self._came: dict[str, asyncio.Future[Said]] = {}

    async def listen(self) -> None:
        while True:
            event = await self.link.events.get()
            if isinstance(event, UNHEARD):
                self.surprises.append(event)
            if isinstance(event, Said) and event.name == "CameIn":
                self._came[event.fields["Caller"]].set_result(event)
            channel_id = getattr(event, "channel_id", None)
            if channel_id is not None:
                self.tale(channel_id).add(event)

    def tale(self, channel_id: str) -> Tale:
        return self._tales.setdefault(channel_id, Tale(channel_id))

    async def call(
        self,
        behaviour: str,
        *,
        context: str = "answered",
        ring_timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
        channel_id: str = "",
    ) -> Tale:
        tale = self.tale(channel_id or f"att-{uuid4().hex}")
        await self.link.send(
            Originate(
                channel_id=tale.channel_id,
                endpoint=self.rig.trunk,
                number=self.rig.number(behaviour),
                context=context,
                ring_timeout_ms=int(ring_timeout_s * 1000),
                variables=variables or {},
            )
        )
        return tale

    async def offer(
        self, behaviour: str, *, key_wait_s: int = 20, said: str = "3", promised: str = "2", record: bool = False
    ) -> Tale:
        keys = {name: told for name, told in (("DIALER_SAID_KEYS", said), ("DIALER_CALLBACK_KEYS", promised)) if told}
        variables = {"DIALER_OFFER": "demo", "DIALER_KEY_WAIT_S": str(key_wait_s), **keys}
        variables |= {"DIALER_RECORD": "1"} if record else {}
        return await self.call(behaviour, context="offer", variables=variables)

    async def phone(self, seat: str) -> Tale:
        tale = self.tale(f"opr-{uuid4().hex}")
        await self.link.send(
            Originate(
                channel_id=tale.channel_id, endpoint=seat, number=None, context="operator", ring_timeout_ms=20_000
            )
        )
        return tale

    async def operator(self) -> tuple[str, Tale]:
        """A seat and its phone, waiting for a callee."""
        seat = self.rig.seat()
        tale = await self.phone(seat)
        await tale.until(Said, name="OperatorReady")
        await tale.until(BridgeEntered, holding=True)
        return seat, tale

    async def caller(self, number: str, dialled: str = "+74951234567", *, told: str = "") -> tuple[Tale, Said]:
        """Somebody who calls in and waits: what is heard of the channel, and how the switch told of it."""
        came = self._came[told or number] = asyncio.get_running_loop().create_future()
        await self.rig.calls_in(number, dialled)
        async with asyncio.timeout(LONG_S):
            said = await came
        tale = self.tale(said.channel_id)
        await tale.until(BridgeEntered, holding=True)
        return tale, said

    async def spy(self, on: Tale | None, mode: str) -> Tale:
        """A supervisor's phone that is to hear a leg."""
        tale = self.tale(f"spy-{uuid4().hex}")
        await self.link.send(
            Originate(
                channel_id=tale.channel_id,
                endpoint=self.rig.seat(),
                number=None,
                context=mode,
                ring_timeout_ms=20_000,
                variables={"DIALER_SPY_ON": on.channel_id} if on else {},
            )
        )
        return tale

    async def bridge(self, operator: Tale, callee: Tale) -> str:
        """Connect the two; the id of their bridge."""
        await self.link.send(Bridge(channel_id_1=operator.channel_id, channel_id_2=callee.channel_id))
        mine, theirs = (
            await operator.until(BridgeEntered, holding=False),
            await callee.until(BridgeEntered, holding=False),
        )
        last = operator.all(BridgeEntered, holding=False)[-1]
        assert last.bridge_id == theirs.bridge_id, (mine, theirs)
        return theirs.bridge_id

    async def hang_up(self, tale: Tale) -> HungUp:
        await self.link.send(Hangup(channel_id=tale.channel_id))
        return await tale.until(HungUp)

    async def refused(self, action: Action) -> str:
        """Asterisk's sentence of refusal."""
        with pytest.raises(ActionRefused) as refusal:
            await self.link.send(action)
        return str(refusal.value)

    def about(self, seconds: float, begin: Event, end: Event) -> None:
        """The two events are this far apart by the switch's own clock."""
        assert end.at - begin.at == pytest.approx(seconds, abs=self.rig.tolerance_s), (begin, end)
