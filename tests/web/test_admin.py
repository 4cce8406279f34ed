"""People, sessions, tokens, the first admin, copies and plans: over a real PostgreSQL."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient

from dialer.service import how_to_begin
from dialer.store.users import Actor
from dialer.web import plans, scope, texts
from dialer.web.access import Role
from dialer.web.call import CONTEXT
from dialer.web.routes import ROUTES
from tests.browser import scene as scenery
from tests.web import fakes
from tests.web.conftest import CSRF, error_of
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres


async def asked(client, method, path, status=200, **body):
    answer = await client.request(method, path, json=body or None, headers=CSRF)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def add(office, login, role, **values):  # noqa: F811 - the fixture's value
    given = {"team": None, "language": "en", "actor": Actor(), "password_hash": office.hash, "name": login} | values
    user = await office.place.stores.users.add(login=login, role=role, **given)
    return user, await office.enter(login)


# The first start


async def test_the_first_admin_is_made_once_with_the_printed_token(place, password_hash):
    """No default password: whoever reads what the service printed makes the first admin; the token dies with that."""
    from tests.web.test_with_postgres import Office

    opened = Office(place, password_hash)
    await opened.server.start_server()
    token = opened.server.app[CONTEXT].setup.token
    assert f"\n    {token}\n" in how_to_begin("http://127.0.0.1:8080", token)
    browser = TestClient(opened.server, cookie_jar=CookieJar(unsafe=True))
    assert "/setup" not in (await browser.get("/")).url.path
    assert (await browser.get("/setup")).status == 200
    mine = {"token": token, "login": "root", "name": "Root", "password": "a long enough one"}
    wrong = await asked(browser, "POST", "/api/v1/setup", 401, **{**mine, "token": "guess"})
    assert error_of(wrong).code == "login.setup"
    made = await asked(browser, "POST", "/api/v1/setup", **mine)
    assert (made["user"]["role"], (await browser.get("/people")).status) == ("admin", 200)
    assert (
        error_of(await asked(browser, "POST", "/api/v1/setup", 401, **{**mine, "login": "two"})).code == "login.setup"
    )
    assert (await browser.get("/setup", allow_redirects=False)).status == 303
    await browser.session.close()
    await opened.server.close()


async def test_where_there_is_a_user_nothing_is_offered(office):  # noqa: F811
    await office.login("admin")
    assert office.server.app[CONTEXT].setup.token is not None  # made at the start, before anybody was there
    client = await office.enter("admin")
    mine = {"token": office.server.app[CONTEXT].setup.token, "login": "x", "name": "X", "password": "a long enough one"}
    await asked(client, "POST", "/api/v1/setup", 401, **mine)


# Sessions


async def test_sessions_are_listed_and_one_can_be_ended_from_another(office):  # noqa: F811
    first = await office.login("admin")
    second = await office.enter("admin")
    listed = (await office.get(first, "/api/v1/me/sessions"))["sessions"]
    assert sorted(session["mine"] for session in listed) == [False, True]
    other = next(session["id"] for session in listed if not session["mine"])
    await asked(first, "DELETE", f"/api/v1/me/sessions/{other}")
    assert (await second.get("/api/v1/me")).status == 401
    assert (await first.get("/api/v1/me")).status == 200


async def test_nobody_ends_the_session_of_somebody_else(office):  # noqa: F811
    admin = await office.login("admin")
    _, stranger = await add(office, "eve", "auditor")
    [mine] = (await office.get(admin, "/api/v1/me/sessions"))["sessions"]
    refused = await asked(stranger, "DELETE", f"/api/v1/me/sessions/{mine['id']}", 404)
    assert error_of(refused).code == "session.not_found"
    assert (await admin.get("/api/v1/me")).status == 200


# People


@pytest.mark.parametrize("change", [{"role": "auditor"}, {"password": "another long one"}, {"disabled": True}])
async def test_whoever_may_something_else_logs_in_anew(office, change):  # noqa: F811
    admin = await office.login("admin")
    user, theirs = await add(office, "sup", "supervisor")
    await asked(admin, "PATCH", f"/api/v1/users/{user.id}", **change)
    assert (await theirs.get("/api/v1/me")).status == 401
    row = await office.place.pools.web.fetchrow("SELECT action, after FROM audit ORDER BY id DESC LIMIT 1")
    assert row["action"] == "user.change"
    assert "another long one" not in str(row["after"])


async def test_an_admin_cannot_be_locked_out_by_himself_and_an_operator_keeps_a_team(office):  # noqa: F811
    admin = await office.login("admin")
    me = (await office.get(admin, "/api/v1/me"))["user"]["id"]
    for change in ({"disabled": True}, {"role": "operator"}):
        assert error_of(await asked(admin, "PATCH", f"/api/v1/users/{me}", 409, **change)).code == "user.yourself"
    user, _ = await add(office, "op", "operator", team="one")
    refused = await asked(admin, "PATCH", f"/api/v1/users/{user.id}", 409, team="")
    assert error_of(refused).code == "user.no_team"
    assert (await asked(admin, "PATCH", f"/api/v1/users/{user.id}", team="two"))["user"]["team_id"] != user.team_id


# Tokens of programs


async def test_a_token_opens_what_its_scopes_name_and_is_known_by_its_hash_alone(office):  # noqa: F811
    admin = await office.login("admin")
    await add(office, "crm", "api")
    made = await asked(admin, "POST", "/api/v1/tokens", 201, login="crm", name="CRM", scopes=["read"], days=30)
    secret = made["secret"]
    program = TestClient(office.server)
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await program.get("/api/v1/campaigns", headers=bearer)).status == 200
    assert (await program.get("/api/v1/users", headers=bearer)).status == 403
    assert (await program.post("/api/v1/do-not-call", json={}, headers=bearer)).status == 403
    assert (await program.get(f"/api/v1/campaigns?token={secret}")).status == 401
    assert secret not in str([dict(row) for row in await office.place.pools.web.fetch("SELECT * FROM api_token")])
    assert secret not in str([dict(row) for row in await office.place.pools.web.fetch("SELECT * FROM audit")])
    await asked(admin, "DELETE", f"/api/v1/tokens/{made['token']['id']}")
    assert (await program.get("/api/v1/campaigns", headers=bearer)).status == 401
    await program.session.close()


async def test_a_token_is_refused_from_another_address_and_after_its_day(office):  # noqa: F811
    admin = await office.login("admin")
    await add(office, "crm", "api")
    program = TestClient(office.server)
    for values, status in (({"addresses": ["192.0.2.0/24"]}, 401), ({"addresses": ["127.0.0.0/8"]}, 200)):
        made = await asked(admin, "POST", "/api/v1/tokens", 201, login="crm", name="x", scopes=["read"], **values)
        answer = await program.get("/api/v1/campaigns", headers={"Authorization": f"Bearer {made['secret']}"})
        assert answer.status == status
    await office.place.pools.web.execute(
        "UPDATE api_token SET made_at = now() - interval '90 days', expires_at = now()"
    )
    answer = await program.get("/api/v1/campaigns", headers={"Authorization": f"Bearer {made['secret']}"})
    assert answer.status == 401
    await program.session.close()


async def test_a_token_is_for_programs_alone(office):  # noqa: F811
    admin = await office.login("admin")
    refused = await asked(admin, "POST", "/api/v1/tokens", 404, login="admin", name="x", scopes=["read"])
    assert error_of(refused).code == "user.not_found"


# Own and foreign

KINDS = {"campaign": "campaign", "base": "base", "contact": "contact"}


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.CUSTOMER])
async def test_whoever_is_bound_finds_the_own_and_never_the_foreign(office, role):  # noqa: F811
    """Every route that reads an object by its number, with an object of the own team or customer and with another's."""
    place = office.place
    foreign = await place.add_campaign("foreign", customer="other", team="two")
    ids = {}
    for name, campaign in (("own", place.campaign), ("foreign", foreign)):
        [contact] = await place.add_contacts(f"+7903555{len(ids):04}", campaign=campaign)
        base = await place.pools.web.fetchval("SELECT base_id FROM contact WHERE id = $1", contact)
        ids[name] = {"campaign": campaign.id, "base": base, "contact": contact}
    belongs = {"team": "one"} if role is Role.SUPERVISOR else {"customer": "acme"}
    _, client = await add(office, "bound", role, **belongs)
    tried = 0
    for route in ROUTES:
        kind = scope.kind_of(route)
        if kind not in KINDS or role not in route.roles or not route.safe:
            continue
        tried += 1
        for whose, statuses in (("own", {200}), ("foreign", {404})):
            path = re.sub(r"{id:[^}]*}[^/]*}|{id:[^}]*}", str(ids[whose][kind]), route.path)
            answer = await client.get(path)
            assert answer.status in statuses, (path, whose, await answer.text())
    assert tried >= (8 if role is Role.SUPERVISOR else 1)
    listed = (await office.get(client, "/api/v1/campaigns"))["campaigns"]
    assert [one["id"] for one in listed] == [place.campaign.id]
    assert (await client.get("/api/v1/kpi")).status == 422
    assert (await client.get(f"/api/v1/kpi?campaign={place.campaign.id}")).status == 200
    assert (await client.get(f"/api/v1/kpi?campaign={foreign.id}")).status == 404


