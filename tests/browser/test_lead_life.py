"""A lead's life in a real browser: from the conversation to the client, and a rejected one to its replacement.

The whole service runs, on the simulated switch: operator, supervisor and customer are at pages of their own.
"""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from dialer.web.texts import TEXTS
from tests.browser.centre import PATIENCE_S, Centre

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_MS = PATIENCE_S * 1000


@pytest_asyncio.fixture(loop_scope="session", params=["en", "ru"])
async def office(request, server, chromium, open_tmp_path):
    """An operator, a supervisor and a customer, each at a page, in one language."""
    language = request.param
    with pytest.MonkeyPatch.context() as patch:
        folder = open_tmp_path / f"lives-{language}"
        async with Centre.open(server, f"lives_{language}", folder, chromium, patch) as centre:
            await centre.campaign([f"+120255501{n:02}" for n in range(6)])
            yield Office(centre, language)


class Office:
    """Who is there, and the words of their language."""

    def __init__(self, centre: Centre, language: str) -> None:
        self.centre, self.language = centre, language

    def says(self, text: str, **values) -> str:
        return TEXTS[self.language][text].format(**values)

    async def comes(self, role, **whose):
        return await self.centre.comes(role, role, self.language, **whose)


async def begins(page):
    await page.fill("#named [name=seat]", "seat-1")
    await page.click("#named button")
    await page.locator("#ready").click()


async def talks_into_a_lead(page, person, company, agreed):
    """The next callee is interested; what the operator types is saved, and the line is free for the next one."""
    await page.locator("#state.state-talking").wait_for()
    await page.locator("#dispositions [data-code=lead]").click()
    await page.fill("[name=person]", person)
    await page.fill("[name=company]", company)
    await page.fill("[name=note]", agreed)
    await page.click("#hangup")
    await page.locator("#state.state-wrap_up").wait_for()
    async with page.expect_response("**/disposition") as answer:
        await page.click("#save")
    saved = await (await answer.value).json()
    return saved["disposition"]["lead_id"]


async def is_told(board, number, value):
    """The board's number of this hour is so, without anybody loading it again."""
    found = board.locator("#kpi > div", has=board.locator("dt", has_text=re.compile(f"^{re.escape(number)}$")))
    await expect(found.locator("dd").first).to_have_text(value, timeout=PATIENCE_MS)


async def state_is(page, office, state):
    await expect(page.locator(".head .pill")).to_have_text(office.says(f"lead.{state}"), timeout=PATIENCE_MS)


async def asks(page, way):
    """Press one of the buttons of what next, and see the page that follows."""
    button = page.locator(f'[data-body=\'{{"state":"{way}"}}\']')
    async with page.expect_response("**/state"), page.expect_navigation():
        await button.click()


async def rejects(page, reason):
    await page.fill("[name=reason]", reason)
    async with page.expect_response("**/state"), page.expect_navigation():
        await page.locator("form:has([name=reason]) button").click()


async def in_list(page, office, show, count):
    """The tab of this list has so many."""
    await page.goto(f"{office.centre.service.url}/leads")
    tab = page.locator(f".tabs a[href*='show={show}'] b")
    if count:
        await expect(tab).to_have_text(str(count))
    else:
        await expect(tab).to_have_count(0)


async def becomes_a_client(office, url, board, clerk, customer, operator):
    """The operator's talk, the board, the office and the customer, to the revenue; the lead's number."""
    results, leads = ("Results", "Leads") if office.language == "en" else ("Результаты", "Лиды")
    await begins(operator)
    first = await talks_into_a_lead(operator, "Ольга Ветрова", "ООО «Ромашка»", "два станка, счёт в понедельник")
    await is_told(board, leads, "1")
    await is_told(board, results, "1")
    await customer.goto(f"{url}/leads")
    await expect(customer.locator("#table tbody tr")).to_contain_text("Ольга Ветрова")
    await expect(customer.locator("#table [data-left]")).to_have_text(re.compile(r"\d"))
    await expect(customer.locator("#own [data-live=leads]")).to_have_text("1")
    await expect(customer.locator("#own [data-live=talking]")).to_have_text("1")
    await clerk.goto(f"{url}/leads/{first}")
    await expect(clerk.locator("blockquote")).to_have_text("два станка, счёт в понедельник")
    await asks(clerk, "in_work")
    await state_is(clerk, office, "in_work")
    await customer.goto(f"{url}/leads/{first}")
    await state_is(customer, office, "in_work")
    assert "Operator" not in await customer.locator("main").inner_text()
    await asks(customer, "accepted")
    await state_is(customer, office, "accepted")
    await clerk.goto(f"{url}/leads/{first}")
    await clerk.fill("[name=revenue]", "150000.50")
    async with clerk.expect_response("**/state"), clerk.expect_navigation():
        await clerk.locator("form:has([name=revenue]) button").first.click()
    await state_is(clerk, office, "client")
    await expect(clerk.locator(".attributes")).to_contain_text("150 000.50 RUB")
    await expect(clerk.locator("main a[href^='/attempts/']")).to_have_count(1)
    await in_list(customer, office, "client", 1)
    return first


async def is_replaced(office, url, clerk, customer, operator, first):
    """A rejected lead owes another, which the next new one is; one of a known company is none."""
    await customer.goto(f"{url}/leads")
    second = await talks_into_a_lead(operator, "Пётр Лис", "ЗАО «Лис»", "прислать прайс")
    await expect(customer.locator("#own [data-live=leads]")).to_have_text("2", timeout=PATIENCE_MS)
    await customer.goto(f"{url}/leads/{second}")
    await rejects(customer, "Уволился из компании")
    await state_is(customer, office, "rejected")
    await expect(customer.locator("main")).to_contain_text(office.says("leads.owes"))
    await in_list(customer, office, "owed", 1)
    await in_list(clerk, office, "owed", 1)
    await expect(clerk.locator(".tabs")).to_contain_text(office.says("leads.show.owed"))
    again = await talks_into_a_lead(operator, "Ольга В.", "Ромашка", "та же")
    await clerk.goto(f"{url}/leads/{again}")
    await expect(clerk.locator("main")).to_contain_text(office.says("leads.duplicate_of", id=first))
    await in_list(clerk, office, "owed", 1)
    third = await talks_into_a_lead(operator, "Инна Орлова", "ИП Орлова", "встреча в среду")
    await in_list(clerk, office, "owed", 0)
    await customer.goto(f"{url}/leads/{third}")
    await expect(customer.locator("main")).to_contain_text(office.says("leads.replaces", id=second))
    await customer.goto(f"{url}/leads/{second}")
    await expect(customer.locator("main")).to_contain_text(office.says("leads.replaced_by", id=third))


async def test_a_lead_goes_from_a_conversation_to_a_client_and_a_rejected_one_to_its_replacement(office):
    url = office.centre.service.url
    board = await office.comes("supervisor")
    clerk = await board.context.new_page()
    customer = await office.comes("customer", customer="Acme")
    operator = await office.comes("operator", team="one")
    first = await becomes_a_client(office, url, board, clerk, customer, operator)
    await is_replaced(office, url, clerk, customer, operator, first)
    await is_told(board, "Leads" if office.language == "en" else "Лиды", "4")
    assert office.centre.complaints == []
