"""Leads over the web: from the operator's saved conversation to the customer's word, and nobody else's byte."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dialer.core.model import Outcome
from dialer.web.access import Role
from tests.browser.scene import view
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres


@pytest.fixture
async def both(office):  # noqa: F811 - the fixture's value
    """A lead of acme and one of another customer and team."""
    place = office.place
    foreign = await place.add_campaign("Foreign", customer="rival", team="two")
    ann = await place.add_operator("secret-operator")
    made = []
    for number, campaign in (("+79035550101", place.campaign), ("+79035550102", foreign)):
        await place.add_contacts(number, campaign=campaign)
        [attempt] = await place.dial(campaign=campaign)
        attempt = await place.talk(attempt, ann)
        values = {"person": f"Person of {campaign.name}", "company": f"Firm of {campaign.name}", "note": "two units"}
        made.append((await place.save(attempt.id, ann, "lead", key=number, **values)).lead_id)
        await place.end(attempt, Outcome.CONNECTED, campaign=campaign)
    return made


async def patch(client, path, status=200, **body):
    answer = await client.patch(path, json=body, headers=CSRF)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_the_operators_saving_makes_the_lead_with_what_was_typed(office):  # noqa: F811
    place = office.place
    ann = await office.login("operator", team="one")
    who = (await office.get(ann, "/api/v1/me"))["user"]["id"]
    await place.add_contacts("+79035550101")
    [attempt] = await place.dial()
    await place.talk(attempt, who)
    path, body = f"/api/v1/attempts/{attempt.id}/disposition", {"code": "lead", "note": "two units"}
    body["lead"] = {"person": " Ольга ", "company": "ООО Ромашка"}
    for _ in range(2):
        answer = await ann.post(path, json=body, headers={**CSRF, "Idempotency-Key": "k"})
        lead_id = (await answer.json())["disposition"]["lead_id"]
    lead = await place.stores.leads.show(lead_id)
    assert (lead["person"], lead["company"], lead["agreed"]) == ("Ольга", "ООО Ромашка", "two units")
    assert await place.count("lead") == 1


async def test_the_customer_sees_and_decides_on_the_own_leads_alone(office, both):  # noqa: F811
    own, foreign = both
    _, client = await add(office, "cust", "customer", customer="acme")
    listed = (await office.get(client, "/api/v1/leads"))["leads"]
    assert [one["id"] for one in listed] == [own]
    assert listed[0]["phone"].startswith("+7903…")
    lead = (await office.get(client, f"/api/v1/leads/{own}"))["lead"]
    assert (lead["phones"], lead["attempt_id"]) == (["+79035550101"], None)
    assert "secret-operator" not in {step["by"] for step in lead["history"]}
    for path in ("/leads", f"/leads/{own}", f"/leads?campaign_id={office.place.campaign.id}"):
        page = await (await client.get(path)).text()
        assert "Person of sales" in page, path
        assert "Foreign" not in page, path
        assert "secret-operator" not in page, path
    for path in (f"/leads/{foreign}", f"/api/v1/leads/{foreign}"):
        assert (await client.get(path)).status == 404
    denied = await office.post(client, f"/api/v1/leads/{foreign}/state", 404, state="accepted")
    assert error_of(denied).code == "scope.not_found"
    way = f"/api/v1/leads/{own}/state"
    assert error_of(await office.post(client, way, 403, state="in_work")).code == "access.denied"
    assert error_of(await office.post(client, way, 422, state="rejected")).code == "lead.needs_reason"
    assert (await client.patch(f"/api/v1/leads/{own}", json={"person": "x"}, headers=CSRF)).status == 403
    told = (await office.post(client, way, state="rejected", reason="left the company"))["lead"]
    assert (told["state"], told["reason"], told["history"][-1]["by"]) == ("rejected", "left the company", "cust")
    assert error_of(await office.post(client, way, 409, state="accepted")).code == "lead.no_way"


async def test_a_number_of_leads_opens_as_many_leads_and_the_customer_sees_how_far_contacts_came(office, both):  # noqa: F811
    own, foreign = both
    _, boss = await add(office, "boss", "admin")
    way = f"/api/v1/leads/{own}/state"
    await office.post(boss, way, state="rejected", reason="no budget")
    await office.post(boss, f"/api/v1/leads/{foreign}/state", state="accepted")
    report = await (await boss.get(f"/reports?period=today&campaign={office.place.campaign.id}")).text()
    opened = {link.replace("&amp;", "&") for link in re.findall(r'href="(/leads\?fact=[^"]*)"', report)}
    assert {re.search(r"fact=(\w+)", link)[1] for link in opened} == {"leads", "replacements_owed"}
    for link in opened:
        page = await (await boss.get(link)).text()
        assert "Person of sales" in page, link
        assert "Person of Foreign" not in page, link
    counted = {"leads": 1, "leads_rejected": 1, "replacements_owed": 1, "leads_accepted": 0, "clients": 0}
    for fact, count in counted.items():
        for asked, found in ((f"fact={fact}", count), (f"fact={fact}&until=2020-01-01T00:00:00Z", 0)):
            path = f"/api/v1/leads?campaign_id={office.place.campaign.id}&{asked}"
            assert len((await office.get(boss, path))["leads"]) == found, path
    found = (await office.get(boss, f"/api/v1/kpi?campaign={office.place.campaign.id}"))["rows"][0]["facts"]
    assert {fact: found[fact] for fact in counted} == counted
    _, client = await add(office, "cust", "customer", customer="acme")
    page = await (await client.get("/leads")).text()
    assert [int(step) for step in re.findall(r"<dd><b>(\d+)</b>", page)][-3:] == [1, 0, 0]
    assert "Person of Foreign" not in page


async def test_a_customers_user_of_no_customer_sees_nothing(office, both):  # noqa: F811
    _, client = await add(office, "lost", "customer", customer="acme")
    await office.place.pools.web.execute("UPDATE app_user SET customer_id = NULL WHERE login = 'lost'")
    assert (await office.get(client, "/api/v1/leads"))["leads"] == []
    assert "Person of" not in await (await client.get("/leads")).text()
    assert (await client.get(f"/leads/{both[0]}")).status == 404


async def test_a_supervisor_of_a_team_takes_its_leads_to_the_client(office, both):  # noqa: F811
    own, foreign = both
    _, boss = await add(office, "boss", "supervisor", team="one")
    assert [one["id"] for one in (await office.get(boss, "/api/v1/leads"))["leads"]] == [own]
    assert (await boss.get(f"/leads/{foreign}")).status == 404
    way = f"/api/v1/leads/{own}/state"
    await office.post(boss, way, state="in_work")
    await office.post(boss, way, state="accepted")
    finer = error_of(await office.post(boss, way, 422, state="client", revenue="10.001"))
    assert finer.code == "request.invalid"
    lead = (await office.post(boss, way, state="client", revenue="1500.50"))["lead"]
    assert (lead["revenue"], lead["currency"], lead["client_at"] is not None) == ("1500.50", "RUB", True)
    owners = await office.place.stores.leads.owners(office.place.campaign.id)
    changed = await patch(boss, f"/api/v1/leads/{own}", owner=owners[0]["id"], revenue="2000", company="Beta")
    assert (changed["lead"]["owner"], changed["lead"]["revenue"], changed["lead"]["company"]) == (
        owners[0]["name"],
        "2000.00",
        "Beta",
    )
    assert error_of(await patch(boss, f"/api/v1/leads/{own}", 422, owner=999_999)).code == "lead.owner"
    page = await (await boss.get(f"/leads/{own}")).text()
    assert "2 000.00 RUB" in page
    assert f"/attempts/{lead['attempt_id']}" in page


async def test_an_auditor_reads_masked_and_whoever_reads_in_full_is_in_the_log(office, both):  # noqa: F811
    own = both[0]
    _, auditor = await add(office, "aud", "auditor")
    assert (await office.get(auditor, f"/api/v1/leads/{own}"))["lead"]["phones"] == ["+7903…01"]
    assert "+79035550101" not in await (await auditor.get(f"/leads/{own}")).text()
    _, admin = await add(office, "adm", "admin")
    assert "+79035550101" in await (await admin.get(f"/leads/{own}")).text()
    rows = await office.place.pools.web.fetch("SELECT object FROM audit WHERE action = 'lead.read'")
    assert [row["object"] for row in rows] == [f"lead:{own}"]


async def test_the_rule_for_leads_is_the_admins_and_the_next_lead_follows_it(office, both):  # noqa: F811
    place = office.place
    _, admin = await add(office, "adm", "admin")
    path = f"/api/v1/campaigns/{place.campaign.id}/lead-rule"
    answer = await admin.put(path, json={"contact_within_hours": 0.5, "currency": "EUR"}, headers=CSRF)
    assert (await answer.json())["contact_within_s"] == 1800
    assert (await office.get(admin, path))["currency"] == "EUR"
    assert (await admin.put(path, json={"contact_within_hours": 1, "currency": "euro"}, headers=CSRF)).status == 422
    page = await (await admin.get(f"/leads?campaign_id={place.campaign.id}")).text()
    assert 'value="0.5"' in page


async def test_names_of_leads_cannot_become_markup(office, both):  # noqa: F811
    _, admin = await add(office, "adm", Role.ADMIN.value)
    hostile = '<script>alert(1)</script>"'
    await patch(admin, f"/api/v1/leads/{both[0]}", person=hostile, company=hostile, agreed=hostile)
    for path in ("/leads", f"/leads/{both[0]}"):
        page = await (await admin.get(path)).text()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert" in page


async def test_the_customer_sees_the_own_campaigns_as_they_go_and_no_forecast(office, both):  # noqa: F811
    """State, who talks and what today brought, counted; of nobody else's campaign, and of no operator, anything."""
    place = office.place
    foreign = next(one.id for one in await place.stores.campaigns.list() if one.name == "Foreign")
    now = place.now
    for id_, talking in ((place.campaign.id, 3), (foreign, 777)):
        shown = view(replace(place.campaign, id=id_), "running", now)
        office.live.campaigns.append(replace(shown, name="x", talking=talking, ringing=talking))
    _, client = await add(office, "cust", "customer", customer="acme")
    page = await (await client.get("/leads")).text()
    own = page[page.index('id="own"') : page.index("</section>", page.index('id="own"'))]
    found = dict(re.findall(r'data-live="(\w+)">(\d+)<', own))
    assert (found["talking"], found["ringing"], found["connected"], found["leads"]) == ("3", "3", "1", "1")
    assert "sales" in own
    assert 'data-state="running"' in own
    for secret in ("Foreign", "777", "secret-operator"):
        assert secret not in page
    for path in (f"/campaigns/{place.campaign.id}/ahead", f"/api/v1/campaigns/{place.campaign.id}/forecast"):
        assert (await client.get(path)).status == 403, path
    assert 'id="own"' not in await (await client.get("/leads?fact=leads")).text()
