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
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    Value = float | Decimal | str | None

#: What spreadsheets take for the begin of a formula (OWASP, CSV injection).
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: What a page of a book may be called, and how wide its columns are drawn, in letters.
_NAME_MAX, _LABEL_WIDTH, _VALUE_WIDTH, _COLUMNS_MAX = 31, 30, 14, 50
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the id of a number or of a text, and its unit."""

    id: str
    unit: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One value, the address of the facts behind it, and what to say beside it."""

    value: Value
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
        currency: Of its money, where all rows have the same.
    """

    id: str
    plot: str
    columns: Sequence[Column]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    usual: float | None = None
    currency: str = ""


def said(word: str, language: str) -> str:
    """``kind:word`` in a language: the name of a number, a weekday, a reason, a verdict; other text as it is."""
    kind, _, name = word.partition(":")
    if kind == "kpi" and name in kpi.BY_ID:
        definition = kpi.BY_ID[name]
        return definition.name_ru if language == "ru" else definition.name_en
    if kind in {"weekday", "reason", "verdict", "skip"}:
        return texts.TEXTS[language].get(f"{kind}.{name}", name)
    return word


def titled(column: Column, language: str, currency: str = "") -> str:
    """What stands over a column; of money with its currency."""
    if column.id in kpi.BY_ID:
        name = said(f"kpi:{column.id}", language)
        return f"{name}, {currency}" if column.unit == "money" and currency else name
    return texts.TEXTS[language].get(f"reports.column.{column.id}", column.id)


def table(sheet: Sheet, language: str) -> list[list[Value]]:
    """A table as rows of plain values, the first of them the heading."""
    head: list[Value] = ["", *(titled(column, language, sheet.currency) for column in sheet.columns)]
    return [
        head,
        *([said(label, language), *(_plain(cell, language) for cell in cells)] for label, cells in sheet.rows),
    ]


def write(sheet: Sheet, form: str, language: str) -> tuple[bytes, str]:
    """A table as ``csv`` (UTF-8 with a mark, so that spreadsheets know) or ``xlsx``; the bytes and their media type."""
    return write_rows(sheet.id, table(sheet, language), form)


def write_book(sheets: Sequence[Sheet], language: str) -> tuple[bytes, str]:
    """Tables as one ``xlsx``, a page of each under its name; the bytes and their media type."""
    names = [texts.TEXTS[language][f"reports.{sheet.id}"] for sheet in sheets]
    return _xlsx({name[:_NAME_MAX]: table(sheet, language) for name, sheet in zip(names, sheets, strict=True)}), _XLSX


def write_rows(name: str, rows: Sequence[Sequence[Value]], form: str) -> tuple[bytes, str]:
    """Plain rows, the first of them the heading, as ``csv`` or ``xlsx``; the bytes and their media type."""
    return (_csv(rows), "text/csv") if form == "csv" else (_xlsx({name: rows}), _XLSX)


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULAS) else text


def _plain(cell: Cell, language: str) -> Value:
    return said(cell.value, language) if isinstance(cell.value, str) else cell.value


def _csv(rows: Sequence[Sequence[Value]]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")


def _xlsx(book: Mapping[str, Sequence[Sequence[Value]]]) -> bytes:
    """Pages by name. Widths and a heading that stays are all the dress there is: a cell holds the value itself."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as made:
        bold = made.add_format({"bold": True})
        for name, rows in book.items():
            page = made.add_worksheet(name)
            page.set_column(0, 0, _LABEL_WIDTH)
            page.set_column(1, _COLUMNS_MAX, _VALUE_WIDTH)
            page.freeze_panes(1, 1)
            for at, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if isinstance(cell, str):
                        page.write_string(at, place, cell, None if at else bold)
                    elif cell is not None:
                        page.write_number(at, place, cell)
    return file.getvalue()
