"""The service as a process of its own, so that it can be killed, frozen and started again while calls go on."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from dialer.world.rig import Rig

STOP_S_MAX = 15.0


@dataclass(slots=True, kw_only=True)
class ServiceProcess:
    """``dialer serve`` on a rig and a database, with its secrets in files as the README asks for.

    Attributes:
        folder: Of its secrets and its log; must exist.
        http_port: Fixed, so that browsers and robots find it again after a restart.
        spawned_at: When it was last started, seconds since the epoch.
    """

    rig: Rig
    database_url: str = field(repr=False)
    folder: Path
    http_port: int
    switch: str = "main"
    spawned_at: float = 0.0
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> Path:
        """What it wrote on both outputs, over all its lives."""
        return self.folder / f"service-{self.http_port}.log"

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.returncode if self._process is not None else None

    async def start(self) -> None:
        """Start it; whoever wants to know when it works asks its pages."""
        with self.log.open("ab") as output:
            self.spawned_at = time.time()
            self._process = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "dialer", "serve"),
                env=os.environ | self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def kill(self) -> None:
        """``kill -9``."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End it in order, by force if that takes too long."""
        self.signal(signal.SIGTERM)
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S_MAX)
        except TimeoutError:
            await self.kill()

    async def ended(self) -> int:
        """Wait for its end; its exit code."""
        return await self._process.wait() if self._process is not None else 0

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _environment(self) -> dict[str, str]:
        secrets = {
            "DATABASE_URL": self.database_url,
            "AMI_EVENTS_SECRET": self.rig.events_secret,
            "AMI_COMMANDS_SECRET": self.rig.commands_secret,
        }
        return {
            "DIALER_SWITCH": self.switch,
            "DIALER_AMI_PORT": str(self.rig.switch.ami_port),
            "DIALER_HTTP_PORT": str(self.http_port),
            "DIALER_DATA_DIR": str(self.folder),
            "DIALER_LOG_FORMAT": "json",
            "DIALER_SEATS_FILE": str(self.rig.pool),
            "DIALER_RECORDINGS_SPOOL": str(self.rig.switch.home / "spool" / "monitor"),
            "DIALER_SIP_WS_PORT": str(self.rig.ws_port),
            "DIALER_SIP_ADDRESS": f"127.0.0.1:{self.rig.sip_port}",
            **{f"DIALER_{name}_FILE": str(self._kept(name, value)) for name, value in secrets.items()},
        }

    def _kept(self, name: str, secret: str) -> Path:
        path = self.folder / name.lower()
        path.touch(mode=0o600)
        path.write_text(secret)
        return path
