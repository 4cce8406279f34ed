"""Letters are set up by who may, seen with a real contact before they go, and end where their addressee says so."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestClient
from python_calamine import CalamineWorkbook

from dialer.core.mail_reports import message_id
from dialer.outbox.letters import token
from dialer.passwords import LETTER_KEY, key_in
from dialer.web.call import CONTEXT
from tests.outbox.mailserver import mail_server
from tests.web.conftest import CSRF, error_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

RULE = {"mode": "send", "language": "en", "per_hour": 5, "per_day": 50, "unanswered_max": 3}
SENDER = {"name": "Acme", "address": "office@acme.example", "reply_to": None}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://mail.example"}


@pytest.fixture
async def desk(office):  # noqa: F811
    """An admin, and where the campaign's letters are."""
    admin = await office.login("admin")
    path = f"/api/v1/campaigns/{office.place.campaign.id}/letters"
    for what, ask in (("rule", RULE), ("sender", SENDER)):
        answer = await admin.put(f"{path}/{what}", json=ask, headers=CSRF)
        assert answer.status == 200, await answer.text()
    return admin, path


@pytest.fixture
async def letter(office, desk):  # noqa: F811
    """A letter that waits; its row."""
    return await write(office.place, "ivan@example.com")


async def write(place, address, note="=cmd()|x"):
    ann = await place.add_operator(f"ann{address}")
    await place.add_contacts(f"+1202555{abs(hash(address)) % 9000 + 1000}")
    [contact] = await place.pools.web.fetch("SELECT id, base_id, phone_id FROM contact ORDER BY id DESC LIMIT 1")
    attempt = await place.pools.web.fetchval(
        """INSERT INTO attempt (attempt_id, contact_id, campaign_id, base_id, phone_id, switch, epoch, number, profile,
               profile_version, sent_at, rang_at, answered_at, operator_id, connected_at, ended_at, outcome, ended_by, counts,
               legal_answered, legal_abandoned)
           VALUES (gen_random_uuid(), $1, $2, $3, $4, 'main', 1, 1, 'world', 1, now(), now(), now(), $5, now(), now(),
               'connected', 'callee', true, true, false) RETURNING attempt_id""",
        contact["id"], place.campaign.id, contact["base_id"], contact["phone_id"], ann,
    )  # fmt: skip
    place.now = datetime.now(UTC)
    await place.save(attempt, ann, "email_cold", key=address, address=address, note=note)
    return await place.pools.web.fetchrow("SELECT * FROM letter ORDER BY id DESC LIMIT 1")


async def test_a_text_is_seen_with_a_real_contact_saved_as_a_version_and_refused_where_it_is_none(office, desk, letter):  # noqa: F811
    admin, path = desk
    body = {
        "word": "proposal",
        "language": "en",
        "subject": "For {{ name }}",
        "body": "{{ agreed }} {{ contact.street }}",
    }
    seen = await office.post(admin, f"{path}/preview", **body, contact=letter["contact_id"])
    assert (seen["subject"], seen["missing"], seen["flaw"]) == ("For contact 2", ["contact.street"], None)
    assert seen["body"].startswith("=cmd()|x")
    wrong = await office.post(admin, f"{path}/preview", **body | {"body": "{{ nmae }}"}, contact=letter["contact_id"])
    assert wrong["flaw"] == "there is no such field: nmae"
    answer = await admin.put(f"{path}/text", json=body | {"subject": "{{ nmae }}"}, headers=CSRF)
    refused = error_of(await answer.json())
    assert (answer.status, refused.code, refused.data["fields"][0]["field"]) == (422, "letter.template", "subject")
    for version in (1, 2):
        answer = await admin.put(f"{path}/text", json=body, headers=CSRF)
        saved = next(
            one for one in (await answer.json())["texts"] if (one["word"], one["language"]) == ("proposal", "en")
        )
        assert saved["version"] == version
    page = await (await admin.get(f"/campaigns/{office.place.campaign.id}/letters?word=proposal&language=en")).text()
    assert "For contact 2" in page
    answer = await admin.put(f"{path}/text", json=body | {"word": "stale"}, headers=CSRF)
    assert answer.status == 404  # no disposition brings it


