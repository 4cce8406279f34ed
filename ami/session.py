"""One AMI login: panoramisk's framing and matching of answers, with its habits taken away.

Left to itself panoramisk sends unanswered actions again after a reconnect (a person called twice), loses letters cut
between packets, waits without end for an answer that will not come, and does not notice a peer that fell silent. Here:

* an action is written once, in the call that asks for it; it ends with its answer, its deadline or the session;
* a session never comes back: it is opened once, lost once, and then thrown away with all it was waiting for;
* bytes are decoded as they come, and what is not UTF-8 is kept, escaped;
* a peer that sends no byte for ``dead_after_s`` although it is pinged is dead, and the socket is aborted.
"""

from __future__ import annotations

import asyncio
import codecs
import math
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from ami.acks import Acks
from ami.encode import question
from ami.errors import (
    ActionRefused,
    AmiError,
    LinkError,
    LoginInUse,
    LoginRefused,
    NotConnected,
    Uncertain,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami.encode import Header

FRAME_CHARS_MAX: Final = 1 << 20
"""A peer that sends this much without an empty line is not AMI."""

UNSENT_BYTES_MAX: Final = 1 << 20
"""About 3,000 Originates that the switch does not take; more would be sent long after they were decided."""

REFUSALS: Final = {"Authentication failed": LoginRefused, "Login Already In Use": LoginInUse}
"""Asterisk's sentence after a login -> what it means (read in its ``manager.c``)."""

Answer = list[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, in seconds.

    Attributes:
        connect_s: For the TCP connection.
        answer_s: For the answer of an action, and for each next line of a list.
        ping_s: Between two pings.
        dead_s: Without a byte from the peer until it counts as dead.
        boot_s: For FullyBooted after a login during Asterisk's start.
        back_off_s: Shortest and longest pause before connecting again.
    """

    connect_s: float = 5.0
    answer_s: float = 5.0
    ping_s: float = 5.0
    dead_s: float = 15.0
    boot_s: float = 60.0
    back_off_s: tuple[float, float] = (0.2, 5.0)


class Reply:
    """What one action waits for. Has the three names that panoramisk's matching asks for."""

    def __init__(self, session: Session, action_id: str, *, many: bool) -> None:
        loop = asyncio.get_running_loop()
        self.id = self.action_id = action_id
        self.future: asyncio.Future[Answer] = loop.create_future()
        self._session = session
        self._messages: Answer = []
        self._many = many
        self._asked_at = loop.time()
        self._timer = loop.call_later(session.patience.answer_s, self._too_late)

    def add_message(self, message: Message) -> bool:
        """Take a message with our ActionID; True when the answer is complete."""
        self._messages.append(message)
        if len(self._messages) == 1:
            self._session.note_ack(self._asked_at)
        if self._many and message.response != "Error" and message.eventlist.lower() != "complete":
            self._timer.cancel()
            self._timer = self._session.loop.call_later(self._session.patience.answer_s, self._too_late)
            return False
        self._timer.cancel()
        if not self.future.done():
            if message.response == "Error":
                self._refuse(ActionRefused(message.message))
            else:
                self.future.set_result(self._messages)
        return True

    def fail(self, reason: str) -> None:
        """End as uncertain: it was written, and nobody will ever know."""
        self._timer.cancel()
        if not self.future.done():
            self._refuse(Uncertain(reason))

    def _refuse(self, error: AmiError) -> None:
        self.future.set_exception(error)
        self.future.exception()  # seen: nobody looks at a refused ping, and asyncio would complain

    def _too_late(self) -> None:
        self._session.protocol.responses.pop(self.id, None)
        if not self._messages:
            self._session.note_ack(self._asked_at)
        self.fail("no answer in time")


class Protocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """The socket's side: bytes to messages, nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="backslashreplace")
        self._rest = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set what panoramisk keeps, and ask the kernel not to hide a dead peer."""
        super().connection_made(transport)
        self.factory = self._session
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(self._session.patience.dead_s * 1000))

    def data_received(self, data: bytes) -> None:
        """Cut at empty lines; a letter or a line torn between packets waits for its other half."""
        self._session.heard()
        text = self._rest + self._decoder.decode(data)
        *frames, self._rest = text.split("\r\n\r\n")
        for text in frames:
            message = Message.from_line(text.strip())
            if message is not None:
                self.handle_message(message)
        if len(self._rest) > FRAME_CHARS_MAX:
            self._session.lose("an endless message")

    def handle_message(self, message: Message) -> None:
        """OriginateResponse carries an ActionID and is an event all the same; Shutdown is no end by itself."""
        if "event" in message and (message.action_id not in self.responses or message["event"] == "OriginateResponse"):
            self._session.dispatch(message)
        else:
            super().handle_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._session.lose(f"connection lost: {exc}" if exc else "connection closed by the switch")


class Session(Manager):  # type: ignore[misc]  # panoramisk has no types
    """One login from opening to loss.

    Attributes:
        name: A word that begins its ActionIDs.
        lost: Ends with the reason, once.
        acks: How long answers took lately, in seconds of the loop's clock.
    """

    def __init__(
        self, name: str, *, host: str, port: int, patience: Patience, on_message: Callable[[Message], None]
    ) -> None:
        super().__init__(host=host, port=port, protocol_factory=lambda: Protocol(self))
        self.name = name
        self.loop = asyncio.get_running_loop()
        self.patience = patience
        self.lost: asyncio.Future[str] = self.loop.create_future()
        self.acks = Acks()
        self.received_at = time.time()
        self._on_message = on_message
        self._heard_at = self.loop.time()
        self._unheard_ping = False
        self._watch: asyncio.TimerHandle | None = None
        self._asked = 0

    async def open(self, user: str, secret: str, *, events: bool) -> None:
        """Connect and log in.

        Args:
            user: A section of manager.conf.
            secret: Its secret.
            events: Whether this session wants events.

        Raises:
            Unreachable: nothing listens there.
            LoginRefused: wrong user or secret, or not from this address.
            LoginInUse: somebody else is logged in as this user.
            LinkError: refused for another reason that passes: switch stopping.
        """
        try:
            async with asyncio.timeout(self.patience.connect_s):
                _, self.protocol = await self.connect()
        except (OSError, TimeoutError) as error:
            raise Unreachable(f"{self.config['host']}:{self.config['port']}: {error or 'no answer'}") from error
        if self.lost.done():
            self.protocol.transport.abort()
        headers = (("Username", user), ("Secret", secret), ("Events", "on" if events else "off"))
        try:
            await self.ask("Login", headers)
        except ActionRefused as refusal:
            raise REFUSALS.get(str(refusal), LinkError)(f"{user}: {refusal}") from refusal
        self._look()

    def ask(self, name: str, headers: tuple[Header, ...] = (), *, many: bool = False) -> asyncio.Future[Answer]:
        """Write one question now; the answer, or all lines of a list, come with the future.

        Raises:
            NotConnected: the session is lost; nothing was written.
            BadAction: nothing was written.
        """
        action_id = self.next_id()
        return self.write(action_id, question(name, action_id, headers), many=many)

    def next_id(self) -> str:
        """An ActionID of this session."""
        self._asked += 1
        return f"{self.name}-{self._asked}"

    def write(self, action_id: str, payload: bytes, *, many: bool = False) -> asyncio.Future[Answer]:
        """Write bytes made by ``ami.encode`` now.

        Raises:
            NotConnected: the session is lost or the switch takes nothing more; nothing was written.
        """
        if self.protocol is None or self.lost.done():
            raise NotConnected("no session with the switch")
        if self.protocol.transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.lose("the switch takes no more actions")
            raise NotConnected("the switch takes no more actions")
        reply = self.protocol.responses[action_id] = Reply(self, action_id, many=many)
        self.protocol.transport.write(payload)
        return reply.future

    def lose(self, reason: str) -> None:
        """End the session: nothing unsent leaves any more, and every unanswered action ends as uncertain."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self._watch is not None:
            self._watch.cancel()
        if self.protocol is not None:
            self.protocol.transport.abort()
            for reply in list(self.protocol.responses.values()):
                reply.fail(reason)
            self.protocol.responses.clear()

    def heard(self) -> None:
        """A byte came."""
        self._unheard_ping = False
        self._heard_at = self.loop.time()
        self.received_at = time.time()

    def note_ack(self, asked_at: float) -> None:
        """An action was answered just now, or given up."""
        now = self.loop.time()
        self.acks.add(now, now - asked_at)

    def dispatch(self, event: Message) -> None:
        """Called by the protocol for each event, in order."""
        self._on_message(event)

    def connection_made(self, f: asyncio.Task[tuple[Any, Any]]) -> None:
        """Called by panoramisk when it is connected; it would log in and promise to reconnect here."""

    def _look(self) -> None:
        """Ping, or give up a peer that left a ping unanswered and has been silent for too long."""
        patience = self.patience
        silent_s = self.loop.time() - self._heard_at
        if self._unheard_ping and silent_s >= patience.dead_s:
            self.lose(f"no byte for {silent_s:.1f} s")
            return
        left_s = patience.dead_s - silent_s
        self._watch = self.loop.call_later(min(patience.ping_s, left_s) if left_s > 0 else patience.ping_s, self._look)
        self._unheard_ping = True
        with suppress(NotConnected):
            self.ask("Ping")
