"""A first look at a file: what it is, in which encoding, with which columns; all of it shown and changeable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dialer.errors import Refused
from dialer.intake import columns, text
from dialer.intake.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SAMPLE_ROWS = 5
_LOOK_ROWS = 300
_CELL_SHOWN = 120
_EXAMPLE = "The file needs at least one column with phone numbers, e.g. name,phone,zone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file seems to be.

    Attributes:
        plan: How it would be read.
        sheets: Names of the sheets that can be chosen, of a spreadsheet.
        sample: Cells of the first rows under the headings.
    """

    plan: Plan
    sheets: Sequence[str]
    sample: Sequence[Sequence[str]]


def look(path: Path, chosen: Mapping[str, Any], *, sheets: Sequence[str] = ()) -> Look:
    """Look at a text file, with what was chosen already.

    Args:
        path: The file.
        chosen: Fields of ``Plan`` that are not to be detected.
        sheets: Names of sheets, where the text was unpacked from a spreadsheet.

    Raises:
        Refused: ``base.empty``, ``base.columns``, ``base.encoding``: it cannot be read at all.
    """
    encoding = chosen.get("encoding") or text.encoding_of(path)
    delimiter = chosen.get("delimiter") or text.delimiter_of(path, encoding)
    rows = [(row.line, row.cells) for row in text.head(path, encoding, delimiter, _LOOK_ROWS) if row.cells]
    if not rows:
        raise Refused("base.empty", "The file is empty.", remedy=_EXAMPLE)
    width = max(len(cells) for _, cells in rows)
    if width > columns.COLUMNS_MAX:
        sentence = f"The file has {width} columns, more than {columns.COLUMNS_MAX}."
        raise Refused("base.columns", sentence, remedy="Remove the columns nobody needs, or check the delimiter.")
    line = chosen.get("header_line")
    line = columns.header_line(rows) if line is None else line
    header = next((cells for at, cells in rows if at == line), None)
    body = [cells for at, cells in rows if at > line]
    names = columns.headings(header, len(header) if header else width)
    plan = Plan.of({**chosen, "encoding": encoding, "delimiter": delimiter, "header_line": line, "names": names})
    return Look(plan=_meant(plan, chosen, body), sheets=sheets, sample=_sample(body, len(names)))


def _meant(plan: Plan, chosen: Mapping[str, Any], body: Sequence[Sequence[str]]) -> Plan:
    """With a meaning for each column, and the country of numbers without a plus."""
    named = [place for place, name in enumerate(plan.names) if columns.target_of(name) == "phone"]
    likely = named or [place for place, name in enumerate(plan.names) if columns.may_be_phone(name)]
    numbers = [[row[place] for place in likely if place < len(row)] for row in body]
    region = chosen["region"] if "region" in chosen else columns.region_of(numbers)
    targets = chosen.get("targets") or columns.match(plan.names, body, region)
    if len(targets) != len(plan.names):
        targets = columns.match(plan.names, body, region)
    return replace(plan, region=region, targets=targets)


def _sample(body: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    return [
        [*(cell.strip()[:_CELL_SHOWN] for cell in row[:width]), *[""] * (width - len(row))]
        for row in body[:SAMPLE_ROWS]
    ]
