"""The operator's page in every state: readable, reachable, honest, in every theme, language and size."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import picture
from tests.browser.look import look_at
from tests.browser.talk.sample import BODY, BRIEF
from tests.store.places import SYSTEM
from tests.web import fakes

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

NOBODY = {"campaign_id": None, "attempt_id": None}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def operator(scene):
    """Puts the operator into a state; in a conversation the callee's card has a script."""
    place = scene.place
    user = (await place.stores.users.by_login("operator")).user
    before = place.now - timedelta(hours=1)  # a conversation shows the version in force when it began
    await place.stores.scripts.write(place.campaign.id, brief=BRIEF, body=BODY, actor=SYSTEM, now=before)
    lease = await place.store.take_lease("main", wait=True)  # the scene's own may be over by now
    [attempt] = await place.dial(lease=lease)
    await place.talk(attempt, user.id)
    attributes = {"Company": "Рога и копыта", "City": "Новосибирск", "Manager": "Ольга"}
    await place.pools.web.execute(
        "UPDATE contact SET name = 'Константин Константинопольский', attributes = $1 WHERE id = $2",
        attributes,
        attempt.contact_id,
    )
    talk = {"campaign_id": place.campaign.id, "attempt_id": attempt.id}

    async def put(state, **values):
        about = talk if state in {"preview", "talking", "wrap_up"} else NOBODY
        now = datetime.now(UTC)
        await scene.live.put(fakes.operator(user.id, state=state, since=now, **about, **values))

    yield put
    scene.live.operators.pop(user.id, None)
    await scene.live.tell()
    await place.pools.web.execute("DELETE FROM attempt_live WHERE attempt_id = $1", attempt.id)


def in_s(seconds):
    return datetime.now(UTC) + timedelta(seconds=seconds)


STATES = {
    "ready": dict,
    "ringing": dict,
    "paused": lambda: {"reason": "lunch"},
    "preview": lambda: {"until": in_s(90)},
    "calling": lambda: {"calls": True},
    "talking": dict,
    "held": lambda: {"held_until": in_s(18)},
    "wrap_up": lambda: {"until": in_s(90)},
}


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("state", STATES)
async def test_every_state_is_fit_for_everybody(opened, operator, state, language):
    """WCAG 2.2 AA by axe, and nothing cut at any size, with every part of the page open."""
    shown = {"held": "talking", "calling": "preview"}.get(state, state)
    await operator(shown, **STATES[state]())
    async with opened("/operator", "operator", language=language) as page:
        await page.locator(f"#state.state-{shown}").wait_for()
        if state in {"talking", "wrap_up"}:
            await page.locator("#card #name").wait_for()
            await page.click("[data-code=callback]")
            await page.click("[data-chip=tomorrow]")
            await page.locator("#promise:not(:empty)").wait_for()
            await page.click("#brief-field summary")
        if state == "preview":
            await page.locator("#card #name").wait_for()
            await page.click("#skip-open")
        if await page.locator("#pause-open").is_visible():
            await page.click("#pause-open")
        await page.mouse.move(0, 0)
        await look_at(page, f"operator-{state}-{language}")


_COVERED = """[...document.querySelectorAll("#dispositions button, #chips button, #save, [name=due], [name=note]")]
    .filter((one) => {
        const box = one.getBoundingClientRect();
        const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return !(there && (one === there || one.contains(there)));
    })
    .map((one) => one.innerText || one.name)"""


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("scripted", [True, False])
async def test_a_callback_covers_no_disposition_on_an_old_screen(opened, operator, scene, language, scripted):
    """At 1024 x 600 the form of the promise and the dispositions are there at once, and each stays in its place."""
    await operator("wrap_up", until=in_s(90))
    async with opened("/operator", "operator", size="old", language=language) as page:
        await page.locator("#card #name").wait_for()
        if not scripted:
            await page.evaluate("document.querySelector('#script').hidden = true")
            await page.evaluate("document.querySelector('#work').classList.remove('scripted')")
        places = "[...document.querySelectorAll('#dispositions button')].map(one => [one.offsetLeft, one.offsetTop])"
        before = await page.evaluate(places)
        await page.click("[data-code=callback]")
        await page.click("[data-chip=tomorrow]")
        await page.locator("#promise:not(:empty)").wait_for()
        await picture(page, f"operator-promise-{language}-{scripted}")
        assert await page.evaluate(_COVERED) == []
        assert await page.evaluate(places) == before


