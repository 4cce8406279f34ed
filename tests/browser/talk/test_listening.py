"""A supervisor at a real browser hears a real conversation: by getStats, on the own phone, until it ends or the service does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from dialer.passwords import hash_password, random_password
from tests.browser.talk.person import AUDIBLE, PATIENCE_S
from tests.real.office import NOBODY, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.browser.talk.team import Team

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("gone", "NotFoundError"));
"""


@asynccontextmanager
async def board(team: Team, login: str, script: str = "") -> AsyncIterator[Page]:
    """A supervisor's board, in a browser window of its own."""
    password = random_password()
    login = f"{login}-{team.name.replace(' ', '-')}"
    await team.office.stores.users.add(
        login=login,
        name=login.partition("-")[0].title(),
        role="supervisor",
        password_hash=await hash_password(password),
        team=team.name,
        language="en",
        actor=NOBODY,
    )
    place = await team.browser.new_context(viewport={"width": 1440, "height": 900})
    place.set_default_timeout(PATIENCE_S * 1000)
    page = await place.new_page()
    await page.add_init_script(script or "/* its own headset */")
    await page.goto(team.office.service.url)
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", password)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/board")
    yield page
    await place.close()


async def begins(page: Page, name: str, mode: str) -> None:
    """By the row's button, on the phone in this browser."""
    await page.locator(".operator", has_text=name).locator(".dots").click()
    await page.locator("#row").get_by_role("button", name=mode).click()
    await page.locator("#hear-yes").click()
    await expect(page.locator("#hearing")).to_have_attribute("data-state", "on")


async def hears(page: Page) -> None:
    """Wait until the conversation is louder than silence."""
    async with asyncio.timeout(PATIENCE_S):
        while float(await page.get_attribute("#hearing", "data-heard") or 0) <= AUDIBLE:
            await page.wait_for_timeout(200)


async def ended(team: Team) -> list[tuple[str, str | None]]:
    """What the database has of this team's listeners: first mode and why it ended."""
    asked = """SELECT mode, how FROM listening l JOIN app_user u ON u.id = l.operator_id JOIN team t ON t.id = u.team_id
        WHERE t.name = $1 ORDER BY began_at"""
    return [tuple(row) for row in await team.office.pools.web.fetch(asked, team.name)]


async def test_a_supervisor_without_a_microphone_hears_the_talk_and_is_told_that_it_ended(team: Team) -> None:
    """The operator sees a quiet line meanwhile, talks on, and works on afterwards."""
    await team.opens(wrap_up_s=300)
    eva = await team.sits_down("eva")
    await eva.talk()
    await eva.hears()
    async with board(team, "boss", NO_MICROPHONE) as boss:
        await begins(boss, "Eva", "Listen")
        await hears(boss)
        await eva.sees("#listened", "A supervisor listens")
        await eva.hears()
        await eva.press("Control+Enter")
        await eva.is_in("wrap_up")
        await expect(boss.locator("#hearing-word")).to_contain_text("The conversation ended")
        await expect(eva.page.locator("#listened")).to_be_hidden()
    await until(lambda: _is(team, "listen", "conversation"), PATIENCE_S, "its end in the database")
    assert eva.complaints == []


async def test_a_supervisor_whispers_joins_and_closes_the_page_and_the_talk_goes_on(team: Team) -> None:
    await team.opens(wrap_up_s=300)
    nora = await team.sits_down("nora")
    await nora.talk()
    async with board(team, "chief") as chief:
        await begins(chief, "Nora", "Whisper")
        await nora.sees("#listened", "A supervisor whispers")
        await chief.locator("#hearing").get_by_role("button", name="Join").click()
        await nora.sees("#listened", "A supervisor has joined")
        await hears(chief)
    await expect(nora.page.locator("#listened")).to_be_hidden()
    # A page that is closed in order hangs its phone up; one that dies is missed by the service.
    await until(lambda: _is(team, "whisper", "hung_up", "page_gone"), PATIENCE_S, "its end in the database")
    await nora.is_in("talking")
    await nora.hears()


async def test_a_service_that_dies_ends_what_is_heard_and_the_page_says_so(team: Team) -> None:
    await team.opens(wrap_up_s=300)
    rosa = await team.sits_down("rosa")
    await rosa.talk()
    async with board(team, "head") as head:
        await begins(head, "Rosa", "Listen")
        await hears(head)
        await team.office.service.kill()
        await team.office.start()
        await expect(head.locator("#hearing-word")).to_contain_text("The service was restarted")
    await until(lambda: _is(team, "listen", "service"), PATIENCE_S, "its end in the database")


async def _is(team: Team, mode: str, *hows: str) -> bool:
    return await ended(team) in [[(mode, how)] for how in hows]
