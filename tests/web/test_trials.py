"""Test calls from the trunks page, over a real PostgreSQL: whose number may be called, and what the log keeps."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer import profiles
from dialer.store.trunks import allowed
from dialer.store.users import Actor
from tests.web.conftest import error_of
from tests.web.test_admin import add, asked
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

PATH = "/api/v1/trunks/test-calls"


@pytest.mark.postgres
async def test_an_admins_own_phone_is_called_and_the_log_has_it_masked(office):  # noqa: F811
    admin = await office.login("admin")
    said = {"trunk": "world", "number": "+7 (495) 123-45-67", "caller_number": "+74950000000"}
    begun = (await asked(admin, "POST", PATH, 201, **said))["call"]
    assert office.commands.asked == [("begin_test_call", "world", "+74951234567", "+74950000000")]
    shown = (await office.get(admin, f"{PATH}/{begun['id']}"))["call"]
    assert (shown["state"], shown["trunk"]) == ("sent", "world")
    line = await office.place.pools.web.fetchrow("SELECT * FROM audit WHERE action = 'trunk.test_call'")
    assert line["after"] == {"phone": "+7495…67", "trunk": "world"}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("trunk", "number", "status", "code"),
    [
        ("world", "112", 422, "test_call.number"),
        ("world", "8 495 123-45-67", 422, "test_call.number"),
        ("world", "+7495\n123456", 422, "test_call.number"),
        ("world", "+78091234567", 422, "test_call.forbidden"),
        ("world", "+881612345678", 422, "test_call.forbidden"),
        ("carrier", "+33123456789", 422, "test_call.forbidden"),
        ("nowhere", "+74951234567", 404, "trunk.not_found"),
    ],
)
async def test_what_may_not_be_called_is_not_called(office, trunk, number, status, code):  # noqa: F811
    """Emergency, premium and satellite numbers, countries that no campaign on the trunk calls; nothing reaches the switch."""
    admin = await office.login("admin")
    await office.place.stores.campaigns.set_trunk("carrier", actor=Actor())
    await office.place.add_campaign("russia", trunk="carrier", profile="ru", state="paused")
    refused = await asked(admin, "POST", PATH, status, trunk=trunk, number=number)
    assert error_of(refused).code == code
    assert office.commands.asked == []
    assert not await office.place.pools.web.fetchval("SELECT count(*) FROM audit WHERE action = 'trunk.test_call'")


@pytest.mark.postgres
async def test_only_admins_place_test_calls(office):  # noqa: F811
    _, auditor = await add(office, "auditor", "auditor")
    await asked(auditor, "POST", PATH, 403, trunk="world", number="+74951234567")
    missing = await asked(auditor, "GET", f"{PATH}/00000000-0000-4000-8000-000000000000", 404)
    assert error_of(missing).code == "test_call.not_found"


@settings(deadline=None)
@given(
    st.sampled_from(profiles.never()),
    st.from_regex(r"[0-9]{4,9}", fullmatch=True),
    st.sampled_from(["world", "carrier"]),
)
def test_no_number_that_is_never_dialled_is_tried(prefix, rest, kind):
    """Whatever the trunk and its campaigns."""
    for used in ([], profiles.names()):
        assert not allowed(prefix + rest, used, kind)
