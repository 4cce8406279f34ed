"""What takes time to be wrong: channels without rows, rows without channels, ghosts, promises, sums; looked for often.

A thing may be odd for a while, as long as the audit needs to find it; the time while engine, wire, switch or database
were away does not count.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core.states import OperatorState
from tests.sim.rows import LONG_AGO

if TYPE_CHECKING:
    from collections.abc import Collection

    from dialer.core.presence import Operator
    from tests.sim.operators import Diary
    from tests.sim.site import Service, Site

#: Drift between switch, memory and tables is found by the audit, once a minute.
AUDIT_S = 75.0
#: A lost guard of pacing lasts one ring time and the dead-man's wait.
GUARD_S = 30.0
LOOK_S = 5.0
#: What stays wrong for good once it is wrong is looked for at each of so many looks.
I17_EVERY = 12
#: No campaign of the day gives more time for the wrap-up.
WRAP_UP_MAX = timedelta(seconds=65)
#: One that is over by this was not seen to end.
WRAP_UP_OVER = timedelta(seconds=-LOOK_S)


class Violation(AssertionError):
    """An invariant does not hold."""


@dataclass(slots=True)
class Lookout:
    """Looks at the whole premises every few seconds.

    Attributes:
        exceptions: Abandoned callees by honest exception.
        trouble: Reason -> until when somebody may be lost because engine, wire or switch was away.
        well_since: Since when engine, wire, switch and database are all there.
        first_dials: Callback -> seconds after its promised time at which it was first dialled.
        bridges: Members of each conversation.
        seat_of: Operator's leg -> seat.
        attempt_of: Callee's channel -> attempt, and back in ``channel_of``.
    """

    site: Site
    diary: Diary
    seats: dict[str, int]
    exceptions: Counter[str] = field(default_factory=Counter)
    trouble: dict[str, float] = field(default_factory=dict)
    well_since: float = 0.0
    first_dials: dict[int, float] = field(default_factory=dict)
    bridges: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seat_of: dict[str, str] = field(default_factory=dict)
    attempt_of: dict[str, UUID] = field(default_factory=dict)
    channel_of: dict[UUID, str] = field(default_factory=dict)
    _odd_since: dict[str, float] = field(default_factory=dict)
    _looks: int = 0

    def look(self) -> None:
        """Everything once."""
        service = self.site.active
        self._well(service)
        self.i13_no_channel_without_row()
        self.i12_no_row_without_channel()
        self._looks += 1
        if self._looks % I17_EVERY == 0:
            self.i17_callbacks_are_due_or_shown()
        if service is not None and service.process.running:
            operators = service.engine.floor.operators.values()
            self.i24_no_ghost_operator(operators)
            self.i25_pause_is_deferred_30_s_at_most(operators)
            self.nothing_stays_reserved(operators)
        self.i31_outcomes_add_up()

    def fails(self, invariant: str, **facts: object) -> None:
        """Say which invariant broke, and end the day."""
        about = ", ".join(f"{name}={value}" for name, value in facts.items())
        self.site.loop.fail(Violation(f"{invariant}: {about}"))

    def in_trouble(self, reason: str, for_s: float = 0.0) -> None:
        """Engine, wire or switch is away from now on for so long."""
        until = self.site.loop.time() + for_s
        self.trouble[reason] = max(self.trouble.get(reason, 0.0), until + GUARD_S)

    def _well(self, service: Service | None) -> None:
        """Since when engine, wire, database and switch are all there."""
        site = self.site
        well = (
            service is not None
            and service.process.running
            and service.link._up
            and not service.link._muted
            and service.engine._synced
            and not site.database.weather.down
            and site.database.weather.lose_ask == 0
            and site.database.weather.lose_answer == 0
            and site.host.switch.running
            and service.clock.step_s == 0
        )
        if not well:
            self.well_since = site.loop.time()

    def _odd_for_s(self, what: str) -> float:
        """For how long something has been odd; whatever is not asked about at a look is forgotten."""
        now = self.site.loop.time()
        return now - max(self._odd_since.setdefault(what, now), self.well_since)

    def _keep_odd(self, prefix: str, odd: set[str]) -> None:
        if self._odd_since:
            for what in [w for w in self._odd_since if w.startswith(prefix) and w not in odd]:
                del self._odd_since[what]

    def i13_no_channel_without_row(self) -> None:
        """No channel of ours lives without a row > 60 s."""
        live, attempt_of = self.site.database.tables.live, self.attempt_of
        ours = [channel_id for channel_id in self.site.host.switch.channels if channel_id.startswith("att-")]
        odd = {f"i13 {channel_id}" for channel_id in ours if attempt_of.get(channel_id) not in live}
        self._keep_odd("i13 ", odd)
        for what in odd:
            if self._odd_for_s(what) > AUDIT_S:
                self.fails("I13", channel=what)

    def i12_no_row_without_channel(self) -> None:
        """No attempt stays live when its call is over, also after a crash, restart or cut."""
        channels, channel_of = self.site.host.switch.channels, self.channel_of
        odd = {f"i12 {a}" for a in self.site.database.tables.live if channel_of.get(a) not in channels}
        self._keep_odd("i12 ", odd)
        for what in odd:
            if self._odd_for_s(what) > AUDIT_S + LOOK_S:
                self.fails("I12", attempt=what)

    def i17_callbacks_are_due_or_shown(self) -> None:
        """A promise is dialled in time, or it is pending and late for all to see; it never goes away silently."""
        tables = self.site.database.tables
        for contact_id, callback in tables.pending.items():
            contact = tables.contacts[contact_id]
            if not contact.promised or contact.state != "open":
                self.fails("I17 a pending promise nobody looks at", callback=callback, contact=contact)

    def i24_no_ghost_operator(self, operators: Collection[Operator]) -> None:
        """No operator is busy without a call > 10 s, none in a wrap-up that is over."""
        seat_of, now, odd = self.seat_of, self.site.clock.now(), set[str]()
        talking = {seat_of.get(member) for members in self.bridges.values() for member in members}
        for op in operators:
            live = op.live
            if live.state is OperatorState.TALKING:
                held = op.held is not None and now < op.held.until + timedelta(seconds=LOOK_S)
                if live.seat not in talking and not held:
                    odd.add(f"i24 {live.operator_id}")
            elif (
                live.state is OperatorState.WRAP_UP and not WRAP_UP_OVER < (live.until or LONG_AGO) - now < WRAP_UP_MAX
            ):
                odd.add(f"i24 {live.operator_id} wrap-up")
        self._keep_odd("i24 ", odd)
        for what in odd:
            events_lost = self.trouble.get("events lost on the wire", 0.0) > self.site.loop.time()
            if self._odd_for_s(what) > (AUDIT_S if events_lost else 10.0):
                self.fails("I24", operator=what, since=self._odd_since[what])

    def nothing_stays_reserved(self, operators: Collection[Operator]) -> None:
        """A contact is reserved only for an operator who looks at it, and nobody looks, or calls, for ever."""
        previews, odd = self.site.database.tables.previews, set[str]()
        if previews:
            looks = {op.preview.id for op in operators if op.preview is not None}
            odd = {f"reserved {uid}" for uid in previews if uid not in looks}
        for op in operators:
            live = op.live
            if live.state is OperatorState.PREVIEW:
                calls = live.attempt_id in self.site.database.tables.live
                if not calls and (live.until or LONG_AGO) - self.site.clock.now() < WRAP_UP_OVER:
                    odd.add(f"reserved {live.operator_id} looks")
            elif op.preview is not None:
                odd.add(f"reserved {live.operator_id} is {live.state}")
        self._keep_odd("reserved ", odd)
        for what in odd:
            if self._odd_for_s(what) > AUDIT_S + LOOK_S:
                self.fails("reserved for ever", what=what)

    def i25_pause_is_deferred_30_s_at_most(self, operators: Collection[Operator]) -> None:
        """A pause the budget defers is given within 30 s."""
        odd = {f"i25 {op.live.operator_id}" for op in operators if op.live.pause_after and op.free}
        self._keep_odd("i25 ", odd)
        for what in odd:
            if self._odd_for_s(what) > 30 + 2 * LOOK_S:
                self.fails("I25 deferred", operator=what)

    def i31_outcomes_add_up(self) -> None:
        """Claimed = ended + live; whoever called us in vain was live, and is no attempt."""
        tables = self.site.database.tables
        in_vain = sum(row.held_phone and row.outcome == "missed" for row in tables.returns.values())
        if tables.claimed != len(tables.attempts) + len(tables.live) + in_vain:
            self.fails("I31", claimed=tables.claimed, ended=len(tables.attempts), live=len(tables.live))
