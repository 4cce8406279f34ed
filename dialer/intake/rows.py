"""A verdict for each row: accepted, or rejected with a stable reason.

quotes      a quote is torn                      no_phone      no number in any phone column
columns     more cells than headings             bad_phone     what stands there is no number
nul         a NUL letter                         rounded       a spreadsheet cut digits off the number
encoding    letters lost in the encoding         foreign       a number of a country that was not chosen
too_long    longer than any sheet's row          bad_zone      the zone is not one we know
bad_priority  not 0 to 9                         no_zone       nobody can tell the zone
bad_consent   no time, no evidence, or unreadable
repeated    the number stands in an earlier row, or in a later one that counts

in_campaign, elsewhere, do_not_call              said by the database: the number is there already, or forbidden
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialer.core import hours
from dialer.intake import consent, phones
from dialer.store.bases import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dialer.intake.phones import Number
    from dialer.intake.plan import Plan
    from dialer.intake.text import Record

REASONS = (
    *("quotes", "columns", "nul", "encoding", "too_long", "no_phone", "bad_phone", "rounded", "foreign", "bad_zone"),
    *("no_zone", "bad_priority", "bad_consent", "repeated", "in_campaign", "elsewhere", "do_not_call"),
)
#: What is shown of a rejected row.
TEXT_LENGTH_MAX = 200
ZONES_MAX = 64
#: Of a country.
LETTERS = 2
_MOSCOW = re.compile(r"(?:мск|msk)\s*([+-]\s*\d{1,2})?", re.IGNORECASE)
_UTC = re.compile(r"(?:utc|gmt)?\s*([+-]\s*\d{1,2})(?::00)?", re.IGNORECASE)
_MOSCOW_HOURS = 3
#: Letters that make a cell a formula; our own file of rejected rows puts an apostrophe before them.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that is not loaded.

    Attributes:
        line: Of the file, from 1.
        reason: A stable word.
        text: The row, shortened.
    """

    line: int
    reason: str
    text: str


class Bad(Exception):  # a verdict, not an error
    """A row is rejected; the argument is the reason."""


