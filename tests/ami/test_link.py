"""The link to a switch in good weather, against a hand-made AMI peer; bad weather is in test_link_lost.py."""

from __future__ import annotations

import asyncio
import time

import pytest

from ami.actions import Bridge, Hangup
from ami.errors import ActionRefused, BadAction, LoginRefused, NotConnected, SwitchUnfit, Uncertain
from ami.events import HungUp, LinkUp, Originated, Said, SwitchStopping
from ami.link import check_version
from tests.ami.peer import (
    ATTEMPT,
    CALL,
    FAST,
    LOGIN,
    OPERATOR,
    VERSION,
    Peer,
    a_link,
    connected,
    in_turn,
    listening,
    listing,
    next_event,
    nothing,
    ok,
    refused,
    running,
    until,
    user_event,
)

# --- coming up -------------------------------------------------------------------------------------------------------


async def test_both_users_log_in_each_once_and_then_the_link_is_up():
    async with connected() as (peer, link):
        assert peer.logins == ["dialer-events", "dialer-commands"]
        assert link.trouble is None


@pytest.mark.parametrize("hours", [0, 3, -8, 5.75])
async def test_the_switchs_start_is_told_right_whatever_zone_asterisk_prints_it_in(hours):
    """CoreStatus prints local time and no zone; FullyBooted says how many seconds ago."""
    started = 1795293262 - 487
    local = time.gmtime(started + hours * 3600), time.gmtime(started + 225 + hours * 3600)
    peer = Peer()
    (day, clock), (reload_day, reload_clock) = [
        (time.strftime("%Y-%m-%d", t), time.strftime("%H:%M:%S", t)) for t in local
    ]
    peer.answers["CoreStatus"] = ok(
        CoreStartupDate=day, CoreStartupTime=clock, CoreReloadDate=reload_day, CoreReloadTime=reload_clock
    )
    async with listening(peer):
        link = a_link(peer)
        async with running(link):
            up = await next_event(link)
    assert up == LinkUp(at=1795293262.473883, version=VERSION, started_at=started, reloaded_at=started + 225)


@pytest.mark.parametrize("wrong", ["events_secret", "commands_secret"])
async def test_a_wrong_secret_at_the_first_login_is_an_error_not_a_wait(wrong):
    async with listening(Peer()) as peer:
        with pytest.raises(LoginRefused, match="Authentication failed"):
            await asyncio.wait_for(a_link(peer, **{wrong: "no"}).run(), 3)


async def test_a_secret_with_a_line_end_never_reaches_the_socket():
    async with listening(Peer()) as peer:
        with pytest.raises(BadAction):
            await asyncio.wait_for(a_link(peer, events_secret="x\r\nAction: Command").run(), 3)
        assert not peer.logins


async def test_a_user_still_logged_in_from_a_former_life_is_waited_for():
    peer = Peer()
    peer.answers["Login"] = in_turn(refused("Login Already In Use"), refused("Login Already In Use"), ok())
    async with connected(peer):
        assert len(peer.logins) == 4


async def test_nobody_listening_is_waited_for_and_said():
    async with listening(Peer()) as peer:
        pass
    link = a_link(peer)
    async with running(link):
        await asyncio.sleep(0.1)
        assert link.events.empty()
        assert link.trouble is not None
        assert link.trouble.code == "ami.unreachable"
        async with await asyncio.start_server(peer.serve, "127.0.0.1", peer.port):
            assert isinstance(await next_event(link), LinkUp)


async def test_an_asterisk_that_is_still_booting_is_not_asked_for_its_dialplan():
    peer = Peer()
    peer.boot_told = False
    async with listening(peer):
        link = a_link(peer, contexts=("operator",))
        async with running(link):
            await asyncio.sleep(0.1)
            assert link.events.empty()
            assert peer.actions == []
            peer.say("Event: FullyBooted\r\nUptime: 1\r\nLastReload: 1\r\n\r\n")
            assert isinstance(await next_event(link), LinkUp)
            assert peer.named("ShowDialPlan")


