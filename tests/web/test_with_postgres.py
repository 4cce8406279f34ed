"""The whole way in over a real PostgreSQL: what the API says is what the database holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from dialer.core import kpi_money
from dialer.core.model import AttemptState, Outcome
from dialer.store.callbacks import Sought
from dialer.store.users import Actor
from dialer.web.app import create_app
from tests.store.places import Place
from tests.web import fakes
from tests.web.conftest import CSRF, error_of

pytestmark = pytest.mark.postgres

CSV = """name,phone,zone,city
Ada,+12025550100,America/New_York,Boston
Bad,12,America/New_York,Boston
Lin,+12025550101,Nowhere/Land,Salem
Joe,+12025550102,America/New_York,Salem
"""


class Office:
    """The web room over a database in which a campaign runs."""

    def __init__(self, place: Place, password_hash: str, **settings):
        self.place = place
        self.hash = password_hash
        self.live = fakes.FakeLive()
        self.commands = fakes.FakeCommands(self.live)
        app = create_app(
            stores=place.stores, commands=self.commands, live=self.live, settings=fakes.settings(**settings)
        )
        self.server = TestServer(app)
        self.clients = []

    async def login(self, role: str, team: str | None = None) -> TestClient:
        await self.place.stores.users.add(
            login=role, name=role, role=role, password_hash=self.hash, team=team, language="en", actor=Actor()
        )
        return await self.enter(role)

    async def enter(self, login: str) -> TestClient:
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        answer = await self.post(client, "/api/v1/login", login=login, password=fakes.PASSWORD)
        assert answer["user"]["login"] == login
        return client

    async def post(self, client, path, status=200, **body):
        answer = await client.post(path, json=body, headers=CSRF)
        assert answer.status == status, await answer.text()
        return await answer.json()

    async def get(self, client, path, **query):
        answer = await client.get(path, params=query)
        assert answer.status == 200, await answer.text()
        return await answer.json()


@pytest.fixture
async def office(place, password_hash, tmp_path):
    place.now = datetime.now(UTC)
    opened = Office(place, password_hash, data_dir=tmp_path)
    await opened.server.start_server()
    yield opened
    for client in opened.clients:
        await client.session.close()
    await opened.server.close()


async def test_a_campaign_from_nothing_to_dialing(office):
    """A draft, a base with bad rows, a start: each bad row has its line and reason, the rest is loaded."""
    admin = await office.login("admin")
    asked = {"name": "spring", "mode": "progressive", "customer": "acme", "team": "one", "trunk": "world"}
    made = (await office.post(admin, "/api/v1/campaigns", 201, **asked, profile="world"))["campaign"]
    assert (made["state"], len(made["dispositions"])) == ("draft", 13)
    path = f"/api/v1/campaigns/{made['id']}"

    headers = {**CSRF, "Content-Type": "text/csv"}
    loaded = await (await admin.post(f"{path}/bases?name=first", data=CSV.encode(), headers=headers)).json()
    base = loaded["base"]
    assert (base["rows_in"], base["rows_loaded"], base["rows_rejected"]) == (4, 2, 2)
    assert [row["line"] for row in loaded["rejected"]] == [3, 4]
    again = await (await admin.post(f"{path}/bases", data=CSV.encode(), headers=headers)).json()
    assert (again["repeated"], again["base"]["id"]) == (True, base["id"])

    why = await office.get(admin, f"{path}/why")
    assert (why["total"], why["counts"]) == (2, {"campaign_state": 2})
    assert (await office.post(admin, f"{path}/state", state="running"))["campaign"]["state"] == "running"
    assert ("campaigns_changed",) in office.commands.asked
    assert (await office.get(admin, f"{path}/why"))["total"] == 2


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"trunk": "nowhere"}, 422, "campaign.trunk"),
        ({"profile": "nowhere"}, 422, "campaign.profile"),
        ({"zone": "Nowhere/Land"}, 422, "campaign.zone"),
        ({"mode": "ivr"}, 422, "campaign.value"),
        ({"name": "sales"}, 409, "campaign.exists"),
        ({"ring_timeout_s": 1}, 422, "request.invalid"),
    ],
)
async def test_a_campaign_that_cannot_be_is_refused(office, change, status, code):
    """With a stable code; nothing is left of it."""
    admin = await office.login("admin")
    asked = {"name": "new", "mode": "progressive", "customer": "acme", "team": "one", "trunk": "world"}
    refused = await office.post(admin, "/api/v1/campaigns", status, **{**asked, "profile": "world", **change})
    assert error_of(refused).code == code
    assert len((await office.get(admin, "/api/v1/campaigns"))["campaigns"]) == 1


async def talking(office, client_login="operator"):
    """An operator in a conversation: browser, ids of operator, contact and attempt."""
    here = office.place
    client = await office.login(client_login, team="one")
    operator_id = (await office.get(client, "/api/v1/me"))["user"]["id"]
    [contact_id] = await here.add_contacts("+79035550100")
    [attempt] = await here.dial(1)
    attempt = await here.talk(attempt, operator_id)
    await office.live.put(
        fakes.operator(operator_id, state="talking", attempt_id=attempt.id, campaign_id=here.campaign.id)
    )
    return client, operator_id, contact_id, attempt


async def save(client, attempt, body, key="key-1"):
    answer = await client.post(
        f"/api/v1/attempts/{attempt.id}/disposition", json=body, headers={**CSRF, "Idempotency-Key": key}
    )
    return answer.status, await answer.json()


async def test_card_draft_and_disposition_of_a_conversation(office):
    """The card is of the live attempt; a draft survives a reload; a disposition is saved once."""
    client, operator_id, _, attempt = await talking(office)
    card = (await office.get(client, "/api/v1/operator"))["card"]
    assert (card["phone"], card["number"], card["attributes"]) == ("+79035550100", 1, {"city": "Vladivostok"})
    assert [kind["code"] for kind in card["dispositions"]][:3] == ["lead", "agreed", "callback"]

    kept = await client.put(f"/api/v1/attempts/{attempt.id}/draft", json={"note": "half"}, headers=CSRF)
    assert kept.status == 200
    assert (await office.get(client, "/api/v1/operator"))["card"]["draft"]["note"] == "half"

    body = {"code": "lead", "note": "wants it"}
    first, repeated = await save(client, attempt, body), await save(client, attempt, body)
    assert first == repeated
    assert first[0] == 200
    assert error_of((await save(client, attempt, {**body, "note": "other"}))[1]).code == "disposition.other_content"
    assert error_of((await save(client, attempt, body, key="key-2"))[1]).code == "disposition.exists"
    assert (await office.get(client, "/api/v1/operator"))["card"]["saved"] == "lead"
    assert ("disposition_saved", operator_id, attempt.id) in office.commands.asked
    assert await office.place.count("disposition") == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "nonsense"}, 422, "disposition.unknown"),
        ({"code": "callback"}, 422, "disposition.needs_time"),
        ({"code": "refused_with_reason"}, 422, "disposition.needs_reason"),
        ({"code": "refused_with_reason", "reason": "boredom"}, 422, "disposition.unknown_reason"),
        ({"code": "email_cold"}, 422, "disposition.needs_address"),
        ({"code": "callback", "callback": {"due_at": "2020-01-01T00:00:00Z"}}, 422, "callback.past"),
    ],
)
async def test_what_cannot_be_saved_has_a_stable_code(office, body, status, code):
    """And nothing of it is in the database."""
    client, _, _, attempt = await talking(office)
    found = await save(client, attempt, body)
    assert (found[0], error_of(found[1]).code) == (status, code)
    assert await office.place.count("disposition") == 0


async def test_a_callback_outside_the_window_is_refused_when_it_is_made(office):
    """Under the strict profile nobody is promised a call at three in the night."""
    admin = await office.login("admin")
    campaign = office.place.campaign
    await office.place.stores.campaigns.set_trunk("carrier", actor=Actor())
    await office.place.pools.web.execute("UPDATE trunk SET kind = 'carrier' WHERE name = 'world'")
    changed = await admin.patch(f"/api/v1/campaigns/{campaign.id}", json={"profile": "strict"}, headers=CSRF)
    assert changed.status in {200, 409}
    await office.place.pools.web.execute("UPDATE campaign SET profile = 'strict'")
    client, operator_id, contact_id, _ = await talking_by_hand(office)
    night = (datetime.now(UTC) + timedelta(days=9)).replace(hour=0, minute=30).isoformat()  # 03:30 in Moscow
    found = await save(client, contact_id, {"code": "callback", "callback": {"due_at": night}})
    assert operator_id
    assert (found[0], error_of(found[1]).code) == (422, "callback.outside_window")


async def talking_by_hand(office):
    """As ``talking``, without the gate, which is not what is looked at here."""
    here = office.place
    client = await office.login("operator", team="one")
    operator_id = (await office.get(client, "/api/v1/me"))["user"]["id"]
    [contact_id] = await here.add_contacts("+79035550100")
    row = await here.pools.web.fetchrow(
        """INSERT INTO attempt_live (phone_id, attempt_id, contact_id, campaign_id, base_id, switch, epoch, number, counted,
               profile, profile_version, state, sent_at, answered_at, connected_at, operator_id)
           SELECT phone_id, gen_random_uuid(), id, campaign_id, base_id, 'main', 1, 1, 0, 'strict', 1, 'connected', now(), now(),
               now(), $2
           FROM contact WHERE id = $1 RETURNING attempt_id AS id""",
        contact_id,
        operator_id,
    )
    return client, operator_id, type("Attempt", (), {"id": row["id"]}), row


async def test_a_promise_is_listed_moved_and_cancelled_by_name(office):
    """The board of promises shows whose it is; a cancelled one cannot be moved."""
    client, operator_id, contact_id, attempt = await talking(office)
    due = datetime.now(UTC) + timedelta(days=2)
    body = {"code": "callback", "note": "ask for Ada", "callback": {"due_at": due.isoformat(), "operator": "me"}}
    assert (await save(client, attempt, body))[0] == 200
    boss = await office.login("supervisor")
    [promise] = (await office.get(boss, "/api/v1/callbacks", state="pending"))["callbacks"]
    assert (promise["contact_id"], promise["operator_id"], promise["late"]) == (contact_id, operator_id, False)
    path = f"/api/v1/callbacks/{promise['id']}"
    later = due + timedelta(days=1)
    assert error_of(await office.post(boss, f"{path}/move", 422, due_at=later.isoformat())).code == "request.invalid"
    moved = (await office.post(boss, f"{path}/move", due_at=later.isoformat(), reason="on a journey"))["callback"]
    assert (moved["moves"], datetime.fromisoformat(moved["due_at"])) == (1, later)
    past = {"due_at": "2020-01-01T00:00:00Z", "reason": "x"}
    assert error_of(await office.post(boss, f"{path}/move", 422, **past)).code == "callback.past"
    handed = await office.post(boss, f"{path}/hand-over", operator_id=None, reason="on holiday")
    assert handed["callback"]["operator_id"] is None
    stranger = {"operator_id": 999_999, "reason": "x"}
    assert error_of(await office.post(boss, f"{path}/hand-over", 422, **stranger)).code == "callback.not_of_team"
    assert error_of(await office.post(boss, f"{path}/cancel", 422)).code == "request.invalid"
    done = await office.post(boss, f"{path}/cancel", reason="asked to")
    assert done["callback"]["state"] == "cancelled"
    assert error_of(await office.post(boss, f"{path}/cancel", 409, reason="again")).code == "callback.closed"
    [row] = (await office.place.stores.callbacks.board(Sought(show="cancelled"), now=datetime.now(UTC))).rows
    assert (row["changed_what"], row["changed_reason"], row["changed_by"]) == ("cancelled", "asked to", "supervisor")
    kinds = [one["what"] for one in await office.place.pools.web.fetch("SELECT what FROM callback_change ORDER BY id")]
    assert kinds == ["moved", "handed_over", "cancelled"]


async def test_do_not_call_is_in_effect_and_the_engine_is_told(office):
    """After the commit a ringing line to the number is cut; the contact's "why" names it."""
    boss, here = await office.login("supervisor"), office.place
    [contact_id] = await here.add_contacts("+79035550100")
    entry = (await office.post(boss, "/api/v1/do-not-call", 201, phone="+7 903 555-01-00", scope="global"))["entry"]
    [told] = [asked for asked in office.commands.asked if asked[0] == "do_not_call_added"]
    assert told[1] == ((await here.contact(contact_id))["phone_id"],)
    reasons = (await office.get(boss, f"/api/v1/contacts/{contact_id}/why"))["reasons"]
    assert reasons[0]["reason"] == "do_not_call"
    for body in ({"phone": "12", "scope": "global"}, {"phone": "+79035550100", "scope": "campaign"}):
        assert (await boss.post("/api/v1/do-not-call", json=body, headers=CSRF)).status == 422
    assert (await boss.delete(f"/api/v1/do-not-call/{entry['id']}", headers=CSRF)).status == 403
    admin = await office.login("admin")
    assert (await admin.delete(f"/api/v1/do-not-call/{entry['id']}", headers=CSRF)).status == 200
    assert (await office.get(boss, "/api/v1/do-not-call"))["entries"] == []


