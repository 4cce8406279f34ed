"""What the benchmarks share: a campaign of the telephone world in a database, numbers to dial, figures."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

import phonenumbers

from dialer.core.model import CampaignState
from dialer.intake import load
from dialer.store.migrate import migrate
from dialer.store.partitions import keep_partitions
from dialer.store.pools import Pools
from dialer.store.stores import Stores
from dialer.store.users import Actor

NOBODY = Actor(user_id=None, ip="127.0.0.1")
CAMPAIGN = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A campaign of the packaged telephone world.

    Attributes:
        carried: Answered and abandoned calls already in its legal window.
    """

    operators: int
    contacts: int
    mode: str = "progressive"
    carried: tuple[int, int] = (2000, 20)
    wrap_up_s: int = 30
    max_lines: int = 1000


def numbers() -> Iterator[str]:
    """E.164 numbers of the ranges reserved for drama, round and round: +1 NXX 555 0100 to 0199."""
    return cycle(_drama())


def _drama() -> Iterator[str]:
    for area in range(201, 990):
        first = f"+1{area}5550100"
        if phonenumbers.is_valid_number(phonenumbers.parse(first)):
            for line in range(100):
                yield f"+1{area}55501{line:02}"


def needed(rates: Sequence[float], blocks: int, seconds: float) -> int:
    """Contacts that all blocks of one side dial, with room to spare."""
    return int(sum(rates) * blocks * (seconds + 10))


async def prepare(url: str, site: Site) -> int:
    """Migrate, and load a running campaign with contacts and operators; its id."""
    migrate(url)
    async with Pools.open(url) as pools:
        await keep_partitions(pools.engine)
        stores = Stores.of(pools)
        await stores.campaigns.set_trunk("world", kind="world", max_channels=1000, calls_per_s=50, actor=NOBODY)
        values = {
            "name": CAMPAIGN,
            "mode": site.mode,
            "customer": "Bench",
            "team": "bench",
            "trunk": "world",
            "profile": "world",
            "cap_permille": 30,
            "caller_number": "+12025550100",
            "ring_timeout_s": 12,
            "wrap_up_s": site.wrap_up_s,
            "max_lines": site.max_lines,
        }
        campaign = await stores.campaigns.create(values, actor=NOBODY, carried=site.carried)
        rows = "".join(f"P{n},{number},America/New_York\n" for n, number in enumerate(islice(_drama(), site.contacts)))
        data = f"name,phone,zone\n{rows}".encode()
        loaded = await load(stores, campaign_id=campaign.id, name="bench", source="", data=data, actor=NOBODY)
        if len(loaded.rejected) or loaded.base.rows_loaded < site.contacts:
            few = f"{loaded.base.rows_loaded} of {site.contacts} contacts loaded"
            raise SystemExit(f"bench: {few}: {loaded.rejected[:3]}")
        await stores.campaigns.set_state(campaign.id, CampaignState.RUNNING, actor=NOBODY)
        return campaign.id


def cpu_s() -> float:
    """CPU seconds this process used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures(rate: float, ms: Sequence[float], cpu: float, calls: int) -> dict[str, float]:
    """The figures of one block."""
    cuts = statistics.quantiles(ms, n=100)
    return {
        "originated_per_s": rate,
        "p50_ms": cuts[49],
        "p99_ms": cuts[98],
        "cpu_ms_per_call": cpu * 1000 / max(1, calls),
        "connected": len(ms),
    }