async def test_only_an_admin_says_in_whose_name_and_a_supervisor_and_base_manager_write_the_text(office, desk):  # noqa: F811
    _, path = desk
    body = {"word": "lead", "language": "ru", "subject": "s", "body": "b"}
    for role, text, rule in (("supervisor", 200, 403), ("base_manager", 200, 403), ("auditor", 403, 403)):
        client = await office.login(role)
        assert (await client.put(f"{path}/text", json=body, headers=CSRF)).status == text
        assert (await client.put(f"{path}/rule", json=RULE, headers=CSRF)).status == rule
        assert (await client.put(f"{path}/sender", json=SENDER, headers=CSRF)).status == rule


@pytest.mark.parametrize("wrong", ["office", "office@acme.example\r\nBcc: x@y.example", "a@b.example, c@d.example"])
async def test_a_sender_that_is_no_address_is_refused_at_its_field(desk, wrong):
    admin, path = desk
    for field in ("address", "reply_to"):
        answer = await admin.put(f"{path}/sender", json=SENDER | {field: wrong}, headers=CSRF)
        refused = error_of(await answer.json())
        assert (answer.status, refused.code, refused.data["fields"][0]["field"]) == (422, "letter.address", field)


async def test_a_link_of_a_letter_is_looked_at_without_harm_and_ends_it_without_a_login(office, letter, tmp_path):  # noqa: F811
    visitor = TestClient(office.server)
    office.clients.append(visitor)
    path = f"/unsubscribe/{token(key_in(tmp_path, LETTER_KEY), letter['id'])}"
    for _ in range(2):
        page = await (await visitor.get(path)).text()
        assert "i…@example.com" in page
        assert "ivan@" not in page
    assert await office.place.count("letter_stop") == 0
    for _ in range(2):  # by the mail program's own button: from another origin, without a session or our header
        answer = await visitor.post(path, data="List-Unsubscribe=One-Click", headers=FORM)
        assert answer.status == 200
    [row] = await office.place.pools.web.fetch("SELECT * FROM letter_stop")
    assert (row["address"], row["scope"], row["why"]) == ("ivan@example.com", "customer", "unsubscribed")
    wrong = path[:-8] + "AAAAAAAA"
    assert (await visitor.get(wrong)).status == 404
    assert (await visitor.post(wrong, headers=FORM)).status == 404


async def test_whoever_reads_a_letter_cannot_end_letters_in_the_addressees_name(office, letter, tmp_path):  # noqa: F811
    """An auditor, who changes nothing, reads that there is a link; only the letter itself has it."""
    key = key_in(tmp_path, LETTER_KEY)
    link = f"/unsubscribe/{token(key, letter['id'])}"
    await office.place.pools.web.execute(
        "UPDATE letter SET subject = 's', body = $2 WHERE id = $1",
        letter["id"],
        f"Hello\n--\nhttps://d.example{link}\n",
    )
    for role in ("auditor", "supervisor"):
        page = await (await (await office.login(role)).get(f"/letters/{letter['id']}")).text()
        assert "https://d.example/unsubscribe/…" in page
        assert link not in page


async def test_a_letter_is_sent_to_oneself_and_what_the_server_says_is_told(office, desk, letter):  # noqa: F811
    admin, path = desk
    ask = {"word": "proposal", "language": "en", "to": "me@example.com"}
    assert error_of(await office.post(admin, f"{path}/test", 409, **ask)).code == "letter.no_server"
    async with mail_server() as mail:
        for name, value in (("smtp_host", "127.0.0.1"), ("smtp_port", mail.port), ("smtp_tls", "none")):
            setattr(office.server.app[CONTEXT].settings, name, value)
        await office.post(admin, f"{path}/test", **ask)
        assert [told["Subject"] for told in mail.mails] == ["acme: the proposal you asked for"]
        mail.to["bad@example.com"] = ["550 5.7.1 no relay"]
        refused = error_of(await office.post(admin, f"{path}/test", 409, **ask | {"to": "bad@example.com"}))
        assert (refused.code, "no relay" in refused.message) == ("letter.not_taken", True)
        for _ in range(8):
            await office.post(admin, f"{path}/test", **ask)
        assert error_of(await office.post(admin, f"{path}/test", 429, **ask)).code == "letter.too_many"
    assert await office.place.count("letter") == 1


