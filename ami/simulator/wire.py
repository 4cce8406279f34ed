"""The simulated switch's words as Asterisk 22.10 writes them on the wire.

Headers, their order and their spelling are taken from a real one (tried), those we do not read included: whoever
parses them must meet everything that is really there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ami.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelCreated,
    ChannelRinging,
    ChannelUp,
    ContactChanged,
    DialBegin,
    DialEnd,
    Event,
    HungUp,
    Originated,
    Said,
    SwitchStopping,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ami.events import ChannelState
    from ami.simulator.exchange import Channel
    from ami.simulator.switch import SimSwitch

    Header = tuple[str, str]

BANNER: Final = b"Asterisk Call Manager/11.0.0\r\n"
UNKNOWN: Final = "<unknown>"
STATES: Final = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6"}
CAUSES: Final = {
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    21: "Call Rejected",
    27: "Destination out of order",
    34: "Circuit/channel congestion",
    44: "Requested channel not available",
}

#: Our dialplan as ShowDialPlan tells it: context -> extension -> applications in order.
PLAN: Final[dict[str, dict[str, tuple[tuple[str, str], ...]]]] = {
    "operator": {
        "s": (
            ("Set", "TIMEOUT(absolute)=43200"),
            ("Answer", ""),
            ("UserEvent", "OperatorReady"),
            ("BridgeWait", "operators,participant,e(s)"),
            ("Goto", "4"),
        )
    },
    "answered": {
        "s": (
            ("Set", "TIMEOUT(absolute)=7200"),
            ("UserEvent", "Answered"),
            ("BridgeWait", "callees,participant,e(s)S(2)"),
            ("UserEvent", "Message"),
            ("Read", "DIGIT,message,1,,1,5"),
            ("Hangup", "16"),
        )
    },
    "inbound": {
        "s": (
            ("Answer", ""),
            ("UserEvent", "CameIn"),
            ("BridgeWait", "callers,participant,e(r)S(30)"),
            ("UserEvent", "Message"),
            ("Playback", "nobody"),
            ("Hangup", "16"),
        )
    },
    "missed": {"s": (("UserEvent", "Message"), ("Playback", "missed"), ("Hangup", "16"))},
    "unknown": {"s": (("Playback", "nobody"), ("Hangup", "16"))},
    "held": {
        "s": (
            ("BridgeWait", "held,participant,e(m)S(20)"),
            ("UserEvent", "Message"),
            ("Read", "DIGIT,message,1,,1,5"),
            ("Hangup", "16"),
        )
    },
    **{
        mode: {
            "s": (
                ("UserEvent", f"Spying,Mode: {mode}"),
                ("Set", "TIMEOUT(absolute)=7200"),
                ("ChanSpy", f"${{DIALER_SPY_ON}},uqES{option}"),
                ("Hangup", "16"),
            )
        }
        for mode, option in (("listen", ""), ("whisper", "w"), ("join", "B"))
    },
    "offer": {
        "s": (
            ("Set", "TIMEOUT(absolute)=7200"),
            ("UserEvent", "Answered"),
            ("UserEvent", "OfferStarted"),
            ("Background", "offer"),
            ("WaitExten", ""),
        ),
        "1": (("UserEvent", "Key,Key: 1"), ("UserEvent", "Waiting"), ("BridgeWait", "waiting,participant,e(m)")),
        "2": (("UserEvent", "Key,Key: 2"), ("Hangup", "16")),
        "9": (("UserEvent", "Key,Key: 9"), ("UserEvent", "OptOut"), ("Hangup", "16")),
        "t": (("UserEvent", "OfferEnded"), ("Hangup", "16")),
    },
}


def block(headers: Iterable[Header]) -> bytes:
    """One message: a line a header and an empty one."""
    return ("".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n").encode()


class EventWriter:
    """Events of a switch as AMI messages. Call it while the switch emits: it looks at the channel of the event."""

    def __init__(self, switch: SimSwitch) -> None:
        self._switch = switch
        self._write: dict[type[Event], tuple[str, str, Callable[..., Iterator[Header]]]] = {
            ChannelCreated: ("Newchannel", "call", self._channel_of),
            ChannelRinging: ("Newstate", "call", self._channel_of),
            ChannelUp: ("Newstate", "call", self._channel_of),
            DialBegin: ("DialBegin", "call", self._dial_begin),
            DialEnd: ("DialEnd", "call", self._dial_end),
            BridgeEntered: ("BridgeEnter", "call", self._bridge),
            BridgeLeft: ("BridgeLeave", "call", self._bridge),
            HungUp: ("Hangup", "call", self._hangup),
            Originated: ("OriginateResponse", "call", self._originated),
            Said: ("UserEvent", "user", self._said),
            ContactChanged: ("ContactStatus", "system", self._contact),
            SwitchStopping: ("Shutdown", "system", self._shutdown),
        }

    def write(self, event: Event) -> tuple[str, str, bytes]:
        """Its name, the class of rights that may read it, and its bytes."""
        name, right, rest = self._write[type(event)]
        head = (("Event", name), ("Privilege", f"{right},all"), ("Timestamp", f"{event.at:.6f}"))
        return name, right, block((*head, *rest(event)))

    def _channel_of(self, event: ChannelCreated | ChannelRinging | ChannelUp) -> Iterator[Header]:
        return self._channel(event.channel_id)

    def _channel(self, channel_id: str, prefix: str = "") -> Iterator[Header]:
        channel = self._switch.channels[channel_id]
        yield f"{prefix}Channel", channel.name
        yield f"{prefix}ChannelState", STATES[channel.state]
        yield f"{prefix}ChannelStateDesc", channel.state
        yield from _parties(prefix)
        yield f"{prefix}Context", _context(channel)
        yield f"{prefix}Exten", "s"
        yield f"{prefix}Priority", "1"
        yield f"{prefix}Uniqueid", channel_id
        yield f"{prefix}Linkedid", channel_id

    def _dial_begin(self, event: DialBegin) -> Iterator[Header]:
        yield from self._channel(event.channel_id, "Dest")
        channel = self._switch.channels[event.channel_id]
        endpoint = channel.name.removeprefix("PJSIP/").rpartition("-")[0]
        yield "DialString", endpoint if channel.seat else f"{channel.number}@{endpoint}"

    def _dial_end(self, event: DialEnd) -> Iterator[Header]:
        yield from self._channel(event.channel_id, "Dest")
        yield "DialStatus", event.status

    def _bridge(self, event: BridgeEntered | BridgeLeft) -> Iterator[Header]:
        bridge = self._switch.bridges[event.bridge_id]
        leaves = isinstance(event, BridgeLeft)
        yield "BridgeUniqueid", bridge.bridge_id
        yield "BridgeType", "base" if bridge.holding else "basic"
        yield "BridgeTechnology", "holding_bridge" if bridge.holding else "native_rtp" if leaves else "simple_bridge"
        yield "BridgeCreator", "BridgeWait" if bridge.holding else UNKNOWN
        yield "BridgeName", bridge.name or UNKNOWN
        yield "BridgeNumChannels", str(len(bridge.members) - leaves)
        yield "BridgeVideoSourceMode", "none"
        yield from self._channel(event.channel_id)

    def _hangup(self, event: HungUp) -> Iterator[Header]:
        yield from self._channel(event.channel_id)
        yield "Cause", str(event.cause)
        yield "Cause-txt", CAUSES.get(event.cause, "Unknown")
        if event.sip_code is not None:
            yield "TechCause", str(event.sip_code)

    def _originated(self, event: Originated) -> Iterator[Header]:
        yield "Response", "Success" if event.success else "Failure"
        channel = self._switch.channels.get(event.channel_id)
        yield "Channel", channel.name if channel else UNKNOWN
        yield "Context", channel.context if channel else ""
        yield "Exten", "s"
        yield "Reason", str(event.reason)
        yield "Uniqueid", event.channel_id
        yield "CallerIDNum", UNKNOWN
        yield "CallerIDName", UNKNOWN

    def _said(self, event: Said) -> Iterator[Header]:
        yield from self._channel(event.channel_id)
        yield "UserEvent", event.name
        yield from event.fields.items()

    def _contact(self, event: ContactChanged) -> Iterator[Header]:
        yield "URI", f"sip:{event.aor}@127.0.0.1"
        yield "ContactStatus", event.status
        yield "AOR", event.aor
        yield "EndpointName", event.aor
        yield "RoundtripUsec", "0"

    def _shutdown(self, event: SwitchStopping) -> Iterator[Header]:
        yield "Shutdown", "Cleanly"
        yield "Restart", str(event.restart)


def channel_line(state: ChannelState) -> Iterator[Header]:
    """One CoreShowChannel of a list."""
    seconds = int(state.duration_s)
    yield "Channel", state.name
    yield "ChannelState", STATES[state.state]
    yield "ChannelStateDesc", state.state
    yield from _parties()
    yield "Context", state.context
    yield "Exten", "s"
    yield "Priority", "1"
    yield "Uniqueid", state.channel_id
    yield "Linkedid", state.channel_id
    yield "Application", state.application
    yield "ApplicationData", ""
    yield "Duration", f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    yield "BridgeId", state.bridge_id


def _parties(prefix: str = "") -> Iterator[Header]:
    for name in ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName"):
        yield prefix + name, UNKNOWN
    yield f"{prefix}Language", "en"
    yield f"{prefix}AccountCode", ""


def _context(channel: Channel) -> str:
    """While it is dialled a channel is still in the context of its endpoint."""
    return channel.context if channel.state == "Up" else "inbound"
