"""Who is there: login, sessions, and the checks against requests that another site makes a browser send.

A session is an opaque random token in an HttpOnly, SameSite=Strict cookie; the database holds only its SHA-256. It ends
when it is idle or old (by role), at logout, and when the user is disabled. A new one is made at each login.

Guessing passwords and codes is slowed down by ``throttle``; after the password ``second_factor`` may ask for a code.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from dialer import passwords
from dialer.errors import Refused
from dialer.web import schemas, second_factor, throttle
from dialer.web.access import Role
from dialer.web.call import address_of

if TYPE_CHECKING:
    from aiohttp.web import StreamResponse

    from dialer.settings import Settings
    from dialer.store.users import Session, User
    from dialer.web.call import Call, Context

ABSOLUTE = timedelta(hours=12)
#: How long a session may do nothing; people whose page stays open all shift have the shift.
IDLE = {
    Role.OPERATOR: timedelta(hours=12),
    Role.SUPERVISOR: timedelta(hours=12),
}
IDLE_OTHERS = timedelta(minutes=30)
_TOKEN_PREFIX = "dls_"  # noqa: S105 - a shape for the log scrubber
TOKEN_OF_PROGRAM = "dlt_"  # noqa: S105 - same


def cookie_name(settings: Settings) -> str:
    """The ``__Host-`` name binds the cookie to this very host; browsers accept it over https only."""
    return "__Host-dialer_session" if settings.https else "dialer_session"


def hash_token(token: str) -> bytes:
    """What the database knows of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()


def idle_for(role: str) -> timedelta:
    """How long a session of this role may do nothing."""
    return IDLE.get(Role(role), IDLE_OTHERS)


async def session_of(request: web.Request, context: Context) -> Session | None:
    """The session of a request, None when there is none or it has ended; a program's token counts as one."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and given.startswith(TOKEN_OF_PROGRAM):
        return await context.stores.tokens.read(hash_token(given), ip=address_of(request, context.settings))
    token = request.cookies.get(cookie_name(context.settings), "")
    if not token.startswith(_TOKEN_PREFIX):
        return None
    return await context.stores.users.session(hash_token(token), idle_for=idle_for)


def check_origin(request: web.Request, settings: Settings) -> None:
    """Refuse what another site made the browser send.

    Raises:
        Refused: ``access.other_origin``.
    """
    origin = request.headers.get("Origin")
    if origin is None and request.headers.get("Sec-Fetch-Site", "same-origin") in {"same-origin", "none"}:
        return
    own = {settings.public_url} if settings.public_url else {f"http://{request.host}", f"https://{request.host}"}
    if origin not in own:
        raise Refused("access.other_origin", "the request comes from another site", remedy="Use our own pages.")


def check_unsafe(request: web.Request, settings: Settings) -> None:
    """What changes something needs a header no other site can set.

    Raises:
        Refused: ``access.other_origin``, ``access.no_header``.
    """
    check_origin(request, settings)
    if request.headers.get("X-Dialer") != "1":
        raise Refused("access.no_header", "the header X-Dialer is missing", remedy="Send the header X-Dialer: 1.")


async def login(call: Call, ask: schemas.LoginAsk) -> StreamResponse:
    """Check the password, then the code where the user has a second factor, and open a session.

    Raises:
        Refused: ``login.too_many`` (with ``retry_after_s``), ``login.wrong``; ``login.code_needed``,
            ``login.wrong_code``, ``login.used_code``.
    """
    async with throttle.turn(call, ask.login):
        user = await _recognise(call, ask)
        await second_factor.check_login(call, user, ask.code)
    return await enter(call, user)


async def enter(call: Call, user: User) -> StreamResponse:
    """Open a session for somebody who has shown who it is."""
    token = await _open(call, user)
    answer = web.json_response(text=schemas.MeAnswer(user=schemas.Me.model_validate(user)).model_dump_json())
    _set_cookie(answer, call.context.settings, token)
    return answer


async def _recognise(call: Call, ask: schemas.LoginAsk) -> User:
    """The user whose login and password these are."""
    found = await call.stores.users.by_login(ask.login)
    right = await passwords.matches(found.password_hash if found else None, ask.password)
    if found is None or not right or found.user.disabled:
        await throttle.note_wrong(call, ask.login)
        raise Refused("login.wrong", "login or password is wrong", remedy="Check both; case matters.")
    return found.user


async def _open(call: Call, user: User) -> str:
    """A new session; the one the browser came with ends."""
    token = _TOKEN_PREFIX + secrets.token_urlsafe(32)
    if call.session:
        await _close(call, call.session)
    agent = call.request.headers.get("User-Agent", "")[:200].replace("\0", "")
    await call.stores.users.open_session(hash_token(token), user=user, lasts=ABSOLUTE, ip=call.ip, agent=agent)
    return token


def _set_cookie(answer: web.Response, settings: Settings, token: str) -> None:
    answer.set_cookie(
        cookie_name(settings),
        token,
        httponly=True,
        secure=settings.https,
        samesite="Strict",
        path="/",
        max_age=int(ABSOLUTE.total_seconds()),
    )


async def _close(call: Call, session: Session) -> None:
    await call.stores.users.close_session(session.token_hash)
    await call.context.sockets.close(session.token_hash)


async def logout(call: Call) -> StreamResponse:
    """End the session and its open pages."""
    if call.session:
        await _close(call, call.session)
    answer = web.json_response(text=schemas.Done().model_dump_json())
    answer.del_cookie(cookie_name(call.context.settings), path="/", secure=call.context.settings.https, httponly=True)
    answer.headers["Clear-Site-Data"] = '"cache", "cookies"'
    return answer


async def me(call: Call) -> schemas.MeAnswer:
    """The user of this session."""
    return schemas.MeAnswer(user=schemas.Me.model_validate(call.user))


async def set_language(call: Call, ask: schemas.LanguageAsk) -> schemas.MeAnswer:
    """Keep the language of the user's screens."""
    user = await call.stores.users.set_language(call.user.id, ask.language)
    return schemas.MeAnswer(user=schemas.Me.model_validate(user))
