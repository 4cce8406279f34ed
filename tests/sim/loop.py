"""An event loop whose time is a number, and processes in it that can be stopped, frozen and killed.

Nothing here waits: when no callback is ready, the loop jumps to the next timer. A seeded Random shuffles, now and
then, which task goes first among those that are ready; plain callbacks keep their order, because asyncio promises
that order and transports need it. One seed is one history.

A ``Process`` stands for an operating system's process: whatever is started in its context (tasks, timers, their
children) belongs to it. Frozen, none of it runs while time goes on (SIGSTOP); killed, none of it ever runs again, not
even a ``finally`` (kill -9).
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import weakref
from asyncio import events
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

#: A Tuesday in winter: no clock change near, every zone's weekday window is an ordinary one.
START = datetime(2026, 1, 20, 0, 0, tzinfo=UTC)

#: So much happens in no instant: somebody spins.
SPIN_STEPS = 100_000

#: Where asyncio and whoever uses it ask which loop runs.
ASKED_FOR_LOOP = ((asyncio, "get_running_loop"), (events, "get_running_loop"), (events, "_get_running_loop"))

_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar("sim_process", default=None)


class StandStill(Exception):
    """Nothing is ready, no timer is set, and the day is not over: somebody waits for ever."""


class Process:
    """A group of tasks and timers that lives and dies together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frozen = False
        self.dead = False
        self.steps_left: int | None = None
        self.looked_at = False
        """Whether it is frozen, dead or doomed: then each of its callbacks is looked at before it runs."""
        self.at_end: Callable[[], None] | None = None
        self.context = contextvars.copy_context()
        self.context.run(_process.set, self)
        self._parked: list[_Ready] = []
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._buried: list[asyncio.Task[Any]] = []

    def run(self, function: Callable[..., T], *args: Any) -> T:
        """Call a function as this process: what it starts belongs to it."""
        return self.context.copy().run(function, *args)

    @property
    def running(self) -> bool:
        return not (self.frozen or self.dead)


def current() -> Process | None:
    """The process whose code runs now; None for the world itself."""
    return _process.get()


class _Ready(events.Handle):
    """A Handle without the loop's debug mode, filled by whoever makes it: a day makes a hundred thousand of them."""

    __slots__ = ()
    _callback: Callable[..., object]
    _args: tuple[Any, ...]
    _context: contextvars.Context
    _cancelled: bool

    def cancel(self) -> None:
        self._cancelled = True
        self._callback = _nothing
        self._args = ()


class _Timer(_Ready):
    __slots__ = ("_when",)
    _when: float

    def when(self) -> float:
        return self._when


#: Looked up a hundred thousand times a day.
_new, _copy_context = object.__new__, contextvars.copy_context


def _nothing() -> None:
    """Stand in for a cancelled callback, so that what it held can go."""


