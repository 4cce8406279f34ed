"""The description of the API (OpenAPI 3.1), made of the route table and the same models that check the requests."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from aiohttp import web
from pydantic.json_schema import models_json_schema

from dialer.web import schemas

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dialer.web.access import Route
    from dialer.web.call import Call

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+):((?:[^{}]|\{[^{}]*\})*)\}")
_REFUSALS = {"4XX": "Refused: see error.code", "5XX": "Not possible now"}


async def serve(_call: Call) -> web.Response:
    """The description itself."""
    return web.json_response(description())


@cache
def description() -> dict[str, Any]:
    """The whole document."""
    from dialer.web.routes import ROUTES  # noqa: PLC0415 - the table names this handler

    asked = [(route.ask, "validation") for route in ROUTES if route.ask and _has_body(route)]
    answered = [(route.answer, "serialization") for route in ROUTES if route.answer]
    models = dict.fromkeys([*asked, *answered, (schemas.ErrorAnswer, "serialization")])
    names, definitions = models_json_schema(list(models), ref_template=_REF)  # type: ignore[arg-type]  # modes are literals
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Dialer",
            "version": "1.0.0",
            "description": "Unsafe methods need the header X-Dialer: 1. Times are ISO 8601 with a zone.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "dialer_session"}},
        },
    }


def _has_body(route: Route) -> bool:
    return not route.safe and route.upload is None


def _path(route: Route) -> str:
    return _PARAMETER.sub(r"{\1}", route.path)


def _operation(route: Route, names: Any) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', _path(route)).strip('_') or 'front'}",
        "summary": route.summary,
        "description": "Open to everybody."
        if route.public
        else "Roles: " + ", ".join(sorted(role.value for role in route.roles)) + ".",
        "security": [] if route.public else [{"session": []}],
        "parameters": _parameters(route),
        "responses": _responses(route, names),
    }
    if route.upload:
        operation["requestBody"] = {"required": True, "content": {route.upload: {"schema": {"type": "string"}}}}
    elif route.ask and _has_body(route):
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": names[route.ask, "validation"]}},
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{pattern}$"}}
        for name, pattern in _PARAMETER.findall(route.path)
    ]
    if not route.safe and not route.by_token:
        found.append({"name": "X-Dialer", "in": "header", "required": True, "schema": {"const": "1"}})
    if route.path.endswith("/disposition"):
        key = {"type": "string", "minLength": 1, "maxLength": 200}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    if route.ask and not _has_body(route):
        found += _query(route.ask)
    return found


def _query(ask: type[BaseModel]) -> list[dict[str, Any]]:
    schema = ask.model_json_schema(by_alias=True, ref_template=_REF)
    shared = schema.get("$defs", {})

    def whole(part: Any) -> Any:
        """Query models are small: what they refer to is written out."""
        if isinstance(part, dict):
            if "$ref" in part:
                return whole(shared[part["$ref"].rpartition("/")[2]])
            return {name: whole(value) for name, value in part.items()}
        return [whole(item) for item in part] if isinstance(part, list) else part

    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": whole(value)}
        for name, value in schema.get("properties", {}).items()
    ]


def _responses(route: Route, names: Any) -> dict[str, Any]:
    refusals = {
        status: {"description": text, "content": {"application/json": {"schema": names[_ERROR]}}}
        for status, text in _REFUSALS.items()
    }
    if route.socket:
        told = f"WebSocket; each message is a {_name(route.answer)}" if route.answer else "WebSocket"
        return {"101": {"description": told}, **refusals}
    schema = names[route.answer, "serialization"] if route.answer else {}
    if route.page:
        schema = {"type": "string"}
    done = {"description": _name(route.answer) or route.summary, "content": {route.media: {"schema": schema}}}
    unwell = {"503": done} if route.answer is schemas.Health else {}
    return {str(route.status): done, **unwell, **refusals}


_ERROR = (schemas.ErrorAnswer, "serialization")


def _name(model: type[BaseModel] | None) -> str:
    return model.__name__ if model else ""
