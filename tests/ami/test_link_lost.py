"""The link to a switch in bad weather: cut, silent, slow, flooded. Nothing is ever sent twice (promise I2)."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress

import pytest

from ami.actions import Hangup
from ami.errors import LoginInUse, NotConnected, Uncertain
from ami.events import LinkDown, LinkUp, Said
from ami.link import Link, LinkSettings
from ami.session import Session
from tests.ami.peer import (
    CALL,
    CALM,
    FAST,
    LOGIN,
    OPERATOR,
    Peer,
    a_link,
    connected,
    listening,
    next_event,
    nothing,
    ok,
    refused,
    running,
    until,
    user_event,
)


@pytest.mark.parametrize("user", sorted(LOGIN))
async def test_losing_one_session_loses_the_link_once_and_both_come_back(user):
    async with connected() as (peer, link):
        old = list(peer.sessions.values())
        peer.cut(user)
        assert isinstance(await next_event(link), LinkDown)
        with pytest.raises(NotConnected):
            link.send(CALL)
        assert isinstance(await next_event(link), LinkUp)
        assert peer.logins == ["dialer-events", "dialer-commands"] * 2
        assert link.events.empty()
        await until(lambda: all(session.transport.is_closing() for session in old))


async def test_an_originate_pending_when_the_link_is_lost_is_uncertain_and_nothing_is_ever_sent_again():
    """panoramisk alone would call this person twice."""
    peer = Peer()
    peer.answers["Originate"] = nothing
    async with connected(peer) as (_, link):
        answer = link.send(CALL)
        await until(lambda: peer.named("Originate"))
        peer.cut()
        with pytest.raises(Uncertain):
            await asyncio.wait_for(answer, 1)
        assert isinstance(await next_event(link), LinkDown)
        assert isinstance(await next_event(link), LinkUp)
        await link.send(Hangup(channel_id=OPERATOR))
        await asyncio.sleep(0.1)
        assert len(peer.named("Originate")) == 1


@pytest.mark.parametrize("at_byte", [0, 1, 11, 100, 150, 190])
async def test_wherever_the_line_is_cut_an_originate_is_written_at_most_once(at_byte):
    """Cut inside its bytes: uncertain, and after the reconnect silence (promise I2)."""
    received = bytearray()
    peer = Peer()
    cutting = asyncio.Event()
    async with listening(peer):

        async def pipe(source, sink, *, most):
            while data := await source.read(4096):
                if most is not None and b"Originate" in data:
                    received.extend(data)
                    sink.write(data[:most])
                    cutting.set()
                    return
                sink.write(data)

        async def relay(reader, writer):
            peer_reader, peer_writer = await asyncio.open_connection("127.0.0.1", peer.port)
            back = asyncio.create_task(pipe(peer_reader, writer, most=None))
            await pipe(reader, peer_writer, most=at_byte)
            writer.transport.abort()
            peer_writer.close()
            back.cancel()

        async with await asyncio.start_server(relay, "127.0.0.1", 0) as proxy:
            proxied = Peer()
            proxied.port = proxy.sockets[0].getsockname()[1]
            link = a_link(proxied)
            async with running(link):
                await next_event(link)
                with pytest.raises(Uncertain):
                    await asyncio.wait_for(link.send(CALL), 1)
                assert isinstance(await next_event(link), LinkDown)
                assert isinstance(await next_event(link), LinkUp)
                await asyncio.sleep(0.1)
    assert bytes(received).count(b"Action: Originate") == 1
    assert at_byte < len(received)
    assert peer.named("Originate") == []


@pytest.mark.parametrize("user", sorted(LOGIN))
async def test_a_switch_that_falls_silent_without_closing_is_dead_after_its_time(user):
    """Half open: no FIN, no byte, not even a pong (promise F4; 15 s there, 0.3 s here)."""
    async with connected(patience=FAST) as (peer, link):
        await asyncio.sleep(0.4)
        assert link.events.empty(), "a switch that answers pings is alive, however quiet"
        peer.answers["Ping"] = lambda headers: (
            None if headers["ActionID"].startswith(user.split("-")[1]) else ok()(headers)
        )
        began = time.monotonic()
        down = await next_event(link)
        assert isinstance(down, LinkDown)
        assert "no byte" in down.reason
        assert 0.2 < time.monotonic() - began < 0.6


async def test_a_session_given_up_while_it_connects_leaves_no_socket_behind():
    async with listening(Peer()) as peer:
        session = Session("commands", host="127.0.0.1", port=peer.port, patience=CALM, on_message=print)
        opening = asyncio.create_task(session.open("dialer-commands", "act", events=False))
        await asyncio.sleep(0)
        session.lose("overflow")
        with pytest.raises(NotConnected):
            await asyncio.wait_for(opening, 3)
        assert session.protocol.transport.is_closing()
        assert not peer.logins


async def test_a_switch_muted_at_login_is_tried_again():
    peer = Peer()
    peer.muted = True
    async with listening(peer):
        link = a_link(peer, patience=FAST)
        async with running(link):
            await asyncio.sleep(0.3)
            assert link.trouble is not None
            peer.muted = False
            assert isinstance(await next_event(link), LinkUp)


async def test_a_secret_changed_while_we_run_is_waited_out():
    """The first login proved our settings; later somebody may be editing manager.conf."""
    async with connected() as (peer, link):
        peer.answers["Login"] = refused("Authentication failed")
        peer.cut()
        assert isinstance(await next_event(link), LinkDown)
        await asyncio.sleep(0.1)
        assert link.trouble is not None
        assert link.trouble.code == "ami.login_refused"
        del peer.answers["Login"]
        assert isinstance(await next_event(link), LinkUp)


async def test_a_switch_somebody_else_is_logged_in_to_is_asked_again_until_it_is_free():
    """A frozen engine on another machine keeps both logins: no reason to end, and the first chance is taken."""
    peer = Peer()
    peer.answers["Login"] = refused("Login Already In Use")
    async with listening(peer):
        link = a_link(peer, patience=FAST)
        async with running(link):
            await until(lambda: isinstance(link.trouble, LoginInUse))
            assert "Stop the other engine" in link.trouble.remedy
            await asyncio.sleep(0.1)
            del peer.answers["Login"]
            assert isinstance(await next_event(link), LinkUp)


def test_a_login_in_use_is_tried_at_least_every_second(monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("ami.link.asyncio.sleep", sleep)
    link = Link(LinkSettings(events_secret="x", commands_secret="y"), chance=random.Random(7))
    link.trouble = LoginInUse("Login Already In Use")
    for failures in range(20):
        asyncio.run(link._pause(failures))
    assert 0.5 < max(slept) <= 1.0


async def test_more_events_than_can_wait_drop_the_link_so_that_a_resync_follows():
    async with connected(queue_most=10) as (peer, link):
        peer.say(user_event("Answered") * 25)
        await until(lambda: link.trouble)
        await asyncio.sleep(0.2)
        assert peer.logins.count("dialer-events") == 1, "no way back before there is room"
        events = [await next_event(link) for _ in range(12)]
        assert [type(event) for event in events] == [Said] * 10 + [LinkDown, LinkUp]
        assert events[10].reason == "overflow"


async def test_a_switch_that_takes_no_more_actions_is_dropped_instead_of_queueing_calls_for_later():
    """Unsent Originates would be calls long after they were decided."""
    peer = Peer()
    async with connected(peer) as (_, link):
        peer.sessions["dialer-commands"].transport.pause_reading()
        answers = []
        with suppress(NotConnected):
            while len(answers) < 100_000:
                answers.append(link.send(CALL))
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert {type(result) for result in results} == {Uncertain}
        assert isinstance(await next_event(link), LinkDown)


async def test_an_endless_message_is_not_kept_in_memory():
    async with connected() as (peer, link):
        peer.say("Event: X\r\n" + "A: b\r\n" * 200_000)
        down = await next_event(link)
        assert down == LinkDown(at=down.at, reason="an endless message")


async def test_stopping_the_link_ends_what_is_pending_and_says_so():
    peer = Peer()
    peer.answers["Originate"] = nothing
    async with listening(peer):
        link = a_link(peer)
        async with running(link):
            await next_event(link)
            answer = link.send(CALL)
        with pytest.raises(Uncertain):
            await asyncio.wait_for(answer, 1)
        assert isinstance(await next_event(link), LinkDown)


def test_the_pause_before_the_next_try_grows_and_never_overflows(monkeypatch):
    """0.2 to 5 s with jitter, also after a day of failures (promise F3)."""
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    monkeypatch.setattr("ami.link.asyncio.sleep", sleep)
    link = Link(LinkSettings(events_secret="x", commands_secret="y"), chance=random.Random(7))
    for failures in [*range(8), 20_000]:
        asyncio.run(link._pause(failures))
    assert all(0.2 <= pause <= 5 for pause in slept)
    assert slept[0] <= 0.4 < max(slept)
    assert len(set(slept)) == len(slept)


def test_a_link_and_its_settings_do_not_print_secrets():
    settings = LinkSettings(events_secret="canary-1", commands_secret="canary-2")
    assert "canary" not in repr(settings)
