"""One-time codes are those of RFC 6238, and a code is good for its step and its neighbours alone."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core import totp

SECRET = b"12345678901234567890"
#: RFC 6238, appendix B, the rows of SHA-1.
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


@pytest.mark.parametrize(("at_s", "expected"), VECTORS.items())
def test_the_codes_of_the_rfc(at_s, expected):
    step = totp.step_of(datetime.fromtimestamp(at_s, UTC))
    assert totp.code(SECRET, step, digits=8) == expected
    assert totp.code(SECRET, step) == expected[-6:]


@given(st.binary(min_size=20, max_size=20), st.integers(1_000, 4_000_000_000), st.integers(-300, 300))
def test_a_code_is_good_in_its_own_step_and_beside_it(secret, typed_at_s, later_s):
    """And its step is found, so that it is good once."""
    typed = datetime.fromtimestamp(typed_at_s, UTC)
    shown = totp.code(secret, totp.step_of(typed))
    found = totp.matching_step(secret, shown, typed + timedelta(seconds=later_s))
    apart = totp.step_of(typed + timedelta(seconds=later_s)) - totp.step_of(typed)
    if abs(apart) <= totp.SKEW_STEPS:
        assert found is not None
        assert totp.code(secret, found) == shown
    elif found is not None:  # by chance the same six digits
        assert found != totp.step_of(typed)


@pytest.mark.parametrize("typed", ["", "1", "28708", "2870820", "abcdef", "٢٨٧٠٨٢"])
def test_what_is_no_code_is_refused(typed):
    assert totp.matching_step(SECRET, typed, datetime.fromtimestamp(59, UTC)) is None


def test_the_link_says_all_an_app_needs():
    parts = urlsplit(totp.link(SECRET, login="anna@one", issuer="Dialer main"))
    asked = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Dialer%20main:anna@one")
    assert base64.b32decode(asked["secret"][0]) == SECRET
    assert asked["issuer"] == ["Dialer main"]
