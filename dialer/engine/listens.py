"""What supervisors ask of the engine at a conversation: to hear it, to speak into it, to leave it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dialer.core.presence import NotNow
from dialer.engine.ears import channel_of
from dialer.engine.ports import ListeningView
from dialer.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from dialer.core.floor import Floor
    from dialer.core.listening import How, Listening, Mode
    from dialer.engine.journal import Writer
    from dialer.engine.ports import Clock
    from dialer.engine.switch import Switch


class Listens(ABC):
    """The part of ``Engine`` that is about supervisors who listen; the engine has what is declared here.

    Attributes:
        floor: Who talks.
        writer: Stores ends.
    """

    floor: Floor
    _switch: Switch
    _clock: Clock
    _synced: bool
    writer: Writer

    @abstractmethod
    def _bump(self) -> None:
        """What is shown has changed."""

    def hearable(self, operator_id: int) -> tuple[UUID, UUID, int, bool] | None:
        """The conversation of an operator: attempt, session, campaign, and whether its listeners are shown."""
        op = self.floor.operators.get(operator_id)
        campaign = self.floor.campaigns.get(op.live.campaign_id or 0) if op is not None else None
        if op is None or op.live.attempt_id is None or campaign is None:
            return None
        return op.live.attempt_id, op.live.session_id, campaign.id, campaign.listening_shown

    async def begin_listening(self, wanted: Listening) -> ListeningView:
        """Call a supervisor's phone and let it hear a conversation; it is written down already."""
        if not self._synced:
            raise Refused("switch.down", "The switch is not connected; try again in a moment.")
        if any(op.live.seat == wanted.seat for op in self.floor.operators.values()):
            raise Refused("listening.seat_taken", "An operator works on this phone.", remedy="Choose another phone.")
        with self._asked():
            self._switch.ears.begin(wanted, self.floor.operators.get(wanted.operator_id))
        return view(wanted)

    async def change_listening(self, user_id: int, mode: Mode) -> ListeningView | None:
        """Let the same call go on in another mode."""
        with self._asked():
            self._switch.ears.change(user_id, mode, self._clock.now())
        return self.listening(user_id)

    async def stop_listening(self, user_id: int, how: How) -> ListeningView | None:
        """The supervisor has heard enough, or is gone; that it is over already is fine."""
        with self._asked():
            self._switch.ears.stop(user_id, how, self._clock.now())
        return self.listening(user_id)

    def listening(self, user_id: int) -> ListeningView | None:
        """What this supervisor hears, or heard last."""
        found = self._switch.ears.ears.last.get(user_id)
        return view(found) if found is not None else None

    def listenings(self) -> tuple[ListeningView, ...]:
        """Who hears whom now."""
        return tuple(view(one) for one in self._switch.ears.ears.active.values())

    def _listened(self, one: Listening) -> None:
        """It has another mode, or an end."""
        self.writer.listening_ended(one)
        self._bump()

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """A person's wish: a refusal goes back to the person."""
        try:
            yield
        except NotNow as no:
            raise Refused(no.code, str(no)) from None
        self._bump()


def view(one: Listening) -> ListeningView:
    """As the web sees it."""
    return ListeningView(
        id=one.id,
        user_id=one.user_id,
        name=one.name,
        operator_id=one.operator_id,
        attempt_id=one.attempt_id,
        seat=one.seat,
        leg=channel_of(one.id),
        asked=one.asked,
        mode=one.mode,
        shown=one.shown,
        began_at=one.began_at,
        ended_at=one.ended_at,
        how=one.how,
    )
