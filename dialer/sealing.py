"""Files at rest: sealed piece by piece, so that any part can be read without the rest.

A file is cut into pieces of ``PIECE`` bytes, each sealed by AES-256-GCM (NIST SP 800-38D) with its place in the nonce
and, beside it, what the file is and whether it is the last piece: none can be moved, left out, or taken from another
file. Every file has a key of its own, which follows from a master key outside the database and a seed in it; so a copy
of either, or of the files, opens nothing, and with the seed the last way into a file is gone.
"""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE = 64 * 1024
#: GCM's tag.
TAG = 16
SEED_BYTES = 32
_PART = ".part"


class Broken(Exception):
    """A sealed file is not what was sealed."""


def seal(pieces: Iterator[bytes], path: Path, *, master: bytes, seed: bytes, name: bytes) -> int:
    """Write a sealed file, whole or not at all; one of that name is replaced. How many bytes were sealed.

    Args:
        pieces: What is sealed, ``PIECE`` bytes each but for the last.
        path: Where it is written; its folder exists.
        master: The key outside the database.
        seed: Of this file alone, from ``os.urandom``.
        name: What the file is, e.g. an id; to open it takes the same.

    Raises:
        OSError: it cannot be written, e.g. the disk is full.
    """
    cipher, size = _cipher(master, seed, name), 0
    part = path.with_name(path.name + _PART)
    try:
        with part.open("wb") as file:
            for place, (piece, last) in enumerate(_with_last(pieces)):
                size += len(piece)
                file.write(cipher.encrypt(_nonce(place), piece, _beside(name, last=last)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return size


def opened(path: Path, *, master: bytes, seed: bytes, name: bytes, size: int, start: int = 0) -> Iterator[bytes]:
    """What was sealed, from byte ``start`` on, piece by piece.

    Args:
        path: The sealed file.
        master: As it was sealed with.
        seed: As it was sealed with.
        name: As it was sealed with.
        size: How many bytes were sealed.
        start: The first byte that is wanted, below ``size``.

    Raises:
        Broken: it is not what was sealed.
        OSError: it cannot be read.
    """
    cipher = _cipher(master, seed, name)
    last = max(0, size - 1) // PIECE
    with path.open("rb") as file:
        for place in range(start // PIECE, last + 1):
            file.seek(place * (PIECE + TAG))
            piece = _unsealed(cipher, file.read(PIECE + TAG), place, _beside(name, last=place == last))
            yield piece[start - place * PIECE :] if place * PIECE < start else piece


def is_part(path: Path) -> bool:
    """Whether a file is one whose sealing was not finished."""
    return path.name.endswith(_PART)


def _unsealed(cipher: AESGCM, sealed: bytes, place: int, beside: bytes) -> bytes:
    try:
        piece: bytes = cipher.decrypt(_nonce(place), sealed, beside)
    except (InvalidTag, ValueError) as error:
        raise Broken(f"piece {place} is not what was sealed") from error
    return piece


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last one; nothing at all is one empty piece."""
    held = next(pieces, b"")
    for piece in pieces:
        yield held, False
        held = piece
    yield held, True


def _nonce(place: int) -> bytes:
    """Twelve bytes, each place once under a key."""
    return place.to_bytes(12)


def _beside(name: bytes, *, last: bool) -> bytes:
    return name + (b"\x01" if last else b"\x00")


def _cipher(master: bytes, seed: bytes, name: bytes) -> AESGCM:
    """The cipher of one file."""
    return AESGCM(hmac.digest(master, b"sealed file " + name + seed, "sha256"))
