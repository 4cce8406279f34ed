"""What happens on a floor, in the product's words: the inputs of ``Floor.step``.

``at`` is when it happened by the switch's clock; ``now`` of the step may be a little later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.manual import Dial
    from dialer.core.model import Campaign, Claim, LiveAttempt, LiveOperator
    from dialer.core.preview import Preview


# From the switch, about an attempt's call -----------------------------------


@dataclass(frozen=True, slots=True)
class CallAppeared:
    """The call's channel exists on the switch, or its INVITE leaves."""

    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class Rang:
    """The callee's phone rings."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody, or something, picked up."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class OfferStarted:
    """The recorded offer begins to play."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """The callee pressed a key in the offer."""

    attempt_id: UUID
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CalleeWaits:
    """The answered callee is in a waiting place and can be bridged out of it."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class WaitingForOperator:
    """The callee asked for an operator by key and waits with music."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageStarted:
    """Nobody bridged the callee in time: the dead-man message plays."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The callee asked by key never to be called again."""

    attempt_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The callee's channel is gone; ``word`` is what the trunk's cause map makes of cause and SIP code."""

    attempt_id: UUID
    at: datetime
    cause: int
    sip_code: int | None
    word: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The call was surely never started: not written, or refused by the switch."""

    attempt_id: UUID
    at: datetime
    refused: bool = False


# From the switch, about bridges and operators' legs -------------------------


@dataclass(frozen=True, slots=True)
class CalleeJoined:
    """The callee's channel entered a conversation bridge."""

    attempt_id: UUID
    bridge_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OperatorJoined:
    """The operator's leg entered a conversation bridge."""

    session_id: UUID
    bridge_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LegWaiting:
    """The operator's leg is in its waiting place, ready to be bridged."""

    session_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The operator's leg is gone; ``put_down``: it ended in order, and not because the phone vanished."""

    session_id: UUID
    at: datetime
    put_down: bool = False


@dataclass(frozen=True, slots=True)
class PhoneBack:
    """The operator's phone registered again."""

    seat: str


@dataclass(frozen=True, slots=True)
class BridgeRefused:
    """The switch refused to bridge these two."""

    attempt_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class SwitchLost:
    """The link to the switch is gone; what it does meanwhile will be seen at the resync."""


#: The waiting place of a callee whose operator's phone was lost in a conversation.
HELD = "held"


@dataclass(frozen=True, slots=True)
class SeenCall:
    """An attempt's channel as a resync found it."""

    up: bool
    ringing: bool
    waiting_place: str
    """Our context it is in: ``answered``, ``offer``, ``held``, or empty."""
    talking_to: UUID | None
    """The session of the operator in the same conversation bridge."""
    message: bool = False
    """It hears the message for whom nobody was free."""


@dataclass(frozen=True, slots=True)
class Resynced:
    """What the switch holds now, compared with what we believed.

    Attributes:
        started_at: When this Asterisk started; attempts sent before are gone.
        calls: Attempt id -> its channel.
        legs: Session id -> whether the leg is answered.
    """

    started_at: datetime
    calls: Mapping[UUID, SeenCall]
    legs: Mapping[UUID, bool]


# From the engine's own work --------------------------------------------------


@dataclass(frozen=True, slots=True)
class CampaignsRead:
    """The campaigns as the database has them now."""

    campaigns: Sequence[Campaign]


@dataclass(frozen=True, slots=True)
class Taken:
    """A contact came through the gate and its call was written to the switch."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class CameBack:
    """Somebody calls the shown number back, and waits; the live attempt is committed."""

    attempt: LiveAttempt


@dataclass(frozen=True, slots=True)
class CallsUs:
    """Somebody calls us at this moment: nobody is to ring there."""

    phone_id: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """Live attempts, open shifts and reserved contacts that an earlier engine left behind."""

    attempts: Sequence[LiveAttempt]
    operators: Sequence[LiveOperator]
    previews: Sequence[Preview] = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """A contact came through the gate and is reserved for an operator to look at."""

    preview: Preview


@dataclass(frozen=True, slots=True)
class CallRefused:
    """The call an operator asked for was not placed; ``reason`` is the gate's word, or why nobody could ask it."""

    preview: Preview
    reason: str


@dataclass(frozen=True, slots=True)
class DialRefused:
    """The number an operator typed was not called."""

    dial: Dial


@dataclass(frozen=True, slots=True)
class TimePassed:
    """A deadline may be over."""


@dataclass(frozen=True, slots=True)
class ClockStepped:
    """The time of day jumped by this much while no such time passed: deadlines move with it."""

    by: timedelta


# From people -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShiftStarted:
    """An operator logged in on a seat."""

    operator_id: int
    session_id: UUID
    name: str
    team_id: int
    seat: str


@dataclass(frozen=True, slots=True)
class ReadyAsked:
    """The operator takes calls from now on."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class PauseAsked:
    """The operator wants no more calls."""

    operator_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class HangUpAsked:
    """The operator ends the conversation."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class CallAsked:
    """The operator wants to call the contact that is shown."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class DialAsked:
    """The operator wants to call a number that was typed."""

    dial: Dial


@dataclass(frozen=True, slots=True)
class SkipAsked:
    """The operator does not want to call the contact that is shown."""

    operator_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class MoreTimeAsked:
    """The operator needs longer for the wrap-up."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class PhoneAsked:
    """The operator's phone has no call though it should: it wants to be called anew."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class ShiftEndAsked:
    """The operator leaves."""

    operator_id: int


@dataclass(frozen=True, slots=True)
class DispositionSaved:
    """The disposition of this attempt is in the database."""

    operator_id: int
    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class PhonesForbidden:
    """These numbers must not be called any more."""

    phone_ids: frozenset[int]


Event = (
    CallAppeared
    | Rang
    | Answered
    | OfferStarted
    | KeyPressed
    | CalleeWaits
    | WaitingForOperator
    | MessageStarted
    | OptedOut
    | CallEnded
    | NotSent
    | CalleeJoined
    | OperatorJoined
    | LegWaiting
    | LegEnded
    | PhoneBack
    | BridgeRefused
    | SwitchLost
    | Resynced
    | CampaignsRead
    | Taken
    | CameBack
    | CallsUs
    | Recovered
    | Offered
    | CallRefused
    | DialRefused
    | TimePassed
    | ClockStepped
    | ShiftStarted
    | ReadyAsked
    | PauseAsked
    | HangUpAsked
    | CallAsked
    | DialAsked
    | SkipAsked
    | MoreTimeAsked
    | PhoneAsked
    | ShiftEndAsked
    | DispositionSaved
    | PhonesForbidden
)
