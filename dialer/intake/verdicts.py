"""The verdicts of a whole file, row by row, in the memory of one row and one number for each contact."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dialer.intake import detect, text
from dialer.intake.rows import TEXT_LENGTH_MAX, Bad, Judge, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialer.intake.plan import Plan
    from dialer.store.bases import Row


@dataclass(slots=True)
class Verdicts:
    """Reads a file by a plan. Iterate once.

    Attributes:
        lines: Lines of the file so far, whatever stands in them.
        rows: Rows so far, and bytes read, for the progress.
        notes: How many rows had which repair.
    """

    path: Path
    plan: Plan
    lines: int = 0
    rows: int = 0
    bytes_read: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)
    _last: Mapping[int, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Row | Rejected]:
        """Each row under the headings that is not blank, in order."""
        if self.plan.in_file == "update":
            self._last = {_key(row): row.line for row in self._judged() if not isinstance(row, Rejected)}
            yield from map(self._unless_later, self._judged())
        elif self.plan.in_file == "skip":
            yield from self._unless_earlier()
        else:
            yield from self._judged()

    def _judged(self) -> Iterator[Row | Rejected]:
        judge = Judge(self.plan)
        self.notes = judge.notes
        lines = text.Lines(self.path, self.plan.encoding)
        header = self.plan.header_line
        judged = judge.row
        try:
            for record in text.records(lines, self.plan.delimiter):
                if record.line <= header:
                    continue
                self.rows += 1
                try:
                    yield judged(record)
                except Bad as verdict:
                    yield Rejected(line=record.line, reason=str(verdict), text=record.text.strip()[:TEXT_LENGTH_MAX])
                if not self.rows & 255:
                    self.bytes_read = lines.bytes_read
            self.lines = lines.taken
        finally:
            lines.close()

    def _unless_earlier(self) -> Iterator[Row | Rejected]:
        seen: set[int] = set()
        for row in self._judged():
            if isinstance(row, Rejected):
                yield row
            elif (key := _key(row)) in seen:
                yield _repeated(row)
            else:
                seen.add(key)
                yield row

    def _unless_later(self, row: Row | Rejected) -> Row | Rejected:
        return row if isinstance(row, Rejected) or self._last[_key(row)] == row.line else _repeated(row)


def _key(row: Row) -> int:
    """The first number, small: a million of them are kept."""
    return int(row.phones[0][1:])


def _repeated(row: Row) -> Rejected:
    return Rejected(line=row.line, reason="repeated", text=f"{row.name} {row.phones[0]}".strip()[:TEXT_LENGTH_MAX])


def read(data: bytes, *, region: str | None = None) -> tuple[list[Row], list[Rejected]]:
    """The accepted and the rejected rows of a small text file, its columns matched by name and content.

    Args:
        data: The file.
        region: Country (``RU``) for numbers without ``+``; without it they are rejected.

    Raises:
        Refused: ``base.…``: the file as a whole cannot be read.
    """
    rows: list[Row] = []
    rejected: list[Rejected] = []
    with tempfile.TemporaryDirectory(prefix="dialer-intake-") as folder:
        path = Path(folder) / "base"
        path.write_bytes(data)
        for row in Verdicts(path, detect.look(path, {"region": region}).plan.checked()):
            if isinstance(row, Rejected):
                rejected.append(row)
            else:
                rows.append(row)
    return rows, rejected
