"""Ways in to dialing by hand; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import manual, schemas
from dialer.web.access import OPERATOR, Route

_DIAL = "/api/v1/operator/dial"

MANUAL: tuple[Route, ...] = (
    Route(method="GET", path=_DIAL, handler=manual.campaigns, roles=OPERATOR,
          summary="Campaigns of the own team in which numbers are dialled by hand", answer=schemas.DialCampaigns),
    Route(method="POST", path=f"{_DIAL}/look", handler=manual.look, roles=OPERATOR,
          summary="What a typed number is understood as, whose it is, and whether it may be called; nothing is called",
          ask=schemas.DialAsk, answer=schemas.DialLook),
    Route(method="POST", path=_DIAL, handler=manual.dial, roles=OPERATOR,
          summary="Call a typed number, if the rules allow it this moment", ask=schemas.DialAsk,
          answer=schemas.OperatorAnswer),
)  # fmt: skip
