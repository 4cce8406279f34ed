"""What is to be done about an event: the outputs of ``Floor.step``. The shell carries them out in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dialer.core.manual import Dial
from dialer.core.model import Ended, LiveAttempt, LiveOperator, OperatorInterval
from dialer.core.preview import Preview, PreviewEnd


@dataclass(frozen=True, slots=True)
class Connect:
    """Bridge these two at once; the database is told beside it, not before it."""

    attempt_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up an attempt's channel."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class Hold:
    """Let this callee wait with music for the operator whose phone was lost."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class TurnAway:
    """Tell this caller that nobody could serve in time."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class CallLeg:
    """Call the operator's phone and leave it waiting."""

    session_id: UUID
    seat: str


@dataclass(frozen=True, slots=True)
class EndLeg:
    """Hang up the operator's leg."""

    session_id: UUID


@dataclass(frozen=True, slots=True)
class WakeUp:
    """Send TimePassed then."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LookNow:
    """Ask the switch what it holds: something that should have been seen was not."""


@dataclass(frozen=True, slots=True)
class AttemptChanged:
    """Store the grown state of a live attempt."""

    attempt: LiveAttempt


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """Store the end of an attempt."""

    ended: Ended


@dataclass(frozen=True, slots=True)
class OperatorChanged:
    """Store the present state of an operator; state offline removes the row."""

    operator: LiveOperator


@dataclass(frozen=True, slots=True)
class IntervalClosed:
    """Store a closed stretch of a shift."""

    interval: OperatorInterval


@dataclass(frozen=True, slots=True)
class KeyMeans:
    """The key pressed in the offer is this attempt's disposition, its author the offer."""

    attempt_id: UUID
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NeverAgain:
    """Store the callee's opt-out."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Ask the gate once more and call the contact this operator looks at."""

    preview: Preview


@dataclass(frozen=True, slots=True)
class PlaceDial:
    """Ask the gate and call the number this operator typed."""

    dial: Dial


@dataclass(frozen=True, slots=True)
class PreviewEnded:
    """Store that a contact is with this operator no more; it may be taken again."""

    end: PreviewEnd


@dataclass(frozen=True, slots=True)
class Alarm:
    """Somebody should know: a stable word and the facts."""

    word: str
    about: str


Effect = (
    Connect
    | EndCall
    | Hold
    | TurnAway
    | CallLeg
    | EndLeg
    | WakeUp
    | LookNow
    | AttemptChanged
    | AttemptEnded
    | OperatorChanged
    | IntervalClosed
    | KeyMeans
    | NeverAgain
    | PlaceCall
    | PlaceDial
    | PreviewEnded
    | Alarm
)
