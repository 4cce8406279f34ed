"""What operators ask of the engine: their shift, their phone, the end of their wrap-up."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from uuid import UUID

from dialer.core import events as ev
from dialer.core.floor import Floor
from dialer.core.manual import Dial
from dialer.engine.campaigns import Dialing
from dialer.engine.journal import Writer
from dialer.engine.ports import OperatorView
from dialer.errors import Refused, StoreDown

#: What a person is told is stored first; so long it may take.
STORED_S = 3.0


class Desk(ABC):
    """The part of ``Engine`` that is about one operator at a time; the engine has what is declared here.

    Attributes:
        floor: Who is where.
        writer: Stores facts.
        dialing: Looks for the next calls.
        started: What an earlier engine left behind is taken over.
    """

    floor: Floor
    writer: Writer
    dialing: Dialing
    started: asyncio.Event
    _new_id: Callable[[], UUID]
    _synced: bool
    _saved_early: dict[int, UUID]

    @abstractmethod
    def _do(self, event: ev.Event) -> None:
        """Tell the floor what happened and carry out what it decides."""

    @abstractmethod
    def _ask(self, event: ev.Event) -> None:
        """As ``_do`` for a person's wish: a refusal goes back to the person."""

    @abstractmethod
    def operator(self, operator_id: int) -> OperatorView | None:
        """One operator's state, None when no shift is open."""

    def _view(self, operator_id: int) -> OperatorView:
        view = self.operator(operator_id)
        if view is None:
            raise Refused("operator.no_shift", "Start your shift first.")
        return view

    async def start_shift(self, *, operator_id: int, name: str, team_id: int, seat: str) -> OperatorView:
        """Open a shift on a seat; its phone is called at once."""
        if not self._synced:
            raise Refused("switch.down", "The switch is not connected; try again in a moment.")
        self._ask(ev.ShiftStarted(operator_id, self._new_id(), name, team_id, seat))
        return self._view(operator_id)

    async def ready(self, operator_id: int) -> OperatorView:
        """The operator takes calls from now on."""
        self._ask(ev.ReadyAsked(operator_id))
        return self._view(operator_id)

    async def pause(self, operator_id: int, reason: str) -> OperatorView:
        """No more calls; remembered for after the call, or until the abandonment budget allows it."""
        self._ask(ev.PauseAsked(operator_id, reason))
        asked = self._view(operator_id)  # the shift may be over when it is stored
        await self._stored()
        return self.operator(operator_id) or asked

    async def hang_up(self, operator_id: int) -> OperatorView:
        """End the operator's present conversation."""
        self._ask(ev.HangUpAsked(operator_id))
        return self._view(operator_id)

    async def call_preview(self, operator_id: int) -> OperatorView:
        """Call the contact that is shown; the gate is asked once more, and says no in one word."""
        self._ask(ev.CallAsked(operator_id))
        refusal = await self.dialing.asking.answer(operator_id)
        if refusal is not None:
            raise refusal
        return self._view(operator_id)

    async def dial(
        self,
        operator_id: int,
        *,
        campaign_id: int,
        e164: str,
        zones: Sequence[str],
        countries: Sequence[str],
        contact_id: int | None,
    ) -> OperatorView:
        """Call a number the operator typed; until the gate has said yes or no he can get no other call."""
        dial = Dial(
            id=self._new_id(),
            operator_id=operator_id,
            campaign_id=campaign_id,
            e164=e164,
            zones=tuple(zones),
            countries=tuple(countries),
            contact_id=contact_id,
        )
        self._ask(ev.DialAsked(dial))
        refusal = await self.dialing.asking.answer(operator_id)
        if refusal is not None:
            raise refusal
        return self._view(operator_id)

    async def skip_preview(self, operator_id: int, reason: str) -> OperatorView:
        """Do not call the contact that is shown; it goes back."""
        self._ask(ev.SkipAsked(operator_id, reason))
        return self._view(operator_id)

    async def more_time(self, operator_id: int) -> OperatorView:
        """Make the present wrap-up longer."""
        self._ask(ev.MoreTimeAsked(operator_id))
        await self._stored()
        return self._view(operator_id)

    async def call_phone(self, operator_id: int) -> OperatorView:
        """Call the operator's phone anew: a page that has just come has no call yet, whatever the switch believes."""
        self._ask(ev.PhoneAsked(operator_id))
        return self._view(operator_id)

    async def end_shift(self, operator_id: int) -> None:
        """Close the shift; after the call if one is going on."""
        self._ask(ev.ShiftEndAsked(operator_id))
        await self._stored()

    async def _stored(self) -> None:
        """Whoever was told that he is away stays away, though this process die the next moment.

        Raises:
            StoreDown: PostgreSQL does not answer; it is done, and would be forgotten by a crash.
        """
        try:
            await asyncio.wait_for(self.writer.drained(), STORED_S)
        except TimeoutError:
            raise StoreDown(
                "store.down",
                "It is done, but PostgreSQL does not answer.",
                remedy="Look at your state again in a moment.",
            ) from None

    async def disposition_saved(self, operator_id: int, attempt_id: UUID) -> None:
        """The wrap-up of this attempt is done: it is committed.

        Pages that saved while the service was away come back before their operators do.
        """
        if not self.started.is_set():
            self._saved_early[operator_id] = attempt_id
            return
        op, known = self.floor.operators.get(operator_id), self.floor.attempts.get(attempt_id)
        of_wrap_up = op.live.campaign_id if op is not None and op.live.attempt_id == attempt_id else None
        self._do(ev.DispositionSaved(operator_id, attempt_id))
        self.dialing.wake(known.campaign_id if known is not None else of_wrap_up)
