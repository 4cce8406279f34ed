"""A month of a call centre made up without the engine: the log that PostgreSQL is told and plain Python counts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

BEGIN, DAYS = datetime(2026, 10, 5, tzinfo=UTC), 30
#: Campaign -> zone and customer. Berlin's clocks go back on 25 October, New York's on 1 November.
CAMPAIGNS = {1: ("Europe/Berlin", 1), 2: ("America/New_York", 1), 3: ("Asia/Kolkata", 2)}
#: Outcome -> weight, whether it rang for sure, whether a person answered.
OUTCOMES = {"connected": 20, "no_answer": 45, "busy": 12, "abandoned": 1, "early_hangup": 2, "machine": 8}
OUTCOMES |= {
    "invalid_number": 3,
    "congestion": 2,
    "rejected": 3,
    "failed": 1,
    "not_sent": 1,
    "unknown": 1,
    "cancelled": 1,
    "offer_ended": 3,
}
KINDS = {
    "lead": (True, True, "fresh", None),
    "refused": (False, False, "fresh", "price"),
    "gone": (False, False, "stale", None),
}
KINDS |= {"other": (False, True, "off_target", None), "no_need": (False, True, "fresh", "no_need")}
#: A contact of this world that was called more often than this is closed.
USED_UP = 3
#: Seconds of calls: on both sides of a second and of steps by which carriers bill.
LASTS_S = (0.2, 1, 29.999999, 30, 30.000001, 59.5, 60, 61, 200)
SECOND, QUARTER = timedelta(seconds=1), timedelta(minutes=15)


@dataclass
class Log:
    """What happened: rows as the tables have them."""

    attempts: list[dict[str, Any]] = field(default_factory=list)
    dispositions: list[dict[str, Any]] = field(default_factory=list)
    contacts: dict[int, dict[str, Any]] = field(default_factory=dict)
    intervals: list[dict[str, Any]] = field(default_factory=list)
    leads: list[dict[str, Any]] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)
    bases: list[dict[str, Any]] = field(default_factory=list)
    promises: list[dict[str, Any]] = field(default_factory=list)


def invent(attempts: int, operators: int, seed: int) -> Log:
    """A month of facts."""
    chance, log = Random(seed), Log()
    people = max(20, attempts // 3)
    numbers: defaultdict[int, int] = defaultdict(int)
    for _ in range(attempts):
        contact = chance.randrange(1, people)
        campaign = 1 + contact % 3
        sent = BEGIN + timedelta(days=chance.randrange(DAYS), seconds=chance.randrange(6 * 3600, 23 * 3600))
        sent += timedelta(microseconds=chance.randrange(1_000_000))
        numbers[contact] += 1
        log.attempts.append(_attempt(chance, contact, campaign, sent, numbers[contact], operators))
        if log.attempts[-1]["outcome"] == "connected" and chance.random() < 0.95:
            log.dispositions.append(_said(chance, log.attempts[-1]))
    for contact in range(1, people):
        log.contacts[contact] = {"id": contact, "campaign_id": 1 + contact % 3, "base_id": 1 + contact % 6}
    for said in sorted(log.dispositions, key=lambda row: row["saved_at"]):
        if said["closes"] and "closed_by" not in log.contacts[said["contact_id"]]:
            close = {"closed_by": "disposition", "closed_at": said["saved_at"], "under": said}
            log.contacts[said["contact_id"]] |= close
    for attempt in sorted(log.attempts, key=lambda row: row["sent_at"], reverse=True):
        contact = attempt["contact_id"]
        if numbers[contact] > USED_UP and "closed_by" not in log.contacts[contact]:
            close = {
                "closed_by": chance.choice(("used_up", "dead")),
                "closed_at": attempt["ended_at"],
                "under": attempt,
            }
            log.contacts[contact] |= close
    _lead(log, Random(seed + 1))
    _write(log, Random(seed + 2))
    _load(log, Random(seed + 3))
    _promise(log, Random(seed + 4), operators)
    for operator in range(1, operators + 1):
        for day in range(DAYS):
            _shift(log, chance, operator, BEGIN + timedelta(days=day, seconds=chance.randrange(6 * 3600, 12 * 3600)))
    return log


def _attempt(
    chance: Random, contact: int, campaign: int, sent: datetime, number: int, operators: int
) -> dict[str, Any]:
    outcome = chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    talks, person = outcome == "connected", outcome in {"connected", "abandoned", "unknown", "offer_ended"}
    answered = sent + chance.randint(3, 20) * SECOND if person or outcome in {"early_hangup", "machine"} else None
    heard = answered + timedelta(milliseconds=chance.randint(20, 1900)) if talks and answered else None
    late = sent > BEGIN + timedelta(days=15)
    return {
        "attempt_id": UUID(int=chance.getrandbits(128)),
        "contact_id": contact,
        "campaign_id": campaign,
        "base_id": 1 + contact % 6,
        "phone_id": contact,
        "switch": "main",
        "epoch": 1,
        "number": number,
        "profile": "world",
        "profile_version": 1,
        "sent_at": sent,
        "rang_at": sent + 2 * SECOND if outcome not in {"not_sent", "busy"} and chance.random() < 0.8 else None,
        "answered_at": answered,
        "operator_id": chance.randint(1, operators) if talks else None,
        "connected_at": heard,
        "ended_at": (heard or answered or sent) + chance.choice(LASTS_S) * SECOND,
        "outcome": outcome,
        "ended_by": "callee",
        "counts": True,
        "legal_answered": person,
        "legal_abandoned": outcome in {"abandoned", "unknown"},
        "caller_number": f"+1201555010{campaign}" if late else "+12015550100",
        "region": f"+1{201 + contact % 17}",
        "script": 2 if late else 1,
    }


def _said(chance: Random, attempt: dict[str, Any]) -> dict[str, Any]:
    code = chance.choice(list(KINDS))
    result, decides, verdict, reason = KINDS[code]
    kept = (
        "attempt_id",
        "campaign_id",
        "contact_id",
        "operator_id",
        "base_id",
        "number",
        "caller_number",
        "region",
        "script",
    )
    return {name: attempt[name] for name in kept} | {
        "key": str(attempt["attempt_id"]),
        "body_hash": b"",
        "code": code,
        "result": result,
        "closes": chance.random() < 0.5,
        "decision_maker": decides,
        "verdict": verdict,
        "reason": reason,
        "saved_at": attempt["ended_at"]
        + chance.randint(1, 900) * SECOND
        + timedelta(microseconds=chance.randrange(10**6)),
    }


def _lead(log: Log, chance: Random) -> None:
    """Each disposition "lead" makes one; some are decided on, some buy, a later one may stand in for a rejected one."""
    rejected: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    said = (row for row in log.dispositions if row["code"] == "lead")
    for row in sorted(said, key=lambda row: row["saved_at"]):
        made = {"id": len(log.leads) + 1, "said": row, "made_at": row["saved_at"]}
        if chance.random() < 0.7:
            made["decided_at"] = row["saved_at"] + timedelta(microseconds=chance.randrange(1, 4 * 86_400 * 10**6))
            made["accepted"] = chance.random() < 0.7
            if made["accepted"] and chance.random() < 0.4:
                made["client_at"] = made["decided_at"] + timedelta(microseconds=chance.randrange(1, 4 * 86_400 * 10**6))
                made["revenue"] = Decimal(chance.randrange(1, 10**8)).scaleb(-2) if chance.random() < 0.8 else None
        owed = rejected[row["campaign_id"]]
        if owed and owed[0]["decided_at"] < made["made_at"] and chance.random() < 0.5:
            made["replaces"] = owed.pop(0)
            made["replaces"]["replaced"] = True
        if made.get("accepted") is False:
            owed.append(made)
            owed.sort(key=lambda one: one["decided_at"])
        log.leads.append(made)


def _write(log: Log, chance: Random) -> None:
    """Every third disposition has a letter, most of which are sent, some days later."""
    for said in log.dispositions:
        if chance.random() < 0.3:
            letter = {"id": len(log.letters) + 1, "said": said, "made_at": said["saved_at"]}
            if chance.random() < 0.8:
                letter["sent_at"] = said["saved_at"] + timedelta(microseconds=chance.randrange(3 * 86_400 * 10**6))
            log.letters.append(letter)


def _load(log: Log, chance: Random) -> None:
    """The six bases of the contacts; two that were undone and one of numbers dialled by hand, which cost nothing."""
    for number in range(1, 10):
        rows = chance.randrange(1, 5000)
        at = BEGIN + timedelta(microseconds=chance.randrange(DAYS * 86_400 * 10**6))
        base = {"id": number, "campaign_id": 1 + (number - 1) % 3, "loaded_at": at, "rows_loaded": rows}
        log.bases.append(base | {"undone_at": at if number in {7, 8} else None, "by_hand": number == 9})


def _promise(log: Log, chance: Random, operators: int) -> None:
    """A contact has one at most: moved or not, handed over or not, and kept, given up or left waiting."""
    some = {said["contact_id"]: said for said in log.dispositions if chance.random() < 0.4}
    for said in some.values():
        made = said["saved_at"]
        promise = {"id": len(log.promises) + 1, "said": said, "promised_at": made, "state": "pending"}
        promise["operator_id"] = chance.choice((said["operator_id"], chance.randint(1, operators), None))
        promise["due_at"] = made + timedelta(microseconds=chance.randrange(60 * 10**6, 6 * 86_400 * 10**6))
        kept = chance.choice(log.attempts)
        if chance.random() < 0.5 and kept["sent_at"] > made + timedelta(hours=1):
            late = chance.choice((-20, 0, 59.999999, 60, 60.000001, 61, 1800)) * SECOND
            promise |= {"state": "kept", "kept": kept, "due_at": kept["sent_at"] - late, "closed_at": kept["ended_at"]}
        elif chance.random() < 0.6:
            closed = made + timedelta(microseconds=chance.randrange(1, 8 * 86_400 * 10**6))
            promise |= {"state": chance.choice(("broken", "blocked", "cancelled")), "closed_at": closed}
        if chance.random() < 0.3:
            promise["moved_at"] = made + min(promise.get("closed_at", made + 9 * SECOND) - made, 9 * SECOND) / 2
            promise["due_before"] = promise["due_at"] - timedelta(minutes=chance.randrange(1, 3000))
        log.promises.append(promise)


def _shift(log: Log, chance: Random, operator: int, at: datetime) -> None:
    session, end = UUID(int=chance.getrandbits(128)), at + timedelta(hours=chance.randint(2, 8))
    state, campaign = "ready", None
    while at < end:
        until = at + timedelta(microseconds=chance.randrange(5_000_000, 1_500_000_000))
        log.intervals.append({
            "operator_id": operator, "session_id": session, "state": state, "started_at": at, "ended_at": until,
            "campaign_id": campaign if state in {"talking", "wrap_up"} else None,
        })  # fmt: skip
        at = until
        state = (
            "wrap_up"
            if state == "talking"
            else chance.choice(("ready", "ready", "ringing", "preview", "talking", "paused"))
        )
        campaign = campaign if state == "wrap_up" else chance.choice(list(CAMPAIGNS))


def rang(row: dict[str, Any]) -> bool:
    """Whether an attempt rang."""
    return row["rang_at"] is not None or row["answered_at"] is not None or row["outcome"] == "no_answer"
