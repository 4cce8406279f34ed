"""Spreadsheets: XLSX and ODS, turned into plain CSV by calamine, which knows neither formulas nor macros.

A spreadsheet is a zip, and a small zip may unpack to anything. Its directory is read first, then every entry is
unpacked once against its own checksum; only then does calamine see it, in a process with little memory and time
(``work``). Whatever is refused can be saved as CSV.
"""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from typing import TYPE_CHECKING, Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from dialer.errors import Refused
from dialer.intake.columns import COLUMNS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PACKED_BYTES_MAX = 50 * 1024**2
UNPACKED_BYTES_MAX = 500 * 1024**2
RATIO_MAX = 100
#: Entries smaller than this may be packed as tightly as they like: empty parts of a sheet are.
RATIO_FROM_BYTES = 1024**2
ENTRIES_MAX = 200
ROWS_MAX = 300_000
#: Line breaks inside a cell, so that a line of the CSV stays a row of the sheet.
LINE_BREAK = "\u2028"
_FORBIDDEN = ("vbaproject.bin", "externallinks/", "embeddings/", "basic/")
_DECLARED = (b"<!DOCTYPE", b"<!ENTITY")
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_REMEDY = "Save the sheet as CSV and load that."


def _refused(code: str, sentence: str) -> Refused:
    return Refused(f"base.{code}", sentence, remedy=_REMEDY)


def is_sheet(path: Path) -> bool:
    """Whether the file is a spreadsheet, by its first bytes.

    Raises:
        Refused: ``base.old_excel``: of a kind that is not read.
    """
    with path.open("rb") as file:
        head = file.read(4)
    if head == _OLD_EXCEL:
        raise _refused("old_excel", "This is an old .xls file, or one with a password.")
    return head == _ZIP


def check(path: Path) -> None:
    """Refuse what may be a bomb or more than a table.

    Raises:
        Refused: ``base.too_large``, ``base.bomb``, ``base.macros``, ``base.torn``.
    """
    if path.stat().st_size > PACKED_BYTES_MAX:
        raise _refused("too_large", "The spreadsheet is larger than 50 MB.")
    try:
        with zipfile.ZipFile(path) as archive:
            _check_directory(archive.infolist())
            _check_entries(archive)
    except Refused:
        raise
    except Exception as error:  # what a broken zip makes zipfile raise is not written down anywhere
        raise _refused("torn", "The spreadsheet is damaged.") from error


def _check_entries(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        if entry.filename.lower().endswith((".xml", ".rels")):
            with archive.open(entry) as file:
                head = file.read(4096)
            if any(word in head for word in _DECLARED):
                raise _refused("bomb", "The spreadsheet declares XML entities.")
    if broken := archive.testzip():
        raise _refused("torn", f"The spreadsheet is damaged: {broken[:100]}.")


def _check_directory(entries: Sequence[zipfile.ZipInfo]) -> None:
    if len(entries) > ENTRIES_MAX:
        raise _refused("bomb", f"The spreadsheet has {len(entries)} parts.")
    if sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
        raise _refused("too_large", "The spreadsheet unpacks to more than 500 MB.")
    for entry in entries:
        if entry.file_size > max(RATIO_FROM_BYTES, RATIO_MAX * entry.compress_size):
            raise _refused("bomb", "The spreadsheet is packed like a bomb.")
        if any(word in entry.filename.lower() for word in _FORBIDDEN):
            raise _refused("macros", "The spreadsheet has macros or links to other files.")


def unpack(path: Path, out: Path, sheet: str | None, progress: Callable[[int, int], None]) -> tuple[list[str], str]:
    """Write a sheet as CSV in UTF-8, row by row at its own line; the names of all sheets, and of this one.

    Args:
        path: A spreadsheet that ``check`` let pass.
        out: Where to.
        sheet: Which; by default the first one that is visible and not empty.
        progress: Told rows done and rows in all.

    Raises:
        Refused: ``base.torn``, ``base.sheet``, ``base.too_large``, ``base.columns``.
    """
    try:
        with CalamineWorkbook.from_path(path) as book:
            return _unpack(book, out, sheet, progress)
    except CalamineError as error:
        raise _refused("torn", f"The spreadsheet cannot be read: {str(error)[:200]}.") from error


def _unpack(
    book: CalamineWorkbook, out: Path, wanted: str | None, progress: Callable[[int, int], None]
) -> tuple[list[str], str]:
    names = [
        found.name
        for found in book.sheets_metadata
        if found.typ == SheetTypeEnum.WorkSheet and found.visible == SheetVisibleEnum.Visible
    ]
    if not names or (wanted and wanted not in names):
        raise _refused("sheet", f"There is no sheet {wanted or ''!r} in the file.")
    for name in [wanted] if wanted else names:
        found = book.get_sheet_by_name(name)
        if found.start is not None or name == (wanted or names[-1]):
            _write(found, out, progress)
            return names, name
    raise AssertionError("the last sheet was tried")


def _write(found: Any, out: Path, progress: Callable[[int, int], None]) -> None:
    height, width = (place + 1 for place in found.end or (-1, -1))  # calamine's own totals leave the last ones out
    if height > ROWS_MAX:
        raise _refused("too_large", f"The sheet has {height} rows, more than {ROWS_MAX}.")
    if width > COLUMNS_MAX:
        raise _refused("columns", f"The sheet has {width} columns, more than {COLUMNS_MAX}.")
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, row in enumerate(found.iter_rows(), 1):
            writer.writerow([_text(value) for value in row])
            if number % 5000 == 0:
                progress(number, height)


def _text(value: object) -> str:
    """A cell as its text; numbers in full, as no spreadsheet shows them."""
    if isinstance(value, str):
        text = value.replace("\r\n", LINE_BREAK).replace("\n", LINE_BREAK).replace("\r", LINE_BREAK)
        return text.replace("\0", "")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 10**15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return str(value)
