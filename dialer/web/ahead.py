"""What lies ahead of a campaign: its page, and the forecast behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import ahead
from dialer.errors import Refused
from dialer.web import pages, schemas
from dialer.web.access import LEADS, Role

if TYPE_CHECKING:
    from aiohttp import web

    from dialer.web.call import Call


async def shown(call: Call) -> schemas.ForecastAnswer:
    """The last forecast, with its time, and how far the next one is."""
    return call.context.forecasts.of(call.id()).answer()


async def begin(call: Call, ask: schemas.ForecastAsk) -> schemas.ForecastAnswer:
    """Begin a forecast; ask again for how far it is.

    Raises:
        NotFound: ``campaign.not_found``.
        Refused: ``forecast.no_window``.
    """
    outset = await call.stores.ahead.outset(call.id(), call.now)
    asked = ahead.Ask(**ask.model_dump())
    check(outset, asked)
    return call.context.forecasts.begin(call.id(), outset, asked).answer()


def check(outset: ahead.Outset, ask: ahead.Ask) -> None:
    """Refuse what there is no forecast of, over the web and on the command line.

    Raises:
        Refused: ``forecast.no_window``.
    """
    if ahead.planned(outset, ask) is None:
        raise Refused(
            "forecast.no_window", "Nobody may be called in the next days.", remedy="See the campaign's rules and hours."
        )


async def page(call: Call) -> web.Response:
    """What lies ahead of a campaign, drawn and in words."""
    row = await call.stores.campaigns.get(call.id())
    return pages.page_for(call, "ahead.html", "/campaigns", campaign=row, leads=Role(call.user.role) in LEADS)
