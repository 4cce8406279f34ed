"""Baskets over the web: who may change them, what a rehearsal says, and what the customer sees of it."""

from __future__ import annotations

import pytest

from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add
from tests.web.test_leads import both, patch  # noqa: F401 - a fixture
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

COMMON = {"code": "common", "name_en": "Common", "name_ru": "Общая"}
HOT = {
    "name_en": "Hot",
    "name_ru": "Горячие",
    "warmth": "hot",
    "contact_within_hours": 0.5,
    "conditions": [{"field": "agreed", "test": "contains", "value": "TWO"}],
}


async def put(client, path, status=200, **body):
    answer = await client.put(path, json=body, headers=CSRF)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_rules_are_rehearsed_saved_and_move_leads_only_when_asked(office, both):  # noqa: F811
    own, path = both[0], f"/api/v1/campaigns/{office.place.campaign.id}/baskets"
    _, admin = await add(office, "adm", "admin")
    said = {"baskets": [HOT, COMMON]}
    rehearsed = await office.post(admin, f"{path}/rehearsal", **said)
    assert rehearsed == {"leads": 1, "moves": [{"before": "common", "after": "hot", "leads": 1}]}
    saved = await put(admin, path, **said)
    assert [(one["code"], one["leads"]) for one in saved["baskets"]] == [("hot", 0), ("common", 1)]
    assert saved["baskets"][0]["contact_within_s"] == 1800
    again = {"baskets": [{**HOT, "code": "hot"}, COMMON], "move": True}
    saved = await put(admin, path, **again)
    assert [(one["code"], one["leads"]) for one in saved["baskets"]] == [("hot", 1), ("common", 0)]
    assert saved["moved"] == rehearsed["moves"]
    lead = (await office.get(admin, f"/api/v1/leads/{own}"))["lead"]
    assert (lead["basket"], lead["basket_en"], lead["history"][-1]["what"]) == ("hot", "Hot", "basket")
    listed = await office.get(admin, "/api/v1/leads", campaign_id=office.place.campaign.id, basket="common")
    assert listed["leads"] == []
    page = await (await admin.get(f"/leads?campaign_id={office.place.campaign.id}&basket=hot")).text()
    assert "Person of sales" in page
    for wrong, code in (
        ({"baskets": [HOT]}, "basket.common"),
        ({"baskets": [HOT, HOT, COMMON]}, "basket.name"),
        ({"baskets": [{**HOT, "code": "strange"}, COMMON]}, "basket.unknown"),
        ({"baskets": [{**HOT, "code": "hot", "owner": 999}, COMMON]}, "lead.owner"),
        ({"baskets": [{**HOT, "conditions": [{"field": "agreed", "test": "is"}]}, COMMON]}, "basket.condition"),
    ):
        assert error_of(await put(admin, path, 422, **wrong)).code == code


async def test_a_lead_is_moved_by_hand_by_whoever_steers_and_the_customer_sees_where_but_not_why(office, both):  # noqa: F811
    own = both[0]
    _, admin = await add(office, "adm", "admin")
    await put(admin, f"/api/v1/campaigns/{office.place.campaign.id}/baskets", baskets=[HOT, COMMON])
    _, boss = await add(office, "boss", "supervisor", team="one")
    denied = await patch(boss, f"/api/v1/leads/{own}", 422, basket="hot")
    assert error_of(denied).code == "basket.needs_reason"
    moved = await patch(boss, f"/api/v1/leads/{own}", basket="hot", basket_reason="secretly rich")
    assert moved["lead"]["history"][-1]["reason"] == "secretly rich"
    assert "secretly rich" in await (await boss.get(f"/leads/{own}")).text()
    _, client = await add(office, "cust", "customer", customer="acme")
    page = await (await client.get(f"/leads/{own}")).text()
    assert "Hot" in page
    seen = await (await client.get(f"/api/v1/leads/{own}")).text()
    assert "secretly rich" not in page + seen


async def test_baskets_are_the_admins_to_change_and_nobody_elses_to_see(office, both):  # noqa: F811
    path = f"/api/v1/campaigns/{office.place.campaign.id}/baskets"
    _, boss = await add(office, "boss", "supervisor", team="two")
    assert (await boss.get(path)).status == 404
    _, own = await add(office, "own", "supervisor", team="one")
    assert [one["code"] for one in (await office.get(own, path))["baskets"]] == ["common"]
    assert (await own.put(path, json={"baskets": [COMMON]}, headers=CSRF)).status == 403
    _, client = await add(office, "cust", "customer", customer="acme")
    assert (await client.get(path)).status == 403
