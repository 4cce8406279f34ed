"""Our dialplan on a real Asterisk, without the service: what it promises while nobody drives it."""

from __future__ import annotations

import asyncio

import pytest

from ami.events import NAMES
from dialer.service import PLAN
from tests.real.conftest import Switch

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

CAUSES = {
    "busy": ("17", "486"),
    "dead": ("1", "404"),
    "rejected": ("21", "403"),
    "declined": ("21", "603"),
    "congestion": ("34", "503"),
    "out_of_order": ("27", "502"),
    "unavailable": ("19", "480"),
}


async def test_the_plan_tells_its_version(switch: Switch) -> None:
    """The service refuses to dial on a plan of another version; this is the one it knows."""
    [answer] = await switch.commands.ask("Getvar", Variable="DIALER_PLAN")
    assert answer["Value"] == PLAN


async def test_given_nobody_connects_then_a_voice_is_heard_at_two_seconds(switch: Switch) -> None:
    """The dead-man switch: without any service the callee hears the message 2.0 s after the answer."""
    attempt = await switch.call("patient", "answered")
    await switch.said(attempt, "Answered")
    assert not switch.seen(attempt, "OriginateResponse") or switch.seen(attempt, "UserEvent")
    await switch.said(attempt, "Message", 4)
    call = await switch.world("patient", lambda call: call.first_voice_at)
    assert 1.9 <= call.first_voice_at - call.answered_at <= 2.1
    await switch.event(attempt, "Hangup", 20)


async def test_given_nine_in_the_message_then_the_refusal_is_kept_under_the_attempts_id(switch: Switch) -> None:
    """ "Never again" survives a crash of the service: it is in AstDB before the call ends, and readable with our rights."""
    attempt = await switch.call("refuses in the message", "answered")
    await switch.said(attempt, "OptOut", 12)
    assert not switch.seen(attempt, "Hangup")
    tree = await switch.commands.ask("DBGetTree", Family="optout")
    assert f"/optout/{attempt.removeprefix('att-')}" in {message.get("Key") for message in tree}
    await switch.event(attempt, "Hangup", 12)


async def test_given_a_bridge_then_both_are_in_one_and_the_operator_comes_back_by_himself(switch: Switch) -> None:
    """One nailed-up leg serves conversation after conversation; the callee hears exactly this operator's phone."""
    operator = await switch.call_phone("seat-001")
    await switch.said(operator, "OperatorReady")
    await switch.event(operator, "BridgeEnter", BridgeTechnology="holding_bridge")
    attempt = await switch.call("talks 6 s", "answered")
    await switch.event(attempt, "BridgeEnter", BridgeTechnology="holding_bridge")
    await switch.bridge(operator, attempt)
    [_, entered] = await switch.events_of(operator, "BridgeEnter", 2)
    [_, callee] = await switch.events_of(attempt, "BridgeEnter", 2)
    assert entered["BridgeUniqueid"] == callee["BridgeUniqueid"]
    assert entered["BridgeTechnology"] != "holding_bridge"
    call = await switch.world("talks 6 s", lambda call: call.seats)
    assert set(call.seats) == {"seat-001"}

    gone = await switch.event(attempt, "Hangup", 10)
    back = (await switch.events_of(operator, "BridgeEnter", 3))[2]
    assert back["BridgeTechnology"] == "holding_bridge"
    assert float(back["Timestamp"]) - float(gone["Timestamp"]) < 0.1
    assert (gone["Cause"], switch.seen(operator, "Hangup")) == ("16", [])
    assert not any(m.get("UserEvent") == "Message" for m in switch.seen(attempt, "UserEvent"))
    await switch.hang_up(operator)


async def test_given_the_operators_phone_is_lost_then_the_callee_hears_the_message(switch: Switch) -> None:
    """Nobody is left in silence: the callee goes on to identification and opt-out at once."""
    operator = await switch.call_phone("seat-002")
    await switch.event(operator, "BridgeEnter")
    attempt = await switch.call("patient 2", "answered")
    await switch.event(attempt, "BridgeEnter")
    await switch.bridge(operator, attempt)
    await switch.world("patient 2", lambda call: call.seats)
    await switch.rig.lose_phone("seat-002")
    lost = await switch.event(operator, "Hangup", 2)
    message = await switch.said(attempt, "Message", 2)
    assert float(message["Timestamp"]) - float(lost["Timestamp"]) < 0.5
    await switch.hang_up(attempt)


