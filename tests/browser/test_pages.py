"""Every page in every theme: nothing that axe objects to, no error of a script, light enough, and a picture to look at."""

from __future__ import annotations

import pytest

from dialer.web.routes import ROUTES
from tests.browser.conftest import SIZES, picture, slowness, violations
from tests.browser.scene import ATTEMPT

pytestmark = pytest.mark.postgres
in_browser = pytest.mark.asyncio(loop_scope="session")

PAGES = {
    "/": None,
    "/setup": None,
    "/board": "supervisor",
    "/operator": "operator",
    "/campaigns": "admin",
    "/campaigns/new": "admin",
    "/campaigns/1": "admin",
    "/campaigns/1/ahead": "supervisor",
    "/campaigns/1/script": "supervisor",
    "/campaigns/1/dispositions": "admin",
    "/offers": "admin",
    "/people": "admin",
    "/do-not-call": "admin",
    "/trunks": "admin",
    "/rules": "admin",
    "/programs": "admin",
    "/webhooks": "admin",
    "/audit": "admin",
    "/system": "admin",
    "/bases": "admin",
    "/me": "admin",
    "/attempts": "admin",
    "/callbacks": "admin",
    "/leads": "admin",
    "/leads/1": "admin",
    "/letters": "admin",
    "/letters/1": "admin",
    "/campaigns/1/letters": "admin",
    "/reports": "admin",
    "/looks": "admin",
    "/contacts/1": "admin",
    f"/attempts/{ATTEMPT}": "admin",
    f"/attempts/{ATTEMPT}/script": "admin",
}
THEMES = ("light", "dark", "contrast")
#: First load of any page, compressed.
FIRST_LOAD_BYTES_MAX = 150_000


def name_of(path):
    return path.strip("/").replace("/", "-") or "login"


def test_every_page_is_looked_at():
    """A new page must be added here; the wizard needs a file, and the way out of letters a token."""
    named = {
        route.path.replace("{id:[0-9]{1,18}}", "1").replace("{id:[0-9a-f-]{36}}", ATTEMPT)
        for route in ROUTES
        if route.page
    }
    assert named - {"/bases/files/1", "/unsubscribe/{token:[A-Za-z0-9_-]{32}}"} == set(PAGES)


@in_browser
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_fit_for_everybody_in_every_theme(opened, path):
    """WCAG 2.2 AA by axe: 0 violations, in both languages; where dialogs are, in the help too."""
    for theme in THEMES:
        language = "ru" if theme == "dark" else "en"
        async with opened(path, PAGES[path], theme=theme, language=language) as page:
            await page.wait_for_timeout(400)
            assert await violations(page) == [], (theme, language)
            help_button = page.locator("#help")
            if theme == "light" and await help_button.count():
                await help_button.click()
                assert await violations(page) == [], "help"


@in_browser
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_never_scrolls_sideways(opened, path, size):
    """Also in Russian, whose words are longer, and on the smallest screens; kept as pictures."""
    async with opened(path, PAGES[path], size=size, language="ru") as page:
        await page.wait_for_timeout(400)
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        await picture(page, f"{name_of(path)}-{size}")
        assert wider <= 0


@in_browser
@pytest.mark.parametrize("path", PAGES)
async def test_the_first_load_is_light(opened, path):
    """As bytes on the wire, counted by the browser."""
    async with opened(path, PAGES[path], refusals=True) as page:
        await page.wait_for_timeout(300)
        sent = await page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".map(entry => [entry.name, entry.transferSize])"
        )
        total = sum(size for _, size in sent)
        assert 2_000 < total <= FIRST_LOAD_BYTES_MAX, sent


@in_browser
@pytest.mark.parametrize("path", ["/board", "/campaigns/1", "/people"])
async def test_a_page_is_ready_within_a_second_on_a_slow_machine(opened, path):
    """Interactive with the processor throttled four times, on loopback; the best of three loads."""
    async with opened(path, PAGES[path]) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        times_ms = []
        for _ in range(3):
            await page.reload(wait_until="load")
            times_ms.append(await page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive"))
        assert min(times_ms) <= 1000 * await slowness(page), times_ms
