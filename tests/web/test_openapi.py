"""The API describes itself: every route is in it, and it is OpenAPI 3.1."""

from __future__ import annotations

import re

import pytest

from dialer.web.openapi import description
from dialer.web.routes import ROUTES


def operations():
    return [
        (path, method, operation)
        for path, methods in description()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_described_and_nothing_else():
    """The table of routes and the description are the same list."""
    described = {(method.upper(), path) for path, method, _ in operations()}
    assert described == {(route.method, re.sub(r"\{(\w+):[^/]*\}", r"{\1}", route.path)) for route in ROUTES}


def test_it_is_served_to_everybody():
    """Whoever writes a client can read it; its version is one a tool understands."""
    assert description()["openapi"] == "3.1.0"
    assert set(description()) == {"openapi", "info", "paths", "components"}
    assert set(description()["info"]) >= {"title", "version"}


def references(part):
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_reference_leads_to_a_schema():
    """No schema is named that is not there."""
    known = {f"#/components/schemas/{name}" for name in description()["components"]["schemas"]}
    assert set(references(description()))
    assert set(references(description())) <= known


def test_operations_have_ids_of_their_own_and_answers():
    """Clients are generated from the ids; each operation tells its good answer and its refusals."""
    ids = [operation["operationId"] for *_, operation in operations()]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations():
        assert {"4XX", "5XX"} < set(operation["responses"]), (method, path)


def test_parameters_of_the_path_are_declared_and_required():
    """As OpenAPI demands: one required path parameter for each name in braces."""
    for path, method, operation in operations():
        declared = {
            parameter["name"]: parameter["required"]
            for parameter in operation["parameters"]
            if parameter["in"] == "path"
        }
        assert declared == dict.fromkeys(re.findall(r"\{(\w+)\}", path), True), (method, path)


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.safe], ids=lambda route: route.path)
def test_what_changes_something_says_which_header_it_needs(route):
    """X-Dialer on every unsafe method, Idempotency-Key on a disposition."""
    path = re.sub(r"\{(\w+):[^/]*\}", r"{\1}", route.path)
    parameters = description()["paths"][path][route.method.lower()]["parameters"]
    headers = {parameter["name"] for parameter in parameters if parameter["in"] == "header"}
    assert headers == {"X-Dialer", "Idempotency-Key"} if path.endswith("/disposition") else {"X-Dialer"}


async def test_the_served_document_is_the_described_one(world):
    """Over HTTP, without a login."""
    answer = await world.visitor().get("/api/v1/openapi.json")
    assert answer.status == 200
    assert await answer.json() == description()
