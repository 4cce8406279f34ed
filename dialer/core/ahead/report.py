"""A whole forecast: the shift, the base, and what other plans would change; as JSON can hold it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dialer.core.ahead import words
from dialer.core.ahead.days import Work, plan
from dialer.core.ahead.known import NATURES
from dialer.core.ahead.outlook import (
    DAYS,
    FUTURES,
    End,
    Spread,
    base,
    difference,
    of_base,
    of_shift,
    shift,
    with_operators,
)
from dialer.core.ahead.rates import draw
from dialer.core.forecast import ANSWER_RATE
from dialer.core.model import Outcome
from dialer.core.quick import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dialer.core.ahead.known import Chance, Known, Plan
    from dialer.core.ahead.outlook import Shift
    from dialer.core.ahead.queue import Told

#: Futures of the base's end, and of each other plan.
FUTURES_BASE = FUTURES_OTHER = 100
#: Other plans: operators more, and minutes that the working hours begin and end later.
OTHERS = (
    ("operators_fewer", -2, 0, 0),
    ("operators_more", 2, 0, 0),
    ("begins_earlier", 0, -60, 0),
    ("ends_earlier", 0, 0, -60),
    ("ends_later", 0, 0, 60),
)
#: Rates are told as the middle of so many possible ones.
DRAWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody assumes instead of what was seen; None leaves that.

    Attributes:
        operators: On shift from now on.
        begins: Minutes of the day in the campaign's zone.
        ends: The same.
        answer_rate: Share of attempts that a person answers.
        result_rate: Results ÷ conversations.
        talk_s: Mean length of a conversation.
    """

    operators: int | None = None
    begins: int | None = None
    ends: int | None = None
    answer_rate: float | None = None
    result_rate: float | None = None
    talk_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outset:
    """Where a forecast begins.

    Attributes:
        work: When people work: as on the last days, else as the profile allows.
        work_seen: Whether that was seen.
        operators: On shift now, else on a usual day.
    """

    known: Known
    work: Work
    work_seen: bool
    operators: int


def planned(outset: Outset, ask: Ask) -> Plan | None:
    """The plan that is asked about; None if nobody may be called in ``DAYS`` days."""
    known, work = outset.known, _work(outset, ask)
    operators = ask.operators
    if operators is None and not known.crew:
        operators = outset.operators
    return plan(
        known.campaign,
        work,
        known.at_s,
        DAYS,
        operators=operators,
        answer_rate=ask.answer_rate,
        result_rate=ask.result_rate,
        talk_s=ask.talk_s,
    )


