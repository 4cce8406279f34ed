"""A real PostgreSQL for the whole session, and for each test a database of its own."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from dialer.store.migrate import migrate
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from tests.store.places import Place

_numbers = count(1)


@pytest.fixture(scope="session")
def open_tmp_path():
    """A folder that PostgreSQL's user may pass when the tests run as root; pytest's own are closed to it."""
    with TemporaryDirectory(prefix="dialer-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def server(open_tmp_path):
    """A PostgreSQL of our own with a migrated template."""
    own = OwnServer(open_tmp_path / "session")
    migrate(asyncio.run(own.__aenter__()))
    yield own
    asyncio.run(own.__aexit__(None, None, None))


@pytest.fixture
async def url(server):
    """An empty, migrated database."""
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(server.url("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE dialer OWNER dialer")
    yield server.url(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def pools(url):
    async with Pools.open(url) as opened:
        yield opened


@pytest.fixture
def stores(pools):
    return Stores.of(pools)


@pytest.fixture
async def store(pools, url):
    opened = PgStore(pools.engine, url)
    yield opened
    await opened.close()


@pytest.fixture
async def place(pools, url, stores, store):
    """A running campaign with an engine that holds its switch's lease."""
    return await Place.make(pools, url, stores, store)
