"""A whole shift without a mouse, from the login to the logout, on a page that is looked at in each of its states."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.look import look_at

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_whole_shift_by_keys_alone_on_a_page_fit_for_everybody(team, language):
    """Login, microphone, ready, two talks, callback, more time, pause with a reason, resume, end of shift, logout."""
    await team.opens(numbers=2, wrap_up_s=600)
    gina = await team.sits_down("gina", language)

    async def looks(name):
        await look_at(gina.page, f"shift-{name}-{language}", themes=("light", "dark"))

    await begins(gina, looks)
    await talks_and_promises(gina, looks)
    await talks_and_asks_for_a_pause(gina, looks)
    assert await team.saved() == [("callback", ""), ("thinking", "")]
    await goes_home(gina, looks)
    assert gina.complaints == []


async def begins(gina, looks):
    await gina.page.locator("#start:enabled").wait_for()
    await gina.tab_to("#phone-more")
    await gina.press("Enter")
    await gina.page.locator("#microphone option").first.wait_for(state="attached")
    await looks("start")
    await gina.press("Enter")
    await gina.begin()


async def talks_and_promises(gina, looks):
    page = gina.page
    await gina.is_in("talking")
    await gina.hears()
    await gina.tab_to("#keypad-open")
    await gina.press("Enter", "5", "#")
    await looks("keypad")
    await gina.press("Escape")
    await expect(page.locator("#keypad")).to_be_hidden()
    await gina.press("3")
    await gina.tab_to("[data-chip=tomorrow]")
    await gina.press("Enter")
    await page.locator("#promise.good").wait_for()
    await looks("talking")
    await gina.press("Control+Enter")
    await gina.is_in("wrap_up")
    await gina.press("+")
    await gina.sees("#more-time", "1")
    await looks("wrap-up")
    await gina.press("Control+Enter")


async def talks_and_asks_for_a_pause(gina, looks):
    page = gina.page
    await page.locator("#state.state-talking #hangup").wait_for()
    await gina.press("g", "p", "1")
    for gone in ("#pause-open", "#pauses"):
        await expect(page.locator(gone)).to_be_hidden()
    await page.keyboard.down("Escape")
    await gina.is_in("wrap_up")
    await page.keyboard.up("Escape")
    await gina.press("4", "Enter")
    await gina.is_in("paused")
    await looks("paused")


async def goes_home(gina, looks):
    await gina.press("g", "r")
    await gina.is_in("ready")
    await looks("ready")
    await gina.press("g", "p", "2")
    await gina.is_in("paused")
    await gina.tab_to("#stop")
    await gina.press("Enter")
    await gina.is_in("offline")
    await gina.tab_to("#logout")
    await gina.press("Enter")
    await gina.page.locator("[name=login]").wait_for()
