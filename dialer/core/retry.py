"""What the end of an attempt means: for the contact, for the number, for the legal count, for a promised callback.

    outcome           uses an attempt   legal count           the contact is called again
    connected         yes               answered              as the disposition says; without one in a day
    abandoned         yes               answered, abandoned   after the profile's rest, 72 h
    early_hangup      yes               neither, kept apart   in a day
    offer_ended       yes               answered              as the key's disposition says; without one in 30 days
    no_answer         yes               -                     in 3 h, then 6 h, then 12 h
    busy              yes               -                     in 15 min, then 30 min, then an hour
    machine           yes               -                     in 4 h, then 8 h
    rejected          yes               -                     in a day
    unknown           yes               if it was answered:   in a day; after the profile's rest, 72 h, if it was
                                        answered, abandoned   answered
    invalid_number    no                -                     at the contact's next phone, this one never again
    cancelled         if it rang        -                     in 5 min
    congestion        no                -                     in 5 min, doubling up to a day
    failed            no                -                     in 5 min, doubling up to a day
    not_sent          no                -                     in a minute, doubling up to a day

Nothing is called sooner than its profile allows: the number itself rests for the profile's gap, and that holds for each
campaign (``phone_not_before``). After an abandoned call it rests for the longer gap from any call for which no operator
is held (``phone_held_until``).

Whom the trunk itself failed (a 403 or 408 before any ring, see ``trunk``) was never tried: no attempt is used, and the
contact comes back as after ``failed``.

A callee who hangs up within two seconds (``early_hangup``) was a person, but nobody had broken a promise to yet. Such
calls are neither in the numerator nor in the denominator of the abandon rate: in the denominator they would make room
for more abandons. An ``unknown`` that had been answered is in both, although perhaps nobody was lost: what nobody saw
is counted against us. Likewise any other end of an answered call that never connected.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dialer.core import rules
from dialer.core.model import COUNTED, CallbackState, Ended, Outcome, RetryRule
from dialer.core.quick import replace
from dialer.core.trunk import failed_by_trunk

if TYPE_CHECKING:
    from datetime import datetime

    from dialer.core.model import Campaign, DispositionKind, EndedBy, LiveAttempt

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

#: What holds where the campaign says nothing else.
DEFAULT: dict[Outcome, RetryRule] = {
    Outcome.CONNECTED: RetryRule(delay_s=DAY_S),
    Outcome.ABANDONED: RetryRule(delay_s=3 * DAY_S),
    Outcome.EARLY_HANGUP: RetryRule(delay_s=DAY_S),
    Outcome.OFFER_ENDED: RetryRule(delay_s=30 * DAY_S),
    Outcome.NO_ANSWER: RetryRule(delay_s=3 * HOUR_S, growth=2),
    Outcome.BUSY: RetryRule(delay_s=15 * MINUTE_S, growth=2),
    Outcome.MACHINE: RetryRule(delay_s=4 * HOUR_S, growth=2),
    Outcome.INVALID_NUMBER: RetryRule(next_phone=True, dead_phone=True),
    Outcome.CONGESTION: RetryRule(delay_s=5 * MINUTE_S, growth=2),
    Outcome.REJECTED: RetryRule(delay_s=DAY_S),
    Outcome.FAILED: RetryRule(delay_s=5 * MINUTE_S, growth=2),
    Outcome.CANCELLED: RetryRule(delay_s=5 * MINUTE_S),
    Outcome.NOT_SENT: RetryRule(delay_s=MINUTE_S, growth=2),
    Outcome.UNKNOWN: RetryRule(delay_s=DAY_S),
}

#: Growth stops here, so that a trunk that was down for a day does not postpone its contacts for a year.
LONGEST_S = {True: 30 * DAY_S, False: DAY_S}
#: Beyond this many repetitions a factor is not applied again; any growth has met its limit by then.
REPEATS_MAX = 64

#: Ends that say nothing about the number: the network never tried it.
_NEVER_TRIED = frozenset({Outcome.NOT_SENT, Outcome.CONGESTION, Outcome.FAILED})
#: Answered, and outside the legal count: see above.
_APART = frozenset({Outcome.EARLY_HANGUP, Outcome.MACHINE})
_PERSON = frozenset({Outcome.CONNECTED, Outcome.ABANDONED, Outcome.OFFER_ENDED})
_SERVED = frozenset({Outcome.CONNECTED, Outcome.OFFER_ENDED})
#: What keeps a promise to call back: the callee was reached.
_KEEPS = _SERVED


def ended(
    attempt: LiveAttempt,
    campaign: Campaign,
    outcome: Outcome,
    *,
    ended_by: EndedBy,
    ended_at: datetime,
    cause: int | None = None,
    sip_code: int | None = None,
) -> Ended:
    """The end of an attempt with all that follows from it.

    A contact whose attempts are used up is closed at once, also after a conversation: a disposition saved before or
    after may still decide otherwise (``after_disposition``). Whether a dead phone was the contact's last one, and so
    closes it as ``dead`` and breaks its callback, is seen only where its other phones are: in the store.

    Args:
        attempt: As it was just before the end.
        campaign: Its limits, retry rules, keys and profile.
        outcome: How it ended.
        ended_by: Who or what ended it.
        ended_at: When, aware UTC.
        cause: Q.850 hangup cause.
        sip_code: SIP response code.
    """
    if attempt.came_in:
        return _came_back(attempt, campaign, outcome, ended_by=ended_by, ended_at=ended_at, cause=cause)
    tried = Outcome.FAILED if outcome in COUNTED and failed_by_trunk(attempt, outcome, sip_code) else outcome
    counts = uses_attempt(attempt, tried)
    answered, abandoned = legal(attempt, campaign, outcome)
    lost = abandoned or (outcome is Outcome.UNKNOWN and attempt.answered_at is not None)
    rule = _rule(attempt, campaign, tried, lost=lost)
    rests_until = _rests_until(attempt, campaign, outcome, ended_at)
    held_until = ended_at + timedelta(seconds=campaign.profile.after_abandon_s) if lost else None
    closes = _closes(attempt, campaign, rule, counts=counts)
    next_at = ended_at + delay(rule, _repetition(attempt, counts=counts), counts=counts)
    if not rule.next_phone:
        next_at = max(next_at, rests_until or next_at, held_until or next_at)
    return Ended(
        attempt=attempt,
        outcome=outcome,
        ended_at=ended_at,
        ended_by=ended_by,
        cause=cause,
        sip_code=sip_code,
        counts=counts,
        legal_answered=answered,
        legal_abandoned=abandoned,
        next_at=None if closes else next_at,
        closes=closes,
        next_phone=rule.next_phone,
        dead_phone=rule.dead_phone,
        phone_not_before=rests_until,
        phone_held_until=held_until,
        callback=_callback(attempt, outcome, closes),
    )


def _came_back(
    attempt: LiveAttempt,
    campaign: Campaign,
    outcome: Outcome,
    *,
    ended_by: EndedBy,
    ended_at: datetime,
    cause: int | None,
) -> Ended:
    """The end of a call that came in: it uses no attempt and is in no legal count; a conversation keeps a promise."""
    talked = outcome is Outcome.CONNECTED
    rests_until = ended_at + timedelta(seconds=campaign.profile.min_gap_s)
    next_at = max(ended_at + delay(outcome_rule(campaign, Outcome.CONNECTED), 1), rests_until)
    return Ended(
        attempt=attempt,
        outcome=outcome,
        ended_at=ended_at,
        ended_by=ended_by,
        cause=cause,
        counts=False,
        next_at=next_at if talked else None,
        phone_not_before=rests_until if talked else None,
        callback=CallbackState.KEPT if talked and attempt.callback_id is not None else None,
    )


def owed_beside(ended: Ended) -> Ended:
    """The end of an attempt beside which its contact called us in vain: that one is called back, whatever this one was.

    The attempt closes nothing, its number lives, and a promise it was made for, which became that call back, stands.
    """
    broken = ended.callback is CallbackState.BROKEN
    return replace(ended, closes=None, dead_phone=False, callback=CallbackState.PENDING if broken else ended.callback)


def uses_attempt(attempt: LiveAttempt, outcome: Outcome) -> bool:
    """Whether this end uses up one of the contact's attempts."""
    return outcome in COUNTED or (outcome is Outcome.CANCELLED and attempt.rang_at is not None)


