"""The pool of seats: places with a SIP account for a desk phone and one for a phone in the browser.

``dialer switch-config`` writes the pool once, with random secrets, into a file for the service alone; Asterisk has the
same in its own configuration. So adding an operator needs no reload of Asterisk, and running it again rotates all.
The secrets are in that file alone, never in PostgreSQL.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dialer.core.model import WEB_SEAT
from dialer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: The browser's account of a seat: the seat's name and this.
WEB = WEB_SEAT
#: Seat, secret of the desk phone, secret of the browser's phone.
_LINE = re.compile(r"(?P<name>[a-z0-9_-]{1,28}) (?P<desk>[A-Za-z0-9_-]{20,128}) (?P<web>[A-Za-z0-9_-]{20,128})")


@dataclass(frozen=True, slots=True)
class Seat:
    """A place; both secrets are random."""

    name: str
    desk_secret: str = field(repr=False)
    web_secret: str = field(repr=False)

    @property
    def web_name(self) -> str:
        """The account of its phone in the browser."""
        return self.name + WEB

    @property
    def mark(self) -> str:
        """Tells this desk secret from one it was rotated to, and does not tell it."""
        return hashlib.sha256(f"{self.name} {self.desk_secret}".encode()).hexdigest()[:16]


def fresh(count: int, first: int = 1) -> list[Seat]:
    """Seats ``seat-001`` and on with new secrets, 192 bits each."""
    return [
        Seat(f"seat-{number:03}", secrets.token_urlsafe(24), secrets.token_urlsafe(24))
        for number in range(first, first + count)
    ]


def text(pool: Iterable[Seat]) -> str:
    """The pool as its file has it."""
    return "".join(f"{seat.name} {seat.desk_secret} {seat.web_secret}\n" for seat in pool)


def read(path: Path) -> Mapping[str, Seat]:
    """The pool by the seats' names, in the file's order.

    Raises:
        Misconfigured: ``seats.file``: it cannot be read, or is none; its content is not told.
    """
    remedy = "Write it with dialer switch-config."
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("seats.file", f"The seats in {path} cannot be read: {error}.", remedy=remedy) from None
    found = [_LINE.fullmatch(line) for line in lines]
    if None in found:
        place = found.index(None) + 1
        raise Misconfigured("seats.file", f"Line {place} of {path} is no seat with its two secrets.", remedy=remedy)
    return {match["name"]: Seat(match["name"], match["desk"], match["web"]) for match in found if match}


class Pool:
    """The seats of a file, read again when it has changed: secrets rotate without a restart of the service."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._as_of: tuple[int, int] | None = None
        self._seats: Mapping[str, Seat] = {}

    def seats(self) -> Mapping[str, Seat]:
        """By name; none when there is no file to read.

        Raises:
            Misconfigured: ``seats.file``.
        """
        if self._path is None:
            return {}
        try:
            stat = self._path.stat()
        except OSError:
            return read(self._path)  # says what is wrong
        as_of = (stat.st_mtime_ns, stat.st_size)
        if as_of != self._as_of:
            self._seats, self._as_of = read(self._path), as_of
        return self._seats
