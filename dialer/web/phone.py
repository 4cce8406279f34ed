"""The operator's phone: whose seat it is, and the way of a browser's SIP to Asterisk.

A page that has the line keeps one WebSocket to ``/sip`` open; it is relayed, message by message, to Asterisk's on
loopback, and ends with the session, the page or the service. One page of an operator owns the line: the first, until it
is closed or another one takes the line over, which every page shows. A page that closes and does not come back has no
phone any more: its operator gets no callee, long before Asterisk notices that no voice comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from dialer.errors import Refused
from dialer.web import auth, schemas
from dialer.web.live import MESSAGE_BYTES_MAX, close, watch_session

if TYPE_CHECKING:
    from dialer.seats import Seat
    from dialer.web.call import Call

log = structlog.get_logger(__name__)

#: More SIP in a second than a phone ever has to say.
SIP_MESSAGES_PER_S_MAX = 40
#: The close code by which a page learns that another one took the line.
TAKEN_OVER = 4409
#: A page that is loaded again has its line back sooner than this.
GONE_S = 1.2
_CONNECT_S_MAX = 5.0
_SEND_S_MAX = 10.0


class Lines:
    """Which page of each operator has the line: operator id -> the page and its socket."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[str, web.WebSocketResponse]] = {}
        self._watching: set[asyncio.Task[None]] = set()
        self._over = False

    def page(self, operator_id: int) -> str | None:
        """The page that has the line, None when no page has it."""
        held = self._held.get(operator_id)
        return held[0] if held else None

    def swap(self, operator_id: int, page: str, socket: web.WebSocketResponse) -> web.WebSocketResponse | None:
        """This page has the line now; the socket of the one that had it."""
        before = self._held.get(operator_id)
        self._held[operator_id] = (page, socket)
        return before[1] if before else None

    def drop(self, operator_id: int, socket: web.WebSocketResponse) -> None:
        """This socket is closed; whoever took the line over meanwhile keeps it."""
        held = self._held.get(operator_id)
        if held is not None and held[1] is socket:
            del self._held[operator_id]

    def left(self, call: Call) -> None:
        """A page of this operator is gone, and perhaps its phone."""
        if not self._over:
            task = asyncio.create_task(_look_for_phone(call), name="web.sip.gone")
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    def end(self) -> None:
        """The service stops: pages close because of us."""
        self._over = True
        for task in self._watching:
            task.cancel()


async def _look_for_phone(call: Call) -> None:
    """Call the phone of a ready operator anew if no page of his has come back; it is ``ringing``, so he gets no callee.

    Whoever talks goes on: the voice has a way of its own.
    """
    await asyncio.sleep(GONE_S)
    view = call.context.live.operator(call.user.id)
    if view is None or view.state != "ready" or call.context.lines.page(call.user.id) is not None:
        return
    if view.seat in {seat.web_name for seat in call.context.pool.seats().values()}:
        with suppress(Refused):
            await call.commands.call_phone(call.user.id)


async def _seat(call: Call) -> Seat:
    """The seat of the operator who asks; one is given if there was none.

    Raises:
        Refused: ``phone.none``, ``seat.none_free``.
    """
    seats = call.context.pool.seats()
    if not seats:
        raise Refused(
            "phone.none",
            "This service has no pool of seats.",
            remedy="An admin writes one with dialer switch-config and names it in DIALER_SEATS_FILE.",
        )
    name = await call.stores.seats.give(call.user.id, switch=call.context.settings.switch, pool=list(seats))
    return seats[name]


async def account_of(call: Call, phone: str) -> str:
    """The SIP account on which the operator's ``browser`` or ``desk`` phone is called.

    Raises:
        Refused: as ``_seat``.
    """
    seat = await _seat(call)
    return seat.web_name if phone == "browser" else seat.name


async def browser(call: Call) -> schemas.PhoneAnswer:
    """The account of the phone in the browser. The page keeps the secret in memory only, while the session lasts."""
    seat = await _seat(call)
    return schemas.PhoneAnswer(seat=seat.name, account=seat.web_name, secret=seat.web_secret)


