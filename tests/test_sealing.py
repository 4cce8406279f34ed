"""A sealed file: any part of it can be read, no byte of it can be changed, and nothing is left without its seed."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.sealing import PIECE, TAG, Broken, is_part, opened, seal

MASTER, SEED, NAME = os.urandom(32), os.urandom(32), b"one recording"
KEYS = {"master": MASTER, "seed": SEED, "name": NAME}


@pytest.fixture(scope="module")
def folder():
    with TemporaryDirectory() as name:
        yield Path(name)


def pieces(data: bytes):
    return iter([data[at : at + PIECE] for at in range(0, len(data), PIECE)])


def sealed(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    assert seal(pieces(data), path, **KEYS) == len(data)
    return path


@settings(max_examples=60, deadline=None)
@given(size=st.integers(0, 3 * PIECE + 5), start=st.integers(0, 3 * PIECE))
def test_from_any_byte_on_it_reads_as_it_was(folder, size, start):
    data = os.urandom(size)
    path = sealed(folder, data)
    start = min(start, max(0, size - 1))
    assert b"".join(opened(path, **KEYS, size=size, start=start)) == data[start:]
    assert path.stat().st_size == size + TAG * max(1, -(-size // PIECE))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 2 * PIECE + 5))
def test_a_changed_byte_a_cut_and_a_swap_are_seen(folder, data, size):
    path = sealed(folder, os.urandom(size))
    raw = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(raw) - 1))
    harm = data.draw(st.sampled_from(["flip", "cut", "swap"]))
    if harm == "flip":
        raw[at] ^= 1
    elif harm == "cut":
        del raw[at:]
    elif len(raw) >= 2 * (PIECE + TAG):
        one, other = bytes(raw[: PIECE + TAG]), bytes(raw[PIECE + TAG : 2 * (PIECE + TAG)])
        raw[: 2 * (PIECE + TAG)] = other + one
    else:
        raw[at] ^= 128
    path.write_bytes(raw)
    with pytest.raises(Broken):
        b"".join(opened(path, **KEYS, size=size))


def test_another_key_seed_or_name_opens_nothing(folder):
    path = sealed(folder, b"words of a person")
    for wrong in ({"master": bytes(32)}, {"seed": bytes(32)}, {"name": b"another recording"}):
        with pytest.raises(Broken):
            b"".join(opened(path, **{**KEYS, **wrong}, size=17))
    assert b"words" not in path.read_bytes()


def test_what_cannot_be_written_whole_leaves_nothing(folder):
    def failing():
        yield bytes(PIECE)
        raise OSError(28, "No space left on device")

    path = folder / "full"
    with pytest.raises(OSError, match="No space"):
        seal(failing(), path, **KEYS)
    assert not [one for one in folder.iterdir() if one.name.startswith("full") or is_part(one)]
