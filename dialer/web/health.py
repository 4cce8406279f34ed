"""Whether the service can do its work: database, switch, lease, and how late its own loop runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from dialer.errors import DialerError
from dialer.web import schemas
from dialer.web.texts import TEXTS, preferred

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.web.call import Call

_BEAT_S = 0.25
#: A loop this late answers no callee in time.
_LAG_MS_MAX = 500.0
_DATABASE_TIMEOUT_S = 2.0


class Pulse:
    """Measures how late the event loop runs: the worst of the last ten seconds, in milliseconds."""

    def __init__(self) -> None:
        self._lags = [0.0] * int(10 / _BEAT_S)

    @property
    def lag_ms(self) -> float:
        """The worst delay of the last ten seconds."""
        return max(self._lags) * 1000

    async def run(self) -> None:
        """Measure until cancelled."""
        loop, beat = asyncio.get_running_loop(), 0
        while True:
            before = loop.time()
            await asyncio.sleep(_BEAT_S)
            self._lags[beat % len(self._lags)] = max(0.0, loop.time() - before - _BEAT_S)
            beat += 1


async def health(call: Call) -> web.Response:
    """200 when calls can be made and saved, else 503; the body says what is wrong."""
    answer = await examine(call)
    return web.json_response(text=answer.model_dump_json(), status=200 if answer.ok else 503)


async def examine(call: Call) -> schemas.Health:
    """What is well and what is not, now."""
    board, lag_ms = call.context.live.board(), call.context.pulse.lag_ms
    lease = await _lease(call)
    problems = []
    if lease is None:
        problems.append("database")
    if not board.switch_up:
        problems.append("switch")
    if lag_ms > _LAG_MS_MAX:
        problems.append("loop_lag")
    language = preferred(call.request.headers.get("Accept-Language", ""))
    word = board.stopped_because
    return schemas.Health(
        ok=not problems,
        database=lease is not None,
        switch=board.switch_up,
        dialing=board.dialing,
        why=TEXTS[language].get(f"stopped.{word}", word) if word else None,
        lease=lease,
        loop_lag_ms=round(lag_ms, 1),
        problems=problems,
    )


async def _lease(call: Call) -> Mapping[str, object] | None:
    """Who dials on this switch by the database, without what would tell about the machine; None when it is silent."""
    try:
        async with asyncio.timeout(_DATABASE_TIMEOUT_S):
            lease = await call.stores.lease(call.context.settings.switch) or {}
    except (DialerError, TimeoutError):
        return None
    return {name: lease[name] for name in ("epoch", "expires_at") if name in lease}
