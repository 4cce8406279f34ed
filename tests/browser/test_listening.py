"""A supervisor hears a conversation from the board: asked first, told who notices, shown while it lasts and why it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import expect

from dialer.web import phone
from tests.browser.look import look_at
from tests.web import fakes

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

NAME = "Вероника Константинопольская"
WORDS = {
    "en": (
        "Listen",
        "sees that a supervisor listens",
        "You listen",
        "Whisper",
        "You whisper",
        "The conversation ended",
    ),
    "ru": (
        "Слушать",
        "увидит, что супервизор слушает",
        "Вы слушаете",
        "Подсказывать",
        "Вы подсказываете",
        "Разговор закончился",
    ),
}


@pytest_asyncio.fixture(loop_scope="session")
async def talker(scene, monkeypatch):
    """An operator of the database who talks now; phones are on the desk."""

    async def account_of(*_):
        return "seat-009"

    monkeypatch.setattr(phone, "account_of", account_of)
    found = (await scene.place.stores.users.by_login("op003")).user
    view = fakes.operator(found.id, name=NAME, state="talking", attempt_id=uuid4(), campaign_id=scene.place.campaign.id)
    await scene.live.put(view)
    yield view
    del scene.live.operators[found.id]
    scene.live.listened.clear()
    await scene.live.tell()


async def says(scene, **changes):
    """What the switch says of the supervisor's phone."""
    [(user_id, one)] = scene.live.listened.items()
    scene.live.listened[user_id] = replace(one, **changes)
    await scene.live.tell()


@pytest.mark.parametrize("language", WORDS)
async def test_a_supervisor_listens_whispers_and_is_told_that_the_conversation_ended(opened, scene, talker, language):
    """By the row's buttons; every state of it is fit for everybody at every size."""
    listen, sees, listens, whisper, whispers, over = WORDS[language]
    async with opened("/board", "supervisor", language=language) as page:
        tile = page.locator(".operator", has_text=NAME)
        await tile.locator(".dots").click()
        await page.locator("#row").get_by_role("button", name=listen).click()
        dialog, bar = page.locator("#hear"), page.locator("#hearing")
        await expect(dialog.locator("#hear-sees")).to_contain_text(sees)
        await dialog.locator("[value=desk]").check()
        await look_at(page, f"hear-ask-{language}")
        await dialog.locator("#hear-yes").click()
        await expect(bar).to_have_attribute("data-state", "calling")
        assert scene.commands.asked[-1][:3] == ("begin_listening", talker.operator_id, "listen")
        await says(scene, mode="listen")
        await expect(bar.locator("#hearing-word")).to_contain_text(listens)
        await expect(tile.locator(".heard")).to_contain_text("Supervisor")
        await look_at(page, f"hear-on-{language}")
        await bar.get_by_role("button", name=whisper).click()
        await expect(bar.locator("#hearing-word")).to_contain_text(whispers)
        await expect(bar.get_by_role("button", name=whisper)).to_have_attribute("aria-pressed", "true")
        await says(scene, ended_at=datetime.now(UTC), how="conversation")
        await expect(bar.locator("#hearing-word")).to_contain_text(over)
        await expect(tile.locator(".heard")).to_be_empty()
        await look_at(page, f"hear-over-{language}")
        rows = await scene.place.pools.web.fetch("SELECT mode, switch FROM listening")
        assert {tuple(row) for row in rows} == {("listen", "main")}


async def test_who_does_not_talk_has_no_such_buttons(opened, scene, talker):
    """What cannot be done is not there."""
    await scene.live.put(replace(talker, state="wrap_up"))
    async with opened("/board", "supervisor") as page:
        await page.locator(".operator", has_text=NAME).locator(".dots").click()
        await page.locator("#row").get_by_role("button", name="Pause").wait_for()
        await expect(page.locator("#row-hear")).to_be_hidden()


async def test_nobody_sees_a_listener_where_the_campaign_says_so_and_the_question_says_it(opened, scene, talker):
    before = list(scene.live.campaigns)
    scene.live.campaigns[:] = [replace(one, listening_shown=False) for one in before]
    try:
        async with opened("/board", "supervisor") as page:
            await page.locator(".operator", has_text=NAME).locator(".dots").click()
            await page.locator("#row").get_by_role("button", name="Listen").click()
            await expect(page.locator("#hear-sees")).to_contain_text("Nobody sees or hears you")
    finally:
        scene.live.campaigns[:] = before


async def test_the_operators_page_says_quietly_that_a_supervisor_is_there(opened, scene):
    me = (await scene.place.stores.users.by_login("operator")).user.id
    before = scene.live.operators.get(me)
    view = before or fakes.operator(me, state="paused")
    try:
        async with opened("/operator", "operator", refusals=True) as page:
            for mode, said in (("listen", "listens"), ("whisper", "does not hear it"), ("join", "hears it too")):
                await scene.live.put(replace(view, listened=mode))
                await expect(page.locator("#listened")).to_contain_text(said)
            await scene.live.put(replace(view, listened=None))
            await expect(page.locator("#listened")).to_be_hidden()
    finally:
        if before is None:
            del scene.live.operators[me]
        await scene.live.tell()
