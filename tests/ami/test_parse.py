"""Asterisk's events, as recorded from 22.10.1, and what we make of them."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from panoramisk.message import Message

from ami.events import (
    BridgeEntered,
    BridgeLeft,
    ChannelCreated,
    ChannelRinging,
    ChannelUp,
    ContactChanged,
    DialBegin,
    DialEnd,
    HungUp,
    Originated,
    Said,
    SwitchStopping,
)
from ami.parse import HANDLED, EventReader

ID = "att-120829ea5aed46bca903d5902ab09fdc"
AT = 1795292572.866796
RECEIVED = 5.0
CHANNEL = {
    "Channel": "PJSIP/trunk-00000000",
    "ChannelState": "6",
    "ChannelStateDesc": "Up",
    "CallerIDNum": "+79001",
    "CallerIDName": "<unknown>",
    "AccountCode": "",
    "Context": "answered",
    "Exten": "s",
    "Priority": "3",
    "Uniqueid": ID,
    "Linkedid": ID,
}
BRIDGE = {
    "BridgeUniqueid": "4c253c4b",
    "BridgeType": "base",
    "BridgeTechnology": "holding_bridge",
    "BridgeCreator": "BridgeWait",
}
DEST = {f"Dest{name}": value for name, value in CHANNEL.items()}


def recorded(name, *parts, **more):
    headers = {"Event": name, "Privilege": "call,all", "Timestamp": f"{AT}"}
    for part in (*parts, more):
        headers |= part
    return headers


STORY = [
    (
        recorded("Newchannel", CHANNEL, ChannelState="0"),
        ChannelCreated(at=AT, channel_id=ID, name="PJSIP/trunk-00000000"),
    ),
    (recorded("DialBegin", DEST, DialString="100@trunk"), DialBegin(at=AT, channel_id=ID)),
    (recorded("Newstate", CHANNEL, ChannelState="5"), ChannelRinging(at=AT, channel_id=ID)),
    (recorded("Newstate", CHANNEL), ChannelUp(at=AT, channel_id=ID)),
    (recorded("DialEnd", DEST, DialStatus="ANSWER"), DialEnd(at=AT, channel_id=ID, status="ANSWER")),
    (
        recorded("OriginateResponse", ActionID="commands-3", Response="Success", Reason="4", Uniqueid=ID),
        Originated(at=AT, channel_id=ID, success=True, reason=4),
    ),
    (
        recorded("OriginateResponse", ActionID="commands-3", Response="Failure", Reason="3", Uniqueid=ID),
        Originated(at=AT, channel_id=ID, success=False, reason=3),
    ),
    (recorded("UserEvent", CHANNEL, UserEvent="Answered"), Said(at=AT, channel_id=ID, name="Answered")),
    (
        recorded("UserEvent", CHANNEL, UserEvent="Key", Key="9"),
        Said(at=AT, channel_id=ID, name="Key", fields=MappingProxyType({"Key": "9"})),
    ),
    (recorded("BridgeEnter", BRIDGE, CHANNEL), BridgeEntered(at=AT, channel_id=ID, bridge_id="4c253c4b", holding=True)),
    (
        recorded("BridgeEnter", BRIDGE, CHANNEL, BridgeTechnology="simple_bridge"),
        BridgeEntered(at=AT, channel_id=ID, bridge_id="4c253c4b", holding=False),
    ),
    (recorded("BridgeLeave", BRIDGE, CHANNEL), BridgeLeft(at=AT, channel_id=ID, bridge_id="4c253c4b", holding=True)),
    (recorded("Hangup", CHANNEL, Cause="16"), HungUp(at=AT, channel_id=ID, cause=16)),
    (recorded("Hangup", CHANNEL, Cause="17", TechCause="486"), HungUp(at=AT, channel_id=ID, cause=17, sip_code=486)),
    (
        recorded("ContactStatus", URI="sip:seat-1@10.0.0.5:5060", ContactStatus="Reachable", AOR="seat-1"),
        ContactChanged(at=AT, aor="seat-1", status="Reachable"),
    ),
    (recorded("Shutdown", Shutdown="Cleanly", Restart="False"), SwitchStopping(at=AT, restart=False)),
    (recorded("Shutdown", Shutdown="Uncleanly", Restart="True"), SwitchStopping(at=AT, restart=True)),
]


@pytest.mark.parametrize(("headers", "event"), STORY, ids=lambda part: type(part).__name__)
def test_each_recorded_event_is_understood(headers, event):
    """By a plain mapping and by panoramisk's own message."""
    assert EventReader().read(headers, RECEIVED) == event
    line = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
    assert EventReader().read(Message.from_line(line), RECEIVED) == event


