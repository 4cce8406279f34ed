"""The stories of ``tests/ami/conformance.py`` on a real Asterisk: what the simulated switch is held to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from ami.link import Link, LinkSettings
from dialer.errors import Misconfigured
from dialer.service import CONTEXTS, PLAN
from dialer.world import rig, root
from dialer.world.people import Behaviour, Person
from tests.ami.conformance import STORIES, Endings, judge, tell_all
from tests.ami.stage import BEHAVIOURS

if TYPE_CHECKING:
    from pathlib import Path

    from ami.port import SwitchLink

pytestmark = pytest.mark.real

PORTS = (25300, 25349)
SEATS = 24
#: More at the same time are more than a small machine tells apart by tenths of a second.
AT_ONCE = 6


def _answering(**more: object) -> Person:
    return Person(behaviour=Behaviour.PERSON, ring_s=0.5, **more)  # type: ignore[arg-type]  # a table of keywords


#: In the world's words; whoever presses a key says hello first, which takes most of a second.
PEOPLE = {
    "answers": _answering(),
    "hangs_up": _answering(talk_s=2.5),
    "busy": Person(behaviour=Behaviour.BUSY),
    "invalid": Person(behaviour=Behaviour.DEAD),
    "rejected": Person(behaviour=Behaviour.REJECTED),
    "congestion": Person(behaviour=Behaviour.CONGESTION),
    "out_of_order": Person(behaviour=Behaviour.OUT_OF_ORDER),
    "no_answer": Person(behaviour=Behaviour.NO_ANSWER),
    "early_media": Person(behaviour=Behaviour.EARLY_MEDIA),
    "presses_1": _answering(key="1", key_after_s=1.0),
    "presses_2": _answering(key="2", key_after_s=1.0),
    "presses_9": _answering(key="9", key_after_s=1.0),
    "presses_star": _answering(key="*", key_after_s=1.0),
    "presses_9_in_message": _answering(key="9", key_after_s=3.0),
}


class RealRig:
    """Our Asterisk, and the telephone world behind its trunk."""

    trunk = rig.TRUNK
    tolerance_s = 0.15

    def __init__(self, link: SwitchLink, pair: rig.Rig) -> None:
        self.link = link
        self._pair = pair
        self._seats = iter(sorted(pair.seats))

    def number(self, behaviour: str) -> str:
        return _number(behaviour)

    def seat(self) -> str:
        return next(self._seats)

    def seat_without_phone(self) -> str:
        [seat] = self._pair.spare_seats
        return seat

    async def lose_phone(self, seat: str) -> None:
        await self._pair.lose_phone(seat)

    async def find_phone(self, seat: str) -> None:
        """It is still registered, and has only hung up."""

    async def calls_in(self, number: str, dialled: str) -> None:
        await self._pair.call_back(number, dialled)

    def recorded(self, name: str) -> bytes | None:
        path = self._pair.switch.home / "spool" / "monitor" / f"{name}.raw"
        return path.read_bytes() if path.exists() else None


def _number(behaviour: str) -> str:
    """A number reserved for drama."""
    return f"1202555{150 + BEHAVIOURS.index(behaviour):04}"


async def _on_a_real_asterisk(folder: Path) -> Endings:
    table = {_number(behaviour): person for behaviour, person in PEOPLE.items()}
    table |= dict.fromkeys(("12025", *(f"1202555017{i}" for i in range(1, 7))), Person(behaviour=Behaviour.PERSON))
    async with rig.running(rig.Plan(seats=SEATS, spare_seats=1, table=table, ports=PORTS), folder) as pair:
        settings = LinkSettings(
            port=pair.switch.ami_port,
            events_secret=pair.events_secret,
            commands_secret=pair.commands_secret,
            contexts=CONTEXTS,
            plan=PLAN,
        )
        link = Link(settings)
        running = asyncio.create_task(link.run())
        try:
            return await tell_all(RealRig(link, pair), at_once=AT_ONCE)
        finally:
            running.cancel()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Endings:
    try:
        root.find()
    except Misconfigured as error:
        pytest.skip(f"{error.message} {error.remedy}")
    folder = tmp_path_factory.mktemp("conformance")
    return asyncio.run(_on_a_real_asterisk(folder))


@pytest.mark.parametrize("story", STORIES)
def test_on_a_real_asterisk(real: Endings, story: str) -> None:
    judge(real, story)
