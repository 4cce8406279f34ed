"""Reports by mail: asked for by who may, sent on their days with the rights their user has then, ended by their link."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient
from python_calamine import CalamineWorkbook

from dialer.core.deliveries import Policy
from dialer.outbox import reports as outbox
from dialer.outbox.letters import STOP_REPORT, token
from dialer.outbox.reports import ReportPostman
from dialer.passwords import LETTER_KEY, key_in
from dialer.store.letters import Sender
from dialer.store.users import Actor
from dialer.web import report_letters
from dialer.web.call import CONTEXT
from dialer.web.texts import TEXTS
from tests.core.test_letters import UID, dsn
from tests.outbox.mailserver import mail_server
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add
from tests.web.test_facts import page, told  # noqa: F401 - a fixture
from tests.web.test_reports import body_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

ME = "/api/v1/me/reports"
ASK = {"name": "Daily", "period": "yesterday", "language": "en", "weekdays": [1, 2, 3, 4, 5, 6, 7], "hour": 9}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://mail.example"}


@pytest.fixture
async def mail():
    async with mail_server() as server:
        yield server


class Desk:
    """A user with an address and a report by mail, and the postman on a clock of the test's own."""

    def __init__(self, office, mail, tmp_path):  # noqa: F811
        self.office, self.mail, self.place = office, mail, office.place
        self.key = key_in(tmp_path, LETTER_KEY)
        self.now = datetime.now(UTC)

    def man(self, server=None, **values):
        return ReportPostman(
            self.place.pools.web,
            self.key,
            origin="https://d.example",
            sender=Sender(name="Dialer", address="dialer@d.example"),
            server=server or self.mail.server(),
            write=report_letters.writer(self.place.stores, "https://d.example"),
            policy=Policy(first_s=0.02, most_s=0.1, tries=4),
            clock=lambda: self.now,
            **values,
        )

    async def ask(self, client, status=201, **values):
        answer = await client.post(ME, json={**ASK, "campaign_id": self.place.campaign.id, **values}, headers=CSRF)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def address(self, client, address):
        assert (await client.put("/api/v1/me/address", json={"address": address}, headers=CSRF)).status == 200

    async def user(self, login, role, **values):
        user, client = await add(self.office, login, role, **values)
        await self.address(client, f"{login}@example.com")
        return user.id, client

    async def due(self, hours=25):
        """Time goes on until it is due, and everything that waits has an end."""
        self.now += timedelta(hours=hours)
        man = self.man()
        async with asyncio.timeout(20):
            await man.step()
            while await self.place.pools.web.fetchval(
                "SELECT EXISTS (SELECT FROM report_letter WHERE state = 'waiting')"
            ):
                self.now += timedelta(seconds=1)
                await man.step()

    async def letters(self):
        return await self.place.pools.web.fetch("SELECT * FROM report_letter ORDER BY id")

    async def of(self, client):
        return (await self.office.get(client, ME))["subscriptions"]


@pytest.fixture
async def desk(told, mail, tmp_path):  # noqa: F811
    return Desk(told, mail, tmp_path)


