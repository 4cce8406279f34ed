"""The lease: one engine dials on a switch (promises.md R2).

    nobody holds it, or it was given back    taken at once
    its holder is proven dead                taken at once: the session lock is ours (its connection is gone) and on
                                             this machine, since this boot, no process has its id and start time
    its holder may live                      taken when it ran out and a grace passed: a holder that cannot renew
                                             stops by itself at half of the lease; one that is seen on this machine
                                             is killed then, for it keeps the logins of the switch

Time is PostgreSQL's, so two engines with different clocks agree.
"""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from dialer.engine.ports import Lease
from dialer.store.pools import connect, prepare_connection, store_errors
from dialer.store.queries import queries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import asyncpg

    from dialer.store.queries import Connection

SQL = queries("lease")
_log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=10)
#: Waited beyond the end of a lease whose holder may live: for a commit that is still on its way.
GRACE = timedelta(seconds=5)
POLL_S = 0.2

#: Holders of this process that were not closed; a crash inside one process (a simulation's) can be told by it.
_OPEN: set[str] = set()


class LeaseKeeper:
    """Takes and keeps leases on a connection of its own, so that no query of the pool can hold up a renewal.

    Args:
        url: Of the database.
        clock: Time of day of a simulation; by default PostgreSQL's clock decides.
    """

    def __init__(self, url: str, clock: Callable[[], datetime] | None = None) -> None:
        self._url = url
        self._clock = clock
        self._token = uuid.uuid4().hex
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.held: Lease | None = None
        _OPEN.add(self._token)

    def now(self) -> datetime | None:
        """The simulation's time; None means PostgreSQL's."""
        return self._clock() if self._clock else None

    async def take(self, switch: str, *, wait: bool) -> Lease | None:
        """The lease with the next epoch; None if somebody holds it and we do not wait."""
        told = False
        while True:
            holder, free_in = await self._try(switch)
            if self.held:
                _log.info("lease.taken", switch=switch, epoch=self.held.epoch)
                return self.held
            if not wait:
                return None
            if not told:
                seconds = round(max(0.0, free_in.total_seconds()), 1)
                _log.warning("lease.waiting", switch=switch, holder=holder, free_in_s=seconds)
                told = True
            await asyncio.sleep(POLL_S)

    async def _try(self, switch: str) -> tuple[Mapping[str, Any] | None, timedelta]:
        """Take the lease if it may be taken; else who holds it, and for how long at most."""
        async with self._one_at_a_time:
            connection = await self._connected()
            with store_errors():
                await SQL["lease_ensure"].execute(connection, switch=switch)
                alone = await SQL["lease_lock"].fetchval(connection, switch=switch)
                # A look without a lock first: whoever waits for a lease must not hold up the claims of its holder.
                row = await self._read("lease_look", connection, switch)
                if _is_free(row, alone=alone):
                    end_frozen(row["holder"])
                    async with connection.transaction():
                        row = await self._read("lease_read", connection, switch)
                        if _is_free(row, alone=alone):
                            await self._take(connection, switch)
                if alone and not self.held:
                    await SQL["lease_unlock"].execute(connection, switch=switch)
        return row["holder"], row["free_in"]

    async def _read(self, query: str, connection: Connection, switch: str) -> asyncpg.Record:
        row = await SQL[query].fetchrow(connection, switch=switch, grace=GRACE, clock=self.now())
        assert row is not None  # noqa: S101  # lease_ensure made it
        return row

    async def _take(self, connection: Connection, switch: str) -> None:
        epoch = await SQL["lease_take"].fetchval(
            connection, switch=switch, holder=self._holder(), lasts=LEASE, clock=self.now()
        )
        self.held = Lease(switch=switch, epoch=epoch, expires_in_s=LEASE.total_seconds())

    async def renew(self, lease: Lease) -> bool:
        """Extend it; False when it ran out or somebody else has it."""
        async with self._one_at_a_time:
            connection = await self._connected(lease.switch)
            with store_errors():
                renewed = await SQL["lease_renew"].execute(
                    connection, switch=lease.switch, epoch=lease.epoch, lasts=LEASE, clock=self.now()
                )
        return renewed == 1

    async def release(self, lease: Lease) -> None:
        """Give it back."""
        async with self._one_at_a_time:
            connection = await self._connected()
            with store_errors():
                await SQL["lease_release"].execute(connection, switch=lease.switch, epoch=lease.epoch)
        self.held = None
        await self._disconnect()

    async def close(self) -> None:
        """Let go of the connection without giving anything back: to others this is a death."""
        _OPEN.discard(self._token)
        await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection and not connection.is_closed():
            with store_errors():
                await connection.close(timeout=2)

    async def _connected(self, relock: str | None = None) -> asyncpg.Connection[asyncpg.Record]:
        """Our own connection, made again after a break, and then with the session lock of the lease we hold."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, statement_timeout_s=2)
            with store_errors():
                await prepare_connection(self._connection)
                if relock:
                    await SQL["lease_lock"].fetchval(self._connection, switch=relock)
        return self._connection

    def _holder(self) -> dict[str, Any]:
        return {"host": os.uname().nodename, **_process(os.getpid()), "token": self._token}


def _is_free(row: asyncpg.Record, *, alone: bool) -> bool:
    """Whether the lease may be taken; ``alone``: its holder's session lock is ours."""
    holder = row["holder"]
    return holder is None or row["free_in"] <= timedelta(0) or (alone and proven_dead(holder))


def end_frozen(holder: Mapping[str, Any] | None) -> None:
    """Kill the holder of a lease that is over, if it still runs on this machine: it is frozen or cut off.

    It must send nothing any more and would end itself as soon as it could. Until then it keeps the logins of the
    switch, where each user may be logged in once. What is killed is the very process that took the lease: a file
    descriptor holds on to it while its start is compared.
    """
    here = _process(os.getpid())
    if holder is None or holder["pid"] == here["pid"] or not _is_here(holder, here):
        return
    try:
        process = os.pidfd_open(int(holder["pid"]))
    except OSError:
        return
    try:
        if _process(int(holder["pid"]))["started"] == holder["started"]:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            _log.warning("lease.frozen_holder_ended", pid=holder["pid"])
    except OSError as error:
        _log.warning("lease.frozen_holder_stays", pid=holder["pid"], error=str(error))
    finally:
        os.close(process)


def proven_dead(holder: Mapping[str, Any]) -> bool:
    """Whether this holder certainly does not run any more.

    Processes can be looked up only where they ran: since the same boot and in the same process namespace.
    """
    here = _process(os.getpid())
    if not _is_here(holder, here):
        return False
    there = _process(int(holder["pid"]))
    if there["started"] is None or there["started"] != holder["started"]:
        return True
    return holder["pid"] == here["pid"] and holder["token"] not in _OPEN


def _is_here(holder: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    return all(holder.get(key) == here[key] for key in ("boot_id", "namespace"))


def _process(pid: int) -> dict[str, Any]:
    """What tells one process from every other; ``started`` None if it does not run (a zombie does not)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        started = int(after_name[19]) if after_name[0] not in "ZX" else None  # proc(5): field 22, starttime
    except OSError:
        started = None
    return {
        "pid": pid,
        "started": started,
        "boot_id": Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(),
        "namespace": Path("/proc/self/ns/pid").readlink().name,
    }
