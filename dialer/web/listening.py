"""Supervisors hear conversations on their own phones: listen, whisper, join.

It is written down and in the audit log before the phone is called, and lasts no longer than the board page it was begun
on: who closes the page hears nothing any more, whatever phone it is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from dialer.core.listening import How, Listening, Mode
from dialer.errors import Refused
from dialer.web import phone, schemas

if TYPE_CHECKING:
    from dialer.web.call import Call

#: A page that is loaded again is back sooner than this.
GONE_S = 2.0


class Watch:
    """Board pages that are open, by user, and those that are looked after because one has gone."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._looking: set[asyncio.Task[None]] = set()

    def opened(self, user_id: int) -> None:
        """A board page of this user opened."""
        self._open[user_id] = self._open.get(user_id, 0) + 1

    def closed(self, call: Call) -> None:
        """One of them closed."""
        self._open[call.user.id] -= 1
        if not self._open[call.user.id]:
            del self._open[call.user.id]
        self.look(call)

    def look(self, call: Call) -> None:
        """End what this user hears, if no board page is there in a moment, or no line for a phone in the browser."""
        task = asyncio.create_task(self._look(call), name="web.listening")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, call: Call) -> None:
        await asyncio.sleep(GONE_S)
        present = call.context.live.listening(call.user.id)
        if present is None or present.ended_at is not None:
            return
        by_browser = present.seat in {seat.web_name for seat in call.context.pool.seats().values()}
        if call.user.id not in self._open or (by_browser and call.context.lines.page(call.user.id) is None):
            with suppress(Refused):
                await call.commands.stop_listening(call.user.id, How.PAGE_GONE)

    def end(self) -> None:
        """The service stops: the engine ends what is heard."""
        for task in self._looking:
            task.cancel()


async def begin(call: Call, ask: schemas.ListenAsk) -> schemas.ListeningAnswer:
    """Call one's own phone and hear this operator's conversation; who heard another one leaves it.

    Raises:
        Refused: ``listening.not_talking``, ``listening.seat_taken``, ``seat.none_free``, ``switch.down``.
    """
    heard = call.context.live.hearable(call.id())
    if heard is None:
        raise Refused("listening.not_talking", "This operator does not talk any more.")
    attempt_id, session_id, campaign_id, shown = heard
    wanted = Listening(
        id=uuid4(),
        user_id=call.user.id,
        name=call.user.name,
        seat=await phone.account_of(call, ask.phone),
        operator_id=call.id(),
        campaign_id=campaign_id,
        attempt_id=attempt_id,
        session_id=session_id,
        asked=ask.mode,
        began_at=call.now,
        shown=shown,
    )
    await call.stores.listenings.begin(wanted, switch=call.context.settings.switch, actor=call.actor)
    try:
        begun = await call.commands.begin_listening(wanted)
    except Refused:
        await call.stores.listenings.refused(wanted)
        raise
    call.context.watch.look(call)
    return _answer(call, begun)


async def change(call: Call, ask: schemas.ListenMode) -> schemas.ListeningAnswer:
    """Listen, whisper or join in the same call; the audit log has it before the switch has.

    Raises:
        Refused: ``listening.none``, ``listening.calling``.
    """
    present = call.context.live.listening(call.user.id)
    if present is not None and present.ended_at is None and present.mode is not None and present.asked != ask.mode:
        after = {"mode": ask.mode, "attempt": str(present.attempt_id)}
        await call.stores.audit.note(call.actor, "operator.listening", f"user:{present.operator_id}", after=after)
    return _answer(call, await call.commands.change_listening(call.user.id, Mode(ask.mode)))


async def stop(call: Call) -> schemas.ListeningAnswer:
    """Hear no more; that it is over already is fine."""
    return _answer(call, await call.commands.stop_listening(call.user.id, How.STOPPED))


async def now(call: Call) -> schemas.ListeningAnswer:
    """What one hears, or heard last and why it ended."""
    return _answer(call, call.context.live.listening(call.user.id))


def _answer(call: Call, found: object) -> schemas.ListeningAnswer:
    mine = schemas.OwnListening.model_validate(found) if found is not None else None
    return schemas.ListeningAnswer(at=call.now, listening=mine)