def forecast(
    outset: Outset,
    ask: Ask,
    chances: Callable[[int], Chance],
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> dict[str, Any]:
    """The shift, the base, and other plans.

    Args:
        outset: Where it begins; ``planned`` must find a plan.
        ask: What is assumed.
        chances: Number of a future -> its chance.
        told: Gets the futures that were played, and how many there will be.

    Returns:
        What ``/api/v1/campaigns/{id}/forecast`` answers as ``forecast``; see ``dialer.web.schemas.ahead``.
    """
    known, chosen = outset.known, planned(outset, ask)
    assert chosen is not None  # noqa: S101 - whoever asks has looked
    others = _others(outset, ask, chosen)
    of = FUTURES + FUTURES_BASE + len(others) * FUTURES_OTHER
    done = 0

    def played(futures: Iterator[Told]) -> list[Told]:
        nonlocal done
        found = []
        for one in futures:
            found.append(one)
            done += 1
            if told is not None:
                told(done, of)
        return found

    main = played(shift(known, chosen, chances))
    present = of_shift(known, chosen, main)
    ends = of_base(played(base(known, chosen, chances, futures=FUTURES_BASE)))
    changes = [
        {
            "plan": name,
            "change": change,
            **{
                figure: asdict(spread)
                for figure, spread in difference(
                    main[:FUTURES_OTHER], played(shift(known, other, chances, futures=FUTURES_OTHER))
                ).items()
            },
        }
        for name, change, other in others
    ]
    answer = {
        **_when(known, chosen),
        "made_of": _made_of(outset, ask, chosen, chances),
        **{name: asdict(getattr(present, name)) for name in ("results", "attempts", "connects", "left")},
        "occupancy": asdict(present.occupancy) if present.occupancy else None,
        "fan": _fan(present),
        "base": {name: _end(getattr(ends, name)) for name in ("ends", "tried")},
        "plans": changes,
        "days": DAYS,
        "futures": FUTURES,
    }
    return {**answer, "sentences": words.sentences(answer, known.campaign.zone)}


def _others(outset: Outset, ask: Ask, chosen: Plan) -> Sequence[tuple[str, int, Plan]]:
    """Plans to compare with, inside the law; those that change nothing are left out."""
    known, work = outset.known, _work(outset, ask)
    there = len(known.crew) if chosen.operators is None else chosen.operators
    found = []
    for name, operators, begins, ends in OTHERS:
        if operators:
            if there + operators > 0 and not known.campaign.operator_free:
                found.append((name, operators, with_operators(known, chosen, operators)))
            continue
        moved = plan(known.campaign, work.moved(begins=begins, ends=ends), known.at_s, DAYS)
        if moved is None or (moved.shift_begins_s, moved.shift_ends_s) == (chosen.shift_begins_s, chosen.shift_ends_s):
            continue
        if abs(moved.shift_ends_s - chosen.shift_ends_s) > 2 * 3600:
            continue  # another day's shift
        other = replace(
            chosen, shift_begins_s=moved.shift_begins_s, shift_ends_s=moved.shift_ends_s, shifts=moved.shifts
        )
        found.append((name, begins + ends, other))
    return found


def _work(outset: Outset, ask: Ask) -> Work:
    begins = outset.work.begins if ask.begins is None else ask.begins
    return Work(begins=begins, ends=outset.work.ends if ask.ends is None else ask.ends)


def _when(known: Known, chosen: Plan) -> dict[str, Any]:
    begins_s = chosen.shift_begins_s
    return {
        "at": _iso(known.at_s),
        "campaign_id": known.campaign.id,
        "zone": known.campaign.zone,
        "rehearsal": known.attempts == 0 and not known.seen.ends,
        "shift_begins": None if begins_s is None else _iso(begins_s),
        "shift_ends": _iso(chosen.shift_ends_s),
        "so_far": {"results": known.results, "attempts": known.attempts, "connects": known.connects},
    }


def _made_of(outset: Outset, ask: Ask, chosen: Plan, chances: Callable[[int], Chance]) -> dict[str, Any]:
    """What it rests on: the middle of the rates as they may be, and where they are from."""
    known, work = outset.known, _work(outset, ask)
    drawn = [draw(known, chosen, chances(-2 - i)) for i in range(DRAWN)]
    answers = [sum(one.ends[0][NATURES.index(n)] for n in (Outcome.CONNECTED, Outcome.OFFER_ENDED)) for one in drawn]
    kinds = known.campaign.dispositions
    good = [sum(p for code, p in one.said.shares().items() if code and kinds[code].result) for one in drawn]
    talked = sum(worker.contact is not None for worker in known.crew)
    return {
        "contacts": sum(crowd.count for crowd in known.crowds) + len(known.lines) + talked,
        "operators": len(known.crew) if chosen.operators is None else chosen.operators,
        "begins": work.begins,
        "ends": work.ends,
        "work_seen": outset.work_seen,
        "answer_rate": round(_middle(answers), 3) if drawn else ANSWER_RATE,
        "result_rate": round(_middle(good), 3),
        "talk_s": round(_middle([one.talk.mean() for one in drawn]), 1),
        "attempts_seen": sum(known.seen.ends.values()),
        "conversations_seen": sum(known.seen.said.values()),
        "source": known.source,
        "assumed": sorted(name for name, value in asdict(ask).items() if value is not None),
    }


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _fan(present: Shift) -> list[dict[str, Any]]:
    fan = present.fan
    return [
        {"at": _iso(at_s), "results": _three(results), "left": _three(left)}
        for at_s, results, left in zip(fan.at_s, fan.results, fan.left, strict=True)
    ]


def _three(spread: Spread) -> list[float]:
    return [spread.low, spread.middle, spread.high]


def _end(end: End) -> Mapping[str, Any]:
    times = {name: getattr(end, f"{name}_s") for name in ("low", "middle", "high")}
    return {**{name: None if at_s is None else _iso(at_s) for name, at_s in times.items()}, "share": end.share}


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(round(at_s), UTC).isoformat()
