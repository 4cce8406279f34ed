"""Reports in a real browser: plots beside tables, choosers, a file that arrives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect
from python_calamine import CalamineWorkbook

from tests.browser.look import look_at

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_every_table_with_numbers_has_its_plot_and_a_file(opened, tmp_path):
    async with opened("/reports?period=today", "supervisor") as page:
        plots = page.locator(".plot canvas")
        await expect(plots.first).to_be_visible()
        assert await plots.count() == await page.locator("[data-plot]").count() >= 3
        inked = await page.evaluate(
            """[...document.querySelectorAll('.plot canvas')].map(c => c.getContext('2d')
                .getImageData(0, 0, c.width, c.height).data.some(byte => byte > 0))"""
        )
        assert all(inked)
        async with page.expect_download() as arriving:
            await page.locator("#hours a[download]", has_text="XLSX").click()
        file = tmp_path / "hours.xlsx"
        await (await arriving.value).save_as(file)
        rows = CalamineWorkbook.from_path(str(Path(file))).get_sheet_by_index(0).to_python()
        assert len(rows) == 1 + await page.locator("#hours .scroll tbody tr").count()


async def test_plots_follow_the_width_of_the_window(opened):
    async with opened("/reports?period=today", "supervisor") as page:
        plot = page.locator("#hours .plot .uplot")
        await expect(plot).to_be_visible()
        await page.set_viewport_size({"width": 700, "height": 800})
        await expect(plot).to_have_count(1)
        await page.wait_for_function(
            "document.querySelector('#hours .plot .uplot').getBoundingClientRect().width < 700"
        )


async def test_a_chosen_campaign_stays_in_the_address_and_a_cell_opens_its_attempts(opened):
    async with opened("/reports", "supervisor") as page:
        await page.locator("[name=campaign]").select_option(index=1)
        await page.locator("[name=period]").select_option("today")
        await page.get_by_role("button", name="Show").click()
        await expect(page).to_have_url(re.compile(r"campaign=\d+.*period=today"))
        cell = page.locator("#hours .scroll tbody td a").first
        count = int(await cell.inner_text())
        await cell.click()
        await page.wait_for_url("**/attempts?*fact=rang*")
        assert await page.locator("#table tbody tr").count() == min(count, 50)


async def test_looks_before_a_call_are_counted_by_operator_and_each_opens_its_list(opened):
    """Looked, called, skipped with the reason; one who was called opens the attempt."""
    async with opened("/reports?period=today", "supervisor", language="ru") as page:
        skips = page.locator("#skips .scroll tbody tr", has_text="Плохие данные")
        await expect(page.locator("#looks .scroll tbody tr")).to_have_count(2)
        await page.locator("#looks").scroll_into_view_if_needed()
        await look_at(page, "reports-looks-ru", themes=("light", "dark"))
        cell = skips.locator("a")
        count = int(await cell.inner_text())
        await cell.click()
        await page.wait_for_url("**/looks?*how=skipped*")
        await expect(page.locator("#table tbody tr")).to_have_count(count)
        await page.locator("[name=reason]").select_option("")
        await page.locator("[name=how]").select_option("called")
        await page.wait_for_url("**/looks?*how=called*")
        await expect(page.locator("#table tbody td a[href^='/attempts/']").first).to_be_visible()
        await look_at(page, "looks-ru", themes=("dark",))


async def test_the_main_numbers_open_what_they_count_and_are_written_as_the_language_does(opened):
    async with opened("/reports?period=today", "supervisor", language="ru") as page:
        tile = page.locator(".summary div", has_text="Соединены")
        count = int(await tile.locator("b").inner_text())
        assert re.fullmatch(
            r"\d+,\d", await page.locator(".summary div", has_text="Доля потерянных").locator("b").inner_text()
        )
        await tile.locator("b a").click()
        await page.wait_for_url("**/attempts?*outcome=connected*")
        shown = await page.locator("#table tbody tr").count()
        while await page.locator("a[rel=next]").count():
            await page.locator("a[rel=next]").click()
            await page.wait_for_url("**cursor=*")
            shown += await page.locator("#table tbody tr").count()
            assert shown <= count
        assert shown == count
