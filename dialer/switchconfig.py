"""``dialer switch-config``: a folder with everything our Asterisk needs, and the secrets both sides share."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from dialer import seats as places
from dialer.errors import Misconfigured
from dialer.world import sounds, switchconf

#: Folders of the instance that Asterisk writes to.
WRITTEN = ("var", "db", "spool", "run", "log")
#: Where it leaves recordings, in a folder it makes itself; the service takes them away, and so it must be let in.
MONITOR = "spool/monitor"
_TRUNK = re.compile(r"(?P<name>[a-z0-9_-]+)=(?P<host>[A-Za-z0-9.-]+)(:(?P<port>[0-9]+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written, and the settings the service needs to use it."""

    folder: Path
    settings: dict[str, str]


def write(
    folder: Path,
    *,
    trunks: list[str],
    seats: int,
    ami_port: int,
    sip_address: str,
    sip_port: int,
    ws_port: int,
    modules_dir: str,
) -> Written:
    """Write configuration, dialplan, sounds and fresh secrets into a folder; running it again rotates the secrets.

    Args:
        folder: Where Asterisk will find it: ``asterisk -C FOLDER/etc/asterisk.conf``.
        trunks: Each ``name=host`` or ``name=host:port``.
        seats: How many operators may work at the same time, each at a browser or with a desk phone.
        ami_port: Of the manager interface, on loopback.
        sip_address: Address SIP is bound to.
        sip_port: Its port.
        ws_port: Where Asterisk takes the SIP of browser phones, on loopback.
        modules_dir: Where Asterisk's modules are.

    Raises:
        Misconfigured: a value that must not reach a configuration file, or the tools for the sounds are missing.
    """
    folder = folder.resolve()
    pool = places.fresh(seats)
    events, commands = secrets.token_urlsafe(33), secrets.token_urlsafe(33)
    try:
        conf = switchconf.SwitchConf(
            home=str(folder),
            modules_dir=modules_dir,
            ami_port=ami_port,
            sip_port=sip_port,
            sip_address=sip_address,
            ws_port=ws_port,
            events_secret=events,
            commands_secret=commands,
            trunks=tuple(_trunk(text) for text in trunks),
            seats={seat.name: seat.desk_secret for seat in pool},
            web_seats={seat.web_name: seat.web_secret for seat in pool},
        )
    except ValueError as error:
        raise Misconfigured("switch.config", str(error), remedy="See dialer switch-config --help.") from None
    for name in (*WRITTEN, "var/keys"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    switchconf.render(conf, folder / "etc")
    sounds.install(sounds.SWITCH, folder / "sounds")
    kept = folder / "secrets"
    kept.mkdir(mode=0o700, exist_ok=True)
    for name, text in (("ami-events", events), ("ami-commands", commands), ("seats", places.text(pool))):
        path = kept / name
        path.touch(mode=0o600)
        path.write_text(text)
    for path in (folder / "etc").iterdir():
        path.chmod(0o640)
    return Written(
        folder=folder,
        settings={
            "DIALER_AMI_PORT": str(ami_port),
            "DIALER_AMI_EVENTS_SECRET_FILE": str(kept / "ami-events"),
            "DIALER_AMI_COMMANDS_SECRET_FILE": str(kept / "ami-commands"),
            "DIALER_SEATS_FILE": str(kept / "seats"),
            "DIALER_SOUNDS_DIR": str(folder / "sounds"),
            "DIALER_RECORDINGS_SPOOL": str(folder / MONITOR),
            "DIALER_SIP_WS_PORT": str(ws_port),
            "DIALER_SIP_ADDRESS": f"{sip_address}:{sip_port}",
        },
    )


def _trunk(text: str) -> switchconf.TrunkLine:
    found = _TRUNK.fullmatch(text)
    if found is None:
        raise ValueError(f"not a trunk: {text!r}; write name=host or name=host:port")
    return switchconf.TrunkLine(name=found["name"], host=found["host"], port=int(found["port"] or 5060), qualify_s=30)
