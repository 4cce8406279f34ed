"""Reports in a real browser: plots beside tables, choosers, a file that arrives."""

from __future__ import annotations

import csv
import re
from io import StringIO
from pathlib import Path
from urllib.parse import urljoin

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


async def test_missed_return_calls_open_who_was_missed(opened):
    """The rows of a day may lie in two, when it is just past midnight; each opens its own."""
    async with opened("/reports?period=month", "supervisor", language="ru") as page:
        cell = page.locator("#returns .scroll tbody tr").first.locator("td a").nth(1)
        count = int(await cell.inner_text())
        assert 1 <= count <= 4
        await cell.click()
        await page.wait_for_url("**/returns?*outcome=missed*")
        await expect(page.locator("#table tbody tr")).to_have_count(count)
        await look_at(page, "returns-ru", themes=("dark",))
        await page.locator("[name=outcome]").select_option("connected")
        await page.wait_for_url("**/returns?*outcome=connected*")
        await expect(page.locator("#table tbody td a[href^='/attempts/']").first).to_be_visible()


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


DRAWN = """section => [...section.querySelectorAll(".scroll tbody tr")].map(row => [...row.cells].map((cell, at) =>
    at === 0 ? cell.innerText.trim() : cell.dataset.value !== undefined ? Number(cell.dataset.value)
    : [...cell.childNodes].filter(one => one.nodeName !== "SMALL").map(one => one.textContent).join("").trim()))"""
FORMULA = '=HYPERLINK("http://x";"y")'


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_file_holds_exactly_what_is_drawn_as_spreadsheets_read_it(opened, scene, tmp_path, language):
    """Each table by two readers, an operator's name being a formula; not a digit is rounded on the way."""
    pool = scene.place.pools.web
    before = await pool.fetchval("SELECT name FROM app_user WHERE login = 'op003'")
    await pool.execute("UPDATE app_user SET name = $1 WHERE login = 'op003'", FORMULA)
    try:
        async with opened("/reports?period=month&by=operator", "supervisor", language=language) as page:
            sheets = await page.locator("section.report").evaluate_all("all => all.map(one => one.id)")
            assert {"hours", "funnel", "heat", "yield", "refusals", "operators", "breakdown"} <= set(sheets)
            seen = ""
            for sheet in sheets:
                section = page.locator(f"section#{sheet}")
                drawn = await section.evaluate(DRAWN)
                plain, typed = [await _read(page, section, form, tmp_path) for form in ("csv", "xlsx")]
                assert drawn, sheet
                heads = [text.strip() for text in await section.locator("thead th").all_inner_texts()][1:]
                assert [head.partition(", ")[0] for head in heads] == typed[0][1:] == plain[0][1:], sheet
                assert len(drawn) == len(plain) - 1 == len(typed) - 1, sheet
                for shown, text, cells in zip(drawn, plain[1:], typed[1:], strict=True):
                    nobody = "ничей" if language == "ru" else "nobody"
                    assert (cells[0] or nobody).casefold() == shown[0].casefold() or not cells[0], sheet
                    for one, said, value in zip(shown[1:], text[1:], cells[1:], strict=True):
                        if isinstance(one, str):
                            assert one in {value, "–"}, (sheet, one, value)
                            assert said == value
                        else:
                            wanted = pytest.approx(value, rel=1e-15)  # a spreadsheet keeps 16 digits
                            assert float(said) == one == wanted, (sheet, shown[0])
                    assert not text[0].startswith(("=", "+", "@"))
                seen += str(typed)
            assert FORMULA in seen  # as text, in a cell of its own
    finally:
        await pool.execute("UPDATE app_user SET name = $1 WHERE login = 'op003'", before)


async def _read(page, section, form, folder):
    """The cells of a file, by a reader that is not ours; a page lets a browser begin some twenty downloads, so one form is clicked."""
    link = section.locator("a[download]", has_text=form.upper())
    if form == "csv":
        answer = await page.request.get(urljoin(page.url, await link.get_attribute("href")))
        return list(csv.reader(StringIO((await answer.body()).decode("utf-8-sig"), newline="")))
    async with page.expect_download() as arriving:
        await link.click()
    file = folder / f"table.{form}"
    await (await arriving.value).save_as(file)
    return CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python(skip_empty_area=False)


