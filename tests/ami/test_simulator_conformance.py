"""The stories of ``conformance`` on the simulated switch: in simulated time, and behind TCP under the real link."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

from ami.link import Link, LinkSettings
from ami.port import SwitchLink
from ami.simulator.inprocess import SimHost, SimLink
from ami.simulator.manager import dialer_users
from ami.simulator.people import Kind, Person, Phone, TableWorld
from ami.simulator.server import SimServer
from tests.ami.conformance import STORIES, Endings, judge, tell_all
from tests.ami.stage import BEHAVIOURS
from tests.sim.loop import SimLoop


def _answering(**more: object) -> Person:
    return Person(setup_s=0.1, ring_s=0.5, **more)  # type: ignore[arg-type]  # a table of keywords


_PEOPLE = {
    "answers": _answering(),
    "hangs_up": _answering(hangup_after_s=2.5),
    **{
        kind: Person(kind=Kind(kind), setup_s=0.1, ring_s=0.0)
        for kind in ("busy", "invalid", "rejected", "congestion", "out_of_order", "no_answer", "early_media")
    },
    "presses_1": _answering(keys=((1.0, "1"),)),
    "presses_2": _answering(keys=((1.0, "2"),)),
    "presses_9": _answering(keys=((1.0, "9"),)),
    "presses_star": _answering(keys=((1.0, "*"),)),
    "presses_9_in_message": _answering(message_keys=((1.0, "9"),)),
}


class SimRig:
    """The simulated switch."""

    trunk = "trunk"
    tolerance_s = 0.02

    def __init__(self, link: SwitchLink, sim: SimHost) -> None:
        self.link = link
        self._sim = sim
        self._seats = count(1)

    def number(self, behaviour: str) -> str:
        return str(1000 + BEHAVIOURS.index(behaviour))

    def seat(self) -> str:
        return f"seat{next(self._seats)}"

    def seat_without_phone(self) -> str:
        return "seat-without-phone"

    async def lose_phone(self, seat: str) -> None:
        self._sim.happens(self._sim.switch.lose_phone, seat)

    async def find_phone(self, seat: str) -> None:
        self._sim.happens(self._sim.switch.return_phone, seat)

    async def calls_in(self, number: str, dialled: str) -> None:
        self._sim.happens(self._sim.switch.person_calls, number, dialled, Person(talk_s=600.0))

    def recorded(self, name: str) -> bytes | None:
        tape = self._sim.switch.tapes.get(name)
        return tape.sound() if tape else None


def _world() -> TableWorld:
    people = {str(1000 + BEHAVIOURS.index(behaviour)): person for behaviour, person in _PEOPLE.items()}
    return TableWorld(people, {"seat-without-phone": Phone(registered=False)})


async def _in_simulated_time() -> Endings:
    sim = SimHost(_world(), epoch_s=1.7e9)
    link = SimLink(sim)
    running = asyncio.create_task(link.run())
    endings = await tell_all(SimRig(link, sim), at_once=len(STORIES))
    running.cancel()
    return endings


async def _behind_tcp() -> Endings:
    server = SimServer(_world(), dialer_users("events-secret", "commands-secret"))
    await server.start()
    settings = LinkSettings(
        port=server.port,
        events_secret="events-secret",
        commands_secret="commands-secret",
        contexts=("operator", "answered", "offer", "held", "listen", "whisper", "join", "inbound", "missed", "unknown"),
        plan="6",
    )
    link = Link(settings)
    running = asyncio.create_task(link.run())
    rig = SimRig(link, server.sim)
    rig.tolerance_s = 0.1
    try:
        return await tell_all(rig, at_once=len(STORIES))
    finally:
        running.cancel()
        await server.stop()


@pytest.fixture(scope="module")
def simulated() -> Endings:
    return SimLoop(1).run_until_complete(_in_simulated_time())


@pytest.fixture(scope="module")
def behind_tcp() -> Endings:
    return asyncio.run(_behind_tcp())


@pytest.mark.parametrize("story", STORIES)
def test_in_simulated_time(simulated: Endings, story: str) -> None:
    judge(simulated, story)


@pytest.mark.parametrize("story", STORIES)
def test_behind_tcp(behind_tcp: Endings, story: str) -> None:
    judge(behind_tcp, story)
