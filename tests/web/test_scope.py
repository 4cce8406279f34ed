"""Own and foreign: who is bound to a team, a customer or own loads reads and changes nothing of anybody else's."""

from __future__ import annotations

import asyncpg
import pytest

from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add, asked
from tests.web.test_facts import page, told  # noqa: F401 - a fixture
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

NUMBER = "+79035550999"
FILE = b"phone\n+79035550998\n"


async def test_a_customer_reads_no_numbers_of_one_operator_over_the_api_either(told):  # noqa: F811
    """The page refuses them; so does what the page is made of."""
    _, theirs = await add(told, "acme", "customer", customer="acme")
    campaign = told.place.campaign.id
    for narrower in ("by=operator", f"operator={told.place.operator_id}"):
        answer = await asked(theirs, "GET", f"/api/v1/kpi?campaign={campaign}&{narrower}", 422)
        assert error_of(answer).code == "request.operator"
    assert (await told.get(theirs, f"/api/v1/kpi?campaign={campaign}&by=base"))["rows"]


async def test_a_base_manager_sees_and_takes_back_own_loads_alone(told):  # noqa: F811
    web = told.place.pools.web
    mine, manager = await add(told, "mine", "base_manager")
    base = told.mine["base_id"]
    ways = (
        *(("GET", f"/api/v1/bases/{base}/{what}") for what in ("why", "passes", "passes/candidates")),
        *(("POST", f"/api/v1/bases/{base}/{what}") for what in ("withdraw", "undo")),
    )
    for method, path in ways:
        assert error_of(await asked(manager, method, path, 404)).code == "scope.not_found"
    bases = f"/api/v1/campaigns/{told.place.campaign.id}/bases"
    await web.execute("UPDATE base SET name = 'Spring' WHERE id = $1", base)
    assert (await told.get(manager, bases))["bases"] == []
    assert "Spring" not in await page(manager, "/bases")
    await web.execute("UPDATE base SET loaded_by = $1 WHERE id = $2", mine.id, base)
    for method, path in ways[:4]:
        await asked(manager, method, path)
    assert [one["id"] for one in (await told.get(manager, bases))["bases"]] == [base]
    assert "Spring" in await page(manager, "/bases")


async def test_a_base_manager_opens_no_file_of_another(told):  # noqa: F811
    """Its sample is people's numbers."""
    _, mine = await add(told, "mine", "base_manager")
    _, other = await add(told, "other", "base_manager")
    _, boss = await add(told, "boss", "supervisor")
    sent = await mine.post(
        f"/api/v1/bases/files?campaign={told.place.campaign.id}&name=spring.csv", data=FILE, headers=CSRF
    )
    file = (await sent.json())["file"]["id"]
    for client, status in ((mine, 200), (boss, 200), (other, 404)):
        await asked(client, "GET", f"/api/v1/bases/files/{file}", status)
        assert ("spring.csv" in await page(client, "/bases")) == (status == 200)
        await page(client, f"/bases/files/{file}", status)
    await asked(other, "DELETE", f"/api/v1/bases/files/{file}", 404)


async def test_who_is_bound_to_a_team_forbids_for_its_campaigns_and_nobody_elses(told):  # noqa: F811
    """What is forbidden for all is said by somebody who steers all; the page offers no more."""
    _, bound = await add(told, "bound", "supervisor", team="one")
    _, free = await add(told, "free", "supervisor")
    own, customer = told.place.campaign.id, told.place.campaign.customer_id
    for_all, for_customer = {"scope": "global"}, {"scope": "customer", "customer_id": customer}
    for scope in (for_all, for_customer):
        refused = error_of(await asked(bound, "POST", "/api/v1/do-not-call", 422, phone=NUMBER, **scope))
        assert (refused.code, refused.data["fields"][0]["field"]) == ("do_not_call.not_yours", "scope")
        query = "&".join(f"{name}={value}" for name, value in scope.items())
        sent = await bound.post(f"/api/v1/do-not-call/files?{query}", data=FILE, headers=CSRF)
        assert sent.status == 422, await sent.text()
    await asked(bound, "POST", "/api/v1/do-not-call", 201, phone=NUMBER, scope="campaign", campaign_id=own)
    foreign = {"scope": "campaign", "campaign_id": told.place.foreign.id}
    await asked(bound, "POST", "/api/v1/do-not-call", 404, phone=NUMBER, **foreign)
    await asked(free, "POST", "/api/v1/do-not-call", 201, phone=NUMBER, **for_all)
    theirs, every = await page(bound, "/do-not-call"), await page(free, "/do-not-call")
    assert [text.count('<option value="global">') for text in (theirs, every)] == [0, 2]
    assert "all teams, forbids one" in theirs
    assert "all teams, forbids one" not in every


async def test_who_is_bound_to_a_team_keeps_and_ends_consents_of_its_customers_alone(told):  # noqa: F811
    _, bound = await add(told, "bound", "supervisor", team="one")
    given = {
        "phone": NUMBER,
        "purpose": "marketing",
        "wording": "v1",
        "channel": "web",
        "given_at": told.place.now.isoformat(),
        "evidence_hash": "00" * 32,
    }
    for customer_id, kept, ended in (
        (told.place.foreign.customer_id, 404, 404),
        (told.place.campaign.customer_id, 201, 200),
    ):
        await asked(bound, "POST", "/api/v1/consents", kept, **given, customer_id=customer_id)
        await asked(bound, "POST", "/api/v1/consents/withdraw", ended, phone=NUMBER, customer_id=customer_id)


async def test_whose_campaigns_are_own_is_asked_once_however_many_there_are(told, monkeypatch):  # noqa: F811
    _, bound = await add(told, "bound", "supervisor", team="one")
    counts = []
    for more in (0, 20):
        for number in range(more):
            await told.place.add_campaign(f"more {number}", team="one")
        with monkeypatch.context() as patch:
            asked_for = []
            for name in ("fetch", "fetchrow", "fetchval"):
                patch.setattr(asyncpg.Pool, name, counting(getattr(asyncpg.Pool, name), asked_for))
            shown = (await told.get(bound, "/api/v1/campaigns"))["campaigns"]
        counts.append((len(shown), len(asked_for)))
    assert [many for many, _ in counts] == [1, 21]
    assert counts[0][1] == counts[1][1]


async def test_the_reports_of_a_base_manager_cost_no_more_the_more_bases_there_are(told, monkeypatch):  # noqa: F811
    mine, manager = await add(told, "mine", "base_manager")
    web, counts = told.place.pools.web, []
    for more in (1, 20):
        for number in range(more):
            await told.place.add_contacts(f"+7903555{more:02}{number:02}")
        await web.execute("UPDATE base SET loaded_by = $1", mine.id)
        with monkeypatch.context() as patch:
            asked_for = []
            for name in ("fetch", "fetchrow", "fetchval"):
                patch.setattr(asyncpg.Pool, name, counting(getattr(asyncpg.Pool, name), asked_for))
            await page(manager, "/reports")
        counts.append(len(asked_for))
    assert counts[0] == counts[1]


async def test_a_report_of_no_campaign_is_none_of_all_campaigns(told):  # noqa: F811
    _, admin = await add(told, "root", "admin")
    await page(admin, "/reports?campaign=999999", 404)
    await page(admin, "/reports/export?campaign=999999&sheet=hours&format=csv", 404)


def counting(asks, seen):
    """The same, and it is seen."""

    async def ask(pool, query, *values, **more):
        seen.append(query)
        return await asks(pool, query, *values, **more)

    return ask
