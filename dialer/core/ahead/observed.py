"""What was observed, from facts as they lie in the database: one way for every place that has them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.core.ahead.known import NATURE_OF, Seen
from dialer.core.model import OperatorState, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A conversation that ended so long ago and has no disposition will not get one.
SAVED_WITHIN_S = 120.0
#: A shorter absence is no pause, but a click.
PAUSE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt of the campaign.

    Attributes:
        number: Its ordinal at the contact, from 1.
        outcome: How it ended; None while it is connected.
        sent_s: When, as all times in seconds since 1970.
        wanted_s: When the callee wanted an operator: answered, or pressed the key.
        ended_s: None while it is connected.
        code: The disposition that was saved, if one was.
    """

    number: int
    outcome: Outcome | None
    sent_s: float
    wanted_s: float | None = None
    ended_s: float | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a shift; ``first`` of it, if the shift began with it; ``ended_s`` None while it goes on."""

    state: OperatorState
    started_s: float
    ended_s: float | None
    first: bool = False


def observed(
    now_s: float,
    tried: Sequence[Tried],
    stretches: Sequence[Stretch],
    *,
    promise_s: Sequence[float] = (),
    hours: Mapping[int, tuple[int, int]] | None = None,
    own: int = 0,
    of_all: int = 0,
) -> Seen:
    """Counts and durations of these facts.

    Args:
        now_s: Now.
        tried: Attempts, those connected among them.
        stretches: Of the operators: talk, wrap-up and looking for this campaign, pauses and being ready for any.
        promise_s: See ``Seen``.
        hours: See ``Seen``.
        own: See ``Seen``.
        of_all: See ``Seen``.
    """
    ends: Counter[tuple[int, Outcome]] = Counter()
    line_s: defaultdict[Outcome, list[float]] = defaultdict(list)
    said, keyed = Counter[str](), Counter[str]()
    for one in tried:
        nature = Outcome.CONNECTED if one.outcome is None else NATURE_OF.get(one.outcome)
        if nature is None:
            continue
        ends[one.number - 1, nature] += 1
        until_s = one.wanted_s if nature is Outcome.CONNECTED else one.ended_s
        if until_s is not None:
            line_s[nature].append(until_s - one.sent_s)
        if one.outcome is Outcome.OFFER_ENDED:
            keyed[one.code or ""] += 1
        elif one.outcome is Outcome.CONNECTED and (one.code or (one.ended_s or now_s) < now_s - SAVED_WITHIN_S):
            said[one.code or ""] += 1
    lasted, lasting = _times(now_s, stretches)
    looked = lasted[OperatorState.PREVIEW]
    look_s = max(0.0, sum(looked) - sum(map(sum, line_s.values()))) / len(looked) if looked else None
    return Seen(
        ends=ends,
        line_s=line_s,
        talk_s=lasted[OperatorState.TALKING],
        talking_s=lasting[OperatorState.TALKING],
        write_s=lasted[OperatorState.WRAP_UP],
        writing_s=lasting[OperatorState.WRAP_UP],
        away_s=lasted[OperatorState.PAUSED],
        worked_s=sum(sum(times) for state, times in lasted.items() if state is not OperatorState.PAUSED),
        said=said,
        keyed=keyed,
        promise_s=promise_s,
        hours=hours or {},
        look_s=look_s,
        own=own,
        all=of_all,
    )


def _times(
    now_s: float, stretches: Sequence[Stretch]
) -> tuple[Mapping[OperatorState, list[float]], Mapping[OperatorState, list[float]]]:
    """How long the ended ones lasted, and those that go on have; a shift begins paused, and that is no pause."""
    lasted: defaultdict[OperatorState, list[float]] = defaultdict(list)
    lasting: defaultdict[OperatorState, list[float]] = defaultdict(list)
    for one in stretches:
        if one.ended_s is None:
            lasting[one.state].append(now_s - one.started_s)
        elif one.state is not OperatorState.PAUSED or (not one.first and one.ended_s - one.started_s > PAUSE_S):
            lasted[one.state].append(one.ended_s - one.started_s)
    return lasted, lasting
