"""The first instants of the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INTERRUPTED = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(10)
"""


@pytest.mark.parametrize("module", ["typer", "asyncpg"])
def test_ctrl_c_while_the_program_is_still_being_read_ends_it_without_a_word(tmp_path: Path, module: str) -> None:
    """Half a second goes by before the command line can catch anything."""
    (tmp_path / f"{module}.py").write_text(INTERRUPTED)
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "dialer", "demo"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=9)
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == -signal.SIGINT


@pytest.mark.parametrize(("first", "then"), [("", "signal.default_int_handler"), ("trap '' INT; ", "signal.SIG_IGN")])
def test_ctrl_c_later_is_as_it_was_before(first: str, then: str) -> None:
    """What has begun by then is ended in order; and whoever is to be left alone is."""
    program = f"import signal, dialer.__main__; assert signal.getsignal(signal.SIGINT) is {then}"
    command = f'{first}exec "$0" -c "$1"'
    subprocess.run(["/bin/sh", "-c", command, sys.executable, program], cwd=ROOT, check=True, timeout=20)
