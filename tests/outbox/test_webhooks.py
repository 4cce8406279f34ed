"""Webhooks: told at least once and never of what was rolled back, signed, and to nobody inside the own network."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import threading
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from aiohttp.abc import AbstractResolver

from dialer.core.leads import LeadState
from dialer.core.model import AttemptState, CampaignState, Outcome
from dialer.engine.ports import Journal
from dialer.outbox import webhooks as outbox
from dialer.outbox.webhooks import ANSWER_S, secret
from dialer.store import webhooks
from dialer.store.leads import tell_late
from tests.outbox.conftest import KEY, Receiver, delivering, receiving, settle, stepping
from tests.store.places import SYSTEM

pytestmark = pytest.mark.postgres


async def listen(place, url, *, kinds=webhooks.KINDS, customer_id=None, campaign_id=None) -> int:
    return await place.stores.webhooks.add(
        name="crm",
        url=url,
        kinds=kinds,
        seed=secrets.token_bytes(16),
        customer_id=customer_id,
        campaign_id=campaign_id,
        actor=SYSTEM,
    )


async def conversation(place, code="lead", *, phone="+12025550101", operator="ann", **values):
    operator_id = await place.add_operator(operator)
    place.now += timedelta(minutes=1)
    await place.add_contacts(phone)
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, operator_id)
    await place.save(attempt.id, operator_id, code, key=str(attempt.id), **values)
    await place.end(attempt, Outcome.CONNECTED)
    return attempt


async def waiting(place) -> list[str]:
    rows = await place.pools.web.fetch("SELECT kind FROM delivery ORDER BY id")
    return [row["kind"] for row in rows]


async def test_where_nobody_listens_nothing_is_written(place, receiver):
    await listen(place, receiver.url, kinds=["campaign.state"])
    await conversation(place)
    assert await waiting(place) == []


async def test_everything_of_a_conversation_is_told_in_its_transactions(place, receiver):
    """Connected, disposition, lead, promise, end, a lead's way and lateness, and a campaign's state: once each."""
    await listen(place, receiver.url)
    attempt = await conversation(place)
    await conversation(
        place,
        "callback",
        phone="+12025550102",
        operator="bob",
        due_at=place.now + timedelta(hours=3),
        note="secret words",
    )
    leads = place.stores.leads
    assert await tell_late(place.pools.web, place.now + timedelta(days=2)) == 1
    await leads.move(1, LeadState.ACCEPTED, now=place.now, actor=SYSTEM)
    [promise] = await place.stores.callbacks.list(now=place.now)
    await place.stores.callbacks.cancel(promise.id, reason="asked", actor=SYSTEM, now=place.now)
    await place.stores.campaigns.set_state(place.campaign.id, CampaignState.PAUSED, actor=SYSTEM)
    await place.stores.campaigns.set_state(place.campaign.id, CampaignState.PAUSED, actor=SYSTEM)
    expected = ["attempt.connected", "disposition.saved", "lead.made", "attempt.ended", "attempt.connected"]
    expected += [
        "disposition.saved",
        "callback.promised",
        "attempt.ended",
        "lead.late",
        "lead.moved",
        "callback.changed",
    ]
    assert await waiting(place) == [*expected, "campaign.state"]
    async with delivering(place.pools.web, receiver) as deliverer:
        await settle(place.pools.web, deliverer)
    assert sorted(receiver.kinds) == sorted([*expected, "campaign.state"])
    ended = next(body for body in receiver.bodies if body["kind"] == "attempt.ended")
    assert (ended["data"]["attempt_id"], ended["data"]["outcome"]) == (str(attempt.id), "connected")
    assert ended["campaign_id"] == place.campaign.id
    everything = b" ".join(body for _, body in receiver.got)
    for personal in (b"contact 2", b"2025550101", b"secret words", b"Vladivostok"):
        assert personal not in everything


async def test_a_journal_that_is_repeated_tells_nothing_twice(place, receiver):
    await listen(place, receiver.url)
    ann = await place.add_operator("ann")
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    await place.progress(attempt, AttemptState.CONNECTED)
    ended = Journal(ended=[place.ended(attempt, Outcome.CONNECTED)])
    for _ in range(2):
        await place.store.write(ended)
    assert await waiting(place) == ["attempt.connected", "attempt.ended"]


async def test_what_is_rolled_back_is_told_to_nobody(place, receiver):
    await listen(place, receiver.url)
    ann = await place.add_operator("ann")
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    before = await waiting(place)
    await place.pools.web.execute("ALTER TABLE lead_change ADD CONSTRAINT never CHECK (false) NOT VALID")
    with pytest.raises(asyncpg.CheckViolationError):
        await place.save(attempt.id, ann, "lead")
    assert await waiting(place) == before


async def test_a_receiver_is_told_of_its_customer_or_campaign_alone(place):
    rival = await place.add_campaign("rival", customer="rival")
    async with receiving() as all_, receiving() as acme, receiving() as of_rival:
        await listen(place, all_.url)
        await listen(place, acme.url, customer_id=place.campaign.customer_id)
        await listen(place, of_rival.url, campaign_id=rival.id)
        await place.stores.campaigns.set_state(rival.id, CampaignState.STOPPED, actor=SYSTEM)
        await place.stores.campaigns.set_state(place.campaign.id, CampaignState.PAUSED, actor=SYSTEM)
        async with delivering(place.pools.web, all_, acme, of_rival) as deliverer:
            await settle(place.pools.web, deliverer)
        told = [[body["campaign_id"] for body in one.bodies] for one in (all_, acme, of_rival)]
        assert [sorted(ids) for ids in told] == [[place.campaign.id, rival.id], [place.campaign.id], [rival.id]]
        [id_of_all] = {body["id"] for body in all_.bodies if body["campaign_id"] == rival.id}
        assert of_rival.bodies[0]["id"] == id_of_all


async def test_each_try_is_signed_with_its_time_under_the_secret_that_was_shown_once(place, receiver):
    """A receiver needs the shown secret, the header and the body, nothing else; for a day the old one is good too."""
    seed = secrets.token_bytes(16)
    hook = await place.stores.webhooks.add(
        name="crm", url=receiver.url, kinds=["lead.made"], seed=seed, customer_id=None, campaign_id=None, actor=SYSTEM
    )
    fresh = secrets.token_bytes(16)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as deliverer:
        await settle(place.pools.web, deliverer)
        await place.stores.webhooks.rotate(hook, fresh, until=datetime.now(UTC) + timedelta(days=1), actor=SYSTEM)
        await place.stores.webhooks.test(hook, now=datetime.now(UTC))
        await settle(place.pools.web, deliverer)
        await place.pools.web.execute("UPDATE webhook SET seed_before_until = now()")
        await place.stores.webhooks.test(hook, now=datetime.now(UTC))
        await settle(place.pools.web, deliverer)

    def signed(seed, headers, body):
        message = headers["Dialer-Timestamp"].encode() + b"." + body
        return "v1=" + hmac.new(secret(KEY, seed).encode(), message, hashlib.sha256).hexdigest()

    expected = [[seed], [fresh, seed], [fresh]]
    for (headers, body), seeds in zip(receiver.got, expected, strict=True):
        assert headers["Dialer-Signature"].split(",") == [signed(one, headers, body) for one in seeds]
        assert abs(int(headers["Dialer-Timestamp"]) - datetime.now(UTC).timestamp()) < 60
        assert headers["Dialer-Event"] in body.decode()
    rows = await place.pools.web.fetch("SELECT t::text FROM webhook t UNION ALL SELECT t::text FROM audit t")
    assert not any(secret(KEY, one) in row[0] for row in rows for one in (seed, fresh))


async def test_a_receiver_that_fails_is_tried_again_under_the_same_id_until_it_takes_it(place, receiver):
    receiver.statuses = [500, 302, 404]
    hook = await listen(place, receiver.url)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as deliverer:
        await settle(place.pools.web, deliverer)
    assert len({body["id"] for body in receiver.bodies}) == 1
    [row] = await place.stores.webhooks.deliveries(hook)
    assert (row["state"], row["tries"], row["status"], row["error"]) == ("delivered", 4, 200, None)


async def test_a_receiver_that_never_answers_well_is_given_up_and_can_be_told_again_by_hand(place, receiver):
    receiver.statuses = [503] * 6
    hook = await listen(place, receiver.url)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as deliverer:
        await settle(place.pools.web, deliverer)
        [row] = await place.stores.webhooks.deliveries(hook)
        assert (row["state"], row["tries"], row["status"]) == ("given_up", 6, 503)
        assert (await place.stores.webhooks.list())[0]["given_up"] == 1
        assert await place.stores.webhooks.replay(hook, None, actor=SYSTEM) == 1
        await settle(place.pools.web, deliverer)
        [row] = await place.stores.webhooks.deliveries(hook)
        assert (row["state"], row["tries"]) == ("delivered", 1)
        assert await place.stores.webhooks.replay(hook, row["id"], actor=SYSTEM) == 1
        await settle(place.pools.web, deliverer)
    assert len(receiver.got) == 8
    assert len({body["id"] for body in receiver.bodies}) == 1


async def test_a_slow_receiver_holds_up_nobody_else(place):
    """While one does not answer, the other has everything before the first try of the slow one is over."""
    async with receiving(delay_s=30) as slow, receiving() as quick:
        for one in (slow, quick):
            hook = await listen(place, one.url)
            for _ in range(20):
                await place.stores.webhooks.test(hook, now=datetime.now(UTC))
        async with delivering(place.pools.web, slow, quick) as deliverer, asyncio.timeout(ANSWER_S):
            await stepping(deliverer, lambda: len(quick.got) == 20)
    assert len(slow.got) == 8


async def test_a_paused_receiver_is_told_when_it_goes_on(place, receiver):
    hook = await listen(place, receiver.url)
    now = datetime.now(UTC)
    await place.stores.webhooks.change(hook, {"paused": True}, now=now, actor=SYSTEM)
    await place.stores.webhooks.test(hook, now=now)
    async with delivering(place.pools.web, receiver) as deliverer:
        assert await deliverer.step() == 0
        await place.stores.webhooks.change(hook, {"paused": False}, now=now, actor=SYSTEM)
        await settle(place.pools.web, deliverer)
    assert len(receiver.got) == 1


async def test_what_a_dead_process_was_telling_is_told_by_the_next_one(place, receiver, monkeypatch):
    """Killed between the receiver's answer and the note of it: told twice, under one id. Nothing is lost."""
    hook = await listen(place, receiver.url)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver, held_s=0.2) as first:

        async def die(*_args, **_values):
            await asyncio.sleep(3600)

        with monkeypatch.context() as dying:
            dying.setattr("dialer.store.webhooks.told", die)
            await first.step()
            await asyncio.wait_for(receiver.came.wait(), 5)
    async with delivering(place.pools.web, receiver) as second:
        await settle(place.pools.web, second)
    assert len(receiver.got) == 2
    assert len({body["id"] for body in receiver.bodies}) == 1