async def test_a_switch_that_never_says_it_is_booted_is_tried_again_with_a_hint():
    peer = Peer()
    peer.boot_told = False
    async with listening(peer):
        link = a_link(peer, patience=FAST)
        async with running(link):
            await asyncio.sleep(0.5)
            assert "system" in str(link.trouble)
            peer.boot_told = True
            assert isinstance(await next_event(link), LinkUp)


@pytest.mark.parametrize("version", ["20.20.0", "22.10.1+dfsg", "23.4.0", "24.0.0", "22.11"])
def test_an_asterisk_with_the_deadlocks_fixed_is_fit(version):
    check_version(version)


@pytest.mark.parametrize(
    "version",
    ["20.19.9", "22.9.0", "23.3.1", "21.12.0", "18.26.4", "", "certified-20.7-cert5", "GIT-22-4f3a", "2210.1"],
)
def test_an_older_or_unknown_asterisk_is_refused(version):
    with pytest.raises(SwitchUnfit):
        check_version(version)


@pytest.mark.parametrize(
    ("action", "answer", "words"),
    [
        ("CoreSettings", ok(AsteriskVersion="22.9.0"), "22.9.0 is too old"),
        ("ShowDialPlan", refused("Did not find context offer"), "offer"),
        ("Getvar", ok(Variable="DIALER_PLAN", Value=""), "version none, not 1"),
        ("Getvar", ok(Variable="DIALER_PLAN", Value="2"), "version 2, not 1"),
    ],
)
async def test_a_switch_that_must_not_dial_is_refused_with_the_reason(action, answer, words):
    peer = Peer()
    peer.answers[action] = answer
    async with listening(peer):
        link = a_link(peer, contexts=("offer",), plan="1")
        with pytest.raises(SwitchUnfit, match=words):
            await asyncio.wait_for(link.run(), 3)
        assert link.events.empty()


async def test_unreadable_times_are_a_reason_to_try_again_not_to_die():
    peer = Peer()
    peer.answers["CoreStatus"] = in_turn(ok(CoreStartupDate="yesterday"), peer.answers["CoreStatus"])
    async with connected(peer):
        assert len(peer.named("CoreStatus")) == 2


# --- acting ----------------------------------------------------------------------------------------------------------


async def test_an_action_leaves_in_the_call_and_ends_with_asterisks_answer():
    async with connected() as (peer, link):
        answer = link.send(CALL)
        assert not answer.done()
        await answer
        assert peer.actions[-1][0] == "dialer-commands"
        assert peer.named("Originate")[0]["ChannelId"] == ATTEMPT


async def test_a_refusal_keeps_asterisks_words():
    peer = Peer()
    peer.answers["Hangup"] = refused("No such channel")
    async with connected(peer) as (_, link):
        with pytest.raises(ActionRefused, match="No such channel"):
            await link.send(Hangup(channel_id=ATTEMPT))


async def test_a_bad_value_is_refused_before_anything_is_written():
    async with connected() as (peer, link):
        seen = len(peer.actions)
        with pytest.raises(BadAction):
            link.send(Hangup(channel_id="att-1\r\nAction: Command"))
        await link.send(Hangup(channel_id=ATTEMPT))
        assert len(peer.actions) == seen + 1


async def test_nothing_can_be_sent_before_the_link_is_up():
    async with listening(Peer()) as peer:
        link = a_link(peer)
        with pytest.raises(NotConnected):
            link.send(CALL)
        with pytest.raises(NotConnected):
            await link.snapshot()


async def test_an_answer_that_does_not_come_in_time_leaves_the_action_uncertain_and_the_link_up():
    peer = Peer()
    peer.answers["Originate"] = nothing
    async with connected(peer, patience=FAST) as (_, link):
        began = time.monotonic()
        with pytest.raises(Uncertain):
            await link.send(CALL)
        assert 0.1 < time.monotonic() - began < 1
        await link.send(Hangup(channel_id=ATTEMPT))
        assert link.events.empty()


