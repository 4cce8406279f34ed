"""The second factor, over a real PostgreSQL: set up, asked for, good once, lost, demanded."""

from __future__ import annotations

import asyncio
import base64
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient

from dialer.core import totp
from dialer.store.users import Actor
from dialer.web import second_factor, throttle
from tests.web import fakes
from tests.web.conftest import CSRF, error_of
from tests.web.test_admin import add, asked
from tests.web.test_with_postgres import office  # noqa: F401 - a fixture

pytestmark = pytest.mark.postgres

MINE = "/api/v1/me/second-factor"


class App:
    """An authenticator app on somebody's phone."""

    def __init__(self, link):
        self.secret = base64.b32decode(parse_qs(urlsplit(link).query)["secret"][0])

    def code(self, steps=0):
        return totp.code(self.secret, totp.step_of(datetime.now(UTC)) + steps)


async def begun(client):
    return App((await asked(client, "POST", MINE, 201, password=fakes.PASSWORD))["link"])


async def enrolled(client):
    """The app and the recovery codes; the code of the step before is used up."""
    app = await begun(client)
    return app, (await asked(client, "POST", f"{MINE}/confirm", code=app.code(-1)))["codes"]


async def log_in(office, login, status=200, **values):  # noqa: F811 - the fixture's value
    client = TestClient(office.server, cookie_jar=CookieJar(unsafe=True))
    office.clients.append(client)
    said = await asked(client, "POST", "/api/v1/login", status, login=login, password=fakes.PASSWORD, **values)
    return client if status == 200 else error_of(said).code


async def test_after_it_is_set_up_the_password_alone_opens_nothing(office):  # noqa: F811
    admin = await office.login("admin")
    app, _ = await enrolled(admin)
    assert await log_in(office, "admin", 401) == "login.code_needed"
    assert await log_in(office, "admin", 401, code="000000") == "login.wrong_code"
    client = await log_in(office, "admin", code=f" {app.code()[:3]} {app.code()[3:]}")
    assert (await client.get("/people")).status == 200


async def test_it_is_asked_for_only_after_a_first_code_was_shown(office):  # noqa: F811
    """Whoever began and never finished is not locked out."""
    admin = await office.login("admin")
    app = await begun(admin)
    await log_in(office, "admin")
    assert error_of(await asked(admin, "POST", f"{MINE}/confirm", 422, code="12345")).code == "second_factor.wrong"
    again = await begun(admin)
    assert again.secret != app.secret
    await asked(admin, "POST", f"{MINE}/confirm", code=again.code())
    assert error_of(await asked(admin, "POST", MINE, 409, password=fakes.PASSWORD)).code == "second_factor.exists"


async def test_setting_it_up_needs_the_password_and_ends_the_other_sessions(office):  # noqa: F811
    """Somebody at an unlocked screen cannot make the account his own; whoever was in by the password alone is out."""
    admin = await office.login("admin")
    elsewhere = await office.enter("admin")
    refused = await asked(admin, "POST", MINE, 422, password="a guess, this is")
    assert error_of(refused).code == "second_factor.password"
    await enrolled(admin)
    assert (await elsewhere.get("/api/v1/me")).status == 401
    assert (await admin.get("/api/v1/me")).status == 200


async def test_a_code_is_good_once_also_when_sent_twice_at_the_same_moment(office):  # noqa: F811
    admin = await office.login("admin")
    app, _ = await enrolled(admin)
    code = app.code()
    clients = [TestClient(office.server, cookie_jar=CookieJar(unsafe=True)) for _ in range(4)]
    said = {"login": "admin", "password": fakes.PASSWORD, "code": code}
    answers = await asyncio.gather(*(c.post("/api/v1/login", json=said, headers=CSRF) for c in clients))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]
    assert await log_in(office, "admin", 401, code=code) == "login.used_code"
    assert await log_in(office, "admin", 401, code=app.code(-1)) == "login.used_code"  # nor is one before it
    for client in clients:
        await client.session.close()


async def test_a_recovery_code_lets_in_once_and_the_log_says_so(office):  # noqa: F811
    admin = await office.login("admin")
    _, codes = await enrolled(admin)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    await log_in(office, "admin", code=codes[0].upper().replace("-", " "))
    assert await log_in(office, "admin", 401, code=codes[0]) == "login.wrong_code"
    actions = await office.place.pools.web.fetch("SELECT action FROM audit ORDER BY id")
    assert [row["action"] for row in actions].count("second_factor.recover") == 1


async def test_new_recovery_codes_void_the_old_ones(office):  # noqa: F811
    admin = await office.login("admin")
    app, old = await enrolled(admin)
    new = (await asked(admin, "POST", f"{MINE}/codes", code=app.code()))["codes"]
    assert not set(old) & set(new)
    assert await log_in(office, "admin", 401, code=old[3]) == "login.wrong_code"
    await log_in(office, "admin", code=new[3])


async def test_guessing_codes_is_throttled_like_guessing_passwords(office):  # noqa: F811
    """Five wrong codes, then even the right one waits; also on one's own page."""
    admin = await office.login("admin")
    app, _ = await enrolled(admin)
    for _ in range(throttle.TRIES_MAX):
        assert await log_in(office, "admin", 401, code="000000") == "login.wrong_code"
    assert await log_in(office, "admin", 429, code=app.code()) == "login.too_many"
    assert error_of(await asked(admin, "POST", f"{MINE}/remove", 429, code=app.code())).code == "login.too_many"


