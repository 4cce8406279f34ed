"""Numbers out of cells: read as phonenumbers reads them, repaired only where nothing has to be guessed."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialer.intake import phones

MOSCOW, SPB = "+74957654321", "+78127654321"


def read(cell, region="RU"):
    found = phones.read(cell, region)
    return [number.e164 for number in found.numbers], found.notes, found.reason


@pytest.mark.parametrize(
    ("cell", "notes"),
    [
        ("+7 (495) 765-43-21", []),
        ("8 495 765 43 21", []),
        ("8(495)765‑43‑21", []),
        ("тел. 8 495 765 43 21", []),
        ("4957654321", ["prefix_lost"]),
        ("74957654321", ["plus_lost"]),
        ("74957654321.0", ["decimal", "plus_lost"]),
        ("84957654321,0", ["decimal"]),
        ("7,4957654321E+10", ["scientific", "plus_lost"]),
        ("7.4957654321e10", ["scientific", "plus_lost"]),
        ("'+74957654321", ["quoted"]),
        ('="84957654321"', ["quoted"]),
    ],
)
def test_damage_is_undone_where_every_digit_is_left_and_said(cell, notes):
    assert read(cell) == ([MOSCOW], notes, "")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("7,9E+10", "rounded"),
        ("7.49577E+10", "rounded"),
        ("7,49576543215E+10", "rounded"),  # half a digit more than a number has
        ("нет", "bad_phone"),
        ("8 800 FLOWERS", "bad_phone"),
        ("84957654З21", "bad_phone"),  # a Cyrillic letter that looks like a three
        ("8 495 765 43 21 Иван", "bad_phone"),
        ("+7 495 765-43-21 доб. 5", "bad_phone"),
        ("0", "bad_phone"),
        ("1" * 300, "bad_phone"),
        ("", ""),
    ],
)
def test_nothing_is_guessed(cell, reason):
    assert read(cell) == ([], [], reason)


@pytest.mark.parametrize("between", [", ", "; ", " / ", "\n", "  ", " или ", " ", "|"])
def test_a_cell_may_hold_several_numbers(between):
    numbers, notes, _ = read(f"84957654321{between}8(812)7654321")
    assert (numbers, notes) == ([MOSCOW, SPB], ["several"])


def test_what_stands_beside_a_good_number_and_is_none_is_left_out_and_said():
    assert read("84957654321/22") == ([MOSCOW], ["left_out"], "")


def test_the_same_number_twice_in_a_cell_is_one():
    assert read("84957654321, +7 495 7654321")[0] == [MOSCOW]


def test_without_a_country_only_numbers_with_a_plus_are_taken():
    assert read("84957654321", None) == ([], [], "bad_phone")
    assert read("+74957654321", None) == ([MOSCOW], [], "")


def test_a_number_of_another_country_needs_its_plus():
    assert read("74957654321", "US") == ([], [], "bad_phone")


DIGITS = st.text("0123456789", min_size=7, max_size=15)
PREFIXES = st.sampled_from(
    ["+", "+7", "+79", "+7495", "+1", "+1202", "+44", "+49", "+380", "8", "8916", "7", "", "810"]
)


@settings(max_examples=1500, deadline=None)
@given(PREFIXES, DIGITS, st.sampled_from(["RU", "US", None]))
@example("810", "1234567", "RU")
@example("+0", "79815722745", "RU")
@example("+5", "491112345678", None)
def test_the_quick_way_says_what_phonenumbers_says(prefix, digits, region):
    """Number, country and zones; where it says nothing phonenumbers is asked anyway."""
    quick = phones._plain(prefix + digits, region)
    assert quick is None or quick == phones._parsed(prefix + digits, region)


@pytest.mark.parametrize("kind", range(11))
def test_the_quick_way_knows_an_example_of_every_kind_in_every_country(kind):
    known = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, kind)
        if number:
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            quick = phones._plain(text, None)
            assert quick is None or quick == phones._parsed(text, None), text
            known += quick is not None
    assert known


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["RU", "US", "DE", None]))
def test_whatever_stands_in_a_cell_becomes_valid_numbers_or_a_reason(cell, region):
    found = phones.read(cell, region)
    assert bool(found.numbers) + bool(found.reason) == (1 if cell.strip() else 0)
    for number in found.numbers:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number.e164))