@pytest.mark.parametrize(("behaviour", "cause", "code"), [(name, *pair) for name, pair in CAUSES.items()])
async def test_a_refused_call_ends_with_its_cause_and_sip_code(
    switch: Switch, behaviour: str, cause: str, code: str
) -> None:
    """Outcomes are read from cause and SIP code; these are what Asterisk makes of each refusal."""
    attempt = await switch.call(behaviour, "answered")
    end = await switch.event(attempt, "Hangup")
    assert (end["Cause"], end["TechCause"]) == (cause, code)


async def test_given_no_answer_then_our_timeout_ends_the_call(switch: Switch) -> None:
    """It rang, nobody came, we gave up."""
    attempt = await switch.call("no_answer", "answered", ring_timeout_s=1.5)
    response = await switch.event(attempt, "OriginateResponse")
    end = await switch.event(attempt, "Hangup")
    assert response["Reason"] == "3"
    assert end["Cause"] in {"0", "16", "19"}
    assert [m["ChannelStateDesc"] for m in switch.seen(attempt, "Newstate")] == ["Ringing"]
    assert (await switch.world("no_answer", lambda call: call.ended_at)).answered_at is None


async def test_given_only_early_media_then_the_line_never_rings(switch: Switch) -> None:
    """An announcement before the answer is neither ringing nor an answer."""
    attempt = await switch.call("early_media", "answered", ring_timeout_s=2)
    await switch.event(attempt, "Hangup")
    assert switch.seen(attempt, "Newstate") == []


async def test_given_a_callee_who_hangs_up_at_once_then_the_call_ends_without_a_message(switch: Switch) -> None:
    """An early hangup is told by Hangup alone, long before the message."""
    attempt = await switch.call("hangs up", "answered")
    answered = await switch.said(attempt, "Answered")
    end = await switch.event(attempt, "Hangup")
    assert float(end["Timestamp"]) - float(answered["Timestamp"]) < 1
    assert not any(m["UserEvent"] == "Message" for m in switch.seen(attempt, "UserEvent"))


async def test_given_one_in_the_offer_then_the_callee_waits_and_can_be_connected(switch: Switch) -> None:
    """Key 1 asks for an operator: music, until the service connects one."""
    operator = await switch.call_phone("seat-003")
    await switch.event(operator, "BridgeEnter")
    attempt = await switch.call("presses 1", "offer", DIALER_OFFER="demo", DIALER_KEY_WAIT_S="10")
    await switch.said(attempt, "OfferStarted")
    assert (await switch.said(attempt, "Key"))["Key"] == "1"
    await switch.said(attempt, "Waiting")
    await switch.event(attempt, "BridgeEnter")
    await switch.bridge(operator, attempt)
    call = await switch.world("presses 1", lambda call: call.seats)
    assert set(call.seats) == {"seat-003"}
    await switch.hang_up(attempt, operator)


async def test_given_one_and_no_operator_then_the_stated_wait_ends_with_the_message(switch: Switch) -> None:
    """Who pressed the key is not kept longer than the campaign says."""
    attempt = await switch.call("presses 1 too", "offer", DIALER_OFFER="demo", DIALER_KEY_WAIT_S="2")
    waiting = await switch.said(attempt, "Waiting")
    message = await switch.said(attempt, "Message", 5)
    assert 1.9 <= float(message["Timestamp"]) - float(waiting["Timestamp"]) <= 2.2
    await switch.hang_up(attempt)


async def test_given_two_in_the_offer_then_the_key_is_told_and_the_call_ends(switch: Switch) -> None:
    """Key 2 asks to be called back."""
    attempt = await switch.call("presses 2", "offer", DIALER_OFFER="demo", DIALER_CALLBACK_KEYS="2")
    assert (await switch.said(attempt, "Key"))["Key"] == "2"
    assert (await switch.event(attempt, "Hangup"))["Cause"] == "16"


