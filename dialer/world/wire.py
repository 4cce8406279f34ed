"""A bare AMI session for the telephone world and for tests of the dialplan alone.

Not for the service: it has ``ami.link``, with fences this one does not need on loopback.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Message = dict[str, str]

ANSWER_S_MAX = 10.0


class Wire:
    """One logged-in AMI session. Events go to ``on_event`` in order, answers to whoever asked."""

    def __init__(self, port: int, user: str, secret: str, on_event: Callable[[Message], None] | None = None) -> None:
        self._port = port
        self._login = (user, secret)
        self._on_event = on_event or (lambda _: None)
        self._ids = count(1)
        self.booted = asyncio.Event()
        self._asked: dict[str, tuple[asyncio.Future[list[Message]], list[Message]]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        await self._reader.readline()
        self._reading = asyncio.create_task(self._read(), name=f"world-wire-{self._port}")
        user, secret = self._login
        await self.ask("Login", Username=user, Secret=secret)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    @property
    def closed(self) -> bool:
        """Whether the session ended."""
        return self._reading is None or self._reading.done()

    async def ask(self, action: str, **headers: str | list[str]) -> list[Message]:
        """Send an action; its response, and the list of events that belongs to it.

        Raises:
            RuntimeError: Asterisk answered with an error.
            ConnectionError: the session ended.
            TimeoutError: no answer within ``ANSWER_S_MAX``.
        """
        action_id = f"w{next(self._ids)}"
        lines = [f"Action: {action}", f"ActionID: {action_id}"]
        for name, value in headers.items():
            lines += [f"{name}: {one}" for one in ([value] if isinstance(value, str) else value)]
        if any(set(line) & {"\r", "\n"} for line in lines):
            raise ValueError("a line break inside an AMI header")
        if self.closed:
            raise ConnectionError("the AMI session ended")
        answer: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._asked[action_id] = (answer, [])
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                messages = await answer
        finally:
            self._asked.pop(action_id, None)
        if messages[0].get("Response") == "Error":
            raise RuntimeError(f"{action}: {messages[0].get('Message')}")
        return messages

    async def _read(self) -> None:
        message: Message = {}
        try:
            async for line in self._reader:
                text = line.decode(errors="replace").rstrip("\r\n")
                if text:
                    name, _, value = text.partition(":")
                    message[name] = value.strip()
                elif message:
                    self._take(message)
                    message = {}
        finally:
            for answer, _ in self._asked.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("the AMI session ended"))

    def _take(self, message: Message) -> None:
        if message.get("Event") == "FullyBooted":
            self.booted.set()
        asked = self._asked.get(message.get("ActionID", ""))
        if asked is None or (message.get("Event") == "OriginateResponse"):
            self._on_event(message)
            return
        answer, messages = asked
        messages.append(message)
        more = message.get("EventList") == "start" or (
            "Event" in message and message.get("EventList") not in {"Complete", "cancelled"}
        )
        if not more and not answer.done():
            answer.set_result(messages)
