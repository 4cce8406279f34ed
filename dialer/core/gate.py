"""The gate: every reason why a contact is not being dialled now.

PostgreSQL asks the same conditions in the statement that takes contacts. This is what that statement is held to by
tests, and what answers "why is this not being dialled?". The reasons of one contact stand in a fixed order, the one
that is hardest to lift first; the first one is the reason a contact is counted under.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from dialer.core import hours, numbers, rules
from dialer.core.model import Campaign, CampaignState, Mode

#: Reasons of a number, not of a time: the contact's next number is asked about instead.
OF_THE_NUMBER = frozenset({"do_not_call", "number_not_allowed", "no_consent"})


def call_type(campaign: Campaign) -> str:
    """What the law calls a call of this campaign.

    One that an operator chose by a key is selected by a human; one that a deadline starts is not, whoever looked at it.
    """
    if campaign.mode is Mode.IVR:
        return "recorded"
    return "human_selected" if campaign.mode is Mode.PREVIEW and not campaign.preview_calls else "auto_dialed_live"


def by_hand(campaign: Campaign) -> Campaign:
    """The campaign as the rules see a call whose number an operator typed: of its mode nothing is left.

    A human selects that call by a key, and an operator is held for it, as in the mode ``preview``.
    """
    return replace(campaign, mode=Mode.PREVIEW, preview_calls=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the gate looks at for one contact.

    Attributes:
        now: Present time, aware UTC.
        campaign: With its profile and trunk.
        e164: The number that would be dialled.
        zones: Zones the contact may be in.
        counted: Attempts that used up the contact's limit.
        next_at: When the contact may be called; the callback's time if one is pending.
        waits_after: What decided ``next_at``: the code of a disposition, an outcome, or ``callback``.
        promised: Whether a callback is pending; it is kept even by one attempt too many.
        closed_by: ``disposition``, ``used_up`` or ``dead``; None while open.
        base_paused: Whether its base is paused.
        phone_not_before: Until then the number rests.
        phone_held_until: Until then only a call for which an operator is held may reach it, after an abandoned one.
        operator_held: Whether an operator is held for this call: a promise with one who is ready.
        phone_sent: When each attempt of the last 30 days at this number was sent that counts for the law, in order.
        said: What was said last at this number to this customer, by class of disposition: when, and until when nobody
            calls by the rules it was said under.
        forbidden: Scopes of the do-not-call entries that cover this number; ``national`` for those of a state.
        consent: ``valid``; ``over`` when every one was withdrawn or has expired; None if there never was any.
        by_hand: It stands in the base of numbers dialled by hand: nobody calls it by itself but to keep a promise.
        lists_too_old: A national list of the profile is older than it allows, or was never imported.
        live: Whether an attempt at this contact or number is going on, or an operator looks at the contact first.
        looked_at: Who looks at it, and since when; None where nobody does.
        room: Further lines the abandonment budget allows; None where there is no budget to keep.
    """

    now: datetime
    campaign: Campaign
    e164: str
    zones: Sequence[str]
    counted: int = 0
    next_at: datetime | None = None
    waits_after: str = ""
    promised: bool = False
    closed_by: str | None = None
    base_paused: bool = False
    phone_not_before: datetime | None = None
    phone_held_until: datetime | None = None
    operator_held: bool = False
    phone_sent: Sequence[datetime] = ()
    said: Mapping[str, tuple[datetime, datetime]] = field(default_factory=lambda: MappingProxyType({}))
    forbidden: frozenset[str] = frozenset()
    consent: str | None = None
    lists_too_old: bool = False
    by_hand: bool = False
    live: bool = False
    looked_at: tuple[str, datetime] | None = None
    room: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason, a stable word.

    Attributes:
        until: When it passes by itself; None if somebody must do something, or nobody can tell.
        detail: What exactly: the campaign's state, the scope of a do-not-call entry, what closed the contact, after
            which disposition or outcome it waits.
        profile: Whose rule it is, where it is that of the callee's or the customer's country; empty: the campaign's.
        by: Who looks at the contact, with the detail ``looked_at``.
        since: Since when.
    """

    reason: str
    until: datetime | None = None
    detail: str = ""
    profile: str = ""
    by: str = ""
    since: datetime | None = None


def refusals(facts: Facts) -> list[Refusal]:
    """Every reason why this contact is not dialled now, the hardest first; empty if it may be."""
    return [refusal for check in _CHECKS for refusal in check(facts)]


def of_the_number(reasons: Sequence[Refusal]) -> bool:
    """Whether the number itself is refused, so that the contact's next one is asked about."""
    return any(refusal.reason in OF_THE_NUMBER for refusal in reasons)


def _bound(f: Facts, figure: str) -> str:
    return f.campaign.profile.bound.get(figure, "")


def _closed(f: Facts) -> list[Refusal]:
    return [Refusal(reason="closed", detail=f.closed_by)] if f.closed_by else []


def _do_not_call(f: Facts) -> list[Refusal]:
    return [Refusal(reason="do_not_call", detail=scope) for scope in sorted(f.forbidden)]


def _number_not_allowed(f: Facts) -> list[Refusal]:
    profile = f.campaign.profile
    allowed = numbers.allowed(f.e164, profile.allow, profile.deny)
    return [] if allowed else [Refusal(reason="number_not_allowed")]


