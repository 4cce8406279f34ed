"""Read a CSV of contacts: UTF-8 with a header; each row is accepted, or rejected with its line and a stable reason.

    name, phone           must be there, ``phone`` with a number in every row
    phone2, phone3 …      further numbers of the same contact
    zone                  time zones the contact may be in, ``|`` between several; missing: those of its numbers
    priority              0 to 9, 9 first
    any other column      an attribute of the contact, for the script

Reasons: ``quotes`` (torn), ``columns`` (more cells than the header has), ``nul``, ``no_phone``, ``bad_phone``,
``no_zone``, ``bad_zone``, ``bad_priority``, ``repeated`` (the first number stands in an earlier row).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import phonenumbers
from phonenumbers import timezone as phone_zones

from dialer.core import hours
from dialer.errors import Refused
from dialer.store.bases import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_PHONE = re.compile(r"phone\d*")
_KNOWN = frozenset({"name", "zone", "priority"})
#: What phonenumbers says of a number it cannot place.
_NOWHERE = "Etc/Unknown"
PRIORITY_MAX = 9
#: A cell in quotes holds not more line breaks than this.
CELL_LINES_MAX = 50
_EXAMPLE = "The first line names the columns, e.g. name,phone,zone,priority."
#: What is shown of a rejected row.
TEXT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that was not loaded.

    Attributes:
        line: Of the file, from 1; the header is line 1.
        reason: A stable word.
        text: The row, shortened.
    """

    line: int
    reason: str
    text: str


class _Bad(Exception):  # a verdict, not an error
    """A row is rejected; the argument is the reason."""


def read(data: bytes, *, region: str | None = None) -> tuple[list[Row], list[Rejected]]:
    """The accepted and the rejected rows of a file.

    Args:
        data: The file.
        region: Country (``RU``) for numbers without ``+``; without it they are rejected.

    Raises:
        Refused: ``base.encoding``, ``base.empty``, ``base.header``: the file as a whole cannot be read.
    """
    lines = _cells(_text(data))
    header = _header(next(lines, None))
    rows: list[Row] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for line, cells, text in lines:
        try:
            row = _row(line, header, cells, region, seen)
        except _Bad as verdict:
            rejected.append(Rejected(line=line, reason=str(verdict), text=text.strip()[:TEXT_LENGTH_MAX]))
        else:
            seen.add(row.phones[0])
            rows.append(row)
    return rows, rejected


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("base.encoding", f"Line {line} is not UTF-8.", remedy="Save the file as CSV UTF-8.") from error


def _cells(text: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Line number, cells (None: torn quotes) and text of each row that is not blank.

    A cell in quotes may hold line breaks, but a torn quote must not swallow the rows after it: then only its own line
    is lost, and reading goes on with the next.
    """
    lines = list(io.StringIO(text, newline=""))
    at = 0
    while at < len(lines):
        window = lines[at : at + (CELL_LINES_MAX if '"' in lines[at] else 1)]
        reader = csv.reader(window, strict=True)
        try:
            cells, taken = next(reader, []), max(1, reader.line_num)
        except csv.Error:
            cells, taken = None, 1
        if cells is None or any(cell.strip() for cell in cells):
            yield at + 1, cells, lines[at]
        at += taken


def _header(first: tuple[int, list[str] | None, str] | None) -> list[str]:
    if first is None:
        raise Refused("base.empty", "The file is empty.", remedy=_EXAMPLE)
    header = [cell.strip().lower() for cell in first[1] or []]
    missing = [name for name in ("name", "phone") if name not in header]
    if missing:
        raise Refused("base.header", f"The header lacks {' and '.join(missing)}.", remedy=_EXAMPLE)
    if len(set(header)) < len(header):
        raise Refused("base.header", "Two columns have the same name.", remedy=_EXAMPLE)
    return header


def _row(
    line: int, header: Sequence[str], cells: Sequence[str] | None, region: str | None, seen: Collection[str]
) -> Row:
    if cells is None:
        raise _Bad("quotes")
    if len(cells) > len(header):
        raise _Bad("columns")
    if any("\0" in cell for cell in cells):
        raise _Bad("nul")
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    numbers = _numbers(values, region)
    if next(iter(numbers)) in seen:
        raise _Bad("repeated")
    return Row(
        line=line,
        name=values.get("name", ""),
        phones=list(numbers),
        zones=_zones(values.get("zone", ""), numbers.values()),
        priority=_priority(values.get("priority", "")),
        attributes={
            name: value for name, value in values.items() if name not in _KNOWN and not _PHONE.fullmatch(name) and value
        },
    )


def _numbers(values: Mapping[str, str], region: str | None) -> dict[str, phonenumbers.PhoneNumber]:
    """The row's numbers by E.164, ``phone`` first."""
    columns = sorted((name for name in values if _PHONE.fullmatch(name)), key=lambda name: int(name[5:] or 1))
    if not values.get("phone"):
        raise _Bad("no_phone")
    found = {}
    for name in columns:
        if values[name]:
            try:
                number = phonenumbers.parse(values[name], region)
            except phonenumbers.NumberParseException:
                raise _Bad("bad_phone") from None
            if not phonenumbers.is_valid_number(number) or number.extension:
                raise _Bad("bad_phone")
            found[phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)] = number
    return found


def _zones(cell: str, numbers: Iterable[phonenumbers.PhoneNumber]) -> list[str]:
    """The zones given, else all zones the numbers may be in: the contact is called only while all are open."""
    named = {name for part in cell.split("|") if (name := part.strip())}
    if not named:
        named = {zone for number in numbers for zone in phone_zones.time_zones_for_number(number)} - {_NOWHERE}
        if not named:
            raise _Bad("no_zone")
    if not all(hours.known(name) for name in named):
        raise _Bad("bad_zone")
    return sorted(named)


def _priority(cell: str) -> int:
    if not cell:
        return 0
    if not (cell.isascii() and cell.isdigit() and int(cell) <= PRIORITY_MAX):
        raise _Bad("bad_priority")
    return int(cell)
