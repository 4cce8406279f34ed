"""Text files as they come: their encoding, their delimiter, and their rows, however torn or long these are.

Nothing here reads more of a file into memory than a row, and no row takes another one with it: a torn quote costs its
own line, a line that is too long costs itself.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

from charset_normalizer import from_bytes

from dialer.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: What may be chosen on the page, the likeliest first.
ENCODINGS = (
    *("utf-8", "cp1251", "koi8-r", "cp866", "mac_cyrillic", "iso8859_5", "koi8-u", "utf-16", "utf-16-le", "utf-16-be"),
    *("cp1252", "cp1250", "iso8859_15", "cp1254", "gb18030", "shift_jis"),
)
DELIMITERS = (",", ";", "\t", "|")
#: A line longer than this is no row; no spreadsheet can hold such a cell.
LINE_LENGTH_MAX = 100_000
#: A cell in quotes holds not more line breaks, and not more letters, than this.
CELL_LINES_MAX = 50
CELL_LENGTH_MAX = 32_768
SAMPLE_BYTES = 256 * 1024
_CHUNK_BYTES = 256 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings that a mark makes one of two; without it the one that Windows means.
_MARKED = {"utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)}
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "mac_cyrillic", "iso8859_5")
#: Letters of Russian text by how often they come, per mille (National Corpus of the Russian language).
_OFTEN = dict(
    zip("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (110, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17, 16, 16, 14, 12, 10, 9, 7, 6, 5, 4,
         3, 3, 1, 1), strict=True)
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
#: Of UTF-16, the share of zeros in the bytes that are mostly zero, and in the others.
_ZEROS_MIN, _ZEROS_MAX = 0.3, 0.05
_LETTER_LOST = "\ufffd"
_ABOVE_ASCII = bytes(range(128, 256))
_SAID_BY_EXCEL = re.compile(r'^"?sep=(.)"?\s*$')
_KNOWN = frozenset(codecs.lookup(name).name for name in (*ENCODINGS, "utf-32"))


class Record(NamedTuple):
    """A row of the file that is not blank.

    Attributes:
        line: Where it begins, from 1.
        cells: None if it cannot be cut into cells.
        reason: Then why: ``quotes``, ``too_long``, ``encoding``.
        text: Its first line, whole.
    """

    line: int
    cells: list[str] | None
    reason: str
    text: str


# Encoding --------------------------------------------------------------------


def encoding_of(path: Path) -> str:
    """The encoding a file is most likely in; people see it and may choose another one."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if wide := _without_mark(head):
        return wide
    if _is_utf8(path):
        return "utf-8"
    return _eight_bits(path)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 whose mark was lost: in a row of digits and separators every second byte is 0."""
    even, odd = head[::2], head[1::2]
    if len(odd) < 8:
        return None
    high, low = even.count(0) / len(even), odd.count(0) / len(odd)
    if low > _ZEROS_MIN and high < _ZEROS_MAX:
        return "utf-16-le"
    return "utf-16-be" if high > _ZEROS_MIN and low < _ZEROS_MAX else None


def _is_utf8(path: Path) -> bool:
    """Whether nearly all of the file is; a few broken letters are broken rows, not another encoding."""
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    broken = letters = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            text = decode(chunk)
            if not text.isascii():
                broken += text.count(_LETTER_LOST)
                letters += len(text) - len(chunk.translate(None, delete=_ABOVE_ASCII))
    return broken <= letters // 100


def _eight_bits(path: Path) -> str:
    """Of the encodings with one byte a letter, the one in which the words look most like words."""
    sample = _words_sample(path)
    scores = {name: _russian(sample.decode(name, "replace")) for name in _CYRILLIC}
    best = max(_CYRILLIC, key=lambda name: scores[name])
    if scores[best] > 0:
        return best
    guess = from_bytes(sample, cp_isolation=["cp1252", "cp1250", "cp1254", "gb18030", "shift_jis"]).best()
    return "cp1252" if guess is None or "cp1252" in guess.could_be_from_charset else guess.encoding


def _words_sample(path: Path) -> bytes:
    """Lines that are not plain ASCII, from all over the beginning of the file; none is too long."""
    found, size = [], 0
    with path.open("rb") as file:
        read = 0
        while size < SAMPLE_BYTES // 8 and read < 64 * SAMPLE_BYTES and (line := file.readline(_CHUNK_BYTES)):
            read += len(line)
            if not line.isascii():
                found.append(line[:4096])
                size += len(found[-1])
    return b"".join(found)


def _russian(text: str) -> float:
    """Above 0 if the words with foreign letters are mostly Russian; higher, the more usual their letters are."""
    score = seen = 0.0
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        seen += len(word)
        lower = word.lower()
        if all(letter in _OFTEN for letter in lower):
            usual = sum(_OFTEN[letter] for letter in lower) - 25 * len(word)
            score += usual if word.islower() or word.istitle() or word.isupper() else -25 * len(word)
            score += 5 * len(word) * (word.islower() or word.istitle())
        else:
            score -= 40 * len(word)
    odd = sum(not (letter.isalnum() or letter.isspace() or letter in "№«»–—…°€") for letter in text if letter > "\x7f")
    return (score - 40 * odd) / max(1.0, seen)


def decoder(encoding: str) -> str:
    """The codec's own name.

    Raises:
        Refused: ``base.encoding``: there is no such encoding of texts.
    """
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        name = ""
    if name not in _KNOWN:
        raise Refused("base.encoding", f"Files in {encoding!r} are not read.", remedy=f"Use {', '.join(ENCODINGS)}.")
    return "utf-8-sig" if name == "utf-8" else name


# Rows ------------------------------------------------------------------------


class Lines:
    """The lines of a file with their ends, one after the other, and a few ahead.

    Attributes:
        taken: How many lines were taken so far.
        bytes_read: How much of the file was read, for the progress.
    """

    def __init__(self, path: Path, encoding: str) -> None:
        self._raw = path.open("rb")
        name = decoder(encoding)
        if name in _MARKED and not self._raw.peek(4).startswith(_MARKED[name]):
            name += "-le"
        self._file = io.TextIOWrapper(self._raw, encoding=name, errors="replace", newline="")
        self._file._CHUNK_SIZE = _CHUNK_BYTES  # type: ignore[attr-defined]  # noqa: SLF001  # 8 kB by default: slow
        self._ahead: deque[str] = deque()
        self.taken = 0

    @property
    def bytes_read(self) -> int:
        """For the progress; a little ahead of the rows."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def take(self) -> str:
        """The next line; empty at the end."""
        line = self._ahead.popleft() if self._ahead else self._read()
        self.taken += bool(line)
        return line

    def ahead(self, length_max: int) -> Iterator[str]:
        """The lines after the one taken last, without taking them, as long as they are not longer together."""
        at = 0
        while length_max > 0:
            if at == len(self._ahead):
                line = self._read()
                if not line:
                    return
                self._ahead.append(line)
            length_max -= len(self._ahead[at])
            yield self._ahead[at]
            at += 1

    def _read(self) -> str:
        line = self._file.readline(LINE_LENGTH_MAX + 1)
        if len(line) > LINE_LENGTH_MAX:
            rest = line
            while rest and rest[-1] not in "\r\n":  # of a line that is too long no more than its head is kept
                rest = self._file.readline(_CHUNK_BYTES)
            follows = self._file.read(1) if rest[-1:] == "\r" else ""  # an end may be cut in two
            if follows not in {"", "\n"}:
                self._ahead.append(follows if follows == "\r" else follows + self._file.readline(LINE_LENGTH_MAX))
        return line


