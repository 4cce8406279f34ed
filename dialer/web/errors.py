"""Errors as answers: ``{"error": {"code", "message", "remedy", "data"}}`` with a status that fits.

Each ``DialerError`` has a status by its class, and the few codes that are conflicts (409) or bad content (422) are told
apart by the table below. Anything else is a defect: logged with its traceback, told to the caller as ``internal``.
"""

from __future__ import annotations

import structlog
from aiohttp import web
from pydantic import ValidationError

from dialer.errors import DialerError, LeaseLost, NotFound, NotYet, Refused, StoreDown
from dialer.web.schemas import ErrorAnswer, ErrorBody

log = structlog.get_logger(__name__)

#: Refusals of content (422) or of the person (401, 403, 429), by the beginning of their code. Every other refusal is a
#: conflict with the present state (409).
_STATUS: tuple[tuple[str, int], ...] = (
    ("login.too_many", 429),
    ("dial.too_often", 429),
    ("dial.number", 422),
    ("dial.rounded", 422),
    ("dial.several_numbers", 422),
    ("login.", 401),
    ("access.", 403),
    ("request.too_large", 413),
    ("request.media", 415),
    ("request.", 422),
    ("disposition.unknown", 422),
    ("disposition.needs_", 422),
    ("disposition.takes_", 422),
    ("callback.past", 422),
    ("callback.outside_window", 422),
    ("callback.too_soon", 422),
    ("callback.not_of_team", 422),
    ("callback.cursor", 422),
    ("do_not_call.", 422),
    ("attempts.", 422),
    ("looks.", 422),
    ("campaign.trunk", 422),
    ("campaign.value", 422),
    ("campaign.profile", 422),
    ("campaign.zone", 422),
    ("campaign.key", 422),
    ("campaign.opt_out_key", 422),
    ("campaign.recording", 422),
    ("recording.link", 410),
    ("recording.range", 416),
    ("recording.broken", 500),
    ("base.", 422),
    ("campaign.loosens", 422),
    ("consent.", 422),
    ("loosening.figure", 422),
    ("loosening.reason", 422),
    ("national.", 422),
    ("lead.needs_reason", 422),
    ("lead.takes_no_revenue", 422),
    ("lead.revenue", 422),
    ("lead.owner", 422),
    ("basket.", 422),
    ("segment.", 422),
    ("retry_rule.", 422),
    ("price.closed", 409),
    ("price.currency", 409),
    ("price.", 422),
    ("currency.unknown", 422),
    ("webhook.", 422),
    ("letter.address", 422),
    ("letter.scope", 422),
    ("letter.template", 422),
    ("letter.too_many", 429),
    ("subscription.trials", 429),
    ("subscription.address", 422),
    ("subscription.days", 422),
    ("disposition_kind.", 422),
    ("test_call.number", 422),
    ("test_call.forbidden", 422),
    ("offer.played", 409),
    ("offer.", 422),
    ("second_factor.password", 422),
    ("second_factor.wrong", 422),
)
#: Begins like a refusal of content, but is a conflict.
_CONFLICTS = frozenset({"campaign.profile_not_for_trunk", "disposition_kind.softens"})


def status_of(error: DialerError) -> int:
    """HTTP status of an error."""
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, StoreDown | LeaseLost | NotYet):
        return 503
    if isinstance(error, Refused):
        if error.code in _CONFLICTS:
            return 409
        return next((status for prefix, status in _STATUS if error.code.startswith(prefix)), 409)
    return 500


def answer(error: DialerError) -> web.Response:
    """The error as JSON."""
    data = {name: value if isinstance(value, int | float | bool | list | dict | None) else str(value)
            for name, value in error.data.items()}  # fmt: skip
    body = ErrorBody(code=error.code, message=error.message, remedy=error.remedy, data=data)
    status = status_of(error)
    headers = {"Retry-After": str(data["retry_after_s"])} if "retry_after_s" in data else {}
    return web.json_response(text=ErrorAnswer(error=body).model_dump_json(), status=status, headers=headers)


def invalid(error: ValidationError) -> Refused:
    """A request whose content does not fit its schema; names the fields, never repeats their values."""
    fields = [
        {"field": ".".join(str(part) for part in item["loc"]) or "body", "message": item["msg"]}
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    first = fields[0]
    return Refused(
        "request.invalid",
        f"{first['field']}: {first['message']}",
        remedy="See data.fields, and /api/v1/openapi.json for what is expected.",
        fields=fields,
    )


def from_http(error: web.HTTPException) -> DialerError:
    """Aiohttp's own refusals (no such path, wrong method, body too large) in our words."""
    match error.status:
        case 404:
            return NotFound("request.not_found", "there is no such page", remedy="See /api/v1/openapi.json.")
        case 413:
            return Refused("request.too_large", "the body is larger than allowed", remedy="Send less at once.")
        case _:
            return Refused(f"request.http_{error.status}", error.reason, remedy="See /api/v1/openapi.json.")


def unexpected(error: Exception, request: web.Request) -> DialerError:
    """A defect of ours: the log has the traceback, the caller a sentence."""
    log.error("request_failed", method=request.method, path=request.path, exc_info=error)
    return DialerError(
        "internal", "something went wrong here; it is in the log", remedy="Try again; tell the engineer."
    )


def too_slow(request: web.Request) -> DialerError:
    """A handler that used up its time."""
    log.error("request_too_slow", method=request.method, path=request.path)
    return StoreDown("request.too_slow", "the answer took too long", remedy="Ask for less, or try again later.")
