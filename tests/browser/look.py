"""Looking at a page as a reviewer does: every theme by axe, every size for what is cut, and a picture of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import SIZES, picture, violations

if TYPE_CHECKING:
    from playwright.async_api import Page

THEMES = ("light", "dark", "contrast")
_CUT = """[...document.querySelectorAll("button, summary, dt, dd, h1, h2, label, .pill")]
    .filter((one) => one.offsetParent && !one.matches(".unseen") && one.clientWidth)
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.innerText)"""


async def wear(page: Page, theme: str) -> None:
    """The page in another theme, as its own button does it."""
    await page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)


async def look_at(page: Page, name: str, *, themes: tuple[str, ...] = THEMES) -> None:
    """WCAG 2.2 AA in every theme; at every size nothing is cut and the page never scrolls sideways.

    Raises:
        AssertionError: what is wrong, and where.
    """
    before = page.viewport_size
    theme_before = await page.evaluate("document.documentElement.dataset.theme ?? ''")
    for theme in themes:
        await wear(page, theme)
        assert (found := await violations(page)) == [], (name, theme, found)
        await picture(page, f"{name}-{theme}")
    await wear(page, theme_before or "light")
    for size, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, (name, size)
        cut = await page.evaluate(_CUT)
        assert cut == [], (name, size, cut)
        await picture(page, f"{name}-{size}")
    if before is not None:
        await page.set_viewport_size(before)
