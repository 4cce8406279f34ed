"""When a national do-not-call list is too old for a profile, and from when on somebody is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dialer.core import registers
from dialer.core.registers import Age
from tests.core.make import NOON, PROFILE

AMERICAN = replace(PROFILE, national_lists=("us-dnc",), list_max_age_days=31)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "age"), [(0, Age.WELL), (23.9, Age.WELL), (24.1, Age.SOON), (31, Age.SOON), (31.1, Age.TOO_OLD)]
)
def test_a_list_is_told_of_a_week_before_it_is_too_old(days, age):
    [found] = registers.needed(AMERICAN, {"us-dnc": NOON - days * DAY}, NOON)
    assert (found.age, found.too_old_at) == (age, NOON - days * DAY + 31 * DAY)


def test_a_list_that_was_never_imported_is_missing():
    [found] = registers.needed(AMERICAN, {"uk-tps": NOON}, NOON)
    assert (found.age, found.imported_at, found.too_old_at) == (Age.MISSING, None, None)


def test_a_profile_without_lists_needs_none():
    assert registers.needed(PROFILE, {}, NOON) == []