class SimLoop(asyncio.SelectorEventLoop):
    """Virtual time, seeded order; real sockets only inside ``run_real``.

    Attributes:
        steps: Callbacks run so far; names the moment of a failure.
        shuffle: Probability that the tasks ready together run in another order.
    """

    _stopping: bool
    _selector: selectors.BaseSelector
    _process_events: Callable[[Any], None]

    def __init__(self, seed: int, *, shuffle: float = 0.1) -> None:
        super().__init__()
        self.steps = 0
        self.shuffle = shuffle
        self.failure: BaseException | None = None
        self._now = 0.0
        self._random = random.Random(seed)
        self._timers: list[tuple[float, int, _Timer]] = []
        self._timer_number = 0
        self._ready: deque[_Ready] = deque()
        self._any_stopped = False
        self._steps_at_jump = 0
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]  # no call of Python's

    # What asyncio asks of a loop -------------------------------------------

    #: Asked of each future and task that is made; ``bool()`` is False without a call of Python's.
    get_debug = bool  # type: ignore[assignment]  # a type is no method, and takes no self

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]  # a leaner handle than the base class makes
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> events.Handle:
        handle = _new(_Ready)
        handle._callback = callback
        handle._args = args
        handle._context = _copy_context() if context is None else context
        handle._cancelled = False
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # a leaner handle than the base class makes
        self, when: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> _Timer:
        timer = _new(_Timer)
        timer._callback = callback
        timer._args = args
        timer._context = _copy_context() if context is None else context
        timer._cancelled = False
        timer._when = when
        self._timer_number += 1
        heappush(self._timers, (when, self._timer_number, timer))
        return timer

    def call_later(  # type: ignore[override]  # a leaner handle than the base class makes
        self, delay: float, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> _Timer:
        timer = _new(_Timer)
        timer._callback = callback
        timer._args = args
        timer._context = _copy_context() if context is None else context
        timer._cancelled = False
        timer._when = when = self._now + delay
        self._timer_number += 1
        heappush(self._timers, (when, self._timer_number, timer))
        return timer

    def create_task(  # type: ignore[override]  # leaner than the base class's
        self, coro: Coroutine[Any, Any, T], *, name: str | None = None, context: contextvars.Context | None = None
    ) -> asyncio.Task[T]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # whoever is killed is not warned about
        process = _process.get()
        if process is not None:
            process._tasks.add(task)
        return task

    def _run_once(self) -> None:
        """Run all that comes; whoever asks meanwhile which loop runs is told so without a look at the process id.

        Python 3.11 asks the kernel for that each time, in case this is a fork, and a day asks fifty thousand times.
        """
        asked = [getattr(where, name) for where, name in ASKED_FOR_LOOP]
        for where, name in ASKED_FOR_LOOP:
            setattr(where, name, lambda: self)
        try:
            self._run_all()
        finally:
            for (where, name), before in zip(ASKED_FOR_LOOP, asked, strict=True):
                setattr(where, name, before)

    def _run_all(self) -> None:
        """The innermost loop of all days: run what is ready now; what that makes ready comes after it."""
        ready, next_handle, chance, jump = self._ready, self._ready.popleft, self._random.random, self._jump
        while not self._stopping:
            if not ready:
                jump()
            left = len(ready)
            if left > 1 and chance() < self.shuffle:
                self._shuffle()
            while left and not self._stopping:
                left -= 1
                handle = next_handle()
                if handle._cancelled:
                    continue
                if self._any_stopped:
                    process = handle._context.get(_process)
                    if process is not None and process.looked_at and self._stopped(process, handle):
                        continue
                self.steps += 1
                try:
                    handle._context.run(handle._callback, *handle._args)
                except BaseException as error:  # noqa: BLE001 -- asyncio hands these to its exception handler
                    self._raised(handle, error)
            if self.steps - self._steps_at_jump > SPIN_STEPS:
                raise StandStill(f"{SPIN_STEPS} steps and no time passes at {self._now:.3f} s, step {self.steps}")

    def _raised(self, handle: _Ready, error: BaseException) -> None:
        """What a callback raised goes to the exception handler, but for what ends the program."""
        if isinstance(error, SystemExit | KeyboardInterrupt):
            raise error
        self.call_exception_handler({"message": f"exception in {handle._callback!r}", "exception": error})

    # Time and order ----------------------------------------------------------

    def _stopped(self, process: Process, handle: _Ready) -> bool:
        """Whether the process of this callback is frozen or dead."""
        if process.dead:
            return True
        if process.frozen:
            process._parked.append(handle)
            return True
        return process.steps_left is not None and self._last_step(process)

    def _jump(self) -> None:
        """Move time to the next timer and make everything due then ready."""
        timers = self._timers
        while timers:
            when, _, timer = heappop(timers)
            if timer._cancelled:
                continue
            if when > self._now:
                self._now, self._steps_at_jump = when, self.steps
            self._ready.append(timer)
            while timers and timers[0][0] <= self._now:
                due = heappop(timers)[2]
                if not due._cancelled:
                    self._ready.append(due)
            return
        raise StandStill(f"nothing is ready and no timer is set at {self._now:.3f} s, step {self.steps}")

    def _shuffle(self) -> None:
        """Change places among task steps only; each task has at most one step ready, so its own order is kept."""
        ready = self._ready
        places = [
            place
            for place, handle in enumerate(ready)
            if isinstance(getattr(handle._callback, "__self__", None), asyncio.Task)
        ]
        order = [ready[place] for place in places]
        self._random.shuffle(order)
        for place, handle in zip(places, order, strict=True):
            ready[place] = handle

    def fail(self, error: BaseException) -> None:
        """End the day with this error, whatever task found it."""
        if self.failure is None:
            self.failure = error
        self.stop()

    # Processes ---------------------------------------------------------------

    def freeze(self, process: Process) -> None:
        """SIGSTOP: nothing of it runs until ``thaw``, and time goes on."""
        process.frozen = process.looked_at = self._any_stopped = True

    def thaw(self, process: Process) -> None:
        """SIGCONT: what came due meanwhile runs now, in the order in which it came due."""
        process.frozen = False
        self._ready.extend(process._parked)
        process._parked.clear()

    def kill(self, process: Process) -> None:
        """Kill -9: nothing of it ever runs again."""
        process.dead = process.looked_at = self._any_stopped = True
        process._parked.clear()
        process._buried = list(process._tasks)  # kept: a coroutine that is collected would run its finally blocks

    def doom(self, process: Process, steps: int, then: Callable[[], None]) -> None:
        """Kill a process after it ran so many callbacks more, at whatever await that is; then call ``then``."""
        process.steps_left, process.at_end = steps, then
        process.looked_at = self._any_stopped = True

    def _last_step(self, process: Process) -> bool:
        """Count down; at the end the process is dead, and its callback at hand does not run."""
        process.steps_left = (process.steps_left or 0) - 1
        if process.steps_left > 0:
            return False
        process.steps_left = None
        if process.at_end is not None:
            process.at_end()
        return process.dead

    # Real sockets ------------------------------------------------------------

    def run_real(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on real sockets to its end while simulated time stands still and nobody else runs.

        May only be called from a plain callback (a timer), not from inside a task.
        """
        others = list(self._ready)
        self._ready.clear()
        running = events._get_running_loop()  # what run_forever does
        events._set_running_loop(self)
        task = self.create_task(work)
        while not task.done():
            if not self._ready:
                self._process_events(self._selector.select(30))
            for _ in range(len(self._ready)):
                handle = self._ready.popleft()
                self.steps += 1
                if not handle._cancelled:
                    handle._context.run(handle._callback, *handle._args)
        events._set_running_loop(running)
        since = list(self._ready)
        self._ready.clear()
        self._ready.extend(others + since)
        return task.result()


class SimClock:
    """``dialer.engine.ports.Clock`` on simulated time; ``step_s`` is how far its time of day is wrong."""

    def __init__(self, loop: SimLoop, start: datetime = START) -> None:
        self._loop = loop
        self._start = start
        self._known, self._known_s, self._known_step_s = start, -1.0, 0.0
        self.step_s = 0.0

    def now(self) -> datetime:
        loop_s = self._loop._now
        if loop_s != self._known_s or self.step_s != self._known_step_s:  # many ask at the same instant
            self._known_s, self._known_step_s = loop_s, self.step_s
            self._known = self._start + timedelta(seconds=loop_s + self.step_s)
        return self._known

    def boot_s(self) -> float:
        return self._loop._now