async def test_a_report_goes_at_its_hour_with_its_numbers_its_files_and_a_way_out(desk):
    _, client = await desk.user("boss", "supervisor")
    [one] = (await desk.ask(client, by="operator", addresses=["boss@example.com"]))["subscriptions"]
    zone = ZoneInfo(desk.place.campaign.zone)
    at = datetime.fromisoformat(one["next_at"])
    assert (at.astimezone(zone).hour, desk.now < at < desk.now + timedelta(days=2)) == (9, True)
    desk.now = at - timedelta(seconds=1)
    await desk.man().step()
    assert desk.mail.got == []
    await desk.due(hours=0.01)
    [told_] = desk.mail.mails
    yesterday = (at.astimezone(zone).date() - timedelta(days=1)).strftime("%Y%m%d")
    body = told_.get_body(("plain",)).get_content()
    [file] = told_.iter_attachments()
    [row] = await desk.letters()
    assert (told_["To"], told_["From"]) == ("boss@example.com", "Dialer <dialer@d.example>")
    assert told_["Message-ID"] == f"<report.{row['message_id']}@d.example>"
    assert told_["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert told_["Subject"].startswith("Daily: sales, ")
    assert file.get_filename() == f"report-{yesterday}.xlsx"
    assert token(desk.key, row["subscriber_id"], STOP_REPORT) in body
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.get_content()))
    assert book.sheet_names[0] == "Main numbers"
    [link] = re.findall(r"https://d\.example(/reports\?\S+)", body)
    shown = await page(client, link)
    summary = dict(re.findall(r"<dt>(.*?)</dt>\s*<dd><b>(?:<a[^>]*>)?([^<]*)<", shown))
    for name, value, _ in book.get_sheet_by_index(0).to_python()[1:]:
        text = summary[name].replace(",", "")
        assert text == "–" if value == "" else float(text) == pytest.approx(value, abs=0.051), name
        if f"{name}:" in body:
            assert f"{name}: {summary[name]}" in body
    for sheet in book.sheet_names[1:]:
        typed = book.get_sheet_by_name(sheet).to_python()
        [id_] = re.findall(rf'<section[^>]*id="(\w+)">\s*<header class="row"><h2>{sheet}</h2>', shown)
        assert [line[0] for line in typed[1:]] == [unescape(line[0]) for line in body_of(shown, id_)], sheet


async def test_the_day_that_is_told_of_is_the_campaigns(desk):
    """A conversation of today is in tomorrow's report, by the clock of the campaign and no other."""
    await desk.place.pools.web.execute("UPDATE campaign SET zone = 'Pacific/Auckland'")
    for row in await desk.place.pools.web.fetch("SELECT id FROM campaign"):
        await desk.place.stores.hour_rows.remake(
            desk.now - timedelta(days=1), desk.now + timedelta(days=1), [row["id"]]
        )
    _, client = await desk.user("boss", "admin")
    await desk.ask(client, addresses=["boss@example.com"], format="csv", hour=0)
    sent = await desk.place.pools.web.fetchval("SELECT max(sent_at) FROM attempt")
    while not desk.mail.got or desk.now < sent + timedelta(days=2):
        await desk.due(hours=6)
    auckland = ZoneInfo("Pacific/Auckland")
    rang = {}
    for mail in desk.mail.mails:
        files = {file.get_filename(): file.get_payload(decode=True) for file in mail.iter_attachments()}
        name = next(name for name in files if name.startswith("summary"))
        rows = list(csv.reader(io.StringIO(files[name].decode("utf-8-sig"))))
        rang[name[8:16]] = rows[1][1]
    assert rang[f"{sent.astimezone(auckland):%Y%m%d}"] == "1.0"
    assert [value for value in rang.values() if value != "0.0"] == ["1.0"]
    assert len(rang) == len(desk.mail.mails)


async def test_only_an_admin_sends_to_other_addresses_and_only_while_an_admin(desk):
    admin_id, admin = await desk.user("chief", "admin")
    _, boss = await desk.user("boss", "supervisor")
    refused = error_of(await desk.ask(boss, 422, addresses=["boss@example.com", "x@rival.example"]))
    assert (refused.code, refused.data["fields"][0]["field"]) == ("subscription.address", "addresses")
    await desk.ask(boss, addresses=["boss@example.com"])
    [one] = await desk.of(boss)
    both = {**ASK, "campaign_id": desk.place.campaign.id, "addresses": ["boss@example.com", "x@rival.example"]}
    assert (await boss.put(f"{ME}/{one['id']}", json=both, headers=CSRF)).status == 422
    assert (await admin.put(f"{ME}/{one['id']}", json=both, headers=CSRF)).status == 200
    assert (await boss.put(f"{ME}/{one['id']}", json={**both, "hour": 10}, headers=CSRF)).status == 200  # they stay
    await desk.due()
    assert {mail["To"] for mail in desk.mail.mails} == {"boss@example.com", "x@rival.example"}
    await desk.place.stores.users.change(admin_id, {"role": "supervisor"}, actor=Actor())
    desk.mail.got.clear()
    await desk.due()
    assert {mail["To"] for mail in desk.mail.mails} == {"boss@example.com"}
    last = (await desk.letters())[-1]
    assert (last["address"], last["state"], last["reason"]) == ("x@rival.example", "refused", "address")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"disabled": True}, "disabled"),
        ({"role": "operator", "team": "one"}, "rights"),
        ({"team": "two"}, "rights"),
    ],
)
async def test_whoever_may_no_longer_read_it_gets_nothing_and_it_stops_and_says_why(desk, change, why):
    id_, boss = await desk.user("boss", "supervisor", team="one")
    _, admin = await desk.user("chief", "admin")
    await desk.ask(boss, addresses=["boss@example.com"])
    await desk.place.stores.users.change(id_, change, actor=Actor())
    await desk.due()
    assert desk.mail.got == []
    [row] = await desk.letters()
    assert (row["state"], row["reason"]) == ("refused", why)
    [one] = await desk.of(admin)
    assert (one["stopped_why"], one["next_at"]) == (why, None)
    await desk.due(hours=72)
    assert len(await desk.letters()) == 1
    noted = await desk.place.pools.web.fetchrow("SELECT * FROM audit WHERE action = 'subscription.stop'")
    assert (noted["user_id"], noted["after"]) == (None, {"why": why})
    assert TEXTS["en"][f"report_mail.why.{why}"] in await page(admin, "/reports/mail")


