"""Whatever is asked of it and whenever, the simulated switch stays a switch; and one seed is one day."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ami.actions import Bridge, Hangup, Originate
from ami.events import BridgeEntered, BridgeLeft, ChannelCreated, ChannelUp, Event, HungUp, Originated, Said
from ami.simulator.people import ANSWERING, Chances, Kind, Person, RandomWorld, TableWorld
from ami.simulator.switch import SimSwitch

_short = st.floats(0.0, 4.0)
_keys = st.lists(st.tuples(_short, st.sampled_from("1259*")), max_size=3).map(tuple)
_people = st.builds(
    Person,
    kind=st.sampled_from(Kind),
    setup_s=_short,
    ring_s=_short,
    talk_s=st.floats(0.0, 30.0),
    keys=_keys,
    message_keys=_keys,
    hangup_after_s=st.none() | _short,
    patience_s=st.none() | _short,
)


class AnySwitch(RuleBasedStateMachine):
    """Random actions, random people, random accidents."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.number = 0
        self.ids: list[str] = []
        self.now = 0.0
        self.places: dict[str, str] = {}
        """Channel -> the bridge it is in, by the events alone."""
        self.living: set[str] = set()
        self.crashed = False

    @initialize(person=_people)
    def begin(self, person: Person) -> None:
        self.switch = SimSwitch(TableWorld(default=person), self.hear)

    def hear(self, event: Event) -> None:
        assert event.at >= (self.events[-1].at if self.events else 0.0), "events go back in time"
        self.events.append(event)
        match event:
            case ChannelCreated(channel_id=channel):
                assert channel not in self.living, "two channels of one id"
                self.living.add(channel)
            case BridgeEntered(channel_id=channel, bridge_id=bridge):
                assert channel in self.living
                assert channel not in self.places, "a channel in two bridges"
                self.places[channel] = bridge
            case BridgeLeft(channel_id=channel, bridge_id=bridge):
                assert self.places.pop(channel) == bridge
            case HungUp(channel_id=channel):
                assert channel not in self.places, "gone and still in a bridge"
                self.living.remove(channel)
            case ChannelUp(channel_id=channel) | Said(channel_id=channel):
                assert channel in self.living

    @rule(person=_people, context=st.sampled_from(["answered", "offer"]), ring_s=st.integers(1, 10))
    def calls(self, person: Person, context: str, ring_s: int) -> None:
        self.number += 1
        channel_id = f"att-{self.number:04}"
        self.switch.world = TableWorld(default=person)
        before = len(self.switch.calls)
        self._originate(channel_id, number="1", context=context, ring_s=ring_s)
        assert len(self.switch.calls) == before + 1
        self.ids.append(channel_id)

    @rule()
    def calls_a_phone(self) -> None:
        self.number += 1
        channel_id = f"opr-{self.number:04}"
        self._originate(channel_id, endpoint=f"seat{self.number % 3}", context="operator")
        self.ids.append(channel_id)

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def calls_under_a_used_id(self, data: st.DataObject) -> None:
        channel_id = data.draw(st.sampled_from(sorted(self.living)))
        self.switch.advance(self.now)
        if channel_id not in self.living:
            return
        calls, channels = len(self.switch.calls), len(self.living)
        self._originate(channel_id, number="2", context="answered")
        assert (len(self.switch.calls), len(self.living)) == (calls, channels)
        assert self.events[-1] == Originated(at=self.switch.now, channel_id=channel_id, success=False, reason=0)

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def bridges(self, data: st.DataObject) -> None:
        ids = st.sampled_from(self.ids)
        first, second = data.draw(ids), data.draw(ids)
        refusal = self.switch.do(Bridge(channel_id_1=first, channel_id_2=second), self.now)
        if refusal is None:
            assert self.places[first] == self.places[second]

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def hangs_up(self, data: st.DataObject) -> None:
        channel_id = data.draw(st.sampled_from(self.ids))
        self.switch.advance(self.now)
        was_there = channel_id in self.living
        refusal = self.switch.do(Hangup(channel_id=channel_id), self.now)
        assert (refusal is None) == was_there
        assert channel_id not in self.living

    @rule(seat=st.sampled_from(["seat0", "seat1", "seat2"]), back=st.booleans())
    def phone_comes_and_goes(self, seat: str, back: bool) -> None:
        (self.switch.return_phone if back else self.switch.lose_phone)(seat, self.now)

    @rule(seconds=st.floats(0.0, 12.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.switch.advance(self.now)
        due = self.switch.next_at()
        assert due is None or due > self.now

    @invariant()
    def its_snapshot_is_what_was_told(self) -> None:
        if hasattr(self, "switch"):
            channels = {c.channel_id: c.bridge_id for c in self.switch.snapshot().channels}
            assert channels == {c: self.places.get(c, "") for c in self.living}

    @invariant()
    def a_callee_talks_with_one_operator_at_a_time(self) -> None:
        for call in self.switch.calls if hasattr(self, "switch") else ():
            ends = [(talk.started_at, talk.ended_at) for talk in call.talks]
            for (_, end), (start, _) in pairwise(ends):
                assert end is not None
                assert end <= start

    def teardown(self) -> None:
        """After all timers everyone is gone, each with one HungUp; only whom we bridged before the answer stays."""
        if not hasattr(self, "switch"):
            return
        self.switch.advance(self.now + 100_000)
        left = {c.channel_id for c in self.switch.snapshot().channels}
        assert all(c.state != "Up" for c in self.switch.snapshot().channels if c.channel_id.startswith("att-"))
        created = Counter(e.channel_id for e in self.events if isinstance(e, ChannelCreated))
        gone = Counter(e.channel_id for e in self.events if isinstance(e, HungUp))
        assert gone == Counter({c: n for c, n in created.items() if c not in left})
        assert all(call.ended_at is not None for call in self.switch.calls if call.channel_id not in left)

    def _originate(
        self, channel_id: str, *, context: str, endpoint: str = "trunk", number: str | None = None, ring_s: int = 5
    ) -> None:
        action = Originate(
            channel_id=channel_id, endpoint=endpoint, number=number, context=context, ring_timeout_ms=ring_s * 1000
        )
        assert self.switch.do(action, self.now) is None


AnySwitch.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAnySwitch = AnySwitch.TestCase


def _day(seed: int, calls: int = 300) -> list[Event]:
    events: list[Event] = []
    switch = SimSwitch(RandomWorld(seed), events.append)
    for i in range(calls):
        action = Originate(
            channel_id=f"att-{i:04}", endpoint="trunk", number=f"7900{i:07}", context="answered", ring_timeout_ms=25_000
        )
        assert switch.do(action, float(i)) is None
    switch.advance(1e6)
    return events


def test_one_seed_is_one_day() -> None:
    assert _day(7) == _day(7)
    assert _day(7) != _day(8)


@given(st.lists(st.integers(0, 50), unique=True, min_size=2))
@settings(deadline=None, max_examples=30)
def test_a_person_is_the_same_whoever_was_called_before(order: list[int]) -> None:
    world, other = RandomWorld(3), RandomWorld(3)
    forwards = {i: world.callee(str(i), 1) for i in order}
    backwards = {i: other.callee(str(i), 1) for i in reversed(order)}
    assert forwards == backwards


def test_the_people_of_the_benchmark_are_as_its_text_says() -> None:
    """Shares and means of ``Chances``: a quarter answers after 9 s of ringing and talks for 100 s; of the rest 12 % are
    busy and 10 % fail."""
    world = RandomWorld(1)
    people = [world.callee(str(i), 1) for i in range(8000)]
    kinds = Counter(p.kind for p in people)
    answering = [p for p in people if p.kind in ANSWERING]
    rest = len(people) - len(answering)
    assert len(answering) / len(people) == pytest.approx(0.25, abs=0.02)
    assert kinds[Kind.BUSY] / rest == pytest.approx(0.12, abs=0.015)
    assert sum(kinds[k] for k in Chances().failures) / rest == pytest.approx(0.10, abs=0.015)
    assert sum(p.setup_s for p in people) / len(people) == pytest.approx(2.0, rel=0.05)
    assert sum(p.ring_s for p in answering) / len(answering) == pytest.approx(9.0, rel=0.07)
    assert sum(p.talk_s for p in answering) / len(answering) == pytest.approx(100.0, rel=0.1)
    assert max(p.ring_s for p in answering) <= 25.0
