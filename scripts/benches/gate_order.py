"""Do-not-call, withdrawal, erasure and claims at once on a real PostgreSQL: who is called after the answer?

Each number is claimed by several claims at once while somebody forbids it in one of three ways. When that is answered,
either its live attempt is already there to be seen, and its line is cut, or nobody ever claims it. A claim of a number
that was not live when the answer came is a call after the answer.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

from dialer.core.model import Campaign, CampaignState
from dialer.engine.ports import ClaimAsk, Lease
from dialer.store.pools import Pools
from dialer.store.store import PgStore
from dialer.store.stores import Stores
from dialer.store.users import Actor

KEY = "5e" * 32
BATCH = 250
TELL_S = 30
CLAIMERS, FORBIDDERS = 3, 6
#: Do-not-call, withdrawal, erasure.
WAYS = (0, 1, 2)
NOBODY = Actor()
_numbers = count(1)

FILL = """
WITH number AS (
    INSERT INTO phone (e164) SELECT '+1202' || lpad(n::text, 9, '0') FROM generate_series($1::bigint, $2::bigint) AS n
    RETURNING id, e164
), person AS (
    INSERT INTO contact (base_id, campaign_id, row_number, lane_id, phone_id, next_at)
    SELECT $3, $4, right(e164, 9)::integer, $5, id, '2000-01-01' FROM number RETURNING id, phone_id
), numbered AS (
    INSERT INTO contact_phone (contact_id, place, phone_id) SELECT id, 1, phone_id FROM person
)
INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence_hash)
SELECT id, $6, 'marketing', 'v1', 'web', '2000-01-01', sha256(e164::bytea) FROM number
"""


CLOSE = "UPDATE contact SET state = 'closed', closed_by = 'dead', closed_at = now() WHERE state = 'open'"


@dataclass
class Seen:
    """What became of each number."""

    claimed: set[str] = field(default_factory=set)
    live_at_answer: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)

    @property
    def called_after(self) -> set[str]:
        """Claimed, though nobody could see it when the answer came."""
        return (self.claimed & self.answered) - self.live_at_answer


async def interleave(url: str, total: int, seed: int) -> tuple[int, int, int]:
    """So many numbers, each forbidden once: how many were, how many claimed, how many called after the answer."""
    chance = random.Random(seed)
    async with Pools.open(url, suppression_key=KEY) as pools:
        stores = Stores.of(pools)
        began = datetime.now(UTC)
        store = PgStore(pools.engine, url, clock=lambda: began)  # the lease never runs out, however busy the machine is
        await stores.campaigns.set_trunk("world", kind="world", max_channels=9999, actor=NOBODY)
        values = {"mode": "ivr", "offer": "news", "customer": "a", "team": "b", "trunk": "world", "profile": "world"}
        row = await stores.campaigns.create(
            {"name": f"order-{seed}", "operator_free": True, "override": {"consent": True}, **values}, actor=NOBODY
        )
        await stores.campaigns.set_state(row.id, CampaignState.RUNNING, actor=NOBODY)
        lease = await store.take_lease("main", wait=False)
        if lease is None:
            raise SystemExit("gate: somebody else holds the lease")
        [campaign] = [one for one in await store.campaigns("main") if one.id == row.id]
        place = await _base(pools, campaign)
        forbidden = claimed = after = 0
        told_s = began_s = time.monotonic()
        while forbidden < total:
            seen = await _batch(stores, store, lease, campaign, place, min(BATCH, total - forbidden), chance)
            forbidden += len(seen.answered)
            claimed += len(seen.claimed)
            after += len(seen.called_after)
            await pools.web.execute("DELETE FROM attempt_live")
            await pools.web.execute(CLOSE)
            if (now_s := time.monotonic()) - told_s > TELL_S:
                told_s = now_s
                left_s = (now_s - began_s) / forbidden * (total - forbidden)
                print(f"{forbidden} interleavings, {after} calls after, {left_s / 60:.0f} minutes left", flush=True)
        await store.release_lease(lease)
        await store.close()
    return forbidden, claimed, after


async def _base(pools: Pools, campaign: Campaign) -> tuple[int, int]:
    base = await pools.web.fetchval(
        "INSERT INTO base (campaign_id, name, file_hash, rows_in, rows_loaded, rows_rejected)"
        " VALUES ($1, 'order', '', 0, 0, 0) RETURNING id", campaign.id,
    )  # fmt: skip
    lane = await pools.web.fetchval(
        "INSERT INTO lane (base_id, campaign_id, zones) VALUES ($1, $2, '{UTC}') RETURNING id", base, campaign.id
    )
    return base, lane


async def _batch(
    stores: Stores,
    store: PgStore,
    lease: Lease,
    campaign: Campaign,
    place: tuple[int, int],
    size: int,
    chance: random.Random,
) -> Seen:
    first, *_ = [next(_numbers) for _ in range(size)]
    await stores.pool.execute(FILL, first, first + size - 1, place[0], campaign.id, place[1], campaign.customer_id)
    seen = Seen()
    phones = [f"+1202{n:09}" for n in range(first, first + size)]
    chance.shuffle(phones)
    done = asyncio.Event()

    async def claim(pick: random.Random) -> None:
        while not done.is_set():
            ask = ClaimAsk(
                switch="main",
                epoch=lease.epoch,
                campaign=campaign,
                ids=[uuid4() for _ in range(pick.randint(1, 3))],
                free_operators=0,
                ready_operator_ids=(),
                now=datetime.now(UTC),
            )
            seen.claimed |= {one.e164 for one in (await store.claim(ask)).claims}
            await asyncio.sleep(pick.random() * 0.01)

    async def forbid(pick: random.Random) -> None:
        while phones:
            phone = phones.pop()
            await asyncio.sleep(pick.random() * 0.01)
            phone_id = await _forbid(stores, campaign, phone, pick.choice(WAYS))
            if await stores.pool.fetchval("SELECT count(*) FROM attempt_live WHERE phone_id = $1", phone_id):
                seen.live_at_answer.add(phone)
            seen.answered.add(phone)

    claims = [asyncio.create_task(claim(random.Random(chance.random()))) for _ in range(CLAIMERS)]
    await asyncio.gather(*(forbid(random.Random(chance.random())) for _ in range(FORBIDDERS)))
    done.set()
    await asyncio.gather(*claims)
    return seen


async def _forbid(stores: Stores, campaign: Campaign, phone: str, way: int) -> int:
    if way == 0:
        return (await stores.do_not_call.add(phone=phone, scope="global", actor=NOBODY)).phone_id
    now = datetime.now(UTC)
    if way == 1:
        return await stores.consents.withdraw(phone, customer_id=campaign.customer_id, now=now, actor=NOBODY)
    return await stores.phones.erase(phone, now=now, actor=NOBODY)
