"""Receivers are set up by an admin alone, lead to public addresses alone, and show their secret once."""

from __future__ import annotations

import pytest

from dialer.outbox.webhooks import secret
from dialer.passwords import WEBHOOK_KEY, key_in
from tests.web.conftest import CSRF, error_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

PATH = "/api/v1/webhooks"
ASK = {"name": "crm", "url": "https://crm.example.com/hook", "kinds": ["lead.made", "lead.moved"]}


async def test_a_receiver_is_added_tried_paused_given_another_secret_and_removed(office, tmp_path):  # noqa: F811
    admin = await office.login("admin")
    made = await office.post(admin, PATH, 201, **ASK, customer=office.place.campaign.customer_id)
    hook = made["webhook"]
    assert (hook["customer"], hook["kinds"], hook["pending"]) == ("acme", ASK["kinds"], 0)
    row = await office.place.pools.web.fetchrow("SELECT * FROM webhook")
    assert made["secret"] == secret(key_in(tmp_path, WEBHOOK_KEY), row["seed"])
    one = f"{PATH}/{hook['id']}"
    await office.post(admin, f"{one}/test")
    [told] = (await office.get(admin, f"{one}/deliveries"))["deliveries"]
    assert (told["kind"], told["state"], told["tries"]) == ("webhook.test", "pending", 0)
    answer = await admin.patch(one, json={"paused": True, "kinds": ["attempt.ended"]}, headers=CSRF)
    [changed] = (await answer.json())["webhooks"]
    assert (changed["kinds"], changed["paused_at"] is not None, changed["pending"]) == (["attempt.ended"], True, 1)
    other = await office.post(admin, f"{one}/secret")
    assert other["secret"] != made["secret"]
    for page in ("/webhooks", f"/webhooks?webhook={hook['id']}"):
        text = await (await admin.get(page)).text()
        assert "webhook.test" in text or "Test" in text
        assert other["secret"] not in text
    listed = await (await admin.get(PATH)).text()
    assert "whs_" not in listed
    await office.place.pools.web.execute("UPDATE delivery SET state = 'given_up', closed_at = now()")
    assert (await office.post(admin, f"{one}/replay"))["events"] == 1
    assert (await office.post(admin, f"{one}/replay", delivery=told["id"]))["events"] == 0  # it waits already
    assert (await admin.delete(one, headers=CSRF)).status == 200
    assert (await admin.get(f"{one}/deliveries")).status == 404
    actions = await office.place.pools.web.fetch("SELECT action FROM audit WHERE object LIKE 'webhook:%' ORDER BY id")
    assert [row["action"].split(".")[1] for row in actions] == ["add", "change", "secret", "replay", "replay", "remove"]


@pytest.mark.parametrize(
    "inside", ["http://crm.example.com/", "https://169.254.169.254/latest", "https://10.0.0.1/", "https://localhost/x"]
)
async def test_an_address_inside_the_own_network_is_refused_at_its_field(office, inside):  # noqa: F811
    admin = await office.login("admin")
    refused = error_of(await office.post(admin, PATH, 422, **{**ASK, "url": inside}))
    assert (refused.code, refused.data["fields"][0]["field"]) == ("webhook.url", "url")
    hook = (await office.post(admin, PATH, 201, **ASK))["webhook"]
    answer = await admin.patch(f"{PATH}/{hook['id']}", json={"url": inside}, headers=CSRF)
    assert error_of(await answer.json()).code == "webhook.url"


async def test_what_is_of_nobody_known_is_refused_in_a_sentence(office):  # noqa: F811
    admin = await office.login("admin")
    for wrong in ({"customer": 999}, {"campaign_id": 999}, {"customer": 1, "campaign_id": 1}):
        assert error_of(await office.post(admin, PATH, 422, **ASK, **wrong)).code == "webhook.value"
    assert error_of(await office.post(admin, PATH, 422, **{**ASK, "kinds": ["everything"]})).code == "request.invalid"
    assert (await office.post(admin, f"{PATH}/999/test", 404))["error"]["code"] == "webhook.not_found"