async def test_a_customer_gets_the_own_campaigns_and_nothing_about_operators(desk):
    _, acme = await desk.user("acme", "customer", customer="acme")
    assert (await acme.post(ME, json={**ASK, "campaign_id": desk.place.foreign.id, "addresses": ["acme@example.com"]},
                            headers=CSRF)).status == 404  # fmt: skip
    asked = {"campaign_id": None, "addresses": ["acme@example.com"]}
    assert error_of(await desk.ask(acme, 422, **asked, by="operator")).code == "request.operator"
    await desk.ask(acme, **asked)
    await desk.due()
    [mail] = desk.mail.mails
    [file] = mail.iter_attachments()
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.get_content()))
    assert "Operators compared" not in book.sheet_names
    assert "Broken down" in book.sheet_names
    assert "attempts?" not in mail.get_body(("plain",)).get_content()


async def test_nobody_sees_or_changes_another_users_report(desk):
    _, boss = await desk.user("boss", "supervisor")
    _, other = await desk.user("other", "supervisor")
    _, auditor = await add(desk.office, "auditor", "auditor")
    await desk.ask(boss, addresses=["boss@example.com"])
    [one] = await desk.of(boss)
    assert await desk.of(other) == []
    path = f"{ME}/{one['id']}"
    whole = {**ASK, "campaign_id": desk.place.campaign.id, "addresses": ["other@example.com"]}
    desk.office.server.app[CONTEXT].settings.smtp_host = "127.0.0.1"
    for method, where, body in (
        ("PUT", path, whole),
        ("PATCH", path, {"paused": True}),
        ("DELETE", path, None),
        ("POST", f"{path}/send", None),
        ("GET", f"{path}/letters", None),
    ):
        answer = await other.request(method, where, json=body, headers=CSRF)
        assert (answer.status, error_of(await answer.json()).code) == (404, "subscription.not_found"), (method, where)
        assert (await auditor.request(method, where, json=body, headers=CSRF)).status == 403
    assert (await auditor.get("/reports/mail")).status == 403
    assert "boss@example.com" not in await page(other, f"/reports/mail?chosen={one['id']}")


async def test_a_link_is_looked_at_without_harm_and_ends_the_report_for_its_address_alone(desk):
    _, admin = await desk.user("chief", "admin")
    await desk.ask(admin, addresses=["chief@example.com", "ann@example.com"])
    await desk.due()
    ann = next(row for row in await desk.letters() if row["address"] == "ann@example.com")
    visitor = TestClient(desk.office.server)
    desk.office.clients.append(visitor)
    path = f"/reports/stop/{token(desk.key, ann['subscriber_id'], STOP_REPORT)}"
    assert "a…@example.com" in await (await visitor.get(path)).text()
    wrong = f"/reports/stop/{token(desk.key, ann['subscriber_id'])}"  # of another purpose
    assert (await visitor.get(wrong)).status == 404
    assert (await visitor.post(wrong, headers=FORM)).status == 404
    desk.mail.got.clear()
    await desk.due()
    assert len(desk.mail.got) == 2
    for _ in range(2):
        assert (await visitor.post(path, data="List-Unsubscribe=One-Click", headers=FORM)).status == 200
    desk.mail.got.clear()
    await desk.due()
    assert [mail["To"] for mail in desk.mail.mails] == ["chief@example.com"]
    chief = next(row for row in await desk.letters() if row["address"] == "chief@example.com")
    await visitor.post(f"/reports/stop/{token(desk.key, chief['subscriber_id'], STOP_REPORT)}", headers=FORM)
    [one] = await desk.of(admin)
    assert one["stopped_why"] == "link"


