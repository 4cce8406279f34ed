"""Do-not-call files: a number a line, or a table with a column of phones; each row gets its verdict.

Where a heading names a phone column, only that column is read: digits beside it may be an account. Without headings a
row is read as a cell of numbers is (``phones``). What begins with a plus is taken as it stands, also if nobody could
have such a number: forbidding one too many harms nobody.
"""

from __future__ import annotations

import asyncio
import csv
import io
from typing import TYPE_CHECKING

from dialer.core.numbers import E164
from dialer.intake import columns, phones
from dialer.intake.text import DELIMITERS
from dialer.store.do_not_call_files import REPEATED, Listed

if TYPE_CHECKING:
    from collections.abc import Sequence

#: So many rows are read at a stretch; whatever else the process does has its turn between.
STRETCH = 100
#: What stands further on in a row is no number of it.
ROW_LETTERS_MAX = 2000
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_BLANKS = str.maketrans("", "", " ()-.\u00a0")


async def read(data: bytes, region: str | None = None) -> list[Listed]:
    """The rows of a file; empty lines are none.

    Args:
        data: Text in UTF-8, UTF-16 with its mark, or any encoding whose digits are those of ASCII.
        region: Country (``RU``) of numbers without ``+``; without it they are rejected.
    """
    text = data.decode("utf-16" if data[:2] in _UTF_16 else "utf-8-sig", errors="replace").replace("\0", "")
    lines = text.splitlines()
    delimiter, places = _phone_columns(lines[0][:ROW_LETTERS_MAX] if lines else "")
    seen: set[str] = set()
    rows = []
    for line, row in enumerate(lines[1:] if places else lines, 2 if places else 1):
        if row.strip():
            rows.append(_listed(line, _cells(row[:ROW_LETTERS_MAX], delimiter, places), region, seen))
        if not line % STRETCH:
            await asyncio.sleep(0)
    return rows


def _phone_columns(heading: str) -> tuple[str, Sequence[int]]:
    """The delimiter and the columns a line of headings calls phones; none if it is no such line."""
    for delimiter in DELIMITERS:
        cells = next(csv.reader(io.StringIO(heading), delimiter=delimiter), [])
        places = [place for place, cell in enumerate(cells) if columns.target_of(cell) == "phone"]
        if places:
            return delimiter, places
    return ",", ()


def _cells(row: str, delimiter: str, places: Sequence[int]) -> list[str]:
    if not places:
        return [row]
    cells = next(csv.reader(io.StringIO(row), delimiter=delimiter), [])
    return [cells[place] for place in places if place < len(cells)]


def _listed(line: int, cells: Sequence[str], region: str | None, seen: set[str]) -> Listed:
    numbers: list[str] = []
    reason = "bad_phone"
    for cell in cells:
        bare = cell.strip().strip("'\"").translate(_BLANKS)
        if E164.fullmatch(bare):
            numbers.append(bare)
            continue
        found = phones.read(cell, region)
        numbers += [number.e164 for number in found.numbers]
        reason = found.reason or reason
    if not numbers:
        return Listed(line=line, verdict=reason)
    fresh = [number for number in dict.fromkeys(numbers) if number not in seen]
    seen.update(fresh)
    return Listed(line=line, verdict="number" if fresh else REPEATED, numbers=fresh)
