"""Actions of the simulated switch: what each asks for, who may, and what it answers.

Answers, messages and rights are those of a real Asterisk 22.10 (tried). Only what is in the two tables at the end
exists.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ami.actions import Bridge, Hangup, Mute, Originate, Redirect, SetVariable
from ami.events import NAMES
from ami.simulator.wire import PLAN, block, channel_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ami.actions import Action
    from ami.simulator.inprocess import SimHost

Header = tuple[str, str]
Headers = Mapping[str, list[str]]
"""Names in lower case; several of a name keep their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A section of manager.conf.

    Attributes:
        passes: Names of events its filters let through.
    """

    secret: str
    read: frozenset[str] = frozenset()
    passes: frozenset[str] = frozenset(NAMES)
    write: frozenset[str] = frozenset()


def dialer_users(events_secret: str, commands_secret: str) -> dict[str, User]:
    """The two users of our manager.conf."""
    return {
        "dialer-events": User(secret=events_secret, read=frozenset({"call", "user", "system"})),
        "dialer-commands": User(secret=commands_secret, write=frozenset({"originate", "call", "reporting"})),
    }


@dataclass(frozen=True, slots=True)
class Reply:
    """What the switch says to one action: one message, or a list."""

    headers: tuple[Header, ...]
    lines: tuple[tuple[str, tuple[Header, ...]], ...] = ()
    """For a list: event name and headers; the last one closes it."""
    closes: bool = False

    def data(self, own: tuple[Header, ...]) -> bytes:
        """The bytes; ``own`` is the ActionID of the question, if it had one."""
        first, *rest = self.headers
        data = block((first, *own, *rest))
        for name, line in self.lines:
            # DBGetTree alone writes the ActionID behind its headers
            behind = name == "DBGetTreeResponse"
            data += block((("Event", name), *line, *own) if behind else (("Event", name), *own, *line))
        return data


def error(message: str) -> Reply:
    """A refusal."""
    return Reply((("Response", "Error"), ("Message", message)))


def success(*headers: Header) -> Reply:
    """A plain answer."""
    return Reply((("Response", "Success"), *headers))


def _list(message: str, name: str, lines: Iterable[Iterable[Header]], complete: str, *counts: Header) -> Reply:
    items = [(name, tuple(line)) for line in lines]
    end = (complete, (("EventList", "Complete"), ("ListItems", str(len(items))), *counts))
    return Reply((("Response", "Success"), ("EventList", "start"), ("Message", message)), (*items, end))


class Manager:
    """The manager interface of one simulated switch, without the connections.

    Attributes:
        globals: Global variables of the dialplan.
        version: What CoreSettings says.
    """

    def __init__(self, sim: SimHost, *, version: str) -> None:
        self.sim = sim
        self.switch = sim.switch
        self.version = version
        self.globals = {"DIALER_PLAN": "6"}

    def reply(self, headers: Headers, rights: frozenset[str]) -> Reply:
        """Carry out one action for somebody with these rights to write."""
        name = one(headers, "action")
        if name.lower() in _ALWAYS:
            return _ALWAYS[name.lower()]()
        if name.lower() not in _ACTIONS:
            return error(f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands.")
        needed, carry_out = _ACTIONS[name.lower()]
        if not rights & needed:
            return error("Permission denied")
        try:
            return carry_out(self, headers)
        except ValueError:
            return error("Invalid value")


def read(message: bytes) -> Headers:
    """Headers of one message; Asterisk does not tell cases apart."""
    headers: dict[str, list[str]] = {}
    for line in message.decode(errors="replace").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers


def one(headers: Headers, name: str) -> str:
    """The first value of a header, empty if there is none."""
    return headers.get(name, [""])[0]


def own(headers: Headers) -> tuple[Header, ...]:
    """The ActionID to repeat in the answer."""
    action_id = one(headers, "actionid")
    return (("ActionID", action_id),) if action_id else ()


def _do(manager: Manager, action: Action, done: str) -> Reply:
    refusal = manager.sim.do(action)
    return success(("Message", done)) if refusal is None else error(refusal)


def _originate(manager: Manager, headers: Headers) -> Reply:
    target = one(headers, "channel").removeprefix("PJSIP/")
    if not target:
        return error("Channel not specified")
    number, at, endpoint = target.rpartition("@")
    given = (v.partition("=") for line in headers.get("variable", []) for v in COMMA.split(line))
    variables = {name: value for name, _, value in given if not name.endswith(")")}  # a function is no variable
    action = Originate(
        channel_id=one(headers, "channelid"),
        endpoint=endpoint,
        number=number if at else None,
        context=one(headers, "context"),
        ring_timeout_ms=int(one(headers, "timeout") or 30000),
        variables=variables,
    )
    return _do(manager, action, "Originate successfully queued")


def _bridge(manager: Manager, headers: Headers) -> Reply:
    action = Bridge(channel_id_1=one(headers, "channel1"), channel_id_2=one(headers, "channel2"))
    return _do(manager, action, "Channels have been bridged")


def _redirect(manager: Manager, headers: Headers) -> Reply:
    action = Redirect(channel_id=one(headers, "channel"), context=one(headers, "context"))
    return _do(manager, action, "Redirect successful")


def _hangup(manager: Manager, headers: Headers) -> Reply:
    action = Hangup(channel_id=one(headers, "channel"), cause=int(one(headers, "cause") or 16))
    return _do(manager, action, "Channel Hungup")


def _mix_monitor_mute(manager: Manager, headers: Headers) -> Reply:
    action = Mute(channel_id=one(headers, "channel"), silent=one(headers, "state") == "1")
    refusal = manager.sim.do(action)
    return success() if refusal is None else error(refusal)


def _setvar(manager: Manager, headers: Headers) -> Reply:
    channel, name, value = (one(headers, h) for h in ("channel", "variable", "value"))
    if channel:
        return _do(manager, SetVariable(channel_id=channel, name=name, value=value), "Variable Set")
    if name.startswith("DB_DELETE("):
        family, _, key = name.removeprefix("DB_DELETE(").removesuffix(")").partition("/")
        manager.switch.database.get(family, {}).pop(key, None)
    else:
        manager.globals[name] = value
    return success(("Message", "Variable Set"))


def _getvar(manager: Manager, headers: Headers) -> Reply:
    name = one(headers, "variable")
    return success(("Variable", name), ("Value", manager.globals.get(name, "")))


def _core_status(manager: Manager, _: Headers) -> Reply:
    started = datetime.fromtimestamp(manager.switch.started_at, UTC)
    date, clock = f"{started:%Y-%m-%d}", f"{started:%H:%M:%S}"
    return success(
        ("CoreStartupDate", date),
        ("CoreStartupTime", clock),
        ("CoreReloadDate", date),
        ("CoreReloadTime", clock),
        ("CoreCurrentCalls", str(len(manager.switch.channels))),
        ("CoreProcessedCalls", str(len(manager.switch.calls))),
    )


def _core_settings(manager: Manager, _: Headers) -> Reply:
    return success(("AMIversion", "11.0.0"), ("AsteriskVersion", manager.version), ("SystemName", "simulated"))


def _core_show_channels(manager: Manager, _: Headers) -> Reply:
    manager.switch.advance(manager.sim.now())
    lines = (channel_line(state) for state in manager.switch.channel_states())
    return _list("Channels will follow", "CoreShowChannel", lines, "CoreShowChannelsComplete")


def _show_dialplan(_: Manager, headers: Headers) -> Reply:
    context = one(headers, "context")
    if context not in PLAN:
        return error(f"Did not find context {context}")
    lines = [
        (
            ("Context", context),
            ("Extension", extension),
            ("Priority", str(priority)),
            ("Application", application),
            ("AppData", data),
            ("Registrar", "pbx_config"),
        )
        for extension, steps in PLAN[context].items()
        for priority, (application, data) in enumerate(steps, 1)
    ]
    counts = (("ListExtensions", str(len(PLAN[context]))), ("ListPriorities", str(len(lines))), ("ListContexts", "1"))
    return _list("DialPlan list will follow", "ListDialplan", lines, "ShowDialPlanComplete", *counts)


def _db_get_tree(manager: Manager, headers: Headers) -> Reply:
    family = one(headers, "family")
    entries = manager.switch.database.get(family, {})
    lines = [(("Key", f"/{family}/{key}"), ("Val", value)) for key, value in entries.items()]
    return _list("Result will follow", "DBGetTreeResponse", lines, "DBGetTreeComplete")


def _db_del(manager: Manager, headers: Headers) -> Reply:
    family, key = one(headers, "family"), one(headers, "key")
    if manager.switch.database.get(family, {}).pop(key, None) is None:
        return error("Database entry not found")
    return success(("Message", "Key deleted successfully"))


def _ping() -> Reply:
    return success(("Ping", "Pong"), ("Timestamp", f"{time.time():.6f}"))


def _logoff() -> Reply:
    return Reply((("Response", "Goodbye"), ("Message", "Thanks for all the fish.")), closes=True)


def _challenge() -> Reply:
    return error("Must specify AuthType")


_ALWAYS: Final[dict[str, Callable[[], Reply]]] = {"ping": _ping, "logoff": _logoff, "challenge": _challenge}

#: Between two variables of one header; a comma in brackets belongs to a function's arguments.
COMMA: Final = re.compile(r",(?![^()]*\))")
_REPORTING: Final = frozenset({"system", "reporting"})
_ACTIONS: Final[dict[str, tuple[frozenset[str], Callable[[Manager, Headers], Reply]]]] = {
    "originate": (frozenset({"originate"}), _originate),
    "bridge": (frozenset({"call"}), _bridge),
    "redirect": (frozenset({"call"}), _redirect),
    "hangup": (frozenset({"system", "call"}), _hangup),
    "setvar": (frozenset({"call"}), _setvar),
    "mixmonitormute": (frozenset({"system", "call"}), _mix_monitor_mute),
    "getvar": (frozenset({"call", "reporting"}), _getvar),
    "corestatus": (_REPORTING, _core_status),
    "coresettings": (_REPORTING, _core_settings),
    "coreshowchannels": (_REPORTING, _core_show_channels),
    "showdialplan": (frozenset({"config", "reporting"}), _show_dialplan),
    "dbgettree": (_REPORTING, _db_get_tree),
    "dbdel": (frozenset({"system"}), _db_del),
}