async def test_the_board_of_a_bound_supervisor_shows_the_own_team_alone(office):  # noqa: F811
    place = office.place
    foreign = await place.add_campaign("foreign", customer="other", team="two")
    office.live.campaigns = [scenery.view(c, "running", datetime.now(UTC)) for c in (place.campaign, foreign)]
    mine, theirs = await place.add_operator("mine"), await place.add_operator("theirs")
    await place.start_shift(mine, "seat-001")
    await place.pools.web.execute("UPDATE app_user SET team_id = $1 WHERE id = $2", foreign.team_id, theirs)
    for id_ in (mine, theirs):
        await office.live.put(fakes.operator(id_, state="ready"))
    _, bound = await add(office, "bound", "supervisor", team="one")
    _, free = await add(office, "free", "supervisor")
    board = await office.get(bound, "/api/v1/board")
    assert [one["campaign_id"] for one in board["campaigns"]] == [place.campaign.id]
    assert [one["operator_id"] for one in board["operators"]] == [mine]
    assert (board["totals"]["ready"], len(board["overview"]["campaigns"])) == (1, 1)
    async with bound.ws_connect("/api/v1/live") as socket:
        assert [one["operator_id"] for one in (await socket.receive_json())["operators"]] == [mine]
    assert len((await office.get(free, "/api/v1/board"))["operators"]) == 2


