"""When a base ends, and how long it will take: plain arithmetic that a person can follow.

Both are estimates for planning; what limits each attempt is decided by the gate and by pacing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Share of their time that operators talk or write, by mode: ``scripts/bench pacing`` finds about this for ten of them.
BUSY_SHARE = {"progressive": 0.61, "predictive": 0.8, "ivr": 0.6, "preview": 0.95}
#: Mode ``preview``: an operator looks at a card for about so long, and hears each line ring.
LOOK_S = 15.0
#: Without figures of its own a campaign is taken to be like this.
ANSWER_RATE, TALK_S, RING_S = 0.3, 90.0, 20.0
#: A pace is not told from less than this.
PACE_S_MIN = 60.0


def hours_left(left: int, closed: int, over_s: float) -> float | None:
    """Hours of dialing until a base is used up at the pace of the last hour; None while nothing is closed.

    Args:
        left: Contacts that may still be called.
        closed: Contacts closed in the last hour, by a disposition or by their last attempt.
        over_s: Since when, in seconds: a campaign that began to dial minutes ago has no hour behind it.
    """
    if left == 0:
        return 0.0
    return left / closed * max(over_s, PACE_S_MIN) / 3600 if closed > 0 else None


def usual_window(windows: Mapping[int, Sequence[tuple[time, time]]]) -> tuple[str, str] | None:
    """The hours of most days, Monday to Friday, from the first opening to the last closing; None if most are closed.

    Args:
        windows: Weekday (Monday is 0) -> intervals of local time; an end at midnight is the end of the day.
    """
    days = [windows.get(day, ()) for day in range(5)]
    spans = [(f"{day[0][0]:%H:%M}", "24:00" if day[-1][1] == time() else f"{day[-1][1]:%H:%M}") for day in days if day]
    if len(spans) * 2 <= len(days):
        return None
    return max(spans, key=lambda span: (spans.count(span), span))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a campaign's settings mean for a base.

    Attributes:
        attempts: Expected attempts in all.
        conversations: Expected conversations.
        hours: Hours of dialing, by what is scarcer: operators or lines.
        days: Days until all of it is called, the gaps between attempts included; at least 1 if there is a contact.
        limited_by: ``operators``, ``lines`` or ``gaps``.
    """

    attempts: int
    conversations: int
    hours: float
    days: int
    limited_by: str


def plan(
    *,
    contacts: int,
    operators: int,
    mode: str,
    attempts_max: int,
    wrap_up_s: float,
    ring_timeout_s: float,
    max_lines: int,
    hours_per_day: float,
    gap_days: float,
    answer_rate: float = ANSWER_RATE,
    talk_s: float = TALK_S,
) -> Plan:
    """How long a base takes.

    A contact is called until it answers or its attempts are used up. With an answer rate a and at most n attempts it
    answers with 1 - (1-a)^n and takes (1 - (1-a)^n) / a attempts. Whoever answers takes an operator for talk and
    wrap-up; whoever does not takes a line for the ring, and in the mode ``preview`` an operator, too. The last attempt
    comes at least n - 1 gaps after the first, if anybody is expected to need it.

    Args:
        contacts: Contacts of the base that may be called.
        operators: Operators on shift; 0 means a campaign without any.
        mode: ``progressive``, ``predictive``, ``ivr`` or ``preview``.
        attempts_max: Attempts at a contact, at most.
        wrap_up_s: Time to write a conversation down, at most.
        ring_timeout_s: Time a line rings, at most.
        max_lines: Lines of the campaign at once, at most.
        hours_per_day: Hours of a day in which calls are allowed and somebody works.
        gap_days: Days between two attempts at a contact.
        answer_rate: Share of attempts that a person answers.
        talk_s: Mean length of a conversation.
    """
    rate = min(max(answer_rate, 0.01), 1.0)
    reached = 1 - (1 - rate) ** attempts_max
    attempts, conversations = contacts * reached / rate, contacts * reached
    ring_s = min(RING_S, ring_timeout_s)
    by_lines = (attempts * ring_s + conversations * talk_s) / 3600 / max(1, max_lines)
    taken_s = conversations * (talk_s + wrap_up_s) + (attempts * (LOOK_S + ring_s) if mode == "preview" else 0.0)
    by_operators = taken_s / 3600 / (operators * BUSY_SHARE[mode]) if operators else 0.0
    hours = max(by_lines, by_operators)
    needed = hours / max(hours_per_day, 0.1)
    gaps = (attempts_max - 1) * gap_days if contacts * (1 - rate) ** (attempts_max - 1) >= 1 else 0.0
    limited_by = "gaps" if gaps > needed else "operators" if by_operators >= by_lines else "lines"
    whole = int(max(needed, gaps))
    days = whole + (1 if contacts and max(needed, gaps) >= whole else 0)
    return Plan(
        attempts=round(attempts),
        conversations=round(conversations),
        hours=round(hours, 1),
        days=days,
        limited_by=limited_by,
    )
