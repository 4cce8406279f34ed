"""Requests nobody thought of, made from the OpenAPI: none ends in 5xx, each answer is what the description says."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from dialer.store.pools import Pools
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.web.app import create_app
from dialer.web.auth import hash_token
from dialer.web.openapi import description
from dialer.web.routes import ROUTES
from tests.store.places import SYSTEM, Place
from tests.web import fakes

pytestmark = pytest.mark.postgres

#: Sockets are no requests; these two end or begin sessions and have tests of their own.
LEFT_OUT = {route.path for route in ROUTES if route.socket} | {"/api/v1/login", "/api/v1/logout", "/api/v1/setup"}
#: Requests tried of each operation; the same ones in every run.
EXAMPLES = 8


class Served:
    """The web room over a real PostgreSQL in a thread of its own; everybody here is an admin or an operator."""

    def __init__(self, server, folder) -> None:
        self.server, self.folder = server, folder
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.tokens: dict[str, str] = {}
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),), daemon=True)
        self.thread.start()
        assert self.ready.wait(60)

    async def _run(self) -> None:
        self.over = asyncio.Event()
        url = self.server.url("contract")
        admin = await asyncpg.connect(self.server.url("postgres", "postgres"))
        await admin.execute("CREATE DATABASE contract TEMPLATE dialer OWNER dialer")
        await admin.close()
        async with Pools.open(url) as pools:
            self.stores = Stores.of(pools)
            store = PgStore(pools.engine, url)
            place = await Place.make(pools, url, self.stores, store)
            place.now = datetime.now(UTC)
            await place.add_contacts(*(f"+7903555{number:04}" for number in range(20)))
            self.users = {}
            for role in ("admin", "operator"):
                self.users[role] = await self.stores.users.add(
                    login=role, name=role, role=role, password_hash="-", team="one", language="en", actor=SYSTEM
                )
            live = fakes.FakeLive()
            app = create_app(
                stores=self.stores,
                commands=fakes.FakeCommands(live),
                live=live,
                settings=fakes.settings(data_dir=self.folder),
            )
            served = TestServer(app)
            await served.start_server()
            self.url = str(served.make_url("")).rstrip("/")
            self.ready.set()
            await self.over.wait()
            await served.close()
            await store.close()

    def answer(self, case, role: str):
        """To somebody who is logged in; asked again when an earlier request has ended the session."""
        for _ in range(2):
            if role not in self.tokens:
                self.tokens[role] = self.token(role)
            cookies = {"dialer_session": self.tokens[role]}
            response = case.call(base_url=self.url, cookies=cookies, headers={"X-Dialer": "1"})
            if response.status_code != 401:
                break
            del self.tokens[role]
        return response

    def token(self, role: str) -> str:
        """A session that begins now."""
        token = f"dls_contract-{role}"
        opening = self.stores.users.open_session(
            hash_token(token), user=self.users[role], lasts=timedelta(hours=1), ip="127.0.0.1"
        )
        asyncio.run_coroutine_threadsafe(self._opened(opening, hash_token(token)), self.loop).result(30)
        return token

    async def _opened(self, opening, token_hash) -> None:
        await self.stores.users.close_session(token_hash)
        await opening

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(30)


@pytest.fixture(scope="module")
def served(server, tmp_path_factory):
    running = Served(server, tmp_path_factory.mktemp("contract"))
    yield running
    running.close()


schema = schemathesis.openapi.from_dict(description()).exclude(path_regex="^(" + "|".join(LEFT_OUT) + ")$")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_no_request_breaks_the_service_and_each_answer_is_as_described(case, served):
    """As an operator where operators alone may, else as an admin."""
    role = "operator" if case.operation.definition.raw.get("description") == "Roles: operator." else "admin"
    response = served.answer(case, role)
    well = [] if case.path == "/health" else [not_a_server_error]  # whose 503 is what it is asked for
    case.validate_response(response, checks=[*well, response_schema_conformance])
