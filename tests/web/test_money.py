"""Money over the web: who may say prices, who reads them, and that what is shown, opened and exported is the same."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest
from aiohttp.test_utils import TestClient
from python_calamine import CalamineWorkbook

from dialer.web.access import Role
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add
from tests.web.test_facts import page, told  # noqa: F401 - a fixture
from tests.web.test_reports import body_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

LETTER = {"kind": "cost_letter", "amount": "1.50", "since": "2026-01-01"}
TALK = {"kind": "tariff_conversation", "amount": "1234.5", "since": "2026-01-01"}
MONTH = {"kind": "cost_month", "amount": "30000", "since": "2026-01-01"}
TRUNK = {"kind": "cost_trunk_minute", "amount": "0.8", "since": "2026-01-01", "first_s": 60, "step_s": 60}


async def post(client, path, status=201, **body):
    answer = await client.post(path, json=body, headers=CSRF)
    assert answer.status == status, await answer.text()
    return await answer.json()


@pytest.fixture
async def admin(told):  # noqa: F811
    _, client = await add(told, "adm", "admin")
    return client


@pytest.fixture
def of(told) -> str:  # noqa: F811
    return f"/api/v1/campaigns/{told.place.campaign.id}"


async def test_the_admin_says_prices_and_nobody_else(told, admin, of):  # noqa: F811
    answer = await post(admin, f"{of}/prices", **TRUNK)
    [price] = answer["prices"]
    assert (price["amount"], price["currency"], price["made_by"], price["until"]) == ("0.8", "RUB", "adm", None)
    await post(admin, f"{of}/prices", **LETTER)
    for role in (Role.SUPERVISOR, Role.AUDITOR, Role.CUSTOMER, Role.OPERATOR, Role.BASE_MANAGER):
        customer = {"customer": "acme"} if role is Role.CUSTOMER else {"team": "one"} if role is Role.OPERATOR else {}
        _, client = await add(told, f"no-{role}", role, **customer)
        for path, body in (("prices", LETTER), ("prices/withdraw", {"id": price["id"]}), ("money/days", {})):
            assert (await post(client, f"{of}/{path}", 403, **body))["error"]["code"] == "access.denied"
        await post(client, f"{of}/prices/rehearse", 403, price=LETTER)
    found = await post(admin, f"{of}/prices/withdraw", 200, id=price["id"])
    assert [one["withdrawn_by"] for one in found["prices"]] == ["", "adm"]
    assert error_of(await post(admin, f"{of}/prices/withdraw", 404, id=price["id"])).code == "price.not_found"
    text = await page(admin, "/audit")
    assert "Price set" in text
    assert "Price taken back" in text


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"amount": "-1"}, "request.invalid", "amount"),
        ({"amount": "1.0000001"}, "request.invalid", "amount"),
        ({"amount": "NaN"}, "request.invalid", "amount"),
        ({"since": "1999-01-01"}, "request.invalid", "since"),
        ({"kind": "gift"}, "request.invalid", "kind"),
        ({"first_s": 60}, "price.step", "first_s"),
        ({"first_s": 0, "step_s": 60}, "request.invalid", "first_s"),
        ({"base": 1}, "price.base", "base"),
        ({"kind": "cost_base"}, "price.base", "base"),
    ],
)
async def test_what_is_no_price_is_refused_at_its_field(told, admin, of, wrong, code, field):  # noqa: F811
    for path, body in (("prices", LETTER | wrong), ("prices/rehearse", {"price": LETTER | wrong})):
        answer = await post(admin, f"{of}/{path}", 422, **body)
        assert answer["error"]["code"] == code
        assert field in answer["error"]["data"]["fields"][0]["field"]


async def test_a_customer_reads_the_tariff_and_what_it_owes_and_never_a_cost(told, admin, of):  # noqa: F811
    for price in (LETTER, TALK, MONTH, TRUNK):
        await post(admin, f"{of}/prices", **price)
    _, theirs = await add(told, "acme", "customer", customer="acme")
    _, others = await add(told, "other", "customer", customer="other")
    _, auditor = await add(told, "aud", "auditor")
    told_prices = (await told.get(theirs, f"{of}/prices"))["prices"]
    assert [(one["kind"], one["made_by"]) for one in told_prices] == [("tariff_conversation", "")]
    owed, every = await told.get(theirs, f"{of}/money"), await told.get(auditor, f"{of}/money")
    assert (owed["revenue"], owed["cost"], owed["margin"]) == (every["revenue"], None, None)
    assert owed["revenue"] == "1234.50"
    assert {part["kind"] for part in owed["parts"]} == {"tariff_conversation"}
    assert Decimal(every["margin"]) == Decimal(every["revenue"]) - Decimal(every["cost"])
    assert Decimal(every["cost"]) == sum(Decimal(part["amount"]) for part in every["parts"] if part["kind"][0] == "c")
    html = await page(theirs, f"/campaigns/{told.place.campaign.id}/money")
    assert "1,234.50" in html
    for hidden in ("Costs", "Trunk minute", "Margin", "30,000", "adm", "/api/v1/campaigns"):
        assert hidden not in html.split("<main", 1)[1], hidden
    numbers = await told.get(theirs, f"/api/v1/kpi?campaign={told.place.campaign.id}&money=true")
    assert {
        name for name, value in numbers["rows"][0]["money"].items() if value is not None and "cost" in name
    } == set()
    assert (await theirs.get(f"{of}/money?operator=1")).status == 422
    for path in (f"{of}/prices", f"{of}/money", f"{of}/money/days", f"/campaigns/{told.place.campaign.id}/money"):
        assert (await others.get(path)).status == 404, path


async def test_a_rehearsal_says_what_yesterday_would_have_come_to(told, admin, of):  # noqa: F811
    answer = await post(admin, f"{of}/prices/rehearse", 200, price=MONTH, day="2026-03-01")
    assert (answer["cost_before"], answer["cost_after"], answer["currency"]) == ("0.00", "967.74", "RUB")
    assert (await told.get(admin, f"{of}/prices"))["prices"] == []


async def test_days_are_closed_by_hand_and_the_page_says_up_to_when(told, admin, of):  # noqa: F811
    assert error_of(await post(admin, f"{of}/money/days", 409, through="2026-03-01")).code == "money.no_price"
    await post(admin, f"{of}/prices", **LETTER)
    answer = await post(admin, f"{of}/money/days", 200, through="2026-01-02")
    assert [(one["day"], one["cost"], one["closed_by"]) for one in answer["days"]] == [
        ("2026-01-02", "0.00", "adm"),
        ("2026-01-01", "0.00", "adm"),
    ]
    assert error_of(await post(admin, f"{of}/money/days", 409, through="2090-01-01")).code == "money.not_over"
    html = await page(admin, f"/campaigns/{told.place.campaign.id}/money")
    assert "Days up to 2026-01-02 are closed" in html


async def test_reports_show_money_that_opens_what_it_is_made_of_and_files_hold_the_same(told, admin, of):  # noqa: F811
    campaign = told.place.campaign.id
    assert 'id="money"' not in await page(admin, f"/reports?campaign={campaign}")
    for price in (TALK, MONTH, TRUNK):
        await post(admin, f"{of}/prices", **price)
    text = await page(admin, f"/reports?campaign={campaign}&each=day")
    [row] = [row for row in body_of(text, "money") if row[1] != "0.00"]
    assert row[1] == "1,234.50"
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/campaigns/\d+/money\?[^"]*)"', text)}
    pages = [await page(admin, link) for link in links]
    assert all('id="made-of"' in html for html in pages)
    assert any("1,234.50" in html for html in pages)
    for sheet, of_campaign in (
        ("money", f"&campaign={campaign}&each=day"),
        ("money_by", f"&campaign={campaign}"),
        ("money", ""),
    ):
        drawn = body_of(await page(admin, f"/reports?period=today{of_campaign}"), sheet)
        path = f"/reports/export?sheet={sheet}&period=today{of_campaign}"
        rows = list(csv.reader(io.StringIO(await (await admin.get(f"{path}&format=csv")).text(encoding="utf-8-sig"))))
        raw = await (await admin.get(f"{path}&format=xlsx")).read()
        cells = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python(skip_empty_area=False)
        assert len(rows) == len(cells) == len(drawn) + 1 > 1
        if of_campaign:
            assert any(", RUB" in head for head in rows[0])
        for seen, plain, typed in zip(drawn, rows[1:], cells[1:], strict=True):
            for shown, written, value in zip(seen[1:], plain[1:], typed[1:], strict=True):
                assert shown.replace(",", "").replace("–", "") == written
                assert value == written or float(written) == pytest.approx(value)


async def test_the_api_gives_money_only_where_it_is_asked_for_and_as_exact_text(told, admin, of):  # noqa: F811
    for price in (TALK, MONTH):
        await post(admin, f"{of}/prices", **price)
    period = "from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z"
    campaign = told.place.campaign.id
    [row] = (await told.get(admin, f"/api/v1/kpi?campaign={campaign}&{period}"))["rows"]
    assert row["money"] == {}
    [row] = (await told.get(admin, f"/api/v1/kpi?campaign={campaign}&{period}&money=true"))["rows"]
    assert (row["currency"], row["money"]["cost_fixed"]) == ("RUB", "30000.00")
    rows = (await told.get(admin, f"/api/v1/kpi?campaign={campaign}&{period}&money=true&by=day"))["rows"]
    assert sum(Decimal(one["money"]["cost"]) for one in rows) == Decimal(row["money"]["cost"])
    definitions = (await told.get(admin, "/api/v1/kpi/definitions"))["definitions"]
    assert {"cost_per_lead", "margin", "orders"} <= {one["id"] for one in definitions}


async def test_a_customers_program_is_told_no_cost_either(told, admin, of):  # noqa: F811
    for price in (TALK, MONTH):
        await post(admin, f"{of}/prices", **price)
    await add(told, "robot", "api", customer="acme")
    secret = (await post(admin, "/api/v1/tokens", login="robot", name="r", scopes=["read"], days=1))["secret"]
    client = TestClient(told.server)
    answer = await client.get(f"{of}/money", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status == 200, await answer.text()
    body = await answer.json()
    assert body["cost"] is None
    assert "30000" not in str(body)
    await client.session.close()
