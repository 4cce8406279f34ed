"""kill -9 around every save: a disposition with its callback, lead, letter and webhooks is there whole, or not at all.

A process saves one disposition over a real PostgreSQL and tells webhooks and sends letters beside it; somewhere between
its first statement and a little after its answer it is killed. Another one does the next save. Then, from outside, in
the database, at the receiver of events and at the mail server:

    torn            a disposition without its callback, lead, letter, history or events, or one of these without it
    lost            a save that was acknowledged and is not there
    untold, unsaid  an event or letter of a saved disposition that never came; one that came of what was rolled back
    strange         an id that came with two different contents: a receiver could not tell a repetition

In the end every save is repeated with its key, as a page does that got no answer: each is there once.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import os
import random
import secrets
import signal
import statistics
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope

from dialer.core.letters import Rule
from dialer.outbox.letters import Postman
from dialer.outbox.smtp import Server
from dialer.outbox.webhooks import Deliverer
from dialer.store.letters import Sender
from dialer.store.pools import Pools
from dialer.store.server import OwnServer
from dialer.store.stores import Stores
from dialer.store.webhooks import KINDS
from scripts.benches import site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from dialer.store.pools import Pool

KEY = bytes(32)
#: What each kind of save must bring with it: tables with a row of the attempt, and events.
BRINGS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "all_of_it": (("callback", "lead", "letter"), ("disposition.saved", "callback.promised", "lead.made")),
    "lead": (("lead", "letter"), ("disposition.saved", "lead.made")),
    "callback": (("callback",), ("disposition.saved", "callback.promised")),
    "agreed": ((), ("disposition.saved",)),
}
#: One that brings everything a save can bring.
ALL_OF_IT = {
    "name_en": "All of it",
    "name_ru": "Всё",
    "closes": False,
    "makes_lead": True,
    "letter": "lead",
    "needs": ["time", "address"],
}
#: What must not be.
WRONG = ("torn", "lost", "untold", "unsaid", "strange", "not_repaired")
#: Another process may tell what a dead one held after so long.
HELD_S = 1.0
_ATTEMPTS = """
INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,
    profile_version, sent_at, rang_at, answered_at, operator_id, connected_at, ended_at, outcome, ended_by, counts,
    legal_answered, legal_abandoned)
SELECT gen_random_uuid(), id, campaign_id, base_id, phone_id, 'main', 1, 1, 'world', 1, now(), now(), now(), $1, now(),
    now(), 'connected', 'callee', true, true, false
FROM contact ORDER BY id LIMIT $2 RETURNING attempt_id"""
_LEFT = """
SELECT EXISTS (SELECT FROM delivery WHERE state = 'pending') OR EXISTS (SELECT FROM letter WHERE state = 'waiting')"""
_STATE = """
SELECT a.attempt_id, d.attempt_id IS NOT NULL AS saved, c.decided_by IS NOT DISTINCT FROM a.attempt_id AS decided,
    EXISTS (SELECT FROM lead l JOIN lead_change x ON x.lead_id = l.id WHERE l.attempt_id = a.attempt_id) AS lead,
    EXISTS (SELECT FROM callback k WHERE k.made_by_attempt = a.attempt_id) AS callback,
    EXISTS (SELECT FROM letter l WHERE l.attempt_id = a.attempt_id) AS letter,
    (SELECT count(*) FROM delivery e
        WHERE a.attempt_id::text IN (e.body ->> 'attempt_id', e.body ->> 'made_by_attempt')) AS events
FROM attempt a JOIN contact c ON c.id = a.contact_id LEFT JOIN disposition d ON d.attempt_id = a.attempt_id
WHERE a.attempt_id = ANY($1::uuid[])"""


@dataclass
class Outside:
    """The receiver and the mail server: what came; and which saves were acknowledged."""

    port: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    bodies: list[dict[str, object]] = field(default_factory=list)
    acknowledged: set[UUID] = field(default_factory=set)

    async def take(self, request: web.Request) -> web.Response:
        """Any event."""
        self.bodies.append(json.loads(await request.read()))
        return web.Response()

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Any letter; whose it is stands before the sign of its address."""
        raw = envelope.original_content or b""
        self.mails.append((envelope.rcpt_tos[0].partition("@")[0], raw))
        return "250 OK"


