"""Why is a base not being dialled? How long the answer takes for a base of a million contacts, some of each kind.

A fifth was called within the month, a third agreed to something, a quarter has a second number, some are closed, some
forbidden. The counts must add up to the base each time.

    scripts/bench why                         a million contacts, seven answers; the median must be below 2 s
    scripts/bench why --contacts 100000       in small
    scripts/bench why --explain               with PostgreSQL's plan
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from scripts.benches.gate import fill

CONTACTS, ANSWERS = 1_000_000, 7
#: The goal, for a million.
ANSWER_S = 2.0
#: PostgreSQL tells the plan of each long statement in its log.
EXPLAIN = (
    "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;"
    " SET client_min_messages = log"
)

MIX = (
    """INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,
           profile_version, sent_at, rang_at, ended_at, outcome, ended_by, counts, legal_answered, legal_abandoned)
       SELECT gen_random_uuid(), id, campaign_id, base_id, phone_id, 'main', 1, 1, 'world', 1, at, at, at, 'busy',
           'callee', true, false, false
       FROM contact, LATERAL (SELECT $1::timestamptz - (id % 29) * interval '1 day' AS at) AS sent WHERE id % 5 = 0""",
    """INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence_hash, withdrawn_at)
       SELECT id, 1, 'marketing', 'v1', 'web', $1::timestamptz - interval '9 days', sha256(e164::bytea),
           CASE id % 21 WHEN 0 THEN $1::timestamptz END
       FROM phone WHERE id % 3 = 0""",
    """INSERT INTO contact_phone (contact_id, place, phone_id)
       SELECT id, 2, 1 + id % (SELECT count(*) - 1 FROM contact) FROM contact
       WHERE id % 4 = 0 AND $1::timestamptz IS NOT NULL""",
    "UPDATE contact SET state = 'closed', closed_by = 'disposition', closed_at = $1 WHERE id % 11 = 0",
    "UPDATE phone SET not_before = $1::timestamptz + interval '1 hour' WHERE id % 50 = 0",
)


async def mix(url: str, now: datetime) -> None:
    """Some of each kind."""
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    for statement in MIX:
        await connection.execute(statement, now, timeout=3600)
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()


async def measure(contacts: int, *, explain: bool) -> tuple[list[float], int, dict[str, int]]:
    """Seconds per answer, how many contacts it counts, and by which reasons."""
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        server = OwnServer(Path(folder) / "postgres")
        async with server as url:
            campaign_id = await fill(url, contacts, now)
            await mix(url, now)
            async with Pools.open(server.url(user="postgres") if explain else url) as pools:
                stores = Stores.of(pools)
                [base] = await stores.bases.of_campaign(campaign_id)
                if explain:
                    await _explain(pools)
                took = []
                for _ in range(ANSWERS):
                    began = time.perf_counter()
                    held = await stores.contacts.why_counts(base_id=base.id, now=now + timedelta(seconds=1))
                    took.append(time.perf_counter() - began)
    counts = {reason: one.contacts for reason, one in held.items()}
    return took, sum(counts.values()), counts


async def _explain(pools: Pools) -> None:
    """On every connection that may answer."""
    held = [await pools.web.acquire() for _ in range(pools.web.get_max_size())]
    for connection in held:
        await connection.execute(EXPLAIN)
        connection.add_log_listener(lambda _, message: print(message.message))
        await pools.web.release(connection)


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench why", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--explain", action="store_true", help="print the plan of each statement")
    given = parser.parse_args(argv)
    took, total, counts = asyncio.run(measure(given.contacts, explain=given.explain))
    median = statistics.median(took)
    good = median <= ANSWER_S and total == given.contacts
    print({reason: counts[reason] for reason in sorted(counts)})
    falls = "" if good else "falls short; "
    print(
        f"why: {falls}{given.contacts:,} contacts in {median:.2f} s (best {min(took):.2f}); counts add up to {total:,} "
        f"by {len(counts)} reasons"
    )
    return 0 if good else 1
