"""Whoever called us, on the switch: channels that carry Asterisk's own ids, and what we call them.

Such a channel cannot be given our id. Its conversation's id follows from Asterisk's, so that an engine that comes back
finds the caller it left; actions name it by its name, which is of fixed length as our ids are.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import structlog

from ami import actions
from ami import events as heard
from ami.errors import NotConnected

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Container, Iterable, Mapping

    from ami.port import SwitchLink

log = structlog.get_logger(__name__)

#: What is said to whom nobody could serve, and to whom nobody here knows: contexts of our dialplan.
MISSED, UNKNOWN = "missed", "unknown"
#: Contexts a caller can be in and still belong to us.
PLACES = frozenset({"inbound", "held"})
#: Names of channels of our trunks: others cannot be named in an action.
_LINE = re.compile(r"PJSIP/(?P<trunk>[a-z0-9_-]{1,32})-[0-9a-f]{8}")
#: Makes ids of Asterisk's.
_OURS = UUID("6c1b3f4e-5d1c-4a83-9f0e-0f3a7c2b9d10")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who calls us and waits.

    Attributes:
        id: Of the conversation that may follow.
        number: Who calls, digits with or without plus; empty if that was withheld.
        dialled: What was called, as the carrier names it.
        trunk: Over which line.
    """

    id: UUID
    number: str
    dialled: str
    trunk: str


class Callers:
    """People on the line who called us.

    Args:
        switch: Name of the switch; ids of two switches are told apart by it.
        link: The supervised connection.
        waits: Takes one who has come in and can be bridged.
    """

    def __init__(self, switch: str, link: SwitchLink, waits: Callable[[Caller], None]) -> None:
        self._switch = switch
        self._link = link
        self._waits = waits
        self._ids: dict[str, UUID] = {}
        self._names: dict[UUID, tuple[str, str]] = {}
        self._coming: dict[str, Caller] = {}

    def id_of(self, channel_id: str) -> UUID | None:
        """The conversation of a channel that came in, None for any other channel."""
        return self._ids.get(channel_id)

    def name_of(self, uid: UUID) -> str | None:
        """The name of a caller's channel while it is there."""
        return self._names[uid][1] if uid in self._names else None

    def channel_of(self, uid: UUID) -> str | None:
        """The id of a caller's channel while it is there."""
        return self._names[uid][0] if uid in self._names else None

    def take(self, event: heard.Event, channel_id: str) -> None:
        """See who comes and goes; a caller is told of once, in the waiting place."""
        match event:
            case heard.Said(name="CameIn", fields=said):
                self._comes(channel_id, said)
            case heard.BridgeEntered(holding=True) if channel_id in self._coming:
                self._waits(self._coming.pop(channel_id))
            case heard.HungUp():
                self._coming.pop(channel_id, None)
                if (gone := self._ids.pop(channel_id, None)) is not None:
                    self._names.pop(gone, None)
            case _:
                pass

    def _comes(self, channel_id: str, said: Mapping[str, str]) -> None:
        """One whom we know already came once; a channel of another kind is left to the dialplan."""
        name = said.get("Name", "")
        line = _LINE.fullmatch(name)
        if line is None:
            log.warning("caller.of_no_trunk", kind=name.partition("/")[0][:16])
        elif channel_id not in self._ids:
            uid = self._meet(channel_id, name)
            number, dialled = said.get("Caller", ""), said.get("Dialled", "")
            self._coming[channel_id] = Caller(id=uid, number=number, dialled=dialled, trunk=line["trunk"])

    def known(self) -> dict[str, UUID]:
        """Callers by the ids of their channels."""
        return dict(self._ids)

    def found(self, channels: Iterable[heard.ChannelState], live: Container[UUID]) -> dict[str, UUID]:
        """Callers we know of among the channels of a look, also those who are looked up still.

        Who came while nobody listened is the dialplan's.
        """
        there: dict[str, UUID] = {}
        for channel in channels:
            uid = self._ids.get(channel.channel_id)
            if uid is None and channel.context in PLACES and self.id_for(channel.channel_id) in live:
                uid = self._meet(channel.channel_id, channel.name)
            if uid is not None:
                there[channel.channel_id] = uid
        for channel_id in [one for one, uid in self._ids.items() if one not in there and uid not in live]:
            self._names.pop(self._ids.pop(channel_id), None)
        return there

    def turn_away(self, uid: UUID, context: str) -> None:
        """Let the caller hear why nobody comes; one who is gone already is told by other events."""
        name = self.name_of(uid)
        if name is not None:
            with suppress(NotConnected):
                self._link.send(actions.Redirect(channel_id=name, context=context)).add_done_callback(_ignore)

    def id_for(self, channel_id: str) -> UUID:
        """The conversation that follows from Asterisk's own id of a channel."""
        return conversation_of(self._switch, channel_id)

    def _meet(self, channel_id: str, name: str) -> UUID:
        uid = self.id_for(channel_id)
        self._ids[channel_id], self._names[uid] = uid, (channel_id, name)
        return uid


def conversation_of(switch: str, channel_id: str) -> UUID:
    """The conversation that follows from Asterisk's own id of a channel on the switch of this name."""
    return uuid5(_OURS, f"{switch}/{channel_id}")


def _ignore(done: asyncio.Future[None]) -> None:
    """What failed says only that the channel is gone."""
    if not done.cancelled():
        done.exception()