@dataclass(frozen=True, slots=True)
class Save:
    """One save to be done."""

    url: str
    host: str
    mail_port: int
    attempt_id: UUID
    operator_id: int
    code: str

    async def do(self, stores: Stores) -> None:
        """As an operator's page does."""
        now = datetime.now(UTC)
        await stores.dispositions.save(
            attempt_id=self.attempt_id,
            operator_id=self.operator_id,
            key=f"key-{self.attempt_id}",
            body_hash=hashlib.sha256(self.code.encode()).digest(),
            code=self.code,
            note="what was agreed",
            due_at=now + timedelta(days=1) if "callback" in BRINGS[self.code][0] else None,
            address=f"{self.attempt_id}@example.com" if "letter" in BRINGS[self.code][0] else None,
            now=now,
        )

    def postman(self, pool: Pool) -> Postman:
        """Who sends the letters."""
        server = Server(host="127.0.0.1", port=self.mail_port, tls="none")
        return Postman(pool, KEY, origin="https://dialer.example", server=server, held_s=HELD_S)


def save_in_a_process(save: Save, line: Connection) -> None:
    """Say ``ready``, save, say ``saved``, go on telling until killed."""

    async def work() -> None:
        async with (
            Pools.open(save.url) as pools,
            Deliverer(pools.engine, KEY, named_hosts=[save.host], held_s=HELD_S) as deliverer,
        ):
            stores = Stores.of(pools)
            await stores.lease("main")
            line.send("ready")
            telling = asyncio.create_task(deliverer.run(), name="telling")
            sending = asyncio.create_task(save.postman(pools.engine).run(), name="sending")
            await save.do(stores)
            line.send("saved")
            await asyncio.gather(telling, sending)

    asyncio.run(work())


async def kill_around(saves: Sequence[Save], seed: int, seen: Outside) -> None:
    """Do each save in a process of its own that is killed at a random instant of it."""
    chance, context = random.Random(seed), multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    spans_s: list[float] = []
    for number, save in enumerate(saves):
        here, there = context.Pipe()
        process = context.Process(target=save_in_a_process, args=(save, there))
        process.start()
        there.close()
        await asyncio.to_thread(here.recv)
        began = time.monotonic()
        if number % 10 == 0:  # every tenth lives until it has answered: how long a save takes here
            await asyncio.to_thread(here.recv)
            seen.acknowledged.add(save.attempt_id)
            spans_s.append(time.monotonic() - began)
        await asyncio.sleep(chance.uniform(0, 1.5 * statistics.median(spans_s)))
        if process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.join)
        with suppress(EOFError):
            if here.poll() and here.recv() == "saved":
                seen.acknowledged.add(save.attempt_id)


async def judge(pools: Pools, saves: Sequence[Save], seen: Outside) -> Counter[str]:
    """What is wrong, counted from the database and the receiver."""
    found: Counter[str] = Counter()
    rows = await pools.web.fetch(_STATE, [save.attempt_id for save in saves])
    state = {row["attempt_id"]: row for row in rows}
    told: dict[UUID, set[str]] = {}
    contents: dict[str, str] = {}
    for body in seen.bodies:
        data = body["data"]
        attempt = data.get("attempt_id") or data.get("made_by_attempt") if isinstance(data, dict) else None
        told.setdefault(UUID(str(attempt)), set()).add(str(body["kind"]))
        text = json.dumps(body, sort_keys=True)
        found["strange"] += contents.setdefault(str(body["id"]), text) != text
    letters: dict[str, str] = {}
    said: dict[str, bytes] = {}
    for whose, raw in seen.mails:
        uid = str(message_from_bytes(raw)["Message-ID"])
        found["strange"] += letters.setdefault(whose, uid) != uid or said.setdefault(uid, raw) != raw
    for save in saves:
        row, (tables, kinds) = state[save.attempt_id], BRINGS[save.code]
        parts = {row["saved"], row["decided"], row["events"] == len(kinds)} | {row[table] for table in tables}
        whole = parts == {True}
        nothing = not any(row[part] for part in ("saved", "decided", "events", "lead", "callback", "letter"))
        found["torn"] += not (whole or nothing)
        found["saved"] += whole
        found["lost"] += save.attempt_id in seen.acknowledged and not whole
        came = told.get(save.attempt_id, set())
        posted = str(save.attempt_id) in letters
        found["untold"] += whole and (came != set(kinds) or posted != ("letter" in tables))
        found["unsaid"] += nothing and (bool(came) or posted)
    found["told_again"] = len(seen.bodies) - len(contents) + len(seen.mails) - len(letters)
    return found


