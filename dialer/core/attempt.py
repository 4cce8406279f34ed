"""The life of an attempt.

    sent ──> ringing ──> answered ──> bridging ──> connected ──> ended
      │         │            │            │
      │         │            └─> offer ──> waiting ──> bridging
      └─────────┴──────────────── any state may end at any time ────────

An attempt exists from before the first ring: the row is committed as ``sent``, then the call is written to the
switch. States only grow in rank, so that an event which comes twice, late or out of order changes nothing. Steps
may be missing (a callee can answer without ringing); their times stay empty.

Two things may happen at once: the callee hangs up while the Bridge is on its way. Then the end wins, whatever
the switch still says about the bridge, and the outcome is decided by what was *seen*: both sides entering one
bridge makes ``connected``, nothing else does.

The one way back is from ``bridging``: if the switch refused the Bridge the callee is still waiting, and the
attempt returns to the state it waited in.

Somebody who calls the shown number back begins as ``waiting``, never rang and was never answered: a conversation may
follow, or nothing.

How an answered attempt ended when nobody was connected:

    waited or heard the message for 2 s or more   abandoned
    the person hung up sooner                      early_hangup
    the person was in the offer                    offer_ended, the last key is kept
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.core.model import EndedBy, LiveAttempt, Outcome
from dialer.core.quick import replace
from dialer.core.states import AttemptState, Mode

if TYPE_CHECKING:
    from dialer.core.model import Campaign, Claim

S = AttemptState

#: A person must be connected within this after the answer, or the call is abandoned (16 CFR 310.4(b)(4)(ii)).
CONNECT_WITHIN_S = 2.0
#: No Bridge is sent later than this after the answer: the dialplan's message begins at 2.0 s.
LAST_BRIDGE_S = 1.9
#: States in which the callee has not been answered yet.
UNANSWERED = frozenset({S.SENT, S.RINGING})
#: States in which a line is in flight: it may still need an operator. One that is being bridged has one.
IN_FLIGHT = frozenset({S.SENT, S.RINGING, S.ANSWERED, S.OFFER, S.WAITING})
#: Of them, those in which a person is on the line, or may be.
WAITS = IN_FLIGHT - UNANSWERED


def begin(claim: Claim) -> LiveAttempt:
    """The live attempt of a claim that was just committed."""
    return LiveAttempt(
        id=claim.attempt_id,
        campaign_id=claim.campaign_id,
        contact_id=claim.contact_id,
        phone_id=claim.phone_id,
        e164=claim.e164,
        number=claim.number,
        counted=claim.counted,
        state=S.SENT,
        sent_at=claim.sent_at,
        callback_id=claim.callback_id,
        for_operator=claim.for_operator,
        asked=claim.asked,
        manual=claim.manual,
        operator_id=claim.for_operator if claim.asked else None,
    )


def advance(attempt: LiveAttempt, to: AttemptState, at: datetime) -> LiveAttempt:
    """The attempt in state ``to``, or unchanged if it is there or further. The time of the step is kept."""
    if to.rank <= attempt.state.rank:
        return attempt
    at = max(at, attempt.sent_at)
    if to is S.RINGING:
        return replace(attempt, state=to, rang_at=at)
    if to is S.ANSWERED:
        return replace(attempt, state=to, rang_at=attempt.rang_at or at, answered_at=at)
    if to is S.WAITING:
        return replace(attempt, state=to, waiting_at=at)
    if to is S.CONNECTED:
        answered_at = None if attempt.came_in else attempt.answered_at or at
        return replace(attempt, state=to, answered_at=answered_at, connected_at=at)
    return replace(attempt, state=to)


def unbridge(attempt: LiveAttempt) -> LiveAttempt:
    """The attempt waiting again, after the switch refused to bridge it."""
    if attempt.state is not S.BRIDGING:
        return attempt
    holder = attempt.for_operator if attempt.asked else None
    return replace(attempt, state=S.WAITING if attempt.waiting_at else S.ANSWERED, operator_id=holder)


def hears_offer(attempt: LiveAttempt, campaign: Campaign) -> bool:
    """Whether a recorded offer is played to whoever answers; an operator who asked for the call speaks himself."""
    return campaign.mode is Mode.IVR and not attempt.asked


def bridge_by(attempt: LiveAttempt, campaign: Campaign) -> datetime | None:
    """Until when this attempt may be bridged; None if it waits for nobody."""
    if attempt.state is S.WAITING and attempt.waiting_at:
        wait_s = campaign.return_wait_s if attempt.came_in else campaign.key_wait_s - 0.1
        return attempt.waiting_at + timedelta(seconds=wait_s)
    if attempt.state is S.ANSWERED and attempt.answered_at and not hears_offer(attempt, campaign):
        return attempt.answered_at + timedelta(seconds=LAST_BRIDGE_S)
    return None


def may_be_bridged(attempt: LiveAttempt, campaign: Campaign, now: datetime) -> bool:
    """Whether this callee waits for an operator who may still come; whoever hears the message waits for nobody."""
    until = bridge_by(attempt, campaign)
    return until is not None and now < until


def outcome_of(attempt: LiveAttempt, word: str, at: datetime, *, operator_free: bool = False) -> Outcome:
    """What an ended call amounts to.

    Args:
        attempt: The attempt as it was before the end.
        word: What the trunk's cause map says of cause and SIP code; decides only if nobody answered.
        at: When it ended.
        operator_free: Whether the campaign has no operators, and so nobody to be abandoned by.
    """
    if attempt.connected_at:
        return Outcome.CONNECTED
    if not attempt.answered_at and not attempt.came_in:
        if attempt.ended_by in {EndedBy.SERVICE, EndedBy.OPERATOR}:
            return Outcome.CANCELLED
        return Outcome(word)
    waited_since = attempt.waiting_at or attempt.answered_at or at
    soon = (at - waited_since).total_seconds() < CONNECT_WITHIN_S
    if attempt.state is S.OFFER or (attempt.waiting_at and operator_free):
        return Outcome.EARLY_HANGUP if soon and not attempt.key else Outcome.OFFER_ENDED
    if attempt.came_in or (soon and attempt.ended_by is None):
        return Outcome.EARLY_HANGUP
    return Outcome.ABANDONED


def ended_by(attempt: LiveAttempt, outcome: Outcome) -> EndedBy:
    """Who ended it: whoever asked, else our ring timeout, else the callee."""
    if attempt.ended_by:
        return attempt.ended_by
    return EndedBy.SERVICE if outcome in {Outcome.NO_ANSWER, Outcome.ABANDONED} else EndedBy.CALLEE
