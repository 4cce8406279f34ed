"""Voices of the telephone world and the sentences of our own dialplan, made by espeak-ng.

Files are raw 8 kHz u-law, what the line carries, so that playing one costs Asterisk no transcoding. They are made
once and kept in the cache by their text.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from dialer.errors import Misconfigured
from dialer.world.root import cache_dir

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: What our dialplan says. ``offer-<word>`` is the recording of an IVR-first campaign.
SWITCH = {
    "message": (
        "This is a call from Demo Company. All our operators are busy. To receive no more calls from us, press nine."
    ),
    "no_operator": (
        "All our operators are still busy. For a call back, press two. To receive no more calls, press nine."
    ),
    "goodbye_callback": "Thank you. We will call you back.",
    "goodbye_thanks": "Thank you. Goodbye.",
    "goodbye_refusal": "You will receive no more calls from us. Goodbye.",
    "nobody": "Thank you for calling. Nobody can take your call now. Goodbye.",
    "missed": "Thank you for calling. All our operators are busy. We will call you back. Goodbye.",
    "offer-demo": (
        "This is a call from Demo Company with an offer. To speak to an operator, press one. "
        "To be called back, press two. To receive no more calls from us, press nine. To hear this again, press star."
    ),
}

#: What the people of the world say.
WORLD = {
    "hello": "Hello?",
    "listening": "Yes. I see.",
    "greeting": "You have reached the answering machine. Please leave a message after the tone.",
    "announcement": "The person you are calling cannot be reached at the moment.",
    "operator": "Good day, Demo Company.",
}

#: sox arguments of sounds that nobody speaks: music on hold, and the beep of an answering machine.
TONES = {
    "music/hold": "synth 20 sine 262 synth 20 sine mix 330 synth 20 sine mix 392 gain -24 tremolo 0.5 60",
    "beep": "synth 0.4 sine 1000 gain -6",
}


#: How sounds are made; a change makes them all anew.
MAKE = 3


def install(texts: Mapping[str, str], folder: Path, *, tones: bool = True) -> None:
    """Put the sounds into a folder, as ``<name>.ulaw``.

    Raises:
        Misconfigured: espeak-ng or sox is missing.
    """
    kept = cache_dir() / "sounds"
    kept.mkdir(parents=True, exist_ok=True)
    for name, recipe in [*texts.items(), *(TONES.items() if tones else ())]:
        made = kept / f"{hashlib.sha256(f'{MAKE} {recipe}'.encode()).hexdigest()[:24]}.ulaw"
        if not made.exists():
            unfinished = made.with_name(f"{made.stem}.{id(made)}.ul")
            _tone(recipe, unfinished) if name in TONES else _speak(recipe, unfinished)
            unfinished.rename(made)
        target = folder / f"{name}.ulaw"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, target)


def _speak(text: str, target: Path) -> None:
    # The silence around the words is cut: what is played is heard at once, and what comes next follows at once.
    spoken = _run(["espeak-ng", "-v", "en", "-s", "150", "--stdout", text])
    cut = ["silence", "1", "0.01", "1%", "reverse", "silence", "1", "0.01", "1%", "reverse"]
    _run(["sox", "-t", "wav", "--ignore-length", "-", "-r", "8000", "-c", "1", "-t", "ul", str(target), *cut], spoken)


def _tone(recipe: str, target: Path) -> None:
    _run(["sox", "-n", "-r", "8000", "-c", "1", "-t", "ul", str(target), *recipe.split()])


def _run(command: list[str], given: bytes = b"") -> bytes:
    try:
        return subprocess.run(command, input=given, capture_output=True, check=True).stdout  # noqa: S603 - fixed words
    except FileNotFoundError:
        raise Misconfigured(
            "world.sounds",
            f"{command[0]} is not installed, so the voices cannot be made.",
            remedy="apt-get install espeak-ng sox",
        ) from None