async def test_two_processes_tell_each_event_once_while_both_live(place, receiver):
    hook = await listen(place, receiver.url)
    for _ in range(40):
        await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as one, delivering(place.pools.engine, receiver) as other:
        await asyncio.gather(settle(place.pools.web, one), settle(place.pools.engine, other))
    assert len(receiver.got) == len({body["id"] for body in receiver.bodies}) == 40


class Turncoat(AbstractResolver):
    """A name that says a public address first and a private one the moment after, as in DNS rebinding."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host, port=0, family=0):
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [{"hostname": host, "host": one, "port": port, "family": 2, "proto": 0, "flags": 0} for one in found]

    async def close(self):
        pass


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["169.254.169.254"], ["100.64.0.1"]])
async def test_a_name_that_leads_inside_is_refused_with_all_its_addresses(place, answers):
    hook = await listen(place, "https://crm.example.com/hook")
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    resolver = Turncoat(answers)
    async with delivering(place.pools.web, resolver=resolver) as deliverer:
        await settle(place.pools.web, deliverer)
    [row] = await place.stores.webhooks.deliveries(hook)
    assert (row["state"], row["status"]) == ("given_up", None)
    assert "not public" in row["error"]
    assert resolver.asked == row["tries"]


async def test_the_addresses_that_were_checked_are_the_ones_connected_to(place, monkeypatch):
    """Asked once for each try: what the name says a moment later does not matter."""
    hook = await listen(place, "https://crm.example.com/hook")
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    resolver = Turncoat(["93.184.216.34"], ["127.0.0.1"])
    reached = []

    async def connect(*_args, addr_infos, **_values):
        reached.extend(info[4][0] for info in addr_infos)
        raise OSError("nobody there")

    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", connect)
    async with delivering(place.pools.web, resolver=resolver) as deliverer:
        await settle(place.pools.web, deliverer)
    assert reached == ["93.184.216.34"]


async def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(place, receiver):
    hook = await listen(place, receiver.url)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as deliverer:
        await settle(place.pools.web, deliverer)
    await place.stores.webhooks.test(hook, now=datetime.now(UTC))
    assert await webhooks.forget(place.pools.web, datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert await place.count("delivery") == 1


async def test_a_receiver_that_answers_with_no_text_is_given_up_like_any_other(place):
    """What it says beside its status may be anything; what came of the try is kept all the same."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 500 \xff\x00 no\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        webhook_id = await listen(place, url)
        await place.stores.webhooks.test(webhook_id, now=place.now)
        async with delivering(place.pools.web, Receiver(url=url)) as deliverer:
            await settle(place.pools.web, deliverer)
    [told] = await place.stores.webhooks.deliveries(webhook_id)
    assert (told["state"], told["status"], told["error"]) == ("given_up", 500, "500 ?? no")