async def test_lists_are_fetched_as_csv_and_xlsx_and_hold_no_formula(office, desk):  # noqa: F811
    admin, path = desk
    place = office.place
    await admin.put(f"{path}/rule", json=RULE | {"mode": "list"}, headers=CSRF)
    await admin.put(
        f"{path}/text", json={"word": "proposal", "language": "en", "subject": "=1+1", "body": "@x"}, headers=CSRF
    )
    await write(place, "ivan@example.com")
    await place.pools.web.execute("UPDATE letter SET made_at = made_at - interval '2 hours'")
    from dialer.outbox.letters import Postman

    await Postman(place.pools.web, bytes(32), origin="https://d.example", server=None).step()
    [told] = (await office.get(admin, f"/api/v1/letters/lists?campaign_id={place.campaign.id}"))["lists"]
    file = f"/letters/list?campaign_id={place.campaign.id}&list={told['id']}&format="
    text = await (await admin.get(f"{file}csv")).text(encoding="utf-8-sig")
    [row] = list(csv.DictReader(io.StringIO(text)))
    assert (row["address"], row["subject"]) == ("ivan@example.com", "'=1+1")
    assert row["body"].startswith("'@x")
    raw = await (await admin.get(f"{file}xlsx")).read()
    cells = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
    assert cells[1][5] == "=1+1"  # a text cell
    [told] = (await office.get(admin, f"/api/v1/letters/lists?campaign_id={place.campaign.id}"))["lists"]
    assert told["fetched_at"] is not None
    assert (await admin.get(f"{file[:-8]}999999&format=csv")).status == 404


async def test_a_mail_of_the_bounce_mailbox_is_taken_and_anything_else_changes_nothing(office, desk, letter):  # noqa: F811
    admin, _ = desk
    from tests.core.test_letters import UID, dsn

    await office.place.pools.web.execute("UPDATE letter SET state = 'sent', sent_at = now(), closed_at = now()")
    raw = dsn().replace(str(UID).encode(), str(letter["message_id"]).encode())
    assert message_id(letter["message_id"], "acme.example").encode() in raw
    told = []
    for mail in (b"From: x\n\nhello", dsn(), raw):
        answer = await admin.post(
            "/api/v1/letters/reports", data=mail, headers={**CSRF, "Content-Type": "application/octet-stream"}
        )
        assert answer.status == 200, await answer.text()
        told.append(await answer.json())
    none = {"letter": None, "kind": None, "of": None}
    assert told == [none, none, {"letter": letter["id"], "kind": "bounced", "of": "letter"}]
    page = await (await admin.get(f"/contacts/{letter['contact_id']}")).text()
    assert "bounced" in page


async def test_letters_are_listed_with_masked_addresses_and_ended_by_hand(office, desk, letter):  # noqa: F811
    admin, _ = desk
    [row] = (await office.get(admin, "/api/v1/letters?state=waiting&q=ivan@example.com"))["letters"]
    assert (row["id"], row["address"]) == (letter["id"], "i…@example.com")
    await office.post(admin, "/api/v1/letters/stops", 201, address="Ivan@Example.com")
    [stop] = (await office.get(admin, "/api/v1/letters/stops"))["stops"]
    assert (stop["address"], stop["why"]) == ("ivan@example.com", "asked")
    one = f"/api/v1/letters/{letter['id']}"
    assert error_of(await office.post(admin, f"{one}/replay", 409)).code == "letter.no_replay"
    assert error_of(await office.post(admin, f"{one}/answered", 409)).code == "letter.not_sent"
    assert error_of(await office.post(admin, "/api/v1/letters/stops", 422, address="x")).code == "letter.address"
    asked = {"address": "a@b.example", "scope": "customer"}
    assert error_of(await office.post(admin, "/api/v1/letters/stops", 422, **asked)).code == "letter.scope"
    assert (await admin.delete(f"/api/v1/letters/stops/{stop['id']}", headers=CSRF)).status == 200
    for page in ("/letters", f"/letters/{letter['id']}"):
        assert "proposal" in await (await admin.get(page)).text()
