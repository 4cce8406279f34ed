"""The operators with an open shift, and at a glance: who is free, who wants to leave, whose deadline runs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from dialer.core.presence import NotNow
from dialer.core.states import OperatorState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from uuid import UUID

    from dialer.core.presence import Operator


class Crew:
    """Every change of an operator comes through ``keep``, so that nobody has to look at all of them.

    Attributes:
        operators: Open shifts by operator id.
        version: Grows with every change.
    """

    def __init__(self) -> None:
        self.version = 0
        self.operators: dict[int, Operator] = {}
        self._sessions: dict[UUID, int] = {}
        self._free: defaultdict[int, dict[int, Operator]] = defaultdict(dict)
        self._restless: set[int] = set()
        self._due: set[int] = set()

    def keep(self, op: Operator) -> None:
        """Take over the new state of an operator; one who is offline is forgotten."""
        live = op.live
        if self.operators.get(live.operator_id) is op:
            return
        self.version += 1
        self._free[live.team_id].pop(live.operator_id, None)
        self._restless.discard(live.operator_id)
        self._due.discard(live.operator_id)
        if live.state is OperatorState.OFFLINE:
            self.operators.pop(live.operator_id, None)
            self._sessions.pop(live.session_id, None)
            return
        self.operators[live.operator_id] = op
        self._sessions[live.session_id] = live.operator_id
        if op.free:
            self._free[live.team_id][live.operator_id] = op
        if op.restless:
            self._restless.add(live.operator_id)
        if live.until is not None or op.call_leg_at is not None or op.held is not None:
            self._due.add(live.operator_id)

    def get(self, operator_id: int) -> Operator:
        """An operator with an open shift.

        Raises:
            NotNow: there is no shift.
        """
        op = self.operators.get(operator_id)
        if op is None:
            raise NotNow("operator.no_shift", "Start your shift first.")
        return op

    def of_session(self, session_id: UUID) -> Operator | None:
        """Whose leg this is."""
        return self.operators.get(self._sessions.get(session_id, -1))

    def free(self, team_id: int) -> Mapping[int, Operator]:
        """Operators of a team who may be bridged now, by id."""
        return self._free[team_id]

    def restless_ids(self) -> AbstractSet[int]:
        """The ids of those whose pause or leaving waits."""
        return self._restless

    def restless(self) -> list[Operator]:
        """Those whose pause or leaving waits."""
        return [self.operators[i] for i in sorted(self._restless)]

    def due(self) -> list[Operator]:
        """Those with a deadline: of a wrap-up, of the next call to their phone, or of a callee who waits for it."""
        return [self.operators[i] for i in sorted(self._due)]
