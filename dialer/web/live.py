"""Pages that move: WebSockets with a full snapshot at every connect, then one push per change, never a backlog.

Two loops wait for ``Live.changed`` for all pages together: what changed on the board is rendered once, at most five
times a second (``feed``); an operator's page is woken only when this operator changed. A page that reads too slowly
misses intermediate moments, never the last one; one that does not read at all is closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from weakref import WeakSet

import structlog
from aiohttp import ClientWebSocketResponse, WSCloseCode, web

from dialer.errors import DialerError
from dialer.web import auth, cards, feed, schemas, scope
from dialer.web.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dialer.engine.ports import Board, Live, OperatorView
    from dialer.store.messages import Message
    from dialer.store.stores import Stores
    from dialer.store.users import User
    from dialer.web.call import Call
    from dialer.web.forecasts import Forecasts

    Send = Callable[[str], Awaitable[None]]
    Frames = Callable[[Send], Awaitable[None]]

log = structlog.get_logger(__name__)

BOARD_GAP_S = 0.2
#: An operator's page shows the card within 100 ms of the bridge; this is the hub's share of it.
OPERATOR_GAP_S = 0.02
#: The board is pushed at least this often, so that its age tells a dead service from a quiet one.
HEARTBEAT_S = 2.0
#: A card that was not written down yet when its call was connected is looked for again: soon, then ever more rarely.
CARD_AGAIN_S, CARD_AGAIN_S_MAX = 0.05, 2.0
MESSAGE_BYTES_MAX = 64 * 1024
MESSAGES_PER_S_MAX = 20
_SEND_TIMEOUT_S = 10.0
_CHECK_SESSION_EVERY_S = 15.0


class Signal:
    """Wakes everybody who waits for the next version of something."""

    def __init__(self) -> None:
        self.version = 0
        self._event = asyncio.Event()

    def fire(self) -> None:
        """There is a new version."""
        self.version += 1
        self._event.set()
        self._event = asyncio.Event()

    async def after(self, version: int) -> int:
        """Wait until the version is greater than this one."""
        while self.version <= version:
            await self._event.wait()
        return self.version


class Hub:
    """Watches the engine once for all pages."""

    def __init__(self, live: Live, stores: Stores, forecasts: Forecasts) -> None:
        self._live = live
        self._stores = stores
        self._messages: dict[int, Sequence[Message]] = {}
        self.overview = Overview(stores, forecasts)
        self._operators: dict[int, tuple[Signal, OperatorView | None]] = {}
        self._watchers: dict[int, int] = {}
        self._boards: dict[tuple[int | None, int | None] | None, Watched] = {}

    async def run(self) -> None:
        """Push until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again(self._push_board), name="web.board")
            tasks.create_task(_again(self._push_operators), name="web.operators")

    async def _changed(self, version: int) -> int:
        """The next version, or the present one after a heartbeat without any."""
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                return await self._live.changed(version)
        except TimeoutError:
            return version

    async def _push_board(self) -> None:
        version = -1
        while True:
            version = await self._changed(version)
            if self._boards:
                await self.overview.refresh()
                board = self._live.board()
                for watched in self._boards.values():
                    watched.show(board, self.overview)
            await asyncio.sleep(BOARD_GAP_S)

    async def open_board(self, user: User) -> Watched:
        """The board of everybody who may see what this user may; give it back with ``close_board``."""
        await self.overview.refresh()
        watched = self._boards.setdefault(scope_of(user), Watched(user))
        watched.pages += 1
        if watched.shown_at_s + BOARD_GAP_S < asyncio.get_running_loop().time():
            watched.show(self._live.board(), self.overview)
        return watched

    def close_board(self, watched: Watched) -> None:
        """One page of this board fewer."""
        watched.pages -= 1
        if not watched.pages:
            self._boards.pop(scope_of(watched.user), None)

    async def _push_operators(self) -> None:
        version = -1
        while True:
            version = await self._changed(version)
            for operator_id, (signal, before) in list(self._operators.items()):
                present = self._live.operator(operator_id)
                if present != before:
                    self._operators[operator_id] = (signal, present)
                    signal.fire()
            await asyncio.sleep(OPERATOR_GAP_S)

    async def taken_over(self) -> None:
        """Wait until the engine knows who is at work: a page shows what it had until then, and that this is old."""
        version = -1
        while not self._live.took_over:
            version = await self._changed(version)

    def watch(self, operator_id: int) -> Signal:
        """The signal of one operator's changes; give it back with ``unwatch``."""
        self._watchers[operator_id] = self._watchers.get(operator_id, 0) + 1
        if operator_id not in self._operators:
            self._operators[operator_id] = (Signal(), self._live.operator(operator_id))
        return self._operators[operator_id][0]

    def unwatch(self, operator_id: int) -> None:
        """One page of this operator fewer."""
        self._watchers[operator_id] -= 1
        if not self._watchers[operator_id]:
            del self._watchers[operator_id], self._operators[operator_id]
            self._messages.pop(operator_id, None)

    @property
    def watching(self) -> int:
        """How many pages are watched for."""
        return sum(board.pages for board in self._boards.values()) + sum(self._watchers.values())

    async def messages(self, operator_id: int) -> Sequence[Message]:
        """What was said to an operator and not acknowledged yet; asked of the database once a page."""
        if operator_id not in self._messages:
            self._messages[operator_id] = await self._stores.messages.unheard(operator_id, now=datetime.now(UTC))
        return self._messages[operator_id]

    def messages_changed(self, operator_id: int) -> None:
        """Something was said to an operator, or acknowledged."""
        self._messages.pop(operator_id, None)
        self.touch(operator_id)

    def touch(self, operator_id: int) -> None:
        """Something on this operator's page changed that the engine does not know, e.g. a saved disposition."""
        if operator_id in self._operators:
            self._operators[operator_id][0].fire()


