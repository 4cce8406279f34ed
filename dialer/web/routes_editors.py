"""Ways in to the editors: scripts and what follows from them; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import disposition_kinds, doctor, offers, schemas, scripts, trials
from dialer.web.access import ADMIN, LEADS, OVERSEERS, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_UUID = "{id:[0-9a-f-]{36}}"
_V1 = "/api/v1"
_HTML = "text/html"
_KINDS = f"{_V1}/campaigns/{_ID}/dispositions"
_SCRIPT = f"{_V1}/campaigns/{_ID}/script"

EDITORS: tuple[Route, ...] = (
    Route(method="GET", path=f"/campaigns/{_ID}/script", handler=scripts.page, roles=READERS, media=_HTML,
          summary="Editor of a campaign's script, with what the operator will see"),
    Route(method="GET", path=_SCRIPT, handler=scripts.read, roles=READERS, summary="A campaign's brief and script",
          ask=schemas.ScriptQuery, answer=schemas.ScriptViewAnswer),
    Route(method="PUT", path=_SCRIPT, handler=scripts.write, roles=LEADS,
          summary="Save a new version of a campaign's brief and script", ask=schemas.ScriptAsk,
          answer=schemas.ScriptViewAnswer),
    Route(method="GET", path=f"{_SCRIPT}/versions", handler=scripts.versions, roles=READERS,
          summary="All versions of a campaign's script", answer=schemas.ScriptVersionsAnswer),
    Route(method="POST", path=f"{_SCRIPT}/check", handler=scripts.check, roles=READERS,
          summary="Dead ends, missing branches and unknown words of a script, saved or not", ask=schemas.ScriptDraft,
          answer=schemas.ScriptCheckAnswer),
    Route(method="GET", path=f"/campaigns/{_ID}/dispositions", handler=disposition_kinds.page, roles=READERS,
          media=_HTML, summary="Editor of a campaign's dispositions"),
    Route(method="GET", path=_KINDS, handler=disposition_kinds.read, roles=READERS,
          summary="A campaign's dispositions, archived ones included", answer=schemas.KindsAnswer),
    Route(method="POST", path=_KINDS, handler=disposition_kinds.add, roles=ADMIN, summary="Add a disposition",
          ask=schemas.KindAsk, answer=schemas.KindsAnswer, status=201),
    Route(method="PATCH", path=_KINDS, handler=disposition_kinds.change, roles=ADMIN,
          summary="Rename, move to another key, archive or change a disposition; its code and numbers stay",
          ask=schemas.KindChange, answer=schemas.KindsAnswer),
    Route(method="PUT", path=f"{_KINDS}/order", handler=disposition_kinds.order, roles=ADMIN,
          summary="Put the dispositions in order", ask=schemas.KindOrder, answer=schemas.KindsAnswer),
    Route(method="GET", path=f"{_V1}/doctor", handler=doctor.serve, roles=OVERSEERS,
          summary="Everything calls need, how it is, and what to do about it", answer=schemas.DoctorAnswer),
    Route(method="POST", path=f"{_V1}/trunks/test-calls", handler=trials.begin, roles=ADMIN, ask=schemas.TestCallAsk,
          summary="Call one's own phone on a trunk", answer=schemas.TestCallAnswer, status=201),
    Route(method="GET", path=f"{_V1}/trunks/test-calls/{_UUID}", handler=trials.show, roles=OVERSEERS,
          summary="How a test call goes", answer=schemas.TestCallAnswer),
    Route(method="GET", path="/offers", handler=offers.page, roles=OVERSEERS, media=_HTML,
          summary="Recorded offers page"),
    Route(method="GET", path=f"{_V1}/offers", handler=offers.read, roles=OVERSEERS, summary="Recorded offers",
          answer=schemas.OffersAnswer),
    Route(method="POST", path=f"{_V1}/offers", handler=offers.upload, roles=ADMIN, ask=schemas.OfferQuery,
          summary="Make an offer of a recording: WAV, FLAC, OGG, AIFF or MP3", answer=schemas.OfferMade,
          upload="application/octet-stream", status=201),
    Route(method="POST", path=f"{_V1}/offers/speech", handler=offers.speak, roles=ADMIN, ask=schemas.SpeechAsk,
          summary="Make an offer of a text that a voice reads", answer=schemas.OfferMade, status=201),
    Route(method="PATCH", path=f"{_V1}/offers/{_ID}", handler=offers.change, roles=ADMIN, ask=schemas.OfferChange,
          summary="Archive an offer, or take it back", answer=schemas.OffersAnswer),
    Route(method="GET", path=f"{_V1}/offers/{_ID}/audio", handler=offers.audio, roles=OVERSEERS, media="audio/wav",
          summary="Listen to an offer"),
)  # fmt: skip