async def test_a_slow_switch_is_seen_in_the_ack_times():
    peer = Peer()
    peer.answers["Bridge"] = nothing
    async with connected(peer) as (_, link):
        assert link.ack_s_p95() < 0.1
        answer = link.send(Bridge(channel_id_1=OPERATOR, channel_id_2=ATTEMPT))
        await asyncio.sleep(0.2)
        late = peer.named("Bridge")[0]["ActionID"]
        peer.sessions["dialer-commands"].write(f"Response: Success\r\nActionID: {late}\r\n\r\n".encode())
        await answer
        assert 0.15 < link.ack_s_p95() < 1


async def test_the_late_answer_to_an_originate_becomes_an_event_on_either_session():
    """It repeats the ActionID and is no answer to anything: that one only said queued."""
    async with connected() as (peer, link):
        await link.send(CALL)
        action_id = peer.named("Originate")[0]["ActionID"]
        late = f"Event: OriginateResponse\r\nTimestamp: 2.5\r\nActionID: {action_id}\r\nResponse: Failure\r\nReason: 3\r\nUniqueid: {ATTEMPT}\r\n\r\n"
        for user in LOGIN:
            peer.sessions[user].write(late.encode())
            assert await next_event(link) == Originated(at=2.5, channel_id=ATTEMPT, success=False, reason=3)


async def test_the_late_answer_may_even_overtake_the_first_one():
    """It is written outside the ordered stream."""
    peer = Peer()
    late = f"Event: OriginateResponse\r\nTimestamp: 2.5\r\nResponse: Failure\r\nReason: 0\r\nUniqueid: {ATTEMPT}"
    peer.answers["Originate"] = lambda _: f"{late}\r\n\r\nResponse: Success\r\nMessage: Originate successfully queued"
    async with connected(peer) as (_, link):
        await link.send(CALL)
        assert await next_event(link) == Originated(at=2.5, channel_id=ATTEMPT, success=False, reason=0)


async def test_a_snapshot_lists_every_channel():
    peer = Peer()
    line = {
        "Channel": "PJSIP/carrier-00000001",
        "ChannelStateDesc": "Up",
        "Context": "answered",
        "Uniqueid": ATTEMPT,
        "Application": "BridgeWait",
        "Duration": "26:01:05",
        "BridgeId": "c110fa62",
    }
    lines = [line, line | {"Uniqueid": OPERATOR, "BridgeId": ""}]
    peer.answers["CoreShowChannels"] = listing("CoreShowChannel", lines, "CoreShowChannelsComplete")
    async with connected(peer) as (_, link):
        snapshot = await link.snapshot()
    assert snapshot.version == VERSION
    assert [channel.channel_id for channel in snapshot.channels] == [ATTEMPT, OPERATOR]
    assert snapshot.channels[0].duration_s == 26 * 3600 + 65
    assert (snapshot.channels[0].bridge_id, snapshot.channels[1].bridge_id) == ("c110fa62", "")


async def test_a_long_list_over_a_slow_line_has_time_as_long_as_it_moves():
    peer = Peer()
    peer.answers["CoreShowChannels"] = nothing
    async with connected(peer, patience=FAST) as (_, link):
        asking = asyncio.create_task(link.snapshot())
        await until(lambda: peer.named("CoreShowChannels"))
        action_id = peer.named("CoreShowChannels")[0]["ActionID"]
        lines = [{"Uniqueid": f"att-{i}", "Duration": "00:00:01"} for i in range(5)]
        whole = listing("CoreShowChannel", lines, "CoreShowChannelsComplete")({}) or ""
        for frame in whole.split("\r\n\r\n"):
            peer.sessions["dialer-commands"].write(f"{frame.strip()}\r\nActionID: {action_id}\r\n\r\n".encode())
            await asyncio.sleep(0.1)
        assert len((await asking).channels) == 5