def legal(attempt: LiveAttempt, campaign: Campaign, outcome: Outcome) -> tuple[bool, bool]:
    """Whether it counts as answered by a person, and as abandoned; see the top of this file."""
    if outcome in _APART:
        return False, False
    answered = outcome in _PERSON or attempt.answered_at is not None
    served = outcome in _SERVED or attempt.connected_at is not None or campaign.operator_free
    return answered, answered and not served


def delay(rule: RetryRule, repetition: int, *, counts: bool = True) -> timedelta:
    """How long this rule waits for the ``repetition``-th time, from 1; bounded by ``LONGEST_S`` where it grows."""
    if rule.growth == 1 or repetition <= 1:
        return timedelta(seconds=rule.delay_s)
    grown = rule.delay_s * rule.growth ** min(repetition - 1, REPEATS_MAX)
    return timedelta(seconds=min(grown, max(LONGEST_S[counts], rule.delay_s)))


def after_disposition(
    kind: DispositionKind,
    campaign: Campaign,
    *,
    saved_at: datetime,
    counted: int,
    times: int,
    ended_next_at: datetime | None,
    promised: bool,
) -> tuple[str | None, datetime | None]:
    """What a saved disposition makes of its contact: (closed by, next call), one of them None.

    The result is the same whether the disposition is saved before or after the call ended.

    Args:
        kind: The disposition.
        campaign: Its limit of attempts and its profile: some say how long nobody calls after such a disposition.
        saved_at: When it was saved.
        counted: Attempts of the contact that used up the limit, this one included.
        times: How often this disposition was saved for the contact, this time included.
        ended_next_at: When the outcome's rule would call again, if that is known yet.
        promised: Whether a callback was promised with it: a promise is kept even by one attempt too many.
    """
    rule = kind.retry
    if kind.closes or (rule is not None and closed_by(rule, times)):
        return "disposition", None
    if counted >= campaign.attempts_max and not promised:
        return "used_up", None
    if rule is not None:
        next_at = saved_at + delay(rule, times)
    else:
        next_at = ended_next_at or saved_at + delay(outcome_rule(campaign, Outcome.CONNECTED), 1)
    return None, max([next_at, *rules.rests_until(kind.classes, campaign.profile, saved_at).values()])


