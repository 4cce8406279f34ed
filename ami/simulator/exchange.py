"""What any Asterisk does: channels, bridges and time passing. Knows nothing of our dialplan.

No I/O and no clock: whoever owns an ``Exchange`` calls ``advance(now)`` not later than ``next_at()``. Times are the
switch's own seconds since the epoch. Everything that happens goes to ``emit`` at once and in Asterisk's order; while
``emit`` runs, the channel and the bridge of the event are still there to be looked at.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from ami.events import BridgeEntered, BridgeLeft, ChannelState, HungUp, SwitchSnapshot
from ami.simulator.record import Talk, Tape, WorldCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ami.events import Event
    from ami.simulator.people import Person

    Step = Callable[["Channel"], None]

#: The oldest Asterisk whose deadlocks under Originate load are fixed is 22.10; what the simulator says it is.
VERSION = "22.10.1"
NORMAL_CLEARING = 16


class Bridge:
    """Channels that hear each other, or (``holding``) wait side by side without hearing each other."""

    __slots__ = ("bridge_id", "holding", "members", "name")

    def __init__(self, bridge_id: str, *, name: str = "", holding: bool = False) -> None:
        self.bridge_id = bridge_id
        self.name = name
        self.holding = holding
        self.members: list[Channel] = []


class Channel:
    """One leg. ``turn`` grows at each step of its life, which makes the timers of earlier steps void."""

    __slots__ = (
        "alive",
        "answered_at",
        "application",
        "bridge",
        "call",
        "channel_id",
        "context",
        "created_at",
        "name",
        "number",
        "offers_left",
        "person",
        "resumes",
        "ring_timeout_at",
        "seat",
        "spies_on",
        "state",
        "tape",
        "turn",
        "variables",
    )

    def __init__(self, channel_id: str, name: str, *, context: str, number: str, now: float) -> None:
        self.channel_id = channel_id
        self.name = name
        self.number = number
        self.context = context
        self.created_at = now
        self.alive = True
        self.state = "Down"
        self.application = "AppDial2"
        self.turn = 0
        self.offers_left = 0
        self.ring_timeout_at = now
        self.answered_at: float | None = None
        self.bridge: Bridge | None = None
        self.resumes: Step | None = None
        """The step of the dialplan after a conversation."""
        self.seat: str | None = None
        self.spies_on = ""
        """Id of the channel this one spies on."""
        self.tape: Tape | None = None
        """What is recorded of this channel."""
        self.person: Person | None = None
        self.call: WorldCall | None = None
        self.variables: Mapping[str, str] = {}


class Exchange:
    """Channels, bridges, timers and AstDB."""

    def __init__(self, emit: Callable[[Event], None], *, started_at: float = 0.0) -> None:
        self.emit = emit
        self.now = started_at
        self.started_at = float(int(started_at))
        self.running = True
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.spying: set[Channel] = set()
        self.tapes: dict[str, Tape] = {}
        """What was recorded, by file name: the folder ``monitor``."""
        self.database: dict[str, dict[str, str]] = {}
        self._holding: dict[str, Bridge] = {}
        self._timers: list[tuple[float, int, Step, Channel, int]] = []
        self._count = 0

    # --- time

    def advance(self, now: float) -> None:
        """Live through everything that is due until ``now``."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            at, _, step, channel, turn = heappop(timers)
            if channel.alive and turn in {-1, channel.turn}:
                self.now = max(self.now, at)
                step(channel)
        self.now = max(self.now, now)

    def next_at(self) -> float | None:
        """When something happens next by itself; None if nothing will."""
        timers = self._timers
        while timers:
            at, _, _, channel, turn = timers[0]
            if channel.alive and turn in {-1, channel.turn}:
                return at
            heappop(timers)
        return None

    def _at(self, at: float, step: Step, channel: Channel, *, whole_life: bool = False) -> None:
        """Run ``step`` then, if the channel is still at this step of its life (or, ``whole_life``, still there)."""
        self._count += 1
        heappush(self._timers, (at, self._count, step, channel, -1 if whole_life else channel.turn))

    # --- bridges

    def _enter(self, channel: Channel, bridge: Bridge) -> None:
        bridge.members.append(channel)
        channel.bridge = bridge
        self.emit(
            BridgeEntered(
                at=self.now, channel_id=channel.channel_id, bridge_id=bridge.bridge_id, holding=bridge.holding
            )
        )

    def _wait_in(self, channel: Channel, name: str) -> None:
        """Enter the holding bridge of this name; it exists as long as somebody is in it."""
        bridge = self._holding.get(name)
        if bridge is None:
            bridge = self._holding[name] = self._new_bridge(name=name, holding=True)
        channel.application = "BridgeWait"
        self._enter(channel, bridge)

    def _new_bridge(self, *, name: str = "", holding: bool = False) -> Bridge:
        self._count += 1
        bridge = Bridge(f"{self._count:08x}-0000-4000-8000-{self._count:012x}", name=name, holding=holding)
        self.bridges[bridge.bridge_id] = bridge
        return bridge

    def _leave(self, channel: Channel) -> list[Channel]:
        """Take a channel out of its bridge; whoever is left alone in a conversation leaves too and is returned."""
        bridge = channel.bridge
        if bridge is None:
            return []
        leavers = [channel] if bridge.holding else [channel, *(m for m in bridge.members if m is not channel)]
        for leaver in leavers:
            self.emit(
                BridgeLeft(
                    at=self.now, channel_id=leaver.channel_id, bridge_id=bridge.bridge_id, holding=bridge.holding
                )
            )
            bridge.members.remove(leaver)
            leaver.bridge = None
            if leaver.call is not None and not bridge.holding and leaver.call.talks:
                leaver.call.talks[-1].ended_at = self.now
        if not bridge.members:
            del self.bridges[bridge.bridge_id]
            if bridge.holding:
                del self._holding[bridge.name]
        return leavers[1:]

    def _connect(self, first: Channel, second: Channel) -> None:
        """Move both into a bridge of their own, out of wherever they are."""
        bridge = self._new_bridge()
        left_alone: list[Channel] = []
        for channel in (first, second):
            channel.turn += 1
            left_alone += self._leave(channel)
            self._enter(channel, bridge)
        for channel, peer in ((first, second), (second, first)):
            if channel.call is not None and peer.call is None:
                channel.call.talks.append(Talk(peer.channel_id, self.now))
                channel.call.hears("operator", self.now)
        for channel in left_alone:
            self._goes_on(channel)

    def _goes_on(self, channel: Channel) -> None:
        """A conversation is over for this channel: the dialplan takes it up again."""
        if channel.alive and channel.bridge is None and channel.resumes is not None:
            channel.turn += 1
            channel.resumes(channel)

    # --- ends

    def _end(self, channel: Channel, *, by: str, cause: int, sip_code: int | None = None) -> None:
        """The channel is gone; whoever talked with it goes on."""
        channel.alive = False
        left_alone = self._leave(channel)
        call = channel.call
        if call is not None:
            call.ended_at, call.ended_by, call.cause = self.now, by, cause
        for other in left_alone:
            self._goes_on(other)
        if channel.tape is not None:
            channel.tape.ended_at = self.now
        self.emit(HungUp(at=self.now, channel_id=channel.channel_id, cause=cause, sip_code=sip_code))
        del self.channels[channel.channel_id]
        self.spying.discard(channel)
        for spy in [one for one in self.spying if one.spies_on == channel.channel_id]:
            self._end(spy, by="plan", cause=NORMAL_CLEARING)

    def crash(self, now: float) -> None:
        """Everything is gone at once and nobody is told. AstDB stays, it is on disk."""
        self.advance(now)
        for channel in self.channels.values():
            channel.alive = False
            if channel.tape is not None:
                channel.tape.ended_at = now
            if channel.call is not None:
                channel.call.ended_at, channel.call.ended_by = now, "crash"
                for talk in channel.call.talks[-1:]:
                    talk.ended_at = now if talk.ended_at is None else talk.ended_at
        self.channels.clear()
        self.spying.clear()
        self.bridges.clear()
        self._holding.clear()
        self._timers.clear()
        self.running = False

    def start(self, now: float) -> None:
        """Start again after a crash."""
        self.now = max(self.now, now)
        self.started_at = float(int(now))
        self.running = True

    # --- looking

    def find(self, channel_id: str) -> Channel | None:
        """A channel by id or name; as in Asterisk, a beginning of either finds some channel that begins so."""
        channel = self.channels.get(channel_id)
        if channel is not None or not channel_id:
            return channel
        return next(
            (c for i, c in self.channels.items() if channel_id in (c.name[: len(channel_id)], i[: len(channel_id)])),
            None,
        )

    def channel_states(self) -> Iterator[ChannelState]:
        """CoreShowChannels."""
        for channel in self.channels.values():
            yield ChannelState(
                channel_id=channel.channel_id,
                name=channel.name,
                state=channel.state,
                context=channel.context if channel.state == "Up" else "inbound",
                application=channel.application,
                bridge_id=channel.bridge.bridge_id if channel.bridge else "",
                duration_s=float(int(self.now - channel.created_at)),
            )

    def snapshot(self) -> SwitchSnapshot:
        """Everything at this moment."""
        return SwitchSnapshot(version=VERSION, started_at=self.started_at, channels=tuple(self.channel_states()))
