"""The bare side of ``bench calls``: panoramisk, Originate and Bridge, a dictionary, nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import deque
from typing import Any
from uuid import uuid4

from panoramisk import Manager
from panoramisk.message import Message

from scripts.benches import site


class Bare:
    """Nails operators up, dials at a fixed rate, bridges whoever answers."""

    def __init__(self, rig: dict[str, Any]) -> None:
        self.rig = rig
        self.free: deque[str] = deque()
        self.pair: dict[str, str] = {}
        self.joined: dict[str, set[str]] = {}
        self.answered: dict[str, float] = {}
        self.ms: list[float] = []
        self.sent = 0
        where = {"host": rig["ami_host"], "port": rig["ami_port"], "ping_delay": 3600}
        self.heard = Manager(username=rig["events_user"], secret=rig["events_secret"], **where)
        self.told = Manager(username=rig["commands_user"], secret=rig["commands_secret"], events="off", **where)
        self.heard.register_event("*", self.take)

    def originate(self, channel: str, uid: str, context: str) -> None:
        """One call."""
        self.told.send_action(
            {
                "Action": "Originate",
                "Channel": channel,
                "ChannelId": uid,
                "Context": context,
                "Exten": "s",
                "Priority": "1",
                "Async": "true",
                "Timeout": "25000",
            }
        )

    def take(self, _: Manager, event: Message) -> None:
        """An event: an operator waits, a callee answered, two are in one bridge, somebody hung up."""
        uid = event.get("Uniqueid", "")
        if event.event == "UserEvent" and event.get("UserEvent") == "OperatorReady":
            self.free.append(uid)
        elif event.event == "UserEvent" and event.get("UserEvent") == "Answered" and self.free:
            operator = self.free.popleft()
            self.pair[uid] = operator
            self.answered[uid] = float(event["Timestamp"])
            self.told.send_action({"Action": "Bridge", "Channel1": operator, "Channel2": uid, "Tone": "no"})
        elif event.event == "BridgeEnter" and event.get("BridgeTechnology") != "holding_bridge":
            self.enter(event.get("BridgeUniqueid", ""), uid, float(event["Timestamp"]))
        elif event.event == "Hangup" and uid in self.pair:
            self.free.append(self.pair.pop(uid))

    def enter(self, bridge: str, uid: str, at: float) -> None:
        """The second one to enter completes the connection."""
        members = self.joined.setdefault(bridge, set())
        members.add(uid)
        for callee in members & self.answered.keys():
            if self.pair.get(callee) in members:
                self.ms.append((at - self.answered.pop(callee)) * 1000)
                del self.joined[bridge]
                return

    async def run(self, rate: float, seconds: float, operators: int) -> dict[str, float]:
        """One block."""
        await asyncio.gather(self.heard.connect(), self.told.connect())
        await asyncio.sleep(0.5)
        for seat in list(self.rig["seats"])[:operators]:
            self.originate(f"PJSIP/{seat}", f"opr-{uuid4().hex}", "operator")
            await asyncio.sleep(0.01)
        while len(self.free) < operators:
            await asyncio.sleep(0.05)
        legs = list(self.free)
        loop, numbers = asyncio.get_running_loop(), site.numbers()
        cpu, start = site.cpu_s(), loop.time()
        for n in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + n / rate - loop.time()))
            self.originate(f"PJSIP/{next(numbers)[1:]}@{self.rig['trunk']}", f"att-{uuid4().hex}", "answered")
            self.sent += 1
        took = loop.time() - start
        await asyncio.sleep(5)
        used = site.cpu_s() - cpu
        for leg in legs:
            self.told.send_action({"Action": "Hangup", "Channel": leg})
        await asyncio.sleep(1)
        return site.figures(self.sent / took, self.ms, used, self.sent)


if __name__ == "__main__":
    bare = Bare(json.loads(os.environ["RIG"]))
    print(json.dumps(asyncio.run(bare.run(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))))
    sys.stdout.flush()
    os._exit(0)  # panoramisk would connect again
