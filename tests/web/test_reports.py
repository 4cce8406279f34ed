"""Reports: what is drawn is what is counted, for those who may see it, and files hold it as it is."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from typing import get_args
from urllib.parse import urlencode

import pytest
from python_calamine import CalamineWorkbook

from dialer.web.exports import Cell, Column, Sheet, harmless, write
from dialer.web.schemas import Breakdown
from tests.store.places import SYSTEM
from tests.web.test_admin import add
from tests.web.test_facts import page, told  # noqa: F401 - a fixture
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

NASTY = ["=1+1", "+7903", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x";"y")', 'a"; "=1']


def body_of(text: str, sheet: str) -> list[list[str]]:
    """The cells of one table of the page."""
    table = re.search(rf'<section[^>]*id="{sheet}".*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL) if table else []
    clean = lambda cell: re.sub(r"<small.*?</small>|<[^>]+>", "", cell, flags=re.DOTALL).strip()  # noqa: E731 - once
    return [[clean(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


async def test_a_number_of_the_reports_opens_as_many_attempts(told):  # noqa: F811
    _, admin = await add(told, "admin", "admin")
    text = await page(admin, f"/reports?campaign={told.place.campaign.id}")
    assert "Traceback" not in text
    [row] = [row for row in body_of(text, "hours") if row[2] != "0"]
    assert row[1:6] == ["1", "1", "1", "0", "0"]
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/attempts\?[^"]*)"', text)}
    assert any("reason=price" in link for link in links)
    assert any("weekday=" in link and "hour=" in link for link in links)
    for link in links:
        assert str(told.mine["attempt_id"]) in await page(admin, link), link
    text = await page(admin, f"/attempts?campaign={told.place.campaign.id}&number=3")
    assert str(told.mine["attempt_id"]) not in text


async def test_days_and_weekdays_of_campaigns_in_several_zones_open_no_list_that_counts_otherwise(told):  # noqa: F811
    """A day of a row is one of each campaign's own zone; a list has one begin and one end for all."""
    _, admin = await add(told, "admin", "admin")
    await told.place.pools.web.execute(
        "UPDATE campaign SET zone = 'Asia/Vladivostok' WHERE id = $1", told.place.foreign.id
    )
    text = await page(admin, "/reports?period=month")
    assert "weekday=" not in text
    assert [row for row in body_of(text, "hours") if row[1] != "0"]
    assert "/attempts?" not in re.search(r'<section[^>]*id="hours".*?</section>', text, re.DOTALL)[0]
    assert "/attempts?" in text


@pytest.mark.parametrize(("each", "most"), [("hour", 24), ("day", 1), ("week", 1), ("month", 1)])
async def test_a_row_is_an_hour_a_day_a_week_or_a_month_and_opens_its_own_attempts(told, each, most):  # noqa: F811
    _, admin = await add(told, "admin", "admin")
    text = await page(admin, f"/reports?campaign={told.place.campaign.id}&period=today&each={each}")
    found = body_of(text, "hours")
    assert 1 <= len(found) <= most
    assert sum(int(row[1]) for row in found) == 1
    [link] = re.findall(
        r'href="(/attempts\?[^"]*fact=rang[^"]*)"', re.search(r'id="hours".*?</section>', text, re.DOTALL)[0]
    )
    assert str(told.mine["attempt_id"]) in await page(admin, link.replace("&amp;", "&"))


@pytest.mark.parametrize("by", get_args(Breakdown))
async def test_each_cell_of_every_breakdown_opens_as_many_attempts_as_it_counts(told, by):  # noqa: F811
    _, admin = await add(told, "admin", "admin")
    text = await page(admin, f"/reports?period=today&by={by}")
    found = body_of(text, "breakdown")
    assert sum(int(row[1]) for row in found) == 2
    section = re.search(r'<section[^>]*id="breakdown".*?</section>', text, re.DOTALL)[0]
    cells = re.findall(r'<a href="(/attempts[^"]*)">(\d+)</a>', section)
    assert cells
    for link, count in cells:
        opened = await page(admin, unescape(link))
        assert len(re.findall(r'<tr[^>]*>\s*<td[^>]*>\s*<a href="/attempts/', opened)) == int(count), link
    rang = sum(int(count) for link, count in cells if "fact=rang" in link)
    assert rang == 2


