"""The simulated switch without a socket: ``SwitchLink`` over ``SimSwitch`` on the clock of the event loop.

``SimHost`` is the machine the switch runs on: it gives it time (``loop.call_at``, so a loop with virtual time makes it
simulated time) and outlives its links. ``SimLink`` is one service's connection. For a service that is killed, call
``cut(reached=True)`` (the kernel closes its socket, what was written still arrives) and give the next one a new
``SimLink`` on the same host.

Faults are switched on from outside at any moment: by chance (``Faults``, seeded) or on demand (``cut``,
``cut_at_next``, ``mute``, ``crash``). What the real link cannot know, this one does not tell either: a lost event is
just not there, an action cut off in mid-flight ends ``Uncertain`` whether or not it reached the switch.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from ami.acks import Acks
from ami.actions import Bridge, Hangup, Originate
from ami.encode import encode
from ami.errors import ActionRefused, LoginInUse, NotConnected, Uncertain
from ami.events import UNHEARD, LinkDown, LinkUp, SwitchStopping
from ami.simulator.exchange import VERSION
from ami.simulator.switch import Dialplan, SimSwitch

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami.actions import Action
    from ami.errors import AmiError
    from ami.events import Event, SwitchSnapshot
    from ami.simulator.people import World


class SimHost:
    """A simulated switch living on the loop's clock.

    Args:
        world: Who answers.
        epoch_s: Time of day (seconds since the epoch) at loop time 0; the switch stamps its events with it.
        dialplan: Durations of our dialplan.
    """

    def __init__(self, world: World, *, epoch_s: float = 0.0, dialplan: Dialplan | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoch_s = epoch_s
        self.context = contextvars.copy_context()
        """The world's own context: its timers never belong to the service whose action set them off."""
        self.switch = SimSwitch(world, self._emit, started_at=self.now(), dialplan=dialplan)
        self.listeners: list[Callable[[Event], None]] = []
        self.on_crash: list[Callable[[], None]] = []
        """Called when the switch disappears: every connection to it breaks."""
        self.owner: SimLink | None = None
        """The one link that is logged in (allowmultiplelogin=no)."""
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._restart: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """The switch's time of day."""
        return self._loop.time() + self._epoch_s

    def do(self, action: Action) -> str | None:
        """Carry out an action now; None or Asterisk's error sentence."""
        refusal = self.switch.do(action, self.now())
        self.wind()
        return refusal

    def happens(self, what: Callable[..., None], *args: object) -> None:
        """Let one of the world's own hands move now, e.g. ``happens(switch.lose_phone, "seat1")``."""
        what(*args, now=self.now())
        self.wind()

    def crash(self, *, down_s: float = 3.0, announced: bool = False) -> None:
        """Restart the switch: all channels are gone now, and it is back after ``down_s``."""
        if announced:
            self._emit(SwitchStopping(at=self.now(), restart=True))
        self.switch.crash(self.now())
        for broken in list(self.on_crash):
            broken()
        if self._restart is not None:
            self._restart.cancel()
        self._restart = self._loop.call_later(down_s, lambda: self.switch.start(self.now()), context=self.context)

    def wind(self) -> None:
        """Set the alarm for what the switch does next by itself; after every change from outside."""
        due_at = self.switch.next_at()
        if due_at is None:
            return
        if self._timer is not None:
            if self._due_at <= due_at:
                return
            self._timer.cancel()
        self._due_at = due_at
        self._timer = self._loop.call_at(due_at - self._epoch_s, self._alarm, context=self.context)

    def close(self) -> None:
        """Stop the clock of this switch."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _alarm(self) -> None:
        self._timer = None
        # the loop's clock and the epoch's have different grains: never wake up just before what is due
        self.switch.advance(max(self.now(), self._due_at))
        self.wind()

    def _emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


@dataclass(slots=True, kw_only=True)
class Faults:
    """Weather on the wire. All by the link's own seeded chance; may be changed at any moment.

    Attributes:
        event_delay_s: Least and most delay of an event; order is kept.
        action_delay_s: Least and most time until an action reaches the switch; order is kept.
        answer_delay_s: Least and most time until the answer to an action comes back.
        lose: Probability that an event never arrives.
        duplicate: Probability that an event arrives twice.
        reorder: Probability that an event is overtaken by those of the next ``reorder_s`` seconds.
        reorder_s: See ``reorder``.
    """

    event_delay_s: tuple[float, float] = (0.0, 0.0)
    action_delay_s: tuple[float, float] = (0.0, 0.0)
    answer_delay_s: tuple[float, float] = (0.0, 0.0)
    lose: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_s: float = 0.5


@dataclass(slots=True, kw_only=True)
class Timing:
    """How the link behaves, with the figures of the real one.

    Attributes:
        login_s: From trying to connect to LinkUp.
        retry_s: Least and most pause before the next try; jitter by the link's chance.
        deadline_s: An action without an answer for this long is ``Uncertain``.
        watchdog_s: Silence after which a half-open connection is given up.
        queue_limit: Events waiting to be read; one more and the link is cut, since they would be lost silently.
    """

    login_s: float = 0.01
    retry_s: tuple[float, float] = (0.2, 5.0)
    deadline_s: float = 5.0
    watchdog_s: float = 15.0
    queue_limit: int = 20_000


_KINDS = {"originate": Originate, "bridge": Bridge, "hangup": Hangup}


class SimLink:
    """``ami.port.SwitchLink`` without a socket."""

    def __init__(
        self, host: SimHost, *, seed: int = 0, faults: Faults | None = None, timing: Timing | None = None
    ) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.faults = faults or Faults()
        self.timing = timing or Timing()
        self.sent: list[Action] = []
        """Every action written, in order, whatever became of it."""
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._random = Random(seed)
        self._up = False
        self._muted = False
        self._down = asyncio.Event()
        self._session = 0
        """Grows with each login and loss: what was under way in an earlier session is void."""
        self._pending: dict[asyncio.Future[None], tuple[float, asyncio.TimerHandle]] = {}
        self._acks = Acks()
        self._travelling: deque[tuple[Action, asyncio.Future[None], asyncio.TimerHandle | None]] = deque()
        self._cut_at_next: tuple[type, bool] | None = None
        self._delayed: deque[tuple[float, Event]] = deque()
        self._delivery: asyncio.TimerHandle | None = None
        self._action_due_at = 0.0
        self._held: list[Event] = []

    # --- the port

    @property
    def trouble(self) -> AmiError | None:
        """Why there is no connection right now."""
        if self._up:
            return None
        in_use = self._host.owner not in {None, self}
        return LoginInUse("Login Already In Use") if in_use else NotConnected("not connected")

    async def run(self) -> None:
        """Log in, and again after each loss; until cancelled."""
        host = self._host
        try:
            while True:
                await asyncio.sleep(self.timing.login_s)
                if host.switch.running and host.owner is None and not self._muted:
                    self._log_in()
                    await self._down.wait()
                await asyncio.sleep(self._random.uniform(*self.timing.retry_s))
        finally:
            self._lose("closed", tell=False)

    def send(self, action: Action) -> asyncio.Future[None]:
        """Write an action; see ``SwitchLink.send``."""
        if not self._up:
            raise NotConnected("there is no session with the switch")
        encode(action, "a")  # the real link writes nothing that this refuses
        future: asyncio.Future[None] = self._loop.create_future()
        self.sent.append(action)
        if self._cut_at_next is not None and isinstance(action, self._cut_at_next[0]):
            reached, self._cut_at_next = self._cut_at_next[1], None
            future.set_exception(Uncertain("the link was lost before an answer"))
            if reached:
                self._host.do(action)
            self._lose("cut at an action")
            return future
        deadline = self._loop.call_later(self.timing.deadline_s, self._deadline, future)
        self._pending[future] = (self._loop.time(), deadline)
        delay_s = self._draw(self.faults.action_delay_s)
        if self._muted:
            self._travelling.append((action, future, None))
        elif delay_s == 0.0 and not self._travelling:
            self._arrives(action, future)
        else:
            self._action_due_at = max(self._action_due_at, self._loop.time() + delay_s)
            handle = self._loop.call_at(self._action_due_at, self._next_arrives, context=self._host.context)
            self._travelling.append((action, future, handle))
        return future

    def ack_s_p95(self) -> float:
        """95th percentile of the seconds between a written action and its answer in the last 30 s; 0 if unknown."""
        return self._acks.p95_s(self._loop.time())

    async def snapshot(self) -> SwitchSnapshot:
        """What the switch holds."""
        await self._round_trip()
        self._host.switch.advance(self._host.now())
        return self._host.switch.snapshot()

    async def stored_keys(self, family: str) -> dict[str, str]:
        """AstDB entries of a family."""
        await self._round_trip()
        return dict(self._host.switch.database.get(family, {}))

    async def forget_key(self, family: str, key: str) -> None:
        """Delete an AstDB entry; one that is not there is no error."""
        await self._round_trip()
        self._host.switch.database.get(family, {}).pop(key, None)

    # --- faults on demand

    def cut(self, reason: str = "connection reset", *, reached: bool | None = None) -> None:
        """Break the connection now.

        Args:
            reason: Said in LinkDown.
            reached: Whether actions still on their way reach the switch; None leaves it to chance, one by one, the
                later ones never without the earlier.
        """
        for action, _ in self._take_travelling():
            if reached is False or (reached is None and self._random.random() < 0.5):
                reached = False
            else:
                self._host.do(action)
        self._lose(reason)

    def cut_at_next(self, kind: str, *, reached: bool) -> None:
        """Break the connection at the very write of the next ``originate``, ``bridge`` or ``hangup``."""
        self._cut_at_next = (_KINDS[kind], reached)

    def mute(self) -> None:
        """Half-open: nothing passes either way and nobody is told, until ``unmute`` or the watchdog."""
        self._muted = True
        if self._up:
            self._loop.call_later(self.timing.watchdog_s, self._watchdog, self._session, context=self._host.context)

    def unmute(self) -> None:
        """The line is back; what was said meanwhile, both ways, arrives now if the session still stands."""
        self._muted = False
        for action, future in self._take_travelling():
            self._arrives(action, future)
        held, self._held = self._held, []
        for event in held:
            self._hear(event)

    # --- inside

    def _log_in(self) -> None:
        host = self._host
        host.owner = self
        host.listeners.append(self._hear)
        host.on_crash.append(self._crashed)
        self._down.clear()
        self._up = True
        self._session += 1
        started_at = host.switch.started_at
        self._deliver(LinkUp(at=host.now(), version=VERSION, started_at=started_at, reloaded_at=started_at))

    def _lose(self, reason: str, *, tell: bool = True) -> None:
        if not self._up:
            return
        self._up = False
        self._session += 1
        host = self._host
        host.owner = None
        host.listeners.remove(self._hear)
        host.on_crash.remove(self._crashed)
        self._take_travelling()
        self._held.clear()
        self._delayed.clear()
        for future, (_, deadline) in self._pending.items():
            deadline.cancel()
            if not future.done():
                future.set_exception(Uncertain("the link was lost before an answer"))
        self._pending.clear()
        self._down.set()
        if tell:
            self.events.put_nowait(LinkDown(at=host.now(), reason=reason))

    def _crashed(self) -> None:
        self._lose("the switch closed the connection")

    def _watchdog(self, session: int) -> None:
        if self._muted and session == self._session:
            self._lose("nothing heard after a ping")

    def _take_travelling(self) -> list[tuple[Action, asyncio.Future[None]]]:
        """Take over, in order, the actions that were written and have not arrived."""
        taken = []
        while self._travelling:
            action, future, handle = self._travelling.popleft()
            if handle is not None:
                handle.cancel()
            taken.append((action, future))
        return taken

    def _next_arrives(self) -> None:
        if not self._muted:
            action, future, _ = self._travelling.popleft()
            self._arrives(action, future)

    def _arrives(self, action: Action, future: asyncio.Future[None]) -> None:
        refusal = self._host.do(action)
        delay_s = self._draw(self.faults.answer_delay_s)
        if delay_s == 0.0:
            self._loop.call_soon(self._answer, future, refusal, context=self._host.context)
        else:
            self._loop.call_later(delay_s, self._answer, future, refusal, context=self._host.context)

    def _answer(self, future: asyncio.Future[None], refusal: str | None) -> None:
        if self._muted or future not in self._pending:
            return
        written_at, deadline = self._pending.pop(future)
        deadline.cancel()
        now = self._loop.time()
        self._acks.add(now, now - written_at)
        if future.done():
            return
        if refusal is None:
            future.set_result(None)
        else:
            future.set_exception(ActionRefused(refusal))

    def _deadline(self, future: asyncio.Future[None]) -> None:
        if self._pending.pop(future, None) is not None and not future.done():
            future.set_exception(Uncertain(f"no answer within {self.timing.deadline_s:g} s"))

    async def _round_trip(self) -> None:
        if not self._up:
            raise NotConnected("there is no session with the switch")
        session = self._session
        waited_s = self._draw(self.faults.action_delay_s) + self._draw(self.faults.answer_delay_s)
        await asyncio.sleep(min(waited_s, self.timing.deadline_s))
        if session != self._session or self._muted or waited_s > self.timing.deadline_s:
            raise Uncertain("no answer came")

    def _hear(self, event: Event) -> None:
        """An event leaves the switch: weather, then the queue."""
        if self._muted:
            self._held.append(event)
            return
        faults = self.faults
        chance = self._random.random
        if faults.lose and chance() < faults.lose:
            return
        if faults.duplicate and chance() < faults.duplicate:
            self._travel(event)
        if faults.reorder and chance() < faults.reorder:
            self._loop.call_later(
                chance() * faults.reorder_s, self._deliver_late, event, self._session, context=self._host.context
            )
            return
        self._travel(event)

    def _travel(self, event: Event) -> None:
        low_s, high_s = self.faults.event_delay_s
        delay_s = 0.0 if low_s == high_s == 0.0 else self._draw((low_s, high_s))
        if delay_s == 0.0 and not self._delayed:
            self._deliver(event)
            return
        due_at = self._loop.time() + delay_s
        if self._delayed:
            due_at = max(due_at, self._delayed[-1][0])
        self._delayed.append((due_at, event))
        if self._delivery is None:
            self._delivery = self._loop.call_at(due_at, self._deliver_due, context=self._host.context)

    def _deliver_due(self) -> None:
        self._delivery = None
        now = self._loop.time()
        while self._delayed and self._delayed[0][0] <= now:
            self._deliver(self._delayed.popleft()[1])
        if self._delayed:
            self._delivery = self._loop.call_at(self._delayed[0][0], self._deliver_due, context=self._host.context)

    def _deliver_late(self, event: Event, session: int) -> None:
        if session == self._session:
            self._deliver(event)

    def _deliver(self, event: Event) -> None:
        if isinstance(event, UNHEARD):
            return
        if self.events.qsize() >= self.timing.queue_limit:
            self._lose("too many events wait to be read")
            return
        self.events.put_nowait(event)

    def _draw(self, bounds: tuple[float, float]) -> float:
        low, high = bounds
        return low if low == high else self._random.uniform(low, high)
