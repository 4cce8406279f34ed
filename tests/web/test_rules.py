"""The rules over the API: profiles with sources, consent, loosening by two, a number's history, passes of a base."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from dialer.core.model import Outcome
from tests.web.conftest import CSRF, error_of
from tests.web.test_with_postgres import office

__all__ = ["office"]


pytestmark = pytest.mark.postgres

PHONE = "+12025550101"


async def test_every_figure_of_a_profile_is_shown_with_its_source(office):
    admin = await office.login("admin")
    shown = {one["id"]: one for one in (await office.get(admin, "/api/v1/profiles"))["profiles"]}
    assert {"ru", "us", "uk", "fr", "de", "ca", "au", "strict"} <= set(shown)
    [limit] = [figure for figure in shown["fr"]["figures"] if figure["name"] == "per_30_days"]
    assert limit["value"] == 4
    assert limit["sources"][0]["known"] == "read"
    assert limit["sources"][0]["checked_on"] == "2026-11-21"


async def test_a_number_is_agreed_to_withdrawn_read_and_called_again_by_a_pass(office):
    admin = await office.login("admin")
    [contact] = await office.place.add_contacts(PHONE)
    agreed = {
        "phone": PHONE,
        "customer_id": office.place.campaign.customer_id,
        "purpose": "marketing",
        "wording": "v1",
        "channel": "web",
        "given_at": (office.place.now - timedelta(days=1)).isoformat(),
        "evidence_hash": "00" * 32,
    }
    await office.post(admin, "/api/v1/consents", 201, **agreed)
    about = {"phone": PHONE, "customer_id": office.place.campaign.customer_id}
    await office.post(admin, "/api/v1/consents/withdraw", **about)
    assert ("do_not_call_added", (1,)) in office.commands.asked
    why = await office.get(admin, f"/api/v1/contacts/{contact}/why")
    assert [one["reason"] for one in why["reasons"]] == ["no_consent"]
    found = await office.post(admin, "/api/v1/phones/read", phone=PHONE)
    assert found["consents"][0]["withdrawn_at"]
    assert found["contacts"][0]["phones"] == [PHONE]
    refused = await admin.post("/api/v1/phones/erase", json={"phone": PHONE}, headers=CSRF)
    assert error_of(await refused.json()).code == "phone.no_key"
    [base] = await office.place.stores.bases.of_campaign(office.place.campaign.id)
    await office.post(admin, f"/api/v1/bases/{base.id}/priority", priority=7)
    begun = await office.post(admin, f"/api/v1/bases/{base.id}/passes", 201, outcomes=["busy"])
    assert [one["number"] for one in begun["passes"]] == [1, 2]
    base_why = await office.get(admin, f"/api/v1/bases/{base.id}/why")
    assert (base_why["total"], base_why["counts"]) == (1, {"no_consent": 1})


async def test_rules_are_tightened_by_one_and_loosened_by_two(office):
    admin = await office.login("admin")
    path = f"/api/v1/campaigns/{office.place.campaign.id}"
    changed = await admin.patch(path, json={"override": {"national_lists": ["us-dnc"]}}, headers=CSRF)
    assert changed.status == 200, await changed.text()
    [need] = (await office.get(admin, f"{path}/national-lists"))["lists"]
    assert need == {"name": "us-dnc", "imported_at": None, "too_old_at": None, "age": "missing"}
    looser = await admin.patch(path, json={"override": {"per_day": 5000}}, headers=CSRF)
    assert error_of(await looser.json()).code == "campaign.loosens"
    ask = {"changes": {"min_gap_s": 1}, "reason": "Our own test numbers"}
    asked = await office.post(admin, f"{path}/loosenings", 201, **ask)
    approve = f"/api/v1/loosenings/{asked['loosenings'][0]['id']}/approve"
    refused = await admin.post(approve, headers=CSRF)
    assert error_of(await refused.json()).code == "loosening.second_admin"


async def test_a_retry_rule_is_shown_and_tightened_by_one_admin(office):
    admin = await office.login("admin")
    path = f"/api/v1/campaigns/{office.place.campaign.id}/retry-rules"
    shown = {one["code"]: one for one in (await office.get(admin, path))["rules"]}
    assert set(shown) == {"callback", "email_decision_maker", "email_cold", "refused_gatekeeper", "machine"}
    assert (shown["machine"]["own"], shown["email_cold"]["rule"]["delay_s"]) == (False, 7 * 86_400)
    changed = await admin.patch(path, json={"code": "email_cold", "delay_s": 8 * 86_400}, headers=CSRF)
    assert changed.status == 200, await changed.text()
    assert (await changed.json())["planned_anew"] == 0
    assert office.commands.asked == [("campaigns_changed",)]
    looser = await admin.patch(path, json={"code": "email_cold", "delay_s": 60}, headers=CSRF)
    assert error_of(await looser.json()).code == "campaign.loosens"


async def test_the_page_says_what_the_campaign_does_after_an_outcome_and_an_admin_changes_it(office):
    """What a program said over the campaign's own settings, too: the page showed the usual rules whatever held."""
    admin, place = await office.login("admin"), office.place
    path = f"/api/v1/campaigns/{place.campaign.id}"
    said = await admin.patch(path, json={"retry": {"busy": {"delay_s": 7200}}}, headers=CSRF)
    assert said.status == 200, await said.text()
    page = f"/campaigns/{place.campaign.id}/again"
    assert "again in 2 hours" in await (await admin.get(page)).text()
    rules = f"{path}/retry-rules/outcomes"
    changed = await admin.patch(rules, json={"outcome": "no_answer", "delay_s": 1200, "times": 3}, headers=CSRF)
    assert changed.status == 200, await changed.text()
    shown = {one["outcome"]: one for one in (await office.get(admin, rules))["rules"]}
    assert set(shown) == {outcome.value for outcome in Outcome}
    assert shown["no_answer"]["rule"] == {"delay_s": 1200, "growth": 2.0, "times": 3, "closes": False}
    assert [name for name, one in shown.items() if one["own"]] == ["no_answer", "busy"]
    text = await (await admin.get(page)).text()
    for sentence in ("again in 20 minutes, each further wait ×2", "again in 2 hours"):
        assert sentence in text
    hours = [float(found) for found in re.findall(r'name="delay_s"[^>]*value="([^"]*)"', text)]
    assert 1200 in [round(one * 3600) for one in hours]  # as the form sends what nobody changed
    number = await admin.patch(rules, json={"outcome": "invalid_number", "delay_s": 60}, headers=CSRF)
    assert (number.status, error_of(await number.json()).code) == (422, "retry_rule.phone")
    [first, _] = await place.pools.web.fetch(
        "SELECT * FROM audit WHERE action LIKE 'campaign.%' ORDER BY id DESC LIMIT 2"
    )
    assert (first["before"]["retry"]["delay_s"], first["after"]["outcome"]) == (3 * 3600, "no_answer")
    await place.add_contacts(PHONE)
    place.campaign = await place.read()
    place.now += timedelta(seconds=2)
    [attempt] = await place.dial()
    await place.end(attempt, Outcome.NO_ANSWER)
    [waits] = await place.pools.web.fetch("SELECT next_at FROM contact WHERE campaign_id = $1", place.campaign.id)
    assert waits["next_at"] - place.now <= timedelta(seconds=1230)


