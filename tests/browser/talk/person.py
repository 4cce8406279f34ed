"""Somebody at the operator's page: sees what is shown, presses keys, hears what comes out of the headset."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.async_api import TimeoutError as TooLate
from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

#: How long anything may take that is not measured: these tests share a slow machine with others.
PATIENCE_S = 90
#: Louder than silence: what the world says has a level of 0.05 and more.
AUDIBLE = 0.005
#: Where the page says how things are.
SAYING = "#state-word, #state-more, #timer, #hint, #phone-word, #saved, #error, #drafted, #lost:visible, #toasts"


@dataclass
class Person:
    """An operator with a page; ``complaints`` are the errors in its console."""

    page: Page
    login: str
    password: str
    complaints: list[str]

    @classmethod
    async def log_in(
        cls,
        browser: Browser,
        url: str,
        login: str,
        password: str,
        *,
        script: str = "",
        size: tuple[int, int] = (1440, 900),
        theme: str = "auto",
    ) -> Person:
        """Somebody logs in at a browser, by the keyboard alone; ``script`` runs in the page before its own."""
        place = await browser.new_context(viewport={"width": size[0], "height": size[1]})
        place.set_default_timeout(PATIENCE_S * 1000)
        page = await place.new_page()
        await page.add_init_script(f"localStorage.setItem('theme', {theme!r}); {script}")
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(f"{said.text} {said.location}") if said.type == "error" else None
        )
        person = cls(page, login, password, complaints)
        await page.goto(url)
        await person.tab_to("[name=login]")
        await page.keyboard.type(login)
        await page.keyboard.press("Tab")
        await page.keyboard.type(password)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/operator")
        return person

    async def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def writes(self, text: str) -> None:
        """Type where the focus is."""
        await self.page.keyboard.type(text)

    async def tab_to(self, selector: str) -> None:
        """Go there with the Tab key, as somebody without a mouse does."""
        await self.page.locator(selector).first.wait_for()
        for _ in range(80):
            if await self.page.evaluate("wanted => document.activeElement?.matches(wanted)", selector):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by Tab")

    async def sees(self, selector: str, text: str) -> None:
        """Wait until that text is there."""
        await expect(self.page.locator(selector)).to_contain_text(text)

    async def is_in(self, *states: str) -> None:
        """Wait until the bar shows one of these states."""
        try:
            await self.page.locator(", ".join(f"#state.state-{one}" for one in states)).wait_for()
        except TooLate as error:
            shown = await self.page.locator(SAYING).all_inner_texts()
            raise AssertionError(f"never in {states}; the page says {[one for one in shown if one]}") from error

    async def begin(self) -> None:
        """Start the shift and be ready, by keys."""
        await self.page.locator("#start:enabled").wait_for()
        await self.tab_to("#start")
        await self.press("Enter")
        await self.is_in("paused")
        await self.page.locator("#ready:enabled").wait_for()
        await self.press("g", "r")

    async def talk(self) -> None:
        """Begin, and wait for the first callee and the card: no key means anything before it."""
        await self.begin()
        await self.is_in("talking")
        await self.page.locator("#dispositions [data-code]").first.wait_for()

    async def hears(self) -> None:
        """Wait until the callee is heard in the headset, by getStats: louder than silence."""
        await self._hears(audible=True)

    async def hears_nothing(self) -> None:
        """Wait until the headset is silent."""
        await self._hears(audible=False)

    async def _hears(self, *, audible: bool) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                heard = float(await self.page.get_attribute("#phone", "data-heard") or 0)
                if (heard > AUDIBLE) is audible:
                    return
                await asyncio.sleep(0.2)
