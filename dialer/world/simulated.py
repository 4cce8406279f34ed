"""The same people on the simulated switch, for machines without Asterisk: no sound, the same behaviour by number."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ami.events import ChannelCreated, HungUp
from ami.simulator.manager import dialer_users
from ami.simulator.people import Kind, Phone
from ami.simulator.people import Person as SimPerson
from ami.simulator.server import SimServer
from dialer.world.log import WorldCall, attempt_of
from dialer.world.people import Behaviour, Person, Population, slot
from dialer.world.rig import TRUNK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ami.events import Event

KINDS = {
    Behaviour.PERSON: Kind.ANSWERS,
    Behaviour.SILENT: Kind.ANSWERS,
    Behaviour.HANGS_UP: Kind.ANSWERS_AND_HANGS_UP,
    Behaviour.MACHINE: Kind.MACHINE,
    Behaviour.NO_ANSWER: Kind.NO_ANSWER,
    Behaviour.EARLY_MEDIA: Kind.EARLY_MEDIA,
    Behaviour.BUSY: Kind.BUSY,
    Behaviour.DEAD: Kind.INVALID,
    Behaviour.REJECTED: Kind.REJECTED,
    Behaviour.DECLINED: Kind.REJECTED,
    Behaviour.CONGESTION: Kind.CONGESTION,
    Behaviour.OUT_OF_ORDER: Kind.OUT_OF_ORDER,
    Behaviour.UNAVAILABLE: Kind.UNAVAILABLE,
}


class People:
    """The population of a seed, as the simulated switch asks for it."""

    def __init__(self, population: Population, seed: int) -> None:
        self._people = population.people(seed)
        self._seed = seed

    def callee(self, number: str, attempt_ordinal: int) -> SimPerson:  # noqa: ARG002 - people do not change
        """Who answers at this number, by its digits."""
        return simulated(self._people[slot(number, self._seed)])

    def phone(self, seat: str) -> Phone:  # noqa: ARG002 - all phones are alike
        """Every seat has a phone that answers at once."""
        return Phone()


def simulated(person: Person) -> SimPerson:
    """One of our people in the simulated switch's words."""
    return SimPerson(
        kind=KINDS[person.behaviour],
        setup_s=0.05,
        ring_s=person.ring_s,
        talk_s=max((person.talk_s or 60.0) - 1.0, 1.0),
        keys=((person.key_after_s + 0.5, person.key),) if person.key else (),
        hangup_after_s=person.talk_s,
    )


@dataclass(slots=True)
class SimulatedWorld:
    """A running simulated switch with its people."""

    server: SimServer
    events_secret: str = field(repr=False)
    commands_secret: str = field(repr=False)
    monitor: Path | None = None
    _seats: dict[str, str] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        """Remember whose phone a channel is: ``PJSIP/<seat>-…``; leave a recording where Asterisk would."""
        if isinstance(event, ChannelCreated):
            self._seats[event.channel_id] = event.name.removeprefix("PJSIP/").rpartition("-")[0]
        elif isinstance(event, HungUp):
            tape = self.server.switch.tapes.pop(event.channel_id.removeprefix("att-"), None)
            if tape is not None and self.monitor is not None:
                (self.monitor / f"{tape.name}.raw").write_bytes(tape.sound())

    async def call_back(self, number: str, dialled: str) -> None:
        """The person at this number (digits) calls one that was shown."""
        person = SimPerson(talk_s=12.0, patience_s=60.0)
        self.server.sim.happens(partial(self.server.switch.person_calls, trunk=TRUNK), number, dialled, person)

    async def hang_up_callees(self) -> None:
        """Everybody who is being called hangs up now."""
        switch = self.server.switch
        for call in switch.calls:
            if call.ended_at is None and call.channel_id in switch.channels:
                self.server.sim.happens(switch.callee_hangs_up, call.channel_id)

    def calls(self) -> list[WorldCall]:
        """What the simulated people saw; not what anybody was told."""
        return [
            WorldCall(
                call=call.channel_id,
                number=call.number,
                who="simulated",
                call_id="",
                called_at=call.invited_at,
                attempt_id=attempt_of(call.channel_id),
                rang_at=call.rang_at,
                answered_at=call.answered_at,
                first_voice_at=call.heard_at,
                seats={self._seats.get(talk.operator_channel_id, "?"): talk.started_at for talk in call.talks},
                keys=[key for _, key in call.keys],
                ended_at=call.ended_at,
                ended_by=call.ended_by,
                cause=call.cause,
            )
            for call in self.server.switch.calls
        ]


@asynccontextmanager
async def running(population: Population, seed: int, monitor: Path | None = None) -> AsyncIterator[SimulatedWorld]:
    """A simulated switch on a free port of loopback; with ``monitor`` it leaves recordings there, two tones each."""
    events_secret, commands_secret = secrets.token_urlsafe(33), secrets.token_urlsafe(33)
    server = SimServer(People(population, seed), dialer_users(events_secret, commands_secret), seed=seed)
    await server.start()
    try:
        world = SimulatedWorld(server, events_secret, commands_secret, monitor)
        server.sim.listeners.append(world.note)
        yield world
    finally:
        await server.stop()