class Watched:
    """A board that pages look at, and when it was shown last, by the loop's clock."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.pages = 0
        self.shown_at_s = float("-inf")
        self.changed = Signal()
        self._feed = feed.Feed()

    def show(self, board: Board, overview: Overview) -> None:
        """Tell the pages of the board of this moment."""
        self._feed.show(feed.seen(board, overview, self.user))
        self.shown_at_s = asyncio.get_running_loop().time()
        self.changed.fire()

    def after(self, version: int) -> tuple[int, str]:
        """The present version, and what leads a page to it from the version it was sent last."""
        return self._feed.version, self._feed.after(version)


def scope_of(user: User) -> tuple[int | None, int | None] | None:
    """Equal for users who see the same board; None for those who see all of it."""
    return (user.team_id, user.customer_id) if scope.bound(user) else None


async def _again(push: Callable[[], Awaitable[None]]) -> None:
    """A defect in one push must not freeze every page: it is logged, and pushing goes on."""
    while True:
        try:
            await push()
        except Exception:
            log.exception("push_failed")
        await asyncio.sleep(1)


class Sockets:
    """Open pages by session, so that a logout or a disabled user ends them at once."""

    def __init__(self) -> None:
        self._open: dict[bytes, WeakSet[web.WebSocketResponse]] = {}

    def add(self, token_hash: bytes, socket: web.WebSocketResponse) -> None:
        """A page opened."""
        self._open.setdefault(token_hash, WeakSet()).add(socket)

    def drop(self, token_hash: bytes, socket: web.WebSocketResponse) -> None:
        """A page closed."""
        sockets = self._open.get(token_hash)
        if sockets is not None:
            sockets.discard(socket)
            if not sockets:
                del self._open[token_hash]

    async def close(self, *token_hashes: bytes) -> None:
        """Close all pages of these sessions."""
        for socket in [socket for token in token_hashes for socket in self._open.pop(token, ())]:
            await close(socket, WSCloseCode.POLICY_VIOLATION, b"logged out")

    async def close_all(self) -> None:
        """The service stops; pages connect again by themselves."""
        for socket in [socket for sockets in list(self._open.values()) for socket in sockets]:
            await close(socket, WSCloseCode.GOING_AWAY, b"restart")


async def close(socket: web.WebSocketResponse | ClientWebSocketResponse, code: int, message: bytes) -> None:
    """Say goodbye to a page, without waiting for one that is gone."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(2):
            await socket.close(code=code, message=message)


