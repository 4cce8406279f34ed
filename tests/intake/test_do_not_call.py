"""Do-not-call files as they come: a number a line, or a table; each row has its verdict."""

from __future__ import annotations

import pytest

from dialer.intake import do_not_call


async def verdicts(data, region=None):
    return [(row.line, row.verdict, list(row.numbers)) for row in await do_not_call.read(data, region)]


async def test_a_number_a_line_is_read_and_empty_lines_are_no_rows():
    assert await verdicts(b"+1 (202) 555-0100\n\n79161234567\nnobody\n", "RU") == [
        (1, "number", ["+12025550100"]),
        (3, "number", ["+79161234567"]),
        (4, "bad_phone", []),
    ]


async def test_a_number_without_a_plus_is_not_guessed():
    assert await verdicts(b"79161234567\n") == [(1, "bad_phone", [])]


async def test_a_number_nobody_could_have_is_forbidden_all_the_same():
    assert await verdicts(b"+15555555555\n") == [(1, "number", ["+15555555555"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_where_a_heading_names_the_phones_only_they_are_read(delimiter):
    table = [["ИНН", "Телефон", "Имя"], ["7707083893", "8 916 123-45-67", "Ада"], ["7707083894", "", "Джо"]]
    text = "\n".join(delimiter.join(row) for row in table)
    assert await verdicts(text.encode(), "RU") == [(2, "number", ["+79161234567"]), (3, "bad_phone", [])]


async def test_a_row_that_repeats_an_earlier_one_and_a_cut_number_say_so():
    assert await verdicts(b"+79161234567\n89161234567\n7,9E+10\n", "RU") == [
        (1, "number", ["+79161234567"]),
        (2, "repeated", []),
        (3, "rounded", []),
    ]


async def test_several_numbers_of_a_row_are_all_forbidden():
    assert await verdicts(b"+79161234567, +79161234568\n", "RU") == [(1, "number", ["+79161234567", "+79161234568"])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1251", "koi8-r"])
async def test_any_encoding_will_do(encoding):
    rows = await verdicts("Телефон;Имя\n+79161234567;Ада\n".encode(encoding), "RU")
    assert (rows[-1][1], rows[-1][2]) == ("number", ["+79161234567"])


async def test_a_hostile_file_is_only_rows_without_numbers():
    rows = await verdicts(b"\0\0" + b"9" * 3_000_000 + b'\n"torn\n' + b"\xff\xfe;;;\n" + b"=cmd|' /C calc'!A0\n", "RU")
    assert {verdict for _, verdict, _ in rows} == {"bad_phone"}
