"""A call centre on the rig: the service as a process of its own, a database of its own, people who use the REST API."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import asyncpg

from dialer.core.model import CampaignState
from dialer.intake import load
from dialer.passwords import hash_password, random_password
from dialer.store.consents import Given
from dialer.store.migrate import migrate
from dialer.store.partitions import keep_partitions
from dialer.store.pools import Pools
from dialer.store.stores import Stores
from dialer.store.users import Actor
from dialer.world import log, ports
from dialer.world.people import Behaviour, Person, Population
from dialer.world.process import ServiceProcess
from dialer.world.robot import Manner, Robot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from dialer.store.server import OwnServer
    from dialer.world.rig import Rig

PORTS = (25450, 25499)
NOBODY = Actor(user_id=None, ip="127.0.0.1")
#: Until a started service dials: a second on an idle machine, much more on one that others use.
STARTED_S_MAX = 90

#: Whoever is not in the table below: nobody who answers.
CROWD = Population(
    shares={Behaviour.BUSY: 40, Behaviour.NO_ANSWER: 40, Behaviour.DECLINED: 10, Behaviour.DEAD: 10},
)
#: By area code: people who answer soon, after 3 s and after 8 s, and talk until they are hung up; and those who answer
#: after 3 s and press 9 when they have listened for 3 s.
SOON, LATER, LATE, REFUSES = "1212", "1312", "1415", "1305"
TABLE = {
    f"{area}55501{line:02}": Person(
        behaviour=Behaviour.PERSON, ring_s=ring_s, talk_s=90, key="9" if area == REFUSES else "", key_after_s=3.0
    )
    for area, ring_s in ((SOON, 0.3), (LATER, 3.0), (LATE, 8.0), (REFUSES, 3.0))
    for line in range(100)
}
_databases = itertools.count(1)
_files = itertools.count(1)


def number(area: str, line: int) -> str:
    """A number reserved for drama."""
    return f"+{area}55501{line:02}"


async def until(so: Callable[[], Any], within_s: float, what: str) -> Any:
    """Wait until it is so, and return what it is."""
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        found = so()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {within_s:g} s: {what}")


class Desk:
    """A user at a browser, over REST."""

    def __init__(self, session: aiohttp.ClientSession, url: str, login: str, password: str) -> None:
        self._session, self.url, self._login, self._password = session, url, login, password

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        """One request; logs in when it must."""
        headers = {"X-Dialer": "1", **({"Idempotency-Key": key} if key else {})}
        async with self._session.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers) as answer:
            if answer.status == 503 and method == "GET":  # the service has just started
                await asyncio.sleep(0.1)
                return await self.ask(method, path, body, key)
            if answer.status != 401 or path == "/login":
                assert answer.status in {200, 201}, (path, answer.status, await answer.text())
                return dict(await answer.json())
        await self.ask("POST", "/login", {"login": self._login, "password": self._password})
        return await self.ask(method, path, body, key)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self.ask("POST", path, body or {})

    async def state(self) -> str:
        """Where the operator is."""
        return str((await self.ask("GET", "/operator"))["operator"]["state"])

    async def is_in(self, *states: str) -> bool:
        return await self.state() in states

    async def work(self, seat: str) -> None:
        """Start a shift, and be ready with the phone in the holding bridge."""
        await self.post("/operator/start", {"seat": seat})
        await self.post("/operator/ready")
        await until(lambda: self.is_in("ready"), 10, "the operator's phone waits")

    async def close_call(self, code: str = "thinking") -> str:
        """Hang up, save a disposition, be ready again; the attempt."""
        attempt = str((await self.ask("GET", "/operator"))["card"]["attempt_id"])
        await self.post("/operator/hangup")
        await until(lambda: self.is_in("wrap_up"), 5, "wrap-up")
        await self.ask("POST", f"/attempts/{attempt}/disposition", {"code": code}, key=str(uuid4()))
        return attempt


@dataclass
class Office:
    """One campaign, its service and its people."""

    rig: Rig
    folder: Path
    url: str
    pools: Pools
    stores: Stores
    service: ServiceProcess
    stack: AsyncExitStack
    began: float = field(default_factory=time.time)
    campaign_id: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, rig: Rig, server: OwnServer, folder: Path) -> AsyncIterator[Office]:
        """An empty office; whatever it started is gone at the end."""
        async with AsyncExitStack() as stack:
            name = f"office_{next(_databases)}"
            admin = await asyncpg.connect(server.url("postgres", "postgres"))
            stack.push_async_callback(admin.close)
            await admin.execute(f"CREATE DATABASE {name} OWNER dialer")
            url = server.url(name)
            await asyncio.to_thread(migrate, url)
            pools = await stack.enter_async_context(Pools.open(url))
            await keep_partitions(pools.engine)
            service = ServiceProcess(rig=rig, database_url=url, folder=folder, http_port=ports.free(1, *PORTS)[0])
            stack.push_async_callback(service.kill)
            yield cls(rig, folder, url, pools, Stores.of(pools), service, stack)

    async def campaign(self, numbers: list[str], *, carried=(0, 0), zone: str = "UTC", **values: Any) -> int:
        """A running campaign of the telephone world with these numbers."""
        await self.stores.campaigns.set_trunk("world", kind="world", max_channels=100, calls_per_s=10, actor=NOBODY)
        given = {
            "name": "Spring",
            "mode": "progressive",
            "customer": "Acme",
            "team": "one",
            "trunk": "world",
            "profile": "world",
            "cap_permille": 30,
            "zone": "UTC",
            "caller_number": "+12025550199",
            "ring_timeout_s": 12,
            "wrap_up_s": 30,
        }
        row = await self.stores.campaigns.create(given | values, actor=NOBODY, carried=carried)
        data = "name,phone,zone\n" + "".join(f"P,{one},{zone}\n" for one in numbers)
        loaded = await load(
            self.stores, campaign_id=row.id, name=f"base {next(_files)}", source="", data=data.encode(), actor=NOBODY
        )
        assert loaded.base.rows_loaded == len(numbers), loaded.rejected
        await self.stores.campaigns.set_state(row.id, CampaignState.RUNNING, actor=NOBODY)
        self.campaign_id = row.id
        return row.id

    async def consent(self, numbers: list[str]) -> None:
        """These people agreed to be called."""
        customer_id = await self.pools.web.fetchval("SELECT customer_id FROM campaign WHERE id = $1", self.campaign_id)
        yesterday = datetime.now(UTC) - timedelta(days=1)
        agreed = {"customer_id": customer_id, "purpose": "marketing", "wording": "v1", "channel": "web"}
        for one in numbers:
            given = Given(phone=one, given_at=yesterday, evidence_hash=bytes(32), **agreed)
            await self.stores.consents.add(given, actor=NOBODY)

    async def register(self, name: str) -> None:
        """A national list of today, on which none of the pretended people is."""
        await self.stores.national.replace(name, ["+12025550103"], now=datetime.now(UTC), actor=NOBODY)

    async def user(self, login: str, role: str) -> str:
        """An account; its password."""
        password = random_password()
        await self.stores.users.add(
            login=login,
            name=login,
            role=role,
            password_hash=await hash_password(password),
            team="one" if role == "operator" else None,
            language="en",
            actor=NOBODY,
        )
        return password

    async def desk(self, login: str, role: str = "operator") -> Desk:
        """A person who works with the service."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        await self.stack.enter_async_context(session)
        return Desk(session, self.service.url, login, await self.user(login, role))

    async def robots(self, count: int, manner: Manner) -> list[Robot]:
        """Operators who work by themselves."""
        return [
            Robot(
                url=self.service.url,
                login=f"robot{n}",
                password=await self.user(f"robot{n}", "operator"),
                seat=f"seat-{n:03}",
                saves=self.folder / "saves.jsonl",
                chance=Random(n),
                manner=manner,
            )
            for n in range(1, count + 1)
        ]

    async def start(self, service: ServiceProcess | None = None) -> None:
        """Start the service and wait until it may dial."""
        service = service or self.service
        await service.start()
        await until(lambda: self.dials(service), STARTED_S_MAX, f"dialing; {service.log.read_text()[-2000:]}")

    async def dials(self, service: ServiceProcess) -> bool:
        return bool((await self.health(service)).get("dialing"))

    async def health(self, service: ServiceProcess) -> dict[str, Any]:
        """What the service says of itself; empty while it is away."""
        assert service.exit_code is None, service.log.read_text()[-2000:]
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{service.url}/health") as answer:
                return dict(await answer.json())
        except aiohttp.ClientError:
            return {}

    def calls(self, to: str | None = None) -> list[log.WorldCall]:
        """What the world saw since this office opened: all of it, or of one number."""
        return [
            call
            for call in log.calls(self.rig.log)
            if call.called_at > self.began and (to is None or call.number == to.lstrip("+"))
        ]

    def callers(self) -> list[log.WorldCall]:
        """Who called us."""
        found = log.calls(self.rig.log, begun_by="calls_back")
        return [call for call in found if call.called_at > self.began]

    def hears(self, to: str, seat: str) -> bool:
        """Whether the callee at this number hears this seat."""
        return any(seat in call.seats for call in self.calls(to))

    async def attempts(self) -> list[asyncpg.Record]:
        """The ledger."""
        return await self.pools.web.fetch(
            "SELECT a.*, p.e164, u.login FROM attempt a JOIN phone p ON p.id = a.phone_id "
            "LEFT JOIN app_user u ON u.id = a.operator_id ORDER BY a.sent_at"
        )

    async def quiet(self) -> bool:
        """Whether no attempt is live."""
        return await self.pools.web.fetchval("SELECT count(*) FROM attempt_live") == 0
