"""How an unanswered call ended, in the words of the product."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami.causes import DEFAULT, UNEXPLAINED, WORDS, outcome
from dialer.core.model import Outcome

CAUSES = st.integers(0, 255)
SIP_CODES = st.none() | st.integers(100, 699)
OVERRIDES = st.dictionaries(
    st.integers(0, 255).map(str)
    | st.tuples(st.integers(0, 255), st.integers(100, 699)).map(lambda k: f"{k[0]}/{k[1]}"),
    st.sampled_from(sorted(WORDS)),
)


@pytest.mark.parametrize(
    ("cause", "sip_code", "word"),
    [
        (17, 486, "busy"),
        (1, 404, "invalid_number"),
        (21, 403, "rejected"),
        (34, 503, "congestion"),
        (27, 502, "failed"),
        (19, 480, "no_answer"),
        (19, None, "no_answer"),
        (18, 408, "no_answer"),
        (28, 484, "invalid_number"),
        (21, 407, "failed"),
        (0, None, "failed"),
        (127, 420, "failed"),
    ],
)
def test_each_ending_seen_on_a_real_line_has_its_outcome(cause, sip_code, word):
    assert outcome(cause, sip_code) == word


def test_the_carrier_who_says_1_where_nobody_picked_up_is_corrected_on_its_trunk():
    assert outcome(1, 404, {"1": "no_answer"}) == "no_answer"
    assert outcome(1, 404, {"1/404": "no_answer"}) == "no_answer"
    assert outcome(1, 410, {"1/404": "no_answer"}) == "invalid_number"


def test_an_exact_line_beats_a_general_one_and_the_trunks_beat_ours():
    overrides = {"21": "no_answer", "21/403": "invalid_number"}
    assert outcome(21, 403, overrides) == "invalid_number"
    assert outcome(21, 603, overrides) == "no_answer"
    assert outcome(21, 407, {"21": "busy"}) == "busy"  # although our own table has 21/407


@given(CAUSES, SIP_CODES, OVERRIDES)
def test_every_ending_has_exactly_one_outcome_of_the_product(cause, sip_code, overrides):
    word = outcome(cause, sip_code, overrides)
    assert word in WORDS
    candidates = [
        table[key] for table in (overrides, DEFAULT) for key in (f"{cause}/{sip_code}", str(cause)) if key in table
    ]
    assert word == (candidates or [UNEXPLAINED])[0]


def test_the_words_are_outcomes_of_the_dialer():
    """The rooms do not import each other; this holds them together."""
    assert set(Outcome) >= WORDS >= set(DEFAULT.values())