async def test_a_bound_supervisor_changes_nothing_foreign(office):  # noqa: F811
    place = office.place
    foreign = await place.add_campaign("foreign", customer="other", team="two")
    stranger = await place.stores.users.add(
        login="stranger", name="s", role="operator", password_hash="-", team="two", language="en", actor=Actor()
    )
    await office.live.put(fakes.operator(stranger.id, state="ready"))
    _, client = await add(office, "bound", "supervisor", team="one")
    for method, path, body in (
        ("POST", f"/api/v1/campaigns/{foreign.id}/state", {"state": "paused"}),
        ("PATCH", f"/api/v1/campaigns/{foreign.id}/pacing", {"caution": 2}),
        ("POST", f"/api/v1/operators/{stranger.id}/pause", {}),
        ("POST", f"/api/v1/operators/{stranger.id}/message", {"text": "x"}),
    ):
        assert error_of(await asked(client, method, path, 404, **body)).code == "scope.not_found"
    assert office.commands.asked == []


# Campaigns


async def test_a_copy_has_the_settings_and_no_base(office):  # noqa: F811
    admin = await office.login("admin")
    id_ = office.place.campaign.id
    await asked(admin, "PATCH", f"/api/v1/campaigns/{id_}", wrap_up_s=77, caution=2.5)
    copy = (await asked(admin, "POST", f"/api/v1/campaigns/{id_}/copy", 201, name="autumn"))["campaign"]
    original = (await office.get(admin, f"/api/v1/campaigns/{id_}"))["campaign"]
    assert (copy["state"], copy["name"], copy["wrap_up_s"]) == ("draft", "autumn", 77)
    different = {name for name in copy if copy[name] != original[name]}
    assert different == {"id", "name", "state"}
    assert (
        error_of(await asked(admin, "POST", f"/api/v1/campaigns/{id_}/copy", 409, name="autumn")).code
        == "campaign.exists"
    )


