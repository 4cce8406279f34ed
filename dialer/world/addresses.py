"""The IPv4 addresses of this machine, loopback aside."""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress

#: ``SIOCGIFADDR`` of Linux, and where in its answer the address is.
_ASK = 0x8915
_PLACE = slice(20, 24)


def own() -> list[str]:
    """One for each network interface that has any."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has none
                answer = fcntl.ioctl(asking.fileno(), _ASK, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(answer[_PLACE]))
    return [address for address in found if not address.startswith("127.")]
