"""People who call the shown number back: who called them, who may serve them, what they are told if nobody can.

    comes in ──> looked up ──> waits for an operator ──> talks ──> ended
                    │                │
                    │                └─ nobody in time: told so; an urgent callback is owed
                    ├─ we ring there this very moment: that line is cut, and it is looked up again
                    └─ nobody called there, the campaign is over: told so

Whoever calls us can be anybody, and many: only so many are looked up and wait at a time, the others hear at once that
nobody is there, and no look-up holds up a call of ours.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import structlog

from dialer.core import events as ev
from dialer.core.model import AttemptState, Outcome
from dialer.engine.callers import MISSED, UNKNOWN
from dialer.engine.ports import ReturnAsk
from dialer.errors import DialerError, LeaseLost

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from dialer.core.floor import Floor
    from dialer.core.model import Ended, LiveAttempt
    from dialer.engine.callers import Caller
    from dialer.engine.ports import Clock, Lease, Store
    from dialer.engine.switch import Switch

log = structlog.get_logger(__name__)

#: So many callers are looked up at the same time, and so many wait for an operator: a flood costs no more.
LOOKED_UP_MOST = 8
WAITING_MOST = 40
#: And so many ask the database at once: the engine's other connections stay with the calls it makes.
AT_ONCE = 2
#: Our own call to the same number has ended this soon after its hangup was written.
CUT_S = 0.5
CUTS_MOST = 6


class Returns(ABC):
    """The part of ``Engine`` that is about people who call us; the engine has what is declared here."""

    floor: Floor
    _switch: Switch
    _clock: Clock
    _store: Store
    _lease: Lease | None

    def __init__(self) -> None:
        super().__init__()
        self._looking_up: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._called_back: set[UUID] = set()
        """Who waits and will be called back if nobody serves them."""

    @abstractmethod
    def _do(self, event: ev.Event) -> None:
        """Let the floor take an event."""

    @abstractmethod
    def stopped_because(self) -> str | None:
        """Why no call may start now."""

    def _came_in(self, caller: Caller) -> None:
        """Somebody waits on the line."""
        waiting = sum(1 for a in self.floor.attempts.values() if a.came_in and a.state is AttemptState.WAITING)
        if self._lease is None or len(self._looking_up) >= LOOKED_UP_MOST or waiting >= WAITING_MOST:
            self._switch.callers.turn_away(caller.id, UNKNOWN)
            return
        task = asyncio.get_running_loop().create_task(self._look_up(caller, self._lease), name="engine-caller")
        self._looking_up.add(task)
        task.add_done_callback(self._looking_up.discard)

    async def _look_up(self, caller: Caller, lease: Lease) -> None:
        """Find who called this number; whoever hung up meanwhile is a missed one as well."""
        word = UNKNOWN
        for left in range(CUTS_MOST, 0, -1):
            try:
                async with self._asking:
                    found = await self._store.take_return(self._ask_for(caller, lease, last=left == 1))
            except LeaseLost:
                return
            except DialerError as error:
                log.warning("return_call.not_looked_up", code=error.code, error=str(error))
                break
            if found.attempt is not None:
                if found.calls_back:
                    self._called_back.add(caller.id)
                if self._switch.callers.name_of(caller.id) is not None:
                    self._do(ev.CameBack(found.attempt))
                else:  # no operator is kept for it meanwhile
                    self._do(ev.Recovered((found.attempt,), ()))
                    self._do(never_was(found.attempt, self._clock.now()))
                return
            if found.ringing_phone_id is None:
                break
            self._do(ev.CallsUs(found.ringing_phone_id))
            word = MISSED if found.calls_back else UNKNOWN
            await asyncio.sleep(CUT_S)
        self._switch.callers.turn_away(caller.id, word)

    def _ask_for(self, caller: Caller, lease: Lease, *, last: bool) -> ReturnAsk:
        return ReturnAsk(
            lease=lease,
            id=caller.id,
            trunk=caller.trunk,
            number=caller.number,
            dialled=caller.dialled,
            campaign_ids=list(self.floor.campaigns),
            now=self._clock.now(),
            last=last,
        )

    def _turn_away(self, attempt_id: UUID) -> None:
        """Nobody could serve this caller."""
        self._switch.callers.turn_away(attempt_id, MISSED if attempt_id in self._called_back else UNKNOWN)

    def _return_ended(self, ended: Ended) -> None:
        self._called_back.discard(ended.attempt.id)


def never_was(attempt: LiveAttempt, now: datetime) -> ev.Event:
    """The end of a row without a channel: its caller has left, or our own call was never written to the switch."""
    if attempt.came_in:
        return ev.CallEnded(attempt.id, now, 16, None, Outcome.EARLY_HANGUP)
    return ev.NotSent(attempt.id, now)