async def test_a_fact_neither_fails_nor_waits_while_a_receiver_is_removed(place, receiver):
    webhook_id = await listen(place, receiver.url)
    ann = await place.add_operator("ann")
    await place.add_contacts("+12025550101")
    [attempt] = await place.dial()
    attempt = await place.talk(attempt, ann)
    async with place.pools.web.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM webhook WHERE id = $1", webhook_id)
        async with asyncio.timeout(3):
            await place.save(attempt.id, ann, "lead", key="k")
            await place.end(attempt, Outcome.CONNECTED)
    assert await waiting(place) == []
    assert await place.pools.web.fetchval("SELECT count(*) FROM disposition") == 1


async def test_what_happens_while_a_receiver_is_changed_is_told_to_it(place, receiver):
    webhook_id = await listen(place, receiver.url, kinds=["attempt.ended"])
    async with place.pools.web.acquire() as connection, connection.transaction():
        await webhooks.SQL["webhook_lock"].fetchrow(connection, id=webhook_id)
        await connection.execute("UPDATE webhook SET name = 'other' WHERE id = $1", webhook_id)
        async with asyncio.timeout(10):
            await conversation(place)
    assert await waiting(place) == ["attempt.ended"]


async def test_a_receiver_that_keeps_up_is_told_without_a_pause(place, receiver, monkeypatch):
    """Fifty calls a second may end for weeks; what is told in turns of half a second would never be over."""
    monkeypatch.setattr(outbox, "LOOK_S", 3600.0)
    webhook_id = await listen(place, receiver.url)
    for _ in range(3 * outbox.EACH):
        await place.stores.webhooks.test(webhook_id, now=datetime.now(UTC))
    async with delivering(place.pools.web, receiver) as deliverer:
        run = asyncio.create_task(deliverer.run())
        async with asyncio.timeout(20):
            while len(receiver.got) < 3 * outbox.EACH:
                await receiver.came.wait()
                receiver.came.clear()
        run.cancel()


async def test_what_waits_for_a_paused_receiver_is_given_up_after_a_week_and_counted(place, receiver):
    webhook_id = await listen(place, receiver.url)
    now = datetime.now(UTC)
    await place.stores.webhooks.change(webhook_id, {"paused": True}, now=now, actor=SYSTEM)
    for _ in range(3):
        await place.stores.webhooks.test(webhook_id, now=now - timedelta(days=8))
    await place.stores.webhooks.test(webhook_id, now=now)
    assert await webhooks.expire(place.pools.web, now - outbox.WAITS, now=now) == 3
    [hook] = await place.stores.webhooks.list()
    assert (hook["given_up"], hook["pending"]) == (3, 1)
    assert await place.stores.webhooks.replay(webhook_id, None, actor=SYSTEM) == 3  # by hand, all the same


async def test_names_are_asked_in_threads_of_their_own():
    resolver = outbox.Threads()
    [found] = await resolver.resolve("127.0.0.1", 443)
    assert (found["host"], found["port"]) == ("127.0.0.1", 443)
    assert any(thread.name.startswith("names") for thread in threading.enumerate())
    await resolver.close()
