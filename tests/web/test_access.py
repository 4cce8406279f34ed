"""Deny by default: every route answers the roles it names and nobody else."""

from __future__ import annotations

import pytest

from dialer.web import access, scope, scopes
from dialer.web.auth import hash_token
from dialer.web.routes import ROUTES
from tests.web.conftest import CSRF, ROLES

NOBODY = "nobody"


def path_of(route) -> str:
    """A path of this route; what it names does not exist."""
    return (
        route.path.replace("{id:[0-9a-f-]{36}}", "00000000-0000-4000-8000-000000000000")
        .replace("{id:[0-9]{1,18}}", "999999")
        .replace("{link:[A-Za-z0-9_-]{59}}", "A" * 59)
    )


def refusal(route, role) -> set[int]:
    """The statuses by which this role is kept out; empty when it is let in."""
    if access.allowed(route, role):
        return set()
    return ({303} if route.page else {401}) if role == NOBODY else {403}


@pytest.mark.parametrize("role", [NOBODY, *ROLES])
async def test_a_route_answers_exactly_the_roles_it_names(world, role):
    """Nobody is sent to log in, a role that is not named gets 403, and those named get past the door."""
    client = world.visitor() if role == NOBODY else await world.login(role)
    token = role != NOBODY and client.session.cookie_jar.filter_cookies(world.server.make_url("/"))
    for route in ROUTES:
        world.commands.asked.clear()
        if role != NOBODY:  # an earlier route of this round may have ended the session
            world.stores.users.sessions[hash_token(token["dialer_session"].value)] = world.id_of(role)
            client.session.cookie_jar.update_cookies({"dialer_session": token["dialer_session"].value})
        answer = await client.request(route.method, path_of(route), headers=CSRF, allow_redirects=False)
        what = f"{route.method} {route.path}: {answer.status} {await answer.text()}"
        expected = refusal(route, role)
        if expected:
            assert {answer.status} == expected, what
            assert world.commands.asked == [], what
        else:
            assert answer.status not in {401, 403, 500}, what


def test_only_these_ways_in_are_open_to_everybody():
    """A new public route is a decision: it must be added here too."""
    assert {(route.method, route.path) for route in ROUTES if route.public} == {
        ("POST", "/api/v1/login"),
        ("POST", "/api/v1/logout"),
        ("GET", "/health"),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/"),
        ("GET", "/setup"),
        ("POST", "/api/v1/setup"),
        ("GET", "/unsubscribe/{token:[A-Za-z0-9_-]{32}}"),
        ("POST", "/unsubscribe/{token:[A-Za-z0-9_-]{32}}"),
        ("GET", "/reports/stop/{token:[A-Za-z0-9_-]{32}}"),
        ("POST", "/reports/stop/{token:[A-Za-z0-9_-]{32}}"),
    }


def test_contacts_cards_and_commands_of_the_floor_belong_to_operators_alone():
    """No other role can read an operator's card or act in an operator's name."""
    own = [
        r
        for r in ROUTES
        if r.path.split("/")[-2:][0] == "operator" or r.path == "/operator" or "/api/v1/attempts/{" in r.path
    ]
    assert own
    assert all(route.roles == access.OPERATOR for route in own)


async def test_what_is_no_route_does_not_exist(world):
    """An unknown path is 404 with an error in our words, and a known one refuses methods it has not."""
    admin = await world.login("admin")
    answer = await admin.get("/api/v1/secrets")
    assert answer.status == 404
    assert (await answer.json())["error"]["code"] == "request.not_found"
    assert (await admin.delete("/api/v1/campaigns", headers=CSRF)).status == 405


def test_every_number_in_a_path_that_bound_roles_may_name_is_of_a_known_kind():
    """A supervisor of one team or a customer can name no object whose owner is not asked for."""
    own = ("/api/v1/me/sessions/{id:[0-9]{1,18}}", "/api/v1/me/reports/{id:[0-9]{1,18}}")  # by the query itself
    for route in ROUTES:
        if "{id:[0-9]" in route.path and route.roles & scope.BOUND and not route.path.startswith(own):
            assert scope.kind_of(route), route.path


def test_each_scope_of_a_token_opens_routes_that_exist_and_nothing_of_access_or_law():
    """Users, tokens, trunks, loosening and erasing stay with people."""
    for scope_word, lines in scopes.OPENED.items():
        for method, path in lines:
            assert any(r.method == method and r.path.startswith(path) for r in ROUTES), (scope_word, method, path)
    everything = frozenset(scopes.OPENED)
    opened = {f"{r.method} {r.path}" for r in ROUTES if scopes.opens(everything, r)}
    assert not [
        line
        for line in opened
        for word in ("users", "tokens", "trunks", "loosening", "erase", "audit", "/setup")
        if word in line and "GET" not in line
    ]
