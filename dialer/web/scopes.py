"""What a program's token may do: each scope opens some routes, everything else stays closed to tokens.

The table is by method and beginning of the path; a test holds each line to a route that exists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.web.access import Route

_V1 = "/api/v1"
#: Scope -> method and path, with everything below it.
OPENED = {
    "read": (
        ("GET", f"{_V1}/campaigns"),
        ("GET", f"{_V1}/bases/{{id"),
        ("GET", f"{_V1}/contacts"),
        ("GET", f"{_V1}/callbacks"),
        ("GET", f"{_V1}/attempts"),
        ("GET", f"{_V1}/kpi"),
        ("GET", f"{_V1}/leads"),
        ("GET", f"{_V1}/letters"),
        ("GET", f"{_V1}/board"),
        ("GET", f"{_V1}/profiles"),
        ("GET", f"{_V1}/me"),
    ),
    "pacing": (
        ("PATCH", f"{_V1}/campaigns/{{id:[0-9]{{1,18}}}}/pacing"),
        ("POST", f"{_V1}/campaigns/{{id:[0-9]{{1,18}}}}/state"),
    ),
    "bases": (
        ("POST", f"{_V1}/campaigns/{{id:[0-9]{{1,18}}}}/bases"),
        ("POST", f"{_V1}/bases/files"),
        ("GET", f"{_V1}/bases/files"),
    ),
    "do_not_call": (("POST", f"{_V1}/do-not-call"), ("POST", f"{_V1}/consents")),
    "letters": (("POST", f"{_V1}/letters/reports"),),
    "callbacks": (("POST", f"{_V1}/callbacks"),),
}


def opens(scopes: frozenset[str], route: Route) -> bool:
    """Whether a token with these scopes may use the route."""
    return any(
        route.method == method and route.path.startswith(path) for scope in scopes for method, path in OPENED[scope]
    )
