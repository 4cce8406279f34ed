"""Operators kept free for promises that come due: which promises, for how many, and for whom.

A promise needs an operator from shortly before its time on: one whom no other line gets. It needs none while nobody may
keep it, since its owner is away, or the gate just found that its callee may not be called. Who becomes free soon is as
good as free: no line may be placed that counts on an operator whom a promise needs then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from dialer.core.floor import Floor
from dialer.core.model import Campaign
from dialer.engine.pace import Pace, Paces
from dialer.engine.ports import Clock, Store
from dialer.errors import DialerError

log = structlog.get_logger(__name__)

#: Operators are kept free for callbacks that are due within this.
RESERVE_S = 30.0
#: A promise is kept in time up to so long after it came due.
IN_TIME_S = 60.0
#: While a team's promises come due, the harm one more line of it may do is divided by this: whoever answers and finds
#: nobody else gets the operator of a promise, which is then late for a whole conversation.
PROMISE_CAUTION = 4.0
#: How often the promises are looked up; one that is made here is looked up at once.
PROMISES_S = 10.0


class Reserve:
    """What the pacing loop knows of the promises that come due.

    Attributes:
        expected: Operators who are not free and promised what comes due: when they are, they are for that.
    """

    def __init__(self, floor: Floor, store: Store, clock: Clock, paces: Paces) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._paces = paces
        self._read_at_s = float("-inf")
        self.expected: frozenset[int] = frozenset()

    def forget(self) -> None:
        """Promises may have changed: look them up at once."""
        self._read_at_s = float("-inf")

    async def read(self, running: Sequence[Campaign]) -> None:
        """Look up which promises of these campaigns need an operator soon."""
        if self._clock.boot_s() - self._read_at_s < PROMISES_S:
            return
        until = self._clock.now() + timedelta(seconds=RESERVE_S + PROMISES_S)
        try:
            due = await self._store.callbacks_due([campaign.id for campaign in running], until)
        except DialerError as error:
            log.warning("promises.not_read", code=error.code, error=str(error))
            return
        self._read_at_s = self._clock.boot_s()
        for campaign in running:
            self._paces[campaign.id].promises = due.get(campaign.id, ())

    def keep(self, running: Sequence[Campaign]) -> None:
        """Keep operators free for them; each campaign's ``pace.due`` is for how many."""
        cover, now = self._floor.cover, self._clock.now()
        awaited: set[int] = set()
        expected: set[int] = set()
        teams: set[int] = set()
        until, in_time = now + timedelta(seconds=RESERVE_S), now - timedelta(seconds=IN_TIME_S)
        for campaign in running:
            pace = self._paces[campaign.id]
            pace.due = 0
            if not pace.promises:
                continue
            free = self._floor.crew.free(campaign.team_id)
            hopes = self.may_find(campaign, pace, now)
            for next_at, operator_id in pace.promises:
                if next_at > until:
                    break
                if next_at > in_time:
                    teams.add(campaign.team_id)
                if operator_id is None:
                    pace.due += hopes or next_at > now
                elif operator_id not in free:
                    expected.add(operator_id)
                elif operator_id not in awaited and (hopes or next_at > now):
                    pace.due += 1
                    awaited.add(operator_id)
        self.expected = frozenset(expected)
        for campaign in running:
            self._paces[campaign.id].caution = PROMISE_CAUTION if campaign.team_id in teams else 1.0
        cover.reserve({c.id: self._paces[c.id].due for c in running if self._paces[c.id].due}, awaited)

    def may_find(self, campaign: Campaign, pace: Pace, now: datetime) -> bool:
        """Whether a promise may be kept now, though the last claim found nobody: it is time, or others are free."""
        vain = pace.in_vain
        if vain is None or now >= vain.until or vain.operators != self._floor.cover.promisable(campaign):
            return True
        return any(vain.at < due.next_at <= now for due in pace.promises)

    def next_in_s(self, campaign: Campaign) -> float:
        """Seconds until a promise of a campaign comes due, or needs an operator; at most until the next look."""
        promises = self._paces[campaign.id].promises
        if not promises:
            return PROMISES_S
        now = self._clock.now()
        due_in_s = [(due.next_at - now).total_seconds() for due in promises]
        moments = [in_s - before_s for in_s in due_in_s for before_s in (0.0, RESERVE_S) if in_s > before_s]
        return min(moments, default=PROMISES_S)
