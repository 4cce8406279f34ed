"""A small call centre in a real database: a campaign, contacts, an engine that holds the lease."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from dialer.core import retry
from dialer.core.model import (
    AttemptState,
    Campaign,
    CampaignState,
    Claim,
    EndedBy,
    LiveAttempt,
    LiveOperator,
    OperatorState,
    Outcome,
)
from dialer.engine.ports import ClaimAsk, ClaimResult, Journal, Lease
from dialer.store.bases import Row
from dialer.store.pools import Pools
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.store.users import Actor

#: A Tuesday noon in Moscow: inside the windows of every profile.
NOON = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
SYSTEM = Actor()
_files = count(1)


@dataclass
class Place:
    pools: Pools
    url: str
    stores: Stores
    store: PgStore
    lease: Lease
    campaign: Campaign
    now: datetime = NOON

    @classmethod
    async def make(cls, pools: Pools, url: str, stores: Stores, store: PgStore, **values) -> Place:
        lease = await store.take_lease("main", wait=False)
        place = cls(pools, url, stores, store, lease, None)
        place.campaign = await place.add_campaign("sales", **values)
        return place

    async def add_campaign(self, name: str, *, carried=(0, 0), state=CampaignState.RUNNING, **values) -> Campaign:
        await self.stores.campaigns.set_trunk("world", kind="world", actor=SYSTEM)
        given = {"mode": "progressive", "customer": "acme", "team": "one", "trunk": "world", "profile": "world"}
        row = await self.stores.campaigns.create(
            {"name": name, **given, **values}, actor=SYSTEM, carried=carried, now=self.now
        )
        await self.stores.campaigns.set_state(row.id, state, actor=SYSTEM)
        return await self.read(row.id)

    async def read(self, campaign_id: int | None = None) -> Campaign:
        found = await self.store.campaigns("main")
        return next(c for c in found if c.id == (campaign_id or self.campaign.id))

    async def add_contacts(
        self, *numbers, campaign=None, zones=("Europe/Moscow",), priority=0, countries=()
    ) -> list[int]:
        """Contacts with these numbers; a tuple is one contact with several. Their ids, in order."""
        rows = [
            Row(
                line=line,
                name=f"contact {line}",
                phones=[number] if isinstance(number, str) else list(number),
                zones=list(zones),
                priority=priority,
                attributes={"city": "Vladivostok"},
                countries=list(countries),
            )
            for line, number in enumerate(numbers, 2)
        ]
        base, _ = await self.stores.bases.load(
            campaign_id=(campaign or self.campaign).id,
            name="base",
            source="",
            file_hash=str(next(_files)).encode(),
            rows=rows,
            rejected=0,
            actor=SYSTEM,
        )
        found = await self.pools.web.fetch("SELECT id FROM contact WHERE base_id = $1 ORDER BY row_number", base.id)
        return [row["id"] for row in found]

    async def add_operator(self, login: str) -> int:
        user = await self.stores.users.add(
            login=login, name=login, role="operator", password_hash="-", team="one", language="en", actor=SYSTEM
        )
        return user.id

    async def start_shift(self, operator_id: int, seat: str) -> LiveOperator:
        operator = LiveOperator(
            operator_id=operator_id,
            session_id=uuid4(),
            seat=seat,
            team_id=self.campaign.team_id,
            name=seat,
            state=OperatorState.READY,
            since=self.now,
        )
        await self.store.write(Journal(operators=[operator]))
        return operator

    async def claim(self, wanted=1, *, free=None, campaign=None, store=None, lease=None, **values) -> ClaimResult:
        lease = lease or self.lease
        ask = ClaimAsk(
            switch=lease.switch,
            epoch=lease.epoch,
            campaign=campaign or self.campaign,
            ids=[uuid4() for _ in range(wanted)],
            free_operators=wanted if free is None else free,
            ready_operator_ids=values.pop("ready", ()),
            now=self.now,
            **values,
        )
        return await (store or self.store).claim(ask)

    async def dial(self, wanted=1, **values) -> list[LiveAttempt]:
        return [live(claim) for claim in (await self.claim(wanted, **values)).claims]

    async def progress(self, attempt: LiveAttempt, state: AttemptState, **values) -> LiveAttempt:
        attempt = replace(attempt, state=state, **values)
        await self.store.write(Journal(progress=[attempt]))
        return attempt

    async def talk(self, attempt: LiveAttempt, operator_id: int) -> LiveAttempt:
        """The callee and the operator hear each other."""
        return await self.progress(
            attempt,
            AttemptState.CONNECTED,
            rang_at=self.now,
            answered_at=self.now,
            operator_id=operator_id,
            connected_at=self.now,
        )

    def ended(self, attempt: LiveAttempt, outcome: Outcome, *, campaign=None, after_s=10):
        return retry.ended(
            attempt,
            campaign or self.campaign,
            outcome,
            ended_by=EndedBy.CALLEE,
            ended_at=self.now + timedelta(seconds=after_s),
        )

    async def end(self, attempt: LiveAttempt, outcome: Outcome, **values) -> None:
        await self.store.write(Journal(ended=[self.ended(attempt, outcome, **values)]))

    async def save(self, attempt_id: UUID, operator_id: int, code: str, *, key="key", content=b"", **values):
        return await self.stores.dispositions.save(
            attempt_id=attempt_id,
            operator_id=operator_id,
            key=key,
            body_hash=content or code.encode(),
            code=code,
            now=self.now,
            **values,
        )

    async def contact(self, contact_id: int):
        return await self.pools.web.fetchrow("SELECT * FROM contact WHERE id = $1", contact_id)

    async def count(self, table: str) -> int:
        text = "SELECT count(*) FROM {}"
        return await self.pools.web.fetchval(text.format(table))

    async def snapshot(self) -> dict[str, list[str]]:
        """Every row of every table that a journal may change, as text."""
        tables = (
            *("attempt_live", "attempt", "attempt_end", "contact", "phone", "contact_phone", "abandon_budget"),
            *("callback", "disposition", "do_not_call", "operator_live", "operator_interval"),
        )
        text = "SELECT (to_jsonb(t) - 'updated_at')::text FROM {} t ORDER BY 1"
        return {name: [row[0] for row in await self.pools.web.fetch(text.format(name))] for name in tables}


def live(claim: Claim) -> LiveAttempt:
    return LiveAttempt(
        id=claim.attempt_id,
        campaign_id=claim.campaign_id,
        contact_id=claim.contact_id,
        phone_id=claim.phone_id,
        e164=claim.e164,
        number=claim.number,
        counted=claim.counted,
        state=AttemptState.SENT,
        sent_at=claim.sent_at,
        callback_id=claim.callback_id,
        for_operator=claim.for_operator,
    )
