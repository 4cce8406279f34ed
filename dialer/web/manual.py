"""Numbers that operators type: what is understood, whether the rules allow it, and the call. Only in one's own name."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from typing import TYPE_CHECKING
from uuid import UUID

from dialer.core.manual import Dial
from dialer.errors import Refused
from dialer.intake import phones
from dialer.web import schemas

if TYPE_CHECKING:
    from dialer.core.model import Campaign
    from dialer.web.call import Call

#: A stuck key dials no ten numbers, and a page looks at what is typed and not at each letter.
CALLS_MAX, CALLS_S = 6, 30.0
LOOKS_MAX, LOOKS_S = 40, 10.0
#: Numbers of no country have a region that is none.
_COUNTRY_LETTERS = 2
#: What is only looked at has no attempt.
_NOBODY = UUID(int=0)


class Turnstile:
    """Lets each operator through so often in a while; one per service.

    Args:
        most: How often.
        in_s: In how many seconds.
    """

    def __init__(self, most: int, in_s: float) -> None:
        self._most = most
        self._in_s = in_s
        self._times: defaultdict[int, deque[float]] = defaultdict(deque)

    def enter(self, operator_id: int) -> None:
        """Count one more.

        Raises:
            Refused: ``dial.too_often``, with ``retry_after_s``.
        """
        now, times = asyncio.get_running_loop().time(), self._times[operator_id]
        while times and times[0] <= now - self._in_s:
            times.popleft()
        if len(times) >= self._most:
            wait_s = int(times[0] + self._in_s - now) + 1
            raise Refused("dial.too_often", "That is too often.", remedy="Wait a moment.", retry_after_s=wait_s)
        times.append(now)


async def campaigns(call: Call) -> schemas.DialCampaigns:
    """Running campaigns of the own team in which numbers are dialled by hand."""
    found = await call.stores.by_hand.campaigns(call.user.id)
    return schemas.DialCampaigns(
        campaigns=[schemas.DialCampaign(id=one.id, name=one.name, country=country_of(one)) for one in found]
    )


async def look(call: Call, ask: schemas.DialAsk) -> schemas.DialLook:
    """What a number is understood as, whose it is, and why it may not be called; nothing is written or called.

    Raises:
        Refused: ``dial.number``, ``dial.rounded``, ``dial.several_numbers``, ``dial.no_campaign``, ``dial.too_often``.
    """
    call.context.dial_looks.enter(call.user.id)
    campaign, number = await _understood(call, ask)
    dial = Dial(
        id=_NOBODY,
        operator_id=call.user.id,
        campaign_id=campaign.id,
        e164=number.e164,
        zones=number.zones,
        countries=_countries(number),
        contact_id=ask.contact,
    )
    found = await call.stores.by_hand.look(campaign, dial, now=call.now)
    return schemas.DialLook(
        at=call.now,
        number=number.e164,
        country=next(iter(_countries(number)), None),
        zones=list(found.chosen.zones if found.chosen else number.zones),
        contacts=[schemas.DialContact.model_validate(one) for one in found.contacts],
        contact=found.chosen.id if found.chosen else None,
        allowed=not found.refusals,
        reasons=[schemas.WhyReason.model_validate(one) for one in found.refusals],
    )


async def dial(call: Call, ask: schemas.DialAsk) -> schemas.OperatorAnswer:
    """Call a number that was typed, if the rules allow it this moment; answered when the call is on its way.

    Raises:
        Refused: As ``look``; ``dial.not_now``, ``dial.no_phone``, ``dial.needed``; ``call.<reason of the gate>`` with
            ``until``, when it passes by itself, or null; ``call.no_line``, ``call.stopped``, ``call.not_known``.
    """
    call.context.dial_calls.enter(call.user.id)
    campaign, number = await _understood(call, ask)
    view = await call.commands.dial(
        call.user.id,
        campaign_id=campaign.id,
        e164=number.e164,
        zones=number.zones,
        countries=_countries(number),
        contact_id=ask.contact,
    )
    return schemas.OperatorAnswer(operator=schemas.OperatorView.model_validate(view))


async def _understood(call: Call, ask: schemas.DialAsk) -> tuple[Campaign, phones.Number]:
    """The campaign, which must be the operator's to dial for, and the one number that was typed."""
    mine = await call.stores.by_hand.campaigns(call.user.id)
    campaign = next((one for one in mine if one.id == ask.campaign), None)
    if campaign is None:
        raise Refused(
            "dial.no_campaign",
            "Numbers are not dialled by hand for this campaign.",
            remedy="Choose another campaign, or ask an admin to allow it.",
        )
    found = phones.read(ask.number, country_of(campaign))
    if len(found.numbers) == 1 and "left_out" not in found.notes:
        return campaign, found.numbers[0]
    if found.numbers:
        raise Refused("dial.several_numbers", "There is more than one number.", remedy="Leave one of them.")
    if found.reason == "rounded":
        raise Refused("dial.rounded", "A spreadsheet rounded this number.", remedy="Type all of its digits.")
    raise Refused("dial.number", "This is no telephone number.", remedy="Type it with + and the country's code.")


def country_of(campaign: Campaign) -> str | None:
    """Whose numbers need no plus: the country of the campaign's law, else that of the number its callees see."""
    law = campaign.profile.country or ""
    if len(law) == _COUNTRY_LETTERS:
        return law
    shown = campaign.caller_number
    found = phones.read(shown if shown.startswith("+") else f"+{shown}").numbers if shown else []
    return next((country for one in found for country in _countries(one)), None)


def _countries(number: phones.Number) -> tuple[str, ...]:
    return (number.region,) if len(number.region) == _COUNTRY_LETTERS else ()
