"""The switch of ``bench live`` in a process of its own: the simulated one, which writes down when talks begin and end.

Says where it is in one line of JSON; when its standard input closes it says what it wrote down, and ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ami.events import BridgeEntered, BridgeLeft, HungUp
from dialer.world import simulated
from dialer.world.log import attempt_of
from dialer.world.people import Behaviour, Population

if TYPE_CHECKING:
    from ami.events import Event

#: Everybody answers soon and talks some seconds: 20 calls a second keep 200 operators busy.
PEOPLE = Population(
    shares=MappingProxyType({Behaviour.PERSON: 1}), ring_s=(0.3, 2.0), talk_mean_s=5.0, talk_max_s=20.0, speaks=False
)


@dataclass(slots=True)
class Talks:
    """When both sides of a conversation were in one bridge, and when it ended, by this machine's monotonic clock."""

    bridges: dict[str, list[str]] = field(default_factory=dict)
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Look at what the switch says."""
        if isinstance(event, BridgeEntered) and not event.holding:
            inside = self.bridges.setdefault(event.bridge_id, [])
            inside.append(event.channel_id)
            if len(inside) == 2:
                self.begun[next(filter(None, map(attempt_of, inside)))] = time.monotonic()
        elif (isinstance(event, BridgeLeft) and not event.holding) or isinstance(event, HungUp):
            attempt_id = attempt_of(event.channel_id)
            if attempt_id in self.begun:
                self.ended.setdefault(attempt_id, time.monotonic())


async def main() -> None:
    """Serve until standard input closes."""
    talks = Talks()
    async with simulated.running(PEOPLE, seed=1) as world:
        world.server.sim.listeners.insert(0, talks.note)
        where = {"port": world.server.port, "events": world.events_secret, "commands": world.commands_secret}
        print(json.dumps(where), flush=True)
        await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"talking": talks.begun, "wrap_up": talks.ended}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
