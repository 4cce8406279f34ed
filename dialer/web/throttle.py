"""Guessing is slowed down: wrong passwords and wrong codes are counted, right ones never.

An account that has logged in from an address before is counted there alone, so strangers cannot lock it out, and a
floor that shares one address is not locked by one bad typist; everything else is counted per account and per address.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import structlog

from dialer.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dialer.web.call import Call

log = structlog.get_logger(__name__)

TRIES_MAX = 5
TRIES_WINDOW = timedelta(minutes=15)
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@asynccontextmanager
async def turn(call: Call, login: str) -> AsyncIterator[None]:
    """One try at a time for an account and for an address: guesses sent at the same moment count each other.

    Raises:
        Refused: ``login.too_many`` (with ``retry_after_s``).
    """
    async with _lock(f"login {login}"), _lock(f"address {call.ip}"):
        tries = await call.stores.users.tries(login=login, ip=call.ip, window=TRIES_WINDOW)
        if tries.own >= TRIES_MAX or (not tries.known and max(tries.of_login, tries.of_ip) >= TRIES_MAX):
            raise Refused(
                "login.too_many",
                "too many tries",
                remedy="Wait 15 minutes, or ask an admin for a new password.",
                retry_after_s=int(TRIES_WINDOW.total_seconds()),
            )
        yield


async def note_wrong(call: Call, login: str) -> None:
    """Count a wrong password or code."""
    await call.stores.users.note_wrong_try(login=login, ip=call.ip)
    log.info("login_refused", ip=call.ip)


def _lock(of: str) -> asyncio.Lock:
    """The lock of an account or an address; it lives while somebody holds it."""
    return _turns.setdefault(of, asyncio.Lock())
