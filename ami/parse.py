"""AMI messages to typed events.

Pure, and it never raises: it runs in the reader of the socket, where an exception would cost the rest of the batch.
What is malformed is counted; a growing count means that Asterisk and we no longer speak the same language.

Headers are taken as Asterisk 22 sends them (tried; see ``tests/ami/test_parse.py``). Events of channels that are not
ours come through as well: whoever holds the ids tells them apart.
"""

from __future__ import annotations

import math
from types import MappingProxyType
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
    from collections.abc import Callable, Mapping

    Headers = Mapping[str, str | list[str]]

SIP_CODES: Final = range(100, 700)
Q850_CAUSES: Final = range(256)
_RINGING, _UP = "5", "6"


class EventReader:
    """Makes events of messages and counts those it could not read.

    Attributes:
        malformed: Messages of a handled kind that lacked what they must have, since the start.
    """

    def __init__(self) -> None:
        self.malformed = 0

    def read(self, headers: Headers, received_at: float) -> Event | None:
        """The event, or None if it is of no interest to us or cannot be read.

        Args:
            headers: A panoramisk message or any mapping of its headers, names as Asterisk writes them.
            received_at: Seconds since the epoch, used where the switch gave no ``Timestamp``.
        """
        try:
            build = _BUILDERS.get(_text(headers, "Event"))
            return None if build is None else build(headers, _at(headers, received_at))
        except (LookupError, ValueError):
            self.malformed += 1
            return None


def _text(headers: Headers, name: str) -> str:
    """The header's value; the first where there are several, since Asterisk writes its own before the dialplan's."""
    value = headers[name]
    return value if isinstance(value, str) else value[0]


def _id(headers: Headers, name: str = "Uniqueid") -> str:
    value = _text(headers, name)
    if not value:
        raise ValueError(name)
    return value


def _at(headers: Headers, received_at: float) -> float:
    """The switch's own time. A broken clock must not cost us the event."""
    if "Timestamp" not in headers:
        return received_at
    try:
        at = float(_text(headers, "Timestamp"))
    except ValueError:
        return received_at
    return at if math.isfinite(at) else received_at


def _channel_created(headers: Headers, at: float) -> Event:
    return ChannelCreated(at=at, channel_id=_id(headers), name=_text(headers, "Channel"))


def _state(headers: Headers, at: float) -> Event | None:
    state = _text(headers, "ChannelState")
    if state == _UP:
        return ChannelUp(at=at, channel_id=_id(headers))
    return ChannelRinging(at=at, channel_id=_id(headers)) if state == _RINGING else None


def _dial_begin(headers: Headers, at: float) -> Event:
    return DialBegin(at=at, channel_id=_id(headers, "DestUniqueid"))


def _dial_end(headers: Headers, at: float) -> Event:
    return DialEnd(at=at, channel_id=_id(headers, "DestUniqueid"), status=_text(headers, "DialStatus"))


def _holding(headers: Headers) -> bool:
    return _text(headers, "BridgeTechnology") == "holding_bridge"


def _bridge_entered(headers: Headers, at: float) -> Event:
    return BridgeEntered(
        at=at, channel_id=_id(headers), bridge_id=_id(headers, "BridgeUniqueid"), holding=_holding(headers)
    )


def _bridge_left(headers: Headers, at: float) -> Event:
    return BridgeLeft(
        at=at, channel_id=_id(headers), bridge_id=_id(headers, "BridgeUniqueid"), holding=_holding(headers)
    )


def _hung_up(headers: Headers, at: float) -> Event:
    cause = _number(_text(headers, "Cause"))
    if cause not in Q850_CAUSES:
        raise ValueError("Cause")
    return HungUp(at=at, channel_id=_id(headers), cause=cause, sip_code=_sip_code(headers))


def _sip_code(headers: Headers) -> int | None:
    """``TechCause`` (Asterisk 22) is there only when the far end refused or gave up."""
    try:
        code = _number(_text(headers, "TechCause")) if "TechCause" in headers else 0
    except ValueError:
        return None
    return code if code in SIP_CODES else None


def _originated(headers: Headers, at: float) -> Event:
    return Originated(
        at=at,
        channel_id=_id(headers),
        success=_text(headers, "Response") == "Success",
        reason=_number(_text(headers, "Reason")),
    )


def _said(headers: Headers, at: float) -> Event:
    """The dialplan's own headers are those after ``UserEvent``; Asterisk describes the channel before it.

    ``content`` is panoramisk's: the body of an answer, empty in events.
    """
    names = list(headers)
    own = names[names.index("UserEvent") + 1 :]
    fields = MappingProxyType({name: _text(headers, name) for name in own if name != "content"})
    return Said(at=at, channel_id=_id(headers), name=_text(headers, "UserEvent"), fields=fields)


def _contact_changed(headers: Headers, at: float) -> Event:
    return ContactChanged(at=at, aor=_id(headers, "AOR"), status=_text(headers, "ContactStatus"))


def _switch_stopping(headers: Headers, at: float) -> Event:
    return SwitchStopping(at=at, restart=_text(headers, "Restart") == "True")


def _number(text: str) -> int:
    """Digits to a number. ``int`` alone would take blanks, signs, underscores and other alphabets."""
    if not (text.isascii() and text.isdigit() and len(text) <= len("4294967295")):
        raise ValueError(text)
    return int(text)


_BUILDERS: Final[Mapping[str, Callable[[Headers, float], Event | None]]] = MappingProxyType(
    {
        "Newchannel": _channel_created,
        "Newstate": _state,
        "DialBegin": _dial_begin,
        "DialEnd": _dial_end,
        "BridgeEnter": _bridge_entered,
        "BridgeLeave": _bridge_left,
        "Hangup": _hung_up,
        "OriginateResponse": _originated,
        "UserEvent": _said,
        "ContactStatus": _contact_changed,
        "Shutdown": _switch_stopping,
    }
)

HANDLED: Final = frozenset(_BUILDERS)
"""Names for ``eventfilter(name(...)) =`` in manager.conf, beside FullyBooted."""
