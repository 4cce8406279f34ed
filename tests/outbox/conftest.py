"""A real receiver on loopback, which a test lets fail as it likes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dialer.core.deliveries import Policy
from dialer.outbox.webhooks import Deliverer

KEY = bytes(32)
QUICK = Policy(first_s=0.02, most_s=0.1, tries=6)


@dataclass
class Receiver:
    """Keeps what came; answers with ``statuses`` in turn, then 200, after ``delay_s``."""

    statuses: list[int] = field(default_factory=list)
    delay_s: float = 0.0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        self.came.set()
        await asyncio.sleep(self.delay_s)
        status = self.statuses.pop(0) if self.statuses else 200
        return web.Response(status=status, headers={"Location": "http://169.254.169.254/"} if status == 302 else {})

    @property
    def bodies(self) -> list[dict]:
        return [json.loads(body) for _, body in self.got]

    @property
    def kinds(self) -> list[str]:
        return [body["kind"] for body in self.bodies]


@asynccontextmanager
async def receiving(**values):
    receiver = Receiver(**values)
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver


@pytest.fixture
async def receiver():
    async with receiving() as opened:
        yield opened


@asynccontextmanager
async def delivering(pool, *receivers, policy=QUICK, **values):
    """A deliverer that may reach these receivers; stepped until nothing is left to do."""
    hosts = [one.url.split("/")[2] for one in receivers]
    async with Deliverer(pool, KEY, named_hosts=hosts, policy=policy, **values) as deliverer:
        yield deliverer


async def stepping(deliverer, over):
    """Until ``over()``."""
    while True:
        await deliverer.step()
        await asyncio.sleep(0.01)
        if over():
            return


async def settle(pool, deliverer):
    """Until every event was told or given up."""
    async with asyncio.timeout(20):
        while await pool.fetchval("SELECT EXISTS (SELECT FROM delivery WHERE state = 'pending')"):
            await deliverer.step()
            await asyncio.sleep(0.01)
