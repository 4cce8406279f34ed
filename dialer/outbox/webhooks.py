"""Delivers events to their receivers: signed, at least once, to public addresses alone.

    POST <url>
    Dialer-Event: <id>            the same in every try: by it a receiver knows a repetition
    Dialer-Timestamp: <seconds>   since 1970, of this try
    Dialer-Signature: v1=<hex>    HMAC-SHA256 of "<timestamp>.<body>" under the secret; two, separated by commas, for a
                                  day after the secret was changed

Any 2xx within five seconds is a delivery. A redirect is not followed. A name is asked for its addresses once for each
try, every one of them is checked, and the connection goes to those that were checked: what the name says a moment later
does not matter.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult

from dialer.core.deliveries import Policy, named, next_try_s, refused_address, refused_url
from dialer.errors import StoreDown
from dialer.store import webhooks

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from types import TracebackType

    from dialer.store.pools import Pool
    from dialer.store.webhooks import Taken

log = structlog.get_logger(__name__)

LOOK_S = 0.5
ANSWER_S = 5.0
#: What a process that dies was telling is due again after this.
HELD_S = 60.0
#: Of one receiver at a time; a slow one holds up nobody else.
EACH = 8
KEPT = timedelta(days=30)
#: What a receiver that is paused or dead has not taken by then is given up.
WAITS = timedelta(days=7)
#: Names are asked for their addresses in threads of their own: a slow answer takes none of the rest of the service.
_THREADS = 4
_FORGET_EVERY_S = 3600.0
_ERROR_LETTERS = 200
_OK = range(200, 300)
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def secret(key: bytes, seed: bytes) -> str:
    """The secret of a receiver, as it is shown once."""
    return "whs_" + hmac.digest(key, b"webhook " + seed, "sha256").hex()


def signature(secrets: Sequence[str], timestamp: int, body: bytes) -> str:
    """The header that proves who sent it."""
    message = b"%d." % timestamp + body
    return ",".join("v1=" + hmac.digest(one.encode(), message, "sha256").hex() for one in secrets)


class Threads(AbstractResolver):
    """The system's resolver."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: There is none.
        """
        loop = asyncio.get_running_loop()
        asked = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await loop.run_in_executor(self._executor, asked)
        return [
            ResolveResult(hostname=host, host=str(at[0]), port=int(at[1]), family=kind, proto=proto, flags=_NUMERIC)
            for kind, _, proto, _, at in found
            if kind in {socket.AF_INET, socket.AF_INET6}
        ]

    async def close(self) -> None:
        """Let go."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class PublicResolver(AbstractResolver):
    """Asks a name for its addresses and refuses all of them if one is not public; named hosts are not asked about."""

    def __init__(self, named_hosts: Collection[str], inner: AbstractResolver | None = None) -> None:
        self._named = named_hosts
        self._inner = inner or Threads()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            OSError: One of them is not public, or there is none.
        """
        found = await self._inner.resolve(host, port, family)
        if not named(host, port, self._named):
            for one in found:
                if refused_address(one["host"]):
                    raise OSError(errno.EACCES, "the name leads into a network that is not public")
        return found

    async def close(self) -> None:
        """Let go."""
        await self._inner.close()


class Deliverer:
    """One task that takes what is due and tells it.

    Args:
        pool: Any of the service's.
        key: Outside the database; secrets follow from it.
        named_hosts: ``host:port`` that are allowed by http and inside the own network.
        policy: How long a receiver that fails is tried.
        resolver: Instead of the system's.
        held_s: What this process was telling when it died is due again after so long.
    """

    def __init__(
        self,
        pool: Pool,
        key: bytes,
        *,
        named_hosts: Collection[str] = (),
        policy: Policy | None = None,
        resolver: AbstractResolver | None = None,
        held_s: float = HELD_S,
    ) -> None:
        self._pool = pool
        self._key = key
        self._named = named_hosts
        self._policy = policy or Policy()
        self._resolver = PublicResolver(named_hosts, resolver)
        self._chance = random.Random()
        self._held = timedelta(seconds=held_s)
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._more = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver, use_dns_cache=False, force_close=True),
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def run(self) -> None:
        """Until cancelled."""
        forgot_at = float("-inf")
        loop = asyncio.get_running_loop()
        while True:
            try:
                await self.step()
                if loop.time() - forgot_at >= _FORGET_EVERY_S:
                    forgot_at = loop.time()
                    now = datetime.now(UTC)
                    if given_up := await webhooks.expire(self._pool, now - WAITS, now=now):
                        log.warning("webhooks.expired", events=given_up)
                    await webhooks.forget(self._pool, now - KEPT)
            except StoreDown as error:
                log.warning("webhooks.not_looked", error=error.message)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), LOOK_S)

    async def step(self) -> int:
        """Begin to tell what is due to receivers that are not busy; how many events."""
        self._more.clear()
        now = datetime.now(UTC)
        taken = await webhooks.take(self._pool, now=now, until=now + self._held, each=EACH, busy=self._busy)
        for webhook_id in {one.webhook_id for one in taken}:
            batch = [one for one in taken if one.webhook_id == webhook_id]
            told = self._tell_all(webhook_id, batch)
            self._busy[webhook_id] = asyncio.create_task(told, name=f"webhook {webhook_id}")
        return len(taken)

    async def _tell_all(self, webhook_id: int, batch: Sequence[Taken]) -> None:
        told: Sequence[bool] = ()
        try:
            told = await asyncio.gather(*(self._tell(one) for one in batch))
        finally:
            self._busy.pop(webhook_id, None)
        if len(told) == EACH and all(told):  # it keeps up, and may have more
            self._more.set()

    async def _tell(self, one: Taken) -> bool:
        """Tell an event and keep what came of it; whether it was taken."""
        status, error = await self._post(one)
        now = datetime.now(UTC)
        state, next_at = "delivered", None
        if status not in _OK:
            wait_s = next_try_s(one.tries, self._chance.random(), self._policy)
            state = "pending" if wait_s is not None else "given_up"
            next_at = now + timedelta(seconds=wait_s) if wait_s is not None else None
            log.warning("webhook.failed", webhook_id=one.webhook_id, delivery=one.id, status=status, state=state)
        try:
            await webhooks.told(self._pool, one, state=state, now=now, status=status, error=error, next_at=next_at)
        except StoreDown as down:  # it is told again when it is due again
            log.warning("webhook.not_kept", delivery=one.id, error=down.message)
            return False
        return state == "delivered"

    async def _post(self, one: Taken) -> tuple[int | None, str | None]:
        """One try: the status of the answer, or why there is none."""
        if self._session is None:
            raise AssertionError("not entered")
        if why := refused_url(one.url, self._named):
            return None, why
        body, headers = self.message(one, datetime.now(UTC))
        try:
            async with self._session.post(one.url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status, None if answer.status in _OK else _kept(f"{answer.status} {answer.reason}")
        except TimeoutError:
            return None, f"no answer within {ANSWER_S:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return None, _kept(f"{type(error).__name__}: {error}")

    def message(self, one: Taken, now: datetime) -> tuple[bytes, dict[str, str]]:
        """Body and headers of one try."""
        told = {"id": str(one.event_id), "kind": one.kind, "at": one.at.isoformat(), "campaign_id": one.campaign_id}
        body = json.dumps(told | {"data": one.body}, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = int(now.timestamp())
        secrets = [secret(self._key, seed) for seed in (one.seed, one.seed_before) if seed]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "dialer",
            "Dialer-Event": str(one.event_id),
            "Dialer-Timestamp": str(timestamp),
            "Dialer-Signature": signature(secrets, timestamp, body),
        }
        return body, headers


def _kept(error: str) -> str:
    """What a receiver said, as PostgreSQL can keep it: no halves of characters, and no NUL."""
    return error.encode(errors="replace").decode().replace("\0", "?")[:_ERROR_LETTERS]