@pytest.mark.parametrize(
    "answer",
    [
        listing(
            "CoreShowChannel", [{"Uniqueid": ATTEMPT, "Duration": "00:00:01"}], "CoreShowChannelsComplete", items=2
        ),
        listing("CoreShowChannel", [{"Uniqueid": ATTEMPT, "Duration": "?"}], "CoreShowChannelsComplete"),
        lambda _: "Response: Success\r\nEventList: start",
    ],
    ids=["one missing", "unreadable", "no end"],
)
async def test_half_a_list_of_channels_is_no_snapshot(answer):
    """Calls missing from it would be taken for ended."""
    peer = Peer()
    peer.answers["CoreShowChannels"] = answer
    async with connected(peer, patience=FAST) as (_, link):
        with pytest.raises(Uncertain):
            await link.snapshot()


async def test_opt_outs_kept_by_the_switch_are_read_and_forgotten_one_by_one():
    peer = Peer()
    entries = [{"Key": "/optout/0af1", "Val": "1795292631"}, {"Key": "/optout/9bd3", "Val": "1795292640"}]
    peer.answers["DBGetTree"] = listing("DBGetTreeResponse", entries, "DBGetTreeComplete")
    async with connected(peer) as (_, link):
        assert await link.stored_keys("optout") == {"0af1": "1795292631", "9bd3": "1795292640"}
        await link.forget_key("optout", "0af1")
        with pytest.raises(BadAction):
            await link.forget_key("optout", "x)=1,DB(other/y")
    [forgotten] = peer.named("Setvar")
    assert (forgotten["Variable"], forgotten["Value"]) == ("DB_DELETE(optout/0af1)", "1")
    assert peer.named("DBGetTree")[0]["Family"] == "optout"


# --- hearing ---------------------------------------------------------------------------------------------------------


async def test_events_arrive_typed_and_in_order():
    async with connected() as (peer, link):
        peer.say(user_event("Answered") + user_event("Key", Key="1"))
        peer.say("Event: Shutdown\r\nTimestamp: 3\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\n")
        assert await next_event(link) == Said(at=1.5, channel_id=ATTEMPT, name="Answered")
        assert await next_event(link) == Said(at=1.5, channel_id=ATTEMPT, name="Key", fields={"Key": "1"})
        assert await next_event(link) == SwitchStopping(at=3.0, restart=True)
        assert link.events.empty()


async def test_what_happens_while_the_second_user_logs_in_comes_after_linkup():
    peer = Peer()

    def settings(headers):
        peer.say(user_event("Answered"))
        return ok(AsteriskVersion=VERSION)(headers)

    peer.answers["CoreSettings"] = settings
    async with connected(peer) as (_, link):
        assert await next_event(link) == Said(at=1.5, channel_id=ATTEMPT, name="Answered")


async def test_letters_and_lines_torn_between_packets_are_whole_again():
    async with connected() as (peer, link):
        for byte in user_event("Note", Text="Привет, bär"):
            for part in byte.encode():
                peer.say(bytes([part]))
                await asyncio.sleep(0)
        assert await next_event(link) == Said(at=1.5, channel_id=ATTEMPT, name="Note", fields={"Text": "Привет, bär"})


async def test_bytes_that_are_no_letters_are_kept_escaped():
    async with connected() as (peer, link):
        peer.say(user_event("Note", Text="caf~").encode().replace(b"~", b"\xe9\x00"))
        assert await next_event(link) == Said(at=1.5, channel_id=ATTEMPT, name="Note", fields={"Text": "caf\\xe9\x00"})


async def test_a_malformed_event_is_counted_and_the_next_one_is_heard():
    async with connected() as (peer, link):
        peer.say(
            f"Event: Hangup\r\nCause: 16\r\n\r\nnonsense\r\n\r\nEvent: Hangup\r\nTimestamp: 1\r\nUniqueid: {ATTEMPT}\r\nCause: 16\r\n\r\n"
        )
        assert await next_event(link) == HungUp(at=1.0, channel_id=ATTEMPT, cause=16)
        assert link.malformed == 1
