"""Test calls: an admin's own phone on a trunk, to hear that the line works. No attempt, no contact, no pacing.

Such a call has a channel of its own sort, which no look at the switch takes for a callee. Whoever answers hears the
message that callees hear when nobody is free, two seconds after the answer, so the dialplan is tried too.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from ami import actions, causes
from ami import events as heard
from ami.errors import ActionRefused, BadAction, NotConnected
from dialer.engine.ports import TrialCall
from dialer.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ami.port import SwitchLink
    from dialer.core.model import Trunk

TRIAL = "tst-"
RING_S = 25
#: A failed Originate without a channel is believed after this; its channel's events may still be on the way.
NO_CHANNEL_S = 2.0
#: A call that has not ended by then is hung up: the message is long over.
LASTS = timedelta(seconds=90)
#: The last ones are remembered, for whoever looks.
KEPT = 20
#: So many in an hour, by everybody together: a test is no way to call people.
PER_HOUR_MAX = 20


class Trials:
    """Places test calls, one at a time, and tells how each goes.

    Args:
        link: The supervised connection.
    """

    def __init__(self, link: SwitchLink) -> None:
        self._link = link
        self._calls: OrderedDict[UUID, TrialCall] = OrderedDict()
        self._causes: Mapping[str, str] = {}

    def begin(self, uid: UUID, trunk: Trunk, *, number: str, caller_number: str, now: datetime) -> TrialCall:
        """Write the Originate, once.

        Args:
            uid: Names the call from now on.
            trunk: Where.
            number: E.164 with its plus.
            caller_number: What the callee sees; empty: the trunk's own.
            now: Present time, aware.

        Raises:
            Refused: ``test_call.busy``, ``test_call.too_many``, ``test_call.not_sent``.
        """
        last = next(reversed(self._calls.values()), None)
        if last is not None and last.ended_at is None and now < last.began_at + LASTS:
            raise Refused("test_call.busy", "a test call is going on", remedy="Wait until it ends.")
        if sum(now - call.began_at < timedelta(hours=1) for call in self._calls.values()) >= PER_HOUR_MAX:
            raise Refused("test_call.too_many", f"{PER_HOUR_MAX} test calls an hour are enough", remedy="Wait.")
        try:
            action = actions.Originate(
                channel_id=TRIAL + uid.hex,
                endpoint=trunk.name,
                number=number.removeprefix("+"),
                context="answered",
                ring_timeout_ms=RING_S * 1000,
                caller_number=caller_number or None,
                tells_id=trunk.kind == "world",
            )
            sent = self._link.send(action)
        except (NotConnected, BadAction) as error:
            raise Refused("test_call.not_sent", "the switch did not take the call", remedy="See System.") from error
        self._causes = trunk.causes
        self._calls[uid] = TrialCall(id=uid, trunk=trunk.name, state="sent", began_at=now)
        while len(self._calls) > KEPT:
            self._calls.popitem(last=False)
        sent.add_done_callback(lambda done: self._refused(done, uid, now))
        return self._calls[uid]

    def view(self, uid: UUID, now: datetime) -> TrialCall | None:
        """How a call goes; one that has gone on for too long is ended by this look."""
        call = self._calls.get(uid)
        if call is not None and call.ended_at is None and now >= call.began_at + LASTS:
            with suppress(NotConnected):
                self._link.send(actions.Hangup(channel_id=TRIAL + uid.hex)).add_done_callback(_ignore)
            self._end(uid, now, outcome="unknown")
        return self._calls.get(uid)

    def take(self, event: heard.Event, channel_id: str, at: datetime) -> None:
        """An event of such a channel."""
        with suppress(ValueError):
            uid = UUID(hex=channel_id.removeprefix(TRIAL))
            call = self._calls.get(uid)
            if call is not None and call.ended_at is None:
                self._step(event, uid, call, at)

    def _step(self, event: heard.Event, uid: UUID, call: TrialCall, at: datetime) -> None:
        match event:
            case heard.ChannelCreated():
                self._calls[uid] = replace(call, state="dialling")
            case heard.ChannelRinging() if call.rang_at is None:
                self._calls[uid] = replace(call, state="ringing", rang_at=at)
            case heard.Said(name="Answered"):
                self._calls[uid] = replace(call, state="answered", answered_at=at)
            case heard.Said(name="Message"):
                self._calls[uid] = replace(call, state="message", message_at=at)
            case heard.HungUp():
                word = causes.outcome(event.cause, event.sip_code, self._causes)
                answered = call.answered_at is not None
                self._end(uid, at, outcome="answered" if answered else word, cause=event.cause, sip_code=event.sip_code)
            case heard.Originated(success=False) if call.state == "sent":
                asyncio.get_running_loop().call_later(NO_CHANNEL_S, self._no_channel, uid, at)
            case _:
                pass

    def _no_channel(self, uid: UUID, at: datetime) -> None:
        if self._calls[uid].state == "sent":
            self._end(uid, at, outcome="failed")

    def _refused(self, done: asyncio.Future[None], uid: UUID, now: datetime) -> None:
        if not done.cancelled() and isinstance(done.exception(), ActionRefused):
            self._end(uid, now, outcome="failed")

    def _end(
        self, uid: UUID, at: datetime, *, outcome: str, cause: int | None = None, sip_code: int | None = None
    ) -> None:
        ended = replace(self._calls[uid], state="ended", ended_at=at, outcome=outcome, cause=cause, sip_code=sip_code)
        self._calls[uid] = ended


def _ignore(done: asyncio.Future[None]) -> None:
    """That it is gone already is fine."""
    if not done.cancelled():
        done.exception()
