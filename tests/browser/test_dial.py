"""The place to dial a number: by keys alone, seen before it is called, and every no with its reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.look import look_at
from tests.store.places import SYSTEM
from tests.web import fakes

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

KNOWN, FORBIDDEN, NEW = "+7 903 555-00-07", "+7 (916) 000-00-05", "+7 495 123-45-67"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operator(scene):
    """An operator whose team dials by hand."""
    place = scene.place
    user = (await place.stores.users.by_login("operator")).user
    await place.stores.campaigns.change(place.campaign.id, {"manual": True}, actor=SYSTEM)
    await place.pools.web.execute(
        "UPDATE contact SET name = 'Константин Константинопольский' FROM phone p"
        " WHERE p.id = phone_id AND p.e164 = '+79035550007'"
    )

    async def put(state, **values):
        await scene.live.put(fakes.operator(user.id, state=state, since=datetime.now(UTC), **values))

    put.id = user.id
    yield put
    scene.live.operators.pop(user.id, None)
    await scene.live.tell()
    await place.stores.campaigns.change(place.campaign.id, {"manual": False}, actor=SYSTEM)


async def test_a_number_is_dialled_by_keys_alone(opened, operator, scene):
    await operator("ready")
    async with opened("/operator", "operator") as page:
        await expect(page.locator("#dial-open")).to_be_visible()
        await page.keyboard.press("d")
        await expect(page.locator("#dial-form [name=number]")).to_be_focused()
        assert scene.commands.asked[-1] == ("paused", operator.id)
        await page.keyboard.type(KNOWN)
        await expect(page.locator("#dial-found")).to_contain_text("Константин")
        await expect(page.locator("#dial-found")).to_contain_text("+79035550007")
        await expect(page.locator("#dial-local")).to_contain_text("Moscow")
        await expect(page.locator("#dial-call")).to_be_visible()
        await page.keyboard.press("Enter")
        await page.locator("#state.state-preview").wait_for()
        [(_, who, what)] = [asked for asked in scene.commands.asked if asked[0] == "dial"]
        assert (who, what["e164"]) == (operator.id, "+79035550007")
        await operator("paused", reason="dial", dials=True, missed="busy")
        await expect(page.locator("#toasts")).to_contain_text("busy")
        await expect(page.locator("#dial-form [name=number]")).to_have_value(KNOWN)
        await page.keyboard.press("Escape")
        await page.locator("#state.state-ready").wait_for()
        await expect(page.locator("#dial")).to_be_hidden()


async def test_what_the_rules_forbid_has_a_reason_and_no_button(opened, operator):
    await operator("paused", reason="dial", dials=True)
    async with opened("/operator", "operator", language="ru") as page:
        await page.fill("#dial-form [name=number]", FORBIDDEN)
        await expect(page.locator("#dial-found .bad")).to_have_count(1)
        await expect(page.locator("#dial-call")).to_be_hidden()
        await look_at(page, "operator-dial-forbidden", themes=("light",))


async def test_nonsense_is_said_at_the_field(opened, operator):
    await operator("paused", reason="dial", dials=True)
    async with opened("/operator", "operator", refusals=True) as page:
        await page.fill("#dial-form [name=number]", "12345")
        await expect(page.locator("#dial-error")).to_contain_text("no telephone number")
        await expect(page.locator("#dial-form [name=number]")).to_have_attribute("aria-invalid", "true")
        await expect(page.locator("#dial-call")).to_be_hidden()


async def test_an_unknown_number_is_said_to_become_a_contact(opened, operator):
    await operator("paused", reason="lunch")
    async with opened("/operator", "operator") as page:
        await expect(page.locator("#dial-open")).to_be_visible()
        await page.keyboard.press("d")
        await page.keyboard.type(NEW)
        await expect(page.locator("#dial-found")).to_contain_text("new number", ignore_case=True)
        await look_at(page, "operator-dial")
        await page.keyboard.press("Escape")
        await expect(page.locator("#dial")).to_be_hidden()
        await expect(page.locator("#state-word")).to_contain_text("Pause")


async def test_while_somebody_may_still_be_put_through_the_place_waits(opened, operator):
    await operator("ready", dials=True)
    async with opened("/operator", "operator", language="ru") as page:
        await expect(page.locator("#dial-wait")).to_be_visible()
        await page.fill("#dial-form [name=number]", KNOWN)
        await expect(page.locator("#dial-found")).to_contain_text("Константин")
        await expect(page.locator("#dial-call")).to_be_hidden()
        await operator("paused", reason="dial", dials=True)
        await expect(page.locator("#dial-call")).to_be_visible()


async def test_where_no_campaign_allows_it_there_is_no_such_place(opened, operator, scene):
    place = scene.place
    await place.stores.campaigns.change(place.campaign.id, {"manual": False}, actor=SYSTEM)
    try:
        await operator("ready")
        async with opened("/operator", "operator") as page:
            await page.locator("#state.state-ready").wait_for()
            await page.keyboard.press("d")
            await expect(page.locator("#dial-open")).to_be_hidden()
            await expect(page.locator("#dial")).to_be_hidden()
    finally:
        await place.stores.campaigns.change(place.campaign.id, {"manual": True}, actor=SYSTEM)
