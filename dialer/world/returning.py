"""People of the world who were rung and spoke to nobody: some call the shown number back after a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

    from dialer.world.log import WorldCall

#: Of those whose phone rang in vain, or who heard the message: so many call back.
SHARE = 0.05
#: So soon after it rang, in seconds; quicker than life, as everything in this world.
AFTER_S = (4.0, 25.0)
LOOK_S = 2.0


async def call_back(
    calls: Callable[[], Sequence[WorldCall]], dial: Callable[[str], Awaitable[None]], chance: Random
) -> None:
    """Let people call back, until cancelled.

    Args:
        calls: What the world saw so far.
        dial: Lets the person at this number (digits) call the number that was shown.
        chance: Who does, and when.
    """
    seen: set[str] = set()
    loop = asyncio.get_running_loop()
    due: list[tuple[float, str]] = []
    while True:
        for call in calls():
            if call.ended_at is None or call.call in seen:
                continue
            seen.add(call.call)
            if call.rang_at is not None and not call.seats and chance.random() < SHARE:
                due.append((loop.time() + chance.uniform(*AFTER_S), call.number))
        for at, number in [one for one in due if one[0] <= loop.time()]:
            due.remove((at, number))
            await dial(number)
        await asyncio.sleep(LOOK_S)
