"""Who talks to whom: fair shares of free operators, and the pick for one callee.

Rule of the pick: the operator the callback was promised with; else whoever has been ready longest and is not held
for somebody else's callback. Rule of the shares: each campaign of a team gets what its abandonment bound needs, then
covers its other lines in flight in proportion to its weight, so that a callee of one campaign never takes the
operator another one's budget counts on unless that budget still holds without him.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from uuid import UUID

    from dialer.core.model import LiveAttempt
    from dialer.core.presence import Operator


def longest_ready(
    attempt: LiveAttempt, free: Iterable[Operator], held: Mapping[int, UUID], awaited: Collection[int] = ()
) -> Operator | None:
    """The operator for this callee, or None.

    Args:
        attempt: The waiting callee.
        free: Operators who may be bridged and serve this campaign.
        held: Operator id -> the attempt in flight that was promised with this operator.
        awaited: Operators whose own promises come due: somebody else is taken if there is somebody.
    """
    free = list(free)
    for op in free:
        if op.live.operator_id == attempt.for_operator:
            return op
    able = [op for op in free if held.get(op.live.operator_id, attempt.id) == attempt.id]
    if not awaited:
        return min(able, key=lambda op: (op.live.since, op.live.operator_id), default=None)
    return min(able, key=lambda op: (op.live.operator_id in awaited, op.live.since, op.live.operator_id), default=None)


def shares(
    free: int, in_flight: Mapping[int, int], weights: Mapping[int, float], needs: Mapping[int, int] | None = None
) -> dict[int, int]:
    """Free operators held for each campaign of a team; the sum is ``free`` if there is any campaign.

    First everybody gets what their abandonment bound needs; then lines in flight are covered, one operator at a time
    to the campaign with the least cover per weight; what is left over goes round by weight. Deterministic; ties go to
    the lower campaign id.

    >>> shares(5, {1: 2, 2: 9}, {1: 1.0, 2: 1.0})
    {1: 2, 2: 3}
    >>> shares(3, {1: 3, 2: 2}, {1: 1.0, 2: 1.0}, {1: 1, 2: 2})
    {1: 1, 2: 2}
    """
    if len(weights) == 1:
        return dict.fromkeys(weights, free)
    needs = needs or {}
    given = dict.fromkeys(sorted(weights), 0)
    for _ in range(free if weights else 0):
        wanting = (
            [c for c in given if given[c] < needs.get(c, 0)]
            or [c for c in given if given[c] < in_flight.get(c, 0)]
            or list(given)
        )
        chosen = min(wanting, key=lambda c: (given[c] / weights[c], c))
        given[chosen] += 1
    return given