async def desk(call: Call) -> schemas.DeskPhoneAnswer:
    """The account of a desk phone; its secret is shown once, and once more after it was rotated."""
    seat = await _seat(call)
    new = await call.stores.seats.show(call.user.id, mark=seat.mark, actor=call.actor)
    return schemas.DeskPhoneAnswer(
        seat=seat.name,
        account=seat.name,
        server=call.context.settings.sip_address,
        secret=seat.desk_secret if new else None,
    )


async def sip(call: Call, ask: schemas.SipQuery) -> web.WebSocketResponse:
    """Relay the browser's SIP until the page, the session or either end closes.

    Raises:
        Refused: ``phone.elsewhere``: another page has the line; ``switch.no_sip``: Asterisk does not take it.
    """
    auth.check_origin(call.request, call.context.settings)
    lines, session, user_id = call.context.lines, call.session, call.user.id
    if session is None:
        raise web.HTTPUnauthorized
    if lines.page(user_id) not in {None, ask.page} and not ask.take:
        raise Refused("phone.elsewhere", "Another page of yours has the line.", remedy="Take it over there, or here.")
    async with aiohttp.ClientSession() as client:
        switch = await _switch(call, client)
        socket = web.WebSocketResponse(protocols=("sip",), heartbeat=15, max_msg_size=MESSAGE_BYTES_MAX, compress=False)
        await socket.prepare(call.request)
        before = lines.swap(user_id, ask.page, socket)
        call.context.sockets.add(session.token_hash, socket)
        call.context.hub.touch(user_id)
        try:
            if before is not None:
                await close(before, TAKEN_OVER, b"another page has the line")
            await _relay(call, socket, switch, session.token_hash)
        finally:
            lines.drop(user_id, socket)
            call.context.sockets.drop(session.token_hash, socket)
            call.context.hub.touch(user_id)
            lines.left(call)
            call.context.watch.look(call)
            await close(socket, WSCloseCode.GOING_AWAY, b"")
            await close(switch, WSCloseCode.GOING_AWAY, b"")
    return socket


async def _switch(call: Call, client: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    settings = call.context.settings
    try:
        async with asyncio.timeout(_CONNECT_S_MAX):
            return await client.ws_connect(
                f"http://{settings.ami_host}:{settings.sip_ws_port}/ws",
                protocols=("sip",),
                max_msg_size=MESSAGE_BYTES_MAX,
                compress=0,
            )
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("sip.switch_away", reason=type(error).__name__)
        raise Refused(
            "switch.no_sip",
            "Asterisk does not take browser phones.",
            remedy="Look at http.conf and DIALER_SIP_WS_PORT; desk phones work without.",
        ) from None


async def _relay(
    call: Call, page: web.WebSocketResponse, switch: aiohttp.ClientWebSocketResponse, token_hash: bytes
) -> None:
    """Both directions, one message at a time each, so that neither side can fill the other's memory."""
    tasks = [
        asyncio.create_task(work, name=f"web.sip.{name}")
        for name, work in (
            ("out", _pump(page, switch, SIP_MESSAGES_PER_S_MAX)),
            ("in", _pump(switch, page, None)),
            ("session", watch_session(call, token_hash)),
        )
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, ConnectionError | TimeoutError):
                log.error("sip.relay_failed", exc_info=ended)


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    per_s_max: int | None,
) -> None:
    """Hand text on until the source closes, says something else, or too much."""
    loop, heard = asyncio.get_running_loop(), deque[float](maxlen=per_s_max)
    async for message in source:
        if message.type is not WSMsgType.TEXT:
            return
        if per_s_max is not None:
            if len(heard) == per_s_max and loop.time() - heard[0] < 1:
                log.warning("sip.too_much")
                return
            heard.append(loop.time())
        async with asyncio.timeout(_SEND_S_MAX):
            await sink.send_str(message.data)