async def test_neither_secret_nor_codes_are_in_the_database(office, tmp_path):  # noqa: F811
    admin = await office.login("admin")
    app, codes = await enrolled(admin)
    read = office.place.pools.web.fetch
    held = str([dict(row) for row in await read("SELECT f.*, r.* FROM second_factor f NATURAL JOIN recovery_code r")])
    held += str([dict(row) for row in await read("SELECT * FROM audit")])
    assert not [code for code in codes if code.replace("-", "") in held]
    assert str(app.secret)[2:-1] not in held
    key = tmp_path / "second-factor.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert second_factor.key_in(tmp_path) == second_factor.key_in(tmp_path) == bytes.fromhex(key.read_text())


async def test_it_is_switched_off_by_a_code(office):  # noqa: F811
    admin = await office.login("admin")
    app, _ = await enrolled(admin)
    assert error_of(await asked(admin, "POST", f"{MINE}/remove", 422, code="000000")).code == "second_factor.wrong"
    await asked(admin, "POST", f"{MINE}/remove", code=app.code())
    await log_in(office, "admin")


async def test_an_admin_resets_what_somebody_lost(office):  # noqa: F811
    """The sessions of that user end; the password alone opens the account again; the log has the admin's name."""
    admin = await office.login("admin")
    user, theirs = await add(office, "sup", "supervisor")
    await enrolled(theirs)
    await asked(admin, "DELETE", f"/api/v1/users/{user.id}/second-factor")
    assert (await theirs.get("/api/v1/me")).status == 401
    await log_in(office, "sup")
    row = await office.place.pools.web.fetchrow("SELECT * FROM audit WHERE action = 'second_factor.remove'")
    me = (await office.get(admin, "/api/v1/me"))["user"]["id"]
    assert (row["user_id"], row["object"]) == (me, f"user:{user.id}")
    gone = await asked(admin, "DELETE", f"/api/v1/users/{user.id}/second-factor", 404)
    assert error_of(gone).code == "second_factor.none"


async def test_a_role_that_must_have_one_can_do_nothing_else_first(office):  # noqa: F811
    admin = await office.login("admin")
    await enrolled(admin)
    _, theirs = await add(office, "sup", "supervisor")
    operator, _ = await add(office, "op", "operator", team="one")
    assert (await theirs.get("/board")).url.path == "/board"
    said = await asked(admin, "PUT", "/api/v1/settings/second-factor", roles=["supervisor", "admin"])
    assert said == {"roles": ["admin", "supervisor"]}
    assert (await theirs.get("/board")).url.path == "/me"
    assert (await theirs.get("/")).url.path == "/me"
    for method, path in (("GET", "/api/v1/campaigns"), ("POST", f"/api/v1/operators/{operator.id}/pause")):
        assert error_of(await asked(theirs, method, path, 403)).code == "access.second_factor"
    assert office.commands.asked == []
    assert (await admin.get("/api/v1/campaigns")).status == 200
    await enrolled(theirs)
    assert (await theirs.get("/board")).url.path == "/board"
    changed = await office.place.pools.web.fetchrow("SELECT * FROM audit WHERE action = 'second_factor.require'")
    assert (changed["before"], changed["after"]) == ({"roles": ""}, {"roles": "admin, supervisor"})


async def test_it_is_never_demanded_of_operators(office):  # noqa: F811
    admin = await office.login("admin")
    await asked(admin, "PUT", "/api/v1/settings/second-factor", 422, roles=["operator"])


async def test_all_other_sessions_are_ended_at_once(office):  # noqa: F811
    admin = await office.login("admin")
    others = [await office.enter("admin") for _ in range(3)]
    await asked(admin, "DELETE", "/api/v1/me/sessions")
    assert [(await other.get("/api/v1/me")).status for other in others] == [401] * 3
    assert len((await office.get(admin, "/api/v1/me/sessions"))["sessions"]) == 1


async def test_two_processes_that_make_the_key_get_the_same(tmp_path):
    made = await asyncio.gather(*(asyncio.to_thread(second_factor.key_in, tmp_path / "data") for _ in range(8)))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["second-factor.key"]


async def test_a_disabled_account_is_refused_before_a_code_is_asked_for(office):  # noqa: F811
    """Nobody learns from the question that the password was right."""
    await office.login("admin")
    user, theirs = await add(office, "sup", "supervisor")
    await enrolled(theirs)
    await office.place.stores.users.change(user.id, {"disabled": True}, actor=Actor())
    assert await log_in(office, "sup", 401) == "login.wrong"


async def test_a_password_is_changed_by_its_owner_who_stays_logged_in_here_alone(office):  # noqa: F811
    """Whoever made the account knew the first password; nobody knows the next one."""
    admin = await office.login("admin")
    elsewhere = await office.enter("admin")
    before = {cookie.value for cookie in admin.session.cookie_jar}
    wrong = await asked(admin, "POST", "/api/v1/me/password", 422, old="not it", new="another long one")
    assert error_of(wrong).data["fields"][0]["field"] == "old"
    await asked(admin, "POST", "/api/v1/me/password", 422, old=fakes.PASSWORD, new="short")
    await asked(admin, "POST", "/api/v1/me/password", old=fakes.PASSWORD, new="another long one")
    assert (await admin.get("/api/v1/me")).status == 200
    assert (await elsewhere.get("/api/v1/me")).status == 401
    assert not before & {cookie.value for cookie in admin.session.cookie_jar}
    assert await log_in(office, "admin", 401) == "login.wrong"
    row = await office.place.pools.web.fetchrow("SELECT after FROM audit WHERE action = 'user.change'")
    assert row["after"] == {"password": "changed"}