@pytest.mark.parametrize("by", get_args(Breakdown))
async def test_lists_of_leads_and_promises_say_which_number_they_are_behind(told, by):  # noqa: F811
    _, admin = await add(told, "admin", "admin")
    since = (told.place.now - timedelta(days=1)).isoformat()
    for place, fact, name in (("/leads", "leads", "Leads"), ("/callbacks", "promises_kept", "Promises kept")):
        text = await page(admin, f"{place}?{urlencode({'fact': fact, 'since': since, 'by': by, 'part': '-'})}")
        assert f"<b>{name}</b>" in text
    _, theirs = await add(told, "acme", "customer", customer="acme")
    assert "<b>Leads</b>" in await page(theirs, f"/leads?fact=leads&by={by}&part=1")


async def test_a_bound_supervisor_sees_the_numbers_of_the_own_team_alone(told):  # noqa: F811
    _, bound = await add(told, "bound", "supervisor", team="one")
    _, free = await add(told, "free", "supervisor")
    _, lost = await add(told, "lost", "supervisor", team="three")
    funnel = {name: body_of(await page(client, "/reports"), "funnel") for name, client in
              (("bound", bound), ("free", free), ("lost", lost))}  # fmt: skip
    assert [rows[0][1] for rows in funnel.values()] == ["1", "2", "0"]
    await page(bound, f"/reports?campaign={told.place.foreign.id}", 404)
    await page(bound, f"/reports/export?sheet=hours&format=csv&campaign={told.place.foreign.id}", 404)


async def test_a_customer_reads_the_numbers_and_the_brief_of_its_own_campaigns_and_nothing_about_operators(told):  # noqa: F811
    """Numbers without names and without the way to attempts, which are not open to customers."""
    campaign_id = told.place.campaign.id
    await told.place.stores.scripts.write(campaign_id, brief="Whom we look for", body={}, actor=SYSTEM)
    _, theirs = await add(told, "acme", "customer", customer="acme")
    _, others = await add(told, "other", "customer", customer="other")
    _, admin = await add(told, "admin", "admin")
    mine = await page(theirs, f"/reports?campaign={campaign_id}")
    every = await page(admin, f"/reports?campaign={campaign_id}")
    for sheet in ("hours", "funnel", "refusals", "yield"):
        assert body_of(mine, sheet) == body_of(every, sheet) != [], sheet
    assert "Whom we look for" in mine
    for hidden in ('id="operators"', "/attempts", f"/campaigns/{campaign_id}", "onerror"):
        assert hidden not in mine, hidden
    await page(others, f"/reports?campaign={campaign_id}", 404)
    assert [row[1] for row in body_of(await page(others, "/reports"), "funnel")][:1] == ["1"]
    await page(theirs, f"/reports?operator={told.place.operator_id}", 422)
    await page(theirs, "/reports/export?sheet=operators&format=csv", 404)
    assert (await theirs.get("/reports/export?sheet=hours&format=csv")).status == 200
    await page(others, f"/reports/export?sheet=hours&format=csv&campaign={campaign_id}", 404)


