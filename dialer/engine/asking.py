"""Calls that operators choose: contacts offered to look at, and the call when somebody says so.

Everything that asks the gate is done by the pacing loop, one thing after the other (``campaigns``); here is what it
does for campaigns whose operators look first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from dialer.core import events as ev
from dialer.core.floor import Floor
from dialer.core.gate import Refusal
from dialer.core.manual import Dial
from dialer.core.model import Campaign
from dialer.core.preview import SKIP_REST_S, How, Preview, PreviewEnd
from dialer.engine.pace import Pace
from dialer.engine.ports import ClaimAsk, ClaimResult, Clock, Store
from dialer.errors import DialerError, Refused

log = structlog.get_logger(__name__)

#: Nobody may be shown before then, when nobody was found and no time is known.
REST_S = 120.0
#: Somebody may be due whom just these operators skipped: others are asked about so often.
LEAST_REST_S = 5.0
#: After a claim that failed.
AGAIN_S = 1.0
#: How many operators are offered a contact before other campaigns have their turn.
OFFERS_MAX = 10

#: Whoever asked for a call is told so soon what became of it.
ANSWER_S = 8.0
#: The database did not say.
ASK_AGAIN = Refusal(reason="not_known")


class Asking:
    """The part of ``Dialing`` that is about calls people choose.

    Args:
        place: Lines up what was claimed.
        room: Calls that trunk and campaign allow now.
        may_dial: Why no call may start now, None when calls may start.
        claiming: The gate is being asked.
        fence: Switch and epoch of our lease; None without one.
        wake: Lets the loop look at once.
    """

    def __init__(
        self,
        *,
        floor: Floor,
        store: Store,
        clock: Clock,
        new_id: Callable[[], UUID],
        do: Callable[[ev.Event], None],
        place: Callable[[Campaign, ClaimResult], None],
        room: Callable[[Campaign], int],
        may_dial: Callable[[], str | None],
        fence: Callable[[], tuple[str, int] | None],
        wake: Callable[[], None],
    ) -> None:
        self._floor = floor
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._do = do
        self._place = place
        self._room = room
        self._may_dial = may_dial
        self._fence = fence
        self._wake = wake
        self._asked: list[Preview | Dial] = []
        self._rested: dict[int, dict[int, float]] = {}
        self.claiming = False
        self._answers: dict[int, asyncio.Future[Refusal | None]] = {}

    # Asked by people ------------------------------------------------------------

    def ask(self, wish: Preview | Dial) -> None:
        """This contact, or number, is to be called as soon as the loop comes round."""
        self._asked.append(wish)
        self._answers[wish.operator_id] = asyncio.get_running_loop().create_future()
        self._wake()

    async def answer(self, operator_id: int) -> Refused | None:
        """What became of the call this operator just asked for: None when it is on its way."""
        found, refusal = self._answers.get(operator_id), None
        if found is not None:
            try:
                refusal = await asyncio.wait_for(asyncio.shield(found), ANSWER_S)
            except TimeoutError:
                refusal = ASK_AGAIN
        if refusal is None:
            return None
        return Refused(
            f"call.{refusal.reason}",
            "The rules do not allow this call now.",
            remedy="Go on with the next contact.",
            until=refusal.until,
            detail=refusal.detail,
        )

    async def place_asked(self) -> None:
        """Ask the gate for every call that was asked for; each is answered, whatever happens."""
        while self._asked:
            wish = self._asked.pop(0)
            refusal = await self._call(wish)
            if refusal is not None:
                self._do(ev.DialRefused(wish) if isinstance(wish, Dial) else ev.CallRefused(wish, refusal.reason))
            answer = self._answers.pop(wish.operator_id, None)
            if answer is not None and not answer.done():
                answer.set_result(refusal)

    async def _call(self, wish: Preview | Dial) -> Refusal | None:
        """Claim this contact, or number, and line its call up; why not, if it is not."""
        campaign, stopped = self._floor.campaigns.get(wish.campaign_id), self._may_dial()
        if campaign is None or stopped is not None:
            return Refusal(reason="stopped", detail=stopped or "")
        if self._room(campaign) < 1:
            return Refusal(reason="no_line")
        if isinstance(wish, Dial):
            result = await self._claim(campaign, wish.id, operator_id=wish.operator_id, dial=wish)
        else:
            result = await self._claim(campaign, wish.id, operator_id=wish.operator_id, contact_id=wish.contact_id)
        if result is None:
            return ASK_AGAIN
        if not result.claims:
            return result.refusal or ASK_AGAIN
        self._place(campaign, result)
        return None

    async def _claim(
        self,
        campaign: Campaign,
        uid: UUID,
        *,
        operator_id: int,
        contact_id: int | None = None,
        dial: Dial | None = None,
    ) -> ClaimResult | None:
        fence = self._fence()
        if fence is None:
            return None
        ask = ClaimAsk(
            switch=fence[0],
            epoch=fence[1],
            campaign=campaign,
            ids=[uid],
            free_operators=0,
            ready_operator_ids=[operator_id],
            now=self._clock.now(),
            operator_id=operator_id,
            contact_id=contact_id,
            dial=dial,
            rested=tuple(self._rested.get(operator_id, ())),
        )
        self.claiming = True
        try:
            return await self._store.claim(ask)
        except DialerError as error:
            log.warning("asked_claim.failed", campaign=campaign.id, code=error.code, error=str(error))
            return None
        finally:
            self.claiming = False

    def ended(self, end: PreviewEnd) -> None:
        """Whom this operator did not want is not shown to him again, also before the database knows it."""
        now_s = self._clock.boot_s()
        rested = self._rested.get(end.preview.operator_id, {})
        self._rested[end.preview.operator_id] = {c: s for c, s in rested.items() if now_s - s < SKIP_REST_S}
        if end.how in {How.SKIPPED, How.EXPIRED}:
            self._rested[end.preview.operator_id][end.preview.contact_id] = now_s

    # Offered --------------------------------------------------------------------

    async def offer(self, campaign: Campaign, pace: Pace) -> None:
        """Reserve the next contact for each operator who may be spared, until nobody is due.

        A promise may be kept with one operator and not with another, so a rest ends when others are free.
        """
        able = self._floor.cover.promisable(campaign)[:OFFERS_MAX]
        if not able or self._rests(pace, able):
            return
        pace.rest_until = pace.in_vain = None
        for operator_id in able:
            now, pace.sooner = self._clock.now(), None
            result = await self._claim(campaign, self._new_id(), operator_id=operator_id)
            if result is None:
                pace.rest_until, pace.rests_with = now + timedelta(seconds=AGAIN_S), frozenset(able)
                return
            for claim in result.claims:
                preview = Preview(
                    id=claim.attempt_id,
                    operator_id=operator_id,
                    campaign_id=campaign.id,
                    contact_id=claim.contact_id,
                    phone_id=claim.phone_id,
                    offered_at=now,
                )
                self._do(ev.Offered(preview))
            if not result.claims:
                ends = (now + timedelta(seconds=REST_S), result.next_due_at, pace.sooner)
                due_at = min(at for at in ends if at is not None)
                pace.rest_until = max(due_at, now + timedelta(seconds=LEAST_REST_S))
                pace.rests_with = frozenset(able)

    def _rests(self, pace: Pace, able: Sequence[int]) -> bool:
        """Whether nobody is due, for these operators."""
        rests = pace.rest_until is not None and self._clock.now() < pace.rest_until
        return rests and pace.rests_with >= frozenset(able)
