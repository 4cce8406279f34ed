"""A supervisor at a conversation: hears it, speaks to the operator alone, or speaks to both.

    (asked) calling ── the phone answers ──> on ──> over
               │                              ^ │
               │ no answer, stop              │ │ listen, whisper, join: the same call goes to another mode
               └──────────────> over          └─┘

It belongs to one conversation and ends with it, whatever the phones do: when the operator and this callee are not
talking any more, the supervisor's phone is hung up. A supervisor has one phone and hears one conversation; who goes to
another one leaves the first. A mode is shown once the switch has said it, not when it was asked for.

Whether the operator sees that somebody listens is a rule of the campaign. Whoever can be heard is always shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from dialer.core.model import OperatorState
from dialer.core.presence import NotNow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from dialer.core.presence import Operator

#: A look at the switch may be older than a call that has just been written.
SETTLE = timedelta(seconds=3)


class Mode(StrEnum):
    """Who hears the supervisor: nobody, the operator, both."""

    LISTEN = "listen"
    WHISPER = "whisper"
    JOIN = "join"


class How(StrEnum):
    """Why it is over."""

    CONVERSATION = "conversation"
    """Operator and callee do not talk any more."""
    PHONE_LOST = "phone_lost"
    """The operator's phone was lost; the callee is held for it."""
    HUNG_UP = "hung_up"
    """The supervisor's phone hung up, or its call was lost."""
    NOT_ANSWERED = "not_answered"
    """The supervisor's phone was not there, or nobody took it up."""
    STOPPED = "stopped"
    MOVED = "moved"
    """The supervisor went to another conversation."""
    PAGE_GONE = "page_gone"
    """The supervisor's page was closed."""
    SERVICE = "service"
    """The service stopped, or died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A supervisor's phone at one conversation.

    Attributes:
        user_id: The supervisor.
        name: Theirs, for the board.
        seat: SIP account of the phone.
        session_id: The operator's leg that is spied on.
        asked: The mode that was asked for last.
        mode: What the switch has said it is; None while the phone is called.
        shown: Whether the operator sees a supervisor who only listens.
        ended_at: None while it goes on.
    """

    id: UUID
    user_id: int
    name: str
    seat: str
    operator_id: int
    campaign_id: int | None
    attempt_id: UUID
    session_id: UUID
    asked: Mode
    began_at: datetime
    shown: bool = True
    mode: Mode | None = None
    ended_at: datetime | None = None
    how: How | None = None


@dataclass(frozen=True, slots=True)
class CallEar:
    """Call the supervisor's phone into the mode that is asked."""

    listening: Listening


@dataclass(frozen=True, slots=True)
class SendEar:
    """Let the call go on in another mode."""

    listening_id: UUID
    mode: Mode


@dataclass(frozen=True, slots=True)
class EndEar:
    """Hang up the supervisor's phone."""

    listening_id: UUID


@dataclass(frozen=True, slots=True)
class ModeHeard:
    """Show the mode that the switch has said."""

    listening: Listening


@dataclass(frozen=True, slots=True)
class ListeningEnded:
    """Store that it is over."""

    listening: Listening


EarEffect = CallEar | SendEar | EndEar | ModeHeard | ListeningEnded