async def test_a_rule_of_minutes_is_not_changed_by_saving_its_form(office):
    """Twenty minutes are no round number of hours."""
    admin, place = await office.login("admin"), office.place
    rules = f"/api/v1/campaigns/{place.campaign.id}/retry-rules"
    delay_s = 8 * 86_400 + 1_205
    changed = await admin.patch(rules, json={"code": "email_cold", "delay_s": delay_s}, headers=CSRF)
    assert changed.status == 200, await changed.text()
    for page, field in (("again", "delay_s"), ("dispositions", "retry_hours")):
        text = await (await admin.get(f"/campaigns/{place.campaign.id}/{page}")).text()
        found = re.findall(rf'name="{field}"[^>]*value="([^"]+)"', text)
        assert delay_s in [round(float(one) * 3600) for one in found], page


async def test_a_customer_is_somewhere_and_the_audit_log_says_who_said_so(office):
    admin = await office.login("admin")
    [acme] = [one for one in (await office.get(admin, "/api/v1/customers"))["customers"] if one["name"] == "acme"]
    assert acme["country"] is None
    path = f"/api/v1/customers/{acme['id']}"
    changed = await admin.patch(path, json={"country": "FR"}, headers=CSRF)
    assert (await changed.json())["customer"]["country"] == "FR"
    assert (await admin.patch(path, json={"country": "France"}, headers=CSRF)).status == 422
    assert (await admin.patch("/api/v1/customers/999", json={"country": "FR"}, headers=CSRF)).status == 404
    [noted] = await office.place.pools.web.fetch("SELECT * FROM audit WHERE action = 'customer.country'")
    assert (noted["before"], noted["after"]) == ({"country": None}, {"country": "FR"})


