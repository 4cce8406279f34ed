"""Files of recordings: where they lie, what they hold, and whether there is room for more.

Asterisk leaves both sides beside each other, 16 bits at 8 kHz; kept is a WAV of the same, sealed (``dialer.sealing``).
"""

from __future__ import annotations

import os
import shutil
import struct
from typing import TYPE_CHECKING

from dialer import sealing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from uuid import UUID

RATE_HZ, FRAME_BYTES = 8000, 4
HEADER_BYTES = 44
SEALED = ".rec"


def trouble(spool: Path | None, volume: Path, free_bytes: int) -> str | None:
    """Why recordings cannot be kept, a stable word; None when they can.

    ``recordings_no_spool``: no spool is set; ``recordings_unreachable``: it or the volume cannot be written;
    ``recordings_full``: there is no room on one of them.
    """
    if spool is None:
        return "recordings_no_spool"
    switchs = spool if spool.is_dir() else spool.parent  # Asterisk makes it for its first recording
    try:
        volume.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not all(folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) for folder in (switchs, volume)):
            return "recordings_unreachable"
        free = min(shutil.disk_usage(folder).free for folder in (switchs, volume))
    except OSError:
        return "recordings_unreachable"
    return "recordings_full" if free < free_bytes else None


def place(volume: Path, attempt_id: UUID) -> Path:
    """Where a recording is kept."""
    return volume / attempt_id.hex[:2] / f"{attempt_id.hex}{SEALED}"


def sound(volume: Path, attempt_id: UUID, *, key: bytes, seed: bytes, size: int, start: int = 0) -> Iterator[bytes]:
    """A kept recording as WAV, from byte ``start`` on.

    Raises:
        sealing.Broken: it is not what was sealed.
        OSError: it cannot be read.
    """
    path = place(volume, attempt_id)
    return sealing.opened(path, master=key, seed=seed, name=attempt_id.bytes, size=size, start=start)


def header(data_bytes: int) -> bytes:
    """The head of a WAV of two sides, 16 bits at 8 kHz each."""
    rate = RATE_HZ * FRAME_BYTES
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, RATE_HZ, rate, FRAME_BYTES, 16)
    riff = struct.pack("<4sI4s", b"RIFF", HEADER_BYTES - 8 + data_bytes, b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", data_bytes)


def pieces(path: Path, start: int, size: int) -> Iterator[bytes]:
    """A WAV of ``size`` bytes of sound from ``start`` on, cut for sealing."""
    with path.open("rb") as file:
        file.seek(start)
        head, left = header(size), size
        while head or left:
            part = file.read(min(left, sealing.PIECE - len(head)))
            if left and not part:
                raise OSError(f"{path.name} became shorter")
            left -= len(part)
            yield head + part
            head = b""