async def test_a_plan_follows_the_settings_that_are_asked_for(office):  # noqa: F811
    admin = await office.login("admin")
    id_ = office.place.campaign.id
    await office.place.add_contacts(*(f"+7903555{number:04}" for number in range(100)))
    await add(office, "op", "operator", team="one")
    plan = await office.get(admin, f"/api/v1/campaigns/{id_}/plan")
    assert (plan["contacts"], plan["operators"], plan["figures_of"]) == (100, 1, "usual")
    slower = await office.get(admin, f"/api/v1/campaigns/{id_}/plan", wrap_up_s=600)
    assert slower["hours"] > plan["hours"]
    strict = await office.get(admin, f"/api/v1/campaigns/{id_}/plan", profile="strict")
    assert strict["hours_per_day"] < plan["hours_per_day"]


async def test_a_plan_before_the_campaign_is_made_says_whose_figures_it_is_from(office):  # noqa: F811
    """Of the customer if it has enough calls, else of the team, else usual ones; never of somebody else."""
    admin = await office.login("admin")
    path, mine = "/api/v1/campaigns/plan", {"customer": "acme", "team": "one", "contacts": 5210, "operators": 8}
    plan = await office.get(admin, path, **mine, profile="ru", attempts_max=4)
    assert (plan["contacts"], plan["figures_of"], plan["answer_rate"]) == (5210, "usual", 0.3)
    assert (plan["window"], plan["limited_by"]) == (["08:00", "22:00"], "operators")
    await office.place.add_contacts("+79035550001")
    row = await office.place.pools.web.fetchrow("SELECT id, base_id, phone_id, campaign_id FROM contact")
    now = datetime.now(UTC)
    for number in range(80):
        outcome = "connected" if number % 2 else "abandoned"
        at = now - timedelta(minutes=number)
        await office.place.pools.web.execute(
            scenery.INSERT, uuid4(), row["id"], row["campaign_id"], row["base_id"], row["phone_id"],
            at, at + timedelta(seconds=60), at + timedelta(seconds=10) if number % 2 else None, outcome, not number % 2,
        )  # fmt: skip
    customers = await office.get(admin, path, **mine)
    assert (customers["figures_of"], customers["answer_rate"], customers["talk_s"]) == ("customer", 0.5, 50)
    assert (await office.get(admin, path, **{**mine, "customer": "new"}))["figures_of"] == "team"
    assert (await office.get(admin, path, customer="new", team="new"))["figures_of"] == "usual"
    assert (await office.get(admin, path, **mine, mode="ivr"))["figures_of"] == "usual"
    asked_for = await office.get(admin, path, **mine, answer_percent=20)
    assert (asked_for["figures_of"], asked_for["answer_rate"]) == ("asked", 0.2)
    assert asked_for["hours"] < customers["hours"] * 1.2


