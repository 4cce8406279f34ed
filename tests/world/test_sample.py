"""A sample base calls nobody real, and our own intake takes every row of it."""

from __future__ import annotations

import csv
import io
import re

import phonenumbers
import pytest

from dialer.core import hours
from dialer.intake import read
from dialer.world import sample

DRAMA = re.compile(r"\+1[2-9]\d\d55501\d\d|\+4420794600\d\d|\+442079460[1-9]\d\d")


def test_every_number_is_reserved_for_drama_and_valid_and_used_once():
    """Nobody has these numbers, and phonenumbers accepts them."""
    numbers = [number for number, _ in sample.reserved()]
    assert len(set(numbers)) == len(numbers) > 30_000
    assert all(DRAMA.fullmatch(number) for number in numbers)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers[::97])
    assert sample.CALLER not in numbers


def test_every_zone_is_one_we_know():
    """A contact with a zone nobody knows would never be called."""
    assert all(hours.known(zone) for zone in {zone for _, zone in sample.reserved()})


def test_the_same_seed_gives_the_same_base_of_any_size():
    """Up to what the ranges carry."""
    assert sample.base(50, 3) == sample.base(50, 3) != sample.base(50, 4)
    rows = list(csv.DictReader(io.StringIO(sample.base(len(sample.reserved()), 1))))
    assert len({row["phone"] for row in rows}) == len(sample.reserved())
    with pytest.raises(ValueError):
        sample.base(len(sample.reserved()) + 1, 1)


def test_intake_accepts_all_of_it():
    """No row is rejected."""
    rows, rejected = read(sample.base(500, 1).encode(), region=None)
    assert (len(rows), list(rejected)) == (500, [])
