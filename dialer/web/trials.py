"""Test calls: an admin's own phone is called on a trunk, and the page tells how it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialer.errors import NotFound
from dialer.web import schemas

if TYPE_CHECKING:
    from dialer.engine.ports import TrialCall
    from dialer.web.call import Call


async def begin(call: Call, ask: schemas.TestCallAsk) -> schemas.TestCallAnswer:
    """Call one's own phone; only where campaigns may call, never a premium or emergency number.

    Raises:
        NotFound: ``trunk.not_found``.
        Refused: ``test_call.…``.
    """
    trunk, number = await call.stores.trunks.may_test(ask.trunk, ask.number, actor=call.actor)
    return _answer(await call.commands.begin_test_call(trunk=trunk, number=number, caller_number=ask.caller_number))


async def show(call: Call) -> schemas.TestCallAnswer:
    """How a test call goes.

    Raises:
        NotFound: ``test_call.not_found``.
    """
    found = call.context.live.test_call(call.uuid())
    if found is None:
        raise NotFound("test_call.not_found", "nobody remembers such a test call")
    return _answer(found)


def _answer(found: TrialCall) -> schemas.TestCallAnswer:
    return schemas.TestCallAnswer(call=schemas.TestCallInfo.model_validate(found))