async def test_a_report_by_mail_is_asked_for_in_the_browser_and_says_what_became_of_it(opened, scene):
    async with opened("/reports", "admin", language="ru", refusals=True) as page:
        await page.get_by_role("link", name="По почте").click()
        form = page.locator("form[data-api='POST /api/v1/me/reports']")
        await form.locator("[name=name]").fill("Сводка недели")
        await form.locator("[name=period]").select_option("week")
        await form.locator("[data-days]").select_option("month_day")
        await expect(form.locator("[name=weekdays]").first).to_be_hidden()
        await form.locator("[name=month_day]").fill("31")
        await form.locator("[name=hour]").select_option("7")
        await form.locator("[name=addresses]").fill("admin@example.com\nnot an address")
        await form.get_by_role("button").click()
        await expect(form.locator("[name=addresses]")).to_have_attribute("aria-invalid", "true")
        await form.locator("[name=addresses]").fill("admin@example.com\nboss@example.com")
        await form.get_by_role("button").click()
        row = page.locator("tbody tr", has_text="Сводка недели")
        await expect(row).to_contain_text("31-го числа, 07:00")
        await expect(row).to_contain_text("boss@example.com")
        await page.locator("tbody a", has_text="Итоги дня").click()
        await expect(page.locator("#history tbody tr").first).to_contain_text("example.com")
        await page.locator("#history summary").click()
        await look_at(page, "report-mail-ru", themes=("light", "dark"))
        await row.get_by_role("button", name="Удалить").click()
        await (
            page.get_by_role("dialog")
            .get_by_role("button", name=re.compile("Да|Удалить|OK", re.IGNORECASE))
            .first.click()
        )
        await expect(row).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_reports_are_fit_to_be_looked_at_in_every_size_and_theme(opened, language):
    async with opened("/reports?period=month&by=operator", "supervisor", language=language) as page:
        await look_at(page, f"reports-{language}", themes=("light", "dark"))


async def test_refusals_by_reason_become_a_base_of_another_campaign_in_two_clicks(opened, scene):
    """From the report to what would be loaded, and to the base; in both languages looked at."""
    place = scene.place
    other = await place.add_campaign("Осень для отказавшихся")
    id_ = place.campaign.id
    refused = "SELECT d.contact_id FROM disposition d WHERE d.campaign_id = $1 AND d.code = 'refused_with_reason'"
    contact = await place.pools.web.fetchval(refused, id_)
    closing = "UPDATE contact SET state = 'closed', closed_by = 'disposition', closed_at = now() WHERE id = $1"
    await place.pools.web.execute(closing, contact)
    async with opened(f"/reports?period=today&campaign={id_}", "supervisor", language="ru") as page:
        await page.locator("#refusals a", has_text="Позвонить другой кампанией").first.click()
        await page.wait_for_url("**/segments?*reason=competitor*")
        if not await page.locator("#rehearsal").count():
            await page.locator("[name=target]").select_option(label="Осень для отказавшихся")
            await page.wait_for_url("**target=*")
        await look_at(page, "segments-ru", themes=("light", "dark"))
        address = page.url
    async with opened(address.removeprefix(scene.url), "supervisor") as page:
        await look_at(page, "segments-en", themes=("light", "contrast"))
        await page.get_by_role("button", name="Make a base of 1").click()
        await page.wait_for_url("**/bases?campaign=*")
        await expect(page.locator("main")).to_contain_text("Works with a competitor")
    [base] = await place.stores.bases.of_campaign(other.id)
    assert base.rows_loaded == 1
    made = await place.pools.web.fetchrow("SELECT id, origin_id FROM contact WHERE base_id = $1", base.id)
    assert made["origin_id"] == contact
    async with opened(f"/contacts/{made['id']}", "supervisor") as page:
        await page.get_by_role("link", name="Whom it was made of").click()
        await page.wait_for_url(f"**/contacts/{contact}")
