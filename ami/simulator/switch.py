"""The pure heart of the simulator: dialing, our dialplan, and the actions we may ask for.

One call, from top to bottom (times are examples; what a person does comes from ``people``):

    Originate        ChannelCreated, DialBegin
    + setup          ChannelRinging              not for early media
    + ring           Originated(success, 4), ChannelUp, DialEnd ANSWER, then the context
                     or DialEnd, Originated(failure, 0), HungUp with the cause of the table ``REFUSALS``
    ring timeout     Originated(failure, 3), HungUp 19/480, no DialEnd
    our Hangup       DialEnd NOANSWER, Originated(failure, 0), HungUp 16

    [operator]       Said OperatorReady, waits in ``operators``; after each conversation waits there again
    [answered]       Said Answered, waits in ``callees`` for ANSWER_WAIT_S, then the message
    [offer]          Said Answered, Said OfferStarted; keys: Said Key, and
                       those of DIALER_SAID_KEYS and DIALER_CALLBACK_KEYS  goodbye, HungUp
                       1, unless it is of them  Said Waiting, waits in ``waiting`` for DIALER_KEY_WAIT_S, then message
                       9  AstDB, Said OptOut, goodbye, HungUp
                       *  the offer again, at most five times in all; another key too, but without Said Key
                     none: Said OfferEnded, HungUp
    with DIALER_RECORD   MixMonitor from the answer, in an offer from key 1, until the channel ends
    [inbound]        who calls in: Said CameIn, waits in ``callers`` for CALLERS_WAIT_S, then Said Message, goodbye
    [missed] [unknown]   what a caller hears whom nobody serves, or nobody knows; the first is Said Message
    [listen] [whisper] [join]   Said Spying; a supervisor's phone, until the leg it spies on is gone, or sent to another
    message          Said Message; key 9 as above (after an offer Said Key, and 2 of DIALER_CALLBACK_KEYS), else HungUp

A callee whose operator's phone is lost goes on at the message, as on the real thing.

Sharp edges of Asterisk 22.10 that are kept, so that nobody learns to lean on something softer (tried):

* ``Success`` to an Originate means queued. A ChannelId in use, a seat without a phone: ``Success``, then
  Originated(failure, 0) with that id, which in the first case is the id of a call that is alive and well;
* OriginateResponse is written outside the ordered stream, often before the Newstate Up of its own channel;
* Bridge takes a channel that still rings: it stops being dialled, never answers, and rings in the bridge for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ami.actions import Bridge, Hangup, Mute, Originate, Redirect, SetVariable
from ami.events import (
    ChannelCreated,
    ChannelRinging,
    ChannelUp,
    ContactChanged,
    DialBegin,
    DialEnd,
    Originated,
    Said,
)
from ami.simulator.exchange import Channel, Exchange
from ami.simulator.people import ANSWERING, Kind
from ami.simulator.record import Tape, WorldCall

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami.actions import Action
    from ami.events import Event
    from ami.simulator.people import Person, World

#: How a call that is not answered ends: Asterisk's DialStatus, Q.850 cause, SIP code (measured, telephony.md).
REFUSALS = {
    Kind.BUSY: ("BUSY", 17, 486),
    Kind.INVALID: ("NOANSWER", 1, 404),
    Kind.REJECTED: ("NOANSWER", 21, 403),
    Kind.CONGESTION: ("CONGESTION", 34, 503),
    Kind.OUT_OF_ORDER: ("NOANSWER", 27, 502),
    Kind.UNAVAILABLE: ("NOANSWER", 19, 480),
}


OFFERS_MOST = 5
#: Contexts of a supervisor's phone.
SPYING = ("listen", "whisper", "join")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialplan:
    """Durations of our dialplan. ``answer_wait_s`` is the S(2) of BridgeWait, the dead-man's switch."""

    answer_wait_s: float = 2.0
    offer_s: float = 15.0
    message_s: float = 8.0
    goodbye_s: float = 1.5
    key_wait_s: float = 20.0
    held_s: float = 20.0
    callers_wait_s: float = 30.0
    callers_most: int = 60
    absolute_s: float = 7200.0
    operator_absolute_s: float = 43200.0


