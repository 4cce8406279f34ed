"""Where an Asterisk comes from: an installed one, else a cached root folder, else one built from Debian sid.

Debian 12 has no ``asterisk`` package; Debian sid has the LTS 22. As root, mmdebstrap makes a folder of 340 MB with it
in half a minute. The folder is kept by package version, because sid moves: on a day on which it cannot be installed
there, the newest cached folder is used.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Deadlocks under AMI and Originate load were fixed in these; older ones are refused (minor by major).
OLDEST = {20: 20, 22: 10, 23: 4}

PACKAGES = "asterisk,adduser"


@dataclass(frozen=True, slots=True)
class Asterisk:
    """An Asterisk that can be started.

    Attributes:
        root: The folder that holds it; ``/`` for an installed one.
        version: E.g. ``22.10.1``.
        modules_dir: Where its modules are, as seen from inside ``root``.
    """

    root: Path
    version: str
    modules_dir: str


def find(*, build: bool = True) -> Asterisk:
    """The Asterisk of this machine; builds one when there is none, as root and with the network.

    Raises:
        Misconfigured: ``asterisk.none`` with what to do about it.
    """
    installed = _look_at(Path("/"))
    if installed is not None:
        return installed
    if os.geteuid() != 0:
        raise Misconfigured(
            "asterisk.none",
            "There is no Asterisk 22.10 or later on this machine, and building one needs root.",
            remedy="Install asterisk, or run as root, or use the simulated switch.",
        )
    with _only_one(cache_dir()):
        cached = _newest_cached()
        if cached is not None:
            return cached
        if not build:
            raise Misconfigured(
                "asterisk.none", "There is no Asterisk on this machine.", remedy="Run scripts/demo once."
            )
        return _build(cache_dir())


def cache_dir() -> Path:
    """The git-ignored folder for what is expensive to make again: in the checkout, else of the user."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return checkout / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dialer"


def new_enough(version: str) -> bool:
    """Whether the version (``22.10.1``) has the fixes this product depends on; development builds do not."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return False
    major, minor = int(numbers[1]), int(numbers[2])
    return minor >= OLDEST[major] if major in OLDEST else major > max(OLDEST)


def _look_at(root: Path) -> Asterisk | None:
    """The Asterisk inside a root folder, None if there is none or it is too old."""
    if not (root / "usr/sbin/asterisk").exists():
        return None
    command = ["/usr/sbin/asterisk", "-V"]
    if root != Path("/"):
        command = ["chroot", str(root), *command]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 - fixed words
    version = re.search(r"Asterisk (\d+(?:\.\d+)+)", said)
    modules = next(iter(sorted((root / "usr/lib").glob("**/asterisk/modules"))), None)
    if version is None or modules is None or not new_enough(version[1]):
        return None
    return Asterisk(root, version[1], f"/{modules.relative_to(root)}")


def _newest_cached() -> Asterisk | None:
    found = [_look_at(folder) for folder in cache_dir().glob("asterisk-root-[0-9]*")]
    usable = [asterisk for asterisk in found if asterisk is not None]
    return max(usable, key=lambda asterisk: [int(part) for part in asterisk.version.split(".")], default=None)


def _build(cache: Path) -> Asterisk:
    """Make the root folder with mmdebstrap, then name it by its version."""
    if shutil.which("mmdebstrap") is None:
        _run(["apt-get", "install", "--yes", "--no-install-recommends", "mmdebstrap"])
    mirror = _mirror()
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as folder:
        root = Path(folder) / "root"
        _run(
            [
                "mmdebstrap",
                "--variant=apt",
                '--aptopt=Acquire::Check-Valid-Until "false"',
                '--aptopt=APT::Install-Recommends "false"',
                f"--include={PACKAGES}",
                "sid",
                str(root),
                mirror,
            ]
        )
        built = _look_at(root)
        if built is None:
            raise Misconfigured(
                "asterisk.build",
                "Debian sid installed no usable Asterisk today.",
                remedy="Try again tomorrow, or install Asterisk 22.10 or later by hand.",
            )
        for unneeded in ("usr/share/doc", "usr/share/man", "var/cache/apt"):
            shutil.rmtree(root / unneeded, ignore_errors=True)
        kept = cache / f"asterisk-root-{built.version}"
        root.rename(kept)
    return Asterisk(kept, built.version, built.modules_dir)


def _mirror() -> str:
    """A ``deb`` line for sid, with the mirror and keyring this machine's own Debian comes from.

    Many images have only ``sources.list.d/*.sources``, so apt itself is asked.
    """
    _run(["apt-get", "update", "--quiet"])
    targets = _run(["apt-get", "indextargets", "--format", "$(LABEL)|$(SITE)|$(SOURCESENTRY)"])
    for target in targets.splitlines():
        label, site, entry = target.split("|")
        if label == "Debian":
            keyring = _signed_by(Path(entry.rpartition(":")[0]))
            option = f"[signed-by={keyring}] " if keyring else ""
            return f"deb {option}{site} sid main"
    raise Misconfigured(
        "asterisk.mirror",
        "apt knows no Debian mirror, so Asterisk cannot be taken from Debian sid.",
        remedy="Install Asterisk 22.10 or later by hand.",
    )


def _signed_by(source: Path) -> str | None:
    """The keyring a sources file names, None if it names none or carries the key itself."""
    if not source.is_file():
        return None
    named = re.search(r"signed-by\s*[:=]\s*(/[^\s\]]+)", source.read_text(), re.IGNORECASE)
    return named[1] if named else None


def _run(command: list[str]) -> str:
    """Run a fixed command; its output.

    Raises:
        Misconfigured: it failed; the last line it wrote is the reason.
    """
    done = subprocess.run(  # noqa: S603 - fixed words and paths of our own
        command, capture_output=True, text=True, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Misconfigured(
            "asterisk.build",
            f"Asterisk could not be installed from Debian sid: {command[0]}: {' '.join(last)}",
            remedy="Check the network, try again another day, or install Asterisk 22.10 or later by hand.",
        )
    return done.stdout


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two first runs at once build one root, not two."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "asterisk-root.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
