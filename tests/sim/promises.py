"""What the service does with promises in memory: the look of ``dialer.promises``, and the row of the board.

The statements are those of ``dialer.store.callbacks``; a test lives the same days on both.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dialer import promises
from dialer.core import callbacks as rules
from dialer.core import hours
from dialer.core.model import CallbackState, CampaignState, OperatorState
from tests.sim.memory import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from dialer.core.model import Campaign, Profile
    from dialer.engine.ports import ClaimAsk, Due
    from tests.sim.rows import Callback, Contact, Lane
    from tests.sim.site import Service

T = TypeVar("T")

#: A promise is moved so long before it is due, as in ``dialer.store.callbacks``.
NOTICE = timedelta(hours=24)
#: Promises due later than this after a look at all of them are looked at next time.
NEAR = timedelta(minutes=5)


class PromisedTables(Tables):
    """Tables whose promises are looked after. Those that are near are looked up once in a while, not at each look."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._near: dict[int, Callback] = {}
        self._near_until: datetime | None = None
        self._moved_until: datetime | None = None
        self._stands: dict[int, tuple[datetime, Profile]] = {}

    def settle(self, now: datetime) -> int:
        """Pass on what absent owners promised, move what the rules forbid; how many."""
        moved = 0
        if self._moved_until is None or now >= self._moved_until:
            self._moved_until = now + NEAR
            moved = self.move_forbidden(now)
        return moved + self.pass_on(now)

    def move_forbidden(self, now: datetime) -> int:
        """Move what the rules forbid by now; how many."""
        return sum([self._moves(callback) for callback in self._soon(now)])

    def pass_on(self, now: datetime) -> int:
        """Pass on what absent owners promised; how many."""
        return sum([self._passes(callback, now) for callback in self._those_near(now).values()])

    def _those_near(self, now: datetime) -> dict[int, Callback]:
        """Pending promises that come due within some minutes, or did, by contact."""
        if self._near_until is None or now >= self._near_until:
            self._near_until = now + NEAR
            horizon = now + 2 * NEAR
            near = (c for c in self.pending.values() if c.due_at <= horizon or c.next_at <= horizon)
            self._near = {c.contact_id: c for c in near}
        return self._near

    def close_callback(
        self, callback: Callback, state: CallbackState, at: datetime, *, kept_by: UUID | None = None
    ) -> None:
        """It is near no more, either."""
        super().close_callback(callback, state, at, kept_by=kept_by)
        self._near.pop(callback.contact_id, None)

    def callbacks_due(self, campaign_ids: Sequence[int], until: datetime) -> Mapping[int, Sequence[Due]]:
        """Only of those near."""
        return self._of_near(until, partial(super().callbacks_due, campaign_ids, until))

    def _next(self, ask: ClaimAsk, campaign: Campaign, lanes: Sequence[Lane], look_at: int) -> list[Contact]:
        return self._of_near(ask.now, partial(super()._next, ask, campaign, lanes, look_at))

    def _next_due(self, campaign: Campaign, ask: ClaimAsk) -> datetime | None:
        return self._of_near(ask.now, partial(super()._next_due, campaign, ask))

    def _of_near(self, now: datetime, reads: Callable[[], T]) -> T:
        """Read as if only those near were pending; an engine rests for less than that."""
        near, whole = self._those_near(now), self.pending
        self.pending = near
        try:
            return reads()
        finally:
            self.pending = whole

    def _soon(self, now: datetime) -> list[Callback]:
        return [c for c in self.pending.values() if c.due_at == c.next_at <= now + NOTICE]

    def _moves(self, callback: Callback) -> bool:
        contact, campaign = self.contacts[callback.contact_id], self.campaigns[callback.campaign_id]
        due_at, profile = self._stands.get(callback.id, (None, None))
        if contact.id in self.live_contact or (due_at == callback.due_at and profile is campaign.profile):
            return False
        moved_to = rules.moved_to(callback.due_at, contact.lane.zones, campaign.profile, campaign.ring_timeout_s)
        if moved_to is None:
            self._stands[callback.id] = callback.due_at, campaign.profile
            return False
        callback.due_at = callback.next_at = moved_to
        callback.moves += 1
        callback.changed = "moved", "outside_window"
        return True

    def _passes(self, callback: Callback, now: datetime) -> bool:
        waits = callback.state is CallbackState.PENDING and callback.operator_id is not None
        if not waits or max(callback.due_at, callback.next_at) > now or callback.contact_id in self.live_contact:
            return False
        owner = self.operators.get(callback.operator_id or 0)
        if owner is not None and owner.state is OperatorState.READY:
            return False
        reason = rules.hand_over(owner.state if owner else None, callback.next_at, now)
        if reason is not None:
            callback.operator_id, callback.changed = None, ("handed_over", reason)
        return reason is not None

    def shown(self, callback: Callback, stopped: str | None, now: datetime) -> tuple[str, str | None]:
        """The word of the board of promises for it, and why it is late."""
        word = rules.shown(callback.state, callback.due_at, now)
        if word not in {"due", "late"}:
            return word, None
        contact, campaign = self.contacts[callback.contact_id], self.campaigns[callback.campaign_id]
        team = [o for o in self.operators.values() if o.team_id == campaign.team_id]
        owner = self.operators.get(callback.operator_id or 0)
        standing = rules.Standing(
            stopped=stopped,
            campaign_runs=campaign.state is CampaignState.RUNNING,
            being_called=contact.id in self.live_contact,
            window_open=hours.may_call(now, contact.lane.zones, campaign.profile, campaign.ring_timeout_s),
            next_at=callback.next_at,
            refused_by=contact.refused_by,
            owned=callback.operator_id is not None,
            owner=owner.state if owner else None,
            at_work=len(team),
            ready=sum(o.state is OperatorState.READY for o in team),
        )
        return word, rules.why_late(standing, now)


async def watch(service: Service) -> None:
    """The chore of each process of the service."""
    tables, database = service.site.database.tables, service.site.database
    assert isinstance(tables, PromisedTables)
    await promises.watch(service.engine, lambda: database.ask(partial(_settle, tables, service), kind="save"))


def _settle(tables: PromisedTables, service: Service) -> int:
    return tables.settle(service.clock.now())
