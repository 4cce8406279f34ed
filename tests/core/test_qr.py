"""QR codes say what was put in: read back here by the way of a scanner, and one held to another encoder's picture."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core import qr

#: What segno, another encoder, draws for these 17 bytes: version 1-L, full, so that no padding is left to taste.
TEXT = "https://dialer.ex"
KNOWN = """
111111101011001111111
100000100101101000001
101110100010001011101
101110100101001011101
101110100111001011101
100000100011101000001
111111101010101111111
000000001000000000000
110110100110101000001
001000010011010001110
010010110100110101111
101101001110110100100
101011100100110000010
000000001110001011110
111111100111110110100
100000100100111001111
101110101110000110001
101110101001001101110
101110100010101111111
100000101011101111111
111111101000111111000
"""


def scanned(modules):
    """The text of a matrix, as a scanner finds it: format, mask, zigzag, blocks without an error, bytes."""
    version = (len(modules) - 17) // 4
    bits = sum(modules[row][8] << place for place, row in enumerate((0, 1, 2, 3, 4, 5, 7, 8)))
    bits |= sum(modules[8][column] << place + 8 for place, column in enumerate((7, 5, 4, 3, 2, 1, 0)))
    level_and_mask = (bits ^ 0x5412) >> 10
    assert level_and_mask >> 3 == 0b01
    blank = [[-1] * len(modules) for _ in modules]
    qr._draw_patterns(blank, version)
    qr._draw_format(blank, 0)
    flips = qr._MASKS[level_and_mask & 7]
    read = [modules[row][column] ^ flips(row, column) for row, column in list(qr.zigzag(blank))]
    count, size, checks = qr._BLOCKS[version - 1]
    total = count * (size + checks)
    values = [int("".join(map(str, read[at * 8 : at * 8 + 8])), 2) for at in range(total)]
    data = [[values[place * count + block] for place in range(size)] for block in range(count)]
    ends = [[values[count * size + place * count + block] for place in range(checks)] for block in range(count)]
    for block, end in zip(data, ends, strict=True):
        assert syndromes([*block, *end], checks) == [0] * checks
    stream = "".join(f"{value:08b}" for block in data for value in block)
    assert stream[:4] == "0100"
    length = int(stream[4:12], 2)
    return bytes(int(stream[12 + 8 * at : 20 + 8 * at], 2) for at in range(length)).decode()


def syndromes(word, checks):
    """The word as a polynomial at the powers of 2; all 0 without an error."""
    found = []
    for exponent in range(checks):
        root, value = 1, 0
        for _ in range(exponent):
            root = qr.times(root, 2)
        for byte in word:
            value = qr.times(value, root) ^ byte
        found.append(value)
    return found


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=100).filter(lambda text: len(text.encode()) <= 230))
def test_a_scanner_reads_what_was_written(text):
    assert scanned(qr.matrix(text)) == text


@pytest.mark.parametrize("length", [17, 18, 32, 33, 53, 54, 78, 79, 106, 107, 134, 135, 154, 155, 192, 193, 230])
def test_each_version_holds_what_the_table_says(length):
    modules = qr.matrix("x" * length)
    assert scanned(modules) == "x" * length
    assert len(modules) in range(21, 54, 4)


def test_the_picture_is_that_of_another_encoder():
    assert ["".join(map(str, line)) for line in qr.matrix(TEXT)] == KNOWN.split()


def test_more_than_fits_is_refused():
    with pytest.raises(ValueError, match="too long"):
        qr.matrix("x" * 231)


def test_the_path_draws_exactly_the_dark_modules():
    modules = qr.matrix("otpauth://totp/Dialer:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Dialer")
    drawn = {
        (int(row), column)
        for left, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", qr.path(modules))
        for column in range(int(left), int(left) + int(length))
    }
    assert drawn == {(row, column) for row, line in enumerate(modules) for column, dark in enumerate(line) if dark}
