"""The web application: every request goes through the same door, in the same order.

    headers → session → role → origin → content → handler (30 s) → answer or error

The door is ``_endpoint``; what is behind it is the table ``routes.ROUTES``. There is no other way in.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ValidationError

from dialer.errors import DialerError, Refused
from dialer.intake.desk import Desk
from dialer.seats import Pool
from dialer.web import (
    access,
    admin,
    auth,
    errors,
    files,
    health,
    listening,
    manual,
    offers,
    pages,
    phone,
    scope,
    second_factor,
)
from dialer.web import live as _live
from dialer.web import scopes as token_scopes
from dialer.web.call import CONTEXT, Call, Context, login_needed
from dialer.web.forecasts import Forecasts
from dialer.web.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dialer.engine.ports import Commands, Live
    from dialer.settings import Settings
    from dialer.store.stores import Stores
    from dialer.web.access import Route

HANDLER_BUDGET_S = 30.0
_UPLOAD_BUDGET_S = 300.0

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
#: What is worth packing; it holds no secret that a length could betray: tokens are in cookies alone.
_COMPRESSED = frozenset({"text/html", "application/json"})
_SMALL = 1000
_HSTS = "max-age=31536000"


def create_app(*, stores: Stores, commands: Commands, live: Live, settings: Settings) -> web.Application:
    """The application, ready for an ``AppRunner``. It owns its tasks: they begin and end with it."""
    app = web.Application(client_max_size=access.JSON_BYTES_MAX, middlewares=[_errors])
    forecasts = Forecasts()
    app[CONTEXT] = Context(
        stores=stores,
        commands=commands,
        live=live,
        settings=settings,
        hub=_live.Hub(live, stores, forecasts),
        forecasts=forecasts,
        sockets=_live.Sockets(),
        pulse=health.Pulse(),
        desk=Desk(stores, settings.data_dir / "bases", commands.campaigns_changed),
        pool=Pool(settings.seats_file),
        lines=phone.Lines(),
        watch=listening.Watch(),
        dial_looks=manual.Turnstile(manual.LOOKS_MAX, manual.LOOKS_S),
        dial_calls=manual.Turnstile(manual.CALLS_MAX, manual.CALLS_S),
    )
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _endpoint(route))
    app.router.add_get("/static/{name:.+}", files.serve)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_close_pages)
    app.cleanup_ctx.append(_run_tasks)
    return app


def _endpoint(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The door in front of one route."""

    async def serve(request: web.Request) -> web.StreamResponse:
        context = request.app[CONTEXT]
        call = Call(request=request, context=context, session=await auth.session_of(request, context))
        request[pages.CALL] = call
        if not route.public:
            if call.session is None:
                return pages.to_login(request) if route.page else errors.answer(login_needed())
            if not _open(route, call):
                raise Refused("access.denied", "your role may not do this", remedy="Ask an admin.", role=call.user.role)
            if call.session.must_enrol and not route.enrols:
                return pages.to_enrolment() if route.page else errors.answer(second_factor.needed())
        if not route.safe and not route.by_token and not (call.session and call.session.scopes is not None):
            auth.check_unsafe(request, context.settings)
        if route.socket:
            ask = await _asked(call, route)
            return _answer(await (route.handler(call, ask) if ask else route.handler(call)), route)
        async with asyncio.timeout(_UPLOAD_BUDGET_S if route.upload or route.streams else HANDLER_BUDGET_S):
            ask = await _asked(call, route)
            answer = await (route.handler(call, ask) if ask else route.handler(call))
        return _answer(answer, route)

    return serve


def _open(route: Route, call: Call) -> bool:
    """Whether the route is open to whoever asks: a person by role, a program by the scopes of its token."""
    scopes = call.user_scopes
    return access.allowed(route, call.user.role) if scopes is None else token_scopes.opens(scopes, route)


async def _asked(call: Call, route: Route) -> BaseModel | None:
    """What is asked, checked; and that it is of the asker's own campaigns."""
    ask = await _read(call.request, route) if route.ask else None
    await scope.check(call, route, ask)
    return ask


async def _read(request: web.Request, route: Route) -> BaseModel:
    """What is asked, checked against its schema.

    Raises:
        Refused: ``request.invalid``, ``request.media``.
    """
    if route.ask is None:
        raise AssertionError(route.path)
    try:
        if route.safe or route.upload:
            return route.ask.model_validate(dict(request.query))
        if request.content_type != "application/json":
            raise Refused("request.media", "the body is not JSON", remedy="Send Content-Type: application/json.")
        return route.ask.model_validate_json(await request.read())
    except ValidationError as error:
        raise errors.invalid(error) from None


def _answer(answer: BaseModel | web.StreamResponse, route: Route) -> web.StreamResponse:
    if isinstance(answer, BaseModel):
        answer = web.json_response(text=answer.model_dump_json(), status=route.status)
    if isinstance(answer, web.Response) and answer.content_type in _COMPRESSED and len(answer.text or "") > _SMALL:
        answer.enable_compression()
    return answer


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every error becomes an answer in our words."""
    try:
        return await handler(request)
    except DialerError as error:
        return _refusal(request, error)
    except web.HTTPException as error:
        if error.status < web.HTTPBadRequest.status_code:
            raise
        return _refusal(request, errors.from_http(error), error.status)
    except TimeoutError:
        return _refusal(request, errors.too_slow(request))
    except Exception as error:  # noqa: BLE001 - the last door: logged, told as internal
        return _refusal(request, errors.unexpected(error, request))


def _refusal(request: web.Request, error: DialerError, status: int | None = None) -> web.Response:
    """The error as JSON for programs, as a page for people.

    Raises:
        ConnectionAbortedError: An answer has begun, so that this one would stand in the middle of it: whoever reads it
            sees that it is cut off.
    """
    if request.writer.output_size:
        raise ConnectionAbortedError(error.code)
    answer = errors.answer(error)
    if status is not None:
        answer.set_status(status)
    asked_by_a_person = request.method == "GET" and not request.path.startswith(("/api/", "/static/", "/health"))
    if asked_by_a_person and "text/html" in request.headers.get("Accept", ""):
        return pages.refusal(request, error, answer.status)
    return answer


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app[CONTEXT].settings.https:
        response.headers["Strict-Transport-Security"] = _HSTS
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-cache"  # asked again each time, answered 304
    response.headers.popall("Server", None)


async def _close_pages(app: web.Application) -> None:
    app[CONTEXT].lines.end()
    app[CONTEXT].watch.end()
    await app[CONTEXT].sockets.close_all()


async def _run_tasks(app: web.Application) -> AsyncIterator[None]:
    """The hub and the pulse live as long as the application."""
    context = app[CONTEXT]
    with suppress(DialerError):  # without a database there is nothing to set up yet
        await admin.offer_setup(context)
    await offers.bring(context)
    tasks = [
        asyncio.create_task(context.hub.run(), name="web.hub"),
        asyncio.create_task(context.pulse.run(), name="web.pulse"),
    ]
    yield
    await context.desk.close()
    await context.forecasts.close()
    await context.hub.overview.close()
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
