"""QR codes (ISO/IEC 18004) as far as we need them: bytes, error correction L, versions 1 to 9, up to 230 bytes.

A matrix is made in this order: function patterns, which are fixed; the bits of the text with their Reed-Solomon
remainder, in the zigzag of two columns that runs from the lower right; one of eight masks, the least like a pattern.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Matrix = list[list[int]]

#: Of versions 1 to 9 at level L: blocks, data bytes of each, check bytes of each (table 9).
_BLOCKS = (
    (1, 19, 7),
    (1, 34, 10),
    (1, 55, 15),
    (1, 80, 20),
    (1, 108, 26),
    (2, 68, 18),
    (2, 78, 20),
    (2, 97, 24),
    (2, 116, 30),
)
#: Centres of the alignment patterns, in rows and columns alike (annex E).
_CENTRES = ((), (6, 18), (6, 22), (6, 26), (6, 30), (6, 34), (6, 22, 38), (6, 24, 42), (6, 26, 46))
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, _column: row % 2 == 0,
    lambda _row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)
_LEVEL_L = 0b01
_UNSET = -1


def matrix(text: str) -> Matrix:
    """Rows of modules, 1 is dark; without the quiet zone, which is four modules wide.

    Raises:
        ValueError: the text is longer than 230 bytes.
    """
    given = text.encode()
    version = next((n for n, (count, size, _) in enumerate(_BLOCKS, 1) if len(given) + 2 <= count * size), None)
    if version is None:
        raise ValueError("too long for a QR code of these versions")
    bits = [byte >> place & 1 for byte in _interleaved(given, version) for place in range(7, -1, -1)]
    return min((_drawn(version, bits, mask) for mask in range(len(_MASKS))), key=_penalty)


def path(modules: Matrix) -> str:
    """The dark modules as an SVG path, runs of a row as one stroke; one unit is one module."""
    found = []
    for row, line in enumerate(modules):
        column = 0
        for dark, run in groupby(line):
            length = len(list(run))
            found += [f"M{column} {row}h{length}v1h-{length}z"] if dark else []
            column += length
    return "".join(found)


# Bytes ---------------------------------------------------------------------


def _interleaved(given: bytes, version: int) -> list[int]:
    """Mode, length, text and padding, in blocks; first all data bytes by turns, then all check bytes."""
    count, size, checks = _BLOCKS[version - 1]
    bits = f"0100{len(given):08b}" + "".join(f"{byte:08b}" for byte in given) + "0000"
    data = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    data += [(0xEC, 0x11)[number % 2] for number in range(count * size - len(data))]
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    ends = [remainder(block, checks) for block in blocks]
    return [row[place] for rows in (blocks, ends) for place in range(len(rows[0])) for row in rows]


@cache
def _powers() -> tuple[list[int], list[int]]:
    """Powers of 2 in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, and their logarithms."""
    powers, logarithms, value = [0] * 512, [0] * 256, 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = value << 1 ^ (0x11D if value & 0x80 else 0)
    return powers, logarithms


def times(a: int, b: int) -> int:
    """The product in GF(256)."""
    powers, logarithms = _powers()
    return powers[logarithms[a] + logarithms[b]] if a and b else 0


def remainder(data: Sequence[int], checks: int) -> list[int]:
    """Check bytes: what is left of the data after division by (x - 1)(x - 2)(x - 4) and so on."""
    generator = [1]
    for exponent in range(checks):
        root = _powers()[0][exponent]
        shifted = [*generator, 0]
        generator = [a ^ times(b, root) for a, b in zip(shifted, [0, *generator], strict=True)]
    left = [*data, *[0] * checks]
    for place in range(len(data)):
        factor = left[place]
        for offset, value in enumerate(generator):
            left[place + offset] ^= times(value, factor)
    return left[len(data) :]


def _check_bits(value: int, length: int, generator: int) -> int:
    """A value and its BCH remainder behind it."""
    left = value << length
    while left.bit_length() > length:
        left ^= generator << left.bit_length() - generator.bit_length()
    return value << length | left


# Modules ---------------------------------------------------------------------


def _drawn(version: int, bits: Sequence[int], mask: int) -> Matrix:
    modules = [[_UNSET] * (17 + 4 * version) for _ in range(17 + 4 * version)]
    _draw_patterns(modules, version)
    _draw_format(modules, mask)
    flips, given = _MASKS[mask], iter(bits)
    for row, column in zigzag(modules):
        modules[row][column] = next(given, 0) ^ flips(row, column)
    return modules


def _draw_patterns(modules: Matrix, version: int) -> None:
    """Finders with their white borders, alignment, timing, the dark module, and the version."""
    size, centres = len(modules), _CENTRES[version - 1]
    corners = ((3, 3), (3, size - 4), (size - 4, 3))
    for top, left in corners:
        for down, across in product(range(-4, 5), repeat=2):
            if 0 <= top + down < size and 0 <= left + across < size:
                modules[top + down][left + across] = int(max(abs(down), abs(across)) in {0, 1, 3})
    for place in range(8, size - 8):
        modules[6][place] = modules[place][6] = (place + 1) % 2
    for top, left in set(product(centres, repeat=2)) - {(6, 6), (6, size - 7), (size - 7, 6)}:
        for down, across in product(range(-2, 3), repeat=2):
            modules[top + down][left + across] = int(max(abs(down), abs(across)) != 1)
    modules[size - 8][8] = 1
    if version >= 7:
        bits = _check_bits(version, 12, 0x1F25)
        for place in range(18):
            row, column = size - 11 + place % 3, place // 3
            modules[row][column] = modules[column][row] = bits >> place & 1


def _draw_format(modules: Matrix, mask: int) -> None:
    """Level and mask, twice."""
    size, bits = len(modules), _check_bits(_LEVEL_L << 3 | mask, 10, 0x537) ^ 0x5412
    first = [(row, 8) for row in (0, 1, 2, 3, 4, 5, 7, 8)] + [(8, column) for column in (7, 5, 4, 3, 2, 1, 0)]
    second = [(8, size - 1 - place) for place in range(8)] + [(size - 7 + place, 8) for place in range(7)]
    for place in range(15):
        for row, column in (first[place], second[place]):
            modules[row][column] = bits >> place & 1


def zigzag(modules: Matrix) -> Iterator[tuple[int, int]]:
    """Modules without a fixed meaning, in the order of the bits."""
    size, upward = len(modules), True
    for right in (*range(size - 1, 6, -2), 5, 3, 1):
        for row in range(size - 1, -1, -1) if upward else range(size):
            yield from ((row, column) for column in (right, right - 1) if modules[row][column] == _UNSET)
        upward = not upward


def _penalty(modules: Matrix) -> int:
    """How much it looks like a pattern: runs, blocks, false finders, too dark or too light (table 11)."""
    size, columns = len(modules), [list(column) for column in zip(*modules, strict=True)]
    runs = [len(list(run)) for line in (*modules, *columns) for _, run in groupby(line)]
    lines = ["".join(map(str, line)) for line in (*modules, *columns)]
    finders = sum(
        line.startswith(word, at) for line in lines for word in ("10111010000", "00001011101") for at in range(size)
    )
    blocks = sum(
        modules[row][column] == modules[row + 1][column] == modules[row][column + 1] == modules[row + 1][column + 1]
        for row, column in product(range(size - 1), repeat=2)
    )
    dark = sum(map(sum, modules)) * 100 / size**2
    return sum(run - 2 for run in runs if run >= 5) + 3 * blocks + 40 * finders + 10 * int(abs(dark - 50) / 5)
