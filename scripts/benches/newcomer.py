"""From a clone to a conversation in the browser, as somebody who has never seen the product: how long it takes.

A bare Debian (python3 and git, nothing else) is made first and not counted. Then the clock runs: the checkout is cloned
into it, the README's first command is run there and nothing else, and when it has printed an address and a password a
Chromium with a pretended microphone logs in with them, begins a shift, is ready, and waits until somebody is heard.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parents[2]
#: The goal.
MINUTES = 10.0
PATIENCE_S = 1800
#: What the machine's own mirrors need; a bare Debian at home has none of it.
OWN = ("/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/apt/apt.conf.d", "/etc/ssl/certs/ca-certificates.crt")
_OWN = re.compile("PROXY|CERT|CA_BUNDLE", re.IGNORECASE)
#: Processes and mounts of their own, so that nothing of the machine is there and nothing stays.
ENTER = """
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/tmp"
cd "$1"; mkdir -p old; pivot_root . old; umount -l /old
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
cd /root/dialer; exec $2
"""


def first_command() -> str:
    """The first of the README's two commands."""
    found = re.search(r"## Two commands.*?\n\n((?:    .*\n)+)", (ROOT / "README.md").read_text(), re.DOTALL)
    if found is None:
        raise SystemExit("newcomer: the README has no two commands")
    return found[1].split("#")[0].strip()


def bare_root(folder: Path) -> Path:
    """A Debian 12 with python3 and git."""
    root = folder / "root"
    command = ["mmdebstrap", "--variant=minbase", "--include=python3,git,ca-certificates", "--quiet", "bookworm"]
    subprocess.run([*command, str(root)], check=True)
    for own in (*OWN, str(Path.home() / ".config/pip/pip.conf")):
        there = root / (own.lstrip("/") if own.startswith("/etc") else "root/.config/pip/pip.conf")
        if Path(own).is_dir():
            shutil.copytree(own, there, dirs_exist_ok=True)
        elif Path(own).is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(own, there)
    return root


@asynccontextmanager
async def demo(root: Path, command: str) -> AsyncIterator[tuple[str, str]]:
    """The README's command, run in the bare root: the address it prints, and your password."""
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-ec", ENTER, "enter", str(root), command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if name == "PATH" or _OWN.search(name)},
        limit=1 << 26,  # progress bars are one line
    )
    try:
        yield await _printed(process)
    finally:
        process.kill()  # what it began dies with it
        await process.wait()


async def _printed(process: asyncio.subprocess.Process) -> tuple[str, str]:
    if process.stdout is None:
        raise AssertionError
    url, said = "", []
    async for line in process.stdout:
        text = line.decode(errors="replace").rstrip()
        said.append(text)
        if found := re.match(r"The live board: (\S+)/board", text):
            url = found[1]
        if url and (found := re.match(r"\s+you\s+(\S+)$", text)):
            return url, found[1]
    raise SystemExit("newcomer: the command ended:\n" + "\n".join(said[-20:]))


async def converse(url: str, password: str) -> None:
    """A shift in the browser until somebody is heard."""
    sys.path.insert(0, str(ROOT))
    from tests.browser.talk.conftest import started_chromium  # noqa: PLC0415  # the tests are no part of the package
    from tests.browser.talk.person import Person  # noqa: PLC0415  # same

    async with started_chromium() as browser:
        you = await Person.log_in(browser, url, "you", password)
        await you.talk()
        await you.hears()
        await browser.close()


async def run() -> int:
    """Make the root, start the clock, talk."""
    command = first_command()
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        root = await asyncio.to_thread(bare_root, Path(folder))
        began = time.monotonic()
        clone = ["git", "clone", "--quiet", str(ROOT), str(root / "root/dialer")]
        await asyncio.to_thread(subprocess.run, clone, check=True)
        async with asyncio.timeout(PATIENCE_S), demo(root, command) as (url, password):
            installed = time.monotonic()
            await converse(url, password)
            talking = time.monotonic()
    minutes = (talking - began) / 60
    good = minutes < MINUTES
    print(
        f"newcomer: {'' if good else 'falls short; '}from clone to talking in the browser {minutes:.1f} min (goal "
        f"{MINUTES:g}): {command} {(installed - began) / 60:.1f} min, the shift {talking - installed:.0f} s"
    )
    return 0 if good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    argparse.ArgumentParser(prog="scripts/bench newcomer", description=__doc__).parse_args(argv)
    return asyncio.run(run())
