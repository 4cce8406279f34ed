"""Both Asterisks side by side: ours, and the telephone world with the operators' phones.

As a command it runs until it is stopped and prints, once everything is up, one JSON line: ports, secrets, log.

    python -m dialer.world.rig --run-dir DIR [--seats N] [--population ordinary|offered|measured] [--seed N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dialer import seats as places
from dialer.errors import Misconfigured
from dialer.world import network, ports, root, sounds, switchconf
from dialer.world.instance import Instance
from dialer.world.listener import Listener
from dialer.world.people import ORDINARY, POPULATIONS, Person, Population
from dialer.world.wire import Wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

#: The trunk's name on our switch.
TRUNK = "world"

BOOTED_S_MAX = 30.0

REGISTERED_S_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rig is made of.

    Attributes:
        seats: How many operators' phones the world has.
        spare_seats: Seats beyond them, for people with a softphone or a headset at the browser.
        ports: First and last port to choose from.
    """

    seats: int = 2
    spare_seats: int = 0
    population: Population = ORDINARY
    table: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 1
    listens: bool = True
    ports: tuple[int, int] = (ports.FIRST, ports.LAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """A running pair. ``seats`` and ``spare_seats`` map seat to SIP secret; ``log`` is the world's own log.

    ``pool`` is the file of the spare seats with both their secrets; browsers' SIP goes to ``ws_port``.
    """

    switch: Instance
    world: Instance
    wire: Wire
    listener: Listener
    sip_port: int
    events_secret: str = field(repr=False)
    commands_secret: str = field(repr=False)
    seats: Mapping[str, str] = field(repr=False)
    spare_seats: Mapping[str, str] = field(repr=False)
    pool: Path
    ws_port: int
    log: Path

    def described(self) -> dict[str, object]:
        """Everything another process needs to use this rig; holds secrets."""
        return {
            "asterisk": self.switch.asterisk.version,
            "ami_host": "127.0.0.1",
            "ami_port": self.switch.ami_port,
            "events_user": "dialer-events",
            "events_secret": self.events_secret,
            "commands_user": "dialer-commands",
            "commands_secret": self.commands_secret,
            "sip_port": self.sip_port,
            "trunk": TRUNK,
            "seats": dict(self.seats),
            "spare_seats": dict(self.spare_seats),
            "pool": str(self.pool),
            "ws_port": self.ws_port,
            "world_ami_port": self.world.ami_port,
            "world_log": str(self.log),
            "switch_pid": self.switch.pid,
            "world_pid": self.world.pid,
        }

    async def lose_phone(self, seat: str) -> None:
        """The operator's phone hangs up by itself (or falls off the desk)."""
        await self.wire.ask("Hangup", Channel=self.listener.phones[seat], Cause="16")

    async def unplug_phone(self, seat: str) -> None:
        """The operator's phone says goodbye to our switch; its call goes on."""
        await self.wire.ask("PJSIPUnregister", Registration=seat)

    async def plug_in_phone(self, seat: str) -> None:
        """The operator's phone registers again."""
        await self.wire.ask("PJSIPRegister", Registration=seat)

    async def hang_up_callees(self) -> None:
        """Everybody who is being called hangs up now."""
        for channel in self.listener.callees():
            with suppress(RuntimeError):  # gone meanwhile
                await self.wire.ask("Hangup", Channel=channel, Cause="16")

    async def call_back(self, number: str, dialled: str) -> None:
        """The person at this number (digits) calls one that was shown."""
        await self.wire.ask(
            "Originate",
            Channel=f"PJSIP/{dialled}@dialer",
            Context="calls_back",
            Exten="".join(one for one in number if one.isdigit()),
            Priority="1",
            CallerID=f"<{number}>",
            Timeout="30000",
            Async="true",
        )

    async def hang_up_callee(self, number: str) -> None:
        """The callee at this number hangs up now."""
        channel = self.listener.channel_of(number)
        if channel is not None:
            await self.wire.ask("Hangup", Channel=channel, Cause="16")


@asynccontextmanager
async def running(plan: Plan, run_dir: Path) -> AsyncIterator[Rig]:
    """Start both Asterisks and wait until every phone of the world is registered; stop both at the end.

    Raises:
        Misconfigured: there is no Asterisk, or one of the two does not start.
    """
    asterisk = await asyncio.to_thread(root.find)
    ami_port, sip_port, ws_port, world_ami_port, world_sip_port = ports.free(5, *plan.ports)
    played = {seat.name: seat.desk_secret for seat in places.fresh(plan.seats)}
    spare = places.fresh(plan.spare_seats, plan.seats + 1)
    pool = _kept(run_dir / "seats", places.text(spare))
    events_secret, commands_secret, world_secret = (secrets.token_urlsafe(33) for _ in range(3))

    switch = Instance(asterisk, run_dir / "switch", ami_port=ami_port)
    world = Instance(asterisk, run_dir / "world", ami_port=world_ami_port)
    switchconf.render(
        switchconf.SwitchConf(
            home=switch.inside,
            modules_dir=asterisk.modules_dir,
            ami_port=ami_port,
            sip_port=sip_port,
            events_secret=events_secret,
            commands_secret=commands_secret,
            trunks=(switchconf.TrunkLine(name=TRUNK, host="127.0.0.1", port=world_sip_port),),
            seats=played | {seat.name: seat.desk_secret for seat in spare},
            web_seats={seat.web_name: seat.web_secret for seat in spare},
            ws_port=ws_port,
        ),
        switch.home / "etc",
    )
    network.render(
        network.NetworkConf(
            home=world.inside,
            modules_dir=asterisk.modules_dir,
            ami_port=world_ami_port,
            sip_port=world_sip_port,
            secret=world_secret,
            switch_sip_port=sip_port,
            seats=played,
            population=plan.population,
            table=plan.table,
            seed=plan.seed,
            listens=plan.listens,
        ),
        world.home / "etc",
    )
    await asyncio.to_thread(sounds.install, sounds.SWITCH, switch.home / "sounds")
    await asyncio.to_thread(sounds.install, sounds.WORLD, world.home / "sounds")

    log = run_dir / "world.log"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(switch)
        async with Wire(ami_port, "dialer-events", events_secret) as booting:
            await _booted(booting)
        await stack.enter_async_context(world)
        listener = Listener(stack.enter_context(log.open("a", encoding="utf-8")))
        wire = await stack.enter_async_context(Wire(world_ami_port, "world", world_secret, listener.take))
        await _booted(wire)
        await _registered(wire, len(played))
        yield Rig(
            switch=switch,
            world=world,
            wire=wire,
            listener=listener,
            sip_port=sip_port,
            events_secret=events_secret,
            commands_secret=commands_secret,
            seats=played,
            spare_seats={seat.name: seat.desk_secret for seat in spare},
            pool=pool,
            ws_port=ws_port,
            log=log,
        )


def _kept(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return path


async def _booted(wire: Wire) -> None:
    """Wait until all modules are loaded; AMI greets long before that.

    Raises:
        Misconfigured: it takes too long.
    """
    try:
        async with asyncio.timeout(BOOTED_S_MAX):
            await wire.booted.wait()
    except TimeoutError:
        raise Misconfigured(
            "asterisk.start", "Asterisk does not finish loading.", remedy="Look into its log folder."
        ) from None


async def _registered(wire: Wire, phones: int) -> None:
    """Wait until all phones of the world are registered at our switch."""
    try:
        async with asyncio.timeout(REGISTERED_S_MAX):
            while phones:
                answer = await wire.ask("PJSIPShowRegistrationsOutbound")
                up = sum(message.get("Status") == "Registered" for message in answer)
                if up >= phones:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Misconfigured(
            "world.phones",
            "The operators' phones of the telephone world could not register.",
            remedy="Look into the log folders.",
        ) from None


async def _serve(plan: Plan, run_dir: Path) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with running(plan, run_dir) as rig:
        sys.stdout.write(json.dumps(rig.described()) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m dialer.world.rig", description=__doc__)
    parser.add_argument("--run-dir", type=Path)
    parser.add_argument("--seats", type=int, default=2)
    parser.add_argument("--spare-seats", type=int, default=0)
    parser.add_argument("--population", choices=sorted(POPULATIONS), default="ordinary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deaf", action="store_true", help="hear neither voice nor seats: less CPU, for measuring")
    parser.add_argument("--ports", type=int, nargs=2, metavar=("FIRST", "LAST"), default=(ports.FIRST, ports.LAST))
    given = parser.parse_args()
    plan = Plan(
        seats=given.seats,
        spare_seats=given.spare_seats,
        population=POPULATIONS[given.population],
        seed=given.seed,
        listens=not given.deaf,
        ports=tuple(given.ports),
    )
    try:
        with tempfile.TemporaryDirectory(prefix="dialer-rig-") as folder:
            asyncio.run(_serve(plan, given.run_dir or Path(folder)))
    except Misconfigured as error:
        sys.exit(f"{error.message} {error.remedy}")


if __name__ == "__main__":
    main()
