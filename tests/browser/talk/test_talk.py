"""A real Chromium, a real Asterisk: an operator hears people, works by keys alone, and loses nothing when things break."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest
from playwright.async_api import expect

from dialer.core.model import CampaignState
from tests.browser.conftest import slowness
from tests.browser.talk.conftest import started_chromium
from tests.browser.talk.person import PATIENCE_S
from tests.real.office import NOBODY, until

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]

#: A page is as it was within this, after a reload, a crash, or at another computer.
BACK_S_MAX = 2.0
#: Whose page is gone is out of the pool within this; Chromium's processes need a while to die on a shared machine.
GONE_S_MAX = 2.0
SAID = {
    "en": {"talking": "Talking", "wrap_up": "Wrap-up", "promise": "May be promised"},
    "ru": {"talking": "Разговор", "wrap_up": "Оформление", "promise": "Можно обещать"},
}
NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("gone", "NotFoundError"));
"""


async def kill(browser):
    """It dies, with all its windows and without a word."""
    inspector = await browser.new_browser_cdp_session()
    told = await inspector.send("SystemInfo.getProcessInfo")
    [pid] = [one["id"] for one in told["processInfo"] if one["type"] == "browser"]
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_an_operator_hears_the_callee_sees_the_card_types_promises_and_is_ready_again(team, language):
    """By keys alone: from the login to the next "ready", in both languages."""
    await team.opens(wrap_up_s=300)
    words, anna = SAID[language], await team.sits_down("anna", language)
    await anna.talk()
    await anna.sees("#state-word", words["talking"])
    await anna.hears()
    shown = (await anna.page.inner_text("#number")).replace(" ", "").replace("-", "")
    assert team.office.calls()[-1].number == shown.lstrip("+")
    await anna.sees("#name", "Ada Long")
    await anna.sees("#step", "Good day, Ada Long! This is Anna from Paper & Sons. Who orders the paper at Long Ltd?")
    await anna.press("a")
    await anna.sees("#step", "Which day next week suits you?")

    for key, button in (("h", "#hold"), ("m", "#mute")):
        for pressed in ("true", "false"):
            await anna.press(key)
            await expect(anna.page.locator(button)).to_have_attribute("aria-pressed", pressed)
    await anna.hears()

    await anna.press("n")
    await anna.writes("wants two boxes")
    await anna.press("Escape", "3")
    await anna.tab_to("[data-chip=tomorrow]")
    await anna.press("Enter")
    await anna.sees("#promise", words["promise"])
    await anna.press("Control+Enter")
    await anna.is_in("wrap_up")
    await anna.sees("#state-word", words["wrap_up"])
    await anna.press("+")
    await anna.sees("#more-time", "1")
    await anna.tab_to("#save")
    await anna.press("Enter")
    await anna.is_in("ready", "talking")
    assert await team.saved() == [("callback", "wants two boxes")]
    promises = "SELECT count(*) FROM callback WHERE campaign_id = $1 AND state = 'pending' AND due_at > now() + interval '20 h'"
    assert await team.office.pools.web.fetchval(promises, team.campaign_id) == 1
    used = "SELECT count(*) FROM wrap_up_extension x JOIN app_user u ON u.id = x.operator_id WHERE u.login = $1"
    assert await team.office.pools.web.fetchval(used, anna.login) == 1
    assert anna.complaints == []


async def test_a_browser_killed_while_talking_loses_nothing(team):
    """Another computer shows the same card, choice and note within two seconds, and the callee is heard there."""
    await team.opens(wrap_up_s=300)
    async with started_chromium() as doomed:
        berta = await team.sits_down("berta", browser=doomed)
        await berta.talk()
        await berta.press("4", "n")
        await berta.writes("half a sentence")
        await team.keeps("half a sentence")
        await kill(doomed)
        team.people.remove(berta)
    again = await team.logs_in(berta.login, berta.password)
    began = time.monotonic()
    await again.sees("#name", "Ada Long")
    await expect(again.page.locator("[name=note]")).to_have_value("half a sentence")
    await expect(again.page.locator("[data-code=thinking]")).to_have_attribute("aria-checked", "true")
    assert time.monotonic() - began < BACK_S_MAX * await slowness(again.page)
    await again.is_in("talking")
    await again.sees("#phone-word", "On the line")
    await again.hears()
    await again.press("Control+Enter")
    await again.is_in("wrap_up")
    await again.press("Enter")
    await again.is_in("ready", "talking")
    assert await team.saved() == [("thinking", "half a sentence")]
    [first, *_] = await team.ended()
    assert (first["outcome"], first["ended_by"]) == ("connected", "operator")


