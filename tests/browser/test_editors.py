"""What is set up in a real browser: a script, a list of dispositions, an offer, a second factor."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from dialer import passwords
from dialer.core import totp
from dialer.store.users import Actor
from tests.browser.conftest import violations
from tests.browser.look import look_at
from tests.browser.scene import ATTEMPT
from tests.test_offers import tone
from tests.web import fakes

pytestmark = [pytest.mark.postgres, pytest.mark.asyncio(loop_scope="session")]


async def campaign_of(scene, name):
    """A campaign of this test's own."""
    found = await scene.place.stores.campaigns.copy(scene.place.campaign.id, name, actor=Actor())
    return found.id


async def test_a_script_is_written_walked_through_and_saved_with_the_keyboard(opened, scene):
    """The right side is what operators will see; the check names what is missing until nothing is."""
    id_ = await campaign_of(scene, "with a script")
    async with opened(f"/campaigns/{id_}/script", "supervisor") as page:
        await page.get_by_role("button", name="+ Step").click()
        await page.keyboard.type("Hello {name}, have you two minutes?")
        await expect(page.locator("#step")).to_have_text("Hello Anna Petrova, have you two minutes?")
        await expect(page.locator("#findings")).to_contain_text("A dead end")
        for answer in ("yes", "no"):
            await page.get_by_role("button", name="Add an answer to “Step 1”").click()
            await page.keyboard.type(answer)
        await page.get_by_label("Where answer 1 of “Step 1” leads").select_option("+")
        await page.get_by_label("What is said in “Step 2”").fill("Here is what we offer.")
        await page.get_by_role("button", name="Add an answer to “Step 2”").click()
        await page.keyboard.type("thank you")
        await expect(page.locator("#findings")).to_contain_text("Nothing to mend")
        assert await violations(page) == []
        await page.get_by_role("radio", name="First talk").click()
        await page.locator("#answers").get_by_role("button", name="yes").click()
        await expect(page.locator("#step")).to_have_text("Here is what we offer.")
        await page.keyboard.press("Control+s")
        await expect(page.locator("#edited")).to_have_text("version 1")
        await expect(page.locator("#unsaved")).to_have_text("")
    saved = await scene.place.stores.scripts.read(id_)
    assert [[answer["to"] for answer in step["answers"]] for step in saved.body["steps"]] == [["s2", None], [None]]


async def test_what_somebody_else_saved_meanwhile_is_not_overwritten(opened, scene):
    id_ = await campaign_of(scene, "of two editors")
    async with opened(f"/campaigns/{id_}/script", "supervisor", refusals=True) as page:
        await scene.place.stores.scripts.write(id_, brief="theirs", body={}, actor=Actor())
        await page.locator("#brief-text").fill("mine")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".toast.bad")).to_contain_text("another version")
        page.on("dialog", lambda dialog: dialog.accept())
    assert (await scene.place.stores.scripts.read(id_)).brief == "theirs"


async def test_dispositions_are_renamed_moved_and_archived(opened, scene):
    id_ = await campaign_of(scene, "with a list")
    async with opened(f"/campaigns/{id_}/dispositions", "admin", refusals=True) as page:
        lead = page.locator("#kind-lead")
        await lead.locator("summary").click()
        await lead.get_by_label("Name in English").fill("Hot lead")
        async with page.expect_navigation():
            await lead.get_by_role("button", name="Save").click()
        await expect(page.locator(".kinds-seen li").first).to_contain_text("Hot lead")
        await page.get_by_role("button", name="Down: Hot lead").click()
        await expect(page.locator(".kinds-seen li").nth(1)).to_contain_text("Hot lead")
        await lead.locator("summary").click()
        await lead.get_by_label("a time to call back").check()
        await lead.get_by_role("button", name="Save").click()
        await expect(lead.locator(".field-error")).to_contain_text("promised to nobody")
        await page.reload()
        await lead.locator("summary").click()
        await lead.get_by_role("button", name="Archive").click()
        async with page.expect_navigation():
            await page.locator("#confirm-yes").click()
        await expect(page.locator("details", has_text="Archived: 1")).to_be_visible()
    found = await scene.place.stores.disposition_kinds.list(id_)
    assert [(one.kind.code, one.kind.archived) for one in found][1] == ("lead", True)


