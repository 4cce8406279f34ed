"""Calls an operator asks for, by the rules of the dialer; a refusal is one sentence, with the time it may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.errors import Refused
from dialer.web import schemas

if TYPE_CHECKING:
    from dialer.web.call import Call

#: What does not hold back a call that is asked for now: that it is promised for later.
_LATER = frozenset({"not_due"})


async def call_back(call: Call) -> schemas.OperatorAnswer:
    """Call a callee of an own promise now and not at its time; the promise is moved to now, and the audit log says so.

    Raises:
        Refused: ``call.not_ready``; ``call.<reason of the gate>`` with ``until``, when it passes by itself, or null;
            ``callback.not_found``.
    """
    view = call.context.live.operator(call.user.id)
    if view is None or view.state != "ready":
        raise Refused("call.not_ready", "You are not ready.", remedy="Press Ready, and call then.")
    contact_id = await call.stores.callbacks.own_contact(call.id(), operator_id=call.user.id)
    reasons = [one for one in await call.stores.contacts.why(contact_id, now=call.now) if one.reason not in _LATER]
    if reasons:
        first = reasons[0]
        raise Refused(
            f"call.{first.reason}",
            "The rules do not allow this call now.",
            remedy="Call later, or let the promise stand.",
            until=first.until,
        )
    await call.stores.callbacks.call_now(call.id(), operator_id=call.user.id, actor=call.actor, now=call.now)
    await call.commands.campaigns_changed()
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view))


async def call_preview(call: Call) -> schemas.OperatorAnswer:
    """Call the contact that is shown, if the rules still allow it.

    Raises:
        Refused: ``operator.no_preview``; ``call.<reason of the gate>`` with ``until``, when it passes by itself, or
            null; ``call.no_line``, ``call.stopped``, ``call.not_known``.
    """
    view = await call.commands.call_preview(call.user.id)
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view))


async def skip_preview(call: Call, ask: schemas.SkipAsk) -> schemas.OperatorAnswer:
    """Do not call the contact that is shown; others may be shown it, this operator not for an hour.

    Raises:
        Refused: ``operator.no_preview``.
    """
    view = await call.commands.skip_preview(call.user.id, ask.reason)
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view))