class SimSwitch(Exchange):
    """An Asterisk with our dialplan, a trunk to ``world`` and the operators' phones.

    Attributes:
        calls: The world's record of every INVITE to a callee, oldest first; tests count by it.
        callers: The same of everybody who called in.
    """

    def __init__(
        self,
        world: World,
        emit: Callable[[Event], None],
        *,
        started_at: float = 0.0,
        dialplan: Dialplan | None = None,
    ) -> None:
        super().__init__(emit, started_at=started_at)
        self.world = world
        self.dialplan = dialplan or Dialplan()
        self.calls: list[WorldCall] = []
        self.callers: list[WorldCall] = []
        self._ordinals: dict[str, int] = {}
        self._lost_seats: set[str] = set()
        self._enter_context: dict[str, Callable[[Channel], None]] = {
            "operator": self._operator,
            "answered": self._answered,
            "offer": self._offer,
            "held": self._held,
            "missed": self._turned_away,
            "unknown": self._goodbye,
            **{mode: partial(self._spies, mode=mode) for mode in SPYING},
        }

    # --- actions

    def do(self, action: Action, now: float) -> str | None:
        """Carry out an action.

        Returns:
            None when Asterisk says ``Success``, else the sentence of its ``Error``.
        """
        self.advance(now)
        if isinstance(action, Originate):
            return self._originate(action)
        if isinstance(action, Bridge):
            return self._bridge(action)
        channel = self.find(action.channel_id)
        if channel is None:
            return "No such channel"
        if isinstance(action, Redirect):
            return self._redirect(channel, action.context)
        if isinstance(action, Hangup):
            self._hang_up(channel, by="service", cause=action.cause)
        elif isinstance(action, SetVariable):
            channel.variables = {**channel.variables, action.name: action.value}
        elif isinstance(action, Mute):
            return self._mute(channel, silent=action.silent)
        return None

    def _mute(self, channel: Channel, *, silent: bool) -> str | None:
        if channel.tape is None:
            return "Cannot set mute flag"
        channel.tape.silent.append((self.now, silent))
        return None

    def _originate(self, action: Originate) -> str | None:
        if action.context not in self._enter_context:
            return "Extension does not exist."
        if action.channel_id in self.channels:
            self._no_channel(action)
        elif action.number is None:
            self._call_phone(action, action.endpoint)
        else:
            self._call_person(action, action.number)
        return None

    def _bridge(self, action: Bridge) -> str | None:
        first, second = self.find(action.channel_id_1), self.find(action.channel_id_2)
        if first is None:
            return f"Channel1 does not exist: {action.channel_id_1}"
        if second is None:
            return f"Channel2 does not exist: {action.channel_id_2}"
        if first is second:
            return f"Unable to add Channel2 to bridge: {second.name}"
        for channel in (first, second):
            if channel.state != "Up":
                channel.resumes = self._plan_puts_down
                self._originated(channel, success=False, reason=0)
        self._connect(first, second)
        for channel in (first, second):
            if channel.person is not None and channel.state == "Up":
                self._at(self.now + channel.person.talk_s, self._callee_puts_down, channel)
        return None

    def _redirect(self, channel: Channel, context: str) -> str | None:
        if channel.state != "Up":
            return "Redirect failed, channel not up."
        if context not in self._enter_context:
            return "Extension does not exist."  # tried: Asterisk looks first
        left_alone = self._leave(channel)
        channel.context = context
        self._enter_context[context](channel)
        for other in left_alone:
            self._goes_on(other)
        return None

    # --- dialing

    def _no_channel(self, action: Originate) -> None:
        self.emit(Originated(at=self.now, channel_id=action.channel_id, success=False, reason=0))

    def _call_phone(self, action: Originate, seat: str) -> None:
        phone = self.world.phone(seat)
        if not phone.registered or seat in self._lost_seats:
            self._no_channel(action)
            return
        channel = self._dial(action, number=seat)
        channel.seat = seat
        self.emit(DialBegin(at=self.now, channel_id=channel.channel_id))
        if phone.answer_s is not None:
            self._at(self.now + phone.answer_s / 2, self._rings, channel, whole_life=True)
        self._answers_or_times_out(channel, phone.answer_s)

    def _call_person(self, action: Originate, number: str) -> None:
        ordinal = self._ordinals[number] = self._ordinals.get(number, 0) + 1
        person = self.world.callee(number, ordinal)
        channel = self._dial(action, number=number)
        channel.person = person
        channel.call = WorldCall(number, channel.channel_id, self.now)
        self.calls.append(channel.call)
        self.emit(DialBegin(at=self.now, channel_id=channel.channel_id))
        kind, end_s = person.kind, person.setup_s + person.ring_s
        if kind is Kind.EARLY_MEDIA:
            self._answers_or_times_out(channel, None)
            return
        if kind is Kind.NO_ANSWER or kind in ANSWERING or person.ring_s > 0:
            self._at(self.now + person.setup_s, self._rings, channel, whole_life=True)
        if kind in ANSWERING:
            self._answers_or_times_out(channel, end_s)
        elif kind is Kind.NO_ANSWER or self.now + end_s >= channel.ring_timeout_at:
            self._answers_or_times_out(channel, None)
        else:
            self._at(self.now + end_s, self._refused, channel)

    def _dial(self, action: Originate, *, number: str) -> Channel:
        self._count += 1
        channel = Channel(
            action.channel_id,
            f"PJSIP/{action.endpoint}-{self._count:08x}",
            context=action.context,
            number=number,
            now=self.now,
        )
        channel.variables = action.variables
        channel.ring_timeout_at = self.now + action.ring_timeout_ms / 1000
        self.channels[channel.channel_id] = channel
        self.emit(ChannelCreated(at=self.now, channel_id=channel.channel_id, name=channel.name))
        return channel

    def _answers_or_times_out(self, channel: Channel, answer_s: float | None) -> None:
        if answer_s is not None and self.now + answer_s < channel.ring_timeout_at:
            self._at(self.now + answer_s, self._answers, channel)
        else:
            self._at(channel.ring_timeout_at, self._times_out, channel)

    def _rings(self, channel: Channel) -> None:
        channel.state = "Ringing"
        if channel.call is not None:
            channel.call.rang_at = self.now
        self.emit(ChannelRinging(at=self.now, channel_id=channel.channel_id))

    def _refused(self, channel: Channel) -> None:
        person = _person(channel)
        status, cause, sip_code = REFUSALS[person.kind]
        self._never_answered(channel, status=status, reason=0, by="callee", cause=cause, sip_code=sip_code)

    def _times_out(self, channel: Channel) -> None:
        self._never_answered(channel, status="", reason=3, by="timeout", cause=19, sip_code=480)

    def _never_answered(
        self, channel: Channel, *, status: str, reason: int, by: str, cause: int, sip_code: int | None
    ) -> None:
        if channel.bridge is None:
            if status:
                self.emit(DialEnd(at=self.now, channel_id=channel.channel_id, status=status))
            self._originated(channel, success=False, reason=reason)
        self._end(channel, by=by, cause=cause, sip_code=sip_code)

    def _originated(self, channel: Channel, *, success: bool, reason: int) -> None:
        self.emit(Originated(at=self.now, channel_id=channel.channel_id, success=success, reason=reason))

    def _answers(self, channel: Channel) -> None:
        channel.state = "Up"
        channel.answered_at = self.now
        channel.turn += 1
        self._originated(channel, success=True, reason=4)
        self.emit(ChannelUp(at=self.now, channel_id=channel.channel_id))
        self.emit(DialEnd(at=self.now, channel_id=channel.channel_id, status="ANSWER"))
        if channel.call is not None:
            channel.call.answered_at = self.now
        self._enter_context[channel.context](channel)

    # --- our dialplan

    def _operator(self, channel: Channel) -> None:
        self._at(self.now + self.dialplan.operator_absolute_s, self._absolute_timeout, channel, whole_life=True)
        self._say(channel, "OperatorReady")
        self._operator_waits(channel)

    def _operator_waits(self, channel: Channel) -> None:
        channel.resumes = self._operator_waits
        self._wait_in(channel, "operators")

    def _records(self, channel: Channel) -> None:
        """MixMonitor, where the service asks for it: from here to the end of the channel."""
        if channel.variables.get("DIALER_RECORD") == "1":
            name = channel.channel_id.removeprefix("att-")
            channel.tape = self.tapes[name] = Tape(name, self.now)

    def _answered(self, channel: Channel) -> None:
        self._records(channel)
        self._picks_up(channel)
        self._waits_for_operator(channel, "callees", self.dialplan.answer_wait_s)

    def _offer(self, channel: Channel) -> None:
        self._picks_up(channel)
        channel.resumes = self._plan_puts_down
        self._say(channel, "OfferStarted")
        if channel.call is not None:
            channel.call.hears("offer", self.now)
        channel.offers_left = OFFERS_MOST
        self._plays_offer(channel)
        if channel.person is not None:
            for after_s, digit in channel.person.keys:
                self._at(self.now + after_s, partial(self._presses, digit=digit), channel, whole_life=True)

    def _plays_offer(self, channel: Channel) -> None:
        channel.turn += 1
        channel.application = "Background"
        channel.offers_left -= 1
        if channel.offers_left < 0:
            self._offer_ends(channel)
            return
        self._at(self.now + self.dialplan.offer_s, self._offer_ends, channel)

    def _offer_ends(self, channel: Channel) -> None:
        self._say(channel, "OfferEnded")
        self._plan_puts_down(channel)

    def _waits_for_operator(
        self, channel: Channel, where: str, seconds: float, *, then: Callable[[Channel], None] | None = None
    ) -> None:
        channel.turn += 1
        channel.resumes = then or self._message
        self._wait_in(channel, where)
        self._at(self.now + seconds, self._waited_in_vain, channel)
        if channel.person is not None and channel.person.patience_s is not None:
            self._at(self.now + channel.person.patience_s, self._callee_puts_down, channel)

    def _held(self, channel: Channel) -> None:
        self._waits_for_operator(channel, "held", self.dialplan.held_s)

    def _comes_in(self, channel: Channel, dialled: str) -> None:
        """The number that called and the one it dialled came from outside: of both the digits are left."""
        self._at(self.now + self.dialplan.absolute_s, self._absolute_timeout, channel, whole_life=True)
        self._say(channel, "CameIn", Caller=_digits(channel.number), Dialled=_digits(dialled), Name=channel.name)
        self._waits_for_operator(channel, "callers", self.dialplan.callers_wait_s, then=self._turned_away)

    def _turned_away(self, channel: Channel) -> None:
        self._say(channel, "Message")
        if channel.call is not None:
            channel.call.hears("message", self.now)
        self._goodbye(channel)

    def _spies(self, channel: Channel, *, mode: str) -> None:
        """ChanSpy with the options u, E and S: on one channel, whatever it does, until it is gone."""
        channel.turn += 1
        channel.application = "ChanSpy"
        self._say(channel, "Spying", Mode=mode)
        self._at(self.now + self.dialplan.absolute_s, self._absolute_timeout, channel)
        leg = channel.variables.get("DIALER_SPY_ON", "")
        channel.spies_on = leg if leg.startswith("opr-") else ""
        self.spying.add(channel)
        if channel.spies_on not in self.channels:
            self._plan_puts_down(channel)

    def heard_by(self, channel_id: str) -> set[str]:
        """Channels whose voice somebody hears: whoever is in the same conversation, and spies that talk into it."""
        channel = self.channels[channel_id]
        if channel in self.spying:
            spied_on = self.channels[channel.spies_on]
            return {spied_on.channel_id, *(one.channel_id for one in _others(spied_on))}
        around = [channel, *_others(channel)]
        spies = [one for one in self.spying if self.channels[one.spies_on] in around]
        into = [one for one in spies if one.context == "join"]
        into += [one for one in spies if one.context == "whisper" and one.spies_on == channel_id]
        return {one.channel_id for one in (*_others(channel), *into)}

    def _waited_in_vain(self, channel: Channel) -> None:
        self._leave(channel)
        if channel.resumes is not None:
            channel.resumes(channel)

    def _message(self, channel: Channel) -> None:
        channel.turn += 1
        channel.application = "Read"
        channel.resumes = self._plan_puts_down
        self._say(channel, "Message")
        if channel.call is not None:
            channel.call.hears("message", self.now)
        self._at(self.now + self.dialplan.message_s, self._plan_puts_down, channel)
        if channel.person is not None:
            for after_s, digit in channel.person.message_keys:
                self._at(self.now + after_s, partial(self._presses, digit=digit), channel)

    def _presses(self, channel: Channel, *, digit: str) -> None:
        """A key: heard by the offer and by the message only."""
        if channel.bridge is not None or channel.application not in {"Background", "Read"}:
            return
        if channel.call is not None:
            channel.call.keys.append((self.now, digit))
        ending, heard = _keys(channel)
        if digit in heard:
            self._say(channel, "Key", Key=digit)
        if digit == "9":
            self._opts_out(channel)
        elif digit in ending:
            self._goodbye(channel)
        elif channel.application == "Read":
            self._plan_puts_down(channel)
        elif digit == "1":
            self._records(channel)
            self._say(channel, "Waiting")
            seconds = float(channel.variables.get("DIALER_KEY_WAIT_S", self.dialplan.key_wait_s))
            self._waits_for_operator(channel, "waiting", seconds)
        else:
            self._plays_offer(channel)

    def _opts_out(self, channel: Channel) -> None:
        key = channel.channel_id.removeprefix("att-")
        self.database.setdefault("optout", {})[key] = str(int(self.now))
        self._say(channel, "OptOut")
        self._goodbye(channel)

    def _goodbye(self, channel: Channel) -> None:
        channel.turn += 1
        channel.application = "Playback"
        channel.resumes = self._plan_puts_down
        self._at(self.now + self.dialplan.goodbye_s, self._plan_puts_down, channel)

    def _say(self, channel: Channel, name: str, **fields: str) -> None:
        self.emit(Said(at=self.now, channel_id=channel.channel_id, name=name, fields=fields))

    # --- ends

    def _picks_up(self, channel: Channel) -> None:
        """A callee's channel is up: what is true whichever context it came to."""
        self._at(self.now + self.dialplan.absolute_s, self._absolute_timeout, channel, whole_life=True)
        self._say(channel, "Answered")
        if channel.person is None:
            return
        after_s = channel.person.hangup_after_s
        if channel.person.kind is Kind.ANSWERS_AND_HANGS_UP:
            after_s = after_s or 0.0
        if after_s is not None:
            self._at(self.now + after_s, self._callee_puts_down, channel, whole_life=True)

    def _callee_puts_down(self, channel: Channel) -> None:
        self._end(channel, by="callee", cause=16)

    def _plan_puts_down(self, channel: Channel) -> None:
        self._end(channel, by="plan", cause=16)

    def _absolute_timeout(self, channel: Channel) -> None:
        self._end(channel, by="plan", cause=16)

    def _hang_up(self, channel: Channel, *, by: str, cause: int) -> None:
        if channel.state == "Up":
            self._end(channel, by=by, cause=cause)
        else:
            self._never_answered(channel, status="NOANSWER", reason=0, by=by, cause=cause, sip_code=None)

    # --- the world's own hands: what no action of ours can do

    def person_calls(self, number: str, dialled: str, person: Person, now: float, *, trunk: str = "trunk") -> None:
        """Somebody calls in over a trunk; one too many finds the line busy."""
        self.advance(now)
        if sum(channel.context == "inbound" for channel in self.channels.values()) >= self.dialplan.callers_most:
            return
        self._count += 1
        name = f"PJSIP/{trunk}-{self._count:08x}"
        channel = Channel(f"{int(now)}.{self._count}", name, context="inbound", number=number, now=self.now)
        channel.person, channel.state, channel.answered_at = person, "Up", self.now
        channel.call = WorldCall(number, channel.channel_id, self.now, answered_at=self.now)
        self.callers.append(channel.call)
        self.channels[channel.channel_id] = channel
        self.emit(ChannelCreated(at=self.now, channel_id=channel.channel_id, name=channel.name))
        self.emit(ChannelUp(at=self.now, channel_id=channel.channel_id))
        self._comes_in(channel, dialled)

    def callee_hangs_up(self, channel_id: str, now: float) -> None:
        """This person puts the phone down now (or rejects it while it rings)."""
        self.advance(now)
        channel = self.channels[channel_id]
        if channel.state == "Up":
            self._callee_puts_down(channel)
        else:
            self._never_answered(channel, status="NOANSWER", reason=0, by="callee", cause=21, sip_code=403)

    def press(self, channel_id: str, digit: str, now: float) -> None:
        """This person presses a key now."""
        self.advance(now)
        self._presses(self.channels[channel_id], digit=digit)

    def hang_up_phone(self, seat: str, now: float, *, cause: int = 16) -> None:
        """The operator's phone ends all its calls, but stays registered."""
        self.advance(now)
        for channel in [c for c in self.channels.values() if c.seat == seat]:
            if channel.alive:
                self._hang_up(channel, by="operator", cause=cause)

    def lose_phone(self, seat: str, now: float) -> None:
        """The operator's phone disappears: its calls end, its registration too."""
        self._lost_seats.add(seat)
        self.hang_up_phone(seat, now, cause=44)
        self.emit(ContactChanged(at=self.now, aor=seat, status="Removed"))

    def return_phone(self, seat: str, now: float) -> None:
        """The operator's phone registers again."""
        self.advance(now)
        self._lost_seats.discard(seat)
        self.emit(ContactChanged(at=self.now, aor=seat, status="Reachable"))


def _digits(text: str) -> str:
    """What ``FILTER(+0-9,…)`` leaves."""
    return "".join(one for one in text if one in "+0123456789")


def _keys(channel: Channel) -> tuple[set[str], set[str]]:
    """Keys that end the recording it hears with thanks, and those that are told."""
    if channel.context != "offer":
        return set(), set()
    called_back = set(channel.variables.get("DIALER_CALLBACK_KEYS", ""))
    if channel.application == "Read":
        ending = called_back & {"2"}
        return ending, ending | {"9"}
    ending = called_back | set(channel.variables.get("DIALER_SAID_KEYS", ""))
    return ending, ending | set("19*")


def _others(channel: Channel) -> list[Channel]:
    """Whoever is in one conversation with this channel."""
    bridge = channel.bridge
    return [one for one in bridge.members if one is not channel] if bridge and not bridge.holding else []


def _person(channel: Channel) -> Person:
    """The person of a callee's channel."""
    if channel.person is None:
        raise LookupError(channel.channel_id)
    return channel.person
