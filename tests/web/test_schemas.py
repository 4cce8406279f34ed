"""What is asked is checked before anything is done with it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dialer.web import errors
from dialer.web.routes import ROUTES
from tests.web.conftest import error_of

ASKS = sorted({route.ask for route in ROUTES if route.ask}, key=lambda model: model.__name__)
CANARY = "canary-value"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("ask", ASKS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_whatever_comes_is_an_ask_or_a_refusal_that_repeats_nothing(ask, data):
    """Any JSON, also with the right field names, is either accepted or refused by field, without its values."""
    names = st.sampled_from([*ask.model_fields, "unknown"])
    body = data.draw(VALUES | st.dictionaries(names, VALUES, max_size=5))
    try:
        ask.model_validate_json(json.dumps(body))
    except ValidationError as error:
        refused = errors.invalid(error)
        assert refused.code == "request.invalid"
        assert refused.data["fields"]
        assert CANARY not in refused.message


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"from": "2026-01-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "by": "hour"},
        {"from": "0001-01-01T00:00:00+14:00"},
        {"from": "9999-12-31T23:59:59-14:00"},
        {"from": "2026-01-01T00:00:00"},
        {"by": "phase"},
        {"campaign": "0"},
        {"campaign": str(2**63)},
        {"unknown": "1"},
    ],
    ids=str,
)
async def test_numbers_of_an_impossible_period_are_refused(world, query):
    """Backwards, endless, beyond the calendar, without a zone: 422, and the database is not asked."""
    client = await world.login("supervisor")
    answer = await client.get("/api/v1/kpi", params=query)
    assert answer.status == 422
    assert error_of(await answer.json()).code in {"request.invalid", "request.period"}
