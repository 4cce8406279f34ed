"""A line between browser and service with weather on it: slow, stalled, cut."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Line:
    """A TCP line to the service; what the weather is may be changed at any moment.

    Attributes:
        latency_s: Each way.
        stalled: Nothing passes, nobody is told.
    """

    port: int
    latency_s: float = 0.0
    stalled: bool = False
    _writers: set = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def cut(self) -> None:
        """Every connection breaks, and nobody gets a new one until ``mend``."""
        address = self._server.sockets[0].getsockname()
        self._server.close()
        self._again = address
        for writer in list(self._writers):
            writer.transport.abort()

    async def mend(self) -> None:
        """New connections are taken again."""
        self._server = await asyncio.start_server(self._accept, *self._again)

    async def stop(self) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accept(self, reader, writer) -> None:
        self._writers.add(writer)
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            self._writers.discard(writer)
            return
        self._writers.add(there)
        await asyncio.gather(self._carry(reader, there), self._carry(there_reader, writer))
        self._writers -= {writer, there}

    async def _carry(self, reader, writer) -> None:
        """Bytes arrive in order, each latency later."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                at, data = await queue.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                while self.stalled:  # noqa: ASYNC110 - weather tells nobody
                    await asyncio.sleep(0.02)
                if not data:
                    break
                writer.write(data)
                await writer.drain()

        delivering = asyncio.create_task(deliver())
        with suppress(OSError):
            while data := await reader.read(65536):
                queue.put_nowait((loop.time() + self.latency_s, data))
        queue.put_nowait((loop.time() + self.latency_s, b""))
        with suppress(OSError):
            await delivering
        writer.close()


@asynccontextmanager
async def line(port: int):
    """A line with fair weather."""
    opened = Line(port)
    await opened.start()
    try:
        yield opened
    finally:
        await opened.stop()
