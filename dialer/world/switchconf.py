"""Our Asterisk's configuration, from the templates in ``docker/asterisk``. Every value that goes in is checked here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import dialer
from ami.events import NAMES
from dialer.world import addresses

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Files whose built-in defaults are meant; they exist, so that Asterisk's log has no false alarms at start.
DEFAULTS = ("acl", "ccss", "features", "indications", "pjproject", "statsd", "udptl")

WORD = re.compile(r"[a-z0-9_-]{1,32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{20,128}")
HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
USER = re.compile(r"[A-Za-z0-9._+-]{1,64}")
CODECS = re.compile(r"[a-z0-9]{1,16}(,[a-z0-9]{1,16}){0,8}")
FOLDER = re.compile(r"/[A-Za-z0-9._/+-]{0,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrunkLine:
    """A line to a carrier. With ``username`` its INVITEs are authenticated; ``qualify_s`` 0 asks for no OPTIONS."""

    name: str
    host: str
    port: int
    username: str | None = None
    secret: str | None = None
    qualify_s: int = 0

    def __post_init__(self) -> None:
        _word(WORD, "trunk", self.name)
        _word(HOST, "trunk host", self.host)
        _port(self.port)
        if (self.username is None) is not (self.secret is None):
            raise ValueError("a trunk has a user name and a secret, or neither")
        if self.username is not None and self.secret is not None:
            _word(USER, "trunk user", self.username)
            _word(re.compile(r"[!-:<-~]{1,128}"), "trunk secret", self.secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchConf:
    """Everything our Asterisk is told.

    Attributes:
        home: The instance's folder as Asterisk sees it.
        modules_dir: Where Asterisk's modules are.
        seats: Seat name to the SIP secret of its desk phone.
        web_seats: Seat name, with ``WEB`` behind it, to the SIP secret of its phone in the browser.
        ws_port: Where Asterisk takes browser phones' SIP, on loopback.
        max_calls: Channels above which Asterisk itself refuses.
        callers_most: People who may call in at the same time; one more finds the line busy.

    Raises:
        ValueError: a value that must not reach a configuration file.
    """

    home: str
    modules_dir: str
    ami_port: int
    sip_port: int
    events_secret: str
    commands_secret: str
    trunks: tuple[TrunkLine, ...]
    seats: Mapping[str, str] = field(repr=False)
    web_seats: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    ws_port: int = 8088
    ami_address: str = "127.0.0.1"
    ami_permit: str = "127.0.0.1/32"
    sip_address: str = "127.0.0.1"
    rtp_first: int = 10000
    rtp_last: int = 19999
    max_calls: int = 1000
    callers_most: int = 60
    codecs: str = "ulaw,alaw"
    web_codecs: str = "opus,ulaw"

    def __post_init__(self) -> None:
        _word(FOLDER, "home", self.home)
        _word(FOLDER, "modules folder", self.modules_dir)
        for secret in (self.events_secret, self.commands_secret, *self.seats.values(), *self.web_seats.values()):
            _word(SECRET, "secret", secret, show=False)
        for name in (*self.seats, *self.web_seats):
            _word(WORD, "seat", name)
        names = [*self.seats, *self.web_seats, *(trunk.name for trunk in self.trunks)]
        if len(set(names)) != len(names):
            raise ValueError("seats and trunks need different names")
        for port in (self.ami_port, self.sip_port, self.ws_port, self.rtp_first, self.rtp_last):
            _port(port)
        for address in (self.ami_address, self.sip_address, self.ami_permit.partition("/")[0]):
            ip_address(address)
        _word(re.compile(r"[0-9.:a-f]+/[0-9]{1,3}"), "AMI permit", self.ami_permit)
        _word(CODECS, "codecs", self.codecs)
        _word(CODECS, "codecs", self.web_codecs)
        if self.rtp_last - self.rtp_first < 3 or min(self.max_calls, self.callers_most) < 1:
            raise ValueError("no room for calls: widen the RTP range or raise max_calls")


def render(conf: SwitchConf, folder: Path) -> None:
    """Write our Asterisk's configuration files into a folder."""
    values = {name: getattr(conf, name) for name in SwitchConf.__slots__}
    values |= {"seats": sorted(conf.seats.items()), "web_seats": sorted(conf.web_seats.items())}
    values["own_addresses"] = addresses.own() if ip_address(conf.sip_address).is_loopback and conf.web_seats else []
    fill(templates(), folder, values | {"events": NAMES})


def fill(sources: Path, folder: Path, values: Mapping[str, object], *, only: Collection[str] = ()) -> None:
    """Render every ``*.conf`` of a folder of templates, or only some; an unknown name in one is an error."""
    environment = Environment(
        loader=FileSystemLoader(sources),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration files, values are checked words
    )
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(sources.glob("*.conf")):
        if only and source.name not in only:
            continue
        (folder / source.name).write_text(environment.get_template(source.name).render(values))
    for name in DEFAULTS:
        (folder / f"{name}.conf").write_text("; the defaults are meant\n")


def templates() -> Path:
    """The folder of our configuration templates: in the wheel, else in the checkout."""
    package = Path(dialer.__file__).resolve().parent
    packed = package / "_data" / "asterisk"
    return packed if packed.is_dir() else package.parent / "docker" / "asterisk"


def _word(pattern: re.Pattern[str], what: str, value: str, *, show: bool = True) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"not a {what}: {value!r}" if show else f"not a usable {what}")


def _port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise ValueError(f"not a port: {port}")
