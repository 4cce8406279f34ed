"""Supervisors' phones on the switch: carries out what ``core.listening`` decides, and tells it what happens to them.

Such a call has a channel of its own sort, which no look at the switch takes for a callee or an operator.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from ami import actions
from ami import events as heard
from ami.errors import AmiError, NotConnected
from dialer.core.listening import CallEar, EarEffect, Ears, EndEar, ListeningEnded, Mode, ModeHeard, SendEar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ami.port import SwitchLink
    from dialer.core.listening import How, Listening
    from dialer.core.presence import Operator

EAR = "spy-"
#: How long a supervisor's phone rings.
RING_S = 20


class EarLine:
    """The phones of supervisors who hear a conversation.

    Args:
        link: The supervised connection.
        leg_of: The switch's channel id of an operator's session.
        told: Takes one that has changed; with its end it is to be stored.
    """

    def __init__(self, link: SwitchLink, leg_of: Callable[[UUID], str], told: Callable[[Listening], None]) -> None:
        self.ears = Ears()
        self._link = link
        self._leg_of = leg_of
        self._told = told

    # Asked --------------------------------------------------------------------

    def begin(self, wanted: Listening, op: Operator | None) -> None:
        """As ``Ears.begin``."""
        self._carry_out(self.ears.begin(wanted, op), wanted.began_at)

    def change(self, user_id: int, mode: Mode, now: datetime) -> None:
        """As ``Ears.change``."""
        self._carry_out(self.ears.change(user_id, mode), now)

    def stop(self, user_id: int, how: How, now: datetime) -> None:
        """As ``Ears.stop``."""
        self._carry_out(self.ears.stop(user_id, now, how), now)

    def stop_all(self, now: datetime) -> None:
        """As ``Ears.stop_all``."""
        self._carry_out(self.ears.stop_all(now), now)

    # Heard --------------------------------------------------------------------

    def moved(self, operators: Mapping[int, Operator], now: datetime) -> None:
        """The floor changed; costs nothing while nobody listens."""
        if self.ears.active:
            self._carry_out(self.ears.moved(operators, now), now)

    def take(self, event: heard.Event, channel_id: str, now: datetime) -> None:
        """An event of such a channel."""
        uid = _hex(channel_id)
        if uid is None:
            return
        match event:
            case heard.Said(name="Spying") if (mode := event.fields.get("Mode", "")) in list(Mode):
                self._carry_out(self.ears.spying(uid, Mode(mode)), now)
            case heard.HungUp() | heard.Originated(success=False):
                self._carry_out(self.ears.gone(uid, now), now)
            case _:
                pass

    def seen(self, channel_ids: Iterable[str], now: datetime) -> None:
        """All channels that the switch holds."""
        found = {_hex(channel_id) for channel_id in channel_ids if channel_id.startswith(EAR)}
        self._carry_out(self.ears.seen({uid for uid in found if uid is not None}, now), now)

    # Done ---------------------------------------------------------------------

    def _carry_out(self, effects: Iterable[EarEffect], now: datetime) -> None:
        for effect in effects:
            match effect:
                case CallEar(listening):
                    self._call(listening, now)
                case SendEar(listening_id, mode):
                    self._send(actions.Redirect(channel_id=channel_of(listening_id), context=mode.value))
                case EndEar(listening_id):
                    self._send(actions.Hangup(channel_id=channel_of(listening_id)))
                case ModeHeard(listening) | ListeningEnded(listening):
                    self._told(listening)

    def _call(self, listening: Listening, now: datetime) -> None:
        """Call the phone, once; what the switch does not take is over at once."""

        def refused(done: asyncio.Future[None]) -> None:
            if not done.cancelled() and done.exception() is not None:
                self._carry_out(self.ears.gone(listening.id, now), now)

        action = actions.Originate(
            channel_id=channel_of(listening.id),
            endpoint=listening.seat,
            number=None,
            context=listening.asked.value,
            ring_timeout_ms=RING_S * 1000,
            variables={"DIALER_SPY_ON": self._leg_of(listening.session_id)},
            tells_id=True,
        )
        try:
            self._link.send(action).add_done_callback(refused)
        except AmiError:
            self._carry_out(self.ears.gone(listening.id, now), now)

    def _send(self, action: actions.Action) -> None:
        with suppress(NotConnected):
            self._link.send(action).add_done_callback(_ignore)


def channel_of(listening_id: UUID) -> str:
    """The switch's channel id of a supervisor's phone."""
    return EAR + listening_id.hex


def _hex(channel_id: str) -> UUID | None:
    try:
        return UUID(hex=channel_id.removeprefix(EAR))
    except ValueError:
        return None


def _ignore(done: asyncio.Future[None]) -> None:
    """That it is gone already is fine; the next look at the switch finds what is left."""
    if not done.cancelled():
        done.exception()