def board_answer(live: Live, overview: Overview, user: User | None = None) -> schemas.BoardAnswer:
    """The board of this moment with its six big numbers; for a bound user only the own campaigns and operators."""
    return feed.answer(feed.seen(live.board(), overview, user))


async def board_socket(call: Call) -> web.WebSocketResponse:
    """Push the board whole, then what changes."""
    hub = call.context.hub

    async def frames(send: Send) -> None:
        watched = await hub.open_board(call.user)
        call.context.watch.opened(call.user.id)
        try:
            sent = 0
            while True:
                seen = watched.changed.version
                sent, text = watched.after(sent)
                await send(text)
                await watched.changed.after(seen)
        finally:
            hub.close_board(watched)
            call.context.watch.closed(call)

    return await _serve(call, frames)


async def operator_socket(call: Call) -> web.WebSocketResponse:
    """Push the operator's own state and card at every change of either."""
    operator_id, hub = call.user.id, call.context.hub

    async def frames(send: Send) -> None:
        await hub.taken_over()
        signal = hub.watch(operator_id)
        try:
            version, again_s = signal.version, CARD_AGAIN_S
            while True:
                now = await cards.now(call)
                await send(now.model_dump_json())
                while not await _within(again_s if now.card_unknown else HEARTBEAT_S, signal, version):
                    if now.card_unknown:
                        again_s = min(2 * again_s, CARD_AGAIN_S_MAX)
                        break
                    # Nothing happened: a sign of life, without asking the database for the same card.
                    beat = now.model_copy(update={"at": datetime.now(UTC), "card": None, "card_unknown": True})
                    await send(beat.model_dump_json())
                else:
                    version, again_s = signal.version, CARD_AGAIN_S
        finally:
            hub.unwatch(operator_id)

    return await _serve(call, frames)


async def _within(patience_s: float, signal: Signal, version: int) -> bool:
    """Whether there is a newer version before the patience ends."""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            await signal.after(version)
            return True
    return False


async def _serve(call: Call, frames: Frames) -> web.WebSocketResponse:
    """One page: push what ``frames`` sends until the page, the session or the service ends."""
    auth.check_origin(call.request, call.context.settings)
    session = call.session
    if session is None:
        raise web.HTTPUnauthorized
    socket = web.WebSocketResponse(heartbeat=15, max_msg_size=MESSAGE_BYTES_MAX, compress=False)
    try:
        await socket.prepare(call.request)
    except ConnectionError:
        return socket  # the page is gone already, as many are when a network comes and goes
    call.context.sockets.add(session.token_hash, socket)

    async def send(text: str) -> None:
        async with asyncio.timeout(_SEND_TIMEOUT_S):
            await socket.send_str(text)

    tasks = [
        asyncio.create_task(_ended(coroutine), name=f"web.page.{name}")
        for name, coroutine in (
            ("push", frames(send)),
            ("read", _read(socket)),
            ("session", watch_session(call, session.token_hash)),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        call.context.sockets.drop(session.token_hash, socket)
        await close(socket, WSCloseCode.GOING_AWAY, b"")
    return socket


async def _ended(work: Awaitable[None]) -> None:
    """Whatever ends a page's task ends the page; only a defect is worth a line."""
    try:
        await work
    except (ConnectionError, TimeoutError, DialerError):
        return
    except Exception:
        log.exception("page_failed")


async def _read(socket: web.WebSocketResponse) -> None:
    """Reading sees the page close. Pages say nothing; one that talks too much is closed."""
    loop, heard = asyncio.get_running_loop(), deque[float](maxlen=MESSAGES_PER_S_MAX)
    async for _ in socket:
        if len(heard) == MESSAGES_PER_S_MAX and loop.time() - heard[0] < 1:
            return
        heard.append(loop.time())


async def watch_session(call: Call, token_hash: bytes) -> None:
    """End when the session ended elsewhere: expired, logged out, or its user disabled."""
    while True:
        await asyncio.sleep(_CHECK_SESSION_EVERY_S)
        try:
            if not await call.stores.users.is_open(token_hash, idle_for=auth.idle_for):
                return
        except DialerError:
            continue  # the database is away; the page keeps what it may see already
