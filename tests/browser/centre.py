"""A whole service on the simulated switch and a real PostgreSQL, with people at Chromium: no sound, everything else."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import asyncpg
from pydantic import SecretStr

from ami.simulator.manager import dialer_users
from ami.simulator.people import Kind, Person, Phone
from ami.simulator.server import SimServer
from dialer import service
from dialer.core.model import CampaignState
from dialer.intake import load
from dialer.passwords import hash_password
from dialer.settings import Settings
from dialer.store.migrate import migrate
from dialer.store.users import Actor
from tests.web.fakes import PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from playwright.async_api import Browser, Page

    from dialer.service import Service

PATIENCE_S = 90
NOBODY = Actor()
SECRET = "x" * 43


class Everybody:
    """All answer soon and talk until the operator ends it; every seat's phone answers at once."""

    def callee(self, _number: str, _attempt_ordinal: int) -> Person:
        return Person(kind=Kind.ANSWERS, setup_s=0.05, ring_s=0.3, talk_s=1800)

    def phone(self, _seat: str) -> Phone:
        return Phone()


@dataclass
class Centre:
    """A service that runs, and who is logged in."""

    service: Service
    browser: Browser
    places: AsyncExitStack
    campaign_id: int = 0
    complaints: list[str] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def open(cls, server, name: str, folder: Path, browser: Browser, monkeypatch) -> AsyncIterator[Centre]:
        """An empty call centre; whatever it started is gone at the end."""
        monkeypatch.setattr(service.priority, "real_time", nullcontext)  # other tests use this process too
        monkeypatch.setattr("dialer.engine.engine.CAMPAIGNS_S", 1.0)  # a new one is dialled, and its numbers are
        monkeypatch.setattr("dialer.web.overview.EVERY_S", 1.0)  # told, without seconds of nothing in between
        admin = await asyncpg.connect(server.url("postgres", "postgres"))
        await admin.execute(f"CREATE DATABASE {name} OWNER dialer")
        await admin.close()
        migrate(server.url(name))
        switch = SimServer(Everybody(), dialer_users(SECRET, SECRET))
        await switch.start()
        settings = Settings(
            database_url=server.url(name),
            data_dir=folder,
            ami_port=switch.port,
            ami_events_secret=SecretStr(SECRET),
            ami_commands_secret=SecretStr(SECRET),
            http_port=0,
            log_level="warning",
        )
        try:
            async with service.running(settings) as running, AsyncExitStack() as places:
                yield cls(running, browser, places)
        finally:
            await switch.stop()

    async def campaign(self, numbers: Sequence[str], **values) -> int:
        """A running campaign with these numbers."""
        stores = self.service.stores
        await stores.campaigns.set_trunk("world", kind="world", max_channels=100, calls_per_s=10, actor=NOBODY)
        given = {"name": "Spring", "mode": "progressive", "customer": "Acme", "team": "one", "trunk": "world"}
        given |= {"profile": "world", "zone": "UTC", "caller_number": "+12025550199", "wrap_up_s": 600}
        row = await stores.campaigns.create(given | values, actor=NOBODY, now=datetime.now(UTC))
        data = "name,phone,zone,Company\n" + "".join(f"Ada {n},{one},UTC,Firm {n}\n" for n, one in enumerate(numbers))
        await load(stores, campaign_id=row.id, name="base", source="", data=data.encode(), actor=NOBODY)
        await stores.campaigns.set_state(row.id, CampaignState.RUNNING, actor=NOBODY)
        self.campaign_id = row.id
        return row.id

    async def comes(self, login: str, role: str, language: str, **whose: str) -> Page:
        """Somebody gets an account and logs in at a browser of the own, by the form."""
        await self.service.stores.users.add(
            login=login,
            name=login.title(),
            role=role,
            password_hash=await hash_password(PASSWORD),
            team=whose.get("team"),
            customer=whose.get("customer"),
            language=language,
            actor=NOBODY,
        )
        place = await self.browser.new_context(viewport={"width": 1440, "height": 900}, locale=language)
        self.places.push_async_callback(place.close)
        place.set_default_timeout(PATIENCE_S * 1000)
        page = await place.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{login}: {error}"))
        page.on(
            "console", lambda said: self.complaints.append(f"{login}: {said.text}") if said.type == "error" else None
        )
        await page.goto(self.service.url)
        await page.fill("[name=login]", login)
        await page.fill("[name=password]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(lambda url: not url.rstrip("/").endswith(self.service.url.rpartition(":")[2]))
        return page
