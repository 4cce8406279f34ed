"""Reading a base: every row gets its verdict, and no broken row takes another one with it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer import intake
from dialer.errors import Refused

GOOD = "Ann,+12025550101,America/New_York"


def read(*rows: str, header: str = "name,phone,zone", **values):
    return intake.read("\n".join([header, *rows]).encode(), **values)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Ann,,America/New_York", "no_phone"),
        ("Ann", "no_phone"),
        ("Ann,12345,America/New_York", "bad_phone"),
        ("Ann,+1202555010,America/New_York", "bad_phone"),
        ("Ann,+12025550101 ext. 5,America/New_York", "bad_phone"),
        ("Ann,+12025550101,Mars/Olympus", "bad_zone"),
        ("Ann,+12025550101,America/New_York|Mars/Olympus", "bad_zone"),
        ("Ann,+12025550101,America/New_York,surplus", "columns"),
        ("A\0nn,+12025550101,America/New_York", "nul"),
        ('"Ann,+12025550101,America/New_York', "quotes"),
        ('An"n",+12025550101,"America/New_York"x', "quotes"),
    ],
)
def test_a_broken_row_is_named_by_its_line_and_reason_and_the_others_are_read(row, reason):
    other = "Bob,+12025550102,America/New_York"
    rows, rejected = read(row, other)
    assert [(bad.line, bad.reason, bad.text) for bad in rejected] == [(2, reason, row)]
    assert [(good.line, good.name) for good in rows] == [(3, "Bob")]


def test_a_row_keeps_its_numbers_in_order_its_zones_its_priority_and_its_attributes():
    header = "City,Phone2,Name,phone,priority,zone,phone10"
    [row], _ = read(
        "Salem,+44 20 7946 0001,Ann,+1 202-555-0101,7,Europe/London|America/New_York,+12025550102", header=header
    )
    assert row.phones == ["+12025550101", "+442079460001", "+12025550102"]
    assert row.zones == ("America/New_York", "Europe/London")
    assert (row.name, row.priority, row.attributes) == ("Ann", 7, {"City": "Salem"})


@pytest.mark.parametrize("priority", ["10", "-1", "high", "1.5", "²"])
def test_a_priority_is_one_digit(priority):
    _, [bad] = read(f"{GOOD},{priority}", header="name,phone,zone,priority")
    assert bad.reason == "bad_priority"


def test_without_a_zone_the_contact_may_be_in_any_zone_of_its_numbers():
    rows, _ = read("Ann,+12025550101,", "Max,+442079460001,", "Eve,+79161234567,")
    assert rows[0].zones == ("America/New_York",)
    assert rows[1].zones == ("Europe/London",)
    assert len(rows[2].zones) > 1  # a Russian mobile may be anywhere in Russia


def test_the_second_row_with_the_same_number_is_a_repetition_however_it_is_written():
    rows, [bad] = read(GOOD, "Ann again,+1 (202) 555-0101,America/New_York")
    assert ([row.name for row in rows], bad.reason, bad.line) == (["Ann"], "repeated", 3)


def test_a_number_without_plus_needs_a_country():
    assert read("Ann,2025550101,America/New_York")[1][0].reason == "bad_phone"
    [row], _ = read("Ann,2025550101,America/New_York", region="US")
    assert row.phones == ["+12025550101"]


def test_a_cell_in_quotes_may_hold_line_breaks_and_lines_are_still_counted():
    rows, rejected = read('"Ann\nSmith",+12025550101,America/New_York', "Bob,,", "Cy,+12025550103,America/New_York")
    assert [(row.line, row.name) for row in rows] == [(2, "Ann\nSmith"), (5, "Cy")]
    assert [bad.line for bad in rejected] == [4]


def test_blank_lines_are_no_rows():
    rows, rejected = read("", GOOD, ",,", "  ")
    assert (len(rows), rejected) == (1, [])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "base.empty"),
        (b"\n\n", "base.empty"),
        (b"name,zone\nAnn,Europe/London\n", "base.plan"),
        (b"phone" + b"," * 10_000, "base.columns"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_with_a_remedy(data, code):
    with pytest.raises(Refused) as refused:
        intake.read(data)
    assert refused.value.code == code
    assert refused.value.remedy


def test_the_mark_excel_puts_before_utf8_is_no_part_of_the_first_name():
    rows, _ = intake.read(f"\ufeffname,phone,zone\r\n{GOOD}\r\n".encode())
    assert rows[0].name == "Ann"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.integers(0, 99)), max_size=12)
)
def test_every_row_is_loaded_or_rejected_whatever_the_names_hold(people):
    """What a spreadsheet writes is read back: names with quotes, separators, line breaks and strange letters."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["name", "phone", "zone"])
    for name, number in people:
        writer.writerow([name, f"+1202555{100 + number:04}", "America/New_York"])
    rows, rejected = intake.read(text.getvalue().encode())
    assert len(rows) + len(rejected) == len(people)
    assert {bad.reason for bad in rejected} <= {"repeated", "nul"}
    assert len({row.phones[0] for row in rows}) == len(rows)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fall_over(data):
    data = data.decode("utf-8", "ignore").encode()
    rows, rejected = intake.read(b"name,phone,zone\n" + data)
    assert all(bad.line > 1 and bad.reason for bad in rejected)
    assert all(row.phones for row in rows)
