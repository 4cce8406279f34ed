"""Who may do what: roles, and the route that carries the roles it is open to.

Deny by default: a path that is no ``Route`` does not exist, and a route answers only the roles it names. The whole
matrix is ``dialer.web.routes.ROUTES``, one line per route; a test tries each line with every role.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.web import StreamResponse
    from pydantic import BaseModel

#: Largest bodies: of a request in JSON, and of a file of contacts.
JSON_BYTES_MAX = 256 * 1024
UPLOAD_BYTES_MAX = 64 * 1024 * 1024


class Role(StrEnum):
    """What a user may be; the same words as in the database."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    BASE_MANAGER = "base_manager"
    ADMIN = "admin"
    AUDITOR = "auditor"
    CUSTOMER = "customer"
    API = "api"


EVERYONE = frozenset(Role)
OPERATOR = frozenset({Role.OPERATOR})
LEADS = frozenset({Role.SUPERVISOR, Role.ADMIN})
BASES = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.BASE_MANAGER})
READERS = LEADS | {Role.AUDITOR}
ADMIN = frozenset({Role.ADMIN})
OVERSEERS = frozenset({Role.ADMIN, Role.AUDITOR})
PEOPLE = EVERYONE - {Role.API}
CUSTOMERS = frozenset({Role.CUSTOMER})
#: Who reads numbers: of all, of own campaigns, of own bases.
COUNTERS = READERS | CUSTOMERS | {Role.BASE_MANAGER}
#: Who may have a second factor; operators share a floor, and programs have tokens.
FACTORED = EVERYONE - {Role.OPERATOR, Role.API}

#: Open to whoever comes, logged in or not. Not the same as EVERYONE.
PUBLIC: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way in.

    Attributes:
        roles: Who may; ``PUBLIC`` (empty) is open without a login.
        ask: Model of what is asked: of the query string for GET and uploads, else of the JSON body. The handler gets
            it as its second argument.
        answer: Model of the JSON answer; None for a page or another kind of content.
        media: Content type of the answer.
        upload: The body is a streamed file of this content type instead of JSON.
        socket: A WebSocket; ``answer`` is what it pushes.
        by_token: A public way that changes something by a token in its path alone; whose session the browser has does
            not matter, so another site has nothing to borrow.
        streams: The answer may take as long as the other side reads.
        enrols: Open also to who must set up a second factor before anything else.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[BaseModel | StreamResponse]]
    roles: frozenset[Role]
    summary: str
    ask: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    media: str = "application/json"
    upload: str | None = None
    socket: bool = False
    by_token: bool = False
    streams: bool = False
    enrols: bool = False

    @property
    def public(self) -> bool:
        """Whether it is open without a login."""
        return not self.roles

    @property
    def safe(self) -> bool:
        """Whether it changes nothing, so that a browser may be led to it."""
        return self.method == "GET"

    @property
    def page(self) -> bool:
        """Whether people see it, so that a refusal is a page too."""
        return self.media == "text/html"


def allowed(route: Route, role: str) -> bool:
    """Whether a user of this role may use the route."""
    return route.public or role in route.roles
