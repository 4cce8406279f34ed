"""The demo as a new user runs it, and that its end leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dialer.errors import Misconfigured
from dialer.world import root
from tests.real.conftest import PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _asterisk() -> None:
    try:
        root.find()
    except Misconfigured as error:
        pytest.skip(f"{error.message} {error.remedy}")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a demo puts its temporary files; PostgreSQL's user can pass through, unlike pytest's own folders."""
    with tempfile.TemporaryDirectory(prefix="dialer-test-demo-") as made:
        path = Path(made)
        path.chmod(0o711)
        yield path


async def run(*args: str, folder: Path) -> tuple[int, str, str]:
    """A command of the house in a process of its own; its temporary files go where the test can see them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", *args),
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


def left_behind(folder: Path) -> list[str]:
    """Processes whose command line, mounts whose path, and files whose place is in a folder."""
    found = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(folder) in line]
    found += [str(path) for path in folder.glob("dialer-*")]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = entry.read_bytes()
            if str(folder).encode() in command:
                found.append(command.decode(errors="replace"))
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_short_demo_connects_people_and_calls_nobody_twice(folder: Path) -> None:
    """The summary is the last line, judged by the world's log; nothing of the demo is left behind."""
    code, output, errors = await run("dialer", "demo", "--seconds", "15", "--headless", "--port", "0", folder=folder)
    assert code == 0, errors
    summary = json.loads(output.splitlines()[-1])
    assert summary["switch"] == "asterisk"
    assert summary["connected"] >= 3, errors
    assert (summary["double_dials"], summary["disagreements"]) == (0, 0), errors
    assert summary["dispositions_saved"] == summary["connected"], errors
    assert left_behind(folder) == []


async def test_a_killed_rig_takes_both_asterisks_along(folder: Path) -> None:
    """Even kill -9 of whoever started them leaves no process, mount or port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "dialer.world.rig", "--seats", "1", "--run-dir", str(folder), "--ports", *map(str, PORTS)),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        rig = json.loads(await process.stdout.readline())
    ports = (rig["ami_port"], rig["world_ami_port"])
    assert all(map(listens, ports))
    process.send_signal(signal.SIGKILL)
    await process.wait()
    for _ in range(100):
        if not any(map(listens, ports)) and not left_behind(folder):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(left_behind(folder) or ports)
