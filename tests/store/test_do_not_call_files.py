"""Files of do-not-call numbers on a real PostgreSQL: all or none, once, back again, and nobody is called after the answer."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from dialer import forbidden
from dialer.core.model import AttemptState, Outcome
from dialer.errors import NotFound, Refused
from dialer.store import do_not_call
from dialer.store.do_not_call import Scope
from dialer.store.do_not_call_files import Listed
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres

PHONE, OTHER, THIRD = "+12025550101", "+12025550102", "+12025550103"
GLOBAL = Scope(word="global")


def listed(*numbers):
    return [Listed(line=line, verdict="number", numbers=[number]) for line, number in enumerate(numbers, 1)]


async def take(place, *numbers, scope=GLOBAL, rows=None, file_hash=b"one"):
    return await place.stores.do_not_call_files.take(
        rows or listed(*numbers), scope, name="stop.txt", file_hash=file_hash, now=place.now, actor=SYSTEM
    )


async def test_a_rehearsal_says_what_becomes_of_each_row_and_writes_nothing(place):
    await place.stores.do_not_call.add(phone=PHONE, scope="global", actor=SYSTEM)
    rows = [*listed(PHONE, OTHER), Listed(line=3, verdict="repeated"), Listed(line=4, verdict="bad_phone")]
    before = await place.snapshot()
    rehearsed = await place.stores.do_not_call_files.rehearse(rows, GLOBAL)
    assert await place.snapshot() == before
    assert rehearsed.verdicts == {1: "known", 2: "added", 3: "repeated", 4: "bad_phone"}
    taken = await take(place, rows=rows)
    assert taken.verdicts == rehearsed.verdicts
    assert (taken.file.rows_in, taken.file.rows_added, taken.file.rows_known, taken.file.rows_rejected) == (4, 1, 2, 1)


async def test_every_number_of_a_file_is_forbidden_from_the_answer_on_and_lines_on_their_way_are_told(place):
    contacts = await place.add_contacts(PHONE, OTHER, THIRD)
    [ringing] = await place.dial()
    taken = await take(place, PHONE, OTHER, "+12025550199")
    assert taken.live == [ringing.phone_id]
    assert [attempt.e164 for attempt in await place.dial(5)] == [THIRD]
    assert (await place.contact(contacts[1]))["refused_by"] == "do_not_call"


async def test_the_same_file_is_taken_once_also_when_it_comes_twice_at_once(place):
    both = await asyncio.gather(take(place, PHONE, OTHER), take(place, PHONE, OTHER))
    assert sorted(one.repeated for one in both) == [False, True]
    assert (await take(place, PHONE, OTHER)).repeated
    assert await place.count("do_not_call_file") == 1
    assert not (await take(place, PHONE, scope=Scope(word="campaign", campaign_id=place.campaign.id))).repeated


async def test_a_file_for_nobody_is_refused_as_a_whole(place):
    with pytest.raises(Refused) as refused:
        await take(place, PHONE, scope=Scope(word="customer", customer_id=999))
    assert refused.value.code == "do_not_call.scope"
    with pytest.raises(Refused, match="no number"):
        await take(place, rows=[Listed(line=1, verdict="bad_phone")])
    assert await place.count("do_not_call") == await place.count("do_not_call_file") == 0


async def test_a_file_is_taken_back_with_its_entries_and_their_contacts_come_before_the_gate_again(place):
    [contact] = await place.add_contacts((PHONE, OTHER))
    taken = await take(place, PHONE, OTHER)
    assert not await place.dial()
    undone = await place.stores.do_not_call_files.undo(taken.file.id, now=place.now, actor=SYSTEM)
    assert undone.undone_at == place.now
    await place.pools.web.execute("UPDATE contact SET next_at = $1 WHERE id = $2", place.now, contact)
    assert [attempt.e164 for attempt in await place.dial()] == [PHONE]
    noted = await place.pools.web.fetch("SELECT action, after FROM audit WHERE action LIKE 'do_not_call%' ORDER BY id")
    assert [row["action"] for row in noted] == ["do_not_call.file", "do_not_call.file_undone"]
    assert (noted[0]["after"]["added"], noted[1]["after"]["entries"]) == (2, 2)
    assert PHONE not in str([dict(row) for row in noted])
    with pytest.raises(Refused, match="taken back already"):
        await place.stores.do_not_call_files.undo(taken.file.id, now=place.now, actor=SYSTEM)
    with pytest.raises(NotFound):
        await place.stores.do_not_call_files.undo(999, now=place.now, actor=SYSTEM)
    assert not (await take(place, PHONE, OTHER)).repeated


async def test_whatever_a_person_or_another_file_names_too_stays_when_a_file_is_taken_back(place):
    first = await take(place, PHONE, OTHER, THIRD)
    await take(place, OTHER, "+12025550104", file_hash=b"two")
    await place.stores.do_not_call.add(phone=PHONE, scope="global", actor=SYSTEM)
    await place.stores.do_not_call_files.undo(first.file.id, now=place.now, actor=SYSTEM)
    left = {entry.phone for entry in await place.stores.do_not_call.list()}
    assert left == {PHONE, OTHER, "+12025550104"}


async def test_a_promise_to_a_number_of_a_file_is_blocked_and_shown(place):
    [contact] = await place.add_contacts(PHONE)
    await place.pools.web.execute(
        "INSERT INTO callback (contact_id, campaign_id, phone_id, due_at, next_at)"
        " SELECT id, campaign_id, phone_id, $2, $2 FROM contact WHERE id = $1", contact, place.now,
    )  # fmt: skip
    await take(place, PHONE, scope=Scope(word="customer", customer_id=place.campaign.customer_id))
    [promise] = await place.stores.callbacks.list(now=place.now)
    assert promise.state == "blocked"


async def test_ten_thousand_numbers_are_forbidden_while_a_campaign_dials_and_its_claims_do_not_wait(place):
    """None is called after the answer; a claim takes as long as ever."""
    numbers = [f"+1202{n:07}" for n in range(10_000)]
    await place.add_contacts(*numbers[::4])
    claims, claimed, done = [], set(), asyncio.Event()

    async def dial():
        while not done.is_set():
            began = time.perf_counter()
            claimed.update(claim.e164 for claim in (await place.claim(1)).claims)
            claims.append(time.perf_counter() - began)
            await place.store.renew_lease(place.lease)
            await asyncio.sleep(0.002)

    dialing = asyncio.create_task(dial())
    await asyncio.sleep(0.1)
    taken = await take(place, *numbers)
    ids = {row["e164"]: row["id"] for row in await place.pools.web.fetch("SELECT id, e164 FROM phone")}
    live = {ids[e164] for e164 in claimed}
    await asyncio.sleep(0.1)
    done.set()
    await dialing
    assert taken.file.rows_added == 10_000
    assert set(taken.live) >= live
    assert {ids[e164] for e164 in claimed} <= set(taken.live)
    claims.sort()
    assert claims[len(claims) // 2] < 0.1


class Commands:
    """What the engine is asked to cut."""

    def __init__(self):
        self.cut: list[int] = []
        self.asked = asyncio.Event()

    async def do_not_call_added(self, phone_ids):
        self.cut += phone_ids
        self.asked.set()


async def forbid(place, attempt):
    await place.stores.do_not_call.add(phone=attempt.e164, scope="global", actor=SYSTEM)


async def withdraw(place, attempt):
    about = {"phone_id": attempt.phone_id, "customer_id": place.campaign.customer_id}
    await place.pools.web.execute(
        "INSERT INTO consent (phone_id, customer_id, purpose, wording, channel, given_at, evidence_hash, withdrawn_at)"
        " VALUES ($1, $2, 'marketing', 'v1', 'web', '2026-01-01', sha256('x'), now())", *about.values(),
    )  # fmt: skip


async def register(place, attempt):
    await place.stores.national.replace("us-dnc", [attempt.e164], now=place.now, actor=SYSTEM)


async def refuse(place, attempt):
    """The same person refuses in another call for the same customer."""
    await place.pools.web.execute(
        "INSERT INTO disposition_rest VALUES ($1, $2, 'refusal', $3, $4)",
        attempt.phone_id, place.campaign.customer_id, place.now + timedelta(seconds=1), place.now + timedelta(days=60),
    )  # fmt: skip


async def erase(place, attempt):
    await place.pools.web.execute("UPDATE phone SET e164 = 'erased:' || id WHERE id = $1", attempt.phone_id)


@pytest.mark.parametrize("way", [forbid, withdraw, register, refuse, erase])
async def test_a_ringing_line_is_cut_within_a_second_wherever_its_number_was_forbidden(place, way):
    """Also by the command line or another service, which this engine never hears of."""
    await place.add_contacts(PHONE, OTHER)
    attempt, spared = await place.dial(2)
    await place.progress(attempt, AttemptState.RINGING, rang_at=place.now)
    lists = [(place.campaign.id, "us-dnc")]
    assert await do_not_call.ringing(place.pools.engine, "main", lists) == []
    commands = Commands()
    watch = asyncio.create_task(forbidden.watch(commands, place.pools.engine, "main", lambda: lists))
    await way(place, attempt)
    began = time.monotonic()
    await asyncio.wait_for(commands.asked.wait(), 5)
    assert time.monotonic() - began < 1
    watch.cancel()
    assert set(commands.cut) == {attempt.phone_id}
    assert spared.phone_id not in commands.cut


async def test_a_line_that_was_answered_or_is_being_hung_up_is_let_be(place):
    await place.add_contacts(PHONE)
    [attempt] = await place.dial()
    await place.stores.do_not_call.add(phone=PHONE, scope="global", actor=SYSTEM)
    assert await do_not_call.ringing(place.pools.engine, "main", []) == [attempt.phone_id]
    assert await do_not_call.ringing(place.pools.engine, "elsewhere", []) == []
    await place.progress(attempt, AttemptState.ANSWERED, rang_at=place.now, answered_at=place.now)
    assert await do_not_call.ringing(place.pools.engine, "main", []) == []
    await place.end(attempt, Outcome.EARLY_HANGUP)
