"""What holds for all tests; a real PostgreSQL for the whole session, and an empty database for each test that wants one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from hypothesis import settings

from dialer.store.migrate import migrate
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from tests.store.databases import Databases
from tests.store.places import Place

# How long an example takes says something about the machine, nothing about the product.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
    asyncio.run(_nothing_in_the_background(own))
    yield own
    asyncio.run(own.__aexit__(None, None, None))


async def _nothing_in_the_background(own):
    """What a test deletes is not cleaned away beneath the next."""
    admin = await asyncpg.connect(own.url("postgres", "postgres"))
    await admin.execute("ALTER SYSTEM SET autovacuum = off")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


@pytest.fixture(scope="session")
def databases(server):
    return Databases(server)


@pytest.fixture
async def url(server, databases):
    """An empty, migrated database."""
    name = await databases.take()
    yield server.url(name)
    await databases.give_back(name)


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