class Ears:
    """Who hears which conversation. Every method decides about one event and awaits nothing.

    Attributes:
        active: By id, those that go on.
        last: By supervisor, the present one or the one before.
    """

    def __init__(self) -> None:
        self.active: dict[UUID, Listening] = {}
        self.last: dict[int, Listening] = {}

    def of(self, user_id: int) -> Listening | None:
        """What this supervisor hears now."""
        found = self.last.get(user_id)
        return found if found is not None and found.id in self.active else None

    def shown_to(self, operator_id: int) -> Mode | None:
        """What the operator is to see: the loudest that is at the own conversation, and that may be seen."""
        mine = [one.mode for one in self.active.values() if one.operator_id == operator_id and one.mode and _seen(one)]
        return max(mine, key=list(Mode).index, default=None)

    def begin(self, wanted: Listening, op: Operator | None) -> list[EarEffect]:
        """A supervisor asks to hear a conversation.

        Raises:
            NotNow: ``listening.not_talking``.
        """
        if over(wanted, op) is not None:
            raise NotNow("listening.not_talking", "This operator does not talk any more.")
        before = self.of(wanted.user_id)
        effects = self._end(before, wanted.began_at, How.MOVED) if before is not None else []
        self.active[wanted.id] = self.last[wanted.user_id] = wanted
        return [*effects, CallEar(wanted)]

    def change(self, user_id: int, mode: Mode) -> list[EarEffect]:
        """A supervisor asks for another mode.

        Raises:
            NotNow: ``listening.none``, ``listening.calling``.
        """
        present = self.of(user_id)
        if present is None:
            raise NotNow("listening.none", "You hear no conversation now.")
        if present.mode is None:
            raise NotNow("listening.calling", "Your phone is still being called.")
        if mode is present.asked:
            return []
        self._put(replace(present, asked=mode))
        return [SendEar(present.id, mode)]

    def stop(self, user_id: int, now: datetime, how: How = How.STOPPED) -> list[EarEffect]:
        """A supervisor has heard enough, or is gone."""
        present = self.of(user_id)
        return self._end(present, now, how) if present is not None else []

    def stop_all(self, now: datetime) -> list[EarEffect]:
        """The service stops."""
        return [effect for one in list(self.active.values()) for effect in self._end(one, now, How.SERVICE)]

    def moved(self, operators: Mapping[int, Operator], now: datetime) -> list[EarEffect]:
        """Something changed on the floor: whoever hears what is over hears nothing any more."""
        ended = [(one, over(one, operators.get(one.operator_id))) for one in self.active.values()]
        return [effect for one, how in ended if how is not None for effect in self._end(one, now, how)]

    def spying(self, listening_id: UUID, mode: Mode) -> list[EarEffect]:
        """The switch says in which mode a phone is; one that we do not know is hung up."""
        present = self.active.get(listening_id)
        if present is None:
            return [EndEar(listening_id)]
        self._put(heard := replace(present, mode=mode))
        return [ModeHeard(heard)]

    def gone(self, listening_id: UUID, now: datetime) -> list[EarEffect]:
        """The supervisor's phone is off the line, or never was on it."""
        present = self.active.get(listening_id)
        if present is None:
            return []
        how = How.NOT_ANSWERED if present.mode is None else How.HUNG_UP
        return self._end(present, now, how, hang_up=False)

    def seen(self, on_switch: Collection[UUID], now: datetime) -> list[EarEffect]:
        """All that the switch holds: what is not ours any more is hung up, what is not there any more is over."""
        unknown: list[EarEffect] = [EndEar(one) for one in on_switch if one not in self.active]
        lost = [one for one in self.active.values() if one.id not in on_switch and one.began_at < now - SETTLE]
        return [*unknown, *(effect for one in lost for effect in self._end(one, now, How.HUNG_UP, hang_up=False))]

    def _put(self, listening: Listening) -> None:
        self.active[listening.id] = self.last[listening.user_id] = listening

    def _end(self, listening: Listening, now: datetime, how: How, *, hang_up: bool = True) -> list[EarEffect]:
        ended = replace(listening, ended_at=max(now, listening.began_at), how=how)
        del self.active[listening.id]
        self.last[listening.user_id] = ended
        effects: list[EarEffect] = [EndEar(listening.id)] if hang_up else []
        return [*effects, ListeningEnded(ended)]


def over(listening: Listening, op: Operator | None) -> How | None:
    """Why this conversation cannot be heard any more; None while it goes on."""
    if op is None or op.live.attempt_id != listening.attempt_id or op.live.state is not OperatorState.TALKING:
        return How.CONVERSATION
    return How.PHONE_LOST if op.held is not None else None


def _seen(listening: Listening) -> bool:
    return listening.shown or listening.mode is not Mode.LISTEN
