"""The operator's own routes: shift, state, disposition, draft. Everything is about the user who asks, nobody else."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from dialer.errors import Refused
from dialer.web import cards, phone, schemas

if TYPE_CHECKING:
    from dialer.engine.ports import OperatorView
    from dialer.web.call import Call

_KEY_LENGTH = range(1, 201)
_DAY_MAX = timedelta(days=2)


def _answer(view: OperatorView | None) -> schemas.OperatorAnswer:
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view) if view else None)


async def now(call: Call) -> schemas.OperatorNow:
    """State and card."""
    return await cards.now(call)


async def start(call: Call, ask: schemas.StartAsk) -> schemas.OperatorAnswer:
    """Open a shift on a seat; its phone is called at once.

    Raises:
        Refused: ``operator.no_team``; what the engine refuses, e.g. a seat that is taken.
    """
    user = call.user
    if user.team_id is None:
        raise Refused("operator.no_team", "you are in no team", remedy="Ask an admin to put you in a team.")
    seat = ask.seat or await phone.account_of(call, ask.phone)
    view = await call.commands.start_shift(operator_id=user.id, name=user.name, team_id=user.team_id, seat=seat)
    return _answer(view)


async def ready(call: Call) -> schemas.OperatorAnswer:
    """Take calls from now on."""
    return _answer(await call.commands.ready(call.user.id))


async def pause(call: Call, ask: schemas.PauseAsk) -> schemas.OperatorAnswer:
    """No more calls; while talking it is remembered for after the call."""
    return _answer(await call.commands.pause(call.user.id, ask.reason))


async def hang_up(call: Call) -> schemas.OperatorAnswer:
    """End the present conversation."""
    return _answer(await call.commands.hang_up(call.user.id))


async def more_time(call: Call) -> schemas.OperatorAnswer:
    """Make the wrap-up longer; each time is counted."""
    view = await call.commands.more_time(call.user.id)
    if view.attempt_id is not None:
        await call.stores.shifts.note_extension(call.user.id, view.attempt_id)
    return _answer(view)


async def call_phone(call: Call) -> schemas.OperatorAnswer:
    """Call the own phone anew: a page that has just come has no call yet, though the shift goes on."""
    return _answer(await call.commands.call_phone(call.user.id))


async def day(call: Call, ask: schemas.DayQuery) -> schemas.DayAnswer:
    """Own numbers, pauses and promises since a moment, at most two days ago."""
    since = max(ask.since, call.now - _DAY_MAX)
    found = await call.stores.shifts.day(call.user.id, since=since, now=call.now)
    return schemas.DayAnswer.model_validate(found)


async def promise(call: Call, ask: schemas.PromiseQuery) -> schemas.PromiseAnswer:
    """Whether a callback may be promised for then; nothing is promised yet."""
    found = await call.stores.shifts.promise(call.user.id, call.uuid(), due_at=ask.due_at, now=call.now)
    code, english, russian = found.refused or (None, "", "")
    return schemas.PromiseAnswer(
        allowed=found.refused is None,
        code=code,
        why={"en": english, "ru": russian} if found.refused else {},
        next_at=found.next_at,
        same_hour=found.same_hour,
    )


async def stop(call: Call) -> schemas.OperatorAnswer:
    """Close the shift, after the call if one is going on."""
    await call.commands.end_shift(call.user.id)
    return _answer(call.context.live.operator(call.user.id))


async def save_disposition(call: Call, ask: schemas.DispositionAsk) -> schemas.DispositionAnswer:
    """Save how the conversation ended; the answer comes after the commit. The same key and content may be repeated.

    Raises:
        Refused: ``request.no_key``; ``disposition.…`` and ``callback.…`` as the store decides.
    """
    key = call.request.headers.get("Idempotency-Key", "")
    if len(key) not in _KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise Refused(
            "request.no_key",
            "the header Idempotency-Key is missing or not 1 to 200 printable characters",
            remedy="Send a new random key with each disposition, and the same one when you repeat it.",
        )
    attempt_id, operator_id = call.uuid(), call.user.id
    promise = ask.callback
    saved = await call.stores.dispositions.save(
        attempt_id=attempt_id,
        operator_id=operator_id,
        key=key,
        body_hash=hashlib.sha256(ask.model_dump_json().encode()).digest(),
        code=ask.code,
        note=ask.note,
        reason=ask.reason,
        address=ask.address,
        due_at=promise.due_at if promise else None,
        callback_operator_id=operator_id if promise and promise.operator == "me" else None,
        person=(ask.lead.person if ask.lead else None) or "",
        company=(ask.lead.company if ask.lead else None) or "",
        now=call.now,
    )
    with suppress(Refused):  # it is committed whatever the engine says, e.g. that the shift is over
        await call.commands.disposition_saved(operator_id, attempt_id)
    if saved.do_not_call:
        await call.commands.do_not_call_added(saved.do_not_call)
    call.context.hub.touch(operator_id)
    return schemas.DispositionAnswer(disposition=schemas.DispositionView.model_validate(saved))


async def save_draft(call: Call, ask: schemas.DraftAsk) -> schemas.Done:
    """Keep what was chosen and typed so far on the server, so that a reload loses nothing."""
    await call.stores.dispositions.save_draft(
        attempt_id=call.uuid(), operator_id=call.user.id, body=ask.model_dump(mode="json", exclude_none=True)
    )
    return schemas.Done()
