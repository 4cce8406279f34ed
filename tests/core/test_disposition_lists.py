"""A campaign's list of dispositions: digit keys, colours, what cannot be meant, and what may not become softer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import dispositions
from dialer.core.dispositions import DEFAULT
from dialer.core.model import DispositionKind, RetryRule

KIND = DispositionKind(code="x", name_ru="икс", name_en="x")


def test_the_first_ten_have_a_digit_and_the_rest_none():
    keys = [kind.key for kind in dispositions.keyed(DEFAULT)]
    assert keys == [*"1234567890", None, None, None]
    chosen = [replace(KIND, key="7"), KIND]
    assert dispositions.keyed(chosen) == chosen


def test_the_default_list_contradicts_nothing():
    assert [dispositions.contradiction(kind) for kind in DEFAULT] == [None] * len(DEFAULT)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"needs": frozenset({"time"})}, "closes"),
        ({"retry": RetryRule(delay_s=1)}, "closes"),
        ({"closes": False, "dnc_scope": "campaign"}, "dnc_scope"),
        ({"needs": frozenset({"reason"})}, "reasons"),
        ({"reasons": ("price",)}, "reasons"),
        ({"result": True, "refusal": True}, "result"),
        ({"result": True, "verdict": "stale"}, "result"),
    ],
)
def test_what_cannot_be_meant_is_named_by_its_field(changes, field):
    code, where, sentence = dispositions.contradiction(replace(KIND, **changes))
    assert (code.split(".")[0], where) == ("disposition_kind", field)
    assert sentence


@pytest.mark.parametrize(
    ("kind", "shade"),
    [
        ({"result": True}, "success"),
        ({"closes": False, "needs": frozenset({"time"})}, "callback"),
        ({"verdict": "off_target"}, "bad_number"),
        ({"refusal": True, "verdict": "fresh"}, "refusal"),
        ({}, "technical"),
        ({"result": True, "colour": "refusal"}, "refusal"),
    ],
)
def test_a_colour_says_what_the_flags_mean_unless_one_was_chosen(kind, shade):
    assert replace(KIND, **kind).shade == shade


KINDS = st.builds(
    replace,
    st.just(KIND),
    closes=st.booleans(),
    refusal=st.booleans(),
    dnc_scope=st.sampled_from([None, "campaign", "customer", "global"]),
)


@given(KINDS, KINDS)
def test_a_change_softens_exactly_if_some_flag_protects_less(before, after):
    """Closed, refused, forbidden: none of the three may become weaker."""
    widths = {None: 0, "campaign": 1, "customer": 2, "global": 3}
    strength = [(kind.closes, kind.refusal, widths[kind.dnc_scope]) for kind in (before, after)]
    weaker = any(late < early for early, late in zip(*strength, strict=True))
    assert (dispositions.softened(before, after) is not None) == weaker