async def test_send_now_is_a_trial_to_oneself_and_keeps_the_schedule(desk):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"])
    [one] = await desk.of(boss)
    send = f"{ME}/{one['id']}/send"
    assert error_of(await desk.office.post(boss, send, 409)).code == "letter.no_server"
    desk.office.server.app[CONTEXT].settings.smtp_host = "127.0.0.1"
    for _ in range(10):
        await desk.office.post(boss, send)
    assert error_of(await desk.office.post(boss, send, 429)).code == "subscription.trials"
    desk.now = datetime.now(UTC)
    await desk.man().step()
    assert {mail["To"] for mail in desk.mail.mails} == {"boss@example.com"}
    [again] = await desk.of(boss)
    assert again["next_at"] == one["next_at"]
    letters = (await desk.office.get(boss, f"{ME}/{one['id']}/letters"))["letters"]
    assert [row["day"] for row in letters] == [None] * 10
    assert await desk.place.count("report_file") == 0  # nothing waits for them any more


async def test_a_server_that_is_away_is_tried_again_with_the_same_report_under_the_same_id(desk):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"])
    desk.now += timedelta(hours=25)
    assert await desk.man(desk.mail.server(port=1)).step() == (0, True)
    [row] = await desk.letters()
    assert (row["state"], row["reason"], row["tries"]) == ("waiting", "server_away", 1)
    desk.mail.after, desk.mail.cut_late = ["451 4.3.0 later"], 1
    await desk.due(hours=0.01)
    assert {mail["Message-ID"] for mail in desk.mail.mails} == {f"<report.{row['message_id']}@d.example>"}
    first, second = [raw for _, raw in desk.mail.got]  # the answer to the first was lost
    clean = lambda raw: re.sub(rb"={15,}\d+==", b"", raw)  # noqa: E731 - the boundary between parts
    assert clean(first) == clean(second)
    [row] = await desk.letters()
    assert row["state"] == "sent"


async def test_what_a_dead_process_was_sending_is_sent_by_the_next_one_and_two_send_each_once(desk, monkeypatch):
    _, admin = await desk.user("chief", "admin")
    addresses = [f"n{number}@example.com" for number in range(6)]
    await desk.ask(admin, addresses=addresses)
    desk.now += timedelta(hours=25)
    with monkeypatch.context() as dying:

        async def die(*_args, **_values):
            raise asyncio.CancelledError

        dying.setattr(outbox.subscriptions, "told", die)
        with pytest.raises(asyncio.CancelledError):
            await desk.man(held_s=0.5).step()
    desk.now += timedelta(seconds=1)
    await asyncio.gather(desk.man().step(), desk.man().step())
    ids = [mail["Message-ID"] for mail in desk.mail.mails]
    assert (len(ids), len(set(ids))) == (7, 6)  # the one whose end was not written came twice, under its id
    assert {row["state"] for row in await desk.letters()} == {"sent"}
    assert await desk.place.count("report_run") == 1


async def test_days_without_the_service_are_made_up_for_a_week_and_a_clock_put_back_repeats_nothing(desk):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"])
    await desk.due(hours=24 * 10)
    days = [row["day"] for row in await desk.place.pools.web.fetch("SELECT day FROM report_run ORDER BY day")]
    assert len(days) == len(set(days)) == len(desk.mail.got) in {7, 8}
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    desk.now -= timedelta(days=3)
    await desk.due(hours=0)
    assert await desk.place.count("report_run") == len(days)
    await desk.due(hours=24 * 4)
    assert await desk.place.count("report_run") == len(days) + 1


