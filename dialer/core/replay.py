"""A decision of pacing as JSON can hold it, and the same decision made again from that.

What a decision was made of is all there is to it: ``pacing.decide`` asks no clock and draws no chance. So a stored day
can be decided again, and gives the same decisions.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from dialer.core import pacing
from dialer.core.model import Budget, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What is in JSON as it is.
SIMPLE = frozenset({bool, int, float, str, type(None)})


def inputs(decision: pacing.Decision) -> dict[str, Any]:
    """What a decision was made of: ``snapshot``, ``learned``, ``policy``."""
    return _inputs(*decision.of)


def again(values: Mapping[str, Any]) -> pacing.Decision:
    """The decision that these inputs give."""
    return pacing.decide(*_parts(values))


def same(values: Mapping[str, Any], calls: int, reason: str, target: int) -> bool:
    """Whether these inputs give this decision again."""
    decided = again(values)
    return (decided.calls, decided.reason, decided.target) == (calls, reason, target)


def _inputs(snapshot: pacing.Snapshot, learned: pacing.Learned, policy: pacing.Policy) -> dict[str, Any]:
    rivals = [_inputs(rival.snapshot, rival.learned, rival.policy) for rival in snapshot.rivals]
    plain = {**_plain(snapshot, "rivals"), "rivals": rivals}
    return {"snapshot": plain, "learned": learned.to_json(), "policy": _plain(policy)}


def _parts(values: Mapping[str, Any]) -> tuple[pacing.Snapshot, pacing.Learned, pacing.Policy]:
    rivals = []
    for rival in values["snapshot"]["rivals"]:
        snapshot, learned, policy = _parts(rival)
        rivals.append(pacing.Rival(snapshot=snapshot, learned=learned, policy=policy))
    snapshot = pacing.Snapshot(**{**values["snapshot"], "rivals": rivals})
    return snapshot, pacing.Learned.of_json(values["learned"]), _policy(values["policy"])


def _policy(values: Mapping[str, Any]) -> pacing.Policy:
    kept = values["budget"].items()
    budget: dict[str, Any] = {
        name: datetime.fromisoformat(value) if name.endswith("_at") else value for name, value in kept
    }
    return pacing.Policy(**{**values, "mode": Mode(values["mode"]), "budget": Budget(**budget)})


def _plain(value: Any, *without: str) -> Any:  # any plain value goes through as it is
    kind = type(value)
    if kind in SIMPLE:
        return value
    if kind is list or kind is tuple:
        return list(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return {name: _plain(getattr(value, name)) for name in kind.__dataclass_fields__ if name not in without}
