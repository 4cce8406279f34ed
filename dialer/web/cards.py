"""The card of an operator's present attempt: who it is, what was said before, what may be said about it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.core import script
from dialer.errors import DialerError, NotYet
from dialer.web import schemas

if TYPE_CHECKING:
    from uuid import UUID

    from dialer.web.call import Call

#: States in which an operator sees the contact of the attempt.
_WITH_CARD = frozenset({"preview", "talking", "wrap_up"})


async def now(call: Call) -> schemas.OperatorNow:
    """State and card of the operator who asks; the state is shown even while the card is not to be had.

    The engine is ahead of the database by a moment: who talks already may have no card yet.

    Raises:
        NotYet: ``operator.not_yet``: the service was started just now, or waits for the engine that dials.
    """
    if not call.context.live.took_over:
        raise NotYet(
            "operator.not_yet",
            "The service has just started and does not know yet who is at work.",
            remedy="Ask again in a moment.",
        )
    view = call.context.live.operator(call.user.id)
    present = schemas.OperatorNow(
        at=call.now,
        operator=schemas.OperatorView.model_validate(view) if view else None,
        leg=view.leg if view else None,
        line=call.context.lines.page(call.user.id),
        card=None,
    )
    attempt_id = view.attempt_id if view and view.state in _WITH_CARD else None
    try:
        said = [schemas.Message.model_validate(one) for one in await call.context.hub.messages(call.user.id)]
        present = present.model_copy(update={"messages": tuple(said)})
        card = await _card(call, attempt_id) if attempt_id else None
    except DialerError:
        return present.model_copy(update={"card_unknown": True})
    return present.model_copy(update={"card": card})


async def _card(call: Call, attempt_id: UUID) -> schemas.CardView:
    """The card of an attempt that is this operator's.

    Raises:
        NotFound: it is another's, or there is none.
    """
    card = await call.stores.contacts.card(attempt_id, operator_id=call.user.id)
    text = schemas.ScriptBody.model_validate(card.script)
    talked = any(earlier.outcome == "connected" for earlier in card.history)
    number = max(card.number, 2 if card.came_in else 1)
    kind = script.kind_of(number=number, talked_before=talked, promised=card.promised)
    begin = script.begin(text.scenarios, [step.id for step in text.steps], kind)
    return schemas.CardView.model_validate(card).model_copy(update={"begin": begin, "kind": kind})