async def test_an_address_where_nobody_is_gets_no_more(desk):
    _, admin = await desk.user("chief", "admin")
    await desk.ask(admin, addresses=["chief@example.com", "gone@example.com"])
    desk.mail.to["gone@example.com"] = ["550 5.1.1 no such user"]
    await desk.due()
    desk.mail.got.clear()
    await desk.due()
    [one] = await desk.of(admin)
    assert {row["address"]: row["stopped"] for row in one["addresses"]} == {
        "chief@example.com": None,
        "gone@example.com": "bounced",
    }
    assert {row["address"] for row in (await desk.letters())[2:]} == {"chief@example.com"}


async def test_a_bounce_that_comes_back_later_ends_the_report_for_that_address(desk):
    _, admin = await desk.user("chief", "admin")
    await desk.ask(admin, addresses=["chief@example.com"])
    await desk.due()
    [row] = await desk.letters()
    raw = dsn().replace(f"letter.{UID}".encode(), f"report.{row['message_id']}".encode())
    binary = {**CSRF, "Content-Type": "application/octet-stream"}
    for answer in (
        {"letter": row["id"], "kind": "bounced", "of": "report"},
        {"letter": None, "kind": None, "of": None},
    ):
        told_ = await admin.post("/api/v1/letters/reports", data=raw, headers=binary)
        assert await told_.json() == answer
    [one] = await desk.of(admin)
    assert (one["addresses"][0]["stopped"], one["stopped_why"]) == ("bounced", "nobody")


async def test_a_report_that_cannot_be_made_says_so_and_holds_up_no_other(desk, monkeypatch):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"], name="broken")
    await desk.ask(boss, addresses=["boss@example.com"], name="well")
    compose = report_letters._compose

    async def break_one(report, one, origin):
        if one.name == "broken":
            raise RuntimeError("boom")
        return await compose(report, one, origin)

    monkeypatch.setattr(report_letters, "_compose", break_one)
    await desk.due()
    assert sorted((row["state"], row["reason"]) for row in await desk.letters()) == [
        ("given_up", "report"),
        ("sent", None),
    ]
    [boom] = [row["detail"] for row in await desk.letters() if row["reason"]]
    assert "boom" in boom


@pytest.mark.parametrize(
    "wrong",
    [
        {"weekdays": [], "month_day": None},
        {"weekdays": [1], "month_day": 3},
        {"weekdays": [8]},
        {"hour": 24},
        {"addresses": []},
        {"addresses": ["x@y.example\r\nBcc: z@y.example"]},
        {"period": "today"},
    ],
)
async def test_what_is_no_schedule_or_no_address_is_refused(desk, wrong):
    _, admin = await desk.user("chief", "admin")
    await desk.ask(admin, 422, **{"addresses": ["chief@example.com"], **wrong})


async def test_a_changed_address_of_ones_own_takes_the_reports_along(desk):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"])
    await desk.address(boss, "new@example.com")
    await desk.due()
    assert [mail["To"] for mail in desk.mail.mails] == ["new@example.com"]


async def test_every_change_is_in_the_audit_log_and_no_address_is(desk):
    _, boss = await desk.user("boss", "supervisor")
    await desk.ask(boss, addresses=["boss@example.com"])
    [one] = await desk.of(boss)
    path = f"{ME}/{one['id']}"
    await boss.put(path, json={**ASK, "campaign_id": None, "addresses": ["boss@example.com"]}, headers=CSRF)
    for paused in (True, False):
        await boss.patch(path, json={"paused": paused}, headers=CSRF)
    await boss.delete(path, headers=CSRF)
    rows = await desk.place.pools.web.fetch(
        "SELECT action, a::text AS whole FROM audit a WHERE action ~ 'subscription|address' ORDER BY id"
    )
    assert [row["action"] for row in rows] == [
        "user.address",
        *(f"subscription.{what}" for what in ("add", "change", "stop", "resume", "remove")),
    ]
    assert not any("boss@example.com" in row["whole"] for row in rows)
    assert await desk.of(boss) == []