async def test_an_offer_is_uploaded_and_heard_in_the_page(opened, scene, tmp_path):
    recording = tmp_path / "take.wav"
    recording.write_bytes(tone())
    async with opened("/offers", "admin", refusals=True) as page:
        form = page.locator("#upload")
        (tmp_path / "note.wav").write_text("no sound")
        await form.get_by_label("Name").fill("Take one")
        await form.get_by_label("File").set_input_files(tmp_path / "note.wav")
        await form.get_by_role("button", name="Make the offer").click()
        await expect(form.locator(".error")).to_contain_text("no recording we know")
        await form.get_by_label("File").set_input_files(recording)
        async with page.expect_navigation():
            await form.get_by_role("button", name="Make the offer").click()
        seconds = await page.evaluate(
            """async () => {
                const audio = document.querySelector("audio");
                audio.preload = "auto";
                audio.load();
                await new Promise((go, no) => { audio.oncanplaythrough = go; audio.onerror = no; });
                return audio.duration;
            }"""
        )
        assert seconds == pytest.approx(2, abs=0.1)


async def test_a_second_factor_is_set_up_and_asked_for_at_the_next_login(opened, scene):
    await scene.place.stores.users.add(
        login="steerer",
        name="Steerer",
        role="supervisor",
        password_hash=await hashed(),
        team=None,
        language="en",
        actor=Actor(),
    )
    async with opened("/me", "steerer", refusals=True) as page:
        await page.get_by_label("Your password").fill(fakes.PASSWORD)
        await page.get_by_role("button", name="Set up").click()
        await page.locator("#factor-scan").wait_for()
        secret = parse_qs(urlsplit(await page.locator("#factor-link").get_attribute("href")).query)["secret"][0]
        assert await violations(page) == []
        await page.get_by_role("textbox", name="Code").fill(now(secret, -1))
        await page.get_by_role("button", name="Switch on").click()
        await expect(page.locator("#factor-codes li")).to_have_count(10)
        assert await violations(page) == []
    async with opened("/", refusals=True) as page:
        await page.get_by_label("Login").fill("steerer")
        await page.get_by_label("Password").fill(fakes.PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#error")).to_contain_text("One step more")
        await page.get_by_role("textbox", name="Code of your app").fill(now(secret, 0))
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/board")


async def test_a_test_call_is_told_as_it_happens(opened, scene):
    async with opened("/trunks", "admin", refusals=True) as page:
        form = page.locator("#test-call")
        await form.get_by_label("Your own phone").fill("112")
        await form.get_by_role("button", name="Call me").click()
        await expect(form.locator(".error")).to_contain_text("no number")
        await form.get_by_label("Your own phone").fill("+7 495 123-45-67")
        await form.get_by_role("button", name="Call me").click()
        await expect(page.locator("#trial")).to_contain_text("sent to the trunk world")
        scene.live.test_calls = {
            uid: replace(call, state="ended", ended_at=call.began_at, outcome="busy", cause=17, sip_code=486)
            for uid, call in scene.live.test_calls.items()
        }
        await expect(page.locator("#trial")).to_contain_text("busy (Q.850 17, SIP 486)")


def now(secret, steps):
    return totp.code(base64.b32decode(secret), totp.step_of(datetime.now(UTC)) + steps)


async def hashed():
    return await passwords.hash_password(fakes.PASSWORD)


async def test_the_keys_of_an_offer_are_edited_where_the_campaign_is(opened, scene):
    """Shown with the mode alone; a key that is refused says so at its field, and nothing is saved."""
    await scene.place.pools.web.execute(
        "INSERT INTO offer (word, name, audio) VALUES ('keys', 'Keys', decode(repeat('7f', 4000), 'hex'))"
    )
    made = await scene.place.add_campaign("Keys", mode="ivr", offer="keys", profile="us", purpose="survey")
    for language in ("en", "ru"):
        async with opened(f"/campaigns/{made.id}", "admin", language=language, refusals=True) as page:
            never, said = page.locator("[name='keys.9']"), page.locator("[name='keys.2']")
            await expect(never).to_have_value("refused_unheard")
            await expect(said).to_have_value("callback" if language == "en" else "thinking")
            assert await said.locator("option[value=refused_unheard]").count() == 0
            await never.scroll_into_view_if_needed()
            await look_at(page, f"campaign-keys-{language}", themes=("dark",))
            await never.select_option("")
            await page.locator("#settings button.primary").click()
            told = {"en": "asks for a key by which callees opt out", "ru": "требует клавишу отказа"}[language]
            await expect(page.locator("#wrong-keys-9")).to_contain_text(told)
            await expect(never).to_be_focused()
            assert (await scene.place.stores.campaigns.get(made.id)).keys["9"] == "refused_unheard"
            await never.select_option("refused_unheard")
            await said.select_option("thinking" if language == "en" else "callback")
            answer = page.locator("[name='keys.3']")
            if language == "en":
                await page.get_by_text("Answers at other keys").click()
                await answer.select_option("lead")
            else:
                await expect(answer).to_have_value("lead")
                await answer.select_option("")
            async with page.expect_navigation():
                await page.locator("#settings button.primary").click()
            keys = (await scene.place.stores.campaigns.get(made.id)).keys
            meant = "thinking" if language == "en" else "callback"
            answers = {"3": "lead"} if language == "en" else {}
            assert keys == {"1": "operator", "2": meant, "9": "refused_unheard", "*": "repeat"} | answers
            await page.locator("[name=mode]").select_option("progressive")
            await expect(never).to_be_hidden()


async def test_a_conversation_leads_to_the_script_it_showed_by_keys(opened, scene):
    """The answers of a step lead to the step behind them."""
    async with opened(f"/attempts/{ATTEMPT}", "supervisor", language="ru") as page:
        await page.get_by_role("link", name="скрипт, версия 1").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/script")
        await expect(page.locator("#step-hello")).to_contain_text("начало здесь")
        await expect(page.locator("#step-hello")).to_contain_text("Мария Семёнова, добрый день!")
        await page.locator("#step-hello .ways a").focus()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile("#step-offer"))
        await look_at(page, "shown-ru", themes=("light", "dark"))


