"""What may leave for Asterisk: our own words, checked digits, nothing else (promise I28)."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami.actions import Bridge, Hangup, Mute, Originate, Redirect, SetVariable
from ami.encode import HEADERS_MAX, LINE_BYTES_MAX, VARIABLES_MAX, encode, frame, question
from ami.errors import BadAction

ATTEMPT = "att-" + "0af1" * 8
OPERATOR = "opr-" + "9bd3" * 8
CALL = Originate(
    channel_id=ATTEMPT,
    endpoint="carrier-1",
    number="79001234567",
    context="answered",
    ring_timeout_ms=25_000,
    caller_number="+74951234567",
    variables={"DIALER_OFFER": "spring-2026", "DIALER_KEY_WAIT_S": "20"},
)
ACTIONS = [
    CALL,
    Bridge(channel_id_1=OPERATOR, channel_id_2=ATTEMPT),
    Hangup(channel_id=ATTEMPT),
    SetVariable(channel_id=ATTEMPT, name="SERVED", value="yes"),
    Redirect(channel_id=ATTEMPT, context="held"),
    Mute(channel_id=ATTEMPT, silent=True),
    Bridge(channel_id_1=OPERATOR, channel_id_2="PJSIP/carrier-1-0000002a"),
]
INJECTIONS = [
    "\r\nAction: Command\r\nCommand: core stop now",
    "\nVariable: PJSIP_HEADER(add,X)=1",
    "a,B=${SHELL(id)}",
    "PJSIP/1@x&Local/s@operator",
    "79001234567\n",
    "7900\x00",
    "٧٩٠٠",  # digits, but not ours
    "\u2028",
    "",
    " ",
    "..|..",
    "${EXTEN}",
    "a" * 300,
    "⁷",
]
HOSTILE = st.one_of(st.text(), st.sampled_from(INJECTIONS), st.from_regex(r"[A-Za-z0-9_.+-]{1,70}\n?", fullmatch=True))
TEXT_FIELDS = {"channel_id", "channel_id_1", "channel_id_2", "endpoint", "number", "context", "caller_number"}
LINE = re.compile(rb"[A-Za-z0-9]+: [A-Za-z0-9_.+@/<>=-]+")


def lines(payload: bytes) -> list[bytes]:
    """Lines as Asterisk would cut them: LF ends one as well as CR LF."""
    assert payload.endswith(b"\r\n\r\n")
    return payload[:-4].split(b"\n")


def test_a_call_is_originated_on_the_trunk_under_our_id_and_never_with_early_media():
    """These bytes, and no others."""
    assert encode(CALL, "commands-7").decode() == (
        "Action: Originate\r\nActionID: commands-7\r\n"
        f"Channel: PJSIP/79001234567@carrier-1\r\nChannelId: {ATTEMPT}\r\n"
        "Context: answered\r\nExten: s\r\nPriority: 1\r\nAsync: true\r\nTimeout: 25000\r\n"
        "CallerID: <+74951234567>\r\n"
        "Variable: DIALER_OFFER=spring-2026\r\nVariable: DIALER_KEY_WAIT_S=20\r\n\r\n"
    )


def test_an_operators_phone_is_called_by_its_seat():
    payload = encode(
        Originate(channel_id=OPERATOR, endpoint="seat-1", number=None, context="operator", ring_timeout_ms=1), "1"
    )
    assert b"Channel: PJSIP/seat-1\r\n" in payload
    assert b"CallerID" not in payload
    assert b"Variable" not in payload


def test_a_far_side_that_keeps_a_log_is_told_our_id_in_the_invite():
    payload = encode(dataclasses.replace(CALL, variables={}, tells_id=True), "1")
    assert lines(payload)[-1] == f"Variable: PJSIP_HEADER(add,X-Dialer-Attempt)={ATTEMPT}".encode()
    assert b"PJSIP_HEADER" not in encode(CALL, "1")


def test_two_people_are_connected_hung_up_and_marked_by_our_ids_only():
    assert encode(ACTIONS[1], "1") == (
        f"Action: Bridge\r\nActionID: 1\r\nChannel1: {OPERATOR}\r\nChannel2: {ATTEMPT}\r\nTone: no\r\n\r\n".encode()
    )
    assert (
        encode(ACTIONS[2], "1") == f"Action: Hangup\r\nActionID: 1\r\nChannel: {ATTEMPT}\r\nCause: 16\r\n\r\n".encode()
    )
    assert encode(ACTIONS[3], "1") == (
        f"Action: Setvar\r\nActionID: 1\r\nChannel: {ATTEMPT}\r\nVariable: SERVED\r\nValue: yes\r\n\r\n".encode()
    )
    assert (
        encode(ACTIONS[4], "1")
        == (
            f"Action: Redirect\r\nActionID: 1\r\nChannel: {ATTEMPT}\r\nContext: held\r\nExten: s\r\nPriority: 1\r\n\r\n"
        ).encode()
    )
    assert encode(ACTIONS[5], "1") == (
        f"Action: MixMonitorMute\r\nActionID: 1\r\nChannel: {ATTEMPT}\r\nDirection: both\r\nState: 1\r\n\r\n".encode()
    )


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
@given(data=st.data())
def test_whatever_a_field_holds_it_cannot_become_a_header_or_an_action(action, data):
    """A hostile value is refused, or it is harmless: same lines, same names, only fixed and checked bytes."""
    names = [f.name for f in dataclasses.fields(action) if f.name in TEXT_FIELDS | {"name", "value"}]
    chosen = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    hostile = dataclasses.replace(action, **{name: data.draw(HOSTILE, label=name) for name in chosen})
    try:
        payload = encode(hostile, "1")
    except BadAction:
        return
    got, expected = lines(payload), lines(encode(action, "1"))
    assert [line.split(b":")[0] for line in got] == [line.split(b":")[0] for line in expected]
    assert all(LINE.fullmatch(line.removesuffix(b"\r")) for line in got)
    assert all(len(line) < 256 for line in got)


@given(name=HOSTILE, value=HOSTILE)
def test_a_variable_is_one_header_with_one_checked_word(name, value):
    """Asterisk splits Variable at commas and runs what looks like a function; neither gets that far."""
    try:
        payload = encode(dataclasses.replace(CALL, variables={name: value}), "1")
    except BadAction:
        return
    assert [line for line in lines(payload) if line.startswith(b"Variable")] == [f"Variable: {name}={value}".encode()]
    assert not re.search(r"[,(){}$\s]", name + value)


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("field", sorted(TEXT_FIELDS & {f.name for f in dataclasses.fields(Originate)}))
def test_known_injections_are_refused_in_every_field_of_a_call(field, value):
    with pytest.raises(BadAction):
        encode(dataclasses.replace(CALL, **{field: value}), "1")


@pytest.mark.parametrize(
    "change",
    [
        {"ring_timeout_ms": 0},
        {"ring_timeout_ms": 600_001},
        {"ring_timeout_ms": True},
        {"ring_timeout_ms": "1\r\nX: y"},
        {"number": 79001234567},
        {"variables": {f"V{i}": "1" for i in range(VARIABLES_MAX + 1)}},
    ],
)
def test_numbers_out_of_their_range_and_values_of_other_types_are_refused(change):
    with pytest.raises(BadAction):
        encode(dataclasses.replace(CALL, **change), "1")


@pytest.mark.parametrize("cause", [0, 128, -1, False, "16"])
def test_a_hangup_cause_is_a_q850_number(cause):
    with pytest.raises(BadAction):
        encode(Hangup(channel_id=ATTEMPT, cause=cause), "1")


def test_a_channel_is_never_connected_to_itself():
    with pytest.raises(BadAction):
        encode(Bridge(channel_id_1=ATTEMPT, channel_id_2=ATTEMPT), "1")


def test_a_refusal_does_not_repeat_a_phone_number():
    """It ends in a log."""
    with pytest.raises(BadAction) as refusal:
        encode(dataclasses.replace(CALL, number="+79001234567"), "1")
    assert "9001234567" not in str(refusal.value)
    assert "number" in str(refusal.value)


@given(headers=st.lists(st.tuples(st.just("Secret"), st.text(max_size=1100)), max_size=3))
def test_the_last_gate_lets_one_line_out_for_each_header_whatever_the_secret_is(headers):
    try:
        payload = frame(headers)
    except BadAction:
        return
    assert payload.decode() == "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
    assert payload.count(b"\n") == payload.count(b"\r") == len(headers) + 1


def test_asterisks_limits_are_kept_to_the_byte():
    room = LINE_BYTES_MAX - len("Secret: \r\n")
    assert len(frame([("Secret", "x" * room)])) == LINE_BYTES_MAX + 2
    with pytest.raises(BadAction):
        frame([("Secret", "x" * (room + 1))])
    with pytest.raises(BadAction):
        frame([("Secret", "ä" * (room // 2 + 1))])
    assert frame([("A", "1")] * HEADERS_MAX)
    with pytest.raises(BadAction):
        frame([("A", "1")] * (HEADERS_MAX + 1))


@pytest.mark.parametrize("action_id", ["", "1\r\n", "a b", "x" * 65])
def test_an_action_id_is_a_word(action_id):
    with pytest.raises(BadAction):
        question("Ping", action_id)
