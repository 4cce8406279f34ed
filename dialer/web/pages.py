"""The pages people see. They hold no data: each is a frame in the user's language, filled over its WebSocket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dialer.web import texts
from dialer.web.access import BASES, LEADS, Role

if TYPE_CHECKING:
    from dialer.store.users import User
    from dialer.web.call import Call

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_HOME = {Role.OPERATOR: "/operator", Role.SUPERVISOR: "/board", Role.ADMIN: "/board", Role.BASE_MANAGER: "/bases"}
#: Pages the bar leads to: path, text, and whom they are open to.
_PLACES = (("/board", "board.title", LEADS), ("/bases", "bases.title", BASES))


def page(template: str, language: str, *, user: User | None, home: str = "", **values: object) -> web.Response:
    """A page of this template in this language; its bar leads where this user may go and marks ``home``."""
    html = _ENVIRONMENT.get_template(template).render(
        user=user,
        home=home,
        places=[(path, text) for path, text, roles in _PLACES if user and Role(user.role) in roles],
        _=texts.translator(language),
        language=language,
        texts=json.dumps(texts.TEXTS[language], ensure_ascii=False),
        **values,
    )
    return web.Response(text=html, content_type="text/html")


def to_login(_request: web.Request) -> web.Response:
    """Whoever is not logged in is shown where to."""
    return web.Response(status=303, headers={"Location": "/"})


async def front(call: Call) -> web.Response:
    """The login page; who is logged in is sent to the page of the role."""
    if call.session:
        home = _HOME.get(Role(call.user.role))
        if home:
            return web.Response(status=303, headers={"Location": home})
    language = call.request.query.get("lang") or texts.preferred(call.request.headers.get("Accept-Language", ""))
    user = call.user if call.session else None
    return page("login.html", language if language in texts.LANGUAGES else "en", user=user)


async def board(call: Call) -> web.Response:
    """The live board."""
    return page("board.html", call.user.language, user=call.user, home="/board")


async def operator(call: Call) -> web.Response:
    """The operator's page."""
    return page("operator.html", call.user.language, user=call.user)