def looser(before: RetryRule, after: RetryRule) -> list[str]:
    """Figures of a changed rule that bring somebody back sooner, or more often."""
    never = float("inf")
    wrong = {
        "delay_s": after.delay_s < before.delay_s,
        "growth": after.growth < before.growth,
        "times": (never if after.times is None else after.times) > (never if before.times is None else before.times),
        "closes": before.closes and not after.closes,
    }
    return [name for name, holds in wrong.items() if holds]


def rule_of(kind: DispositionKind, campaign: Campaign) -> RetryRule:
    """What brings a contact back after this disposition: its own rule, else that of a conversation."""
    return kind.retry or outcome_rule(campaign, Outcome.CONNECTED)


def closed_by(rule: RetryRule, times: int) -> bool:
    """Whether a disposition of this rule, said for the ``times``-th time, closes its contact."""
    return rule.closes or _spent(rule, times)


def outcome_rule(campaign: Campaign, outcome: Outcome) -> RetryRule:
    """What happens to a contact after this outcome: the campaign's own rule, else the usual one."""
    return campaign.retry.get(outcome, DEFAULT[outcome])


def _rule(attempt: LiveAttempt, campaign: Campaign, outcome: Outcome, *, lost: bool) -> RetryRule:
    """The key's disposition if it has a rule of its own, else the outcome's; whoever was lost rests longer."""
    if lost and outcome is Outcome.UNKNOWN:
        outcome = Outcome.ABANDONED
    by_key = campaign.dispositions.get(campaign.keys.get(attempt.key or "", ""))
    if outcome is Outcome.OFFER_ENDED and by_key is not None and by_key.retry is not None:
        return by_key.retry
    return outcome_rule(campaign, outcome)


def _repetition(attempt: LiveAttempt, *, counts: bool) -> int:
    """The how-manieth attempt of its sort this is at the contact: of those that count, or of those that do not."""
    return attempt.counted + 1 if counts else max(1, attempt.number - attempt.counted)


def _spent(rule: RetryRule, times: int) -> bool:
    return rule.times is not None and times > rule.times


def _closes(attempt: LiveAttempt, campaign: Campaign, rule: RetryRule, *, counts: bool) -> str | None:
    last = counts and attempt.counted + 1 >= campaign.attempts_max
    return "used_up" if last or rule.closes or _spent(rule, _repetition(attempt, counts=counts)) else None


def _rests_until(attempt: LiveAttempt, campaign: Campaign, outcome: Outcome, ended_at: datetime) -> datetime | None:
    if outcome in _NEVER_TRIED and attempt.rang_at is None and attempt.answered_at is None:
        return None
    return ended_at + timedelta(seconds=campaign.profile.min_gap_s)


def _callback(attempt: LiveAttempt, outcome: Outcome, closes: str | None) -> CallbackState | None:
    """A promise is kept when the callee was reached, broken when the last attempt is gone, and stands otherwise."""
    if attempt.callback_id is None:
        return None
    if outcome in _KEEPS:
        return CallbackState.KEPT
    return CallbackState.BROKEN if closes else CallbackState.PENDING
