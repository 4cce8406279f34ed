"""Three phones of our own on a real Asterisk of ours: an operator's, a callee's and a supervisor's, each with a tone."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING
from uuid import uuid4

from ami.actions import Bridge, Originate
from ami.events import BridgeEntered, LinkUp
from ami.link import Link, LinkSettings
from dialer.service import CONTEXTS, PLAN
from dialer.world import ports, root, sounds, switchconf
from dialer.world.instance import Instance
from tests.ami.stage import Tale
from tests.real.softphone import Softphone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PORTS = (25300, 25349)
CALLEE_HZ, OPERATOR_HZ, BOSS_HZ = 600, 1000, 1500
TONES = (CALLEE_HZ, OPERATOR_HZ, BOSS_HZ)
#: Tenths of a second: what was heard in the mode before must have left the half second that is looked at.
SETTLES_TRIES = 100


class Call:
    """Three phones of our own on a switch of ours: what a test does, and what each of them hears."""

    def __init__(
        self, link: Link, switch: Instance, *, callee: Softphone, operator: Softphone, boss: Softphone
    ) -> None:
        self.switch = switch
        self.link, self.callee, self.operator, self.boss = link, callee, operator, boss
        self.leg, self.attempt, self.spy = (Tale(f"{prefix}-{uuid4().hex}") for prefix in ("opr", "att", "spy"))

    async def listen(self) -> None:
        """Hear the switch."""
        tales = {tale.channel_id: tale for tale in (self.leg, self.attempt, self.spy)}
        while True:
            event = await self.link.events.get()
            if (tale := tales.get(getattr(event, "channel_id", ""))) is not None:
                tale.add(event)

    async def begins(self, *, record: bool = False) -> None:
        """Operator and callee talk."""
        await self._call(self.leg, self.operator.name, "operator")
        await self._call(
            self.attempt,
            "carrier",
            "answered",
            number="12025550199",
            variables={"DIALER_RECORD": "1"} if record else {},
        )
        for tale in (self.leg, self.attempt):
            await tale.until(BridgeEntered, holding=True)
        await self.link.send(Bridge(channel_id_1=self.leg.channel_id, channel_id_2=self.attempt.channel_id))
        await self.attempt.until(BridgeEntered, holding=False)

    async def spies(self, mode: str) -> None:
        """The supervisor's phone is called."""
        await self._call(self.spy, self.boss.name, mode, variables={"DIALER_SPY_ON": self.leg.channel_id})

    async def _call(self, tale: Tale, endpoint: str, context: str, **more: object) -> None:
        action = Originate(
            channel_id=tale.channel_id,
            endpoint=endpoint,
            context=context,
            ring_timeout_ms=20_000,
            **({"number": None} | more),  # type: ignore[arg-type]  # a table of keywords
        )
        await self.link.send(action)

    async def hear(self, *, callee: set[int], operator: set[int], boss: set[int]) -> None:
        """Wait until each hears these tones and no other, and look again half a second later."""
        wanted = {"callee": callee, "operator": operator, "boss": boss}

        def heard() -> dict[str, set[int]]:
            return {name: getattr(self, name).hears(TONES) for name in wanted}

        for _ in range(SETTLES_TRIES):
            if heard() == wanted:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.6)
        assert heard() == wanted


@asynccontextmanager
async def three_phones(folder: Path) -> AsyncIterator[Call]:
    """A switch with these phones.

    Raises:
        Misconfigured: there is no Asterisk.
    """
    asterisk = await asyncio.to_thread(root.find)
    ami_port, sip_port, first = ports.free(3, *PORTS)
    secret = Random(1).randbytes(16).hex()
    async with AsyncExitStack() as stack:
        callee = await stack.enter_async_context(Softphone("callee", CALLEE_HZ))
        switch = Instance(asterisk, folder / "switch", ami_port=ami_port)
        conf = switchconf.SwitchConf(
            home=switch.inside,
            modules_dir=asterisk.modules_dir,
            ami_port=ami_port,
            sip_port=sip_port,
            events_secret=secret,
            commands_secret=secret,
            trunks=(switchconf.TrunkLine(name="carrier", host="127.0.0.1", port=callee.port),),
            seats={"seat-001": secret, "seat-002": secret},
            rtp_first=27000,
            rtp_last=27099,
        )
        assert first
        switchconf.render(conf, switch.home / "etc")
        await asyncio.to_thread(sounds.install, sounds.SWITCH, switch.home / "sounds")
        await stack.enter_async_context(switch)
        link = Link(
            LinkSettings(port=ami_port, events_secret=secret, commands_secret=secret, contexts=CONTEXTS, plan=PLAN)
        )
        running = asyncio.create_task(link.run())
        stack.callback(running.cancel)
        assert isinstance(await asyncio.wait_for(link.events.get(), 30), LinkUp)
        at = ("127.0.0.1", sip_port)
        operator = await stack.enter_async_context(Softphone("seat-001", OPERATOR_HZ, secret=secret, switch=at))
        boss = await stack.enter_async_context(Softphone("seat-002", BOSS_HZ, secret=secret, switch=at))
        made = Call(link, switch, callee=callee, operator=operator, boss=boss)
        listening = asyncio.create_task(made.listen())
        stack.callback(listening.cancel)
        yield made