async def test_attempts_come_in_pages_with_masked_numbers_and_the_numbers_agree(office):
    """The pages are the ledger without a gap, and the hour's numbers count the same attempts."""
    here = office.place
    await here.add_contacts(*(f"+7903555010{digit}" for digit in range(5)))
    for attempt in await here.dial(5):
        rang = await here.progress(attempt, AttemptState.RINGING, rang_at=here.now)
        await here.end(rang, Outcome.NO_ANSWER)
    boss, seen, cursor = await office.login("supervisor"), [], {}
    while True:
        page = await office.get(boss, "/api/v1/attempts", limit=2, campaign=here.campaign.id, **cursor)
        seen += page["attempts"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len({row["attempt_id"] for row in seen}) == 5
    assert {row["outcome"] for row in seen} == {"no_answer"}
    assert all(row["phone"].startswith("+7903…") for row in seen)
    period = {"from": (here.now - timedelta(hours=1)).isoformat(), "to": (here.now + timedelta(hours=1)).isoformat()}
    [total] = (await office.get(boss, "/api/v1/kpi", **period))["rows"]
    hours = (await office.get(boss, "/api/v1/kpi", by="hour", **period))["rows"]
    assert total["values"]["attempts"] == sum(hour["values"]["attempts"] for hour in hours) == 5
    assert (await boss.get("/api/v1/attempts", params={"cursor": "made up"})).status == 422
    definitions = (await office.get(boss, "/api/v1/kpi/definitions"))["definitions"]
    assert set(total["values"]) == {one["id"] for one in definitions} - {one.id for one in kpi_money.DEFINITIONS}


async def test_a_disabled_user_is_out_at_once_and_the_audit_log_knows_who_did_it(office):
    """The session ends in the database, not in a browser."""
    admin, operator = await office.login("admin"), await office.login("operator", team="one")
    who = (await office.get(operator, "/api/v1/me"))["user"]["id"]
    assert (await admin.patch(f"/api/v1/users/{who}", json={"disabled": True}, headers=CSRF)).status == 200
    assert (await operator.get("/api/v1/me")).status == 401
    row = await office.place.pools.web.fetchrow("SELECT user_id, object, after FROM audit WHERE action = 'user.change'")
    me = (await office.get(admin, "/api/v1/me"))["user"]["id"]
    assert (row["user_id"], row["object"], row["after"]) == (me, f"user:{who}", {"disabled": True})
    assert error_of(await (await admin.patch(f"/api/v1/users/{me}", json={"disabled": True}, headers=CSRF)).json())


async def test_no_token_and_no_password_is_readable_in_the_database(office):
    """Whoever copies it can log in as nobody."""
    client = await office.login("admin")
    token = next(cookie.value for cookie in client.session.cookie_jar)
    rows = await office.place.pools.web.fetch(
        """SELECT t::text FROM web_session t UNION ALL SELECT t::text FROM app_user t
           UNION ALL SELECT t::text FROM audit t UNION ALL SELECT t::text FROM login_try t"""
    )
    assert len(rows) >= 3
    assert all(token not in row[0] and fakes.PASSWORD not in row[0] for row in rows)


async def test_guessing_is_slowed_down_by_the_database(office):
    """Counted where every process sees it; the account's own address stays open to it."""
    await office.login("operator", team="one")
    client = TestClient(office.server, cookie_jar=CookieJar(unsafe=True))
    office.clients.append(client)
    for _ in range(6):
        answer = await client.post("/api/v1/login", json={"login": "ghost", "password": "x"}, headers=CSRF)
    assert answer.status == 429
    assert await office.enter("operator")


async def test_a_session_ends_by_its_age_and_by_its_idleness(office):
    """An admin who does nothing for half an hour logs in again; an operator's shift goes on."""
    admin, operator = await office.login("admin"), await office.login("operator", team="one")
    await office.place.pools.web.execute("UPDATE web_session SET seen_at = now() - interval '31 minutes'")
    assert (await admin.get("/api/v1/me")).status == 401
    assert (await operator.get("/api/v1/me")).status == 200
    await office.place.pools.web.execute("UPDATE web_session SET expires_at = now()")
    assert (await operator.get("/api/v1/me")).status == 401


async def test_two_admins_add_the_same_user_once(office):
    """The second one is told."""
    admin = await office.login("admin")
    body = {"login": "new", "name": "New", "role": "operator", "password": fakes.PASSWORD, "team": "one"}
    await office.post(admin, "/api/v1/users", 201, **body)
    assert error_of(await office.post(admin, "/api/v1/users", 409, **body)).code == "user.exists"
    refused = await office.post(admin, "/api/v1/users", 409, **{**body, "login": "x", "team": None})
    assert error_of(refused).code == "user.no_team"
    users = (await office.get(admin, "/api/v1/users"))["users"]
    assert not any("password" in key for user in users for key in user)


async def test_a_message_outlives_a_restart_and_the_log_does_not_have_its_words(office):
    """Who said something to whom is known to all who read the log; what, to the two."""
    boss, operator = await office.login("supervisor"), await office.login("operator", team="one")
    who = (await office.get(operator, "/api/v1/me"))["user"]["id"]
    await office.live.put(fakes.operator(who, state="ready"))
    await office.post(boss, f"/api/v1/operators/{who}/message", text="Call Ada first")
    second = TestServer(
        create_app(stores=office.place.stores, commands=office.commands, live=office.live, settings=fakes.settings())
    )
    await second.start_server()
    after = TestClient(second, cookie_jar=operator.session.cookie_jar)
    [message] = (await office.get(after, "/api/v1/operator"))["messages"]
    assert (message["text"], message["by"]) == ("Call Ada first", "supervisor")
    await office.post(after, "/api/v1/operator/heard")
    assert (await office.get(after, "/api/v1/operator"))["messages"] == []
    [told] = (await office.get(boss, f"/api/v1/operators/{who}/messages"))["messages"]
    assert told["heard_at"] is not None
    await after.close()
    rows = await office.place.pools.web.fetch("SELECT after::text FROM audit WHERE action = 'operator.message'")
    assert [row[0] for row in rows] == ['{"length": 14}']


async def test_an_operator_between_two_calls_goes_over_to_another_campaign_at_once(office):
    """The same phone, the other team; one who works there already is not moved."""
    boss, operator = await office.login("supervisor"), await office.login("operator", team="one")
    who = (await office.get(operator, "/api/v1/me"))["user"]["id"]
    other = await office.place.add_campaign("autumn", customer="other", team="two")
    await office.live.put(fakes.operator(who, state="ready", seat="seat-007"))
    path = f"/api/v1/operators/{who}/campaign"
    refused = error_of(await office.post(boss, path, 409, campaign=office.place.campaign.id))
    assert refused.code == "operator.same_team"
    moved = (await office.post(boss, path, campaign=other.id))["operator"]
    assert (moved["seat"], moved["state"]) == ("seat-007", "ready")
    assert ("start_shift", who, "seat-007") in office.commands.asked
    row = await office.place.pools.web.fetchrow("SELECT team_id FROM app_user WHERE id = $1", who)
    assert row["team_id"] == other.team_id
    [message] = (await office.get(operator, "/api/v1/operator"))["messages"]
    assert "autumn" in message["text"]


async def test_a_supervisor_may_lower_the_cap_and_only_an_admin_may_raise_it(office):
    """Both at once in effect and in the log; the way lines are counted is the same sort of thing."""
    boss, admin = await office.login("supervisor"), await office.login("admin")
    path = f"/api/v1/campaigns/{office.place.campaign.id}/pacing"

    async def turn(client, status, **values):
        answer = await client.patch(path, json=values, headers=CSRF)
        assert answer.status == status, await answer.text()
        return await answer.json()

    assert (await turn(boss, 200, cap_permille=10))["campaign"]["cap_permille"] == 10
    assert error_of(await turn(boss, 403, cap_permille=11)).code == "access.loosens"
    assert error_of(await turn(boss, 403, budget_mode="probable")).code == "access.loosens"
    assert (await turn(admin, 200, cap_permille=20, budget_mode="probable"))["campaign"]["budget_mode"] == "probable"
    assert (await turn(boss, 200, budget_mode="strict"))["campaign"]["cap_permille"] == 20
    actions = await office.place.pools.web.fetch("SELECT after FROM audit WHERE action = 'campaign.change' ORDER BY id")
    assert [row["after"] for row in actions][-1] == {"budget_mode": "strict"}
