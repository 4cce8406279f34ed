"""Ways in to what lies ahead of a campaign; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import ahead, schemas
from dialer.web.access import LEADS, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_V1 = "/api/v1"

AHEAD: tuple[Route, ...] = (
    Route(method="GET", path=f"/campaigns/{_ID}/ahead", handler=ahead.page, roles=READERS, media="text/html",
          summary="What lies ahead of a campaign: results of the shift, the base's end, other plans; or a rehearsal"),
    Route(method="GET", path=f"{_V1}/campaigns/{_ID}/forecast", handler=ahead.shown, roles=READERS,
          summary="The last forecast of a campaign, and how far the next one is", answer=schemas.ForecastAnswer),
    Route(method="POST", path=f"{_V1}/campaigns/{_ID}/forecast", handler=ahead.begin, roles=LEADS,
          summary="Begin a forecast by what is known now, or by what is assumed; ask for it with GET",
          ask=schemas.ForecastAsk, answer=schemas.ForecastAnswer, status=202),
)  # fmt: skip
