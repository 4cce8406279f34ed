"""Pages in bad weather: they say what they do not know, come back by themselves, and lose nothing that was typed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from dialer.core.model import AttemptState
from dialer.web.app import create_app
from tests.browser.conftest import slowness
from tests.browser.weather import line
from tests.web import fakes

#: Numbers are greyed after 5 s; on a machine that others work on, three times that.
STALE_S_MAX = 15

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def fair(scene):
    """A line to the pages of the scene."""
    async with line(scene.server.port) as opened:
        yield opened


async def seconds_until(page, condition, timeout_s=30):
    began = await page.evaluate("performance.now()")
    await page.wait_for_function(condition, timeout=timeout_s * 1000)
    return (await page.evaluate("performance.now()") - began) / 1000


async def test_a_board_that_lost_its_line_says_so_greys_its_numbers_and_comes_back(opened, scene, fair):
    async with opened("/board", "supervisor", url=fair.url, refusals=True, offline=True) as page:
        await page.locator(".board:not([aria-busy])").wait_for()
        await expect(page.locator("#lost")).to_be_hidden()
        await fair.cut()
        await expect(page.locator("#lost")).to_be_visible()
        assert await seconds_until(page, "() => document.querySelector('.board.stale')") < STALE_S_MAX
        assert "s ago" in await page.locator("#age").inner_text()
        await scene.live.put(fakes.operator(4711, state="ready", name="Came Meanwhile"))
        await fair.mend()
        await page.get_by_text("Came Meanwhile").wait_for(timeout=30_000)
        await expect(page.locator("#lost")).to_be_hidden()
        await page.wait_for_function("() => !document.querySelector('.board.stale')")
        scene.live.operators.pop(4711)


async def test_a_line_that_hangs_is_noticed_and_given_up(opened, fair):
    """Half-open: nothing arrives and nobody says so. The page greys after 5 s and takes a new line after 10."""
    async with opened("/board", "supervisor", url=fair.url, refusals=True, offline=True) as page:
        await page.locator(".board:not([aria-busy])").wait_for()
        fair.stalled = True
        await page.wait_for_function("() => document.querySelector('.board.stale')", timeout=30_000)
        await expect(page.locator("#lost")).to_be_visible(timeout=40_000)
        fair.stalled = False
        await expect(page.locator("#lost")).to_be_hidden(timeout=40_000)


async def test_a_command_without_a_line_says_that_it_is_not_done(opened, scene, fair):
    async with opened("/board", "supervisor", url=fair.url, refusals=True, offline=True) as page:
        tile = page.locator(".campaign", has_text="Spring sale")
        await tile.get_by_role("button", name="Steer").click()
        await page.locator("#steer [name=caution]").fill("3")
        before = await scene.place.stores.campaigns.get(scene.place.campaign.id)
        await fair.cut()
        await page.locator("#steer-apply").click()
        await expect(page.locator("#steer .error")).to_be_visible()
        assert await page.locator("#steer").is_visible()
        after = await scene.place.stores.campaigns.get(scene.place.campaign.id)
        assert after.caution == before.caution
        await fair.mend()
        await expect(page.locator("#lost")).to_be_hidden(timeout=30_000)
        await page.locator("#steer-apply").click()
        await expect(page.locator("#steer")).to_be_hidden()
        assert (await scene.place.stores.campaigns.get(scene.place.campaign.id)).caution == 3


@asynccontextmanager
async def served(scene, port=0):
    """The same pages over the same database in another process of the service."""
    app = create_app(stores=scene.place.stores, commands=scene.commands, live=scene.live, settings=fakes.settings())
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def in_wrap_up(scene, digits):
    """An operator who writes down a conversation; its attempt."""
    place = scene.place
    user = (await place.stores.users.by_login("operator")).user
    [contact_id] = await place.add_contacts(f"+790355{digits}")
    row = await place.pools.web.fetchrow(
        """INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted, profile,
               profile_version, state, sent_at, answered_at, connected_at, operator_id)
           SELECT phone_id, gen_random_uuid(), id, campaign_id, base_id, 'main', $3, 1, 0, 'world', 1, $4, now(), now(), now(), $2
           FROM contact WHERE id = $1 RETURNING attempt_id""",
        contact_id,
        user.id,
        place.lease.epoch,
        AttemptState.CONNECTED,
    )
    await scene.live.put(
        fakes.operator(
            user.id,
            name="Operator",
            seat="seat-001",
            state="wrap_up",
            since=datetime.now(UTC),
            campaign_id=place.campaign.id,
            attempt_id=row["attempt_id"],
        )
    )
    try:
        yield row["attempt_id"]
    finally:
        scene.live.operators.pop(user.id, None)
        await place.pools.web.execute("DELETE FROM attempt_live WHERE attempt_id = $1", row["attempt_id"])


async def test_a_restart_of_the_service_loses_no_word_of_a_draft(opened, scene):
    """Typed before, while and after the service is away: the page comes back by itself with all of it."""
    async with in_wrap_up(scene, "70001") as attempt_id, AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        port = await first.enter_async_context(served(scene))
        url = f"http://127.0.0.1:{port}"
        page = await stack.enter_async_context(opened("/operator", "operator", url=url, refusals=True, offline=True))
        note = page.locator("[name=note]")
        await note.fill("before ")
        await page.wait_for_function("() => document.querySelector('#drafted').textContent")
        await first.aclose()
        await expect(page.locator("#lost")).to_be_visible(timeout=20_000)
        await note.press_sequentially("while away ")
        await stack.enter_async_context(served(scene, port))
        await expect(page.locator("#lost")).to_be_hidden(timeout=30_000)
        await note.press_sequentially("and after")
        words = "before while away and after"
        assert await note.input_value() == words
        await kept(scene, attempt_id, words)
        await page.reload()
        await page.wait_for_function(f"() => document.querySelector('[name=note]').value === '{words}'")


async def kept(scene, attempt_id, note):
    """The draft in the database has every word."""
    async with asyncio.timeout(20):
        while True:
            row = await scene.place.pools.web.fetchrow("SELECT body FROM draft WHERE attempt_id = $1", attempt_id)
            if row and row["body"].get("note", "").strip() == note:
                return
            await asyncio.sleep(0.1)


async def test_a_slow_and_stalling_line_is_usable(opened, scene, fair):
    """400 ms each way and a stall of two seconds: numbers move, and a conversation is closed and saved once."""
    fair.latency_s = 0.4
    async with opened("/board", "supervisor", url=fair.url, refusals=True, offline=True) as board:
        await board.locator(".board:not([aria-busy])").wait_for()
        before = int(await board.locator("#total-ready").inner_text())
        await scene.live.put(fakes.operator(4712, state="ready", name="Slow"))
        shown = f"() => document.querySelector('#total-ready').textContent === '{before + 1}'"
        assert await seconds_until(board, shown) < 2 * await slowness(board)
        scene.live.operators.pop(4712)
    async with (
        in_wrap_up(scene, "70002") as attempt_id,
        opened("/operator", "operator", url=fair.url, refusals=True, offline=True) as page,
    ):
        kinds = page.locator("#dispositions button")
        await kinds.filter(has_text="Thinking").or_(kinds.nth(3)).first.click()
        fair.stalled = True
        await page.locator("#save").click()
        await page.wait_for_timeout(2000)
        assert not (await page.locator("#saved").inner_text()).startswith("✓")
        fair.stalled = False
        await page.wait_for_function("() => document.querySelector('#saved').textContent.startsWith('✓')")
        rows = await scene.place.pools.web.fetch("SELECT code FROM disposition WHERE attempt_id = $1", attempt_id)
        assert len(rows) == 1
