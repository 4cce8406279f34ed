"""Nothing unchecked gets into a configuration file of an Asterisk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ami.events import NAMES
from dialer.world import network, switchconf
from dialer.world.people import MEASURED, ORDINARY, Behaviour, Person
from dialer.world.switchconf import SwitchConf, TrunkLine

SECRET = "x" * 43
GOOD = {
    "home": "/mnt",
    "modules_dir": "/usr/lib/asterisk/modules",
    "ami_port": 5038,
    "sip_port": 5060,
    "events_secret": SECRET,
    "commands_secret": SECRET,
    "trunks": (TrunkLine(name="carrier", host="sip.example.com", port=5060, username="us", secret="s3cret"),),
    "seats": {"seat-001": SECRET},
    "web_seats": {"seat-001-web": SECRET},
}
WORLD = {
    "home": "/mnt",
    "modules_dir": "/usr/lib/asterisk/modules",
    "ami_port": 5038,
    "sip_port": 5060,
    "secret": SECRET,
    "switch_sip_port": 5061,
    "seats": {"seat-001": SECRET},
}


@given(st.text(min_size=1).filter(lambda text: set(text) & set("\r\n;[]#=,() ")))
def test_a_value_that_could_end_its_line_is_refused(text: str):
    """One line of a file holds one value; whoever tries more gets an error, not an Asterisk."""
    for name in ("home", "modules_dir", "events_secret", "commands_secret", "ami_address", "ami_permit"):
        with pytest.raises(ValueError):
            SwitchConf(**{**GOOD, name: text})
    with pytest.raises(ValueError):
        SwitchConf(**{**GOOD, "seats": {text: SECRET}})
    with pytest.raises(ValueError):
        SwitchConf(**{**GOOD, "seats": {"seat-001": text}})
    with pytest.raises(ValueError):
        SwitchConf(**{**GOOD, "web_seats": {"seat-001-web": text}})
    for trunk in ({"name": text}, {"host": text}, {"username": text}):
        with pytest.raises(ValueError):
            TrunkLine(
                **{"name": "carrier", "host": "example.com", "port": 5060, "username": "u", "secret": "s", **trunk}
            )


@pytest.mark.parametrize(
    "wrong", [{"ami_port": 0}, {"sip_port": 65536}, {"events_secret": "short"}, {"rtp_first": 20000, "rtp_last": 20001}]
)
def test_a_value_out_of_its_bounds_is_refused(wrong: dict[str, object]):
    """A weak secret, a port that is none, no room for calls."""
    with pytest.raises(ValueError):
        SwitchConf(**{**GOOD, **wrong})


def test_a_seat_and_a_trunk_of_one_name_are_refused():
    """Asterisk would mix the two up."""
    with pytest.raises(ValueError, match="different names"):
        SwitchConf(**{**GOOD, "seats": {"carrier": SECRET}})


def test_our_switch_is_rendered_with_both_users_behind_their_filters(tmp_path: Path):
    """What promises.md asks of manager.conf is in it."""
    switchconf.render(SwitchConf(**GOOD), tmp_path)
    manager = (tmp_path / "manager.conf").read_text()
    assert manager.count("allowmultiplelogin = no") == 1
    assert re.findall(r"^(?:read|write) = .*$", manager, re.MULTILINE) == [
        "read = call,user,system",
        "write = originate,call,reporting",
    ]
    assert manager.count("writetimeout = 5000") == 2
    assert set(re.findall(r"eventfilter\(name\((\w+)\)\) =\n", manager)) == set(NAMES)
    options = (tmp_path / "asterisk.conf").read_text()
    assert "live_dangerously = no" in options
    assert "disable_remote_console_shell = yes" in options


def test_every_channel_of_our_plan_has_a_time_limit_and_no_hangup_handler(tmp_path: Path):
    """No channel can stay for ever, and no effect hides in an ``h`` extension."""
    switchconf.render(SwitchConf(**GOOD), tmp_path)
    plan = (tmp_path / "extensions.conf").read_text()
    for context in ("operator", "answered", "offer"):
        assert re.search(rf"\[{context}\]\nexten => s,1,Set\(TIMEOUT\(absolute\)=\d+\)", plan), context
    assert not re.search(r"exten => h\b", plan)
    assert "Local/" not in plan


def test_browser_phones_come_in_on_loopback_alone_and_only_where_there_are_seats_for_them(tmp_path: Path):
    """What the service relays never leaves the machine; without such seats there is no HTTP at all."""
    switchconf.render(SwitchConf(**GOOD), tmp_path / "with")
    switchconf.render(SwitchConf(**{**GOOD, "web_seats": {}}), tmp_path / "without")
    http, phones = (tmp_path / "with" / "http.conf").read_text(), (tmp_path / "with" / "pjsip.conf").read_text()
    assert "enabled = yes\nbindaddr = 127.0.0.1\nbindport = 8088" in http
    assert re.search(r"\[transport-ws\]\ntype = transport\nprotocol = ws\nbind = 127.0.0.1\n", phones)
    assert "enabled = no" in (tmp_path / "without" / "http.conf").read_text()
    assert "transport-ws" not in (tmp_path / "without" / "pjsip.conf").read_text()
    assert "websocket" not in (tmp_path / "without" / "modules.conf").read_text()


@pytest.mark.parametrize("population", [ORDINARY, MEASURED])
def test_the_networks_plan_knows_every_behaviour(population: object, tmp_path: Path):
    """A person without an extension would be a dead end of the world."""
    table = {"12025550100": Person(behaviour=Behaviour.BUSY)}
    network.render(network.NetworkConf(**WORLD, population=population, table=table), tmp_path)
    plan = (tmp_path / "extensions.conf").read_text()
    for behaviour in Behaviour:
        assert re.search(rf"^exten => {behaviour},1,", plan, re.MULTILINE), behaviour
    assert "N12025550100 = busy|0||" in plan
    assert plan.count("\nP") == 997


@given(st.text(max_size=20).filter(lambda text: not re.fullmatch(r"[0-9]{3,15}", text)))
def test_only_digits_are_numbers_of_the_world(text: str):
    """The table of numbers takes nothing else."""
    with pytest.raises(ValueError):
        network.NetworkConf(**WORLD, table={text: Person(behaviour=Behaviour.BUSY)})
