"""Actions to bytes: the only place where AMI output is made.

Whoever may originate owns the PBX, and a value with a line end in it is a second action. So every value has a
pattern of its own, the patterns leave no room for a line end, a comma or a quote, and ``frame`` looks once more at
whatever is about to leave. Refusals name the field and never repeat the value: it may be a phone number.

Asterisk's limits (read in its ``manager.c`` and tried): an input line over about 1 KB is refused or cut, 128 headers
are read, ``Channel`` and ``CallerID`` are cut at 256 bytes, ``Variable`` is split at commas.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, assert_never

from ami.actions import Action, Bridge, Hangup, Mute, Originate, Redirect, SetVariable
from ami.errors import BadAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Header = tuple[str, str]

LINE_BYTES_MAX: Final = 1024
HEADERS_MAX: Final = 128
VARIABLES_MAX: Final = 64
RING_TIMEOUT_MS_MAX: Final = 600_000
Q850_MAX: Final = 127

_PATTERNS: Final = {
    "word": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
    "channel": re.compile(r"[A-Za-z0-9_.-]{1,64}|PJSIP/[a-z0-9_-]{1,32}-[0-9a-f]{8}"),
    "endpoint": re.compile(r"[a-z0-9_-]{1,32}"),
    "digits": re.compile(r"[0-9]{1,15}"),
    "caller number": re.compile(r"\+?[0-9]{1,15}"),
    "context": re.compile(r"[a-z][a-z0-9_-]{0,39}"),
    "variable name": re.compile(r"[A-Z][A-Z0-9_]{0,39}"),
    "header name": re.compile(r"[A-Za-z0-9]{1,32}"),
}


def encode(action: Action, action_id: str) -> bytes:
    """The bytes of an action, its final empty line included.

    Args:
        action: What to do.
        action_id: Our name for it, a word; Asterisk repeats it in the answer.

    Raises:
        BadAction: a value is not what its field allows.
    """
    match action:
        case Originate():
            return question("Originate", action_id, _originate(action))
        case Bridge():
            return question("Bridge", action_id, _bridge(action))
        case Redirect():
            return question("Redirect", action_id, _redirect(action))
        case Hangup():
            return question("Hangup", action_id, _hangup(action))
        case SetVariable():
            return question("Setvar", action_id, _set_variable(action))
        case Mute():
            return question("MixMonitorMute", action_id, _mute(action))
    assert_never(action)


def question(name: str, action_id: str, headers: Iterable[Header] = ()) -> bytes:
    """An action of any name; for what the link itself asks (Ping, CoreStatus, ...).

    Raises:
        BadAction: as ``frame``.
    """
    return frame((("Action", name), ("ActionID", checked("word", action_id, field="ActionID")), *headers))


def frame(headers: Iterable[Header]) -> bytes:
    """The last gate before the socket: one line a header, nothing unprintable, within Asterisk's limits.

    Raises:
        BadAction: a name or value could be read by Asterisk as something else.
    """
    lines = [_line(name, value) for name, value in headers]
    if len(lines) > HEADERS_MAX:
        raise BadAction(f"more than {HEADERS_MAX} headers")
    return "".join([*lines, "\r\n"]).encode()


def checked(kind: str, value: object, *, field: str) -> str:
    """The value itself, if it is wholly of this kind.

    Args:
        kind: A key of the patterns above.
        value: What came from outside.
        field: Its name, for the refusal.

    Raises:
        BadAction: it is not.
    """
    if not (isinstance(value, str) and _PATTERNS[kind].fullmatch(value)):
        raise BadAction(f"{field}: not a {kind} ({_PATTERNS[kind].pattern})")
    return value


@lru_cache(maxsize=128)
def _header_name(name: str) -> str:
    """There are few of them; each is looked at once."""
    return checked("header name", name, field="header")


def _line(name: str, value: str) -> str:
    _header_name(name)
    if not value.isprintable():
        raise BadAction(f"{name}: holds a character that does not print")
    line = f"{name}: {value}\r\n"
    if (len(line) if line.isascii() else len(line.encode())) > LINE_BYTES_MAX:
        raise BadAction(f"{name}: a line over {LINE_BYTES_MAX} bytes")
    return line


def _originate(action: Originate) -> Iterator[Header]:
    endpoint = checked("endpoint", action.endpoint, field="endpoint")
    target = endpoint if action.number is None else f"{checked('digits', action.number, field='number')}@{endpoint}"
    yield "Channel", f"PJSIP/{target}"
    yield "ChannelId", checked("word", action.channel_id, field="channel_id")
    yield "Context", checked("context", action.context, field="context")
    yield "Exten", "s"
    yield "Priority", "1"
    yield "Async", "true"
    yield "Timeout", _whole(action.ring_timeout_ms, RING_TIMEOUT_MS_MAX, field="ring_timeout_ms")
    if action.caller_number is not None:
        yield "CallerID", f"<{checked('caller number', action.caller_number, field='caller_number')}>"
    if len(action.variables) > VARIABLES_MAX:
        raise BadAction(f"more than {VARIABLES_MAX} variables")
    for name, value in action.variables.items():
        name_checked = checked("variable name", name, field="variable name")
        yield "Variable", f"{name_checked}={checked('word', value, field=name_checked)}"
    if action.tells_id:
        yield "Variable", f"PJSIP_HEADER(add,X-Dialer-Attempt)={action.channel_id}"


def _bridge(action: Bridge) -> Iterator[Header]:
    if action.channel_id_1 == action.channel_id_2:
        raise BadAction("channel_id_2: a channel cannot be connected to itself")
    yield "Channel1", checked("channel", action.channel_id_1, field="channel_id_1")
    yield "Channel2", checked("channel", action.channel_id_2, field="channel_id_2")
    yield "Tone", "no"


def _redirect(action: Redirect) -> Iterator[Header]:
    yield "Channel", checked("channel", action.channel_id, field="channel_id")
    yield "Context", checked("context", action.context, field="context")
    yield "Exten", "s"
    yield "Priority", "1"


def _hangup(action: Hangup) -> Iterator[Header]:
    yield "Channel", checked("channel", action.channel_id, field="channel_id")
    yield "Cause", _whole(action.cause, Q850_MAX, field="cause")


def _set_variable(action: SetVariable) -> Iterator[Header]:
    yield "Channel", checked("channel", action.channel_id, field="channel_id")
    yield "Variable", checked("variable name", action.name, field="name")
    yield "Value", checked("word", action.value, field="value")


def _mute(action: Mute) -> Iterator[Header]:
    yield "Channel", checked("channel", action.channel_id, field="channel_id")
    yield "Direction", "both"
    yield "State", "1" if action.silent else "0"


def _whole(value: object, most: int, *, field: str) -> str:
    if type(value) is not int or not 1 <= value <= most:
        raise BadAction(f"{field}: not a whole number from 1 to {most}")
    return str(value)
