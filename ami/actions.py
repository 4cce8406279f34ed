"""What we ask of the switch, as frozen types; the only way to make bytes for AMI.

Values are checked when an action is made: ids, digits and fixed words, never free text. There is no API that
takes a dictionary, so nothing a user typed can become a header or a second action. Whoever called us has a channel with
an id of Asterisk's own: such a one is named by its name, of fixed length too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Originate:
    """Start a call. Async; the answer only says queued.

    Attributes:
        channel_id: Becomes the Uniqueid, so that every event carries our own id.
        endpoint: PJSIP endpoint (trunk or seat), ``[a-z0-9_-]{1,32}``.
        number: Digits of the callee without plus, or None to call the endpoint itself (an operator's phone).
        context: One of our dialplan's contexts; extension ``s``, priority 1.
        ring_timeout_ms: When Asterisk gives up.
        caller_number: Digits with an optional plus, or None.
        variables: Checked words and digits only; one header each.
        tells_id: The INVITE carries ``channel_id`` as ``X-Dialer-Attempt``, for a far side that keeps a log of its own.
    """

    channel_id: str
    endpoint: str
    number: str | None
    context: str
    ring_timeout_ms: int
    caller_number: str | None = None
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tells_id: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Connect two waiting channels. Ids are of fixed length, because Asterisk matches prefixes."""

    channel_id_1: str
    channel_id_2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redirect:
    """Let a channel that is up go on in another context of our dialplan; extension ``s``, priority 1."""

    channel_id: str
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """End a channel by its id."""

    channel_id: str
    cause: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVariable:
    """Set a channel variable to a checked word."""

    channel_id: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Let the recording of a channel write silence, or sound again; its length stays true."""

    channel_id: str
    silent: bool


Action = Originate | Bridge | Redirect | Hangup | SetVariable | Mute
