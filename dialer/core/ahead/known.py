"""What a forecast is made of: what the database knows of a campaign at one moment, and what is assumed beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar

from dialer.core.model import OperatorState, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dialer.core.model import Budget, Campaign, Profile
    from dialer.core.pacing import Learned

T = TypeVar("T")

DAY_S = 86_400.0
#: How an attempt goes of itself: what it ends with, where ``connected`` stands for whoever wants an operator now,
#: whether one is free or not. What we did ourselves (cancelled, not sent) is no nature of a callee.
NATURES = (
    Outcome.CONNECTED,
    Outcome.EARLY_HANGUP,
    Outcome.OFFER_ENDED,
    Outcome.NO_ANSWER,
    Outcome.BUSY,
    Outcome.MACHINE,
    Outcome.INVALID_NUMBER,
    Outcome.CONGESTION,
    Outcome.REJECTED,
    Outcome.FAILED,
    Outcome.UNKNOWN,
)
#: Where ended attempts belong; the others say nothing about callees.
NATURE_OF = {nature: nature for nature in NATURES} | {Outcome.ABANDONED: Outcome.CONNECTED}


class Chance(Protocol):
    """A seeded ``random.Random``; core has none of its own."""

    def random(self) -> float:
        """Uniform in [0, 1)."""

    def gammavariate(self, alpha: float, beta: float) -> float:
        """Gamma law with mean alpha · beta."""

    def getrandbits(self, k: int, /) -> int:
        """So many bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was observed: counts and durations, no more than the last few thousand of each.

    Attributes:
        ends: (attempts counted before, nature) -> how many attempts ended so; see ``NATURE_OF``.
        line_s: Nature -> seconds from sending to the answer of whoever wants an operator, else to the end.
        talk_s: Talks that ended.
        talking_s: How long those have lasted that go on.
        write_s: Wrap-ups that ended.
        writing_s: How long those have lasted that go on.
        away_s: Pauses that ended, absences in the middle of a shift among them.
        worked_s: Operator seconds in which such a pause could have begun.
        said: Code of a disposition -> conversations it was saved for; ``""`` for none.
        keyed: The same for offers heard to their end without an operator.
        promise_s: From saving a promise to the time it was promised for.
        hours: Hour of the campaign's day -> (attempts, those answered by a person), of days before today.
        look_s: Mean time an operator looks at a card before it is called or skipped; None where nobody looks first.
        own, all: Conversations of this campaign and of all, by its operators lately: their time is shared so.
    """

    ends: Mapping[tuple[int, Outcome], int] = field(default_factory=lambda: MappingProxyType({}))
    line_s: Mapping[Outcome, Sequence[float]] = field(default_factory=lambda: MappingProxyType({}))
    talk_s: Sequence[float] = ()
    talking_s: Sequence[float] = ()
    write_s: Sequence[float] = ()
    writing_s: Sequence[float] = ()
    away_s: Sequence[float] = ()
    worked_s: float = 0.0
    said: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    keyed: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    promise_s: Sequence[float] = ()
    hours: Mapping[int, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    look_s: float | None = None
    own: int = 0
    all: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Open contacts that are alike.

    Attributes:
        zones: Zones they may be in.
        countries: Of their numbers: whose law holds beside the campaign's.
        count: How many.
        priority: Of their lane; the greatest is called first.
        counted: Attempts that used up their limit.
        number: Attempts in all.
        due_s: When they may be called again, seconds since 1970; 0 for at once.
        promised: ``due_s`` is the time of a callback.
        phones: Numbers that are not given up.
        sent_s: When the attempts of the last 30 days were sent that the legal counters hold.
    """

    zones: tuple[str, ...]
    countries: tuple[str, ...] = ()
    count: int = 1
    priority: int = 0
    counted: int = 0
    number: int = 0
    due_s: float = 0.0
    promised: bool = False
    phones: int = 1
    sent_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An attempt that goes on, and is not connected yet; its contact is in no ``Crowd``."""

    of: Crowd
    sent_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """An operator on shift: in which state since when, and whom it talks to or writes about."""

    state: OperatorState
    since_s: float
    contact: Crowd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A campaign at one moment.

    Attributes:
        at_s: Now, seconds since 1970.
        campaign: With rules, trunk and dispositions.
        crowds: Open contacts nobody is calling.
        lines: Attempts on their way.
        crew: Operators on shift.
        seen: Of this campaign.
        before: Of earlier campaigns: what is believed where this one has seen little.
        source: Where ``before`` is from: ``customer``, ``installation`` or ``usual``.
        budget: The legal count of the present window.
        learned: What pacing has learned; None before it has.
        results, attempts, connects: Of the shift so far.
        laws: Countries of callees -> the rules they are called under; those of the campaign for all others.
    """

    at_s: float
    campaign: Campaign
    crowds: Sequence[Crowd]
    lines: Sequence[Line] = ()
    crew: Sequence[Worker] = ()
    seen: Seen = field(default_factory=Seen)
    before: Seen = field(default_factory=Seen)
    source: str = "usual"
    budget: Budget | None = None
    learned: Learned | None = None
    results: int = 0
    attempts: int = 0
    connects: int = 0
    laws: Mapping[tuple[str, ...], Profile] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Who works when, and what is assumed instead of observed.

    Attributes:
        shift_ends_s: End of the present shift, seconds since 1970; results count if they are saved by then.
        shift_begins_s: When it begins, for a campaign that has nobody on shift yet; None: it has begun.
        shifts: Later ones, (begin, end) in order.
        operators: On shift from now on; None for those who are there. Later shifts have as many.
        answer_rate: Instead of what was observed; None leaves that.
        result_rate: Results ÷ conversations, likewise.
        talk_s: Mean talk, likewise.
    """

    shift_ends_s: float
    shift_begins_s: float | None = None
    shifts: Sequence[tuple[float, float]] = ()
    operators: int | None = None
    answer_rate: float | None = None
    result_rate: float | None = None
    talk_s: float | None = None
