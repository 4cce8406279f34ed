"""An admin at work in a real browser: forms, searches, questions."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from dialer import passwords
from tests.browser.conftest import picture, violations
from tests.browser.look import look_at
from tests.store.places import SYSTEM
from tests.web import fakes

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def test_adding_an_operator_is_one_form_and_the_operator_can_log_in(opened, scene):
    async with opened("/people", "admin") as page:
        await page.locator("main summary").click()
        form = page.locator("form[data-api]")
        for name, value in (("login", "newbie"), ("name", "New Bee"), ("password", "twelve letters"), ("team", "one")):
            await form.locator(f"[name={name}]").fill(value)
        async with page.expect_navigation():
            await form.get_by_role("button", name="Add somebody").click()
        await page.locator("#table th", has_text="newbie").or_(page.locator(".toast")).first.wait_for()
        found = await scene.place.stores.users.by_login("newbie")
        assert (found.user.role, found.user.name) == ("operator", "New Bee")


async def test_the_bar_has_one_row_and_leads_everywhere_by_keys(opened):
    """What is seldom needed is behind "More"; in Russian, whose words are longer."""
    async with opened("/campaigns", "admin", language="ru") as page:
        heights = await page.evaluate("[...document.querySelectorAll('.places > *')].map(one => one.offsetTop)")
        assert max(heights) - min(heights) < 10
        await page.locator(".seldom summary").focus()
        await page.keyboard.press("Enter")
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator(".seldom div")).to_be_hidden()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Shift+Tab")
        await page.locator(".seldom a[href='/system']").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/system")
        await expect(page.locator(".seldom summary")).to_have_text("Система")


async def test_a_search_goes_to_the_server_and_into_the_address(opened):
    async with opened("/people", "admin") as page:
        await page.keyboard.press("/")
        await page.keyboard.type("op017")
        await expect(page.locator("#table tbody tr")).to_have_count(1)
        assert "op017" in await page.locator("#table tbody").inner_text()
        await expect(page).to_have_url(re.compile("q=op017"))


async def test_the_form_of_a_campaign_says_what_the_settings_mean_before_they_are_saved(opened, scene):
    async with opened(f"/campaigns/{scene.place.campaign.id}", "admin") as page:
        line = page.locator("#plan-text")
        await expect(line).to_contain_text("400 contacts")
        await expect(line).to_contain_text("At most 4 attempts")
        await page.locator("[name=attempts_max]").fill("2")
        await expect(line).to_contain_text("At most 2 attempts")
        row = await scene.place.stores.campaigns.get(scene.place.campaign.id)
        assert row.attempts_max == 4


@pytest.mark.parametrize(
    ("language", "sentence", "one"),
    [
        ("en", "At most 3 attempts, 8:00 to 22:00 h of the callee: 5,210 contacts take about", "with 1 operator."),
        ("ru", "Попыток не больше 3, с 8:00 до 22:00 у абонента: 5\u00a0210 контактов займут около", "с 1 оператором."),
    ],
)
async def test_the_form_of_a_new_campaign_says_what_its_settings_would_mean(opened, scene, language, sentence, one):
    """Nothing is saved; where the figures come from is said, and a base that nobody named is called an example."""
    before = len(await scene.place.stores.campaigns.list())
    async with opened("/campaigns/new", "admin", language=language) as page:
        line, source = page.locator("#plan-text"), page.locator("#plan-from")
        await expect(source).to_contain_text({"en": "is an example", "ru": "взята для примера"}[language])
        await page.fill("[name=contacts]", "5210")
        await page.fill("[name=attempts_max]", "3")
        await page.locator("[name=profile]").select_option("ru")
        await expect(line).to_contain_text(sentence)
        await expect(source).to_contain_text({"en": "usual for cold calls", "ru": "обычное для холодных"}[language])
        await page.fill("[name=customer]", "acme")
        await expect(source).to_contain_text(
            {"en": "this customer's last calls", "ru": "для этого заказчика"}[language]
        )
        await page.fill("[name=operators]", "1")
        await expect(line).to_contain_text(one)
        assert await violations(page) == []
        await look_at(page, f"campaign-new-{language}", themes=("dark",))
    assert len(await scene.place.stores.campaigns.list()) == before


async def test_a_new_campaign_is_made_in_two_pages_and_started_after_a_question(opened, scene):
    async with opened("/campaigns/new", "admin", language="ru") as page:
        for name, value in (("name", "Зимняя"), ("customer", "acme"), ("team", "one")):
            await page.locator(f"[name={name}]").fill(value)
        await page.locator("[name=profile]").select_option("world")
        async with page.expect_navigation(url="**/campaigns/*"):
            await page.get_by_role("button", name="Создать черновик").click()
        await page.get_by_role("button", name="Запустить").click()
        async with page.expect_navigation():
            await page.locator("#confirm-yes").click()
        await page.locator(".pill[data-state=running]").first.wait_for()
        names = {row.name: row.state for row in await scene.place.stores.campaigns.list()}
        assert names["Зимняя"] == "running"


async def test_a_rule_is_loosened_by_two_admins_on_the_campaigns_page(opened, scene):
    """Who asked does not approve while there is another; both names and the reason are on the page."""
    hashed = await passwords.hash_password(fakes.PASSWORD)
    await scene.place.stores.users.add(
        login="second", name="Second Admin", role="admin", password_hash=hashed, team=None, language="en", actor=SYSTEM
    )
    made = await scene.place.add_campaign("Loose", profile="ru", purpose="service", mode="preview")
    async with opened(f"/campaigns/{made.id}", "admin", language="ru") as page:
        await page.locator("#loosened summary").click()
        await page.locator("[data-names]").select_option("per_day")
        await expect(page.locator("#value")).to_have_attribute("placeholder", "2")
        await page.fill("#value", "3")
        await page.fill("#loosening [name=reason]", "Просьба заказчика, договор 12")
        await look_at(page, "campaign-loosening-ru", themes=("light", "dark"))
        async with page.expect_navigation():
            await page.locator("#loosening button").click()
        await expect(page.locator("#loosened li")).to_contain_text("одобрить должен другой администратор")
        assert await page.locator("#loosened [data-api*=approve]").count() == 0
    assert (await scene.place.stores.campaigns.rules(made.id)).per_day == 2
    async with opened(f"/campaigns/{made.id}", "second", language="en") as page:
        await page.locator("#loosened [data-api*=approve]").click()
        async with page.expect_navigation():
            await page.locator("#confirm-yes").click()
        await expect(page.locator("#loosened li")).to_contain_text("Second Admin")
    assert (await scene.place.stores.campaigns.rules(made.id)).per_day == 3


async def test_a_token_is_shown_once(opened):
    async with opened("/programs", "admin") as page:
        await page.locator("[name=name]").fill("CRM")
        await page.get_by_role("button", name="Make a token").click()
        await expect(page.locator("[data-secret]")).to_contain_text("dlt_")
        secret = await page.locator("[data-secret]").inner_text()
        await page.reload()
        assert secret not in await page.content()
        assert "CRM" in await page.locator("table").inner_text()


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_a_campaign_shows_how_long_to_look_only_where_operators_look_first(opened, scene, language):
    """The settings of a mode are there with the mode, explain themselves, and are saved."""
    campaign_id = scene.place.campaign.id
    async with opened(f"/campaigns/{campaign_id}", "admin", language=language) as page:
        await expect(page.locator("#plan-text")).not_to_have_text("…")
        await expect(page.locator("#preview-settings")).to_be_hidden()
        await page.select_option("[name=mode]", "preview")
        await expect(page.locator("#preview-settings")).to_be_visible()
        await page.fill("[name=preview_s]", "45")
        await page.select_option("[name=preview_calls]", "true")
        await page.locator("#preview-settings").scroll_into_view_if_needed()
        assert await violations(page) == []
        await picture(page, f"campaign-preview-{language}")
        await page.locator("#settings button.primary").click()
        row = "SELECT mode, preview_s, preview_calls FROM campaign WHERE id = $1"
        for _ in range(100):
            if tuple(await scene.place.pools.web.fetchrow(row, campaign_id)) == ("preview", 45, True):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("never saved")
    await scene.place.stores.campaigns.change(
        campaign_id, {"mode": "progressive", "preview_s": 60, "preview_calls": False}, actor=SYSTEM
    )


async def test_a_list_of_numbers_is_rehearsed_row_by_row_then_in_force_and_taken_back(opened, scene):
    """Nothing is written by the check; what the page promised is what becomes of the rows."""
    rows = ["phone", "+74955550101", "+74955550102", "12", '"7,9E+10"', "+74955550101"]
    given = {"name": "stop.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    known = scene.place.stores.do_not_call.list
    before = len(await known(limit=1000))
    async with opened("/do-not-call", "admin", language="ru") as page:
        await page.get_by_text("Запретить целый список").click()
        form = page.locator("#list")
        await form.locator("[name=file]").set_input_files(given)
        await form.locator("[name=scope]").select_option("campaign")
        await form.locator("[name=campaign_id]").select_option(label="Осенний опрос клиентов")
        await form.get_by_role("button", name="Проверить список").click()
        await expect(page.locator("#counts")).to_contain_text("будут запрещены 2")
        await expect(page.locator("#rejected tbody tr")).to_have_text(
            [re.compile("4.*не номер"), re.compile("5.*Excel")]
        )
        assert len(await known(limit=1000)) == before
        await look_at(page, "do-not-call-list")
        async with page.expect_download() as waited:
            await page.locator("#reasons").click()
        path = await (await waited.value).path()
        assert await asyncio.to_thread(path.read_text) == (
            "line,verdict\n2,added\n3,added\n4,bad_phone\n5,rounded\n6,repeated"
        )
        async with page.expect_navigation():
            await page.get_by_role("button", name="Запретить: 2 строки").click()
        entries = (await known(limit=1000))[:2]
        assert {(one.phone, one.scope) for one in entries} == {
            ("+74955550101", "campaign"),
            ("+74955550102", "campaign"),
        }
        await page.get_by_text("Принятые списки").click()
        await page.locator("#files").get_by_role("button", name="Отозвать").click()
        async with page.expect_navigation():
            await page.locator("#confirm-yes").click()
        assert len(await known(limit=1000)) == before