class Judge:
    """Gives verdicts by a plan, and counts what it repaired.

    Attributes:
        notes: How many rows had which repair.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._width = len(plan.targets)
        by_target: dict[str, list[int]] = {}
        for place, target in enumerate(plan.targets):
            by_target.setdefault(target, []).append(place)
        self._phones = sorted(by_target.get("phone", []), key=lambda place: _number_of(plan.names[place]))
        self._names = by_target.get("name", [])
        self._attributes = [(place, plan.names[place]) for place in by_target.get("attribute", [])]
        self._zone = by_target.get("zone", [-1])[0]
        self._priority = by_target.get("priority", [-1])[0]
        self._consent = [by_target.get(target, [-1])[0] for target in consent.TARGETS]
        self._agrees = max(self._consent) >= 0
        self._countries = frozenset(plan.countries)
        self._known_zones: dict[str, tuple[str, ...] | None] = {}
        self._joined: dict[frozenset[tuple[str, ...]], tuple[str, ...]] = {}
        self.notes: Counter[str] = Counter()

    def row(self, record: Record) -> Row:
        """The contact of a row.

        Raises:
            Bad: the row is rejected.
        """
        if record.cells is None:
            raise Bad(record.reason)
        cells = self._cells(record.cells)
        numbers = self._numbers(cells)
        return Row(
            record.line,
            " ".join([part for place in self._names if (part := cells[place])]),
            [number.e164 for number in numbers],
            self._zones(cells[self._zone] if self._zone >= 0 else "", numbers),
            _priority(cells[self._priority]) if self._priority >= 0 else 0,
            {name: value for place, name in self._attributes if (value := cells[place])},
            _countries(numbers),
            self._agreed(cells) if self._agrees else None,
        )

    def _agreed(self, cells: Sequence[str]) -> str | None:
        try:
            return consent.read([cells[place] if place >= 0 else "" for place in self._consent])
        except (ValueError, OverflowError):
            raise Bad("bad_consent") from None

    def _cells(self, given: Sequence[str]) -> list[str]:
        cells = [cell.strip() for cell in given]
        if len(cells) != self._width:
            if any(cells[self._width :]):
                raise Bad("columns")
            cells += [""] * (self._width - len(cells))
        together = "".join(cells)
        if "\0" in together:
            raise Bad("nul")
        if "'" in together:
            return [cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA and cell[1:2] else cell for cell in cells]
        return cells

    def _numbers(self, cells: Sequence[str]) -> list[Number]:
        """The row's numbers, in the order of the columns."""
        numbers: list[Number] = []
        notes: list[str] = []
        reason = "no_phone"
        for place in self._phones:
            if not (cell := cells[place]):
                continue
            if number := phones.undamaged(cell, self._plan.region):
                if number not in numbers:
                    numbers.append(number)
                continue
            found = phones.read(cell, self._plan.region)
            if found.reason:
                reason = found.reason
                notes.append("left_out")
                continue
            notes += found.notes
            numbers += [number for number in found.numbers if number not in numbers]
        if not numbers:
            raise Bad(reason)
        if self._countries and not any(number.region in self._countries for number in numbers):
            raise Bad("foreign")
        if notes:
            self.notes.update(set(notes))
        return [n for n in numbers if n.region in self._countries] if self._countries else numbers

    def _zones(self, cell: str, numbers: Sequence[Number]) -> tuple[str, ...]:
        """The zones given, else all zones the numbers may be in: the contact is called only while all are open."""
        if cell:
            if cell not in self._known_zones:
                self._known_zones[cell] = zones_named(cell)
            named = self._known_zones[cell]
            if not named:
                raise Bad("bad_zone")
            return named
        zones = numbers[0].zones
        if len(numbers) > 1 or len(zones) > 1:
            together = frozenset([number.zones for number in numbers])
            if together not in self._joined:
                self._joined[together] = tuple(sorted({zone for zones in together for zone in zones}))
            zones = self._joined[together]
        if len(zones) != 1 and self._plan.zone:
            return (self._plan.zone,)
        if not zones:
            raise Bad("no_zone")
        return zones


def _countries(numbers: Sequence[Number]) -> tuple[str, ...]:
    """Of the numbers; some belong to none (satellites, shared codes)."""
    if len(numbers) == 1 and len(numbers[0].region) == LETTERS:
        return (numbers[0].region,)
    return tuple(sorted({number.region for number in numbers if len(number.region) == LETTERS}))


def zones_named(cell: str) -> tuple[str, ...] | None:
    """The zones a cell names, ``|`` between several; None if one of them is none.

    Besides the names of the zone database: ``МСК+4`` (Russia has no summer time) and ``UTC+7``.
    """
    named = {zone for part in cell.split("|") if (zone := part.strip())}
    zones = {_fixed(zone) or zone for zone in named}
    if not zones or len(zones) > ZONES_MAX or not all(hours.known(zone) for zone in zones):
        return None
    return tuple(sorted(zones))


def _fixed(cell: str) -> str | None:
    """A zone given as its distance from Moscow or from UTC."""
    if moscow := _MOSCOW.fullmatch(cell):
        ahead = _MOSCOW_HOURS + int((moscow[1] or "0").replace(" ", ""))
    elif utc := _UTC.fullmatch(cell):
        ahead = int(utc[1].replace(" ", ""))
    else:
        return None
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _number_of(heading: str) -> int:
    """``phone``: 1, ``phone2``: 2; columns without a number keep their order."""
    digits = re.search(r"\d{1,3}$", heading)
    return int(digits[0]) if digits else 1


def _priority(cell: str) -> int:
    if not cell:
        return 0
    if not (cell.isascii() and cell.isdigit() and len(cell) == 1):
        raise Bad("bad_priority")
    return int(cell)
