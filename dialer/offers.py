"""Sounds for recorded offers: what people upload or write becomes what the line carries: 8 kHz u-law.

By sox and espeak-ng. What is given is data and stays data: it reaches the tools by a pipe or under a name of ours,
never as an argument or a file name; the kind is read from its first bytes; tools run with little memory and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from dialer.errors import Refused

UPLOAD_BYTES_MAX = 30 * 1024**2
TEXT_LENGTH_MAX = 1500
SECONDS_MIN, SECONDS_MAX = 0.5, 180.0
#: Bytes a second of what the line carries.
RATE = 8000
_TOOL_TIMEOUT_S = 30
#: Address space of a tool, and its processor time.
_LIMITS = ("prlimit", f"--as={768 * 1024**2}", "--cpu=20", "--fsize=67108864")
#: First bytes of what is taken, and what sox calls it.
_KINDS = (
    (b"RIFF", "wav"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"FORM", "aiff"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
)
_VOICES = {"en": "en", "ru": "ru"}
#: u-law samples this near to zero are silence: 0xFF and 0x7F are plus and minus zero, the next few are hiss.
_QUIET = frozenset([*range(0xF0, 0x100), *range(0x70, 0x80)])


async def converted(data: bytes) -> bytes:
    """A recording as the line carries it.

    Raises:
        Refused: ``offer.kind``, ``offer.unreadable``, ``offer.short``, ``offer.long``, ``offer.silent``;
            ``offer.tools``.
    """
    kind = next((kind for mark, kind in _KINDS if data.startswith(mark)), None)
    if kind is None:
        raise Refused(
            "offer.kind", "this is no recording we know", remedy="Give WAV, FLAC, OGG, AIFF or MP3.", bytes=len(data)
        )
    return _checked(await asyncio.to_thread(_convert, data, kind))


async def spoken(text: str, language: str) -> bytes:
    """A text read by a voice.

    Raises:
        Refused: As ``converted``.
    """
    speak = ["espeak-ng", "-v", _VOICES[language], "-s", "145", "--stdin", "--stdout"]
    wav = await asyncio.to_thread(_run, speak, text.encode())
    return _checked(await asyncio.to_thread(_convert, wav, "wav"))


def wav(audio: bytes) -> bytes:
    """What the line carries as a WAV file of plain samples, which every browser plays."""
    samples = b"".join(_SAMPLES[byte] for byte in audio)
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    plain = (1).to_bytes(2, "little") * 2 + RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little")
    return (
        head
        + plain
        + (2).to_bytes(2, "little")
        + (16).to_bytes(2, "little")
        + b"data"
        + len(samples).to_bytes(4, "little")
        + samples
    )


def place(folder: Path, word: str, audio: bytes) -> None:
    """Put an offer where the switch plays it from; whoever plays the old file at this moment plays it to its end."""
    path = folder / f"offer-{word}.ulaw"
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(audio)
    unfinished.chmod(0o644)
    unfinished.rename(path)


def placed(folder: Path, word: str, size: int) -> bool:
    """Whether the switch has it, whole."""
    with contextlib.suppress(OSError):
        return (folder / f"offer-{word}.ulaw").stat().st_size == size
    return False


def _sample(byte: int) -> int:
    """A u-law byte as a sample of 16 bits (ITU-T G.711)."""
    value = ~byte & 0xFF
    magnitude = (((value & 0x0F) << 3) + 0x84 << ((value & 0x70) >> 4)) - 0x84
    return -magnitude if value & 0x80 else magnitude


_SAMPLES = [_sample(byte).to_bytes(2, "little", signed=True) for byte in range(256)]


def _convert(data: bytes, kind: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="dialer-offer-") as folder:
        given = Path(folder) / f"given.{kind}"
        given.write_bytes(data)
        length = f"{SECONDS_MAX + 1:g}"
        # One channel, the line's band, even loudness, no silence before the first word.
        effects = ["trim", "0", length, "highpass", "120", "gain", "-n", "-3", "silence", "1", "0.05", "0.5%"]
        command = [
            "sox",
            "-t",
            kind,
            "--ignore-length",
            str(given),
            "-r",
            str(RATE),
            "-c",
            "1",
            "-t",
            "ul",
            "-",
            *effects,
        ]
        return _run(command)


def _run(command: list[str], given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and a name of ours; no shell
            [*_LIMITS, *command],
            input=given,
            capture_output=True,
            check=True,
            timeout=_TOOL_TIMEOUT_S,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
    except FileNotFoundError:
        raise _no_tools() from None
    except subprocess.TimeoutExpired:
        raise Refused("offer.unreadable", "it takes too long to read", remedy="Save it as a plain WAV.") from None
    except subprocess.CalledProcessError as error:
        if error.returncode == 127:  # prlimit: the tool is not there
            raise _no_tools() from None
        raise Refused(
            "offer.unreadable", "it cannot be read as a recording", remedy="Save it as a plain WAV."
        ) from None
    return done.stdout


def _no_tools() -> Refused:
    return Refused("offer.tools", "sox or espeak-ng is not installed", remedy="apt-get install sox espeak-ng")


def _checked(audio: bytes) -> bytes:
    seconds = len(audio) / RATE
    if seconds > SECONDS_MAX:
        raise Refused("offer.long", f"it is longer than {SECONDS_MAX:g} s", remedy="People hang up long before.")
    if seconds < SECONDS_MIN:
        raise Refused("offer.short", "there is nothing to hear in it", remedy="Record it again.")
    if sum(byte not in _QUIET for byte in audio) < len(audio) / 200:
        raise Refused("offer.silent", "there is nothing but silence in it", remedy="Record it again.")
    return audio
