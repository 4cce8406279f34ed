"""Tables of the pages at 100,000 rows: what the first page, the last one, each order and a search cost.

People, the audit log and do-not-call entries are paged through; promises, leads and letters lead on by cursor. Each is
asked ten times; the quickest counts, so that whatever else the machine does is hardly in it. Beside them the bare
reading of one table by a word: a search reads up to three tables, by up to three words of each row.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from dialer.store import callbacks, leads, letter_pages
from dialer.store.office import View
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from scripts.benches import site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Ask = Callable[[], Awaitable[Any]]

ROWS, CONTACTS, TURNS = 100_000, 100, 10
#: The goal: no list takes longer, or on a slow machine longer than so many bare readings.
PAGE_MS, READINGS = 100.0, 8.0
#: One search through one table, and nothing else.
BARE = "SELECT count(*) FROM contact WHERE strpos(lower(name), 'zzz') > 0"

#: Rows alone, without the calls they would have come from.
FILL = (
    """INSERT INTO app_user (login, name, role, password_hash, team_id)
    SELECT 'op' || n, 'Operator ' || md5(n::text), 'operator', '-', (SELECT min(id) FROM team)
    FROM generate_series(1, $1) n""",
    """INSERT INTO audit (at, user_id, action, object, after)
    SELECT now() - n * interval '1 minute', (SELECT min(id) FROM app_user) + n % 100, 'campaign.change',
        'campaign:' || n % 50, '{"attempts_max": 3}' FROM generate_series(1, $1) n""",
    """INSERT INTO phone (e164) SELECT '+7903' || lpad(n::text, 7, '0') FROM generate_series(1, $1) n
    ON CONFLICT DO NOTHING""",
    """INSERT INTO contact (base_id, campaign_id, row_number, name, lane_id, phone_id)
    SELECT c.base_id, c.campaign_id, 10000000 + p.id, 'P' || p.id, c.lane_id, p.id
    FROM (SELECT * FROM contact ORDER BY id LIMIT 1) c, phone p ORDER BY p.id LIMIT $1""",
    """INSERT INTO do_not_call (phone_id, scope, reason, added_by)
    SELECT p.id, 'global', 'said so ' || p.id, (SELECT min(id) FROM app_user)
    FROM (SELECT id FROM phone ORDER BY id LIMIT $1) p""",
    """INSERT INTO callback (contact_id, campaign_id, phone_id, promised_at, due_at, next_at, operator_id, note, state,
        closed_at)
    SELECT c.id, c.campaign_id, c.phone_id, now() - interval '1 day', d.at, d.at,
        (SELECT min(id) FROM app_user) + c.id % 50, 'note', CASE WHEN c.id % 3 = 0 THEN 'pending' ELSE 'kept' END,
        CASE WHEN c.id % 3 > 0 THEN now() END
    FROM (SELECT * FROM contact ORDER BY id LIMIT $1) c
    CROSS JOIN LATERAL (SELECT now() + (c.id % 2000 - 1000) * interval '1 minute' AS at) d""",
    """INSERT INTO lead (attempt_id, contact_id, campaign_id, customer_id, phone_id, operator_id, made_at, person,
        company, due_at, currency)
    SELECT gen_random_uuid(), c.id, c.campaign_id, (SELECT min(id) FROM customer), c.phone_id,
        (SELECT min(id) FROM app_user), now() - c.id * interval '1 minute', c.name, 'Company ' || c.id,
        now() + (c.id % 2000 - 1000) * interval '1 minute', 'RUB'
    FROM (SELECT * FROM contact ORDER BY id LIMIT $1) c""",
    """INSERT INTO letter (attempt_id, contact_id, campaign_id, customer_id, word, language, address, made_at)
    SELECT gen_random_uuid(), c.id, c.campaign_id, (SELECT min(id) FROM customer), 'proposal', 'ru',
        'box' || c.id || '@example.com', now() - c.id * interval '1 minute'
    FROM (SELECT * FROM contact ORDER BY id LIMIT $1) c""",
)


async def fill(url: str, rows: int) -> None:
    """Every table with so many rows."""
    connection = await asyncpg.connect(url.replace("//dialer@", "//postgres@"))
    await connection.execute("SET session_replication_role = replica")
    for statement in FILL:
        await connection.execute(statement, rows)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def asked(stores: Stores, rows: int, campaign: int, now: datetime) -> dict[str, Ask]:
    """What people do with each table."""
    office = stores.office
    last = rows // 50
    paged: dict[str, Callable[[View], Awaitable[Any]]] = {
        "people": office.users,
        "audit": office.audit,
        "do-not-call": office.do_not_call,
    }
    orders = {"people": ("login", "name", "role", "team"), "audit": ("at",), "do-not-call": ("phone", "added")}
    sought = {
        "people": ("op7777", "zzz"),
        "audit": ("campaign:7", "zzz"),
        "do-not-call": ("0142", "+12015550142", "zzz"),
    }
    views = {}
    for name in paged:
        views[f"{name}, first"] = (name, View())
        views[f"{name}, last"] = (name, View(page=last))
        for order in orders[name]:
            views[f"{name} by {order}"] = (name, View(sort=order))
            views[f"{name} by {order}, down"] = (name, View(sort=order, down=True))
        for words in sought[name]:
            views[f"{name}: {words}"] = (name, View(q=words))
    found: dict[str, Ask] = {title: partial(paged[name], view) for title, (name, view) in views.items()}
    for show in ("pending", "due", "late", "kept"):
        found[f"promises {show}"] = partial(stores.callbacks.board, callbacks.Sought(show=show), now=now)
    found["promises: a name"] = partial(stores.callbacks.board, callbacks.Sought(q="P1234"), now=now)
    for title, lead in {
        "all": leads.Sought(),
        "late": leads.Sought(show="late"),
        "of a campaign": leads.Sought(campaign_id=campaign),
        "a company": leads.Sought(q="Company 777"),
        "digits": leads.Sought(q="5550142"),
        "nothing": leads.Sought(q="zzz"),
    }.items():
        found[f"leads, {title}"] = partial(stores.leads.find, lead, now=now)
    for title, letter in {
        "all": letter_pages.Sought(),
        "waiting": letter_pages.Sought(state="waiting"),
        "bounced": letter_pages.Sought(state="bounced"),
        "an address": letter_pages.Sought(q="box777@example.com"),
        "a name": letter_pages.Sought(q="P1234"),
        "nothing": letter_pages.Sought(q="zzz"),
    }.items():
        found[f"letters, {title}"] = partial(stores.letters.find, letter)
    return found


async def run(rows: int) -> int:
    """Fill, then ask each in turn."""
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        Path(folder).chmod(0o755)
        async with OwnServer(Path(folder) / "postgres") as url:
            campaign = await site.prepare(url, site.Site(operators=0, contacts=CONTACTS))
            await fill(url, rows)
            async with Pools.open(url) as pools:
                asks = asked(Stores.of(pools), rows, campaign, datetime.now(UTC))
                times = {title: await quickest_ms(ask) for title, ask in asks.items()}
                bare_ms = await quickest_ms(partial(pools.web.fetchval, BARE))
    for title, took_ms in sorted(times.items(), key=lambda one: -one[1]):
        print(f"{title:28} {took_ms:8.1f} ms")
    slow = [title for title, took_ms in times.items() if took_ms > max(PAGE_MS, READINGS * bare_ms)]
    most = max(times.values())
    short = f"falls short ({'; '.join(slow)}); " if slow else ""
    print(
        f"tables: {short}{len(times)} lists of {rows:,} rows: the slowest {most:.0f} ms, {most / bare_ms:.1f} bare "
        f"readings of {bare_ms:.0f} ms (goal {PAGE_MS:g} ms, or {READINGS:g} readings)"
    )
    return 1 if slow else 0


async def quickest_ms(ask: Ask) -> float:
    """The quickest of some turns, in milliseconds."""
    best = float("inf")
    for _ in range(TURNS):
        began = time.perf_counter()
        await ask()
        best = min(best, (time.perf_counter() - began) * 1000)
    return best


def main(argv: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench tables", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    return asyncio.run(run(parser.parse_args(argv).rows))
