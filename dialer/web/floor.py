"""What a supervisor does to one operator from the board: pause, end the shift, move, say something. All is audited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.errors import NotFound, Refused
from dialer.web import schemas
from dialer.web.texts import TEXTS

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


async def move(call: Call, ask: schemas.CampaignOfOperator) -> schemas.OperatorAnswer:
    """Let this operator call for another campaign: in its team from now on, after the present conversation.

    Who is between two calls goes over at once, with the same phone; who talks begins again after the wrap-up.

    Raises:
        NotFound: ``operator.not_on_shift``.
        Refused: ``operator.same_team``.
    """
    view = _on_shift(call)
    moved = await call.stores.shifts.move(call.id(), ask.campaign, actor=call.actor)
    if moved is None:
        raise Refused(
            "operator.same_team",
            "this operator works for that campaign already: its team shares all its campaigns",
            remedy="Choose a campaign of another team.",
        )
    text = TEXTS[moved.language]["row.moved"].format(campaign=moved.campaign)
    await call.stores.messages.say(call.id(), text, actor=call.actor, now=call.now)
    await call.commands.end_shift(call.id())
    commands, live = call.commands, call.context.live
    if live.operator(call.id()) is None:
        await commands.start_shift(operator_id=call.id(), name=view.name, team_id=moved.team_id, seat=view.seat)
        if view.state == "ready":
            await commands.ready(call.id())
    call.context.hub.messages_changed(call.id())
    present = live.operator(call.id())
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(present) if present else None)


async def say(call: Call, ask: schemas.MessageAsk) -> schemas.Done:
    """Show a message on this operator's page, at once and until it is acknowledged there.

    Raises:
        NotFound: ``operator.not_on_shift``.
    """
    _on_shift(call)
    await call.stores.messages.say(call.id(), ask.text, actor=call.actor, now=call.now)
    call.context.hub.messages_changed(call.id())
    return schemas.Done()


async def said(call: Call) -> schemas.SaidAnswer:
    """What was said to this operator lately, and when it was seen."""
    found = await call.stores.messages.list(call.id(), now=call.now)
    return schemas.SaidAnswer(messages=[schemas.SaidView.model_validate(one) for one in found])


async def heard(call: Call) -> schemas.Done:
    """The operator acknowledged the messages that are shown."""
    shown = await call.context.hub.messages(call.user.id)
    if shown:
        await call.stores.messages.hear(call.user.id, shown[-1].id, now=call.now)
        call.context.hub.messages_changed(call.user.id)
    return schemas.Done()