async def test_nobody_is_put_through_to_a_browser_that_died_while_its_operator_was_ready(team):
    """Its line tells at once, where its voice would be missed after nine seconds."""
    await team.opens()
    await team.office.stores.campaigns.set_state(team.campaign_id, CampaignState.PAUSED, actor=NOBODY)
    async with started_chromium() as doomed:
        ivan = await team.sits_down("ivan", browser=doomed)
        slow = await slowness(ivan.page)
        await ivan.begin()
        await ivan.is_in("ready")
        began = time.monotonic()
        await kill(doomed)
        team.people.remove(ivan)
    asked = "SELECT o.state FROM operator_live o JOIN app_user u ON u.id = o.operator_id WHERE u.login = $1"

    async def gone():
        return await team.office.pools.web.fetchval(asked, ivan.login) != "ready"

    await until(gone, PATIENCE_S, "out of the pool")
    assert time.monotonic() - began < GONE_S_MAX * max(2, slow)


async def test_a_service_restarted_in_the_wrap_up_loses_nothing(team):
    """What is typed and saved meanwhile is said to be not saved, and is saved by itself when the service is back."""
    await team.opens(wrap_up_s=300)
    clara = await team.sits_down("clara")
    await clara.talk()
    await clara.press("Control+Enter")
    await clara.is_in("wrap_up")
    await team.office.service.kill()
    await clara.page.locator("#lost").wait_for()
    await clara.press("4", "n")
    await clara.writes("typed in the dark")
    await clara.press("Control+Enter")
    await clara.sees("#saved", "NOT saved")
    await clara.page.locator("body.stale").wait_for()
    await team.office.start()
    await clara.page.locator("#lost").wait_for(state="hidden")
    await clara.is_in("ready", "talking", "ringing")
    assert await team.saved() == [("thinking", "typed in the dark")]


async def test_one_of_two_pages_has_the_line_and_the_other_says_so(team):
    """The second page takes it when asked; when it is closed the first has it again by itself."""
    await team.opens()
    doris = await team.sits_down("doris")
    await doris.sees("#phone-word", "Phone ready")
    second = await doris.page.context.new_page()
    await second.goto(f"{team.office.service.url}/operator")
    await expect(second.locator("#phone-word")).to_contain_text("Another page of yours has the line")
    await expect(second.locator("#start")).to_be_disabled()
    await second.locator("#phone-word button").click()
    await expect(second.locator("#phone-word")).to_contain_text("Phone ready")
    await doris.sees("#phone-word", "Another page of yours has the line")
    await second.close()
    await doris.sees("#phone-word", "Phone ready")
    assert doris.complaints == []


async def test_nobody_is_ready_without_a_microphone_or_a_registration_and_the_page_says_which(team):
    await team.opens()
    deaf = await team.sits_down("deaf", script=NO_MICROPHONE)
    await deaf.sees("#phone-word", "There is no microphone")
    await expect(deaf.page.locator("#start")).to_be_disabled()
    await deaf.sees("#hint", "There is no microphone")
    emma = await team.sits_down("emma")
    await emma.sees("#phone-word", "Phone ready")
    await emma.page.route_web_socket("**/sip?*", lambda line: line.close())
    await emma.page.reload()
    await emma.sees("#phone-word", "The phone is not registered")
    await expect(emma.page.locator("#start")).to_be_disabled()


async def test_a_page_loaded_again_in_a_talk_has_the_callee_back(team):
    """Who is reloaded finds card, draft and callee; meanwhile the callee hears music, and afterwards it is one talk."""
    await team.opens(wrap_up_s=300)
    fanny = await team.sits_down("fanny")
    await fanny.talk()
    await fanny.hears()
    await fanny.press("n")
    await fanny.writes("before")
    await team.keeps("before")
    for _ in range(2):
        await fanny.page.reload()
        await fanny.sees("#name", "Ada Long")
        await expect(fanny.page.locator("[name=note]")).to_have_value("before")
        await fanny.is_in("talking")
        await fanny.sees("#phone-word", "On the line")
        await fanny.hears()
        await expect(fanny.page.locator("#held")).to_be_hidden()
    await fanny.press("4", "Control+Enter")
    await fanny.is_in("wrap_up")
    await fanny.press("Enter")
    await fanny.is_in("ready", "talking")
    [first, *_] = await team.ended()
    assert (first["outcome"], first["ended_by"]) == ("connected", "operator")
    assert await team.saved() == [("thinking", "before")]
    assert fanny.complaints == []


