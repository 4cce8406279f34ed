"""Ways in to the facts behind the numbers and to the board of promises; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import facts, looks, promises, reports, schemas, shown
from dialer.web.access import CUSTOMERS, READERS, Route

_ID = "{id:[0-9]{1,18}}"
_ATTEMPT = "{id:[0-9a-f-]{36}}"
_HTML = "text/html"

BOARDS: tuple[Route, ...] = (
    Route(method="GET", path="/attempts", handler=facts.attempts, roles=READERS, ask=schemas.AttemptsQuery,
          media=_HTML, summary="Attempts page: the facts behind any number"),
    Route(method="GET", path=f"/attempts/{_ATTEMPT}", handler=facts.attempt, roles=READERS, media=_HTML,
          summary="One attempt with its steps and the decision that placed it"),
    Route(method="GET", path=f"/attempts/{_ATTEMPT}/script", handler=shown.page, roles=READERS, media=_HTML,
          summary="Brief and script as an attempt showed them"),
    Route(method="GET", path=f"/contacts/{_ID}", handler=facts.contact, roles=READERS, media=_HTML,
          summary="One contact with its numbers, attempts and promises"),
    Route(method="GET", path="/callbacks", handler=promises.board, roles=READERS, ask=schemas.PromisesQuery,
          media=_HTML, summary="Board of promises: due, late, kept, broken, moved, with the reason"),
    Route(method="GET", path="/looks", handler=looks.page, roles=READERS, ask=schemas.LooksQuery, media=_HTML,
          summary="Looks before a call: who looked at whom, and what became of it"),
    Route(method="GET", path="/reports", handler=reports.page, roles=READERS | CUSTOMERS, media=_HTML,
          ask=schemas.ReportQuery,
          summary="Reports: numbers of a period drawn and as tables, every cell with its facts"),
    Route(method="GET", path="/reports/export", handler=reports.export, roles=READERS | CUSTOMERS,
          ask=schemas.ReportExportQuery, media="text/csv",
          summary="One table of the reports as CSV or XLSX: exactly what is drawn"),
)  # fmt: skip
