"""From a number to the facts behind it, with clicks alone."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import violations
from tests.browser.scene import ATTEMPT

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_every_number_of_the_board_that_counts_attempts_leads_to_them(opened, scene):
    """Tiles, campaign, operator, the hour's numbers: each link is a list that opens."""
    async with opened("/board", "supervisor") as page:
        await page.locator(".board:not([aria-busy])").wait_for()
        await page.locator("#kpi a").first.wait_for()
        links = await page.evaluate(
            "[...document.querySelectorAll('#main a[href]')].map(a => a.getAttribute('href')).filter(h => h.startsWith('/'))"
        )
        assert {link.split("?")[0] for link in links} >= {"/attempts", "/callbacks"}
        assert any("fact=abandoned" in link for link in links)
        assert any("operator=" in link for link in links)
        for link in dict.fromkeys(links):
            answer = await page.request.get(scene.url + link)
            assert answer.status == 200, link


async def test_a_number_is_as_many_as_its_list(opened):
    """Abandoned in the last hours: clicked on the tile, counted in the list, one opened, its contact, its history."""
    async with opened("/board", "supervisor") as page:
        await page.locator(".board:not([aria-busy])").wait_for()
        await page.locator("#abandon").click()
        await page.wait_for_url("**/attempts?*fact=abandoned*")
        rows = page.locator("#table tbody tr")
        await expect(rows).to_have_count(4)
        await rows.first.locator("td a").first.click()
        await page.wait_for_url(re.compile(r"/attempts/[0-9a-f-]{36}"))
        await page.locator("h1 a").click()
        await page.wait_for_url("**/contacts/*")
        await page.get_by_role("link", name=re.compile("attempts")).first.click()
        await page.wait_for_url("**/attempts?phone=*")


async def test_filters_narrow_the_list_without_a_new_page_and_stay_in_the_address(opened):
    async with opened("/attempts", "supervisor") as page:
        await page.locator("[name=outcome]").select_option("abandoned")
        await expect(page.locator("#table tbody tr")).to_have_count(4)
        await expect(page).to_have_url(re.compile("outcome=abandoned"))
        await page.get_by_role("button", name="This hour").click()
        await expect(page).to_have_url(re.compile("since=2"))
        await page.locator("[name=outcome]").select_option("")
        await page.keyboard.press("/")
        await page.locator("#q").fill("nobody of this name")
        await expect(page.get_by_text("No attempt is counted here")).to_be_visible()


async def test_one_attempt_tells_its_story(opened):
    async with opened(f"/attempts/{ATTEMPT}", "supervisor", language="ru") as page:
        for text in ("Соединён с оператором", "Отказ с причиной", "предел — потерянные", "довольны"):
            await expect(page.get_by_text(text).first).to_be_visible()


def promise(page):
    """The row of Oleg's promise."""
    return page.locator("#table tbody tr", has=page.locator("th", has_text="Олег Смирнов"))


async def test_a_promise_is_moved_handed_over_and_cancelled_with_a_reason(opened, scene):
    async with opened("/callbacks", "supervisor", refusals=True) as page:
        row = promise(page)
        await row.get_by_role("button", name="Hand over").click()
        dialog = page.locator("#hand")
        assert await violations(page) == []
        await dialog.locator("[name=operator_id]").select_option(label="Анна Ковалёва 0")
        await dialog.locator("[name=reason]").fill("knows the client")
        async with page.expect_navigation():
            await dialog.get_by_role("button", name="Hand over").click()
        row = promise(page)
        await expect(row).to_contain_text("Анна Ковалёва 0")
        await expect(row).to_contain_text("knows the client")
        await row.get_by_role("button", name="Move").click()
        dialog = page.locator("#move")
        await dialog.locator("[name=due_at]").fill("2020-01-01T10:00")
        await dialog.locator("[name=reason]").fill("on a journey")
        await dialog.get_by_role("button", name="Move").click()
        await expect(dialog.locator(".error")).to_be_visible()
        await page.keyboard.press("Escape")
        await row.get_by_role("button", name="Cancel the promise").click()
        await page.locator("#confirm [name=said]").fill("asked to")
        async with page.expect_navigation():
            await page.locator("#confirm-yes").click()
        await expect(promise(page)).to_have_count(0)
        await page.get_by_role("link", name=re.compile("Cancelled")).click()
        await expect(promise(page)).to_contain_text("asked to")


async def test_the_tiles_of_ready_and_wrap_up_leave_only_these_operators(opened):
    async with opened("/board", "supervisor") as page:
        await page.locator(".board:not([aria-busy])").wait_for()
        everybody = await page.locator(".operator:visible").count()
        await page.locator("a.tile[data-state=ready]").click()
        await expect(page.locator(".operator.state-talking").first).to_be_hidden()
        assert 0 < await page.locator(".operator:visible").count() < everybody
        await page.locator("a.tile[data-state=ready]").click()
        await expect(page.locator(".operator:visible")).to_have_count(everybody)


async def test_a_recording_whose_address_is_too_old_gets_another_and_one_that_does_not_play_says_so(opened):
    """An address is good for a quarter of an hour, a pause in listening may be longer."""
    asked = []

    async def give(route):
        asked.append(route.request.url)
        await route.fulfill(json={"url": f"/recordings/{len(asked)}", "expires_at": "2100-01-01T00:00:00Z"})

    async def refuse(route):
        await route.fulfill(status=410)

    async with opened(f"/attempts/{ATTEMPT}", "admin", refusals=True) as page:
        await page.clock.install()
        await page.route("**/api/v1/recordings/*/link", give)
        await page.route("**/recordings/1", refuse)
        await page.evaluate(
            """() => {
                const place = document.createElement("span");
                Object.assign(place.dataset, { recording: "x", failed: "Does not play.", label: "Recording" });
                place.append(document.createElement("button"));
                document.querySelector("main").append(place);
            }"""
        )
        await page.locator("[data-recording=x] button").click()
        await expect(page.locator("[data-recording=x] .error")).to_have_text("Does not play.")
        await page.clock.fast_forward("20:00")
        await page.evaluate("document.querySelector('[data-recording=x] audio').load()")
        await expect(page.locator("[data-recording=x] audio")).to_have_attribute("src", "/recordings/2")
    assert len(asked) == 2