def records(lines: Lines, delimiter: str) -> Iterator[Record]:
    """The rows of a file that are not blank.

    A cell in quotes may hold line breaks, but a torn quote must not swallow the rows after it: then only its own line
    is lost, and reading goes on with the next.
    """
    while text := lines.take():
        first = lines.taken
        if len(text) > LINE_LENGTH_MAX:
            yield Record(first, None, "too_long", text[:200])
            continue
        cells = _quoted(text, lines, delimiter) if '"' in text else text.rstrip("\r\n").split(delimiter)
        if cells is None:
            yield Record(first, None, "quotes", text)
        elif _LETTER_LOST in text or (lines.taken > first and any(_LETTER_LOST in cell for cell in cells)):
            yield Record(first, None, "encoding", text)
        elif any(map(str.strip, cells)):
            yield Record(first, cells, "", text)


def _quoted(text: str, lines: Lines, delimiter: str) -> list[str] | None:
    """The cells of a row with quotes; takes the further lines it goes over, none if its quotes are torn."""
    over = 0

    def following() -> Iterator[str]:
        nonlocal over
        yield text
        for line in lines.ahead(CELL_LENGTH_MAX):
            over += 1
            if over >= CELL_LINES_MAX:
                return
            yield line

    try:
        cells = next(csv.reader(following(), delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None
    for _ in range(over):
        lines.take()
    return cells


# Delimiter -------------------------------------------------------------------


def delimiter_of(path: Path, encoding: str) -> str:
    """The delimiter that cuts the first rows most evenly; people see it and may choose another one."""
    first = head(path, encoding, "\0", 1)
    if first and (said := _SAID_BY_EXCEL.match(first[0].text)) and said[1] in DELIMITERS:
        return said[1]
    best = (0.0, 0, DELIMITERS[0])
    for delimiter in DELIMITERS:
        widths = Counter(len(record.cells) for record in head(path, encoding, delimiter, 60) if record.cells)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]))
        if width > 1 and (share := times / widths.total(), min(width, 3)) > best[:2]:
            best = (share, min(width, 3), delimiter)
    return best[2]


def head(path: Path, encoding: str, delimiter: str, rows: int) -> Sequence[Record]:
    """The first rows of a file."""
    lines = Lines(path, encoding)
    try:
        return [record for _, record in zip(range(rows), records(lines, delimiter), strict=False)]
    finally:
        lines.close()
