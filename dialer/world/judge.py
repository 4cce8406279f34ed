"""Compares the world's own log with the ledger. Pure: neither side's memory is asked, only what both wrote down."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialer.world.log import TEST_CALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.world.log import WorldCall

#: An INVITE follows its attempt's commit within the send deadline (1 s); more is for a machine under load.
SEND_S_MAX = 5.0

#: Both sides read the same machine's clock; this is for the way from one to the other.
CLOCK_S = 0.5

#: A seat is heard within this after the connect: two rounds of the phone's words and tones, one may be garbled.
HEARD_S_MAX = 6.0

#: An answer that meets our hangup on its way may be seen by one side only.
CROSSING_S = 0.5

#: Outcomes of attempts for which no INVITE need have left.
MAYBE_NOT_SENT = frozenset({"not_sent", "failed", "cancelled", "unknown", "congestion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An attempt as the ledger has it. Times are seconds since the epoch; ``seat`` is the operator's."""

    attempt_id: str
    number: str
    sent_at: float
    ended_at: float
    outcome: str
    answered_at: float | None = None
    connected_at: float | None = None
    seat: str | None = None


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What both sides say together.

    Attributes:
        answered: Calls both sides saw answered.
        connected: Conversations of the ledger that the world does not contradict.
        double_dials: Calls without an attempt of their own, and calls at a number that was being called already.
        disagreements: One sentence for each thing the two sides tell differently.
    """

    attempts: int = 0
    answered: int = 0
    connected: int = 0
    double_dials: int = 0
    disagreements: list[str] = field(default_factory=list)


def judge(calls: Sequence[WorldCall], ledger: Sequence[Stored]) -> Verdict:
    """Pair every call the world saw with the attempt it was told, else by number and time, and compare.

    Test calls of an admin are no attempts, and are left out.
    """
    called: defaultdict[str, list[WorldCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.called_at):
        if call.attempt_id != TEST_CALL:
            called[call.number].append(call)
    stored: defaultdict[str, list[Stored]] = defaultdict(list)
    for attempt in sorted(ledger, key=lambda attempt: attempt.sent_at):
        stored[attempt.number.lstrip("+")].append(attempt)

    verdict = Verdict(attempts=len(ledger))
    for number in sorted(called.keys() | stored.keys()):
        verdict.double_dials += _overlaps(called[number])
        left = list(stored[number])
        for call in called[number]:
            found = next((one for one in left if _is_of(one, call)), None)
            if found is None:
                verdict.double_dials += 1
                verdict.disagreements.append(f"{number}: a call at {call.called_at:.3f} that no attempt explains")
                continue
            left.remove(found)
            _compare(verdict, call, found)
        for attempt in left:
            if attempt.outcome not in MAYBE_NOT_SENT:
                verdict.disagreements.append(f"{attempt.attempt_id}: {attempt.outcome}, but the world saw no call")
    return verdict


def _is_of(attempt: Stored, call: WorldCall) -> bool:
    """Whether this call is of this attempt: by the id in its INVITE, where it carries one, and by its time."""
    if call.attempt_id not in {"", attempt.attempt_id}:
        return False
    return -CLOCK_S <= call.called_at - attempt.sent_at <= SEND_S_MAX


def _overlaps(calls: Sequence[WorldCall]) -> int:
    """Calls that arrived while an earlier one at the same number was still going on."""
    count, until = 0, float("-inf")
    for call in calls:
        count += call.called_at < until - CLOCK_S
        until = max(until, call.ended_at if call.ended_at is not None else float("inf"))
    return count


def _compare(verdict: Verdict, call: WorldCall, attempt: Stored) -> None:
    world, ours = call.answered_at is not None, attempt.answered_at is not None
    crossing = call.answered_at is not None and (call.ended_at or call.answered_at) - call.answered_at < CROSSING_S
    verdict.answered += world and ours
    if world is not ours and not crossing and attempt.outcome != "unknown":
        verdict.disagreements.append(f"{attempt.attempt_id}: answered is {ours} in the ledger, {world} in the world")
    wrong = _wrong_talk(call, attempt)
    if wrong:
        verdict.disagreements.append(f"{attempt.attempt_id}: {wrong}")
    elif attempt.connected_at is not None:
        verdict.connected += 1


def _wrong_talk(call: WorldCall, attempt: Stored) -> str | None:
    """How the world contradicts what the ledger says of who talked to whom, None if it does not."""
    heard = set(call.seats)
    if attempt.connected_at is None:
        return f"not connected, but heard {sorted(heard)}" if heard else None
    if heard - {attempt.seat}:
        return f"connected to {attempt.seat}, but heard {sorted(heard)}"
    long_enough = attempt.ended_at - attempt.connected_at > HEARD_S_MAX
    if long_enough and not heard:
        return f"connected to {attempt.seat} for {attempt.ended_at - attempt.connected_at:.1f} s, but heard nobody"
    return None
