"""Files out of a seed, ugly ones made uglier; and what must be true of every one of them.

A file is refused as a whole, or each of its rows is loaded or rejected: rows are counted from outside, on the decoded
text, and by what would be copied into the database.
"""

from __future__ import annotations

import csv
import io
import random
import re
import time
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dialer.errors import Refused
from dialer.intake import text, work
from dialer.intake.folder import FILE, REJECTED, ROWS
from dialer.intake.plan import POLICIES, Plan
from dialer.intake.rows import REASONS
from tests.intake.ugly import Ugly, files, repacked

HANG_S = 2.0
_LINE_END = re.compile(r"\r\n|\r|\n")
_COPIED = re.compile(
    rb"\d+\t[^\t\n]*\t\{[^\t\n]*\}\t\d+\t\{\+[1-9]\d{6,14}(?:,\+[1-9]\d{6,14})*\}\t(?:\\N|\{[^\t\n]*\})\n"
)
_NASTY = (
    *(
        b'"',
        b"'",
        b"\0",
        b"\n",
        b"\r",
        b"\r\n",
        b";",
        b",",
        b"\t",
        b"|",
        b"\\",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
    ),
    *(b'""', b'"\n"', b"\xff", b"\x80", b"\xe2\x80\xa8", b"=1+1", b"7,9E+10", b"79161234567.0", b"8 916 123-45-67"),
    *(b"x" * 5000, b'"' * 300, b"\n" * 300, b"," * 400, b"+" * 50, b"1" * 400, b"\\.", b"\\N", b"{", b"\x85", b"\x1a"),
)
_CELLS = ("Иван", "8 916 123-45-67", "", " ", '"', "a\nb", "a\r\nb", "a,b;c|d\te", "=1+1", "\\N", "\u2028", "\x85", "\x0b",
          "é", "👍", "+79161234567", "84957654321", "Europe/Moscow", "0", "'+1", "x" * 300)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What became of a file.

    Attributes:
        rows: In it; 0 if it was refused.
        accepted: Of them.
        seconds: CPU time.
        failure: What must not be; empty if all is well.
    """

    seed: int
    rows: int = 0
    accepted: int = 0
    seconds: float = 0.0
    failure: str = ""


@cache
def _ugly() -> list[Ugly]:
    return [ugly for ugly in files() if len(ugly.data) < 20_000]


def make(seed: int) -> tuple[bytes, int | None]:
    """A file, and how many rows it has where that is known."""
    rng = random.Random(seed)
    if rng.random() < 0.25:
        return _written(rng)
    data = rng.choice(_ugly()).data
    if data[:2] == b"PK" and rng.random() < 0.7:
        try:
            return repacked(
                data, lambda _name, content: _mutated(rng, content) if rng.random() < 0.3 else content
            ), None
        except (zipfile.BadZipFile, ValueError):
            pass
    if rng.random() < 0.3:
        data += rng.choice(_ugly()).data
    return _mutated(rng, data), None


def _written(rng: random.Random) -> tuple[bytes, int]:
    """What a spreadsheet writes: however hostile the cells, the rows are known."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=rng.choice(",;\t|"), quoting=csv.QUOTE_ALL, lineterminator=rng.choice(["\n", "\r\n"])
    )
    writer.writerow(["name", "phone", "note"])
    count = rng.randint(0, 30)
    for number in range(count):
        writer.writerow([rng.choice(_CELLS), f"+7916{rng.randrange(10**6, 10**7)}", f"{number} {rng.choice(_CELLS)}"])
    return out.getvalue().encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"])), count


def _mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 8, 20])):
        at = rng.randint(0, len(changed))
        match rng.randrange(6):
            case 0 | 1:
                changed[at:at] = rng.choice(_NASTY) * rng.choice([1, 1, 1, 3, 30])
            case 2:
                del changed[at : at + rng.choice([1, 2, 10, 1000])]
            case 3 if changed:
                changed[at % len(changed)] = rng.randrange(256)
            case 4:
                changed[at:at] = changed[: rng.choice([1, 50, 2000])]
            case _:
                changed[at:at] = rng.randbytes(rng.choice([1, 4, 64]))
    return bytes(changed)


