"""The worker: ``python -m dialer.intake.work FOLDER`` does to one file what ``ask.json`` says, at low priority.

It has no connection to anything. Its niceness leaves the cores to the calls, its limits of memory and time end a
hostile file, and what it finds it writes beside the file:

    look      ``found.json`` what the file seems to be; of a spreadsheet also ``sheet.csv``
    judge     ``rows.copy`` accepted rows for COPY, ``rejected.tsv`` line and reason of the others
    mend      ``rejected.csv`` the rejected rows as they came, with reasons, to mend and load again

Progress goes to standard output, a JSON line now and then; the end is ``answer.json``.
"""

from __future__ import annotations

import csv
import gc
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dialer.errors import Refused
from dialer.intake import columns, detect, sheets, text
from dialer.intake.folder import ANSWER, ASK, FILE, MENDED, REJECTED, ROWS, SHEET, SHOWN_MAX
from dialer.intake.plan import Plan
from dialer.intake.rows import FORMULA, Rejected
from dialer.intake.verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dialer.store.bases import Lane, Row

MEMORY_BYTES_MAX = 512 * 1024**2
#: CPU time: a spreadsheet is read within a minute, or it is not one.
SHEET_S_MAX = 60
TEXT_S_MAX = 900
TELL_EVERY_S = 0.25
NICENESS = 10
#: Rows leave no circles behind: looking for them seldom is enough.
GARBAGE_ROWS = 100_000
#: A claim looks at each lane: the zones, priorities and countries of numbers that one file may have.
LANES_MAX = 2000
#: Accepted rows that are handed over together.
BLOCK_ROWS = 5_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Told:
    """Tells progress, not too often."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: int, of: int, ready: int = 0) -> None:
        """Bytes or rows done, of how many; above 0: how many bytes of the accepted rows may be read."""
        now = time.monotonic()
        if ready or now >= self._next:
            self._next = now + TELL_EVERY_S
            sys.stdout.write(json.dumps({"done": done, "of": of, "ready": ready}) + "\n")
            sys.stdout.flush()


def limit(seconds: int) -> None:
    """Take the limits on; they cannot be taken off again."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.set_threshold(GARBAGE_ROWS)


def peak_kb() -> int:
    """The most memory this process had; getrusage would count what it was forked from, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def look_at(folder: Path, chosen: Mapping[str, Any], told: Told) -> dict[str, Any]:
    """Unpack a spreadsheet, and look at the columns."""
    file = folder / FILE
    names: list[str] = []
    if sheets.is_sheet(file):
        sheets.check(file)
        names, sheet = sheets.unpack(file, folder / SHEET, chosen.get("sheet"), told)
        chosen = {**chosen, "sheet": sheet, "encoding": "utf-8", "delimiter": ","}
    found = detect.look(text_of(folder, names), chosen, sheets=names)
    return {"plan": found.plan.values(), "sheets": names, "sample": found.sample}


def text_of(folder: Path, names: object) -> Path:
    """The file as text."""
    return folder / (SHEET if names else FILE)


def judge(folder: Path, plan: Plan, told: Told) -> dict[str, Any]:
    """A verdict for each row; what is accepted is ready to be copied into the database."""
    path = text_of(folder, plan.sheet)
    size = path.stat().st_size
    verdicts = Verdicts(path, plan.checked())
    lanes: dict[Lane, int] = {}
    reasons: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    block: list[str] = []
    accepted, agreed = 0, False
    with (
        (folder / ROWS).open("wb") as rows,
        (folder / REJECTED).open("w", encoding="utf-8") as rejected,
    ):
        for row in verdicts:
            if isinstance(row, Rejected):
                reasons[row.reason] += 1
                rejected.write(f"{row.line}\t{row.reason}\n")
                if len(shown) < SHOWN_MAX:
                    shown.append(asdict(row))
            else:
                block.append(copied(row, lanes.setdefault(row.lane, len(lanes))))
                accepted += 1
                agreed = agreed or row.consent is not None
                if len(block) == BLOCK_ROWS:
                    told(verdicts.bytes_read, size, _put(rows, block))
            if not verdicts.rows & 255:
                told(verdicts.bytes_read, size)
        told(size, size, _put(rows, block))
        if len(lanes) > LANES_MAX:
            sentence = f"The file has {len(lanes)} combinations of zones, priorities and countries: above {LANES_MAX}."
            raise Refused("base.lanes", sentence, remedy="Check the zone column.")
    return {
        "rows": accepted + reasons.total(),
        "accepted": accepted,
        "reasons": dict(reasons),
        "notes": dict(verdicts.notes),
        "rejected": shown,
        "lanes": [[*lane] for lane in lanes],
        "lines": verdicts.lines,
        "agreed": agreed,
    }


def _put(rows: BinaryIO, block: list[str]) -> int:
    """Write accepted rows out; how many bytes may be read now."""
    rows.write("".join(block).encode())
    rows.flush()
    block.clear()
    return rows.tell()


def copied(row: Row, lane: int) -> str:
    """An accepted row as a line of COPY's text format."""
    attributes = ", ".join([f"{_quoted(name)}: {_quoted(value)}" for name, value in row.attributes.items()])
    said = f"{row.name}\t{{{attributes}}}"
    if "\\" in said or not row.name.isprintable():  # in JSON every letter that is not printable is written with one
        said = f"{row.name.translate(_ESCAPES)}\t{{{attributes.translate(_ESCAPES)}}}"
    agreed = row.consent.translate(_ESCAPES) if row.consent else "\\N"
    return f"{row.line}\t{said}\t{lane}\t{{{','.join(row.phones)}}}\t{agreed}\n"


