"""Ways in to recordings of conversations; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import recordings, schemas
from dialer.web.access import ADMIN, OPERATOR, Role, Route

_ATTEMPT = "{id:[0-9a-f-]{36}}"
_V1 = "/api/v1"
#: Who may hear some conversation; which, and whether the campaign lets them, is looked at there.
HEARERS = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR, Role.CUSTOMER})

RECORDINGS: tuple[Route, ...] = (
    Route(method="GET", path=f"{_V1}/recordings/{_ATTEMPT}", handler=recordings.read, roles=HEARERS,
          summary="What became of a conversation's recording", answer=schemas.RecordingAnswer),
    Route(method="POST", path=f"{_V1}/recordings/{_ATTEMPT}/link", handler=recordings.link, roles=HEARERS,
          summary="An address to listen at, for a quarter of an hour; audited", answer=schemas.RecordingLink),
    Route(method="PUT", path=f"{_V1}/recordings/{_ATTEMPT}/hold", handler=recordings.hold, roles=ADMIN,
          summary="A legal hold on a recording, or its end; audited", ask=schemas.HoldAsk,
          answer=schemas.RecordingAnswer),
    Route(method="DELETE", path=f"{_V1}/recordings/{_ATTEMPT}", handler=recordings.delete, roles=ADMIN,
          summary="Delete a recording; that it was there stays known; audited", answer=schemas.RecordingAnswer),
    Route(method="GET", path="/recordings/{link:[A-Za-z0-9_-]{59}}", handler=recordings.sound, roles=HEARERS,
          summary="The sound, or a range of it, by a signed address", media="audio/wav", streams=True),
    Route(method="POST", path=f"{_V1}/operator/recording", handler=recordings.wish, roles=OPERATOR,
          summary="Pause the recording of the own conversation, or keep what is said from now on",
          ask=schemas.TapeAsk, answer=schemas.OperatorAnswer),
)  # fmt: skip
