"""Real pages in a real Chromium, Debian's own, over a real PostgreSQL; one browser and one scene for the whole session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from dialer.store.pools import Pools
from tests.browser.chromium import find
from tests.browser.scene import Scene
from tests.web import fakes

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".cache/assets/node_modules/axe-core/axe.min.js"
#: Pictures of what was seen, to look at; not committed.
PICTURES = ROOT / ".cache/pictures"
#: Sizes a page must live with: an office screen, an old one, a column beside another program.
SIZES = {"wide": (1440, 900), "old": (1024, 600), "narrow": (380, 800)}


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium():
    """The browser, with a pretended microphone."""
    arguments = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find(), args=arguments)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def scene(server):
    """The pages of a call centre in the middle of its day."""
    import asyncpg

    admin = await asyncpg.connect(server.url("postgres", "postgres"))
    await admin.execute("CREATE DATABASE scene TEMPLATE dialer OWNER dialer")
    await admin.close()
    async with Pools.open(server.url("scene")) as pools:
        made = await Scene.make(server.url("scene"), pools)
        yield made
        await made.close()


@pytest.fixture(scope="session")
def opened(chromium, scene):
    """Open a page of the scene as somebody, in a theme, a language and a size.

    An error of a script, or that the browser tells of, fails the test; ``refusals`` of the server may be wanted, and so may
    a line that breaks (``offline``).
    """

    @asynccontextmanager
    async def open_page(
        path,
        user=None,
        *,
        theme="light",
        language="en",
        size="wide",
        zone=None,
        url=None,
        refusals=False,
        offline=False,
    ):
        width, height = SIZES[size]
        context = await chromium.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            timezone_id=zone,
            permissions=["microphone"],
        )
        page = await context.new_page()
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        await page.add_init_script(f"localStorage.setItem('theme', {theme!r})")
        base = url or scene.url
        if user:
            await log_in(context, scene, base, user, language)
        await page.goto(base + path)
        await page.wait_for_load_state("load" if "board" in path or offline else "networkidle")
        yield page
        await context.close()
        wanted = [*(["status of 4"] if refusals else []), *(["net::ERR_", "WebSocket connection"] if offline else [])]
        assert [error for error in errors if not any(word in error for word in wanted)] == []

    return open_page


async def log_in(context, scene, url, user, language):
    """Log in over the API, once per user and language."""
    key = (user, language)
    if key not in scene.sessions:
        answer = await context.request.post(
            f"{url}/api/v1/login", data={"login": user, "password": fakes.PASSWORD}, headers={"X-Dialer": "1"}
        )
        assert answer.ok, await answer.text()
        [cookie] = await context.cookies()
        scene.sessions[key] = cookie["value"]
    await context.add_cookies([{"name": "dialer_session", "value": scene.sessions[key], "url": url}])
    answer = await context.request.post(
        f"{url}/api/v1/me/language", data={"language": language}, headers={"X-Dialer": "1"}
    )
    assert answer.ok


async def picture(page, name):
    """Keep what is seen now."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png")


async def slowness(page):
    """How many times slower than an idle one this machine is now, at least 1: the best of three bare requests by 20 ms.

    The tests share the machine; a second of an idle one is this many seconds here.
    """
    times_ms = await page.evaluate(
        """async () => {
            const times = [];
            for (let turn = 0; turn < 3; turn++) {
                const began = performance.now();
                await (await fetch("/api/v1/me")).text();
                times.push(performance.now() - began);
            }
            return times;
        }"""
    )
    return max(1.0, min(times_ms) / 20)


async def violations(page):
    """What axe finds against WCAG 2.2 AA, each as one line."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(await asyncio.to_thread(AXE.read_text))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = await page.evaluate("tags => axe.run({ runOnly: tags, resultTypes: ['violations'] })", tags)
    return [
        f"{rule['id']}: {node['target'][0]}: {node.get('failureSummary', '')[:300]}"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]