def test_every_event_asked_of_asterisk_is_in_the_story():
    assert {headers["Event"] for headers, _ in STORY} == HANDLED


def test_what_does_not_concern_us_is_passed_over_without_being_counted():
    reader = EventReader()
    assert reader.read(recorded("VarSet", CHANNEL), RECEIVED) is None
    assert reader.read(recorded("Newstate", CHANNEL, ChannelState="4"), RECEIVED) is None
    assert reader.malformed == 0


def test_without_the_switchs_clock_the_moment_of_receipt_counts():
    headers = recorded("Newstate", CHANNEL)
    del headers["Timestamp"]
    assert EventReader().read(headers, RECEIVED) == ChannelUp(at=RECEIVED, channel_id=ID)


@pytest.mark.parametrize("broken", ["", "nan", "-inf", "soon"])
def test_a_broken_clock_does_not_cost_us_a_hangup(broken):
    event = EventReader().read(recorded("Hangup", CHANNEL, Cause="16", Timestamp=broken), RECEIVED)
    assert event == HungUp(at=RECEIVED, channel_id=ID, cause=16)


@pytest.mark.parametrize("told", ["", "0", "SIP 486", "99999", "-486", "٤٨٦"])
def test_a_strange_sip_code_is_no_code(told):
    event = EventReader().read(recorded("Hangup", CHANNEL, Cause="16", TechCause=told), RECEIVED)
    assert event == HungUp(at=AT, channel_id=ID, cause=16, sip_code=None)


def test_the_dialplan_cannot_pretend_to_be_another_channel():
    """A user event that repeats a header of Asterisk's comes as a list; Asterisk's own is first."""
    line = "\r\n".join(f"{name}: {value}" for name, value in recorded("UserEvent", CHANNEL, UserEvent="Key").items())
    event = EventReader().read(Message.from_line(line + "\r\nUniqueid: att-other"), RECEIVED)
    assert event == Said(at=AT, channel_id=ID, name="Key")


@given(data=st.data())
def test_an_event_that_lost_or_garbled_headers_is_none_and_counted_never_an_exception(data):
    headers, _ = data.draw(st.sampled_from(STORY))
    for name in data.draw(st.lists(st.sampled_from(sorted(headers)), max_size=3)):
        if data.draw(st.booleans()):
            headers = headers | {name: data.draw(st.text())}
        else:
            headers = {key: value for key, value in headers.items() if key != name}
    reader = EventReader()
    event = reader.read(headers, RECEIVED)
    ids_lost = headers.get("Event") in HANDLED - {"Shutdown", "ContactStatus", "Newstate"} and not (
        headers.get("Uniqueid") or headers.get("DestUniqueid")
    )
    if ids_lost:
        assert event is None
        assert reader.malformed == 1
    if event is not None:
        assert reader.malformed == 0


@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())), st.sampled_from(sorted(HANDLED)))
def test_no_mapping_whatever_raises(headers, name):
    reader = EventReader()
    for mapping in (headers, headers | {"Event": name}):
        reader.read(mapping, RECEIVED)
    assert reader.malformed <= 2
