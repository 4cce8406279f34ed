"""Tables of reports as files: exactly what is drawn, and never a formula, whatever a name says."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xlsxwriter

from dialer.core import kpi
from dialer.web import texts

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What spreadsheets take for the begin of a formula (OWASP, CSV injection).
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the id of a number or of a text, and its unit."""

    id: str
    unit: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, the address of the facts behind it, and what to say beside it."""

    value: float | str | None
    link: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, and how it is drawn.

    Attributes:
        id: Stable word.
        plot: ``lines``, ``bars``, ``heat``, ``ranges`` or ``table``, which is not drawn.
        rows: A label (``kind:word`` is translated) with a cell for each column.
        usual: What all together have, where rows are compared with it.
    """

    id: str
    plot: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    usual: float | None = None


def said(word: str, language: str) -> str:
    """``kind:word`` in a language: the name of a number, a weekday, a reason, a verdict; other text as it is."""
    kind, _, name = word.partition(":")
    if kind == "kpi" and name in kpi.BY_ID:
        definition = kpi.BY_ID[name]
        return definition.name_ru if language == "ru" else definition.name_en
    if kind in {"weekday", "reason", "verdict", "skip"}:
        return texts.TEXTS[language].get(f"{kind}.{name}", name)
    return word


def titled(column: Column, language: str) -> str:
    """What stands over a column."""
    if column.id in kpi.BY_ID:
        return said(f"kpi:{column.id}", language)
    return texts.TEXTS[language].get(f"reports.column.{column.id}", column.id)


def write(sheet: Sheet, form: str, language: str) -> tuple[bytes, str]:
    """A table as ``csv`` (UTF-8 with a mark, so that spreadsheets know) or ``xlsx``; the bytes and their media type."""
    head = ["", *(titled(column, language) for column in sheet.columns)]
    rows = [[said(label, language), *(_plain(cell, language) for cell in cells)] for label, cells in sheet.rows]
    if form == "csv":
        return _csv([head, *rows]), "text/csv"
    return _xlsx(sheet.id, [head, *rows]), _XLSX


def write_rows(name: str, rows: Sequence[Sequence[float | str | None]], form: str) -> tuple[bytes, str]:
    """Plain rows, the first of them the heading, as ``csv`` or ``xlsx``; the bytes and their media type."""
    return (_csv(rows), "text/csv") if form == "csv" else (_xlsx(name, rows), _XLSX)


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULAS) else text


def _plain(cell: Cell, language: str) -> float | str | None:
    return said(cell.value, language) if isinstance(cell.value, str) else cell.value


def _csv(rows: Sequence[Sequence[float | str | None]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _xlsx(name: str, rows: Sequence[Sequence[float | str | None]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet(name)
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    page.write_string(at, place, cell)
                elif cell is not None:
                    page.write_number(at, place, cell)
    return file.getvalue()
