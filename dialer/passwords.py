"""Password hashes: argon2id with the least cost OWASP allows or more, computed beside the event loop. Keys in files."""

from __future__ import annotations

import asyncio
import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

LENGTH_MIN = 12
#: The file with the key that the secrets of webhooks follow from.
WEBHOOK_KEY = "webhook.key"
#: The file with the key that links to get no more letters follow from.
LETTER_KEY = "letter.key"
#: What recordings are sealed with, and their addresses signed.
RECORDING_KEY = "recording.key"
#: 19 MiB, two passes, one lane: OWASP's floor; two at a time bound memory and leave the loop its core.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
#: Verified when there is no such user, so that both answers take as long.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


async def hash_password(password: str) -> str:
    """The argon2id hash of a password, ready for ``app_user.password_hash``."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one hashed; always False, and as slow, when there is no hash."""
    found = await asyncio.get_running_loop().run_in_executor(_THREADS, _verify, password_hash or _NOBODY, password)
    return found and password_hash is not None


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def random_password() -> str:
    """A password nobody has to think of: 120 bits in 20 letters and digits."""
    return secrets.token_urlsafe(15)


def has_key(folder: Path, name: str) -> bool:
    """Whether the key of this name can be read, or made."""
    try:
        return len(key_in(folder, name)) == 32
    except (OSError, ValueError):
        return False


def key_in(folder: Path, name: str) -> bytes:
    """The key of 32 bytes in a file of this name; made when there is none. Two processes that make one get the same."""
    path = folder / name
    with suppress(FileNotFoundError):
        return bytes.fromhex(path.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    return bytes.fromhex(path.read_text())
