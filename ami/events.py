"""What the switch says, as frozen types.

Every event carries ``at``: seconds since the epoch by the switch's own clock (``Timestamp`` header of AMI) or,
where there is none, the moment of receipt. ``channel_id`` is Asterisk's Uniqueid, for our calls the id we gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Anything that arrives in order on the one queue of a switch."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp(Event):
    """Both sessions are logged in. Nothing may be sent before the resync that must follow."""

    version: str
    started_at: float
    """When this Asterisk was started, seconds since the epoch (whole seconds)."""
    reloaded_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDown(Event):
    """A session is lost; events from now until the next LinkUp are gone for good."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelCreated(Event):
    """Newchannel."""

    channel_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRinging(Event):
    """Newstate to Ringing."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUp(Event):
    """Newstate to Up: the far end answered."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialBegin(Event):
    """The INVITE left for the carrier."""

    channel_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialEnd(Event):
    """The dialling of this channel ended, with Asterisk's DialStatus (not to be trusted for outcomes)."""

    channel_id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeEntered(Event):
    """A channel is in a bridge. ``holding`` tells a waiting place from a conversation."""

    channel_id: str
    bridge_id: str
    holding: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeLeft(Event):
    """A channel left a bridge."""

    channel_id: str
    bridge_id: str
    holding: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp(Event):
    """The channel is gone. ``cause`` is Q.850, ``sip_code`` the SIP answer where the channel had one."""

    channel_id: str
    cause: int
    sip_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Originated(Event):
    """OriginateResponse: the late answer to an Originate; written outside the ordered stream."""

    channel_id: str
    success: bool
    reason: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said(Event):
    """UserEvent raised by our dialplan: ``name`` and its extra headers."""

    channel_id: str
    name: str
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Event):
    """ContactStatus: a phone registered, became unreachable, or left. ``aor`` is the seat."""

    aor: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStopping(Event):
    """Shutdown was announced."""

    restart: bool


NAMES: Final = (
    "Newchannel",
    "Newstate",
    "BridgeEnter",
    "Hangup",
    "OriginateResponse",
    "UserEvent",
    "ContactStatus",
    "FullyBooted",
    "Shutdown",
)
"""Asterisk's names of the events that reach us: one filter for each of them in our manager.conf."""

UNHEARD: Final = (DialBegin, DialEnd, BridgeLeft)
"""What happens on a switch all the same, and those filters keep back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One line of CoreShowChannels."""

    channel_id: str
    name: str
    state: str
    """Asterisk's word: Down, Ring, Ringing, Up, ..."""
    context: str
    application: str
    bridge_id: str
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchSnapshot:
    """What the switch holds right now: the truth that recovery compares with ours.

    Events that were on their way meanwhile may repeat what is shown here; that is harmless where ranks only grow.
    """

    version: str
    started_at: float
    channels: tuple[ChannelState, ...]