async def test_a_base_manager_reads_the_numbers_of_the_bases_that_user_loaded_and_only_those(told):  # noqa: F811
    """On the page, in a file and over the API; no base of somebody else's counts, in the same campaign neither."""
    web = told.place.pools.web
    mine, manager = await add(told, "mine", "base_manager")
    theirs, other = await add(told, "theirs", "base_manager")
    await web.execute(
        "UPDATE base SET loaded_by = $1, name = 'Spring' WHERE campaign_id = $2", mine.id, told.place.campaign.id
    )
    await web.execute("UPDATE base SET loaded_by = $1 WHERE campaign_id = $2", theirs.id, told.place.foreign.id)
    await told.place.add_contacts("+79035550300")  # a base of nobody's beside
    text = await page(manager, "/reports?period=today")
    assert body_of(text, "bases") == [["Spring", "1", "1", "1", "1", "0", "0", "0", "100.0", "100.0", "100.0"]]
    assert body_of(text, "funnel")[0][1] == "1"
    assert sum(int(row[1]) for row in body_of(text, "hours")) == 1
    assert not re.findall(r'href="/(attempts|leads|campaigns)', text)
    assert 'id="operators"' not in text
    await page(manager, f"/reports?campaign={told.place.foreign.id}", 404)
    await page(manager, "/reports/export?sheet=operators&format=csv", 404)
    assert "Spring" in await page(manager, "/reports/export?sheet=bases&format=csv")
    begin = told.place.now.replace(hour=0, minute=0)
    day = {"from": begin.isoformat(), "to": (begin + timedelta(days=1)).isoformat(), "by": "base"}
    for client, base in ((manager, told.mine), (other, told.theirs)):
        rows = (await told.get(client, "/api/v1/kpi", **day))["rows"]
        assert [(row["key"], row["facts"]["rang"]) for row in rows] == [(str(base["base_id"]), 1.0)]
        for by in ("total", "hour", "day"):
            total = (await told.get(client, "/api/v1/kpi", **{**day, "by": by}))["rows"]
            assert sum(row["facts"]["rang"] for row in total) == 1.0
            assert all("ready_s" not in row["facts"] for row in total)
        for foreign in ({"by": "operator"}, {"operator": told.place.operator_id}, {"by": "campaign"}):
            refused = await client.get("/api/v1/kpi", params={**day, **{k: str(v) for k, v in foreign.items()}})
            assert refused.status == 409, await refused.text()
            assert (await refused.json())["error"]["code"] == "kpi.of_bases"


async def test_a_base_manager_without_a_base_is_shown_none(told):  # noqa: F811
    _, manager = await add(told, "new", "base_manager")
    text = await page(manager, "/reports")
    assert body_of(text, "funnel")[0][1:3] == ["0", "0"]
    rows = (await told.get(manager, "/api/v1/kpi", by="total"))["rows"]
    assert rows[0]["facts"]["rang"] == 0


@pytest.mark.parametrize("sheet", ["hours", "funnel", "heat", "yield", "refusals", "operators"])
async def test_a_file_holds_what_is_drawn_and_a_real_reader_opens_it(told, sheet):  # noqa: F811
    await told.place.pools.web.execute("UPDATE app_user SET name = $1 WHERE role = 'operator'", "=cmd|' /C calc'!A0")
    _, admin = await add(told, "admin", "admin")
    drawn = body_of(await page(admin, "/reports"), sheet)
    text = await (await admin.get(f"/reports/export?sheet={sheet}&format=csv")).text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    raw = await (await admin.get(f"/reports/export?sheet={sheet}&format=xlsx")).read()
    cells = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    assert len(rows) == len(cells) == len(drawn) + 1 > 1
    for shown, plain, typed in zip(drawn, rows[1:], cells[1:], strict=True):
        for seen, text_, value in zip(shown[1:], plain[1:], typed[1:], strict=True):
            if seen == "–":
                assert text_ == ""
            elif isinstance(value, str):
                assert seen == text_ == value
            else:
                assert float(text_) == pytest.approx(value)
                assert float(seen) == pytest.approx(value, abs=0.51)
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_no_cell_of_a_file_is_a_formula():
    """OWASP's list, in labels and in values; read back both ways."""
    sheet = Sheet("x", "bars", [Column("count", "count")], [(name, [Cell(name)]) for name in NASTY])
    text = write(sheet, "csv", "en")[0].decode("utf-8-sig")
    for name, row in zip(NASTY, list(csv.reader(io.StringIO(text, newline="")))[1:], strict=True):
        assert row == [harmless(name)] * 2
        assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(write(sheet, "xlsx", "en")[0])).get_sheet_by_index(0).to_python()
    assert [row[0] for row in book[1:] if "\r" not in row[0] and "\n" not in row[0] and "\t" not in row[0]] == [
        name for name in NASTY if name[0] not in "\t\r\n"
    ]
