"""The rules of a campaign as a forecast needs them: the same decisions, each made once and kept.

What follows from an end is asked of ``core.retry`` for one attempt that ended so; the next one of the same kind has
the same delays. Windows are those of ``core.hours``. How many lines predictive dialing places is asked of
``core.pacing`` for operators and lines of typical ages (``Pace``): to ask it at each event of each possible future
would take hours. ``scripts/bench forecast`` shows what that costs in truth.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from dialer.core import budget as law
from dialer.core import hours, retry
from dialer.core.ahead.known import DAY_S
from dialer.core.model import AttemptState, Budget, EndedBy, LiveAttempt, Mode, Outcome
from dialer.core.pacing import Policy, Snapshot, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.ahead.rates import Times
    from dialer.core.model import Campaign, Profile
    from dialer.core.pacing import Learned

#: Zones and countries of contacts.
Place: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
_NOW = datetime(2001, 1, 1, tzinfo=UTC)
#: Ends of calls that somebody or something answered.
_ANSWERED = frozenset(
    {Outcome.CONNECTED, Outcome.ABANDONED, Outcome.EARLY_HANGUP, Outcome.OFFER_ENDED, Outcome.MACHINE}
)
#: More lines than this are never placed at once here.
PLACED_MAX = 200
#: A team is looked at in so many parts at the most: of more operators, neighbouring states are decided alike.
PARTS = 16


@dataclass(frozen=True, slots=True)
class After:
    """What becomes of a contact: closed, or called again so many seconds later; at another number, or this one dead."""

    closes: bool
    delay_s: float
    counts: bool
    next_phone: bool = False
    dead_phone: bool = False


class Rules:
    """Retry rules and windows of a campaign, with everything asked once."""

    def __init__(
        self, campaign: Campaign, since_s: float, until_s: float, laws: Mapping[tuple[str, ...], Profile] | None = None
    ) -> None:
        self.campaign = campaign
        self._laws = laws or {}
        self._days = range(int(since_s // DAY_S), int(until_s // DAY_S) + 2)
        self._ended: dict[tuple[Outcome, int, int], After] = {}
        self._said: dict[tuple[str, int, int], After] = {}
        self._spans: dict[Place, tuple[list[int], list[int]]] = {}

    def ended(self, outcome: Outcome, counted: int, number: int) -> After:
        """After an attempt that ended so.

        Args:
            outcome: How.
            counted: Attempts that used up the limit before it.
            number: Its ordinal, from 1.
        """
        key = outcome, counted, number
        found = self._ended.get(key)
        if found is None:
            end = retry.ended(
                _attempt(self.campaign, outcome, counted, number),
                self.campaign,
                outcome,
                ended_by=EndedBy.CALLEE,
                ended_at=_NOW,
            )
            delay_s = (end.next_at - _NOW).total_seconds() if end.next_at else 0.0
            found = After(end.closes is not None, delay_s, end.counts, end.next_phone, end.dead_phone)
            self._ended[key] = found
        return found

    def said(self, code: str, counted: int, times: int) -> After:
        """After a disposition; ``counted`` with the attempt it belongs to, ``times`` with this time."""
        key = code, counted, times
        found = self._said.get(key)
        if found is None:
            kind = self.campaign.dispositions[code]
            ended = self.ended(Outcome.CONNECTED, counted - 1, counted)
            closed_by, next_at = retry.after_disposition(
                kind,
                self.campaign,
                saved_at=_NOW,
                counted=counted,
                times=times,
                ended_next_at=None if ended.closes else _NOW + timedelta(seconds=ended.delay_s),
                promised="time" in kind.needs,
            )
            delay_s = (next_at - _NOW).total_seconds() if next_at else 0.0
            found = self._said[key] = After(closed_by is not None, delay_s, counts=False)
        return found

    def limits(self, countries: tuple[str, ...]) -> list[tuple[int, float]]:
        """Attempts at a number that are allowed in a time, and that time; only those that may matter."""
        profile = self._laws.get(countries, self.campaign.profile)
        figures = ((profile.per_day, 1), (profile.per_7_days, 7), (profile.per_30_days, 30))
        return [(count, days * DAY_S) for count, days in figures if count < self.campaign.attempts_max]

    def spans(self, place: Place) -> tuple[list[int], list[int]]:
        """Begins and ends of the times in which a call may start, in order; of zones and countries."""
        found = self._spans.get(place)
        if found is None:
            zones, countries = place
            profile, ring_timeout_s = self._laws.get(countries, self.campaign.profile), self.campaign.ring_timeout_s
            spans = [span for day in self._days for span in hours.starts(day, zones, profile, ring_timeout_s)]
            found = self._spans[place] = [a for a, _ in spans], [b for _, b in spans]
        return found

    def opens(self, place: Place, at_s: float) -> tuple[float, float]:
        """The present or next time in which a call may start: (begin, end); both infinite where there is none."""
        begins, ends = self.spans(place)
        which = bisect_right(ends, at_s)
        return (begins[which], ends[which]) if which < len(ends) else (float("inf"), float("inf"))


def _attempt(campaign: Campaign, outcome: Outcome, counted: int, number: int) -> LiveAttempt:
    """One attempt that ended so, long enough after each step."""
    answered_at = _NOW - timedelta(seconds=5) if outcome in _ANSWERED else None
    return LiveAttempt(
        id=UUID(int=0),
        campaign_id=campaign.id,
        contact_id=0,
        phone_id=0,
        e164="",
        number=number,
        counted=counted,
        state=AttemptState.RINGING,
        sent_at=_NOW - timedelta(seconds=20),
        rang_at=None if outcome in {Outcome.CONGESTION, Outcome.FAILED, Outcome.INVALID_NUMBER} else _NOW,
        answered_at=answered_at,
        connected_at=answered_at if outcome is Outcome.CONNECTED else None,
    )


class Pace:
    """How many lines to place, by how many operators and lines are in which state; decisions are kept."""

    def __init__(self, campaign: Campaign, learned: Learned | None, budget: Budget, talk: Times, write: Times) -> None:
        self._campaign, self._learned = campaign, learned
        self._budget = budget
        self._talk, self._write = talk, write
        self._kept: dict[tuple[int, ...], int] = {}
        self.ahead = learned is not None and campaign.mode in {Mode.PREDICTIVE, Mode.IVR} and learned.little is None

    def more(self, ready: int, talking: int, writing: int, lines: int, waiting: int) -> int:
        """Further lines that the forecast of pacing allows, whatever the bound says."""
        part = 1 + (ready + talking + writing) // PARTS
        key = ready, talking // part, writing // part, lines, waiting, part
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._decide(ready, talking, writing, lines, waiting)
        return found

    def _decide(self, ready: int, talking: int, writing: int, lines: int, waiting: int) -> int:
        campaign, learned = self._campaign, self._learned
        if learned is None:
            return ready - lines - waiting
        ivr = campaign.mode is Mode.IVR
        offers = lines // 2 if ivr else 0
        snapshot = Snapshot(
            ready=ready,
            talking_s=self._talk.ages(talking),
            wrap_up_s=self._write.ages(writing),
            ringing_s=_spread(lines - offers, 12.0),
            in_offer_s=_spread(offers, 20.0),
            waiting=waiting,
        )
        policy = Policy(
            mode=campaign.mode,
            ring_timeout_s=campaign.ring_timeout_s,
            max_lines_per_operator=campaign.max_lines_per_operator,
            room_budget=PLACED_MAX,
            room_trunk=PLACED_MAX,
            room_starts=PLACED_MAX,
            budget=self._budget,
            caution=campaign.caution,
            key_wait_s=campaign.key_wait_s,
        )
        return decide(snapshot, learned, policy).calls


def _spread(count: int, longest_s: float) -> Sequence[float]:
    return [(i + 0.5) / count * longest_s for i in range(count)]


def no_budget(campaign: Campaign, at_s: float) -> Budget:
    """The legal count of a campaign that has not begun."""
    at = datetime.fromtimestamp(at_s, UTC)
    starts_at, ends_at = law.window(campaign.profile.legal_window, at, campaign.zone)
    return Budget(
        campaign_id=campaign.id,
        starts_at=starts_at,
        ends_at=ends_at,
        answered=0,
        abandoned=0,
        uncovered=0,
        cap_permille=law.cap_of(campaign),
    )
