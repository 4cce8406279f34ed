"""An office on the rig, and people at Debian's Chromium with a headset that beeps.

One service for all tests here; each test has a team of its own, so that nobody is called for another test's operator.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from dialer.errors import Misconfigured
from dialer.world import rig as world
from dialer.world import root
from dialer.world.people import Behaviour, Person
from tests.browser.chromium import find
from tests.browser.talk.team import PATIENCE_S, Team
from tests.real.office import CROWD, SOON, Office, number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PORTS = (25350, 25399)
#: Everybody answers soon and talks until the operator ends it, however slow the machine.
TABLE = {
    number(SOON, line).lstrip("+"): Person(behaviour=Behaviour.PERSON, ring_s=0.3, talk_s=1800) for line in range(100)
}
#: A microphone that beeps, leave to use it, and WebRTC that stays on this machine.
FLAGS = (
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)
expect.set_options(timeout=PATIENCE_S * 1000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rig(tmp_path_factory):
    try:
        await asyncio.to_thread(root.find)
    except Misconfigured as error:
        pytest.skip(f"{error.message} {error.remedy}")
    plan = world.Plan(seats=1, spare_seats=30, population=CROWD, table=TABLE, ports=PORTS)
    async with world.running(plan, tmp_path_factory.mktemp("browser-rig")) as pair:
        yield pair


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def office(rig, server, tmp_path_factory):
    """The service, started once for all tests."""
    async with Office.open(rig, server, tmp_path_factory.mktemp("browser-office")) as opened:
        await opened.start()
        yield opened


@asynccontextmanager
async def started_chromium() -> AsyncIterator[Browser]:
    """A Chromium of its own, so that a test may kill it."""
    async with async_playwright() as playwright:
        yield await playwright.chromium.launch(executable_path=find(), args=list(FLAGS), timeout=PATIENCE_S * 1000)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium():
    async with started_chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def team(office, chromium):
    """People of one test; at its end they are gone, and nobody is called for them any more."""
    if office.service.exit_code is not None:  # an earlier test killed it and failed
        await office.start()
    made = Team(office, chromium)
    yield made
    await made.go_home()