async def test_digits_choose_and_backspace_takes_back_and_letters_in_a_note_are_letters(opened, operator):
    await operator("talking")
    async with opened("/operator", "operator") as page:
        await page.locator("#card #name").wait_for()
        await page.keyboard.press("4")
        chosen = page.locator("[role=radio][aria-checked=true]")
        await expect(chosen).to_have_attribute("data-code", "thinking")
        await page.keyboard.press("Backspace")
        await expect(chosen).to_have_count(0)
        await page.keyboard.press("n")
        await page.keyboard.type("4 boxes, g r")
        await expect(page.locator("[name=note]")).to_have_value("4 boxes, g r")
        await expect(chosen).to_have_count(0)
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await expect(page.locator("#help-text")).to_be_visible()


async def test_a_contact_is_looked_at_called_or_skipped_by_keys_alone(opened, operator, scene):
    """Nothing of the closing form is there before anybody talked; one card from the first look to the talk."""
    asked, user = scene.commands.asked, (await scene.place.stores.users.by_login("operator")).user.id
    await operator("preview", until=in_s(90))
    async with opened("/operator", "operator") as page:
        await expect(page.locator("#card #name")).to_have_text("Константин Константинопольский")
        await expect(page.locator("#closing")).to_be_hidden()
        await expect(page.locator("#hangup")).to_be_hidden()
        await page.keyboard.press("4")
        await page.keyboard.press("s")
        await page.keyboard.press("Escape")
        await expect(page.locator("#skips")).to_be_hidden()
        await page.keyboard.press("s")
        await page.keyboard.press("2")
        await page.locator("#state.state-ready").wait_for()
        assert asked[-2:] == [("skip_preview", user, "talked_lately"), ("ready", user)]
        await operator("preview", until=in_s(90))
        await page.locator("#state.state-preview").wait_for()
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("Enter")
        await expect(page.locator("#hangup")).to_be_visible()
        assert asked[-1] == ("preview", user)
        await expect(page.locator("#call-now")).to_be_hidden()
        await operator("talking")
        await expect(page.locator("#closing")).to_be_visible()
        await expect(page.locator("#looking")).to_be_hidden()


async def test_how_a_call_that_was_asked_for_ended_is_said(opened, operator):
    await operator("preview", calls=True)
    async with opened("/operator", "operator", language="ru") as page:
        await page.locator("#state.state-preview").wait_for()
        await operator("ready", missed="busy")
        await expect(page.locator("#toasts")).to_contain_text("Разговора нет: занято")


async def test_what_is_typed_outlives_a_service_that_does_not_know_yet_who_is_at_work(opened, operator, scene):
    """A picture without the conversation, as of a service that has just started, takes nothing off the page."""
    await operator("wrap_up", until=in_s(90))
    async with opened("/operator", "operator") as page:
        await page.locator("#card #name").wait_for()
        user = (await scene.place.stores.users.by_login("operator")).user
        await page.route("**/draft", lambda route: route.abort())
        await page.locator("[name=note]").fill("in the dark")
        before = scene.live.operators.pop(user.id)
        await scene.live.tell()
        await page.locator("#state.state-offline").wait_for()
        await scene.live.put(before)
        await page.locator("#state.state-wrap_up").wait_for()
        await expect(page.locator("[name=note]")).to_have_value("in the dark")


async def test_a_draft_that_is_late_takes_nothing_back_from_a_saved_disposition(opened, operator):
    """A draft that came after the save is refused; nobody is told that something was not kept."""
    await operator("wrap_up", until=in_s(90))
    late, saved = asyncio.Event(), {"disposition": {"code": "thinking"}}

    async def refuse(route):
        await late.wait()
        await route.fulfill(status=409, json={"error": {"code": "draft.saved", "message": "It is saved."}})

    async with opened("/operator", "operator", refusals=True) as page:
        await page.locator("#card #name").wait_for()
        await page.route("**/draft", refuse)
        await page.route("**/disposition", lambda route: route.fulfill(json=saved))
        async with page.expect_request("**/draft"):
            await page.keyboard.press("4")
        await page.keyboard.press("Enter")
        await expect(page.locator("#saved")).to_contain_text("✓")
        async with page.expect_response("**/draft"):
            late.set()
        await page.evaluate("new Promise((go) => setTimeout(go))")
        await expect(page.locator("#drafted")).to_be_empty()


async def test_a_logout_leads_to_the_login_without_a_refused_request(opened, operator, scene):
    """The session is kept per user by the tests: it is made anew by the next that needs it."""
    await operator("paused", reason="lunch")
    async with opened("/operator", "operator") as page:
        await page.locator("#state.state-paused").wait_for()
        await page.click("#logout")
        await page.locator("[name=login]").wait_for()
    scene.sessions.clear()