async def test_a_file_of_numbers_is_rehearsed_taken_told_to_the_engine_and_taken_back(office):
    admin = await office.login("admin")
    [contact] = await office.place.add_contacts(PHONE)
    [ringing] = await office.place.dial()
    path = "/api/v1/do-not-call/files"
    about = {"scope": "customer", "customer_id": office.place.campaign.customer_id, "name": "stop", "region": "US"}

    async def send(**query):
        query = {name: str(value) for name, value in (about | query).items()}
        headers = CSRF | {"Content-Type": "text/csv"}
        return await admin.post(path, params=query, data=f"{PHONE}\n2025550102\nnone\n", headers=headers)

    rehearsed = await (await send(rehearse=True)).json()
    assert (rehearsed["file"], rehearsed["verdicts"]) == (None, [[1, "added"], [2, "added"], [3, "bad_phone"]])
    assert office.commands.asked == []
    taken = await (await send()).json()
    assert (taken["file"]["rows_added"], taken["file"]["rows_rejected"], taken["repeated"]) == (2, 1, False)
    assert office.commands.asked == [("do_not_call_added", (ringing.phone_id,))]
    assert (await (await send()).json())["repeated"]
    assert [one["name"] for one in (await office.get(admin, path))["files"]] == ["stop"]
    why = await office.get(admin, f"/api/v1/contacts/{contact}/why")
    assert why["reasons"][0]["reason"] == "do_not_call"
    undone = await office.post(admin, f"{path}/{taken['file']['id']}/undo")
    assert undone["file"]["undone_at"]
    assert error_of(await (await send(scope="global")).json()).code == "request.invalid"
    large = await admin.post(path, params={"scope": "global"}, data=b"1\n" * 20_001, headers=CSRF)
    assert error_of(await large.json()).code == "request.too_large"


async def test_whom_a_pass_would_call_is_counted_before_and_the_count_is_what_it_calls(office):
    """Used-up contacts by how they ended, closed ones by what was said; whoever has no living number is not counted."""
    place, admin = office.place, await office.login("admin")
    once = await place.add_campaign("once", attempts_max=1)
    operator = await place.add_operator("ann")
    await place.add_contacts(*(f"+7903555010{n}" for n in range(4)), campaign=once)
    attempts = await place.dial(4, campaign=once)
    ends = (Outcome.NO_ANSWER, Outcome.NO_ANSWER, Outcome.INVALID_NUMBER)
    for attempt, outcome in zip(attempts, ends, strict=False):
        await place.end(attempt, outcome, campaign=once)
    await place.end(await place.talk(attempts[3], operator), Outcome.CONNECTED, campaign=once)
    await place.save(attempts[3].id, operator, "thinking")
    [base] = await place.stores.bases.of_campaign(once.id)
    path = f"/api/v1/bases/{base.id}/passes"
    counted = (await office.get(admin, f"{path}/candidates"))["candidates"]
    assert {(one["kind"], one["word"]): one["contacts"] for one in counted} == {
        ("used_up", "no_answer"): 2,
        ("disposition", "thinking"): 1,
    }
    text = await (await admin.get(f"/campaigns/{once.id}/again")).text()
    assert 'value="no_answer" data-count="2"' in text
    assert 'value="thinking" data-count="1"' in text
    begun = await office.post(admin, path, 201, outcomes=["no_answer"], dispositions=["thinking"])
    assert begun["passes"][-1]["contacts"] == sum(one["contacts"] for one in counted)
    assert (await office.get(admin, f"{path}/candidates"))["candidates"] == []
    supervisor = await office.login("supervisor")
    assert 'id="begin"' not in await (await supervisor.get(f"/campaigns/{once.id}/again")).text()
    assert (await admin.get(f"/campaigns/{once.id}/again?base=99999")).status == 404


async def test_a_rule_says_how_many_wait_by_it_and_what_it_means(office):
    place, admin = office.place, await office.login("admin")
    operator = await place.add_operator("ann")
    await place.add_contacts("+79035550101")
    [attempt] = await place.dial(1)
    await place.end(await place.talk(attempt, operator), Outcome.CONNECTED)
    await place.save(attempt.id, operator, "refused_gatekeeper")
    path = f"/api/v1/campaigns/{place.campaign.id}/retry-rules"
    rules = {one["code"]: one for one in (await office.get(admin, path))["rules"]}
    assert rules["refused_gatekeeper"]["waiting"] == 1
    assert rules["email_cold"]["waiting"] == 0
    text = await (await admin.get(f"/campaigns/{place.campaign.id}/again")).text()
    assert "again in 30 days, once, then closed" in text
    changed = await admin.patch(path, json={"code": "refused_gatekeeper", "delay_s": 45 * 86_400}, headers=CSRF)
    assert (await changed.json())["planned_anew"] == 1
    assert "again in 45 days" in await (await admin.get(f"/campaigns/{place.campaign.id}/again")).text()
