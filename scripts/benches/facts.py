"""Lists of attempts in a long ledger: what a page costs at 200,000 and at 2,000,000 attempts, whatever is sought.

One campaign with eight tenths of the attempts, one with the rest, over thirty days; every tenth attempt a conversation
with a disposition, one in five hundred abandoned. Each list is asked twenty times; the slowest of them is told as well.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from dialer.store.facts import Sought
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from scripts.benches import site

if TYPE_CHECKING:
    from dialer.store.facts import Facts

ATTEMPTS, CONTACTS, TURNS = 2_000_000, 20_000, 20
#: The goals: a page, and how much more it may cost in a ledger ten times as long.
PAGE_MS, GROWTH = 150.0, 1.5
#: Pages this quick are not compared: what they differ by is chance.
QUICK_MS = 10.0

FILL = """
INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,
    profile_version, sent_at, rang_at, answered_at, connected_at, ended_at, outcome, ended_by, counts, legal_answered,
    legal_abandoned, operator_id)
SELECT gen_random_uuid(), c.id, CASE WHEN n % 5 = 0 THEN $5 ELSE c.campaign_id END, c.base_id, c.phone_id, 'main', 1,
    1, 'world', 1, f.at, f.at, CASE WHEN f.talk THEN f.at END, CASE WHEN f.talk THEN f.at END,
    f.at + interval '60 seconds',
    CASE WHEN f.talk THEN 'connected' WHEN n % 500 = 1 THEN 'abandoned' ELSE 'no_answer' END, 'callee', true,
    f.talk OR n % 500 = 1, n % 500 = 1, CASE WHEN f.talk THEN 1 + n / 10 % 50 END
FROM generate_series($1::integer, $2::integer) n
CROSS JOIN LATERAL (SELECT $3::timestamptz - n * $4::interval AS at, n % 10 = 3 AS talk) f
JOIN contact c ON c.id = (SELECT min(id) FROM contact) + n % (SELECT count(*)::integer FROM contact)
"""
SAY = """
INSERT INTO disposition (attempt_id, key, body_hash, campaign_id, contact_id, operator_id, code, result, closes,
    decision_maker, saved_at)
SELECT attempt_id, attempt_id, '', campaign_id, contact_id, operator_id, 'lead', true, false, true, ended_at
FROM attempt WHERE outcome = 'connected' ON CONFLICT DO NOTHING
"""
PEOPLE = """
INSERT INTO app_user (login, name, role, password_hash, team_id)
SELECT 'operator-' || n, 'Operator ' || n, 'operator', '-', (SELECT min(id) FROM team) FROM generate_series(1, 50) n
"""


async def fill(url: str, first: int, last: int, now: datetime, step: timedelta, other: int) -> None:
    """Attempts ``first`` to ``last``, the newest first, and what was said."""
    connection = await asyncpg.connect(url)
    for at in range(first, last + 1, 200_000):
        await connection.execute(FILL, at, min(last, at + 199_999), now, step, other)
    await connection.execute(SAY)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def lists(campaign: int, now: datetime) -> dict[str, Sought]:
    """What supervisors open."""
    hour = now - timedelta(hours=1)
    return {
        "all": Sought(),
        "campaign": Sought(campaign_id=campaign),
        "oldest": Sought(campaign_id=campaign, oldest=True),
        "operator": Sought(operator_id=7),
        "hour": Sought(campaign_id=campaign, since=hour),
        "abandoned": Sought(campaign_id=campaign, fact="abandoned"),
        "results": Sought(campaign_id=campaign, fact="results"),
        "disposition": Sought(campaign_id=campaign, code="lead"),
        "a name": Sought(campaign_id=campaign, q="P1234"),
        "nothing": Sought(campaign_id=campaign, outcome="rejected"),
        "a number": Sought(q="+12015550142"),
        "middle": Sought(campaign_id=campaign, cursor=f"{(now - timedelta(days=1)).isoformat()}_"),
    }


async def ask(facts: Facts, sought: dict[str, Sought]) -> dict[str, list[float]]:
    """Milliseconds of each list, a turn each round."""
    times: dict[str, list[float]] = {name: [] for name in sought}
    for turn in range(TURNS + 1):
        for name, one in sought.items():
            began = time.perf_counter()
            await facts.find(one)
            if turn:  # the first round reads from disk
                times[name].append((time.perf_counter() - began) * 1000)
    return times


async def run(attempts: int) -> int:
    """Fill a tenth, ask, fill the rest, ask again."""
    now = datetime.now(UTC)
    step = timedelta(days=30) / attempts
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        async with OwnServer(Path(folder) / "postgres") as url:
            campaign = await site.prepare(url, site.Site(operators=0, contacts=CONTACTS))
            async with Pools.open(url) as pools:
                stores = Stores.of(pools)
                values = {
                    "mode": "progressive",
                    "customer": "Bench",
                    "team": "bench",
                    "trunk": "world",
                    "profile": "world",
                }
                other = await stores.campaigns.create({"name": "other", **values}, actor=site.NOBODY)
                await pools.web.execute(PEOPLE)
                sought = lists(campaign, now)
                await fill(url, 1, attempts // 10, now, step, other.id)
                short = await ask(stores.facts, sought)
                await fill(url, attempts // 10 + 1, attempts, now, step, other.id)
                long = await ask(stores.facts, sought)
    return judge(short, long, attempts)


def judge(short: dict[str, list[float]], long: dict[str, list[float]], attempts: int) -> int:
    """The last line; 0 when the goals are met."""
    medians = {name: statistics.median(times) for name, times in long.items()}
    growths = {name: max(medians[name], QUICK_MS) / max(statistics.median(short[name]), QUICK_MS) for name in medians}
    for name, times in long.items():
        print(f"{name}: {medians[name]:.1f} ms, slowest {max(times):.1f} ms, growth {growths[name]:.2f}")
    slowest, most = max(medians, key=medians.__getitem__), max(growths, key=growths.__getitem__)
    good = medians[slowest] <= PAGE_MS and growths[most] <= GROWTH
    print(
        f"facts: {'' if good else 'falls short; '}{attempts:,} attempts: the slowest page ({slowest}) "
        f"{medians[slowest]:.0f} ms (goal {PAGE_MS:g}), ten times the ledger costs at most {growths[most]:.2f} times "
        f"({most}; goal {GROWTH:g})"
    )
    return 0 if good else 1


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench facts", description=__doc__)
    parser.add_argument("--attempts", type=int, default=ATTEMPTS)
    return asyncio.run(run(parser.parse_args(argv).attempts))
