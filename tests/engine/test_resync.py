"""Comparing with the switch while it goes on: what happened during the look is known better than what it shows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from ami import events as heard
from ami.events import ChannelState, LinkUp, SwitchSnapshot
from dialer.core import effects as fx
from dialer.core import events as ev
from dialer.core.floor import Floor
from dialer.core.model import AttemptState, LiveAttempt, LiveOperator, OperatorState
from dialer.engine.engine import Engine
from dialer.engine.ports import Journal, Recovered
from tests.core.floors import CAMPAIGN, NOON, budget

SHIFT = UUID(int=1)
LEG = f"opr-{SHIFT.hex}"
OPERATOR = LiveOperator(
    operator_id=1,
    session_id=SHIFT,
    seat="seat-001",
    team_id=CAMPAIGN.team_id,
    name="Ann",
    state=OperatorState.READY,
    since=NOON - timedelta(minutes=1),
)


def attempt(n: int, state: AttemptState = AttemptState.RINGING) -> LiveAttempt:
    return LiveAttempt(
        id=UUID(int=n),
        campaign_id=CAMPAIGN.id,
        contact_id=n,
        phone_id=n,
        e164=f"+1202555{n:04}",
        number=1,
        counted=0,
        state=state,
        sent_at=NOON - timedelta(seconds=20),
        rang_at=NOON - timedelta(seconds=18),
    )


def channel(n: int) -> str:
    return f"att-{UUID(int=n).hex}"


def shown(channel_id: str, application: str = "BridgeWait", state: str = "Up") -> ChannelState:
    return ChannelState(
        channel_id=channel_id,
        name=channel_id,
        state=state,
        context="answered",
        application=application,
        bridge_id="",
        duration_s=1,
    )


def hung_up(n: int, cause: int = 17, sip_code: int = 486) -> heard.HungUp:
    return heard.HungUp(at=NOON.timestamp(), channel_id=channel(n), cause=cause, sip_code=sip_code)


class Link:
    """A switch that shows ``channels``; while it is asked, ``meanwhile`` happens, and a moment later ``late``."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[heard.Event] = asyncio.Queue()
        self.channels: tuple[ChannelState, ...] = ()
        self.meanwhile: list[heard.Event] = []
        self.late: list[heard.Event] = []

    def happens(self, *events: heard.Event) -> None:
        for event in events:
            self.events.put_nowait(event)

    async def snapshot(self) -> SwitchSnapshot:
        self.happens(*self.meanwhile)
        asyncio.get_running_loop().call_later(0.02, self.happens, *self.late)
        await asyncio.sleep(0)
        long_ago = NOON - timedelta(days=1)
        return SwitchSnapshot(version="22.10.1", started_at=long_ago.timestamp(), channels=self.channels)

    def send(self, action: object) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    async def stored_keys(self, family: str) -> dict[str, str]:
        return {}

    def ack_s_p95(self) -> float:
        return 0.0


class Clock:
    def now(self):
        return NOON

    def boot_s(self):
        return 1000.0


class Store:
    async def write(self, journal: Journal) -> None:
        pass

    async def recover(self, switch: str) -> Recovered:
        return Recovered()


class Office:
    """An engine that is told what happened and compares once."""

    def __init__(self) -> None:
        self.link = Link()
        self.effects: list[fx.Effect] = []
        self.engine = Engine(
            switch="main", link=self.link, store=Store(), clock=Clock(), rng=Random(1), new_id=lambda: UUID(int=9)
        )
        self.engine.floor.cover.budgets[CAMPAIGN.id] = budget()
        self.engine._do(ev.CampaignsRead([CAMPAIGN]))

    @property
    def floor(self) -> Floor:
        return self.engine.floor

    def knows(self, *attempts: LiveAttempt, operators: tuple[LiveOperator, ...] = ()) -> None:
        self.engine._do(ev.Recovered(list(attempts), list(operators)))

    async def compare(self) -> None:
        self.link.happens(LinkUp(at=0.0, version="22.10.1", started_at=0.0, reloaded_at=0.0))
        hearing = asyncio.create_task(self.engine._hear())
        await asyncio.sleep(0.3)
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing


@pytest.fixture
async def office() -> Office:
    return Office()


@pytest.mark.parametrize("when", ["meanwhile", "late"])
async def test_a_call_that_ends_while_we_look_ends_as_it_ended(office: Office, when: str) -> None:
    office.knows(attempt(1))
    setattr(office.link, when, [hung_up(1)])
    await office.compare()
    assert office.engine.outcome_counts() == {"busy": 1}


async def test_a_call_that_ended_unheard_ends_as_unknown(office: Office) -> None:
    office.knows(attempt(1))
    await office.compare()
    assert office.engine.outcome_counts() == {"unknown": 1}


async def test_a_conversation_that_began_and_ended_while_we_looked_was_one(office: Office) -> None:
    answered = replace(attempt(1, AttemptState.BRIDGING), answered_at=NOON - timedelta(seconds=1), operator_id=1)
    office.knows(answered, operators=(OPERATOR,))
    at = NOON.timestamp()
    office.link.channels = (shown(LEG),)
    office.link.meanwhile = [
        heard.BridgeEntered(at=at, channel_id=LEG, bridge_id="b", holding=False),
        heard.BridgeEntered(at=at, channel_id=channel(1), bridge_id="b", holding=False),
        hung_up(1, cause=16, sip_code=200),
    ]
    await office.compare()
    assert office.engine.outcome_counts() == {"connected": 1}
    assert office.floor.operators[1].live.state is OperatorState.WRAP_UP


async def test_what_happens_after_the_look_is_heard_after_it(office: Office) -> None:
    """A call the look still shows ends behind it: no stray, and its own end."""
    office.knows(attempt(1), attempt(2))
    office.link.channels = (shown(channel(2), application="", state="Ringing"),)
    office.link.meanwhile = [hung_up(1), hung_up(2, cause=21, sip_code=403)]
    await office.compare()
    assert office.engine.outcome_counts() == {"busy": 1, "rejected": 1}
    assert not office.engine.board().alerts


async def test_a_link_that_breaks_while_we_wait_for_the_last_words_is_down(office: Office) -> None:
    office.knows(attempt(1))
    office.link.late = [heard.LinkDown(at=0.0, reason="closed"), hung_up(1)]
    await office.compare()
    assert office.engine.stopped_because() == "waiting_for_lease"
    assert office.engine.board().switch_up is False


async def test_a_look_that_finds_all_as_it_was_asks_for_no_calls_and_one_that_does_not_does(office: Office) -> None:
    office.knows(attempt(1), operators=(OPERATOR,))
    office.link.channels = (shown(LEG), shown(channel(1), application="", state="Ringing"))
    await office.compare()
    looks = office.engine.dialing._changes
    await office.compare()
    assert office.engine.dialing._changes == looks
    office.link.channels = office.link.channels[1:]
    await office.compare()
    assert office.engine.dialing._changes > looks
