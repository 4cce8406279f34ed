"""A running Asterisk of our own: own configuration, own directories, and nothing left when it stops.

As root each instance runs in its own mount and PID namespaces, as the user ``asterisk``, and dies with whoever
started it, even by ``kill -9``. Without root an installed Asterisk runs as we do, tied to us by the death signal alone.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dialer.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

    from dialer.world.root import Asterisk

#: Folders of an instance that Asterisk writes to.
WRITTEN = ("var", "db", "spool", "spool/monitor", "run", "log")

#: Asterisk with our allow-list of modules starts in well under a second; this is for a machine under load.
START_S_MAX = 30.0

STOP_S_MAX = 5.0


def jailed() -> bool:
    """Whether instances get namespaces of their own; needs root."""
    return os.geteuid() == 0


class Instance:
    """One Asterisk. ``home`` is its folder on this machine; ``inside`` is how Asterisk itself sees that folder."""

    def __init__(self, asterisk: Asterisk, home: Path, *, ami_port: int) -> None:
        self.asterisk = asterisk
        self.home = home.resolve()
        self.inside = "/mnt" if jailed() else str(self.home)
        self.ami_port = ami_port
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The process whose end is the instance's end, None when it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Start and wait until AMI greets.

        Raises:
            Misconfigured: it ended at once or never greeted; the last line of its log is the reason.
        """
        self._prepare()
        with (self.home / "log" / "stdout").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(START_S_MAX):
                while not await self._greets():
                    if self._process.returncode is not None:
                        raise self._failed("ended at once")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise self._failed(f"did not greet on port {self.ami_port} within {START_S_MAX:g} s") from None

    async def stop(self) -> None:
        """End it in order, by force after a few seconds."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        self._process = None

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    def freeze(self) -> None:
        """Let it stand still, as a machine without electricity looks from afar."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in _family(self.pid) if self.pid is not None else ():
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _prepare(self) -> None:
        """Make the folders; Asterisk's user may write to some and only read the configuration, which holds secrets."""
        user = pwd.getpwuid(os.geteuid())
        uid, gid = (user.pw_uid, user.pw_gid) if not jailed() else _user_in(self.asterisk.root)
        self.home.chmod(0o755)
        for name in ("etc", "sounds", "var/keys", *WRITTEN):
            folder = self.home / name
            folder.mkdir(parents=True, exist_ok=True)
            if name in WRITTEN:
                os.chown(folder, uid, gid)
                folder.chmod(0o750)
        for path in (self.home / "etc").iterdir():
            os.chown(path, user.pw_uid, gid)
            path.chmod(0o640)

    def _command(self) -> list[str]:
        if not jailed():
            return [
                "setpriv",
                "--pdeathsig",
                "KILL",
                "/usr/sbin/asterisk",
                "-f",
                "-C",
                f"{self.home}/etc/asterisk.conf",
            ]
        jail = Path(__file__).with_name("jail.sh")
        return [
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"),
            *("sh", str(jail), str(self.asterisk.root), str(self.home), "asterisk"),
        ]

    async def _greets(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.ami_port)
        except OSError:
            return False
        try:
            async with asyncio.timeout(1):
                return (await reader.readline()).startswith(b"Asterisk Call Manager")
        except (TimeoutError, OSError):
            return False
        finally:
            writer.close()

    def _failed(self, what: str) -> Misconfigured:
        lines: list[str] = []
        for name in ("stdout", "messages"):
            with suppress(OSError):
                lines += (self.home / "log" / name).read_text(errors="replace").strip().splitlines()[-1:]
        return Misconfigured(
            "asterisk.start",
            f"Asterisk {self.asterisk.version} {what}: {' / '.join(lines) or 'it said nothing'}",
            remedy=f"Look into {self.home / 'log'}.",
        )


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _family(int(child))
    return found


def _user_in(root: Path) -> tuple[int, int]:
    """Numeric user and group of ``asterisk`` inside a root folder.

    Raises:
        Misconfigured: the package made no such user.
    """
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == "asterisk":
            return int(fields[2]), int(fields[3])
    raise Misconfigured(
        "asterisk.user", f"There is no user asterisk in {root}.", remedy="Reinstall the package asterisk."
    )
