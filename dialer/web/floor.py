"""What a supervisor does to one operator from the board: pause, end the shift, say something. All is audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.errors import NotFound
from dialer.web import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialer.engine.ports import OperatorView
    from dialer.web.call import Call

#: The reason an operator sees; operators cannot choose it.
BY_SUPERVISOR = "supervisor"


def _on_shift(call: Call) -> OperatorView:
    """The operator of the path.

    Raises:
        NotFound: ``operator.not_on_shift``.
    """
    view = call.context.live.operator(call.id())
    if view is None:
        raise NotFound("operator.not_on_shift", "this operator is not on shift", remedy="Look at the board again.")
    return view


async def _noted(call: Call, action: str, after: Mapping[str, object] | None = None) -> None:
    await call.stores.audit.note(call.actor, f"operator.{action}", f"user:{call.id()}", after=after)


async def pause(call: Call) -> schemas.OperatorAnswer:
    """No more calls for this operator, after the present one.

    Raises:
        NotFound: ``operator.not_on_shift``.
    """
    _on_shift(call)
    await _noted(call, "pause")
    view = await call.commands.pause(call.id(), BY_SUPERVISOR)
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view))


async def stop(call: Call) -> schemas.OperatorAnswer:
    """End this operator's shift, after the present call.

    Raises:
        NotFound: ``operator.not_on_shift``.
    """
    _on_shift(call)
    await _noted(call, "stop")
    await call.commands.end_shift(call.id())
    view = call.context.live.operator(call.id())
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view) if view else None)


async def say(call: Call, ask: schemas.MessageAsk) -> schemas.Done:
    """Show a message on this operator's page, at once and until it is closed there.

    Raises:
        NotFound: ``operator.not_on_shift``.
    """
    _on_shift(call)
    await _noted(call, "message", {"length": len(ask.text)})
    call.context.hub.say(call.id(), schemas.Message(at=call.now, by=call.user.name, text=ask.text))
    return schemas.Done()


async def heard(call: Call) -> schemas.Done:
    """The operator closed the messages."""
    call.context.hub.heard(call.user.id)
    return schemas.Done()
