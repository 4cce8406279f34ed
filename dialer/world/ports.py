"""Free ports on loopback, found by binding them."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from random import SystemRandom

#: Below what Linux gives to outgoing connections, above what services are known by, beside our RTP.
FIRST, LAST = 20000, 31999


def free(count: int, first: int = FIRST, last: int = LAST) -> list[int]:
    """That many different ports, free for TCP and UDP on 127.0.0.1, between first and last inclusive.

    Raises:
        OSError: there are not that many.
    """
    candidates = list(range(first, last + 1))
    SystemRandom().shuffle(candidates)
    found: list[int] = []
    with ExitStack() as held:
        for port in candidates:
            if len(found) == count:
                break
            if _hold(held, port):
                found.append(port)
    if len(found) < count:
        raise OSError(f"fewer than {count} free ports between {first} and {last}")
    return found


def _hold(held: ExitStack, port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        probe = held.enter_context(socket.socket(socket.AF_INET, kind))
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
