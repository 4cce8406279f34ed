"""Ways in for supervisors who hear conversations; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import listening, phone, schemas
from dialer.web.access import LEADS, Route

_ID = "{id:[0-9]{1,18}}"
_V1 = "/api/v1"

LISTENING: tuple[Route, ...] = (
    Route(method="POST", path=f"{_V1}/operators/{_ID}/listen", handler=listening.begin, roles=LEADS,
          summary="Hear this operator's conversation on one's own phone: listen, whisper or join; audited",
          ask=schemas.ListenAsk, answer=schemas.ListeningAnswer, status=201),
    Route(method="GET", path=f"{_V1}/listening", handler=listening.now, roles=LEADS,
          summary="What one hears now, or heard last and why it ended", answer=schemas.ListeningAnswer),
    Route(method="PATCH", path=f"{_V1}/listening", handler=listening.change, roles=LEADS,
          summary="Listen, whisper or join in the same call", ask=schemas.ListenMode,
          answer=schemas.ListeningAnswer),
    Route(method="DELETE", path=f"{_V1}/listening", handler=listening.stop, roles=LEADS,
          summary="Hear no more", answer=schemas.ListeningAnswer),
    Route(method="POST", path=f"{_V1}/listening/phone", handler=phone.browser, roles=LEADS,
          summary="The seat's SIP account for a supervisor's phone in the browser", answer=schemas.PhoneAnswer),
    Route(method="POST", path=f"{_V1}/listening/desk-phone", handler=phone.desk, roles=LEADS,
          summary="The seat's SIP account for a supervisor's desk phone; its secret is shown once",
          answer=schemas.DeskPhoneAnswer),
)  # fmt: skip
