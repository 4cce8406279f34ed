"""Ways in to the facts behind the numbers and to the board of promises; part of the one table in ``routes``."""

from __future__ import annotations

from dialer.web import again, facts, looks, promises, report_mail, reports, return_calls, schemas, shown
from dialer.web.access import COUNTERS, PUBLIC, READERS, Route
from dialer.web.reports import MAILED

_ID = "{id:[0-9]{1,18}}"
_ATTEMPT = "{id:[0-9a-f-]{36}}"
_HTML = "text/html"
_MAIL = "/api/v1/me/reports"
_LINK = "{token:[A-Za-z0-9_-]{32}}"

_BY_MAIL = (
    Route(method="GET", path="/reports/mail", handler=report_mail.page, roles=MAILED, ask=schemas.ReportMailQuery,
          media=_HTML, summary="Reports by mail: what is sent when, to whom, and what became of it"),
    Route(method="GET", path=f"/reports/stop/{_LINK}", handler=report_mail.ask_stop, roles=PUBLIC, media=_HTML,
          summary="Where the link of a report leads: whether it was the last one"),
    Route(method="POST", path=f"/reports/stop/{_LINK}", handler=report_mail.stop, roles=PUBLIC, media=_HTML,
          by_token=True, summary="A report was the last one, by its link or the mail program's own button"),
    Route(method="GET", path=_MAIL, handler=report_mail.read, roles=MAILED, answer=schemas.SubscriptionsAnswer,
          summary="One's own reports by mail; an admin's are all"),
    Route(method="POST", path=_MAIL, handler=report_mail.add, roles=MAILED, ask=schemas.SubscriptionAsk, status=201,
          summary="A report to send on schedule", answer=schemas.SubscriptionsAnswer),
    Route(method="PUT", path=f"{_MAIL}/{_ID}", handler=report_mail.change, roles=MAILED, ask=schemas.SubscriptionAsk,
          summary="Change all of a report by mail", answer=schemas.SubscriptionsAnswer),
    Route(method="PATCH", path=f"{_MAIL}/{_ID}", handler=report_mail.pause, roles=MAILED,
          ask=schemas.SubscriptionPause, summary="Stop a report by mail, or let it go on",
          answer=schemas.SubscriptionsAnswer),
    Route(method="DELETE", path=f"{_MAIL}/{_ID}", handler=report_mail.remove, roles=MAILED, answer=schemas.Done,
          summary="Forget a report by mail"),
    Route(method="POST", path=f"{_MAIL}/{_ID}/send", handler=report_mail.send_now, roles=MAILED, answer=schemas.Done,
          summary="A trial of a report, to one's own address"),
    Route(method="GET", path=f"{_MAIL}/{_ID}/letters", handler=report_mail.history, roles=MAILED,
          ask=schemas.ReportLettersQuery, summary="What became of a report's letters",
          answer=schemas.ReportLettersAnswer),
    Route(method="PUT", path="/api/v1/me/address", handler=report_mail.set_address, roles=MAILED,
          ask=schemas.OwnAddressAsk, summary="Where one's own reports go", answer=schemas.Done),
)  # fmt: skip

BOARDS: tuple[Route, ...] = (
    *_BY_MAIL,
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
    Route(method="GET", path=f"/campaigns/{_ID}/again", handler=again.page, roles=READERS, ask=schemas.AgainQuery,
          media=_HTML, summary="Calling again: rules after outcomes and dispositions, passes of a base"),
    Route(method="GET", path="/looks", handler=looks.page, roles=READERS, ask=schemas.LooksQuery, media=_HTML,
          summary="Looks before a call: who looked at whom, and what became of it"),
    Route(method="GET", path="/returns", handler=return_calls.page, roles=READERS, ask=schemas.ReturnsQuery,
          media=_HTML, summary="Return calls: who called the shown number, and whether somebody served them"),
    Route(method="GET", path="/reports", handler=reports.page, roles=COUNTERS, media=_HTML,
          ask=schemas.ReportQuery,
          summary="Reports: numbers of a period drawn and as tables, every cell with its facts"),
    Route(method="GET", path="/reports/export", handler=reports.export, roles=COUNTERS,
          ask=schemas.ReportExportQuery, media="text/csv",
          summary="One table of the reports as CSV or XLSX: exactly what is drawn"),
)  # fmt: skip
