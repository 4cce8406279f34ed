"""The pages people see, in the user's language. Live ones are frames, filled over their WebSocket."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dialer.web import texts
from dialer.web.access import ADMIN, BASES, COUNTERS, CUSTOMERS, LEADS, OVERSEERS, READERS, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.errors import DialerError
    from dialer.store.users import User
    from dialer.web.call import Call

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
#: Where a request keeps its call, once it is known who asks.
CALL: web.RequestKey[Call] = web.RequestKey("call")
_HOME = {
    Role.OPERATOR: "/operator",
    Role.SUPERVISOR: "/board",
    Role.ADMIN: "/board",
    Role.BASE_MANAGER: "/bases",
    Role.AUDITOR: "/campaigns",
    Role.CUSTOMER: "/leads",
}
#: Pages the bar leads to: path, text, and whom they are open to.
_PLACES = (
    ("/board", "board.title", LEADS),
    ("/campaigns", "campaigns.title", READERS),
    ("/attempts", "attempts.title", READERS),
    ("/callbacks", "callbacks.title", READERS),
    ("/leads", "leads.title", READERS | CUSTOMERS),
    ("/reports", "reports.title", COUNTERS),
    ("/bases", "bases.title", BASES),
    ("/letters", "letters.title", READERS),
    ("/do-not-call", "do_not_call.title", READERS),
    ("/people", "people.title", ADMIN),
    ("/trunks", "trunks.title", OVERSEERS),
    ("/rules", "rules.title", READERS | BASES),
    ("/programs", "programs.title", ADMIN),
    ("/webhooks", "webhooks.title", ADMIN),
    ("/audit", "audit.title", OVERSEERS),
    ("/system", "system.title", OVERSEERS),
)
#: Pages that are seldom needed or set up what others work with: behind "More", so that the bar has one row.
_SELDOM = frozenset(
    {"/letters", "/do-not-call", "/people", "/trunks", "/rules", "/programs", "/webhooks", "/audit", "/system"},
)
_SELDOM_MIN = 2
#: What pages of refusals say of their own, by status.
_REFUSALS = frozenset({403, 404, 503})


def page(
    template: str,
    language: str,
    *,
    user: User | None,
    home: str = "",
    help_of: str = "",
    status: int = 200,
    **values: Any,
) -> web.Response:
    """A page of this template in this language; its bar leads where this user may go and marks ``home``.

    Its help is that of ``help_of``, of ``home`` where nothing is said.
    """
    helped = f"help.{help_of or home.strip('/') or 'login'}"
    html = _ENVIRONMENT.get_template(template).render(
        user=user,
        home=home,
        places=_places(user),
        help=helped if helped in texts.TEXTS[language] else None,
        _=texts.translator(language),
        named=partial(_named, language),
        figure=partial(texts.figure, language),
        language=language,
        texts=json.dumps(texts.SCRIPTED[language], ensure_ascii=False),
        **values,
    )
    return web.Response(text=html, content_type="text/html", status=status)


def _places(user: User | None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Where the bar leads this user, path and text: always shown, and behind "More"."""
    own = [(path, text) for path, text, roles in _PLACES if user and Role(user.role) in roles]
    seldom = [place for place in own if place[0] in _SELDOM]
    if len(seldom) < _SELDOM_MIN:
        return own, []
    return [place for place in own if place not in seldom], seldom


def page_for(call: Call, template: str, home: str, **values: Any) -> web.Response:
    """A page for who is logged in, in the language of that user; values as of ``page``."""
    return page(template, call.user.language, user=call.user, home=home, **values)


def address(path: str, asked: Mapping[str, object]) -> str:
    """The address of a list: what is asked of it, without what is None or empty."""
    return f"{path}?{urlencode({name: value for name, value in asked.items() if value not in {None, ''}})}"


def _named(language: str, prefix: str, word: str) -> str:
    """The text of a stable word of ours, or the word itself where nobody translated it."""
    return texts.TEXTS[language].get(f"{prefix}{word}", word)


def refusal(request: web.Request, error: DialerError, status: int) -> web.Response:
    """An error as a page, with a way back; before the login in the browser's language."""
    call: Call | None = request.get(CALL)
    user = call.user if call and call.session else None
    language = user.language if user else language_of(request)
    known = texts.TEXTS[language].get(f"error.{error.code}")
    return page(
        "refusal.html",
        language,
        user=user,
        help_of="refusal",
        status=status,
        code=status,
        kind=status if status in _REFUSALS else 500,
        sentence=known or (error.message if language == "en" else ""),
        back=_HOME.get(Role(user.role), "/") if user else "/",
    )


def language_of(request: web.Request) -> str:
    """The language of whoever is not logged in: chosen on the login page before, else the browser's."""
    chosen = request.query.get("lang") or request.cookies.get("language", "")
    return chosen if chosen in texts.LANGUAGES else texts.preferred(request.headers.get("Accept-Language", ""))


def to_login(_request: web.Request) -> web.Response:
    """Whoever is not logged in is shown where to."""
    return web.Response(status=303, headers={"Location": "/"})


def to_enrolment() -> web.Response:
    """Whoever must set up a second factor is shown where."""
    return web.Response(status=303, headers={"Location": "/me"})


async def front(call: Call) -> web.Response:
    """The login page; who is logged in is sent to the page of the role."""
    if call.session:
        home = "/me" if call.session.must_enrol else _HOME.get(Role(call.user.role))
        if home:
            return web.Response(status=303, headers={"Location": home})
    user = call.user if call.session else None
    return page("login.html", language_of(call.request), user=user)


async def board(call: Call) -> web.Response:
    """The live board."""
    return page_for(call, "board.html", "/board")


async def operator(call: Call) -> web.Response:
    """The operator's page."""
    pool = bool(call.context.pool.seats())
    return page_for(call, "operator.html", "/operator", pool=pool)