async def test_a_new_campaign_is_planned_with_what_it_will_have(office):  # noqa: F811
    admin = await office.login("admin")
    values = {"name": "n", "mode": "progressive", "customer": "acme", "team": "one", "trunk": "world"}
    made = (await asked(admin, "POST", "/api/v1/campaigns", 201, **values))["campaign"]
    assert {name: made[name] for name in plans.USUAL} == plans.USUAL


# Tables


async def test_tables_are_searched_sorted_and_paged_by_the_database(office):  # noqa: F811
    admin = await office.login("admin")
    await office.place.pools.web.execute(
        "INSERT INTO app_user (login, name, role, password_hash) SELECT 'u' || n, 'Name ' || n, 'auditor', '-' FROM generate_series(1, 120) n"
    )

    async def logins(**query):
        page = await (await admin.get("/people", params=query)).text()
        return re.findall(r'<th scope="row">(\w+)</th>', page)

    assert len(await logins(role="auditor")) == 50
    assert len(await logins(role="auditor", page=3)) == 20
    assert await logins(q="u77") == ["u77"]
    assert await logins(q="%") == []
    assert await logins(q="u1", sort="login", down="true", role="auditor") == sorted(
        await logins(q="u1", role="auditor"), reverse=True
    )
    assert (await logins(q="u7", page=200))[0] == "u7"  # a page that is not there is the last one


def test_everything_the_audit_log_may_say_has_words_in_both_languages():
    """What a change is called in the code is read by people in the log."""
    said = set()
    for path in Path(texts.__file__).parents[1].rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == "note":
                given = (one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str))
                said |= {one for one in given if re.fullmatch(r"[a-z_]+\.[a-z_]+", one)}
    assert len(said) > 40
    for language in texts.LANGUAGES:
        assert not {one for one in said if f"action.{one}" not in texts.TEXTS[language]}


async def test_the_audit_page_calls_things_by_their_names(office):  # noqa: F811
    """Who reads it later knows no numbers; the number is still there to search by."""
    _, admin = await add(office, "root", "admin")
    user, _ = await add(office, "bee", "operator", team="one", name="Bee")
    await asked(admin, "PATCH", f"/api/v1/users/{user.id}", team="two")
    await asked(admin, "PATCH", f"/api/v1/campaigns/{office.place.campaign.id}", attempts_max=3)
    text = (await (await admin.get("/audit")).text()).partition("<tbody>")[2]
    assert f'User <b title="user:{user.id}">Bee</b>' in text
    campaign = office.place.campaign
    assert f'Campaign <b title="campaign:{campaign.id}">{campaign.name}</b>' in text
    assert "attempts_max" not in text
    assert "team_id" not in text


async def test_the_audit_page_says_values_in_words(office):  # noqa: F811
    """As the pages call them on which they were chosen, in the reader's language; no word of ours, no braces."""
    _, admin = await add(office, "root", "admin", language="ru")
    path = f"/api/v1/campaigns/{office.place.campaign.id}"
    await asked(admin, "PATCH", path, purpose="service", listening_shown=False, retry={"busy": {"delay_s": 7200}})
    await asked(admin, "PATCH", f"{path}/retry-rules", code="email_cold", delay_s=864000)
    await asked(admin, "POST", f"{path}/state", state="paused")
    await asked(admin, "POST", "/api/v1/do-not-call", 201, phone="+12025550188", scope="global", reason="")
    await asked(admin, "POST", f"{path}/prices", 201, kind="tariff_lead", amount="5", since="2026-01-01")
    await add(office, "eve", "base_manager")
    text = (await (await admin.get("/audit")).text()).partition("<tbody>")[2]
    cells = " ".join(re.findall(r'<td class="change">(.*?)</td>', text, re.DOTALL))
    for sentence in ("Обслуживание", "через 2 часа", "Email общий", "через 10 дней", "на паузе", "Принятый лид"):
        assert sentence in cells, sentence
    assert not re.findall(r"[{}]|True|False|\b[a-z]+_[a-z_]+\b", cells)
