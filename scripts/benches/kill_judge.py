"""What a run of kills came to: the logs of the world and of the robots beside the ledger. No word of the service's."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from dialer.world import log as world_log
from dialer.world.judge import Stored
from dialer.world.judge import judge as compare
from dialer.world.log import WorldCall

#: The goals.
FIRST_DIAL_S_MAX, VOICE_S_MAX = 5.0, 2.1
CALLS_PER_S_MIN, AIMED_MIN = 10.0, 0.5
TOOK_S_MAX = 1800.0
#: Whoever is connected so soon after the answer found an operator free.
AT_ONCE_S = 0.15
#: Of the profile ``world``: between the end of a call and the next at the same number.
GAP_S = 5.0
#: What passes between the end of a call in the world and its end in the ledger.
CROSSING_S = 0.5

LEDGER = """
SELECT a.attempt_id, p.e164, a.sent_at, a.ended_at, a.outcome, a.answered_at, a.connected_at, u.login
FROM attempt a JOIN phone p ON p.id = a.phone_id LEFT JOIN app_user u ON u.id = a.operator_id
"""
SAVED = "SELECT attempt_id::text, key, code FROM disposition"


@dataclass(slots=True, kw_only=True)
class Kill:
    """One kill: when, and when the next process was started. ``aimed_at``: the attempt whose callee waited."""

    at: float
    aimed_at: str | None = None
    spawned_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class Figures:
    """All that is promised, counted."""

    kills: int
    aimed: int
    calls: int
    calls_per_s: float
    double_dials: int
    unnamed: int
    too_soon: int
    saves: int
    lost_saves: int
    first_dial_s: list[float]
    voice_s: list[float]
    unheard: int
    talks: int
    talks_on: int
    endless: int = 0
    orphans: int = 0
    took_s: float = 0.0
    died: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def misses(self) -> list[str]:
        """Which goals were missed."""
        goals = {
            "calls per second": self.calls_per_s >= CALLS_PER_S_MIN,
            "half of the kills after an answer with nobody free": self.aimed >= AIMED_MIN * self.kills,
            "half an hour in all": self.took_s <= TOOK_S_MAX,
            "double dials": self.double_dials + self.too_soon == 0,
            "calls that name no attempt": self.unnamed == 0,
            "lost dispositions": self.lost_saves == 0,
            "attempts without an end": self.endless == 0,
            "orphan channels": self.orphans == 0,
            "first dial": len(self.first_dial_s) == self.kills and _p99(self.first_dial_s) <= FIRST_DIAL_S_MAX,
            "first voice": self.unheard == 0 and max(self.voice_s, default=0.0) <= VOICE_S_MAX,
            "the service ended by itself": not self.died,
        }
        return [name for name, met in goals.items() if not met]

    def good(self) -> bool:
        """Whether every goal is met."""
        return not self.misses()

    def sentence(self) -> str:
        """The last line."""
        misses = self.misses()
        return (
            (f"falls short ({', '.join(misses)}); " if misses else "")
            + f"{self.kills} kills ({self.aimed} after an answer with nobody free), {self.calls} calls, "
            f"{self.calls_per_s:.1f}/s; double dials {self.double_dials}, called again too soon {self.too_soon}; "
            f"saved dispositions lost {self.lost_saves} of {self.saves}; attempts without an end {self.endless}; "
            f"orphan channels {self.orphans}; restart to first dial p50 {_median(self.first_dial_s):.2f} s, "
            f"p99 {_p99(self.first_dial_s):.2f} s; first voice of {len(self.voice_s)} waiting callees by "
            f"{max(self.voice_s, default=0.0):.2f} s, {self.unheard} heard none; "
            f"{self.talks_on} of {self.talks} conversations went on; {self.took_s / 60:.1f} min"
        )


async def judge(
    database: asyncpg.Pool[asyncpg.Record],
    *,
    log: Path,
    saves: Path,
    kills: Sequence[Kill],
    period: tuple[float, float],
    seats: Mapping[int, str],
) -> Figures:
    """Compare everything; ``period`` is until the last kill, ``seats`` the seat of each robot by its number."""
    calls = world_log.calls(log)
    ledger = [_stored(row, seats) for row in await database.fetch(LEDGER)]
    verdict = compare(calls, ledger)
    acknowledged, lost = _lost_saves(await database.fetch(SAVED), saves)
    too_soon = _too_soon(calls)
    waiting, unheard = _voices(calls, kills)
    talks, talks_on = _talks(calls, kills)
    in_period = sum(period[0] <= call.called_at < period[1] for call in calls)
    slow = [f"first voice after {after:.2f} s" for after in waiting if after > VOICE_S_MAX]
    return Figures(
        kills=len(kills),
        aimed=sum(found_nobody(ledger, kill) for kill in kills),
        calls=len(calls),
        calls_per_s=in_period / (period[1] - period[0]),
        double_dials=verdict.double_dials,
        unnamed=sum(not call.attempt_id for call in calls),
        too_soon=len(too_soon),
        saves=acknowledged,
        lost_saves=len(lost),
        first_dial_s=_first_dials(calls, ledger, kills),
        voice_s=waiting,
        unheard=len(unheard),
        talks=talks,
        talks_on=talks_on,
        remarks=[*verdict.disagreements, *too_soon, *lost, *unheard, *slow],
    )


def _stored(row: asyncpg.Record, seats: Mapping[int, str]) -> Stored:
    def at(name: str) -> float | None:
        return row[name].timestamp() if row[name] is not None else None

    return Stored(
        attempt_id=str(row["attempt_id"]),
        number=row["e164"],
        sent_at=row["sent_at"].timestamp(),
        ended_at=row["ended_at"].timestamp(),
        outcome=row["outcome"],
        answered_at=at("answered_at"),
        connected_at=at("connected_at"),
        seat=seats[int(row["login"].removeprefix("robot"))] if row["login"] else None,
    )


def _lost_saves(rows: Sequence[asyncpg.Record], saves: Path) -> tuple[int, list[str]]:
    """How many saves were acknowledged, and which of them are not in the table as they were sent."""
    stored = {row["attempt_id"]: (row["key"], row["code"]) for row in rows}
    told = [json.loads(line) for line in saves.read_text(encoding="utf-8").splitlines()] if saves.exists() else []
    lost = [one for one in told if stored.get(one["attempt_id"]) != (one["key"], one["code"])]
    return len(told), [f"{one['attempt_id']}: {one['code']} was acknowledged and is not stored" for one in lost]


def found_nobody(ledger: Sequence[Stored], kill: Kill) -> bool:
    """Whether the callee this kill was aimed at was met by nobody, or only later."""
    aimed = next((attempt for attempt in ledger if attempt.attempt_id == kill.aimed_at), None)
    if aimed is None or aimed.connected_at is None or aimed.answered_at is None:
        return aimed is not None
    return aimed.connected_at - aimed.answered_at > AT_ONCE_S


def _too_soon(calls: Sequence[WorldCall]) -> list[str]:
    """Calls at a number within its gap."""
    found, ended = [], defaultdict[str, float](float)
    for call in sorted(calls, key=lambda call: call.called_at):
        rest = call.called_at - ended[call.number]
        if rest < GAP_S - CROSSING_S:
            found.append(f"{call.number}: called again after {rest:.2f} s")
        ended[call.number] = call.ended_at or float("inf")
    return found


def _first_dials(calls: Sequence[WorldCall], ledger: Sequence[Stored], kills: Sequence[Kill]) -> list[float]:
    """For each restart: seconds from the spawn to the first INVITE of an attempt that was sent after it."""
    sent = defaultdict[str, list[float]](list)
    for attempt in ledger:
        sent[attempt.number.lstrip("+")].append(attempt.sent_at)
    found = []
    for kill, after in zip(kills, [*(k.at for k in kills[1:]), float("inf")], strict=True):
        own = (
            call.called_at
            for call in calls
            if kill.spawned_at < call.called_at < after
            and any(kill.spawned_at < at <= call.called_at + CROSSING_S for at in sent[call.number])
        )
        first = min(own, default=None)
        found += [first - kill.spawned_at] if first is not None else []
    return found


def _voices(calls: Sequence[WorldCall], kills: Sequence[Kill]) -> tuple[list[float], list[str]]:
    """When those who were waiting for somebody at a kill, or answered within 5 s after it, first heard a voice."""
    heard, unheard = [], []
    for call in calls:
        answered = call.answered_at
        if answered is None or not any(_waits(call, answered, kill.at) for kill in kills):
            continue
        if call.first_voice_at is not None:
            heard.append(call.first_voice_at - answered)
        elif (call.ended_at or float("inf")) - answered > VOICE_S_MAX:
            unheard.append(f"{call.number}: answered at {answered:.3f}, and heard nothing")
    return heard, unheard


def _waits(call: WorldCall, answered: float, killed_at: float) -> bool:
    until = min(call.first_voice_at or float("inf"), call.ended_at or float("inf"))
    return answered <= killed_at < until or killed_at < answered < killed_at + FIRST_DIAL_S_MAX


def _talks(calls: Sequence[WorldCall], kills: Sequence[Kill]) -> tuple[int, int]:
    """Conversations at a kill, and how many of them went on for a second or until the callee hung up."""
    talks = talks_on = 0
    for kill in kills:
        for call in calls:
            ended_at = call.ended_at or float("inf")
            if call.seats and min(call.seats.values()) <= kill.at < ended_at - CROSSING_S / 2:
                talks += 1
                talks_on += ended_at > kill.at + 1.0 or call.ended_by == "callee"
    return talks, talks_on


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2] if values else float("nan")


def _p99(values: Sequence[float]) -> float:
    """The value that 99 of a hundred do not exceed; of fewer, the greatest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] if ordered else float("nan")
