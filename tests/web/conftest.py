"""The web room with an engine and a store in memory; real requests over a real socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from dialer import passwords
from dialer.web.access import Role
from dialer.web.app import create_app
from tests.web import fakes

CSRF = {"X-Dialer": "1"}
ROLES = [role.value for role in Role]


@pytest.fixture(scope="session")
def password_hash():
    return asyncio.run(passwords.hash_password(fakes.PASSWORD))


class World:
    """A running web room, and people who log in to it; a user per role, named like the role."""

    def __init__(self, password_hash, **settings):
        self.live = fakes.FakeLive()
        self.commands = fakes.FakeCommands(self.live)
        self.stores = fakes.FakeStores()
        for role in ROLES:
            self.stores.users.put(role, role, password_hash)
        self.stores.users.put("second", "operator", password_hash)
        self.app = create_app(
            stores=self.stores, commands=self.commands, live=self.live, settings=fakes.settings(**settings)
        )
        self.server = TestServer(self.app)
        self.clients: list[TestClient] = []

    def visitor(self) -> TestClient:
        """A browser nobody logged in with."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return client

    async def login(self, name: str) -> TestClient:
        """A browser in which this user is logged in."""
        client = self.visitor()
        answer = await client.post("/api/v1/login", json={"login": name, "password": fakes.PASSWORD}, headers=CSRF)
        assert answer.status == 200, await answer.text()
        return client

    def id_of(self, name: str) -> int:
        return self.stores.users.found[name].id


@asynccontextmanager
async def running(password_hash, **settings):
    world = World(password_hash, **settings)
    await world.server.start_server()
    try:
        yield world
    finally:
        for client in world.clients:
            await client.session.close()
        await world.server.close()


@pytest.fixture
async def world(password_hash):
    async with running(password_hash) as started:
        yield started


def error_of(body: dict) -> SimpleNamespace:
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "remedy", "data"}
    return SimpleNamespace(**body["error"])
