"""Windows and numbers against oracles: what clocks show minute by minute, what bytes begin with an allowed prefix."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

from ami.actions import Originate
from ami.encode import encode
from ami.errors import BadAction
from dialer import profiles
from dialer.core import hours, numbers

YEARS = (2020, 2036)
AROUND = timedelta(hours=2)
#: Windows so uneven that no shift of half an hour or an hour leaves them the same.
UNEVEN = (
    (time(0), time(0, 20)),
    (time(0, 50), time(1, 10)),
    (time(1, 45), time(2, 15)),
    (time(2, 20), time(2, 25)),
    (time(2, 55), time(3, 40)),
    (time(4), time(9, 5)),
    (time(21, 30), time(22, 10)),
    (time(22, 35), time(23, 5)),
    (time(23, 50), time(0)),
)
PROFILE = replace(profiles.load("world"), windows=MappingProxyType(dict.fromkeys(range(7), UNEVEN)), guard_s=0)
_OPEN = frozenset(
    minute
    for opens, closes in UNEVEN
    for minute in range(opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute or 1440)
)


def zones() -> list[str]:
    """Every zone of the database people live in."""
    return sorted(zone for zone in available_timezones() if hours.known(zone))


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """Each moment of those years at which its clocks jump."""
    at, step = datetime(YEARS[0], 1, 1, tzinfo=UTC), timedelta(hours=12)
    while at.year < YEARS[1]:
        if _offset(zone, at) != _offset(zone, at + step):
            low, high = at, at + step
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                low, high = (middle, high) if _offset(zone, middle) == _offset(zone, at) else (low, middle)
            yield (high + timedelta(seconds=1)).replace(second=0, microsecond=0)
        at += step


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def windows(names: Iterable[str]) -> tuple[int, int]:
    """Every minute around every change of clocks: how many were asked, and how often we were wrong."""
    asked = wrong = 0
    for name in names:
        zone = ZoneInfo(name)
        for change in changes(zone):
            minutes = [change - AROUND + timedelta(minutes=m) for m in range(int(2 * AROUND.total_seconds() // 60) + 1)]
            shown = [at.astimezone(zone) for at in minutes]
            allowed = [local.hour * 60 + local.minute in _OPEN for local in shown]
            asked += len(minutes)
            wrong += sum(
                hours.may_call(at, [name], PROFILE, 60) != expected
                for at, expected in zip(minutes, allowed, strict=True)
            )
    return asked, wrong


#: What toll fraud, injection and careless files are made of.
PIECES = (
    *(
        "+",
        "00",
        "011",
        "7",
        "1",
        "44",
        "49",
        "900",
        "112",
        "911",
        "&",
        "@",
        "\r\n",
        "\n",
        "\0",
        ",",
        ";",
        "/",
        " ",
        "-",
    ),
    *(
        "Zap/g1/",
        "Local/",
        "SIP/",
        "${EXTEN}",
        "٣",
        "１",
        "²",
        "\u202e",
        "\u200b",
        "e",
        "x",
        "#",
        "*",
        "(",
        ")",
        "'",
        '"',
    ),
    *("1900", "+1", "+49", "+4930", "12025550101", "4930123456", "88161234567", "\ufeff", "\\", "%0d%0a"),
)


def hostile(count: int, seed: int = 1) -> Iterator[str]:
    """Strings somebody might hope are dialled."""
    chance = random.Random(seed)
    for _ in range(count):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 5)))
        if chance.random() < 0.5:
            begin = chance.choice(["49", "1", "7", "490", "4930"])
            text = f"+{begin}{chance.randint(0, 10 ** chance.randint(1, 12))}{text}"
        if chance.random() < 0.3:
            text = text[: chance.randint(0, 18)]
        yield text


def outside(strings: Iterable[str], allow: Sequence[str], deny: Sequence[str]) -> tuple[int, int]:
    """How many strings came through the gate's rule, and how many of these no oracle would dial.

    The oracle knows only bytes: a plus, 7 to 15 ASCII digits, and a prefix; and what comes through must also be sent by
    the encoder as nothing but those digits.
    """
    passed = wrong = 0
    for text in strings:
        if not numbers.allowed(text, allow, deny):
            continue
        passed += 1
        raw = text.encode("utf-8", "surrogatepass")
        plain = raw[:1] == b"+" and 7 <= len(raw) - 1 <= 15 and set(raw[1:]) <= set(b"0123456789")
        mine = any(raw.startswith(prefix.encode()) for prefix in allow)
        theirs = any(raw.startswith(prefix.encode()) for prefix in deny)
        wrong += not (plain and mine and not theirs and _sent(text))
    return passed, wrong


def _sent(text: str) -> bool:
    """Whether the encoder writes one channel line, of the trunk and these very digits."""
    try:
        call = Originate(channel_id="a", endpoint="t", number=text[1:], context="dial-out", ring_timeout_ms=25_000)
        sent = encode(call, "1")
    except BadAction:
        return False
    return re.findall(rb"(?m)^Channel: (.*)\r$", sent) == [f"PJSIP/{text[1:]}@t".encode()]
