"""The claim: contacts through the gate, their live attempts and the budget, in one transaction.

What the gate asks stands in ``sql/queries/claim.sql``; here are the parts that only Python knows: whose calling window
is open, which legal window runs, and how many lines the budget allows.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from dialer.core import budget as law
from dialer.core import gate, hours, recording, rules
from dialer.core.gate import Refusal, call_type
from dialer.core.model import Budget, Campaign, Claim
from dialer.core.preview import SKIP_REST_S
from dialer.engine.ports import ClaimAsk, ClaimResult
from dialer.errors import LeaseLost, Refused
from dialer.store import by_hand, contacts, lease
from dialer.store.campaigns import for_callee, refused_by_profile
from dialer.store.contacts import lists_too_old
from dialer.store.pools import transaction
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import asyncpg

    from dialer.core.manual import Dial
    from dialer.store.pools import Pool
    from dialer.store.queries import Connection

SQL = queries("claim")

#: A promise with an operator who is not at work passes to the team when it is this late.
OWNER_GRACE = timedelta(minutes=10)
#: How long the lanes of a campaign are remembered; a paused base is refused at once all the same.
LANES_FOR = timedelta(seconds=1)
#: The gate is asked again so often when it sent somebody away and lines are still wanted.
ROUNDS = 4
#: More contacts are looked at than wanted, for those the gate sends away.
SPARE = 8


@dataclass(frozen=True, slots=True)
class Lane:
    """Contacts of a base that share zones, priority and the countries of their numbers.

    Attributes:
        campaign: As it calls them: under the strictest rules of all countries concerned.
        shut: Those rules let nobody of them be called, whatever the hour.
        by_hand: Numbers that operators typed: of them only the promised ones are called.
    """

    id: int
    zones: tuple[str, ...]
    priority: int
    campaign: Campaign
    shut: bool
    by_hand: bool = False


class _No(Exception):
    """Takes back what was done for a number that may not be called."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Claims:
    """Takes contacts for the engine.

    Args:
        pool: The engine's.
        now: Time of the lease: None for PostgreSQL's clock.
        boot_s: The engine's boot clock.
    """

    def __init__(self, pool: Pool, now: Callable[[], datetime | None], boot_s: Callable[[], float] | None) -> None:
        self._pool = pool
        self._now = now
        self._boot_s = boot_s or (lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
        self._lanes: dict[int, tuple[datetime, Campaign, Sequence[Lane]]] = {}

    async def claim(self, ask: ClaimAsk) -> ClaimResult:
        """As ``engine.ports.Store.claim``.

        Raises:
            LeaseLost: The lease of this epoch ran out, or another engine has taken over.
            StoreDown: Nothing is known to be claimed.
        """
        return await transaction(self._pool, lambda connection: self._claim(connection, ask))

    async def _claim(self, connection: Connection, ask: ClaimAsk) -> ClaimResult:
        epoch = await lease.SQL["lease_fence"].fetchval(
            connection, switch=ask.switch, epoch=ask.epoch, clock=self._now()
        )
        if epoch is None:
            raise LeaseLost("lease.lost", f"Epoch {ask.epoch} on {ask.switch} is over.")
        budget, may_dial, operator_free = await self._budget(connection, ask)
        if ask.operator_id is not None:
            return await self._chosen(connection, ask, budget, may_dial=may_dial)
        wanted = len(ask.ids) if may_dial and refused_by_profile(ask.campaign) is None else 0
        room = wanted
        if not operator_free:
            [lines] = await SQL["claim_in_flight"].fetch(
                connection, campaign_id=ask.campaign.id, starts_at=budget.starts_at
            )
            room = law.room(budget, in_flight=lines["in_flight"], older=lines["older"], free=ask.free_operators)
        lanes = await self._known_lanes(connection, ask)
        open_lanes = [lane for lane in lanes if not lane.shut and _is_open(lane, ask)]
        claims: list[Claim] = []
        if wanted and room and open_lanes:
            budget = await self._fill(connection, ask, open_lanes, claims, min(wanted, room), budget)
        enough = claims and len(claims) == min(wanted, room)
        next_due_at = None if enough else await self._next_due(connection, ask, lanes)
        return ClaimResult(
            claims=claims,
            boot_s=self._boot_s(),
            budget=budget,
            held_back=max(0, wanted - room),
            next_due_at=next_due_at,
        )

    async def _chosen(self, connection: Connection, ask: ClaimAsk, budget: Budget, *, may_dial: bool) -> ClaimResult:
        """For an operator who chooses: the next contact to look at, or the call of the one who was looked at.

        Nothing of it counts in the budget: the operator waits for the callee.
        """
        claims: list[Claim] = []
        refusal = None if may_dial else Refusal(reason="campaign_state")
        if refused := refused_by_profile(ask.campaign if ask.dial is None else gate.by_hand(ask.campaign)):
            refusal = Refusal(reason=refused)
        lanes = await self._known_lanes(connection, ask)
        next_due_at = None
        if refusal is None and ask.dial is not None:
            refusal = await self._dial(connection, ask, ask.dial, claims)
        elif refusal is None and ask.contact_id is not None:
            row = await SQL["claim_one"].fetchrow(connection, contact_id=ask.contact_id, campaign_id=ask.campaign.id)
            lane = next((lane for lane in lanes if row is not None and lane.id == row["lane_id"]), None)
            refusal = await self._call(connection, ask, lane, ask.contact_id, claims)
        elif refusal is None:
            await SQL["claim_forgotten"].execute(connection, operator_id=ask.operator_id)
            open_lanes = [lane for lane in lanes if not lane.shut and _is_open(lane, ask)]
            if open_lanes:
                await self._fill(connection, ask, open_lanes, claims, 1, budget)
            next_due_at = None if claims else await self._next_due(connection, ask, lanes)
        return ClaimResult(
            claims=claims, boot_s=self._boot_s(), budget=budget, next_due_at=next_due_at, refusal=refusal
        )

    async def _call(
        self, connection: Connection, ask: ClaimAsk, lane: Lane | None, contact_id: int, claims: list[Claim]
    ) -> Refusal | None:
        """Claim exactly this contact, whose row is locked, for the operator who asks; why not, if it is not."""
        if lane is None:
            return Refusal(reason="base_paused")
        if lane.shut:
            return Refusal(reason=refused_by_profile(lane.campaign) or "lists_too_old")
        if not _is_open(lane, ask):
            opens_at = hours.next_open(ask.now, lane.zones, lane.campaign.profile, lane.campaign.ring_timeout_s)
            return Refusal(reason="outside_window" if opens_at else "no_window", until=opens_at)
        judged = await self._take(connection, ask, lane.campaign, [contact_id], ask.ids)
        claims.extend(_claim_from(one, ask, lane.campaign) for one in judged if one["attempt_id"] is not None)
        if claims:
            return None
        one = next(iter(judged), None)
        if one is None:
            return Refusal(reason="not_due")
        until = one["until"]
        finite = until is not None and until.tzinfo is not None  # PostgreSQL's infinities are read without a zone
        return Refusal(reason=one["refusal"], until=until if finite and until > ask.now else None)

    async def _dial(self, connection: Connection, ask: ClaimAsk, dial: Dial, claims: list[Claim]) -> Refusal | None:
        """Claim the contact of a number an operator typed; if the gate says no, nothing is left of it."""
        try:
            async with connection.transaction():
                await self._dialled(connection, ask, dial, claims)
        except _No as no:
            return no.refusal
        except Refused as refused:
            return Refusal(reason="not_known", detail=refused.code)
        return None

    async def _dialled(self, connection: Connection, ask: ClaimAsk, dial: Dial, claims: list[Claim]) -> None:
        found = await by_hand.known(connection, dial)
        if len(found) > 1 or (dial.contact_id is not None and not found):
            raise _No(Refusal(reason="several_contacts"))
        if found:
            contact_id, phone_id = found[0].id, found[0].phone_id
        else:
            contact_id, phone_id = await by_hand.add(connection, dial)
        await SQL["claim_turn_to"].execute(connection, contact_id=contact_id, phone_id=phone_id)
        await SQL["claim_one"].execute(connection, contact_id=contact_id, campaign_id=ask.campaign.id)
        row = await contacts.SQL["contact_lane"].fetchrow(connection, contact_id=contact_id)
        lane = None
        if row is not None and not row["paused"]:
            campaign = for_callee(gate.by_hand(ask.campaign), row["countries"])
            shut = await self._shut(connection, ask, campaign)
            lane = Lane(row["id"], tuple(row["zones"]), 0, campaign, shut)
        refusal = await self._call(connection, ask, lane, contact_id, claims)
        if refusal is not None:
            reasons = await by_hand.why(connection, ask.campaign, contact_id, phone_id, ask.now)
            raise _No(next(iter(reasons), refusal))

    async def _rested(self, connection: Connection, ask: ClaimAsk) -> list[int]:
        """Contacts this operator is not to be shown again so soon."""
        if ask.operator_id is None:
            return []
        since = ask.now - timedelta(seconds=SKIP_REST_S)
        rows = await SQL["claim_rested"].fetch(connection, operator_id=ask.operator_id, since=since)
        return [*ask.rested, *(row["contact_id"] for row in rows)]

    async def _budget(self, connection: Connection, ask: ClaimAsk) -> tuple[Budget, bool, bool]:
        """The campaign's budget, locked and of the present window; whether it may dial; whether it has no operators."""
        campaign = ask.campaign
        row = await SQL["claim_budget"].fetchrow(
            connection,
            campaign_id=campaign.id,
            mode=campaign.mode,
            manual=ask.dial is not None,
            purpose=campaign.profile.purpose,
            trunk_kinds=sorted(campaign.profile.trunk_kinds),
            national_lists=list(campaign.profile.national_lists),
            now=ask.now,
            list_max_age=timedelta(days=campaign.profile.list_max_age_days),
        )
        if row is None:
            raise LeaseLost("campaign.gone", f"Campaign {campaign.id} has no budget any more.")
        stored = budget_from(row)
        budget = law.present(stored, campaign, ask.now)
        if budget != stored:
            await SQL["claim_budget_set"].execute(
                connection, **{name: getattr(budget, name) for name in Budget.__slots__}
            )
        if row["lists_too_old"] and row["open"]:
            await SQL["claim_pause"].execute(connection, campaign_id=campaign.id)
        return budget, row["open"] and not row["lists_too_old"], row["operator_free"]

    async def _known_lanes(self, connection: Connection, ask: ClaimAsk) -> Sequence[Lane]:
        read_at, campaign, lanes = self._lanes.get(ask.campaign.id, (ask.now, None, ()))
        if campaign is not ask.campaign or not read_at <= ask.now < read_at + LANES_FOR:
            rows = await SQL["claim_lanes"].fetch(connection, campaign_id=ask.campaign.id)
            rules = {tuple(row["countries"]): for_callee(ask.campaign, row["countries"]) for row in rows}
            shut = {key: await self._shut(connection, ask, rule) for key, rule in rules.items()}
            lanes = [
                Lane(row["id"], tuple(row["zones"]), row["priority"], rules[key], shut[key], row["by_hand"])
                for row in rows
                for key in [tuple(row["countries"])]
            ]
            self._lanes[ask.campaign.id] = (ask.now, ask.campaign, lanes)
        return lanes

    @staticmethod
    async def _shut(connection: Connection, ask: ClaimAsk, campaign: Campaign) -> bool:
        """Whether other countries' rules forbid such calls, or need lists that are too old; other lanes may go on."""
        if campaign is ask.campaign:
            return False
        return refused_by_profile(campaign) is not None or await lists_too_old(connection, campaign, ask.now)

    async def _fill(
        self,
        connection: Connection,
        ask: ClaimAsk,
        lanes: Sequence[Lane],
        claims: list[Claim],
        wanted: int,
        budget: Budget,
    ) -> Budget:
        """Ask the gate until enough came through or nobody is left who could."""
        rested = await self._rested(connection, ask)
        for _ in range(ROUNDS):
            look_at = wanted - len(claims) + SPARE
            rows = await SQL["claim_lock"].fetch(
                connection,
                campaign_id=ask.campaign.id,
                now=ask.now,
                lanes=[lane.id for lane in lanes],
                priorities=[lane.priority for lane in lanes],
                ready_operators=list(ask.ready_operator_ids),
                owner_grace=OWNER_GRACE,
                callbacks_only=ask.callbacks_only,
                by_hand=[lane.id for lane in lanes if lane.by_hand],
                rested=rested,
                wanted=look_at,
            )
            if not rows:
                break
            again = False
            for campaign, run in _runs(rows, lanes):
                judged = await self._take(connection, ask, campaign, run, ask.ids[len(claims) : wanted])
                taken = [row for row in judged if row["attempt_id"] is not None]
                claims.extend(_claim_from(row, ask, campaign) for row in taken)
                if taken and ask.operator_id is None:
                    budget = replace(budget, uncovered=taken[0]["uncovered"])
                again = again or any(row["again"] for row in judged)
                if len(claims) == wanted:
                    return budget
            if len(rows) < look_at and not again:
                break
        return budget

    async def _take(
        self,
        connection: Connection,
        ask: ClaimAsk,
        campaign: Campaign,
        contacts: Sequence[int],
        ids: Sequence[object],
    ) -> Sequence[asyncpg.Record]:
        profile = campaign.profile
        after = rules.rests(profile)
        return await SQL["claim_take"].fetch(
            connection,
            contacts=contacts,
            ids=ids,
            now=ask.now,
            switch=ask.switch,
            epoch=ask.epoch,
            campaign_id=campaign.id,
            customer_id=campaign.customer_id,
            attempts_max=campaign.attempts_max,
            operator_free=campaign.operator_free,
            free=ask.free_operators,
            ready_operators=list(ask.ready_operator_ids),
            profile=profile.id,
            profile_version=profile.version,
            per_day=profile.per_day,
            per_7_days=profile.per_7_days,
            per_30_days=profile.per_30_days,
            min_gap=timedelta(seconds=profile.min_gap_s),
            purpose=profile.purpose,
            after_classes=list(after),
            after_for=list(after.values()),
            operator_id=ask.operator_id,
            manual=ask.dial is not None,
            only_shown=ask.operator_id is not None and ask.contact_id is None and ask.dial is None,
            consent_needed=call_type(campaign) in profile.consent_for,
            national_lists=list(profile.national_lists),
            allow=list(profile.allow),
            deny=list(profile.deny),
            caller_number=campaign.caller_number,
        )

    async def _next_due(self, connection: Connection, ask: ClaimAsk, lanes: Sequence[Lane]) -> datetime | None:
        """The first moment somebody is due and his windows are open."""
        rows = await SQL["claim_next_due"].fetch(
            connection,
            now=ask.now,
            lanes=[lane.id for lane in lanes],
            ready_operators=list(ask.ready_operator_ids),
            owner_grace=OWNER_GRACE,
            callbacks_only=ask.callbacks_only,
            by_hand=[lane.id for lane in lanes if lane.by_hand],
        )
        due_at = {row["lane_id"]: row["due_at"] for row in rows}
        found = [
            hours.next_open(at, lane.zones, lane.campaign.profile, lane.campaign.ring_timeout_s)
            for lane in lanes
            if not lane.shut and (at := due_at.get(lane.id)) is not None
        ]
        return min((at for at in found if at is not None), default=None)


def _is_open(lane: Lane, ask: ClaimAsk) -> bool:
    return hours.may_call(ask.now, lane.zones, lane.campaign.profile, lane.campaign.ring_timeout_s)


def _runs(rows: Sequence[asyncpg.Record], lanes: Sequence[Lane]) -> Iterator[tuple[Campaign, Sequence[int]]]:
    """Contacts in their order, those that follow each other under the same rules together: most often all of them."""
    campaign_of = {lane.id: lane.campaign for lane in lanes}
    for _, run in groupby(rows, key=lambda row: id(campaign_of[row["lane_id"]])):
        some = list(run)
        yield campaign_of[some[0]["lane_id"]], [row["id"] for row in some]


def budget_from(row: asyncpg.Record) -> Budget:
    """A row of ``abandon_budget``."""
    return Budget(**{name: row[name] for name in Budget.__slots__})


def _claim_from(row: asyncpg.Record, ask: ClaimAsk, campaign: Campaign) -> Claim:
    """A claim of whom the campaign calls under these rules."""
    return Claim(
        attempt_id=row["attempt_id"],
        campaign_id=ask.campaign.id,
        contact_id=row["contact_id"],
        phone_id=row["phone_id"],
        e164=row["e164"],
        number=row["number"],
        counted=row["counted"],
        sent_at=ask.now,
        callback_id=row["callback_id"],
        for_operator=row["for_operator"],
        asked=ask.contact_id is not None or ask.dial is not None,
        manual=ask.dial is not None,
        may_record=recording.lawful(campaign),
    )