async def test_given_nine_in_the_offer_then_the_refusal_is_kept_before_the_call_ends(switch: Switch) -> None:
    """Key 9 means never again, in AstDB and told."""
    attempt = await switch.call("presses 9", "offer", DIALER_OFFER="demo")
    assert (await switch.said(attempt, "Key"))["Key"] == "9"
    await switch.said(attempt, "OptOut")
    assert not switch.seen(attempt, "Hangup")
    tree = await switch.commands.ask("DBGetTree", Family="optout")
    assert f"/optout/{attempt.removeprefix('att-')}" in {message.get("Key") for message in tree}
    await switch.event(attempt, "Hangup")


async def test_given_a_star_or_nothing_then_the_offer_is_repeated_and_ends(switch: Switch) -> None:
    """The star plays the offer once more; silence after it ends the call and says so."""
    repeats = await switch.call("presses *", "offer", DIALER_OFFER="demo")
    silent = await switch.call("presses nothing", "offer", DIALER_OFFER="demo")
    assert (await switch.said(repeats, "Key"))["Key"] == "*"
    ended = await switch.said(silent, "OfferEnded", 40)
    again = await switch.said(repeats, "OfferEnded", 40)
    assert float(again["Timestamp"]) > float(ended["Timestamp"]) + 1
    assert len([m for m in switch.seen(repeats, "UserEvent") if m["UserEvent"] == "OfferStarted"]) == 1


async def test_given_an_offer_that_does_not_exist_then_the_call_ends_at_once(switch: Switch) -> None:
    """A missing recording leaves nobody in silence."""
    attempt = await switch.call("presses nothing", "offer", DIALER_OFFER="nowhere")
    await switch.said(attempt, "OfferEnded", 3)
    await switch.event(attempt, "Hangup", 3)


async def test_given_a_phone_that_unregisters_then_it_is_told_within_two_seconds(switch: Switch) -> None:
    """A seat leaves the pool when its phone says goodbye."""
    await switch.rig.unplug_phone("seat-004")

    def told(status: str) -> bool:
        return any(
            m.get("Event") == "ContactStatus" and m.get("AOR") == "seat-004" and m.get("ContactStatus") == status
            for m in switch.heard
        )

    await switch.until(lambda: told("Removed"), 2, lambda: "ContactStatus Removed of seat-004")
    switch.heard[:] = [m for m in switch.heard if m.get("Event") != "ContactStatus"]
    await switch.rig.plug_in_phone("seat-004")
    await switch.until(lambda: told("Reachable"), 5, lambda: "ContactStatus Reachable of seat-004")


async def test_given_a_phone_that_falls_silent_then_its_leg_ends_within_ten_seconds(switch: Switch) -> None:
    """No goodbye, no packet: the leg is not left standing (qualify 3 s, rtp_timeout 9 s)."""
    operator = await switch.call_phone("seat-004")
    await switch.event(operator, "BridgeEnter")
    await asyncio.sleep(1)
    switch.rig.world.freeze()
    try:
        await switch.event(operator, "Hangup", 11)
        assert any(m.get("ContactStatus") == "Unreachable" and m.get("AOR") == "seat-004" for m in switch.heard)
    finally:
        switch.rig.world.thaw()


async def test_each_user_can_do_only_its_half(switch: Switch) -> None:
    """Reading and writing are two sessions; neither may run commands, change the dialplan or touch AstDB."""
    with pytest.raises(RuntimeError, match="Permission denied"):
        await switch.events.ask("Originate", Channel="PJSIP/seat-001", Context="operator", Exten="s", Priority="1")
    for action, headers in {
        "Command": {"Command": "core show version"},
        "DBDel": {"Family": "optout", "Key": "x"},
        "DialplanExtensionAdd": {"Context": "offer", "Extension": "s", "Priority": "1", "Application": "Hangup"},
        "UpdateConfig": {"SrcFilename": "extensions.conf", "DstFilename": "extensions.conf"},
    }.items():
        with pytest.raises(RuntimeError, match="Permission denied"):
            await switch.commands.ask(action, **headers)


async def test_only_events_the_service_handles_are_sent(switch: Switch) -> None:
    """The filters hold: no VarSet, no Newexten, nothing that is not on the list."""
    assert {m["Event"] for m in switch.heard if "Event" in m} <= set(NAMES)
