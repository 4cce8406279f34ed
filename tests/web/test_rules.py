"""The rules over the API: profiles with sources, consent, loosening by two, a number's history, passes of a base."""

from __future__ import annotations

from datetime import timedelta

import pytest

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
