"""Deny by default: every route answers the roles it names and nobody else."""

from __future__ import annotations

import pytest

from dialer.web import access
from dialer.web.routes import ROUTES
from tests.web.conftest import CSRF, ROLES

NOBODY = "nobody"


def path_of(route) -> str:
    """A path of this route; what it names does not exist."""
    return route.path.replace("{id:[0-9a-f-]{36}}", "00000000-0000-4000-8000-000000000000").replace(
        "{id:[0-9]{1,18}}", "999999"
    )


def refusal(route, role) -> set[int]:
    """The statuses by which this role is kept out; empty when it is let in."""
    if access.allowed(route, role):
        return set()
    return ({303} if route.page else {401}) if role == NOBODY else {403}


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_route_answers_exactly_the_roles_it_names(world, route, role):
    """Nobody is sent to log in, a role that is not named gets 403, and those named get past the door."""
    client = world.visitor() if role == NOBODY else await world.login(role)
    answer = await client.request(route.method, path_of(route), headers=CSRF, allow_redirects=False)
    expected = refusal(route, role)
    if expected:
        assert {answer.status} == expected
        assert world.commands.asked == []
    else:
        assert answer.status not in {401, 403, 500}, await answer.text()


def test_only_these_ways_in_are_open_to_everybody():
    """A new public route is a decision: it must be added here too."""
    assert {(route.method, route.path) for route in ROUTES if route.public} == {
        ("POST", "/api/v1/login"),
        ("POST", "/api/v1/logout"),
        ("GET", "/health"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/"),
    }


def test_contacts_cards_and_commands_of_the_floor_belong_to_operators_alone():
    """No other role can read an operator's card or act in an operator's name."""
    own = [route for route in ROUTES if "/operator" in route.path or "/attempts/{" in route.path]
    assert own
    assert all(route.roles == access.OPERATOR for route in own)


async def test_what_is_no_route_does_not_exist(world):
    """An unknown path is 404 with an error in our words, and a known one refuses methods it has not."""
    admin = await world.login("admin")
    answer = await admin.get("/api/v1/secrets")
    assert answer.status == 404
    assert (await answer.json())["error"]["code"] == "request.not_found"
    assert (await admin.delete("/api/v1/campaigns", headers=CSRF)).status == 405
