"""Facts on their way to PostgreSQL: written beside the calls, never before them, in order, in few transactions.

What is written is repeatable, so a lost answer at COMMIT is met by writing the same again. While PostgreSQL is away
facts wait here; the engine stops dialing meanwhile, and running conversations go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from dialer.core import effects as fx
from dialer.core.listening import Listening
from dialer.core.model import Ended, LiveAttempt, LiveOperator, OperatorInterval
from dialer.core.preview import PreviewEnd
from dialer.core.recording import Pause, Recording
from dialer.engine.ports import Journal, Store
from dialer.errors import DialerError, LeaseLost, StoreDown

log = structlog.get_logger(__name__)

#: Facts are gathered for this long before they are written together; longer while many come, since a transaction
#: costs more than its facts.
GATHER_S, GATHER_MANY_S, MANY = 0.04, 0.12, 12
#: Pauses between tries while PostgreSQL is away.
RETRY_S = (0.1, 0.2, 0.5, 1.0)
#: More facts than this waiting: something is very wrong, and dialing stops.
FULL = 20_000


@dataclass(slots=True)
class _Page:
    progress: dict[UUID, LiveAttempt] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    operators: dict[int, LiveOperator] = field(default_factory=dict)
    intervals: list[OperatorInterval] = field(default_factory=list)
    keys: list[fx.KeyMeans] = field(default_factory=list)
    opt_outs: list[fx.NeverAgain] = field(default_factory=list)
    previews: list[PreviewEnd] = field(default_factory=list)
    listenings: list[tuple[UUID, datetime, str]] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    began_at: datetime | None = None

    def __len__(self) -> int:
        parts = (self.progress, self.ended, self.operators, self.intervals, self.keys, self.opt_outs, self.previews)
        return sum(map(len, (*parts, self.listenings, self.recordings, self.pauses)))

    def as_journal(self) -> Journal:
        return Journal(
            progress=tuple(self.progress.values()),
            ended=tuple(self.ended),
            operators=tuple(self.operators.values()),
            intervals=tuple(self.intervals),
            key_dispositions=tuple((k.attempt_id, k.code, k.at) for k in self.keys),
            opt_outs=tuple((o.attempt_id, o.at) for o in self.opt_outs),
            previews=tuple(self.previews),
            listenings=tuple(self.listenings),
            recordings=tuple(self.recordings),
            pauses=tuple(self.pauses),
            began_at=self.began_at,
        )


class Writer:
    """Gathers facts and writes them.

    Attributes:
        behind_since_s: Boot clock when the oldest unwritten fact was first tried in vain, None when all is well.
        broken: Why the writer refuses to go on, None when all is well.
    """

    def __init__(self, store: Store, boot_s: Callable[[], float]) -> None:
        self._store = store
        self._boot_s = boot_s
        self._page = _Page()
        self._more = asyncio.Event()
        self._gathering = False
        self._noted = 0
        self._written = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self.behind_since_s: float | None = None
        self.broken: str | None = None
        self.stopping = False

    def add(self, effect: fx.Effect) -> None:
        """Note a fact."""
        page = self._page
        match effect:
            case fx.AttemptChanged(attempt):
                page.progress[attempt.id] = attempt
            case fx.AttemptEnded(ended):
                page.progress.pop(ended.attempt.id, None)
                page.ended.append(ended)
            case fx.OperatorChanged(operator):
                page.operators[operator.operator_id] = operator
            case fx.IntervalClosed(interval):
                page.intervals.append(interval)
            case fx.KeyMeans():
                page.keys.append(effect)
            case fx.NeverAgain():
                page.opt_outs.append(effect)
            case fx.PreviewEnded(end):
                page.previews.append(end)
            case _:
                return
        self._note()

    def began(self, at: datetime) -> None:
        """Note that this engine has begun: what supervisors heard before is over."""
        self._page.began_at = at
        self._note()

    def listening_ended(self, listening: Listening) -> None:
        """Note that a supervisor hears a conversation no more."""
        if listening.ended_at is not None and listening.how is not None:
            self._page.listenings.append((listening.id, listening.ended_at, listening.how))
            self._note()

    def recorded(self, recording: Recording) -> None:
        """Note that a conversation is recorded."""
        self._page.recordings.append(recording)
        self._note()

    def recording_paused(self, pause: Pause) -> None:
        """Note that a recording is paused, or goes on."""
        self._page.pauses.append(pause)
        self._note()

    def _note(self) -> None:
        page = self._page
        self._noted += 1
        if self._noted - self._written > FULL and len(page) > FULL:
            self.broken = "journal_full"
        if not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(0.0 if self.stopping else GATHER_S, self._more.set)

    async def drained(self) -> None:
        """Wait until everything noted so far is in the database."""
        if self._written < self._noted:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((self._noted, waiter))
            await waiter

    async def run(self) -> None:
        """Write, for ever."""
        while True:
            await self._more.wait()
            if len(self._page) >= MANY and not self.stopping:
                await asyncio.sleep(GATHER_MANY_S - GATHER_S)
            self._more.clear()
            self._gathering = False
            (page, self._page), upto = (self._page, _Page()), self._noted
            await self._write(page.as_journal())
            self._written = upto
            self._wake_waiters()

    def _wake_waiters(self) -> None:
        for noted, waiter in self._waiters:
            if noted <= self._written and not waiter.done():
                waiter.set_result(None)
        self._waiters = [(noted, waiter) for noted, waiter in self._waiters if noted > self._written]

    async def _write(self, journal: Journal) -> None:
        tries = 0
        while True:
            try:
                await self._store.write(journal)
            except StoreDown as error:
                if self.behind_since_s is None:
                    self.behind_since_s = self._boot_s()
                    log.warning("journal.waiting", error=str(error))
                await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1
            except LeaseLost:
                raise
            except DialerError as error:
                await self._apart(journal, error)
                break
            else:
                break
        self.behind_since_s = None

    async def _apart(self, journal: Journal, error: DialerError) -> None:
        """One fact was refused by the database: write the others, name the bad one, and stop dialing."""
        parts = _parts(journal)
        if len(parts) == 1:
            self.broken = error.code
            log.error("journal.refused", code=error.code, error=str(error), fact=repr(journal))
            return
        for part in parts:
            await self._write(part)


def _parts(journal: Journal) -> list[Journal]:
    """The same facts one by one, in an order that keeps each attempt's steps in order."""
    return [
        *(Journal(progress=(x,)) for x in journal.progress),
        *(Journal(key_dispositions=(k,)) for k in journal.key_dispositions),
        *(Journal(opt_outs=(o,)) for o in journal.opt_outs),
        *(Journal(ended=(e,)) for e in journal.ended),
        *(Journal(intervals=(i,)) for i in journal.intervals),
        *(Journal(operators=(o,)) for o in journal.operators),
        *(Journal(previews=(p,)) for p in journal.previews),
        *([Journal(began_at=journal.began_at)] if journal.began_at else []),
        *(Journal(listenings=(one,)) for one in journal.listenings),
        *(Journal(recordings=(one,)) for one in journal.recordings),
        *(Journal(pauses=(one,)) for one in journal.pauses),
    ]