async def run(url: str, times: int, seed: int) -> Counter[str]:
    """So many saves, each with a kill; what is wrong."""
    await site.prepare(url, site.Site(operators=1, contacts=times))
    seen = Outside()
    app = web.Application()
    app.router.add_post("/", seen.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    receiver = web.TCPSite(runner, "127.0.0.1", 0)
    await receiver.start()
    host, port = runner.addresses[0][:2]
    listening = await asyncio.get_running_loop().create_server(lambda: SMTP(seen, hostname="localhost"), "127.0.0.1", 0)
    mail_port = listening.sockets[0].getsockname()[1]
    async with Pools.open(url) as pools:
        stores = Stores.of(pools)
        ann = await stores.users.add(
            login="ann",
            name="ann",
            role="operator",
            password_hash=secrets.token_hex(),
            team="bench",
            language="en",
            actor=site.NOBODY,
        )
        await stores.webhooks.add(
            name="bench", url=f"http://{host}:{port}/", kinds=KINDS, seed=secrets.token_bytes(16), customer_id=None,
            campaign_id=None, actor=site.NOBODY,
        )  # fmt: skip
        [campaign] = await stores.campaigns.list()
        rule = Rule(mode="send", language="en", per_hour=100_000, per_day=100_000)
        await stores.letter_texts.set_rule(campaign.id, rule, actor=site.NOBODY)
        sender = Sender(name="bench", address="office@acme.example")
        await stores.letter_texts.set_sender(campaign.id, sender, actor=site.NOBODY)
        await stores.disposition_kinds.add(campaign.id, ALL_OF_IT, actor=site.NOBODY)
        rows = await pools.web.fetch(_ATTEMPTS, ann.id, times)
        codes = list(BRINGS)
        saves = [
            Save(url, f"{host}:{port}", mail_port, row["attempt_id"], ann.id, codes[number % len(codes)])
            for number, row in enumerate(rows)
        ]
        await kill_around(saves, seed, seen)
        async with Deliverer(pools.web, KEY, named_hosts=[f"{host}:{port}"], held_s=HELD_S) as deliverer:
            postman = saves[0].postman(pools.web)
            await _settle(pools, deliverer, postman)
            found = await judge(pools, saves, seen)
            for save in saves:
                await save.do(stores)
            await _settle(pools, deliverer, postman)
        again = await judge(pools, saves, seen)
    listening.close()
    await runner.cleanup()
    found["not_repaired"] = times - again["saved"]
    for wrong in ("torn", "strange", "untold", "unsaid"):
        found[wrong] = max(found[wrong], again[wrong])
    return found


async def _settle(pools: Pools, deliverer: Deliverer, postman: Postman) -> None:
    """Until nothing is left to tell or to send."""
    while await pools.web.fetchval(_LEFT):
        await deliverer.step()
        await postman.step()
        await asyncio.sleep(0.02)


def sentence(found: Counter[str], times: int) -> str:
    """The last line."""
    wrong = {name: found[name] for name in WRONG}
    text = ", ".join(f"{name} {count}" for name, count in wrong.items())
    # A kill that is always too early or always too late shows nothing.
    early = min(found["saved"], times - found["saved"])
    short = any(wrong.values()) or early < times // 20
    return (
        f"saves: {times} kills around saves, {found['saved']} whole, {times - found['saved']} not there, {text}, "
        f"told again under the same id {found['told_again']}" + ("; falls short" if short else "")
    )


def main(argv: list[str] | None = None) -> int:
    """Run it; 1 when anything is torn, lost, untold or unsaid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(argv)

    async def work() -> Counter[str]:
        with tempfile.TemporaryDirectory(prefix="dialer-saves-") as folder:
            Path(folder).chmod(0o711)  # PostgreSQL may be another user
            async with OwnServer(Path(folder) / str(uuid4())) as url:
                return await run(url, given.times, given.seed)

    text = sentence(asyncio.run(work()), given.times)
    print(text)
    return int("falls short" in text)