def _no_consent(f: Facts) -> list[Refusal]:
    """None where one is needed; or it is over, which counts as do-not-call whether one is needed or not."""
    needed = call_type(f.campaign) in f.campaign.profile.consent_for
    refused = f.consent != "valid" and (needed or f.consent is not None)
    return [Refusal(reason="no_consent", detail=f.consent or "", profile=_bound(f, "consent_for"))] if refused else []


def _profile_not_for_trunk(f: Facts) -> list[Refusal]:
    kind = f.campaign.trunk.kind
    return [] if kind in f.campaign.profile.trunk_kinds else [Refusal(reason="profile_not_for_trunk", detail=kind)]


def _call_type_forbidden(f: Facts) -> list[Refusal]:
    kind = call_type(f.campaign)
    if kind in f.campaign.profile.call_types:
        return []
    return [Refusal(reason="call_type_forbidden", detail=kind, profile=_bound(f, "call_types"))]


def _lists_too_old(f: Facts) -> list[Refusal]:
    return [Refusal(reason="lists_too_old", profile=_bound(f, "national_lists"))] if f.lists_too_old else []


def _campaign_state(f: Facts) -> list[Refusal]:
    state = f.campaign.state
    return [] if state is CampaignState.RUNNING else [Refusal(reason="campaign_state", detail=state.value)]


def _base_paused(f: Facts) -> list[Refusal]:
    return [Refusal(reason="base_paused")] if f.base_paused else []


def _live_attempt(f: Facts) -> list[Refusal]:
    if f.looked_at is not None:
        by, since = f.looked_at
        return [Refusal(reason="live_attempt", detail="looked_at", by=by, since=since)]
    return [Refusal(reason="live_attempt")] if f.live else []


def _attempts_used_up(f: Facts) -> list[Refusal]:
    used_up = f.counted >= f.campaign.attempts_max and not f.promised
    return [Refusal(reason="attempts_used_up", detail=str(f.counted))] if used_up else []


def _per_30_days(f: Facts) -> list[Refusal]:
    return _limit(f, "per_30_days", f.campaign.profile.per_30_days, timedelta(days=30))


def _per_7_days(f: Facts) -> list[Refusal]:
    return _limit(f, "per_7_days", f.campaign.profile.per_7_days, timedelta(days=7))


def _per_day(f: Facts) -> list[Refusal]:
    return _limit(f, "per_day", f.campaign.profile.per_day, timedelta(days=1))


def _limit(f: Facts, reason: str, most: int, period: timedelta) -> list[Refusal]:
    """At most so many attempts at the number in any period of this length."""
    recent = [sent for sent in f.phone_sent if sent > f.now - period]
    if len(recent) < most:
        return []
    return [Refusal(reason=reason, until=recent[-most] + period, profile=_bound(f, reason))]


def _after_disposition(f: Facts) -> list[Refusal]:
    """What holds longer: the rules it was said under, or those of this campaign."""
    own = rules.rests(f.campaign.profile)
    until = {word: max(rests, at + own.get(word, timedelta())) for word, (at, rests) in f.said.items()}
    longest = max(until, key=lambda word: (until[word], word), default="")
    return (
        [Refusal(reason="after_disposition", until=until[longest], detail=longest)]
        if longest and until[longest] > f.now
        else []
    )


def _after_abandon(f: Facts) -> list[Refusal]:
    rests = f.phone_held_until is not None and f.phone_held_until > f.now and not f.operator_held
    return [Refusal(reason="after_abandon", until=f.phone_held_until)] if rests else []


def _phone_resting(f: Facts) -> list[Refusal]:
    rests = f.phone_not_before is not None and f.phone_not_before > f.now
    return [Refusal(reason="phone_resting", until=f.phone_not_before)] if rests else []


def _not_due(f: Facts) -> list[Refusal]:
    waits = f.next_at is not None and f.next_at > f.now
    return [Refusal(reason="not_due", until=f.next_at, detail=f.waits_after)] if waits else []


def _by_hand(f: Facts) -> list[Refusal]:
    return [Refusal(reason="by_hand")] if f.by_hand and not f.promised else []


def _window(f: Facts) -> list[Refusal]:
    profile, ring_timeout_s = f.campaign.profile, f.campaign.ring_timeout_s
    if hours.may_call(f.now, f.zones, profile, ring_timeout_s):
        return []
    opens_at = hours.next_open(f.now, f.zones, profile, ring_timeout_s)
    by = hours.closed_by(f.now, f.zones, profile, ring_timeout_s)
    return [Refusal(reason="outside_window" if opens_at else "no_window", until=opens_at, profile=by)]


def _budget(f: Facts) -> list[Refusal]:
    return [Refusal(reason="budget")] if f.room is not None and f.room < 1 else []


_CHECKS: tuple[Callable[[Facts], list[Refusal]], ...] = (
    _closed,
    _do_not_call,
    _number_not_allowed,
    _no_consent,
    _profile_not_for_trunk,
    _call_type_forbidden,
    _lists_too_old,
    _campaign_state,
    _base_paused,
    _live_attempt,
    _attempts_used_up,
    _after_disposition,
    _per_30_days,
    _per_7_days,
    _per_day,
    _after_abandon,
    _phone_resting,
    _not_due,
    _by_hand,
    _window,
    _budget,
)