def judge(seed: int, folder: Path) -> Verdict:
    """Make a file, read it as the worker does, and look whether every row is accounted for."""
    data, known = make(seed)
    (folder / FILE).write_bytes(data)
    rng = random.Random(-seed)
    forced = rng.choice(text.ENCODINGS) if rng.random() < 0.1 else ""
    known = None if forced else known
    started = time.process_time()
    try:
        found = work.look_at(folder, {"encoding": forced}, _untold)
        chosen = {"in_file": rng.choice(POLICIES), "zone": "Europe/Moscow", "region": "RU"}
        plan = Plan.of({**found["plan"], **chosen}).checked()
        answer = work.judge(folder, plan, _untold)
        work.mend(folder, plan, {}, _untold)
    except Refused as refused:
        lost = "a file with rows was refused" if known else ""
        named = refused.code.startswith("base.") and refused.remedy
        return Verdict(
            seed, seconds=time.process_time() - started, failure=lost if named else f"no remedy: {refused.code}"
        )
    except Exception as error:  # noqa: BLE001 - whatever else happens is what is looked for
        return Verdict(seed, failure=f"{type(error).__name__}: {error}")
    seconds = time.process_time() - started
    failure = _failure(folder, plan, answer, known)
    if seconds > HANG_S:
        failure = failure or f"took {seconds:.1f} s"
    return Verdict(seed, answer["rows"], answer["accepted"], seconds, failure)


def _untold(*_: Any) -> None:
    pass


def _failure(folder: Path, plan: Plan, answer: dict[str, Any], known: int | None) -> str:
    """What does not add up."""
    copied = [line + b"\n" for line in (folder / ROWS).read_bytes().split(b"\n")[:-1]]
    rejected = [line.split("\t") for line in (folder / REJECTED).read_text(encoding="utf-8").splitlines()]
    lines = [int(line.split(b"\t", 1)[0]) for line in copied] + [int(line) for line, _ in rejected]
    data = work.text_of(folder, plan.sheet).read_bytes()
    codec = text.decoder(plan.encoding)
    marked = codec not in {"utf-16", "utf-32"} or data[:2] in {b"\xff\xfe", b"\xfe\xff", b"\0\0"}
    raw = data.decode(codec if marked else f"{codec}-le", "replace")
    ended = _LINE_END.split(raw)
    ended = ended[:-1] if ended[-1] == "" else ended
    checks = {
        "accepted rows are not those copied": len(copied) == answer["accepted"],
        "rejected rows are not those told": len(rejected) == sum(answer["reasons"].values()),
        "rows in are not rows loaded and rejected": answer["rows"] == len(lines),
        "a row has two verdicts": len(set(lines)) == len(lines),
        "a row cannot be copied": all(_COPIED.fullmatch(line) for line in copied),
        "a reason nobody knows": {reason for _, reason in rejected} <= set(REASONS),
        f"{len(ended)} lines are {answer['lines']}": len(ended) == answer["lines"],
        f"{known} rows are {answer['rows']}": known is None or known == answer["rows"],
        "a line is lost": not _lost(ended, set(lines), plan),
    }
    return next((what for what, holds in checks.items() if not holds), "")


def _lost(lines: list[str], begun: set[int], plan: Plan) -> list[int]:
    """Lines that are not blank and no part of any row: neither its first line, nor inside its quotes."""
    lost, quoted = [], 0
    for number, line in enumerate(lines, 1):
        if number in begun or number <= plan.header_line:
            quoted = number if '"' in line else quoted
        elif line.translate(str.maketrans("", "", '"' + plan.delimiter)).strip() and not 0 < number - quoted < 50:
            lost.append(number)
    return lost