async def test_baskets_are_made_by_hand_and_what_a_rule_would_move_is_said_first(opened, scene):
    """A condition, the rehearsal, saving without moving, then moving; the list of leads shows each basket."""
    id_ = scene.place.campaign.id
    async with opened(f"/campaigns/{id_}/baskets", "admin") as page:
        await page.get_by_role("button", name="Add a basket").click()
        card = page.locator(".basket").first
        await card.get_by_label("Name in English").fill("Hot")
        await card.get_by_label("Name in Russian").fill("Горячие")
        await card.get_by_label("Warmth").select_option("hot")
        await card.get_by_role("button", name="Add a condition").click()
        await card.get_by_label("With what").fill("две установки")
        await expect(page.locator("#would")).to_have_text("Leads that would move: 3")
        await look_at(page, "baskets-en")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".basket").first).to_contain_text("leads: 0")
        await page.locator(".basket").first.get_by_label("Product").fill("станки")
        await page.get_by_label("move them too").check()
        async with page.expect_navigation():
            await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".basket").first).to_contain_text("leads: 3")
        await page.get_by_role("link", name="leads: 3").first.click()
        await expect(page.locator("#table tbody tr")).to_have_count(3)
    async with opened(f"/campaigns/{id_}/baskets", "admin", language="ru") as page:
        await look_at(page, "baskets-ru", themes=("light", "dark"))
    async with opened(f"/leads?campaign_id={id_}", "admin", language="ru") as page:
        await look_at(page, "leads-baskets-ru", themes=("light", "dark"))
    lead_id = await scene.place.pools.web.fetchval("SELECT min(id) FROM lead WHERE basket = 'hot'")
    async with opened(f"/leads/{lead_id}", "supervisor") as page:
        await page.get_by_text("Move to another basket").first.click()
        await page.get_by_label("Why it is moved").fill("changed their mind")
        await look_at(page, "lead-basket-en", themes=("light", "dark"))
        async with page.expect_navigation():
            await page.get_by_role("button", name="Move to another basket").click()
        await expect(page.locator(".steps-of")).to_contain_text("Hot → Common: changed their mind")