async def test_an_own_promise_is_called_sooner_if_the_rules_allow_it(team):
    """By keys; the number rests for some seconds, and the refusal says until when."""
    await team.opens(numbers=1, wrap_up_s=300)
    hanna = await team.sits_down("hanna")
    await hanna.talk()
    await hanna.press("3")
    await hanna.tab_to("[data-chip=tomorrow]")
    await hanna.press("Enter")
    await hanna.page.locator("#promise.good").wait_for()
    await hanna.page.check("[name=mine]")
    await hanna.press("Control+Enter")
    await hanna.is_in("wrap_up")
    await hanna.press("Control+Enter")
    await hanna.is_in("ready")
    await hanna.tab_to("#callbacks button")
    await hanna.press("Enter")
    await hanna.sees("#toasts", "Possible again from")
    async with asyncio.timeout(PATIENCE_S):
        while await hanna.page.locator("#toasts .good").count() == 0:
            await hanna.page.wait_for_timeout(1000)
            await hanna.press("Enter")
    await hanna.is_in("talking")
    await hanna.hears()
    await hanna.sees("#about", "Callback")


async def test_an_operator_looks_first_skips_one_and_talks_to_the_next(team):
    """Nobody is called before the key; whoever is called is heard, on the card that was looked at; the skipped one never."""
    await team.opens(mode="preview", preview_s=600, wrap_up_s=300)
    greta = await team.sits_down("greta")
    await greta.begin()
    await greta.is_in("preview")
    await greta.sees("#name", "Ada Long")
    skipped = await greta.page.inner_text("#number")
    assert await team.attempts() == []
    await greta.press("s", "1")
    await expect(greta.page.locator("#number")).not_to_have_text(skipped)
    chosen = (await greta.page.inner_text("#number")).replace(" ", "").replace("-", "")
    await greta.page.evaluate("document.activeElement.blur()")
    await greta.press("Enter")
    await greta.is_in("talking")
    await greta.hears()
    assert team.office.calls()[-1].number == chosen.lstrip("+")
    await greta.press("n")
    await greta.writes("knew whom I called")
    await greta.press("Escape", "4", "Control+Enter")
    await greta.is_in("wrap_up")
    await greta.press("Control+Enter")
    await greta.is_in("ready", "preview")
    assert await team.saved() == [("thinking", "knew whom I called")]
    [attempt] = await team.ended()
    assert (attempt["asked"], attempt["outcome"], attempt["legal_abandoned"]) == (True, "connected", False)
    assert greta.complaints == []


async def test_an_operator_types_a_number_and_talks_to_whoever_answers(team):
    """In a pause, by keys alone; whoever was in no base is a contact of the campaign from then on, and called by nobody else."""
    await team.opens(manual=True, wrap_up_s=300)
    await team.is_dialled()
    called = team.stranger()
    ida = await team.sits_down("ida")
    await ida.page.locator("#start:enabled").wait_for()
    await ida.tab_to("#start")
    await ida.press("Enter")
    await ida.is_in("paused")
    await ida.sees("#phone-word", "On the line")
    await ida.press("d")
    await ida.writes(f"{called[:2]} ({called[2:5]}) {called[5:8]} {called[8:]}")
    await ida.page.locator("#dial-call").wait_for()
    await ida.sees("#dial-found .number", called)
    assert await team.attempts() == []
    await ida.press("Enter")
    await ida.is_in("talking")
    await ida.hears()
    assert team.office.calls()[-1].number == called.lstrip("+")
    await ida.press("4", "n")
    await ida.writes("met at the fair")
    await ida.press("Escape", "Control+Enter")
    await ida.is_in("wrap_up")
    await ida.press("Control+Enter")
    await ida.is_in("paused")
    assert await team.saved() == [("thinking", "met at the fair")]
    [attempt] = await team.ended()
    assert (attempt["manual"], attempt["outcome"], attempt["legal_abandoned"]) == (True, "connected", False)
    assert ida.complaints == []
