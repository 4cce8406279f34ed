"""The pretended network's Asterisk: its configuration, from the templates beside this file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from dialer.world import switchconf
from dialer.world.people import ORDINARY, Person, Population

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Files both Asterisks have in common.
SHARED = ("asterisk.conf", "logger.conf", "cdr.conf", "cel.conf", "rtp.conf")

NUMBER = re.compile(r"[0-9]{3,15}")
SEAT = re.compile(r"seat-[0-9]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConf:
    """Everything the pretended network is told.

    Attributes:
        switch_sip_port: Where our Asterisk listens on loopback; the phones register there.
        seats: Seat (``seat-001``) to SIP secret, of the phones this network has.
        table: Numbers (digits) whose behaviour is given; every other is one of the population's people.
        listens: Whether first voice and seats are heard and told; costs CPU for each call.

    Raises:
        ValueError: a value that must not reach a configuration file.
    """

    home: str
    modules_dir: str
    ami_port: int
    sip_port: int
    secret: str
    switch_sip_port: int
    seats: Mapping[str, str] = field(repr=False)
    population: Population = ORDINARY
    table: Mapping[str, Person] = field(default_factory=lambda: MappingProxyType({}))
    seed: int = 1
    listens: bool = True
    rtp_first: int = 10000
    rtp_last: int = 19999
    max_calls: int = 2000

    def __post_init__(self) -> None:
        for number in self.table:
            if not NUMBER.fullmatch(number):
                raise ValueError(f"not the digits of a number: {number!r}")
        for seat, secret in self.seats.items():
            if not SEAT.fullmatch(seat) or not switchconf.SECRET.fullmatch(secret):
                raise ValueError(f"not a seat of the world, or its secret is unusable: {seat!r}")
        if self.seed < 0:
            raise ValueError("a seed is 0 or more")


def render(conf: NetworkConf, folder: Path) -> None:
    """Write the network's configuration files into a folder."""
    values = {name: getattr(conf, name) for name in NetworkConf.__slots__}
    values |= {
        "seats": sorted(conf.seats.items()),
        "table": [(number, str(person)) for number, person in sorted(conf.table.items())],
        "people": [str(person) for person in conf.population.people(conf.seed)],
        "speaks": conf.population.speaks,
        "own_addresses": [],
    }
    switchconf.fill(switchconf.templates(), folder, values, only=SHARED)
    switchconf.fill(Path(__file__).with_name("templates"), folder, values)