def mend(folder: Path, plan: Plan, words: Mapping[str, str], told: Told) -> dict[str, Any]:
    """The rejected rows as they came, and why; opens safely in a spreadsheet, and loads again once mended.

    Args:
        folder: With ``rejected.tsv``.
        plan: As judged.
        words: ``heading`` of the column of reasons, and a sentence for each reason.
        told: Progress.
    """
    path = text_of(folder, plan.sheet)
    reasons = dict(_reasons(folder / REJECTED))
    written = 0
    lines = text.Lines(path, plan.encoding)
    with (folder / MENDED).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, delimiter=plan.delimiter)
        writer.writerow([*map(_harmless, plan.names), words.get("heading", columns.REASON_HEADINGS[0])])
        for record in text.records(lines, plan.delimiter):
            reason = reasons.get(record.line)
            if reason is None:
                continue
            cells = list(record.cells or [record.text.strip("\r\n")])
            cells += [""] * (len(plan.names) - len(cells))
            writer.writerow([*map(_harmless, cells), _harmless(words.get(reason, reason))])
            written += 1
            told(lines.bytes_read, path.stat().st_size)
    lines.close()
    return {"rows": written}


def _reasons(path: Path) -> Iterator[tuple[int, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            number, reason = line.split()
            yield int(number), reason


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; the intake takes the apostrophe off again."""
    clean = cell.replace("\0", "").replace("\r\n", "\n")
    return f"'{clean}" if clean.startswith(FORMULA) else clean


def main(folder: Path) -> int:
    """Do what ``ask.json`` says."""
    ask = json.loads((folder / ASK).read_text(encoding="utf-8"))
    limit(SHEET_S_MAX if ask["command"] == "look" else TEXT_S_MAX)
    told = Told()
    try:
        match ask["command"]:
            case "look":
                answer = look_at(folder, ask["chosen"], told)
            case "judge":
                answer = judge(folder, Plan.of(ask["plan"]), told)
            case _:
                answer = mend(folder, Plan.of(ask["plan"]), ask["words"], told)
    except Refused as error:
        answer = {"error": {"code": error.code, "message": error.message, "remedy": error.remedy}}
    except MemoryError:
        sentence = "The file needs more memory than a base may take."
        answer = {"error": {"code": "base.too_large", "message": sentence, "remedy": "Save it as CSV, or split it."}}
    answer["peak_kb"] = peak_kb()
    (folder / ANSWER).write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
