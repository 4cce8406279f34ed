"""Ways in to letters; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import letter_texts, letters, schemas
from dialer.web.access import ADMIN, BASES, LEADS, PUBLIC, READERS, Role, Route

_ID = "{id:[0-9]{1,18}}"
_V1 = "/api/v1"
_HTML = "text/html"
_OF_CAMPAIGN = f"{_V1}/campaigns/{_ID}/letters"
_LINK = "{token:[A-Za-z0-9_-]{32}}"
_PROGRAMS = ADMIN | {Role.API}

LETTERS: tuple[Route, ...] = (
    Route(method="GET", path="/letters", handler=letters.page, roles=READERS, ask=schemas.LettersQuery, media=_HTML,
          summary="Letters page: what became of each, and why"),
    Route(method="GET", path=f"/letters/{_ID}", handler=letters.one, roles=READERS, media=_HTML,
          summary="One letter with what it said"),
    Route(method="GET", path="/letters/list", handler=letters.fetch_list, roles=LEADS, ask=schemas.LetterListQuery,
          media="text/csv", summary="A list of letters as CSV or XLSX, instead of being sent"),
    Route(method="GET", path=f"{_V1}/letters", handler=letters.find, roles=READERS, ask=schemas.LettersQuery,
          summary="Letters, the newest first; addresses are masked", answer=schemas.LettersAnswer),
    Route(method="GET", path=f"{_V1}/letters/lists", handler=letters.lists, roles=LEADS, ask=schemas.LetterListsQuery,
          summary="Lists of letters that are fetched", answer=schemas.LetterListsAnswer),
    Route(method="POST", path=f"{_V1}/letters/{_ID}/replay", handler=letters.replay, roles=LEADS,
          summary="Try again what was refused or given up", answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/letters/{_ID}/answered", handler=letters.answered, roles=LEADS,
          summary="Somebody wrote back", answer=schemas.Done),
    Route(method="POST", path=f"{_V1}/letters/reports", handler=letters.report, roles=_PROGRAMS,
          upload="application/octet-stream", summary="A mail of the mailbox where bounces and answers come",
          answer=schemas.LetterReportAnswer),
    Route(method="GET", path=f"{_V1}/letters/stops", handler=letters.stops, roles=ADMIN, ask=schemas.LetterStopsQuery,
          summary="Addresses that get no letters", answer=schemas.LetterStopsAnswer),
    Route(method="POST", path=f"{_V1}/letters/stops", handler=letters.stop, roles=ADMIN, ask=schemas.LetterStopAsk,
          summary="No more letters to an address", answer=schemas.Done, status=201),
    Route(method="DELETE", path=f"{_V1}/letters/stops/{_ID}", handler=letters.unstop, roles=ADMIN,
          summary="Letters may go there again", answer=schemas.Done),
    Route(method="GET", path=f"/campaigns/{_ID}/letters", handler=letter_texts.page, roles=READERS | BASES,
          ask=schemas.LetterTextQuery, media=_HTML, summary="Editor of a campaign's letters"),
    Route(method="GET", path=_OF_CAMPAIGN, handler=letter_texts.read, roles=READERS | BASES,
          summary="Rule, sender and texts of a campaign's letters", answer=schemas.CampaignLetters),
    Route(method="PUT", path=f"{_OF_CAMPAIGN}/text", handler=letter_texts.save, roles=BASES, ask=schemas.LetterText,
          summary="Save a new version of a letter", answer=schemas.CampaignLetters),
    Route(method="POST", path=f"{_OF_CAMPAIGN}/preview", handler=letter_texts.preview, roles=READERS | BASES,
          ask=schemas.LetterPreviewAsk, summary="A letter as a contact would get it", answer=schemas.LetterSeen),
    Route(method="POST", path=f"{_OF_CAMPAIGN}/test", handler=letter_texts.test, roles=BASES,
          ask=schemas.LetterTestAsk, summary="Send a letter to oneself", answer=schemas.Done),
    Route(method="PUT", path=f"{_OF_CAMPAIGN}/rule", handler=letter_texts.set_rule, roles=ADMIN,
          ask=schemas.LetterRuleBody, summary="What holds for a campaign's letters", answer=schemas.CampaignLetters),
    Route(method="PUT", path=f"{_OF_CAMPAIGN}/sender", handler=letter_texts.set_sender, roles=ADMIN,
          ask=schemas.LetterSender, summary="In whose name a customer's letters go", answer=schemas.CampaignLetters),
    Route(method="GET", path=f"/unsubscribe/{_LINK}", handler=letters.ask_unsubscribe, roles=PUBLIC, media=_HTML,
          summary="Where a letter leads: whether it was the last one; changes nothing"),
    Route(method="POST", path=f"/unsubscribe/{_LINK}", handler=letters.unsubscribe, roles=PUBLIC, media=_HTML,
          by_token=True, summary="No more letters: by the page, or the mail program's own button (RFC 8058)"),
)  # fmt: skip
